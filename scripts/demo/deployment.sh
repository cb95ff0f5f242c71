# A whole deployment: model disk, coordinator, secret service, agent, two workers behind HAProxy, a client.
# shellcheck shell=sh disable=SC2154 # demo.sh sets what is not set here
# shellcheck source=scripts/demo/disk.sh
. "$scripts/demo/disk.sh"

# software NAME: the measurement of a guest that runs it.
software() {
	echo "the software of the $1" | openssl dgst -sha384 -r | cut -d' ' -f1
}

# report_of NAME: one report of that guest, to take what a manifest demands from.
report_of() {
	pm-ctl collect --report-data "$(openssl rand -hex 64)" --attester "unix:$work/$1" -o "$work/$1.bin"
}

title "A deployment: its owners alice and bob sign together; two of alice, bob and carol can recover its seed"
pm-ctl key new --type ed25519 -o "$work/bob.key" --public "$work/bob.pub" >/dev/null
for name in alice bob carol; do
	show pm-ctl key new --type xwing -o "$work/$name-box.key" --public "$work/$name-box.pub"
	must 0
done
for role in coordinator secrets; do
	attester $role "$(software $role)"
	report_of $role
done
cp "$work/report.bin" "$work/worker.bin"
nvml=$build/test/fake-nvml/libnvidia-ml.so.1
gpus_demanded=
[ ! -e "$nvml" ] || gpus_demanded="--gpu hopper:2"
# shellcheck disable=SC2086 # words on purpose
show pm-ctl manifest init -o "$work/manifest.json" --role coordinator --from-evidence "$work/coordinator.bin" \
	--role secrets --from-evidence "$work/secrets.bin" --workload-secret \
	--role worker --from-evidence "$work/worker.bin" $gpus_demanded --model "$work/tiny.json" \
	--calls secrets --secret "inference/*" \
	--owner "alice=$work/alice.pub" --owner "bob=$work/bob.pub" --threshold 2 \
	--seed-share-owner "alice=$work/alice-box.pub" --seed-share-owner "bob=$work/bob-box.pub" \
	--seed-share-owner "carol=$work/carol-box.pub" --seed-threshold 2 \
	--test-root "$test_root" --test-gpu-root "$test_gpu_root" --test-rim-root "$test_rim_root"
must 0
for name in alice bob; do
	show pm-ctl manifest sign "$work/manifest.json" --key "$work/$name.key" -o "$work/manifest.sig"
	must 0
done
# owner NAME: as a list of owners has it.
owner() {
	pm-ctl key show --owner "$1" "$work/$1.pub"
}
printf '{"threshold": 2, "keys": [%s, %s]}' "$(owner alice)" "$(owner bob)" >"$work/owners.json"
boot

title "The coordinator: it takes the manifest that both owners signed, and hands out the shares of a new seed"
evidence="--snp-crl $work/sim/crl.der"
# start_coordinator ADDRESS
start_coordinator() {
	# shellcheck disable=SC2086 # words on purpose
	start coordinator pm-coordinator --listen "$1" --store "sqlite:$work/coordinator.db" \
		--owners "$work/owners.json" --attester "$work/coordinator" $evidence
	coordinator_process=$daemon
}
start_coordinator 127.0.0.1:0
coordinator=http://$address
mkdir "$work/shares"
show_without '^ *\(–\|\[\)\|^  *✓' pm-ctl manifest set "$coordinator" "$work/manifest.json" \
	--signatures "$work/manifest.sig" --shares "$work/shares" --memory "$work/memory"
must 0
show pm-ctl status "$coordinator"
must 0

title "The secret service joins by its evidence; what it keeps in SQLite is sealed by a key derived from the seed"
# shellcheck disable=SC2086 # words on purpose
start secrets pm-secrets --listen 127.0.0.1:0 --mesh-listen 127.0.0.1:0 --coordinator "$coordinator" \
	--store "sqlite:$work/secrets.db" --attester "$work/secrets" $evidence
secrets=http://$address
secrets_mesh=https://$(address_of secrets mesh)
await secrets "joined the mesh"
log_line secrets "joined the mesh"

title "In a worker, before the model starts: the model disk is mounted, each block checked when it is read"
guest_said good "none: this is a demonstration"

title "Two workers with two GPUs, before an inference server without encryption: they join by evidence of all that"
# simulated_driver: a folder that the stand-in of NVIDIA's driver takes GPUs from, and NVIDIA's services.
simulated_driver() {
	export PM_FAKE_NVML="$work/driver"
	for i in 0 1; do
		mkdir -p "$PM_FAKE_NVML/gpu-$i"
		pm-sim gpu report "$work/sim" --gpu $i --nonce "$(printf %064d 0)" -o "$work/any" \
			--certs "$PM_FAKE_NVML/gpu-$i/certs.pem" >/dev/null
		echo "$build/tools/pm-sim gpu report $work/sim --gpu $i --nonce \$NONCE -o -" \
			>"$PM_FAKE_NVML/gpu-$i/sign"
	done
	launch services pm-sim gpu serve "$work/sim" --listen 127.0.0.1:0
	await services http://
	services=http://$(sed -n 's#.*http://##p' "$work/services.log" | head -n 1)
}

# verify_gpus NAME [HOW]: by pm-agent, for the key of that worker.
verify_gpus() {
	"${2:-show}" pm-agent --nvml "$nvml" --cuda off --manifest "$work/manifest.json" --role worker \
		--key "$work/$1.gpu-key" --evidence "$work/$1.gpu" --lock "$work/lock" \
		--rim-url "$services" --ocsp-url "$services" --log-level warn
	must 0
}

# worker NAME OPTION...: one more; how it is told of GPUs.
worker() {
	name=$1
	shift
	# shellcheck disable=SC2086 # words on purpose
	start "$name" pm-proxy --listen 127.0.0.1:0 --metrics 127.0.0.1:0 --upstream "$model" \
		--coordinator "$coordinator" --secrets "$secrets_mesh" --role worker --no-ocsp-status --no-ready-file \
		$evidence "$@" \
		${gpus_demanded:+--gpu-evidence "$work/$name.gpu" --public-key "$work/$name.gpu-key"}
}

start model inference-server --listen 127.0.0.1:0
model=$address
if [ -n "$gpus_demanded" ]; then
	simulated_driver
else
	echo "(without GPUs: this build has no stand-in of NVIDIA's driver)"
fi
for name in one two; do
	worker "$name" --model "tiny=$root" --attester "$work/worker"
	[ -z "$gpus_demanded" ] || verify_gpus "$name"
	await "$name" "joined the mesh"
	log_line "$name" "joined the mesh"
done

title "HAProxy before them, which sees ciphertext and is trusted with nothing"
# port_of NAME: of its metrics, where it says whether it is ready.
port_of() { address_of "$1" metrics | sed 's/.*://'; }
PM_WORKER_1=$(address_of one requests)
PM_READY_1=$(port_of one)
PM_WORKER_2=$(address_of two requests)
PM_READY_2=$(port_of two)
PM_BACKEND=mesh
PM_SOCKET=$work/haproxy
export PM_WORKER_1 PM_READY_1 PM_WORKER_2 PM_READY_2 PM_BACKEND PM_SOCKET
if command -v haproxy >/dev/null; then
	say_command haproxy -db -f examples/haproxy/haproxy.cfg
	launch haproxy python3 scripts/demo/at_port.py PM_LISTEN haproxy -db -f examples/haproxy/haproxy.cfg
	await haproxy "^listening on="
	gateway=http://$(sed -n 's/^listening on=//p' "$work/haproxy.log")
else
	echo "(there is none here: the client talks to the first worker)"
	gateway=http://$PM_WORKER_1
fi

title "The client on its own machine: it verifies the coordinator by the manifest, and through it all the others"
start client pm-client --listen "127.0.0.1:${DEMO_PORT:-0}" --worker "$gateway" --coordinator "$coordinator" \
	--secrets "$secrets" --manifest "$work/manifest.json" --memory "$work/memory"
client=http://$address

title "An application that knows nothing of this chats; nobody in between can read along"
body='{"model": "echo", "messages": [{"role": "user", "content": "for the workers alone"}]}'
show curl -sS --max-time 30 "$client/v1/chat/completions" -H "Content-Type: application/json" -d "$body"
must 0
said '"content": *"for the workers alone"'
if command -v node >/dev/null && [ -d .deps/sdks/node_modules/openai ]; then
	show node scripts/demo/chat.js .deps/sdks "$client/v1" "and as a stream, by OpenAI's own SDK"
	must 0
	said "and as a stream"
else
	echo "(not shown: OpenAI's SDK. There is no node, or scripts/sdks.sh did not find npm)"
fi

title "What was proved by what"
show pm-verify coordinator "$coordinator" --manifest "$work/manifest.json" --memory "$work/memory"
must 0
show_refusal pm-verify worker --coordinator "$coordinator" --manifest "$work/manifest.json" --role worker --model tiny
must 0
title "The coordinator is lost; a new one knows nothing, until two holders of shares, both owners too, recover the seed"
say_command kill -KILL coordinator
kill -KILL "$coordinator_process"
stop "$coordinator_process"
start_coordinator "${coordinator#http://}"
show pm-ctl status "$coordinator"
said "state *sealed"
for name in alice bob; do
	show pm-ctl recover "$coordinator" --share "$work/shares/$name.share" --share-key "$work/$name-box.key" \
		--key "$work/$name.key" --manifest "$work/manifest.json" --memory "$work/memory"
	must 0
done
said "is ready"
show_without '^ *\(–\|\[\|✓\)' pm-verify coordinator "$coordinator" --manifest "$work/manifest.json" \
	--memory "$work/memory"
must 0
done_with "a deployment that proved itself, and a chat that it alone could read"

by_hand() {
	echo "curl $client/v1/chat/completions -H 'Content-Type: application/json' \\"
	echo "    -d '$body'"
	echo "pm-verify coordinator $coordinator --manifest $work/manifest.json"
	echo "Ctrl-C or \"make demo-stop\" ends it."
}
