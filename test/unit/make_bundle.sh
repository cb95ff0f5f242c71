#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_bundle.sh PM_SIM WORKER_MANIFEST BUNDLE MANIFEST: a bundle with three GPUs in a nonce tree, and the manifest
# that it meets: see test_appraise_gpu.c.
set -eu
host=$(mktemp -d)
trap 'rm -rf "$host"' EXIT
now=2026-03-01T00:00:00Z
root=$(printf '%064d' 33)
"$1" init "$host" --product Genoa --time $now >/dev/null
"$1" gpu init "$host" --arch hopper --count 3 --time $now >/dev/null
"$1" bundle "$host" --nonce "$(printf '%064d' 7)" --role worker --model "tiny=$root" --tls-spki "$root" --tree 3 \
	--time $now -o "$3"
python3 "$2" "$host" "$4" "$root"
