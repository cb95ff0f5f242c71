#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pm-coordinator on a software processor: who may change what, and who gets a certificate.
coordinator.py PM-COORDINATOR COORDINATOR-PEER FOLDER-OF-TOOLS"""
import base64
import hashlib
import contextlib
import json
import os
import re
import sys
import tempfile
import threading

from deployment import Deployment, OTHER, b64, public_of, run
from harness import Daemon, LIMIT, ask, connect, figure, read_until, run_tests


def first(d, c, manifest=None):
    """The first manifest is set: it, its shares, and what a client sees."""
    manifest = manifest or d.manifest()
    r = c.set_manifest(manifest)
    assert r.status == 200, r.body
    seen = c.attest(manifest)
    assert seen.get("state") == "ready", seen
    return manifest, d.shares(r.json, seen["commitment"]), seen


def test_from_manifest_to_certificate(programs):
    with Deployment(programs) as d, d.start() as c:
        c.wait_for_state("empty")
        assert c.status() == {"State": "empty", "Serial": None, "Manifest": None, "MeshCA": None,
                              "Replicas": c.status()["Replicas"], "Shares": None}
        manifest = d.manifest()
        r = c.set_manifest(manifest)
        assert r.status == 200 and r.json["Serial"] == 1 and r.json["Manifest"] == d.hash_of(manifest), r.body
        assert [x["Name"] for x in r.json["Shares"]] == ["dave", "erin", "frank"]
        # Who asks again, since an answer was lost, gets the same.
        assert c.set_manifest(manifest).json == r.json
        assert c.status()["State"] == "ready" and c.status()["Manifest"] == r.json["Manifest"]
        seen = c.attest(manifest)
        assert seen["state"] == "ready" and seen["serial"] == "1", seen
        assert c.status()["MeshCA"] == hashlib.sha256(bytes.fromhex(seen["mesh"])).hexdigest()
        shares = d.shares(r.json, seen["commitment"])
        assert len(set(shares.values())) == 3 and all(len(x) == 66 for x in shares.values())

        one = c.library_join(pin=manifest)
        assert one.get("role") == "worker" and one["model"] == "tiny" and one["mesh"] == seen["mesh"], one
        assert int(one["lifetime"]) in range(14400, 14400 + 61), one
        two = c.library_join(purpose="sign")
        assert two.get("secret") == one["secret"] and two["replica"] != one["replica"], two
        workers = c.ask("GET", "workers").json["Workers"]
        assert {w["Replica"] for w in workers} == {one["replica"], two["replica"]}
        assert all(w["Role"] == "worker" and w["Models"] == ["tiny"] and w["Expires"] > w["Joined"] for w in workers)
        for w in workers:
            path = tempfile.mktemp(dir=d.folder)
            with open(path, "wb") as f:
                f.write(base64.b64decode(w["Evidence"]))
            run(f"{d.tools}/pm-verify", "bundle", path, "--manifest", d.write("m", manifest), "--nonce",
                base64.b64decode(w["Nonce"]).hex(), "--role", "worker")
        check_log(d, c, manifest, ["manifest.set", "worker.joined", "worker.joined"])
        assert figure(c.daemon.address("metrics"), "pm_coordinator_joined_total") == 2
        hidden(d, c, shares, one["secret"])


def log_of(c, after=0):
    r = c.ask("GET", f"log?after={after}")
    assert r.status == 200, r.body
    return r.body


def check_log(d, c, manifest, events):
    """The log is what the attested document says, and holds these events."""
    text = log_of(c)
    seen = c.attest(manifest)
    path = f"{d.folder}/log"
    with open(path, "wb") as f:
        f.write(text)
    with open(f"{d.folder}/audit.der", "wb") as f:
        f.write(bytes.fromhex(seen["audit"]))
    run("openssl", "pkey", "-pubin", "-inform", "DER", "-in", f"{d.folder}/audit.der", "-out", f"{d.folder}/audit.pub")
    # Another coordinator may have written more than this one knows of.
    run(f"{d.tools}/pm-ctl", "log", "verify", path, "--key", f"{d.folder}/audit.pub", "--seen",
        f"{seen['entries']}:{seen['log']}")
    lines = [json.loads(x) for x in text.splitlines()]
    assert [x["event"] for x in lines] == events, lines
    assert 0 < int(seen["entries"]) <= len(lines)
    if len(lines) > 1:
        assert log_of(c, 1) == b"".join(x + b"\n" for x in text.splitlines()[1:])
    return lines


def hidden(d, c, shares, *secrets):
    """No share, seed or secret stands in the log or in an answer, in any of its forms."""
    text = (d.logs + c.daemon.text()).encode() + d.answers
    for secret in (*shares.values(), *(x[2:] for x in shares.values()), *secrets):
        raw = bytes.fromhex(secret)
        for form in (raw, secret.encode(), b64(raw).encode().rstrip(b"="), b64(raw[:30]).encode()):
            assert form not in text, "a secret was told"


def test_evidence_of_others(programs):
    """Evidence that is somebody else's, for another nonce, or told a second time."""
    with Deployment(programs) as d, d.start() as c, d.start("memory:other") as other:
        manifest, shares, _ = first(d, c)
        first(d, other)
        refused = []
        nonce = c.nonce()
        bundle = d.bundle(nonce)
        assert c.join(bundle).status == 200
        r = c.join(bundle)
        assert r.status == 403 and "nonce" in r.message, "a nonce is good once"
        r = c.join(d.bundle(os.urandom(32)))
        assert r.status == 403 and "nonce" in r.message, "it is not one of ours"
        r = c.join(d.bundle(other.nonce()))
        assert r.status == 403 and "nonce" in r.message, "it is of another coordinator"
        # Its own bundle, under a nonce that it is not for: the path, not the name, is what counts.
        fresh = c.nonce()
        relayed = bundle.replace(nonce, fresh)
        assert relayed != bundle
        r = c.join(relayed)
        assert r.status == 403 and "REPORT_DATA" in r.message, r.body
        refused.append(r.message)
        r = c.join(bundle.replace(nonce, fresh))
        assert r.status == 403 and "nonce" in r.message, "it was spent by the refusal"
        # Another's box key beside good evidence: the answer would be readable for him.
        run(f"{d.tools}/pm-ctl", "key", "new", "--type", "xwing", "-o", f"{d.folder}/m.key", "--public",
            f"{d.folder}/m.pub")
        r = c.join(d.bundle(c.nonce()), public_of(f"{d.folder}/m.pub", 1216))
        assert r.status == 403 and "document" in r.message, r.body
        refused.append(r.message)
        xwing = public_of(f"{d.folder}/m.pub", 1216)
        for words, bundle in (
                ("MEASUREMENT", lambda n: d.bundle(n, "--field", f"measurement={OTHER}")),
                ("MEASUREMENT: ", lambda n: d.bundle(n, role="other")),
                ("role", lambda n: d.bundle(n, role="nobody")),
                ("issued at", lambda n: d.bundle(n, "--time", "2026-01-01T00:00:00Z")),
                ("claims.key", lambda n: d.bundle(n, key=xwing))):
            r = c.join(bundle(c.nonce()))
            assert r.status == 403 and words in r.message, (words, r.body)
            refused.append(r.message)
        lines = [json.loads(x) for x in log_of(c).splitlines()]
        assert [x["fields"]["reason"] for x in lines if x["event"] == "worker.refused"] == refused, (lines, refused)
        hidden(d, c, shares)
        assert manifest["serial"] == 1


def test_refusals_fill_no_store(programs):
    """Anybody can have joins refused: how many were is known, but not for ever of each why."""
    with Deployment(programs) as d, d.start() as c:
        first(d, c)
        nonce = c.nonce()
        bundle = d.bundle(nonce)
        for _ in range(300):
            assert c.join(bundle.replace(nonce, c.nonce())).status == 403
        assert "role" in c.library_join(), "nobody is kept out by that"
        lines = [json.loads(x) for x in log_of(c).splitlines()]
        refused = [x["fields"] for x in lines if x["event"] == "worker.refused"]
        assert 256 <= len(refused) < 300 and lines[-1]["event"] == "worker.joined", len(refused)
        assert all(x["omitted"] == "0" for x in refused[:256])
        assert figure(c.daemon.address("metrics"), "pm_coordinator_refused_total") == 300


def test_manifests_that_are_refused(programs):
    with Deployment(programs) as d, d.start() as c:
        one = d.manifest()
        for signers, words in ((("alice",), "threshold"), (("mallory", "alice"), "threshold")):
            r = c.set_manifest(one, signers)
            assert r.status == 403, (words, r.body)
        r = c.set_manifest(d.manifest(roles={"worker": d.role(models=["tiny"])}))
        assert r.status == 403 and "coordinator" in r.message, r.body
        roles = one["roles"] | {"coordinator": d.role(OTHER)}
        r = c.set_manifest(d.manifest(roles=roles))
        assert r.status == 403 and "MEASUREMENT" in r.message and "own evidence" in r.message, r.body
        r = c.set_manifest(d.manifest(serial=7, previous="00" * 32))
        assert r.status == 403 and "serial" in r.message, r.body
        assert c.status()["State"] == "empty"
        first(d, c, one)
        two = d.manifest(one)
        for bad, words in ((d.manifest(one, previous="11" * 32), "previous"), (d.manifest(one, serial=3), "serial"),
                           (d.manifest(one, seed_share_owners=None), "seed_share_owners"),
                           (d.manifest(not_after="2026-01-01T00:00:00Z", not_before="2025-01-01T00:00:00Z"), "")):
            r = c.set_manifest(bad)
            assert r.status == 403 and words in r.message, (words, r.body)
        r = c.set_manifest(two, ("alice", "mallory"))
        assert r.status == 403, r.body
        assert c.set_manifest(two).status == 200
        # The one before, whole and signed, comes back.
        r = c.set_manifest(one)
        assert r.status == 403 and ("serial" in r.message or "previous" in r.message), r.body
        assert c.status()["Serial"] == 2
        seen = c.attest(two)
        assert seen["serial"] == "2", seen
        assert "no" in c.attest(one)


def test_two_at_once(programs):
    """Of two manifests that are set at a time one holds, whoever asks whom."""
    with Deployment(programs) as d, d.start() as a, d.start() as b:
        for before in (None, "won"):
            base = None if not before else winner
            rivals = [d.manifest(base, not_after=f"{2030 + i}-12-31T00:00:00Z") for i in range(4)]
            files = [d.signed(m) for m in rivals]
            answers = {}

            def set_one(i):
                body = {"Manifest": b64(files[i][0]), "Signatures": b64(files[i][1])}
                answers[i] = (a if i % 2 or before else b).ask("POST", "manifest", body)

            threads = [threading.Thread(target=set_one, args=(i,)) for i in range(4)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(LIMIT)
            won = [i for i, r in answers.items() if r.status == 200]
            assert len(won) == 1, {i: (r.status, r.body) for i, r in answers.items()}
            assert all(r.status in (403, 409, 503) for i, r in answers.items() if i not in won)
            winner = rivals[won[0]]
            first_of = a if won[0] % 2 or before else b
            seen = first_of.attest(winner, f"{d.folder}/memory")
            assert seen.get("state") == "ready", seen
            if not before and first_of is b:
                a, b = b, a


def test_bad_requests(programs):
    with Deployment(programs) as d, d.start() as c:
        for path in ("attest", "challenge", "join", "recover", "manifest"):
            assert c.ask("GET", path).status == 405
        for path in ("status", "workers", "log"):
            assert c.ask("POST", path, b"{}").status == 405
        assert c.ask("GET", "none").status == 404 and c.ask("GET", "status?x=1").status == 404
        good = b64(bytes(32))
        for body in (b"", b"[]", b"{", b"{}x", b'{"Nonce":1}', b'{"Nonce":"AAAA"}', b'{"Nonce":"*"}', b'{"Nonce":null}',
                     json.dumps({"Nonce": good, "More": "x"}).encode(),
                     f'{{"Nonce":"{good}","Nonce":"{good}"}}'.encode()):
            assert c.ask("POST", "attest", body).status == 400, body
        assert c.ask("POST", "challenge", {"x": "y"}).status == 400
        assert c.ask("POST", "challenge", b"").status == 400
        assert c.ask("POST", "attest", b"x" * 9000).status == 413
        for body in ({}, {"Manifest": "e30="}, {"Manifest": "", "Signatures": ""},
                     {"Manifest": "e30=", "Signatures": "e30="}):
            assert c.ask("POST", "manifest", body).status == 400, body
        assert c.ask("POST", "recover", {"Box": good}).status == 409
        assert c.ask("POST", "join", {"Evidence": good, "Document": good}).status == 503
        assert c.ask("GET", "workers").status == 503
        manifest, _, _ = first(d, c)
        for body in ({"Evidence": good, "Document": good}, {"Evidence": good}, {"Evidence": good, "Document": ""},
                     {"Evidence": good, "Document": b64(bytes(1216))}):
            assert c.ask("POST", "join", body).status == 400, body
        for query in ("log?after=", "log?after=x", "log?after=1&x", "log?before=1", "log?after=-1",
                      "log?after=99999999999999999"):
            assert c.ask("GET", query).status == 400, query
        assert log_of(c, 5) == b"" and manifest


def test_bodies_without_end(programs):
    """Who sends large requests slowly keeps nobody out."""
    with Deployment(programs) as d, d.start() as c, contextlib.ExitStack() as stack:
        first(d, c)
        piece = b"x" * (5 << 20)
        head = f"POST /pm/v1/join HTTP/1.1\r\nHost: x\r\nContent-Length: {len(piece) + 1}\r\n\r\n".encode()
        open_ones = [stack.enter_context(connect(c.address)) for _ in range(40)]
        for s in open_ones:
            s.sendall(head + piece)
        # The first ones made room for the last.
        assert b" 503 " in read_until(open_ones[0], b"\r\n")
        assert "role" in c.library_join()


def test_rates(programs):
    with Deployment(programs) as d:
        with Daemon(d.program, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--attester", d.socket, "--store",
                    "memory:x", "--rate", "2") as daemon:
            found = [ask(daemon.address(), "POST", "/pm/v1/challenge", b"{}").status for _ in range(40)]
            assert found[:10] == [200] * 10 and 429 in found[10:], found
            assert figure(daemon.address("metrics"), "pm_coordinator_limited_total") == found.count(429)
            assert figure(daemon.address("metrics"), 'pm_coordinator_state{state="empty"}') == 1
            assert daemon.stop() == 0


def test_without_evidence(programs):
    """Without a processor nothing is proved, and no manifest is set."""
    with Deployment(programs) as d, d.start() as c:
        d.stop_attester()
        d.stop_attester = lambda: None
        assert c.ask("POST", "attest", {"Nonce": b64(bytes(32))}).status == 503
        r = c.set_manifest(d.manifest())
        assert r.status == 503 and c.status()["State"] == "empty", r.body
        d.stack.pop_all()


def test_options(programs):
    with Deployment(programs) as d:
        base = ["--listen", "127.0.0.1:0", "--attester", d.socket]
        for args in ([], ["--store", "x:y"], ["--store", "memory:x", "--lifetime", "59s"],
                     ["--store", "memory:x", "--lifetime", "86401s"], ["--store", "memory:x", "--rate", "0"],
                     ["--store", "memory:x", "--threads", "2"], ["--store", "memory:x", "--owners", "/none"],
                     ["--store", "memory:x", "--owners", f"{d.sim}/policy.json"],
                     ["--store", "memory:x", "--store-cert", "x"], ["--store", "memory:x", "more"],
                     ["--store", "memory:x", *["--peer", "http://x"] * 17]):
            with Daemon(d.program, *base, *args) as daemon:
                assert daemon.wait() == 2, args
        done = run(d.program, "--help")
        assert "Examples:" in done.stdout and re.search(r"^Exit status", done.stdout, re.M)
        assert run(d.program, "--version").stdout.startswith("pm-coordinator ")
        # Without --owners there is no first manifest.
        with Daemon(d.program, *base, "--metrics", "127.0.0.1:0", "--store", "memory:x") as daemon:
            data, signatures = d.signed(d.manifest())
            r = ask(daemon.address(), "POST", "/pm/v1/manifest",
                    json.dumps({"Manifest": b64(data), "Signatures": b64(signatures)}).encode())
            assert r.status == 403 and b"--owners" in r.body, r.body
            assert daemon.stop() == 0


if __name__ == "__main__":
    run_tests(sys.modules[__name__], sys.argv[1:])
