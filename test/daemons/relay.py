# SPDX-License-Identifier: Apache-2.0
"""Whoever stands between client and worker: records each byte, and changes what the test wants changed."""
import contextlib
import socket
import threading

from harness import LIMIT, Response, connect, read_all


def read_request(s):
    """Head and body of the next request, or None at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = s.recv(65536)
        if not piece:
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = s.recv(65536)
        if not piece:
            return None
        body += piece
    return head, body


def stop(listener, thread):
    """Closing alone would leave the thread waiting, for connections to whoever gets the number of the file next."""
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(LIMIT)
    listener.close()


class Relay:
    """target may be changed at any time. With ask or answer, the two functions that change requests to the worker
    and his answers: ask(head, body) -> (head, body); answer(head, body, response) -> (status, type, body), or None for
    a connection that breaks off. Without, bytes go through as they come. With a context it speaks TLS to the client."""

    def __init__(self, target, context=None):
        self.target = target
        self.context = context
        self.ask = self.answer = None
        self.seen = b""
        self.requests = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.url = "http://%s:%d" % self.address
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.listener, self.thread)

    def saw(self, data):
        with self.lock:
            self.seen += data

    def count(self, path):
        with self.lock:
            return sum(r.startswith(b"POST " + path.encode() + b" ") for r in self.requests)

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            s.settimeout(LIMIT)
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        try:
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            with s:
                while self._serve_one(s):
                    pass
        except OSError:
            pass

    def _serve_one(self, s):
        request = read_request(s)
        if not request:
            return False
        head, body = request
        with self.lock:
            self.requests.append(head)
        self.saw(head + b"\r\n\r\n" + body)
        if self.ask:
            head, body = self.ask(head, body)
        if not self.answer:
            self._pump(s, head, body)
            return False
        response = Response(self._forward(head, body))
        self.saw(response.raw)
        changed = self.answer(head, body, response)
        if changed is None:
            return False
        status, kind, data = changed
        s.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        return True

    def _send(self, w, head, body):
        lines = [x for x in head.split(b"\r\n") if not x.lower().startswith((b"connection:", b"content-length:"))]
        lines += [b"Connection: close", b"Content-Length: %d" % len(body)]
        w.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def _forward(self, head, body):
        with connect(self.target) as w:
            self._send(w, head, body)
            return read_all(w)

    def _pump(self, s, head, body):
        """The answer as it comes; when the client goes, so do we."""
        with connect(self.target) as w:
            gone = threading.Thread(target=self._watch, args=(s, w), daemon=True)
            self._send(w, head, body)
            gone.start()
            try:
                while piece := w.recv(65536):
                    self.saw(piece)
                    s.sendall(piece)
            finally:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR) # while the other thread reads, closing alone is not seen
                gone.join(LIMIT) # or it reads from whoever gets the number of our file next

    def _watch(self, s, w):
        try:
            if not s.recv(1):
                w.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Tap:
    """Bytes as they come, both ways, and recorded: what stands there has no part in the protocol."""

    def __init__(self, target):
        self.target = target
        self.seen = bytearray()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.url = "http://%s:%d" % self.address
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Connections are refused from now on."""
        stop(self.listener, self.thread)

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError: # closed
                return
            try:
                w = connect(self.target)
            except OSError:
                s.close()
                continue
            for a, b in ((s, w), (w, s)):
                a.settimeout(None)
                a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, a, b):
        """When one side has ended, so has the other: nothing here keeps half of a connection."""
        try:
            while piece := a.recv(65536):
                with self.lock:
                    self.seen += piece
                b.sendall(piece)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
