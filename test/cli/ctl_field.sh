#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ctl_field.sh BIN VECTORS: pm-ctl field and pm-ctl shard-key: what they make, and how they end when something is
# wrong.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
ctl=$bin/pm-ctl
vectors=$2/privatemode
key=01020304050607080910111213141516171819202122232425262728293031ff
nonce=0102030405060708090a0b0c

# same WHAT FILE FILE
same() {
	checks=$((checks + 1))
	cmp -s "$2" "$3" && return
	failures=$((failures + 1))
	echo "FAILED: $1: $2 and $3 differ"
}

printf '"a value\n with\000 bytes"' >"$work/value"
printf %s "$key" >"$work/key.hex"
printf '%s\n' "$key" >"$work/key.line"
head -c 32 /dev/zero >"$work/key.raw"
head -c 31 /dev/zero >"$work/key.short"

# --- a message and back --------------------------------------------------------------------------

run 0 "seal" "$ctl" field seal --key "$key" --id some-id --nonce $nonce --seq 7 "$work/value"
cp "$out" "$work/message"
says "\"some-id:$nonce:"
run 0 "open" "$ctl" field open --key "$key" --nonce $nonce --seq 7 "$work/message"
same "open" "$out" "$work/value"
for file in hex line; do
	run 0 "open --key @key.$file" "$ctl" field open --nonce $nonce "$work/message" --seq 7 --key "@$work/key.$file"
	same "open --key @key.$file" "$out" "$work/value"
done
run 0 "seal with the raw key" "$ctl" field seal --key "@$work/key.raw" --id i --nonce $nonce --seq 0 "$work/value"
tr -d '\n' <"$out" >"$work/message0"
zeros=$(printf '%064d' 0)
"$ctl" field open --key "$zeros" --nonce $nonce --seq 0 <"$work/message0" >"$work/piped" ||
	failures=$((failures + 1))
same "from standard input, without newline" "$work/piped" "$work/value"
# shellcheck disable=SC2016 # for the inner shell
run 0 "open -" sh -c '"$1" field open --key "$2" --nonce "$3" --seq 0 - <"$4"' - "$ctl" "$zeros" $nonce "$work/message0"
same "open -" "$out" "$work/value"

# --- reasons -------------------------------------------------------------------------------------

run 1 "wrong key" "$ctl" field open --key "$zeros" --nonce $nonce --seq 7 "$work/message"
says "wrong key"
run 1 "wrong position" "$ctl" field open --key "$key" --nonce $nonce --seq 8 "$work/message"
says "wrong position: this is message 7, not 8"
run 1 "wrong nonce" "$ctl" field open --key "$key" --nonce "${nonce%c}d" --seq 7 "$work/message"
says "field.nonce"
sed 's/:/::/' "$work/message" >"$work/bad"
run 1 "malformed" "$ctl" field open --key "$key" --nonce $nonce --seq 7 "$work/bad"
says "malformed"
tr a-f A-F <"$work/message" >"$work/bad"
run 1 "upper case" "$ctl" field open --key "$key" --nonce $nonce --seq 7 "$work/bad"
run 1 "empty" "$ctl" field open --key "$key" --nonce $nonce --seq 7 /dev/null
says "malformed"

# --- usage ---------------------------------------------------------------------------------------

run 0 "help" "$ctl" field --help
run 2 "no verb" "$ctl" field
run 2 "unknown verb" "$ctl" field close --key "$key" --nonce $nonce --seq 0 "$work/message"
run 2 "no key" "$ctl" field open --nonce $nonce --seq 0 "$work/message"
run 2 "no nonce" "$ctl" field open --key "$key" --seq 0 "$work/message"
run 2 "no seq" "$ctl" field open --key "$key" --nonce $nonce "$work/message"
run 2 "no id" "$ctl" field seal --key "$key" --nonce $nonce --seq 0 "$work/value"
run 2 "bad id" "$ctl" field seal --key "$key" --id a:b --nonce $nonce --seq 0 "$work/value"
run 2 "id of a message" "$ctl" field open --key "$key" --id i --nonce $nonce --seq 0 "$work/message"
run 2 "short key" "$ctl" field open --key "${key#01}" --nonce $nonce --seq 0 "$work/message"
run 2 "short key in a file" "$ctl" field open --key "@$work/key.short" --nonce $nonce --seq 0 "$work/message"
run 2 "no key file" "$ctl" field open --key "@$work/none" --nonce $nonce --seq 0 "$work/message"
run 2 "short nonce" "$ctl" field open --key "$key" --nonce 00 --seq 0 "$work/message"
for seq in -1 4294967296 x 1x ''; do
	run 2 "seq '$seq'" "$ctl" field open --key "$key" --nonce $nonce --seq "$seq" "$work/message"
done
run 2 "two files" "$ctl" field open --key "$key" --nonce $nonce --seq 7 "$work/message" "$work/message"
run 2 "no file" "$ctl" field open --key "$key" --nonce $nonce --seq 7 "$work/none"

# --- shard keys ----------------------------------------------------------------------------------

printf '%64s' '' | tr ' ' a >"$work/content"
run 0 "shard key" "$ctl" shard-key --salt test-salt "$work/content"
[ "$(cat "$out")" = 087280357dfdc5a3-Q ] || says 087280357dfdc5a3-Q
run 0 "shard key of nothing" "$ctl" shard-key --salt test-salt
[ "$(cat "$out")" = 087280357dfdc5a3 ] || says "the salt's digits alone"
head -c 4000004 /dev/zero >"$work/long"
run 1 "too long" "$ctl" shard-key --salt test-salt "$work/long"
run 2 "no salt" "$ctl" shard-key "$work/content"
run 2 "two files of content" "$ctl" shard-key --salt s "$work/content" "$work/content"
run 0 "help of shard-key" "$ctl" shard-key --help

# --- real messages -------------------------------------------------------------------------------

if [ -f "$vectors/field_messages.jsonl" ]; then
	python3 - "$vectors/field_messages.jsonl" "$work" >"$work/rows" <<'END'
import json, pathlib, sys
for i, line in enumerate(open(sys.argv[1])):
    row = json.loads(line)
    if i % 11 or len(row["key"]) != 64:
        continue
    pathlib.Path(sys.argv[2], f"m{i}").write_text(row["message"])
    pathlib.Path(sys.argv[2], f"p{i}").write_bytes(bytes.fromhex(row["plaintext_hex"]))
    print(i, row["key"], row["nonce"], row["seq"])
END
	while read -r i k n s; do
		run 0 "row $i" "$ctl" field open --key "$k" --nonce "$n" --seq "$s" "$work/m$i"
		same "row $i" "$out" "$work/p$i"
	done <"$work/rows"
else
	echo "skipped: the folder with real vectors is not here"
fi
finish
