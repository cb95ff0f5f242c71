#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pm-proxy in a mesh: it joins a coordinator with evidence of a software processor, fetches secrets from the secret
service over mutual TLS, and hears when they end. Both of these are doubles. mesh.py PM-PROXY INFERENCE-SERVER PEER
FOLDER-OF-TOOLS MESH-DOUBLE CLOCK"""
import base64
import hashlib
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from direct import make_sim
from harness import (Clock, Daemon, LIMIT, Response, ask, connect, exchange, figure, read_all, read_until, request,
                     run_tests, wait_for_figure)
from peer import Peer
from proxy import HERE, SEALED, chat


OWNER = "MCowBQYDK2VwAyEA/U9ElPlmAXSvRzMEwQ5KorXaGDLqvziWCKmk26lnZwU="


def secret():
    """An id, as agreed secrets have it, and a secret."""
    return base64.b64encode(os.urandom(32)).decode(), os.urandom(32)


class Mesh:
    """A software host, the doubles, an inference server and a worker."""

    def __init__(self, programs, *more, start=True):
        self.proxy_program, self.model_program, self.peer_program, self.tools, self.double_program = programs[:5]
        self.more = more
        self.folder = tempfile.TemporaryDirectory()
        self.starts = start

    def __enter__(self):
        f = self.folder.name
        make_sim(self.tools, f"{f}/sim")
        self.attester = subprocess.Popen([f"{self.tools}/pm-sim", "serve", f"{f}/sim", "--socket", f"{f}/attester"],
                                         stdout=subprocess.PIPE)
        assert b"serving" in self.attester.stdout.readline()
        self.double = Daemon(self.double_program, "--listen", "127.0.0.1:0", "--mesh-listen", "127.0.0.1:0",
                             orders=True)
        self.double.ready()
        self.manifest(1)
        self.model = Daemon(self.model_program, *HERE)
        self.peer = Peer(self.peer_program)
        if self.starts:
            self.start()
        return self

    def start(self, *more, hash=None):
        pin = ["--manifest-hash", hash] if hash else []
        self.proxy = Daemon(self.proxy_program, *HERE, "--upstream", "%s:%d" % self.model.address(), "--no-ocsp-status",
                            "--no-ready-file", "--role", "worker", "--attester", f"{self.folder.name}/attester",
                            "--coordinator", "http://127.0.0.1:%d" % self.double.address()[1],
                            "--secrets", "https://127.0.0.1:%d/" % self.double.address("mesh")[1],
                            "--mesh-listen", "127.0.0.1:0", *pin, *more, *self.more)
        self.address = self.proxy.address()
        self.metrics = self.proxy.address("metrics")

    def __exit__(self, kind, *_):
        if kind:
            print(self.proxy.text(), self.double.text(), file=sys.stderr)
        self.peer.__exit__()
        self.double.process.stdin.close()
        assert kind or self.proxy.stop() == 0
        for d in (self.proxy, self.model, self.double):
            d.stop()
        self.double.process.stdout.close()
        self.attester.terminate()
        self.attester.wait(LIMIT)
        self.attester.stdout.close()
        self.folder.cleanup()

    def manifest(self, serial, calls=("secrets", "worker")):
        least = {"boot_loader": 0, "tee": 0, "snp": 0, "microcode": 0}
        snp = {"measurements": [hashlib.sha384(b"pm-sim guest").hexdigest()], "host_data": None, "chip_ids": None,
               "min_tcb": {"Genoa": least}, "signers": ["VCEK"], "require_crl": False}
        roots = json.load(open(f"{self.folder.name}/sim/policy.json", encoding="utf-8"))["test_roots"]
        year = time.gmtime().tm_year

        def role(calls):
            return {"snp": snp, "gpu": None, "models": [], "calls": list(calls), "workload_secret": False}
        manifest = {
            "version": 1, "serial": serial, "previous": None if serial == 1 else "11" * 32,
            "not_before": f"{year - 1}-01-01T00:00:00Z", "not_after": f"{year + 1}-12-31T00:00:00Z",
            "roles": {"worker": role(calls), "secrets": role(()), "coordinator": role(())}, "models": {},
            "owners": {"threshold": 1, "keys": [{"name": "alice", "key": OWNER}]},
            "seed_share_owners": None, "secrets": [], "extra_roots": {"snp": roots}}
        path = f"{self.folder.name}/manifest"
        with open(path, "w", encoding="utf-8") as f:
            json.dump(manifest, f)
        self.double.order("manifest", path)

    def counts(self):
        """Joins, fetches and watches so far."""
        return [int(x) for x in self.double.order("counts").split()]

    def put(self, key, seconds=600):
        self.double.order("put", f"inference/{key[0]}", key[1].hex(), seconds)

    def send(self, key, kind="sealed", more=()):
        """The status of a chat under this secret, and what the worker said in plaintext."""
        if kind == "field":
            t, body = self.peer.field("/v1/chat/completions", chat(), key=key)
            r = ask(self.address, "POST", "/v1/chat/completions", body, [("Content-Type", t)])
            return r.status if r.status != 200 else (self.peer.field_open("application/json", r.body)[0] == "ok")
        body = self.peer.sealed("/v1/chat/completions", chat(), "echo", key=key)
        fields = [("Content-Type", SEALED), ("Pm-Secret-Id", key[0]), ("Pm-Model", "echo")]
        r = ask(self.address, "POST", "/pm/v1/sealed", body, [*fields, *more])
        if r.status == 429:
            assert r.fields["retry-after"] == "1" and b'"busy"' in r.body
        if r.fields["content-type"] != SEALED:
            return r.status
        self.said = self.peer.sealed_open(r.status, r.fields["content-type"], r.body)
        assert self.said[0] == "ok" and self.said[1] == 200, self.said
        return True

    def until(self, function, wanted):
        limit = time.monotonic() + LIMIT
        while (got := function()) != wanted:
            assert time.monotonic() < limit, (got, wanted)

    def watched(self):
        self.until(lambda: figure(self.metrics, "pm_proxy_secrets_watched"), 1)


def test_fetch(programs):
    with Mesh(programs) as m:
        m.watched()
        assert m.proxy.wait_for("joined the mesh role=worker replica=r1 manifest=1")
        assert ask(m.metrics, "GET", "/readyz").status == 200
        for kind in ("sealed", "field"):
            key = secret()
            m.put(key)
            before = m.counts()[1]
            # One fetch serves both requests.
            assert m.send(key, kind) is True and m.send(key, kind) is True
            assert m.counts()[1] == before + 1
        # None of that id: one question, and the answer is remembered for a moment.
        unknown, before = secret(), m.counts()[1]
        assert m.send(unknown) == 500 and m.send(unknown, "field") == 500
        assert m.counts()[1] - before in (1, 2)
        # What is no id of an agreed secret is asked of nobody.
        before = m.counts()[1]
        for id in ("short", "a" * 45, "_" * 44, "../../../../../../../../../../../../../../..")[:3]:
            assert m.send((id, os.urandom(32))) == 500
        assert m.counts()[1] == before
        # The answer is remembered for a second, not more.
        m.put(unknown)
        m.until(lambda: m.send(unknown), True)


def test_one_fetch_for_many(programs):
    with Mesh(programs) as m:
        m.watched()
        key = secret()
        m.put(key)
        bodies = [m.peer.sealed("/v1/chat/completions", chat(), "echo", key=key) for _ in range(8)]
        fields = [("Content-Type", SEALED), ("Pm-Secret-Id", key[0]), ("Pm-Model", "echo")]
        before = m.counts()[1]
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda b: ask(m.address, "POST", "/pm/v1/sealed", b, fields), bodies))
        assert all(r.status == 200 and r.fields["content-type"] == SEALED for r in done)
        assert m.counts()[1] == before + 1


def client(number):
    """The field by which a gateway tells clients apart."""
    return [("X-Client-Address", f"192.0.2.{number}")]


def test_made_up(programs):
    """Who makes ids up is refused before the service is asked; others, and he with what there is, are served."""
    with Mesh(programs, "--miss-rate", "1", "--client-field", "x-client-address") as m:
        m.watched()
        before = m.counts()[1]
        got = [m.send(secret(), more=client(1)) for _ in range(20)]
        assert got[:2] == [500, 500] and set(got) == {500, 429}, got
        assert m.counts()[1] == before + got.count(500)
        assert figure(m.metrics, "pm_proxy_secret_fetches_refused_total") == got.count(429)
        keys = [secret() for _ in range(20)]
        for key in keys:
            m.put(key)
        assert [m.send(key, more=client(2)) for key in keys] == 20 * [True], "what there is does not count"
        assert 429 not in (m.send(secret(), more=client(3)), m.send(secret(), more=client(3))), "each has his own"
        # What is held serves, whoever asks; and what is not after a while.
        assert m.send(keys[0], more=client(1)) is True
        key = secret()
        m.put(key)
        m.until(lambda: m.send(key, more=client(1)), True)
        # Of two fields the gateway's may be either: nobody gets another name by adding one.
        got = [m.send(secret(), more=client(i) + client(i + 1)) for i in range(10, 30)]
        assert set(got) == {500, 429}, got
    # Without a gateway's word all of one address are one.
    with Mesh(programs, "--miss-rate", "1") as m:
        m.watched()
        got = [m.send(secret(), more=client(i)) for i in range(20)]
        assert set(got) == {500, 429}, got
    # All together.
    with Mesh(programs, "--miss-rate-all", "1", "--client-field", "x-client-address") as m:
        m.watched()
        got = [m.send(secret(), more=client(i)) for i in range(20)]
        assert set(got) == {500, 429}, got


def test_share_of_questions(programs):
    """A service that is slow is not asked by one client alone."""
    with Mesh(programs, "--client-field", "x-client-address") as m, ExitStack() as stack:
        m.watched()
        m.double.order("stall", 1)
        before = m.counts()[1]
        for _ in range(140):
            s = stack.enter_context(connect(m.address))
            fields = [("Content-Type", SEALED), ("Pm-Secret-Id", secret()[0]), ("Pm-Model", "echo"), *client(1)]
            s.sendall(request("POST", "/pm/v1/sealed", b"x", fields, close=False))
        wait_for_figure(m.metrics, "pm_proxy_secret_fetches_refused_total", 140 - 128)
        m.until(lambda: m.counts()[1], before + 128)
        m.double.order("stall", 0)
        key = secret()
        m.put(key)
        assert m.send(key, more=client(2)) is True
        assert m.send(secret(), more=client(1)) == 429


def test_revoked(programs):
    with Mesh(programs) as m:
        m.watched()
        key, other = secret(), secret()
        for k in (key, other):
            m.put(k)
            assert m.send(k) is True
        ended = figure(m.metrics, "pm_proxy_secrets_ended_total")
        m.double.order("end", f"inference/{key[0]}")
        wait_for_figure(m.metrics, "pm_proxy_secrets_ended_total", ended + 1)
        assert m.send(key) == 500
        assert m.send(other) is True


def test_watch_lost(programs):
    """A secret that nobody watches serves for some seconds and is fetched again; one that is gone does not serve."""
    with Mesh(programs) as m:
        m.watched()
        kept, gone = secret(), secret()
        for k in (kept, gone):
            m.put(k)
            assert m.send(k) is True
        before = m.counts()[1]
        m.double.order("mute", 1)
        m.double.order("cut")
        wait_for_figure(m.metrics, "pm_proxy_secrets_watches_lost_total", 1)
        # At first both serve as they did.
        assert m.send(kept) is True and m.send(gone) is True
        assert m.counts()[1] == before
        # The service does not tell that one is gone, but is asked in the end.
        m.double.order("forget", f"inference/{gone[0]}")
        m.until(lambda: m.send(gone), 500)
        assert m.send(kept) is True
        assert m.counts()[1] >= before + 2
        # Watched again, what is fetched from now on serves without being asked for again.
        m.double.order("mute", 0)
        m.watched()
        key = secret()
        m.put(key)
        assert m.send(key) is True
        # Of another instance nobody hears of ends.
        assert figure(m.metrics, "pm_proxy_secrets_watches_lost_total") == 1


def test_watch_lost_on_the_way(programs):
    """What is told while no watch stands nobody hears: a secret that was on its way then is asked for again."""
    with Mesh(programs) as m:
        m.watched()
        key = secret()
        m.put(key)
        before = m.counts()
        m.double.order("hold", 1)
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(m.send, key)
            m.until(lambda: m.counts()[1], before[1] + 1)
            m.double.order("cut")
            m.double.order("forget", f"inference/{key[0]}")
            m.until(lambda: m.counts()[2] > before[2], True)
            m.watched()
            m.double.order("hold", 0)
            assert sent.result() is True
        m.until(lambda: m.send(key), 500)
        assert figure(m.metrics, "pm_proxy_secrets_watches_lost_total") == 1, "not before the next watch was lost"


def test_other_instance(programs):
    """What another instance gave is not watched, and asked for again in the end."""
    with Mesh(programs) as m:
        m.watched()
        m.double.order("instance", "second")
        key = secret()
        m.put(key)
        assert m.send(key) is True
        m.double.order("forget", f"inference/{key[0]}")
        m.until(lambda: m.send(key), 500)
        assert figure(m.metrics, "pm_proxy_secrets_ended_total") == 0


def test_not_joined(programs):
    with Mesh(programs, start=False) as m:
        m.double.order("refuse", 1)
        m.start()
        m.proxy.wait_for("mesh not joined")
        key = secret()
        m.put(key)
        assert ask(m.metrics, "GET", "/readyz").status == 503
        assert m.send(key) == 503
        m.double.order("refuse", 0)
        m.watched()
        assert m.send(key) is True
    # A pinned manifest has the coordinator attested first, which this one does not stand.
    with Mesh(programs, start=False) as m:
        m.start(hash="11" * 32)
        m.proxy.wait_for("mesh not joined.*reason=.*coordinator: found a refusal by http")
        assert ask(m.metrics, "GET", "/readyz").status == 503
        assert m.counts()[0] == 0


def member(m, role, name):
    """A function that wraps a socket: as a member of the mesh that holds this role."""
    path = f"{m.folder.name}/{name}"
    m.double.order("cert", role, path)
    context = ssl.create_default_context(cafile=f"{path}.ca")
    context.load_cert_chain(f"{path}.crt", f"{path}.key")
    return lambda s: context.wrap_socket(s, server_hostname="worker")


def test_callers(programs):
    """The listener of the mesh is for those whose role the manifest lets call ours, and looks at each request."""
    with Mesh(programs) as m:
        m.watched()
        at = m.proxy.address("mesh")
        worker, other = member(m, "worker", "a"), member(m, "secrets", "b")
        m.until(lambda: tries(at, worker), 200)
        for _ in range(4):
            assert tries(at, other) is None
            assert tries(at, None) is None
        with worker(connect(at)) as s:
            s.sendall(request("GET", "/v1/models", close=False))
            assert b"200 OK" in read_until(s, b"}")
            # A connection of before does not outlive the manifest that let it.
            m.manifest(2)
            m.double.order("cut")
            m.proxy.wait_for("manifest=2")
            s.sendall(request("GET", "/v1/models"))
            assert b" 403 " in read_all(s)
        assert tries(at, worker) is None
        worker = member(m, "worker", "c")
        m.until(lambda: tries(at, worker), 200)
        # Nor may every role of the new one.
        m.manifest(3, calls=("secrets",))
        m.double.order("cut")
        m.proxy.wait_for("manifest=3")
        worker = member(m, "worker", "d")
        for _ in range(4):
            assert tries(at, worker) is None


def tries(address, wrap):
    """The status, or None when there is no answer."""
    try:
        return Response(exchange(address, request("GET", "/v1/models"), wrap)).status
    except (OSError, AssertionError):
        return None


def test_caller_whose_certificate_ends(programs):
    """Who is connected when his certificate ends asks nothing more."""
    with Mesh(programs) as m:
        m.watched()
        m.double.order("life", 4)
        worker = member(m, "worker", "a")
        m.double.order("life", 3600)
        with worker(connect(m.proxy.address("mesh"))) as s:
            def asks():
                s.sendall(request("GET", "/v1/models", close=False))
                head, body = read_until(s, b"\r\n\r\n").split(b"\r\n\r\n", 1)
                rest = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(body)
                while rest:
                    rest -= len(s.recv(rest))
                return int(head.split()[1])
            assert asks() == 200
            m.until(asks, 403)


def test_watch_of_a_certificate(programs):
    """A watch lasts no longer than the certificate under which it began: then both ends prove anew who they are."""
    with Mesh(programs, start=False) as m:
        m.double.order("life", 6)
        m.start()
        m.watched()
        m.proxy.wait_for("not watched.*the certificate of before has ended")
        m.watched()


def test_life_of_a_secret(programs):
    """However long the service says that a secret lives: it is asked again after an hour."""
    with Mesh(programs, start=False) as m, Clock(programs[5]) as clock:
        m.double.order("life", 200000)
        m.manifest(1)
        m.start()
        m.watched()
        key = secret()
        m.put(key, 100000)
        before = m.counts()[1]
        assert m.send(key, "field") is True
        clock.set(3500)
        assert m.send(key, "field") is True and m.counts()[1] == before + 1
        clock.set(3700)
        m.send(key, "field")
        assert m.counts()[1] == before + 2


def test_options(programs):
    base = ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1", "--no-ocsp-status", "--no-ready-file"]
    mesh = ["--coordinator", "http://127.0.0.1:1", "--role", "worker"]
    for bad, why in ((["--secrets", "https://x"], "--coordinator"),
                     (mesh, "--secrets URL"),
                     (["--coordinator", "http://127.0.0.1:1", "--secrets", "https://x"], "--role"),
                     (mesh + ["--secrets", "http://x"], "https"),
                     (mesh + ["--secrets", "https://x", "--gpu-evidence", "/x", "--direct"], "for one key"),
                     (mesh + ["--secrets", "https://x", "--public-key", "/x", "--direct"], "for one key"),
                     (mesh + ["--secrets", "https://x", "--gpu-evidence", "/x"], "need each other"),
                     (mesh + ["--secrets", "https://x", "--public-key", "/x"], "need each other"),
                     (mesh + ["--secrets", "https://x", "--gpu-evidence", "/x", "--public-key", "/none/x"], "/none/x"),
                     (mesh + ["--secrets", "https://x", "--manifest-hash", "12"], "64 hexadecimal"),
                     (["--direct", "--role", "worker", "--mesh-listen", "127.0.0.1:0"], "--coordinator")):
        done = subprocess.run([programs[0], *base, *bad], capture_output=True, text=True, check=False, timeout=LIMIT)
        assert done.returncode == 2 and why in done.stderr, (bad, done.stderr)


def test_renewed(programs):
    """Short certificates are renewed in time; a new manifest is noticed, also by what its service refuses."""
    with Mesh(programs, start=False) as m:
        m.double.order("life", 6)
        m.start()
        m.watched()
        m.until(lambda: m.counts()[0] >= 3, True)
        assert ask(m.metrics, "GET", "/readyz").status == 200
        # Nobody renews any more: at the end of the certificate it is out.
        m.double.order("refuse", 1)
        m.proxy.wait_for("out of the mesh")
        assert ask(m.metrics, "GET", "/readyz").status == 503
        assert m.send(secret()) == 503
        # And comes back.
        m.double.order("life", 3600)
        m.double.order("refuse", 0)
        m.until(lambda: ask(m.metrics, "GET", "/readyz").status, 200)
        joins = m.counts()[0]
        m.manifest(2)
        m.double.order("cut")
        m.proxy.wait_for("manifest=2")
        assert m.counts()[0] > joins
        m.watched()
        key = secret()
        m.put(key)
        assert m.send(key) is True


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
