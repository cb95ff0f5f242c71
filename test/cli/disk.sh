#!/bin/sh
# disk.sh PROGRAMS: pm-disk as a user runs it, and veritysetup beside it where that is installed.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"

disk=$bin/pm-disk/pm-disk
[ -x "$disk" ] || disk=$bin/pm-disk
uuid=11223344-5566-7788-99aa-bbccddeeff01
cd "$work" || exit 1

# fail TEXT
fail() {
	failures=$((failures + 1))
	echo "FAILED: $1"
}

# random FILE SIZE
random() {
	head -c "$2" /dev/urandom >"$1"
}

# root: the root hash in the last output
root() {
	sed -n 's/^Root hash  *//p' "$out"
}

# flip FILE OFFSET: another byte there
flip() {
	python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)
f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))' "$1" "$2"
}

# same WHAT FILE FILE
same() {
	checks=$((checks + 1))
	cmp -s "$2" "$3" && return
	fail "$1: $2 and $3 differ"
}

# absent WHAT PATTERN...: no such file
absent() {
	what=$1
	shift
	checks=$((checks + 1))
	[ ! -e "$1" ] && return
	fail "$what: left behind: $*"
}

# --- format, verify, info, manifest-entry ---------------------------------------------------------

random image 1228800
cp image before
run 0 "format" "$disk" format image --uuid $uuid --salt 00ff
hash=$(root)
run 0 "verify" "$disk" verify image --root-hash "$hash"
says "taken from the disk itself      data_blocks, data_block_size, hash_block_size, salt"
says "image: verified, with parameters of its own"
run 0 "verify, all demanded" "$disk" verify image --root-hash "$hash" --data-blocks 300 --salt 00ff \
	--data-block-size 4096 --hash-block-size 4096 --json
is_json "o['verified'] and 'not_demanded' not in o and o['checks'][-1]['name'] == 'data'"
run 1 "other number of blocks" "$disk" verify image --root-hash "$hash" --data-blocks 299
says "superblock.data_blocks"
run 1 "other salt" "$disk" verify image --root-hash "$hash" --salt 01
says "superblock.salt"
run 0 "info" "$disk" info image --json
is_json "o['root_hash'] == '$hash' and o['uuid'] == '$uuid' and o['data_blocks'] == 300"
is_json "o['hash_offset'] == 1228800 and o['salt'] == '00ff' and o['tree_levels'] == 2"
run 0 "manifest-entry" "$disk" manifest-entry image --name model
is_json "set(o) == {'model'} and set(o['model']) == {'root_hash', 'hash_offset', 'data_blocks', 'salt',
 'data_block_size', 'hash_block_size'} and o['model']['root_hash'] == '$hash'"
run 0 "manifest-entry" "$disk" manifest-entry image
cp "$out" entry
run 0 "verify by entry" "$disk" verify image --entry entry
run 2 "entry and more" "$disk" verify image --entry entry --salt 00
sed 's/"salt"/"pepper"/' entry >bad-entry
run 1 "an entry with another member" "$disk" verify image --entry bad-entry
run 1 "entry of another disk" "$disk" manifest-entry image --root-hash "$(printf '%064d' 0)"
run 2 "format twice" "$disk" format image
says "has a tree already"
run 0 "format again, on purpose" "$disk" format image --hash-offset 1228800 --uuid $uuid --salt 00ff
[ "$(root)" = "$hash" ] || fail "another root hash"

cp image good
flip image 700000
run 1 "a flipped bit in the data" "$disk" verify image --entry entry
says "block 170 at offset 696320"
says "NOT VERIFIED"
run 1 "no entry for a damaged disk" "$disk" manifest-entry image
cp good image
flip image $((1228800 + 2 * 4096 + 5))
run 1 "a flipped bit in the tree" "$disk" verify image --entry entry
says "block 1 at offset 1236992"
cp good image
truncate -s -1 image
run 1 "a short disk" "$disk" verify image --entry entry
says "found 1249279, expected at least 1249280 bytes"
run 1 "nothing at its end" "$disk" info image
truncate -s 1000 image
run 1 "a very short disk" "$disk" verify image --entry entry
cp good image
run 1 "another root hash" "$disk" verify image --root-hash "$(printf '%064d' 0)"
flip image 1228801
run 1 "no superblock" "$disk" verify image --root-hash "$hash" --hash-offset 1228800
says "superblock.signature"
run 1 "no superblock, JSON" "$disk" verify image --root-hash "$hash" --hash-offset 1228800 --json
is_json "not o['verified'] and 'superblock.signature' in o['reason']"
run 1 "nothing at its end, JSON" "$disk" verify image --root-hash "$hash" --json
is_json "not o['verified'] and 'does not end with a hash tree' in o['reason']"
run 1 "an entry with another member, JSON" "$disk" verify good --entry bad-entry --json
is_json "not o['verified'] and o['reason']"
run 2 "no such image, JSON" "$disk" verify nowhere --entry entry --json
is_json "not o['verified'] and o['reason']"

# The tree begins at a block of its own size: these disks end where others of less data would.
for blocks in 8 9 15 300; do
	random fine $((blocks * 512))
	run 0 "data blocks smaller than the tree's" "$disk" format fine --data-block-size 512
	run 0 "found by its end" "$disk" info fine --json
	is_json "o['data_blocks'] == $blocks and o['hash_offset'] == $blocks * 512"
done

# --- usage ----------------------------------------------------------------------------------------

run 2 "no verb" "$disk"
run 2 "unknown verb" "$disk" frob
run 2 "no image" "$disk" format
run 2 "no root hash" "$disk" verify image
run 2 "option of another verb" "$disk" info image --salt 00
run 2 "bad salt" "$disk" format image --salt 0
run 2 "salt too long" "$disk" format image --salt "$(printf '%0514d' 0)"
run 2 "bad UUID" "$disk" format image --uuid 11223344-5566-7788-99aa-bbccddeeff0
run 2 "bad number" "$disk" format image --hash-offset -1
run 2 "no such file" "$disk" info nowhere
run 2 "the image as its own hash file" "$disk" format image --hash-device ./image
run 1 "offset within a sector" "$disk" format image --hash-device tree --hash-offset 100
absent "a hash file that was begun" tree
for verb in build format verify info manifest-entry; do
	run 0 "help" "$disk" $verb --help
	says "Usage: pm-disk $verb"
done
for size in 0 1 4095 4097; do
	random odd $size
	run 1 "an image of $size bytes" "$disk" format odd
	checks=$((checks + 1))
	[ "$(wc -c <odd)" = $size ] || fail "the image of $size bytes has changed"
done

# --- faults ---------------------------------------------------------------------------------------

# The tree of 1 GiB takes 8 MiB; a limit of 4 above the image stops it half-way.
truncate -s 1G sparse
run 2 "no room behind the data" sh -c "ulimit -f $((2 * 1024 * (1024 + 4))) && exec '$disk' format sparse"
says "File too large"
checks=$((checks + 1))
[ "$(stat -c %s sparse)" = 1073741824 ] || fail "half a tree is left"
run 2 "no room for a hash file" sh -c "ulimit -f 4096 && exec '$disk' format sparse --hash-device tree"
absent "half a hash file" tree
run 0 "holes" "$disk" format sparse --hash-device tree --salt -
run 0 "holes, verified" "$disk" verify sparse --hash-device tree --root-hash "$(root)"
if mkdir small && mount -t tmpfs -o size=1m tmpfs small 2>/dev/null; then
	run 2 "a full disk" "$disk" format sparse --hash-device small/tree
	says "No space left on device"
	absent "half a hash file on a full disk" small/tree
	umount small
else
	echo "skipped: the full disk (may not mount a tmpfs here)"
fi

# --- build ----------------------------------------------------------------------------------------

make_folder() {
	mkdir -p "$1/sub/deep" "$1/.git"
	echo '{"layers": 2}' >"$1/config.json"
	cp before "$1/sub/weights-1.safetensors"
	echo x >"$1/sub/deep/x"
	echo y >"$1/.git/config"
	echo old >"$1/weights.bin"
	: >"$1/empty"
	ln -s ../config.json "$1/sub/link"
	chmod -R u=rwX,go=rX "$1"
}

if command -v mkfs.erofs >/dev/null; then
	make_folder model
	run 0 "build" "$disk" build model -o a.img --exclude .git --exclude '*.bin'
	hash=$(root)
	cp -r model copy
	find copy -exec touch -h -d 2001-02-03 {} +
	run 0 "build of a copy" "$disk" build copy -o b.img --exclude .git --exclude '*.bin' --json
	is_json "o['root_hash'] == '$hash' and o['files'] == 4 and o['excluded'] == ['.git', '*.bin']"
	is_json "o['erofs_version'].startswith('mkfs.erofs ')"
	same "build twice" a.img b.img
	same "its description" a.img.json b.img.json
	run 0 "verify what was built" "$disk" verify a.img --root-hash "$hash" --salt 00
	if command -v dump.erofs >/dev/null; then
		run 0 "list" dump.erofs --ls --path=/ a.img
		says "config.json"
		checks=$((checks + 1))
		grep -q 'git\|weights.bin' "$out" && fail "excluded files are there"
	fi
	run 0 "build with --include" "$disk" build model -o c.img --include '*.json' --include 'sub/deep/x' --json
	is_json "o['files'] == 2"
	echo more >>copy/config.json
	run 0 "build of another folder" "$disk" build copy -o b.img
	checks=$((checks + 1))
	[ "$(root)" != "$hash" ] || fail "the same root hash"

	cp a.img kept
	for defect in "ln -s /etc/passwd" "ln -s ../model/config.json" "ln -s nowhere" \
		"ln -s sub/../../model/config.json" "mkfifo" "ln bad/config.json"; do
		rm -rf bad
		make_folder bad
		$defect bad/defect
		run 1 "refuse: $defect" "$disk" build bad -o a.img
		says "bad/defect: "
	done
	rm -rf bad
	make_folder bad
	chmod 600 bad/config.json
	run 1 "refuse: mode" "$disk" build bad -o a.img
	says "mode 0600"
	run 0 "take the mode" "$disk" build bad -o d.img --keep-modes
	cat >changing-mkfs <<-'END'
	#!/bin/sh
	for folder; do :; done
	mkfs.erofs "$@" && echo changed >>"$folder/config.json"
	END
	cat >failing-mkfs <<-'END'
	#!/bin/sh
	exit 3
	END
	cat >ending-mkfs <<-'END'
	#!/bin/sh
	kill -TERM $PPID
	END
	chmod +x changing-mkfs failing-mkfs ending-mkfs
	run 1 "refuse: a file that changes" "$disk" build copy -o a.img --mkfs ./changing-mkfs
	says "config.json: changed while it was read"
	run 2 "mkfs.erofs fails" "$disk" build model -o a.img --mkfs ./failing-mkfs
	run 143 "a signal" "$disk" build model -o a.img --mkfs ./ending-mkfs
	run 2 "no mkfs.erofs" "$disk" build model -o a.img --mkfs ./nowhere
	run 2 "no folder" "$disk" build nowhere -o a.img
	run 2 "no output" "$disk" build model
	run 2 "no room for the image" sh -c "ulimit -f 2400 && exec '$disk' build model -o a.img"
	same "what failed left the old image" a.img kept
	absent "a temporary file" a.img.??????
else
	echo "skipped: build (mkfs.erofs is not installed)"
fi

# --- veritysetup, both directions -----------------------------------------------------------------

if command -v veritysetup >/dev/null; then
	for row in "1 0 00" "2 0 -" "255 4095 0102" "256 1 aabb" "16513 0 00ff"; do
		# shellcheck disable=SC2086 # three words
		set -- $row
		random data $(($1 * 4096 + $2))
		rm -f theirs ours
		run 0 "veritysetup format" veritysetup format --uuid=$uuid "--salt=$3" data theirs
		hash=$(sed -n 's/^Root hash:[[:space:]]*//p' "$out")
		run 0 "format, $1 blocks" "$disk" format data --hash-device ours --uuid $uuid --salt "$3" \
			--data-blocks "$1"
		same "hash files of $1 blocks" ours theirs
		run 0 "veritysetup verifies ours" veritysetup verify data ours "$hash"
		run 0 "we verify theirs" "$disk" verify data --hash-device theirs --root-hash "$hash" \
			--data-blocks "$1"
	done
	random data 1228800
	cp data ours
	cp data theirs
	run 0 "veritysetup, appended" veritysetup format --uuid=$uuid --salt=00 --hash-offset=1228800 theirs theirs
	run 0 "format, appended" "$disk" format ours --uuid $uuid --salt 00
	same "whole images" ours theirs
	run 0 "veritysetup verifies ours" veritysetup verify --hash-offset=1228800 ours ours "$(root)"
	run 0 "random salt and UUID" "$disk" format data --hash-device random-tree
	hash=$(root)
	run 0 "veritysetup verifies it" veritysetup verify data random-tree "$hash"
	flip data 5000
	run 1 "a flipped bit" "$disk" verify data --hash-device random-tree --root-hash "$hash"
else
	echo "skipped: byte identity with veritysetup, which is not installed"
fi
finish
