#!/bin/sh
# Prepare a Debian machine for building libpm: install missing packages, and build mbedTLS and
# libsodium into .deps/ where the distribution's are too old. Repeated calls cost a moment and,
# once everything is there, need no network.
set -eu
cd "$(dirname "$0")/.."

die() {
	echo "setup: $*" >&2
	exit 1
}

# is_installed PACKAGE
is_installed() {
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# install PACKAGE...
install() {
	[ "$(id -u)" = 0 ] || die "packages are missing (run as root, or install them): $*"
	echo "setup: installing $*"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

missing_packages() {
	sed 's/#.*//' scripts/packages.txt | while read -r name; do
		[ -z "$name" ] || is_installed "$name" || echo "$name"
	done
}

# has PKG-CONFIG-NAME MINIMUM: on the system, or in .deps/?
has() {
	PKG_CONFIG_PATH=$PWD/.deps/lib/pkgconfig pkg-config --exists "$1 >= $2" 2>/dev/null
}

# offers PACKAGE MINIMUM: does the distribution have it new enough?
offers() {
	candidate=$(apt-cache policy "$1" | sed -n 's/^ *Candidate: //p')
	dpkg --compare-versions "${candidate#*:}" ge "$2" 2>/dev/null
}

# library NAME PKG-CONFIG-NAME PACKAGE MINIMUM
library() {
	has "$2" "$4" && return
	if offers "$3" "$4"; then
		install "$3"
	else
		scripts/build-dep.sh "$1"
	fi
}

command -v dpkg-query >/dev/null || die "this is no Debian system; README.md lists the dependencies"
missing=$(missing_packages)
if [ -n "$missing" ]; then
	[ "$(id -u)" != 0 ] || apt-get update -qq
	# shellcheck disable=SC2086 # a list of words
	install $missing
fi
library mbedtls mbedtls libmbedtls-dev 3.6.0
library libsodium libsodium libsodium-dev 1.0.22
scripts/vm-kernel.sh
# For the SDKs. Another Node.js than the distribution's serves as well, so it is no package of the list.
command -v npm >/dev/null || [ "$(id -u)" != 0 ] || install nodejs npm
scripts/sdks.sh
