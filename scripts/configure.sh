#!/bin/sh
# configure.sh BUILD_DIR [MESON OPTION]...: set up a build folder once, with the private libraries.
set -eu
cd "$(dirname "$0")/.."
dir=$1
shift
[ -f "$dir/build.ninja" ] || meson setup "$dir" -Dpkg_config_path="$PWD/.deps/lib/pkgconfig" "$@" >/dev/null
