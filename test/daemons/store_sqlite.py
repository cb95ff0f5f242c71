# SPDX-License-Identifier: Apache-2.0
"""The store in a file of SQLite: the common suite; processes that are killed, disks that are full, files of others.

    store_sqlite.py SUITE TOOL
"""
import os
import pathlib
import random
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile

import harness

SYS, FORMAT, UNSUPPORTED, LIMIT = -3, -4, -5, -6
KILLS = 8


class Scene:
    def __init__(self, folder, suite, tool):
        self.folder = pathlib.Path(folder)
        self.suite, self.tool = suite, tool

    def run(self, path, *command, preexec=None):
        """The lines of its answer."""
        done = subprocess.run([self.tool, f"sqlite:{path}", *map(str, command)], stdout=subprocess.PIPE, text=True,
                              timeout=harness.LIMIT, check=False, preexec_fn=preexec)
        assert done.returncode in (0, 1), done
        return done.stdout.splitlines()

    def expect(self, path, error, words, *command):
        line = self.run(path, *command)[-1]
        assert line.startswith(f"failed {error} ") and words in line and str(path) in line, line


def acks(lines):
    return {int(x.split()[1]) for x in lines if x.startswith("ack ")}


def check(scene, path, size, acked):
    """What was acknowledged is there, and nothing is half there."""
    lines = scene.run(path, "check", "w/", size)
    assert not [x for x in lines if not x.startswith("whole ")], lines[-3:]
    found = {int(x.split()[1]) for x in lines}
    assert acked <= found, sorted(acked - found)
    return found


def test_suite(scene):
    subprocess.run([scene.suite, f"sqlite:{scene.folder}/suite"], check=True, timeout=250)


def test_only_the_owner(scene):
    path = scene.folder / "owner"
    assert scene.run(path, "put", "a", "1")[-1].startswith("ok")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert scene.run(path, "get", "a")[0].endswith(" 1 1")


def test_killed(scene):
    """Acknowledged before a SIGKILL is there after it; the same file serves each round."""
    path = scene.folder / "killed"
    acked, size = set(), 3000
    for _ in range(KILLS):
        wanted = random.randrange(1, 300)
        with subprocess.Popen([scene.tool, f"sqlite:{path}", "write", "w/", str(size), "1000000", "16"],
                              stdout=subprocess.PIPE, text=True) as writer:
            mine = [writer.stdout.readline() for _ in range(wanted)]
            writer.send_signal(signal.SIGKILL)
            mine += writer.stdout.read().splitlines()
        got = acks(mine)
        assert len(got) >= wanted, mine[-3:]
        acked |= got
        check(scene, path, size, acked)


def fill_up(scene, path, size, preexec=None):
    lines = scene.run(path, "write", "w/", size, 10000, 8, preexec=preexec)
    failed = [x for x in lines if x.startswith("failed")]
    assert failed and acks(lines), lines
    for line in failed:
        assert line.startswith(f"failed {LIMIT} ") and str(path) in line, line
    return acks(lines)


def test_file_is_limited(scene):
    path = scene.folder / "limited"
    acked = fill_up(scene, path, 50000, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000000, 2000000)))
    check(scene, path, 50000, acked)
    assert scene.run(path, "put", "a", "1")[-1].startswith("ok")


def test_large_among_small(scene):
    """One write that there is no room for does not take others with it that were made durable together."""
    path = scene.folder / "mixed"
    lines = scene.run(path, "mixed", "w/", 900000, 20, 20,
                      preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (800000, 800000)))
    assert acks(lines) == set(range(20)) - {1}, lines
    assert len([x for x in lines if x.startswith(f"failed {LIMIT} ")]) == 1, lines


def test_an_index_that_lies(scene):
    """Whoever has the file can put its keys in any order: what was not asked for is no answer."""
    for right, wrong in ((b"bb/2", b"aa/2"), (b"bb/2", b"bb/1"), (b"bb/2", b"bb/0")):
        path = scene.folder / f"index-{wrong.decode().replace('/', '-')}"
        for key in ("aa/1", "bb/1", "bb/2", "bb/3", "cc/1", "cc/2", "cc/3"):
            assert scene.run(path, "put", key, "1")[-1].startswith("ok")
        assert len(scene.run(path, "list", "bb/")) == 4
        db = sqlite3.connect(path)
        assert db.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0
        [root] = db.execute("select rootpage from sqlite_schema where name = 'sqlite_autoindex_entry_1'").fetchone()
        [size] = db.execute("pragma page_size").fetchone()
        db.close()
        data = bytearray(path.read_bytes())
        page = data[(root - 1) * size:root * size]
        assert page.count(right) == 1
        data[(root - 1) * size:root * size] = page.replace(right, wrong)
        path.write_bytes(data)
        assert scene.run(path, "list", "bb/")[-1].startswith(f"failed {SYS} the store holds what is no entry")
        assert scene.run(path, "list", "cc/")[-1].startswith("ok")


def test_a_file_that_is_replaced(scene):
    """What would be lost with the process is not acknowledged."""
    for what in ("replaced", "deleted"):
        path, other = scene.folder / what, scene.folder / f"{what}-other"
        scene.run(other, "put", "a", "1")
        with subprocess.Popen([scene.tool, f"sqlite:{path}", "write", "w/", "10", "1000000", "1"],
                              stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline().startswith("ack ")
            if what == "replaced":
                os.rename(other, path)
            else:
                path.unlink()
            line = "ack"
            while line.startswith("ack"):
                line = writer.stdout.readline()
            assert line.startswith(f"failed {SYS} {path}: the file was replaced"), line
            writer.kill()


def test_disk_is_full(scene):
    folder = scene.folder / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        print("skipped: a small disk can be mounted by root only")
        return
    try:
        path = folder / "full"
        acked = fill_up(scene, path, 50000)
        subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
        check(scene, path, 50000, acked)
        assert scene.run(path, "put", "a", "1")[-1].startswith("ok")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_busy(scene):
    """Another process that holds the file too long is told of; reading goes on meanwhile."""
    path = scene.folder / "busy"
    scene.run(path, "put", "a", "1")
    other = sqlite3.connect(path, isolation_level=None)
    watch = subprocess.Popen([scene.tool, f"sqlite:{path}", "watch", "", "1"], stdout=subprocess.PIPE, text=True)
    try:
        busy(scene, path, other, watch)
    finally:
        watch.kill()
        watch.stdout.close()
        watch.wait()


def busy(scene, path, other, watch):
    assert watch.stdout.readline().startswith("event a ")
    other.execute("BEGIN IMMEDIATE")
    assert scene.run(path, "get", "a")[-1].startswith("ok")
    with subprocess.Popen([scene.tool, f"sqlite:{path}", "put", "a", "2"], stdout=subprocess.PIPE,
                          text=True) as put:
        line = put.stdout.readline()
        assert line.startswith(f"failed {SYS} ") and "locked" in line and str(path) in line, line
    other.execute("ROLLBACK")
    other.close()
    assert scene.run(path, "put", "a", "22")[-1].startswith("ok")
    assert watch.stdout.readline().startswith("event a "), "the other process' write was not told"


def test_files_of_others(scene):
    folder = scene.folder / "others"
    folder.mkdir()
    (folder / "text").write_text("This is not a database, by far not, whatever its name says.\n" * 100)
    scene.expect(folder / "text", FORMAT, "not a database", "get", "a")
    with sqlite3.connect(folder / "other") as other:
        other.execute("CREATE TABLE t (x)")
    scene.expect(folder / "other", FORMAT, "another database", "get", "a")
    assert sqlite3.connect(folder / "other").execute("SELECT count(*) FROM sqlite_schema").fetchone() == (1,)
    scene.run(folder / "later", "put", "a", "1")
    with sqlite3.connect(folder / "later") as later:
        later.execute("PRAGMA user_version = 2")
    scene.expect(folder / "later", UNSUPPORTED, "another version", "get", "a")
    scene.expect(folder, SYS, "not a file", "get", "a")
    scene.expect(folder / "none" / "x", SYS, "No such file", "get", "a")


def test_damaged(scene):
    """Of a damaged file an error comes, or what was written: nothing else."""
    path = scene.folder / "damaged"
    scene.run(path, "write", "w/", 3000, 300, 16)
    whole = path.read_bytes()
    for at in range(4096, len(whole), len(whole) // 16):
        path.write_bytes(whole[:at] + os.urandom(256) + whole[at + 256:])
        for line in scene.run(path, "check", "w/", 3000):
            assert line.startswith(("whole ", "torn ", f"failed {SYS} ", f"failed {FORMAT} ")), line


def test_rows_of_others(scene):
    """What no store writes is not handed on."""
    path = scene.folder / "rows"
    scene.run(path, "put", "a", "1")
    for key in (b"", b"a b", b"a\0b", b"k" * 513, b"\xff"):
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM entry")
            db.execute("INSERT INTO entry (key, value, revision, expires) VALUES (?, ?, 2, 0)", (key, b"1"))
        db.close()
        line = scene.run(path, "list", "")[-1]
        # A key that is not between the first and the last one that can be is not seen at all.
        assert line.startswith(f"failed {SYS} ") or (key in (b"", b"\xff") and line.startswith("ok")), (key, line)


def main():
    with tempfile.TemporaryDirectory() as folder:
        harness.run_tests(sys.modules[__name__], Scene(folder, *sys.argv[1:]))


if __name__ == "__main__":
    main()
