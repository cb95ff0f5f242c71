# SPDX-License-Identifier: Apache-2.0
"""A clock of one process that can be set while it runs, by libfaketime; time that only passes (CLOCK_MONOTONIC) goes
on as it does."""
import glob
import os

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1")


def library():
    """Where libfaketime is; None: it is not installed."""
    return next((x for pattern in LIBRARIES for x in glob.glob(pattern)), None)


class Clock:
    """What starts with this environment has this clock."""

    def __init__(self, path):
        self.path = path
        self.step(0)
        self.environment = {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                            # A build with sanitizers wants its own library first.
                            "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"}

    def step(self, seconds):
        """So many seconds away from the true time, from now on."""
        with open(self.path + ".new", "w", encoding="ascii") as f:
            print(f"{seconds:+d}", file=f)
        os.rename(self.path + ".new", self.path)
