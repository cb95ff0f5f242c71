#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTP server that all daemons share, over real sockets: server.py INFERENCE-SERVER"""
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import sys
import tempfile

from harness import (Daemon, LIMIT, Response, ask, connect, exchange, figure, make_ca, make_leaf, read_all, read_until,
                     request, run_tests, tls_client, wait_for_figure, wait_for_reset)

HERE = ("--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--threads", "2")


def completion(model, prompt="one two three", stream=False):
    return json.dumps({"model": model, "prompt": prompt, "stream": stream}).encode()


def post(model, close=True, **more):
    return request("POST", "/v1/completions", completion(model, **more), close=close)


# --- requests ---------------------------------------------------------------------------------------

def test_smuggling(program):
    """What could hide a second request is refused, and the connection ends: the second is never answered."""
    hidden = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\n"
    cases = [
        (400, head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (400, head + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
        (400, head + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n"),
        (400, head + b"Content-Length: 0, 60\r\n\r\n"),
        (400, head + b"Content-Length: 00\r\n\r\n"),
        (400, head + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        (501, head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        (400, head + b"X: a\r\n Content-Length: 9\r\n\r\n"),
        (400, head + b"X: a\nContent-Length: 9\r\n\r\n"),
        (400, head + b"X: a\rContent-Length: 9\r\n\r\n"),
        (400, head + b"X: a\0b\r\n\r\n"),
        (400, head + b"Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\n\r\n"),
        (400, head + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
        (400, head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n"),
        (400, head + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n"),
        (400, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n"),
        (400, b"GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (505, b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(200)) + b"\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 40000 + b"\r\n\r\n"),
        (414, b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        (417, head + b"Expect: nothing\r\nContent-Length: 0\r\n\r\n"),
    ]
    with Daemon(program, *HERE) as d:
        for status, text in cases:
            data = exchange(d.address(), text + hidden)
            r = Response(data)
            assert r.status == status, (text, data)
            assert data.count(b"HTTP/1.1 ") == 1 and b'"object"' not in data, (text, data)
        assert d.stop() == 0


def test_keep_alive_and_pipelining(program):
    with Daemon(program, *HERE) as d, connect(d.address()) as s:
        for _ in range(3):
            s.sendall(post("echo", close=False))
            assert b'"text":"one two three"' in read_until(s, b"}}}")
        get = request("GET", "/v1/models", close=False)
        s.sendall(post("echo", close=False) + get + request("GET", "/v1/models/x"))
        data = read_all(s)
        assert data.count(b"HTTP/1.1 200 OK") == 3 and data.rstrip().endswith(b'"owned_by":"libpm"}'), data
        assert figure(d.address("metrics"), "inference_server_http_requests_total") == 6
        assert d.stop() == 0


def asks_metrics(address, name, path="/metrics"):
    """The status of a request for the figures under this name."""
    return Response(exchange(address, f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())).status


def test_metrics_and_pages_of_the_web(program):
    """A page that lets a name of its own point to this machine does not read the figures."""
    with Daemon(program, *HERE, "--idle-timeout", "100ms", "--metrics-host", "worker.example") as d:
        at = d.address("metrics")
        for name in ("attacker.example", "attacker.example:%d" % at[1], "192.0.2.1", "example", "", "unix:x"):
            assert asks_metrics(at, name) == 403, name
            assert asks_metrics(at, name, "/readyz") == 200, name # who checks health names whatever he likes
        for name in ("localhost", "127.0.0.1:%d" % at[1], "[::1]:9100", "worker.example", "WORKER.example:9100"):
            assert asks_metrics(at, name) == 200, name
        r = exchange(at, b"GET /metrics HTTP/1.0\r\n\r\n")
        assert r.startswith(b"HTTP/1.1 200 "), "browsers always name a host"


def test_bodies(program):
    """Chunks of one byte, 100-continue, and a body that is larger than allowed."""
    with Daemon(program, *HERE, "--max-body", "1") as d:
        body = completion("echo")
        chunks = b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\n\r\n"
        head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        r = Response(exchange(d.address(), head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks))
        assert r.status == 200 and r.whole and b"one two three" in r.body
        with connect(d.address()) as s:
            s.sendall(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
            assert read_until(s, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            s.sendall(body)
            assert Response(read_all(s)).status == 200
        r = Response(exchange(d.address(), head + b"Content-Length: 1048577\r\n\r\n"))
        assert r.status == 413
        many = b"100000\r\n" + b"x" * 0x100000 + b"\r\n1\r\nx\r\n"
        r = Response(exchange(d.address(), head + b"Transfer-Encoding: chunked\r\n\r\n" + many))
        assert r.status == 413
        assert d.stop() == 0


def test_head_method_and_old_version(program):
    with Daemon(program, *HERE) as d:
        r = Response(exchange(d.address("metrics"), b"HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
        assert r.status == 200 and r.raw == b"" and r.fields["content-length"] == "6"
        data = exchange(d.address(), b"GET /v1/models HTTP/1.0\r\n\r\n")
        assert Response(data).whole
        for host in (b"", b"Host: a\r\n"): # as proxies of old send it
            head = b"POST /v1/completions HTTP/1.0\r\n" + host + b"Content-Length: %d\r\n\r\n"
            body = completion("echo", stream=True)
            r = exchange(d.address(), head % len(body) + body)
            assert b"chunked" not in r and r.endswith(b"data: [DONE]\n\n"), r
            # Without chunks the end of the connection is the end of the body: a cut must not look like it.
            body = completion("cut", stream=True)
            with connect(d.address()) as s:
                s.sendall(head % len(body) + body)
                try:
                    while s.recv(65536):
                        pass
                    raise AssertionError("a clean end")
                except ConnectionResetError:
                    pass
        assert d.stop() == 0


def test_cut_stream(program):
    with Daemon(program, *HERE) as d:
        r = ask(d.address(), "POST", "/v1/completions", completion("cut", stream=True))
        assert r.status == 200 and not r.whole
        assert figure(d.address("metrics"), "inference_server_http_aborted_total") == 1


# --- who is slow, and who is gone -------------------------------------------------------------------

def test_slow_heads(program):
    with Daemon(program, *HERE, "--head-timeout", "80ms", "--idle-timeout", "80ms") as d:
        with connect(d.address()) as silent, connect(d.address()) as slow, connect(d.address()) as idle:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
            idle.sendall(request("GET", "/v1/models", close=False))
            assert read_all(silent) == b""
            assert Response(read_all(slow)).status == 408
            assert Response(read_all(idle)).status == 200 # and then the end
        wait_for_figure(d.address("metrics"), "inference_server_http_connections", 0)
        assert d.stop() == 0


def test_drip(program):
    """A byte now and then does not help: the head's time is that of the whole head."""
    with Daemon(program, *HERE, "--head-timeout", "300ms") as d, connect(d.address()) as s:
        s.settimeout(0.02)
        data, sent = b"", 0
        while True:
            try:
                piece = s.recv(65536)
                if not piece:
                    break
                data += piece
            except TimeoutError:
                try:
                    s.send(b"GET / HTTP/1.1\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"[sent:sent + 1] or b"y")
                except (BrokenPipeError, ConnectionResetError):
                    break
                sent += 1
                assert sent < LIMIT * 50
            except ConnectionResetError:
                break
        assert Response(data).status == 408


def test_slow_bodies(program):
    with Daemon(program, *HERE, "--body-timeout", "100ms") as d, connect(d.address()) as s:
        s.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{")
        assert Response(read_all(s)).status == 408


def test_back_pressure(program):
    """A client that reads nothing holds the answer back, and is given up in the end."""
    with Daemon(program, *HERE, "--send-timeout", "300ms") as d:
        with connect(d.address(), receive_buffer=4096) as s:
            s.sendall(post("endless", stream=True))
            wait_for_reset(s)
        sent = figure(d.address("metrics"), "inference_server_http_sent_bytes_total")
        assert sent < 32 << 20, sent
        with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
            peak = next(int(x.split()[1]) for x in f if x.startswith("VmHWM"))
        assert peak < 512 << 10, peak
        wait_for_figure(d.address("metrics"), "inference_server_http_requests", 0)
        assert d.stop() == 0


def test_client_gone(program):
    """Nobody waits any more: the request ends, whether the client closed one side or both."""
    with Daemon(program, *HERE) as d:
        for model in ("silent", "slow", "endless"):
            s = connect(d.address())
            s.sendall(post(model, stream=True))
            wait_for_figure(d.address("metrics"), "inference_server_http_requests", 1)
            s.close()
            wait_for_figure(d.address("metrics"), "inference_server_http_requests", 0)
        with connect(d.address()) as s:
            s.sendall(post("silent"))
            s.shutdown(socket.SHUT_WR)
            assert read_all(s) == b""
        with connect(d.address()) as s:
            s.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            s.shutdown(socket.SHUT_WR)
            assert read_all(s) == b""
        wait_for_figure(d.address("metrics"), "inference_server_http_connections", 0)
        assert d.stop() == 0


def test_limit_of_connections(program):
    """One too many takes the place of the one that is idle for longest, or waits while all are busy."""
    with Daemon(program, "--listen", "127.0.0.1:0", "--threads", "1", "--max-connections", "2") as d:
        with connect(d.address()) as a, connect(d.address()) as b:
            for s in (a, b):
                s.sendall(request("GET", "/v1/models", close=False))
                read_until(s, b"]}")
            c = connect(d.address())
            c.sendall(post("silent"))
            assert read_all(a) == b"", "the older one"
            b.sendall(request("GET", "/v1/models", close=False))
            read_until(b, b"]}")
            b.sendall(post("slow", stream=True, close=False))
            read_until(b, b"one")
            with connect(d.address()) as late:
                late.sendall(request("GET", "/v1/models"))
                read_until(b, b"[DONE]")
                assert Response(read_all(late)).status == 200, "as soon as one is idle"
                assert read_all(b).endswith(b"0\r\n\r\n"), "and not before"
            c.close()
        assert d.stop() == 0


def test_who_asked_is_not_idle(program):
    """Who sent a request before we looked is not taken for one that is left open."""
    with Daemon(program, "--listen", "127.0.0.1:0", "--threads", "1", "--max-connections", "2") as d:
        address = d.address()
        with contextlib.ExitStack() as stack:
            d.process.send_signal(signal.SIGSTOP)
            asked = [stack.enter_context(connect(address)) for _ in range(8)]
            for s in asked:
                s.sendall(request("GET", "/v1/models"))
            d.process.send_signal(signal.SIGCONT)
            assert [Response(read_all(s)).status for s in asked] == [200] * 8
        assert d.stop() == 0


def test_no_more_files(program):
    """Whoever opens connections and leaves them keeps nobody out, where files are fewer than connections may be."""
    with Daemon(program, *HERE[:4], "--threads", "1", shell="ulimit -n 64;") as d:
        left = []
        try:
            for _ in range(120):
                left.append(connect(d.address()))
                left[-1].sendall(request("GET", "/v1/models", close=False))
                read_until(left[-1], b"\r\n\r\n")
            assert ask(d.address(), "GET", "/v1/models").status == 200
        finally:
            for s in left:
                s.close()
        assert d.stop() == 0


# --- TLS --------------------------------------------------------------------------------------------

def make_certificates(folder):
    make_ca(folder, "ca")
    make_ca(folder, "other")
    make_leaf(folder, "ca", "server", "server.test")
    make_leaf(folder, "ca", "client", "client.test")
    make_leaf(folder, "ca", "worker", "worker.test")
    make_leaf(folder, "other", "stranger", "client.test")


def tls_args(folder, *more):
    return (*HERE, "--tls-cert", f"{folder}/server.crt", "--tls-key", f"{folder}/server.key", *more)


def refused(address, wrap):
    """The server says no, in the handshake or, by TLS 1.3, right after it."""
    try:
        return exchange(address, request("GET", "/v1/models"), wrap) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_tls(program):
    with tempfile.TemporaryDirectory() as f:
        make_certificates(f)
        with Daemon(program, *tls_args(f)) as d:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                wrap = tls_client(f, "ca", version=version)
                assert ask(d.address(), "GET", "/v1/models", wrap=wrap).status == 200
                big = completion("echo", prompt="word " * 100000)
                r = ask(d.address(), "POST", "/v1/completions", big, wrap=wrap)
                assert r.whole and r.body.count(b"word") == 100000
            # Somebody who does not speak TLS: at most an alert comes back.
            assert b"HTTP" not in exchange(d.address(), request("GET", "/v1/models"))
            assert refused(d.address(), tls_client(f, "other"))
            assert d.stop() == 0


def test_silent_before_tls(program):
    """Who connects and shakes no hands has no place that others need."""
    with tempfile.TemporaryDirectory() as f:
        make_certificates(f)
        args = tls_args(f, "--threads", "1", "--max-connections", "2", "--head-timeout", "600s")
        with Daemon(program, *args) as d, connect(d.address()) as first, connect(d.address()) as second:
            wait_for_figure(d.address("metrics"), "inference_server_http_connections", 2)
            assert ask(d.address(), "GET", "/v1/models", wrap=tls_client(f, "ca")).status == 200
            assert read_all(first) == b"", "the older one"
            second.sendall(b"x")
            assert d.stop() == 0


def test_mutual_tls(program):
    with tempfile.TemporaryDirectory() as f:
        make_certificates(f)
        args = tls_args(f, "--tls-client-ca", f"{f}/ca.crt", "--client-name", "client.test", "--client-name", "x.test")
        with Daemon(program, *args) as d:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                good = tls_client(f, "ca", cert="client", version=version)
                assert ask(d.address(), "GET", "/v1/models", wrap=good).status == 200
                for cert in (None, "worker", "stranger"):
                    assert refused(d.address(), tls_client(f, "ca", cert=cert, version=version)), cert
            assert figure(d.address("metrics"), "inference_server_http_requests_total") == 2
            assert d.stop() == 0
        # Without names every client of the CA may.
        with Daemon(program, *tls_args(f, "--tls-client-ca", f"{f}/ca.crt")) as d:
            assert ask(d.address(), "GET", "/v1/models", wrap=tls_client(f, "ca", cert="worker")).status == 200
            assert refused(d.address(), tls_client(f, "ca", cert="stranger"))


def test_reload(program):
    with tempfile.TemporaryDirectory() as f:
        make_certificates(f)
        make_leaf(f, "ca", "fresh", "fresh.test")
        with Daemon(program, *tls_args(f)) as d, connect(d.address()) as s:
            old = tls_client(f, "ca")(s)
            for kind in ("crt", "key"):
                os.replace(f"{f}/fresh.{kind}", f"{f}/server.{kind}")
            d.signal(signal.SIGHUP)
            d.wait_for("reloaded")
            # The loops take it in their own time.
            while not tries(lambda: ask(d.address(), "GET", "/v1/models",
                                        wrap=tls_client(f, "ca", name="fresh.test")).status == 200):
                pass
            old.sendall(request("GET", "/v1/models"))
            assert Response(read_all(old)).status == 200
            # What is broken leaves all as it was.
            with open(f"{f}/server.crt", "w", encoding="ascii") as broken:
                broken.write("nothing")
            at = len(d.lines)
            d.signal(signal.SIGHUP)
            d.wait_for("failed what=tls", at)
            assert ask(d.address(), "GET", "/v1/models", wrap=tls_client(f, "ca", name="fresh.test")).status == 200
            assert d.stop() == 0


def test_reload_of_the_client_ca(program):
    """Who may not come any more does not go on with a connection of before; what was asked is answered."""
    with tempfile.TemporaryDirectory() as f:
        make_certificates(f)
        shutil.copy(f"{f}/ca.crt", f"{f}/clients.crt")
        with Daemon(program, *tls_args(f, "--tls-client-ca", f"{f}/clients.crt")) as d:
            with connect(d.address()) as idle, connect(d.address()) as busy:
                idle, busy = (tls_client(f, "ca", cert="client")(s) for s in (idle, busy))
                idle.sendall(request("GET", "/v1/models", close=False))
                read_until(idle, b"\r\n\r\n")
                body = completion("slow", prompt="word " * 20, stream=True)
                busy.sendall(request("POST", "/v1/completions", body, close=False))
                data = read_until(busy, b"word")
                os.replace(f"{f}/other.crt", f"{f}/clients.crt")
                d.signal(signal.SIGHUP)
                d.wait_for("reloaded")
                read_all(idle)
                data += read_all(busy)
                assert data.endswith(b"0\r\n\r\n") and data.count(b"word") == 20, data
            assert refused(d.address(), tls_client(f, "ca", cert="client"))
            assert d.stop() == 0


def tries(function):
    try:
        return function()
    except ssl.SSLError:
        return False


def test_wrong_key(program):
    with tempfile.TemporaryDirectory() as f:
        make_certificates(f)
        with Daemon(program, *HERE, "--tls-cert", f"{f}/server.crt", "--tls-key", f"{f}/client.key") as d:
            assert d.wait() == 2 and "failed what=tls" in d.text()


# --- the process ------------------------------------------------------------------------------------

def test_drain(program):
    with Daemon(program, *HERE) as d:
        with connect(d.address()) as s, connect(d.address()) as idle, connect(d.address("metrics")) as admin:
            idle.sendall(request("GET", "/v1/models", close=False))
            read_until(idle, b"]}")
            assert ask(d.address("metrics"), "GET", "/readyz").status == 200
            s.sendall(post("slow", close=False, stream=True))
            data = read_until(s, b"one")
            d.signal(signal.SIGTERM)
            d.wait_for("draining")
            assert read_all(idle) == b""
            admin.sendall(request("GET", "/readyz"))
            assert Response(read_all(admin)).status == 503
            data += read_all(s)
            assert Response(data).whole and b"[DONE]" in data
        assert d.wait() == 0


def test_drain_ends(program):
    with Daemon(program, *HERE, "--drain-timeout", "100ms") as d, connect(d.address()) as s:
        s.sendall(post("silent"))
        wait_for_figure(d.address("metrics"), "inference_server_http_requests", 1)
        d.signal(signal.SIGTERM)
        assert d.wait() == 0 and read_all(s) == b""


def test_second_signal(program):
    with Daemon(program, *HERE) as d, connect(d.address()) as s:
        s.sendall(post("silent"))
        wait_for_figure(d.address("metrics"), "inference_server_http_requests", 1)
        d.signal(signal.SIGTERM)
        d.wait_for("draining")
        d.signal(signal.SIGINT)
        assert d.wait() == 0


def test_systemd(program):
    """Sockets handed over, and what systemd is told."""
    with tempfile.TemporaryDirectory() as f, socket.socket() as listener, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(f"{f}/notify")
        notify.settimeout(LIMIT)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        if listener.fileno() != 3:
            os.dup2(listener.fileno(), 3)
        with Daemon(program, "--threads", "2", env={"NOTIFY_SOCKET": f"{f}/notify", "LISTEN_FDS": "1"},
                    pass_fds=(3,), shell="export LISTEN_PID=$$;") as d:
            assert notify.recv(100) == b"READY=1"
            assert ask(listener.getsockname(), "GET", "/v1/models").status == 200
            d.signal(signal.SIGTERM)
            assert notify.recv(100) == b"STOPPING=1"
            assert d.wait() == 0


def test_unix_socket(program):
    with tempfile.TemporaryDirectory() as f:
        for _ in range(2): # the second finds what the first left
            with Daemon(program, "--listen", f"unix:{f}/s", "--threads", "2") as d:
                d.ready()
                assert ask(f"{f}/s", "GET", "/v1/models").status == 200
                d.process.kill()
                d.wait()


def test_privileges(program):
    if os.geteuid() != 0:
        print("skipped: only root has something to give up")
        return
    with Daemon(program, *HERE, "--user", "nobody") as d:
        d.ready()
        with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
            status = dict(x.rstrip("\n").split(":", 1) for x in f)
        assert set(status["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"].strip() == "1" and not status["Groups"].strip()
        assert d.stop() == 0


# Starts a program that may not call capset(), as in a unit without @privileged: fenced.py all|none PROGRAM...; with
# "none" it holds no capability.
FENCED = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
if sys.argv[1] == "none":
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
number = {"x86_64": 126, "aarch64": 91}[os.uname().machine]
# linux/filter.h: load seccomp_data.nr; capset fails with EPERM; all else is allowed.
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x00050001), (6, 0, 0, 0x7fff0000)]
text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
program = struct.pack("HxxxxxxQ", len(rules), ctypes.addressof(text))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
    sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_privileges_fenced(program):
    """Who holds no capability has none to give up; who can't give up those that it has does not serve."""
    if os.geteuid() != 0 or os.uname().machine not in ("x86_64", "aarch64"):
        print("skipped: needs root on a known machine")
        return
    with Daemon(sys.executable, "-c", FENCED, "none", program, *HERE) as d:
        d.ready()
        assert d.stop() == 0
    with Daemon(sys.executable, "-c", FENCED, "all", program, *HERE) as d:
        d.wait_for("what=user")
        assert d.wait() == 2


def test_log(program):
    with Daemon(program, *HERE, "--log", "json") as d:
        d.wait_for('"ready"')
        for line in d.lines:
            assert {"time", "level", "event"} <= set(json.loads(line))


def test_usage(program):
    for args in ((), ("--listen", "nowhere"), ("--listen", "127.0.0.1:99999"), ("--head-timeout", "10"),
                 ("--threads", "0"), ("--tls-cert", "x"), ("--client-name", "x"), ("--log", "xml"), ("more",)):
        with Daemon(program, *args) as d:
            assert d.wait() == 2, args


if __name__ == "__main__":
    run_tests(sys.modules[__name__], *sys.argv[1:])
