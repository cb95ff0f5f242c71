#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does style.py report what it should, where it should, and nothing else?   selftest.py STYLE.PY

Each row makes a small tree: a clean one, with one file in which one rule is broken.
"""
import pathlib
import subprocess
import sys
import tempfile

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"

CLEAN = {
    "include/meson.build": "files('pm/pm.h', 'pm/x.h')\n",
    "include/pm/pm.h": SPDX + "#include <pm/x.h>\n",
    "include/pm/x.h": SPDX + "#ifndef X\n#define X\n#include <stddef.h>\n#include <pm/x.h>\n#endif\n",
    "libpm/meson.build": "files('base/a.c', 'crypto/b.c', 'evidence/c.c', 'net/d.c')\n",
    "libpm/base/a.c": SPDX + "#include <sodium.h>\n#include \"base/a.h\"\n\nint a(void)\n{\n"
                      "\treturn memcmp(1);\n}\n",
    "libpm/base/a.h": SPDX + "/* goto and printf(x) in a comment, and \"memcpy(x)\" */\n",
    "libpm/crypto/b.c": SPDX + "#include <mbedtls/md.h>\n#include \"base/a.h\"\n",
    "libpm/evidence/c.c": SPDX + "#include \"crypto/b.h\"\n#include <pm/x.h>\n",
    "libpm/net/d.c": SPDX + "#include <curl/curl.h>\n#include \"evidence/c.h\"\n",
    "man/meson.build": "files('p.1')\n",
    "man/p.1": ".Dd x\n",
    "scripts/s.sh": "#!/bin/sh\necho \"$1\"\n",
    "tools/t.c": SPDX + "#include <pm/x.h>\n#include \"opts.h\"\n#include \"common/file.h\"\n",
    "tools/common/file.h": SPDX,
    "test/t.c": SPDX + "#include <openssl/evp.h>\n#include \"base/a.h\"\n",
    ".clang-format": "BasedOnStyle: LLVM\nUseTab: Always\nIndentWidth: 8\nTabWidth: 8\n"
                     "BreakBeforeBraces: Linux\nColumnLimit: 0\nSortIncludes: Never\n",
}

LONG = "int f(void)\n{\n" + "\tg();\n" * 70 + "}\n"
MEDIUM = "".join(f"int f{i}(void)\n{{\n" + "\tg();\n" * 30 + "}\n\n" for i in range(2)).rstrip("\n") + "\n"

# Rule, file, its text, the line of the complaint and a part of it.
ROWS = (
    ("banned", "libpm/crypto/b.c", SPDX + "\nint b(void)\n{\n\treturn memcpy(1);\n}\n", 5, "memcpy"),
    ("banned", "libpm/evidence/c.c", SPDX + "int x = getenv (1);\n", 2, "getenv"),
    ("banned", "libpm/base/a.c", SPDX + "int a(void)\n{\n\tgoto out;\n}\n", 4, "goto"),
    ("banned", "libpm/net/d.c", SPDX + "void d(void)\n{\n\tprintf(\"x\");\n}\n", 4, "printf"),
    ("ifdef", "libpm/net/d.c", SPDX + "int d(void)\n{\n#ifdef X\n\treturn 1;\n#endif\n}\n", 4, "#ifdef"),
    ("spdx", "tools/t.c", "/* licence */\nint t;\n", 1, "SPDX"),
    ("length", "libpm/base/a.c", SPDX + LONG, 2, "73 lines"),
    ("length", "test/t.c", SPDX + MEDIUM, 1, "median"),
    ("rooms", "libpm/base/a.c", SPDX + "#include \"crypto/b.h\"\n", 2, "libpm/base/ may not include"),
    ("rooms", "libpm/crypto/b.c", SPDX + "#include \"evidence/c.h\"\n", 2, "may not include"),
    ("rooms", "libpm/evidence/c.c", SPDX + "#include \"net/d.h\"\n", 2, "may not include"),
    ("rooms", "tools/t.c", SPDX + "#include \"base/a.h\"\n", 2, "tools/ may not include"),
    ("rooms", "include/pm/x.h", SPDX + "#include \"base/a.h\"\n", 2, "include/ may not include"),
    ("rooms", "libpm/net/d.c", SPDX + "#include \"d.h\"\n", 2, "written with its room"),
    ("rooms", "libpm/net/d.c", SPDX + "#include \"pm/x.h\"\n", 2, "written <pm/x.h>"),
    ("third-party", "libpm/evidence/c.c", SPDX + "#include <mbedtls/x509.h>\n", 2, "mbedtls/x509.h"),
    ("third-party", "libpm/evidence/c.c", SPDX + "#include <sodium.h>\n", 2, "sodium.h"),
    ("third-party", "libpm/base/a.c", SPDX + "#include <psa/crypto.h>\n", 2, "psa/crypto.h"),
    ("third-party", "libpm/base/a.c", SPDX + "#include <nettle/rsa.h>\n", 2, "nettle/rsa.h"),
    ("third-party", "tools/t.c", SPDX + "#include <curl/curl.h>\n", 2, "curl/curl.h"),
    ("columns", "tools/t.c", SPDX + "int x;\n" + "\t" * 12 + "int y;\n", 3, "102 columns"),
    ("white-space", "man/p.1", ".Dd x \n", 1, "end of the line"),
    ("white-space", "man/p.1", ".Dd x", 1, "newline"),
    ("machine-paths", "scripts/s.sh", "#!/bin/sh\ncd /home/me/src\n", 2, "/home"),
    ("machine-paths", "man/p.1", ".Dd x\npypi.org\n", 2, "pypi.org"),
    ("clang-format", "tools/t.c", SPDX + "int  t;\n", 2, "make format"),
    ("shellcheck", "scripts/s.sh", "#!/bin/sh\necho $1\n", 2, "SC2086"),
    ("lists", "libpm/meson.build", "files('base/a.c', 'crypto/b.c', 'net/d.c')\n", 1, "c.c"),
    ("lists", "include/meson.build", "files('pm/pm.h')\n", 1, "x.h"),
    ("lists", "include/pm/pm.h", SPDX, 1, "x.h"),
    ("lists", "man/meson.build", "files()\n", 1, "p.1"),
)


def make_tree(folder, files):
    for name, text in files.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(style, files, *rules):
    with tempfile.TemporaryDirectory() as folder:
        make_tree(folder, files)
        return subprocess.run([style, "--root", folder, *rules], capture_output=True, text=True,
                              check=False)


def failures(style):
    rules = run(style, {}, "--list").stdout.split()
    for rule in rules:
        if rule not in [row[0] for row in ROWS]:
            yield f"{rule}: no row of this test breaks it"
    done = run(style, CLEAN)
    if done.returncode not in (0, 77) or ":" in done.stdout.replace("skipped:", ""):
        yield f"the clean tree: {done.returncode}\n{done.stdout}{done.stderr}"
    for rule, path, text, line, part in ROWS:
        done = run(style, {**CLEAN, path: text}, rule)
        if done.returncode == 77:
            print(done.stdout.strip())
            continue
        hits = [x for x in done.stdout.splitlines() if f":{line}: {rule}: " in x and part in x]
        if done.returncode != 1 or len(hits) != 1:
            yield f"{rule}: wanted {path}:{line} '{part}', got {done.returncode}\n{done.stdout}{done.stderr}"


def main():
    found = list(failures(sys.argv[1]))
    print("\n".join(found) or f"{len(ROWS)} bad files reported")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
