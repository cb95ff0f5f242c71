#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pm-mount in a virtual machine: the kernel of the distribution, dm-verity, disks good and bad.

    vm.py --source DIR --tools DIR --kernel DIR

Makes the disks with veritysetup and pm-disk, an initramfs with our programs, and boots it under
QEMU without acceleration; cases.sh and end.sh run inside. Exit status 77, and a line that begins
"skipped:", where a program or the kernel is missing.
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

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "manifest"))
import cases  # the rest of a manifest, around its models

BLOCK = 4096
DIGEST = 32
PROGRAMS = ("busybox", "cpio", "mkfs.erofs", "mkfs.ext4", "mksquashfs", "qemu-system-x86_64", "veritysetup")
SBIN = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))
UUID = "00000000-0000-0000-0000-000000000000"
MARKER = b"-- the block that goes bad --\n"
BOOT_SECONDS = 270

# How each boot ends, and the kernel's last words.
ENDS = {"panic": "Kernel panic - not syncing: dm-verity device corrupted",
        "restart": "reboot: Restarting system"}


def run(*command, **options):
    env = dict(os.environ, PATH=SBIN)
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, env=env, **options).stdout


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


class Disks:
    """Images, their entries in a manifest, and what the guest has to know of them."""

    def __init__(self, folder, tools):
        self.folder = folder / "disks"
        self.content = folder / "content"
        self.data = folder / "data"
        self.tools = tools
        self.models = {}
        for path in (self.folder, self.content, self.data):
            path.mkdir()

    def path(self, name):
        return self.folder / name

    def make_content(self):
        lines = b"".join(b"%d\n" % n for n in range(300000))
        middle = len(lines) * 2 // 3
        (self.content / "first").write_bytes(b"first\n" * 10000)
        (self.content / "folder").mkdir()
        (self.content / "folder" / "small").write_bytes(b"small\n")
        (self.content / "last").write_bytes(lines[:middle] + MARKER + lines[middle:])
        shutil.copy(self.content / "first", self.data / "first")
        names = sorted(str(p.relative_to(self.content)) for p in self.content.rglob("*") if p.is_file())
        (self.data / "sums").write_bytes(run("sha256sum", *names, cwd=self.content))

    def make_filesystems(self):
        run("mkfs.erofs", "-T0", "-x-1", "--all-root", f"-U{UUID}", self.path("erofs"), self.content)
        run("mksquashfs", self.content, self.path("squashfs"), "-all-root", "-noappend", "-quiet")
        run("mkfs.ext4", "-q", "-b", BLOCK, "-U", UUID, "-d", self.content, self.path("ext4"), "8M")
        shutil.copy(self.path("erofs"), self.path("blocks"))
        shutil.copy(self.path("erofs"), self.path("ours"))
        self.path("nofs").write_bytes(b"nothing\n" * BLOCK)

    def note(self, name, entry):
        self.models[name] = entry
        (self.data / f"{name}.root").write_text(entry["root_hash"])
        (self.data / f"{name}.offset").write_text(str(entry["hash_offset"]))

    def format(self, name, salt="00", data_block=BLOCK, hash_block=BLOCK):
        """By veritysetup, the tree behind the data."""
        size = self.path(name).stat().st_size
        said = run("veritysetup", "format", f"--uuid={UUID}", f"--salt={salt or '-'}", f"--hash-offset={size}",
                   f"--data-blocks={size // data_block}", f"--data-block-size={data_block}",
                   f"--hash-block-size={hash_block}", self.path(name), self.path(name), text=True)
        self.note(name, {"root_hash": re.search(r"Root hash:\s*(\w+)", said)[1], "hash_offset": size,
                         "data_blocks": size // data_block, "salt": salt, "data_block_size": data_block,
                         "hash_block_size": hash_block})

    def format_ours(self):
        """By pm-disk; the guest opens it with pm-mount and with veritysetup."""
        tool = self.tools / "pm-disk"
        run(tool, "format", "-q", "--salt", "a1b2c3", self.path("ours"))
        self.note("ours", json.loads(run(tool, "manifest-entry", "-q", self.path("ours"))))

    def copy(self, name, **changes):
        """The disk "erofs" under another name, with changes to its entry; returns its bytes."""
        shutil.copy(self.path("erofs"), self.path(name))
        self.note(name, dict(self.models["erofs"], **changes))
        return bytearray(self.path(name).read_bytes())

    def flip(self, name, offset):
        image = self.copy(name)
        image[offset] ^= 1
        self.path(name).write_bytes(image)

    def make_bad(self):
        good = self.models["erofs"]
        image = self.path("erofs").read_bytes()
        bad = image.index(MARKER) # a byte of the file "last"
        tree = good["hash_offset"] + BLOCK
        leaf = bad // BLOCK // (BLOCK // DIGEST)
        self.copy("badroot", root_hash=good["root_hash"][:-1] + "%x" % (int(good["root_hash"][-1], 16) ^ 1))
        self.copy("badsalt", salt="01")
        self.copy("badblocks", data_blocks=good["data_blocks"] - 1)
        self.flip("dataflip", bad)
        self.flip("treeflip", tree + BLOCK * (1 + leaf))
        self.flip("topflip", tree)
        self.flip("firstflip", 0)
        self.copy("short")
        os.truncate(self.path("short"), tree + BLOCK)
        nosuper = self.copy("nosuper")
        nosuper[good["hash_offset"]:tree] = bytes(tree - good["hash_offset"])
        self.path("nosuper").write_bytes(nosuper)

    def make(self):
        self.make_content()
        self.make_filesystems()
        self.format("erofs")
        self.format("squashfs", salt="5a" * 32)
        self.format("ext4", salt="0123456789abcdef" * 4)
        self.format("blocks", salt="", data_block=512, hash_block=1024)
        self.format("nofs")
        self.format_ours()
        self.make_bad()
        (self.data / "manifest.json").write_text(json.dumps(cases.around(self.models)))

    def arguments(self):
        for path in sorted(self.folder.iterdir()):
            name = path.name
            yield from ("-drive", f"file={path},if=none,id={name},format=raw,readonly=on",
                        "-device", f"virtio-blk-pci,drive={name},serial={name}")


def libraries_of(program):
    """Paths of the shared libraries, the dynamic linker among them."""
    return re.findall(r"(/\S+) \(0x", run("ldd", program, text=True))


def make_initramfs(folder, source, kernel, tools, data):
    root = folder / "root"
    shutil.copytree(kernel / "modules", root / "modules")
    shutil.copytree(data, root / "data")
    for path in ("bin", "lib", "lib64"):
        (root / path).mkdir()
    for name in ("init", "lib.sh", "cases.sh", "end.sh"):
        shutil.copy(source / name, root / name)
    (root / "init").chmod(0o755)
    programs = [tools / "pm-mount", shutil.which("busybox", path=SBIN), shutil.which("veritysetup", path=SBIN)]
    for program in programs:
        shutil.copy(program, root / "bin")
    for library in {p for program in (programs[0], programs[2]) for p in libraries_of(program)}:
        shutil.copy(library, root / ("lib64" if "/ld-linux" in library else "lib"))
    names = "\n".join(sorted(str(p.relative_to(root)) for p in root.rglob("*")))
    image = folder / "initramfs"
    image.write_bytes(run("cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet", cwd=root, input=names.encode()))
    return image


def boot(folder, kernel, initramfs, disks, cases, end):
    """One run of the machine; what it wrote to its two serial lines."""
    results, console = folder / f"results-{end}", folder / f"console-{end}"
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "768", "-nodefaults", "-display", "none",
               "-no-reboot", "-kernel", str(kernel / "vmlinuz"), "-initrd", str(initramfs),
               "-append", f"console=ttyS0 quiet panic=-1 pm_cases={cases} pm_end={end}",
               "-serial", f"file:{console}", "-serial", f"file:{results}", *disks.arguments()]
    try:
        subprocess.run(command, check=False, timeout=BOOT_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"not ok: the machine did not end within {BOOT_SECONDS} s")
    return (p.read_text(errors="replace") if p.exists() else "" for p in (results, console))


def judge(results, console, end):
    """The complaints about one run."""
    lines = results.splitlines()
    yield from (line for line in lines if line.startswith(("not ok", "#")))
    if "end" not in lines:
        yield f"not ok {end}: the cases were not run to their end"
    if ENDS[end] not in console:
        yield f"not ok {end}: the kernel did not say '{ENDS[end]}'"
    if "end" not in lines or ENDS[end] not in console:
        yield "".join(f"# {line}\n" for line in console.splitlines()[-40:])


def parse_arguments():
    p = argparse.ArgumentParser()
    for name in ("source", "tools", "kernel"):
        p.add_argument(f"--{name}", type=pathlib.Path, required=True)
    return p.parse_args()


def main():
    args = parse_arguments()
    missing = [p for p in PROGRAMS if not shutil.which(p, path=SBIN)]
    if missing:
        skip(f"not installed: {', '.join(missing)}")
    if not (args.kernel / "vmlinuz").exists():
        skip("no kernel, see scripts/vm-kernel.sh")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        disks = Disks(folder, args.tools)
        disks.make()
        initramfs = make_initramfs(folder, args.source, args.kernel, args.tools, disks.data)
        complaints, passed = [], 0
        for cases, end in (("all", "panic"), ("none", "restart")):
            results, console = boot(folder, args.kernel, initramfs, disks, cases, end)
            passed += len(re.findall(r"^ok ", results, re.M))
            complaints += judge(results, console, end)
    print("\n".join(complaints + [f"{passed} checks passed, "
                                  f"{sum(c.startswith('not ok') for c in complaints)} failed"]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
