#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify_gpu_fetch.sh BIN: pm-verify gpu --fetch against software services on loopback.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$work/sim
nonce=$(printf %064d 5)

run 0 "two GPUs" "$bin/pm-sim" gpu init "$sim" --count 2
run 0 "a report" "$bin/pm-sim" gpu report "$sim" --gpu 0 --nonce "$nonce" -o "$work/report" --certs "$work/certs" \
	--evidence "$work/0.json"
run 0 "another" "$bin/pm-sim" gpu report "$sim" --gpu 1 --nonce "$nonce" -o "$work/report-1" --evidence "$work/1.json"
python3 -c 'import json, sys; print(json.dumps(sum((json.load(open(f)) for f in sys.argv[1:]), [])))' \
	"$work/0.json" "$work/1.json" >"$work/both.json"
root=$(sed 's/.*device_root": "\([0-9a-f]*\).*/\1/' "$sim/gpu/roots.json")
rim_root=$(sed 's/.*rim_root": "\([0-9a-f]*\).*/\1/' "$sim/gpu/roots.json")

# serve OPTION...: sets url and background.
serve() {
	rm -f "$work/serve"
	mkfifo "$work/serve"
	"$bin/pm-sim" gpu serve "$sim" --listen 127.0.0.1:0 "$@" >"$work/serve" 2>/dev/null &
	background=$!
	read -r line <"$work/serve"
	url=http://${line##*http://}
}

stop() {
	kill "$background"
	wait "$background" 2>/dev/null
	background=
}

verify() {
	"$bin/pm-verify" gpu "$@" --nonce "$nonce" --test-root "$root" --test-rim-root "$rim_root" --fetch \
		--rim-url "$url" --ocsp-url "$url"
}

serve
run 0 "one report" verify "$work/report" --certs "$work/certs"
says "TEST ROOT"
run 0 "a host" verify "$work/both.json" --json
is_json 'o["verdict"] == "accepted"'
run 0 "into a cache" verify "$work/both.json" --cache "$work/cache"
run 2 "files beside it" verify "$work/report" --certs "$work/certs" --rim "$work/none"
run 2 "a mirror without it" "$bin/pm-verify" gpu "$work/report" --certs "$work/certs" --nonce "$nonce" --no-rim \
	--no-ocsp --rim-url "$url"
run 2 "a mirror without TLS" "$bin/pm-verify" gpu "$work/report" --certs "$work/certs" --nonce "$nonce" --fetch \
	--rim-url http://192.0.2.1
says "https, or http on this machine"
run 1 "NVIDIA's own roots" "$bin/pm-verify" gpu "$work/report" --certs "$work/certs" --nonce "$nonce" --fetch \
	--rim-url "$url" --ocsp-url "$url"
stop
run 0 "out of the cache" verify "$work/both.json" --cache "$work/cache"
run 2 "nobody there" verify "$work/report" --certs "$work/certs"
says "rim.fetch"
run 2 "nobody there, for a host" verify "$work/both.json"
says "rim.fetch"
says "device 1: not judged"
run 0 "nothing to fetch" verify "$work/report" --certs "$work/certs" --no-rim --no-ocsp
serve --lying
run 1 "lying services" verify "$work/report" --certs "$work/certs"
stop
serve --stale
run 1 "stale services" verify "$work/report" --certs "$work/certs"
stop
finish
