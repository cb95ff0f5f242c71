#!/bin/sh
# The kernel of the VM tests: the distribution's, for clouds, unpacked into .deps/vm. It is not
# installed. Where there is none for this machine the tests are skipped, and this says so.
set -eu
cd "$(dirname "$0")/.."
dir=$PWD/.deps/vm
meta=linux-image-cloud-amd64
modules="virtio_pci virtio_blk dm-verity erofs squashfs loop cuse"

skip() {
	echo "vm-kernel: $*: the VM tests will be skipped" >&2
	exit 0
}

# has_all: unpacked before, with every module of the list.
has_all() {
	[ -e "$dir/vmlinuz" ] || return 1
	for module in $modules; do
		[ -e "$dir/modules/$module.ko" ] || return 1
	done
}

! has_all || exit 0
[ "$(dpkg --print-architecture)" = amd64 ] || skip "made for amd64"
package=$(apt-cache depends $meta 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || skip "there is no package $meta"
echo "vm-kernel: unpacking $package"
mkdir -p "$dir"
work=$(mktemp -d "$dir/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download -qq "$package" 2>"$work/err") || {
	cat "$work/err" >&2
	skip "$package can't be downloaded"
}
dpkg-deb -x "$work"/linux-image-*.deb "$work/tree"
version=$(ls "$work/tree/lib/modules")
busybox depmod -b "$work/tree" "$version"

# The modules that are wanted, each after what it needs: modules.dep lists that in reverse.
for module in $modules; do
	busybox awk -v name="$module" -F '[: ]+' '
		{ deps[$1] = $0 }
		END {
			for (path in deps)
				if (path ~ "/" name "\\.ko$") {
					n = split(deps[path], part, /[: ]+/)
					for (i = n; i > 0; i--)
						if (part[i] != "") print part[i]
				}
		}' "$work/tree/lib/modules/$version/modules.dep"
done | busybox awk '!seen[$0]++' >"$work/order"
mkdir "$work/modules"
while read -r path; do
	cp "$work/tree/lib/modules/$version/$path" "$work/modules/"
	basename "$path"
done <"$work/order" >"$work/modules/order"
rm -rf "$dir/modules"
mv "$work/modules" "$dir/modules"
mv "$work"/tree/boot/vmlinuz-* "$dir/vmlinuz" # last: its presence says that all is there
