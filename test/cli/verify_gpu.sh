#!/bin/sh
# verify_gpu.sh BIN VECTORS: pm-verify gpu on real devices, and on nonsense.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
vectors=${PM_VECTORS:-$2}/nvgpu
verify="$bin/pm-verify gpu"
any="--any-nonce --no-rim --no-ocsp"

# shellcheck disable=SC2086 # words on purpose
usage_errors() {
	run 0 "help" $verify --help
	says "Examples:"
	# Status 0 means verified: a file of that name must not get it.
	run 2 "help as the report" $verify --help $any
	says "--help stands alone"
	run 2 "no report" $verify $any
	says "the report is missing"
	run 2 "no such file" $verify "$work/none" $any --certs "$work/none"
	says "$work/none: No such file"
	run 2 "unknown option" $verify x --frobnicate
	run 2 "no nonce" $verify x --no-rim --no-ocsp
	says "the nonce must be given"
	run 2 "no golden measurements" $verify x --any-nonce --no-ocsp
	says "golden measurements must be given"
	run 2 "no OCSP" $verify x --any-nonce --no-rim
	says "OCSP responses must be given"
	run 2 "two reports" $verify x y $any
	run 2 "short nonce" $verify x $any --nonce 00
	says "expected 64 hexadecimal digits"
	run 2 "bad kind" $verify x $any --arch ampere
	run 2 "bad mode" $verify x $any --mode off
	run 2 "bad driver" $verify x $any --driver 9F.1
	run 2 "bad VBIOS" $verify x $any --vbios xyz
	run 2 "bad least driver" $verify x $any --min-driver ""
	run 2 "bad least VBIOS" $verify x $any --min-vbios .
	run 2 "bad time" $verify x $any --time yesterday
	run 2 "bad RIM time" $verify x $any --rim-time yesterday
	run 2 "bad root" $verify x $any --test-root 00
	run 2 "bad RIM root" $verify x $any --test-rim-root 00
	for n in 0 -1 x 1x "" 65; do
		run 2 "number of GPUs '$n'" $verify x $any --min-gpus "$n"
	done
	for n in 0 -1 x 1x "" 99999999999999999999; do
		run 2 "seconds '$n'" $verify x $any --allow-hold "$n"
	done
}

# wrong TEXT WORD...: wrong usage, of which JSON tells as well.
wrong() {
	text=$1
	shift
	# shellcheck disable=SC2086
	run 2 "$*, JSON" sh -c '"$@" 2>/dev/null' sh $verify "$@"
	is_json "o['verdict'] == 'error' and o['error'] and \"\"\"$text\"\"\" in o['reason'] and 'file' not in o"
	# shellcheck disable=SC2086
	run 2 "$*" $verify "$@"
	says "$text"
}

# shellcheck disable=SC2086
wrong_json() {
	wrong "unrecognized or ambiguous option '--frobnicate'" x --frobnicate --json
	wrong "option '--nonce' requires an argument" x --json --nonce
	wrong "option '--no-rim' allows no argument" x --no-rim=1 --json
	wrong "unrecognized option '-x'" x -x --json
	wrong "--nonce: found '00', expected 64 hexadecimal digits" x --nonce 00 --json
	wrong "the nonce must be given" x --no-rim --no-ocsp --json
	wrong "unexpected argument 'y'" x y --any-nonce --no-rim --no-ocsp --json
	wrong "the report is missing" --json
	odd=$(printf 'a\377\033b')
	run 2 "bytes that are no text, JSON" $verify x --nonce "$odd" --json
	is_json "'a??b' in o['reason']"
	run 2 "a name that is no text, JSON" $verify "$odd" --any-nonce --no-rim --no-ocsp --json
	is_json "o['file'] == 'a??b' and o['reason'].startswith('No such')"
	run 2 "no JSON wanted" $verify x --nonce 00
	run 2 "no JSON behind the options" $verify x -- --json
	checks=$((checks + 1))
	[ ! -s "$out" ] || failures=$((failures + 1))
	run 2 "unknown verb, JSON" "$bin/pm-verify" sev --json
	is_json "o['verdict'] == 'error' and 'unknown verb' in o['reason']"
	: >"$work/report"
	run 2 "no such file, JSON" $verify "$work/report" --any-nonce --no-rim --no-ocsp --certs "$work/none" --json
	is_json "o['verdict'] == 'error' and o['file'].endswith('none') and o['reason'] == 'No such file or directory'"
}

# shellcheck disable=SC2086
malformed() {
	: >"$work/empty"
	echo text >"$work/text"
	run 2 "no certificates" $verify "$work/text" $any
	says "the certificates are missing"
	run 1 "an empty report" $verify "$work/empty" $any --certs "$work/text"
	says "REJECTED"
	run 1 "no report" $verify "$work/text" $any --certs "$work/text"
	run 1 "no report, JSON" $verify "$work/text" $any --certs "$work/text" --json
	is_json 'o["verdict"] == "rejected" and o["reason"] and o["checks"]'
	run 1 "no RIM" $verify "$work/text" $any --certs "$work/text" --rim "$work/text"
	says "REJECTED: $work/text"
	run 1 "no OCSP response" $verify "$work/text" $any --certs "$work/text" --ocsp "$work/text"
	rejected_json "no OCSP response" $verify "$work/text" $any --certs "$work/text" --ocsp "$work/text"
	head -c 70000 /dev/zero >"$work/longer"
	rejected_json "long certificates" $verify "$work/text" $any --certs "$work/longer"
	what="a bad RIM, JSON"
	run 1 "$what" $verify "$work/text" $any --certs "$work/text" --rim "$work/text" --json
	is_json 'o["verdict"] == "rejected" and o["file"].endswith("text") and o["reason"].startswith("RIM: ")'
	head -c 20000 /dev/zero >"$work/long"
	run 1 "a long report" $verify "$work/long" $any --certs "$work/text"
	says "at most 8192 bytes"
	json_error "no list" '[' "line 1"
	json_error "no device" '[]' "expected a list of 1 to 64 devices"
	json_error "a number" '[1]' 'at $[0], expected "evidence" and "certificate"'
	json_error "no certificate" '[{"evidence": "AA=="}]' 'at $[0], expected'
	json_error "no base64" '[{"evidence": "*", "certificate": "AA=="}]' 'at $[0], expected'
	json_error "another member" '[{"evidence": "AA==", "certificate": "AA==", "x": "y"}]' 'at $[0], expected'
	json_error "twice" '[{"evidence": "AA==", "evidence": "AA=="}]' "duplicate"
	json_error "no list in an object" '{"evidences": [], "result_code": 0, "result_message": "Ok"}' \
		"expected a list"
	json_error "an object of another kind" '{"evidence": "AA==", "certificate": "AA=="}' "expected a list"
	json_error "no report in it" '[{"evidence": "AA==", "certificate": "AA=="}]' "REJECTED: device 0"
}

# rejected_json WHAT COMMAND...: it prints one object that says no, and no facts.
rejected_json() {
	what=$1
	shift
	run 1 "$what, as JSON" sh -c '"$@" --json 2>/dev/null' sh "$@"
	is_json 'o["verdict"] == "rejected" and "facts" not in o'
}

# json_error WHAT TEXT SAYS
json_error() {
	printf '%s' "$2" >"$work/evidence.json"
	# shellcheck disable=SC2086
	run 1 "JSON: $1" $verify "$work/evidence.json" $any
	says "$3"
	# shellcheck disable=SC2086
	rejected_json "JSON: $1" $verify "$work/evidence.json" $any
}

# evidence FOLDER...: the JSON of NVIDIA's SDK.
evidence() {
	python3 - "$vectors" "$@" <<-'EOF'
		import base64, json, pathlib, sys
		out = []
		for name in sys.argv[2:]:
		    folder = pathlib.Path(sys.argv[1]) / name
		    text = {k: base64.b64encode((folder / f).read_bytes()).decode()
		            for k, f in (("evidence", "report.bin"), ("certificate", "certchain.pem"))}
		    arch = "LS10" if "switch" in name else "BLACKWELL" if "blackwell" in name else "HOPPER"
		    out.append({"arch": arch, "nonce": (folder / "nonce.hex").read_text().strip(), **text})
		print(json.dumps(out))
	EOF
}

# device FOLDER: its report, certificates and nonce as words.
device() {
	echo "$vectors/$1/report.bin --certs $vectors/$1/certchain.pem --nonce $(cut -c1-64 "$vectors/$1/nonce.hex")"
}

# shellcheck disable=SC2046,SC2086
whole_devices() {
	rims="--rim $vectors/rim/driver/NV_GPU_DRIVER_GH100_550.90.07.xml"
	rims="$rims --rim $vectors/rim/vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"
	ocsp=$(printf -- '--ocsp %s ' "$vectors"/ocsp/*.der)
	clocks="--time 2025-08-21T12:00:00Z --rim-time 2025-10-24T18:00:00Z"
	run 0 "a GPU" $verify $(device hopper-550.90.07) $rims $ocsp $clocks
	says "33 of 33"
	says "VERIFIED"
	run 0 "a GPU, all demands" $verify $(device hopper-550.90.07) $rims $ocsp $clocks --arch hopper --mode spt \
		--driver 550.90.07 --vbios 96.00.9f.00.01 --min-driver 550.54 --min-vbios 96.00.9F
	run 0 "a GPU, JSON" $verify $(device hopper-550.90.07) $rims $ocsp $clocks --json
	is_json 'o["verdict"] == "accepted" and o["facts"]["golden_matched"] == 33 == len(o["golden"])'
	is_json 'o["facts"]["ueid"] == "478176379286082186618948445787393647364802107249"'
	is_json '[r["kind"] for r in o["rims"]] == ["driver", "vbios"] and o["facts"]["ocsp_checked"]'
	is_json '{g["index"]: g for g in o["golden"]}[35]["alternative"] == 3'
	run 0 "a manifest twice" $verify $(device hopper-550.90.07) $rims $ocsp $clocks \
		--rim "$vectors/rim/driver/NV_GPU_DRIVER_GH100_550.90.07.xml"
	says "33 of 33"
	run 0 "a switch" $verify $(device switch-ls10-5612) --no-ocsp --time 2026-06-01T00:00:00Z \
		--rim "$vectors/rim/switch/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml" --require-lock
	says "31 of 31"
	run 0 "Blackwell" $verify $(device blackwell-575.32) --no-rim --no-ocsp --arch blackwell
	says "not all were given"
	run 0 "old firmware" $verify $(device hopper-535.86.09-nofwid) --no-rim --no-ocsp
	says "– FWID"
	run 0 "older firmware" $verify $(device hopper-gonvtrust) --no-rim --no-ocsp
	run 0 "manifests of the past" $verify $(device hopper-550.90.07) $rims --no-ocsp --require-fwid \
		--require-golden --rim-time 2025-01-02T00:00:00Z --time 2026-11-01T00:00:00Z
	cp "$vectors/hopper-550.90.07/report.bin" "$work/longer"
	cp "$work/longer" "$work/report"
	printf '\0' >>"$work/longer"
	run 0 "a zero too much" $verify "$work/longer" $any --certs "$vectors/hopper-550.90.07/certchain.pem" --trim-nul
	run 0 "standard input" sh -c "$verify - $any --certs $vectors/hopper-550.90.07/certchain.pem <$work/report"
}

# refused WHAT REASON WORD...
refused() {
	what=$1
	reason=$2
	shift 2
	# shellcheck disable=SC2086
	run 1 "$what" $verify "$@"
	says "REJECTED"
	says "$reason"
}

# bad_certs WHAT REASON FILE: a file that holds no chain is named, and not the report.
bad_certs() {
	what=$1
	reason=$2
	file=$3
	set -- "$vectors/hopper-550.90.07/report.bin" --any-nonce --no-rim --no-ocsp --certs "$file"
	# shellcheck disable=SC2086
	run 1 "$what" $verify "$@"
	says "$file: "
	says "$reason"
	# shellcheck disable=SC2086
	run 1 "$what, JSON" sh -c '"$@" --json 2>/dev/null' sh $verify "$@"
	is_json "o['verdict'] == 'rejected' and o['file'] == '$file' and '$reason' in o['reason'] and o['error']"
}

# shellcheck disable=SC2046,SC2086
refused_devices() {
	good="$(device hopper-550.90.07)"
	refused "a bad signature" "signature: found one that does not verify" $(device neg-switch-badsig) \
		--no-rim --no-ocsp
	refused "another nonce" "nonce: found 931d8dd0" $good --no-rim --no-ocsp --nonce "$(printf %064d 0)"
	refused "no FWID" "FWID: found none in the report" $(device hopper-535.86.09-nofwid) --no-rim --no-ocsp \
		--require-fwid
	refused "manifests expired" "validity" $(device hopper-550.90.07) $rims --no-ocsp --time 2026-11-01T00:00:00Z
	refused "another kind" "kind of device" $good --no-rim --no-ocsp --arch ls10
	refused "another mode" "mode" $(device hopper-ppcie-590.12) --no-rim --no-ocsp --mode spt
	refused "another driver" "driver: found 550.90.07" $good --no-rim --no-ocsp --driver 550.90.08
	refused "an old driver" "least driver: found 550.90.07, expected 550.100" $good --no-rim --no-ocsp \
		--min-driver 550.100
	refused "an old VBIOS" "least VBIOS" $good --no-rim --no-ocsp --min-vbios 96.00.A0
	refused "a zero too much" "nothing behind the signature" "$work/longer" $any \
		--certs "$vectors/hopper-550.90.07/certchain.pem"
	refused "stale responses" "OCSP" $good $rims $ocsp --time 2025-10-24T18:00:00Z
	refused "no driver's RIM" "golden measurements, driver" $good $ocsp $clocks \
		--rim "$vectors/rim/vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"
	refused "another driver's RIM" "only GH100 550.144.03, expected GH100 550.90.07" $good --no-ocsp $clocks \
		--rim "$vectors/rim/driver/NV_GPU_DRIVER_GH100_550.144.03.xml"
	refused "two manifests that differ" "two for GH100 96.00.5E.00.01 that differ, first in index" \
		$(device hopper-535.86.09-nofwid) --no-rim --no-ocsp --time 2025-01-02T00:00:00Z \
		--rim "$vectors/rim/vbios/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml" \
		--rim "$vectors/rim/negative/NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml"
	refused "no RIM at all" "golden measurements" $(device switch-ls10-5612) --no-ocsp $clocks $rims
	head -3 "$vectors/hopper-550.90.07/certchain.pem" >"$work/cut.pem"
	bad_certs "no certificates" "PEM blocks of that label" "$work/cut.pem"
	cat "$vectors/hopper-550.90.07/certchain.pem" "$vectors/hopper-550.90.07/certchain.pem" >"$work/ten.pem"
	bad_certs "ten certificates" "certificates: found more" "$work/ten.pem"
	head -n "$(grep -n "END CERT" "$vectors/hopper-550.90.07/certchain.pem" | sed -n '3s/:.*//p')" \
		"$vectors/hopper-550.90.07/certchain.pem" >"$work/three.pem"
	bad_certs "three certificates" "certificates: found 3, expected 5" "$work/three.pem"
	bad_certs "an empty file" "certificates: found nothing" "$work/empty"
	for rim in "$vectors"/rim/negative/*; do
		# One is a good one that NVIDIA issued again; its values differ from the device's.
		refused "$(basename "$rim")" "REJECTED" $(device hopper-535.86.09-nofwid) --no-ocsp \
			--time 2025-01-02T00:00:00Z --rim "$rim" \
			--rim "$vectors/rim/vbios/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml"
	done
}

# shellcheck disable=SC2046,SC2086
hosts() {
	gpus=$(seq -f 'ppcie8-gpu-590.12/%g' 0 7)
	switches=$(seq -f 'ppcie8-switch/%g' 0 3)
	nonce=$(cut -c1-64 "$vectors/ppcie8-gpu-590.12/0/nonce.hex")
	waived="--nonce $nonce --no-rim --no-ocsp --time 2025-08-21T12:00:00Z"
	evidence $gpus $switches >"$work/host.json"
	run 0 "a host" $verify "$work/host.json" $waived --min-gpus 8 --mode ppcie
	says "8 GPUs and 4 switches, linked to each other alone"
	run 0 "a host, JSON" $verify "$work/host.json" $waived --json
	is_json 'o["verdict"] == "accepted" and len(o["devices"]) == 12 and len(o["set"]) == 3'
	run 1 "too few GPUs, JSON" $verify "$work/host.json" $waived --min-gpus 9 --json
	is_json 'o["reason"].startswith("number of GPUs: ")'
	run 1 "too few GPUs" $verify "$work/host.json" $waived --min-gpus 9
	says "number of GPUs"
	evidence $gpus >"$work/gpus.json"
	refused "no switches" "topology" "$work/gpus.json" $waived
	run 0 "no switches, permitted" $verify "$work/gpus.json" $waived --allow-topology
	evidence $gpus $switches ppcie8-gpu-590.12/0 >"$work/twice.json"
	refused "a GPU twice" "distinct devices" "$work/twice.json" $waived
	evidence ppcie8-gpu-590.12/0 >"$work/alone.json"
	run 0 "one GPU of a host, as without a list" $verify "$work/alone.json" $waived
	refused "one GPU in place of a host" "topology" "$work/alone.json" $waived --min-gpus 1
	evidence ppcie8-gpu-590.12/0 ppcie8-gpu-590.12/1 >"$work/pair.json"
	refused "two GPUs of a host" "topology" "$work/pair.json" $waived
	evidence hopper-550.90.07 blackwell-575.32 >"$work/two.json"
	run 0 "two GPUs" $verify "$work/two.json" --any-nonce --no-rim --no-ocsp
	refused "one of another nonce" "nonce" "$work/host.json" $any --nonce "$(printf %064d 0)"
	sed 's/HOPPER/BLACKWELL/' "$work/two.json" >"$work/arch.json"
	run 1 "another kind than told" $verify "$work/arch.json" $any
	says 'found BLACKWELL at $[0].arch, expected HOPPER'
	sdk_lists
	sed 's/"evidence": "E/"evidence": "F/' "$work/two.json" >"$work/bad.json"
	run 1 "one is malformed" $verify "$work/bad.json" $any --json
	is_json 'o["verdict"] == "rejected" and o["devices"][0]["verdict"] == "rejected" and o["error"]'
	is_json 'o["reason"] and o["reason"] == o["devices"][0]["reason"]'
	is_json 'o["devices"][1]["verdict"] in ("accepted", "rejected")'
}

# sdk_list FILTER: a list as NVIDIA's SDK writes it, changed by a Python expression on l, the list.
sdk_list() {
	python3 - "$work/one.json" "$1" >"$work/sdk.json" <<-'EOF'
		import base64, json, sys
		l = json.load(open(sys.argv[1]))
		pem = base64.b64decode(l[0]["certificate"]).rstrip(b"\n")
		l[0] |= {"version": "1.0", "driver_version": "550.90.07", "vbios_version": "96.00.9F.00.01",
		         "certificate": base64.b64encode(pem).decode()}
		print(json.dumps(eval(sys.argv[2])))
	EOF
}

# shellcheck disable=SC2086
sdk_lists() {
	evidence hopper-550.90.07 >"$work/one.json"
	sdk_list 'l'
	run 0 "all members of the SDK" $verify "$work/sdk.json" $any
	sdk_list '{"evidences": l, "result_code": 0, "result_message": "Ok"}'
	run 0 "as the SDK's program prints it" $verify "$work/sdk.json" $any
	sdk_list '{"evidences": l, "result_code": 8, "result_message": "no"}'
	rejected_json "as it prints a failure" $verify "$work/sdk.json" $any
	sdk_list '{"evidences": l, "result_code": 0, "result_message": "Ok", "more": 1}'
	rejected_json "with another member" $verify "$work/sdk.json" $any
	for member in version nonce driver_version vbios_version; do
		sdk_list "[l[0] | {'$member': '2.0'}]"
		rejected_json "another $member" $verify "$work/sdk.json" $any
		is_json "'found 2.0 at \$[0].$member, expected ' in o['reason']"
	done
}

usage_errors
wrong_json
malformed
if [ -d "$vectors" ]; then
	whole_devices
	refused_devices
	hosts
else
	echo "skipped: tests of real evidence, no folder $vectors"
fi
finish
