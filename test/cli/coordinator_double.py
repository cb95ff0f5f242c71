#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coordinator_double.py BIN BOX_TOOL STATE: answers as a coordinator does, well and badly.

Prints its port. What it says is made of the files of the folder STATE, which are read for each request:

    host             folder of pm-sim
    manifest.json    the manifest that holds
    history.json     its history, signed by history.pub
    root.der mesh.der, process.key process.pub, log.txt log.pub, commitment (hexadecimal)
    say.json         what is different from that: {"state": "ready", "document": {...}, "shown": {...},
                     "claims": [options of pm-sim bundle], "reply": {PATH: [status, type, body, header]},
                     "shares": [names], "workers": [[role, model, options of pm-sim bundle]]}

A box that comes to be recovered lands in STATE/recovered. Ends when its standard input does.
"""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

BIN, BOX_TOOL, STATE = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def b64(data):
    return base64.b64encode(data).decode()


def say():
    return {"state": "ready"} | json.loads((STATE / "say.json").read_text())


def public_der(name):
    """SubjectPublicKeyInfo of a key in PEM."""
    lines = (STATE / name).read_text().splitlines()
    return base64.b64decode("".join(x for x in lines if x and not x.startswith(("-", "algorithm", "id"))))


def manifest_hash():
    done = subprocess.run([BIN + "/pm-ctl", "manifest", "hash", STATE / "manifest.json"], capture_output=True,
                          text=True, check=True)
    return done.stdout.strip()


def bundle(nonce, role, document, *options):
    """Evidence of the simulated host."""
    paths = [STATE / "x.document", STATE / "x.key", STATE / "x.bundle"]
    paths[0].write_bytes(document)
    paths[1].write_bytes(public_der("process.pub")[-1216:])
    subprocess.run([BIN + "/pm-sim", "bundle", STATE / "host", "--nonce", nonce.hex(), "--role", role,
                    "--document", paths[0], "--key", paths[1], "-o", paths[2], *options], check=True,
                   stdout=subprocess.DEVNULL)
    return paths[2].read_bytes()


def document(words):
    """What is bound, and what is shown."""
    lines = (STATE / "log.txt").read_text().splitlines()
    sealed = words["state"] == "sealed"
    doc = {"version": 1, "state": words["state"], "manifest": b64((STATE / "manifest.json").read_bytes()),
           "history": json.loads((STATE / "history.json").read_text()),
           "history_key": None if sealed else b64(public_der("history.pub")),
           "audit_key": None if sealed else b64(public_der("log.pub")),
           "root_ca": None if sealed else b64((STATE / "root.der").read_bytes()),
           "mesh_ca": None if sealed else b64((STATE / "mesh.der").read_bytes()),
           "log": None if sealed else {"entries": len(lines), "head": (STATE / "log.head").read_text().strip()},
           "commitment": (STATE / "commitment").read_text().strip()}
    doc |= words.get("document", {})
    return [json.dumps(doc).encode(), json.dumps(doc | words.get("shown", {})).encode()]


def attest(question, words):
    bound, shown = document(words)
    evidence = bundle(base64.b64decode(question["Nonce"]), "coordinator", bound, "--gpus", "0",
                      *words.get("claims", []))
    return {"Evidence": b64(evidence), "Document": b64(shown)}


def set_manifest(question, words):
    text = base64.b64decode(question["Manifest"])
    (STATE / "manifest.json").write_bytes(text)
    subprocess.run([BIN + "/pm-ctl", "history", "append", STATE / "manifest.json", "--key",
                    STATE / "history.key", "-o", STATE / "history.json"], check=True)
    shares = []
    for i, name in enumerate(words.get("shares", [])):
        box = STATE / "x.box"
        subprocess.run([BOX_TOOL, "seal", STATE / "share.pub", "seed share",
                        (STATE / "commitment").read_text().strip(), bytes([i + 1] * 33).hex(), box], check=True)
        shares.append({"Name": name, "Box": b64(box.read_bytes())})
    return {"Serial": json.loads(text)["serial"], "Manifest": manifest_hash(), "Shares": shares}


def recover(question, words):
    (STATE / "recovered").write_bytes(base64.b64decode(question["Box"]))
    return {"Have": 1, "Need": 1, "State": "ready"}


def status(words):
    known = (STATE / "manifest.json").exists()
    return {"State": words["state"], "Serial": 1 if known else None,
            "Manifest": manifest_hash() if known else None, "Replicas": 1,
            "Shares": {"Have": 0, "Need": 1} if words["state"] == "sealed" else None}


def workers(words):
    now, found = int(time.time()), []
    for role, model, options in words.get("workers", []):
        nonce = hashlib.sha256(role.encode()).digest()
        found.append({"Role": role, "Replica": "r" + str(len(found)), "Models": [model] if model else [],
                      "Joined": now - 5, "Expires": now + 600, "Nonce": b64(nonce),
                      "Evidence": b64(bundle(nonce, role, b"x", *options))})
    return {"Workers": found}


POST = {"/pm/v1/attest": attest, "/pm/v1/manifest": set_manifest, "/pm/v1/recover": recover}
GET = {"/pm/v1/status": status, "/pm/v1/workers": workers}


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, code, kind, body, header=None):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        if header:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def special(self, words, path):
        if path not in words.get("reply", {}):
            return False
        code, kind, body, *header = words["reply"][path]
        self.reply(code, kind, body.encode(), header)
        return True

    def do_GET(self):
        words, (path, _, query) = say(), self.path.partition("?")
        if self.special(words, path):
            return
        if path == "/pm/v1/log":
            lines = (STATE / "log.txt").read_text().splitlines(keepends=True)
            after = int(query.removeprefix("after="))
            self.reply(200, "text/plain", "".join(lines[after:after + 1]).encode())
            return
        self.reply(200, "application/json", json.dumps(GET[path](words)).encode())

    def do_POST(self):
        words = say()
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.special(words, self.path):
            self.reply(200, "application/json", json.dumps(POST[self.path](question, words)).encode())

    def log_message(self, *args):
        pass


def main():
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


main()
