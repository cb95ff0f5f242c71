# SPDX-License-Identifier: Apache-2.0
"""What the tests of daemons share: processes, sockets, certificates. No test waits for time to pass: it waits for
a line of the log, for bytes, or for the end of a connection, and gives up after LIMIT seconds."""
import base64
import contextlib
import os
import random
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

LIMIT = 60


class Daemon:
    """A running daemon. Its log is read by a thread, so that it never blocks."""
    more = {} # environment of those that start from now on

    def __init__(self, program, *args, env=None, pass_fds=(), shell=None, orders=False):
        # Leak detection needs to trace the process, which daemons forbid.
        base = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0", **self.more)
        base.update(env or {})
        command = [program, *args]
        if shell:
            command = ["sh", "-c", shell + ' exec "$0" "$@"', *command]
        self.lines = []
        self.changed = threading.Condition()
        pipe = subprocess.PIPE if orders else None
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.PIPE, text=True, env=base,
                                        pass_fds=pass_fds)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_for(self, pattern, start=0):
        """The first line from start that matches; what the pattern's group says."""
        end = time.monotonic() + LIMIT
        with self.changed:
            while True:
                for line in self.lines[start:]:
                    if line is None:
                        raise AssertionError(f"it ended without '{pattern}': {self.lines}")
                    m = re.search(pattern, line)
                    if m:
                        return m[1] if m.groups() else line
                if not self.changed.wait(max(0, end - time.monotonic())):
                    raise AssertionError(f"no '{pattern}' in time: {self.lines}")

    def ready(self):
        self.wait_for(r"\bready\b")
        return self

    def addresses(self, what="requests"):
        self.ready()
        return [m[1] for m in (re.search(rf"listening on=(\S+) for={what}", x or "") for x in self.lines) if m]

    def address(self, what="requests"):
        host, port = self.addresses(what)[0].rsplit(":", 1)
        return host, int(port)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        status = self.process.wait(LIMIT)
        self.reader.join(LIMIT)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def order(self, *words):
        """With orders: a line to its standard input, and the line that it answers."""
        print(*words, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().rstrip("\n")

    def text(self):
        return "\n".join(x for x in self.lines if x)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        if kind:
            print(self.text(), file=sys.stderr)


def free_port():
    """One that stays free while its owner is away: of those that the kernel gives to nobody by itself."""
    while True:
        port = random.randrange(10240, 32768)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def connect(address, receive_buffer=None):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(LIMIT)
    s.connect(address)
    return s


def read_all(s):
    """All until the end; the end may be a reset."""
    pieces = []
    try:
        while piece := s.recv(65536):
            pieces.append(piece)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return b"".join(pieces)


def read_until(s, mark):
    data = b""
    while mark not in data:
        piece = s.recv(65536)
        assert piece, f"it ended without {mark}: {data}"
        data += piece
    return data


def wait_for_reset(s):
    """Without reading what is there: until the other side gives the connection up."""
    poll = select.poll()
    poll.register(s, select.POLLERR | select.POLLHUP)
    assert poll.poll(LIMIT * 1000), "nobody closed"


def exchange(address, request, wrap=None):
    """One connection, one request, all that comes back."""
    with connect(address) as s:
        if wrap:
            s = wrap(s)
        s.sendall(request)
        return read_all(s)


def request(method, target, body=b"", fields=(), close=True):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{k}: {v}" for k, v in fields]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Response:
    """A response as it came, of which a part may be missing."""

    def __init__(self, data):
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        m = re.match(r"HTTP/1\.1 (\d{3}) ", first + " ")
        assert m, data[:200]
        self.status = int(m[1])
        self.fields = {k.lower(): v.strip() for k, v in (x.split(":", 1) for x in lines)}
        self.raw = rest
        if self.fields.get("transfer-encoding") == "chunked":
            self.body, self.whole = dechunk(rest)
        else:
            self.body = rest
            self.whole = len(rest) == int(self.fields.get("content-length", -1))


def dechunk(data):
    """The body as far as it came, and whether its end was there."""
    pieces, at = [], 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return b"".join(pieces), False
        size = int(data[at:end], 16)
        at = end + 2
        if size == 0:
            assert data[at:] == b"\r\n", data[at:]
            return b"".join(pieces), True
        pieces.append(data[at:at + size])
        if len(data) < at + size + 2:
            return b"".join(pieces), False
        at += size + 2


def ask(address, method, target, body=b"", fields=(), wrap=None):
    return Response(exchange(address, request(method, target, body, fields), wrap))


def figure(address, name):
    """A sample of /metrics."""
    text = ask(address, "GET", "/metrics").body.decode()
    m = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    assert m, (name, text)
    return int(m[1])


def wait_for_figure(address, name, value):
    end = time.monotonic() + LIMIT
    while figure(address, name) != value:
        assert time.monotonic() < end, f"{name} is {figure(address, name)}, not {value}"


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def make_ca(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt")


def make_leaf(folder, ca, name, dns):
    with tempfile.NamedTemporaryFile("w", suffix=".ext") as ext:
        ext.write(f"subjectAltName=DNS:{dns}\nbasicConstraints=CA:FALSE\n")
        ext.flush()
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
        openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/{ca}.crt", "-CAkey",
                f"{folder}/{ca}.key", "-CAcreateserial", "-days", "2", "-extfile", ext.name,
                "-out", f"{folder}/{name}.crt")


def tls_client(folder, ca, name="server.test", cert=None, version=None):
    """A function that wraps a socket."""
    context = ssl.create_default_context(cafile=f"{folder}/{ca}.crt")
    if cert:
        context.load_cert_chain(f"{folder}/{cert}.crt", f"{folder}/{cert}.key")
    if version:
        context.minimum_version = context.maximum_version = version
    return lambda s: context.wrap_socket(s, server_hostname=name)


class Clock:
    """What daemons that start from now on believe the time to be, by a library that is preloaded: see clock.c."""

    def __init__(self, library):
        self.library = os.path.abspath(library)
        self.folder = tempfile.TemporaryDirectory()
        self.path = f"{self.folder.name}/offset"
        self.set(0)

    def set(self, seconds):
        with open(f"{self.path}.new", "w", encoding="ascii") as f:
            f.write(str(seconds))
        os.rename(f"{self.path}.new", self.path)

    def __enter__(self):
        self.on(True)
        return self

    def on(self, on):
        """Does it hold for daemons that start from now on?"""
        Daemon.more = {"LD_PRELOAD": self.library, "PM_CLOCK": self.path} if on else {}

    @contextlib.contextmanager
    def of_all(self):
        """Of tools too."""
        more = Daemon.more | {"ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"}
        before = dict(os.environ)
        os.environ.update(more)
        try:
            yield self
        finally:
            os.environ.clear()
            os.environ.update(before)

    def __exit__(self, *_):
        self.on(False)
        self.folder.cleanup()


def traces(process, *secrets):
    """Where a process has one of them in its memory, in any of its forms; also none where we may not look."""
    forms = {f for s in secrets for f in (s, base64.b64encode(s)[:len(s) // 3 * 4], s.hex().encode())}
    found = []
    try:
        memory = open(f"/proc/{process.pid}/mem", "rb", 0)
    except PermissionError:
        print("  its memory is not looked at: that takes root")
        return found
    with memory, open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            span, rights, *_ = line.split()
            start, end = (int(x, 16) for x in span.split("-"))
            if not rights.startswith("rw") or end - start > 1 << 28: # of a sanitizer
                continue
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError):
                continue # of the kernel
            found += [(line.split()[-1], f[:12], data[max(data.find(f) - 60, 0):][:160]) for f in forms if f in data]
    return found


def run_tests(module, *args):
    """Each function test_... of the module in turn; the first failure ends it."""
    for name, function in list(vars(module).items()):
        if name.startswith("test_"):
            print(name, flush=True)
            function(*args)
