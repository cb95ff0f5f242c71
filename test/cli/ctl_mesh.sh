#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ctl_mesh.sh BIN VECTORS BOX_TOOL: what owners and clients ask of a coordinator, by a double that says what
# coordinators say, and by some that do not.
# shellcheck source=test/cli/lib.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
ctl=$bin/pm-ctl
sim=$bin/pm-sim
verify=$bin/pm-verify
tool=$3
cd "$work" || exit 1
root=$(printf '%064d' 33)
commitment=$(printf '%064d' 5)

# --- a deployment ----------------------------------------------------------------------------------

mkdir state shares
"$sim" init state/host --product Genoa >/dev/null
"$sim" gpu init state/host --arch hopper --count 3 >/dev/null
"$ctl" key new --type ed25519 -o owner.key --public owner.pub >/dev/null
"$ctl" key new --type ed25519 -o stranger.key >/dev/null
"$ctl" key new --type p384 -o state/history.key --public state/history.pub >/dev/null
"$ctl" key new --type p384 -o state/other.key --public state/other.pub >/dev/null
"$ctl" key new --type xwing -o share.key --public state/share.pub >/dev/null
"$ctl" key new --type xwing -o other-share.key --public other-share.pub >/dev/null
"$ctl" key new --type xwing -o state/process.key --public state/process.pub >/dev/null

# make_manifest FILE [CHANGE]
make_manifest() {
	python3 "$here/worker_manifest.py" state/host "$1" "$root" "
import base64, time
def pem(name):
    return ''.join(x for x in open(name).read().splitlines() if not x.startswith('-'))
def der(name):
    return base64.b64encode(base64.b64decode(pem(name))[-1216:]).decode()
day = lambda n: time.strftime('%Y-%m-%dT00:00:00Z', time.gmtime(time.time() + n * 86400))
m['not_before'], m['not_after'] = day(-1), day(30)
plain = worker | {'gpu': None, 'models': []}
m['roles'] |= {'coordinator': plain, 'secrets': plain}
m['owners']['keys'] = [{'name': 'alice', 'key': pem('owner.pub')}]
m['seed_share_owners'] = {'threshold': 1, 'keys': [{'name': 'bob', 'key': der('state/share.pub')}]}
${2:-}"
}

make_manifest manifest.json
"$ctl" manifest sign manifest.json --key owner.key -o manifest.sig

# make_ca FILE SUBJECT
make_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout /dev/null -days 20 \
		-subj "$2" -addext keyUsage=critical,keyCertSign -outform DER -out "$1" 2>/dev/null
}
make_ca state/root.der "/CN=root CA"
make_ca state/mesh.der "/CN=mesh CA/serialNumber=$("$ctl" manifest hash manifest.json)"

# A log of two entries, whose key is known.
cp "$here/../fuzz/corpus/audit/two" state/log.txt
cat >log.key <<-'END'
	-----BEGIN PRIVATE KEY-----
	MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
	-----END PRIVATE KEY-----
END
openssl pkey -in log.key -pubout -out state/log.pub
"$ctl" log verify state/log.txt --key state/log.pub | tail -n 1 | cut -d : -f 2 >state/log.head
echo "$commitment" >state/commitment

# say JSON: what the double does from now on.
say() {
	echo "$1" >state/say.json
}

say '{}'
mkfifo hold
python3 "$here/coordinator_double.py" "$bin" "$tool" state <hold >port &
background=$!
exec 9>hold
for _ in $(seq 100); do
	[ -s port ] && break
	sleep 0.1
done
url=http://127.0.0.1:$(cat port)

# --- status ----------------------------------------------------------------------------------------

run 0 "help of status" "$ctl" status --help
run 2 "status of nobody" "$ctl" status
say '{"state": "empty"}'
run 2 "an empty coordinator" "$ctl" status "$url"
says "state     empty (as it says: nothing proves this)"
says "manifest  none yet"
run 2 "the same as JSON" "$ctl" status "$url" --json
is_json 'o == {"state": "empty", "replicas": 1}'
run 2 "nobody there" "$ctl" status http://127.0.0.1:1
run 2 "no address" "$ctl" status ftp://h
say '{"reply": {"/pm/v1/status": [200, "application/json", "{}"]}}'
run 1 "a malformed answer" "$ctl" status "$url"
says "\$.State"

# --- manifest set ------------------------------------------------------------------------------------

# set STATUS WHAT OPTION...
set_manifest() {
	status=$1
	what=$2
	shift 2
	run "$status" "$what" "$ctl" manifest set "$url" manifest.json --signatures manifest.sig "$@"
}

say '{"shares": ["bob"]}'
run 0 "help of manifest set" "$ctl" manifest set --help
run 2 "no signatures" "$ctl" manifest set "$url" manifest.json
set_manifest 2 "no place for the shares"
says "--shares DIR is needed"
set_manifest 2 "no such place" --shares none
touch shares/bob.share
set_manifest 2 "a share that is there" --shares shares
says "shares/bob.share: exists already"
rm shares/bob.share
say '{"reply": {"/pm/v1/manifest": [403, "application/json",
	"{\"error\":{\"code\":\"rejected\",\"message\":\"owners: found 0, expected 1\"}}"]}}'
set_manifest 1 "refused" --shares shares
says "a refusal by $url: owners: found 0, expected 1"
say '{"reply": {"/pm/v1/manifest": [200, "application/json",
	"{\"Serial\":1,\"Manifest\":\"'"$root"'\",\"Shares\":[]}"]}}'
set_manifest 1 "another manifest took force" --shares shares
says "manifest that holds"
run 0 "nothing was written" test -z "$(ls shares)"
say '{"shares": ["bob"]}'
set_manifest 0 "set" --shares shares --memory seen
says "shares/bob.share: the share of bob"
says "VERIFIED: $url: coordinator, ready"
says "1  "
says "holds now"
run 0 "only the owner reads the box" test "$(stat -c %a shares/bob.share)" = 600
run 0 "it is a box" "$tool" open share.key "seed share" "$commitment" shares/bob.share
run 0 "status" "$ctl" status "$url"
says "manifest  serial 1, hash $("$ctl" manifest hash manifest.json)"

# --- what is proved ------------------------------------------------------------------------------------

hash=$("$ctl" manifest hash manifest.json)

# prove STATUS WHAT OPTION...
prove() {
	status=$1
	what=$2
	shift 2
	run "$status" "$what" "$verify" coordinator "$url" --manifest manifest.json "$@"
}

run 0 "help of coordinator" "$verify" coordinator --help
run 2 "no manifest" "$verify" coordinator "$url"
prove 0 "proved"
says "your manifest, serial 1, hash $hash, proves"
says "the coordinator $url, on Genoa, which proves its document:"
says "the history of 1 manifests, signed by key"
says "the log of 2 entries"
says "✓ document.manifest"
says "✓ history.signature"
says "✓ mesh CA"
says "TEST ROOT"
prove 0 "as JSON" --json
is_json 'o["verdict"] == "accepted" and o["manifest"]["hash"] == "'"$hash"'" and o["log"]["entries"] == 2'
is_json 'o["history"][0]["manifest"] == "'"$hash"'" and o["commitment"] == "'"$commitment"'"'
run 0 "by the hash alone" "$verify" coordinator "$url" --manifest-hash "$hash"
run 1 "by another hash" "$verify" coordinator "$url" --manifest-hash "$root"
says "document, document.manifest: found $hash, expected $root"
prove 1 "of another hash" --manifest-hash "$root"
run 0 "its history" "$ctl" history "$url" --manifest manifest.json --memory seen -o history.json
says "holds now"
run 0 "help of history" "$ctl" history "$url" --help
says "Usage: pm-ctl history URL"
run 2 "a history of nobody" "$ctl" history "$url"
run 0 "which is the coordinator's" "$ctl" manifest check manifest.json --history history.json \
	--history-key state/history.pub
run 0 "files as before" "$ctl" history show history.json

say '{"shown": {"log": {"entries": 9, "head": "'"$root"'"}}}'
prove 1 "a document that nothing binds"
says "REJECTED: $url"
says "document"
say '{"document": {"history_key": "'"$(grep -v -- - state/other.pub | tr -d '\n')"'"}}'
prove 1 "a history of another key"
says "history, history.signature: found another under serial 1"
say '{"document": {"mesh_ca": "'"$(base64 -w 0 state/root.der)"'"}}'
prove 1 "the root as mesh CA"
says "authorities, mesh CA: found the root CA's"
say '{"claims": ["--role", "worker"]}'
prove 1 "another role"
says "role: found worker, expected coordinator"
say '{"claims": ["--field", "measurement='"$(printf '%096d' 1)"'"]}'
prove 1 "another measurement"
says "MEASUREMENT"
say '{"state": "stale"}'
prove 2 "not ready"
says "NOT VERIFIED: $url"
says "document, state: found stale, expected ready"
say '{"reply": {"/pm/v1/attest": [307, "application/json", "", "Location", "/elsewhere"]}}'
prove 2 "elsewhere"
says "redirect of a POST"
say '{"reply": {"/pm/v1/attest": [200, "text/html", "<html>"]}}'
prove 1 "a page"
says "found text/html"
prove 1 "a page, as JSON" --json
is_json 'o["verdict"] == "rejected" and "text/html" in o["reason"]'

# --- the log -----------------------------------------------------------------------------------------

say '{}'
run 0 "help of log fetch" "$ctl" log fetch --help
run 2 "a log of nobody" "$ctl" log fetch "$url" -o log
run 0 "the log" "$ctl" log fetch "$url" --manifest manifest.json -o log
run 0 "as it is" cmp log state/log.txt
rm log
head -n 1 state/log.txt >state/log.short
cp state/log.txt log.whole
say '{"document": {"log": {"entries": 2, "head": "'"$(cat state/log.head)"'"}}}'
mv state/log.short state/log.txt
run 1 "a log that was cut off" "$ctl" log fetch "$url" --manifest manifest.json -o log
cp log.whole state/log.txt
say '{"document": {"audit_key": "'"$(grep -v -- - owner.pub | tr -d '\n')"'"}}'
run 1 "a log of another key" "$ctl" log fetch "$url" --manifest manifest.json -o log
say '{"document": {"audit_key": null}}'
run 1 "a log of no key" "$ctl" log fetch "$url" --manifest manifest.json -o log
run 1 "nothing was written" test -e log

# --- workers -----------------------------------------------------------------------------------------

# workers STATUS WHAT OPTION...
workers() {
	status=$1
	what=$2
	shift 2
	run "$status" "$what" "$verify" worker --coordinator "$url" --manifest manifest.json "$@"
}

tiny='["worker", "tiny", ["--model", "tiny='"$root"'"]]'
say '{"workers": ['"$tiny"', ["secrets", "", ["--gpus", "0"]]]}'
workers 0 "two"
says "r0.worker, by its own evidence, which the coordinator asked for:"
says "VERIFIED: r0.worker: 1 models, 3 GPUs"
says "VERIFIED: $url: 2 workers; that the list is whole nothing proves"
workers 0 "one" --role worker --model tiny
says "VERIFIED: $url: 1 workers"
workers 0 "as JSON" --json
is_json 'o["verdict"] == "accepted" and [w["role"] for w in o["workers"]] == ["worker", "secrets"]'
workers 1 "nobody" --model other
says "REJECTED: $url: no such worker in the mesh"
run 2 "two addresses" "$verify" worker "$url" --coordinator "$url" --manifest manifest.json
say '{"workers": ['"$tiny"', ["worker", "", ["--model", "tiny='"$root"'"]]]}'
workers 1 "other models than it says"
says "list of workers, models: found 0 in the list"
says "REJECTED: $url: 1 of 2 workers"
workers 1 "the same as JSON" --json
is_json 'o["verdict"] == "rejected" and [w["verdict"] for w in o["workers"]] == ["accepted", "rejected"]'
say '{"workers": ['"$tiny"'], "state": "sealed"}'
workers 2 "of a coordinator that is not ready"

# --- recovery ----------------------------------------------------------------------------------------

# recover STATUS WHAT OPTION...
recover() {
	status=$1
	what=$2
	shift 2
	run "$status" "$what" "$ctl" recover "$url" --share shares/bob.share --share-key share.key \
		--key owner.key --manifest manifest.json --memory seen "$@"
}

say '{}'
run 0 "help of recover" "$ctl" recover --help
run 2 "no memory" "$ctl" recover "$url" --share shares/bob.share --share-key share.key --key owner.key \
	--manifest manifest.json
recover 2 "not sealed"
says "not sealed: it needs no share"
say '{"state": "sealed"}'
recover 0 "a share"
says "took the share, has 1 of the 1 that are needed, and is ready"
run 0 "for that process" "$tool" open state/process.key recover "$commitment" state/recovered
is_json 'o["share"] == "'"$(head -c 33 /dev/zero | tr '\0' '\1' | base64 -w 0)"'" and len(o["key_id"]) == 64'
rm state/recovered
recover 1 "a key that opens another box" --share-key other-share.key
says "not a share of this deployment's seed"
recover 1 "a key of no owner" --key stranger.key
says "a key of the manifest's owners"
recover 1 "what is no box" --share manifest.sig
say '{"state": "sealed", "document": {"commitment": "'"$root"'"}}'
recover 1 "of another seed"
says "not a share of this deployment's seed"
say '{"state": "sealed", "claims": ["--field", "measurement='"$(printf '%096d' 1)"'"]}'
recover 1 "another measurement"
says "MEASUREMENT"
run 1 "nothing was sent" test -e state/recovered
say '{"state": "sealed", "reply": {"/pm/v1/recover": [403, "application/json",
	"{\"error\":{\"code\":\"rejected\",\"message\":\"recover.signature: another\"}}"]}}'
recover 1 "refused"
says "recover.signature: another"

# --- the next manifest, and back ---------------------------------------------------------------------

cp -r state/manifest.json state/history.json state/mesh.der .
mv manifest.json first.json
make_manifest manifest.json "m['serial'], m['previous'] = 2, '$hash'"
"$ctl" manifest sign manifest.json --key owner.key -o next.sig
make_ca state/mesh.der "/CN=mesh CA/serialNumber=$("$ctl" manifest hash manifest.json)"
mkdir new-shares
say '{"shares": ["bob"]}'
run 2 "it brings new shares" "$ctl" manifest set "$url" manifest.json --signatures next.sig
says "set it once more, with --shares DIR"
cp history.json state/history.json # what comes twice is one link
run 0 "once more" "$ctl" manifest set "$url" manifest.json --signatures next.sig --shares new-shares
says "new-shares/bob.share: the share of bob"
cp history.json state/history.json
say '{}'
run 0 "the next" "$ctl" manifest set "$url" manifest.json --signatures next.sig --memory seen
says "2  "
run 1 "the first, which is over" "$verify" coordinator "$url" --manifest first.json --memory seen
says "document.manifest"
cp first.json state/manifest.json
cp history.json state/history.json
cp mesh.der state/mesh.der
run 0 "a rollback is not seen by who remembers nothing" "$verify" coordinator "$url" --manifest first.json
run 1 "and is by who does" "$verify" coordinator "$url" --manifest first.json --memory seen
says "history, memory.rollback: found serial 1, expected 2 or more"

exec 9>&-
wait "$background"
background=
finish
