#!/bin/sh
# soak.sh BUILD_DIR SECONDS: load of all kinds through pm-client, pm-proxy and an inference server, with errors,
# cancellations and broken connections; fails when one of them grows after it was warm. Prints a table; their logs
# are in BUILD_DIR/soak.log.
set -eu
cd "$(dirname "$0")/.."
build=$1
seconds=$2
[ -x "$build/daemons/pm-client" ] || {
	echo "soak: this build has no daemons" >&2
	exit 2
}
exec python3 test/daemons/soak.py "$seconds" \
	"$build/daemons/pm-client" "$build/daemons/pm-proxy" \
	"$build/examples/inference-server/inference-server" "$build/test/daemons/peer" "$build/tools" \
	2>"$build/soak.log"
