#!/bin/sh
# chaos.sh BUILD_DIR SECONDS [SEED]: three secret services on a cluster of etcd, in namespaces of their own, while
# processes, hosts, networks, disks and clocks fail at random. What clients, workers and owners were told is judged.
# Then three coordinators, likewise.
set -eu
build=$(cd "$1" && pwd)
seconds=$2
shift 2
cd "$(dirname "$0")/.."
etcd=$(command -v etcd || true)
export PYTHONPATH=test/daemons
python3 test/e2e/chaos.py "$build" "$etcd" "$seconds" "$@"
python3 test/e2e/coordinators.py "$build" "$etcd"
