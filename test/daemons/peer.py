# SPDX-License-Identifier: Apache-2.0
"""The client's cryptography: peer.c as a process."""
import struct
import subprocess

SECRET = bytes(range(32))
ID = "q83vASNFZ4k="


class Peer:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()

    def _message(self):
        size, = struct.unpack(">I", self.process.stdout.read(4))
        return self.process.stdout.read(size)

    def call(self, answers, verb, *args):
        for x in (verb, *args):
            x = x if isinstance(x, bytes) else str(x).encode()
            self.process.stdin.write(struct.pack(">I", len(x)) + x)
        self.process.stdin.flush()
        return [self._message() for _ in range(answers + 1)]

    def field(self, path, body, content_type="application/json", method="POST", key=(ID, SECRET)):
        """Content type and body of a request in field messages."""
        ok, kind, data = self.call(2, "field", key[0], key[1].hex(), method, path, content_type, body)
        assert ok == b"ok"
        return kind.decode(), data

    def field_open(self, content_type, body):
        """Outcome and body of its response."""
        ok, data = self.call(1, "field-open", content_type, body)
        return ok.decode(), data

    def sealed(self, path, body, model, content_type="application/json", method="POST", shard="", age=-1, field="",
               key=(ID, SECRET)):
        """The outer body of a sealed request. age -1: a worker that began in this second takes it."""
        ok, data = self.call(1, "sealed", key[0], key[1].hex(), model, shard, method, path, content_type, age, field,
                             body)
        assert ok == b"ok"
        return data

    def sealed_open(self, status, content_type, body):
        """Outcome, inner status, content type, number of pieces, and body of its response."""
        ok, inner, kind, pieces, data = self.call(4, "sealed-open", status, content_type, body)
        return ok.decode(), int(inner or 0), kind.decode(), int(pieces), data

    def direct(self, bundle):
        """Request, id and secret of a key exchange with the worker of the bundle."""
        _, json, name, secret = self.call(3, "direct", bundle)
        return json, name.decode(), bytes.fromhex(secret.decode())

    def policy(self, not_before, secret=SECRET):
        _, header, mac = self.call(2, "policy", secret.hex(), not_before)
        return header.decode(), mac.decode()
