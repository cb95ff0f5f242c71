#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Direct mode of pm-proxy: evidence of a software processor, verified by pm-verify, then the key exchange and a
sealed request under its secret. direct.py PM-PROXY INFERENCE-SERVER PEER FOLDER-OF-TOOLS"""
import base64
import contextlib
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

import gpus
from harness import Daemon, LIMIT, Response, ask, exchange, figure, request, run_tests
from peer import Peer
from proxy import CANARY, HERE, SEALED, chat, hidden

ROOT = "21" * 32
PATHS = ("/pm/v1/evidence", "/pm/v1/secret")


MADE = [] # a software host, made once: its keys take their time


def make_sim(tools, folder):
    if not MADE:
        MADE.append(tempfile.TemporaryDirectory())
        subprocess.run([f"{tools}/pm-sim", "init", f"{MADE[0].name}/sim", "--product", "Genoa"], check=True,
                       capture_output=True)
    shutil.copytree(f"{MADE[0].name}/sim", folder)


class Worker:
    """A software host, and a proxy in direct mode on it."""

    def __init__(self, programs, count=0):
        self.gpus = count
        self.proxy_program, model, peer, self.tools = programs
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.sim = f"{self.folder}/sim"
        make_sim(self.tools, self.sim)
        more = []
        if count:
            gpus.sim(self.tools, "gpu", "init", self.sim, "--arch", "hopper", "--count", count)
            more = ["--public-key", f"{self.folder}/xwing.pub", "--gpu-evidence", f"{self.folder}/gpu"]
        self.socket = f"{self.folder}/attester"
        self.attester = subprocess.Popen([f"{self.tools}/pm-sim", "serve", self.sim, "--socket", self.socket],
                                         stdout=subprocess.PIPE)
        self.stack.callback(self.stop_attester)
        assert b"serving" in self.attester.stdout.readline()
        self.write_manifest()
        self.model = self.stack.enter_context(Daemon(model, *HERE))
        self.upstream = "%s:%d" % self.model.address()
        self.proxy = self.stack.enter_context(
            Daemon(self.proxy_program, *HERE, "--upstream", self.upstream, "--direct", "--role", "worker",
                   "--model", f"tiny={ROOT}", "--attester", self.socket, "--no-ocsp-status", "--no-ready-file", *more))
        self.peer = self.stack.enter_context(Peer(peer))
        self.address = self.proxy.address()

    def collect_gpus(self, key=None):
        self.proxy.ready()
        key = key or open(f"{self.folder}/xwing.pub", "rb").read()
        assert len(key) == 1216
        gpus.collect(self.tools, self.sim, f"{self.folder}/gpu", key, range(self.gpus))

    def stop_attester(self):
        self.attester.terminate()
        self.attester.wait(LIMIT)
        self.attester.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with self.stack:
            if kind:
                print(self.proxy.text(), file=sys.stderr)
            else:
                assert self.proxy.stop() == 0

    def write_manifest(self):
        least = {"boot_loader": 0, "tee": 0, "snp": 0, "microcode": 0}
        snp = {"measurements": [hashlib.sha384(b"pm-sim guest").hexdigest()], "host_data": None, "chip_ids": None,
               "min_tcb": {"Genoa": least}, "signers": ["VCEK"], "require_crl": False}
        disk = {"root_hash": ROOT, "hash_offset": 40960, "data_blocks": 10, "salt": "00ff", "data_block_size": 4096,
                "hash_block_size": 4096}
        roots = json.load(open(f"{self.sim}/policy.json", encoding="utf-8"))["test_roots"]
        year = time.gmtime().tm_year
        extra, gpu = {"snp": roots}, None
        if self.gpus:
            gpu, own = gpus.demands(self.sim, self.gpus)
            extra |= own
        manifest = {
            "version": 1, "serial": 1, "previous": None, "not_before": f"{year - 1}-01-01T00:00:00Z",
            "not_after": f"{year + 1}-12-31T00:00:00Z",
            "roles": {"worker": {"snp": snp, "gpu": gpu, "models": ["tiny"], "calls": [], "workload_secret": False}},
            "models": {"tiny": disk},
            "owners": {"threshold": 1, "keys": [
                {"name": "alice", "key": "MCowBQYDK2VwAyEA/U9ElPlmAXSvRzMEwQ5KorXaGDLqvziWCKmk26lnZwU="}]},
            "seed_share_owners": None, "secrets": [], "extra_roots": extra}
        with open(f"{self.folder}/manifest", "w", encoding="utf-8") as f:
            json.dump(manifest, f)

    def evidence(self, nonce):
        body = json.dumps({"Nonce": base64.b64encode(nonce).decode()}).encode()
        return ask(self.address, "POST", PATHS[0], body)

    def verify(self, bundle, nonce):
        """Does pm-verify accept it?"""
        with tempfile.NamedTemporaryFile() as f:
            f.write(bundle)
            f.flush()
            done = subprocess.run([f"{self.tools}/pm-verify", "bundle", f.name, "--manifest", f"{self.folder}/manifest",
                                   "--nonce", nonce.hex(), "--role", "worker", "--model", "tiny"],
                                  capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        assert done.returncode in (0, 1), self.said
        return done.returncode == 0


def test_from_evidence_to_answer(programs):
    with Worker(programs) as w:
        nonce = os.urandom(32)
        r = w.evidence(nonce)
        assert r.status == 200 and r.fields["content-type"] == "application/vnd.pm.evidence+cbor", (r.status, r.body)
        assert w.verify(r.body, nonce), w.said
        assert not w.verify(r.body, os.urandom(32))
        offer, name, secret = w.peer.direct(r.body)
        r = ask(w.address, "POST", PATHS[1], offer)
        assert r.status == 200 and json.loads(r.body) == {"SecretId": name}
        assert r.fields["pm-secret-id"] == name, "for load balancers"
        assert ask(w.address, "POST", PATHS[1], offer).status == 200, "the same once more"
        sealed = w.peer.sealed("/v1/chat/completions", chat(), "echo", key=(name, secret))
        fields = [("Content-Type", SEALED), ("Pm-Secret-Id", name), ("Pm-Model", "echo")]
        sent = request("POST", "/", sealed, fields)
        data = exchange(w.address, sent)
        r = Response(data)
        ok, status, _, _, body = w.peer.sealed_open(r.status, r.fields["content-type"], r.body)
        assert (ok, status) == ("ok", 200) and CANARY.encode() in body, (r.status, r.body)
        hidden(sent + data)
        assert figure(w.proxy.address("metrics"), "pm_proxy_secrets") == 1
        assert secret.hex() not in w.proxy.text() and CANARY not in w.proxy.text()


def test_many_askers(programs):
    """Who asks at once may share a report; each gets evidence for his own nonce."""
    with Worker(programs) as w:
        nonces, answers = [os.urandom(32) for _ in range(24)], {}

        def one(nonce):
            answers[nonce] = w.evidence(nonce)

        threads = [threading.Thread(target=one, args=(n,)) for n in nonces]
        for t in threads:
            t.start()
        for t in threads:
            t.join(LIMIT)
        assert {r.status for r in answers.values()} == {200}
        for nonce in nonces:
            assert w.verify(answers[nonce].body, nonce), w.said
        assert not w.verify(answers[nonces[0]].body, nonces[1])


def test_gpus(programs):
    """With what pm-agent wrote, the bundle proves the GPUs too; without it, or with another key's, there is none."""
    with Worker(programs, count=2) as w:
        nonce = os.urandom(32)
        assert w.evidence(nonce).status == 503, "not there yet"
        w.collect_gpus()
        r = w.evidence(nonce)
        assert r.status == 200 and w.verify(r.body, nonce), (r.status, w.said)
        assert "2 GPUs" in w.said, w.said
        again = w.evidence(nonce)
        assert again.status == 200 and w.verify(again.body, nonce)
        w.collect_gpus(key=bytes(1216))
        assert w.evidence(nonce).status == 503, "for another key"
        w.collect_gpus()
        assert w.evidence(nonce).status == 200
        os.rename(f"{w.folder}/gpu", f"{w.folder}/gone")
        assert w.evidence(nonce).status == 503, "gone"
        # What is in the folder by name only, or not at all.
        index = json.load(open(f"{w.folder}/gone/evidence.json", encoding="utf-8"))
        for change in ({"version": 2}, {"devices": []}, {"epoch_nonce": None}, {"rim": ["../gone/driver.xml"]},
                       {"rim": ["none.xml"]}, {"rim": [".", ".."]}, {"ocsp": [7]}, {"time": "now"}):
            bad = tempfile.mkdtemp(dir=w.folder)
            for name in os.listdir(f"{w.folder}/gone"):
                if os.path.isfile(f"{w.folder}/gone/{name}"):
                    os.link(f"{w.folder}/gone/{name}", f"{bad}/{name}")
            os.unlink(f"{bad}/evidence.json")
            gpus.put(bad, f"{w.folder}/gpu", index | change)
            assert w.evidence(nonce).status == 503, change


def test_bad_requests(programs):
    with Worker(programs) as w:
        good = base64.b64encode(bytes(32)).decode()
        for body in (b"", b"{}", b"[]", b"{", b'{"Nonce":1}', b'{"Nonce":"AAAA"}', b'{"Nonce":"*"}',
                     json.dumps({"Nonce": good, "More": 1}).encode(),
                     f'{{"Nonce":"{good}","Nonce":"{good}"}}'.encode()):
            for path in PATHS:
                assert ask(w.address, "POST", path, body).status == 400, (path, body)
        for path in PATHS:
            assert ask(w.address, "POST", path, b"x" * 40000).status == 413
            assert ask(w.address, "GET", path).status == 501
        assert figure(w.proxy.address("metrics"), "pm_proxy_secrets") == 0
        w.stop_attester()
        r = w.evidence(bytes(32))
        assert r.status == 503 and b"no_evidence" in r.body


def test_public_key_is_public(programs):
    """pm-agent reads it as another user, whatever the umask that a unit has for secrets."""
    with tempfile.TemporaryDirectory() as f, \
            Daemon(programs[0], *HERE, "--upstream", "127.0.0.1:1", "--direct", "--role", "worker", "--no-ocsp-status",
                   "--no-ready-file", "--public-key", f"{f}/key", "--gpu-evidence", f"{f}/gpu",
                   shell="umask 077;") as d:
        d.ready()
        assert stat.S_IMODE(os.stat(f"{f}/key").st_mode) == 0o644
        assert d.stop() == 0


def test_without_direct(programs):
    """A proxy with a key file has no such paths; options of the one are none of the other."""
    with tempfile.TemporaryDirectory() as f:
        open(f"{f}/keys", "w", encoding="ascii").close()
        base = [*HERE, "--upstream", "127.0.0.1:1", "--no-ocsp-status", "--no-ready-file"]
        with Daemon(programs[0], *base, "--keys", f"{f}/keys") as d:
            for path in PATHS:
                assert ask(d.address(), "POST", path, b"{}").status == 501
            assert d.stop() == 0
        for args in (["--direct"], ["--role", "x", "--keys", f"{f}/keys"], ["--direct", "--role", "a b"],
                     ["--direct", "--role", "x" * 65], ["--direct", "--role", "x", "--model", "y"],
                     ["--direct", "--role", "x", "--model", "y=00"], ["--direct", "--role", "x", "--snp-cert", "none"],
                     ["--keys", f"{f}/keys", "--attester", "x"], ["--keys", f"{f}/keys", "--gpu-evidence", "x"],
                     ["--direct", "--role", "x", "--public-key", f"{f}/none/key"]):
            with Daemon(programs[0], *base, *args) as d:
                assert d.wait() == 2, args


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
