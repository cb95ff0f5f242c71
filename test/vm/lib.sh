# SPDX-License-Identifier: Apache-2.0
# Helpers of the cases. Each check is one line on descriptor 3: "ok NAME" or "not ok NAME: WHY".
# shellcheck shell=sh
manifest=/data/manifest.json
target=/tmp/target
out=/tmp/out
mkdir -p $target

# disk SERIAL: its device
disk() {
	for block in /sys/block/vd*; do
		[ "$(cat "$block/serial")" = "$1" ] && echo "/dev/${block##*/}"
	done
}

pass() {
	echo "ok $1" >&3
}

fail() {
	echo "not ok $1: $2" >&3
	sed 's/^/# /' $out >&3
}

# check NAME COMMAND...: the command succeeds
check() {
	name=$1
	shift
	if "$@"; then
		pass "$name"
	else
		fail "$name" "not so: $*"
	fi
}

# exits NAME STATUS COMMAND...: the command ends with that status; what it says goes to $out
exits() {
	name=$1 want=$2
	shift 2
	"$@" >$out 2>&1
	got=$?
	if [ $got = "$want" ]; then
		pass "$name"
	else
		fail "$name" "exit status $got, expected $want: $*"
	fi
}

# mounted MODEL
mounted() {
	grep -q "^/dev/mapper/pm-$1 " /proc/mounts
}

# No mount and no device of ours is there.
nothing_left() {
	! grep -q /dev/mapper/pm- /proc/mounts && [ -z "$(ls -d /sys/block/dm-* 2>/dev/null)" ] &&
		! ls /dev/mapper/pm-* >/dev/null 2>&1
}

# attempt MODEL [OPTION]...: mount the model from the disk of that name; the status stays in $got
attempt() {
	model=$1
	shift
	pm-mount --manifest $manifest --model "$model" --device "$(disk "$model")" --target $target \
		"$@" >$out 2>&1
	got=$?
}

# refused MODEL STATUS TEXT [OPTION]...: the mount fails so, says so, and leaves nothing
refused() {
	model=$1 want=$2 text=$3
	shift 3
	attempt "$model" "$@"
	name="refused-$model"
	if [ $got != "$want" ]; then
		fail "$name" "exit status $got, expected $want"
	elif ! grep -qF "$text" $out; then
		fail "$name" "does not say '$text'"
	elif ! nothing_left; then
		fail "$name" "something is left behind"
	else
		pass "$name"
	fi
}

same_content() {
	(cd "${1:-$target}" && sha256sum -s -c /data/sums)
}

umount_model() {
	pm-mount --umount --model "$1" --target $target
}

# works MODEL FILESYSTEM [OPTION]...: mounted as promised, the same content, unmounted
works() {
	model=$1 filesystem=$2
	shift 2
	rm -f /run/status
	attempt "$model" --status /run/status "$@"
	check "$model-mounts" [ $got = 0 ]
	check "$model-content" same_content
	check "$model-options" grep -q "^/dev/mapper/pm-$model $target $filesystem ro,nosuid,nodev,noexec" /proc/mounts
	check "$model-status" grep -q "\"root_hash\": \"$(cat "/data/$model.root")\"" /run/status
	check "$model-verified" grep -q '"state": "verified"' /run/status
	exits "$model-check" 0 pm-mount --check --model "$model" --manifest $manifest
	exits "$model-unmounts" 0 umount_model "$model"
	check "$model-gone" nothing_left
}
