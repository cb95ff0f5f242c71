#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ctl_log.sh BIN: audit logs, as those who look after a deployment read them.
# shellcheck source=test/cli/lib.sh
logs=$(cd "$(dirname "$0")/../fuzz/corpus/audit" && pwd)
. "$(dirname "$0")/lib.sh"
ctl=$bin/pm-ctl
cd "$work" || exit 1

# The key of the corpus: its seed is 00 01 .. 1f.
cat >log.key <<-'END'
	-----BEGIN PRIVATE KEY-----
	MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
	-----END PRIVATE KEY-----
END
openssl pkey -in log.key -pubout -out log.pub
"$ctl" key new --type ed25519 -o other.key --public other.pub >/dev/null

# verify STATUS WHAT FILE OPTION...
verify() {
	status=$1
	what=$2
	file=$3
	shift 3
	run "$status" "$what" "$ctl" log verify "$file" --key log.pub "$@"
}

run 2 "no verb" "$ctl" log
run 0 "help" "$ctl" log --help
run 0 "help of verify" "$ctl" log verify --help
says "Examples:"
run 2 "no key" "$ctl" log verify "$logs/two"
verify 2 "two files" "$logs/two" "$logs/two"
verify 2 "no such file" none
run 2 "no such key" "$ctl" log verify "$logs/two" --key none
run 1 "a key that is none" "$ctl" log verify "$logs/two" --key "$logs/two"

verify 0 "two entries" "$logs/two"
says "2 entries up to 2"
head=$(tail -n 1 "$out")
verify 0 "one entry" "$logs/one"
one=$(tail -n 1 "$out")
verify 0 "--json" "$logs/two" --json
is_json "o['verdict'] == 'accepted' and o['entries'] == 2 and o['time'] == '2026-03-01T00:00:01Z'"
is_json "'2:' + o['head'] == '$head'"

run 1 "another key" "$ctl" log verify "$logs/two" --key other.pub
says "line 1: found another, expected a signature of the log's key"
verify 1 "another name" "$logs/two" --name secrets
says "line 1: found log coordinator"
verify 0 "by its name" "$logs/other-log" --name other
verify 1 "an entry that was changed" "$logs/edited"
says "line 2:"
verify 1 "an entry that was dropped" "$logs/second"
says "expected entry 1"
verify 1 "entries that were moved" "$logs/swapped"
verify 1 "a line that was cut" "$logs/truncated"
says "a newline at its end"
verify 1 "an empty file" /dev/null
verify 1 "refused, --json" "$logs/edited" --json
is_json "o['verdict'] == 'rejected' and 'line 2' in o['reason'] and 'head' not in o"

verify 0 "what was seen is there" "$logs/two" --seen "$one"
verify 0 "and at the end" "$logs/two" --seen "$head"
verify 0 "the rest alone" "$logs/second" --seen "$one"
verify 1 "cut off at the end" "$logs/one" --seen "$head"
says "audit.rollback"
verify 1 "a fork" "$logs/two" --seen "1:$(printf %064d 0)"
says "audit.fork"
for bad in 1 0:"${one#*:}" x:"${one#*:}" 1:00 -1:"${one#*:}" "$one"0; do
	verify 2 "seen $bad" "$logs/two" --seen "$bad"
done

finish
