# SPDX-License-Identifier: Apache-2.0
"""What clients did to secrets and what they were told, as it was recorded; and whether that is as it must be.

Each secret is a register of its own. What a client was told decides how an operation is judged: "ok"; "no" (it was
refused: nothing happened, and what that says of the register is known); "unknown" (no answer: it happened at some
time after it began, or never).

Times are seconds of one clock, the test's own, which only passes."""
import dataclasses
import math
import threading

OK, NO, UNKNOWN = "ok", "no", "unknown"

# put: sets the value, whatever there was. add: sets it where there is none; "no": there was one. get: the value; "no":
# there is none, or it is not for who asks. revoke: "no": there was none. expire: not done by a client: see expiries().
KINDS = ("put", "add", "get", "revoke", "expire")

# Most operations that are searched through for one key. More is an error of the test: it does not end in time.
KEY_MOST = 200


@dataclasses.dataclass(frozen=True)
class Operation:
    client: str
    kind: str
    key: str
    start: float
    end: float
    result: str
    value: str = None # what put and add bring, and what get found
    lifetime: float = None # of what put and add bring, in seconds
    allowed: bool = True # may the client have this secret?


class History:
    """Operations, recorded by many threads."""

    def __init__(self, now):
        self.now = now
        self.lock = threading.Lock()
        self.operations = []

    def run(self, client, kind, key, call, **more):
        """Records what call() does: it returns (result, value of a get or None). Whatever it raises is "unknown"."""
        start = self.now()
        result, value = UNKNOWN, None
        try:
            result, value = call()
            return result, value
        finally:
            if kind == "get":
                more["value"] = value if result == OK else None
            self.add(Operation(client, kind, key, start, self.now(), result, **more))

    def record(self, client, kind, key, start, result, value, **more):
        """What has ended just now."""
        self.add(Operation(client, kind, key, start, self.now(), result, value, **more))

    def add(self, operation):
        assert operation.kind in KINDS and operation.result in (OK, NO, UNKNOWN)
        with self.lock:
            self.operations.append(operation)

    def keys(self):
        keys = {}
        with self.lock:
            for o in self.operations:
                keys.setdefault(o.key, []).append(o)
        return keys


# --- is there an order? --------------------------------------------------------------------------------------------

def step(state, operation):
    """The state after it, if it can have happened in this one; else ()."""
    kind, result, value = operation.kind, operation.result, operation.value
    if kind == "put":
        return (value,)
    if kind == "expire":
        return (None,) if state == value else (state,)
    if kind == "add":
        fits = result == UNKNOWN or (result == OK) == (state is None)
        return (() if not fits else (value,) if state is None else (state,))
    if kind == "revoke":
        fits = result == UNKNOWN or (result == OK) == (state is not None)
        return (None,) if fits else ()
    wanted = value if result == OK else None
    return (state,) if state == wanted else ()


def expiries(operations, slack):
    """For each value with a lifetime the end of it, by nobody, at some time from its end on (and not before)."""
    found = []
    for o in operations:
        if o.kind in ("put", "add") and o.result != NO and o.lifetime is not None:
            found.append(Operation("time", "expire", o.key, o.start + o.lifetime - slack, math.inf, UNKNOWN, o.value))
    return found


def is_linearizable(operations, slack=0.0):
    """Is there one order of all that happened to one key, which no two that did not overlap contradict, and in which
    each was told the truth? By Wing and Gong's search, that does not look at a set of operations and a state twice
    (Lowe)."""
    told = [o for o in operations if o.allowed and not (o.kind == "get" and o.result == UNKNOWN)
            and not (o.result == NO and o.kind == "put")]
    all_ = sorted(told + expiries(told, slack), key=lambda o: o.start)
    assert len(all_) <= KEY_MOST, f"{len(all_)} operations of {all_[0].key}"
    must = sum(1 << i for i, o in enumerate(all_) if o.result != UNKNOWN)
    return search(all_, must)


def search(operations, must):
    seen = set()
    stack = [(0, None)]
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        for i in candidates(operations, done):
            for after in step(state, operations[i]):
                place = (done | 1 << i, after)
                if place not in seen:
                    seen.add(place)
                    stack.append(place)
    return False


def candidates(operations, done):
    """Those that may be next: nothing that has not been yet ended before they began."""
    found, first_end = [], math.inf
    for i, o in enumerate(operations):
        if done >> i & 1:
            continue
        if o.start > first_end:
            break
        found.append(i)
        # Who was told nothing may be left out, so nobody waits for it.
        if o.result != UNKNOWN:
            first_end = min(first_end, o.end)
    return found


# --- what must hold whatever the order -----------------------------------------------------------------------------

def brought(operations):
    """Values by whom they came; a test brings each once."""
    values = {}
    for o in operations:
        if o.kind in ("put", "add"):
            assert o.value not in values, f"{o.value} was brought twice"
            values[o.value] = o
    return values


def wrongly_released(operations):
    """Secrets that were given to who must not have them; or those of another key."""
    values = brought(operations)
    return [o for o in operations if o.kind == "get" and o.result == OK
            and (not o.allowed or o.value not in values or values[o.value].key != o.key)]


def after_expiry(operations, slack):
    """What was given by an answer to a question that began after the end of the secret's time. Nobody knows when the
    service began to count: at the latest when it said "ok"."""
    values = brought(operations)
    found = []
    for o in operations:
        by = values.get(o.value) if o.kind == "get" and o.result == OK else None
        if by and by.lifetime is not None and by.result == OK and o.start > by.end + by.lifetime + slack:
            found.append(o)
    return found


def lost(operations, slack):
    """Acknowledged secrets that somebody who may have them was told not to exist, though nobody had revoked or replaced
    them and their time had not come."""
    values = [o for o in brought(operations).values() if o.result == OK]
    enders = [o for o in operations if o.kind in ("put", "add", "revoke") and o.result != NO]
    found = []
    for by in values:
        ends = by.start + by.lifetime - slack if by.lifetime is not None else math.inf
        # Who was told nothing may have been heard at any time since.
        others = (o.start for o in enders if o is not by and o.key == by.key
                  and (o.end >= by.start or o.result == UNKNOWN))
        until = min(others, default=math.inf)
        for o in operations:
            if (o.kind == "get" and o.key == by.key and o.allowed and o.result == NO and o.start >= by.end
                    and o.end < min(ends, until)):
                found.append(by)
                break
    return found


class Verdict:
    def __init__(self, history, slack=1.5):
        keys = history.keys()
        operations = history.operations
        self.acknowledged = sum(1 for o in operations if o.kind in ("put", "add") and o.result == OK)
        self.gets = sum(1 for o in operations if o.kind == "get" and o.result == OK)
        self.refused = sum(1 for o in operations if o.kind == "get" and not o.allowed and o.result == NO)
        self.unknown = sum(1 for o in operations if o.result == UNKNOWN)
        self.lost = [x for k in keys.values() for x in lost(k, slack)]
        self.wrong = wrongly_released(operations)
        self.late = after_expiry(operations, slack)
        self.not_linearizable = sorted(k for k, ops in keys.items() if not is_linearizable(ops, slack))

    def is_good(self):
        return not (self.lost or self.wrong or self.late or self.not_linearizable)

    def __str__(self):
        yes = "no: " + ", ".join(self.not_linearizable) if self.not_linearizable else "yes"
        return (f"acknowledged {self.acknowledged}, lost {len(self.lost)}, wrongly released {len(self.wrong)}, "
                f"returned after expiry {len(self.late)}, linearizable {yes}")
