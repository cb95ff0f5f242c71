#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of HACKING.md that a machine can look after.

    style.py [--root DIR] RULE...    check; exit 1 with lines "FILE:LINE: RULE: TEXT", 77 when skipped
    style.py --list                  the names of the rules

A rule is a function that yields (path, line, text); what it looks at are the files that git tracks or
would track.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

COLUMNS = 100
COLUMNS_OTHER = 120 # scripts; running text (Markdown) has no limit
TAB = 8
LINES_MAX = 70
LINES_MEDIAN = 20

# Not allowed in libpm/ outside base/. The last are allowed nowhere in libpm/.
BANNED = ("memcpy", "memmove", "memcmp", "strcpy", "strncpy", "strcat", "strncat", "sprintf", "vsprintf",
          "alloca", "system", "getenv", "atoi", "atol", "gets")
BANNED_EVERYWHERE = ("goto", "printf", "fprintf", "puts", "perror", "exit", "_exit", "abort")

# What a room may include of ours, by the first folder of the name; see the table of HACKING.md.
ROOMS = {
    "include": ("pm",),
    "libpm/base": ("pm", "base"),
    "libpm/crypto": ("pm", "base", "crypto"),
    "libpm/envelope": ("pm", "base", "crypto", "envelope"),
    "libpm/evidence": ("pm", "base", "crypto", "evidence"),
    "libpm/verity": ("pm", "base", "crypto", "verity"),
    "libpm/policy": ("pm", "base", "crypto", "evidence", "policy"),
    "libpm/mesh": ("pm", "base", "crypto", "evidence", "policy", "mesh"),
    "libpm/net": ("pm", "base", "crypto", "evidence", "policy", "mesh", "net"),
    "tools": ("pm",), # and the folders of tools/
    "daemons": ("pm",), # and the folders of daemons/
}

# Libraries of others: the folders whose files may include them.
THIRD_PARTY = {
    "event2": ("daemons/", "examples/inference-server/", "test/"),
    "http_parser.h": ("test/",),
    "mbedtls": ("libpm/crypto/", "daemons/common/tls", "test/"),
    "psa": ("libpm/crypto/", "daemons/common/tls", "test/"),
    "nettle": ("libpm/crypto/", "test/"),
    "gmp.h": ("libpm/crypto/", "test/"),
    "cbor.h": ("libpm/base/cbor.c", "test/"),
    "libxml": ("libpm/evidence/rim_xml", "test/"),
    "curl": ("libpm/net/", "daemons/common/upstream", "test/"),
    "sodium": ("libpm/base/", "libpm/crypto/", "test/"),
    "sodium.h": ("libpm/base/", "libpm/crypto/", "test/"),
    "libgfshare.h": ("libpm/crypto/", "test/"),
    "libcryptsetup.h": ("libpm/verity/", "test/"),
    "intel-ipsec-mb.h": ("libpm/verity/", "test/"),
    "sqlite3.h": ("daemons/common/store_sqlite", "test/"),
    "openssl": ("tools/pm-sim/", "test/"),
    "jansson.h": ("libpm/evidence/eat", "libpm/net/rim_json.c", "libpm/net/session_agree.c", "libpm/policy/",
                  "tools/", "daemons/", "examples/inference-server/", "test/"),
    "check.h": ("test/",),
}

# Folders of a developer's machine, and hosts that only say where packages were taken from.
FOREIGN = re.compile(r"(?<![\w./$}-])/(?:work|root|home)(?![\w-])|"
                     r"\b(?:deb\.debian\.org|security\.debian\.org|snapshot\.debian\.org|pypi\.org|"
                     r"files\.pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org|crates\.io|"
                     r"archive\.ubuntu\.com)\b")


class Skip(Exception):
    """A rule that can't be checked here; says why."""


class Tree:
    """The files of the project."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.paths = sorted(self._tracked() or self._walked())

    def _tracked(self):
        done = subprocess.run(["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard", "-z"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            return []
        return [p for p in done.stdout.split("\0") if p and (self.root / p).is_file()]

    def _walked(self):
        """In an archive of the sources there is no git: all but the build folders."""
        found = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f not in (".git", ".deps") and not f.startswith("build")]
            found += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return found

    def matching(self, *suffixes, under=""):
        return [p for p in self.paths if p.startswith(under) and p.endswith(suffixes)]

    def text(self, path):
        """The file's text, or None for one that is not text."""
        data = (self.root / path).read_bytes()
        try:
            return None if b"\0" in data else data.decode("utf-8")
        except UnicodeDecodeError:
            return None


LITERALS = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)


def code_of(text):
    """The text with comments and literals blanked, so that words in them do not count."""
    return LITERALS.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def rule_banned(tree):
    """Functions that have a better one in base/."""
    for path in tree.matching(".c", ".h", under="libpm/"):
        code = code_of(tree.text(path))
        words = BANNED_EVERYWHERE + (() if path.startswith("libpm/base/") else BANNED)
        for m in re.finditer(rf"\b({'|'.join(words)})\b(?=\s*\(|\s+\w+;)", code):
            yield path, line_of(code, m.start()), f"{m[1]} is banned here"


def rule_ifdef(tree):
    """Conditions select files in meson, never lines of a function."""
    for path in [p for p in tree.matching(".c", ".h") if p.startswith(("libpm/", "tools/", "daemons/"))]:
        code = code_of(tree.text(path))
        spans = [(f["line"], f["end"]) for f in functions(tree, [path])]
        for m in re.finditer(r"^[ \t]*#[ \t]*(if\w*|el\w+)\b", code, re.M):
            line = line_of(code, m.start())
            if any(begin <= line <= end for begin, end in spans):
                yield path, line, f"#{m[1]} inside a function"


def rule_spdx(tree):
    """The licence stands in the first line."""
    for path in tree.matching(".c", ".h"):
        if not tree.text(path).startswith("/* SPDX-License-Identifier: Apache-2.0 */\n"):
            yield path, 1, "the first line is not the SPDX line"


def functions(tree, paths):
    """name, path, line and end of each C function, by ctags."""
    if not shutil.which("ctags"):
        raise Skip("ctags (universal-ctags) is not installed")
    if not paths:
        return []
    done = subprocess.run(["ctags", "--languages=C", "--langmap=C:.c.h", "--c-kinds=f", "--fields=+ne",
                           "-f", "-", *paths], cwd=tree.root, capture_output=True, text=True, check=True)
    found = []
    for row in done.stdout.splitlines():
        m = re.match(r"(\w+)\t(.*?)\t.*\tline:(\d+).*\tend:(\d+)", row)
        if m:
            found.append({"name": m[1], "path": m[2], "line": int(m[3]), "end": int(m[4])})
    return found


def rule_length(tree):
    """Functions fit a page; half of them in twenty lines."""
    for rooms in (("libpm/",), ("tools/",), ("daemons/",), ("test/",)):
        found = functions(tree, [p for p in tree.matching(".c", ".h") if p.startswith(rooms)])
        sizes = [f["end"] - f["line"] + 1 for f in found]
        for f, size in zip(found, sizes):
            if size > LINES_MAX:
                yield f["path"], f["line"], f"{f['name']}() has {size} lines, at most {LINES_MAX}"
        if sizes and statistics.median(sizes) > LINES_MEDIAN:
            yield rooms[0], 1, f"the median function has {statistics.median(sizes)} lines"


def room_of(path):
    return next((room for room in ROOMS if path.startswith(room + "/")), None)


def includes_of(tree, path):
    text = tree.text(path)
    for m in re.finditer(r"^[ \t]*#[ \t]*include[ \t]*([<\"])(.*?)[>\"]", text, re.M):
        yield line_of(text, m.start()), m[1], m[2]


def rule_rooms(tree):
    """Dependencies point up the table of HACKING.md."""
    folders = {room: {p.split("/")[1] for p in tree.matching(".c", ".h", under=room + "/") if p.count("/") > 1}
               for room in ("tools", "daemons")}
    for path in tree.matching(".c", ".h"):
        room = room_of(path)
        allowed = ROOMS.get(room, ()) + tuple(folders.get(room, ()))
        for line, mark, name in includes_of(tree, path) if room else ():
            folder = name.split("/")[0] if "/" in name else ""
            if folder == "pm" and mark != "<":
                yield path, line, f"{name} is written <{name}>"
            ours = folder == "pm" or (mark == '"' and folder)
            if ours and folder not in allowed:
                yield path, line, f"{room}/ may not include {name}"
            if mark == '"' and not folder and room not in folders:
                yield path, line, f"{name} is written with its room"


def rule_third_party(tree):
    """Each library of others has one door."""
    for path in tree.matching(".c", ".h"):
        for line, _, name in includes_of(tree, path):
            doors = THIRD_PARTY.get(name.split("/")[0])
            if doors and not path.startswith(doors):
                yield path, line, f"{name} may be included in {', '.join(doors)} only"


def rule_columns(tree):
    """No line is wider than the page, with tabs of eight."""
    names = (".c", ".h", ".py", ".sh", "meson.build")
    for path in tree.matching(*names):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            width = len(line.expandtabs(TAB))
            limit = COLUMNS if path.endswith((".c", ".h")) else COLUMNS_OTHER
            if width > limit:
                yield path, number, f"{width} columns, at most {limit}"


def rule_white_space(tree):
    """No white space at the end of a line; one newline at the end of a file."""
    for path in tree.paths:
        text = tree.text(path)
        if not text or "/corpus/" in path:
            continue
        for m in re.finditer(r"[ \t]+$", text, re.M):
            yield path, line_of(text, m.start()), "white space at the end of the line"
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield path, line_of(text, len(text)), "the file does not end with one newline"


def rule_machine_paths(tree):
    """The project knows no developer's machine."""
    for path in tree.paths:
        text = tree.text(path)
        if text is None or path.startswith("test/style/"):
            continue
        for m in FOREIGN.finditer(text):
            yield path, line_of(text, m.start()), f"names a machine: {m[0]}"


def rule_clang_format(tree):
    """Laid out by clang-format."""
    if not shutil.which("clang-format"):
        raise Skip("clang-format is not installed")
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=True).stdout
    m = re.search(r"version (\d+)", version)
    if not m or m[1] != "14":
        raise Skip(f"the layout is that of clang-format 14, here is: {version.strip()}")
    paths = tree.matching(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", *paths], cwd=tree.root, capture_output=True,
                          text=True, check=False)
    first = {}
    for m in re.finditer(r"^(.*?):(\d+):\d+: (?:warning|error): ", done.stderr, re.M):
        first.setdefault(m[1], []).append(int(m[2]))
    for path, lines in first.items():
        yield path, lines[0], f"{len(set(lines))} lines are laid out otherwise: make format"


def rule_shellcheck(tree):
    """Shell scripts without what shellcheck warns of."""
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not installed")
    paths = tree.matching(".sh") + [p for p in tree.paths if p == ".ci/run"]
    if not paths:
        return
    # SC2317: a function that only a trap calls seems unreachable.
    done = subprocess.run(["shellcheck", "-e", "SC2317", "-f", "gcc", *paths], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    for m in re.finditer(r"^(.*?):(\d+):\d+: (.*)", done.stdout, re.M):
        yield m[1], int(m[2]), m[3]


def rule_lists(tree):
    """The lists of files are complete: what the build does not list is neither built nor checked."""
    headers = tree.matching(".h", under="include/pm/")
    whole = "include/pm/pm.h"
    wanted = {"include/meson.build": (headers, "include/", "'%s'"),
              whole: ([p for p in headers if p != whole], "include/", "#include <%s>"),
              "libpm/meson.build": (tree.matching(".c", under="libpm/"), "libpm/", "'%s'"),
              "man/meson.build": ([p for p in tree.paths if re.match(r"man/[^/]+\.[1-9]$", p)], "man/", "'%s'")}
    for where, (paths, prefix, form) in wanted.items():
        text = tree.text(where) if where in tree.paths else ""
        for path in paths:
            if form % path[len(prefix):] not in text:
                yield path, 1, f"is not listed in {where}"


RULES = {name[5:].replace("_", "-"): fn for name, fn in list(globals().items()) if name.startswith("rule_")}


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--root", default=".")
    p.add_argument("--list", action="store_true")
    p.add_argument("rules", nargs="*", metavar="RULE", help="all when none is given")
    return p.parse_args()


def main():
    args = parse_arguments()
    if args.list:
        print("\n".join(RULES))
        return 0
    tree = Tree(args.root)
    status = 0
    for name in args.rules or RULES:
        try:
            for path, line, text in RULES[name](tree):
                print(f"{path}:{line}: {name}: {text}")
                status = 1
        except Skip as reason:
            print(f"skipped: {name}: {reason}")
            status = status or 77
    return status


if __name__ == "__main__":
    sys.exit(main())
