#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# agent_watch.sh BIN: pm-agent as a daemon: one round after the other, and the GPUs not ready after a bad one.
# shellcheck source=test/cli/agent_lib.sh disable=SC2034,SC2119,SC2154
. "$(dirname "$0")/agent_lib.sh"
status=$work/status.json
log=$work/log
: >"$err"

# start OPTION...: a daemon whose rounds come by SIGHUP; sets daemon. What it logs is read from descriptor 8.
start() {
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	: >"$log"
	"$build/daemons/pm-agent" --nvml "$nvml" --cuda-library "$cuda" --lock "$work/lock" --test-root "$root" \
		--test-rim-root "$rim_root" --rim-url "$url" --ocsp-url "$url" --fetch-timeout 20s --watch 86400 \
		--retry "${retry:-86400}" \
		--status "$status" --evidence "$work/evidence" --metrics 127.0.0.1:0 --metrics-host gpus.example \
		--metrics-file "$work/figures" "$@" 2>"$work/pipe" >/dev/null &
	daemon=$!
	children="$children $daemon"
	exec 8<"$work/pipe"
}

# follow TEXT: read the log up to a line with the text; false when it ends before.
follow() {
	while read -r line <&8; do
		echo "$line" >>"$log"
		case $line in
		*"$1"*) return 0 ;;
		esac
	done
	return 1
}

# round VERDICT WHAT: the next round has ended so.
round() {
	checks=$((checks + 1))
	follow " round verdict=" && [ "${line#* verdict="$1" }" != "$line" ] && return
	failures=$((failures + 1))
	echo "FAILED: $2: the round is not $1"
	sed 's/^/    /' "$log"
}

# stop WHAT: SIGTERM ends it well.
stop() {
	kill -TERM "$daemon"
	checks=$((checks + 1))
	wait "$daemon"
	ended=$?
	[ $ended = 0 ] && follow "stopped" && return
	failures=$((failures + 1))
	echo "FAILED: $1: exit status $ended"
	sed 's/^/    /' "$log"
}

again() {
	kill -HUP "$daemon"
}

# get PATH [HOST]: what the daemon serves there, by that name, into $out.
get() {
	address=$(sed -n 's/.*listening on=\([0-9.:]*\) for=metrics.*/\1/p' "$log" | head -1)
	python3 - "$address" "$1" "${2:-$address}" >"$out" 2>&1 <<'PYTHON'
import http.client, sys
c = http.client.HTTPConnection(sys.argv[1], timeout=10)
c.request("GET", sys.argv[2], headers={"Host": sys.argv[3]})
r = c.getresponse()
print(r.status)
print(r.read().decode())
PYTHON
}

make_gpus 2
serve
start
round verified "the first"
ready_is 1 "the first"
file_is "$status" 'o["verdict"] == "verified"' "the first"
what="figures"
get /metrics
says "pm_agent_ready 1"
says 'pm_agent_rounds_total{verdict="verified"} 1'
get /readyz
says "200"
get /healthz
says "alive"
get /else
says "404"
what="a page that lets its name point here"
get /metrics attacker.example
says "403"
get /metrics gpus.example:9108
says "200"
run 2 "a second agent" agent
says "another pm-agent"

fault devtools
again
round rejected "development tools"
ready_is 0 "development tools"
file_is "$status" 'o["verdict"] == "rejected" and o["ready"] is False and "devtools" in o["reason"]' "development tools"
is_absent "$work/evidence" "development tools"
what="figures after a bad round"
get /readyz
says "503"
get /metrics
says "pm_agent_ready 0"
says 'pm_agent_rounds_total{verdict="rejected"} 1'
run 0 "the file of figures" grep -x "pm_agent_ready 0" "$work/figures"

fault ""
again
round verified "all is well again"
ready_is 1 "all is well again"

make_gpu 1 1 --defect sig-bad
again
round rejected "a bad signature"
ready_is 0 "a bad signature"
file_is "$status" 'o["device"].startswith("GPU 1 ")' "a bad signature"
make_gpu 1 1

fault crash
again
round error "a driver that crashes"
ready_is 0 "a driver that crashes"
fault ""

again
round verified "once more"

# Asked for another one while one runs: it comes, for what changed in between.
cp "$PM_FAKE_NVML/gpu-1/sign" "$work/sign"
mkfifo "$work/gate"
{
	echo "read -r line <$work/gate"
	cat "$work/sign"
} >"$PM_FAKE_NVML/gpu-1/sign"
again
exec 7>"$work/gate" # once the round is there
again
cp "$work/sign" "$PM_FAKE_NVML/gpu-1/sign"
echo "go on" >&7
exec 7>&-
round verified "the round that ran"
round verified "the round that was asked for while it did"

stop_serving
again
round error "the services are gone"
ready_is 0 "the services are gone"
file_is "$status" '"fetch" in o["reason"]' "the services are gone"

# A round that hangs is ended with the daemon, and soon.
serve
echo "exec sleep 60" >"$PM_FAKE_NVML/gpu-1/sign"
echo 1 >"$PM_FAKE_NVML/ready"
again
stop "a round that hangs"
make_gpu 1 1

# After a bad round the next one does not wait for its time.
fault cc-off
retry=1
start
round rejected "no confidential computing"
fault ""
round verified "what was wrong is mended"
stop "it came by itself"
retry=

# A key that comes later, and one that takes its place: each is verified for at once.
head -c 91 /dev/urandom >"$work/first"
head -c 91 /dev/urandom >"$work/second"
start --key "$work/key"
round error "no key"
file_is "$status" '"No such file" in o["reason"]' "no key"
mv "$work/first" "$work/key"
round verified "a key"
first=$(sed -n 's/.*epoch_nonce": "\([0-9a-f]*\).*/\1/p' "$work/evidence/evidence.json")
mv "$work/second" "$work/key"
round verified "another key"
run 1 "another nonce" grep -q "$first" "$work/evidence/evidence.json"
stop "it watches a key"

# A round that takes too long.
make_gpus 1
stop_serving
serve
echo "exec sleep 60" >"$PM_FAKE_NVML/gpu-0/sign"
echo 1 >"$PM_FAKE_NVML/ready"
start --timeout 1
round error "a driver that hangs"
ready_is 0 "a driver that hangs"
file_is "$status" '"too long" in o["reason"] and o["ready"] is False' "a driver that hangs"
stop "between rounds"
finish
