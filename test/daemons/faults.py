#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a worker: clocks that jump, secrets that end, processes that die, connections that are closed
by half, servers that talk nonsense. faults.py CLOCK, then as client.py."""
import contextlib
import json
import os
import re
import signal
import socket
import sys
import threading

from client import CHAT, Scene, error_of
from harness import (Clock, Daemon, LIMIT, Response, ask, connect, read_all, read_until, request, run_tests,
                     wait_for_figure)
from proxy import CANARY, HERE, SEALED, Setup, chat

HOUR = 3600
JSON = [("Content-Type", "application/json")]


def proxy_of(programs):
    """Arguments as of proxy.py."""
    return [programs[1], programs[2], programs[3]]


def stream(s, model="slow", words=30):
    """A stream that has begun."""
    c = connect(s.address)
    c.sendall(request("POST", CHAT, chat(model, text="word " * words, stream=True), JSON))
    return c, read_until(c, b"word")


def rest(c):
    data = read_all(c)
    c.close()
    return data


def is_whole(data):
    return data.endswith(b"0\r\n\r\n")


# --- clocks -----------------------------------------------------------------------------------------

def test_clock_set_back(programs):
    """What a full replay cache forgot while the clock was ahead is not answered when it is right again."""
    with Clock(CLOCK) as clock, Setup(proxy_of(programs), "--replay-entries", "2") as s:
        def send(age):
            data = s.peer.sealed("/v1/chat/completions", chat(), "echo", age=age)
            return data, s.post("/", data, s.outer("echo"))[1].status

        old, status = send(-1)
        assert status == 200
        assert send(-1)[1] == 200 and send(-1)[1] == 503, "full"
        clock.set(300)
        assert s.post("/", old, s.outer("echo"))[1].status == 409
        assert send(-300)[1] == 200 and send(-300)[1] == 200, "room again"
        clock.set(0)
        assert s.post("/", old, s.outer("echo"))[1].status in (400, 409), "not a second time"
        assert send(-1)[1] == 409, "nor anything else of before"


def test_clocks_apart(programs):
    """A client whose clock is wrong is told so, and served once it is right."""
    with Clock(CLOCK) as clock:
        with Scene(programs) as s: # both clocks are this one
            assert s.post(CHAT, chat()).status == 200
            clock.on(False)
            with s.start() as right:
                assert s.post(CHAT, chat(), client=right).status == 200
                for wrong in (-600, 600): # longer than a request may be old, shorter than a secret lives
                    clock.set(wrong)
                    r = s.post(CHAT, chat(), client=right)
                    assert r.status == 502 and b"stale" in r.body, (wrong, r.body)
                clock.set(0)
                assert s.post(CHAT, chat(), client=right).status == 200
                assert right.stop() == 0


def test_secret_ends_in_a_stream(programs):
    """A stream outlives its secret; the next request finds that there is none, and there is a new one."""
    with Clock(CLOCK) as clock, Scene(programs) as s:
        c, data = stream(s)
        clock.set(2 * HOUR)
        assert s.post(CHAT, chat()).status == 200
        assert s.figure("retried_total") == 1
        data += rest(c)
        assert is_whole(data) and data.count(b"word") == 30 and b"[DONE]" in data
        assert s.post(CHAT, chat()).status == 200
        assert s.figure("retried_total") == 1
        clock.set(0) # back: the new secret stays
        r = s.post(CHAT, chat())
        assert r.status in (200, 502), r.status
        s.hidden()


# --- who dies ---------------------------------------------------------------------------------------

def test_killed_in_a_stream(programs):
    """Whoever of the worker's is killed: the application sees no clean end."""
    for which in ("proxy", "model"):
        with Scene(programs) as s:
            c, data = stream(s)
            victim = getattr(s.worker, which)
            victim.process.kill()
            victim.process.wait(LIMIT)
            data += rest(c)
            assert data.startswith(b"HTTP/1.1 200") and not is_whole(data) and b"[DONE]" not in data, which
            if which == "model":
                assert s.post(CHAT, chat()).status == 502
            else: # for the end of the scene
                s.worker.proxy = s.worker.stack.enter_context(
                    Daemon(s.worker.proxy_program, *HERE, "--upstream", s.worker.upstream, "--direct", "--role",
                           "worker", "--attester", s.worker.socket, "--no-ocsp-status", "--no-ready-file"))
                s.worker.proxy.ready()


# --- half of a connection ---------------------------------------------------------------------------

def test_half_closed_clients(programs):
    """Who sends no more while he is answered is gone, at pm-client and at pm-proxy: the model stops."""
    with Scene(programs) as s:
        for model in ("slow", "quiet", "endless"):
            c, _ = stream(s, model, 1000)
            c.shutdown(socket.SHUT_WR)
            assert not is_whole(read_all(c)), model
            c.close()
            wait_for_figure(s.worker.model.address("metrics"), "inference_server_http_requests", 0)
    with Setup(proxy_of(programs)) as s:
        for model in ("slow", "silent", "endless"):
            with connect(s.address) as c:
                data = s.peer.sealed("/v1/chat/completions", chat(model, text="word " * 100, stream=True), model)
                c.sendall(request("POST", "/", data, s.outer(model)))
                wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 1)
                c.shutdown(socket.SHUT_WR)
                read_all(c)
            wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 0)
        with connect(s.address) as c: # in the middle of a request
            data = s.peer.sealed("/v1/chat/completions", chat(), "echo")
            c.sendall(request("POST", "/", data, s.outer("echo"))[:-10])
            c.shutdown(socket.SHUT_WR)
            assert read_all(c) == b""


class Half:
    """A server that answers so much, and then closes its side only."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.gone = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.listener.accept()
                with s:
                    s.settimeout(LIMIT)
                    head = read_until(s, b"\r\n\r\n")
                    left = int(re.search(rb"(?i)content-length: (\d+)", head)[1]) - len(head.split(b"\r\n\r\n", 1)[1])
                    while left > 0:
                        left -= len(s.recv(65536))
                    s.sendall(self.answer)
                    s.shutdown(socket.SHUT_WR)
                    if read_all(s) == b"": # who asked has closed too
                        self.gone.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def address(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]


SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n'


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_half_closed_servers(programs):
    """A server that closes before its answer is whole has failed, however politely, and is not waited for."""
    for answer in (b"", SSE, SSE + chunk(EVENT), SSE + chunk(EVENT)[:-4]):
        with Half(answer) as server, Setup(proxy_of(programs), upstream=server.address()) as s:
            _, r, (ok, status, _, _, body) = s.sealed("/v1/chat/completions", chat(stream=True))
            if answer: # it had begun
                assert ok != "ok" and not r.whole, (answer, ok, status, body)
            else:
                assert (ok, status) == ("ok", 502), (answer, ok, status)
            assert server.gone.wait(LIMIT)


# --- nonsense of the server -------------------------------------------------------------------------

def test_garbage_in_streams(programs):
    """Whatever an inference server sends, the client gets whole events or an error, and never the garbage."""
    endings = [
        b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nabc\r\n",
        chunk(b"data: {\"choices\": GARBAGE\n\n"), chunk(b"data: [GARBAGE\n\n"), chunk(b"data: \xff\xfe\n\n"),
        chunk(b"data: 3\n\n"), chunk(b"event: " + b"x" * 3000 + b"\ndata: {}\n\n"),
        chunk(b'data: {"a":1,"a":2}\n\n'), chunk(b"data: " + b"[" * 100000 + b"\n\n"),
        b"\x16\x03\x01\x02\x00\x01" * 100,
    ]
    for ending in endings:
        with Half(SSE + chunk(EVENT) + ending + b"0\r\n\r\n") as server, \
                Setup(proxy_of(programs), upstream=server.address()) as s:
            _, r, (ok, _, _, _, body) = s.sealed("/v1/chat/completions", chat(stream=True))
            assert ok != "ok" and not r.whole and b"GARBAGE" not in body, (ending[:40], ok, body[:200])
            wire, r, body = s.field("/v1/chat/completions", chat(stream=True))
            assert not r.whole and b"GARBAGE" not in wire, (ending[:40], body[:200])
            assert s.figure("pm_proxy_upstream_failed_total") == 2, ending[:40]


def test_garbage_in_heads(programs):
    heads = [
        b"\0" * 1000, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: " + b"x" * 300 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ]
    for head in heads:
        with Half(head) as server, Setup(proxy_of(programs), upstream=server.address()) as s:
            _, r, (ok, status, _, _, body) = s.sealed("/v1/embeddings", chat(salt=None))
            assert (r.status, ok, status) == (200, "ok", 502), (head[:60], ok, status, body[:100])
            assert json.loads(body)["error"]["code"] == "upstream"


if __name__ == "__main__":
    CLOCK = os.path.abspath(sys.argv[1])
    run_tests(sys.modules[__name__], sys.argv[2:])
