#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do help, manual page, completion, unit and examples of pm-agent name its options, and no others?

    agent_docs.py AGENT SOURCE-ROOT
"""
import pathlib
import re
import subprocess
import sys

# Of the program to itself.
HIDDEN = {"--worker-fd", "--list-cuda"}
OTHERS = {"--help"} # not worth a line in the page


def options_of(path):
    """The table that getopt gets."""
    text = "".join((path / f).read_text(encoding="utf-8") for f in ("options.c", "demands.h"))
    return {"--" + name for name in re.findall(r'\{"([a-z-]+)", (?:no|required)_argument', text)}


def named(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))


def main():
    agent, root = sys.argv[1], pathlib.Path(sys.argv[2])
    options = options_of(root / "daemons/pm-agent")
    page = (root / "man/pm-agent.8").read_text(encoding="utf-8")
    texts = {
        "--help": (named(subprocess.run([agent, "--help"], capture_output=True, text=True, check=True).stdout), True),
        "manual page": ({"-" + o for o in re.findall(r"Fl (-[a-z-]+)", page)} | OTHERS | {"--version"}, True),
        "completion": (named((root / "completions/bash/pm-agent").read_text(encoding="utf-8")), True),
        "unit": (named((root / "daemons/pm-agent/pm-agent.service.in").read_text(encoding="utf-8")), False),
        "pod": (named((root / "examples/k8s/gpu-worker.yaml").read_text(encoding="utf-8")), False),
    }
    problems = []
    for where, (found, whole) in texts.items():
        problems += [f"{where} names {o}, which is no option" for o in sorted(found - options)]
        if whole:
            problems += [f"{where} lacks {o}" for o in sorted(options - HIDDEN - found)]
    print("\n".join(problems) or f"{len(options)} options")
    return 1 if problems else 0


sys.exit(main())
