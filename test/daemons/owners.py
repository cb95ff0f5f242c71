#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Owners command pm-secrets by pm-ctl, as pm-coordinator proves it to them.
owners.py PM-SECRETS PM-COORDINATOR COORDINATOR-PEER FOLDER-OF-TOOLS"""
import base64
import contextlib
import json
import os
import pathlib
import select
import sqlite3
import ssl
import subprocess
import sys
import time

from deployment import Deployment
from harness import LIMIT, Daemon, Response, ask, exchange, request, run_tests, wait_for_figure

CANARY = b"CANARY-of-a-secret-that-nobody-may-see"
POLICY = [{"id": "weights/*", "roles": ["worker"], "models": None}]


class Scene:
    """A coordinator with its manifest, and one secret service or more on it."""

    def __init__(self, programs):
        self.program = programs[0]
        self.stack = contextlib.ExitStack()
        self.d = self.stack.enter_context(Deployment(programs[1:]))
        self.c = self.stack.enter_context(self.d.start())
        manifest = self.d.manifest(secrets=POLICY)
        manifest["roles"]["secrets"] = self.d.role(workload_secret=True)
        manifest["roles"]["worker"]["calls"] = ["secrets"]
        r = self.c.set_manifest(manifest)
        assert r.status == 200, r.body
        self.manifest = self.d.write("manifest", manifest)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.stack.__exit__(*args)

    def start(self, store="secrets"):
        service = self.stack.enter_context(
            Daemon(self.program, "--listen", "127.0.0.1:0", "--mesh-listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0",
                   "--coordinator", self.c.url, "--store", f"sqlite:{self.d.folder}/{store}.db", "--attester",
                   self.d.socket, "--rotation-time", "2s"))
        end = time.monotonic() + LIMIT
        while ask(service.address("metrics"), "GET", "/readyz").status != 200:
            assert time.monotonic() < end, service.text()
            select.select([], [], [], 0.05)
        return service

    def change_log(self, store, *statements):
        """Batches of logs, by key, after statements were done."""
        with contextlib.closing(sqlite3.connect(f"{self.d.folder}/{store}.db", timeout=LIMIT)) as db, db:
            for statement in statements:
                assert db.execute(*statement).rowcount, statement
            rows = db.execute("SELECT key, value FROM entry WHERE CAST(key AS TEXT) LIKE 'secrets/log/%' ORDER BY key")
            return {key.decode(): value.decode() for key, value in rows}

    def copy_store(self, to, *statements):
        with contextlib.closing(sqlite3.connect(f"{self.d.folder}/secrets.db", timeout=LIMIT)) as db, \
             contextlib.closing(sqlite3.connect(f"{self.d.folder}/{to}.db")) as other:
            db.backup(other)
        return self.change_log(to, *statements)

    def log(self, service, out, *words):
        """The exit status, and what was said on standard error."""
        status, _, err = self.ctl(service, "log", "-o", f"{self.d.folder}/{out}", *words)
        return status, err

    def key(self, name):
        return f"{self.d.folder}/{name}.key"

    def ctl(self, service, *words, by=("alice", "bob"), coordinator=None, manifest=None, data=None):
        """The exit status, and what was said."""
        keys = [x for name in by for x in ("--key", self.key(name))]
        done = subprocess.run([f"{self.d.tools}/pm-ctl", "secrets", *words, "--coordinator", coordinator or self.c.url,
                               "--secrets", "http://%s:%d" % service.address(), "--manifest",
                               manifest or self.manifest, *keys], input=data, capture_output=True, check=False,
                              timeout=LIMIT)
        assert CANARY not in done.stdout + done.stderr
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def do(self, service, *words, **more):
        status, out, err = self.ctl(service, *words, **more)
        assert status == 0, (words, status, out, err)
        return out

    def fetch(self, service, name, worker):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        der = pathlib.Path(worker["papers"], "ca.der").read_bytes()
        context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(der))
        context.load_cert_chain(f"{worker['papers']}/cert.pem", f"{worker['papers']}/key.pem")
        asked = request("POST", "/pm/v1/fetch", json.dumps({"Id": name}).encode())
        r = Response(exchange(service.address("mesh"), asked,
                              lambda s: context.wrap_socket(s, server_hostname="secrets")))
        assert r.status in (200, 404), r.body
        return base64.b64decode(json.loads(r.body)["Secret"]) if r.status == 200 else None


def test_the_life_of_a_secret(programs):
    with Scene(programs) as scene:
        service = scene.start()
        worker = scene.c.library_join()
        assert "papers" in worker, worker
        # Put, by standard input and by a file; shown; replaced.
        assert scene.do(service, "put", "weights/a", "-", "--ttl", "1h", data=CANARY) == "kept\n"
        assert scene.fetch(service, "weights/a", worker) == CANARY
        path = f"{scene.d.folder}/value"
        pathlib.Path(path).write_bytes(CANARY + b"2")
        kept = json.loads(scene.do(service, "put", "weights/b", path, "--ttl", "30d", "--role", "worker", "--model",
                                   "tiny", "--json"))
        assert kept["Id"] == "weights/b" and kept["Expires"] > time.time() + 29 * 86400, kept
        assert scene.fetch(service, "weights/b", worker) == CANARY + b"2"
        shown = json.loads(scene.do(service, "show", "weights/b", "--json"))
        assert shown["Size"] == len(CANARY) + 1 and shown["Kind"] == "owners", shown
        assert shown["Rule"] == {"roles": ["worker"], "models": ["tiny"]}, shown
        text = scene.do(service, "show", "weights/a", by=("carol", "bob"))
        assert "weights/a" in text and "epoch    1" in text, text

        # A rotation, while all is served.
        assert scene.do(service, "rotate") == "rotating\n"
        wait_for_figure(service.address("metrics"), "pm_secrets_epoch", 2)
        wait_for_figure(service.address("metrics"), "pm_secrets_rotating", 0)
        assert "epoch    2" in scene.do(service, "show", "weights/a")
        assert scene.fetch(service, "weights/a", worker) == CANARY

        # Backed up, revoked, and given back to another store.
        backup = f"{scene.d.folder}/backup"
        scene.do(service, "backup", "-o", backup)
        assert os.stat(backup).st_mode & 0o777 == 0o600 and CANARY not in pathlib.Path(backup).read_bytes()
        assert scene.do(service, "revoke", "weights/a") == "revoked\n"
        assert scene.fetch(service, "weights/a", worker) is None
        assert scene.ctl(service, "revoke", "weights/a")[0] == 1
        assert scene.ctl(service, "show", "weights/a")[0] == 1
        other = scene.start("other")
        shares = ["--share-key", scene.key("dave"), "--share-key", scene.key("frank")]
        status, _, err = scene.ctl(other, "restore", backup, *shares[:2])
        assert status == 2 and "2 share keys are needed" in err, (status, err)
        status, _, err = scene.ctl(other, "restore", backup, *shares[:2], "--share-key", scene.key("worker"))
        assert status == 1 and "no share for this key" in err, (status, err)
        assert scene.do(other, "restore", backup, *shares) == "2 restored, 0 were there, 0 expired\n"
        assert scene.fetch(other, "weights/a", worker) == CANARY
        assert scene.fetch(other, "weights/b", worker) == CANARY + b"2"
        assert scene.do(service, "restore", backup, *shares) == "1 restored, 1 were there, 0 expired\n"

        # The log says all that, and is whole.
        log = f"{scene.d.folder}/log"
        assert scene.do(service, "log", "-o", log).count(" entries") >= 1
        lines = [json.loads(x) for x in pathlib.Path(log).read_bytes().splitlines()[1:]]
        events = {x["event"] for x in lines}
        assert events >= {"instance.began", "command.put", "command.revoke", "command.rotate", "command.backup",
                          "command.restore", "secret.released", "secret.refused"}, events
        assert CANARY not in pathlib.Path(log).read_bytes()


def heads(batches):
    """How many entries each log has."""
    return {x["log"]: x["sequence"] for text in batches.values() for x in map(json.loads, text.splitlines())}


def sights(batches):
    """The furthest that was seen of each log."""
    seen = {}
    for x in (json.loads(line) for text in batches.values() for line in text.splitlines()):
        if x["event"] == "log.seen":
            name = x["fields"]["seen"]
            seen[name] = max(seen.get(name, 0), int(x["fields"]["entries"]))
    return seen


def wait_until_seen(scene, wanted):
    end = time.monotonic() + LIMIT
    while not wanted.items() <= sights(batches := scene.change_log("secrets")).items():
        assert time.monotonic() < end, (wanted, batches)
        select.select([], [], [], 0.05)


def test_logs_tell_of_each_other(programs):
    """A store that drops what an instance wrote, when another one saw it."""
    with Scene(programs) as scene:
        first = scene.start()
        for value in (b"1", b"2", b"3"):
            scene.do(first, "put", "weights/a", "-", "--ttl", "1h", data=value)
        assert scene.log(first, "earlier") == (0, "")
        first.stop()
        before = scene.change_log("secrets")
        name = max(heads(before), key=heads(before).get)
        keys = sorted(k for k in before if k.startswith(f"secrets/log/{name}/"))
        assert len(keys) >= 4, before
        last = [x.encode() for x in keys[-2:]]
        second = scene.start()
        wait_until_seen(scene, heads(before))
        watcher = max(heads(scene.change_log("secrets")).keys() - heads(before).keys())
        watcher = watcher[:watcher.rindex(".")] + ".0"
        since = ("--since", f"{scene.d.folder}/earlier")
        assert scene.log(second, "log") == (0, "")
        assert scene.log(second, "log", *since) == (0, "")
        second.stop()

        def drop(*names):
            return [("DELETE FROM entry WHERE CAST(key AS TEXT) LIKE ?", (f"secrets/log/{x}/%",)) for x in names]

        count = heads(before)[name]
        everything = {x[:x.rindex(".")] + ".%" for x in (name, watcher)}
        swap = "UPDATE entry SET value=? WHERE key=?"
        cases = {
            "untouched": ([], (), 0, ""),
            "cut": ([("DELETE FROM entry WHERE key=?", (last[1],))], (), 1,
                    f"{name} is cut: it ends at entry {count - 1}, {watcher} saw {count}"),
            "gone": (drop(name), (), 1, f"{name} is missing: {watcher} saw entry {count}"),
            "swapped": ([(swap, (before[keys[-1]].encode(), last[0])), (swap, (before[keys[-2]].encode(), last[1]))],
                        (), 1, f"{name}: "),
            # What the limits say: who saw it is gone too, so only what was fetched earlier tells.
            "all-gone": (drop(*everything), (), 0, ""),
            "all-gone-since": (drop(*everything), since, 1, f"{name} is missing: {since[1]} saw entry "),
            "begins-later": ([("DELETE FROM entry WHERE key=?", (keys[0].encode(),))], since, 1,
                             f"{name} is cut: it begins at entry 2, {since[1]} saw 1"),
        }
        for case, (statements, words, status, said) in cases.items():
            scene.copy_store(case, *statements)
            service = scene.start(case)
            got, err = scene.log(service, case, *words)
            assert got == status and said in err and (status or not err), (case, got, err)
            service.stop()

        # An earlier fetch is not replaced by one that lacks what it has.
        kept = pathlib.Path(since[1]).read_bytes()
        service = scene.start("all-gone")
        status, err = scene.log(service, "earlier", *since)
        assert status == 1 and "left as it is" in err and pathlib.Path(since[1]).read_bytes() == kept, (status, err)
        assert scene.log(service, "all-gone", "--since", f"{scene.d.folder}/all-gone") == (0, "")
        pathlib.Path(since[1]).write_bytes(kept.replace(b"weights", b"WEIGHTS", 1))
        assert scene.log(service, "log", *since)[0] == 1
        assert scene.log(service, "log", "--since", f"{scene.d.folder}/none")[0] == 2


def test_who_may_not(programs):
    """One owner alone, a stranger, another manifest, another coordinator; and what is not said."""
    with Scene(programs) as scene:
        service = scene.start()
        put = ("put", "weights/a", "-", "--ttl", "1h")
        for by in (("alice",), ("alice", "mallory")):
            status, _, err = scene.ctl(service, *put, by=by, data=CANARY)
            assert status == 1 and "refused (403)" in err and "2 of 3 owners" in err, (status, err)
        status, _, err = scene.ctl(service, *put, by=("alice", "alice"), data=CANARY)
        assert status == 2 and "signed already" in err, (status, err)
        with open(scene.manifest, encoding="utf-8") as f:
            changed = json.load(f) | {"secrets": []}
        status, out, err = scene.ctl(service, *put, manifest=scene.d.write("changed", changed), data=CANARY)
        assert status == 1 and "manifest" in out, (status, out, err)
        # Another deployment's coordinator proves another mesh, whose service this is not.
        with scene.d.start("memory:other") as other:
            with open(scene.manifest, encoding="utf-8") as f:
                assert other.set_manifest(json.load(f)).status == 200
            status, out, err = scene.ctl(service, *put, coordinator=other.url, data=CANARY)
            assert status == 1 and "MeshCert" in out, (status, out, err)
        for words in (put[:3], ("put", "weights/a", "-", "--ttl", "31d"), ("put", "a b", "-", "--ttl", "1h"),
                      ("restore", "nothing"), ("backup",), ("show",), ("rotate", "more")):
            assert scene.ctl(service, *words, data=CANARY)[0] == 2, words
        assert scene.ctl(service, "show", "weights/a")[0] == 1
        assert scene.ctl(service, "put", "inference/a", "-", "--ttl", "1h", data=CANARY)[0] == 1


def test_owners_sign_elsewhere(programs):
    """One owner has his key here, the other a program that signs for him."""
    with Scene(programs) as scene:
        service, worker = scene.start(), scene.c.library_join()
        sign = f"{scene.d.tools}/pm-ctl secrets sign --key {scene.key('bob')}"
        put = ("put", "weights/a", "-", "--ttl", "1h", "--role", "worker")

        def by(program, status):
            got, out, err = scene.ctl(service, *put, "--signer", program, by=("alice",), data=CANARY)
            assert got == status, (program, got, out, err)
            return out + err

        said = by(sign, 0)
        assert "kept" in said, said
        for words in ("op        put", "id        weights/a", "roles     worker", "models    all"):
            assert words in said, said
        assert scene.fetch(service, "weights/a", worker) == CANARY
        scene.do(service, "revoke", "weights/a", "--signer", sign, "--signer", sign.replace("bob", "carol"), by=())
        hashed = scene.c.status()["Manifest"]
        by(f"{sign} --manifest-hash {hashed}", 0)
        assert "another manifest" in by(f"{sign} --manifest-hash {'00' * 32}", 2)
        scene.do(service, "revoke", "weights/a")
        # What does not sign, or signs something else, is no consent.
        assert "refused (403)" in by("cat", 1)
        assert "failed with status 3" in by("exit 3", 2)
        by("echo nonsense", 2)
        by("true", 2)
        other = f"{scene.d.folder}/other"
        by(f"{sign} -o {other}; {sign} {other.replace('other', 'none')}", 2)
        with open(other, encoding="utf-8") as f:
            changed = json.load(f)
        changed["statement"]["id"] = "weights/b"
        assert "another command" in by(f"cat {scene.d.write('changed', changed)}", 2)
        assert scene.fetch(service, "weights/a", worker) is None


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:5])
