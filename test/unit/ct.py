#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run ct.c's comparisons under valgrind: none but the leaky one depends on the secrets.

    ct.py PROGRAM
"""
import shutil
import subprocess
import sys

FOUND = 99 # exit status for what memcheck reports


def main():
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed")
        return 77
    failed = 0
    for name in ("pm_ct_equal", "pm_is_zero", "pm_secret_equal", "leaky"):
        done = subprocess.run(["valgrind", "-q", "--tool=memcheck", f"--error-exitcode={FOUND}", sys.argv[1], name],
                              capture_output=True, text=True, check=False)
        want = FOUND if name == "leaky" else 0
        if done.returncode != want:
            print(f"{name}: exit {done.returncode}, expected {want}\n{done.stderr}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
