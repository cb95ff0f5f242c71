#!/bin/sh
# verify_snp.sh BIN VECTORS: pm-verify snp on real evidence, and on nonsense.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
vectors=$2/snp
verify="$bin/pm-verify snp"
at="--time 2026-03-01T00:00:00Z"
any="--any-report-data --any-tcb"

# shellcheck disable=SC2086 # words on purpose
usage_errors() {
	run 2 "no verb" "$bin/pm-verify"
	run 2 "unknown verb" "$bin/pm-verify" sev
	says "unknown verb 'sev'"
	run 0 "help" "$bin/pm-verify" --help
	run 0 "version" "$bin/pm-verify" --version
	run 0 "help of the verb" $verify --help
	says "Examples:"
	# Status 0 means verified: a file of that name must not get it.
	run 2 "help as the report" $verify --help $any
	says "--help stands alone"
	run 2 "help behind the options" $verify $any -- --help
	run 2 "help as a value" $verify x $any --vek --help
	run 0 "help of measure" "$bin/pm-verify" measure --help
	run 0 "processors" "$bin/pm-verify" measure --vcpu-type help
	run 2 "help among options" "$bin/pm-verify" measure --ovmf --help --vcpus 1 --vcpu-type EPYC
	for verb in bundle coordinator gpu measure snp token worker; do
		run 2 "$verb without anything, JSON" "$bin/pm-verify" $verb --json
		is_json 'o["verdict"] == "error" and o["error"] == "invalid argument" and o["reason"]'
	done
	run 2 "measure without a file, JSON" "$bin/pm-verify" measure --ovmf "$work/none" --vcpus 1 \
		--vcpu-type EPYC --json
	is_json 'o["verdict"] == "error" and o["file"].endswith("none") and o["reason"].startswith("No such")'
	run 2 "no report" $verify $any
	run 2 "no such file" $verify "$work/none" $any
	says "$work/none: No such file"
	run 2 "unknown option" $verify x --frobnicate
	run 2 "no REPORT_DATA" $verify x --any-tcb
	says "REPORT_DATA must be given"
	run 2 "no TCB" $verify x --any-report-data
	says "least TCB must be given"
	run 2 "short REPORT_DATA" $verify x --any-tcb --report-data 00
	says "expected 128 hexadecimal digits"
	run 2 "bad measurement" $verify x $any --measurement xyz
	run 2 "bad host data" $verify x $any --host-data 0g
	run 2 "bad VMPL" $verify x $any --vmpl 4
	run 2 "bad time" $verify x $any --time yesterday
	run 2 "bad product" $verify x $any --product Rome
	run 2 "two reports" $verify x y $any
	for tcb in 1,2,3 1,2,3,256 1,2,3,4,5,6 1,,2,3 a,b,c,d "1,2,3,4," -1,2,3,4 ""; do
		run 2 "bad TCB '$tcb'" $verify x --any-report-data --min-tcb "$tcb"
	done
}

# policy_file WHAT STATUS TEXT JSON
policy_file() {
	printf '%s' "$4" >"$work/policy.json"
	if [ "$2" = 2 ]; then
		# shellcheck disable=SC2086
		run 2 "policy: $1, JSON" $verify "$work/empty" $any --policy "$work/policy.json" --json
		is_json 'o["verdict"] == "error" and o["file"].endswith("policy.json") and o["error"] and o["reason"]'
	fi
	# shellcheck disable=SC2086
	run "$2" "policy: $1" $verify "$work/empty" $any --policy "$work/policy.json"
	[ -z "$3" ] || says "$3"
}

policy_errors() {
	# shellcheck disable=SC2086
	run 2 "no policy, JSON" $verify "$work/empty" $any --policy "$work/none" --json
	is_json 'o["verdict"] == "error" and o["file"].endswith("none") and o["reason"].startswith("No such")'
	policy_file "not JSON" 2 "policy.json: line 1" '{'
	policy_file "empty file" 2 "policy.json: line 1" ''
	policy_file "behind the object" 2 "end of file expected" '{} {}'
	policy_file "an array" 2 '$: expected an object' '[]'
	policy_file "unknown key" 2 '$.min_tbc: expected no such key' '{"min_tbc": {}}'
	policy_file "doubled key" 2 "duplicate object key" '{"any_tcb": true, "any_tcb": true}'
	policy_file "wrong type" 2 '$.any_tcb: expected true or false' '{"any_tcb": 1}'
	policy_file "empty list" 2 '$.measurements: expected an array that is not empty' '{"measurements": []}'
	policy_file "short value" 2 '$.measurements[0]: expected 96 hexadecimal digits' '{"measurements": ["00"]}'
	policy_file "part missing" 2 '$.min_tcb.Milan.microcode' \
		'{"min_tcb": {"Milan": {"boot_loader": 1, "tee": 0, "snp": 1}}}'
	policy_file "fmc of Milan" 2 '$.min_tcb.Milan.fmc: expected no such part' \
		'{"min_tcb": {"Milan": {"fmc": 1, "boot_loader": 1, "tee": 0, "snp": 1, "microcode": 1}}}'
	policy_file "part out of range" 2 '$.min_tcb.Milan.tee: expected an integer from 0 to 255' \
		'{"min_tcb": {"Milan": {"tee": 256}}}'
	policy_file "unknown product" 2 '$.min_tcb.Rome' '{"min_tcb": {"Rome": {}}}'
	policy_file "bits as number" 2 '$.policy_set: expected a string' '{"policy_set": 1}'
	policy_file "bits contradict" 2 '$.policy_clear' '{"policy_set": "0x10000", "policy_clear": "0x10000"}'
	policy_file "version text" 2 '$.min_firmware' '{"min_firmware": "1.55"}'
	policy_file "signer" 2 '$.signers[1]' '{"signers": ["VCEK", "VREK"]}'
	policy_file "VMPL" 2 '$.vmpls[0]' '{"vmpls": [4]}'
	z32=$(printf %032d 0) z64=$(printf %064d 0) z96=$(printf %096d 0) z128=$(printf %0128d 0)
	# A whole one is read; the empty report is then refused as such.
	policy_file "everything" 1 "report length" '{"any_measurement": true, "any_report_data": true,
		"any_tcb": true, "author_key_digests": ["'"$z96"'"], "chip_ids": ["'"$z128"'"],
		"csp_ids": ["CN=x"], "family_ids": ["'"$z32"'"], "host_data": ["'"$z64"'"],
		"id_key_digests": ["'"$z96"'"], "image_ids": ["'"$z32"'"], "max_crl_age": 86400,
		"measurements": ["'"$z96"'"], "min_abi": "1.31", "min_firmware": "1.55.29", "min_guest_svn": 2,
		"min_tcb": {"Milan": {"boot_loader": 4, "tee": 0, "snp": 24, "microcode": 219},
			"Turin": {"fmc": 1, "boot_loader": 1, "tee": 1, "snp": 4, "microcode": 81}},
		"min_committed_tcb": {"Genoa": {"boot_loader": 10, "tee": 0, "snp": 23, "microcode": 84}},
		"min_current_tcb": {"Genoa": {"boot_loader": 10, "tee": 0, "snp": 23, "microcode": 84}},
		"min_launch_tcb": {"Genoa": {"boot_loader": 10, "tee": 0, "snp": 23, "microcode": 84}},
		"min_version": 3, "permit_cxl": true, "permit_debug": true, "permit_masked_chip_id": true,
		"permit_migrate_ma": true, "platform_info_clear": "0x1", "platform_info_set": "0x20",
		"policy_clear": "0x10000", "policy_set": "0x100000", "products": ["Milan", "Turin"],
		"report_data": "'"$z128"'", "report_ids": ["'"$z64"'"],
		"report_ids_ma": ["'"$z64"'"], "require_author_key": true, "require_committed": true,
		"require_crl": true, "require_current_mitigations": "0x3f", "require_id_block": true,
		"require_launch_mitigations": "0x3f", "signers": ["VCEK"], "test_roots": ["'"$z64"'"],
		"vmpls": [0, 1]}'
}

# shellcheck disable=SC2086
nonsense() {
	many=$(printf -- '--crl %d ' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17)
	: >"$work/empty"
	printf x >"$work/one"
	head -c 1184 /dev/urandom >"$work/random"
	head -c 10485760 /dev/zero >"$work/huge"
	for file in empty one random huge; do
		run 1 "$file" $verify "$work/$file" $any
		says "REJECTED"
		run 1 "$file as VEK" $verify "$work/$file" --vek "$work/$file" $any
		run 1 "$file, JSON" $verify "$work/$file" $any --json
		is_json 'o["verdict"] == "rejected" and o["reason"]'
	done
	head -c 20000000 /dev/zero >"$work/huger"
	run 1 "over the size that is read" $verify "$work/huger" $any
	says "longer than"
	run 1 "over the size that is read, JSON" $verify "$work/huger" $any --json
	is_json 'o["verdict"] == "rejected" and o["file"].endswith("huger") and "longer" in o["reason"]'
	run 2 "a folder" $verify "$work" $any
	run 2 "a folder, JSON" $verify "$work" $any --json
	is_json 'o["verdict"] == "error" and o["reason"] == "Is a directory"'
	run 2 "two tables" $verify x $any --certs a --certs b
	says "at most one certificate table"
	run 2 "more lists than one can hold" $verify x $any $many
}

# check STATUS TEXT REPORT VEK CHAIN [OPTION]...
check() {
	status=$1
	text=$2
	report=$vectors/$3
	vek=$vectors/$4
	chain=$vectors/certs/$5
	shift 5
	# shellcheck disable=SC2086
	run "$status" "$report $*" $verify "$report" --vek "$vek" --chain "$chain" $any "$@"
	says "$text"
}

# shellcheck disable=SC2086
real_evidence() {
	milan="milan/ms_milan_v3.report.bin milan/ms_milan_v3.vek.der milan_vcek_cert_chain.pem"
	aws="vlek/aws_milan_vlek_v3.report.bin vlek/aws_milan_vlek_v3.vek.der milan_vlek_cert_chain.pem"
	debug="milan/goog_milan_v2_debug.report.bin milan/goog_milan_v2_debug.vek.der milan_vcek_cert_chain.pem"
	check 0 "VERIFIED" $milan $at
	check 0 "VERIFIED" genoa/ms_genoa_v3.report.bin genoa/ms_genoa_v3.vek.der genoa_vcek_cert_chain.pem $at
	check 0 "VERIFIED" turin/ms_turin_v5.report.bin turin/ms_turin_v5.vek.der turin_vcek_cert_chain.pem $at
	check 0 "VERIFIED" azure/az_genoa.hcl_report.bin azure/az_genoa.vek.pem genoa_vcek_cert_chain.pem $at
	check 0 "VERIFIED" $aws --time 2025-06-01T00:00:00Z --vmpl 1
	check 1 "VMPL: found 1, expected 0" $aws --time 2025-06-01T00:00:00Z
	check 1 "VEK, validity" $aws $at --vmpl 1
	check 1 "POLICY.DEBUG: found 1, expected 0" $debug $at
	check 0 "VERIFIED" $debug $at --allow-debug
	check 0 "CRL, validity" $milan $at --crl "$vectors/crl/milan_vcek_crl_20250506.der" --require-crl
	check 1 "CRL: found none" $milan $at --require-crl
	check 0 "MEASUREMENT" $milan $at --measurement \
		5feee30d6d7e1a29f403d70a4198237ddfb13051a2d6976439487c609388ed7f98189887920ab2fa0096903a0c23fca1
	check 1 "MEASUREMENT: found 5feee30d" $milan $at --measurement "$(printf %096d 0)"
	check 1 "HOST_DATA: found 4f4448c6" $milan $at --host-data "$(printf %064d 0)"
	check 0 "REPORTED_TCB" $milan $at --min-tcb 4,0,24,219
	check 1 "REPORTED_TCB: found boot loader 4" $milan $at --min-tcb 4,0,24,220
	run 0 "REPORT_DATA given" $verify "$vectors/milan/ms_milan_v3.report.bin" --any-tcb $at \
		--vek "$vectors/milan/ms_milan_v3.vek.der" --chain "$vectors/certs/milan_vcek_cert_chain.pem" \
		--report-data "$(printf %0128d 0)" --json
	is_json 'o["verdict"] == "accepted" and not o["test_root"] and o["facts"]["product"] == "Milan"'
	is_json 'o["facts"]["reported_tcb"] == {"boot_loader": 4, "tee": 0, "snp": 24, "microcode": 219}'
	is_json 'all(c["outcome"] in ("passed", "not checked") for c in o["checks"])'
	run 1 "REPORT_DATA differs" $verify "$vectors/milan/ms_milan_v3.report.bin" --any-tcb $at \
		--vek "$vectors/milan/ms_milan_v3.vek.der" --chain "$vectors/certs/milan_vcek_cert_chain.pem" \
		--report-data "$(printf %0128d 1)" --json
	is_json 'o["verdict"] == "rejected" and o["reason"].startswith("REPORT_DATA: found 00") and "facts" not in o'
	parts="--vek $vectors/milan/ms_milan_v3.vek.der --chain $vectors/certs/milan_ask.der"
	parts="$parts --chain $vectors/certs/milan_ark.der"
	ms="$vectors/milan/ms_milan_v3.report.bin"
	run 0 "a chain in two files" $verify "$ms" $any $at $parts
	# Of several VEKs that one counts which signed; the others are in nobody's way.
	goog="--vek $vectors/milan/goog_milan_v2_debug.vek.der" own="--vek $vectors/milan/ms_milan_v3.vek.der"
	run 0 "the VEK behind another" $verify "$ms" $any $at $goog $parts
	run 0 "the VEK before another" $verify "$ms" $any $at $parts $goog --json
	is_json 'all(c["outcome"] in ("passed", "not checked") for c in o["checks"])'
	run 1 "another's VEKs alone" $verify "$ms" $any $at ${parts#"$own"} $goog \
		--vek "$vectors/milan/trustee_milan_v2.vek.der"
	says "VEK TCB"
	# A list of other processors is not in the way, and no help.
	crls="$vectors/crl"
	run 0 "two lists, the first of another root" $verify "$ms" $any $at $parts --require-crl \
		--crl "$crls/genoa_vcek_crl_20241023.der" --crl "$crls/milan_vcek_crl_20250506.der"
	run 1 "a list of another root alone" $verify "$ms" $any $at $parts --crl "$crls/genoa_vcek_crl_20241023.der"
	says "CRL, issuer"
	# What AMD publishes, for all processors.
	cat "$vectors"/certs/*_cert_chain.pem >"$work/all.pem"
	run 0 "all chains" $verify "$ms" $any $at $own --chain "$work/all.pem"
	run 0 "an empty table, of a host that was given none" $verify "$ms" $any $at $parts --certs "$work/empty"
	for option in vek chain certs crl; do
		for file in empty one random; do
			[ "$file $option" != "empty certs" ] || continue
			run 1 "$file as $option, JSON" $verify "$ms" $any $at $parts --$option "$work/$file" --json
			is_json 'o["verdict"] == "rejected" and o["file"].endswith("'$file'") and o["reason"]'
		done
	done
	cat "$vectors/certs/milan_ask.der" "$vectors/certs/milan_ark.der" >"$work/two.der"
	run 0 "two certificates in DER" $verify "$ms" $any $at $own --chain "$work/two.der"
	echo >>"$work/two.der"
	run 1 "a byte behind them" $verify "$ms" $any $at $own --chain "$work/two.der"
	says "$work/two.der: malformed input: certificate: found 3317 bytes"
	# As tools and people write it.
	chain=$vectors/certs/milan_vcek_cert_chain.pem
	{ echo "0 s:CN = SEV-Milan"; sed 's/$/\r/' "$chain"; printf '\0'; } >"$work/odd.pem"
	run 0 "text before PEM, line ends, a final zero" $verify "$ms" $any $at $own --chain "$work/odd.pem"
	{ cat "$vectors/certs/milan_ark.pem"; echo; cat "$vectors/certs/milan_ask.pem" \
		"$vectors/milan/ms_milan_v3.vek.pem"; } >"$work/reversed.pem"
	run 0 "the root first" $verify "$ms" $any $at --chain "$work/reversed.pem"
	run 1 "no VEK" $verify "$vectors/milan/ms_milan_v3.report.bin" $any $at
	says "VEK: found none, expected SEV-VCEK"
	run 0 "certificate table" $verify "$vectors/genoa/veraison.report.bin" $any $at \
		--certs "$vectors/genoa/veraison_auxblob_certtable.bin"
	for file in "$vectors"/derived/*.bin; do
		status=1
		[ "$(basename "$file")" != sig_s_negated.bin ] || status=0
		run $status "$file" $verify "$file" $any $at --vek "$vectors/milan/ms_milan_v3.vek.der" \
			--chain "$vectors/certs/milan_vcek_cert_chain.pem"
	done
}

usage_errors
nonsense
policy_errors
if [ -d "$vectors" ]; then
	real_evidence
	# shellcheck disable=SC2086
	run 0 "standard input" sh -c "cat '$vectors/genoa/veraison.report.bin' | $verify - $any $at \
		--certs '$vectors/genoa/veraison_auxblob_certtable.bin'"
else
	echo "skipped: real evidence, no folder $vectors"
fi
finish
