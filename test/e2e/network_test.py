# SPDX-License-Identifier: Apache-2.0
"""That the faults of the other tests are faults: cables that are pulled, hosts kept apart, etcd with mutual TLS that
is killed, frozen, and out of space, a clock that steps. network_test.py ETCD"""
import base64
import os
import sys
import time

import room
from clock import Clock, library
from etcd import Cluster, leader
from harness import LIMIT, Daemon, run_tests
from network import Network

HOSTS = ("node1", "node2", "node3", "client")
CANARY = "canary-5d3f"


def put(cluster, name, key="YQ==", value=CANARY, host="client", limit=5):
    body = f'{{"key":"{key}","value":"{base64.b64encode(value.encode()).decode()}"}}'
    return cluster.curl(host, name, "/v3/kv/put", body, limit)


def until(what):
    end = time.monotonic() + LIMIT
    while not (result := what()):
        assert time.monotonic() < end, "not in time"
    return result


def test_cables(network, _):
    assert network.hears("client", "node1") and network.hears("node2", "node3")
    network.cut("node2")
    assert not network.hears("client", "node2") and not network.hears("node2", "node3")
    assert network.hears("client", "node1")
    network.heal()
    network.separate("node1", "node2")
    assert not network.hears("node1", "node2") and not network.hears("node2", "node1")
    assert network.hears("node1", "node3") and network.hears("client", "node2")
    network.heal()
    until(lambda: network.hears("node1", "node2") and network.hears("client", "node2"))


def test_identity(_, cluster):
    until(lambda: put(cluster, "node1"))
    network = cluster.network
    ca = f"{cluster.folder}/etcd-ca.crt"
    try:
        room.run(*network.command("client", "curl", "-sS", "--tls-max", "1.2", "--cacert", ca,
                                  "https://node1:2379/v3/kv/range", "-d", "{}"))
        raise SystemExit("etcd serves who shows no certificate")
    except AssertionError as e:
        assert "certificate" in str(e), e


def test_partition(network, cluster):
    """The majority goes on without its leader; the leader without a majority takes nothing."""
    first = until(lambda: leader(cluster))
    rest = [x for x in cluster.members if x != first]
    network.cut(first)
    until(lambda: put(cluster, rest[0], value="after"))
    assert not put(cluster, first, host=first, limit=2)
    network.heal()
    until(lambda: put(cluster, first))


def test_killed_and_frozen(_, cluster):
    names = list(cluster.members)
    cluster.members[names[0]].kill()
    until(lambda: put(cluster, names[1]))
    cluster.members[names[1]].freeze()
    assert not put(cluster, names[2], limit=2), "one of three is no majority"
    cluster.restore()
    for name in names:
        until(lambda name=name: put(cluster, name))


def test_full_disk(_, cluster):
    """The member without room gives up, as etcd does; the others go on; it comes back."""
    name = next(x for x in cluster.members if x != until(lambda: leader(cluster)))
    cluster.members[name].fill_disk()
    other = next(x for x in cluster.members if x != name)
    until(lambda: put(cluster, other, value="x" * 100000) and not cluster.members[name].is_up())
    until(lambda: put(cluster, other))
    cluster.restore()
    until(lambda: put(cluster, name))


def test_search(_, cluster):
    assert cluster.search(CANARY, "canary-that-nobody-wrote") == {CANARY}


def test_clock(_, cluster):
    clock = Clock(f"{cluster.folder}/clock")

    def seconds():
        with Daemon("sh", "-c", "date +%s >&2", env=clock.environment) as d:
            return int(d.wait_for(r"^(\d+)$"))
    assert abs(seconds() - time.time()) < 60
    clock.step(7200)
    assert abs(seconds() - time.time() - 7200) < 60
    # And in a process that runs.
    code = "import sys,time\nfor _ in sys.stdin: print(int(time.time()), file=sys.stderr, flush=True)"
    read, write = os.pipe()
    with Daemon(sys.executable, "-c", code, env=clock.environment, shell=f"exec <&{read};", pass_fds=(read,)) as d:
        with open(write, "w", encoding="ascii", buffering=1) as ask:
            for step in (-7200, 0, 7200):
                clock.step(step)
                print(file=ask)
                until(lambda step=step: any(abs(int(x) - time.time() - step) < 60 for x in list(d.lines) if x))


def main():
    if not sys.argv[1] or not library():
        print(f"skipped: {'libfaketime' if sys.argv[1] else 'etcd'} is not installed")
        sys.exit(room.SKIPPED)
    room.enter()
    network = Network(room.FOLDER, *HOSTS)
    with Cluster(sys.argv[1], room.FOLDER, network, HOSTS[:3]) as cluster:
        run_tests(sys.modules[__name__], network, cluster)


if __name__ == "__main__":
    main()
