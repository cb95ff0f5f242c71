#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exchanges and releases a second of pm-secrets, for each kind of store; load, service and store share the machine. So
also what one costs the service itself, and how many of them a core would serve that did nothing else.
bench_secrets.py PM-SECRETS TOWN FOLDER-OF-TOOLS LOAD"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "daemons"))
from secrets import Service, Town, Worker, agree, run # of that folder

COUNT = 6000
CONNECTIONS = 16
MUCH = ["--exchange-rate", "100000", "--exchange-rate-all", "100000", "--fetch-rate", "100000", "--fetch-rate-all",
        "100000"]


def cpu(service):
    """Microseconds of processor time so far."""
    stat = pathlib.Path(f"/proc/{service.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def timed(service, *args):
    """Of a run: how many a second, and what one cost."""
    before = cpu(service)
    rate = run(*args)
    cost = (cpu(service) - before) / COUNT
    return f"{int(rate):6}/s {cost:6.0f} us CPU {int(1e6 / cost):7}/s a core"


def measure(programs, load, name, store):
    with Town(programs) as town, Service(town, *MUCH, store=store).wait_ready() as s:
        exchanges = timed(s, load, "exchange", f"{s.url}/privatemode/v1/secret", COUNT, CONNECTIONS)
        secret = agree(town, s)
        Worker(town, "worker")
        fetches = timed(s, load, "fetch", "https://%s:%d/pm/v1/fetch" % s.port("mesh"), COUNT, CONNECTIONS, secret,
                        town.path("worker-w1-tiny-tls.crt"), town.path("worker-w1-tiny-tls.key"))
        print(f"{name:8} {exchanges} {fetches}", flush=True)


def with_etcd(programs, load):
    if not shutil.which("etcd"):
        print("etcd     not installed")
        return
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        client, peer = (f"http://127.0.0.1:{s.getsockname()[1]}" for s in (a, b))
    with tempfile.TemporaryDirectory() as folder:
        etcd = subprocess.Popen(["etcd", "--data-dir", folder, "--listen-client-urls", client,
                                 "--advertise-client-urls", client, "--listen-peer-urls", peer,
                                 "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            measure(programs, load, "etcd", f"etcd:{client}")
        finally:
            etcd.kill()
            etcd.wait()


def main():
    programs, load = sys.argv[1:4], sys.argv[4]
    print(f"{'':8} {'exchanges':^34} {'releases':^34}")
    measure(programs, load, "memory", "memory:bench")
    measure(programs, load, "sqlite", None)
    with_etcd(programs, load)


if __name__ == "__main__":
    main()
