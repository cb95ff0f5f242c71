# SPDX-License-Identifier: Apache-2.0
"""Three coordinators on three hosts, with their state in a cluster of etcd: killed, cut off, told different things at
once. Whatever was said to be in force stays so, there is one history, and whoever is cut off admits nobody.

    coordinators.py BUILD ETCD [SEED]
"""
import concurrent.futures
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time

import room
from deployment import Deployment, Programs, until
from etcd import Cluster
from harness import run_tests
from member import Member, Refused
from network import Network

NODES = ("node1", "node2", "node3")
MEMORIES = ("memory", "memory-of-another")


class Scene:
    def __init__(self, stack, programs, etcd, seed):
        self.dice = random.Random(seed)
        self.network = Network(room.FOLDER, *NODES, "client")
        room.join_network("client")
        self.cluster = stack.enter_context(Cluster(etcd, room.FOLDER, self.network, NODES))
        self.deployment = d = stack.enter_context(Deployment(programs, room.FOLDER, self.network))
        cert, key, ca = self.cluster.identity()
        for name in NODES:
            others = [x for x in NODES if x != name]
            peers = [x for o in others for x in ("--peer", f"http://{o}:8101")]
            store = ["--store", self.cluster.url(name, *others), "--store-cert", cert, "--store-key", key, "--store-ca",
                     ca]
            d.add_coordinator(store, name, more=peers)
        self.coordinators = d.coordinators
        self.accepted = [] # files of the manifests that were in force, in order
        self.count = 0

    # --- manifests ---

    @property
    def current(self):
        return self.accepted[-1]

    def propose(self, before=None):
        """A next manifest, unlike each other one."""
        self.count += 1
        path = f"{room.FOLDER}/proposal-{self.count}.json"

        def change(text):
            text["secrets"] = [{"id": f"weights/of-{self.count}", "roles": ["worker"], "models": None}]
        return self.deployment.follow(before or self.current, path, change)[0]

    def set(self, coordinator, path, **options):
        return self.deployment.set_manifest(coordinator, "memory", path, f"{path}.sig", **options)

    def set_soon(self, coordinator, path):
        """As soon as it can: a store that lost members takes a while to choose its leader."""
        until(lambda: self.set(coordinator, path).status != 2)
        self.set(coordinator, path).must() # and again it gets the same answer

    def hash(self, path):
        out = self.deployment.ctl("manifest", "show", path).must().out
        return next(w for w in out.replace(",", " ").split() if len(w) == 64)

    def in_force(self):
        """The hash that all who are ready agree on, once all are."""
        seen = {json.dumps([c.status()["Serial"], c.status()["Manifest"]]) for c in self.coordinators}
        return json.loads(seen.pop()) if len(seen) == 1 else None

    def holds(self, path):
        """Whoever was told nothing asks what holds."""
        force = self.in_force()
        return force is not None and force[1] == self.hash(path)

    def settle(self, path=None):
        """All are ready under this manifest; two who remember, and one who does not, find the same history at each."""
        path = path or self.current
        wanted = self.hash(path)
        for c in self.coordinators:
            until(lambda c=c: c.state() == "ready" and c.status()["Manifest"] == wanted)
        links = set()
        for c in self.coordinators:
            for memory in MEMORIES:
                self.deployment.history(c, memory, path).must()
            links.add(json.dumps(c.document()["history"]["links"]))
        assert len(links) == 1, links
        manifests = [x["manifest"] for x in json.loads(links.pop())]
        assert manifests == [self.hash(x) for x in self.accepted], manifests

    def others(self, coordinator):
        return [c for c in self.coordinators if c is not coordinator]


# --- tests ---------------------------------------------------------------------------------------------------------

def test_first_manifest(s):
    """The first draws the seed; the others get it from him, having proved what they are."""
    d = s.deployment
    for c in s.coordinators:
        c.wait_state("empty")
    s.accepted.append(d.manifest)
    d.set_manifest(s.coordinators[0]).must()
    s.settle()
    assert len({c.document()["mesh_ca"] for c in s.coordinators}) == 1
    until(lambda: [c.status()["Replicas"] for c in s.coordinators] == [3, 3, 3])
    for c in s.coordinators:
        assert Member(d, c).answer["certificate"]


def test_killed_each_in_turn(s):
    """While one is dead the others set a manifest; it comes back by its peers, without a share."""
    for dead in s.coordinators:
        dead.kill()
        path = s.propose()
        s.set_soon(s.dice.choice(s.others(dead)), path)
        s.accepted.append(path)
        dead.start()
        s.settle()


def admits(s, coordinator):
    try:
        return bool(Member(s.deployment, coordinator).answer)
    except (Refused, OSError, AssertionError):
        return False


def inside(host, function):
    """What it returns, run as if on that host."""
    def run():
        room.join_network(host)
        return function()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def test_cut_off(s):
    """Who is cut off knows soon that it may not know what holds; the others go on; it follows when it is back. It is
    asked from its own host, as an attacker there would."""
    lonely = s.dice.choice(s.coordinators)
    s.network.cut(lonely.host)
    path = s.propose()
    s.set_soon(s.dice.choice(s.others(lonely)), path)
    s.accepted.append(path)
    inside(lonely.host, lambda: until(lambda: lonely.state() == "stale"))
    # It says no more of any manifest, also to who has the old one, and lets nobody in.
    assert s.deployment.history(lonely, "memory-of-a-third", s.accepted[-2], host=lonely.host).status != 0
    assert inside(lonely.host, lambda: lonely.post("/pm/v1/challenge", {}).status) == 200
    assert not inside(lonely.host, lambda: admits(s, lonely))
    s.network.heal()
    s.settle()


def test_minority_sets_nothing(s):
    """A manifest that is given to who is cut off is not said to be in force, and the one of the majority is."""
    lonely = s.dice.choice(s.coordinators)
    s.network.cut(lonely.host)
    mine, theirs = s.propose(), s.propose()
    done = s.set(lonely, mine, host=lonely.host)
    assert done.status != 0, done.out
    s.set_soon(s.dice.choice(s.others(lonely)), theirs)
    s.accepted.append(theirs)
    s.network.heal()
    s.settle()
    assert s.set(lonely, mine).status == 1 # its time is over


def test_two_at_once(s):
    """Two next manifests, both signed, at two coordinators in the same moment: one of them."""
    for _ in range(2):
        both = [s.propose(), s.propose()]
        done = [None, None]

        def run(i):
            done[i] = s.set(s.coordinators[i], both[i]).status # pylint: disable=cell-var-from-loop
        threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        force = until(s.in_force)
        won = [x for x in both if s.hash(x) == force[1]]
        assert len(won) == 1 and done.count(0) <= 1, (done, force)
        assert done[both.index(won[0])] == 0 or 0 not in done, done
        s.accepted.append(won[0])
        s.settle()


def test_killed_while_setting(s):
    """At any moment: what was said to be in force is, and it is one or the other."""
    for _ in range(3):
        path, victim = s.propose(), s.dice.choice(s.coordinators)
        setting = subprocess.Popen(
            [s.deployment.programs.tool("pm-ctl"), "manifest", "set", victim.url, path, "--signatures", f"{path}.sig"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(s.dice.uniform(0.01, 0.12)) # whenever: before, within or after the change
        victim.kill()
        said = setting.wait(60)
        victim.start().wait_state("ready")
        force = until(s.in_force)
        assert force[1] in (s.hash(path), s.hash(s.current)), force
        if force[1] == s.hash(path):
            s.accepted.append(path)
        else:
            assert said != 0, "it was said to be in force"
        s.settle()


def test_etcd_members_die(s):
    """One member of the store is dead, then frozen: manifests go on. Without a majority all are stale for a while."""
    for fault in ("kill", "freeze"):
        getattr(s.cluster.members[s.dice.choice(NODES)], fault)()
        path = s.propose()
        until(lambda path=path: s.set(s.dice.choice(s.coordinators), path).status == 0 or s.holds(path))
        s.accepted.append(path)
        s.cluster.restore()
        s.settle()
    for name in NODES[:2]:
        s.cluster.members[name].kill()
    until(lambda: all(c.state() == "stale" for c in s.coordinators))
    assert not any(admits(s, c) for c in s.coordinators)
    s.cluster.restore()
    s.settle()


def test_all_die(s):
    """Then nobody has the seed: shares and owners give it to one, and that one to the others."""
    d = s.deployment
    before = {c.document()["root_ca"] for c in s.coordinators}
    for c in s.coordinators:
        c.kill()
    for c in s.coordinators:
        c.start()
    for c in s.coordinators:
        c.wait_state("sealed")
    first = s.dice.choice(s.coordinators)
    d.recover(first, "erin", "carol", manifest=s.current).must()
    d.recover(first, "frank", "alice", manifest=s.current).must()
    s.settle()
    assert {c.document()["root_ca"] for c in s.coordinators} == before
    for c in s.coordinators:
        assert admits(s, c)


def main():
    build, etcd = sys.argv[1:3]
    if not etcd:
        print("skipped: etcd is not installed")
        sys.exit(room.SKIPPED)
    room.enter()
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}", flush=True)
    with contextlib.ExitStack() as stack:
        run_tests(sys.modules[__name__], Scene(stack, Programs(build), etcd, seed))


if __name__ == "__main__":
    main()
