#!/bin/sh
# mount.sh BIN VECTORS: pm-mount up to where it needs a kernel with dm-verity; test/vm goes on from there.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
mount=$bin/pm-mount
PATH=$PATH:/usr/sbin:/sbin
image=$work/image
manifest=$work/manifest.json
target=$work/target
mkdir "$target"

# whole MODEL OPTION...: all that a mount needs, and more
whole() {
	model=$1
	shift
	"$mount" --manifest "$manifest" --model "$model" --device "$image" --target "$target" "$@"
}

usage_errors() {
	run 2 "nothing" "$mount"
	says "--model NAME is missing"
	run 0 "help" "$mount" --help
	says "Examples:"
	run 0 "version" "$mount" --version
	says "pm-mount "
	run 2 "unknown option" "$mount" --frobnicate
	run 2 "an argument too many" whole m more
	says "unexpected argument 'more'"
	run 2 "no manifest" "$mount" --model m --device d --target t
	run 2 "no device" "$mount" --model m --manifest f --target t
	run 2 "no target" "$mount" --model m --manifest f --device d
	run 2 "empty name" whole ""
	run 2 "long name" whole "$(printf '%0100d' 0)"
	for seconds in -1 x "" 86401 1s " 1" 99999999999999999999; do
		run 2 "--wait '$seconds'" whole m --wait "$seconds"
		says "is not a number of seconds"
	done
	run 2 "bad --on-corruption" whole m --on-corruption ignore
	says "'ignore' is not fail, panic or restart"
	run 2 "two actions" "$mount" --umount --check --model m
	run 2 "--umount --device" "$mount" --umount --model m --device d
	run 2 "--umount --manifest" "$mount" --umount --model m --manifest f
	run 2 "--check --wait" "$mount" --check --model m --wait 1
	run 2 "--check --target" "$mount" --check --model m --target t
	run 2 "no such file" whole m
	says "$manifest: No such file"
}

cases=$(dirname "$0")/../manifest/cases.py
around=$(PYTHONDONTWRITEBYTECODE=1 python3 "$cases" --around) || exit 1

# whole_manifest: standard input, the models, as a manifest
whole_manifest() {
	printf '%s%s%s' "${around%%MODELS*}" "$(cat)" "${around#*MODELS}"
}

# refuses WHAT TEXT JSON: a manifest that is rejected
refuses() {
	printf '%s' "$3" >"$manifest"
	run 1 "manifest: $1" whole m
	[ -z "$2" ] || says "$2"
}

root=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff

good="{\"m\": {\"salt\": \"00\", \"root_hash\": \"$root\", \"hash_offset\": 40960, \
\"data_blocks\": 10, \"data_block_size\": 4096, \"hash_block_size\": 4096}}"

# entry KEY VALUE: the good manifest with another value of one key
entry() {
	echo "$good" | sed "s/\"$1\": [^,}]*/\"$1\": $2/" | whole_manifest
}

# without KEY: the good manifest without it
without() {
	echo "$good" | sed "s/, \"$1\": [^,}]*//; s/{\"$1\": [^,}]*, /{/" | whole_manifest
}

# models JSON: as a manifest
models() {
	printf '%s' "$1" | whole_manifest
}

# The whole manifest is read as strictly as everywhere; test_manifest has each of its rules.
manifest_errors() {
	refuses "empty" "line 1" ''
	refuses "not JSON" "line 1" '{'
	refuses "behind the object" "end of file expected" "$(models '{}') {}"
	refuses "models alone" "at \$.version" '{"models": {}}'
	refuses "an array" "at \$" '[]'
	refuses "no such model" "no model m" "$(models "$(echo "$good" | sed 's/"m"/"n"/')")"
	refuses "not an object" "an empty array at \$.models.m" "$(models '{"m": []}')"
	refuses "doubled key" "duplicate object key" "$(models '{"m": {}, "m": {}}')"
	refuses "unknown key" "at \$.models.m.fec_offset" "$(entry salt '"00", "fec_offset": 1')"
	for key in root_hash hash_offset data_blocks salt data_block_size hash_block_size; do
		refuses "no $key" "nothing at \$.models.m.$key" "$(without $key)"
		refuses "$key null" "null at \$.models.m.$key" "$(entry $key null)"
		refuses "$key of another type" "an empty array at \$.models.m.$key" "$(entry $key '[]')"
	done
	for key in hash_offset data_blocks data_block_size hash_block_size; do
		for value in '"4096"' -1 4096.0 true 9223372036854775808; do
			refuses "$key $value" "" "$(entry $key "$value")"
		done
	done
	refuses "data_block_size of 33 bits" "at \$.models.m.data_block_size" "$(entry data_block_size 4294971392)"
	refuses "no blocks" "at \$.models.m.data_blocks" "$(entry data_blocks 0)"
	refuses "odd block size" "expected a power of two" "$(entry data_block_size 1000)"
	refuses "odd offset" "expected a multiple of 512" "$(entry hash_offset 40961)"
	refuses "short root_hash" "expected 64 lower-case" "$(entry root_hash '"00"')"
	refuses "root_hash with g" "expected 64 lower-case" "$(entry root_hash "\"g${root#0}\"")"
	refuses "odd salt" "expected at most 512" "$(entry salt '"000"')"
	refuses "long salt" "expected at most 512" "$(entry salt "\"$(printf '%0514d' 0)\"")"
	head -c 1050000 /dev/zero | tr '\0' ' ' >"$manifest"
	run 1 "manifest: long" whole m
	says "longer than"
}

# disk_refused STATUS WHAT TEXT KEY VALUE: the good image with another entry
disk_refused() {
	entry "$4" "$5" >"$manifest"
	run "$1" "$2" whole m
	says "$3"
}

disk_errors() {
	entry salt '"00"' >"$manifest"
	run 2 "no device" whole m
	says "no such device"
	head -c 40960 /dev/zero >"$image"
	run 1 "short" whole m
	says "device.size"
	head -c 49152 /dev/zero >"$image"
	run 1 "no superblock" whole m
	says "superblock"
	sed 's|"m"|"m/m"|' "$manifest" >"$manifest.slash"
	run 2 "slash in the name" "$mount" --manifest "$manifest.slash" --model m/m --device "$image" --target "$target"
	says "name: found pm-m/m"
	disk_refused 1 "tree within the data" hash_offset data_blocks 11
	"$bin/pm-disk" format -q "$image" --hash-offset 40960 --salt 00 >/dev/null || exit 1
	disk_refused 1 "another salt" salt salt '"01"'
	disk_refused 1 "another number of blocks" data_blocks data_blocks 9
	disk_refused 1 "another block size" block_size hash_block_size 2048
	disk_refused 1 "another root hash" root_hash salt '"00"'
	says "expected $root"
	head -c 45056 "$image" >"$image.short"
	run 1 "cut" "$mount" --manifest "$manifest" --model m --device "$image.short" --target "$target"
	says "device.size"
	run 2 "a folder as device" "$mount" --manifest "$manifest" --model m --device / --target "$target"
	echo old >"$work/status"
	run 1 "an old status" whole m --status "$work/status"
	run 1 "... is removed" test -e "$work/status"
	run 1 "nothing is mounted" grep -q " $target " /proc/self/mounts
}

usage_errors
manifest_errors
disk_errors
finish
