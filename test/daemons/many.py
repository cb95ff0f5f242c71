#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten thousand open streams that wait, through pm-proxy: many.py as proxy.py. Where so many files can't be open, as
many as can be; skipped below a thousand."""
import re
import resource
import selectors
import sys
import time

from harness import LIMIT, connect, figure, request, wait_for_figure
from peer import ID
from proxy import CANARY, SEALED, Setup, chat

SKIPPED = 77
STREAMS = 10000
STREAMS_LEAST = 1000
BATCH = 250 # that begin at a time: a queue of connections is no longer than that
OTHER_FILES = 200 # beside the two of each stream in the proxy
KIB_MOST = 96 # of a stream, with all that the allocator keeps


def raise_limit():
    """How many streams the limit of open files allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 2 * STREAMS + OTHER_FILES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(hard, files)))
    except (ValueError, OSError): # not ours to raise
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        files = hard
    return min(STREAMS, (files - OTHER_FILES) // 2)


def figures_of(pid):
    """Resident KiB, and mappings."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        memory = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        return memory, sum(1 for _ in f)


def open_streams(s, count):
    body = chat("quiet", text="one two three", stream=True)
    fields = [("Content-Type", SEALED), ("Pm-Secret-Id", ID), ("Pm-Model", "quiet")]
    streams = []
    for _ in range(count):
        c = connect(s.address)
        c.sendall(request("POST", "/", s.peer.sealed("/v1/chat/completions", body, "quiet"), fields))
        streams.append(c)
    return streams


def wait_for_words(streams):
    """Each has its head, and frames: header, head, role, word."""
    selector = selectors.DefaultSelector()
    got = {}
    for c in streams:
        c.setblocking(False)
        got[c] = b""
        selector.register(c, selectors.EVENT_READ)
    end = time.monotonic() + LIMIT
    left = len(streams)
    while left:
        assert time.monotonic() < end, f"{left} streams have not begun"
        for key, _ in selector.select(1):
            c = key.fileobj
            data = c.recv(65536)
            assert data, got[c]
            got[c] += data
            assert got[c].startswith(b"HTTP/1.1 200 "), got[c]
            if got[c].count(b"\r\n\x00\x00\x01") >= 2: # frames of a bucket of 256 bytes
                selector.unregister(c)
                left -= 1
    selector.close()


def main(programs):
    count = raise_limit()
    if count < STREAMS_LEAST:
        print(f"skipped: so few files can be open that {count} streams can")
        return SKIPPED
    with Setup(programs) as s:
        pid = s.proxy.process.pid
        before, _ = figures_of(pid)
        streams = []
        while len(streams) < count:
            batch = open_streams(s, min(BATCH, count - len(streams)))
            wait_for_words(batch)
            streams += batch
        assert s.figure("pm_proxy_http_requests") == count
        assert figure(s.model.address("metrics"), "inference_server_http_requests") == count
        memory, mappings = figures_of(pid)
        sanitized = "libasan" in open(f"/proc/{pid}/maps", encoding="utf-8").read()
        kib = (memory - before) / count
        print(f"{count} open streams: {kib:.1f} KiB and {mappings / count:.2f} mappings each", flush=True)
        assert sanitized or kib < KIB_MOST, kib
        _, _, (ok, status, _, _, answer) = s.sealed("/v1/chat/completions", chat())
        assert (ok, status) == ("ok", 200) and CANARY.encode() in answer, "somebody else is served"
        for c in streams:
            c.close()
        wait_for_figure(s.proxy.address("metrics"), "pm_proxy_http_requests", 0)
        wait_for_figure(s.model.address("metrics"), "inference_server_http_requests", 0)
        assert figures_of(pid)[1] < mappings / 4, "what they had is given back"
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
