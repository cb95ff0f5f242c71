# SPDX-License-Identifier: Apache-2.0
"""A deployment of all daemons in one room: coordinator, secret service (both on SQLite), a worker before an inference
server, and pm-client; what an application gets, and what attackers do not get.

    mesh.py BUILD NODE FOLDER-OF-SDKS
"""
import base64
import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading

import room
from clock import Clock, library
from deployment import ROLES, Client, Deployment, Programs, Worker, evidence_args, until
from harness import LIMIT, figure, run_tests
from history import NO, OK, UNKNOWN
from member import Agreements, Member, Owners, Refused, Watch

CANARY = "CANARY-of-a-secret-that-nobody-may-see"
PROMPT = "xylophone-mandarin-canary"
HERE = os.path.dirname(os.path.abspath(__file__))


class Scene:
    def __init__(self, stack, build, node, sdks):
        self.node, self.sdks, self.programs = node, sdks, Programs(build)
        self.deployment = d = stack.enter_context(Deployment(self.programs, self.folder("main")))
        self.coordinator = d.add_coordinator().wait_state("empty")
        d.set_manifest(self.coordinator).must()
        self.secrets = d.add_secrets(self.coordinator).wait_ready()
        self.worker = d.add_worker(self.coordinator, self.secrets).wait_ready()
        self.client = d.add_client(self.worker, self.coordinator, self.secrets, memory="memory-of-client").wait_ready()
        # At once: a worker that says that it is ready refuses no request for being older than itself.
        assert self.client.chat(PROMPT) == (200, PROMPT)
        self.owners = Owners(d, self.coordinator)
        self.ca = base64.b64decode(self.coordinator.document()["mesh_ca"])

    def folder(self, name):
        path = f"{room.FOLDER}/{name}"
        os.mkdir(path)
        return path

    def files(self, suffix):
        return [os.path.join(self.deployment.folder, x) for x in os.listdir(self.deployment.folder) if suffix in x]

    def log(self):
        """The coordinator's, as pm-ctl fetches and verifies it."""
        path = f"{self.deployment.folder}/log"
        self.deployment.ctl("log", "fetch", self.coordinator.url, "--manifest", self.deployment.manifest, "-o",
                            path).must()
        with open(path, encoding="utf-8") as f:
            return [json.loads(x) for x in f]


# --- the main thing ------------------------------------------------------------------------------------------------

def test_chat(s):
    """By curl, and by OpenAI's own SDK."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": PROMPT}]})
    done = subprocess.run(["curl", "-sS", "--fail", f"{s.client.url}/v1/chat/completions", "-H",
                           "Content-Type: application/json", "-d", body], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and json.loads(done.stdout)["choices"][0]["message"]["content"] == PROMPT, done
    if not s.node or not os.path.exists(f"{s.sdks}/node_modules/openai/package.json"):
        print("  without the SDK: it is not there")
        return
    done = subprocess.run([s.node, f"{HERE}/../daemons/sdk.js", s.sdks, s.client.url, "openai"], capture_output=True,
                          text=True, check=False, timeout=LIMIT)
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["streamed"] == {"text": PROMPT, "error": None}, done.stdout


def test_what_is_proved(s):
    """Anybody can look for himself, also at each worker."""
    d, manifest = s.deployment, ["--manifest", s.deployment.manifest]
    assert "VERIFIED" in d.tool("pm-verify", "coordinator", s.coordinator.url, *manifest).must().out
    out = d.tool("pm-verify", "worker", "--coordinator", s.coordinator.url, *manifest, "--role", "worker").must().out
    assert "worker" in out, out
    assert "ready" in d.ctl("status", s.coordinator.url).must().out
    assert [x["event"] for x in s.log()][0] == "manifest.set"


def test_secrets_reach_whom_they_may(s):
    """Each role with each kind of secret: the manifest's table."""
    d, c = s.deployment, s.coordinator
    result, (name, secret) = Agreements(d, s.ca).agree(s.secrets)
    assert result == OK
    for key in ("weights/a", "audit/a"):
        assert s.owners.put(s.secrets, key, CANARY, 600)[0] == OK
    members = {role: Member(d, c, role) for role in ROLES if role != "coordinator"}
    idle = Member(d, c, models=())
    for key, value, allowed in ((name, secret, ["worker"]), ("weights/a", CANARY.encode(), ["worker", "auditor"]),
                                ("audit/a", CANARY.encode(), ["auditor"]), ("weights/none", None, [])):
        for role, member in members.items():
            result, got = member.fetch(s.secrets, key)
            assert (got == value and result == OK) if role in allowed else (result != OK), (role, key, result, got)
    assert idle.fetch(s.secrets, name)[0] == NO and idle.fetch(s.secrets, "weights/a")[0] == OK


# --- attacks -------------------------------------------------------------------------------------------------------

def test_wrong_measurement(s):
    """Other software in a worker: refused, and each who looks is told why."""
    d = s.deployment
    d.attest(f"{d.folder}/attester-other", "--field", "measurement=" + "66" * 48)
    with contextlib.ExitStack() as stack:
        bad = Worker(d, "bad", s.coordinator, s.secrets, attester=f"{d.folder}/attester-other")
        stack.callback(bad.kill)
        claim = "MEASUREMENT"
        assert claim in bad.daemon.wait_for("mesh not joined .*")
        assert claim in s.coordinator.daemon.wait_for("join result=refused role=worker .*")
        assert not bad.is_ready()
        assert any(claim in x["fields"].get("reason", "") and "refused" in x["event"] for x in s.log()), s.log()
    try:
        Member(d, s.coordinator, more=["--field", "measurement=" + "66" * 48])
        raise SystemExit("a member with other software joined")
    except Refused as e:
        assert claim in str(e), e


def test_evidence_of_another(s):
    """What somebody showed once is good for nobody else and no second time."""
    member = Member(s.deployment, s.coordinator)
    try:
        member.send(s.coordinator) # the same again: its nonce is spent
        raise SystemExit("a nonce was good twice")
    except Refused as e:
        assert "nonce" in str(e), e


class Liar(http.server.BaseHTTPRequestHandler):
    """Between a client and a coordinator: all as it was, but for what lie(path, answer) changes."""

    def do_GET(self):
        self.relay()

    def do_POST(self):
        self.relay()

    def relay(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        command = ["curl", "-sS", self.server.to + self.path, "-H", "Content-Type: application/json"]
        done = subprocess.run(command + (["-d", "@-"] if self.command == "POST" else []), input=body,
                              capture_output=True, check=False)
        answer = json.dumps(self.server.lie(self.path, json.loads(done.stdout))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def relay(to, lie):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.to, server.lie = to, lie
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def refused(s, coordinator, secrets, *words, memory=None):
    """pm-client with these says why, and sends nothing."""
    name = f"victim{len(s.deployment.clients)}"
    victim = Client(s.deployment, name, s.worker.url, coordinator, secrets, memory=memory)
    s.deployment.clients.append(victim)
    line = victim.daemon.wait_for("not verified .*")
    assert all(w in line for w in words), (words, line)
    status, text = victim.chat(PROMPT)
    assert status >= 500 and PROMPT not in text, (status, text)
    victim.kill()


def test_man_in_the_middle(s):
    """Who has a CA of his own: another mesh beside ours, of the same software on the same kind of processor."""
    with Deployment(s.programs, s.folder("mallory")) as mallory:
        own = mallory.add_coordinator().wait_state("empty")
        mallory.set_manifest(own).must()
        service = mallory.add_secrets(own).wait_ready()
        # His coordinator proves another manifest.
        refused(s, own.url, service.url, "manifest")
        # Ours, and his secret service: signed, but not under our mesh CA.
        refused(s, s.coordinator.url, service.url)
        ca = own.document()["mesh_ca"]

        def swap(path, answer):
            if path == "/pm/v1/attest":
                document = json.loads(base64.b64decode(answer["Document"]))
                document["mesh_ca"] = ca
                answer["Document"] = base64.b64encode(json.dumps(document).encode()).decode()
            return answer
        # Our coordinator's evidence, and his CA in the document.
        with relay(s.coordinator.url, swap) as url:
            refused(s, url, service.url, "document")
        with relay(s.coordinator.url, lambda _, answer: answer) as url:
            through = Client(s.deployment, "through", s.worker.url, url, s.secrets.url)
            s.deployment.clients.append(through)
            assert through.wait_ready().chat(PROMPT) == (200, PROMPT) # the relay alone does no harm


def test_the_same_manifest_elsewhere(s):
    """Somebody sets our manifest, which is no secret, in a coordinator of his own: it proves the manifest, but who
    remembers our history sees that it is another one."""
    with Deployment(s.programs, s.folder("twin")) as twin:
        other = twin.add_coordinator().wait_state("empty") # his owners are others: let it have ours
        other.kill()
        other.args[other.args.index(f"{twin.folder}/owners.json")] = f"{s.deployment.folder}/owners.json"
        other.args[other.args.index(f"{twin.sim}/crl.der")] = f"{s.deployment.sim}/crl.der"
        other.args[other.args.index(twin.socket)] = s.deployment.socket
        other.start().wait_state("empty")
        twin.set_manifest(other, manifest=s.deployment.manifest, signatures=s.deployment.signatures).must()
        twin.ctl("history", other.url, "--manifest", s.deployment.manifest).must()
        out = s.deployment.history(other, memory="memory").must(1).out
        assert "memory" in out, out
        assert s.deployment.history(s.coordinator, memory="memory").must()


# --- ends ----------------------------------------------------------------------------------------------------------

def test_revoked_secret(s):
    """Once owners are told that it is revoked nobody gets it, and who had it has been told."""
    member = Member(s.deployment, s.coordinator)
    assert s.owners.put(s.secrets, "weights/r", CANARY, 600)[0] == OK
    with Watch(member, s.secrets) as watch:
        assert member.fetch(s.secrets, "weights/r") == (OK, CANARY.encode())
        assert s.owners.revoke(s.secrets, "weights/r")[0] == OK
        assert member.fetch(s.secrets, "weights/r")[0] == NO
        assert watch.event() == {"Id": "weights/r", "Event": "revoked"}


def test_revoked_while_in_use(s):
    """An inference secret that owners end is gone in the worker before anything else is done under it."""
    assert s.client.chat(PROMPT) == (200, PROMPT)
    ended = "pm_proxy_secrets_ended_total"
    before, joined = figure(s.worker.metrics, ended), figure(s.worker.metrics, "pm_proxy_secrets")
    assert joined >= 1
    for name in secrets_of_clients(s):
        s.owners.revoke(s.secrets, name)
    until(lambda: figure(s.worker.metrics, ended) > before and figure(s.worker.metrics, "pm_proxy_secrets") == 0)
    assert s.client.chat(PROMPT) == (200, PROMPT) # it agrees on another one


def secrets_of_clients(s):
    """Their identifiers, from the log of the secret service."""
    d, path = s.deployment, f"{s.deployment.folder}/secrets.log"
    s.owners.run(s.secrets, "log", "-o", path).must()
    with open(path, encoding="utf-8") as f:
        lines = [json.loads(x) for x in f]
    return [x["fields"]["id"] for x in lines if x.get("event") == "secret.agreed"]


def test_clock_steps(s):
    """A clock that is set does not end secrets before their time, nor give them back after it."""
    if not library():
        print("  left out: libfaketime is not installed")
        return
    d, member = s.deployment, Member(s.deployment, s.coordinator)
    clock = Clock(f"{d.folder}/clock")
    service = d.add_secrets(s.coordinator, d.store("stepped"), env=clock.environment).wait_ready()
    assert s.owners.put(service, "weights/long", CANARY, 600)[0] == OK
    assert s.owners.put(service, "weights/short", CANARY, 2)[0] == OK
    for step in (3600, -30, 0):
        clock.step(step)
        assert member.fetch(service, "weights/long") == (OK, CANARY.encode()), step
    # So far back that no certificate is valid yet, it says nothing at all.
    clock.step(-3600)
    assert member.fetch(service, "weights/long")[0] == UNKNOWN
    clock.step(0)
    until(lambda: member.fetch(service, "weights/short")[0] == NO)
    clock.step(-30)
    assert member.fetch(service, "weights/short")[0] == NO
    assert member.fetch(service, "weights/long")[0] == OK
    assert "clock was set" in service.daemon.text()
    # Past the end of its certificate it is no member any more; with the right time it soon is one again.
    clock.step(86400)
    until(lambda: not service.is_ready())
    clock.step(0)
    until(service.is_ready)
    assert until(lambda: member.fetch(service, "weights/long")[0] == OK)
    service.kill()


# --- the coordinator dies ------------------------------------------------------------------------------------------

def test_recovery(s):
    """Killed: who is in the mesh goes on. Started again it has nothing but what lies sealed in the store, and needs
    shares of two and two owners' consent; then history goes on, and the mesh too."""
    d, c = s.deployment, s.coordinator
    d.history(c).must()
    c.kill()
    assert s.client.chat(PROMPT) == (200, PROMPT)
    c.start().wait_state("sealed")
    assert s.client.chat(PROMPT) == (200, PROMPT)
    try:
        Member(d, c)
        raise SystemExit("a sealed coordinator let somebody in")
    except Refused:
        pass
    assert c.status()["Shares"] == {"Have": 0, "Need": 2}
    d.recover(c, "dave", "alice").must()
    assert c.state() == "sealed" and c.status()["Shares"]["Have"] == 1
    # The same again is no second one.
    d.recover(c, "dave", "alice")
    assert c.state() == "sealed"
    d.recover(c, "erin", "bob").must()
    c.wait_state("ready")
    d.history(c).must()
    assert Member(d, c).answer["certificate"]
    # The mesh CA is another: all join again, and go on; who comes new trusts no other, and is served too.
    until(lambda: s.client.chat(PROMPT) == (200, PROMPT))
    fresh = d.add_client(s.worker, c, s.secrets, memory="memory-of-one-who-is-new").listens()
    until(lambda: fresh.chat(PROMPT) == (200, PROMPT))
    fresh.kill()


def test_recovery_needs_who_may(s):
    """A share and a stranger's consent; a share that is another's; one owner twice."""
    d, c = s.deployment, s.coordinator
    c.restart().wait_state("sealed")
    d.ctl("key", "new", "--type", "ed25519", "-o", d.key("mallory")).must()
    assert d.recover(c, "dave", "mallory").status == 1
    d.recover(c, "dave", "alice").must()
    d.recover(c, "erin", "alice") # one owner is not two
    assert c.state() == "sealed"
    d.recover(c, "frank", "carol")
    d.recover(c, "erin", "bob")
    c.wait_state("ready")
    d.history(c).must()


def test_disks(s):
    """What lies on disk gives nothing away."""
    db = s.files(".db")
    assert len(db) >= 2, db
    words = 0
    for path in db:
        with open(path, "rb") as f:
            data = f.read()
        assert CANARY.encode() not in data and PROMPT.encode() not in data, path
        words += data.count(b"secrets/value/")
    assert words # that is where they lie


def main():
    room.enter()
    with contextlib.ExitStack() as stack:
        run_tests(sys.modules[__name__], Scene(stack, *sys.argv[1:4]))


if __name__ == "__main__":
    main()
