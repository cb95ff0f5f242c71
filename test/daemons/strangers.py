#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What others try: pages of the web that reach pm-client through a browser. strangers.py, then as client.py."""
import sys

from client import CHAT, Scene, error_of
from harness import Response, exchange, run_tests
from proxy import chat, form

AUDIO = "/v1/audio/transcriptions"


# --- browsers ---------------------------------------------------------------------------------------

def test_pages_of_the_web(programs):
    """A page that a browser shows can make it ask us, by its own name for our address too: it gets nothing."""
    with Scene(programs) as s:
        host, port = s.address
        before = s.relay.count("/pm/v1/sealed")

        def send(name, *fields, method="POST", path=CHAT, body=None):
            lines = [f"{method} {path} HTTP/1.1", f"Host: {name}", "Connection: close", *fields]
            data = chat() if body is None else body
            if method == "POST":
                lines.append(f"Content-Length: {len(data)}")
            return Response(exchange(s.address, "\r\n".join(lines).encode() + b"\r\n\r\n" +
                                     (data if method == "POST" else b"")))

        for name in ("attacker.example", f"attacker.example:{port}", f"localhost.attacker.example:{port}",
                     f"127.0.0.1.attacker.example:{port}", "192.0.2.1", "[2001:db8::1]", f"localhost:{port}:1", "",
                     "127.0.0.256", "0.0.0.0", "128.0.0.1", "[::2]", "[::1", "::1", "localhost.", "127.1",
                     "app.localhost", "unix:80", "unix:x", "localhost:x", "localhost:99999", "[::1]x"):
            for method, path in (("POST", CHAT), ("GET", "/v1/models")):
                r = send(name, method=method, path=path)
                assert r.status == 403 and error_of(r) == ("pm-client", "bad_host"), (name, method, r.status, r.body)
        here = f"{host}:{port}"
        for fields in (["Origin: http://attacker.example"], ["Origin: null"], ["Origin: https://" + here],
                       [f"Origin: http://{host}:1"], ["Origin: http://localhost:%d" % port], ["Origin: " + here],
                       ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"],
                       ["Origin: http://" + here, "Origin: http://attacker.example"]):
            r = send(here, *fields)
            assert r.status in (400, 403), (fields, r.status, r.body)
            kind, body = form([("model", "echo"), ("file", b"x")])
            r = send(here, "Content-Type: " + kind, *fields, path=AUDIO, body=body)
            assert r.status in (400, 403), (fields, r.status, r.body)
            assert send(here, *fields, method="GET", path="/v1/models").status in (400, 403), fields
        assert s.relay.count("/pm/v1/sealed") == before, "nothing was sent"
        for name in (here, host, "localhost", f"LOCALHOST:{port}", f"127.9.8.7:{port}", f"[::1]:{port}", "[::1]"):
            assert send(name).status == 200, name
        assert send(here, "Origin: http://" + here, "Sec-Fetch-Site: same-origin").status == 200
        assert send(here, "Sec-Fetch-Site: none").status == 200
        # Programs of old, which no browser is.
        r = exchange(s.address, b"GET /v1/models HTTP/1.0\r\n\r\n")
        assert r.startswith(b"HTTP/1.1 200 "), r


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
