# pm-mount with dm-verity: in a virtual machine, for this machine's kernel may lack device-mapper, and should keep its
# devices to itself. The machine boots while the demo goes on.
# shellcheck shell=sh disable=SC2154 # demo.sh sets what is not set here
kernel=.deps/vm
machine=
without_machine=

# what_lacks: why there is no virtual machine, or nothing.
what_lacks() {
	for program in busybox cpio mkfs.erofs qemu-system-x86_64; do
		command -v $program >/dev/null || echo "there is no $program"
	done
	[ -e $kernel/vmlinuz ] || echo "there is no kernel for it (scripts/vm-kernel.sh)"
	[ -x "$build/tools/pm-mount" ] || echo "this build has no pm-mount"
}

# make_disks: beside model.img one with a byte of the weights changed, and one made from other weights.
make_disks() {
	cp "$work/model.img" "$work/changed.img"
	at=$(grep -abo "the heaviest of the weights" "$work/model.img" | cut -d: -f1)
	printf T | dd of="$work/changed.img" bs=1 seek="$at" conv=notrunc 2>/dev/null
	cp -r "$work/model" "$work/other"
	echo "and one more" >>"$work/other/weights.bin"
	pm-disk build "$work/other" -o "$work/other.img" -q >/dev/null
}

# make_initramfs: busybox, pm-mount and what it is linked with, the kernel's modules and the manifest.
make_initramfs() {
	mkdir -p "$work/guest/bin" "$work/guest/lib" "$work/guest/lib64" "$work/guest/data"
	cp scripts/demo/guest.sh "$work/guest/init"
	chmod 755 "$work/guest/init"
	cp -r $kernel/modules "$work/guest/modules"
	cp "$work/manifest.json" "$work/guest/data"
	cp "$(command -v busybox)" "$build/tools/pm-mount" "$work/guest/bin"
	ldd "$(readlink -f "$build/tools/pm-mount")" | grep -o '/[^ ]* (0x' | sed 's/ (0x//' | while read -r library; do
		case $library in
		*/ld-linux*) cp "$library" "$work/guest/lib64" ;;
		*) cp "$library" "$work/guest/lib" ;;
		esac
	done
	(cd "$work/guest" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/initramfs"
}

# disk NAME: as qemu wants it.
disk() {
	echo "-drive file=$work/$1.img,if=none,id=$1,format=raw,readonly=on -device virtio-blk-pci,drive=$1,serial=$1"
}

boot() {
	without_machine=$(what_lacks | head -n 1)
	make_disks
	[ -z "$without_machine" ] || return 0
	make_initramfs
	# shellcheck disable=SC2046 # words on purpose
	launch machine qemu-system-x86_64 -accel tcg -cpu max -m 384 -nodefaults -display none -no-reboot \
		-kernel $kernel/vmlinuz -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" \
		-serial "file:$work/console" -serial "file:$work/guest.out" $(disk model) $(disk changed) $(disk other)
	machine=$daemon
}

# guest_said NAME TEXT: what the machine did with this disk, in which there must be the text.
guest_said() {
	if [ -n "$without_machine" ]; then
		echo "(not shown: $without_machine)"
		return
	fi
	tries=0
	until grep -q "== end" "$work/guest.out" 2>/dev/null; do
		if [ $tries -ge 1200 ] || ! is_alive "$machine"; then
			cat "$work/console" >&2
			die "the virtual machine did not do its work"
		fi
		tries=$((tries + 1))
		sleep 0.1
	done
	tr -d '\r' <"$work/guest.out" | sed -n "/^== $1/,/^==/p" | grep -v '^==' >"$work/out"
	short <"$work/out"
	said "$2"
}
