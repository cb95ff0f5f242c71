#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pm-secrets over real sockets: clients, workers and owners, each as he should and as he should not; several
instances on one store. secrets.py PM-SECRETS TOWN FOLDER-OF-TOOLS"""
import base64
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from harness import (LIMIT, Daemon, Response, connect, dechunk, exchange, figure, read_all, read_until, request,
                     run_tests, traces, wait_for_figure)

CASES = pathlib.Path(__file__).parent.parent / "manifest" / "cases.py"
CANARY = b"CANARY-of-a-secret-that-nobody-may-see"
RATES = ["--exchange-rate", "1000", "--exchange-rate-all", "1000"]
MADE = [] # what takes its time is made once: a software host, and the owners' keys


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True).stdout


def make_once(tools):
    if not MADE:
        MADE.append(tempfile.TemporaryDirectory())
        made = MADE[0].name
        run(f"{tools}/pm-sim", "init", f"{made}/sim", "--product", "Genoa")
        for name, kind in (("alice", "ed25519"), ("bob", "ed25519"), ("carol", "p384"), ("mallory", "ed25519"),
                           ("dave", "xwing"), ("erin", "xwing"), ("frank", "xwing")):
            run(f"{tools}/pm-ctl", "key", "new", "--type", kind, "-o", f"{made}/{name}.key", "--public",
                f"{made}/{name}.pub")
    return MADE[0].name


def public(path):
    lines = pathlib.Path(path).read_text().splitlines()
    return "".join(x for x in lines if not x.startswith("-"))


def make_manifest(made):
    doc = json.loads(run(sys.executable, CASES))["base"]
    role = doc["roles"]["coordinator"]
    worker = dict(role, models=["tiny"], calls=["secrets"])
    doc["roles"] = {"coordinator": role, "secrets": dict(role, workload_secret=True), "worker": worker,
                    "reader": dict(role, models=["tiny", "meta-llama/Llama-3.3-70B"], calls=["secrets"]),
                    "stranger": dict(role)}
    doc["owners"] = {"threshold": 2, "keys": [{"name": n, "key": public(f"{made}/{n}.pub")}
                                              for n in ("alice", "bob", "carol")]}
    doc["seed_share_owners"] = {"threshold": 2, "keys": [
        {"name": n, "key": base64.b64encode(base64.b64decode(public(f"{made}/{n}.pub"))[-1216:]).decode()}
        for n in ("dave", "erin", "frank")]}
    doc["secrets"] = [{"id": "inference/*", "roles": ["worker"], "models": ["tiny"]},
                      {"id": "weights/*", "roles": ["worker", "reader"], "models": ["tiny"]},
                      {"id": "operator/*", "roles": ["worker"], "models": None},
                      {"id": "shared", "roles": ["worker", "reader"], "models": None}]
    doc["not_before"], doc["not_after"] = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
    doc.pop("extra_roots", None)
    return json.dumps(doc)


class Town:
    """A mesh: its authority, a software processor, and keys of owners."""

    def __init__(self, programs):
        self.program, town, self.tools = programs
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.made = make_once(self.tools)
        manifest = f"{self.folder}/manifest.json"
        pathlib.Path(manifest).write_text(make_manifest(self.made))
        self.process = subprocess.Popen([town, manifest, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.stack.callback(self.stop)
        self.port = int(self.answer())
        self.socket = f"{self.folder}/attester"
        self.attester = subprocess.Popen([f"{self.tools}/pm-sim", "serve", f"{self.made}/sim", "--socket",
                                          self.socket], stdout=subprocess.PIPE)
        assert b"serving" in self.attester.stdout.readline()
        self.count = 0

    def stop(self):
        for process in (self.process, self.attester):
            process.kill()
            process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.attester.stdout.close()

    def answer(self):
        line = self.process.stdout.readline()
        assert line.startswith("ok"), line
        return line[2:].strip()

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        return self.process.stdout.readline().strip()

    def do(self, *words):
        line = self.tell(*words)
        assert line.startswith("ok"), (words, line)
        return line[2:].strip()

    def path(self, name):
        return f"{self.folder}/{name}"

    def file(self, data, name=None):
        self.count += 1
        path = self.path(name or f"file-{self.count}")
        pathlib.Path(path).write_bytes(data)
        return path

    def key(self, name):
        return f"{self.made}/{name}.key"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()


class Service(Daemon):
    def __init__(self, town, *args, store=None):
        store = store or f"sqlite:{town.folder}/secrets.db"
        super().__init__(town.program, "--listen", "127.0.0.1:0", "--mesh-listen", "127.0.0.1:0", "--metrics",
                         "127.0.0.1:0", "--coordinator", f"http://127.0.0.1:{town.port}", "--store", store,
                         "--attester", town.socket, "--threads", "2", "--drain-timeout", "1s", *RATES, *args)
        self.town = town

    def port(self, what):
        host, port = self.addresses(what)[0].rsplit(":", 1)
        return host, int(port)

    def wait_ready(self):
        try:
            return self.wait_until_ready()
        except BaseException:
            self.process.kill() # nobody else would
            raise

    def wait_until_ready(self):
        self.ready()
        end = time.monotonic() + LIMIT
        metrics = self.port("metrics")
        while Response(exchange(metrics, request("GET", "/readyz"))).status != 200:
            assert time.monotonic() < end, self.text()
            select.select([], [], [], 0.02)
        return self

    @property
    def url(self):
        return "http://%s:%d" % self.port("requests")

    def figure(self, name):
        return figure(self.port("metrics"), f"pm_secrets_{name}")


class Worker:
    """Somebody with a certificate."""

    def __init__(self, town, role, replica="w1", models="tiny", purpose="tls"):
        name = f"{role}-{replica}-{models.replace('/', '_')}-{purpose}"
        town.do("issue", name, role, replica, models, purpose)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ca = ssl.DER_cert_to_PEM_cert(pathlib.Path(town.path("mesh-ca.der")).read_bytes())
        self.context.load_verify_locations(cadata=ca)
        self.context.load_cert_chain(town.path(f"{name}.crt"), town.path(f"{name}.key"))

    def wrap(self, s):
        return self.context.wrap_socket(s, server_hostname="secrets")

    def post(self, service, path, body):
        return Response(exchange(service.port("mesh"), request("POST", path, json.dumps(body).encode()), self.wrap))

    def fetch(self, service, name):
        """The secret, or None."""
        r = self.post(service, "/pm/v1/fetch", {"Id": name})
        if r.status == 200:
            return base64.b64decode(json.loads(r.body)["Secret"])
        assert r.status == 404, (r.status, r.body)
        assert json.loads(r.body) == {"error": {"code": "not_found", "message": "There is no such secret."}}
        return None


class Watch:
    """Lines of a watch, as they come."""

    def __init__(self, worker, service):
        self.socket = worker.wrap(connect(service.port("mesh")))
        self.socket.sendall(request("POST", "/pm/v1/watch", b"{}", close=False))
        head = read_until(self.socket, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        self.data = head.partition(b"\r\n\r\n")[2]
        self.seen = 0
        assert "Instance" in self.next()

    def lines(self):
        return [json.loads(x) for x in dechunk(self.data)[0].split(b"\n")[:-1]]

    def next(self):
        while len(self.lines()) <= self.seen:
            piece = self.socket.recv(65536)
            assert piece, "the watch ended"
            self.data += piece
        self.seen += 1
        return self.lines()[self.seen - 1]

    def event(self):
        while not (line := self.next()):
            pass
        return line

    def wait_for_end(self):
        with contextlib.suppress(ssl.SSLError, ConnectionResetError):
            while piece := self.socket.recv(65536):
                self.data += piece

    @staticmethod
    def begins(worker, service):
        with worker.wrap(connect(service.port("mesh"))) as s:
            s.sendall(request("POST", "/pm/v1/watch", b"{}", close=False))
            return read_until(s, b"\r\n\r\n").startswith(b"HTTP/1.1 200")

    def close(self):
        self.socket.close()


def wait_for(what):
    end = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < end, "it never was"
        select.select([], [], [], 0.1)


class Owners:
    """Who commands, under one exchange each."""

    def __init__(self, town, service):
        self.town = town
        self.exchange = town.do("operator", service.url)

    def command(self, op, name="-", content=None, ttl="-", roles="-", models="-", exchange="-", issued=0,
                by=("alice", "bob")):
        path = self.town.file(content) if content is not None else "-"
        out = f"command-{self.town.count}-{op}"
        line = self.town.tell("command", out, op, name or "-", path, ttl, roles, models, exchange, issued,
                              *(self.town.key(x) for x in by))
        if not line.startswith("ok"):
            return None
        return pathlib.Path(self.town.path(out)).read_bytes()

    def ask(self, method, path, members):
        body = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in members.items()}
        line = self.town.tell("ask", method, path, self.town.file(json.dumps(body).encode()), "answer")
        if not line.startswith("ok"):
            return 0, line
        return int(line.split()[1]), pathlib.Path(self.town.path("answer")).read_bytes()

    def put(self, name, value, ttl=600, **options):
        salt = os.urandom(32)
        command = self.command("put", name, salt + value, ttl, **options)
        return self.ask("PUT", f"/secrets/{name}", {"Command": command, "Salt": salt, "Value": value})

    def simple(self, op, method, path, name="-", **options):
        return self.ask(method, path, {"Command": self.command(op, name, **options)})

    def revoke(self, name, **options):
        return self.simple("revoke", "DELETE", f"/secrets/{name}", name, **options)


def owners_do(town, service, what, *args, **options):
    status, answer = getattr(Owners(town, service), what)(*args, **options)
    assert status == 200, (status, answer)
    return answer


def post_client(town, service):
    """A new client's request: the name of its secret, and the answer."""
    name = "inference/" + town.do("client", "client")
    return name, ask_plain(service, "/privatemode/v1/secret", pathlib.Path(town.path("client")).read_bytes())


def agree(town, service):
    """The name of a secret that a client agreed on."""
    name, r = post_client(town, service)
    assert r.status == 200, (r.status, r.body)
    return name


def code(answer):
    return json.loads(answer)["error"]["code"]


# --- clients ------------------------------------------------------------------------------------


def test_a_secret_from_client_to_worker(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        name = agree(town, service)
        secret = Worker(town, "worker").fetch(service, name)
        assert len(secret) == 32
        assert Worker(town, "worker", "w2").fetch(service, name) == secret
        assert Worker(town, "worker", "w3", "-").fetch(service, name) is None # it serves no model of the rule
        assert Worker(town, "reader").fetch(service, name) is None # another role
        assert service.figure("agreed_total") == 1
        assert service.figure("released_total") == 2


def ask_plain(service, path, body, fields=()):
    return Response(exchange(service.port("requests"), request("POST", path, body, fields)))


def test_clients_are_refused(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        path = "/privatemode/v1/secret"
        for body in (b"", b"{}", b"x", b'{"PublicKey":"AAAA"}', b"x" * 32768):
            assert ask_plain(service, path, body).status == 400, body[:20]
        assert ask_plain(service, path, b"x" * 32769).status == 413
        assert ask_plain(service, "/pm/v1/fetch", b'{"Id":"shared"}').status == 404 # of the other listener
        assert Response(exchange(service.port("requests"), request("GET", path))).status == 404


def test_a_key_agrees_once(programs):
    """Whoever repeats a request that he overheard gets no second secret, and does not replace the first."""
    with Town(programs) as town, Service(town).wait_ready() as service:
        name = agree(town, service)
        secret = Worker(town, "worker").fetch(service, name)
        again = ask_plain(service, "/privatemode/v1/secret", pathlib.Path(town.path("client")).read_bytes())
        assert again.status == 409, again.body
        assert Worker(town, "worker").fetch(service, name) == secret


def test_clients_have_a_rate(programs):
    args = ["--exchange-rate", "1", "--client-field", "x-client"]
    with Town(programs) as town, Service(town, *args).wait_ready() as service:
        def ask(name):
            return ask_plain(service, "/privatemode/v1/secret", b"x", [("X-Client", name)]).status
        seen = [ask("a") for _ in range(8)]
        assert 429 in seen and seen[0] == 400, seen
        assert ask("b") == 400
        assert service.figure("limited_total") == seen.count(429)


# --- workers ------------------------------------------------------------------------------------


def test_workers_are_refused(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        owners_do(town, service, "put", "shared", CANARY)
        worker = Worker(town, "worker")
        assert worker.fetch(service, "shared") == CANARY
        for body in ({}, {"Id": ""}, {"Id": 5}, {"Id": "*"}, {"Id": "weights/*"}, {"Id": "a b"}, {"Id": "a" * 129},
                     {"Id": "shared", "More": 1}, ["shared"], {"Ids": ["shared"]}):
            assert worker.post(service, "/pm/v1/fetch", body).status == 400, body
        for path in ("/pm/v1/list", "/pm/v1/secrets", "/pm/v1/fetch/", "/", "/pm/v1/admin"):
            assert worker.post(service, path, {}).status == 404, path
        # A role that may not call us, a certificate that is for signing, and none at all.
        anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anonymous.check_hostname, anonymous.verify_mode = False, ssl.CERT_NONE
        for wrap in (Worker(town, "stranger", models="-").wrap, Worker(town, "worker", "w9", purpose="sign").wrap,
                     anonymous.wrap_socket):
            assert is_kept_out(service, wrap)
        assert not is_kept_out(service, worker.wrap)


def is_kept_out(service, wrap):
    """By TLS, or by an answer."""
    try:
        data = exchange(service.port("mesh"), request("POST", "/pm/v1/fetch", b'{"Id":"shared"}'), wrap)
    except (ssl.SSLError, ConnectionError):
        return True
    return not data or Response(data).status == 403


def test_none_and_not_yours_are_the_same(programs):
    """The same answer, and the same work: something is opened in each case."""
    with Town(programs) as town, Service(town).wait_ready() as service:
        owners_do(town, service, "put", "weights/a", CANARY)
        owners_do(town, service, "put", "shared", CANARY, roles="reader")
        worker, reader = Worker(town, "worker"), Worker(town, "reader", models="meta-llama/Llama-3.3-70B")
        answers = []
        before = service.figure("opened_total")
        for who, name in ((worker, "weights/none"), (worker, "shared"), (reader, "weights/a"), (reader, "weights/b"),
                          (worker, "no-rule"), (reader, "inference/x")):
            r = who.post(service, "/pm/v1/fetch", {"Id": name})
            fields = {k: v for k, v in r.fields.items() if k not in ("date", "x-request-id")}
            answers.append((r.status, r.body, fields))
        assert answers[0][0] == 404 and all(a == answers[0] for a in answers), answers
        assert service.figure("opened_total") == before + len(answers)
        assert reader.fetch(service, "shared") == CANARY


def test_own_rules_narrow(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        owners_do(town, service, "put", "shared", b"1", models="meta-llama/Llama-3.3-70B")
        owners_do(town, service, "put", "weights/a", b"2", roles="worker", models="tiny")
        worker, both = Worker(town, "worker"), Worker(town, "reader", models="meta-llama/Llama-3.3-70B,tiny")
        assert worker.fetch(service, "shared") is None
        assert both.fetch(service, "shared") == b"1"
        assert worker.fetch(service, "weights/a") == b"2"
        assert both.fetch(service, "weights/a") is None
        # A rule never widens the manifest's.
        owners_do(town, service, "put", "other", b"3", roles="worker")
        assert worker.fetch(service, "other") is None


def test_secrets_end(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker = Worker(town, "worker")
        watch = Watch(worker, service)
        owners_do(town, service, "put", "shared", CANARY, ttl=3)
        if worker.fetch(service, "shared") == CANARY: # a slow machine may be too late
            assert watch.event() == {"Id": "shared", "Event": "expired"}
        else:
            wait_for_figure(service.port("metrics"), "pm_secrets_noted", 0)
        assert worker.fetch(service, "shared") is None
        watch.close()


def test_revocation_is_heard(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker, other = Worker(town, "worker"), Worker(town, "reader")
        watch, deaf = Watch(worker, service), Watch(other, service)
        for name in ("shared", "weights/a", "weights/b"):
            owners_do(town, service, "put", name, CANARY)
        assert worker.fetch(service, "shared") and worker.fetch(service, "weights/a")
        assert other.fetch(service, "weights/b")
        owners_do(town, service, "revoke", "shared")
        assert watch.event() == {"Id": "shared", "Event": "revoked"}
        assert worker.fetch(service, "shared") is None
        # Another value in its place ends it too; what one did not fetch one does not hear of.
        owners_do(town, service, "put", "weights/b", b"new")
        owners_do(town, service, "put", "weights/a", b"new")
        assert watch.event() == {"Id": "weights/a", "Event": "revoked"}
        assert deaf.event() == {"Id": "weights/b", "Event": "revoked"}
        assert worker.fetch(service, "weights/a") == b"new"
        # A client's secret may be ended by owners.
        name = agree(town, service)
        assert worker.fetch(service, name)
        owners_do(town, service, "revoke", name)
        assert watch.event() == {"Id": name, "Event": "revoked"}
        for w in (watch, deaf):
            w.close()


def test_who_fetches_while_it_is_replaced_gets_old_or_new(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        values = [CANARY + b"%d" % i for i in range(30)]
        owners_do(town, service, "put", "shared", values[0])
        got, over = [], threading.Event()

        def fetch(worker):
            while not over.is_set():
                got.append(worker.fetch(service, "shared"))

        crowd = [threading.Thread(target=fetch, args=(Worker(town, "worker", f"w{i}"),)) for i in range(1, 5)]
        for t in crowd:
            t.start()
        for value in values[1:]:
            owners_do(town, service, "put", "shared", value)
        over.set()
        for t in crowd:
            t.join()
        assert set(got) <= set(values), "there was none for a moment"


def test_who_hears_nothing_says_so(programs):
    """An instance that the store tells nothing any more does not go on saying that all is well."""
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker = Worker(town, "worker")
        watch = Watch(worker, service)
        owners_do(town, service, "put", "shared", CANARY)
        assert worker.fetch(service, "shared") == CANARY
        with open(town.path("secrets.db-shm"), "r+b") as f:
            # As by a process that holds the file for too long: these bytes are what SQLite's readers lock.
            fcntl.lockf(f, fcntl.LOCK_EX, 5, 123)
            watch.wait_for_end()
            assert worker.post(service, "/pm/v1/watch", {}).status == 503
        watch.close()
        wait_for(lambda: worker.post(service, "/pm/v1/fetch", {"Id": "shared"}).status == 200)
        wait_for(lambda: Watch.begins(worker, service))


def test_watches_end_first(programs):
    """Who is to end does not wait for what would go on for ever."""
    with Town(programs) as town, Service(town, "--drain-timeout", "600s").wait_ready() as service:
        worker = Worker(town, "worker")
        watches = [Watch(worker, service) for _ in range(4)] # on both loops
        service.signal(signal.SIGTERM)
        for watch in watches:
            watch.wait_for_end()
            assert dechunk(watch.data)[1], "it ended as a whole"
            watch.close()
        assert service.wait() == 0


# --- owners -------------------------------------------------------------------------------------


def test_commands_are_refused(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker = Worker(town, "worker")

        def refused(owners, status, *args, **options):
            got, answer = owners.put(*args, **options)
            assert got == status, (got, answer, options)
            assert worker.fetch(service, "shared") is None
            return answer

        owners = Owners(town, service)
        refused(owners, 403, "shared", CANARY, by=("alice",))
        refused(owners, 403, "shared", CANARY, by=())
        refused(owners, 403, "shared", CANARY, by=("alice", "mallory"))
        refused(owners, 403, "shared", CANARY, ttl=30 * 86400 + 60)
        refused(owners, 403, "shared", CANARY, ttl=-5)
        refused(owners, 403, "shared", CANARY, issued=-3700)
        refused(owners, 403, "shared", CANARY, issued=120)
        refused(owners, 403, "shared", CANARY, roles="nobody")
        refused(owners, 403, "inference/" + owners.exchange, bytes(32))
        refused(owners, 413, "shared", b"x" * 65537)
        refused(owners, 400, "shared", CANARY, ttl="-") # without an end there is no such command
        other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        refused(owners, 403, "shared", CANARY, exchange=other)
        assert service.figure("commands_total") == 1 # the one that was too large


def test_commands_are_for_one_thing(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker, owners, salt = Worker(town, "worker"), Owners(town, service), os.urandom(32)
        command = owners.command("put", "shared", salt + CANARY, 600)
        for method, path, members in (
                ("PUT", "/secrets/weights/a", {"Command": command, "Salt": salt, "Value": CANARY}),
                ("PUT", "/secrets/shared", {"Command": command, "Salt": salt, "Value": CANARY + b"x"}),
                ("PUT", "/secrets/shared", {"Command": command, "Salt": bytes(32), "Value": CANARY}),
                ("DELETE", "/secrets/shared", {"Command": command}),
                ("POST", "/rotate", {"Command": command})):
            status, answer = owners.ask(method, path, members)
            assert status == 403, (method, path, answer)
        for method, path, members, want in (
                ("PUT", "/secrets/shared", {"Command": command, "Salt": salt}, 400),
                ("PUT", "/secrets/shared", {"Command": command, "Salt": salt, "Value": CANARY, "More": b""}, 400),
                ("PUT", "/secrets/shared", {"Command": b"x", "Salt": salt, "Value": CANARY}, 400),
                ("PUT", "/secrets/", {"Command": command, "Salt": salt, "Value": CANARY}, 404),
                ("GET", "/secrets/", {"Command": command}, 404),
                ("GET", "/secrets", {"Command": command}, 404),
                ("GET", "/secrets/shared", {"Command": command}, 404),
                ("POST", "/secrets/", {"Command": command}, 404)):
            status, answer = owners.ask(method, path, members)
            assert status == want, (method, path, answer)
        assert worker.fetch(service, "shared") is None
        status, answer = owners.ask("PUT", "/secrets/shared", {"Command": command, "Salt": salt, "Value": CANARY})
        assert status == 200, answer
        assert worker.fetch(service, "shared") == CANARY
        # Once, also when another instance is asked, and after the secret was revoked.
        status, answer = owners.revoke("shared")
        assert status == 200
        with Service(town).wait_ready() as second:
            for s in (service, second):
                status, answer = owners.ask("PUT", "/secrets/shared",
                                            {"Command": command, "Salt": salt, "Value": CANARY})
                assert (status, code(answer)) == (409, "used"), answer
                assert worker.fetch(s, "shared") is None
        # In another exchange it is nobody's command.
        status, answer = Owners(town, service).ask("PUT", "/secrets/shared",
                                                   {"Command": command, "Salt": salt, "Value": CANARY})
        assert status == 403, answer


def test_sealed_requests_only(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        exchange_id = Owners(town, service).exchange
        sealed = ("Content-Type", "application/vnd.pm.sealed")
        for fields, body, want in (
                ([], b"{}", 400),
                ([sealed], b"{}", 400),
                ([sealed, ("Pm-Secret-Id", "x")], b"{}", 400),
                ([sealed, ("Pm-Secret-Id", exchange_id)], b"{}", 400),
                ([sealed, ("Pm-Secret-Id", exchange_id)], os.urandom(200), 400),
                ([sealed, ("Pm-Secret-Id", base64.b64encode(bytes(32)).decode())], os.urandom(200), 400)):
            r = ask_plain(service, "/pm/v1/admin", body, fields)
            assert r.status == want, (fields, r.status, r.body)


def test_long_requests_are_few(programs):
    """Nobody makes us hold more than we have by requests that he never ends."""
    with Town(programs) as town, Service(town, "--body-timeout", "600s").wait_ready() as service:
        fields = [("Content-Type", "application/vnd.pm.sealed"),
                  ("Pm-Secret-Id", base64.b64encode(bytes(32)).decode())]

        def begin(size):
            s = stack.enter_context(connect(service.port("requests")))
            s.sendall(request("POST", "/pm/v1/admin", bytes(size), fields, close=True)[:-1])
            return s

        with contextlib.ExitStack() as stack:
            for _ in range(255):
                begin(20000)
            # One that is read while we ask may be refused itself, so each try brings another.
            wait_for(lambda: begin(20000) and ask_plain(service, "/pm/v1/admin", bytes(20000), fields).status == 503)
            assert ask_plain(service, "/pm/v1/admin", bytes(10000), fields).status == 400 # short ones are
        wait_for(lambda: ask_plain(service, "/pm/v1/admin", bytes(20000), fields).status == 400)
        with contextlib.ExitStack() as stack:
            # One that begins while those of before end may be refused.
            wait_for(lambda: begin(600000) and ask_plain(service, "/pm/v1/admin", bytes(600000), fields).status == 503)
            assert ask_plain(service, "/pm/v1/admin", bytes(20000), fields).status == 400
        owners_do(town, service, "put", "shared", bytes(65536))


def test_show(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        owners_do(town, service, "put", "shared", CANARY, roles="reader", models="tiny")
        answer = owners_do(town, service, "simple", "show", "POST", "/secrets/shared", "shared")
        assert CANARY not in answer and base64.b64encode(CANARY)[:20] not in answer
        shown = json.loads(answer)
        assert shown["Kind"] == "owners" and shown["Size"] == len(CANARY) and shown["Epoch"] == 1, shown
        assert shown["Rule"] == {"roles": ["reader"], "models": ["tiny"]}
        status, answer = Owners(town, service).simple("show", "POST", "/secrets/none", "none")
        assert status == 404


def test_no_worker_reads_what_owners_say(programs):
    """The secret that an owner's requests are sealed under is none that a worker can fetch: not by the manifest, and
    not when whoever is in between has it made as if it were a client's."""
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker, owners = Worker(town, "worker"), Owners(town, service)
        for name in ("inference/", "operator/"): # the manifest lets it have both
            assert worker.fetch(service, name + owners.exchange) is None
        status, answer = owners.put("shared", CANARY)
        assert status == 200, answer
        with Relay(service, b"POST /pm/v1/operator ", b"POST /privatemode/v1/secret ") as relay:
            owners = Owners(town, relay)
        assert len(worker.fetch(service, "inference/" + owners.exchange)) == 32 # another one, and good for nothing
        # Nor is a client's secret good for commands.
        sealed = [("Content-Type", "application/vnd.pm.sealed"), ("Pm-Secret-Id", agree(town, service)[10:])]
        assert ask_plain(service, "/pm/v1/admin", os.urandom(200), sealed).status == 400


class Relay:
    """In between, for one request: it puts something else in place of what it reads."""

    def __init__(self, service, old, new):
        self.service, self.old, self.new = service, old, new
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.relay)

    def relay(self):
        s, _ = self.listener.accept()
        with s:
            data = read_until(s, b"\r\n\r\n")
            while not data.endswith(b"}"):
                data += s.recv(65536)
            data = data.replace(self.old, self.new, 1).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
            s.sendall(exchange(self.service.port("requests"), data))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(LIMIT)
        self.listener.close()


# --- an impostor --------------------------------------------------------------------------------


def test_others_of_the_mesh_are_no_secret_service(programs):
    """A worker with a good certificate, of another role or for TLS, that answers in our place."""
    with Town(programs) as town:
        for role, purpose in (("worker", "sign"), ("secrets", "tls")):
            town.do("issue", "impostor", role, "i1", "-", purpose)
            line = impostor(town, "impostor")
            assert line.startswith("no rejected") and "Signature" not in line, line
        town.do("issue", "right", "secrets", "i1", "-", "sign")
        # That this is what it depends on: the right certificate gets further, up to the signature.
        assert "Signature" in impostor(town, "right")


def impostor(town, name):
    chain = pathlib.Path(town.path(f"{name}.crt")).read_text()
    der = ssl.PEM_cert_to_DER_cert(chain[:chain.index("-----END CERTIFICATE-----") + 26] + "\n")
    reply = json.dumps({"EncapsulatedKey": base64.b64encode(bytes(1120)).decode(),
                        "Signature": base64.b64encode(bytes.fromhex("3006020101020101")).decode(),
                        "MeshCert": base64.b64encode(der).decode()}).encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            s, _ = listener.accept()
            with s:
                data = read_until(s, b"\r\n\r\n")
                while not data.endswith(b"}"):
                    data += s.recv(65536)
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                          b"Content-Length: %d\r\n\r\n%s" % (len(reply), reply))
        thread = threading.Thread(target=serve)
        thread.start()
        line = town.tell("operator", "http://127.0.0.1:%d" % listener.getsockname()[1])
        thread.join(LIMIT)
    return line


# --- the store ----------------------------------------------------------------------------------


def test_the_store_sees_nothing(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        owners_do(town, service, "put", "shared", CANARY)
        name = agree(town, service)
        secret = Worker(town, "worker").fetch(service, name)
        assert Worker(town, "worker").fetch(service, "shared") == CANARY
        service.stop()
        key = bytes.fromhex(town.do("secret"))
        data = b"".join(pathlib.Path(p).read_bytes() for p in glob.glob(town.path("secrets.db*")))
        assert b"secrets/value/shared" in data # it is the right file
        for canary in (CANARY, secret, key):
            for form in (canary, canary.hex().encode(), base64.b64encode(canary)[:-4]):
                assert form not in data
                assert form.decode("latin-1") not in service.text()


def test_no_trace_is_left_of_a_secret(programs):
    """Neither of what owners put, nor of what went out to a worker."""
    with Town(programs) as town, Service(town).wait_ready() as service:
        big = os.urandom(30000)
        worker = Worker(town, "worker")
        for value in (CANARY, big):
            owners_do(town, service, "put", "shared", value)
            assert worker.fetch(service, "shared") == value
            owners_do(town, service, "simple", "show", "POST", "/secrets/shared", "shared")
        owners_do(town, service, "simple", "backup", "POST", "/backup")
        pieces = [big[i:i + 48] for i in range(0, len(big) - 48, 2400)]
        assert not traces(service.process, CANARY, *pieces)


def test_two_instances(programs):
    with Town(programs) as town, Service(town).wait_ready() as a, Service(town).wait_ready() as b:
        worker = Worker(town, "worker")
        watch = Watch(worker, b)
        owners_do(town, a, "put", "shared", CANARY)
        assert worker.fetch(b, "shared") == CANARY
        name = agree(town, b)
        assert worker.fetch(a, name) == worker.fetch(b, name)
        owners_do(town, a, "revoke", "shared")
        assert watch.event() == {"Id": "shared", "Event": "revoked"} # that another instance did
        assert worker.fetch(b, "shared") is None
        watch.close()
        a.process.kill()
        assert worker.fetch(b, name)
        owners_do(town, b, "put", "shared", b"again")
        assert worker.fetch(b, "shared") == b"again"


def test_acknowledged_secrets_outlive_a_crash(programs):
    with Town(programs) as town:
        kept, worker = {}, Worker(town, "worker")
        for _ in range(3):
            with Service(town).wait_ready() as service:
                names = []
                stop = threading.Event()

                def agree():
                    while not stop.is_set():
                        try:
                            name, r = post_client(town, service)
                        except (OSError, AssertionError):
                            return
                        if r.status == 200:
                            names.append(name)

                thread = threading.Thread(target=agree)
                thread.start()
                end = time.monotonic() + LIMIT
                while len(names) < 20 and time.monotonic() < end:
                    select.select([], [], [], 0.01)
                service.process.kill()
                stop.set()
                thread.join(LIMIT)
                for name in names:
                    kept.setdefault(name, None)
            with Service(town).wait_ready() as service:
                for name, before in kept.items():
                    secret = worker.fetch(service, name)
                    assert secret and before in (None, secret), name
                    kept[name] = secret
        assert len(kept) >= 60


def test_a_store_that_goes_back(programs):
    """What this process ended stays ended, and what it obeyed is not obeyed again, whatever the store forgets."""
    def change(*statements):
        with contextlib.closing(sqlite3.connect(town.path("secrets.db"), timeout=LIMIT)) as db, db:
            return [db.execute(*s).fetchall() for s in statements]

    with Town(programs) as town, Service(town, "--rotation-time", "2s").wait_ready() as service:
        worker, owners, salt = Worker(town, "worker"), Owners(town, service), os.urandom(32)
        command = owners.command("put", "shared", salt + CANARY, 600)
        put = ("PUT", "/secrets/shared", {"Command": command, "Salt": salt, "Value": CANARY})
        assert owners.ask(*put)[0] == 200
        assert worker.fetch(service, "shared") == CANARY
        [[row]] = change(("SELECT key, value, revision, expires FROM entry WHERE key=?", (b"secrets/value/shared",)))
        assert owners.revoke("shared")[0] == 200 # perhaps in the very second
        assert worker.fetch(service, "shared") is None
        used = "FROM entry WHERE CAST(key AS TEXT) LIKE 'secrets/used/%'"
        assert change((f"SELECT count(*) {used}",), (f"DELETE {used}",), (f"SELECT count(*) {used}",))[::2] == [
            [(2,)], [(0,)]]
        status, answer = owners.ask(*put)
        assert (status, code(answer)) == (409, "used"), answer
        change(("INSERT INTO entry (key, value, revision, expires) VALUES (?, ?, ?, ?)", row))
        assert worker.fetch(service, "shared") is None
        status, answer = Owners(town, service).simple("show", "POST", "/secrets/shared", "shared")
        assert status == 404, answer
        assert len(owners_do(town, service, "simple", "backup", "POST", "/backup").splitlines()) == 2
        # Nor is it sealed anew: it stays what it was, of an epoch that will be over.
        owners_do(town, service, "simple", "rotate", "POST", "/rotate")
        wait_for_figure(service.port("metrics"), "pm_secrets_epoch", 2)
        wait_for_figure(service.port("metrics"), "pm_secrets_rotating", 0)
        assert change(("SELECT value FROM entry WHERE key=?", (row[0],))) == [[(row[1],)]]
        owners_do(town, service, "put", "shared", b"another")
        assert worker.fetch(service, "shared") == b"another"


def test_a_store_that_hides_changes(programs):
    """Who revokes tells his workers himself."""
    hide = ("CREATE TRIGGER hide AFTER INSERT ON change WHEN CAST(new.key AS TEXT) LIKE 'secrets/value/%' "
            "BEGIN UPDATE change SET key = x'78' WHERE revision = new.revision; END")
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker = Worker(town, "worker")
        watch = Watch(worker, service)
        for name in ("shared", "weights/a"):
            owners_do(town, service, "put", name, CANARY)
            assert worker.fetch(service, name) == CANARY
        with contextlib.closing(sqlite3.connect(town.path("secrets.db"), timeout=LIMIT)) as db, db:
            db.execute(hide)
        owners_do(town, service, "revoke", "shared")
        assert watch.event() == {"Id": "shared", "Event": "revoked"}
        # Also where the store says that there is none.
        with contextlib.closing(sqlite3.connect(town.path("secrets.db"), timeout=LIMIT)) as db, db:
            assert db.execute("DELETE FROM entry WHERE key=?", (b"secrets/value/weights/a",)).rowcount == 1
        status, _ = Owners(town, service).revoke("weights/a")
        assert status == 404
        assert watch.event() == {"Id": "weights/a", "Event": "revoked"}
        watch.close()


def test_a_store_that_lies_gives_nothing(programs):
    """Values that were changed, moved or mixed in the store are no secrets."""
    with Town(programs) as town:
        with Service(town).wait_ready() as service:
            owners_do(town, service, "put", "weights/a", b"first-value")
            owners_do(town, service, "put", "weights/b", b"other-value")
            service.stop()
        with contextlib.closing(sqlite3.connect(town.path("secrets.db"))) as db:
            a, b = b"secrets/value/weights/a", b"secrets/value/weights/b"
            rows = dict(db.execute("SELECT key, value FROM entry WHERE key IN (?, ?)", (a, b)))
            db.execute("UPDATE entry SET value=? WHERE key=?", (rows[b], a))
            db.execute("UPDATE entry SET value=? WHERE key=?", (rows[b][:-1] + bytes([rows[b][-1] ^ 1]), b))
            db.commit()
        with Service(town).wait_ready() as service:
            worker = Worker(town, "worker")
            assert worker.fetch(service, "weights/a") is None
            assert worker.fetch(service, "weights/b") is None
            service.wait_for("value not authentic")


# --- rotation, backup, log ----------------------------------------------------------------------


def test_rotation(programs):
    args = ["--rotation-time", "2s"]
    with Town(programs) as town, Service(town, *args).wait_ready() as a, Service(town, *args).wait_ready() as b:
        worker = Worker(town, "worker")
        watch = Watch(worker, a)
        owners_do(town, a, "put", "shared", CANARY)
        assert worker.fetch(a, "shared") == CANARY
        names = [agree(town, a) for _ in range(5)]
        for epoch in (2, 3):
            owners_do(town, a, "simple", "rotate", "POST", "/rotate")
            wait_for_figure(a.port("metrics"), "pm_secrets_epoch", epoch)
            status, answer = Owners(town, b).simple("rotate", "POST", "/rotate")
            assert (status, code(answer)) == (409, "rotating"), answer
            for s in (a, b):
                assert worker.fetch(s, "shared") == CANARY
            for s in (a, b):
                wait_for_figure(s.port("metrics"), "pm_secrets_rotating", 0)
                assert all(worker.fetch(s, n) for n in names)
                assert worker.fetch(s, "shared") == CANARY
            shown = json.loads(owners_do(town, b, "simple", "show", "POST", "/secrets/shared", "shared"))
            assert shown["Epoch"] == epoch, shown
        assert a.figure("resealed_total") + b.figure("resealed_total") >= 12
        # A store that loses the epoch gets it again: it does not begin anew with the first one.
        with contextlib.closing(sqlite3.connect(town.path("secrets.db"), timeout=LIMIT)) as db, db:
            assert db.execute("DELETE FROM entry WHERE key=?", (b"secrets/state",)).rowcount == 1
        wait_for(lambda: any("store has lost the epoch" in s.text() for s in (a, b)))
        with Service(town, *args).wait_ready() as c:
            assert c.figure("epoch") == 3
            assert worker.fetch(c, "shared") == CANARY
        # What was sealed anew is still the same secret: nobody hears of it.
        owners_do(town, a, "revoke", "shared")
        assert watch.event() == {"Id": "shared", "Event": "revoked"}
        watch.close()


def test_backup(programs):
    with Town(programs) as town:
        with Service(town).wait_ready() as service:
            owners_do(town, service, "put", "shared", CANARY, roles="worker")
            for i in range(150):
                owners_do(town, service, "put", f"weights/{i}", b"value-%d" % i)
            Owners(town, service)
            backup = owners_do(town, service, "simple", "backup", "POST", "/backup")
            assert CANARY not in backup and base64.b64encode(CANARY)[:20] not in backup
            assert len(backup.splitlines()) == 1 + 151 + 1 # no client's
            owners_do(town, service, "revoke", "shared")
            owners_do(town, service, "put", "weights/7", b"newer")

        def key_of(*holders):
            town.do("open", "-", town.file(backup), *(x for h in holders for x in (town.key(h), h)))
            return pathlib.Path(town.path("backup-key")).read_bytes()

        key = key_of("dave", "frank")
        assert key == key_of("erin", "dave") and len({key, *map(key_of, ("dave", "erin", "frank"))}) == 4

        def restore(service, data, key=key, **options):
            owners, salt = Owners(town, service), os.urandom(32)
            command = owners.command("restore", "-", salt + data, **options)
            return owners.ask("POST", "/restore", {"Command": command, "Salt": salt, "Value": data, "Key": key})

        lines = backup.splitlines(True)
        with Service(town, store="memory:other").wait_ready() as service:
            worker = Worker(town, "worker")
            for bad in (b"".join(lines[:-1]), b"".join(lines[:5] + lines[6:]), backup + lines[-1],
                        b"".join(lines[:1] + lines[2:3] + lines[1:2] + lines[3:]), b"", b"\n"):
                status, answer = restore(service, bad)
                assert (status, code(answer)) == (400, "bad_backup"), (status, answer)
            for bad in (bytes(32), key_of("dave")): # one holder alone reads nothing
                status, answer = restore(service, backup, key=bad)
                assert (status, code(answer)) == (400, "bad_backup"), (status, answer)
            status, answer = restore(service, backup, by=("alice",))
            assert status == 403, answer
            assert worker.fetch(service, "weights/1") is None
            status, answer = restore(service, backup)
            assert (status, json.loads(answer)) == (200, {"Restored": 151, "Kept": 0, "Expired": 0}), answer
            assert worker.fetch(service, "shared") == CANARY
            assert Worker(town, "reader").fetch(service, "shared") is None # with its rule
            assert worker.fetch(service, "weights/149") == b"value-149"
        with Service(town).wait_ready() as service: # what is there already stays
            status, answer = restore(service, backup)
            assert (status, json.loads(answer)) == (200, {"Restored": 1, "Kept": 150, "Expired": 0}), answer
            assert worker.fetch(service, "weights/7") == b"newer"


def test_the_log(programs):
    with Town(programs) as town, Service(town).wait_ready() as service:
        worker = Worker(town, "worker")
        owners_do(town, service, "put", "shared", CANARY)
        assert worker.fetch(service, "shared") == CANARY
        assert worker.fetch(service, "weights/none") is None
        assert Owners(town, service).put("shared", CANARY, by=("alice",))[0] == 403
        answer = owners_do(town, service, "simple", "log", "POST", "/log")
        first, *lines = answer.splitlines(True)
        assert json.loads(first)["days"] == 90, first
        key = town.file(b"-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" %
                        json.loads(first)["key"].encode())
        logs = {}
        for line in lines:
            logs.setdefault(json.loads(line)["log"], []).append(line)
        assert len(logs) == 2 # of each loop
        for name, text in logs.items():
            verify = (f"{town.tools}/pm-ctl", "log", "verify", "--key", key, "--name", name)
            run(*verify, town.file(b"".join(text)))
            changed = town.file(b"".join(text).replace(b"1", b"2", 1))
            assert subprocess.run([*verify, changed], capture_output=True, check=False).returncode == 1
        events = [(e["event"], e["fields"]) for e in map(json.loads, lines)]
        names = [e for e, _ in events]
        for want in ("instance.began", "secret.agreed", "command.put", "secret.released", "secret.refused",
                     "command.refused", "command.log"):
            assert want in names, (want, names)
        assert all(f["days"] == "90" for e, f in events if e == "instance.began"), events
        put = next(f for e, f in events if e == "command.put")
        assert put["owners"] == "alice,bob" and put["id"] == "shared", put
        released = next(f for e, f in events if e == "secret.released")
        assert (released["id"], released["role"], released["replica"]) == ("shared", "worker", "w1"), released
        assert CANARY not in answer and base64.b64encode(CANARY)[:20] not in answer


def test_the_log_as_of_one_moment(programs):
    """What is written while the log is fetched is left out, wherever it lies: later pages may tell of it."""
    with Town(programs) as town, Service(town).wait_ready() as service:
        owners_do(town, service, "put", "shared", CANARY)
        with contextlib.closing(sqlite3.connect(town.path("secrets.db"), timeout=LIMIT)) as db, db:
            key, value = db.execute("SELECT key, value FROM entry WHERE CAST(value AS TEXT) LIKE '%command.put%' "
                                    "AND CAST(key AS TEXT) LIKE 'secrets/log/%'").fetchone()
            db.execute("UPDATE entry SET revision=revision+1000000 WHERE key=?", (key,))
        answer = owners_do(town, service, "simple", "log", "POST", "/log")
        assert value not in answer and b"instance.began" in answer, answer


def test_metrics_and_usage(programs):
    program = programs[0]
    for args in (["--store", "memory:x"], ["--coordinator", "http://x"],
                 ["--store", "memory:x", "--coordinator", "http://x", "--store-cert", "x"],
                 ["--store", "memory:x", "--coordinator", "http://x", "--rotation-time", "1s"],
                 ["--store", "memory:x", "--coordinator", "http://x", "--client-field", "X Y"], ["extra"]):
        done = subprocess.run([program, *args], capture_output=True, check=False)
        assert done.returncode == 2 and done.stderr, args
    assert b"Usage: pm-secrets" in run(program, "--help")
    assert run(program, "--version").startswith(b"pm-secrets ")


def test_without_a_coordinator_nothing_is_served(programs):
    with Town(programs) as town:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            town.port = nobody.getsockname()[1]
        with Service(town) as service:
            service.ready()
            assert ask_plain(service, "/privatemode/v1/secret", b"{}").status == 503
            assert Response(exchange(service.port("metrics"), request("GET", "/readyz"))).status == 503


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:4])
