#!/bin/sh
# Build and test every way that we promise. Ends with one line: N passed, N failed, N skipped.
set -u
cd "$(dirname "$0")/.." || exit
failed=0
dirs=

# try DIR COMPILER SUITES-LEFT-OUT [MESON OPTION]...
try() {
	dir=$1
	compiler=$2
	left_out=$3
	shift 3
	echo "== $dir: $compiler $*"
	dirs="$dirs $dir"
	# shellcheck disable=SC2046,SC2086 # a list of words
	CC=$compiler scripts/configure.sh "$dir" --werror "$@" &&
		ninja -C "$dir" --quiet &&
		meson test -C "$dir" --no-rebuild --print-errorlogs --quiet --num-processes 6 \
			$(printf -- ' --no-suite %s' $left_out) || failed=1
}

# The sanitizers run everything but what looks at the sources alone and the demo, which the first build does. All others
# run the unit tests, for what is about the compiler or the libraries. Many tests wait for processes, so more run at a
# time than there are cores.
try build gcc "cli daemons e2e long vm soak units"
try build-asan gcc "style man abi demo soak" -Db_sanitize=address,undefined
less="style man abi cli vm long demo daemons e2e soak units"
try build-clang clang "$less"
try build-mbedtls gcc "$less" -Dfast_verify=disabled -Dipsec_mb=disabled -Dshares=disabled

# shellcheck disable=SC2086 # a list of words
python3 scripts/summary.py $dirs || failed=1
exit $failed
