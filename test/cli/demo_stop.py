#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo, when it is to stay: it can be used by hand, ends when it is told to, and when it is interrupted wherever it
is just then, and leaves nothing behind. demo_stop.py DEMO BUILD-ROOT"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

DEMO, BUILD = sys.argv[1:3]
LIMIT = 240
# Another demo of this build may run beside it.
PLACE = pathlib.Path(tempfile.mkdtemp(prefix="pm")) / "place"
os.environ["DEMO_PLACE"] = str(PLACE)


class Demo:
    def __init__(self, **env):
        self.folder = tempfile.TemporaryDirectory(prefix="pm")
        self.environment = dict(os.environ, TMPDIR=self.folder.name, PM_VECTORS="/none", **env)
        # A process group of its own, as a terminal would have it.
        self.process = subprocess.Popen([DEMO, BUILD], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=self.environment,
                                        start_new_session=True)
        self.watchdog = threading.Timer(LIMIT, self.process.kill)
        self.watchdog.daemon = True
        self.watchdog.start()
        self.lines = []

    def until(self, text):
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without '{text}': {''.join(self.lines[-20:])}")

    def interrupt(self):
        """As Ctrl-C does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self, status):
        """It ended so, and there is nothing of it any more: no process, no file."""
        rest = self.process.stdout.read()
        assert self.process.wait(LIMIT) == status, (self.process.returncode, rest)
        self.watchdog.cancel()
        assert os.listdir(self.folder.name) == [], os.listdir(self.folder.name)
        assert not PLACE.exists()
        left = [p for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if self.folder.name in read(p)]
        assert not left, [read(p) for p in left]
        self.folder.cleanup()


def read(path):
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def stop():
    return subprocess.run([DEMO, "--stop", BUILD], capture_output=True, text=True, check=True, timeout=LIMIT).stdout


def test_by_hand():
    demo = Demo(DEMO_KEEP="1")
    demo.until("by hand")
    command = demo.until("curl ") + demo.until("-d ")
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=LIMIT).stdout
    assert "for the workers alone" in answer, answer
    second = subprocess.run([DEMO, BUILD], env=demo.environment, capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL, timeout=LIMIT)
    assert second.returncode == 1 and "make demo-stop" in second.stderr, second
    assert "stopped" in stop()
    demo.end(0)
    assert "none is running" in stop()


def test_interrupted():
    """At its beginning, while it waits for a tool, and when everything runs."""
    for text, status in (("1. ", 1), ("pm-ctl manifest init -o manifest.json", 1), ("The client on its own", 1),
                         ("Ctrl-C", 0)):
        demo = Demo(DEMO_KEEP="1")
        demo.until(text)
        demo.interrupt()
        demo.end(status)


def test_told_to_stop():
    demo = Demo(DEMO_KEEP="1")
    demo.until("A client asks the worker")
    assert "stopped" in stop()
    demo.end(1)


def test_pid_of_another():
    """A number that is another process's by now is not stopped."""
    PLACE.mkdir()
    try:
        (PLACE / "pid").write_text(f"{os.getpid()} 1\n", encoding="ascii")
        assert "none is running" in stop()
    finally:
        (PLACE / "pid").unlink()
        PLACE.rmdir()


for name, function in list(globals().items()):
    if re.match("test_", name):
        print(name, flush=True)
        function()
PLACE.parent.rmdir()
