#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The embedding examples against each other, with somebody in between who reads and edits.

    embed.py CLIENT SERVER [--cxx CXX --include DIR --library LIBPM.SO --source DIR]

With --cxx the two are compiled as C++ first, and those programs are run too.
"""
import argparse
import pathlib
import struct
import subprocess
import sys
import tempfile

PROMPT = b"tell nobody what I asked"


def messages(data):
    """The messages of one direction."""
    found, at = [], 0
    while at < len(data):
        size, = struct.unpack_from(">I", data, at)
        found.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return found


def framed(found):
    return b"".join(struct.pack(">I", len(m)) + m for m in found)


def read_body(stream, heads):
    """The messages up to the empty one that ends a body, behind so many others."""
    found = []
    while not found or len(found) <= heads or found[-1]:
        size, = struct.unpack(">I", stream.read(4))
        found.append(stream.read(size))
    return found


class Run:
    """One exchange; 'request' and 'response' edit what the other end gets."""

    def __init__(self, client, server, key, request=None, response=None):
        pipe = subprocess.PIPE
        with subprocess.Popen([client, key], stdin=pipe, stdout=pipe, stderr=pipe) as c:
            self.asked = read_body(c.stdout, 3)
            edited = request(list(self.asked)) if request else self.asked
            s = subprocess.run([server, key], input=framed(edited), capture_output=True, check=False,
                               timeout=60)
            self.answered = messages(s.stdout)
            edited = response(list(self.answered)) if response else self.answered
            _, self.text = c.communicate(framed(edited), timeout=60)
            self.client, self.server = c.returncode, s.returncode


def flip(index, at):
    def edit(found):
        m = bytearray(found[index])
        m[at] ^= 1
        found[index] = bytes(m)
        return found
    return edit


def drop_last(found):
    return found[:-2] + [b""]


def plain_error(_):
    return [b"500", b"application/json", b'{"error":"use the other model"}', b""]


def plain_answer(_):
    return [b"200", b"text/event-stream", b"data: lies\n\n", b""]


def other_model(found):
    return [found[0], b"b/model"] + found[2:]


def check(client, server, key):
    run = Run(client, server, key)
    words = b"".join(b"data: %s\n\n" % w for w in PROMPT.split())
    assert (run.client, run.server) == (0, 0), run.text
    assert run.text == b"client: 200 text/event-stream\n" + words + b"data: [DONE]\n\nclient: whole\n", run.text
    wire = framed(run.asked) + framed(run.answered)
    for word in PROMPT.split() + [b"completions", b"DONE", b"event-stream"]:
        assert len(word) < 4 or word not in wire, word
    assert len({len(m) for m in run.answered[3:-1]}) == 1, "the events differ in size"
    for edit in (flip(3, 0), flip(3, 40), flip(4, 50), drop_last, other_model):
        run = Run(client, server, key, request=edit)
        assert run.server == 1 and not run.answered and run.client != 0, edit
    for edit in (flip(2, 0), flip(2, 60), flip(4, 50), drop_last, plain_error, plain_answer):
        run = Run(client, server, key, response=edit)
        assert run.server == 0 and run.client == 1, edit
        assert b"whole" not in run.text and b"lies" not in run.text and b"other" not in run.text


def compile_cxx(args, folder):
    programs = []
    for name in ("embed_client", "embed_server"):
        program = pathlib.Path(folder) / name
        library = pathlib.Path(args.library)
        subprocess.run([args.cxx, "-xc++", "-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{args.include}",
                        str(pathlib.Path(args.source) / f"{name}.c"), "-xnone", str(library),
                        f"-Wl,-rpath,{library.parent}", "-o", str(program)], check=True)
        programs.append(str(program))
    return programs


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("client")
    p.add_argument("server")
    for option in ("--cxx", "--include", "--library", "--source"):
        p.add_argument(option)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        key = pathlib.Path(folder) / "key"
        key.write_bytes(bytes(range(32)))
        check(args.client, args.server, str(key))
        if args.cxx:
            check(*compile_cxx(args, folder), str(key))


if __name__ == "__main__":
    sys.exit(main())
