# SPDX-License-Identifier: Apache-2.0
# What pm-mount promises, in a kernel with dm-verity. Runs in the guest: busybox and our programs.
# shellcheck shell=sh
# shellcheck source=test/vm/lib.sh
. /lib.sh

# --- what works -----------------------------------------------------------------------------------

works erofs erofs
works ext4 ext4
works squashfs squashfs
works blocks erofs --on-corruption restart
check status-on-corruption grep -q '"on_corruption": "restart"' /run/status

# Our own image, by us and by veritysetup.
works ours erofs
exits ours-veritysetup-opens 0 veritysetup open "$(disk ours)" theirs "$(disk ours)" "$(cat /data/ours.root)" \
	--hash-offset "$(cat /data/ours.offset)"
check ours-veritysetup-mounts mount -t erofs -o ro /dev/mapper/theirs $target
check ours-veritysetup-content same_content
umount $target
veritysetup close theirs

# A file with an image gets a loop device.
cat "$(disk erofs)" >/tmp/image
exits loop-mounts 0 pm-mount --manifest $manifest --model erofs --device /tmp/image --target $target --status -
check status-alone [ "$(head -n 1 $out)$(tail -n 1 $out)" = "{}" ]
check loop-content same_content
umount_model erofs
check loop-gone nothing_left
check loop-detached [ -z "$(losetup -a)" ]
rm /tmp/image

# --- what is refused --------------------------------------------------------------------------------

refused badroot 1 root_hash
refused badsalt 1 salt
refused badblocks 1 data_blocks
refused nosuper 1 superblock
refused short 1 device.size
refused topflip 1 root_hash
refused firstflip 1 data.first_block
refused nofs 1 filesystem
refused absent 1 "no model absent"

echo "of yesterday" >/run/status
attempt badroot --status /run/status
check old-status-gone [ ! -e /run/status ]

missing() {
	pm-mount --manifest $manifest --model erofs --device "$(disk erofs)" --target "$1" >$out 2>&1
	[ $? = 2 ] && grep -qF "$2" $out && nothing_left
}
check target-missing missing /tmp/nowhere "No such file"
touch $target/file
check target-not-empty missing $target "holds files"
rm $target/file
ln -s $target /tmp/link
check target-link missing /tmp/link target
touch /tmp/file
check target-file missing /tmp/file "Not a directory"
attempt erofs --status /tmp/nowhere/status
check status-unwritable [ $got = 2 ]
check status-unwritable-gone nothing_left
refused erofs 2 "no such device in time" --wait 1 --device /dev/nowhere

# --- a second mount, a busy one -----------------------------------------------------------------------

attempt erofs
mkdir /tmp/second
exits second-refused 2 pm-mount --manifest $manifest --model erofs --device "$(disk erofs)" --target /tmp/second
check second-says grep -q "active already" $out
check second-not-mounted [ -z "$(ls /tmp/second)" ]
check first-stays same_content
check read-only sh -c "! touch $target/new 2>/dev/null"
exits umount-other-refused 2 pm-mount --umount --model erofs --target /tmp/second
busy() {
	(cd $target && pm-mount --umount --model erofs --target $target)
}
exits umount-busy-refused 2 busy
check busy-stays mounted erofs
exits close-mounted-refused 2 pm-mount --umount --model erofs
umount $target
touch /run/status
exits close-alone 0 pm-mount --umount --model erofs --status /run/status
check close-status-gone [ ! -e /run/status ]
check close-gone nothing_left
exits umount-nothing-refused 2 umount_model erofs
exits check-nothing-refused 2 pm-mount --check --model erofs

# --- disks that somebody else opened under our name -----------------------------------------------------

# theirs DISK [OPTION]...
theirs() {
	theirs=$1
	shift
	veritysetup open "$(disk "$theirs")" pm-erofs "$(disk "$theirs")" "$(cat "/data/$theirs.root")" \
		--hash-offset "$(cat "/data/$theirs.offset")" "$@"
}

# foreign TEXT DISK [OPTION]...: --check refuses it, saying so
foreign() {
	text=$1
	shift
	exits "foreign-$1-opens" 0 theirs "$@"
	exits "foreign-$1-refused" 1 pm-mount --check --model erofs --manifest $manifest
	check "foreign-$1-says" grep -qF "$text" $out
	veritysetup close pm-erofs
}
foreign table.data_blocks squashfs
foreign table.on_corruption erofs --ignore-corruption
foreign table.check_at_most_once erofs --check-at-most-once
exits same-opens 0 theirs erofs
exits same-accepted 0 pm-mount --check --model erofs --manifest $manifest
exits same-closes 0 pm-mount --umount --model erofs
check same-gone nothing_left

# --- waiting, and the powers while it does --------------------------------------------------------------

device=$(disk erofs)
pm-mount --manifest $manifest --model erofs --device /dev/late --target $target --wait 60 >$out 2>&1 &
pid=$!
until grep -q '^NoNewPrivs:.1' "/proc/$pid/status" || [ ! -d "/proc/$pid" ]; do
	true
done
check capabilities-effective grep -q '^CapEff:.0000000008200000$' "/proc/$pid/status"
check capabilities-permitted grep -q '^CapPrm:.0000000008200000$' "/proc/$pid/status"
check capabilities-bounding grep -q '^CapBnd:.0000000008200000$' "/proc/$pid/status"
check still-waiting [ -d "/proc/$pid" ]
IFS=: read -r major minor <"/sys/block/${device##*/}/dev"
mknod /dev/late b "$major" "$minor"
exits late-mounts 0 wait $pid
check late-content same_content
umount_model erofs

# --- damage that shows when it is read --------------------------------------------------------------------

# damaged MODEL FILE: all files but this can be read
damaged() {
	attempt "$1"
	check "$1-mounts" [ $got = 0 ]
	check "$1-others-read" cmp -s $target/first /data/first
	exits "$1-check-before" 0 pm-mount --check --model "$1" --manifest $manifest
	check "$1-reader-fails" sh -c "! cat $target/$2 >/dev/null 2>$out"
	check "$1-reader-error" grep -q "Input/output error" $out
	exits "$1-check-after" 1 pm-mount --check --model "$1" --manifest $manifest --status /run/status
	check "$1-state" grep -q '"state": "corrupted"' /run/status
	umount_model "$1"
	check "$1-gone" nothing_left
}
damaged dataflip last
damaged treeflip last
