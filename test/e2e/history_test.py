# SPDX-License-Identifier: Apache-2.0
"""The judge of histories, on histories that were made up: what is good passes, what is bad does not."""
import random
import sys
import time

from harness import run_tests
from history import NO, OK, UNKNOWN, History, Operation, Verdict, is_linearizable


def ops(*rows, key="k"):
    """(kind, value, start, end, result[, more])"""
    made = []
    for i, (kind, value, start, end, result, *more) in enumerate(rows):
        made.append(Operation(f"c{i}", kind, key, start, end, result, value, **(more[0] if more else {})))
    return made


def judge(*rows, slack=0.0):
    history = History(time.monotonic)
    for o in ops(*rows):
        history.add(o)
    return Verdict(history, slack)


GOOD = (
    (),
    (("get", None, 0, 1, NO),),
    (("put", "a", 0, 1, OK), ("get", "a", 2, 3, OK)),
    (("put", "a", 0, 4, OK), ("get", None, 1, 2, NO), ("get", "a", 3, 4, OK)), # while it comes
    (("put", "a", 0, 5, OK), ("put", "b", 0, 5, OK), ("get", "b", 1, 2, OK), ("get", "a", 3, 4, OK)),
    (("put", "a", 0, 1, UNKNOWN), ("get", None, 2, 3, NO), ("get", "a", 4, 5, OK)), # it came late
    (("put", "a", 0, 1, UNKNOWN), ("get", None, 2, 3, NO), ("get", None, 4, 5, NO)), # it never came
    (("add", "a", 0, 1, OK), ("add", "b", 2, 3, NO), ("get", "a", 4, 5, OK)),
    (("add", "a", 0, 3, OK), ("add", "b", 0, 3, NO)),
    (("add", "a", 0, 1, UNKNOWN), ("add", "b", 2, 3, NO), ("get", "a", 4, 5, OK)),
    (("put", "a", 0, 1, OK), ("revoke", None, 2, 3, OK), ("get", None, 4, 5, NO)),
    (("put", "a", 0, 1, OK), ("revoke", None, 2, 6, OK), ("get", "a", 3, 4, OK), ("get", None, 5, 6, NO)),
    (("revoke", None, 0, 1, NO),),
    (("put", "a", 0, 1, OK), ("revoke", None, 2, 3, UNKNOWN), ("get", "a", 4, 5, OK), ("get", None, 6, 7, NO)),
    (("revoke", None, 0, 1, UNKNOWN), ("put", "a", 2, 3, OK), ("get", None, 4, 5, NO)), # it was under way so long
    (("put", "a", 0, 1, OK, {"lifetime": 5}), ("get", "a", 2, 3, OK), ("get", None, 6, 7, NO)),
    (("put", "a", 0, 1, OK, {"lifetime": 5}), ("revoke", None, 6, 7, NO)),
    (("put", "a", 0, 1, OK, {"lifetime": 5}), ("put", "b", 2, 3, OK), ("get", "b", 8, 9, OK)),
    (("put", "a", 0, 1, OK), ("get", None, 2, 3, UNKNOWN)), # who heard nothing says nothing
    (("put", "a", 0, 1, OK), ("get", None, 2, 3, NO, {"allowed": False})),
    (("put", "a", 0, 1, OK), ("put", "b", 2, 3, NO), ("get", "a", 4, 5, OK)),
)

# What is bad, and how: lost, wrong, late, order.
BAD = (
    ("order", (("get", "a", 0, 1, OK), ("put", "a", 2, 3, OK))), # before it came
    ("order", (("put", "a", 0, 1, OK), ("put", "b", 2, 3, OK), ("get", "a", 4, 5, OK))), # stale
    ("order", (("put", "a", 0, 5, OK), ("put", "b", 0, 5, OK), ("get", "a", 6, 7, OK), ("get", "b", 8, 9, OK))),
    ("order", (("put", "a", 0, 9, OK), ("get", "a", 1, 2, OK), ("get", None, 3, 4, NO))), # and gone again
    ("order", (("add", "a", 0, 1, OK), ("add", "b", 2, 3, OK))), # both the first
    ("order", (("add", "a", 0, 1, NO),)),
    ("order", (("put", "a", 0, 1, OK), ("revoke", None, 2, 3, OK), ("get", "a", 4, 5, OK))), # revoked
    ("order", (("put", "a", 0, 1, OK), ("revoke", None, 2, 3, NO))),
    ("order", (("put", "a", 0, 1, OK), ("revoke", None, 2, 3, UNKNOWN), ("get", None, 4, 5, NO),
               ("get", "a", 6, 7, OK))),
    ("lost", (("put", "a", 0, 1, OK), ("get", None, 2, 3, NO))),
    ("lost", (("put", "a", 0, 1, OK, {"lifetime": 50}), ("get", None, 2, 3, NO))),
    ("lost", (("put", "a", 0, 1, OK), ("get", None, 2, 3, NO), ("get", "a", 4, 5, OK))), # for a while
    ("lost", (("revoke", None, -2, -1, NO), ("put", "a", 0, 1, OK), ("get", None, 2, 3, NO))),
    ("late", (("put", "a", 0, 1, OK, {"lifetime": 5}), ("get", "a", 7, 8, OK))),
    ("wrong", (("put", "a", 0, 1, OK), ("get", "a", 2, 3, OK, {"allowed": False}))),
    ("wrong", (("put", "a", 0, 1, OK), ("get", "z", 2, 3, OK))), # nobody brought it
)


def test_good():
    for rows in GOOD:
        verdict = judge(*rows)
        assert verdict.is_good(), (rows, str(verdict))


def test_bad():
    for how, rows in BAD:
        verdict = judge(*rows)
        named = {"lost": verdict.lost, "wrong": verdict.wrong, "late": verdict.late, "order": verdict.not_linearizable}
        assert named[how] and not verdict.is_good(), (how, rows, str(verdict))
        # What the search finds is not found by the other looks: each is needed.
        if how == "order":
            assert not (verdict.lost or verdict.wrong or verdict.late), (rows, str(verdict))
        if how == "lost":
            assert verdict.not_linearizable


def test_slack():
    """Services count whole seconds: what ends a little early or late is no fault."""
    early = (("put", "a", 0, 1, OK, {"lifetime": 5}), ("get", None, 3, 4, NO))
    assert judge(*early).lost and not judge(*early, slack=1.5).lost
    late = (("put", "a", 0, 1, OK, {"lifetime": 5}), ("get", "a", 7, 8, OK))
    assert judge(*late).late and not judge(*late, slack=1.5).late


def test_keys_stand_alone():
    history = History(time.monotonic)
    for o in ops(("put", "a", 0, 1, OK), key="one") + ops(("get", None, 2, 3, NO), key="two"):
        history.add(o)
    assert Verdict(history).is_good()
    for o in ops(("get", "a", 4, 5, OK), key="two"):
        history.add(o)
    assert [o.key for o in Verdict(history).wrong] == ["two"]


def test_recorder():
    history = History(iter(range(100)).__next__)
    history.run("c", "put", "k", lambda: (OK, None), value="a", lifetime=9)
    assert history.run("c", "get", "k", lambda: (OK, "a")) == (OK, "a")
    try:
        history.run("c", "get", "k", lambda: 1 / 0)
    except ZeroDivisionError:
        pass
    assert [(o.start, o.end, o.result, o.value) for o in history.operations] == [
        (0, 1, OK, "a"), (2, 3, OK, "a"), (4, 5, UNKNOWN, None)]
    text = str(Verdict(history))
    assert text == "acknowledged 1, lost 0, wrongly released 0, returned after expiry 0, linearizable yes", text


def invent(dice, count):
    """A history of a true register: each operation takes effect at a moment within its time."""
    moments = sorted(dice.sample(range(10 * count), count))
    state, made = None, []
    for i, moment in enumerate(moments):
        kind = dice.choice(("put", "add", "get", "get", "revoke"))
        row = dict(start=moment - dice.randrange(30), end=moment + dice.randrange(1, 30), result=OK, value=None)
        if kind in ("put", "add"):
            row["value"] = f"v{i}"
            row["result"] = NO if kind == "add" and state else OK
            state = state if row["result"] == NO else row["value"]
        elif kind == "get":
            row.update(result=OK if state else NO, value=state)
        else:
            row["result"] = OK if state else NO
            state = None
        if kind != "get" and dice.random() < 0.1:
            row["result"] = UNKNOWN
        made.append(Operation("c", kind, "k", **row))
    return made


def test_invented():
    """Many histories of a true register pass; with an answer that was changed to a lie nearly all fail (some lies
    could be true)."""
    dice = random.Random(7)
    found = 0
    for _ in range(150):
        made = invent(dice, 30)
        assert is_linearizable(made), made
        gets = [i for i, o in enumerate(made) if o.kind == "get" and o.result == OK]
        if not gets:
            continue
        i = dice.choice(gets)
        o = made[i]
        made[i] = Operation(o.client, "get", "k", o.start, o.end, OK, "never brought")
        assert not is_linearizable(made), made
        found += 1
    assert found > 50


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
