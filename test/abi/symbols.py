#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of exports exists four times (library, libpm.sym, headers, manual pages): is it one list?

    symbols.py LIBPM.SO LIBPM.A LIBPM.SYM SIZES.C HEADER2MAN HEADER... [PAGE.3...]
"""
import re
import subprocess
import sys


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exported(so):
    """What the dynamic linker sees, less the names of the version nodes."""
    lines = [line.split() for line in run("nm", "-D", "--defined-only", so).splitlines()]
    return {name.split("@")[0] for _, kind, name in lines if kind != "A"}


def listed(sym):
    """The names of libpm.sym; each node lists its own, sorted."""
    names = set()
    with open(sym, encoding="utf-8") as f:
        for node in re.findall(r"global:(.*?)(?:local:|\})", f.read(), re.S):
            found = re.findall(r"[\w*]+(?=;)", node)
            if found != sorted(set(found)):
                raise SystemExit(f"{sym}: the names of a node are not sorted, or one is there twice")
            names.update(found)
    return names


def documented(pages):
    names = set()
    for path in pages:
        with open(path, encoding="utf-8") as f:
            names.update(re.findall(r"^\.Fo (\w+)$", f.read(), re.M))
    return names


def differences(what, have, where, want):
    for name in sorted(have - want):
        yield f"{name} is {what} and not {where}"
    for name in sorted(want - have):
        yield f"{name} is {where} and not {what}"


def foreign_globals(archive):
    """Globals of our objects that could collide with a program's. '__' belongs to the compiler."""
    for line in run("nm", "-g", "--defined-only", archive).splitlines():
        words = line.split()
        if len(words) == 3 and not words[2].startswith(("pm_", "__")):
            yield f"{words[2]} is a global symbol of the static library and does not begin with pm_"


def unmeasured_structs(sizes, structs):
    with open(sizes, encoding="utf-8") as f:
        text = f.read()
    for name in structs:
        if not re.search(rf"SIZE\({name},", text):
            yield f"{name} is public, and its size is not asserted in {sizes}"


def main():
    so, archive, sym, sizes, header2man, *files = sys.argv[1:]
    headers = [f for f in files if f.endswith(".h")]
    pages = [f for f in files if f.endswith(".3")]
    declared = set(run(header2man, "--list", *headers).split())
    problems = list(differences("exported", exported(so), "in libpm.sym", listed(sym)))
    problems += differences("declared", declared, "in libpm.sym", listed(sym))
    if pages:
        problems += differences("declared", declared, "in a manual page", documented(pages))
    problems += [f"{n} is exported and does not begin with pm_"
                 for n in sorted(exported(so)) if not n.startswith("pm_")]
    problems += foreign_globals(archive)
    problems += unmeasured_structs(sizes, run(header2man, "--structs", *headers).splitlines())
    print("\n".join(problems) or f"{len(declared)} functions: one list")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
