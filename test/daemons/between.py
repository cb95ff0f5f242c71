#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever is between pm-client and pm-proxy, and changes what goes by. As client.py:
between.py PM-CLIENT PM-PROXY INFERENCE-SERVER PEER FOLDER-OF-TOOLS"""
import json
import re
import struct
import sys

from client import CHAT, Scene, error_of, verify
from direct import Worker
from harness import run_tests
from proxy import CANARY, SEALED, chat


def refused(s, body=None, codes=("cut_short", "not_authentic", "in_between")):
    """The request fails, and the error says that it was not the worker who failed it."""
    r = s.post(CHAT, body or chat())
    assert not (r.status == 200 and r.whole), (r.status, r.body)
    if r.status != 200: # else it had begun, and was cut
        source, code = error_of(r)
        assert source == "in-between" and code in codes, (r.status, r.body)
    return r


def frames(data):
    """Header and frames of a sealed stream."""
    found, at = [], 32
    while at < len(data):
        size = 4 + struct.unpack(">I", data[at:at + 4])[0]
        found.append(data[at:at + size])
        at += size
    return data[:32], found


def only_sealed(change):
    """Changes answers to sealed requests alone."""
    def answer(head, body, r):
        kept = r.status, r.fields.get("content-type", ""), r.body
        return change(body, *kept) if head.startswith(b"POST /pm/v1/sealed") else kept
    return answer


def sealed_with(change):
    """Changes the frames of sealed answers."""
    def with_frames(_, status, kind, data):
        head, found = frames(data)
        return status, kind, head + b"".join(change(found))
    return only_sealed(with_frames)


def test_changed_answers(programs):
    with Scene(programs) as s:
        stream = chat(stream=True)
        s.relay.answer = sealed_with(lambda f: f)
        r = s.post(CHAT, stream)
        assert r.status == 200 and r.whole, (r.status, r.body)
        total = len(frames(b"x" * 0 + last_answer(s, stream))[1])
        assert total > 4
        for n in range(total): # truncated cleanly between any two frames, the end of the outer body being whole
            s.relay.answer = sealed_with(lambda f, n=n: f[:n])
            refused(s, stream)
        changes = [
            lambda f: f[:1] + f[2:], # one is missing
            lambda f: f[:1] + [f[2], f[1]] + f[3:], # two change places
            lambda f: f[:2] + [f[1]] + f[2:], # one comes twice
            lambda f: f + [f[-1]], # something follows the end
            lambda f: f[:-1] + [f[-1][:4] + b"\0" + f[-1][5:]], # the end is none
            lambda f: f[:1] + [f[1][:4] + b"\1" + f[1][5:]], # what is no end is one
            lambda f: f[:-1] + [f[-1][:-1] + bytes([f[-1][-1] ^ 1])],
            lambda f: [f[0][:20] + bytes([f[0][20] ^ 1]) + f[0][21:]] + f[1:],
            lambda f: f[:1] + [b"\xff\xff\xff\xff"] + f[1:],
        ]
        for change in changes:
            s.relay.answer = sealed_with(change)
            refused(s, stream)
        s.relay.answer = None
        assert s.post(CHAT, stream).whole, "and goes on"


def last_answer(s, body):
    """A sealed answer as it went over the wire."""
    kept = []
    s.relay.answer = only_sealed(lambda _, *r: kept.append(r[2]) or r)
    assert s.post(CHAT, body).whole
    return kept[0]


def test_answers_of_others(programs):
    plain = json.dumps({"choices": [{"message": {"role": "assistant", "content": "FORGED"}}]}).encode()
    sse = b'data: {"choices":[{"delta":{"content":"FORGED"}}]}\n\ndata: [DONE]\n\n'
    error = b'{"error":{"message":"FORGED","type":"x","code":"busy"}}'
    with Scene(programs) as s:
        old = last_answer(s, chat())
        forged = [
            lambda body, *r: (200, SEALED, old), # another exchange's answer
            lambda body, *r: (200, SEALED, body), # the request reflected
            lambda body, *r: (200, "application/json", plain),
            lambda body, *r: (200, "text/event-stream", sse),
            lambda body, *r: (200, SEALED, plain * 20),
            lambda body, *r: (200, SEALED, b""),
            lambda body, *r: (200, r[1] + "x", r[2]),
            lambda body, *r: (400, "application/json", error),
            lambda body, *r: (400, "application/json", error * 2000),
            lambda body, *r: (500, SEALED, r[2]),
            lambda body, *r: (302, "text/plain", b""),
            lambda body, *r: (503, "text/html", b"<h1>FORGED</h1>"),
            lambda body, *r: (401, "application/json", b"FORGED"),
        ]
        for n, change in enumerate(forged):
            s.relay.answer = only_sealed(change)
            r = refused(s)
            assert b"FORGED" not in r.body, (n, r.body)
        s.relay.answer = only_sealed(lambda *_: None)
        refused(s, codes=("unreachable",))
        # The first bytes of a real answer, then the connection breaks.
        s.relay.answer = only_sealed(lambda body, status, kind, data: (status, kind, data[:-1]))
        refused(s)


def test_forged_unknown_secret(programs):
    """Anybody can say so: one more try, and no more."""
    error = b'{"error":{"message":"no secret for ID","type":"x","code":"unknown_secret"}}'
    with Scene(programs) as s:
        s.relay.answer = only_sealed(lambda *_: (500, "application/json", error))
        before = s.relay.count("/pm/v1/sealed")
        r = refused(s)
        assert r.status == 502 and s.relay.count("/pm/v1/sealed") == before + 2
        assert s.figure("retried_total") == 1
        # Of a longer answer so much is not kept, nor taken for an error of a worker.
        s.relay.answer = only_sealed(lambda *_: (500, "application/json", b" " * 5000 + error))
        refused(s)
        assert s.figure("retried_total") == 1


def test_changed_requests(programs):
    """The worker refuses what is not as the client sent it, and the client sees that it came to no answer."""
    def swap(name, value):
        def change(head, body):
            if head.startswith(b"POST /pm/v1/sealed"):
                head = re.sub(rb"(?i)(%s: )[^\r]*" % name, rb"\g<1>" + value, head)
            return head, body
        return change

    def cut(head, body):
        return head, body[:-40] if head.startswith(b"POST /pm/v1/sealed") else body

    sent = []

    def replay(head, body):
        if head.startswith(b"POST /pm/v1/sealed"):
            sent.append((head, body))
            return sent[0]
        return head, body

    with Scene(programs) as s:
        assert s.post(CHAT, chat()).status == 200
        for ask_change in (swap(b"Pm-Model", b"other"), swap(b"Pm-Secret-Id", b"bm9ib2R5"), cut):
            s.relay.ask = ask_change
            r = s.post(CHAT, chat())
            assert not (r.status == 200 and r.whole) and CANARY.encode() not in r.body, r.body
        s.relay.ask = replay
        assert s.post(CHAT, chat()).status == 200
        r = s.post(CHAT, chat())
        assert r.status != 200 and error_of(r)[0] == "in-between", r.body


def test_other_evidence(programs):
    """Evidence for another nonce, and another worker's key exchange."""
    kept = []

    def replay(head, body, r):
        if head.startswith(b"POST /pm/v1/evidence"):
            kept.append(r.body)
            return 200, r.fields["content-type"], kept[0]
        return r.status, r.fields["content-type"], r.body

    with Scene(programs) as s:
        s.client.wait_for("worker verified")
        s.relay.answer = replay
        assert verify(programs, "--manifest", s.manifest, s.relay.url)[0] == 0
        status, said = verify(programs, "--manifest", s.manifest, s.relay.url)
        assert status == 1 and "nonce" in said, said
        s.relay.answer = None
        # A second worker answers the key exchange of the first: his secret is not the one that was agreed on.
        with Worker(programs[1:]) as w:
            first = s.worker.address

            def route(head, body):
                s.relay.target = first if head.startswith(b"POST /pm/v1/evidence") else w.address
                return head, body

            s.relay.ask = route
            with s.start() as d:
                r = s.post(CHAT, chat(), client=d)
                assert r.status >= 500 or r.status == 400, (r.status, r.body)
                assert error_of(r)[0] == "in-between" and CANARY.encode() not in r.body, r.body
                assert d.stop() == 0
            s.relay.ask = None
            s.relay.target = first


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
