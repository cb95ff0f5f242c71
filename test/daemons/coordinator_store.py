#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What outlives a coordinator: its store, old, forged or set back; recovery, peers, and processes that are killed.
coordinator_store.py CLOCK PM-COORDINATOR COORDINATOR-PEER FOLDER-OF-TOOLS"""
import contextlib
import json
import os
import random
import shutil
import sys
import threading
import time

from coordinator import check_log, first, hidden, log_of
from deployment import Coordinator, Deployment, Etcd, OTHER, b64, run
from harness import Clock, LIMIT, free_port, run_tests

KILLS = 8


def test_recovery(programs):
    with Deployment(programs) as d:
        with d.start() as c:
            manifest, shares, before = first(d, c)
            joined = c.library_join()
        with d.start() as c:
            status = c.wait_for_state("sealed")
            assert status["Serial"] == 1
            seen = c.attest(manifest, sealed=True)
            assert seen["state"] == "sealed" and "no" in c.attest(manifest), seen
            assert c.status()["Shares"] == {"Have": 0, "Need": 2}
            assert c.join(d.bundle(os.urandom(32))).status == 503
            assert c.set_manifest(d.manifest(manifest)).status == 503
            # A share without an owner, for another process, for another history, in no box.
            other = seen["process"][:-2] + ("00" if seen["process"][-2:] != "00" else "01")
            assert c.consent(seen, "mallory", shares["dave"]).status == 403
            for change in ({"process": before["process"]}, {"link": "11" * 32}):
                r = c.consent(seen, "alice", shares["dave"], **change)
                assert r.status == 403, (change, r.body)
            assert other and c.ask("POST", "recover", {"Box": b64(b"x" * 1300)}).status == 403
            assert c.status()["Shares"] == {"Have": 0, "Need": 2}
            # One owner is not two, whatever he has; nor are two owners with one share.
            assert c.consent(seen, "alice", shares["dave"]).json == {"Have": 1, "Need": 2, "State": "sealed"}
            assert c.consent(seen, "bob", shares["dave"]).json == {"Have": 1, "Need": 2, "State": "sealed"}
            # Wrong ones, under any number, give no seed, and keep nobody's from doing it.
            for wrong in (shares["frank"][:2] + "ab" * 32, shares["dave"][:2] + "cd" * 32, "77" * 33):
                r = c.consent(seen, "bob", wrong)
                assert r.status == (403 if wrong[:2] != shares["dave"][:2] else 200) or "shares" in r.message, r.body
                assert c.status()["Shares"] == {"Have": 1, "Need": 2} and c.status()["State"] == "sealed"
            assert c.consent(seen, "bob", "00" * 33).status == 403
            c.daemon.wait_for("result=taken owner=bob share=119")
            c.recover(manifest, shares)
            r = c.consent(seen, "alice", shares["dave"])
            assert r.status == 409, "it is not sealed any more"
            after = c.attest(manifest, f"{d.folder}/memory")
            assert after["root"] == before["root"] and after["mesh"] != before["mesh"]
            assert after["link"] == before["link"]
            again = c.library_join(pin=manifest)
            assert again["secret"] == joined["secret"] and again["mesh"] == after["mesh"], again
            check_log(d, c, manifest, ["manifest.set", "worker.joined", "coordinator.recovered", "worker.joined"])
            assert c.set_manifest(d.manifest(manifest)).status == 200
            hidden(d, c, shares, again["secret"])


def test_a_manifest_that_ends(programs):
    """It certifies nobody any more, and is followed by the next: also when no coordinator ran at its end."""
    day = 86400

    def ends(days):
        return {"not_after": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * day))}

    def is_over(c, manifest):
        log = log_of(c)
        r = c.join(d.bundle(c.nonce()))
        assert r.status == 503 and "manifest.validity" in r.message, r.body
        assert "manifest.validity" in c.library_join()["no"] and "manifest.validity" in c.attest(manifest)["no"]
        assert log_of(c) == log, "nobody was judged"
        assert c.status()["State"] == "ready"

    with Clock(CLOCK) as clock, clock.of_all(), Deployment(programs) as d:
        one = d.manifest(**ends(1))
        two = d.manifest(one, **ends(3))
        three, late = d.manifest(two), d.manifest(one)
        with d.start() as c:
            _, shares, before = first(d, c, one)
            joined = c.library_join()
            clock.set(2 * day)
            is_over(c, one)
            assert c.set_manifest(two).status == 200
            assert c.library_join(pin=two)["secret"] == joined["secret"]
        clock.set(4 * day)
        with d.start() as c:
            c.wait_for_state("sealed")
            assert "no" in c.attest(two)
            c.recover(two, shares)
            is_over(c, two)
            assert c.set_manifest(late).status == 403
            assert c.set_manifest(three).status == 200
            after = c.library_join(pin=three)
            assert after["secret"] == joined["secret"] and c.attest(three)["root"] == before["root"]
            check_log(d, c, three, ["manifest.set", "worker.joined", "manifest.set", "worker.joined",
                                    "coordinator.recovered", "manifest.set", "worker.joined"])


def test_a_clock_that_was_ahead(programs):
    """Once it is set right the next manifest takes force and workers join, though what stands is of later days."""
    with Clock(CLOCK) as clock, clock.of_all(), Deployment(programs) as d:
        clock.set(2 * 86400)
        with d.start() as c:
            one, _, _ = first(d, c)
            assert "role" in c.library_join()
            clock.set(0)
            assert "mesh_ca.validity" in c.library_join()["no"]
            two = d.manifest(one)
            r = c.set_manifest(two)
            assert r.status == 200, r.body
            found = c.library_join(pin=two)
            assert "role" in found, found
            assert len(c.ask("GET", "workers").json["Workers"]) == 2
            assert c.attest(two).get("serial") == "2"
            check_log(d, c, two, ["manifest.set", "worker.joined", "worker.refused", "manifest.set",
                                  "worker.joined"])


def test_recovery_that_can_not_write(programs):
    """Somebody else writes at that moment: it is told so, and goes on by itself with the seed that it has."""
    with Deployment(programs) as d:
        with d.start() as c:
            manifest, shares, _ = first(d, c)
        with d.start() as c:
            c.wait_for_state("sealed")
            seen = c.attest(manifest, sealed=True)
            assert c.consent(seen, "alice", shares["dave"]).status == 200
            head, done = d.store_value("coordinator/head"), threading.Event()

            def write():
                for back in range(1, 10**6):
                    if done.is_set():
                        return
                    d.put_store_value("coordinator/head", head, back % 3 + 1)

            writer = threading.Thread(target=write)
            writer.start()
            try:
                r = c.consent(seen, "bob", shares["frank"])
            finally:
                done.set()
                writer.join(LIMIT)
            assert r.status in (200, 409), r.body  # mostly
            c.wait_for_state("ready")
            assert "role" in c.library_join(pin=manifest)


def test_an_old_store_after_a_restart(programs):
    """The host keeps what the store was, and shows it again: owners name the head that they know."""
    with Deployment(programs) as d:
        with d.start() as c:
            one, shares, _ = first(d, c)
        shutil.copy(f"{d.folder}/store.db", f"{d.folder}/old.db")
        with d.start() as c:
            c.recover(one, shares)
            two = d.manifest(one)
            assert c.set_manifest(two).status == 200
            newest = c.attest(two, f"{d.folder}/memory")
        for name in os.listdir(d.folder):
            if name.startswith("store.db"):
                os.unlink(f"{d.folder}/{name}")
        shutil.copy(f"{d.folder}/old.db", f"{d.folder}/store.db")
        with d.start() as c:
            assert c.wait_for_state("sealed")["Serial"] == 1
            seen = c.attest(one, sealed=True)
            assert seen["link"] != newest["link"]
            for owner, holder in (("alice", "dave"), ("carol", "frank")):
                r = c.consent(seen, owner, shares[holder], link=newest["link"])
                assert r.status == 403 and "history" in r.message, r.body
            assert c.status()["State"] == "sealed"
            # And if they were fooled, a client that remembers is not.
            c.recover(one, shares)
            assert "no" in c.attest(one, f"{d.folder}/memory")


def test_a_forged_store(programs):
    """Who writes to the store can say anything: with the seed it is found out, with another seed it is another."""
    with Deployment(programs) as d:
        manifest = d.manifest()
        with d.start() as c:
            _, shares, _ = first(d, c, manifest)
        with d.start(f"sqlite:{d.folder}/other.db") as c:
            first(d, c, manifest)
        ours, other = (json.loads(d.store_value("coordinator/head", name)) for name in ("store", "other"))
        for change, words in (({"history": other["history"]}, "signature"), ({"root_ca": other["root_ca"]}, "history"),
                              ({"commitment": other["commitment"]}, "another seed")):
            d.put_store_value("coordinator/head", json.dumps(ours | change).encode())
            with d.start() as c:
                seen = c.attest(manifest, sealed=True)
                assert c.consent(seen, "alice", shares["dave"]).status == 200
                r = c.consent(seen, "bob", shares["frank"])
                assert r.status == 403 and words in r.message, (change, r.body)
                assert c.status()["State"] == "sealed" and c.status()["Shares"]["Have"] < 2
        # What is no head, and a manifest of another hash, is neither taken nor overwritten.
        for key, value in (("coordinator/head", b"{}"), ("coordinator/head", json.dumps(ours | {"seq": 0}).encode()),
                           ("coordinator/head", json.dumps(ours | {"manifest": "00" * 32}).encode())):
            d.put_store_value(key, value)
            with Coordinator(d, "--store", f"sqlite:{d.folder}/store.db", "--owners", f"{d.folder}/owners",
                             looks=False) as c:
                c.daemon.wait_for("its head is malformed")
                assert c.set_manifest(manifest).status == 503 and c.status()["State"] == "stale"
        d.put_store_value("coordinator/head", json.dumps(ours).encode())
        d.put_store_value("coordinator/manifest/" + ours["manifest"], json.dumps(d.manifest(serial=1, secrets=[],
                                                                                         models={})).encode())
        with d.start() as c:
            c.daemon.wait_for("does not have the hash")
            assert c.status()["Shares"] is None
            assert c.ask("POST", "recover", {"Box": b64(bytes(1300))}).status == 409


def test_the_store_goes_back_under_a_process(programs):
    with Deployment(programs) as d, d.start() as c:
        one, _, _ = first(d, c)
        old = d.store_value("coordinator/head")
        two = d.manifest(one)
        assert c.set_manifest(two).status == 200
        d.put_store_value("coordinator/head", old)
        c.daemon.wait_for("older state")
        assert c.wait_for_state("stale")["Serial"] == 2
        assert c.join(d.bundle(os.urandom(32))).status == 503
        assert c.set_manifest(d.manifest(two)).status == 503


def test_a_head_of_another_seed(programs):
    """It is not followed, whatever history it shows, and does no harm once it is gone."""
    with Deployment(programs) as d, d.start() as c:
        first(d, c)
        head = d.store_value("coordinator/head")
        other = json.loads(head)
        d.put_store_value("coordinator/head", json.dumps(other | {"seq": 9, "commitment": "00" * 32}).encode())
        c.daemon.wait_for("another history")
        c.wait_for_state("stale")
        d.put_store_value("coordinator/head", head)
        c.wait_for_state("ready")


def peers(d, port):
    return ["--peer", f"http://127.0.0.1:{port}"]


def test_peers(programs):
    """A second coordinator gets the keys from the first, both follow, and one dies."""
    with Deployment(programs) as d, d.start() as a:
        one, shares, seen = first(d, a)
        with d.start("sqlite", *peers(d, a.address[1])) as b:
            b.wait_for_state("ready")
            there = b.attest(one)
            assert there["mesh"] == seen["mesh"] and there["root"] == seen["root"]
            assert there["process"] != seen["process"]
            x, y = a.library_join(), b.library_join()
            assert x["secret"] == y["secret"]
            two = d.manifest(one)
            assert a.set_manifest(two).status == 200
            b.wait_for_manifest(two)
            b.wait_for_state("ready")
            assert b.attest(two)["mesh"] == a.attest(two)["mesh"]
            events = [json.loads(x)["event"] for x in log_of(b).splitlines()]
            assert events == ["manifest.set", "coordinator.joined", "worker.joined", "worker.joined", "manifest.set",
                              "coordinator.joined"], events
            hidden(d, b, shares, x["secret"])
        # Who is no coordinator gets no seed.
        r = a.join(d.bundle(a.nonce(), "--field", f"measurement={OTHER}", role="coordinator"))
        assert r.status == 403 and "MEASUREMENT" in r.message, r.body
        assert "no" in a.library_join("coordinator", "sign", args=["--field", f"measurement={OTHER}"])
        assert "seed" in a.library_join("coordinator", "sign")


def test_three_on_etcd(programs):
    """Any of them takes the next manifest, any may be killed, and after all were, shares of two owners do."""
    etcd = shutil.which("etcd")
    if not etcd:
        print("skipped: etcd is not installed")
        return
    with Deployment(programs) as d, Etcd(etcd, d.folder) as cluster, contextlib.ExitStack() as stack:
        ports = [free_port() for _ in range(3)]

        def start(i):
            others = [x for p in ports if p != ports[i] for x in peers(d, p)]
            return stack.enter_context(d.start(f"etcd:{cluster.url}", *others, listen=f"127.0.0.1:{ports[i]}"))

        def agree(all_of_them, manifest):
            for c in all_of_them:
                c.wait_for_state("ready")
            seen = [c.attest(manifest, f"{d.folder}/memory") for c in all_of_them]
            assert len({(x.get("mesh"), x["link"], x["root"]) for x in seen}) == 1, seen
            return seen[0]

        a = start(0)
        one, shares, _ = first(d, a)
        b, c = start(1), start(2)
        before = agree([a, b, c], one)
        two = d.manifest(one)
        assert b.set_manifest(two).status == 200
        assert agree([b], two)["mesh"] != before["mesh"]
        for x in (a, c):
            x.wait_for_manifest(two)
        agree([a, b, c], two)
        secret = {x.library_join()["secret"] for x in (a, b, c)}
        assert len(secret) == 1
        b.kill()
        three = d.manifest(two)
        assert c.set_manifest(three).status == 200
        b = start(1)
        a.wait_for_manifest(three)
        b.wait_for_manifest(three)
        last = agree([a, b, c], three)
        for x in (a, b, c):
            x.kill()
        b = start(1)
        b.recover(three, shares)
        a, c = start(0), start(2)
        after = agree([a, b, c], three)
        assert after["root"] == last["root"] and after["mesh"] != last["mesh"]
        assert {a.library_join()["secret"]} == secret
        events = [json.loads(x)["event"] for x in log_of(c).splitlines()]
        assert events.count("manifest.set") == 3 and events.count("coordinator.recovered") == 1, events
        check_log(d, c, three, events)
        hidden(d, c, shares, *secret)


def test_no_peer_answers(programs):
    """Then another mesh CA is made, and who can reach its maker follows."""
    with Deployment(programs) as d, d.start("sqlite", *peers(d, 9)) as a:
        one, _, seen = first(d, a)
        with d.start("sqlite", *peers(d, a.address[1])) as b:
            b.wait_for_state("ready")
            two = d.manifest(one)
            assert b.set_manifest(two).status == 200
            middle = b.attest(two)
            a.daemon.wait_for("^.* renewed ")
            a.wait_for_state("ready")
            last = a.attest(two)
            while b.attest(two).get("mesh") != last["mesh"]:
                b.wait_for_state("ready")  # with the old one, until it looks
            assert len({x["mesh"] for x in (seen, middle, last)}) == 3 and last["link"] == middle["link"]


def test_workers_among_others(programs):
    """What is not ours in the store is passed over, each once, and each of ours is told once."""
    with Deployment(programs) as d, d.start() as c:
        first(d, c)
        for role in ("other", "worker"):
            assert "role" in c.library_join(role, args=("--field", f"measurement={OTHER}") if role == "other" else ())
        for i in range(70):
            for role in ("a", "other", "q", "worker", "z"):
                d.write_store_value(f"coordinator/worker/{role}/{'f' * 33}{i:02}", b"x" * (100 * (i % 2)))
        r = c.ask("GET", "workers")
        assert r.status == 200 and [w["Role"] for w in r.json["Workers"]] == ["other", "worker"], r.body[:2000]


def test_a_log_that_was_changed(programs):
    """Nobody is admitted when the log does not go on from what was written."""
    with Deployment(programs) as d:
        with d.start() as c:
            manifest, shares, _ = first(d, c)
            assert "role" in c.library_join()
        with d.start() as c:
            c.recover(manifest, shares)
            lines = log_of(c).splitlines(keepends=True)
            # A line that was there before, in the place of the next one.
            d.put_store_value(f"coordinator/log/{len(lines) + 1:016}", lines[1])
            r = c.join(d.bundle(c.nonce()))
            assert r.status == 503 and "log" in r.message, r.body
            assert c.join(d.bundle(c.nonce())).status == 503
            c.daemon.wait_for("the line is not of this log")
            c.wait_for_state("stale")
            # Once the store is what it was, all goes on.
            d.drop_store_value(f"coordinator/log/{len(lines) + 1:016}")
            c.wait_for_state("ready")
            assert "role" in c.library_join()
            check_log(d, c, manifest, [json.loads(x)["event"] for x in lines] + ["worker.joined"])


def long_history(d, shares, manifest, count):
    """Links of that many manifests, and a function that gives each of them as text."""
    template = json.dumps(manifest | {"serial": "@", "previous": "@@"})
    template = template.replace('"@"', "SERIAL").replace('"@@"', "PREVIOUS")
    with open(f"{d.folder}/template", "w", encoding="utf-8") as f:
        f.write(template)
    run(d.tool, "history", shares["dave"], shares["frank"], f"{d.folder}/template", count, d.folder)
    with open(f"{d.folder}/history", encoding="utf-8") as f:
        history = json.load(f)
    return history, lambda n: template.replace("SERIAL", str(n)).replace(
        "PREVIOUS", json.dumps(history["links"][n - 2]["manifest"]))


def test_a_history_that_is_full(programs):
    """The last manifest that has room takes force; the next is refused by name, and all else goes on."""
    room = (1 << 20) - (1 << 14)
    with Deployment(programs) as d:
        with d.start() as c:
            manifest, shares, _ = first(d, c)
        history, text_of = long_history(d, shares, manifest, 3000)
        head = json.loads(d.store_value("coordinator/head"))

        def size(count):
            links = history["links"][:count]
            return len(json.dumps(head | {"seq": count, "history": history | {"links": links}}, separators=(",", ":")))

        most = max(n for n in range(2000, 3000) if size(n) <= room - 100)
        text = text_of(most - 1)
        before = json.loads(text)
        digest = history["links"][most - 2]["manifest"]
        head |= {"seq": most - 1, "manifest": digest,
                 "history": history | {"links": history["links"][:most - 1]}}
        d.write_store_value("coordinator/head", json.dumps(head, separators=(",", ":")).encode())
        d.write_store_value(f"coordinator/manifest/{digest}", text.encode())
        with d.start() as c:
            c.recover(before, shares)
            last, following = before, d.manifest(before)
            while (r := c.set_manifest(following)).status == 200:
                last, following = following, d.manifest(following)
            # Signatures and certificates are not all of one length.
            assert most <= last["serial"] <= most + 1, (most, last["serial"])
            assert r.status == 409 and f"history: found {last['serial']} manifests" in r.message, r.body
            seen = c.attest(last, f"{d.folder}/memory")
            assert seen.get("serial") == str(last["serial"]), seen
            assert "role" in c.library_join()
        with d.start() as c:
            c.recover(last, shares)
            assert c.attest(last, f"{d.folder}/memory").get("state") == "ready"


def other_way_round(owners):
    """The same holders, by other numbers."""
    return owners | {"keys": owners["keys"][::-1]}


def test_shares_are_dealt_anew(programs):
    """Others hold shares from the next manifest on, also when its answer was lost and its coordinator killed."""
    with Deployment(programs) as d:
        with d.start() as c:
            one, old, before = first(d, c)
            same = d.manifest(one)
            r = c.set_manifest(same)
            assert r.status == 200 and r.json["Shares"] == [], r.body
            two = d.manifest(same)
            two["seed_share_owners"] = {"threshold": 2, "keys": [
                x | {"name": n} for n, x in zip(("dave", "gina", "frank"), one["seed_share_owners"]["keys"])]}
            shutil.copy(f"{d.folder}/erin.key", f"{d.folder}/gina.key")
            data, signatures = d.signed(two)
            body = {"Manifest": b64(data), "Signatures": b64(signatures)}
            r = c.ask("POST", "manifest", body)
            assert r.status == 200 and [x["Name"] for x in r.json["Shares"]] == ["dave", "gina", "frank"], r.body
            assert c.ask("POST", "manifest", body).json == r.json
            c.kill()
        with d.start() as c:
            c.wait_for_state("sealed")
            again = c.ask("POST", "manifest", body)  # whose answer may have been lost
            assert again.json == r.json
            new = d.shares(again.json, before["commitment"])
            assert not set(new.values()) & set(old.values())
            seen = c.attest(two, sealed=True)
            # Of each split one: no seed.
            assert c.consent(seen, "alice", old["dave"]).json["Have"] == 1
            r = c.consent(seen, "carol", new["frank"])
            assert r.status == 403 and "shares" in r.message, r.body
            assert c.consent(seen, "alice", new["dave"]).json == {"Have": 2, "Need": 2, "State": "ready"}
            after = c.attest(two)
            assert (after["root"], after["commitment"]) == (before["root"], before["commitment"]), after
            # From here on nobody can be left without.
            r = c.set_manifest(d.manifest(two, seed_share_owners=None))
            assert r.status == 403 and "seed_share_owners" in r.message, r.body
            hidden(d, c, new)
            check_log(d, c, two, ["manifest.set"] * 3 + ["coordinator.recovered"])
            dealt = [json.loads(x)["fields"].get("shares") for x in log_of(c).splitlines()]
            assert dealt == ["dealt", None, "dealt", None], dealt


def test_killed_at_any_point(programs):
    """What was said to hold, holds after a kill; and a client that remembers all never sees a fork."""
    random.seed(1)
    with Deployment(programs) as d:
        manifests = [d.manifest()]
        with d.start() as c:
            _, shares, _ = first(d, c, manifests[0])
            c.attest(manifests[0], f"{d.folder}/memory")
            c.kill()
        for _ in range(KILLS):
            with d.start() as c:
                c.recover(manifests[-1], shares)
                seen = c.attest(manifests[-1], f"{d.folder}/memory")
                assert seen.get("state") == "ready", seen
                following = d.manifest(manifests[-1])
                if len(manifests) % 2:  # every other deals the shares anew
                    following["seed_share_owners"] = other_way_round(following["seed_share_owners"])
                data, signatures = d.signed(following)
                body = {"Manifest": b64(data), "Signatures": b64(signatures)}
                timer = threading.Timer(random.random() * 0.05, c.daemon.process.kill)
                timer.start()
                try:
                    held = c.ask("POST", "manifest", body).status == 200
                except (OSError, AssertionError):
                    held = False
                timer.join()
                c.daemon.wait()
            with d.start() as c:
                serial = c.wait_for_state("sealed")["Serial"]
                assert serial in (manifests[-1]["serial"], following["serial"])
                assert not held or serial == following["serial"], "an accepted manifest is gone"
                dealt = c.ask("POST", "manifest", body)
                assert (dealt.status == 200) == (serial == following["serial"]), dealt.body
                if dealt.status == 200 and dealt.json["Shares"]:
                    shares = d.shares(dealt.json, seen["commitment"])
                c.kill()
            if serial == following["serial"]:
                manifests.append(following)


def test_killed_while_it_admits(programs):
    """The log has each certificate that went out, and goes on without a gap."""
    random.seed(2)
    with Deployment(programs) as d:
        with d.start() as c:
            manifest, shares, _ = first(d, c)
            c.kill()
        joined = 0
        for _ in range(KILLS // 2):
            with d.start() as c:
                c.recover(manifest, shares)
                bundle = d.bundle(c.nonce())
                timer = threading.Timer(random.random() * 0.03, c.daemon.process.kill)
                timer.start()
                try:
                    joined += c.join(bundle).status == 200
                except (OSError, AssertionError):
                    pass
                timer.join()
                c.daemon.wait()
        with d.start() as c:
            c.recover(manifest, shares)
            events = [json.loads(x)["event"] for x in log_of(c).splitlines()]
            check_log(d, c, manifest, events)
            assert events.count("worker.joined") >= joined, (events, joined)


if __name__ == "__main__":
    CLOCK = sys.argv[1]
    run_tests(sys.modules[__name__], sys.argv[2:])
