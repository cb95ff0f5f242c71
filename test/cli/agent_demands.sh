#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# agent_demands.sh BIN: what a manifest demands of the GPUs, and switches beside them.
# shellcheck source=test/cli/agent_lib.sh disable=SC2119,SC2154
. "$(dirname "$0")/agent_lib.sh"

# --- a manifest ------------------------------------------------------------------------------------
# manifest ROLE GPU: writes $work/manifest.json; GPU is Python that changes the object g.
manifest() {
	python3 - "$here/../manifest/cases.py" "$root" "$rim_root" "$1" "$2" >"$work/manifest.json" <<'PYTHON'
import importlib.util, json, sys, time
spec = importlib.util.spec_from_file_location("cases", sys.argv[1])
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)
m = cases.BASE
g = m["roles"]["worker"]["gpu"] = {"min_count": 2, "max_age": 600, "archs": ["hopper"], "modes": None,
                                   "drivers": ["550.90.07"], "vbios": None, "require_rim": True, "require_ocsp": True}
exec(sys.argv[5])
if sys.argv[4] != "worker":
    m["roles"]["worker"]["gpu"] = None
m["extra_roots"] = {"gpu_device": [sys.argv[2]], "gpu_rim": [sys.argv[3]]}
at = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + t))
m["not_before"], m["not_after"] = at(-3600), at(globals().get("ends", 3600))
json.dump(m, sys.stdout)
PYTHON
}

# judged OPTION...: by the manifest, with no demand of the command line.
judged() {
	"$build/daemons/pm-agent" --nvml "$nvml" --cuda-library "$cuda" --lock "$work/lock" --rim-url "$url" \
		--ocsp-url "$url" --manifest "$work/manifest.json" --role worker --fetch-timeout 20s "$@"
}

make_gpus 2
serve
manifest worker ""
run 0 "what the manifest demands" judged --json
is_json 'o["verdict"] == "verified" and o["test_root"] is True'
ready_is 1 "what the manifest demands"
run 2 "demands of both kinds" judged --driver 550.90.07
run 2 "a test root beside a manifest" judged --test-root "$root"
run 1 "--no-rim does not waive what a manifest demands" judged --no-rim
run 1 "nor does --no-ocsp" judged --no-ocsp
ready_is 0 "nor does --no-ocsp"
manifest worker 'g["min_count"] = 3'
run 1 "too few" judged
says "2 GPUs, expected at least 3"
manifest worker 'g["drivers"] = ["550.90.08"]'
run 1 "another driver" judged
says "GPU 0"
manifest worker 'g["archs"] = ["blackwell"]'
run 1 "another architecture" judged
manifest worker 'ends = -1800'
run 1 "a manifest that has ended" judged
manifest worker 'sys.argv[2] = "00" * 32'
run 1 "another root" judged
manifest coordinator ""
run 1 "a role without GPUs" judged
says "no role 'worker' with GPUs"
echo '{' >"$work/manifest.json"
run 1 "no manifest" judged
rm "$work/manifest.json"
run 2 "no file" judged
ready_is 0 "no file"
stop_serving

# --- switches --------------------------------------------------------------------------------------
make_gpus 8 --switches 4
serve
fault ppcie
cat >"$work/collect" <<EOF2
#!/bin/sh
# What NVIDIA's SDK does with its NSCQ library: evidence of all switches for a nonce.
for i in 0 1 2 3; do
	"$bin/pm-sim" gpu report "$sim" --switch \$i --nonce "\$1" -o "$work/ignored" \
		--evidence "$work/switch-\$i.json" \$(cat "$work/defect-\$i" 2>/dev/null) >/dev/null || exit 1
done
exec python3 -c 'import json, sys; print(json.dumps(sum((json.load(open(f)) for f in sys.argv[1:]), [])))' \
	"$work/switch-0.json" "$work/switch-1.json" "$work/switch-2.json" "$work/switch-3.json"
EOF2
chmod +x "$work/collect"
run 1 "protected PCIe without the switches" agent --count 8
ready_is 0 "protected PCIe without the switches"
run 0 "with them" agent --count 8 --switch-command "$work/collect" --json
is_json 'len(o["devices"]) == 12 and o["devices"][11]["name"] == "switch 3" and o["host"]["multi_gpu"] == "ppcie"'
is_json 'all(d["verdict"] == "verified" for d in o["devices"])'
ready_is 1 "with them"
echo "--defect sig-bad" >"$work/defect-2"
run 1 "a bad switch" agent --switch-command "$work/collect"
says "switch 2"
ready_is 0 "a bad switch"
rm "$work/defect-2"
echo key >"$work/key"
epoch=$(printf %064d 3)
nonce=$(python3 -c 'import hashlib, sys
print(hashlib.sha256(b"libpm gpu nonce v1\0" + bytes.fromhex(sys.argv[1]) + b"key\n").hexdigest())' "$epoch")
"$work/collect" "$nonce" >"$work/switches.json"
run 0 "switches out of a file" agent --key "$work/key" --epoch-nonce "$epoch" \
	--switches "$work/switches.json"
run 1 "of another nonce" agent --key "$work/key" --epoch-nonce "$(printf %064d 4)" \
	--switches "$work/switches.json"
says "switch 0"
run 2 "without a nonce" agent --switches "$work/switches.json"
# As the SDK's program prints them, when it says that they are whole; and what it tells must be so.
wrapped() {
	python3 -c 'import json, sys
l = json.load(open(sys.argv[1]))
print(json.dumps(eval(sys.argv[2])))' "$work/switches.json" "$1" >"$work/wrapped.json"
}
wrapped '{"evidences": l, "result_code": 0, "result_message": "Ok"}'
run 0 "switches as the SDK's program prints them" agent --key "$work/key" --epoch-nonce "$epoch" \
	--switches "$work/wrapped.json"
for bad in '{"evidences": l, "result_code": 8, "result_message": "no"}' '{"evidences": l}' \
	'[l[0] | {"more": "x"}] + l[1:]'; do
	wrapped "$bad"
	run 1 "switches as $bad" agent --key "$work/key" --epoch-nonce "$epoch" --switches "$work/wrapped.json"
	says "evidence list"
done
wrapped '[l[0] | {"arch": "HOPPER"}] + l[1:]'
run 1 "another kind than told" agent --key "$work/key" --epoch-nonce "$epoch" --switches "$work/wrapped.json"
says 'switch 0'
says 'found HOPPER at $[0].arch, expected LS10'
echo '[]' >"$work/none.json"
run 1 "no switches in the file" agent --key "$work/key" --epoch-nonce "$epoch" --switches "$work/none.json"
echo '[{"evidence": 1}]' >"$work/none.json"
run 1 "no evidence in the file" agent --key "$work/key" --epoch-nonce "$epoch" --switches "$work/none.json"
run 2 "a command that fails" agent --switch-command /bin/false
run 2 "no command" agent --switch-command "$work/none"
ready_is 0 "no command"
finish
