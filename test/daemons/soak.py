#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load of all kinds through pm-client, pm-proxy and an inference server, and what it leaves in their memory: soak.py
SECONDS, then as client.py. Fails when the peak of a process has grown, once it is warm, by more than its bound."""
import os
import random
import re
import signal
import sys
import threading
import time

from client import CHAT, Scene, hash_of
from harness import connect, figure, request
from proxy import chat, form

WORKERS = 8
WARM, END = (0.25, 0.5), (0.75, 1) # of the time; the peaks of both are compared
GROWTH_KIB = 4096
GROWTH_SHARE = 0.10 # the larger of the two
ROWS = 12 # of the table
SAMPLES = 20 # of a row
JSON = [("Content-Type", "application/json")]


class Load:
    """Threads that do one thing after another, until they are told to end."""

    def __init__(self, scene):
        self.scene = scene
        self.counts = {}
        self.wrong = []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(WORKERS)]

    def run(self, seed):
        dice = random.Random(seed)
        while not self.ending.is_set():
            kind = dice.choice(KINDS)
            try:
                kind(self.scene, dice)
            except Exception as e: # told at the end
                with self.lock:
                    self.wrong.append(f"{kind.__name__}: {e!r}"[:200])
            with self.lock:
                self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1


def expect(r, *statuses):
    assert r.status in statuses, (r.status, r.body[:200])


def whole(s, dice):
    expect(s.post(CHAT, chat(text="word " * dice.randint(1, 2000))), 200)


def streamed(s, dice):
    r = s.post(CHAT, chat(f"repeat-{dice.randint(1, 200)}", stream=True))
    assert r.status == 200 and r.whole, r.status


def large(s, dice):
    expect(s.post(CHAT, chat(text="x" * dice.randint(100000, 2000000))), 200)


def messages(s, _):
    expect(s.post("/v1/messages", chat(stream=True)), 200)


def transcription(s, dice):
    kind, body = form([("model", "echo"), ("file", bytes(dice.randint(1, 300000)))])
    expect(s.post("/v1/audio/transcriptions", body, kind), 200)


def keep_alive(s, dice):
    with connect(s.address) as c:
        for _ in range(dice.randint(2, 10)):
            c.sendall(request("POST", CHAT, chat(), JSON, close=False))
            data = b""
            while not data.endswith(b"0\r\n\r\n"):
                piece = c.recv(65536)
                assert piece, "it ended"
                data += piece


def error(s, dice):
    status = dice.choice((400, 429, 500, 503))
    expect(s.post(CHAT, chat(f"error-{status}")), status)


def refused(s, dice):
    expect(s.post(CHAT, dice.choice((b"{", b"[]", chat(salt="short"), b'{"model":1}'))), 400)


def broken(s, dice):
    r = s.post(CHAT, chat(dice.choice(("cut", "garbage")), text="a b c d e f", stream=True))
    assert not (r.status == 200 and r.whole)


def cancelled(s, dice):
    """Before the answer, or in its midst."""
    with connect(s.address) as c:
        c.sendall(request("POST", CHAT, chat(dice.choice(("silent", "endless", "slow")), stream=True), JSON))
        if dice.random() < 0.5:
            c.settimeout(0.2)
            try:
                c.recv(4096)
            except TimeoutError:
                pass


def half_sent(s, dice):
    with connect(s.address) as c:
        data = request("POST", CHAT, chat(text="y" * 10000), JSON)
        c.sendall(data[:dice.randint(1, len(data) - 1)])


KINDS = [whole, whole, streamed, streamed, large, messages, transcription, keep_alive, error, refused, broken,
         cancelled, half_sent]


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def main(seconds, programs):
    with Scene(programs, relay=False) as s:
        processes = {"pm-client": s.client.process.pid, "pm-proxy": s.worker.proxy.process.pid,
                     "inference-server": s.worker.model.process.pid}
        assert hash_of(programs, s.manifest)
        load = Load(s)
        for t in load.threads:
            t.start()
        print(f"{'seconds':>8} {'requests':>9} " + " ".join(f"{n + ' KiB':>20}" for n in processes) + f" {'files':>14}")
        begin, samples = time.monotonic(), []
        for n in range(1, ROWS * SAMPLES + 1):
            time.sleep(seconds / ROWS / SAMPLES)
            samples.append([resident(p) for p in processes.values()])
            if n % SAMPLES == 0:
                s.client.signal(signal.SIGHUP) # certificates, manifest
                peaks = " ".join(f"{max(x):20d}" for x in zip(*samples[-SAMPLES:]))
                print(f"{time.monotonic() - begin:8.0f} {sum(load.counts.values()):9d} {peaks} "
                      f"{'/'.join(str(files(p)) for p in processes.values()):>14}", flush=True)
        load.ending.set()
        for t in load.threads:
            t.join()
        return judge(s, load, processes, samples)


def peak(samples, share, i):
    return max(x[i] for x in samples[int(share[0] * len(samples)):int(share[1] * len(samples))])


def judge(s, load, processes, samples):
    for name, n in sorted(load.counts.items()):
        print(f"  {name:<14} {n:8d}")
    for text in load.wrong[:10]:
        print(f"  wrong: {text}")
    failed = bool(load.wrong)
    for i, name in enumerate(processes):
        warm, end = peak(samples, WARM, i), peak(samples, END, i)
        grown = end > warm + max(GROWTH_KIB, int(GROWTH_SHARE * warm))
        failed = failed or grown
        print(f"  {name:<16} peak {warm:8d} KiB warm {end:8d} KiB at the end{'  GROWN' if grown else ''}")
    left = figure(s.worker.proxy.address("metrics"), "pm_proxy_buffered_bytes")
    print(f"  {left} bytes of requests left in pm-proxy")
    return 1 if failed or left else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
