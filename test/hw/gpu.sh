#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gpu.sh AGENT: what NVIDIA's own driver on this machine answers pm-agent. Nothing is set. Skipped without a GPU.
#
# A GPU with confidential computing on must be verified to its end, with golden measurements and revocation where
# NVIDIA's services can be reached. One without must be refused, for that reason and no other.
set -u
agent=$1

[ -e /dev/nvidiactl ] || {
	echo "skipped: this machine has no NVIDIA GPU (/dev/nvidiactl)"
	exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$agent" --no-ready --no-rim --no-ocsp --json --lock "$work/lock" --cuda auto >"$work/out" 2>"$work/err"
status=$?
cat "$work/out" "$work/err"
python3 - "$work/out" "$status" <<'PYTHON'
import json, sys
answer, status = json.load(open(sys.argv[1])), int(sys.argv[2])
host = answer.get("host")
if host is None:
    # The driver is there and does not know confidential computing at all.
    sys.exit(0 if status in (1, 2) and answer["reason"] else "no reason")
on = host["cc"] or host["multi_gpu"] == "ppcie"
print(f"driver {host['driver']}, confidential computing {'on' if on else 'off'}, devtools {host['devtools']}")
if host["devtools"]:
    sys.exit(0 if status == 1 and "gpu.devtools" in answer["reason"] else "devtools are not the reason")
if not on:
    sys.exit(0 if status == 1 and "gpu.cc" in answer["reason"] else "confidential computing is not the reason")
sys.exit(0 if status == 0 and answer["devices"] else "not verified: " + answer.get("reason", ""))
PYTHON
