#!/bin/sh
# Build and test every way that we promise. Ends with one line: N passed, N failed, N skipped.
set -u
cd "$(dirname "$0")/.." || exit
failed=0
dirs=

# try DIR COMPILER [MESON OPTION]...
try() {
	dir=$1
	compiler=$2
	shift 2
	echo "== $dir: $compiler $*"
	dirs="$dirs $dir"
	CC=$compiler scripts/configure.sh "$dir" --werror "$@" &&
		ninja -C "$dir" --quiet &&
		meson test -C "$dir" --no-rebuild --print-errorlogs --quiet || failed=1
}

try build gcc
try build-asan gcc -Db_sanitize=address,undefined
try build-clang clang
try build-mbedtls gcc -Dfast_verify=disabled -Dipsec_mb=disabled

# shellcheck disable=SC2086 # a list of words
python3 scripts/summary.py $dirs || failed=1
exit $failed
