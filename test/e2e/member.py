# SPDX-License-Identifier: Apache-2.0
"""Members of a mesh that a test plays itself: who joins by evidence of pm-sim, good or bad, and then asks the secret
service as a worker does; and clients that agree on secrets. What they trust they do not verify: others do."""
import base64
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading

from deployment import ROOT
from harness import LIMIT, Response, connect, dechunk, openssl, read_all, read_until, request
from history import NO, OK, UNKNOWN

PATIENCE = 2 # seconds for a connection, and for each piece of an answer


def der_of(path):
    with open(path, encoding="ascii") as f:
        return base64.b64decode("".join(x for x in f.read().splitlines() if not x.startswith("-")))


def call(address, data, wrap=None):
    """One connection, one request; what comes back, perhaps not all of it."""
    with socket.create_connection(address, PATIENCE) as s:
        s = wrap(s) if wrap else s
        s.sendall(data)
        return Response(read_all(s))


class Refused(Exception):
    """With the words of who refused."""


class Member:
    """Somebody with a certificate of the mesh for TLS."""

    def __init__(self, deployment, coordinator, role="worker", models=None, more=()):
        self.role = role
        self.is_stranger = role == "outsider" # may not call the secret service
        models = (("tiny",) if role == "worker" else ()) if models is None else models
        self.folder = tempfile.mkdtemp(dir=deployment.folder)
        self.answer = self.join(deployment, coordinator, models, more)
        self.context = self.make_context()

    def join(self, deployment, coordinator, models, more):
        f = self.folder
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{f}/key.pem")
        openssl("pkey", "-in", f"{f}/key.pem", "-pubout", "-outform", "DER", "-out", f"{f}/key.der")
        with open(f"{f}/box", "wb") as out:
            out.write(der_of(f"{deployment.folder}/dave.pub")[-1216:]) # nothing comes in a box
        nonce = base64.b64decode(json.loads(coordinator.post("/pm/v1/challenge", {}).body)["Nonce"])
        digest = subprocess.run(["sha256sum", f"{f}/key.der"], check=True, capture_output=True, text=True).stdout[:64]
        models = [x for name in models for x in ("--model", f"{name}={ROOT}")]
        deployment.tool("pm-sim", "bundle", deployment.sim, "--nonce", nonce.hex(), "--role", self.role, *models,
                        "--key", f"{f}/key.der", "--tls-spki", digest, "--document", f"{f}/box", "-o", f"{f}/bundle",
                        *more).must()
        return self.send(coordinator)

    def send(self, coordinator):
        def text(name):
            with open(f"{self.folder}/{name}", "rb") as f:
                return base64.b64encode(f.read()).decode()
        r = coordinator.post("/pm/v1/join", {"Evidence": text("bundle"), "Document": text("box")})
        if r.status != 200:
            raise Refused(json.loads(r.body)["error"]["message"])
        return json.loads(base64.b64decode(json.loads(r.body)["Answer"]))

    def make_context(self):
        with open(f"{self.folder}/chain.pem", "w", encoding="ascii") as f:
            f.write(self.answer["certificate"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(base64.b64decode(self.answer["mesh_ca"])))
        context.load_cert_chain(f"{self.folder}/chain.pem", f"{self.folder}/key.pem")
        return context

    def wrap(self, s):
        return self.context.wrap_socket(s, server_hostname="secrets")

    def post(self, service, path, body):
        return call(service.mesh, request("POST", path, json.dumps(body).encode()), self.wrap)

    def fetch(self, service, name):
        """(result, secret) as history.py has it."""
        try:
            r = self.post(service, "/pm/v1/fetch", {"Id": name})
        except ssl.SSLError as e:
            return (NO, None) if self.is_stranger else (UNKNOWN, str(e))
        except (OSError, AssertionError) as e:
            return UNKNOWN, str(e)
        if r.status == 200 and r.whole:
            return OK, base64.b64decode(json.loads(r.body)["Secret"])
        return (NO, None) if r.status == 404 and json.loads(r.body)["error"]["code"] == "not_found" else (UNKNOWN, None)


class Watch:
    """Events of a member's watch, as they come; a line of life is none."""

    def __init__(self, member, service):
        self.socket = member.wrap(connect(service.mesh))
        self.socket.sendall(request("POST", "/pm/v1/watch", b"{}", close=False))
        head = read_until(self.socket, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        self.data = head.partition(b"\r\n\r\n")[2]
        self.seen = 0
        assert "Instance" in self.line()

    def line(self):
        while len(lines := dechunk(self.data)[0].split(b"\n")[:-1]) <= self.seen:
            piece = self.socket.recv(65536)
            assert piece, "the watch ended"
            self.data += piece
        self.seen += 1
        return json.loads(lines[self.seen - 1])

    def event(self):
        while not (line := self.line()):
            pass
        return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Agreements:
    """A client that agrees on secrets with the service."""

    def __init__(self, deployment, mesh_ca):
        self.ca = f"{deployment.folder}/mesh-ca-{os.urandom(4).hex()}.der"
        self.lock = threading.Lock()
        with open(self.ca, "wb") as f:
            f.write(mesh_ca)
        self.process = subprocess.Popen([deployment.programs.agree, self.ca, deployment.manifest], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        deployment.stack.callback(self.close)

    def close(self):
        self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()

    def line(self, text):
        self.process.stdin.write(text + "\n")
        return self.process.stdout.readline().strip()

    def agree(self, service):
        """(result, (id, secret) or a reason). Nothing is known of a secret whose answer was not accepted."""
        with self.lock:
            body = self.line("new")[3:].encode()
            try:
                r = call(service.address, request("POST", "/privatemode/v1/secret", body))
            except (OSError, AssertionError):
                return UNKNOWN, "no answer"
            if r.status != 200 or not r.whole:
                return (UNKNOWN, r.body) if r.status >= 500 else (NO, r.body)
            said = self.line("finish " + r.body.decode().strip())
        if not said.startswith("ok "):
            return NO, said
        _, name, secret = said.split()
        return OK, ("inference/" + name, bytes.fromhex(secret))


class Owners:
    """Two of the three, by pm-ctl."""

    def __init__(self, deployment, coordinator, host=None):
        self.deployment, self.coordinator, self.host = deployment, coordinator, host

    def run(self, service, *args):
        d = self.deployment
        return d.ctl("secrets", *args, "--key", d.key("alice"), "--key", d.key("bob"), "--coordinator",
                     self.coordinator.url, "--secrets", service.url, "--manifest", d.manifest, host=self.host,
                     limit=2 * PATIENCE)

    def attempt(self, service, *args):
        """(result, None): who was told anything but "done" does not know what happened."""
        try:
            done = self.run(service, *args)
        except subprocess.TimeoutExpired:
            return UNKNOWN, None
        if done.status == 0:
            return OK, None
        return (NO, None) if args[0] == "revoke" and "There is no such secret" in done.out else (UNKNOWN, done.out)

    def put(self, service, name, value, seconds):
        with tempfile.NamedTemporaryFile("w", dir=self.deployment.folder) as f:
            f.write(value)
            f.flush()
            return self.attempt(service, "put", name, f.name, "--ttl", f"{seconds}s")

    def revoke(self, service, name):
        return self.attempt(service, "revoke", name)
