#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the schema and the parser agree on what a manifest is? test_manifest asks the parser the same table.

    schema.py MANIFEST.SCHEMA.JSON [PM-CTL]

With PM-CTL the schema is also compared with the parser on each change of one leaf of the base.
"""
import copy
import json
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import cases

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def step(at, word):
    return at[int(word)] if isinstance(at, list) else at[word]


def change(doc, path, *value):
    *words, last = path.split(" ")
    for word in words:
        doc = step(doc, word)
    last = int(last) if isinstance(doc, list) else last
    if value:
        doc[last] = value[0]
    else:
        del doc[last]


def document(base, case):
    doc = copy.deepcopy(base)
    for path in case.get("delete", ()):
        change(doc, path)
    for path, value in case.get("set", {}).items():
        change(doc, path, copy.deepcopy(value))
    return doc


def leaves(value, path=()):
    """Each place whose value has no members, and other values to put there."""
    if isinstance(value, (dict, list)):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(member, (*path, key))
        return
    yield path, [None, True, False, 0, -1, "", "x", [], {}]


def put(doc, path, value):
    doc = copy.deepcopy(doc)
    at = doc
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return doc


def parses(ctl, doc):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(doc, f)
        f.flush()
        return subprocess.run([ctl, "manifest", "hash", f.name], capture_output=True, check=False).returncode == 0


def compare_leaves(validator, ctl, base):
    """What the parser takes the schema takes. The schema may take more: it sees no references."""
    count = 0
    for path, values in leaves(base):
        for value in values[count % 3::3]: # a third, another one at each place
            doc = put(base, path, value)
            if parses(ctl, doc) and not validator.is_valid(doc):
                yield f"{'.'.join(map(str, path))} = {value!r}: the parser takes it, the schema does not"
        count += 1


def main():
    table = cases.table()
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    problems = []
    for case in table["cases"]:
        found = "good" if validator.is_valid(document(table["base"], case)) else "bad"
        if found != case["schema"]:
            problems.append(f"{case['name']}: {found} by the schema, {case['schema']} is wanted")
    if len(sys.argv) > 2:
        problems += compare_leaves(validator, sys.argv[2], table["base"])
    print("\n".join(problems) or f"{len(table['cases'])} cases: they agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
