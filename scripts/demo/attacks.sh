# Attacks on the deployment, each refused by what it changed.
# shellcheck shell=sh disable=SC2154 # demo.sh sets what is not set here

title "Attack: tampered weights"
echo "One byte of the disk changed. It is the disk of the manifest, until that byte is read:"
guest_said changed "Input/output error\|I/O error"
echo "A disk made from other weights, whole in itself:"
guest_said other "root_hash"
echo "A worker that mounted it, and says so, does not get into the mesh:"
pm-disk manifest-entry "$work/other.img" -q >"$work/other.json"
other=$(sed -n 's/.*"root_hash": "\([0-9a-f]*\)".*/\1/p' "$work/other.json")
worker tampered --model "tiny=$other" --attester "$work/worker"
[ -z "$gpus_demanded" ] || verify_gpus tampered attend_silently
await tampered "found a refusal by"
log_line tampered "found a refusal by"
grep -q "root hash" "$work/tampered.log" || die "refused, but not for the root hash"
stop "$daemon"

title "Attack: other software in a worker, of the same processor"
attester altered "$(software "worker that keeps prompts")"
worker altered --model "tiny=$root" --attester "$work/altered"
[ -z "$gpus_demanded" ] || verify_gpus altered attend_silently
await altered "found a refusal by"
log_line altered "found a refusal by"
grep -q "MEASUREMENT" "$work/altered.log" || die "refused, but not for the measurement"
stop "$daemon"

title "Attack: a man in the middle passes on the coordinator's evidence, with a certificate authority of his own"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$work/mallory.key" -days 9 \
	-subj "/CN=mesh CA" -outform DER -out "$work/mallory.der" 2>/dev/null
say_command relay.py "$coordinator" mallory.der
launch relay python3 scripts/demo/relay.py "$coordinator" "$work/mallory.der"
await relay "^listening on="
relay=http://$(sed -n 's/^listening on=//p' "$work/relay.log")
show_refusal pm-verify coordinator "$relay" --manifest "$work/manifest.json"
must 1
said "REJECTED"
done_with "3 attacks on it refused"
