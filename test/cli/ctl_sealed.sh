#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pm-ctl sealed inspect: frames, lengths and the final marker, of files and pipes.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# stream COUNT: a header and so many frames of 33, 1033, ... bytes, the last one final; all zeros.
stream() {
	python3 -c '
import struct, sys
n = int(sys.argv[1])
out = bytes(range(32))
for i in range(n):
    size = 33 + 1000 * i
    out += struct.pack(">IB", size, i + 1 == n) + bytes(size - 1)
sys.stdout.buffer.write(out)' "$1"
}

stream 3 >"$work/good"
head -c 2000 "$work/good" >"$work/cut"
head -c 69 "$work/good" >"$work/no-final"
: >"$work/empty"
{ cat "$work/good" && printf x; } >"$work/more"
{ head -c 35 "$work/good" && printf '\040'; } >"$work/short-frame"
{ head -c 32 "$work/good" && printf '\001\000\000\000'; } >"$work/long-frame"
{ head -c 36 "$work/good" && printf '\002' && head -c 32 /dev/zero; } >"$work/flag"

run 0 "a whole stream" "$bin/pm-ctl" sealed inspect "$work/good"
says "header 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
says "0       33"
says "2     2033"
says "final"
says "3 frames, 3143 bytes, whole; not authenticated"

run 0 "a pipe" sh -c "cat '$work/good' | '$bin/pm-ctl' sealed inspect -"
says "3 frames"
run 0 "a pipe in two pieces" sh -c "{ head -c 50; cat; } <'$work/good' | '$bin/pm-ctl' sealed inspect"
says "3 frames"

run 0 "JSON" "$bin/pm-ctl" sealed inspect --json "$work/good"
is_json 'o["whole"] and o["final"] and o["bytes"] == 3143 and len(o["frames"]) == 3'
is_json 'o["frames"][1] == {"index": 1, "length": 1033, "final": False}'
is_json 'o["header"] == bytes(range(32)).hex() and o["reason"] == ""'

run 1 "cut within a frame" "$bin/pm-ctl" sealed inspect "$work/cut"
says "sealed.end: found a part of a frame, expected a final frame"
run 1 "cut between frames" "$bin/pm-ctl" sealed inspect "$work/no-final"
says "sealed.end: found an end between two frames"
run 1 "nothing" "$bin/pm-ctl" sealed inspect "$work/empty"
says "sealed.end: found nothing"
run 1 "bytes after the end" "$bin/pm-ctl" sealed inspect "$work/more"
says "sealed.end: found 1 bytes, expected nothing after the final frame"
run 1 "frame too short" "$bin/pm-ctl" sealed inspect "$work/short-frame"
says "sealed.length: found 32, expected at least 33"
run 1 "frame too long" "$bin/pm-ctl" sealed inspect "$work/long-frame"
says "sealed.length: found 16777216, expected at most 65565"
run 1 "another flag" "$bin/pm-ctl" sealed inspect "$work/flag"
says "sealed.flag: found 2, expected 0 or 1"
run 1 "JSON of a bad one" "$bin/pm-ctl" sealed inspect --json "$work/cut"
is_json 'not o["whole"] and not o["final"] and len(o["frames"]) == 2 and "sealed.end" in o["reason"]'

run 2 "no verb" "$bin/pm-ctl" sealed
run 2 "another verb" "$bin/pm-ctl" sealed open
run 2 "too many files" "$bin/pm-ctl" sealed inspect "$work/good" "$work/good"
run 2 "no such file" "$bin/pm-ctl" sealed inspect "$work/none"
run 2 "a full disk" sh -c "'$bin/pm-ctl' sealed inspect '$work/good' >/dev/full"
run 0 "help" "$bin/pm-ctl" sealed --help
says "pm-ctl sealed inspect"

finish
