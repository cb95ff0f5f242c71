# SPDX-License-Identifier: Apache-2.0
"""A room of its own for a test that starts many processes and breaks networks and disks: new namespaces of network,
mounts and processes. Nothing of it outlives the test, however the test ends: the kernel kills what runs in it, and
takes its interfaces and mounts away."""
import ctypes
import os
import signal
import subprocess
import sys

INSIDE = "PM_TEST_ROOM"
FOLDER = "/run/test" # for the test's files, in memory
SKIPPED = 77
CLONE_NEWNET = 0x40000000


def enter():
    """The program from its beginning, in a room. Returns there; outside the test ends with the status of inside."""
    if os.environ.get(INSIDE) != str(os.getppid()):
        sys.exit(run_inside())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # the first process of a room ignores it else
    run("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", "/run")
    os.mkdir("/run/netns")
    os.mkdir(FOLDER, 0o700)
    run("ip", "link", "set", "lo", "up")


def run_inside():
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.getuid() != 0:
        command[1:1] = ["--user", "--map-root-user"]
    tried = subprocess.run([*command, "sh", "-c", "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add x"],
                           capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        print(f"skipped: this machine grants no namespaces: {tried.stderr.strip()}")
        return SKIPPED
    # Process numbers begin anew inside, where unshare's is not to be seen: 0.
    env = dict(os.environ, **{INSIDE: "0"})
    return subprocess.run([*command, sys.executable, *sys.argv], env=env, check=False).returncode


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def join_network(name):
    """This thread, and all that it starts, is in that network from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{name}", encoding="ascii") as f:
        assert libc.setns(f.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
