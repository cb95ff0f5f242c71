#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kds_server.py FOLDER: AMD's Key Distribution Service in small, on loopback, out of pm-sim's files.

Prints its port. Each request is appended to FOLDER/requests. Ends when its standard input does.
"""
import http.server
import os
import sys
import threading
import urllib.parse

FOLDER = sys.argv[1]


def answer(path):
    """The file for a path, or None."""
    parts = urllib.parse.urlsplit(path)
    fields = parts.path.strip("/").split("/")
    if len(fields) != 4 or fields[1] != "v1":
        return None
    if fields[3] == "cert_chain":
        return "chain.pem"
    if fields[3] == "crl":
        return "crl.der"
    return "vek.der" if fields[0] == "vcek" else None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(os.path.join(FOLDER, "requests"), "a") as log:
            log.write(self.path + "\n")
        name = answer(self.path)
        if not name or not os.path.exists(os.path.join(FOLDER, name)):
            self.send_error(404)
            return
        with open(os.path.join(FOLDER, name), "rb") as f:
            body = f.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
