#!/bin/sh
# bench_store.sh BUILD_DIR: the stores of daemons, each alone, beside a plain sync of the same disk: a durable write
# alone can't be faster.
set -eu
cd "$(dirname "$0")/../.."
bench=$1/test/bench/bench_store
# On the disk of the build, as /tmp may be in memory.
work=$(mktemp -d "$1/bench-store.XXXXXX")
server=
stop() {
	[ -z "$server" ] || kill "$server"
	rm -rf "$work"
}
trap stop EXIT

echo "a sync of the same disk after each write, for comparison:"
dd if=/dev/zero of="$work/sync" bs=4096 count=1000 oflag=dsync 2>&1 |
	awk '/copied/ {printf "%-22s %5.0f/s\n", "dd oflag=dsync", 1000 / $(NF - 3)}'
"$bench" "memory" memory:bench
"$bench" "SQLite" "sqlite:$work/db"

command -v etcd >/dev/null || {
	echo "etcd is not installed"
	exit 0
}
port=$((20000 + $$ % 20000))
etcd --data-dir "$work/etcd" --listen-client-urls "http://127.0.0.1:$port" \
	--advertise-client-urls "http://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$((port + 1))" \
	--initial-advertise-peer-urls "http://127.0.0.1:$((port + 1))" \
	--initial-cluster "default=http://127.0.0.1:$((port + 1))" --logger zap --log-level error 2>"$work/log" &
server=$!
for _ in $(seq 100); do
	curl -sf "http://127.0.0.1:$port/health" >/dev/null && break
	sleep 0.1
done
"$bench" "etcd, one member, HTTP" "etcd:http://127.0.0.1:$port"
