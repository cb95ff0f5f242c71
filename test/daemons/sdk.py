#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SDKs of OpenAI and Anthropic through pm-client: sdk.py NODE FOLDER-OF-SDKS, then as client.py. Skipped without
them: scripts/sdks.sh gets them."""
import json
import os
import subprocess
import sys

from between import sealed_with
from client import Scene
from harness import LIMIT, figure, run_tests, wait_for_figure
from proxy import CANARY

SKIPPED = 77


def run(s, verb):
    done = subprocess.run([NODE, f"{os.path.dirname(os.path.abspath(__file__))}/sdk.js", SDKS,
                           "http://%s:%d" % s.client.address(), verb], capture_output=True, text=True, check=False,
                          timeout=LIMIT)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_openai(programs):
    with Scene(programs) as s:
        r = run(s, "openai")
        assert r == {"text": CANARY, "streamed": {"text": CANARY, "error": None}, "dimensions": 8,
                     "models": r["models"]} and r["models"] > 0, r
        s.hidden()


def test_anthropic(programs):
    with Scene(programs) as s:
        r = run(s, "anthropic")
        assert r == {"text": CANARY, "streamed": {"text": CANARY, "error": None}, "tokens": 1}, r
        s.hidden()


def test_cancel(programs):
    with Scene(programs) as s:
        run(s, "cancel")
        upstream = s.worker.model.address("metrics")
        assert figure(upstream, "inference_server_http_requests_total") == 1
        wait_for_figure(upstream, "inference_server_http_requests", 0)


def test_cut_streams(programs):
    """A stream that somebody cut is an error in the application, wherever it was cut."""
    with Scene(programs) as s:
        for n in (0, 1, 2, 4):
            s.relay.answer = sealed_with(lambda f, n=n: f[:n])
            r = run(s, "streams")
            assert r["openai"]["error"] and r["anthropic"]["error"], (n, r)
        s.relay.answer = sealed_with(lambda f: f[:-1])
        r = run(s, "streams")
        assert r["openai"]["error"] and r["anthropic"]["error"], r


if __name__ == "__main__":
    NODE, SDKS = sys.argv[1:3]
    if not NODE:
        print("skipped: there is no node")
        sys.exit(SKIPPED)
    if not all(os.path.exists(f"{SDKS}/node_modules/{p}/package.json") for p in ("openai", "@anthropic-ai/sdk")):
        print("skipped: the SDKs are not there, see scripts/sdks.sh")
        sys.exit(SKIPPED)
    run_tests(sys.modules[__name__], sys.argv[3:])
