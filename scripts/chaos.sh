#!/bin/sh
# chaos.sh BUILD_DIR SECONDS [SEED]: three secret services on a cluster of etcd, in namespaces of their own, while
# processes, hosts, networks, disks and clocks fail at random. What clients, workers and owners were told is judged.
set -eu
build=$(cd "$1" && pwd)
seconds=$2
shift 2
cd "$(dirname "$0")/.."
PYTHONPATH=test/daemons exec python3 test/e2e/chaos.py "$build" "$(command -v etcd || true)" "$seconds" "$@"
