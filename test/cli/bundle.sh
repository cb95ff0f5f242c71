#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bundle.sh BIN: bundles of pm-sim judged by pm-verify: the good one, and each that is wrong in one thing,
# with the check that must notice it.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
verify=$bin/pm-verify
dir=$work/host
now=2026-03-01T00:00:00Z
nonce=$(printf '%064d' 7)
root=$(printf '%064d' 33)

"$sim" init "$dir" --product Genoa --time $now >/dev/null
"$sim" gpu init "$dir" --arch hopper --count 3 --time $now >/dev/null

# manifest FILE [CHANGE]: what the software host can meet, and a change of it in Python.
manifest() {
	python3 "$(dirname "$0")/worker_manifest.py" "$dir" "$1" "$root" "${2:-}"
}

m=$work/manifest.json
b=$work/bundle
manifest "$m"

# issue OPTION...: a bundle for the nonce.
issue() {
	"$sim" bundle "$dir" --nonce "$nonce" --role worker --model "tiny=$root" --time $now -o "$b" "$@" 2>"$err" ||
		{
			failures=$((failures + 1))
			echo "FAILED: pm-sim bundle $*: $(cat "$err")"
		}
}

# judge STATUS WHAT OPTION...
judge() {
	status=$1
	what=$2
	shift 2
	run "$status" "$what" "$verify" bundle "$b" --manifest "$m" --nonce "$nonce" --time $now "$@"
}

# --- good ----------------------------------------------------------------------------------------

issue
judge 0 "good" --role worker --model tiny
says "VERIFIED: $b: role worker, 1 models, 3 GPUs"
says "TEST ROOT: accepted under a root that is not the maker's"
says "✓ processor"
says "✓ REPORT_DATA"
says "[bundle, key 5, element 2; manifest, \$.roles.worker.gpu]"
says "✓ golden measurements              33 of 33"
says "– roots                              TEST ROOTS"
judge 0 "good, as JSON" --json
is_json 'o["verdict"] == "accepted" and o["test_root"] and o["claims"]["role"] == "worker"'
is_json 'len(o["gpus"]) == 3 and all(g["rim_checked"] and g["ocsp_checked"] for g in o["gpus"])'
is_json 'len(bytes.fromhex(o["claims"]["xwing_key"])) == 1216 and o["claims"]["models"] == {"tiny": "'"$root"'"}'
is_json 'o["eat_nonce"] == "'"$nonce"'" and o["iat"] == 1772323200'
is_json 'set(o["submods"]) == {"manifest", "claims", "processor", "models", "GPUs"}'
is_json 'all(s["ear.status"] == "warning" for s in o["submods"].values())'
is_json '[c["name"] for c in o["checks"]] == ["manifest", "claims", "processor", "models", "GPUs"]'
is_json 'o["valid_until"] == "2026-03-01T00:10:00Z"'
hash=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifest"]["hash"])' "$out")
judge 0 "pinned" --manifest-hash "$hash"
# shellcheck disable=SC2016 # the inner shell's
run 0 "from standard input" sh -c '"$1" bundle - --manifest "$2" --nonce "$3" --time "$4" <"$5"' sh \
	"$verify" "$m" "$nonce" $now "$b"
issue --tree 1000
judge 0 "in a tree of nonces"
says "✓ nonce tree                         leaf 500, depth 10"
issue --tree 1
judge 0 "in a tree of one"
issue --tls-spki "$root"
judge 0 "with a TLS key" --json
is_json 'o["claims"]["tls_spki_sha256"] == "'"$root"'"'
echo "a document" >"$work/document"
issue --document "$work/document"
judge 0 "with a document" --json
is_json 'o["claims"]["document_sha256"] == "'"$(sha256sum <"$work/document" | cut -d' ' -f1)"'"'
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -outform DER -out "$work/key" 2>/dev/null ||
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -outform DER -out "$work/key" 2>/dev/null
openssl pkey -inform DER -in "$work/key" -pubout -outform DER -out "$work/spki"
issue --key "$work/spki"
judge 0 "with a mesh key" --json
is_json 'o["claims"]["mesh_key"] == open("'"$work"'/spki", "rb").read().hex()'

# --- one thing wrong -----------------------------------------------------------------------------

# wrong DEFECT CHECK: the bundle with that defect is refused, and this is why.
wrong() {
	defect=$1
	check=$2
	shift 2
	issue --defect "$defect" "$@"
	judge 1 "$defect"
	says "$check"
}

while read -r defect check; do
	case $defect in
	tree-*) wrong "$defect" "REJECTED: $b: $check: found" --tree 5 ;;
	*) wrong "$defect" ": $check: found" ;;
	esac
done <<'ROWS'
other-role manifest, role
other-root-hash models, root hash
other-model models, model
future-claims claims, issued at
old-claims claims, issued at
extra-claim claims.end
other-label processor, REPORT_DATA
gpu-old GPUs, GPU evidence time
gpu-after-claims GPUs, GPU evidence time
gpu-other-epoch GPUs, GPU 0, nonce
gpu-twice GPUs, distinct devices
gpu-in-place GPUs, distinct devices
gpu-fewer GPUs, number of GPUs
gpu-other-arch GPUs, GPU 0, architecture
other-nonce claims, nonce
other-key processor, REPORT_DATA
other-tls processor, REPORT_DATA
younger-claims processor, REPORT_DATA
gpu-left-out GPUs, GPU count
gpu-swapped GPUs, GPU evidence, SHA-256 in the claims
gpu-repeated GPUs, GPU evidence, SHA-256 in the claims
no-certs processor, VEK
no-crl processor, CRL
no-rims GPUs, GPU 0, golden measurements, driver
no-ocsp GPUs, RIM 0, RIM CA 1, OCSP
more-rims GPUs, RIM 2, RIM, root element
more-ocsp GPUs, OCSP response
tree-path processor, REPORT_DATA
tree-index processor, REPORT_DATA
tree-cut processor, REPORT_DATA
tree-left processor, REPORT_DATA
long-form bundle.version
version-2 bundle.version
tagged bundle
key-twice bundle
trailing bundle.end
cut bundle.collateral
debug processor, POLICY.DEBUG
sig-measurement processor, SIGNATURE
ROWS

while read -r defect check; do
	issue --gpu-defect "$defect"
	judge 1 "$defect"
	says ": GPUs, $check: found"
done <<'ROWS'
nonce GPU 0, nonce
sig-bad GPU 0, signature
measurement-driver GPU 0, golden measurements, driver
leaf-expired GPU 0, device, validity
rim-digest RIM 0, RIM, digest
rim-expired RIM 0, RIM signer, validity
ocsp-revoked RIM 0, RIM CA 1, OCSP
ocsp-truncated OCSP response
ROWS

# Each defect of the list has its row, or it is a defect that nobody looks for.
for defect in $("$sim" bundle defects | cut -d' ' -f1); do
	grep -q "^$defect " "$0" || {
		failures=$((failures + 1))
		echo "FAILED: no row for $defect"
	}
done

# --- another question ----------------------------------------------------------------------------

issue
judge 1 "another role" --role lender
says "manifest, role: found worker, expected lender"
judge 1 "another model" --model other
says "models, model asked for"
judge 1 "too old" --time 2026-03-01T00:10:01Z
says "GPUs, GPU evidence time"
judge 0 "not too old" --time 2026-03-01T00:10:00Z
judge 1 "too old for the verifier" --time 2026-03-01T00:00:11Z --max-age 10
says "claims, issued at"
judge 0 "just young enough for the verifier" --time 2026-03-01T00:00:10Z --max-age 10
judge 1 "after the manifest" --time 2027-01-01T00:00:00Z
says "manifest, manifest.validity"
run 1 "another nonce" "$verify" bundle "$b" --manifest "$m" --nonce "$(printf '%064d' 8)" --time $now
says "claims, nonce"
judge 1 "a manifest that is not the pinned one" --manifest-hash "$root"
says "hash: found"
run 1 "a manifest that is not the pinned one, as JSON" "$verify" bundle "$b" --manifest "$m" \
	--nonce "$nonce" --manifest-hash "$(printf %064d 0)" --json
is_json 'o["verdict"] == "rejected" and o["reason"].endswith("expected " + 64 * "0")'

# demand CHANGE CHECK: the good bundle under another manifest.
demand() {
	manifest "$m" "$1"
	judge 1 "$1"
	says "$2"
}

demand 'worker["gpu"] = None' "GPUs, GPU count"
demand 'gpu["min_count"] = 4' "GPUs, number of GPUs: found 3 of 4"
demand 'gpu["archs"] = ["blackwell"]' "GPUs, GPU 0, kind of device"
demand 'gpu["drivers"] = ["550.90.08"]' "GPUs, GPU 0, driver"
demand 'gpu["vbios"] = ["1.2"]' "GPUs, GPU 0, VBIOS"
demand 'm["extra_roots"]["gpu_device"] = ["00" * 32]' "GPUs, GPU 0, root"
demand 'm["extra_roots"]["gpu_rim"] = ["00" * 32]' "GPUs, RIM 0, RIM root"
demand 'm["extra_roots"]["snp"] = ["00" * 32]' "processor, root"
demand 'snp["measurements"] = ["00" * 48]' "processor, MEASUREMENT"
demand 'snp["min_tcb"]["Genoa"] = least | {"snp": 24}' "processor, REPORTED_TCB"
demand 'm["models"]["tiny"] = disk | {"root_hash": "44" * 32}' "models, root hash"
demand 'worker["models"] = ["other"]' "models, model"
demand 'm["not_after"] = "2026-02-01T00:00:00Z"' "manifest, manifest.validity"
demand 'm["roles"] = {"lender": m["roles"]["lender"]}' "manifest, role"
manifest "$m"

# --- from a report to a verdict, as README.md tells ----------------------------------------------

ctl=$bin/pm-ctl
simple=$work/simple
"$sim" init "$simple" --product Genoa --time $now >/dev/null
"$sim" report "$simple" --report-data "$(printf '%0128d' 1)" --time $now -o "$work/report"
cat >"$work/tiny.json" <<JSON
{"tiny": {"root_hash": "$root", "hash_offset": 40960, "data_blocks": 10, "salt": "00ff", "data_block_size": 4096,
 "hash_block_size": 4096}}
JSON
run 0 "an owner's key" "$ctl" key new --type ed25519 -o "$work/owner.key" --public "$work/owner.pub"
run 0 "a manifest of a report" "$ctl" manifest init -o "$m" --not-before $now --role worker \
	--from-evidence "$work/report" --model "$work/tiny.json" --owner "alice=$work/owner.pub" \
	--test-root "$(openssl dgst -sha256 -r "$simple/ark.der" | cut -d' ' -f1)"
dir=$simple
issue
judge 0 "a bundle of the same machine" --role worker --model tiny
says "VERIFIED: $b: role worker, 1 models, 0 GPUs"
issue --defect other-root-hash
judge 1 "another disk"
says "models, root hash"
dir=$work/host
manifest "$m"
issue

# --- usage ---------------------------------------------------------------------------------------

run 0 "help" "$verify" bundle --help
says "Usage: pm-verify bundle FILE --manifest FILE --nonce HEX"
run 0 "help of pm-sim" "$sim" bundle --help
run 0 "defects" "$sim" bundle defects
run 2 "no bundle" "$verify" bundle --manifest "$m" --nonce "$nonce"
run 2 "no nonce" "$verify" bundle "$b" --manifest "$m"
says "--nonce is missing"
run 2 "no manifest" "$verify" bundle "$b" --nonce "$nonce"
run 2 "a short nonce" "$verify" bundle "$b" --manifest "$m" --nonce 00
judge 2 "two bundles" "$b"
judge 2 "help among others" --help
judge 2 "an age of nothing" --max-age 0
judge 2 "an age that is no number" --max-age 5m
run 2 "no such file" "$verify" bundle "$work/none" --manifest "$m" --nonce "$nonce"
echo '{' >"$work/bad"
run 1 "a manifest that is none" "$verify" bundle "$b" --manifest "$work/bad" --nonce "$nonce"
run 1 "a manifest that is none, as JSON" "$verify" bundle "$b" --manifest "$work/bad" --nonce "$nonce" --json
is_json 'o["verdict"] == "rejected" and o["file"].endswith("bad") and o["reason"]'
run 1 "a manifest that is none, of a worker" "$verify" worker http://127.0.0.1:1 --manifest "$work/bad" --json
is_json 'o["verdict"] == "rejected" and o["file"].endswith("bad") and o["reason"]'
run 1 "a manifest that is none, of a coordinator" "$verify" coordinator http://127.0.0.1:1 \
	--manifest "$work/bad" --json
is_json 'o["verdict"] == "rejected" and o["file"].endswith("bad") and o["reason"]'
head -c 5000000 /dev/zero >"$work/long"
run 1 "a bundle too long, as JSON" "$verify" bundle "$work/long" --manifest "$m" --nonce "$nonce" --json
is_json 'o["verdict"] == "rejected" and o["file"].endswith("long") and "longer than" in o["reason"]'
run 2 "no such bundle, as JSON" "$verify" bundle "$work/none" --manifest "$m" --nonce "$nonce" --json
is_json 'o["verdict"] == "error" and o["file"].endswith("none") and "No such file" in o["reason"]'
run 1 "a bundle that is none" "$verify" bundle "$m" --manifest "$m" --nonce "$nonce"
says "bundle: found something else"
run 1 "a bundle that is none, as JSON" "$verify" bundle "$m" --manifest "$m" --nonce "$nonce" --json
is_json 'o["verdict"] == "rejected" and o["reason"].startswith("bundle:") and "claims" not in o'
for bad in "--nonce 00" "--model tiny" "--model tiny=00" "--tls-spki 00" "--tree 1025" "--gpus 4" \
	"--defect none" "--gpu-defect none"; do
	# shellcheck disable=SC2086 # two words
	run 2 "pm-sim bundle $bad" "$sim" bundle "$dir" --nonce "$nonce" --role worker -o "$b" $bad
done
run 2 "pm-sim bundle without a role" "$sim" bundle "$dir" --nonce "$nonce" -o "$b"
run 2 "pm-sim bundle without a folder" "$sim" bundle --nonce "$nonce" --role worker -o "$b"

finish
