#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SDKs of OpenAI and Anthropic, pm-client, HAProxy with the configuration of the examples, two workers: chain.py
HAPROXY CONFIGURATION NODE FOLDER-OF-SDKS, then as client.py. Both sides of HAProxy are recorded."""
import base64
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

from client import CHAT, KEY
from direct import Worker
from harness import Daemon, LIMIT, Response, ask, exchange, figure, request, run_tests, wait_for_figure
from peer import Peer
from proxy import CANARY, HERE, SALT, SEALED, chat, form
from relay import Tap

SKIPPED = 77


class HAProxy:
    """With a socket that is handed over, so that its port is known and nobody else's."""

    def __init__(self, workers, ready, backend):
        self.stack = contextlib.ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.listener = self.stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        self.admin = f"{folder}/admin"
        env = {"PM_LISTEN": f"fd@{self.listener.fileno()}", "PM_BACKEND": backend, "PM_SOCKET": self.admin}
        for i, (worker, port) in enumerate(zip(workers, ready), 1):
            env |= {f"PM_WORKER_{i}": "%s:%d" % worker, f"PM_READY_{i}": str(port)}
        self.process = self.stack.enter_context(subprocess.Popen(
            [HAPROXY, "-db", "-f", CONFIGURATION], env=dict(os.environ, **env), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, pass_fds=[self.listener.fileno()]))
        self.address = self.listener.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(LIMIT)
        self.stack.close()

    def command(self, text):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(LIMIT)
            s.connect(self.admin)
            s.sendall(text.encode() + b"\n")
            data = b""
            while piece := s.recv(65536):
                data += piece
        return data.decode()

    def table(self):
        """Ids of secrets and the worker that each sticks to."""
        return dict(re.findall(r"key=(\S+) use=.* server_key=(\S+)", self.command("show table direct")))


class Chain:
    def __init__(self, programs, *args):
        self.stack = contextlib.ExitStack()
        enter = self.stack.enter_context
        self.workers = [enter(Worker(programs[1:])) for _ in range(2)]
        self.behind = [enter(Tap(w.address)) for w in self.workers]
        self.haproxy = enter(HAProxy([t.address for t in self.behind],
                                     [w.proxy.address("metrics")[1] for w in self.workers], "direct"))
        self.before = enter(Tap(self.haproxy.address))
        self.program, self.args = programs[0], args
        self.client = self.start()

    def start(self):
        return self.stack.enter_context(
            Daemon(self.program, *HERE, "--worker", self.before.url, "--manifest", f"{self.workers[0].folder}/manifest",
                   "--no-memory", *self.args))

    def __enter__(self):
        self.address = self.client.address()
        self.client.wait_for("worker verified")
        return self

    def __exit__(self, kind, *more):
        if kind:
            print(self.client.text(), file=sys.stderr)
        status = 0 if kind else self.client.stop()
        self.stack.__exit__(kind, *more)
        assert status == 0

    def post(self, path, body, kind="application/json", client=None):
        return ask((client or self.client).address(), "POST", path, body,
                   [("Content-Type", kind), ("Authorization", f"Bearer {KEY}")])

    def good(self, client=None):
        r = self.post(CHAT, chat(), client=client)
        assert r.status == 200 and r.whole and CANARY.encode() in r.body, (r.status, r.body)

    def figure(self, name, client=None):
        return figure((client or self.client).address("metrics"), f"pm_client_{name}")

    def secrets(self):
        return [figure(w.proxy.address("metrics"), "pm_proxy_secrets") for w in self.workers]

    def of_workers(self, name):
        alive = [w.proxy for w in self.workers if w.proxy.process.poll() is None]
        return [figure(p.address("metrics"), f"pm_proxy_{name}") for p in alive]

    def hidden(self, *words):
        """Nothing of it crossed the wire, on either side, in any of the usual spellings."""
        assert all(SEALED.encode() in t.seen for t in (self.before, *self.behind) if t.seen), "something else did"
        for word in (CANARY, CANARY.replace("-", ""), KEY, SALT, "you asked", "chat/completions", "assistant",
                     "filename", "image of", *words):
            spellings = {word.encode(), word.encode().hex().encode(), word.encode()[::-1]}
            for shift in range(3):
                coded = base64.b64encode(b"\0" * shift + word.encode())
                spellings.add(coded[4 if shift else 0:len(coded) // 4 * 4 - 4])
            for tap in (self.before, *self.behind):
                for spelling in spellings:
                    assert spelling not in tap.seen, (word, spelling)


def print_table(rows):
    wide = max(len(r["feature"]) for r in rows)
    for r in rows:
        print(f"  {'✓' if r['ok'] else '✗'} {r['sdk']:<10} {r['feature']:<{wide}}  {r['note']}")
    print(f"  {sum(r['ok'] for r in rows)} of {len(rows)} features", flush=True)


def test_sdks(programs):
    if not NODE or not all(os.path.exists(f"{SDKS}/node_modules/{p}/package.json") for p in
                           ("openai", "@anthropic-ai/sdk")):
        print("  skipped: no node, or no SDKs (scripts/sdks.sh)")
        return
    with Chain(programs) as c:
        done = subprocess.run([NODE, f"{os.path.dirname(os.path.abspath(__file__))}/chain.js", SDKS,
                               "http://%s:%d" % c.address, CANARY], capture_output=True, text=True, check=False,
                              timeout=2 * LIMIT)
        rows = [json.loads(x) for x in done.stdout.splitlines()]
        assert done.returncode == 0 and rows, done
        print_table(rows)
        assert all(r["ok"] for r in rows), rows
        for w in c.workers: # what was cancelled has ended at the model too
            wait_for_figure(w.model.address("metrics"), "inference_server_http_requests", 0)
        assert len(c.before.seen) > 100000 and any(len(t.seen) > 100000 for t in c.behind), "it came this way"
        c.hidden()
        log = c.client.text() + "".join(w.proxy.text() for w in c.workers)
        assert CANARY not in log and "you asked" not in log


def test_forms_and_errors(programs):
    """What no SDK sends: a form with a file's name, and errors of each of the programs."""
    image = [{"type": "image_url", "image_url": {"url": f"http://{CANARY}"}}]
    with Chain(programs) as c:
        kind, body = form([("model", "echo"), ("prompt", CANARY), ("file", CANARY.encode() * 1000)])
        r = c.post("/v1/audio/transcriptions", body, kind)
        assert r.status == 200 and f"in {CANARY}.wav" in json.loads(r.body)["text"], r.body
        for body in (chat("error-429"), chat("error-500"), chat("garbage", stream=True), chat(salt="short"),
                     chat(messages=[{"role": "user", "content": image}]), f'{{"model":"echo","{CANARY}":'.encode()):
            r = c.post(CHAT, body)
            assert not (r.status == 200 and r.whole), r.body
        assert c.post(f"/v1/{CANARY}", b"").status == 404
        c.hidden()


def test_secrets_stick(programs):
    """Clients share an address; each one's requests come to the worker that has its secret."""
    with Chain(programs) as c:
        c.good()
        assert sorted(c.secrets()) == [0, 1]
        first, = c.haproxy.table().values()
        c.haproxy.command("clear table agreements") # as two minutes do: the next client gets the other worker
        c.haproxy.command(f"disable server direct/{first}")
        other = c.start()
        other.wait_for("worker verified")
        c.haproxy.command(f"enable server direct/{first}")
        assert c.secrets() == [1, 1] and len(set(c.haproxy.table().values())) == 2
        for _ in range(4):
            c.good()
            c.good(other)
        assert c.figure("retried_total") == 0 and c.figure("retried_total", other) == 0
        assert c.of_workers('http_responses_total{code="5xx"}') == [0, 0], "never at the wrong one"
        assert other.stop() == 0


def test_lost_table(programs):
    """The wrong worker says that it does not know the secret, and HAProxy finds the right one: no new secret."""
    with Chain(programs) as c:
        for _ in range(4): # in turn: at least every second one comes to the wrong worker
            c.haproxy.command("clear table direct")
            c.good()
            c.good()
        wrong = sum(c.of_workers('http_responses_total{code="5xx"}'))
        assert 1 <= wrong <= 4, wrong
        assert c.figure("retried_total") == 0 and sorted(c.secrets()) == [0, 1]
        # A request that is too large to be sent again by HAProxy is sent again by pm-client.
        c.haproxy.command("clear table direct")
        before = sum(c.of_workers('http_responses_total{code="5xx"}'))
        for _ in range(2):
            c.haproxy.command("clear table direct")
            r = c.post(CHAT, chat(text=CANARY * 8000))
            assert r.status == 200 and r.whole, (r.status, r.body[:300])
        if sum(c.of_workers('http_responses_total{code="5xx"}')) > before:
            assert c.figure("retried_total") >= 1
        c.hidden()


def test_dead_worker(programs):
    """The worker with the secret is gone: the other one proves itself, and answers."""
    with Chain(programs) as c:
        c.good()
        dead = c.workers[c.secrets().index(1)]
        dead.proxy.process.kill()
        dead.proxy.wait()
        c.behind[c.workers.index(dead)].close()
        c.good()
        assert c.figure("retried_total") == 1
        c.good()
        assert c.figure("retried_total") == 1
        c.hidden()
        dead.proxy = dead.stack.enter_context(Daemon(dead.proxy_program, *HERE, "--upstream", dead.upstream, "--direct",
                                                     "--role", "worker", "--attester", dead.socket,
                                                     "--no-ocsp-status", "--no-ready-file"))
        dead.proxy.ready()


def test_shard_keys(programs):
    """Workers that share a secret: what begins alike goes to the same one, and what does not is spread."""
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        model = enter(Daemon(programs[2], *HERE))
        name, secret = "c2hhcmVk", os.urandom(32)
        keys = enter(tempfile.NamedTemporaryFile("w", encoding="ascii"))
        keys.write(f"{name} {secret.hex()}\n")
        keys.flush()
        proxies = [enter(Daemon(programs[1], *HERE, "--upstream", "%s:%d" % model.address(), "--keys", keys.name,
                                "--no-ocsp-status", "--no-ready-file")) for _ in range(2)]
        haproxy = enter(HAProxy([p.address() for p in proxies], [p.address("metrics")[1] for p in proxies], "mesh"))
        peer = enter(Peer(programs[3]))

        def served():
            return [figure(p.address("metrics"), 'pm_proxy_http_responses_total{code="2xx"}') for p in proxies]

        def post(shard):
            before = served()
            data = peer.sealed("/v1/chat/completions", chat(), "echo", shard=shard, key=(name, secret))
            fields = [("Content-Type", SEALED), ("Pm-Secret-Id", name), ("Pm-Model", "echo")]
            r = Response(exchange(haproxy.address, request("POST", "/pm/v1/sealed", data,
                                                           fields + ([("Pm-Shard-Key", shard)] if shard else []))))
            assert r.status == 200, (r.status, r.body)
            assert peer.sealed_open(r.status, r.fields["content-type"], r.body)[:2] == ("ok", 200)
            return [b - a for a, b in zip(before, served())].index(1)

        places = {}
        for n in range(12):
            shard = f"0123456789abcdef-{n:04d}"
            places[n] = post(shard)
            assert post(shard + "AAAA") == places[n] == post(shard + "B"), "a conversation that grows"
        assert set(places.values()) == {0, 1}, places
        assert {post(""), post("")} == {0, 1}, "in turn"
        # One has gone: its share goes to the other, and the rest stays where it was.
        proxies[0].stop()
        proxies[0].wait()
        proxies = proxies[1:]
        for n in range(12):
            assert post(f"0123456789abcdef-{n:04d}") == 0


if __name__ == "__main__":
    HAPROXY, CONFIGURATION, NODE, SDKS = sys.argv[1:5]
    if not HAPROXY:
        print("skipped: there is no haproxy")
        sys.exit(SKIPPED)
    run_tests(sys.modules[__name__], sys.argv[5:])
