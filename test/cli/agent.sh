#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# agent.sh BIN: pm-agent makes GPUs ready when all of them pass, and at no other time.
# shellcheck source=test/cli/agent_lib.sh disable=SC2154
. "$(dirname "$0")/agent_lib.sh"
status=$work/status.json
evidence=$work/evidence

make_gpus 2
serve

# --- usage -----------------------------------------------------------------------------------------
run 0 "help" agent --help
says "--switch-command"
run 0 "version" agent --version
run 2 "an argument" agent now
run 2 "unknown option" agent --ready
run 2 "no number" agent --count none
run 2 "manifest without role" agent --manifest x
run 2 "epoch nonce without key" agent --epoch-nonce "$(printf %064d 0)"
run 2 "too long for a download" agent --fetch-timeout 3601s
run 2 "metrics without watch" agent --metrics 127.0.0.1:0
run 2 "plain HTTP elsewhere" agent --rim-url http://192.0.2.1
says "https, or http on this machine"
was_never_ready "usage"

# --- all is well -----------------------------------------------------------------------------------
not_ready
run 0 "two GPUs" agent --count 2 --status "$status" --evidence "$evidence" --metrics-file "$work/figures" --json
is_json 'o["verdict"] == "verified" and o["ready"] is True and o["test_root"] is True and o["cuda_checked"] is True'
is_json 'len(o["devices"]) == 2 and all(d["rim_checked"] and d["ocsp_checked"] for d in o["devices"])'
is_json 'o["devices"][0]["nonce"] != o["devices"][1]["nonce"] and o["devices"][0]["ueid"] != o["devices"][1]["ueid"]'
ready_is 1 "two GPUs"
cp "$out" "$work/first"
file_is "$status" 'o == json.load(open("'"$work/first"'"))' "the status file is what was printed"
run 0 "figures" grep -x "pm_agent_devices_verified 2" "$work/figures"
run 0 "figures" grep -x 'pm_agent_rounds_total{verdict="verified"} 1' "$work/figures"
run 0 "two GPUs, for people" agent
says "TEST ROOT"
says "VERIFIED"
says "ready: yes"
run 0 "once more" agent --json
is_json 'o["devices"][0]["nonce"] != json.load(open("'"$work/first"'"))["devices"][0]["nonce"]'

# What was left can be verified by others, offline.
nonce=$(python3 -c 'import json; print(json.load(open("'"$evidence"'/evidence.json"))["devices"][1]["nonce"])')
set --
for file in "$evidence"/rim-*; do set -- "$@" --rim "$file"; done
for file in "$evidence"/ocsp-*; do set -- "$@" --ocsp "$file"; done
run 0 "evidence for others" "$bin/pm-verify" gpu "$evidence/device-1.report" --certs "$evidence/device-1.pem" \
	--nonce "$nonce" --test-root "$root" --test-rim-root "$rim_root" "$@"
run 0 "golden measurements and responses out of files" agent --rim-url http://127.0.0.1:1 \
	--ocsp-url http://127.0.0.1:1 "$@"

# --- the key of a bundle ---------------------------------------------------------------------------
printf 'a public key' >"$work/key"
epoch=$(printf %064d 7)
run 0 "nonce of a key" agent --key "$work/key" --epoch-nonce "$epoch" --evidence "$evidence" --json
want=$(python3 -c 'import hashlib, sys
print(hashlib.sha256(b"libpm gpu nonce v1\0" + bytes.fromhex(sys.argv[1]) + b"a public key").hexdigest())' "$epoch")
is_json 'o["devices"][0]["nonce"] == "'"$want"'"'
is_json 'o["devices"][0]["nonce"] == o["devices"][1]["nonce"]'
file_is "$evidence/evidence.json" 'o["epoch_nonce"] == "'"$epoch"'" and len(o["rim"]) == 2 and len(o["ocsp"]) == 7' \
	"the index of the evidence"
run 0 "a drawn epoch nonce" agent --key "$work/key" --evidence "$evidence"
file_is "$evidence/evidence.json" 'len(o["epoch_nonce"]) == 64 and o["epoch_nonce"] != "'"$epoch"'"' "it is drawn"
run 2 "no key" agent --key "$work/none" --evidence "$evidence"
is_absent "$evidence" "evidence after a failure"
ready_is 0 "no key"

mkdir "$work/mine"
echo precious >"$work/mine/file"
run 2 "a folder of other things" agent --evidence "$work/mine"
says "holds other files"
run 0 "they are still there" grep precious "$work/mine/file"
ready_is 0 "a folder of other things"

# --- what is wrong with a device -------------------------------------------------------------------
# rejects STATUS WHAT TEXT OPTION...: GPUs that were ready are not afterwards, and the text says why.
rejects() {
	want_status=$1
	name=$2
	text=$3
	shift 3
	echo 1 >"$PM_FAKE_NVML/ready"
	rm -f "$PM_FAKE_NVML/ready.log"
	run "$want_status" "$name" agent --status "$status" --evidence "$evidence" "$@"
	says "$text"
	says "ready: no"
	ready_is 0 "$name"
	was_never_ready "$name"
	file_is "$status" 'o["verdict"] != "verified" and o["ready"] is False' "$name"
	is_absent "$evidence" "$name"
	fault ""
}

rejects 1 "too few" "2 GPUs, expected 3" --count 3
rejects 1 "too many" "2 GPUs, expected 1" --count 1
for defect in sig-bad nonce measurement-vbios fwid-other leaf-other-key; do
	make_gpu 1 1 --defect $defect
	rejects 1 "defect $defect" "GPU 1 (GPU-00000000-0000-4000-8000-000000000001): "
done
file_is "$status" 'o["device"].startswith("GPU 1 ")' "the device is named"
make_gpu 1 0
rejects 1 "one GPU twice" "REJECTED"
make_gpu 1 1
rejects 1 "another driver" "GPU 0" --driver 550.90.08
rejects 1 "an old driver" "GPU 0" --min-driver 551.0
rejects 1 "an old VBIOS" "GPU 0" --min-vbios 97.00.00.00.00
rejects 1 "another architecture" "GPU 0" --arch blackwell
echo 1 >"$PM_FAKE_NVML/ready"
run 1 "NVIDIA's own roots" "$build/daemons/pm-agent" --nvml "$nvml" --lock "$work/lock" --rim-url "$url" \
	--ocsp-url "$url"
says "REJECTED"
ready_is 0 "NVIDIA's own roots"

# --- what is wrong with the driver -----------------------------------------------------------------
for row in "cc-off 1 gpu.cc" "devtools 1 gpu.devtools" "settings-devtools 1 gpu.devtools" "sim 1 gpu.environment" \
	"uuid-twice 1 distinct" "place-odd 1 place" "lost-handle 2 nvmlDeviceGetHandleByIndex_v2" \
	"uuid-changes 1 gpu.same" "count-shrinks 1 gpu.same" "wrong-nonce 1 gpu.collect.nonce" \
	"report-huge 1 4294967295" \
	"report-cut 1 gpu.collect.report" "certs-none 1 gpu.collect.certs" "lost 2 lost" "crash 2 without"; do
	# shellcheck disable=SC2086 # three words
	set -- $row
	fault "$1"
	rejects "$2" "fault $1" "$3"
done
echo 1 >"$PM_FAKE_NVML/ready"
fault lost-handle
run 0 "cleared without a GPU that is lost" agent --clear
ready_is 0 "cleared without a GPU that is lost"
echo 1 >"$PM_FAKE_NVML/ready"
fault init
run 2 "no driver" agent --status "$status"
says "error 9"
run 2 "no library" agent --nvml "$work/none"
fault ready-denied
rm -f "$PM_FAKE_NVML/ready"
run 2 "may not set it" agent
says "error 4"
fault ready-ignored
rm -f "$PM_FAKE_NVML/ready"
run 2 "does not set it" agent
says "gpu.ready"
fault ""
make_gpus 2
stop_serving
serve
fault report-nul
run 0 "a NUL too many" agent
fault ""

# --- what was said before is not left ----------------------------------------------------------------
run 0 "evidence is there" agent --evidence "$evidence" --status "$status"
fault crash
run 2 "a crash that clears nothing" agent --evidence "$evidence" --no-ready
is_absent "$evidence" "evidence after a crash"
fault ""
long=$work/$(printf %0250d 0)
echo '{"verdict": "verified"}' >"$long"
run 2 "a status that can't be written" agent --status "$long" --count 3
is_absent "$long" "a status that can't be written"
echo '{"verdict": "verified"}' >"$status"
printf '#!/bin/sh\ncp "%s" "%s" 2>/dev/null\nexit 1\n' "$status" "$work/seen" >"$work/stop"
chmod +x "$work/stop"
run 2 "a status of an agent before" agent --status "$status" --switch-command "$work/stop"
is_absent "$work/seen" "a status of an agent before"

# --- CUDA ------------------------------------------------------------------------------------------
not_ready
echo "0000:01:00.0" >"$PM_FAKE_NVML/cuda"
run 1 "CUDA sees one GPU" agent
says "1 GPUs instead of 2"
ready_is 0 "CUDA sees one GPU"
echo 1 >"$PM_FAKE_NVML/ready"
rm -f "$PM_FAKE_NVML/ready.log"
run 1 "CUDA sees one GPU, and they were ready" agent
ready_is 0 "CUDA sees one GPU"
was_never_ready "CUDA sees one GPU"
run 0 "CUDA is not asked" agent --cuda off --json
is_json 'o["cuda_checked"] is False'
rm "$PM_FAKE_NVML/cuda"
run 0 "no CUDA here" agent --cuda-library "$work/none"
says "cuda-not-checked"
run 1 "no CUDA here, and it is required" agent --cuda-library "$work/none" --cuda require
ready_is 0 "no CUDA"
CUDA_VISIBLE_DEVICES=0 run 0 "a choice of GPUs is not asked" agent

# --- services --------------------------------------------------------------------------------------
run 0 "a mirror" agent --rim-url http://127.0.0.1:1
url=http://127.0.0.1:1
rejects 2 "nobody there" "rim.fetch"
echo s3cr3t >"$work/token"

# front COUNT: the services are gone after so many requests.
front() {
	real=http://${line##*http://}
	rm -f "$work/port" "$work/stop" "$FRONT_LOG"
	mkfifo "$work/port" "$work/stop"
	python3 "$here/front_server.py" "$real" "$1" <"$work/stop" >"$work/port" &
	children="$children $!"
	exec 9>"$work/stop"
	read -r port <"$work/port"
	url=http://127.0.0.1:$port
}

for requests in 1 2 6; do
	front $requests
	rejects 2 "gone after $requests requests" "fetch"
	run 0 "they were made" sh -c "[ \$(grep -c . $FRONT_LOG) = $requests ]"
done
front -1
run 0 "with a token" agent --rim-token "$work/token" --rim-url "$url" --log-level debug
run 1 "the token is nowhere" grep -q s3cr3t "$out" "$err"
run 0 "the token went along" grep -q "GET /v1/rim/NV_GPU_DRIVER_GH100_550.90.07 Bearer s3cr3t" "$FRONT_LOG"
run 1 "but not to the other service" grep -q "POST.*s3cr3t" "$FRONT_LOG"
: >"$FRONT_LOG"
run 0 "into a cache" agent --cache "$work/cache"
run 0 "each thing once" sh -c "[ \$(grep -c . $FRONT_LOG) = 9 ]"
: >"$FRONT_LOG"
run 0 "out of the cache" agent --cache "$work/cache"
run 0 "no request" sh -c "[ ! -s $FRONT_LOG ]"
run 0 "offline" agent --cache "$work/cache" --offline
run 0 "answers made now" agent --cache "$work/cache" --ocsp-nonce
run 0 "seven questions" sh -c "[ \$(grep -c POST $FRONT_LOG) = 7 ]"
run 1 "offline without a cache" agent --offline
says "offline"
exec 9>&-

stop_serving
serve --lying
rejects 1 "lying services" "REJECTED" --cache "$work/other"
stop_serving
serve
: >"$FRONT_LOG"
run 0 "what they left in the cache is fetched again" agent --cache "$work/other"
stop_serving
serve --stale
rejects 1 "stale services" "REJECTED"
stop_serving
serve --down
rejects 2 "services that are down" "HTTP 503" --fetch-timeout 1s

run 0 "neither of them" agent --no-rim --no-ocsp --json
is_json 'not any(d["rim_checked"] or d["ocsp_checked"] for d in o["devices"])'

# --- the ready state alone -------------------------------------------------------------------------
not_ready
run 0 "only verify" agent --no-rim --no-ocsp --no-ready
says "ready: no"
ready_is 0 "only verify"
echo 1 >"$PM_FAKE_NVML/ready"
run 1 "only verify, in vain" agent --count 9 --no-ready
ready_is 1 "only verify"
run 0 "clear" agent --clear
says "CLEARED"
ready_is 0 "clear"

# --- a lock, and a driver that hangs ---------------------------------------------------------------
run 2 "two agents" flock "$work/lock" "$build/daemons/pm-agent" --nvml "$nvml" --lock "$work/lock"
says "another pm-agent"
mkfifo "$work/begun"
echo "echo >$work/begun; exec sleep 60" >"$PM_FAKE_NVML/gpu-1/sign"
"$build/daemons/pm-agent" --nvml "$nvml" --lock "$work/lock" 2>"$err" >"$work/ended" &
round=$!
children="$children $round"
read -r _ <"$work/begun"
echo 1 >"$PM_FAKE_NVML/ready"
kill -TERM $round
wait $round
run 0 "SIGTERM ends a round" test $? = 2
run 0 "and says so" grep -q "ended by a signal" "$work/ended"
ready_is 0 "SIGTERM ends a round"
run 0 "and leaves no lock behind" flock -n "$work/lock" true
echo "exec sleep 60" >"$PM_FAKE_NVML/gpu-1/sign"
rejects 2 "a driver that hangs" "took too long" --timeout 1
finish
