#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does each public header compile alone, and twice, as C99 and as C++11, without a warning?

    headers.py INCLUDE-DIR CC CXX HEADER...
"""
import pathlib
import subprocess
import sys

WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def compiles(compiler, dialect, include, header):
    name = f"pm/{pathlib.Path(header).name}"
    source = f"#include <{name}>\n#include <{name}>\nint main(void) {{ return 0; }}\n"
    command = [compiler, *dialect, *WARNINGS, f"-I{include}", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name} as {dialect[1]} by {compiler}:\n{done.stderr}")
    return done.returncode == 0


def main():
    include, cc, cxx, *headers = sys.argv[1:]
    results = []
    for header in headers:
        results.append(compiles(cc, ["-xc", "-std=c99"], include, header))
        results.append(compiles(cxx, ["-xc++", "-std=c++11"], include, header))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
