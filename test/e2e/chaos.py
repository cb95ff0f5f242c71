# SPDX-License-Identifier: Apache-2.0
"""Three secret services on three hosts with etcd, while hosts and networks fail at random; clients, workers and owners
go on, and what they were told is judged: history.py.

    chaos.py BUILD ETCD SECONDS [SEED]
"""
import base64
import concurrent.futures
import contextlib
import mmap
import os
import pathlib
import random
import signal
import sys
import threading
import time

import room
from clock import Clock, library
from deployment import Deployment, Programs, until
from etcd import Cluster
from history import NO, OK, UNKNOWN, History, Verdict
from member import Agreements, Member, Owners
from network import Network

NODES = ("node1", "node2", "node3")
CANARY = "CANARY-3f9a"
RECENT = 40 # secrets of clients that workers still ask for
KEYS = 6 # secrets that owners put, replace and revoke at a time
KEY_USES = 12 # operations of one before they turn to another
PACE = 0.05 # seconds between two operations of one who asks: load is bounded
FAULT = (0.3, 2.5) # seconds that a fault lasts
REST = (0.2, 1.5) # and between two


class Scene:
    """All that runs, and what faults need."""

    def __init__(self, stack, programs, etcd):
        self.network = Network(room.FOLDER, *NODES, "client")
        room.join_network("client")
        self.cluster = stack.enter_context(Cluster(etcd, room.FOLDER, self.network, NODES))
        self.deployment = stack.enter_context(Deployment(programs, room.FOLDER, self.network))
        self.coordinator = self.deployment.add_coordinator(host="client").wait_state("empty")
        self.deployment.set_manifest(self.coordinator).must()
        self.clocks = [Clock(f"{room.FOLDER}/clock-{name}") for name in NODES]
        self.services = [self.add_service(name, clock) for name, clock in zip(NODES, self.clocks)]
        for s in self.services:
            s.wait_ready()

    def add_service(self, name, clock):
        cert, key, ca = self.cluster.identity()
        others = [x for x in NODES if x != name]
        store = ["--store", self.cluster.url(name, *others), "--store-cert", cert, "--store-key", key, "--store-ca", ca]
        return self.deployment.add_secrets(self.coordinator, store, name, env=clock.environment)

    def heal(self):
        self.network.heal()
        self.cluster.restore()
        for service, clock in zip(self.services, self.clocks):
            clock.step(0)
            if service.is_up():
                service.daemon.signal(signal.SIGCONT)
            else:
                service.start()


# --- faults: each begins something, which heal() ends --------------------------------------------------------------

def kill_service(scene, dice, _):
    dice.choice(scene.services).kill()


def kill_member(scene, dice, _):
    dice.choice(list(scene.cluster.members.values())).kill()


def kill_two_members(scene, dice, _):
    """No majority is left."""
    for member in dice.sample(list(scene.cluster.members.values()), 2):
        member.kill()


def freeze_service(scene, dice, _):
    service = dice.choice(scene.services)
    if service.is_up():
        service.daemon.signal(signal.SIGSTOP)


def freeze_member(scene, dice, _):
    dice.choice(list(scene.cluster.members.values())).freeze()


def slow_member(scene, dice, over):
    """It stands still most of the time, as on a disk that is slow."""
    member = dice.choice(list(scene.cluster.members.values()))
    while not over.wait(0.02):
        member.freeze()
        over.wait(0.1)
        member.thaw()


def cut_node(scene, dice, _):
    scene.network.cut(dice.choice(NODES))


def separate_nodes(scene, dice, _):
    scene.network.separate(*dice.sample(NODES, 2))


def fill_disk(scene, dice, _):
    dice.choice(list(scene.cluster.members.values())).fill_disk()


def step_clock(scene, dice, _):
    dice.choice(scene.clocks).step(dice.choice((-86400, -3600, -30, 30, 3600, 86400)))


FAULTS = (kill_service, kill_member, kill_two_members, freeze_service, freeze_member, slow_member, cut_node,
          separate_nodes, fill_disk, step_clock)


def make_faults(scene, dice, end, done):
    """All of them in random order, again and again; they are not made at a time of their own but one after another."""
    waiting = []
    over = threading.Event()
    while (left := end - time.monotonic()) > 0:
        waiting = waiting or dice.sample(FAULTS, len(FAULTS))
        fault = waiting.pop()
        done.append(fault.__name__)
        over.clear()
        thread = threading.Thread(target=fault, args=(scene, dice, over))
        thread.start()
        over.wait(min(left, dice.uniform(*FAULT)))
        over.set()
        thread.join()
        scene.heal()
        over.clear()
        over.wait(min(max(0, end - time.monotonic()), dice.uniform(*REST)))


# --- those who ask -------------------------------------------------------------------------------------------------

class Load:
    def __init__(self, scene, history, dice, end):
        self.scene, self.history, self.end = scene, history, end
        self.seeds = random.Random(dice.random())
        self.lock = threading.Lock()
        self.known = {} # secrets of clients: id, value; and of owners: id, None
        self.errors = []
        self.threads = []

    def start(self, function, *args):
        dice = random.Random(self.seeds.random())

        def run():
            try:
                while time.monotonic() < self.end:
                    function(dice, *args)
                    time.sleep(PACE)
            except Exception as e: # pylint: disable=broad-except
                self.errors.append(f"{function.__name__}: {e!r}")
                raise
        self.threads.append(threading.Thread(target=run))

    def remember(self, name):
        with self.lock:
            self.known[name] = True
            while len(self.known) > RECENT:
                self.known.pop(next(iter(self.known)))

    def some(self, dice):
        with self.lock:
            return dice.choice(list(self.known)) if self.known else None

    def agree(self, dice, name, client):
        """A client and a secret service agree; what was not agreed on nobody knows of."""
        start = self.history.now()
        result, what = client.agree(dice.choice(self.scene.services))
        if result == OK:
            self.history.record(name, "add", what[0], start, OK, what[1].hex(), lifetime=3600)
            self.remember(what[0])

    def fetch(self, dice, name, member, allowed):
        key = self.some(dice)
        if key:
            fetch(self.history, name, member, dice.choice(self.scene.services), key, allowed(key))

    def own(self, dice, name, owners, state):
        """Owners put, replace and revoke; state: how often each of a few secrets will still be used. So some have the
        time to end."""
        while len(state) < KEYS:
            state[f"weights/{name}-{dice.randrange(1 << 32):08x}"] = KEY_USES
        service, key = dice.choice(self.scene.services), dice.choice(list(state))
        state[key] -= 1
        if not state[key]:
            del state[key]
        if dice.random() < 0.3:
            self.history.run(name, "revoke", key, lambda: owners.revoke(service, key))
            return
        value, seconds = f"{CANARY}-{dice.randrange(1 << 64):016x}", dice.choice((2, 3, 5, 600))
        self.history.run(name, "put", key, lambda: owners.put(service, key, value, seconds), value=value,
                         lifetime=seconds)
        self.remember(key)


def fetch(history, name, member, service, key, allowed):
    def call():
        result, value = member.fetch(service, key)
        if result != OK:
            return result, None
        return OK, value.decode() if key.startswith("weights/") else value.hex()
    return history.run(name, "get", key, call, allowed=allowed)


def run_load(scene, history, dice, seconds):
    """Everybody at once, for so long; the names of the faults."""
    end = time.monotonic() + seconds
    load = Load(scene, history, dice, end)
    ca = base64.b64decode(scene.coordinator.document()["mesh_ca"])
    people = make_members(scene)
    for i in range(2):
        load.start(load.agree, f"client{i}", Agreements(scene.deployment, ca))
        load.start(load.own, f"owners{i}", Owners(scene.deployment, scene.coordinator), {})
    for name, (member, allowed) in people.items():
        load.start(load.fetch, name, member, allowed)
    faults = []
    for t in load.threads:
        t.start()
    try:
        make_faults(scene, dice, end, faults)
    finally:
        load.end = 0
        for t in load.threads:
            t.join()
    assert not load.errors, load.errors
    return people, faults


def make_members(scene):
    """Who asks, and for what he may: the manifest's rules, told a second time."""
    d, c = scene.deployment, scene.coordinator
    return {
        "worker0": (Member(d, c), lambda key: True),
        "worker1": (Member(d, c), lambda key: True),
        "idle": (Member(d, c, models=()), lambda key: key.startswith("weights/")), # serves no model
        "auditor": (Member(d, c, "auditor"), lambda key: key.startswith("weights/")),
        "outsider": (Member(d, c, "outsider"), lambda key: False),
    }


# --- afterwards ----------------------------------------------------------------------------------------------------

def ask_for_all(scene, history, people):
    """When all is well again, each secret of each instance."""
    scene.heal()
    for s in scene.services:
        s.wait_ready()
    worker = people["worker0"][0]

    def ask(at):
        service, key = at
        until(lambda: fetch(history, f"last-{service.name}", worker, service, key, True)[0] != UNKNOWN)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, [(s, key) for key in sorted(history.keys()) for s in scene.services]))


def search_disks(scene, history, dice):
    """Secrets that can be found in what etcd keeps."""
    values = [o.value for o in history.operations if o.kind == "add" and o.result == OK]
    needles = [CANARY.encode(), base64.b64encode(CANARY.encode())[:-4]]
    for value in dice.sample(values, min(3, len(values))):
        raw = bytes.fromhex(value)
        needles += [raw, base64.b64encode(raw)]
    found, size = [], 0
    for member in scene.cluster.members.values():
        for path in pathlib.Path(member.data, "etcd").rglob("*"):
            if path.is_file() and (length := path.stat().st_size):
                size += length
                with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
                    found += [(path.name, n) for n in needles if m.find(n) >= 0]
                    # That we look in the right place: identifiers are no secret.
                    scene.saw_names = getattr(scene, "saw_names", False) or m.find(b"secrets/value/") >= 0
    assert size and scene.saw_names, "etcd keeps nothing"
    return found


def run(build, etcd, seconds, seed):
    dice = random.Random(seed)
    history = History(time.monotonic)
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, Programs(build), etcd)
        people, faults = run_load(scene, history, dice, seconds)
        ask_for_all(scene, history, people)
        found = search_disks(scene, history, dice)
        verdict = Verdict(history)
        print(f"{len(history.operations)} operations, {verdict.gets} secrets released, {verdict.refused} refused to "
              f"those who may not have them, {verdict.unknown} without an answer; {len(faults)} faults: "
              f"{', '.join(faults)}")
        bad = (("lost", verdict.lost), ("wrongly released", verdict.wrong), ("after expiry", verdict.late))
        for name, list_ in bad:
            for o in list_:
                print(f"{name}: {o}")
        for key in verdict.not_linearizable:
            print(*sorted((o for o in history.operations if o.key == key), key=lambda o: o.start), sep="\n")
        print(f"etcd's disks: {len(found)} of the secrets found")
        print(verdict)
        good = verdict.is_good() and not found and verdict.acknowledged and verdict.gets and verdict.refused
        assert good, f"seed {seed}"


def main():
    build, etcd, seconds = sys.argv[1:4]
    if not etcd or not library():
        print(f"skipped: {'libfaketime' if etcd else 'etcd'} is not installed")
        sys.exit(room.SKIPPED)
    room.enter()
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}", flush=True)
    run(build, etcd, float(seconds), seed)


if __name__ == "__main__":
    main()
