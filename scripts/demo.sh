#!/bin/sh
# demo.sh BUILD_DIR: the main job on this machine. A simulated processor attests a guest; the evidence is
# verified, then tampered with and refused. The same for a whole worker with GPUs and a model disk, against a
# signed manifest. Then real reports are verified where they are at hand, and an encrypted chat is held.
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
PATH=$build/tools:$build/daemons:$build/examples/inference-server:$PATH
work=$(mktemp -d)
vectors=${PM_VECTORS:-../shared/vectors}
background=
shown="evidence of a processor and of a worker with 2 GPUs and a model verified, 6 attacks refused"

cleanup() {
	for pid in $background; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# short: what is read, without the folders' names and the middle of long values.
short() {
	sed "s#$work/##g; s#$vectors/[a-z]*/##g; s#\([0-9a-f]\{12\}\)[0-9a-f]\{52,\}#\1...#g"
}

# show COMMAND...: print and run it, without the lines to hide, which are those of values that nobody demanded;
# $status is its status.
hide='^ *–'
show() {
	echo "\$ $*" | short
	status=0
	"$@" >"$work/out" 2>&1 || status=$?
	grep -v "$hide" "$work/out" | short || true
	echo "(exit status $status)"
}

# start DAEMON...: run it on a free port; $address is where it serves.
start() {
	log=$work/$1.log
	mkfifo "$log"
	echo "\$ $*" | short
	"$@" 2>"$log" &
	background="$background $!"
	address=$(sed -n 's/.*listening on=\([^ ]*\) for=requests.*/\1/p; / ready/q' "$log")
	[ -n "$address" ] || {
		echo "demo: $1 does not serve" >&2
		exit 1
	}
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
pm-sim serve "$work/sim" --socket "$work/attester" >"$work/ready" &
background=$!
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

title "7. A whole worker: two GPUs beside that processor, and a model on a disk that anybody can make again"
show pm-sim gpu init "$work/sim" --arch hopper --count 2
must 0
mkdir "$work/model"
echo '{"architecture": "none: this is a demonstration"}' >"$work/model/config.json"
show pm-disk build "$work/model" -o "$work/model.img" -q
must 0
show pm-disk manifest-entry "$work/model.img" --name tiny -q
must 0
cp "$work/out" "$work/tiny.json"
root=$(sed -n 's/.*"root_hash": "\([0-9a-f]*\)".*/\1/p' "$work/tiny.json")

title "8. The owner says in a manifest what a worker must be, signs it, and checks it"
show pm-ctl key new --type ed25519 -o "$work/alice.key" --public "$work/alice.pub"
must 0
# root_of WHICH FILE: the hash of a test root that pm-sim wrote down.
root_of() { sed -n "s/.*\"$1\": \[*\"\([0-9a-f]*\)\".*/\1/p" "$work/sim/$2"; }
show pm-ctl manifest init -o "$work/manifest.json" --role worker --from-evidence "$work/report.bin" \
	--gpu hopper:2 --model "$work/tiny.json" --owner "alice=$work/alice.pub" \
	--test-root "$(root_of test_roots policy.json)" \
	--test-gpu-root "$(root_of gpu_device_root gpu/roots.json)" \
	--test-rim-root "$(root_of gpu_rim_root gpu/roots.json)"
must 0
show pm-ctl manifest sign "$work/manifest.json" --key "$work/alice.key" -o "$work/manifest.sig"
must 0
pm-ctl key show --owner alice "$work/alice.pub" |
	sed '1s/^/{"threshold": 1, "keys": [/; $s/$/]}/' >"$work/owners.json"
show pm-ctl manifest check "$work/manifest.json" --signatures "$work/manifest.sig" --owners "$work/owners.json"
must 0

title "9. A client asks the worker with a nonce of its own, and verifies all of it in one go, without a network"
nonce=$(openssl rand -hex 32)
# ask OPTION...: what the worker answers.
ask() {
	show pm-sim bundle "$work/sim" --nonce "$nonce" --role worker --model "tiny=$root" \
		-o "$work/worker.bundle" "$@"
	must 0
}
verify_worker() {
	show pm-verify bundle "$work/worker.bundle" --manifest "$work/manifest.json" --nonce "$nonce" \
		--role worker --model tiny
}
# refused REASON: the verdict is no, and this is why; what passed is not shown again.
refused() {
	hide='^ *\(–\|✓\|\[\)'
	verify_worker
	hide='^ *–'
	must 1
	grep -q "REJECTED.*$1" "$work/out" || {
		echo "demo: refused, but not for '$1'" >&2
		exit 1
	}
}
ask
verify_worker
must 0

title "10. The operator boots other software in the guest"
ask --field measurement="$(openssl rand -hex 48)"
refused "processor, MEASUREMENT"

title "11. The operator leaves out a GPU that he tampered with"
ask --defect gpu-left-out
refused "GPUs, GPU count"

title "12. The operator mounts a model that he altered"
ask --defect other-root-hash
refused "models, root hash"

# real_snp PRODUCT NAME
real_snp() {
	dir=$vectors/snp
	show pm-verify snp "$dir/$1/$2.report.bin" --vek "$dir/$1/$2.vek.der" --any-report-data \
		--chain "$dir/certs/$1_vcek_cert_chain.pem" --any-tcb --time 2026-03-01T00:00:00Z
	must 0
}

# real_gpu NAME GOLDEN OPTION...: GOLDEN as "33 of 33" measurements must be found.
real_gpu() {
	dir=$vectors/nvgpu/$1
	golden=$2
	shift 2
	show pm-verify gpu "$dir/report.bin" --certs "$dir/certchain.pem" \
		--nonce "$(cut -c1-64 "$dir/nonce.hex")" "$@"
	must 0
	grep -q "✓ golden measurements .*$golden" "$work/out" || {
		echo "demo: not $golden golden measurements" >&2
		exit 1
	}
}

if [ -d "$vectors/snp" ]; then
	title "13. Real reports of real processors"
	real_snp milan ms_milan_v3
	real_snp genoa ms_genoa_v3
	real_snp turin ms_turin_v5
	shown="$shown, 3 real processors"
else
	title "13. Real reports of processors: none at hand (set PM_VECTORS to a folder of them)"
fi

if [ -d "$vectors/nvgpu" ]; then
	title "14. A real GPU and a real NVLink switch, with NVIDIA's golden measurements, at the time of the evidence"
	rims=$vectors/nvgpu/rim
	# shellcheck disable=SC2046 # words on purpose
	real_gpu hopper-550.90.07 "33 of 33" --time 2025-08-21T12:00:00Z --rim-time 2025-10-24T18:00:00Z \
		--rim "$rims/driver/NV_GPU_DRIVER_GH100_550.90.07.xml" \
		--rim "$rims/vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml" \
		$(printf -- '--ocsp %s ' "$vectors"/nvgpu/ocsp/*.der)
	real_gpu switch-ls10-5612 "31 of 31" --time 2026-06-01T00:00:00Z --no-ocsp \
		--rim "$rims/switch/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml"
	shown="$shown, a real GPU and a real switch"
else
	title "14. Real reports of GPUs: none at hand (set PM_VECTORS to a folder of them)"
fi

if [ -x "$build/daemons/pm-client" ]; then
	title "15. A worker before an inference server without encryption, and what a client finds about it"
	start inference-server --listen 127.0.0.1:0
	start pm-proxy --listen 127.0.0.1:0 --upstream "$address" --direct --role worker --model "tiny=$root" \
		--attester "$work/attester" --snp-crl "$work/sim/crl.der" --no-ocsp-status --no-ready-file
	worker=$address
	show pm-ctl manifest init -o "$work/chat.json" --role worker --from-evidence "$work/report.bin" \
		--model "$work/tiny.json" --owner "alice=$work/alice.pub" \
		--test-root "$(root_of test_roots policy.json)"
	must 0
	show pm-client verify --manifest "$work/chat.json" --role worker --model tiny "http://$worker"
	must 0

	title "16. An application chats through pm-client; nobody in between can read along"
	start pm-client --listen 127.0.0.1:0 --worker "http://$worker" --manifest "$work/chat.json" --role worker \
		--model tiny --no-memory
	show curl -sS --max-time 30 "http://$address/v1/chat/completions" -H "Content-Type: application/json" \
		-d '{"model":"echo","messages":[{"role":"user","content":"for the worker alone"}]}'
	must 0
	grep -q '"content": *"for the worker alone"' "$work/out" || {
		echo "demo: this is not the answer" >&2
		exit 1
	}
	shown="$shown, a chat encrypted to a verified worker"
else
	title "15. No chat: this build has no daemons"
fi
title "Done: $shown."
