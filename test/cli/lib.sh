# Helpers of the command line tests. A test sources this with the folder of programs as $1.
# shellcheck shell=sh
set -u
# shellcheck disable=SC2034 # for the test that sources this
bin=$1
work=$(mktemp -d)
failures=0
checks=0
out=$work/out
err=$work/err

cleanup() {
	[ -z "${background:-}" ] || kill "$background" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# run STATUS WHAT COMMAND...: run it and compare the exit status.
run() {
	want=$1
	what=$2
	shift 2
	checks=$((checks + 1))
	"$@" >"$out" 2>"$err" </dev/null
	got=$?
	[ $got = "$want" ] && return
	failures=$((failures + 1))
	echo "FAILED: $what: exit status $got, expected $want: $*"
	sed 's/^/    /' "$out" "$err"
}

# says TEXT: the last command printed it, on either stream.
says() {
	checks=$((checks + 1))
	cat "$out" "$err" | grep -qF -- "$1" && return
	failures=$((failures + 1))
	echo "FAILED: $what: does not say '$1'"
	sed 's/^/    /' "$out" "$err"
}

# is_json FILTER: the last output is one JSON object of which the Python expression on o holds.
is_json() {
	checks=$((checks + 1))
	python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
		"$out" "$1" && return
	failures=$((failures + 1))
	echo "FAILED: $what: not so: $1"
}

finish() {
	echo "$checks checks, $failures failed"
	[ $failures = 0 ]
	exit
}
