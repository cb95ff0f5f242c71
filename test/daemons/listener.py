#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listeners of the mesh, and requests to others of it, whose certificates change while the daemon runs:
listener.py MESH-PEER"""
import ssl
import sys
import tempfile
import time

from harness import (Daemon, LIMIT, Response, ask, connect, exchange, make_ca, make_leaf, read_until, request,
                     run_tests, tls_client)

HERE = ("--listen", "127.0.0.1:0", "--mesh-listen", "127.0.0.1:0", "--threads", "2")


class Mesh:
    """A mesh CA and some of its certificates, and another CA."""

    def __init__(self, folder):
        self.folder = folder
        for ca in ("mesh", "other"):
            make_ca(folder, ca)
        for ca, name, dns in (("mesh", "secrets", "secrets"), ("mesh", "worker", "worker"),
                              ("mesh", "caller", "caller"), ("other", "stranger", "caller"),
                              ("other", "fresh", "secrets")):
            make_leaf(folder, ca, name, dns)

    def papers(self, name, ca="mesh"):
        return [f"{self.folder}/{x}" for x in (f"{name}.crt", f"{name}.key", f"{ca}.crt")]

    def client(self, cert, ca="mesh", name="secrets"):
        return tls_client(self.folder, ca, name=name, cert=cert)


def start(*more):
    return Daemon(sys.argv[1], *HERE, *more, orders=True)


def end(daemon):
    daemon.process.stdin.close()
    assert daemon.stop() == 0
    daemon.process.stdout.close()


def answer(address, wrap):
    """What the listener says, or why it says nothing."""
    try:
        return Response(exchange(address, request("GET", "/"), wrap)).body.decode()
    except (OSError, AssertionError):
        return None


def until(function, wanted):
    """The loops take an order in their own time."""
    limit = time.monotonic() + LIMIT
    while (got := function()) != wanted:
        assert time.monotonic() < limit, (got, wanted)


def test_closed_until_set(_):
    with tempfile.TemporaryDirectory() as f, start() as d:
        mesh = Mesh(f)
        at = d.address("mesh")
        assert at != d.address()
        # Neither by TLS nor in plain is there anything to be had.
        for _ in range(8):
            assert answer(at, mesh.client("caller")) is None
            assert answer(at, None) is None
        assert ask(d.address(), "GET", "/").body == b"nobody 1"
        assert d.order("set", *mesh.papers("secrets")) == "set 0"
        until(lambda: answer(at, mesh.client("caller")), "caller 1")
        until(lambda: answer(at, mesh.client("caller")), "caller 1")
        for cert in (None, "worker", "stranger"):
            assert answer(at, mesh.client(cert)) is None, cert
        assert answer(at, None) is None
        # The other listener is as it was.
        assert ask(d.address(), "GET", "/").body == b"nobody 1"
        # Two loops: as often as it takes that both refuse.
        assert d.order("clear") == "cleared 0"
        refused = 0
        while refused < 16:
            refused = 0 if answer(at, mesh.client("caller")) else refused + 1
        end(d)
        # Who waited for the end of an identity was told, once.
        assert [x for x in d.lines if x and "released" in x] == [f"released {f}/secrets.crt"]


def test_only_the_newest_protocol(_):
    """What TLS 1.2 shows in plain, or does anew within a connection, is not there."""
    with tempfile.TemporaryDirectory() as f, start() as d:
        mesh = Mesh(f)
        at = d.address("mesh")
        assert d.order("set", *mesh.papers("secrets")) == "set 0"
        until(lambda: answer(at, mesh.client("caller")), "caller 1")
        old = tls_client(f, "mesh", name="secrets", cert="caller", version=ssl.TLSVersion.TLSv1_2)
        for _ in range(4):
            assert answer(at, old) is None
        assert answer(at, mesh.client("caller")) == "caller 1"
        end(d)


def test_replaced(_):
    with tempfile.TemporaryDirectory() as f, start() as d:
        mesh = Mesh(f)
        at = d.address("mesh")
        assert d.order("set", *mesh.papers("secrets")) == "set 0"
        until(lambda: answer(at, mesh.client("caller")), "caller 1")
        with mesh.client("caller")(connect(at)) as old:
            old.sendall(request("GET", "/", close=False))
            assert read_until(old, b"caller 1")
            assert d.order("set", *mesh.papers("fresh", "other")) == "set 0"
            until(lambda: answer(at, mesh.client("stranger", "other")), "caller 1")
            # Who was there before goes on; the note is of the connection.
            old.sendall(request("GET", "/", close=False))
            assert read_until(old, b"caller 2")
        # Files that don't fit change nothing.
        assert d.order("set", f"{f}/secrets.crt", f"{f}/worker.key", f"{f}/mesh.crt") == "refused key"
        until(lambda: answer(at, mesh.client("stranger", "other")), "caller 1")
        end(d)


def test_requests(_):
    with tempfile.TemporaryDirectory() as f, start() as server:
        mesh = Mesh(f)
        assert server.order("set", *mesh.papers("secrets")) == "set 0"
        url = "https://127.0.0.1:%d/" % server.address("mesh")[1]
        until(lambda: answer(server.address("mesh"), mesh.client("caller")), "caller 1")
        with start("--ask", url) as d:
            d.ready()
            assert d.order("get", "/").endswith("not begun")
            assert d.order("as", *mesh.papers("caller")) == "is 0"
            until(lambda: d.order("get", "/").split(" 0 ")[0][:14], "got 200 caller")
            # One whom the server refuses, one of another mesh, and one who takes the server for another.
            for papers in (mesh.papers("worker"), mesh.papers("stranger"), mesh.papers("caller", "other")):
                assert d.order("as", *papers) == "is 0"
                assert not d.order("get", "/").startswith("got"), papers
            # The connection of an identity before is not used under the next, nor without one.
            assert d.order("nobody") == "is 0"
            assert d.order("get", "/").endswith("not begun")
            assert d.order("as", *mesh.papers("caller")) == "is 0"
            assert d.order("get", "/").startswith("got 200 caller")
            # A server of the mesh that has another role.
            assert server.order("set", *mesh.papers("worker")) == "set 0"
            until(lambda: answer(server.address("mesh"), mesh.client("caller", name="worker")), "caller 1")
            end(d)
        with start("--ask", url) as d:
            d.ready()
            assert d.order("as", *mesh.papers("caller")) == "is 0"
            refused = 0
            while refused < 16:
                refused = 0 if d.order("get", "/").startswith("got") else refused + 1
            end(d)
        end(server)


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1])
