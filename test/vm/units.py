#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd units under a real systemd, in a virtual machine: the distribution's systemd and udev from this machine,
libpm as it is installed, a whole deployment by the units alone.

    units.py --source DIR --build DIR --kernel DIR [--keep FILE]

The root is made from packages of this machine, and booted under QEMU without acceleration; units.sh runs inside. With
--keep the journal of the machine is left there. Exit status 77, and a line that begins "skipped:", where a program or
the kernel is missing.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import vm # what boots, and how it is judged

# As they are on this machine, but for what nobody reads.
PACKAGES = ("dmsetup", "libsystemd-shared", "systemd", "udev")
UNREAD = re.compile(r"^/usr/share|^/etc/(X11|xdg|kernel)")
PROGRAMS = ("busybox", "cpio", "dpkg-query", "mkfs.erofs", "mkfs.ext4", "qemu-system-x86_64", "systemctl", "udevadm")
LIMIT = 540 # seconds for the machine
MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
FILES = {
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\n",
    "etc/group": "root:x:0:\ntty:x:5:\ndisk:x:6:\n",
    "etc/nsswitch.conf": "passwd: files systemd\ngroup: files systemd\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/hostname": "units\n",
    "etc/machine-id": "00112233445566778899aabbccddeeff\n",
    "etc/os-release": "ID=units\nNAME=units\n",
    "etc/fstab": "",
    "etc/ld.so.conf": "/usr/local/lib/x86_64-linux-gnu\n/usr/local/lib\n",
    "etc/systemd/journald.conf.d/all.conf": "[Journal]\nRateLimitBurst=0\nForwardToConsole=yes\nTTYPath=/dev/ttyS2\n"
                                            "MaxLevelConsole=debug\n",
}
MASKED = ("getty.target", "systemd-timesyncd.service", "systemd-networkd.service", "systemd-pstore.service",
          "systemd-logind.service", "systemd-hwdb-update.service", "remote-fs.target", "dev-hugepages.mount",
          "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-mqueue.mount")
INITRD = """#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /sys /new
/bin/busybox mount -t devtmpfs devtmpfs /dev
while read -r module; do
	/bin/busybox insmod "/modules/$module"
done </modules/order
until [ -b /dev/vda ]; do
	/bin/busybox sleep 0.1
done
/bin/busybox mount -t ext4 /dev/vda /new
/bin/busybox chown -R 0:0 /new
exec /bin/busybox switch_root /new /lib/systemd/systemd
"""


def place(root, path):
    """Where a path of this machine lies in the root, in which /bin and its likes are links."""
    parts = pathlib.Path(path).parts[1:]
    return root.joinpath("usr", *parts) if parts[0] in MERGED else root.joinpath(*parts)


def copy(path, target):
    if target.exists() or target.is_symlink():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target, follow_symlinks=False)


class Root:
    """The root of the machine, as a folder."""

    def __init__(self, folder):
        self.path = folder
        for name in ("usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "dev", "proc", "run", "srv", "sys", "tmp",
                     "var/lib", "var/log", "etc/systemd/system"):
            (folder / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib64", "sbin"):
            (folder / name).symlink_to(f"usr/{name}")
        (folder / "var/run").symlink_to("/run")
        for name, text in FILES.items():
            self.write(name, text)
        for name in MASKED:
            (folder / "etc/systemd/system" / name).symlink_to("/dev/null")

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def add_packages(self):
        for path in vm.run("dpkg-query", "-L", *PACKAGES, text=True).splitlines():
            if not path.startswith("/") or path == "/." or UNREAD.search(path):
                continue
            if pathlib.Path(path).is_dir() and not pathlib.Path(path).is_symlink():
                place(self.path, path).mkdir(parents=True, exist_ok=True)
            elif os.path.lexists(path):
                copy(path, place(self.path, path))

    def add_busybox(self):
        busybox = self.path / "usr/bin/busybox"
        shutil.copy(shutil.which("busybox"), busybox)
        for name in vm.run(busybox, "--list", text=True).split():
            path = self.path / "usr/bin" / name
            if not path.exists() and not (self.path / "usr/sbin" / name).exists():
                path.symlink_to("busybox")

    def install(self, build):
        vm.run("meson", "install", "-C", build, "--no-rebuild", "--destdir", self.path)

    def add_libraries(self):
        """Of all programs and libraries that are there."""
        programs = [p for p in self.path.rglob("*") if p.is_file() and not p.is_symlink() and is_elf(p)]
        found = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False,
                               env=dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, self.library_folders()))))
        for library in set(re.findall(r"(/\S+) \(0x", found.stdout)):
            if not library.startswith(str(self.path)):
                shutil.copy(library, place(self.path, library), follow_symlinks=True)
        vm.run("ldconfig", "-r", self.path)

    def library_folders(self):
        return [self.path / "usr/lib/x86_64-linux-gnu/systemd",
                *{p.parent for p in self.path.glob("usr/local/lib/**/libpm.so.0")}]

    def image(self, path):
        size = int(vm.run("du", "-sm", self.path, text=True).split()[0])
        vm.run("mkfs.ext4", "-q", "-d", self.path, "-O", "^has_journal", path, f"{size + 96}M")


def is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


# --- what the deployment needs ---------------------------------------------------------------------------------------

OWNERS = ("alice", "bob")
ENVIRONMENT = {
    "coordinator": "PM_COORDINATOR_OPTIONS=--listen 127.0.0.1:8080 --metrics 127.0.0.1:9102 --owners {etc}/owners.json"
                   " --snp-crl {etc}/crl.der\n",
    "secrets": "PM_SECRETS_OPTIONS=--listen 127.0.0.1:8090 --mesh-listen 127.0.0.1:8091 --metrics 127.0.0.1:9103"
               " --coordinator http://127.0.0.1:8080 --snp-crl {etc}/crl.der\n",
    "agent": "PM_FAKE_NVML=/srv/driver\n"
             "PM_AGENT_OPTIONS=--nvml /srv/libnvidia-ml.so.1 --cuda off --manifest {etc}/manifest.json --role worker"
             " --key /run/pm-proxy/key --rim-url http://127.0.0.1:9000 --ocsp-url http://127.0.0.1:9000"
             " --metrics 127.0.0.1:9108\n",
    "proxy": "PM_PROXY_OPTIONS=--listen 127.0.0.1:8085 --metrics 127.0.0.1:8185 --upstream 127.0.0.1:8008 \\\n"
             "    --coordinator http://127.0.0.1:8080 --secrets https://127.0.0.1:8091 --role worker \\\n"
             "    --model tiny={root} --gpu-evidence /run/pm/gpu --public-key /run/pm-proxy/key --no-ocsp-status \\\n"
             "    --ready-file /run/pm/gpu/evidence.json --snp-crl {etc}/crl.der\n",
    "client": "PM_CLIENT_OPTIONS=--listen 127.0.0.1:8081 --metrics 127.0.0.1:9104 --worker http://127.0.0.1:8085"
              " --coordinator http://127.0.0.1:8080 --secrets http://127.0.0.1:8090\n",
}
UNITS = {
    "sim-attester.service": "[Service]\nExecStart={bin}/pm-sim serve /srv/sim --socket /run/attester\n",
    "sim-guest.service": "[Unit]\nRequires=sim-attester.service\nAfter=sim-attester.service\n"
                         "[Service]\nExecStart=/srv/sev-guest /run/attester\n"
                         "ExecStartPost=udevadm wait --settle /dev/sev-guest\n",
    "sim-gpus.service": "[Service]\nExecStart={bin}/pm-sim gpu serve /srv/sim --listen 127.0.0.1:9000\n",
    "model.service": "[Service]\nExecStart=/srv/inference-server --listen 127.0.0.1:8008\n",
    "sim.target": "[Unit]\nWants=sim-guest.service sim-gpus.service model.service\n"
                  "After=sim-guest.service sim-gpus.service model.service\n",
    "checks.service": "[Service]\nType=oneshot\nEnvironment=PM_ETC={etc}\nExecStart=/bin/sh /srv/units.sh\n"
                      "TimeoutStartSec=infinity\nStandardOutput=tty\nTTYPath=/dev/ttyS2\n",
    "checks.target": "[Unit]\nWants=multi-user.target checks.service\n",
    # What stands in for the driver keeps its state in a folder.
    "pm-agent.service.d/driver.conf": "[Service]\nReadWritePaths=/srv/driver\n",
}
SIMULATED = "[Unit]\nWants=sim.target\nAfter=sim.target\n"
ENABLED = ("pm-coordinator", "pm-secrets", "pm-proxy", "pm-agent", "pm-client", "pm-mount@tiny")


class Scene:
    """Made outside of the machine, where it is fast: a processor, GPUs, keys, a model disk, a signed manifest."""

    def __init__(self, root, folder, args):
        self.root, self.folder, self.build = root, folder, args.build
        self.etc = root.path / str(args.etc / "pm").lstrip("/")
        self.names = {"etc": args.etc / "pm", "bin": args.bin}
        self.srv = root.path / "srv"
        self.etc.mkdir(parents=True)

    def tool(self, name, *args):
        return vm.run(self.build / "tools" / name, *args, text=True)

    def make(self, source):
        self.make_machine()
        self.make_disk()
        self.make_manifest()
        for name, text in ENVIRONMENT.items():
            (self.etc / f"{name}.env").write_text(text.format(**self.names))
        for name, text in UNITS.items():
            self.root.write(f"etc/systemd/system/{name}", text.format(**self.names))
        for name in ENABLED:
            self.root.write(f"etc/systemd/system/{name}.service.d/sim.conf", SIMULATED)
            vm.run("systemctl", f"--root={self.root.path}", "enable", f"{name}.service")
        for path in (self.build / "test/vm/sev-guest", self.build / "test/fake-nvml/libnvidia-ml.so.1",
                     self.build / "examples/inference-server/inference-server", source / "units.sh", source / "lib.sh"):
            shutil.copy(path, self.srv)

    def make_machine(self):
        self.tool("pm-sim", "init", self.srv / "sim", "--product", "Genoa")
        self.tool("pm-sim", "gpu", "init", self.srv / "sim", "--arch", "hopper", "--count", 2)
        for i in range(2):
            gpu = self.srv / f"driver/gpu-{i}"
            gpu.mkdir(parents=True)
            self.tool("pm-sim", "gpu", "report", self.srv / "sim", "--gpu", i, "--nonce", "00" * 32, "-o",
                      self.folder / "any", "--certs", gpu / "certs.pem")
            (gpu / "sign").write_text(f"{self.names['bin']}/pm-sim gpu report /srv/sim --gpu {i} --nonce $NONCE -o -")

    def make_disk(self):
        model = self.folder / "model"
        model.mkdir()
        (model / "weights.bin").write_bytes(b"weights\n" * 100000)
        self.tool("pm-disk", "build", model, "-o", self.folder / "disk", "-q")
        entry = self.tool("pm-disk", "manifest-entry", self.folder / "disk", "--name", "tiny", "-q")
        (self.folder / "tiny.json").write_text(entry)
        self.names["root"] = re.search(r'"root_hash": "(\w+)"', entry)[1]

    def report(self):
        """One of the processor, to take from it what the manifest demands."""
        socket, path = self.folder / "attester", self.folder / "report.bin"
        with subprocess.Popen([self.build / "tools/pm-sim", "serve", self.srv / "sim", "--socket", socket],
                              stdout=subprocess.PIPE) as attester:
            attester.stdout.readline()
            self.tool("pm-ctl", "collect", "--report-data", "00" * 64, "--attester", f"unix:{socket}", "-o", path)
            attester.terminate()
        return path

    def roots(self):
        sim = self.srv / "sim"
        gpus = json.loads((sim / "gpu/roots.json").read_text())
        return ("--test-root", json.loads((sim / "policy.json").read_text())["test_roots"][0],
                "--test-gpu-root", gpus["gpu_device_root"], "--test-rim-root", gpus["gpu_rim_root"])

    def make_manifest(self):
        keys = self.srv / "keys"
        keys.mkdir(mode=0o700)
        owners = []
        for name in OWNERS:
            self.tool("pm-ctl", "key", "new", "--type", "ed25519", "-o", keys / name, "--public", keys / f"{name}.pub")
            self.tool("pm-ctl", "key", "new", "--type", "xwing", "-o", keys / f"{name}-box", "--public",
                      keys / f"{name}-box.pub")
            owners += ["--owner", f"{name}={keys / name}.pub", "--seed-share-owner", f"{name}={keys / name}-box.pub"]
        report, manifest = self.report(), self.etc / "manifest.json"
        self.tool("pm-ctl", "manifest", "init", "-o", manifest, "--role", "coordinator", "--from-evidence", report,
                  "--role", "secrets", "--from-evidence", report, "--workload-secret", "--role", "worker",
                  "--from-evidence", report, "--gpu", "hopper:2", "--model", self.folder / "tiny.json",
                  "--calls", "secrets", "--secret", "inference/*", *owners, "--threshold", 2, "--seed-threshold", 2,
                  *self.roots())
        for name in OWNERS:
            self.tool("pm-ctl", "manifest", "sign", manifest, "--key", keys / name, "-o", self.srv / "manifest.sig")
        shutil.copy(self.srv / "sim/crl.der", self.etc)
        (self.etc / "owners.json").write_text(json.dumps(json.loads(manifest.read_text())["owners"]))


# --- the machine -----------------------------------------------------------------------------------------------------

def make_initrd(folder, kernel):
    root = folder / "initrd"
    shutil.copytree(kernel / "modules", root / "modules")
    (root / "bin").mkdir()
    shutil.copy(shutil.which("busybox"), root / "bin")
    (root / "init").write_text(INITRD)
    (root / "init").chmod(0o755)
    names = "\n".join(sorted(str(p.relative_to(root)) for p in root.rglob("*")))
    image = folder / "initrd.cpio"
    image.write_bytes(vm.run("cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet", cwd=root, input=names.encode()))
    return image


def boot(folder, kernel, initrd, disks):
    """What the machine wrote to its serial lines: the console, the results and its journal."""
    lines = [folder / name for name in ("console", "results", "journal")]
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
               "-nodefaults", "-display", "none", "-no-reboot", "-kernel", str(kernel / "vmlinuz"),
               "-initrd", str(initrd), "-append",
               "console=ttyS0 quiet panic=-1 systemd.unit=checks.target systemd.show_status=0"]
    for line in lines:
        command += ["-serial", f"file:{line}"]
    for path, serial in disks:
        command += ["-drive", f"file={path},if=none,id={serial},format=raw,cache=unsafe",
                    "-device", f"virtio-blk-pci,drive={serial},serial={serial}"]
    try:
        subprocess.run(command, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        print(f"not ok: the machine did not end within {LIMIT} s")
    return [p.read_text(errors="replace") if p.exists() else "" for p in lines]


def judge(results, console):
    """The complaints. Lines between results are of those that failed, or tell the time."""
    lines = results.splitlines()
    yield from (line for line in lines if line.startswith(("not ok", "# ")) and " s: " not in line)
    if "end" not in lines:
        yield "not ok: the checks were not run to their end"
        yield "".join(f"# {line}\n" for line in console.splitlines()[-40:])


def parse_arguments():
    p = argparse.ArgumentParser()
    for name in ("source", "build", "kernel", "etc", "bin"):
        p.add_argument(f"--{name}", type=pathlib.Path, required=True)
    p.add_argument("--keep", type=pathlib.Path)
    return p.parse_args()


def main():
    args = parse_arguments()
    missing = [p for p in PROGRAMS if not shutil.which(p, path=vm.SBIN)]
    if missing:
        vm.skip(f"not installed: {', '.join(missing)}")
    if not (args.kernel / "modules/cuse.ko").exists():
        vm.skip("no kernel, see scripts/vm-kernel.sh")
    with tempfile.TemporaryDirectory() as name:
        folder, begin = pathlib.Path(name), time.monotonic()
        root = Root(folder / "root")
        root.add_packages()
        root.install(args.build)
        Scene(root, folder, args).make(args.source)
        shutil.copy(shutil.which("curl"), root.path / "usr/bin")
        root.add_libraries()
        root.add_busybox()
        root.image(folder / "image")
        made = time.monotonic()
        console, results, journal = boot(folder, args.kernel, make_initrd(folder, args.kernel),
                                         ((folder / "image", "root"), (folder / "disk", "tiny")))
        print(f"{made - begin:.0f} s to make the machine, {time.monotonic() - made:.0f} s in it")
        if args.keep:
            args.keep.write_text(journal + "\n==== console\n" + console + "\n==== results\n" + results)
    complaints = list(judge(results, console))
    print("\n".join(complaints + [f"{len(re.findall(r'^ok ', results, re.M))} checks passed, "
                                  f"{sum(c.startswith('not ok') for c in complaints)} failed"]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
