#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd units that are installed, as systemd judges them without running: no unknown setting, programs that are
there, options that the programs have, and little exposure. units.py BUILD-ROOT SOURCE-ROOT"""
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
# What systemd-analyze security may find at most, of 10. Daemons that anybody may connect to: little.
MOST = {"pm-agent": 3.5, "pm-mount@": 6.5}
MOST_OF_OTHERS = 2.0


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def programs_of(build):
    """Of this build, by name."""
    return {p.name: p for folder in ("daemons", "tools") for p in (build / folder).glob("pm-*")
            if p.is_file() and not p.suffix}


def with_programs(text, programs):
    """The unit as if the programs were installed where they were built."""
    return re.sub(r"(?m)^(Exec\w+=)/\S+/(pm-[a-z]+) ",
                  lambda m: f"{m[1]}{programs[m[2]]} ", text.replace("\\\n", " "))


def commands(text):
    """Each command line of ours, without what the environment adds."""
    for line in re.findall(r"(?m)^Exec(?:Start|Stop)=(.*)", text):
        words = [w for w in shlex.split(line) if not w.startswith("$")]
        if "/pm-" in words[0]:
            yield [w.replace("%i", "name").replace("%S", "/var/lib") for w in words]


def check_unit(folder, name, text):
    """The complaints about one unit."""
    stem = name.removesuffix(".service")
    path = folder / name.replace("@", "@name")
    path.write_text(text, encoding="utf-8")
    status, said = run("systemd-analyze", "verify", "--man=no", path)
    # Systemd looks at other units of this machine as well: what it says of them is theirs.
    mine = [x for x in said.splitlines() if stem.rstrip("@") in x]
    if status or mine:
        yield f"{name}: systemd-analyze verify: {said}"
    most = MOST.get(stem, MOST_OF_OTHERS)
    status, said = run("systemd-analyze", "security", "--offline=true", f"--threshold={round(most * 10)}", path)
    if status:
        yield f"{name}: more than {most} exposed: {said.splitlines()[-1]}"
    for command in commands(text):
        status, said = run(*command, "--help")
        if status:
            yield f"{name}: {' '.join(command)}: {said}"


def check_order(units):
    """What the units say of each other, and to the processes."""
    text = {p.name: p.read_text(encoding="utf-8") for p in units}
    after = {name: " ".join(re.findall(r"(?m)^After=(.*)", t)).split() for name, t in text.items()}
    # The agent verifies for a key that the proxy makes when it starts; either waits for nobody else.
    if "pm-proxy.service" not in after["pm-agent.service"] or "pm-agent.service" in after["pm-proxy.service"]:
        yield "pm-agent.service: not after pm-proxy.service"
    for name, t in text.items():
        if "Type=notify" in t and not re.search(r"(?m)^ExecReload=kill -HUP \$MAINPID$", t):
            yield f"{name}: no reload"
        if "Restart=" in t and "StartLimitIntervalSec=0" not in t and "RestartSec=10" not in t:
            yield f"{name}: systemd gives up soon"
        if "DeviceAllow=/dev/sev-guest" in t and "modprobe@sev_guest.service" not in after[name]:
            yield f"{name}: may begin before there is the device that it is allowed"


def check_files(folder, root, source):
    """What comes beside the units: groups and folders. Of the rest of a machine nothing is needed."""
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n", encoding="ascii")
    (root / "etc/group").write_text("root:x:0:\n", encoding="ascii")
    status, said = run("systemd-sysusers", f"--root={root}", source / "daemons/systemd/pm.sysusers")
    if status or "pm-attest:" not in (root / "etc/group").read_text(encoding="ascii"):
        yield f"pm.sysusers: {said}"
    status, said = run("systemd-tmpfiles", f"--root={root}", "--create", folder / "daemons/pm.conf")
    if status or not (root / "run/pm/models").is_dir():
        yield f"pm.tmpfiles: {said}"


def main():
    build, source = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    if not shutil.which("systemd-analyze"):
        print("skipped: no systemd-analyze")
        return SKIPPED
    programs = programs_of(build)
    units = sorted(p for folder in ("daemons", "tools") for p in (build / folder).glob("*.service"))
    named = {p.name.removesuffix(".service").rstrip("@") for p in units}
    problems = [f"{p.name} has no unit" for p in (source / "daemons").glob("pm-*") if p.name not in named]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "units").mkdir()
        (folder / "root").mkdir()
        for unit in units:
            text = with_programs(unit.read_text(encoding="utf-8"), programs)
            problems += check_unit(folder / "units", unit.name, text)
        problems += check_order(units)
        problems += check_files(build, folder / "root", source)
    print("\n".join(problems) or f"{len(units)} units")
    return 1 if problems else 0


sys.exit(main())
