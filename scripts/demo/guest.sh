#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the virtual machine of disk.sh: what pm-mount does with a good disk, with one whose weights were
# changed in place, and with one that was made from other weights. The first serial line gets the kernel's messages.
/bin/busybox mkdir -p /bin /dev /proc /sys /run /tmp /model
/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do
	insmod "/modules/$module"
done </modules/order
cd /data || exit
exec >/dev/ttyS1 2>&1 </dev/null

show() {
	echo "guest# $*"
	"$@" && return
	echo "(exit status $?)"
}
mount_model() {
	show pm-mount --manifest manifest.json --model tiny --device "$1" --target /model
}

echo "== good"
mount_model /dev/vda
show cat /model/config.json
grep pm-tiny /proc/mounts
pm-mount --umount --model tiny --target /model
echo "== changed"
mount_model /dev/vdb
show sha256sum /model/weights.bin
pm-mount --umount --model tiny --target /model
echo "== other"
mount_model /dev/vdc
echo "== end"
poweroff -f
