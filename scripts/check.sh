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
		meson test -C "$dir" --no-rebuild --print-errorlogs --quiet \
			$(printf -- ' --no-suite %s' $left_out) || failed=1
}

# The first build runs everything. What looks at the sources alone is not repeated; the daemons, the long tests and
# the virtual machine run once more, under the sanitizers.
try build gcc none
try build-asan gcc "style man" -Db_sanitize=address,undefined
try build-clang clang "style man vm long daemons"
try build-mbedtls gcc "style man vm long daemons" -Dfast_verify=disabled -Dipsec_mb=disabled -Dshares=disabled

# shellcheck disable=SC2086 # a list of words
python3 scripts/summary.py $dirs || failed=1
exit $failed
