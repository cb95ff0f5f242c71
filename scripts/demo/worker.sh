# A whole worker with GPUs and a model disk, against a signed manifest.
# shellcheck shell=sh disable=SC2154 # demo.sh sets what is not set here

title "A model on a disk that anybody can make again, byte for byte: its root hash stands for every weight"
mkdir "$work/model"
echo '{"architecture": "none: this is a demonstration"}' >"$work/model/config.json"
(yes "weights" | head -c 500000 && echo "the heaviest of the weights" && yes "weights" | head -c 500000) \
	>"$work/model/weights.bin"
show pm-disk build "$work/model" -o "$work/model.img" -q
must 0
show pm-disk manifest-entry "$work/model.img" --name tiny -q
must 0
cp "$work/out" "$work/tiny.json"
root=$(sed -n 's/.*"root_hash": "\([0-9a-f]*\)".*/\1/p' "$work/tiny.json")

title "Two GPUs beside the processor; the owner says in a manifest what a worker must be, and signs it"
show pm-sim gpu init "$work/sim" --arch hopper --count 2
must 0
show pm-ctl key new --type ed25519 -o "$work/alice.key" --public "$work/alice.pub"
must 0
# root_of WHICH FILE: the hash of a test root that pm-sim wrote down.
root_of() { sed -n "s/.*\"$1\": \[*\"\([0-9a-f]*\)\".*/\1/p" "$work/sim/$2"; }
test_root=$(root_of test_roots policy.json)
test_gpu_root=$(root_of gpu_device_root gpu/roots.json)
test_rim_root=$(root_of gpu_rim_root gpu/roots.json)
show pm-ctl manifest init -o "$work/worker.json" --role worker --from-evidence "$work/report.bin" \
	--gpu hopper:2 --model "$work/tiny.json" --owner "alice=$work/alice.pub" --test-root "$test_root" \
	--test-gpu-root "$test_gpu_root" --test-rim-root "$test_rim_root"
must 0
show pm-ctl manifest sign "$work/worker.json" --key "$work/alice.key" -o "$work/worker.sig"
must 0

title "A client asks the worker with a nonce of its own, and verifies all of it in one go, without a network"
nonce=$(openssl rand -hex 32)
# ask OPTION...: what the worker answers.
ask() {
	show pm-sim bundle "$work/sim" --nonce "$nonce" --role worker --model "tiny=$root" -o "$work/worker.bundle" \
		--field "measurement=$measurement" "$@"
	must 0
}
# verify_worker HOW...: show, or one of its likes.
verify_worker() {
	"$@" pm-verify bundle "$work/worker.bundle" --manifest "$work/worker.json" --nonce "$nonce" --role worker \
		--model tiny
}
ask
verify_worker show_without '^    \|^ *\(–\|\[\)\|validity'
must 0

title "Refused: other software in the guest; a GPU left out; a model that was altered"
# refused REASON: the verdict is no, and this is why.
refused() {
	verify_worker show_refusal
	must 1
	said "REJECTED.*$1"
}
ask --field measurement="$(openssl rand -hex 48)"
refused "processor, MEASUREMENT"
ask --defect gpu-left-out
refused "GPUs, GPU count"
ask --defect other-root-hash
refused "models, root hash"
done_with "a worker with 2 GPUs and a model"
