#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What others try: pages of the web that reach pm-client through a browser, forms that lead it to tell, clients that
lead a worker to count wrongly. strangers.py, then as client.py."""
import json
import sys

from client import CHAT, Scene, error_of
from harness import Response, exchange, run_tests
from proxy import CANARY, Setup, chat, form

AUDIO = "/v1/audio/transcriptions"


def proxy_of(programs):
    """Arguments as of proxy.py."""
    return [programs[1], programs[2], programs[3]]


def outer_models(s):
    """What was said outside of the encryption of each sealed request."""
    return [line.split(b":", 1)[1].strip().decode() for head in s.relay.requests
            for line in head.split(b"\r\n") if line.lower().startswith(b"pm-model:")]


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


# --- forms ------------------------------------------------------------------------------------------

def test_model_of_a_form(programs):
    """The name outside is that of the field, and never anything else that stands in the form."""
    secret = "confidential-" + CANARY
    with Scene(programs) as s:
        def send(parts):
            body = "".join(f"--b\r\n{head}\r\n\r\n{value}\r\n" for head, value in parts) + "--b--\r\n"
            return s.post(AUDIO, body.encode(), "multipart/form-data; boundary=b")

        named = 'Content-Disposition: form-data; name="%s"'
        model, sound = (named % "model", "echo"), (named % "file" + '; filename="a.wav"', "x")
        for parts in ([(named % "file" + '; filename="model"', secret), model],
                      [(named % "prompt", 'the text name="model"\r\n\r\n' + secret), model, sound],
                      [(named % "file" + '; filename="a"\r\nX-Y: name="model"', secret), model],
                      [(named % "model", "echo"), (named % "file" + '; filename="model"', secret)],
                      [("Content-Disposition: form-data; name=model", "echo"), (named % "prompt", secret), sound]):
            r = send(parts)
            assert r.status == 200, (parts, r.status, r.body)
        assert set(outer_models(s)) == {"echo"}, outer_models(s)
        s.hidden("confidential")
        count = len(outer_models(s))
        for parts in ([(named % "model", "echo"), (named % "model", "slow")], # which of them?
                      [(named % "model", "e\x01"), (named % "prompt", secret)],
                      [(named % "model", "a" * 300)],
                      [("X: y", secret), model]):
            r = send(parts)
            assert r.status == 400 and error_of(r)[0] == "pm-client", (parts, r.status, r.body)
        for body in (b"", b"--b\r\n", b"--b--", b"no form"):
            r = s.post(AUDIO, body, "multipart/form-data; boundary=b")
            assert r.status == 400 and error_of(r)[0] == "pm-client", (body, r.status, r.body)
        r = send([(named % "prompt", secret)])
        assert r.status == 400 and error_of(r) == ("pm-client", "no_model"), (r.status, r.body)
        assert len(outer_models(s)) == count, "refused before anything was sent"


def test_another_model_in_a_form(programs):
    """A form is served for the model by which it was routed, and counted for that."""
    with Setup(proxy_of(programs)) as s:
        for parts in ([("model", "slow"), ("file", b"x")], [("file", b"x")],
                      [("model", "echo"), ("model", "slow"), ("file", b"x")]):
            kind, body = form(parts)
            _, _, (ok, status, _, _, opened) = s.sealed(AUDIO, body, content_type=kind)
            assert (ok, status) == ("ok", 400), (parts, ok, status)
            assert json.loads(opened)["error"]["code"] in ("model", "bad_request"), opened
        kind, body = form([("model", "echo"), ("file", b"x")])
        assert s.sealed(AUDIO, body, content_type=kind)[2][:2] == ("ok", 200)
        assert s.field(AUDIO, body, kind)[1].status == 200
        assert s.figure('pm_proxy_model_requests_total{model="echo"}') == 2


# --- counting ---------------------------------------------------------------------------------------

def test_names_of_models_that_are_none(programs):
    """Who asks for models that there are not keeps the figures of the others apart all the same."""
    with Setup(proxy_of(programs)) as s:
        for i in range(400, 500):
            assert s.sealed("/v1/embeddings", chat(f"error-{i}"), model=f"error-{i}")[2][1] == i
        for i in range(100): # where nothing says whether the model is one
            _, _, (_, status, *_) = s.sealed("/v1/models", b"", model=f"none-{i}", content_type="", method="GET")
            assert status == 200
        assert s.sealed("/v1/embeddings", chat())[2][1] == 200
        assert s.figure('pm_proxy_model_requests_total{model="echo"}') == 1


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
