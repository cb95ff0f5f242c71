#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim_gpu.sh BIN: software GPUs of each kind, the services of their maker, and that each defect shows.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
when=2026-03-01T00:00:00Z
seed=0707070707070707070707070707070707070707070707070707070707070707
nonce=931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb

run 0 "help" "$sim" gpu --help
says "TEST ROOT"
run 2 "no verb" "$sim" gpu
run 2 "unknown verb" "$sim" gpu fly "$work/x"
run 2 "no GPUs there" "$sim" gpu report "$work" --gpu 0 --nonce $nonce -o "$work/r"
says "pm-sim gpu init"
run 2 "unknown architecture" "$sim" gpu init "$work/x" --arch volta
run 2 "unknown defect" "$sim" gpu report "$work/x" --defect flying
run 2 "option of another verb" "$sim" gpu init "$work/x" --nonce $nonce

for arch in hopper blackwell ls10; do
	run 0 "init $arch" "$sim" gpu init "$work/$arch" --arch $arch --seed $seed --time $when
	says "TEST ROOT"
	says "device root"
done
run 2 "init twice" "$sim" gpu init "$work/hopper"
run 0 "init for protected PCIe" "$sim" gpu init "$work/ppcie" --count 8 --switches 4 --seed $seed --time $when
run 2 "a GPU that is not there" "$sim" gpu report "$work/hopper" --gpu 1 --nonce $nonce -o "$work/r"
run 2 "a nonce too short" "$sim" gpu report "$work/hopper" --gpu 0 --nonce 00 -o "$work/r"
run 2 "both kinds" "$sim" gpu report "$work/ppcie" --gpu 0 --switch 0 --nonce $nonce -o "$work/r"

# size_is FILE BYTES: the sizes of real reports of that shape.
size_is() {
	checks=$((checks + 1))
	got=$(wc -c <"$1")
	[ "$got" -eq "$2" ] && return
	failures=$((failures + 1))
	echo "FAILED: $1 has $got bytes, not $2"
}

run 0 "report of a Hopper" "$sim" gpu report "$work/hopper" --gpu 0 --nonce $nonce -o "$work/h.bin" \
	--certs "$work/h.pem"
size_is "$work/h.bin" 4117
run 0 "report of a Blackwell" "$sim" gpu report "$work/blackwell" --gpu 0 --nonce $nonce -o "$work/b.bin"
run 0 "report of a switch" "$sim" gpu report "$work/ls10" --switch 0 --nonce $nonce -o "$work/s.bin"
size_is "$work/s.bin" 2168
run 0 "report of a GPU behind switches" "$sim" gpu report "$work/ppcie" --gpu 7 --nonce $nonce -o "$work/p.bin" \
	--evidence "$work/p.json" --driver 590.12
size_is "$work/p.bin" 4274
cp "$work/p.json" "$out"
is_json 'o[0]["arch"] == "HOPPER" and o[0]["nonce"].startswith("931d") and len(o) == 1'

# All but the keys follows from the seed.
run 0 "the same host again" "$sim" gpu init "$work/again" --seed $seed --time $when
run 0 "its report" "$sim" gpu report "$work/again" --gpu 0 --nonce $nonce -o "$work/a.bin"
head -c 4021 "$work/h.bin" >"$work/h.head"
head -c 4021 "$work/a.bin" >"$work/a.head"
run 0 "reports of one seed are equal" cmp "$work/h.head" "$work/a.head"

run 0 "driver's manifest" "$sim" gpu rim "$work/hopper" --kind driver -o "$work/driver.xml"
says NV_GPU_DRIVER_GH100_550.90.07
run 0 "driver's manifest of a Blackwell" "$sim" gpu rim "$work/blackwell" --kind driver -o "$work/d2.xml"
says NV_GPU_CC_DRIVER_GB100_575.32
run 0 "VBIOS's manifest" "$sim" gpu rim "$work/hopper" --kind vbios -o "$work/vbios.xml"
says NV_GPU_VBIOS_1010_0200_882_96009F0001
run 0 "switch's manifest" "$sim" gpu rim "$work/ls10" --kind switch -o "$work/switch.xml"
says NV_SWITCH_BIOS_5612_0002_890_9610550001
run 2 "a host of switches has no driver" "$sim" gpu rim "$work/ls10" --kind driver -o "$work/x"
run 0 "all responses" "$sim" gpu ocsp "$work/hopper" --all "$work/ocsp" --time $when
run 0 "six of them" sh -c "[ \$(ls '$work/ocsp' | wc -l) = 6 ]"
run 2 "a leaf needs no response" "$sim" gpu ocsp "$work/hopper" --cert "$work/h.pem" -o "$work/x"
run 0 "one response with a nonce" "$sim" gpu ocsp "$work/hopper" --cert "$work/hopper/gpu/gpu0-brom.pem" \
	--nonce $nonce -o "$work/one.der"

# Each defect changes what is made; what the verifiers say of it is in sim_gpu_defects.sh.
run 0 "token" "$sim" gpu token "$work/hopper" --nonce $nonce -o "$work/token.json" --jwks "$work/jwks.json"
"$sim" gpu defects >"$work/defects"
while read -r name part _; do
	case $part in
	report | signature | chain) set -- report "$work/hopper" --gpu 0 --nonce $nonce --certs "$work/c" ;;
	manifest) set -- rim "$work/hopper" --kind driver ;;
	ocsp) set -- ocsp "$work/hopper" --cert "$work/hopper/gpu/gpu0-brom.pem" --nonce $nonce ;;
	token) set -- token "$work/hopper" --nonce $nonce ;;
	*) set -- "$part is unknown" ;;
	esac
	run 0 "$name" "$sim" gpu "$@" -o "$work/r" --time $when --defect "$name"
done <"$work/defects"
run 0 "there are many defects" sh -c "[ \$(wc -l <'$work/defects') -gt 200 ]"

# --- the services ------------------------------------------------------------------------------------

# serve OPTION...: start it, and learn its address.
serve() {
	[ -z "${background:-}" ] || { kill "$background" && wait "$background"; } 2>/dev/null
	rm -f "$work/log"
	mkfifo "$work/pipe"
	"$sim" gpu serve "$work/ppcie" --listen 127.0.0.1:0 --time $when "$@" >"$work/pipe" &
	background=$!
	read -r _ _ _ url <"$work/pipe"
	rm -f "$work/pipe"
}

# fetch STATUS PATH [FILE]: GET, or POST of a file; the body is the output.
cat >"$work/fetch.py" <<'PYTHON'
import sys, urllib.error, urllib.request
url, want, body = sys.argv[1:4]
data = open(body, "rb").read() if body else None
try:
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as answer:
        status, text = answer.status, answer.read()
except urllib.error.HTTPError as error:
    status, text = error.code, error.read()
sys.stdout.buffer.write(text)
sys.exit(status != int(want))
PYTHON
fetch() {
	run 0 "fetch $2" python3 "$work/fetch.py" "$url$2" "$1" "${3:-}"
}

serve
fetch 200 /v1/rim/ids
is_json '"NV_GPU_DRIVER_GH100_550.90.07" in o["ids"] and len(o["ids"]) == 3'
fetch 200 /v1/rim/NV_GPU_DRIVER_GH100_550.90.07
is_json 'o["rim_format"] == "TCG" and o["id"] == "NV_GPU_DRIVER_GH100_550.90.07"'
is_json '__import__("hashlib").sha256(__import__("base64").b64decode(o["rim"])).hexdigest() == o["sha256"]'
fetch 404 /v1/rim/NV_GPU_DRIVER_GH100_1.2.3
is_json 'o["message"] == "RIM_NOT_FOUND"'
fetch 200 /.well-known/jwks.json
is_json 'o["keys"][0]["crv"] == "P-384"'
fetch 404 /other
cat >"$work/ask.py" <<'PYTHON'
import json, sys
one = json.load(open(sys.argv[1]))[0]
item = {"evidence": one["evidence"], "certificate": one["certificate"]}
json.dump({"nonce": one["nonce"], "arch": one["arch"], "claims_version": "3.0", "evidence_list": [item] * 8},
          open(sys.argv[2], "w"))
PYTHON
run 0 "request to attest" python3 "$work/ask.py" "$work/p.json" "$work/ask.json"
fetch 200 /v3/attest/gpu "$work/ask.json"
is_json 'o[0][0] == "JWT" and sorted(o[1])[7] == "GPU-7"'
fetch 400 /v3/attest/switch "$work/ask.json"
printf 'nonsense' >"$work/bad"
fetch 200 / "$work/bad"
cp "$out" "$work/answer"
run 0 "malformed OCSP requests are called so" sh -c "printf '\\060\\003\\012\\001\\001' | cmp - '$work/answer'"

serve --down
fetch 503 /v1/rim/ids
serve --lying
fetch 200 /v1/rim/NV_GPU_DRIVER_GH100_550.90.07
is_json 'o["rim_format"] == "CORIM"'
serve --defect rim-comment
fetch 200 /v1/rim/NV_GPU_DRIVER_GH100_550.90.07
is_json 'b"<!-- nothing -->" in __import__("base64").b64decode(o["rim"])'
serve --delay 50
fetch 200 /v1/rim/ids
run 2 "not on loopback" "$sim" gpu serve "$work/ppcie" --listen 0.0.0.0:0
finish
