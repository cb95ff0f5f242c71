#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What pm-proxy leaves for programs beside it: an identity of the mesh in files. HAProxy as a sidecar uses them, with
the example's own configuration. mesh_files.py HAPROXY CONFIGURATION PM-PROXY INFERENCE-SERVER PEER FOLDER-OF-TOOLS
MESH-DOUBLE"""
import contextlib
import os
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading

from harness import LIMIT, Daemon, ask, run_tests
from mesh import Mesh

NAMES = {"cert.pem", "key.pem", "both.pem", "ca.pem"}
HELLO = b"from the server behind\n"


def current(folder):
    return os.readlink(f"{folder}/current")


def good_set(folder):
    """One identity, whole, ours alone, and valid; the public key of its certificate."""
    at = f"{folder}/current"
    assert set(os.listdir(at)) == NAMES
    assert [n for n in os.listdir(folder) if n.startswith("set-")] == [current(folder)]
    for name in NAMES:
        assert stat.S_IMODE(os.stat(f"{at}/{name}").st_mode) == 0o600, name
    assert stat.S_IMODE(os.stat(f"{folder}/{current(folder)}").st_mode) == 0o700
    for files in ((f"{at}/cert.pem", f"{at}/key.pem"), (f"{at}/both.pem",)):
        ssl.create_default_context().load_cert_chain(*files) # they belong together
    subprocess.run(["openssl", "verify", "-CAfile", f"{at}/ca.pem", f"{at}/cert.pem"], check=True, capture_output=True)
    return subprocess.run(["openssl", "x509", "-in", f"{at}/cert.pem", "-noout", "-pubkey"], check=True,
                          capture_output=True).stdout


def test_files(_, programs):
    with tempfile.TemporaryDirectory() as folder, Mesh(programs, "--mesh-files", folder, start=False) as m:
        # Of a process that died.
        os.mkdir(f"{folder}/set-000000")
        open(f"{folder}/set-000000/key.pem", "w", encoding="ascii").close()
        os.symlink("nowhere", f"{folder}/current.new")
        m.double.order("life", 6)
        m.start()
        m.watched()
        first, key = current(folder), good_set(folder)
        m.until(lambda: current(folder) != first, True)
        m.double.order("refuse", 1)
        m.until(lambda: [n for n in os.listdir(folder) if n.startswith("set-")] == [current(folder)], True)
        assert good_set(folder) != key, "each certificate has a key of its own"


def test_no_folder(_, programs):
    with Mesh(programs, "--mesh-files", "/nowhere", start=False) as m:
        m.start()
        m.proxy.wait_for('failed what="files of the mesh" which=/nowhere')
        m.watched()
        assert ask(m.metrics, "GET", "/readyz").status == 200


class Server:
    """Says hello to who connects, by TLS where there is a context."""

    def __init__(self, context=None):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.context = context
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), s:
                s.settimeout(LIMIT)
                if self.context:
                    s = self.context.wrap_socket(s, server_side=True)
                s.sendall(HELLO)
                s.recv(1)

    def address(self):
        return "%s:%d" % self.socket.getsockname()


class Sidecar:
    def __init__(self, haproxy, configuration, files, local, peer):
        self.stack = contextlib.ExitStack()
        self.sockets = [self.stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        env = {"PM_FILES": files, "PM_ROLE": "worker", "PM_LOCAL": local, "PM_PEER": peer,
               "PM_SOCKET": f"{folder}/admin", "PM_INBOUND": f"fd@{self.sockets[0].fileno()}",
               "PM_OUTBOUND": f"fd@{self.sockets[1].fileno()}"}
        subprocess.run([haproxy, "-c", "-f", configuration], env=dict(os.environ, **env), check=True,
                       capture_output=True, pass_fds=[s.fileno() for s in self.sockets])
        self.daemon = self.stack.enter_context(Daemon(haproxy, "-db", "-f", configuration, env=env,
                                                      pass_fds=[s.fileno() for s in self.sockets]))
        self.inbound, self.outbound = (s.getsockname() for s in self.sockets)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()


def context_of(purpose, cert, key, ca):
    context = ssl.SSLContext(purpose)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca)
    if cert:
        context.load_cert_chain(cert, key)
    return context


def hear(address, context=None):
    """What the other side says first, or nothing."""
    with contextlib.suppress(ConnectionError, ssl.SSLError), socket.create_connection(address, timeout=LIMIT) as s:
        if context:
            s = context.wrap_socket(s, server_hostname="worker")
        s.sendall(b"plaintext")
        return s.recv(100)
    return b""


def test_sidecar(haproxy, programs):
    if not haproxy[0]:
        print("  skipped: there is no haproxy")
        return
    with tempfile.TemporaryDirectory() as folder, Mesh(programs, "--mesh-files", folder) as m:
        m.watched()
        other = f"{folder}/other"
        m.double.order("cert", "secrets", other)
        mine = (f"{folder}/current/cert.pem", f"{folder}/current/key.pem")
        theirs = (f"{other}.crt", f"{other}.key")
        ca = f"{folder}/current/ca.pem"
        client = lambda pair: context_of(ssl.PROTOCOL_TLS_CLIENT, *pair, ca)
        peer = Server(context_of(ssl.PROTOCOL_TLS_SERVER, *mine, ca))
        with Sidecar(*haproxy, folder, Server().address(), peer.address()) as s:
            assert hear(s.inbound, client(mine)) == HELLO
            assert hear(s.inbound, client(theirs)) == b"", "another role"
            assert hear(s.inbound, client((None, None))) == b"", "nobody"
            assert hear(s.inbound) == b"", "without TLS"
            assert hear(s.outbound) == HELLO
        stranger = Server(context_of(ssl.PROTOCOL_TLS_SERVER, *theirs, ca))
        with Sidecar(*haproxy, folder, Server().address(), stranger.address()) as s:
            assert hear(s.outbound) == b"", "a peer of another role"


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:3], sys.argv[3:])
