#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the tests of several build folders said: a line each, what was skipped and why, what failed,
and one closing line "N passed, N failed, N skipped".

    summary.py BUILD-DIR...

Exits 1 when a test failed or ran out of time, or when a folder has no results.
"""
import json
import pathlib
import sys

PASSED = ("OK", "EXPECTEDFAIL")
SKIPPED = ("SKIP",)


def results_of(folder):
    """The tests of a folder's last run: meson writes one JSON object a line."""
    log = pathlib.Path(folder) / "meson-logs" / "testlog.json"
    try:
        lines = log.read_text(encoding="utf-8").splitlines()
    except OSError as e:
        print(f"{folder}: no results: {e.strerror}")
        return []
    return [json.loads(line) for line in lines if line.strip()]


def reasons(result):
    """Lines "skipped: ..." of the test's output: a whole test that was skipped, or a part of one."""
    output = result.get("stdout", "") + "\n" + result.get("stderr", "")
    return [line.strip() for line in output.splitlines() if line.strip().startswith("skipped:")]


def kind_of(result):
    if result["result"] in PASSED:
        return "passed"
    return "skipped" if result["result"] in SKIPPED else "failed"


def describe(folder, result):
    kind, name = kind_of(result), result["name"]
    if kind == "failed":
        print(f"{folder}: {name}: {result['result']}")
    found = reasons(result)
    if kind == "skipped" and not found:
        found = ["skipped: gives no reason"]
    for reason in found:
        print(f"{folder}: {name}: {reason}")


def summarise(folder):
    """Counts by kind; prints what needs words."""
    results = results_of(folder)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for result in results:
        counts[kind_of(result)] += 1
        describe(folder, result)
    counts["failed"] += not results
    print(f"{folder}: {line(counts)}")
    return counts


def line(counts):
    return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def main():
    folders = sys.argv[1:]
    if not folders:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    found = [summarise(folder) for folder in folders]
    total = {kind: sum(counts[kind] for counts in found) for kind in ("passed", "failed", "skipped")}
    print(line(total))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
