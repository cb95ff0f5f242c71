# What the tests of pm-agent share: software GPUs behind a stand-in of NVIDIA's driver, and their
# maker's services on loopback.
# shellcheck shell=sh disable=SC1091,SC2034,SC2154
here=$(dirname "$0")
# shellcheck source=test/cli/lib.sh
. "$here/lib.sh"
build=$bin/..
sim=$work/sim
nvml=$build/test/fake-nvml/libnvidia-ml.so.1
cuda=$build/test/fake-nvml/libcuda.so.1
PM_FAKE_NVML=$work/driver
FRONT_LOG=$work/front.log
export PM_FAKE_NVML FRONT_LOG
url=http://127.0.0.1:1
children=

cleanup_agent() {
	exec 8>&- 9>&-
	for child in $children; do
		kill "$child" 2>/dev/null
		wait "$child" 2>/dev/null
	done
	cleanup
}
trap cleanup_agent EXIT

# make_gpus COUNT OPTION...: a host of software GPUs, all in the driver.
make_gpus() {
	count=$1
	shift
	rm -rf "$sim" "$PM_FAKE_NVML"
	mkdir "$PM_FAKE_NVML"
	"$bin/pm-sim" gpu init "$sim" --count "$count" "$@" >"$out" 2>&1 || echo "no GPUs"
	root=$(sed 's/.*device_root": "\([0-9a-f]*\).*/\1/' "$sim/gpu/roots.json")
	rim_root=$(sed 's/.*rim_root": "\([0-9a-f]*\).*/\1/' "$sim/gpu/roots.json")
	i=0
	while [ $i -lt "$count" ]; do
		make_gpu $i $i
		i=$((i + 1))
	done
}

# make_gpu PLACE GPU OPTION...: the software GPU is at that place of the driver.
make_gpu() {
	place=$1
	gpu=$2
	shift 2
	mkdir -p "$PM_FAKE_NVML/gpu-$place"
	"$bin/pm-sim" gpu report "$sim" --gpu "$gpu" --nonce "$(printf %064d 0)" -o "$work/any" \
		--certs "$PM_FAKE_NVML/gpu-$place/certs.pem" "$@" >"$out" 2>&1
	echo "$bin/pm-sim gpu report $sim --gpu $gpu --nonce \$NONCE -o - $*" \
		>"$PM_FAKE_NVML/gpu-$place/sign"
}

# fault NAME: what goes wrong in the driver from now on; "" for nothing.
fault() {
	printf '%s' "$1" >"$PM_FAKE_NVML/fault"
}

# serve OPTION...: the services; sets url.
serve() {
	rm -f "$work/serve"
	mkfifo "$work/serve"
	"$bin/pm-sim" gpu serve "$sim" --listen 127.0.0.1:0 "$@" >"$work/serve" 2>/dev/null &
	server=$!
	children="$children $server"
	read -r line <"$work/serve"
	url=http://${line##*http://}
}

# stop_serving: nobody answers any more.
stop_serving() {
	kill "$server"
	wait "$server" 2>/dev/null
}

# agent OPTION...: with the stand-ins, the test's roots and services.
agent() {
	"$build/daemons/pm-agent" --nvml "$nvml" --cuda-library "$cuda" --lock "$work/lock" --test-root "$root" \
		--test-rim-root "$rim_root" --rim-url "$url" --ocsp-url "$url" --fetch-timeout 20s "$@"
}

# ready_is STATE WHAT: the driver's ready state.
ready_is() {
	checks=$((checks + 1))
	state=$(cat "$PM_FAKE_NVML/ready" 2>/dev/null || echo 0)
	[ "$state" = "$1" ] && return
	failures=$((failures + 1))
	echo "FAILED: $2: the ready state is $state"
}

# was_never_ready WHAT: since the log was emptied.
was_never_ready() {
	checks=$((checks + 1))
	grep -qx 1 "$PM_FAKE_NVML/ready.log" 2>/dev/null || return
	failures=$((failures + 1))
	echo "FAILED: $1: the GPUs were ready for a while"
}

# not_ready: forget what was.
not_ready() {
	rm -f "$PM_FAKE_NVML/ready" "$PM_FAKE_NVML/ready.log"
}

# file_is FILE FILTER WHAT: it is one JSON object of which the Python expression on o holds.
file_is() {
	checks=$((checks + 1))
	python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
		"$1" "$2" && return
	failures=$((failures + 1))
	echo "FAILED: $3: not so: $2"
}

# is_absent FILE WHAT
is_absent() {
	checks=$((checks + 1))
	[ ! -e "$1" ] && return
	failures=$((failures + 1))
	echo "FAILED: $2: $1 is there"
}
