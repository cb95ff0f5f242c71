#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pm-proxy before an inference server: proxy.py PM-PROXY INFERENCE-SERVER PEER"""
import contextlib
import gzip
import json
import os
import re
import signal
import socket
import sys
import tempfile
import threading

from harness import (Daemon, Response, ask, connect, exchange, figure, read_all, read_until, request, run_tests,
                     traces, wait_for_figure)
from peer import ID, Peer, SECRET

SALT = "0123456789abcdef0123456789abcdef"
CANARY = "xylophone-mandarin-canary"
SEALED = "application/vnd.pm.sealed"
HERE = ("--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--threads", "2")
GOOD = {"Value": "GOOD"}


class Setup:
    """An inference server and a proxy before it."""

    def __init__(self, programs, *args, upstream=None, ocsp=None, keys=None, folder=None, shell=None):
        self.stack = contextlib.ExitStack()
        self.folder = folder or self.stack.enter_context(tempfile.TemporaryDirectory())
        with open(f"{self.folder}/keys", "w", encoding="ascii") as f:
            f.write(keys or f"# a comment\n{ID} {SECRET.hex()}\n")
        if upstream is None:
            self.model = self.stack.enter_context(Daemon(programs[1], *HERE))
            upstream = "%s:%d" % self.model.address()
        more = ["--no-ocsp-status"]
        if ocsp is not None:
            with open(f"{self.folder}/ocsp", "w", encoding="ascii") as f:
                json.dump(ocsp, f)
            more = ["--ocsp-status", f"{self.folder}/ocsp"]
        if "--ready-file" not in args:
            more.append("--no-ready-file")
        self.proxy = self.stack.enter_context(
            Daemon(programs[0], *HERE, "--upstream", upstream, "--keys", f"{self.folder}/keys", *more, *args,
                   shell=shell))
        self.peer = self.stack.enter_context(Peer(programs[2]))

    def __enter__(self):
        self.address = self.proxy.address()
        return self

    def __exit__(self, kind, *_):
        with self.stack:
            if kind:
                print(self.proxy.text(), file=sys.stderr)
            else:
                assert self.proxy.stop() == 0

    def figure(self, name):
        return figure(self.proxy.address("metrics"), name)

    def post(self, path, body, fields):
        """The bytes that went over the wire, both ways, and the response."""
        sent = request("POST", path, body, fields)
        data = exchange(self.address, sent)
        return sent + data, Response(data)

    def field(self, path, body, content_type="application/json", fields=()):
        """A request in field messages: wire, response, and its body opened."""
        kind, data = self.peer.field(path, body, content_type)
        wire, r = self.post(path, data, [("Content-Type", kind), ("Privatemode-Secret-ID", ID), *fields])
        if r.fields.get("privatemode-encrypted") == "false" and r.status >= 400:
            return wire, r, r.body
        ok, opened = self.peer.field_open(r.fields["content-type"], r.body)
        assert ok == "ok", ok
        return wire, r, opened

    def sealed(self, path, body, model="echo", **more):
        """A sealed request: wire, response, and what was opened."""
        data = self.peer.sealed(path, body, model, **more)
        wire, r = self.post("/", data, self.outer(model, more.get("shard")))
        return wire, r, self.peer.sealed_open(r.status, r.fields["content-type"], r.body)

    @staticmethod
    def outer(model, shard=None):
        fields = [("Content-Type", SEALED), ("Pm-Secret-Id", ID), ("Pm-Model", model)]
        return fields + ([("Pm-Shard-Key", shard)] if shard else [])


def chat(model="echo", text=CANARY, stream=False, salt=SALT, **more):
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream, **more}
    if salt:
        body["cache_salt"] = salt
    return json.dumps(body).encode()


def form(parts, boundary="xxBOUNDARYxx"):
    body = b""
    for name, value in parts:
        file = f'; filename="{CANARY}.wav"' if name in ("file", "files") else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        body += (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def events(data):
    return [json.loads(x[6:]) for x in data.decode().split("\n\n") if x.startswith("data: {")]


def error_of(body):
    return json.loads(body)["error"]["code"]


def hidden(wire, *words):
    for word in (CANARY, *words):
        assert word.encode() not in wire, (word, wire[:2000])


# --- what works -------------------------------------------------------------------------------------

def test_field_chat(programs):
    with Setup(programs) as s:
        wire, r, body = s.field("/v1/chat/completions", chat())
        assert r.status == 200 and json.loads(body)["choices"][0]["message"]["content"] == CANARY
        hidden(wire, "choices\":[", SALT, "assistant")
        wire, r, body = s.field("/v1/chat/completions", chat(stream=True))
        assert r.whole and body.rstrip().endswith(b"data: [DONE]")
        parts = events(body)
        assert "".join(x["choices"][0]["delta"].get("content", "") for x in parts if x["choices"]) == CANARY
        assert parts[-1]["usage"]["prompt_tokens"] == 1, "usage was asked for"
        hidden(wire, "assistant")
        # By the id of the first message alone.
        kind, data = s.peer.field("/v1/chat/completions", chat())
        _, r = s.post("/v1/chat/completions", data, [("Content-Type", kind)])
        ok, body = s.peer.field_open(r.fields["content-type"], r.body)
        assert ok == "ok" and CANARY.encode() in body
        assert s.figure('pm_proxy_model_requests_total{model="echo"}') == 3
        assert s.figure('pm_proxy_prompt_tokens_total{model="echo"}') == 3
        assert CANARY not in s.proxy.text() and SECRET.hex() not in s.proxy.text()


def test_sealed_chat(programs):
    with Setup(programs) as s:
        wire, r, (ok, status, kind, _, body) = s.sealed("/v1/chat/completions", chat(), shard="0123-abc")
        assert (r.status, ok, status, kind) == (200, "ok", 200, "application/json"), (r.status, ok, body)
        assert json.loads(body)["choices"][0]["message"]["content"] == CANARY
        hidden(wire, "choices", "/v1/", "application/json", SALT, "assistant", "usage")
        wire, r, (ok, status, kind, pieces, body) = s.sealed("/v1/chat/completions", chat(stream=True))
        assert (ok, status) == ("ok", 200) and kind.startswith("text/event-stream") and body.endswith(b"[DONE]\n\n")
        assert pieces == body.count(b"\n\n"), "one frame an event"
        assert events(body)[-1]["usage"]["prompt_tokens"] == 1
        hidden(wire, "data: ", "assistant", "usage")
        # Frames differ in size by their buckets only.
        assert s.figure('pm_proxy_model_requests_total{model="echo"}') == 2
        assert s.figure('pm_proxy_completion_tokens_total{model="echo"}') == 2


def test_other_endpoints(programs):
    with Setup(programs, "--adapter", "openai,anthropic,unstructured") as s:
        cases = [
            ("/v1/completions", json.dumps({"model": "echo", "prompt": CANARY, "cache_salt": SALT}).encode(),
             "application/json", lambda b: json.loads(b)["choices"][0]["text"] == CANARY),
            ("/v1/embeddings", json.dumps({"model": "echo", "input": CANARY}).encode(), "application/json",
             lambda b: len(json.loads(b)["data"][0]["embedding"]) == 8),
            ("/v1/messages", chat(), "application/json", lambda b: json.loads(b)["content"][0]["text"] == CANARY),
            ("/v1/messages/count_tokens", chat(salt=None), "application/json",
             lambda b: json.loads(b)["input_tokens"] == 1),
        ]
        kind, body = form([("model", "echo"), ("language", "en"), ("file", CANARY.encode() * 100)])
        cases.append(("/v1/audio/transcriptions", body, kind, lambda b: "2500 bytes" in json.loads(b)["text"]))
        kind, body = form([("model", "echo"), ("stream", "true"), ("file", CANARY.encode())])
        cases.append(("/v1/audio/transcriptions", body, kind, lambda b: events(b)[-1]["usage"]["seconds"] == 1))
        kind, body = form([("files", CANARY.encode())])
        cases.append(("/unstructured/general/v0/general", body, kind, lambda b: json.loads(b)[0]["text"] == CANARY))
        for path, body, kind, check in cases:
            wire, r, opened = s.field(path, body, kind)
            assert r.status == 200 and check(opened), (path, opened)
            hidden(wire)
            wire, r, (ok, status, _, _, opened) = s.sealed(path, body, content_type=kind)
            assert (ok, status) == ("ok", 200) and check(opened), (path, ok, status, opened)
            hidden(wire, path)
        _, _, body = s.field("/v1/messages", chat(stream=True))
        assert body.count(b"event: content_block_delta") == 1 and b"message_stop" in body
        assert s.figure('pm_proxy_audio_seconds_total{model="echo"}') >= 3


def test_models(programs):
    with Setup(programs, "--task", "generate", "--task", "tool_calling", "--adapter", "unstructured") as s:
        r = ask(s.address, "GET", "/v1/models")
        assert r.status == 200 and all(m["tasks"] == ["generate", "tool_calling"] for m in json.loads(r.body)["data"])
        r = ask(s.address, "GET", "/v1/models/echo")
        assert json.loads(r.body)["tasks"] == ["generate", "tool_calling"]
        assert ask(s.address, "GET", "/unstructured/healthcheck").status == 200
        _, _, (ok, status, _, _, body) = s.sealed("/v1/models", b"", content_type="", method="GET")
        assert (ok, status) == ("ok", 200) and json.loads(body)["object"] == "list"


def test_tools(programs):
    with Setup(programs) as s:
        tool = {"type": "function", "function": {"name": CANARY, "parameters": {}}}
        wire, _, body = s.field("/v1/chat/completions", chat(tools=[tool]))
        assert json.loads(body)["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == CANARY
        hidden(wire)


def test_unix_upstream(programs):
    with tempfile.TemporaryDirectory() as f, Daemon(programs[1], "--listen", f"unix:{f}/s") as model:
        model.ready()
        with Setup(programs, upstream=f"unix:{f}/s") as s:
            assert CANARY.encode() in s.field("/v1/chat/completions", chat())[2]


def test_large(programs):
    with Setup(programs) as s:
        text = "word " * 400000
        _, _, body = s.field("/v1/chat/completions", chat(text=text))
        assert json.loads(body)["choices"][0]["message"]["content"] == text
        _, _, (ok, _, _, _, body) = s.sealed("/v1/chat/completions", chat(text=text))
        assert ok == "ok" and json.loads(body)["choices"][0]["message"]["content"] == text


def test_many_events(programs):
    with Setup(programs) as s:
        _, r, body = s.field("/v1/chat/completions", chat("repeat-20000", stream=True))
        assert r.whole and body.count(CANARY.encode()) == 20000
        _, r, (ok, _, _, pieces, body) = s.sealed("/v1/chat/completions", chat("repeat-20000", stream=True),
                                                  model="repeat-20000")
        assert ok == "ok" and body.count(CANARY.encode()) == 20000 and pieces > 20000
        _, _, (ok, _, _, _, body) = s.sealed("/v1/chat/completions", chat("comments", stream=True), model="comments")
        assert ok == "ok" and b":\n\n" in body and b"still here" not in body


# --- what is refused --------------------------------------------------------------------------------

def test_checks(programs):
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"https://{CANARY}/"}}]}]
    audio = [{"role": "user", "content": [{"type": "audio_url", "audio_url": {"url": f"data:{CANARY}"}}]}]
    source = [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": f"http://{CANARY}"}}]}]
    cases = [
        (chat(salt=None), "cache_salt"),
        (chat(salt="short"), "cache_salt"),
        (chat(messages=image), "media"),
        (chat(messages=audio), "media"),
        (chat(messages=source), "media"),
    ]
    with Setup(programs) as s:
        for path in ("/v1/chat/completions", "/v1/messages"):
            for body, code in cases:
                wire, r, opened = s.field(path, body)
                assert r.status == 400 and error_of(opened) == code, (path, body, opened)
                hidden(wire)
                wire, r, (ok, status, _, _, opened) = s.sealed(path, body)
                assert (r.status, ok, status) == (200, "ok", 400) and error_of(opened) == code
                hidden(wire, code)
        for path in ("/v1/embeddings", "/v1/messages/count_tokens", "/v1/completions"):
            for messages in (image, audio, source):
                _, r, opened = s.field(path, chat(messages=messages))
                assert r.status == 400 and error_of(opened) == "media", (path, messages, opened)
        assert figure(s.model.address("metrics"), "inference_server_http_requests_total") == 0
        assert s.figure('pm_proxy_refused_total{reason="not_allowed"}') == 29
    with Setup(programs, "--https-images") as s:
        assert s.field("/v1/chat/completions", chat(messages=image))[1].status == 200
        assert s.field("/v1/chat/completions", chat(messages=audio))[1].status == 400


def test_shared_cache(programs):
    """llama.cpp tells how much of a prompt was in its cache, which it fills with everybody's."""
    def cached(s, how, **more):
        data = chat("shared", **more)
        body = s.field("/v1/chat/completions", data)[2] if how == "field" else s.sealed(
            "/v1/chat/completions", data, "shared")[2][4]
        last = [x for x in events(body) if "usage" in x][-1] if more.get("stream") else json.loads(body)
        return last["usage"]["prompt_tokens_details"]["cached_tokens"]

    for args, tells in (((), 1), (("--no-prompt-cache",), 0)):
        with Setup(programs, *args) as s:
            for how in ("field", "sealed"):
                assert cached(s, how) == tells, how
                assert cached(s, how, cache_prompt=False) == 0, how
                assert cached(s, how, cache_prompt=True) == tells, how
                assert cached(s, how, cache_prompt=True, stream=True) == tells, how


def test_routes(programs):
    with Setup(programs) as s:
        for method, path, status in (("POST", "/v1/files", 501), ("GET", "/metrics", 501),
                                     ("DELETE", "/v1/models", 501), ("GET", "/v1/models/../../metrics", 400),
                                     ("GET", "/v1/models/%2e%2e/x", 400),
                                     ("POST", "/unstructured/x", 501), ("GET", "/", 501)):
            assert ask(s.address, method, path).status == status, path
        for method, path, inner in (("POST", "/v1/files", 501), ("GET", "/v1/models/../x", 400),
                                    ("GET", "/v1/models/a\\b", 400), ("GET", '/v1/models/a"b', 400),
                                    ("GET", "/v1/models//x", 400), ("GET", "/v1/models/%2E%2e/x", 400)):
            _, r, (ok, status, _, _, body) = s.sealed(path, b"{}", method=method)
            assert (r.status, ok, status) == (200, "ok", inner), path
            assert error_of(body) == ("bad_path" if inner == 400 else "unsupported_endpoint"), (path, body)
        _, r = s.post("/v1/audio/transcriptions", b"{}", [("Content-Type", "application/json")])
        assert r.status == 415
    with Setup(programs, "--adapter", "anthropic") as s:
        assert s.field("/v1/messages", chat())[1].status == 200
        assert s.post("/v1/chat/completions", b"{}", [])[1].status == 501


def test_unknown_secret(programs):
    with Setup(programs) as s:
        kind, data = s.peer.field("/v1/chat/completions", chat(), key=("bm9ib2R5", SECRET))
        for fields in ([("Privatemode-Secret-ID", "bm9ib2R5")], []):
            _, r = s.post("/v1/chat/completions", data, [("Content-Type", kind), *fields])
            assert r.status == 500 and b"no secret for ID" in r.body
            assert r.fields["privatemode-encrypted"] == "false"
        data = s.peer.sealed("/v1/chat/completions", chat(), "echo", key=("bm9ib2R5", SECRET))
        fields = [("Content-Type", SEALED), ("Pm-Secret-Id", "bm9ib2R5"), ("Pm-Model", "echo")]
        _, r = s.post("/", data, fields)
        assert r.status == 500 and b"no secret for ID" in r.body
        # The streaming clients of the reference wait for an event.
        _, r = s.post("/v1/chat/completions", data, [("Privatemode-Secret-ID", "x"), ("Accept", "text/event-stream")])
        assert r.fields["content-type"] == "text/event-stream" and r.body.startswith(b"event: error\n\ndata: {")


def test_tampering_and_replay(programs):
    with Setup(programs) as s:
        path = "/v1/chat/completions"
        # Plaintext, in whole or in part, is not answered.
        for body in (chat(), b"{}", b"", b'{"model":"echo"}', b"nonsense"):
            _, r = s.post(path, body, [("Content-Type", "application/json"), ("Privatemode-Secret-ID", ID)])
            assert r.status == 400, body
        _, r = s.post("/v1/embeddings", b'{"model":"echo"}', [("Privatemode-Secret-ID", ID)])
        assert r.status == 400 and error_of(r.body) == "not_encrypted", "nothing but a plain field"
        kind, data = s.peer.field(path, chat())
        fields = [("Content-Type", kind), ("Privatemode-Secret-ID", ID)]
        at = data.index(b'"messages"') + 150
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        assert s.post(path, flipped, fields)[1].status == 400
        kind, data = s.peer.field(path, chat()) # the other one was spent, for its first message was authentic
        assert s.post(path, data, fields)[1].status == 200
        _, r = s.post(path, data, fields)
        assert r.status == 400 and error_of(r.body) == "not_authentic"

        data = s.peer.sealed(path, chat(), "echo")
        for at in (0, 40, 100, len(data) - 1):
            bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
            _, r = s.post("/", bad, s.outer("echo"))
            if r.status == 200: # the head was whole: the error is sealed too
                assert s.peer.sealed_open(200, SEALED, r.body)[1] == 400, at
            else:
                assert r.status == 400, (at, r.body)
        for model, shard in (("other", None), ("echo", "abc")): # the fields are part of the key
            assert s.post("/", data, s.outer(model, shard))[1].status == 400
        data = s.peer.sealed(path, chat(), "echo")
        assert s.post("/", data[:-1], s.outer("echo"))[1].status in (200, 400)
        data = s.peer.sealed(path, chat(), "echo")
        assert s.post("/", data, s.outer("echo"))[1].status == 200
        assert s.post("/", data, s.outer("echo"))[1].status == 400, "a replay"
        assert s.post("/", s.peer.sealed(path, chat(), "echo", age=3600), s.outer("echo"))[1].status == 409
        # A head that says another model than the one that the request was routed by.
        _, _, (ok, status, _, _, body) = s.sealed(path, chat("slow"), model="echo")
        assert (ok, status) == ("ok", 400) and error_of(body) == "model"


def test_cut_request(programs):
    """A sealed request without its end is not answered, though its head and most of its body were authentic."""
    with Setup(programs) as s:
        data = s.peer.sealed("/v1/chat/completions", chat(text=CANARY * 10000), "echo")
        _, r = s.post("/", data[:200000], s.outer("echo"))
        ok, status, _, _, body = s.peer.sealed_open(r.status, r.fields["content-type"], r.body)
        assert (ok, status) == ("ok", 400) and error_of(body) == "not_authentic"
        assert figure(s.model.address("metrics"), "inference_server_http_requests_total") == 0
    # Nor one whose body would make sense as far as it came.
    with Setup(programs, "--adapter", "unstructured") as s:
        kind, body = form([("files", CANARY.encode() * 10000)])
        data = s.peer.sealed("/unstructured/general/v0/general", body, "echo", content_type=kind)
        _, r = s.post("/", data[:200000], s.outer("echo"))
        ok, status, _, _, body = s.peer.sealed_open(r.status, r.fields["content-type"], r.body)
        assert (ok, status) == ("ok", 400) and error_of(body) == "not_authentic"


def test_budget(programs):
    """Bodies of all requests share memory, from which large ones leave room for small ones; all of it comes back."""
    with Setup(programs, "--max-buffered", "4") as s:
        path, large = "/v1/chat/completions", chat(text="word " * 330000)
        for _ in range(3):
            _, r, (ok, status, _, _, body) = s.sealed(path, large)
            assert (ok, status) == ("ok", 503) and error_of(body) == "busy", (status, body[:200])
            assert "retry-after" not in r.fields, "it is within"
            _, r, body = s.field(path, large)
            assert r.status == 503 and r.fields["retry-after"] == "1" and error_of(body) == "busy", r.status
        middle = chat(text="word " * 120000)
        for _ in range(3):
            assert s.sealed(path, middle)[2][1] == 200 and s.field(path, middle)[1].status == 200
        wait_for_figure(s.proxy.address("metrics"), "pm_proxy_buffered_bytes", 0)
        assert s.figure('pm_proxy_refused_total{reason="no_room"}') == 6
        # Who holds back the end of large requests holds less and less, and the others are served.
        held = []
        for _ in range(6):
            c = connect(s.address)
            data = s.peer.sealed(path, middle, "echo")
            c.sendall(request("POST", "/", data, s.outer("echo"))[:-100])
            held.append(c)
        wait_for_figure(s.proxy.address("metrics"), "pm_proxy_http_requests", 6)
        assert s.sealed(path, chat())[2][1] == 200 and s.field(path, chat())[1].status == 200
        for c in held:
            c.close()
        wait_for_figure(s.proxy.address("metrics"), "pm_proxy_buffered_bytes", 0)
        assert s.sealed(path, middle)[2][1] == 200
        # Until the server has taken it, a request is in memory.
        data = s.peer.sealed(path, chat("silent", text=CANARY * 4000), "silent")
        with connect(s.address) as c:
            c.sendall(request("POST", "/", data, s.outer("silent")))
            wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 1)
            assert s.figure("pm_proxy_buffered_bytes") > 100000
        wait_for_figure(s.proxy.address("metrics"), "pm_proxy_buffered_bytes", 0)


# --- the policy on GPUs -----------------------------------------------------------------------------

def test_gpu_policy(programs):
    revoked = {"Value": "REVOKED", "RevokedAt": "2026-01-01T00:00:00Z"}
    late, early = 1800000000, 1700000000
    names = ("Privatemode-NVIDIA-OCSP-Policy", "Privatemode-NVIDIA-OCSP-Policy-MAC")

    def status(s, *values):
        return s.field("/v1/embeddings", chat(salt=None), fields=list(zip(names, values)))[1].status

    with Setup(programs, ocsp=[{"GPU": GOOD, "VBIOS": GOOD, "Driver": GOOD}] * 2) as s:
        header, mac = s.peer.policy(late)
        assert status(s) == 200 and status(s, header, mac) == 200
        assert status(s, header) == 400 and status(s, header, mac[:-1] + ("0" if mac[-1] != "0" else "1")) == 400
        other, _ = s.peer.policy(early)
        assert status(s, other, mac) == 400
        assert s.figure('pm_proxy_ocsp_status{gpu="1",component="vbios"}') == 0
    with Setup(programs, ocsp=[{"GPU": revoked, "VBIOS": GOOD, "Driver": GOOD}]) as s:
        assert status(s) == 403
        assert status(s, *s.peer.policy(late)) == 403
        assert status(s, *s.peer.policy(early)) == 200
        _, _, (ok, inner, _, _, _) = s.sealed("/v1/embeddings", chat(salt=None))
        assert (ok, inner) == ("ok", 403)
        assert s.figure('pm_proxy_ocsp_status{gpu="0",component="gpu"}') == 1
    with Setup(programs) as s:
        assert status(s) == 200 and status(s, *s.peer.policy(early)) == 403


def test_ocsp_files(programs):
    with tempfile.TemporaryDirectory() as f:
        for text in ("[]", "{}", "[{}]", '[{"GPU":{"Value":"GOOD"},"VBIOS":{"Value":"GOOD"}}]', "[",
                     '[{"GPU":{"Value":"good"},"VBIOS":{"Value":"GOOD"},"Driver":{"Value":"GOOD"}}]',
                     '[{"GPU":{"Value":"REVOKED"},"VBIOS":{"Value":"GOOD"},"Driver":{"Value":"GOOD"}}]'):
            with open(f"{f}/ocsp", "w", encoding="ascii") as file:
                file.write(text)
            open(f"{f}/keys", "w", encoding="ascii").close()
            with Daemon(programs[0], *HERE, "--upstream", "127.0.0.1:1", "--keys", f"{f}/keys", "--ocsp-status",
                        f"{f}/ocsp", "--no-ready-file") as d:
                assert d.wait() == 2, text


# --- the server behind ------------------------------------------------------------------------------

def test_upstream_errors(programs):
    with Setup(programs) as s:
        wire, r, body = s.field("/v1/chat/completions", chat("error-429"))
        assert r.status == 429 and b"you asked for an error" in body
        hidden(wire, "you asked")
        wire, r, (ok, status, _, _, body) = s.sealed("/v1/chat/completions", chat("error-503"), model="error-503")
        assert (r.status, ok, status) == (200, "ok", 503) and b"you asked for an error" in body
        hidden(wire, "you asked")


def test_upstream_breaks_off(programs):
    with Setup(programs) as s:
        kind, data = s.peer.field("/v1/chat/completions", chat("cut", stream=True, text="a b c d"))
        _, r = s.post("/v1/chat/completions", data, [("Content-Type", kind)])
        assert r.status == 200 and not r.whole
        for model in ("cut", "garbage"):
            _, r, (ok, _, _, _, body) = s.sealed("/v1/chat/completions", chat(model, stream=True, text="a b c d"),
                                                 model=model)
            assert ok != "ok" and not r.whole and b"secret words" not in body, (model, ok)
        assert s.figure("pm_proxy_upstream_failed_total") == 3


class Fake:
    """A server that answers each connection with the same bytes and closes."""

    def __init__(self, answer):
        self.answer, self.heads, self.listener = answer, [], socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                head = read_until(s, b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                while length and len(head.split(b"\r\n\r\n", 1)[1]) < int(length[1]):
                    head += s.recv(65536)
                self.heads.append(head.split(b"\r\n\r\n", 1)[0])
                s.sendall(self.answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def address(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]


def document(size):
    """An answer of the inference server that is no stream."""
    body = b'{"data":"%s"}' % (b"x" * size)
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_budget_of_answers(programs):
    """What was answered and not taken yet is of the same budget, and a slow reader holds no more than that."""
    path = "/v1/embeddings"
    with Fake(document(3 << 20)) as fake, Setup(programs, "--max-buffered", "4", upstream=fake.address()) as s:
        for _ in range(2):
            _, r, (ok, status, _, _, body) = s.sealed(path, chat(salt=None))
            assert (ok, status) == ("ok", 503) and error_of(body) == "busy", (ok, status)
            _, r, body = s.field(path, chat(salt=None))
            assert r.status == 503 and r.fields["retry-after"] == "1" and error_of(body) == "busy", r.status
            assert s.figure("pm_proxy_buffered_bytes") == 0
        assert s.figure('pm_proxy_refused_total{reason="no_room"}') == 4
    size = 12 << 20
    with Fake(document(size)) as fake, Setup(programs, "--max-buffered", "64", upstream=fake.address()) as s:
        for kind in ("sealed", "field"):
            with connect(s.address, receive_buffer=4096) as c:
                if kind == "sealed":
                    data, fields = s.peer.sealed(path, chat(salt=None), "echo"), s.outer("echo")
                else:
                    kind, data = s.peer.field(path, chat(salt=None))
                    fields = [("Content-Type", kind)]
                c.sendall(request("POST", path, data, fields))
                assert b" 200 OK" in read_until(c, b"\r\n\r\n")
                # Field messages are written in hexadecimal.
                held = s.figure("pm_proxy_buffered_bytes")
                assert size <= held < (size if kind == "sealed" else 2 * size) + 1024, (kind, held)
            wait_for_figure(s.proxy.address("metrics"), "pm_proxy_buffered_bytes", 0)
            assert s.sealed(path, chat(salt=None))[2][:2] == ("ok", 200)


def test_types_of_requests(programs):
    """What was checked as JSON is sent as JSON: no type says that it be read in another way."""
    with Fake(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}") as fake, \
            Setup(programs, upstream=fake.address()) as s:
        for kind in ("application/json", "application/json; charset=utf-7", "application/json; charset=utf-16", "",
                     "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
            assert s.sealed("/v1/embeddings", chat(salt=None), content_type=kind)[2][:2] == ("ok", 200), kind
            assert s.field("/v1/embeddings", chat(salt=None), kind)[1].status == 200, kind
        for head in fake.heads:
            found = [x for x in head.split(b"\r\n") if x.lower().startswith(b"content-type:")]
            assert found == [b"Content-Type: application/json"], head
        assert len(fake.heads) == 14


def test_no_trace_is_left_of_an_answer(programs):
    """Neither in our buffers nor in those of the library that fetched it."""
    said = os.urandom(33)
    body = json.dumps({"choices": [{"message": {"content": said.hex()}}]}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with Fake(head + body) as fake, Setup(programs, upstream=fake.address()) as s:
        for _ in range(2):
            opened = s.sealed("/v1/chat/completions", chat())[2]
            assert opened[0] == "ok" and said.hex().encode() in opened[-1], opened
            assert not traces(s.proxy.process, said)


def test_upstream_garbage(programs):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    coded, trailers = gzip.compress(b'{"a":1}'), b"X: %s\r\n" % (b"x" * 1000) * 100
    answers = [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n",
        head + b"Content-Length: 100\r\n\r\n{\"a\":1}",
        head + b"\r\n{\"a\":1}", # its end is the connection's
        head + b"Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        head + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        head + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(coded), coded),
        head + b"Transfer-Encoding: identity\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        head + b"Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n" + trailers + b"\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
    ]
    for answer in answers:
        with Fake(answer) as fake, Setup(programs, upstream=fake.address()) as s:
            _, r, body = s.field("/v1/embeddings", chat(salt=None))
            assert r.status == 502 and error_of(body) == "upstream", (answer, r.status, body)
            _, _, (ok, status, _, _, _) = s.sealed("/v1/embeddings", chat(salt=None))
            assert (ok, status) == ("ok", 502), (answer, ok, status)
    for body in (b"not json", b"3", b'{"a":1,"a":2}'):
        with Fake(head + b"Content-Length: %d\r\n\r\n" % len(body) + body) as fake, \
                Setup(programs, upstream=fake.address()) as s:
            assert s.field("/v1/embeddings", chat(salt=None))[1].status == 502, body


def test_upstream_without_body(programs):
    """A status that has no body has no end of one either: what follows would be read as the next answer."""
    for status in (204, 304):
        answer = f"HTTP/1.1 {status} X\r\nContent-Type: text/event-stream\r\n\r\n".encode()
        with Fake(answer) as fake, Setup(programs, upstream=fake.address()) as s:
            kind, data = s.peer.field("/v1/embeddings", chat(salt=None))
            _, r = s.post("/v1/embeddings", data, [("Content-Type", kind)])
            assert (r.status, r.raw) == (status, b"") and "transfer-encoding" not in r.fields, (r.fields, r.raw)
            assert s.sealed("/v1/embeddings", chat(salt=None))[2][:2] == ("ok", status)


def test_upstream_absent(programs):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with Setup(programs, upstream="127.0.0.1:%d" % unused.getsockname()[1]) as s:
            assert s.field("/v1/embeddings", chat(salt=None))[1].status == 502


def test_upstream_must_be_local(programs):
    with tempfile.TemporaryDirectory() as f:
        open(f"{f}/keys", "w", encoding="ascii").close()
        for upstream in ("10.0.0.1:80", ":80", "[2001:db8::1]:80", "example:80", "0.0.0.0:80"):
            with Daemon(programs[0], *HERE, "--upstream", upstream, "--keys", f"{f}/keys", "--no-ocsp-status",
                        "--no-ready-file") as d:
                assert d.wait() == 2 and "plaintext" in d.text(), upstream


def test_client_gone(programs):
    """The model stops when nobody waits for it."""
    with Setup(programs) as s:
        for model in ("silent", "endless", "slow"):
            data = s.peer.sealed("/v1/chat/completions", chat(model, stream=True), model)
            c = connect(s.address)
            c.sendall(request("POST", "/", data, s.outer(model)))
            wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 1)
            c.close()
            wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 0)


def test_no_more_files(programs):
    """Connections that are left open leave files for the inference server's."""
    with Setup(programs, "--threads", "1", shell="ulimit -n 96;") as s:
        left = []
        try:
            for _ in range(150):
                left.append(connect(s.address))
                left[-1].sendall(request("GET", "/", close=False))
                read_until(left[-1], b"\r\n\r\n")
            for _ in range(20):
                assert s.sealed("/v1/chat/completions", chat())[2][:2] == ("ok", 200)
        finally:
            for c in left:
                c.close()


def test_back_pressure(programs):
    """A client that does not read holds back the model, not the proxy's memory."""
    with Setup(programs, "--send-timeout", "1s") as s, connect(s.address, receive_buffer=4096) as c:
        data = s.peer.sealed("/v1/chat/completions", chat("endless", stream=True), "endless")
        c.sendall(request("POST", "/", data, s.outer("endless")))
        wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 1)
        wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 0)
        assert s.figure("pm_proxy_http_sent_bytes_total") < 32 << 20
        assert figure(s.model.address("metrics"), "inference_server_http_sent_bytes_total") < 24 << 20


# --- the process ------------------------------------------------------------------------------------

def test_readiness(programs):
    with tempfile.TemporaryDirectory() as f, Setup(programs, "--ready-file", f"{f}/attested") as s:
        admin = s.proxy.address("metrics")
        assert ask(admin, "GET", "/readyz").status == 503 and ask(admin, "GET", "/healthz").status == 200
        assert error_of(s.field("/v1/chat/completions", chat())[2]) == "not_ready"
        assert ask(s.address, "GET", "/v1/models").status == 503
        open(f"{f}/attested", "w", encoding="ascii").close()
        assert ask(admin, "GET", "/readyz").status == 200
        assert s.field("/v1/chat/completions", chat())[1].status == 200
        os.unlink(f"{f}/attested")
        assert s.field("/v1/chat/completions", chat())[1].status == 503


def test_reload_of_keys(programs):
    with tempfile.TemporaryDirectory() as f, Setup(programs, keys="# none\n", folder=f) as s:
        assert s.field("/v1/chat/completions", chat())[1].status == 500
        with open(f"{f}/keys", "w", encoding="ascii") as file:
            file.write(f"{ID} {SECRET.hex()}\n")
        s.proxy.signal(signal.SIGHUP)
        s.proxy.wait_for("reloaded")
        assert s.field("/v1/chat/completions", chat())[1].status == 200
        assert s.figure("pm_proxy_secrets") == 1


def test_drain(programs):
    with Setup(programs) as s:
        data = s.peer.sealed("/v1/chat/completions", chat("slow", stream=True), "slow")
        with connect(s.address) as c:
            c.sendall(request("POST", "/", data, s.outer("slow"), close=False))
            wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 1)
            s.proxy.signal(signal.SIGTERM)
            s.proxy.wait_for("draining")
            r = Response(read_all(c))
            ok, status, _, _, body = s.peer.sealed_open(r.status, r.fields["content-type"], r.body)
            assert (ok, status) == ("ok", 200) and body.endswith(b"[DONE]\n\n")


def test_usage(programs):
    with tempfile.TemporaryDirectory() as f:
        for text in ("x", "x 00", f"x {SECRET.hex()} y", f"a:b {SECRET.hex()}", "x" * 600,
                     f"x {SECRET.hex()}\nx {SECRET[::-1].hex()}"):
            with open(f"{f}/keys", "w", encoding="ascii") as file:
                file.write(text)
            with Daemon(programs[0], *HERE, "--upstream", "127.0.0.1:1", "--keys", f"{f}/keys",
                        "--no-ocsp-status", "--no-ready-file") as d:
                assert d.wait() == 2 and SECRET.hex() not in d.text(), text
        open(f"{f}/keys", "w", encoding="ascii").close()
        base = [*HERE, "--upstream", "127.0.0.1:1", "--keys", f"{f}/keys", "--no-ready-file"]
        for args in ([], base, [*base, "--no-ocsp-status", "--pad", "100"], [*base, "--no-ocsp-status", "--pad", "8"],
                     [*base, "--no-ocsp-status", "--adapter", "x"], [*base, "--no-ocsp-status", "--adapter", ""],
                     [*base, "--no-ocsp-status", "--ocsp-status", "x"], [*base, "--no-ocsp-status", "more"]):
            with Daemon(programs[0], *args) as d:
                assert d.wait() == 2, args
        for args in ([], ["--ready-file", "x", "--no-ready-file"]):
            with Daemon(programs[0], *base[:-1], "--no-ocsp-status", *args) as d:
                assert d.wait() == 2 and "one of --ready-file" in d.text(), (args, d.text())


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
