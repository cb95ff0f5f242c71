#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HAProxy with examples/haproxy/haproxy.cfg before workers that have names: it begins before there is such a name, and
follows one that moves to another address. In namespaces of its own, with a name server here. names.py HAPROXY CFG"""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import LIMIT, ask

SKIPPED = 77
PORT = 8443 # in a network of our own
NAME = "worker-0.worker.default.svc.cluster.local"
PLACES = ("127.0.0.2", "127.0.0.3")
NO_SUCH_NAME, ADDRESS = 0x8183, 1


class Worker(BaseHTTPRequestHandler):
    """Answers everything, health checks too, with the address that it is at."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.server_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Names:
    """A name server (RFC 1035) that knows one name, or none."""

    def __init__(self):
        self.address = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        start(self.serve)

    def serve(self):
        while True:
            query, who = self.socket.recvfrom(4096)
            self.socket.sendto(self.answer(query), who)

    def answer(self, query):
        end = query.index(0, 12) + 5
        known = self.address is not None
        found = known and query[end - 4:end - 2] == struct.pack(">H", ADDRESS)
        head = query[:2] + struct.pack(">5H", 0x8180 if known else NO_SUCH_NAME, 1, int(found), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", ADDRESS, 1, 1, 4) + socket.inet_aton(self.address) if found else b""
        return head + query[12:end] + record


def start(function):
    threading.Thread(target=function, daemon=True).start()


def until(status, text=""):
    """HAProxy answers so."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            r = ask(("127.0.0.1", PORT), "GET", "/")
            if r.status == status and text in r.body.decode():
                return
        except OSError:
            pass
        assert time.monotonic() < end, f"no answer {status} {text} in time"
        time.sleep(0.1)


def inside(haproxy, cfg, folder):
    names = Names()
    for place in PLACES:
        for p in (8085, 8185):
            start(ThreadingHTTPServer((place, p), Worker).serve_forever)
    env = dict(os.environ, PM_LISTEN=f"127.0.0.1:{PORT}", PM_BACKEND="mesh", PM_SOCKET=f"{folder}/socket",
               PM_WORKER_1=f"{NAME}:8085", PM_READY_1="8185", PM_WORKER_2="127.0.0.9:8085", PM_READY_2="8185")
    with subprocess.Popen([haproxy, "-db", "-f", cfg], env=env, stderr=subprocess.DEVNULL) as process:
        try:
            until(503)
            for place in PLACES:
                names.address = place
                until(200, place)
            assert process.poll() is None
        finally:
            process.kill()


def main():
    haproxy, cfg = sys.argv[1:3]
    if len(sys.argv) > 3:
        inside(haproxy, cfg, sys.argv[3])
        return 0
    if os.geteuid() or not shutil.which("unshare"):
        print("skipped: needs root and unshare")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        servers = pathlib.Path(folder) / "resolv.conf"
        servers.write_text("nameserver 127.0.0.1\n", encoding="ascii")
        prepare = f"ip link set lo up && mount --bind {servers} /etc/resolv.conf"
        probe = subprocess.run(["unshare", "-mn", "sh", "-c", prepare], capture_output=True, text=True, check=False)
        if probe.returncode:
            print(f"skipped: no namespaces here: {probe.stderr}")
            return SKIPPED
        return subprocess.run(["unshare", "-mn", "sh", "-c", prepare + ' && exec "$0" "$@"', sys.executable, *sys.argv,
                               folder], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
