#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ctl_manifest.sh BIN: keys, manifests, signatures, history and memory, as operators and clients use them.
# shellcheck disable=SC2086 # words on purpose
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
ctl=$bin/pm-ctl
sim=$bin/pm-sim
m="$ctl manifest"
at="--time 2026-03-01T00:00:00Z"
cd "$work" || exit 1

# --- keys ----------------------------------------------------------------------------------------

keys() {
	run 2 "key without a verb" "$ctl" key
	run 0 "help of key" "$ctl" key --help
	run 0 "help of key new" "$ctl" key new --help
	says "Examples:"
	run 2 "no type" "$ctl" key new -o k
	run 2 "another type" "$ctl" key new --type rsa -o k
	for name in alice bob carol dave coordinator; do
		type=ed25519
		case $name in bob | dave | coordinator) type=p384 ;; esac
		run 0 "key of $name" "$ctl" key new --type $type -o $name.key --public $name.pub
	done
	run 0 "mode 600" test "$(stat -c %a alice.key)" = 600
	run 2 "no key is replaced" "$ctl" key new --type p384 -o alice.key
	says "exists already"
	run 2 "nor a public one" "$ctl" key new --type p384 -o eve.key --public alice.pub
	run 0 "openssl reads Ed25519" openssl pkey -in alice.key -pubout -out alice.openssl
	run 0 "... the same" cmp alice.openssl alice.pub
	run 0 "openssl reads P-384" openssl pkey -in bob.key -pubout -out bob.openssl
	run 0 "... the same" cmp bob.openssl bob.pub
	openssl genpkey -algorithm ed25519 -out eve.key 2>/dev/null
	openssl pkey -in eve.key -pubout -out eve.pub
	run 0 "show" "$ctl" key show eve.key
	says "algorithm: ed25519"
	cp "$out" shown
	run 0 "what show prints is a key" openssl pkey -pubin -in shown -noout
	run 0 "show --json" "$ctl" key show --json eve.pub
	id=$(openssl pkey -pubin -in eve.pub -outform DER | sha256sum | cut -d' ' -f1)
	is_json "o['id'] == '$id' and o['algorithm'] == 'ed25519'"
	run 0 "show --owner" "$ctl" key show --owner eve eve.pub
	is_json "o['name'] == 'eve' and o['key'].startswith('MCowBQYDK2VwAyEA')"
	run 1 "not a key" "$ctl" key show /dev/null
	share_keys
	run 2 "no file" "$ctl" key show none.key
	openssl genpkey -algorithm rsa -out rsa.key 2>/dev/null
	run 1 "RSA" "$ctl" key show rsa.key
	openssl pkey -in alice.key -aes256 -passout pass:x -out locked.key
	run 1 "encrypted" "$ctl" key show locked.key
}

# Keys that shares of a seed go to: those of X-Wing, which OpenSSL 3.0 does not know.
share_keys() {
	run 0 "X-Wing key" "$ctl" key new --type xwing -o share.key --public share.pub
	id=$(cat "$out")
	run 0 "mode 600" test "$(stat -c %a share.key)" = 600
	run 2 "no X-Wing key is replaced" "$ctl" key new --type xwing -o share.key
	run 0 "X-Wing key to standard output" "$ctl" key new --type xwing -o -
	says "BEGIN PRIVATE KEY"
	run 0 "show X-Wing" "$ctl" key show share.key
	says "algorithm: x-wing"
	says "id: $id"
	cp "$out" shown
	run 0 "what show prints is one too" "$ctl" key show --json shown
	is_json "o['id'] == '$id' and o['algorithm'] == 'x-wing'"
	openssl asn1parse -in share.pub >asn1 2>"$err"
	run 0 "its object identifier" grep -q "OBJECT *:1.3.6.1.4.1.62253.25722" asn1
	run 0 "the identifier is that of the encoding" test "$id" = "$(sed 1d share.pub | sed '$d' | base64 -d |
		sha256sum | cut -d' ' -f1)"
	run 0 "show --owner of X-Wing" "$ctl" key show --owner erin share.pub
	is_json "o['name'] == 'erin' and len(o['key']) == 1624"
	head -n 9 share.pub >half.pub
	run 1 "half a key" "$ctl" key show half.pub
}

# --- init ----------------------------------------------------------------------------------------

evidence() {
	data=$(printf %0128d 0)
	"$sim" init sim --time 2026-01-01T00:00:00Z >/dev/null || exit 1
	"$sim" report sim --report-data "$data" -o report --time 2026-02-01T00:00:00Z \
		--certs table >/dev/null || exit 1
	"$sim" report sim --report-data "$data" -o debug --field policy=0xb0000 >/dev/null || exit 1
	root=$(openssl x509 -inform DER -in sim/ark.der -outform DER | sha256sum | cut -d' ' -f1)
	cat >llama.json <<-END
		{"llama": {"root_hash": "$(printf %064d 1)", "hash_offset": 40960, "data_blocks": 10, "salt": "00",
		"data_block_size": 4096, "hash_block_size": 4096}}
	END
}

init() {
	run 0 "help of init" $m init --help
	says "Examples:"
	run 2 "no output" $m init
	run 1 "nothing is no manifest" $m init -o none.json
	says "at \$.roles"
	run 2 "evidence without a role" $m init -o none.json --from-evidence report
	run 1 "a guest that may be debugged" $m init -o none.json --role w --from-evidence debug
	says "may debug"
	run 1 "not evidence" $m init -o none.json --role w --from-evidence llama.json
	run 2 "bad GPU" $m init -o none.json --role w --gpu hopper
	run 2 "bad GPU count" $m init -o none.json --role w --gpu hopper:0
	run 2 "bad product" $m init -o none.json --product Rome
	run 2 "bad days" $m init -o none.json --days 0
	run 2 "bad owner" $m init -o none.json --owner alice.pub
	for root_of in gpu- rim- ""; do
		run 1 "bad root" $m init -o none.json --test-${root_of}root 00
	done
	run 1 "owner that is no key" $m init -o none.json --owner alice=llama.json
	run 1 "owner whose key can't sign" $m init -o none.json --owner alice=share.pub
	says "expected one Ed25519 or P-384 key"
	run 1 "share owner whose key signs" $m init -o none.json --seed-share-owner dave=dave.pub
	says "found another kind, expected X-Wing"
	run 1 "share owner whose private key signs" $m init -o none.json --seed-share-owner dave=dave.key
	run 2 "share owner without a name" $m init -o none.json --seed-share-owner share.pub
	run 2 "unexpected" $m init -o none.json more
	run 2 "secret of no role" $m init -o none.json --secret shared
	says "--secret needs a --role before it"
	run 1 "nothing was written" test -e none.json
	run 0 "init" $m init -o manifest.json --not-before 2026-01-01T00:00:00Z --days 365 \
		--role coordinator --from-evidence report --secret shared \
		--role worker --from-evidence report --gpu hopper:8 --model llama.json --calls coordinator \
		--workload-secret --secret "inference/*" --secret "inference/*" --secret shared \
		--owner alice=alice.pub --owner bob=bob.pub --owner carol=carol.pub --threshold 2 \
		--seed-share-owner dave=share.key --test-root "$root" \
		--test-gpu-root "$(printf %064d 2)" --test-rim-root "$(printf %064d 3)"
	run 0 "it is one" $m check manifest.json $at
	says "TEST ROOT: "
	says "role coordinator: no GPU is demanded"
	says "seed share owners: one share alone gives the seed back"
	run 0 "show" $m show manifest.json
	says "role worker"
	says "owners: 2 of 3"
	says "seed share owners: 1 of 1"
	says "dave (x-wing) $("$ctl" key show share.pub | sed -n 's/^id: //p')"
	says "TEST ROOT"
	python3 - <<-'END' || failures=$((failures + 1))
		import json, subprocess
		m = json.load(open("manifest.json"))
		report = open("report", "rb").read()
		snp = m["roles"]["worker"]["snp"]
		assert snp["measurements"] == [report[0x90:0xc0].hex()], snp
		assert list(snp["min_tcb"]) == ["Milan"] or list(snp["min_tcb"]) == ["Genoa"], snp
		assert m["roles"]["worker"]["gpu"]["min_count"] == 8
		assert m["roles"]["worker"]["models"] == ["llama"]
		assert m["not_after"] == "2027-01-01T00:00:00Z", m["not_after"]
		assert m["seed_share_owners"]["threshold"] == 1
		secrets = [{"id": "shared", "roles": ["coordinator", "worker"], "models": None},
			{"id": "inference/*", "roles": ["worker"], "models": None}]
		assert m["secrets"] == secrets, m["secrets"]
		roots = {k: v for k, v in m["extra_roots"].items() if k != "snp"}
		assert roots == {"gpu_device": ["2".zfill(64)], "gpu_rim": ["3".zfill(64)]}, roots
	END
}

# What a role says is what evidence of its guest satisfies: the policy file has the same words.
policy() {
	python3 - "$root" >policy.json <<-'END'
		import json, sys
		snp = json.load(open("manifest.json"))["roles"]["worker"]["snp"]
		snp = {k: v for k, v in snp.items() if v is not None and v is not False}
		print(json.dumps({**snp, "require_crl": False, "test_roots": [sys.argv[1]]}))
	END
	run 0 "the evidence satisfies its role" "$bin/pm-verify" snp report --certs table \
		--report-data "$(printf %0128d 0)" --policy policy.json $at
}

# --- check ---------------------------------------------------------------------------------------

check() {
	run 0 "help of check" $m check --help
	run 2 "no file" $m check
	run 2 "no such file" $m check none.json
	run 2 "bad time" $m check manifest.json --time yesterday
	run 2 "previous without signatures" $m check manifest.json --previous manifest.json
	run 2 "signatures without owners" $m check manifest.json --signatures x
	run 2 "history without key" $m check manifest.json --history x
	run 1 "expired" $m check manifest.json --time 2027-01-01T00:00:01Z
	says "manifest.validity"
	run 1 "not yet valid" $m check manifest.json --time 2025-12-31T23:59:59Z
	run 0 "check --json" $m check manifest.json $at --json
	is_json "o['verdict'] == 'accepted' and o['test_root'] and o['serial'] == 1 and len(o['hash']) == 64"
	is_json "any('TEST ROOT' in n for n in o['notes'])"
	sed 's/"serial": 1/"serial": 0/' manifest.json >bad.json
	run 1 "malformed" $m check bad.json
	says "0 at \$.serial"
	run 1 "malformed, --json" $m check bad.json --json
	is_json "o['verdict'] == 'rejected' and 'at \$.serial' in o['reason']"
	run 2 "no such file, --json" $m check none.json --json
	is_json "o['verdict'] == 'error' and o['reason']"
	run 1 "malformed signatures, --json" $m check manifest.json $at --json --signatures bad.json \
		--previous manifest.json
	is_json "o['verdict'] == 'rejected' and o['reason']"
	run 0 "hash" $m hash manifest.json
	python3 - "$(cat "$out")" <<-'END' || failures=$((failures + 1))
		import hashlib, json, sys
		text = json.dumps(json.load(open("manifest.json")), sort_keys=True, separators=(",", ":"))
		assert hashlib.sha256(b"libpm manifest v1\0" + text.encode()).hexdigest() == sys.argv[1]
	END
	run 1 "hash of a malformed one" $m hash bad.json
	run 2 "hash of two" $m hash manifest.json manifest.json
}

# --- signatures ----------------------------------------------------------------------------------

owners() {
	python3 -c 'import json; json.dump(json.load(open("manifest.json"))["owners"], open("owners.json", "w"))'
}

sign() {
	run 0 "help of sign" $m sign --help
	run 2 "no key" $m sign manifest.json -o sig
	mkfifo pipe
	cat pipe >piped &
	run 0 "into a pipe" $m sign manifest.json --message -o pipe
	wait
	run 0 "which stays one" test -p pipe
	run 0 "... and got all" test "$(wc -c <piped)" = 60
	run 2 "two ways" $m sign manifest.json -o sig --key alice.key --message
	run 0 "alice signs" $m sign manifest.json --key alice.key -o sig
	run 1 "one is not enough" $m check manifest.json $at --signatures sig --owners owners.json
	says "owners: found 1, expected 2 of 3 owners"
	run 1 "alice signs again" $m sign manifest.json --key alice.key -o sig
	says "has signed already"
	run 0 "the message" $m sign manifest.json --message -o message
	run 0 "openssl signs for bob" openssl dgst -sha384 -sign bob.key -out raw message
	run 1 "not under carol's name" $m sign manifest.json --public carol.pub --signature raw -o sig
	run 0 "bob's signature comes in" $m sign manifest.json --public bob.pub --signature raw -o sig
	run 0 "two are enough" $m check manifest.json $at --signatures sig --owners owners.json
	says "of alice"
	says "of bob"
	run 0 "eve signs too" $m sign manifest.json --key eve.key -o sig
	run 0 "which changes nothing" $m check manifest.json $at --signatures sig --owners owners.json
	says "who is none of the owners"
	run 1 "expired all the same" $m check manifest.json --time 2028-01-01T00:00:00Z --signatures sig \
		--owners owners.json
	run 0 "openssl signs for carol" openssl pkeyutl -sign -rawin -inkey carol.key -in message -out raw
	run 0 "carol's comes in" $m sign manifest.json --public carol.pub --signature raw -o sig
	python3 - <<-'END'
		import base64, json
		for i, s in enumerate(json.load(open("sig"))["signatures"]):
		    open(f"raw{i}", "wb").write(base64.b64decode(s["signature"]))
	END
	run 0 "openssl verifies Ed25519" openssl pkeyutl -verify -rawin -pubin -inkey alice.pub -in message \
		-sigfile raw0
	run 0 "openssl verifies P-384" openssl dgst -sha384 -verify bob.pub -signature raw1 message
	sed 's/"signature": "./"signature": "_/' sig >bad.sig
	run 1 "a broken file" $m check manifest.json $at --signatures bad.sig --owners owners.json
}

# --- the next one --------------------------------------------------------------------------------

update() {
	run 0 "update" $m init -o next.json --update manifest.json --not-before 2026-02-01T00:00:00Z \
		--days 365 --role worker --gpu hopper:4 --owner eve=eve.pub --threshold 1
	run 1 "diff" $m diff manifest.json next.json
	says "+ role worker: least number of GPUs 4, was 8"
	says "+ owners: 1 must agree, was 2"
	says "+ owners: the key of eve"
	says "~ serial 2, was 1"
	run 1 "diff --json" $m diff --json manifest.json next.json
	is_json "len(o['allows']) == 3 and not o['forbids'] and len(o['other']) == 3"
	run 0 "the other way it only forbids" $m diff next.json manifest.json
	says "- owners: the key of eve"
	run 0 "no difference" $m diff next.json next.json
	"$ctl" key new --type xwing -o erin.key >/dev/null
	run 0 "another share owner" $m init -o shares.json --update manifest.json --seed-share-owner erin=erin.key \
		--seed-threshold 2
	run 1 "diff of share owners" $m diff manifest.json shares.json
	says "+ seed share owners: the key of erin"
	says "- seed share owners: 2 must agree, was 1"
	run 2 "diff of one" $m diff next.json
	run 0 "eve signs the next" $m sign next.json --key eve.key -o next.sig
	run 1 "new owners do not decide" $m check next.json $at --signatures next.sig --previous manifest.json
	run 0 "alice signs the next" $m sign next.json --key alice.key -o next.sig
	run 0 "carol signs the next" $m sign next.json --key carol.key -o next.sig
	run 0 "the owners of before do" $m check next.json $at --signatures next.sig --previous manifest.json
	run 1 "signatures of another manifest" $m check next.json $at --signatures sig --previous manifest.json
	run 1 "... are not mixed" $m sign next.json --key bob.key -o sig
	says "another manifest"
	run 1 "it replaces itself" $m check next.json $at --signatures next.sig --previous next.json
	run 0 "a third" $m init -o third.json --update next.json --not-before 2026-02-01T00:00:00Z
	run 0 "a fork" $m init -o fork.json --update manifest.json --not-before 2026-02-02T00:00:00Z
	run 0 "its successor" $m init -o fork3.json --update fork.json --not-before 2026-02-02T00:00:00Z
}

# --- history and memory --------------------------------------------------------------------------

history() {
	run 0 "help of history" "$ctl" history --help
	run 0 "help of append" "$ctl" history append --help
	run 2 "no key" "$ctl" history append manifest.json -o history
	run 1 "not the first" "$ctl" history append next.json --key coordinator.key -o history
	run 1 "nothing was written" test -e history
	run 0 "the first" "$ctl" history append manifest.json --key coordinator.key -o history $at
	run 1 "again" "$ctl" history append manifest.json --key coordinator.key -o history $at
	cp history history1
	run 0 "the second" "$ctl" history append next.json --key coordinator.key -o history $at
	run 1 "not the fork" "$ctl" history append fork.json --key coordinator.key -o history $at
	run 0 "show" "$ctl" history show history
	says "2 2026-03-01T00:00:00Z"
	by="--history-key coordinator.pub $at"
	run 0 "history is good" $m check next.json --history history $by
	run 1 "of another key" $m check next.json --history history --history-key bob.pub $at
	says "history.signature"
	run 1 "another end" $m check manifest.json --history history $by
	run 0 "memory: first" $m check manifest.json --history history1 $by --memory memory
	run 0 "mode 600" test "$(stat -c %a memory)" = 600
	run 0 "memory: second" $m check next.json --history history $by --memory memory
	cp memory memory2
	run 1 "rollback" $m check manifest.json --history history1 $by --memory memory
	says "memory.rollback"
	run 0 "the memory is unchanged" cmp memory memory2
	run 1 "rollback without a history" $m check manifest.json $at --memory memory
	run 1 "fork without a history" $m check fork.json $at --memory memory
	says "memory.fork"
	run 1 "fork's successor" $m check fork3.json $at --memory memory
	cp history1 forked
	run 0 "a forked history" "$ctl" history append fork.json --key coordinator.key -o forked $at
	run 1 "fork" $m check fork.json --history forked $by --memory memory
	says "memory.fork"
	run 1 "expired: nothing is remembered" $m check third.json --time 2030-01-01T00:00:00Z --memory memory
	run 0 "the memory is unchanged" cmp memory memory2
	run 0 "the third" $m check third.json $at --memory memory
	run 1 "then the second is old" $m check next.json --history history $by --memory memory
	printf '{' >memory
	run 1 "damaged memory" $m check third.json $at --memory memory
	run 2 "no folder for it" $m check third.json $at --memory none/memory
}

keys
evidence
init
policy
check
owners
sign
update
history
finish
