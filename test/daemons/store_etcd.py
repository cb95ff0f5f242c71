# SPDX-License-Identifier: Apache-2.0
"""The store in etcd: the common suite by mutual TLS; servers that die, freeze, are full; gateways that lie.

    store_etcd.py SUITE TOOL [ETCD]      without ETCD only what needs no server of it; then 77
"""
import base64
import http.server
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import threading

import harness

LIMIT_ERROR, MISSING, NET = -6, -11, -12


class Etcd:
    """One member, on loopback; it can be killed and started again."""

    def __init__(self, program, folder, *args, tls=None):
        self.port, self.peer = harness.free_port(), harness.free_port()
        self.scheme = "https" if tls else "http"
        self.url = f"{self.scheme}://localhost:{self.port}"
        local = f"{self.scheme}://127.0.0.1:{self.port}"
        peer = f"http://127.0.0.1:{self.peer}"
        self.command = [program, "--data-dir", f"{folder}/data", "--listen-client-urls", local,
                        "--advertise-client-urls", local, "--listen-peer-urls", peer, "--initial-advertise-peer-urls",
                        peer, "--initial-cluster", f"default={peer}", "--logger", "zap", "--log-outputs", "stderr",
                        *args]
        if tls:
            self.command += ["--cert-file", f"{tls}/server.crt", "--key-file", f"{tls}/server.key",
                             "--client-cert-auth", "--trusted-ca-file", f"{tls}/ca.crt"]
        self.daemon = None

    def start(self):
        self.daemon = harness.Daemon(*self.command)
        self.daemon.wait_for("serving client|serving insecure client")
        return self

    def kill(self):
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.daemon.signal(signal.SIGCONT)
        self.kill()


class Watch:
    """A watch of another process: its lines as they come."""

    def __init__(self, scene, url, prefix, revision, tls=True):
        self.process = subprocess.Popen(scene.command(url, "watch", prefix, revision, tls=tls), stdout=subprocess.PIPE,
                                        text=True)

    def line(self):
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.stdout.close()
        self.process.wait()


class Scene:
    def __init__(self, folder, suite, tool, etcd=None):
        self.folder = pathlib.Path(folder)
        self.suite, self.tool, self.etcd = suite, tool, etcd
        self.identity = [f"{folder}/client.crt", f"{folder}/client.key", f"{folder}/ca.crt"]

    def command(self, url, *command, tls=True):
        identity = self.identity if tls is True else tls
        return [self.tool, *(["--tls", *identity] if tls else []), f"etcd:{url}", *map(str, command)]

    def run(self, url, *command, tls=True):
        done = subprocess.run(self.command(url, *command, tls=tls), stdout=subprocess.PIPE, text=True,
                              timeout=harness.LIMIT, check=False)
        assert done.returncode in (0, 1), done
        return done.stdout.splitlines()

    def ok(self, url, *command, tls=True):
        """The revision."""
        line = self.run(url, *command, tls=tls)[-1]
        assert line.startswith("ok "), line
        return int(line.split()[1])

    def fails(self, url, error, words, *command, tls=True):
        line = self.run(url, *command, tls=tls)[-1]
        assert line.startswith(f"failed {error} ") and words in line, line

    def member(self, name, *args, tls=True):
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return Etcd(self.etcd, folder, *args, tls=self.folder if tls else None)


def make_identities(folder):
    for ca in ("ca", "other"):
        harness.make_ca(folder, ca)
    harness.make_leaf(folder, "ca", "server", "localhost")
    harness.make_leaf(folder, "ca", "client", "client.test")
    harness.make_leaf(folder, "other", "stranger", "client.test")


def compact(url, *identity):
    """Throws all old revisions away."""
    tls = ["--cert", identity[0], "--key", identity[1], "--cacert", identity[2]]

    def ask(path, body):
        done = subprocess.run(["curl", "-sS", *tls, f"{url}/v3/kv/{path}", "-d", json.dumps(body)], check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    ask("compaction", {"revision": ask("range", {"key": "AA=="})["header"]["revision"]})


# --- with a server -------------------------------------------------------------------------------------------------

def etcd_suite(scene):
    with scene.member("suite") as etcd:
        again = [sys.executable, __file__, "compact", etcd.url, *scene.identity]
        env = dict(os.environ, STORE_COMPACT=shlex.join(again))
        subprocess.run([scene.suite, f"etcd:{etcd.url}", *scene.identity], check=True, timeout=250, env=env)


def etcd_identities(scene):
    with scene.member("identities") as etcd:
        f = scene.folder
        scene.ok(etcd.url, "put", "a", "1")
        scene.fails(etcd.url, NET, etcd.url, "get", "a", tls=None)
        scene.fails(etcd.url, NET, etcd.url, "get", "a", tls=[f"{f}/stranger.crt", f"{f}/stranger.key", f"{f}/ca.crt"])
        scene.fails(etcd.url, NET, etcd.url, "get", "a", tls=[*scene.identity[:2], f"{f}/other.crt"])
        # Right but for the name.
        scene.fails(etcd.url.replace("localhost", "127.0.0.1"), NET, "127.0.0.1", "get", "a")
        scene.ok(etcd.url, "get", "a")


def etcd_endpoints(scene):
    """One after the other: nobody there, a stranger, the right one. A stranger may have done what it was told to."""
    dead = f"https://localhost:{harness.free_port()}"
    with scene.member("endpoints") as etcd, Gateway() as lies:
        urls = f"{dead},{lies.url},{etcd.url}"
        scene.fails(urls, NET, lies.url, "put", "a", "1")
        scene.ok(f"{dead},{etcd.url}", "put", "a", "1")
        scene.ok(urls, "get", "a")
        with Watch(scene, urls, "", 1) as watch:
            assert watch.line().startswith("event a ")
    scene.fails(f"{dead},{etcd.url}", NET, etcd.url, "put", "a", "1")


def etcd_restart(scene):
    """Killed and started again: nothing acknowledged is gone, and a watch that was lost goes on where it was."""
    with scene.member("restart") as etcd:
        first = scene.ok(etcd.url, "put", "a", "1")
        with Watch(scene, etcd.url, "", first - 1) as watch:
            assert watch.line() == f"event a {first} 1"
            second = scene.ok(etcd.url, "put", "a", "2")
            assert watch.line() == f"event a {second} 1"
            etcd.kill()
            assert watch.line().startswith("lost etcd: " + etcd.url)
        scene.fails(etcd.url, NET, etcd.url, "put", "a", "3")
        etcd.start()
        scene.ok(etcd.url, "put", "b", "4")
        third = scene.ok(etcd.url, "delete", "a")
        with Watch(scene, etcd.url, "a", second) as watch:
            assert watch.line() == f"gone a {third}"


def etcd_killed_while_writing(scene):
    with scene.member("killed") as etcd:
        with subprocess.Popen(scene.command(etcd.url, "write", "w/", 2000, 1000000, 16), stdout=subprocess.PIPE,
                              text=True) as writer:
            lines = [writer.stdout.readline() for _ in range(200)]
            etcd.kill()
            lines += writer.stdout.read().splitlines()
        assert any(x.startswith(f"failed {NET} ") for x in lines), lines[-3:]
        acked = {int(x.split()[1]) for x in lines if x.startswith("ack ")}
        etcd.start()
        found = scene.run(etcd.url, "check", "w/", 2000)
        assert not [x for x in found if not x.startswith("whole ")], found
        assert acked <= {int(x.split()[1]) for x in found}


def etcd_freezes(scene):
    """A server that says nothing any more: what was sent may be done; a watch notices."""
    with scene.member("freezes") as etcd:
        revision = scene.ok(etcd.url, "put", "a", "1")
        with Watch(scene, etcd.url, "", revision - 1) as watch:
            assert watch.line() == f"event a {revision} 1"
            etcd.daemon.signal(signal.SIGSTOP)
            scene.fails(etcd.url, NET, etcd.url, "put", "a", "2")
            assert watch.line().startswith("lost etcd: " + etcd.url)
            etcd.daemon.signal(signal.SIGCONT)
        scene.ok(etcd.url, "put", "a", "3")


def etcd_is_full(scene):
    with scene.member("full", "--quota-backend-bytes", "4000000", tls=False) as etcd:
        lines = scene.run(etcd.url, "write", "w/", 500000, 100, 1, tls=None)
        assert lines[0] == "ack 0" and lines[-1].startswith(f"failed {LIMIT_ERROR} etcd: {etcd.url}"), lines
        scene.ok(etcd.url, "get", "w/00000000", tls=None)


# --- without: a gateway that lies ----------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = self.headers["Content-Length"]
        body = self.rfile.read(int(length)) if length else self.chunks()
        self.server.asked.append((self.path, json.loads(body)))
        self.server.answer(self)

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def reply(self, body, status=200):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Gateway:
    """answer(handler) says what comes."""

    def __init__(self, answer=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None # a client that leaves in the middle
        self.server.asked = []
        self.server.answer = answer or (lambda h: h.reply(b"no"))
        self.url = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def asked(self, path):
        return [body for p, body in self.server.asked if p == path]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def b64(data):
    return base64.b64encode(data).decode()


def entry(key, value=b"1", revision="5", head=b"\xff" * 8 + b"\x01"):
    return {"key": b64(key), "create_revision": "5", "mod_revision": revision, "version": "1",
            "value": b64(head + value)}


HEADER = {"revision": "9"}
WHAT = "not what it should be"

# The answer to a get of "a" and a list of all; a word of the reason.
LIES = (
    (b"", "not JSON"),
    (b"hello", "not JSON"),
    (b"[]", "not JSON"),
    (b'{"header":{"revision":"9"},"header":{"revision":"9"}}', "not JSON"),
    (b'{"header":{"revision":"9"}} {}', "not JSON"),
    ({}, WHAT),
    ({"header": {"revision": "0"}}, WHAT),
    ({"header": {"revision": 9}}, WHAT),
    ({"header": {"revision": "-9"}}, WHAT),
    ({"header": {"revision": "9x"}}, WHAT),
    ({"header": {"revision": "9999999999999999999"}}, WHAT),
    ({"header": HEADER, "kvs": {}}, WHAT),
    ({"header": HEADER, "kvs": [1]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a b")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a\0")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a" * 513)]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", revision="0")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", revision="x")]}, WHAT),
    ({"header": HEADER, "kvs": [dict(entry(b"a"), value="!!!!")]}, WHAT),
    ({"header": HEADER, "kvs": [dict(entry(b"a"), value=7)]}, WHAT),
    ({"header": HEADER, "kvs": [dict(entry(b"a"), key=7)]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", head=b"\xff" * 8, value=b"")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", head=b"\xff" * 8 + b"\x02")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", head=b"\xff" * 7 + b"\x00\x01")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", head=b"\0" * 8 + b"\x01")]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a", value=b"v" * ((1 << 20) + 1))]}, WHAT),
    ({"header": HEADER, "kvs": [entry(b"a"), entry(b"a")]}, WHAT),
)


def test_lies(scene):
    for lie, words in LIES:
        with Gateway(lambda h, lie=lie: h.reply(lie)) as gateway:
            for command in (("list", ""), ("get", "a")):
                if command[0] == "get" and isinstance(lie, dict) and len(lie.get("kvs", [])) == 2:
                    continue # of one key there is one
                scene.fails(gateway.url, NET, words, *command, tls=None)


def test_lies_of_lists(scene):
    """Keys that were not asked for, or come again and again."""
    for kvs, more in (([entry(b"x/a")], False), ([entry(b"w/b"), entry(b"w/a")], False), ([entry(b"w/a")], True),
                      ([], True)):
        answer = {"header": HEADER, "kvs": kvs, "more": more}
        with Gateway(lambda h, answer=answer: h.reply(answer)) as gateway:
            scene.fails(gateway.url, NET, WHAT, "list", "w/", tls=None)
    with Gateway(lambda h: h.reply({"header": HEADER, "kvs": [entry(b"b")]})) as gateway:
        scene.fails(gateway.url, NET, WHAT, "get", "a", tls=None)
        scene.fails(gateway.url, NET, WHAT, "get", "bb", tls=None)


def test_lies_of_writes(scene):
    for lie in ({}, {"succeeded": True}, {"header": HEADER, "succeeded": "true"}, {"header": {"revision": "x"}}):
        with Gateway(lambda h, lie=lie: h.reply(lie)) as gateway:
            error = f"failed {NET} ", "failed -10 "
            assert scene.run(gateway.url, "put", "a", "1", tls=None)[-1].startswith(error), lie
            assert scene.run(gateway.url, "delete", "a", tls=None)[-1].startswith(("failed -11 ", *error)), lie


def test_errors(scene):
    for status, code, message, wanted in ((503, 14, "no leader", NET), (429, 8, "database space exceeded", LIMIT_ERROR),
                                          (400, 3, "request is too large", LIMIT_ERROR), (400, 3, "bad", NET),
                                          (404, 5, "lease not found", NET)):
        reply = {"error": message, "message": message, "code": code}
        with Gateway(lambda h, reply=reply, status=status: h.reply(reply, status)) as gateway:
            scene.fails(gateway.url, wanted, message, "put", "a", "1", tls=None)
    with Gateway(lambda h: h.reply(b"<html>", 502)) as gateway:
        scene.fails(gateway.url, NET, "HTTP status 502", "put", "a", "1", tls=None)


def test_too_long(scene):
    """An answer that does not end is given up."""
    def flood(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 65536)
    with Gateway(flood) as gateway:
        scene.fails(gateway.url, LIMIT_ERROR, "too long", "get", "a", tls=None)
        scene.fails(gateway.url, LIMIT_ERROR, "too long", "list", "", tls=None)


def test_lists_of_the_large(scene):
    """Where so many values are too long for one answer, fewer are asked for."""
    def answer(handler):
        limit = int(handler.server.asked[-1][1]["limit"])
        handler.reply(b" " * (17 << 20) if limit > 4 else {"header": HEADER, "kvs": [entry(b"a")]})
    with Gateway(answer) as gateway:
        scene.ok(gateway.url, "list", "", tls=None)
        assert [x["limit"] for x in gateway.asked("/v3/kv/range")] == ["64", "16", "4"]


def leave(handler):
    """Reads the request, and closes without an answer."""
    handler.close_connection = True


def test_writes_go_out_once(scene):
    """Who may have seen a write is the only one who does; reading goes on at the next endpoint."""
    good = {"header": HEADER, "succeeded": True}
    with Gateway(leave) as first, Gateway(lambda h: h.reply(good)) as second:
        urls = f"{first.url},{second.url}"
        scene.fails(urls, NET, first.url, "put", "a", "1", tls=None)
        scene.fails(urls, NET, first.url, "delete", "a", tls=None)
        assert len(first.asked("/v3/kv/txn")) == 2 and not second.asked("/v3/kv/txn")
        scene.fails(urls, MISSING, "", "get", "a", tls=None)
        assert second.asked("/v3/kv/range")


def test_kept_connection_dies(scene):
    """On a connection that was kept a write is not sent again, though libcurl would."""
    good = {"header": HEADER, "succeeded": True}
    count = []

    def answer(handler):
        count.append(handler.connection)
        if len(count) == 1:
            handler.reply(good)
        else:
            leave(handler)
    with Gateway(answer) as gateway:
        lines = scene.run(gateway.url, "write", "w/", 10, 5, 1, tls=None)
        assert lines[0] == "ack 0" and lines[1].startswith(f"failed {NET} "), lines
        assert len(count) == 2 and count[0] is count[1], "the connection was not kept, or the write was sent again"


def stream(handler, *lines):
    """Lines of a watch; then nothing, until the client leaves."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for line in lines:
        data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    handler.wfile.flush()
    handler.connection.recv(1)
    handler.close_connection = True


CREATED = {"result": {"header": HEADER, "created": True}}


def of_watch(*lines):
    def answer(handler):
        if handler.path == "/v3/watch":
            stream(handler, *lines)
        else:
            handler.reply({"header": HEADER})
    return answer


def event(key=b"a", revision="10", **more):
    return dict({"kv": entry(key, revision=revision)}, **more)


def events(*list_, **more):
    return {"result": dict({"header": HEADER, "events": list_}, **more)}


def test_lies_of_watches(scene):
    for lie in (b"hello\n", b"{}\n", b"[]\n", {"result": 1}, {"error": {"message": "no"}},
                events(event(b"b")), events(event(revision="9")), events(event(revision="0")),
                events(event(type="ODD")), events({"type": "PUT"}), events(1), {"result": {"events": {}}},
                events(dict(event(), kv=dict(entry(b"a"), value="!"))), b" " * (9 << 20),
                {"result": {"header": HEADER, "canceled": True, "cancel_reason": "no leader"}},
                {"result": {"header": HEADER, "canceled": True, "compact_revision": "99"}}):
        with Gateway(of_watch(lie)) as gateway, Watch(scene, gateway.url, "a", 0, tls=None) as watch:
            line = watch.line()
            assert line.startswith("lost etcd: "), (lie, line)


def test_watch_goes_on(scene):
    """An end of the connection loses nothing: it is asked for again from where it was, also within one revision."""
    turn = []

    def answer(handler):
        if handler.path != "/v3/watch":
            handler.reply({"header": HEADER})
            return
        turn.append(1)
        if len(turn) == 1:
            stream_and_leave(handler, CREATED, events(event(), event(b"aa", "11"), fragment=True))
        else:
            stream(handler, CREATED, events(event(b"aa", "11"), event(b"ab", "11")))
    with Gateway(answer) as gateway, Watch(scene, gateway.url, "a", 0, tls=None) as watch:
        assert [watch.line() for _ in range(4)] == ["event a 10 1", "event aa 11 1", "event aa 11 1", "event ab 11 1"]
        first, second = (x["create_request"] for x in gateway.asked("/v3/watch"))
        assert first["start_revision"] == "10" and second["start_revision"] == "11", (first, second)


def stream_and_leave(handler, *lines):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for line in lines:
        data = json.dumps(line).encode() + b"\n"
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    handler.close_connection = True


def test_watch_of_the_mute(scene):
    """One that never answers a watch is left for the next endpoint; when there is none, the watch is lost."""
    def mute(handler):
        if handler.path == "/v3/watch":
            handler.connection.recv(1)
        else:
            handler.reply({"header": HEADER})
    with Gateway(mute) as gateway, Gateway(of_watch(CREATED, events(event()))) as good:
        with Watch(scene, f"{gateway.url},{good.url}", "a", 0, tls=None) as watch:
            assert watch.line() == "event a 10 1"
        with Watch(scene, gateway.url, "a", 0, tls=None) as watch:
            assert watch.line().startswith(f"lost etcd: {gateway.url}: no answer in time")


ETCD_TESTS = (etcd_suite, etcd_identities, etcd_endpoints, etcd_restart, etcd_killed_while_writing, etcd_freezes,
              etcd_is_full)


def main():
    if sys.argv[1] == "compact":
        compact(*sys.argv[2:])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(folder, *sys.argv[1:])
        make_identities(folder)
        harness.run_tests(sys.modules[__name__], scene)
        if not scene.etcd:
            print("skipped: etcd is not installed; the gateways that lie were tried")
            return 77
        for test in ETCD_TESTS:
            print(test.__name__, flush=True)
            test(scene)
    return 0


if __name__ == "__main__":
    sys.exit(main())
