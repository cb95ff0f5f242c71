#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A worker with GPUs in a mesh: pm-proxy tells pm-agent the key that it joins with, and a coordinator judges the GPUs
by the manifest. gpu_mesh.py PM-PROXY PM-AGENT NVML PM-COORDINATOR COORDINATOR-PEER FOLDER-OF-TOOLS"""
import base64
import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile

import gpus
from deployment import Deployment, public_of, run
from harness import Daemon, LIMIT, ask, connect, run_tests

HERE = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
COUNT = 2
HOST = []  # with GPUs, made once


def host_with_gpus(d):
    """The deployment's host has GPUs from now on."""
    if not HOST:
        HOST.append(tempfile.TemporaryDirectory())
        gpus.sim(d.tools, "gpu", "init", HOST[0].name, "--arch", "hopper", "--count", COUNT)
    run("cp", "-r", f"{HOST[0].name}/gpu", f"{d.sim}/gpu")


class Scene:
    """A coordinator whose manifest demands GPUs of the role worker, and such a worker that is on its way."""

    def __init__(self, programs):
        self.proxy_program, self.agent_program, self.nvml, *self.others = map(os.path.abspath, programs)
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack:
            d = self.d = self.stack.enter_context(Deployment(self.others))
            host_with_gpus(d)
            self.c = self.stack.enter_context(d.start())
            demands, roots = gpus.demands(d.sim, COUNT)
            first = d.manifest()
            first["roles"]["worker"] |= {"gpu": demands, "models": []}
            first["extra_roots"] |= roots
            self.manifests = []
            self.set_manifest(first)
            self.folder, self.public = f"{d.folder}/evidence", f"{d.folder}/tls.pub"
            open(f"{d.folder}/none", "w", encoding="ascii").close()
            self.start()
            self.stack = self.stack.pop_all()
        return self

    def start(self, *more):
        self.proxy = self.stack.enter_context(
            Daemon(self.proxy_program, *HERE, "--upstream", "127.0.0.1:1", "--no-ocsp-status", "--no-ready-file",
                   "--role", "worker", "--attester", self.d.socket, "--keys", f"{self.d.folder}/none",
                   "--coordinator", self.c.url, "--mesh-listen", "127.0.0.1:0", "--public-key", self.public,
                   "--gpu-evidence", self.folder, *more))
        self.proxy.ready()

    def __exit__(self, kind, *args):
        with self.stack:
            assert kind or self.proxy.stop() == 0

    def set_manifest(self, manifest):
        r = self.c.set_manifest(manifest)
        assert r.status == 200, r.body
        self.manifests.append(manifest)

    def key(self):
        key = open(self.public, "rb").read()
        assert len(key) == 91
        return key

    def collect(self, **more):
        gpus.collect(self.d.tools, self.d.sim, self.folder, self.key(), **{"gpus": range(COUNT)} | more)

    def is_ready(self):
        status = ask(self.proxy.address("metrics"), "GET", "/readyz").status
        assert status in (200, 503)
        return status == 200

    def joined(self, serial):
        """It is in, and the coordinator holds evidence of all its GPUs, and for this key."""
        self.proxy.wait_for(f"joined the mesh role=worker replica=[0-9a-f]* manifest={serial} ")
        assert self.is_ready()
        workers = self.c.ask("GET", "workers").json["Workers"]
        assert [w["Role"] for w in workers] == ["worker"], workers
        path = f"{self.d.folder}/bundle"
        with open(path, "wb") as f:
            f.write(base64.b64decode(workers[0]["Evidence"]))
        done = run(f"{self.d.tools}/pm-verify", "bundle", path, "--manifest",
                   self.d.write("wanted", self.manifests[-1]), "--nonce",
                   base64.b64decode(workers[0]["Nonce"]).hex(), "--role", "worker")
        assert f"{COUNT} GPUs" in done.stdout + done.stderr, done
        assert self.key() in open(path, "rb").read()
        assert served_key(self.proxy.address("mesh"), self.d.folder) == self.key()
        return workers[0]["Replica"]

    def refused(self, words, start):
        """The coordinator says which claim failed: to the worker, in its own log and in that which is signed."""
        self.proxy.wait_for(f"mesh not joined .*{words}", start)
        self.c.daemon.wait_for(f"result=refused role=worker .*{words}")
        log = [json.loads(x) for x in self.c.ask("GET", "log").body.splitlines()]
        assert any(x["event"] == "worker.refused" and words in x["fields"]["reason"] for x in log), (words, log)


def served_key(address, folder):
    """The key of the certificate that a listener shows, whoever asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(connect(address)) as s:
        with open(f"{folder}/cert", "wb") as f:
            f.write(s.getpeercert(True))
    run("openssl", "x509", "-inform", "DER", "-in", f"{folder}/cert", "-pubkey", "-noout", "-out", f"{folder}/cert.pub")
    return public_of(f"{folder}/cert.pub")


def agent(s):
    """One round of pm-agent, with a stand-in of the driver and of the maker's services."""
    driver = f"{s.d.folder}/driver"
    for i in range(COUNT):
        os.makedirs(f"{driver}/gpu-{i}")
        gpus.sim(s.d.tools, "gpu", "report", s.d.sim, "--gpu", i, "--nonce", "00" * 32, "-o", f"{s.d.folder}/any",
                 "--certs", f"{driver}/gpu-{i}/certs.pem")
        with open(f"{driver}/gpu-{i}/sign", "w", encoding="ascii") as f:
            f.write(f"{s.d.tools}/pm-sim gpu report {s.d.sim} --gpu {i} --nonce $NONCE -o -\n")
    maker = subprocess.Popen([f"{s.d.tools}/pm-sim", "gpu", "serve", s.d.sim, "--listen", "127.0.0.1:0"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = "http://" + maker.stdout.readline().split("http://")[1].strip()
        done = subprocess.run(
            [s.agent_program, "--nvml", s.nvml, "--cuda", "off", "--lock", f"{s.d.folder}/lock", "--rim-url", url,
             "--ocsp-url", url, "--manifest", s.d.write("wanted", s.manifests[-1]), "--role", "worker", "--key",
             s.public, "--evidence", s.folder],
            env=os.environ | {"PM_FAKE_NVML": driver}, capture_output=True, text=True, check=False, timeout=LIMIT)
        assert done.returncode == 0, (done.stdout, done.stderr)
    finally:
        maker.terminate()
        maker.wait(LIMIT)
        maker.stdout.close()


def test_from_agent_to_certificate(programs):
    """The worker waits for pm-agent, joins, and stays the same worker when it joins again."""
    with Scene(programs) as s:
        s.proxy.wait_for("waiting for GPU evidence .*reason=.*none yet")
        assert not s.is_ready()
        agent(s)
        replica = s.joined(1)
        # Again under another manifest: a fresh bundle for the same key.
        second = s.d.manifest(s.manifests[-1], roles=s.manifests[-1]["roles"],
                              extra_roots=s.manifests[-1]["extra_roots"])
        # Without fresh evidence that fails; meanwhile the certificate that it has serves.
        s.collect(age=700)
        s.set_manifest(second)
        s.refused("GPU evidence time", 0)
        assert s.is_ready()
        start = len(s.proxy.lines)
        os.rename(s.folder, f"{s.d.folder}/gone")
        s.proxy.wait_for("waiting for GPU evidence .*reason=.*none yet", start)
        assert s.is_ready()
        s.collect()
        s.proxy.wait_for("GPU evidence came", start)
        assert s.joined(2) == replica


def test_refused(programs):
    with Scene(programs) as s:
        for words, more in (("number of GPUs: found 1 of 2", {"gpus": [0]}), ("GPU evidence time", {"age": 700}),
                            ("GPU 0, nonce: found", {"answered": bytes(91)}), ("distinct devices", {"gpus": [0, 0]})):
            start = len(s.proxy.lines)
            s.collect(**more)
            s.refused(words, start)
            assert not s.is_ready()
        assert s.c.ask("GET", "workers").json["Workers"] == []
        # What is for another key is not even sent; so it is after a start, until pm-agent has seen the new one.
        start, before = len(s.proxy.lines), s.key()
        gpus.collect(s.d.tools, s.d.sim, s.folder, bytes(91), range(COUNT))
        s.proxy.wait_for("waiting for GPU evidence .*another key", start)
        s.collect()
        s.joined(1)
        assert s.proxy.stop() == 0
        s.start()
        assert s.key() != before
        s.proxy.wait_for("waiting for GPU evidence .*another key")
        assert not s.is_ready()
        # Who pins another manifest is told what the coordinator has, and what he wants.
        assert s.proxy.stop() == 0
        s.start("--manifest-hash", "11" * 32)
        s.collect()
        s.proxy.wait_for("mesh not joined .*document.manifest: found [0-9a-f]{64}, expected 1{64}")
        assert not s.is_ready()


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
