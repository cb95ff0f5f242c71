#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exchanges and releases a second of pm-secrets, for each kind of store; load and service share the machine.
bench_secrets.py PM-SECRETS TOWN FOLDER-OF-TOOLS LOAD"""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "daemons"))
from secrets import Service, Town, Worker, agree, run # of that folder

COUNT = 3000
CONNECTIONS = 16
MUCH = ["--exchange-rate", "100000", "--exchange-rate-all", "100000", "--fetch-rate", "100000", "--fetch-rate-all",
        "100000"]


def measure(programs, load, name, store):
    with Town(programs) as town, Service(town, *MUCH, store=store).wait_ready() as s:
        exchanges = run(load, "exchange", f"{s.url}/privatemode/v1/secret", COUNT, CONNECTIONS)
        secret = agree(town, s)
        Worker(town, "worker")
        fetches = run(load, "fetch", "https://%s:%d/pm/v1/fetch" % s.port("mesh"), COUNT, CONNECTIONS, secret,
                      town.path("worker-w1-tiny-tls.crt"), town.path("worker-w1-tiny-tls.key"))
        print(f"{name:8} {int(exchanges):7} exchanges/s {int(fetches):7} releases/s", flush=True)


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
    measure(programs, load, "memory", "memory:bench")
    measure(programs, load, "sqlite", None)
    with_etcd(programs, load)


if __name__ == "__main__":
    main()
