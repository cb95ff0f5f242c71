#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An application, pm-client, somebody in between, pm-proxy in direct mode on a software processor, an inference
server. client.py PM-CLIENT PM-PROXY INFERENCE-SERVER PEER FOLDER-OF-TOOLS"""
import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading

from direct import ROOT, Worker
from harness import (Daemon, LIMIT, ask, connect, figure, make_ca, make_leaf, read_until, request, run_tests,
                     wait_for_figure)
from proxy import CANARY, HERE, SALT, chat, events, form
from relay import Relay

CHAT = "/v1/chat/completions"
KEY = "sk-secret-key-of-the-application"


class Scene:
    """All of it. What is in between sees everything that goes to the worker and back."""

    def __init__(self, programs, *args, memory=None, manifest=None, relay=True, **more):
        self.stack = contextlib.ExitStack()
        self.client_program = programs[0]
        self.worker = self.stack.enter_context(Worker(programs[1:]))
        self.relay = self.stack.enter_context(Relay(self.worker.address))
        if not relay: # what it saw would fill our own memory
            more["url"] = "http://%s:%d" % self.worker.address
        self.manifest = manifest or f"{self.worker.folder}/manifest"
        self.memory = ["--memory", memory] if memory else ["--no-memory"]
        self.client = self.start(*args, **more)

    def start(self, *args, memory=None, manifest=None, url=None):
        return self.stack.enter_context(
            Daemon(self.client_program, *HERE, "--worker", url or self.relay.url, "--manifest",
                   manifest or self.manifest, *(memory or self.memory), *args))

    def __enter__(self):
        self.address = self.client.address()
        return self

    def __exit__(self, kind, *_):
        with self.stack:
            if kind:
                print(self.client.text(), file=sys.stderr)
            else:
                assert self.client.stop() == 0

    def post(self, path, body, kind="application/json", fields=(), client=None):
        return ask((client or self.client).address(), "POST", path, body, [("Content-Type", kind), *fields])

    def figure(self, name):
        return figure(self.client.address("metrics"), f"pm_client_{name}")

    def restart_worker(self):
        """Another process on the same machine: it has another key, and knows no secret."""
        w = self.worker
        assert w.proxy.stop() == 0
        w.proxy = w.stack.enter_context(
            Daemon(w.proxy_program, *HERE, "--upstream", w.upstream, "--direct", "--role", "worker", "--model",
                   f"tiny={ROOT}", "--attester", w.socket, "--no-ocsp-status", "--no-ready-file"))
        w.address = self.relay.target = w.proxy.address()

    def hidden(self, *words):
        for word in (CANARY, KEY, "messages", "choices", "assistant", "temperature", "/v1/chat", SALT, *words):
            assert word.encode() not in self.relay.seen, word


def verify(programs, *args):
    done = subprocess.run([programs[0], "verify", *args], capture_output=True, text=True, check=False, timeout=LIMIT)
    return done.returncode, done.stdout + done.stderr


def error_of(r):
    """Who an error comes from, and its code."""
    return r.fields.get("pm-error-from"), json.loads(r.body)["error"]["code"]


# --- what works -------------------------------------------------------------------------------------

def test_chat(programs):
    with Scene(programs) as s:
        r = s.post(CHAT, chat(salt=None, temperature=0.5), fields=[("Authorization", f"Bearer {KEY}")])
        assert r.status == 200 and r.whole, (r.status, r.body)
        assert json.loads(r.body)["choices"][0]["message"]["content"] == CANARY
        r = s.post(CHAT, chat(stream=True))
        assert r.fields["content-type"].startswith("text/event-stream") and r.whole
        assert r.body.endswith(b"data: [DONE]\n\n")
        parts = events(r.body)
        assert "".join(x["choices"][0]["delta"].get("content", "") for x in parts if x["choices"]) == CANARY
        s.hidden()
        assert b"Pm-Shard-Key" not in s.relay.seen
        assert s.relay.count("/pm/v1/evidence") == 1 and s.relay.count("/pm/v1/secret") == 1
        assert s.relay.count("/pm/v1/sealed") == 2
        assert CANARY not in s.client.text() and KEY not in s.client.text()
        assert ask(s.client.address("metrics"), "GET", "/readyz").status == 200


def test_other_endpoints(programs):
    with Scene(programs) as s:
        prompt = json.dumps({"model": "echo", "prompt": CANARY}).encode()
        r = s.post("/v1/completions", prompt)
        assert json.loads(r.body)["choices"][0]["text"] == CANARY, r.body
        r = s.post("/v1/embeddings", json.dumps({"model": "echo", "input": CANARY}).encode())
        assert len(json.loads(r.body)["data"][0]["embedding"]) == 8
        r = s.post("/v1/messages", chat(salt=None), fields=[("X-Api-Key", KEY), ("Anthropic-Version", "2023-06-01")])
        assert json.loads(r.body)["content"][0]["text"] == CANARY
        r = s.post("/v1/messages", chat(stream=True))
        assert r.body.count(b"event: content_block_delta") == 1 and b"message_stop" in r.body and r.whole
        r = s.post("/v1/messages/count_tokens", chat(salt=None))
        assert json.loads(r.body)["input_tokens"] == 1
        kind, body = form([("model", "echo"), ("language", "en"), ("file", CANARY.encode() * 100)])
        r = s.post("/v1/audio/transcriptions", body, kind)
        assert "2500 bytes" in json.loads(r.body)["text"], r.body
        r = ask(s.address, "GET", "/v1/models")
        assert r.status == 200 and json.loads(r.body)["object"] == "list"
        s.hidden("/v1/models", "list")
        text = "word " * 300000
        r = s.post(CHAT, chat(text=text))
        assert json.loads(r.body)["choices"][0]["message"]["content"] == text
        # An error of the inference server is the worker's answer, with its own status.
        r = s.post(CHAT, chat("error-429"))
        assert r.status == 429 and "pm-error-from" not in r.fields, (r.status, r.body)


def test_streams_and_cancels(programs):
    """Events come while the model goes on, and the model stops when the application has gone."""
    with Scene(programs) as s:
        with connect(s.address) as c:
            c.sendall(request("POST", CHAT, chat("endless", stream=True), [("Content-Type", "application/json")]))
            data = read_until(c, CANARY.encode())
            for _ in range(3):
                data = read_until(c, b"\n\n")
            upstream = s.worker.model.address("metrics")
            assert figure(upstream, "inference_server_http_requests") == 1
        wait_for_figure(upstream, "inference_server_http_requests", 0)
        s.hidden()


def test_two_clients(programs):
    with Scene(programs) as s:
        other = s.start()
        answers = {}

        def run(client, n):
            r = s.post(CHAT, chat(text=f"{CANARY}-{n}", stream=n % 2 == 0), client=client)
            answers[n] = r.status == 200 and r.whole and f"{CANARY}-{n}".encode() in r.body

        threads = [threading.Thread(target=run, args=((s.client, other)[n % 2], n)) for n in range(24)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(LIMIT)
        assert all(answers.get(n) for n in range(24)), answers
        assert figure(s.worker.proxy.address("metrics"), "pm_proxy_secrets") == 2
        s.hidden()
        assert other.stop() == 0


def secret_file(folder, name, text, mode=0o600):
    path = f"{folder}/{name}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="ascii") as f:
        f.write(text + "\n")
    os.chmod(path, mode)
    return path


def test_salts_and_shards(programs):
    def outer(s):
        return [m and m[1] for m in (re.search(rb"(?i)Pm-Shard-Key: (\S+)", h) for h in s.relay.requests
                                     if h.startswith(b"POST /pm/v1/sealed"))]

    with tempfile.TemporaryDirectory() as f:
        with Scene(programs, "--shard-keys", "--cache-salt-file", secret_file(f, "salt", SALT)) as s:
            for text in ("same " * 40, "same " * 40 + "and more " * 20, "other " * 40):
                assert s.post(CHAT, chat(text=text, salt=None)).status == 200
            assert s.post(CHAT, chat(text="same " * 40, salt="x" * 40)).status == 200
            one, longer, other, salted = outer(s)
            assert longer.startswith(one[:-2]) and len(longer) > len(one), (one, longer)
            assert one[:17] == other[:17] and one[:20] != other[:20] and salted[:16] != one[:16]
            s.hidden("same")
        with Scene(programs, "--shared-cache", "--shard-keys") as s:
            for _ in range(2):
                assert s.post(CHAT, chat(salt=None)).status == 200
            one, two = outer(s)
            assert one and one == two
        # A fresh salt for each request: nothing could be found again, so there is no key.
        with Scene(programs, "--shard-keys") as s:
            assert s.post(CHAT, chat(salt=None)).status == 200
            assert outer(s) == [None]
            for body in (chat(salt="short"), b'{"model":"echo","cache_salt":""}', b'{"model":"echo","cache_salt":null}',
                         b'{"model":1}', b"{}", b"[]", b"", b'{"model":"echo","model":"echo"}', b'{"model":"echo"'):
                r = s.post(CHAT, body)
                assert r.status == 400 and r.fields["pm-error-from"] == "pm-client", (body, r.status, r.body)
            assert s.post("/v1/audio/transcriptions", b"{}").status == 415
            assert ask(s.address, "GET", "/v1/secrets").status == 404
            assert len(outer(s)) == 1, "refused before anything was sent"


def test_keys_and_dumps(programs):
    with tempfile.TemporaryDirectory() as f:
        dump = f"{f}/dump"
        os.mkdir(dump)
        key = secret_file(f, "key", KEY)
        with Scene(programs, "--api-key-file", key, "--dump", dump) as s:
            assert s.post(CHAT, chat(), fields=[("Authorization", "Bearer other")]).status == 200
            s.hidden("other")
            names = sorted(os.listdir(dump))
            assert [n.rsplit("-", 1)[1] for n in names] == ["answer", "request"], names
            for n in names:
                assert os.stat(f"{dump}/{n}").st_mode & 0o777 == 0o600
                data = open(f"{dump}/{n}", encoding="utf-8").read()
                assert CANARY in data and KEY not in data
        # What is there is never written to, whoever made it.
        with Scene(programs, "--threads", "1", "--dump", dump) as s:
            assert s.post(CHAT, chat()).status == 200
            id = next(n for n in os.listdir(dump) if n not in names).rsplit("-", 1)[0]
            ids = [f"{dump}/{id[:16]}{int(id[16:], 16) + i:08x}" for i in range(1, 9)]
            for i in ids:
                with open(f"{i}-request", "w", encoding="ascii") as file:
                    file.write("mine")
                os.symlink(f"{f}/elsewhere", f"{i}-answer")
            assert s.post(CHAT, chat()).status == 200
            s.client.wait_for(r"not dumped id=" + id[:16])
            assert {open(f"{i}-request", encoding="ascii").read() for i in ids} == {"mine"}
            assert not os.path.exists(f"{f}/elsewhere")
        base = ["--worker", "http://127.0.0.1:1", "--manifest", "none", "--no-memory", "--listen", "127.0.0.1:0"]
        for bad in (secret_file(f, "open", KEY, 0o640), secret_file(f, "spaces", "a b"), f"{f}/none"):
            with Scene(programs) as s:
                with s.start("--api-key-file", bad) as d:
                    assert d.wait() == 2, bad
                with s.start("--cache-salt-file", bad) as d:
                    assert d.wait() == 2, bad
        for word, args in (
                ("--coordinator", ["--secrets", "http://127.0.0.1:1"]),
                ("in a mesh", ["--coordinator", "http://127.0.0.1:1", "--role", "worker"]),
                ("plaintext; use https", ["--outer-key"]), ("--tls-cert", ["--allow-remote"]),
                ("this machine alone", ["--listen", ":0"]), ("this machine alone", ["--listen", "0.0.0.0:0"]),
                ("this machine alone", ["--listen", "[::]:0"]), ("one of --memory", ["--memory", f"{f}/m"]),
                ("power of two", ["--pad", "100"]), ("--gpu-ocsp", ["--gpu-ocsp", "nothing"]),
                ("--gpu-ocsp-grace", ["--gpu-ocsp-grace", "3"]), ("--manifest-hash", ["--manifest-hash", "00"]),
                ("exclude", ["--shared-cache", "--cache-salt-file", key]), ("unexpected", ["more"]),
                ("No such file", [])):
            with Daemon(programs[0], *base, *args) as d:
                assert d.wait() == 2 and word in d.text(), (args, d.text())
        with Daemon(programs[0], *base[:4], "--listen", "127.0.0.1:0") as d:
            assert d.wait() == 2 and "one of --memory" in d.text(), d.text()


def test_tls(programs):
    """By TLS; with --outer-key a gateway sees the key, the file's before the application's."""
    with tempfile.TemporaryDirectory() as f, Scene(programs) as s:
        make_ca(f, "ca")
        make_ca(f, "other")
        make_leaf(f, "ca", "server", "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{f}/server.crt", f"{f}/server.key")
        mine = [("Authorization", f"Bearer {KEY}")]
        key = secret_file(f, "key", KEY + "-of-file")
        with Relay(s.worker.address, context) as gate:
            url = "https://localhost:%d" % gate.address[1]
            cases = [([], None), (["--outer-key"], KEY), (["--outer-key", "--api-key-file", key], KEY + "-of-file")]
            for args, outer in cases:
                gate.seen = b""
                with s.start("--worker-ca", f"{f}/ca.crt", *args, url=url) as d:
                    r = s.post(CHAT, chat(), fields=mine, client=d)
                    assert r.status == 200 and CANARY.encode() in r.body, (r.status, r.body)
                    assert d.stop() == 0
                found = re.findall(rb"(?i)authorization: Bearer (\S+)\r", gate.seen)
                assert found == ([outer.encode()] if outer else []), (args, found)
            with s.start("--worker-ca", f"{f}/other.crt", url=url) as d:
                r = s.post(CHAT, chat(), client=d)
                assert r.status == 503 and error_of(r) == ("pm-client", "unreachable"), (r.status, r.body)
                assert d.stop() == 0


def test_gpu_policy(programs):
    """A worker that tells nothing of GPUs refuses a client with a policy on them: the refusal is his, sealed."""
    with Scene(programs, "--gpu-ocsp", "good,revoked") as s:
        r = s.post(CHAT, chat())
        assert r.status == 403 and "gpu_policy" in r.body.decode() and "pm-error-from" not in r.fields, r.body


# --- verification -----------------------------------------------------------------------------------

def edited(s, name, change):
    """A copy of the manifest with a change."""
    manifest = json.load(open(s.manifest, encoding="utf-8"))
    change(manifest)
    path = f"{s.worker.folder}/{name}"
    with open(path, "w", encoding="utf-8") as f:
        json.dump(manifest, f)
    return path


def other_measurement(manifest):
    manifest["roles"]["worker"]["snp"]["measurements"] = ["00" * 48]


def test_verify(programs):
    with Scene(programs) as s:
        args = ["--manifest", s.manifest]
        status, said = verify(programs, *args, "--role", "worker", "--model", "tiny", s.relay.url)
        assert status == 0 and "VERIFIED" in said and "TEST ROOT" in said and "✓ MEASUREMENT" in said, said
        wrong = edited(s, "wrong", other_measurement)
        status, said = verify(programs, "--manifest", wrong, s.relay.url)
        assert status == 1 and "REJECTED" in said and "✗ MEASUREMENT" in said, said
        assert "VERIFIED" not in said.replace("NOT VERIFIED", "")
        assert verify(programs, *args, "--role", "other", s.relay.url)[0] == 1
        assert verify(programs, *args, "--manifest-hash", "00" * 32, s.relay.url)[0] == 1
        assert verify(programs, *args, "http://127.0.0.1:1")[0] == 2
        assert verify(programs, *args, "ftp://x")[0] == 1
        # A worker is no coordinator, and says so itself.
        status, said = verify(programs, *args, "--coordinator", s.relay.url)
        assert status != 0 and "VERIFIED" not in said.replace("NOT VERIFIED", ""), said
        mesh = ["--coordinator", "http://127.0.0.1:1"]
        assert verify(programs, *args, *mesh)[0] == 2
        for bad in ([], ["x"], args, [*args, "a", "b"], [*args, "--help", "x"], [*args, *mesh, "a"],
                    [*args, *mesh, "--role", "worker"], [*args, *mesh, "--model", "tiny"]):
            assert verify(programs, *bad)[0] == 2, bad
        # What is no evidence at all.
        s.relay.answer = lambda head, body, r: (200, "application/json", b"{}")
        assert verify(programs, *args, s.relay.url)[0] == 1
        s.relay.answer = None
        tool = subprocess.run([f"{programs[4]}/pm-verify", "worker", s.relay.url, *args, "--json"],
                              capture_output=True, text=True, check=False, timeout=LIMIT)
        assert tool.returncode == 0 and json.loads(tool.stdout)["verdict"] == "accepted", tool
        tool = subprocess.run([f"{programs[4]}/pm-verify", "worker", s.relay.url, "--manifest", wrong],
                              capture_output=True, text=True, check=False, timeout=LIMIT)
        assert tool.returncode == 1 and "MEASUREMENT" in tool.stdout, tool


def test_verify_json(programs):
    with Scene(programs) as s:
        done = subprocess.run([programs[0], "verify", "--json", "--manifest", s.manifest, s.relay.url],
                              capture_output=True, text=True, check=False, timeout=LIMIT)
        o = json.loads(done.stdout)
        assert done.returncode == 0 and o["verdict"] == "accepted" and o["worker"] == s.relay.url, done
        assert o["role"] == "worker" and o["models"] == {"tiny": ROOT} and o["test_root"] and o["gpus"] == 0, o
        assert o["manifest"]["serial"] == 1 and len(o["key"]) == 2 * 1216 and "reason" not in o, o
        names = {c["name"]: c for g in o["checks"] for c in g.get("checks", [g])}
        assert names["MEASUREMENT"]["outcome"] == "passed", names
        wrong = edited(s, "wrong", other_measurement)
        for manifest, url, status, verdict in ((wrong, s.relay.url, 1, "rejected"),
                                               (s.manifest, "http://127.0.0.1:1", 2, "error")):
            done = subprocess.run([programs[0], "verify", "--json", "--manifest", manifest, url], capture_output=True,
                                  text=True, check=False, timeout=LIMIT)
            o = json.loads(done.stdout)
            assert done.returncode == status and o["verdict"] == verdict and o["reason"] and "role" not in o, o


def hash_of(programs, manifest):
    """What pm-client says of a manifest that it must not accept."""
    status, said = verify(programs, "--manifest", manifest, "--manifest-hash", "00" * 32, "http://127.0.0.1:1")
    assert status == 1
    return re.search(rf"{re.escape(manifest)}: .*hash: found ([0-9a-f]{{64}}), expected {'00' * 32}\n", said)[1]


def ctl(programs, *args):
    subprocess.run([f"{programs[4]}/pm-ctl", *args], check=True, capture_output=True, timeout=LIMIT)


def test_owners(programs):
    """A manifest that too few of the owners signed is not used, whoever wrote the file."""
    with tempfile.TemporaryDirectory() as f, Scene(programs) as s:
        for name in ("alice", "bob", "eve"):
            ctl(programs, "key", "new", "--type", "ed25519", "-o", f"{f}/{name}.key", "--public", f"{f}/{name}.pub")
        keys = []
        for name in ("alice", "bob"):
            with open(f"{f}/{name}.pub", encoding="ascii") as pem:
                keys.append({"name": name, "key": "".join(pem.read().split("\n")[1:-2])})
        with open(f"{f}/owners", "w", encoding="utf-8") as file:
            json.dump({"threshold": 2, "keys": keys}, file)
        base = ["--manifest", s.manifest, "--owners", f"{f}/owners", "--signatures", f"{f}/sig"]
        assert verify(programs, *base, s.relay.url)[0] == 2, "no signatures"
        for name, status in (("eve", 1), ("alice", 1), ("bob", 0)):
            ctl(programs, "manifest", "sign", s.manifest, "--key", f"{f}/{name}.key", "-o", f"{f}/sig")
            got, said = verify(programs, *base, s.relay.url)
            assert got == status and ("owners" in said) == (status == 1), (name, said)
        with s.start(*base[2:]) as d:
            assert s.post(CHAT, chat(), client=d).status == 200
            assert d.stop() == 0
        other = edited(s, "other", lambda m: m["roles"]["worker"].update(workload_secret=True))
        got, said = verify(programs, "--manifest", other, *base[2:], s.relay.url)
        assert got == 1 and "VERIFIED" not in said, said
        with s.start(*base[2:], manifest=other) as d:
            assert d.wait() == 2
        for bad in (["--owners", f"{f}/owners"], ["--signatures", f"{f}/sig"]):
            status, said = verify(programs, "--manifest", s.manifest, *bad, s.relay.url)
            assert status == 2 and "go together" in said, said
            with s.start(*bad) as d:
                assert d.wait() == 2 and "go together" in d.text()
        for text in ("{}", '{"threshold":0,"keys":[]}', ""):
            with open(f"{f}/bad", "w", encoding="ascii") as file:
                file.write(text)
            assert verify(programs, *base[:2], "--owners", f"{f}/bad", *base[4:], s.relay.url)[0] == 1, text
            assert verify(programs, *base[:4], "--signatures", f"{f}/bad", s.relay.url)[0] == 1, text


def test_reload(programs):
    """SIGHUP brings another manifest, never an older one; what was under way goes on."""
    def put(path):
        os.rename(shutil.copy(path, f"{f}/next"), f"{f}/manifest")
        start = len(s.client.lines)
        s.client.signal(signal.SIGHUP)
        s.client.wait_for("reloaded", start)
        return start

    for memory in (True, False):
        with tempfile.TemporaryDirectory() as f:
            with Worker(programs[1:]) as w:
                shutil.copy(f"{w.folder}/manifest", f"{f}/manifest")
            with Scene(programs, manifest=f"{f}/manifest", memory=f"{f}/memory" if memory else None) as s:
                put(f"{s.worker.folder}/manifest") # of this worker's roots
                first = f"{s.worker.folder}/manifest"
                assert s.post(CHAT, chat()).status == 200
                s.manifest = first
                second = edited(s, "second", lambda m: m.update(serial=2, previous=hash_of(programs, first)))
                with connect(s.address) as c:
                    c.sendall(request("POST", CHAT, chat("slow", text="word " * 10, stream=True),
                                      [("Content-Type", "application/json")]))
                    data = read_until(c, b"word")
                    start = put(second)
                    s.client.wait_for(r"worker verified .*manifest=2", start)
                    assert s.post(CHAT, chat()).status == 200
                    while piece := c.recv(65536):
                        data += piece
                    assert data.endswith(b"0\r\n\r\n") and b"[DONE]" in data
                after = hash_of(programs, second)
                third = edited(s, "third", lambda m: (other_measurement(m), m.update(serial=3, previous=after)))
                fork = edited(s, "fork", lambda m: m.update(serial=2, previous="22" * 32))
                for bad in (first, fork, "/dev/null"):
                    s.client.wait_for("manifest kept", put(bad))
                    assert s.post(CHAT, chat()).status == 200, "under the one before"
                put(third)
                r = s.post(CHAT, chat())
                assert r.status == 503 and error_of(r) == ("pm-client", "not_verified"), (r.status, r.body)
                assert ask(s.client.address("metrics"), "GET", "/readyz").status == 503


def test_wrong_worker(programs):
    """Nothing is sent to a worker that is not what the manifest says, and why is told."""
    with Scene(programs) as s:
        with s.start(manifest=edited(s, "wrong", other_measurement)) as d:
            r = s.post(CHAT, chat(), client=d)
            assert r.status == 503 and error_of(r) == ("pm-client", "not_verified"), (r.status, r.body)
            assert b"MEASUREMENT" in r.body
            assert ask(d.address("metrics"), "GET", "/readyz").status == 503
            assert s.relay.count("/pm/v1/secret") <= 1 and s.relay.count("/pm/v1/sealed") == 0 # s.client's own
            s.hidden()
            assert d.stop() == 0
        with s.start(url="http://127.0.0.1:1") as d:
            r = s.post(CHAT, chat(), client=d)
            assert r.status == 503 and error_of(r) == ("pm-client", "unreachable"), (r.status, r.body)
            assert d.stop() == 0


def test_rollback(programs):
    with tempfile.TemporaryDirectory() as f:
        memory = ["--memory", f"{f}/memory"]
        with Scene(programs, memory=f"{f}/memory") as s:
            assert s.post(CHAT, chat()).status == 200
            assert os.stat(f"{f}/memory").st_mode & 0o777 == 0o600
            status, said = verify(programs, "--manifest", edited(s, "fork", lambda m: m["secrets"].clear() or
                                  m["roles"]["worker"].update(workload_secret=True)), *memory, s.relay.url)
            assert status == 1, said
            tool = subprocess.run([f"{programs[4]}/pm-ctl", "manifest", "hash", s.manifest], capture_output=True,
                                  text=True, check=True)
            old, = re.findall(r"[0-9a-f]{64}", tool.stdout)
            new = edited(s, "new", lambda m: m.update(serial=2, previous=old))
            assert verify(programs, "--manifest", new, *memory, s.relay.url)[0] == 0
            status, said = verify(programs, "--manifest", s.manifest, *memory, s.relay.url)
            assert status == 1 and "REJECTED" in said, said
            with s.start(memory=memory) as d:
                assert d.wait() == 2


def test_restarted_worker(programs):
    """The secret is not known any more: new evidence, a new secret, and the request once more."""
    with Scene(programs) as s:
        assert s.post(CHAT, chat()).status == 200
        s.restart_worker()
        r = s.post(CHAT, chat(stream=True))
        assert r.status == 200 and r.whole and CANARY.encode() in r.body, (r.status, r.body)
        assert s.figure("retried_total") == 1
        assert s.figure('verifications_total{outcome="verified"}') == 2
        assert s.relay.count("/pm/v1/evidence") == 2
        s.hidden()


def test_silence(programs):
    """A worker that says nothing is given up, before its answer and in the middle; a slow one is not."""
    with Scene(programs, "--stream-timeout", "800ms") as s:
        r = s.post(CHAT, chat("silent"))
        assert r.status == 504 and error_of(r) == ("pm-client", "silent"), (r.status, r.body)
        wait_for_figure(s.worker.model.address("metrics"), "inference_server_http_requests", 0)
        assert s.post(CHAT, chat("slow", text="word " * 12, stream=True)).whole, "longer than that in all"
        with connect(s.address) as c:
            c.sendall(request("POST", CHAT, chat("slow", text="word " * 100, stream=True),
                              [("Content-Type", "application/json")]))
            data = read_until(c, b"word")
            s.worker.model.signal(signal.SIGSTOP)
            try:
                while piece := c.recv(65536):
                    data += piece
            finally:
                s.worker.model.signal(signal.SIGCONT)
            assert not data.endswith(b"0\r\n\r\n"), "cut, not ended"
    with Scene(programs, "--stream-timeout", "off") as s:
        assert s.post(CHAT, chat()).status == 200
    with Daemon(programs[0], "--stream-timeout", "0s") as d:
        assert d.wait() == 2


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
