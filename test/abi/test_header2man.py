#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does header2man.py refuse what is not documented, and write what is?   test_header2man.py HEADER2MAN"""
import pathlib
import subprocess
import sys
import tempfile

FILE = "/** @file x.h\n * About x.\n */\n"

GOOD = FILE + """
/** Most x. */
#define PM_X_MAX 7

/** Kinds. */
enum pm_kind {
	/** The first. */
	PM_ONE = 1,
	/** The second, the last. */
	PM_TWO = 2
};

/** An x. */
struct pm_x {
	/** Two numbers. */
	int a, b;
	/** Bytes. */
	unsigned char bytes[16];
	/** Called back. */
	int (*fn)(void *arg);
};

/**
 * pm_x_do - do it to x,
 * at once
 * @x: the x, see
 *   struct pm_x
 * @fn: called with pm_x_do()
 *
 * More about it.
 *
 * - one thing
 * - another
 *
 * Return: 0; PM_E_ARG.
 */
PM_API int pm_x_do(const struct pm_x *x, int (*fn)(const char *s, int n)) PM_MUST_USE;
"""

WANTED = ("Nm pm_x_do", ".Fa \"int (*fn)(const char *s, int n)\"", ".It Fa fn", ".Fn pm_x_do",
          "Do it to x, at once.", ".Vt \"struct pm_x\"", ".It Dv \"PM_TWO\"", ".It Fa \"a, b\"",
          ".It Fa \"bytes\"", ".It Dv \"PM_X_MAX 7\"", "Returns", ".Dv PM_E_ARG .", ".Bl -bullet")

VOID = "/**\n * pm_f - do it\n * @a: an a\n */\nPM_API void pm_f(int a);\n"
INT = "/**\n * pm_f - do it\n * @a: an a\n *\n * Return: 0.\n */\nPM_API int pm_f(int a);\n"

# What is wrong, the header, and the complaint.
BAD = (
    ("no @file", VOID, "no comment '@file'"),
    ("no comment", FILE + "PM_API void pm_f(int a);\n", "pm_f() has no comment"),
    ("plain comment", FILE + VOID.replace("/**", "/*"), "pm_f() has no comment"),
    ("wrong name", FILE + VOID.replace("pm_f -", "pm_g -"), "does not begin 'pm_f - summary'"),
    ("no parameter", FILE + VOID.replace(" * @a: an a\n", ""), "no line '@a: text'"),
    ("empty parameter", FILE + VOID.replace("an a", ""), "no line '@a: text'"),
    ("too many", FILE + VOID.replace("int a", "void"), "'@a' is not a parameter"),
    ("renamed", FILE + VOID.replace("int a", "int b"), "no line '@b: text'"),
    ("no return", FILE + INT.replace(" * Return: 0.\n", ""), "no paragraph 'Return: text'"),
    ("empty return", FILE + INT.replace("Return: 0.", "Return:"), "no paragraph 'Return: text'"),
    ("void returns", FILE + INT.replace("int pm_f", "void pm_f"), "returns nothing"),
    ("order", FILE + VOID.replace("@a: an a", "@b: b\n * @a: a").replace("int a", "int a, int b"),
     "another order"),
    ("not exported", FILE + VOID.replace("PM_API ", ""), "not marked PM_API"),
    ("error dropped", FILE + INT.replace("0.", "PM_E_ARG."), "not marked PM_MUST_USE"),
    ("enum value", FILE + "/** E. */\nenum pm_e { /** A. */ PM_A, PM_B };\n", "PM_B has no comment"),
    ("field", FILE + "/** S. */\nstruct pm_s { /** A. */ int a; int b; };\n", "b has no comment"),
    ("struct", FILE + "struct pm_s { /** A. */ int a; };\n", "struct pm_s has no comment"),
)


def run(tool, folder, text, *options):
    header = pathlib.Path(folder) / "x.h"
    header.write_text(text, encoding="utf-8")
    return subprocess.run([tool, *options, str(header)], capture_output=True, text=True, check=False)


def failures(tool, folder):
    done = run(tool, folder, GOOD, "--version", "1", "--date", "January 1, 2000")
    for text in WANTED:
        if done.returncode or text not in done.stdout:
            yield f"good header: no {text} in the page\n{done.stdout}{done.stderr}"
    for what, text, complaint in BAD:
        done = run(tool, folder, text, "--check")
        if done.returncode != 1 or complaint not in done.stderr:
            yield f"{what}: wanted \"{complaint}\", got {done.returncode} {done.stderr}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        found = list(failures(sys.argv[1], folder))
    print("\n".join(found) or f"{len(WANTED)} texts and {len(BAD)} refusals as wanted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
