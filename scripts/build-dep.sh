#!/bin/sh
# build-dep.sh NAME: fetch, check and build one library into .deps/, static and position independent.
# The upstream release is taken, pinned by SHA-256. Where the upstream site can't be reached, the
# distribution's source archive of a newer suite serves: a private apt configuration derived from
# the machine's own sources (the system's is not touched), authenticated by the archive's keyring,
# its source pinned by SHA-256 too. So a mirror may lag: nothing depends on its index being recent.
set -eu
cd "$(dirname "$0")/.."
name=$1
prefix=$PWD/.deps
work=$prefix/work/$name
jobs=$(nproc)

case $name in
mbedtls)
	version=3.6.7
	url=https://github.com/Mbed-TLS/mbedtls/releases/download/mbedtls-$version/mbedtls-$version.tar.bz2
	sha256=a7e8bcbec0e6f761b4af24f25677626b35f762f68eef79c08677a363212d11f6
	distribution_sha256=$sha256
	;;
libsodium)
	version=1.0.22
	url=https://github.com/jedisct1/libsodium/releases/download/$version-RELEASE/libsodium-$version.tar.gz
	sha256=adbdd8f16149e81ac6078a03aca6fc03b592b89ef7b5ed83841c086191be3349
	distribution_sha256=5838bb0c3da6148c24ebe531d1ed1297de9a87aea77d426bcd99f289e681631c
	;;
*)
	echo "build-dep: unknown library '$name'" >&2
	exit 2
	;;
esac

say() { echo "build-dep: $name: $*"; }

# check_source SHA256: is it the archive that we know?
check_source() {
	echo "$1  $work/source.tar" | sha256sum -c --quiet - || {
		say "the downloaded archive does not have the pinned SHA-256 $1" >&2
		exit 1
	}
}

fetch_upstream() {
	say "fetching $version from upstream"
	curl -fsSL --connect-timeout 5 --max-time 120 --retry 1 -o "$work/source.tar" "$url" 2>/dev/null || return 1
	check_source "$sha256"
}

# The first mirror that the machine's own apt is configured with, in files of either form: one of them is enough.
debian_mirror() {
	{
		sed -n 's/^URIs:[[:space:]]*//p' /etc/apt/sources.list.d/*.sources || true
		sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p' /etc/apt/sources.list \
			/etc/apt/sources.list.d/*.list || true
	} 2>/dev/null | tr ' ' '\n' | grep -m1 '/debian/*$'
}

private_apt() {
	tool=$1
	shift
	"$tool" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::SourceList="$work/apt/suite.sources" \
		-o Dir::State="$work/apt" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root \
		-o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false "$@"
}

fetch_suite() {
	suite=$1
	mirror=$(debian_mirror) || return 1
	rm -rf "$work/apt"
	mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
	cat >"$work/apt/suite.sources" <<-SOURCES
	Types: deb-src
	URIs: $mirror
	Suites: $suite
	Components: main
	Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	SOURCES
	private_apt apt-get update -qq || return 1
	private_apt apt-cache showsrc "$name" 2>/dev/null | grep -q "^Version: $version-" || return 1
	say "fetching $version from the distribution's suite $suite"
	(cd "$work" && private_apt apt-get source --download-only -qq "$name") || return 1
	mv "$work/${name}_$version".orig.tar.* "$work/source.tar"
	check_source "$distribution_sha256"
}

fetch_distribution() {
	for suite in trixie forky sid; do
		fetch_suite $suite && return 0
	done
	return 1
}

build_mbedtls() {
	python3 scripts/config.py set MBEDTLS_THREADING_C
	python3 scripts/config.py set MBEDTLS_THREADING_PTHREAD
	cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
		-DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DENABLE_PROGRAMS=OFF \
		-DENABLE_TESTING=OFF
	cmake --build build -j "$jobs"
	cmake --install build
}

build_libsodium() {
	./configure --prefix="$prefix" --libdir="$prefix/lib" --disable-shared --enable-static --with-pic
	make -j "$jobs"
	make install
}

rm -rf "$work"
mkdir -p "$work/src"
fetch_upstream || fetch_distribution || {
	say "no source of version $version could be reached" >&2
	exit 1
}
tar -xf "$work/source.tar" -C "$work/src" --strip-components=1
say "building (about half a minute)"
(cd "$work/src" && "build_$name") >"$work/build.log" 2>&1 || {
	tail -n 30 "$work/build.log" >&2
	say "the build failed; see $work/build.log" >&2
	exit 1
}
rm -rf "$work/src" "$work/source.tar" "$work/apt"
say "installed into .deps/"
