# SPDX-License-Identifier: Apache-2.0
"""A whole deployment on a software processor (pm-sim): owners with keys, a manifest, coordinators, secret services,
workers before an inference server, clients. In a room (room.py), where all ports are free; on one host, or each daemon
on a host of a network (network.py)."""
import base64
import contextlib
import json
import os
import shutil
import subprocess
import time

import room
from harness import LIMIT, Daemon, ask

OWNERS = ("alice", "bob", "carol")
SHARE_OWNERS = ("dave", "erin", "frank")
ROOT = "21" * 32
SIM = f"{room.FOLDER}/sim-of-all"
DISK = {"root_hash": ROOT, "hash_offset": 40960, "data_blocks": 10, "salt": "00ff", "data_block_size": 4096,
        "hash_block_size": 4096}
SECRETS = [{"id": "inference/*", "roles": ["worker"], "models": ["tiny"]},
           {"id": "weights/*", "roles": ["worker", "auditor"], "models": None},
           {"id": "audit/*", "roles": ["auditor"], "models": None}]
ROLES = ("coordinator", "secrets", "worker", "auditor", "outsider")
PORTS = {"coordinator": 8100, "secrets": 8200, "mesh": 8300, "worker": 8400, "client": 8500, "model": 8600,
         "metrics": 9000}
USED_PORTS = {} # of all deployments of the room


class Done:
    """What a program did."""

    def __init__(self, done):
        self.status, self.out = done.returncode, done.stdout + done.stderr

    def must(self, status=0):
        assert self.status == status, f"exit status {self.status}, expected {status}: {self.out}"
        return self


def until(what, limit=LIMIT):
    """What it returns once that is true."""
    end = time.monotonic() + limit
    while not (result := what()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
    return result


class Programs:
    def __init__(self, build):
        self.build = build
        self.model = f"{build}/examples/inference-server/inference-server"
        self.agree = f"{build}/test/e2e/agree"

    def tool(self, name):
        return f"{self.build}/tools/{name}"

    def daemon(self, name):
        return f"{self.build}/daemons/{name}"


class Deployment:
    """Files, the manifest and the software processor; daemons are started by those who want them."""

    def __init__(self, programs, folder, network=None):
        self.programs, self.folder, self.network = programs, folder, network
        self.stack = contextlib.ExitStack()
        self.sim = f"{folder}/sim"
        self.socket = f"{folder}/attester"
        self.manifest = f"{folder}/manifest.json"
        self.signatures = f"{folder}/manifest.sig"
        self.shares = f"{folder}/shares"
        self.coordinators, self.secrets, self.workers, self.clients = [], [], [], []
        self.serial = 1

    # --- what is needed before a daemon starts ---

    def tool(self, name, *args, host=None, limit=LIMIT):
        command = [self.programs.tool(name), *map(str, args)]
        if host:
            command = self.network.command(host, *command)
        return Done(subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit,
                                   stdin=subprocess.DEVNULL))

    def ctl(self, *args, **options):
        return self.tool("pm-ctl", *args, **options)

    def make(self):
        self.make_sim()
        self.attest(self.socket)
        for kind, names in (("ed25519", OWNERS), ("xwing", SHARE_OWNERS)):
            for name in names:
                public = f"{self.folder}/{name}.pub"
                self.ctl("key", "new", "--type", kind, "-o", self.key(name), "--public", public).must()
        os.mkdir(self.shares)
        self.make_manifest()
        self.make_owners()
        return self

    def make_sim(self):
        """One for all deployments of a test: its keys take their time."""
        if not os.path.exists(SIM):
            self.tool("pm-sim", "init", SIM, "--product", "Genoa").must()
        shutil.copytree(SIM, self.sim)

    def attest(self, socket, *more):
        """Serves reports of the software processor there."""
        attester = subprocess.Popen([self.programs.tool("pm-sim"), "serve", self.sim, "--socket", socket, *more],
                                    stdout=subprocess.PIPE)
        self.stack.callback(attester.stdout.close)
        self.stack.callback(attester.wait)
        self.stack.callback(attester.kill)
        assert b"serving" in attester.stdout.readline()

    def key(self, name):
        return f"{self.folder}/{name}.key"

    def make_manifest(self):
        report = f"{self.folder}/report.bin"
        self.ctl("collect", "--report-data", "00" * 64, "--attester", f"unix:{self.socket}", "-o", report).must()
        with open(f"{self.sim}/policy.json", encoding="utf-8") as f:
            root = json.load(f)["test_roots"][0]
        args = ["--test-root", root]
        for role in ROLES:
            args += ["--role", role, "--from-evidence", report, "--no-crl"]
            args += ["--workload-secret"] if role == "secrets" else []
            args += ["--calls", "secrets"] if role in ("worker", "auditor") else []
        for name in OWNERS:
            args += ["--owner", f"{name}={self.folder}/{name}.pub"]
        for name in SHARE_OWNERS:
            args += ["--seed-share-owner", f"{name}={self.folder}/{name}.pub"]
        self.ctl("manifest", "init", "-o", self.manifest, *args, "--threshold", 2, "--seed-threshold", 2).must()
        with open(self.manifest, encoding="utf-8") as f:
            text = json.load(f)
        text["models"] = {"tiny": DISK}
        text["roles"]["worker"]["models"] = ["tiny"]
        text["secrets"] = SECRETS
        self.write_manifest(text)

    def write_manifest(self, text, signers=OWNERS[:2]):
        with open(self.manifest, "w", encoding="utf-8") as f:
            json.dump(text, f, indent=2)
        self.sign(self.manifest, self.signatures, signers)

    def sign(self, manifest, signatures, signers=OWNERS[:2]):
        if os.path.exists(signatures):
            os.unlink(signatures)
        for name in signers:
            self.ctl("manifest", "sign", manifest, "--key", self.key(name), "-o", signatures).must()

    def next_manifest(self, change=None):
        """The one that follows, signed; where it lies and its signatures. It is not in force."""
        self.serial += 1
        path = f"{self.folder}/manifest-{self.serial}.json"
        return self.follow(self.manifest, path, change)

    def follow(self, before, path, change=None):
        self.ctl("manifest", "init", "-o", path, "--update", before).must()
        if change:
            with open(path, encoding="utf-8") as f:
                text = json.load(f)
            change(text)
            with open(path, "w", encoding="utf-8") as f:
                json.dump(text, f, indent=2)
        self.sign(path, f"{path}.sig")
        return path, f"{path}.sig"

    def make_owners(self):
        with open(self.manifest, encoding="utf-8") as f:
            owners = json.load(f)["owners"]
        with open(f"{self.folder}/owners.json", "w", encoding="utf-8") as f:
            json.dump(owners, f)

    def manifest_hash(self):
        """As pm-ctl says it."""
        out = self.ctl("manifest", "show", self.manifest).must().out
        return next(w for w in out.replace(",", " ").split() if len(w) == 64 and set(w) <= set("0123456789abcdef"))

    # --- daemons ---

    def place(self, what, host):
        """A free port of a host: (address to listen at, address to ask)."""
        USED_PORTS[host, what] = USED_PORTS.get((host, what), PORTS[what]) + 1
        port = USED_PORTS[host, what]
        at = self.network.addresses[host] if host else "127.0.0.1"
        return f"{at}:{port}", (at, port)

    def daemon(self, name, *args, host=None, env=None):
        command = [self.programs.daemon(name) if name != "model" else self.programs.model, *map(str, args)]
        if host:
            command = self.network.command(host, *command)
        return Daemon(*command, env=env)

    def store(self, name):
        return ["--store", f"sqlite:{self.folder}/{name}.db"]

    def __enter__(self):
        return self.make()

    def __exit__(self, kind, *_):
        with self.stack:
            for d in (*self.clients, *self.coordinators, *self.secrets, *self.workers):
                d.kill()
                if kind:
                    print(f"--- {d.name}", "\n".join(x for x in d.daemon.lines[-15:] if x), sep="\n")

    # --- the whole of it ---

    def add_coordinator(self, store=None, host=None, **options):
        name = f"coordinator{len(self.coordinators)}"
        c = Coordinator(self, name, store or self.store("coordinator"), host, **options)
        self.coordinators.append(c)
        return c

    def add_secrets(self, coordinator, store=None, host=None, **options):
        s = Secrets(self, f"secrets{len(self.secrets)}", coordinator, store or self.store("secrets"), host, **options)
        self.secrets.append(s)
        return s

    def add_worker(self, coordinator, secrets, host=None, **options):
        w = Worker(self, f"worker{len(self.workers)}", coordinator, secrets, host, **options)
        self.workers.append(w)
        return w

    def add_client(self, worker, coordinator, secrets, **options):
        c = Client(self, f"client{len(self.clients)}", worker.url, coordinator.url, secrets.url, **options)
        self.clients.append(c)
        return c

    def set_manifest(self, coordinator, memory="memory", manifest=None, signatures=None, host=None):
        return self.ctl("manifest", "set", coordinator.url, manifest or self.manifest, "--signatures",
                        signatures or self.signatures, "--shares", self.shares, "--memory", f"{self.folder}/{memory}",
                        host=host)

    def recover(self, coordinator, share, owner, memory="memory", manifest=None):
        return self.ctl("recover", coordinator.url, "--share", f"{self.shares}/{share}.share", "--share-key",
                        self.key(share), "--key", self.key(owner), "--manifest", manifest or self.manifest,
                        "--memory", f"{self.folder}/{memory}")

    def history(self, coordinator, memory="memory", manifest=None, host=None):
        return self.ctl("history", coordinator.url, "--manifest", manifest or self.manifest, "--memory",
                        f"{self.folder}/{memory}", host=host)


class Part:
    """A daemon of a deployment, which can be killed and started again where it was."""

    program = None

    def __init__(self, deployment, name, args, host, env=None):
        self.deployment, self.name, self.args, self.host, self.env = deployment, name, args, host, env
        metrics, self.metrics = deployment.place("metrics", host)
        self.args = [*args, "--metrics", metrics]
        self.daemon = None
        self.start()

    def start(self):
        self.daemon = self.deployment.daemon(self.program, *self.args, host=self.host, env=self.env)
        return self

    def is_up(self):
        return self.daemon.process.poll() is None

    def kill(self):
        if self.is_up():
            self.daemon.process.kill()
        self.daemon.wait()

    def restart(self):
        self.kill()
        return self.start()

    def listens(self):
        self.daemon.ready()
        return self

    def is_ready(self):
        try:
            return ask(self.metrics, "GET", "/readyz").status == 200
        except OSError:
            return False

    def wait_ready(self):
        self.listens()
        until(self.is_ready)
        return self


def evidence_args(deployment, attester=None):
    return ["--attester", attester or deployment.socket, "--snp-crl", f"{deployment.sim}/crl.der"]


class Coordinator(Part):
    program = "pm-coordinator"

    def __init__(self, deployment, name, store, host, more=(), env=None):
        listen, self.address = deployment.place("coordinator", host)
        self.url = f"http://{self.address[0]}:{self.address[1]}"
        super().__init__(deployment, name,
                         ["--listen", listen, "--owners", f"{deployment.folder}/owners.json", "--rate", 1000, *store,
                          *evidence_args(deployment), *more], host, env)

    def status(self):
        return json.loads(ask(self.address, "GET", "/pm/v1/status").body)

    def post(self, path, body):
        return ask(self.address, "POST", path, json.dumps(body).encode())

    def document(self):
        """What it says of the deployment; nothing is verified."""
        body = {"Nonce": base64.b64encode(os.urandom(32)).decode()}
        answer = json.loads(self.post("/pm/v1/attest", body).body)
        return json.loads(base64.b64decode(answer["Document"]))

    def state(self):
        try:
            return self.status()["State"]
        except (OSError, AssertionError):
            return None

    def wait_state(self, state):
        self.listens()
        until(lambda: self.state() == state)
        return self


class Secrets(Part):
    program = "pm-secrets"

    def __init__(self, deployment, name, coordinator, store, host, more=(), env=None):
        listen, self.address = deployment.place("secrets", host)
        mesh, self.mesh = deployment.place("mesh", host)
        self.url = f"http://{self.address[0]}:{self.address[1]}"
        self.mesh_url = f"https://{self.mesh[0]}:{self.mesh[1]}"
        super().__init__(deployment, name,
                         ["--listen", listen, "--mesh-listen", mesh, "--coordinator", coordinator.url,
                          "--exchange-rate", 10000, "--exchange-rate-all", 10000, "--threads", 2,
                          "--drain-timeout", "1s", *store, *evidence_args(deployment), *more], host, env)


class Worker(Part):
    """pm-proxy in mesh mode, and an inference server behind it."""

    program = "pm-proxy"

    def __init__(self, deployment, name, coordinator, secrets, host=None, more=(), env=None, attester=None):
        listen, self.address = deployment.place("worker", host)
        model = f"127.0.0.1:{deployment.place('model', host)[1][1]}" # prompts leave it in plaintext
        self.url = f"http://{self.address[0]}:{self.address[1]}"
        self.model = deployment.stack.enter_context(deployment.daemon("model", "--listen", model, host=host))
        super().__init__(deployment, name,
                         ["--listen", listen, "--upstream", model, "--role", "worker", "--model",
                          f"tiny={ROOT}", "--coordinator", coordinator.url, "--secrets", secrets.mesh_url,
                          "--no-ocsp-status", "--no-ready-file", *evidence_args(deployment, attester), *more],
                         host, env)


class Client(Part):
    """pm-client in mesh mode, as an application uses it; worker, coordinator and secrets: their addresses."""

    program = "pm-client"

    def __init__(self, deployment, name, worker, coordinator, secrets, more=(), memory=None, host=None):
        listen, self.address = deployment.place("client", host)
        self.url = f"http://{self.address[0]}:{self.address[1]}"
        memory = ["--memory", f"{deployment.folder}/{memory}"] if memory else ["--no-memory"]
        super().__init__(deployment, name,
                         ["--listen", listen, "--worker", worker, "--coordinator", coordinator, "--secrets", secrets,
                          "--manifest", deployment.manifest, *memory, *more], host)

    def chat(self, text):
        """(status, what was answered)."""
        body = {"model": "echo", "messages": [{"role": "user", "content": text}]}
        r = ask(self.address, "POST", "/v1/chat/completions", json.dumps(body).encode(),
                [("Content-Type", "application/json")])
        if r.status != 200:
            return r.status, r.body.decode()
        return 200, json.loads(r.body)["choices"][0]["message"]["content"]
