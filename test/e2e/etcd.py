# SPDX-License-Identifier: Apache-2.0
"""A cluster of etcd with mutual TLS, one member on each of some hosts (network.py), that can be killed, frozen,
started again, and whose disks can be full."""
import os
import re
import signal
import subprocess

import room
from harness import Daemon, make_ca, make_leaf

CLIENT_PORT = 2379
PEER_PORT = 2380
DISK_MIB = 192 # two log files of 64 MiB each are reserved at the beginning


class Member:
    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.data = f"{cluster.folder}/{name}.data"
        self.ballast = f"{self.data}/ballast"
        self.daemon = None
        os.mkdir(self.data, 0o700)
        room.run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=700", "tmpfs", self.data)

    def command(self):
        c, address = self.cluster, self.cluster.network.addresses[self.name]
        tls = f"{c.folder}/{self.name}"
        return [c.program, "--name", self.name, "--data-dir", f"{self.data}/etcd",
                "--listen-client-urls", f"https://{address}:{CLIENT_PORT}",
                "--advertise-client-urls", f"https://{self.name}:{CLIENT_PORT}",
                "--listen-peer-urls", f"https://{address}:{PEER_PORT}",
                "--initial-advertise-peer-urls", f"https://{self.name}:{PEER_PORT}",
                "--initial-cluster", c.peers, "--initial-cluster-state", "new", "--initial-cluster-token", "test",
                "--cert-file", f"{tls}.crt", "--key-file", f"{tls}.key", "--client-cert-auth",
                "--trusted-ca-file", f"{c.folder}/etcd-ca.crt",
                "--peer-cert-file", f"{tls}.crt", "--peer-key-file", f"{tls}.key", "--peer-client-cert-auth",
                "--peer-trusted-ca-file", f"{c.folder}/etcd-ca.crt",
                "--heartbeat-interval", "100", "--election-timeout", "1000", "--snapshot-count", "500",
                "--logger", "zap", "--log-outputs", "stderr"]

    def start(self):
        """It joins the others when it can: does not wait for that."""
        self.daemon = Daemon(*self.cluster.network.command(self.name, *self.command()))
        return self

    def is_up(self):
        return self.daemon is not None and self.daemon.process.poll() is None

    def kill(self):
        if self.is_up():
            self.daemon.signal(signal.SIGKILL)
            self.daemon.wait()

    def freeze(self):
        if self.is_up():
            self.daemon.signal(signal.SIGSTOP)

    def thaw(self):
        if self.is_up():
            self.daemon.signal(signal.SIGCONT)

    def fill_disk(self):
        """Not a byte is left."""
        with open(self.ballast, "wb", buffering=0) as f:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while f.write(b"\0" * size) == size:
                        pass
                except OSError:
                    pass

    def free_disk(self):
        if os.path.exists(self.ballast):
            os.unlink(self.ballast)


class Cluster:
    """On each of these hosts a member; where clients' certificates lie: client.crt, client.key, etcd-ca.crt."""

    def __init__(self, program, folder, network, names):
        self.program, self.folder, self.network = program, str(folder), network
        self.peers = ",".join(f"{x}=https://{x}:{PEER_PORT}" for x in names)
        make_ca(self.folder, "etcd-ca")
        for name in names:
            make_leaf(self.folder, "etcd-ca", name, f"{name},IP:{network.addresses[name]}")
        make_leaf(self.folder, "etcd-ca", "client", "client.test")
        self.members = {name: Member(self, name) for name in names}

    def url(self, *names):
        """For a store: these members, in this order; without names all."""
        return "etcd:" + ",".join(f"https://{x}:{CLIENT_PORT}" for x in names or self.members)

    def identity(self):
        return f"{self.folder}/client.crt", f"{self.folder}/client.key", f"{self.folder}/etcd-ca.crt"

    def start(self):
        for member in self.members.values():
            member.start()
        for member in self.members.values():
            member.daemon.wait_for("serving client traffic")
        return self

    def restore(self):
        """All members are up, are awake and have room; those that gave up are started again."""
        for member in self.members.values():
            member.free_disk()
            member.thaw()
            if not member.is_up():
                member.start()

    def stop(self):
        for member in self.members.values():
            member.thaw()
            member.kill()

    def curl(self, host, name, path, body, limit=5):
        """A request to the gateway of member name, from a host; the answer's text or None."""
        cert, key, ca = self.identity()
        done = subprocess.run(self.network.command(
            host, "curl", "-sS", "--fail", "--max-time", limit, "--cert", cert, "--key", key, "--cacert", ca,
            f"https://{name}:{CLIENT_PORT}{path}", "-d", "@-"), input=body, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        self.stop()

    def search(self, *needles):
        """The needles that are found in what members keep on disk."""
        found = set()
        for member in self.members.values():
            for needle in needles:
                if find_in(f"{member.data}/etcd", needle):
                    found.add(needle)
        return found


def find_in(folder, needle):
    """Files below the folder that hold these bytes."""
    done = subprocess.run(["grep", "-rlaF", "--", needle, folder], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.split()


def leader(cluster, host="client"):
    """The name of the member that leads, or None when none says so."""
    for name in cluster.members:
        text = cluster.curl(host, name, "/v3/maintenance/status", "{}", 2)
        ids = re.search(r'"member_id":"(\d+)".*"leader":"(\d+)"', text or "")
        if ids and ids[1] == ids[2]:
            return name
    return None
