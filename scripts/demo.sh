#!/bin/sh
# demo.sh BUILD_DIR: the main job on this machine, in simulated hardware where there is none. Evidence of a processor is
# verified, then tampered with and refused; the same for a whole worker; real reports where they are at hand; then a
# whole deployment, with a chat that is encrypted to workers that proved themselves, and attacks on it that fail.
# Where standard input is a terminal, or with DEMO_KEEP=1, it stays up until Ctrl-C or "make demo-stop".
# demo.sh --stop BUILD_DIR: that.
set -eu
scripts=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/demo/lib.sh
. "$scripts/demo/lib.sh"
# shellcheck source=scripts/demo/stay.sh
. "$scripts/demo/stay.sh"
stop=
if [ "$1" = --stop ]; then
	stop=1
	shift
fi
build=$(realpath -m "$1")
place=${DEMO_PLACE:-$build/demo}
if [ -n "$stop" ]; then
	stop_running
	exit
fi
cd "$scripts/.."
PATH=$build/tools:$build/daemons:$build/examples/inference-server:$PATH:/usr/sbin:/sbin
vectors=${PM_VECTORS:-../shared/vectors}
keep=${DEMO_KEEP:-}
[ ! -t 0 ] || keep=1
if ! take_place && [ -n "$keep" ]; then
	die "one is up already: make demo-stop"
fi
work=$(mktemp -d)
shown=

cleanup() {
	trap '' HUP INT TERM
	stop_all
	rm -rf "$work"
	give_place
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# done_with TEXT: for the last line.
done_with() {
	shown="$shown${shown:+, }$1"
}

for part in report worker real deployment attacks; do
	# shellcheck source=/dev/null
	. "$scripts/demo/$part.sh"
done
printf '\n%sDone. Shown: %s.%s\n' "$bold" "$shown" "$plain" | fold -s -w 118
[ -n "$keep" ] || exit 0
trap 'echo; echo "demo: stopping"; exit 0' HUP INT TERM
title "It stays up; try it by hand"
by_hand
attend sleep infinity
