#!/bin/sh
# demo.sh BUILD_DIR: the main job on this machine. A simulated processor attests a guest; the evidence is
# verified, then tampered with and refused; then real reports are verified where they are at hand.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/$1/tools
work=$(mktemp -d)
vectors=${PM_VECTORS:-../shared/vectors}/snp
agent=

cleanup() {
	[ -z "$agent" ] || kill "$agent" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# show COMMAND...: print and run it, without the values that nobody demanded; $status is its status.
show() {
	name=$(basename "$1")
	shift
	echo "\$ $name $*" | sed "s#$work/##g; s#\([0-9a-f]\{12\}\)[0-9a-f]\{60,\}#\1...#g"
	status=0
	"$bin/$name" "$@" >"$work/out" 2>&1 || status=$?
	grep -v '^–' "$work/out" | sed "s#$work/##g" || true
	echo "(exit status $status)"
}

# must STATUS: the demo fails when the last command did not end so.
must() {
	[ "$status" = "$1" ] || {
		echo "demo: exit status $status, expected $1" >&2
		exit 1
	}
}

title "1. A simulated processor (there is no SEV-SNP hardware here), and an attester that serves its reports"
show pm-sim init "$work/sim" --product Genoa
must 0
mkfifo "$work/ready"
"$bin/pm-sim" serve "$work/sim" --socket "$work/attester" >"$work/ready" &
agent=$!
read -r line <"$work/ready"
echo "$line" | sed "s#$work/##"

title "2. A worker makes a key; the verifier sends a fresh nonce; REPORT_DATA binds both"
openssl genpkey -algorithm X25519 -out "$work/key.pem"
openssl pkey -in "$work/key.pem" -pubout -outform DER -out "$work/key.der"
openssl rand 32 >"$work/nonce"
data=$(cat "$work/nonce" "$work/key.der" | openssl dgst -sha512 -r | cut -d' ' -f1)
show pm-ctl collect --report-data "$data" --attester "unix:$work/attester" -o "$work/report.bin" \
	--certs "$work/certs.bin"
must 0

title "3. The verifier checks it, under a policy that names the test root and the measurement"
measurement=$(tail -c +145 "$work/report.bin" | head -c 48 | od -An -v -tx1 | tr -d ' \n')
verify() {
	show pm-verify snp "$1" --certs "$work/certs.bin" --crl "$work/sim/crl.der" --require-crl \
		--policy "$work/sim/policy.json" --report-data "$2" --min-tcb 1,0,1,1 --measurement "$measurement"
}
verify "$work/report.bin" "$data"
must 0

title "4. The operator changes one bit of the measurement"
cp "$work/report.bin" "$work/tampered.bin"
printf '\001' | dd of="$work/tampered.bin" bs=1 seek=144 conv=notrunc 2>/dev/null
verify "$work/tampered.bin" "$data"
must 1

title "5. The operator replays that report to a verifier with another nonce"
verify "$work/report.bin" "$(openssl rand -hex 64)"
must 1

title "6. The same evidence without the policy that names the test root: AMD's roots alone count"
show pm-verify snp "$work/report.bin" --certs "$work/certs.bin" --report-data "$data" --any-tcb
must 1

# real PRODUCT NAME
real() {
	show pm-verify snp "$vectors/$1/$2.report.bin" --vek "$vectors/$1/$2.vek.der" --any-report-data \
		--chain "$vectors/certs/$1_vcek_cert_chain.pem" --any-tcb --time 2026-03-01T00:00:00Z
	must 0
}

if [ -d "$vectors" ]; then
	title "7. Real reports of real processors"
	real milan ms_milan_v3
	real genoa ms_genoa_v3
	real turin ms_turin_v5
else
	title "7. Real reports: none at hand (set PM_VECTORS to a folder of them)"
fi
title "Done: evidence verified, three attacks refused."
