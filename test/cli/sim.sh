#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim.sh BIN: what pm-sim makes, looked at by OpenSSL; the way of a report from pm-sim over an attester's
# socket and pm-ctl to pm-verify; and how all of them end when something is wrong.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
ctl=$bin/pm-ctl
verify=$bin/pm-verify
dir=$work

fail() {
	failures=$((failures + 1))
	echo "FAILED: $*"
}

# wanted STATUS COMMAND...
wanted() {
	status=$1
	shift
	run "$status" "$(basename "$1") ${2:-}" "$@"
}

# --- certificates --------------------------------------------------------------------------------

oids() {
	openssl asn1parse -inform DER -in "$1" | sed -n 's/.*OBJECT *:\(1\.3\.6\.1\.4\.1\.3704\..*\)/\1/p' |
		tr '\n' ' '
}

signature_is_pss() {
	openssl x509 -inform DER -in "$1" -noout -text >"$dir/text"
	grep -q 'Signature Algorithm: rsassaPss' "$dir/text" || fail "$1: not signed with PSS"
	grep -q 'mgf1 with sha384' "$dir/text" || fail "$1: not MGF1 with SHA-384"
	grep -q 'Salt Length: 0x30' "$dir/text" || fail "$1: the salt has not 48 bytes"
}

check_chain() {
	m=$dir/$1
	for cert in ark ask asvk vek; do
		signature_is_pss "$m/$cert.der"
		openssl x509 -inform DER -in "$m/$cert.der" -out "$dir/$cert.pem"
	done
	wanted 0 openssl verify -x509_strict -check_ss_sig -CAfile "$dir/ark.pem" "$dir/ask.pem"
	wanted 0 openssl verify -x509_strict -check_ss_sig -CAfile "$dir/ark.pem" "$dir/asvk.pem"
	wanted 0 openssl verify -CAfile "$dir/ark.pem" -untrusted "$dir/$2.pem" "$dir/vek.pem"
	wanted 0 openssl crl -inform DER -in "$m/crl.der" -CAfile "$dir/ark.pem" -noout
	says "verify OK"
	openssl x509 -inform DER -in "$m/vek.der" -noout -text >"$dir/text"
	grep -q 'Serial Number: 0 ' "$dir/text" || fail "$1: the VEK's serial number is not 0"
	grep -q 'NIST CURVE: P-384' "$dir/text" || fail "$1: the VEK's key is not on P-384"
	grep -q "CN = $3\$" "$dir/text" || fail "$1: the VEK's common name is not $3"
	! grep -q 'X509v3 [A-Z]' "$dir/text" || fail "$1: the VEK has a standard extension"
}

wanted 0 "$sim" init "$dir/milan"
says "TEST ROOT: nothing that this tool signs proves anything"
for machine in turin genoa; do
	mkdir "$dir/$machine"
	cp "$dir"/milan/*.key "$dir/$machine/"
done
"$sim" init "$dir/turin" --product Turin >/dev/null
"$sim" init "$dir/genoa" --product Genoa --vlek --csp-id CN=some.cloud >/dev/null

check_chain milan ask SEV-VCEK
check_chain turin ask SEV-VCEK
check_chain genoa asvk SEV-VLEK

arc=1.3.6.1.4.1.3704.1
early="$arc.1 $arc.2 $arc.3.1 $arc.3.2 $arc.3.4 $arc.3.5 $arc.3.6 $arc.3.7 $arc.3.3 $arc.3.8"
[ "$(oids "$dir/milan/vek.der")" = "$early $arc.4 " ] || fail "milan: AMD's extensions are not the real ones"
[ "$(oids "$dir/genoa/vek.der")" = "$early $arc.5 " ] || fail "genoa: AMD's extensions are not the real ones"
[ "$(oids "$dir/turin/vek.der")" = "$arc.1 $arc.2 $arc.3.9 $arc.3.1 $arc.3.2 $arc.3.3 $arc.3.5 $arc.3.6 \
$arc.3.7 $arc.3.8 $arc.4 " ] || fail "turin: AMD's extensions are not the real ones"

for key in "$dir"/milan/*.key; do
	[ "$(stat -c %a "$key")" = 600 ] || fail "$key: others may read it"
done
root=$(openssl dgst -sha256 -r "$dir/milan/ark.der" | cut -d' ' -f1)
grep -q "\"test_roots\": \[\"$root\"\]" "$dir/milan/policy.json" || fail "policy.json does not name the root"

# --- the attester --------------------------------------------------------------------------------

serve() {
	socket=$dir/$1.sock
	mkfifo "$dir/ready"
	"$sim" serve "$dir/$1" --socket "$socket" >"$dir/ready" 2>"$dir/server.err" &
	background=$!
	read -r line <"$dir/ready" || line=
	rm "$dir/ready"
	[ "$line" = "pm-sim: serving on $socket" ] || fail "serve says '$line': $(cat "$dir/server.err")"
}

stop() {
	kill "$background"
	wait "$background"
	got=$?
	background=
	[ $got = 0 ] || fail "serve ends with status $got after SIGTERM"
	[ ! -e "$socket" ] || fail "serve leaves its socket behind"
}

report_data=$(printf '%0128d' 42)
measurement=$(printf 'pm-sim guest' | openssl dgst -sha384 -r | cut -d' ' -f1)

collect() {
	wanted 0 "$ctl" collect --report-data "$report_data" --attester "unix:$socket" \
		-o "$dir/report" --certs "$dir/table" "$@"
}

verify_report() {
	wanted "$1" "$verify" snp "$dir/report" --certs "$dir/table" --policy "$dir/$2/policy.json" \
		--report-data "$report_data" --any-tcb --measurement "$measurement"
}

for machine in milan turin genoa; do
	serve $machine
	[ "$(stat -c %a "$socket")" = 600 ] || fail "others may connect to the socket"
	collect
	[ "$(stat -c %s "$dir/report")" = 1184 ] || fail "the report has not 1184 bytes"
	verify_report 0 $machine
	stop
done

serve milan
collect --vmpl 2
verify_report 1 milan
says "VMPL"

# Another server must not take a socket that is in use; one that nobody serves is taken over.
wanted 2 "$sim" serve "$dir/milan" --socket "$socket"
says "another process serves it"
kill -KILL "$background"
wait "$background" 2>/dev/null
[ -e "$socket" ] || fail "the killed server's socket is gone"
wanted 2 "$ctl" collect --report-data "$report_data" --attester "unix:$socket" -o "$dir/report"
says "nobody listens"
serve milan

# A client that stops in the middle of a request holds up nobody.
python3 - "$socket" "$ctl" "$dir" "$report_data" <<'PYTHON' || fail "clients beside a slow one"
import socket
import struct
import subprocess
import sys

path, ctl, folder, report_data = sys.argv[1:]
slow = socket.socket(socket.AF_UNIX)
slow.connect(path)
slow.sendall(b"PMA1\0\0")
subprocess.run([ctl, "collect", "--report-data", report_data, "--attester", "unix:" + path, "-o",
                folder + "/beside"], check=True)

request = struct.pack(">4sIII", b"PMA1", 1, 0, 64) + bytes.fromhex(report_data)


def exactly(sock, n):
    data = b""
    while len(data) < n:
        part = sock.recv(n - len(data))
        assert part, "hung up"
        data += part
    return data


def response(sock):
    magic, status, size = struct.unpack(">4sII", exactly(sock, 12))
    assert magic == b"PMA1"
    report = exactly(sock, size)
    table = exactly(sock, struct.unpack(">I", exactly(sock, 4))[0])
    return status, report, table


# The slow one's request, at last, and three more at once behind it.
slow.sendall(request[6:] + 3 * request)
for _ in range(4):
    status, report, table = response(slow)
    assert status == 0 and len(report) == 1184 and report[0x50:0x90] == bytes.fromhex(report_data)

# A kind from the future, a level that is none, and what is no request.
slow.sendall(struct.pack(">4sIII", b"PMA1", 77, 0, 3) + b"abc")
assert response(slow) == (2, b"", b"")
slow.sendall(struct.pack(">4sIII", b"PMA1", 1, 4, 64) + bytes(64))
assert response(slow) == (3, b"", b"")
slow.sendall(struct.pack(">4sIII", b"PMA1", 1, 0, 0xffffffff))
assert response(slow) == (1, b"", b"")
assert slow.recv(1) == b"", "not closed after a malformed request"
PYTHON
stop

# --- usage ---------------------------------------------------------------------------------------

wanted 0 "$sim" --help
says "TEST ROOT: nothing that this tool signs proves anything"
wanted 0 "$ctl" collect --help
wanted 2 "$sim"
wanted 2 "$sim" report "$dir/none" --report-data "$report_data" -o "$dir/report"
wanted 2 "$sim" report "$dir/milan" --report-data 00 -o "$dir/report"
wanted 2 "$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --defect no-such
wanted 2 "$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --field vmpl=4294967296
wanted 2 "$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --field host_data=00
wanted 2 "$sim" serve "$dir/milan" --socket "$dir/milan/policy.json"
wanted 2 "$sim" init "$dir/new" --tcb 1,2,3
wanted 2 "$sim" init "$dir/new" --tcb 1,2,3,256
wanted 2 "$ctl" collect --report-data "$report_data" --device --configfs -o "$dir/report"
wanted 2 "$ctl" collect --report-data "${report_data}00" --device -o "$dir/report"
wanted 2 "$ctl" collect --report-data "$report_data" --vmpl 4 -o "$dir/report"

# Fields are set as asked; a report of version 2 says nothing of the processor.
"$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --certs "$dir/table" \
	--report-version 2 --field guest_svn=0x01020304 --field "host_data=$(printf '%064d' 9)" \
	--field launch_tcb=3,0,23,200
[ "$(od -An -tx1 -j4 -N4 "$dir/report")" = " 04 03 02 01" ] || fail "guest_svn"
[ "$(od -An -tx1 -j496 -N8 "$dir/report")" = " 03 00 00 00 00 00 17 c8" ] || fail "launch_tcb"
verify_report 0 milan

# A CRL and a VEK issued anew; the folder's are replaced.
"$sim" crl "$dir/milan" --revoke ask
wanted 0 openssl crl -inform DER -in "$dir/milan/crl.der" -noout -text
says "Serial Number: 010001"
"$sim" vek "$dir/milan" --tcb 4,0,24,220 --not-after 2040-01-01T00:00:00Z
"$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --certs "$dir/table"
verify_report 0 milan
says "microcode 220"

# What is out of order is told with both values.
"$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --certs "$dir/table" \
	--field current_tcb=4,0,24,218 --field current_build=1
verify_report 1 milan
says "COMMITTED_TCB <= CURRENT_TCB: found boot loader 4, tee 0, snp 24, microcode 220, expected at most boot loader"
says "committed firmware <= current   found 1.55.29, expected at most 1.55.1"
"$sim" report "$dir/milan" --report-data "$report_data" -o "$dir/report" --certs "$dir/table"

# An HCL blob binds its runtime data.
"$sim" hcl "$dir/milan" -o "$dir/hcl"
wanted 0 "$verify" snp "$dir/hcl" --certs "$dir/table" --policy "$dir/milan/policy.json" --any-report-data \
	--any-tcb --measurement "$measurement"
[ "$(stat -c %s "$dir/hcl")" = 2600 ] || fail "the HCL blob has not 2600 bytes"
python3 -c "
import sys
blob = bytearray(open(sys.argv[1], 'rb').read())
blob[0x500] ^= 1
open(sys.argv[1], 'wb').write(blob)" "$dir/hcl"
wanted 1 "$verify" snp "$dir/hcl" --certs "$dir/table" --policy "$dir/milan/policy.json" --any-report-data \
	--any-tcb --measurement "$measurement"

finish
