#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim_defects.sh BIN: each defect that pm-sim can make is refused, and by the check that is there for it;
# each deviation that makes no difference is accepted. On three machines: a Milan and a Turin with a
# VCEK, and a Genoa with a VLEK.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
verify=$bin/pm-verify
dir=$work

# Defect, and the check that fails first: on all machines, or on Milan, Turin and Genoa. "+": accepted.
table() {
	cat <<-'TABLE'
	version-1|VERSION
	version-6|VERSION
	policy-bit17|POLICY
	policy-mbz|POLICY
	policy-mbz-high|POLICY
	debug|POLICY.DEBUG
	migrate|POLICY.MIGRATE_MA
	cxl|POLICY.CXL_ALLOW
	vmpl-1|VMPL
	vmpl-4|VMPL
	vmpl-host|VMPL
	algo-0|SIGNATURE_ALGO
	algo-2|SIGNATURE_ALGO
	signing-key-lie|VEK
	signing-key-2|SIGNING_KEY
	signing-key-none|SIGNING_KEY
	key-info-mbz|KEY_INFO
	key-info-mbz-high|KEY_INFO
	reserved-03c|CURRENT_TCB
	reserved-04c|reserved at 0x04c
	reserved-184|REPORTED_TCB
	reserved-18b|reserved at 0x188
	reserved-19f|reserved at 0x188
	reserved-1e4|COMMITTED_TCB
	reserved-1eb|reserved at 0x1eb
	reserved-1ef|reserved at 0x1ef
	reserved-1f4|LAUNCH_TCB
	reserved-1f8|reserved at 0x1f8|+|reserved at 0x1f8
	reserved-208|reserved at 0x1f8
	reserved-29f|reserved at 0x1f8
	model-other|processor
	model-unknown|processor
	chip-id|VEK hwID, CHIP_ID|VEK hwID, CHIP_ID|+
	chip-id-tail|VEK hwID, CHIP_ID|VEK hwID, CHIP_ID|+
	chip-id-masked|VEK hwID, CHIP_ID|VEK hwID, CHIP_ID|+
	sig-other-key|SIGNATURE
	sig-bad|SIGNATURE
	sig-measurement|SIGNATURE
	sig-r-high|SIGNATURE, R bytes 48 to 71
	sig-s-high|SIGNATURE, S bytes 48 to 71
	sig-r-order|SIGNATURE, R bytes 48 to 71
	sig-s-order|SIGNATURE, S bytes 48 to 71
	sig-swapped|SIGNATURE
	sig-big-endian|SIGNATURE
	sig-zero|SIGNATURE
	sig-r-zero|SIGNATURE
	sig-s-zero|SIGNATURE
	tail-330|SIGNATURE, unsigned tail at 0x330
	tail-49f|SIGNATURE, unsigned tail at 0x330
	truncated|report length
	trailing|report length
	empty|report length
	vek-bl|VEK TCB
	vek-tee|VEK TCB
	vek-snp|VEK TCB
	vek-ucode|VEK TCB
	vek-fmc|+|VEK TCB|+
	vek-spare|VEK spl4|VEK spl5|VEK spl4
	vek-no-ucode|VEK ucodeSPL
	vek-doubled|VEK ucodeSPL
	vek-hwid|VEK hwID, CHIP_ID|VEK hwID, CHIP_ID|VEK hwID
	vek-hwid-missing|VEK hwID|VEK hwID|+
	vek-hwid-short|VEK hwID
	vek-csp-id|VEK cspID|VEK cspID|+
	vek-csp-id-missing|+|+|VEK cspID
	vek-product|VEK productName
	vek-struct-version|VEK structVersion
	vek-name|VEK
	vek-ca|VEK basicConstraints
	vek-expired|VEK, validity
	vek-future|VEK, validity
	vek-pkcs1|VEK, signature
	vek-sha256|VEK, signature
	vek-salt32|VEK, signature
	vek-p256|VEK public key
	vek-other-key|SIGNATURE
	vek-forged|VEK, signature
	vek-by-ark|VEK, signature
	ask-not-ca|VEK, signature
	ask-other-key|VEK, signature
	ask-forged|intermediate, signature
	ask-expired|intermediate, validity
	ask-other-kind|intermediate, common name
	ark-forged|root
	crl-expired|CRL, validity
	crl-future|CRL, validity
	crl-no-next-update|CRL, validity
	crl-forged|CRL, signature
	crl-by-ask|CRL, signature
	crl-issuer|CRL, issuer
	crl-revokes-ask|intermediate, revocation
	sig-negated|+
	vek-hwid-der|+|+|VEK hwID
	vek-stepping|+
	crl-revokes-other|+
	TABLE
}

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# The RSA keys are the slow part: the machines share them.
make_machine() {
	name=$1
	shift
	mkdir "$dir/$name"
	[ "$name" = milan ] || cp "$dir"/milan/*.key "$dir/$name/"
	"$sim" init "$dir/$name" "$@" >/dev/null
}

run_verify() {
	"$verify" snp "$dir/report" --policy "$dir/$1/policy.json" --certs "$dir/table" --crl "$dir/crl" \
		--report-data "$report_data" --any-tcb --measurement "$measurement" >"$out" 2>&1
}

make_report() {
	machine=$1
	shift
	"$sim" report "$dir/$machine" --report-data "$report_data" -o "$dir/report" --certs "$dir/table" \
		--crl "$dir/crl" "$@"
}

# check MACHINE DEFECT WANTED
check() {
	make_report "$1" --defect "$2"
	checks=$((checks + 1))
	run_verify "$1"
	status=$?
	found=$(sed -n 's/^✗ //; t name; d; : name; s/ *found .*//p' "$out" | head -n 1)
	if [ "$3" = + ]; then
		[ $status = 0 ] || fail "$1 $2: status $status ($found), wanted 0"
		return 0
	fi
	[ $status = 1 ] || fail "$1 $2: status $status, wanted 1"
	[ "$found" = "$3" ] || fail "$1 $2: first failure is '$found', wanted '$3'"
}

report_data=$(printf '%0128d' 7)
measurement=$(printf 'pm-sim guest' | openssl dgst -sha384 -r | cut -d' ' -f1)

make_machine milan
make_machine turin --product Turin
make_machine genoa --product Genoa --vlek

for machine in milan turin genoa; do
	make_report "$machine"
	run_verify "$machine" || fail "$machine: a report without defect is refused: $(cat "$out")"
	grep -q '^TEST ROOT' "$out" || fail "$machine: the output does not say TEST ROOT"
done

"$sim" defects | cut -d' ' -f1 | sort >"$dir/made"
table | cut -d'|' -f1 | sort >"$dir/tabled"
diff "$dir/made" "$dir/tabled" || fail "pm-sim defects and the table of this test differ"

table >"$dir/rows"
while IFS='|' read -r defect milan turin genoa; do
	check milan "$defect" "$milan"
	check turin "$defect" "${turin:-$milan}"
	check genoa "$defect" "${genoa:-$milan}"
done <"$dir/rows"

finish
