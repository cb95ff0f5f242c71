# SPDX-License-Identifier: Apache-2.0
"""A deployment for tests: a software host, owners with their keys, manifests, coordinators, and who joins them."""
import base64
import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from harness import Daemon, LIMIT, ask, free_port

ROOT = "21" * 32
GUEST = hashlib.sha384(b"pm-sim guest").hexdigest()
OTHER = hashlib.sha384(b"another guest").hexdigest()
OWNERS = ("alice", "bob", "carol")  # two of them must agree
HOLDERS = ("dave", "erin", "frank")  # two of their shares give the seed back

MADE = []  # a software host and all keys, made once: they take their time


def b64(data):
    return base64.b64encode(data).decode()


def run(*args, check=True):
    done = subprocess.run([str(x) for x in args], capture_output=True, text=True, check=False, timeout=LIMIT)
    assert not check or done.returncode == 0, (args, done.stdout, done.stderr)
    return done


def facts(text):
    """Lines NAME=VALUE."""
    return dict(x.split("=", 1) for x in text.splitlines() if "=" in x)


def prepare(tools):
    if MADE:
        return MADE[0].name
    MADE.append(tempfile.TemporaryDirectory())
    folder = MADE[0].name
    run(f"{tools}/pm-sim", "init", f"{folder}/sim", "--product", "Genoa")
    for name in OWNERS + ("mallory",):
        run(f"{tools}/pm-ctl", "key", "new", "--type", "ed25519", "-o", f"{folder}/{name}.key", "--public",
            f"{folder}/{name}.pub")
    for name in HOLDERS + ("worker",):
        run(f"{tools}/pm-ctl", "key", "new", "--type", "xwing", "-o", f"{folder}/{name}.key", "--public",
            f"{folder}/{name}.pub")
    return folder


def public_of(path, tail=None):
    """DER of a public key in PEM, or its last bytes."""
    lines = open(path, encoding="ascii").read().split("\n")
    der = base64.b64decode("".join(x for x in lines if "-----" not in x))
    return der[-tail:] if tail else der


class Etcd(Daemon):
    """One member, on loopback."""

    def __init__(self, program, folder):
        self.url, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        super().__init__(program, "--data-dir", f"{folder}/etcd", "--listen-client-urls", self.url,
                         "--advertise-client-urls", self.url, "--listen-peer-urls", peer,
                         "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", "--logger",
                         "zap", "--log-outputs", "stderr")

    def __enter__(self):
        self.wait_for("serving client|serving insecure client")
        return self


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.body = response.body
        self.json = json.loads(response.body) if "json" in response.fields.get("content-type", "") else None
        self.message = (self.json or {}).get("error", {}).get("message", "")


class Deployment:
    """Everything but the coordinators that run."""

    def __init__(self, programs):
        self.program, self.tool, self.tools = map(os.path.abspath, programs)
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        keys = prepare(self.tools)
        for name in os.listdir(keys):
            copy = shutil.copytree if os.path.isdir(f"{keys}/{name}") else shutil.copy
            copy(f"{keys}/{name}", f"{self.folder}/{name}")
        self.sim = f"{self.folder}/sim"
        self.socket = f"{self.folder}/attester"
        self.attester = subprocess.Popen([f"{self.tools}/pm-sim", "serve", self.sim, "--socket", self.socket],
                                         stdout=subprocess.PIPE)
        self.stack.callback(self.stop_attester)
        assert b"serving" in self.attester.stdout.readline()
        self.owners = {"threshold": 2, "keys": [{"name": n, "key": b64(public_of(f"{self.folder}/{n}.pub"))}
                                                for n in OWNERS]}
        self.write("owners", self.owners)
        self.manifests = []
        self.answers = b""  # all that coordinators said
        self.logs = ""  # and wrote

    def write(self, name, value):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as f:
            json.dump(value, f)
        return f"{self.folder}/{name}"

    def stop_attester(self):
        self.attester.terminate()
        self.attester.wait(LIMIT)
        self.attester.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.stack.__exit__(*args)

    # --- manifests

    def snp(self, measurement):
        least = {"boot_loader": 0, "tee": 0, "snp": 0, "microcode": 0}
        return {"measurements": [measurement], "host_data": None, "chip_ids": None, "min_tcb": {"Genoa": least},
                "signers": ["VCEK"], "require_crl": False}

    def role(self, measurement=GUEST, **more):
        return {"snp": self.snp(measurement), "gpu": None, "models": [], "calls": [], "workload_secret": False} | more

    def manifest(self, before=None, **change):
        """The next one of a list, as a dict."""
        year = time.gmtime().tm_year
        disk = {"root_hash": ROOT, "hash_offset": 40960, "data_blocks": 10, "salt": "00ff", "data_block_size": 4096,
                "hash_block_size": 4096}
        roots = json.load(open(f"{self.sim}/policy.json", encoding="utf-8"))["test_roots"]
        m = {"version": 1, "serial": 1, "previous": None, "not_before": f"{year - 1}-01-01T00:00:00Z",
             "not_after": f"{year + 1}-12-31T00:00:00Z",
             "roles": {"coordinator": self.role(),
                       "worker": self.role(models=["tiny"], workload_secret=True),
                       "other": self.role(OTHER)},
             "models": {"tiny": disk}, "owners": self.owners,
             "seed_share_owners": {"threshold": 2, "keys": [
                 {"name": n, "key": b64(public_of(f"{self.folder}/{n}.pub", 1216))} for n in HOLDERS]},
             "secrets": [], "extra_roots": {"snp": roots}}
        if before:
            m["serial"] = before["serial"] + 1
            m["previous"] = self.hash_of(before)
        return m | change

    def hash_of(self, manifest):
        path = self.write("hashed", manifest)
        done = run(f"{self.tools}/pm-ctl", "manifest", "check", path)
        return [w for w in done.stdout.split() if len(w) == 64 and set(w) <= set("0123456789abcdef")][0]

    def signed(self, manifest, signers=("alice", "bob")):
        """Both files' bytes."""
        path = self.write("signed", manifest)
        signatures = f"{self.folder}/signatures"
        if os.path.exists(signatures):
            os.unlink(signatures)
        for name in signers:
            run(f"{self.tools}/pm-ctl", "manifest", "sign", path, "--key", f"{self.folder}/{name}.key", "-o",
                signatures)
        return open(path, "rb").read(), open(signatures, "rb").read()

    # --- coordinators

    def start(self, store="sqlite", *more, **how):
        url = store if ":" in store else f"sqlite:{self.folder}/store.db"
        return Coordinator(self, "--store", url, "--owners", f"{self.folder}/owners", *more, **how)

    def store_value(self, key, name="store"):
        with contextlib.closing(sqlite3.connect(f"{self.folder}/{name}.db", timeout=LIMIT)) as db:
            row = db.execute("select value from entry where key = ?", (key.encode(),)).fetchone()
            return row and row[0]

    def put_store_value(self, key, value, back=1):
        """As somebody would who has the file: without the revision that a write makes."""
        with contextlib.closing(sqlite3.connect(f"{self.folder}/store.db", timeout=LIMIT)) as db, db:
            newest = db.execute("select max(revision) from change").fetchone()[0]
            db.execute("insert into entry (key, value, revision, expires) values (?, ?, ?, 0) on conflict (key) do "
                       "update set value = excluded.value, revision = excluded.revision",
                       (key.encode(), value, newest - back))

    def write_store_value(self, key, value):
        """As a write does."""
        with contextlib.closing(sqlite3.connect(f"{self.folder}/store.db", timeout=LIMIT)) as db, db:
            newest = db.execute("select max(revision) from change").fetchone()[0]
            db.execute("insert into change (revision, key) values (?, ?)", (newest + 1, key.encode()))
            db.execute("insert into entry (key, value, revision, expires) values (?, ?, ?, 0) on conflict (key) do "
                       "update set value = excluded.value, revision = excluded.revision",
                       (key.encode(), value, newest + 1))

    def drop_store_value(self, key):
        with contextlib.closing(sqlite3.connect(f"{self.folder}/store.db", timeout=LIMIT)) as db, db:
            db.execute("delete from entry where key = ?", (key.encode(),))

    def shares(self, answer, commitment):
        """The shares of an answer, opened by their holders."""
        found = {}
        for share in answer["Shares"]:
            done = run(self.tool, "open", f"{self.folder}/{share['Name']}.key", "seed share", commitment, share["Box"])
            found[share["Name"]] = facts(done.stdout)["plain"]
        return found

    def bundle(self, nonce, *args, role="worker", key=None, document=None):
        """What a worker of this host shows."""
        fresh = tempfile.mkdtemp(dir=self.folder)
        key = key or self.new_key(fresh)
        document = document or public_of(f"{self.folder}/worker.pub", 1216)
        for name, data in (("key", key), ("document", document)):
            with open(f"{fresh}/{name}", "wb") as f:
                f.write(data)
        models = ["--model", f"tiny={ROOT}"] if role == "worker" else []
        run(f"{self.tools}/pm-sim", "bundle", self.sim, "--nonce", nonce.hex(), "--role", role, *models, "--key",
            f"{fresh}/key", "--document", f"{fresh}/document", "-o", f"{fresh}/bundle", *args)
        return open(f"{fresh}/bundle", "rb").read()

    def new_key(self, folder):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{folder}/pem")
        run("openssl", "pkey", "-in", f"{folder}/pem", "-pubout", "-outform", "DER", "-out", f"{folder}/der")
        return open(f"{folder}/der", "rb").read()


class Coordinator:
    def __init__(self, deployment, *args, listen="127.0.0.1:0", looks=True):
        self.d = deployment
        self.looks = looks
        self.daemon = Daemon(deployment.program, "--listen", listen, "--metrics", "127.0.0.1:0", "--rate", "100000",
                             "--attester", deployment.socket, "--log-level", "debug", *args)

    def __enter__(self):
        self.daemon.ready()
        self.address = self.daemon.address()
        self.url = "http://%s:%d" % self.address
        if self.looks:
            self.wait_for_state("empty", "sealed", "ready")  # once it has looked at the store
        return self

    def __exit__(self, kind, *_):
        if self.daemon.process.poll() is None:
            status = self.daemon.stop()
            assert kind or status == 0, status
        self.d.logs += self.daemon.text()
        if kind:
            print(self.daemon.text(), file=sys.stderr)

    def kill(self):
        self.daemon.process.kill()
        self.daemon.wait()

    def ask(self, method, path, body=b"", **more):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        r = ask(self.address, method, f"/pm/v1/{path}", body, **more)
        self.d.answers += r.body
        return Reply(r)

    def status(self):
        r = self.ask("GET", "status")
        assert r.status == 200, r.body
        return r.json

    def wait_for_state(self, *states):
        end = time.monotonic() + LIMIT
        while (found := self.status())["State"] not in states:
            assert time.monotonic() < end, (found, states)
        return found

    def wait_for_manifest(self, manifest):
        end = time.monotonic() + LIMIT
        while self.status()["Serial"] != manifest["serial"]:
            assert time.monotonic() < end, self.status()

    def set_manifest(self, manifest, signers=("alice", "bob")):
        data, signatures = self.d.signed(manifest, signers)
        return self.ask("POST", "manifest", {"Manifest": b64(data), "Signatures": b64(signatures)})

    def nonce(self):
        r = self.ask("POST", "challenge", {})
        assert r.status == 200, r.body
        return base64.b64decode(r.json["Nonce"])

    def join(self, bundle, document=None):
        document = document or public_of(f"{self.d.folder}/worker.pub", 1216)
        return self.ask("POST", "join", {"Evidence": b64(bundle), "Document": b64(document)})

    def library_join(self, role="worker", purpose="tls", pin=None, args=()):
        """By pm_join(); the facts, or the reason of a no."""
        folder = tempfile.mkdtemp(dir=self.d.folder)
        script = f"{folder}/make"
        with open(script, "w", encoding="utf-8") as f:
            models = f"--model tiny={ROOT}" if role == "worker" else ""
            f.write(f"""#!/bin/sh -e
cd {folder}
tls=""; [ "$1" = sign ] || tls="--tls-spki $(sha256sum key | cut -c1-64)"
exec {self.d.tools}/pm-sim bundle {self.d.sim} --nonce "$(cat nonce)" --role {role} {models} --key key \\
    --document document -o bundle $tls {" ".join(args)} > log 2>&1
""")
        os.chmod(script, 0o700)
        pin = self.d.write("pin", pin) if pin else "-"
        done = run(self.d.tool, "join", self.url, role, purpose, pin, script, folder, check=False)
        assert done.returncode in (0, 1), (done.stdout, done.stderr)
        return facts(done.stdout)

    def attest(self, manifest, memory="-", sealed=False):
        path = self.d.write("wanted", manifest)
        done = run(self.d.tool, "attest", self.url, path, memory, *(["sealed"] if sealed else []), check=False)
        assert done.returncode in (0, 1), (done.stdout, done.stderr)
        return facts(done.stdout)

    def consent(self, seen, owner, share, link=None, process=None):
        done = run(self.d.tool, "consent", f"{self.d.folder}/{owner}.key", process or seen["process"],
                   link or seen["link"], share, seen["commitment"])
        return self.ask("POST", "recover", {"Box": done.stdout.strip()})

    def recover(self, manifest, shares):
        """By two owners with two shares."""
        self.wait_for_state("sealed")
        seen = self.attest(manifest, sealed=True)
        assert seen.get("state") == "sealed", seen
        for owner, holder in (("alice", "dave"), ("carol", "frank")):
            r = self.consent(seen, owner, shares[holder])
            assert r.status == 200 or holder != "frank", r.body
        assert r.json == {"Have": 2, "Need": 2, "State": r.json["State"]}, r.json
        self.wait_for_state("ready")
