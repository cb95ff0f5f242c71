#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Install into an empty folder, then use what is there as a stranger would: through pkg-config.

    install.py --meson M --build DIR --source DIR --prefix P --libdir L --cc CC --cxx CXX
               [--flag FLAG]... [--pkg-config-path DIR]...

The folder stands for the root of a machine (DESTDIR); pkg-config sees it as its sysroot. Privately
built libraries, which a static program needs too, are made to appear in it by links.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {done.returncode}\n"
                         f"{done.stdout}{done.stderr}")
    return done.stdout


class Machine:
    """The folder with the installed files."""

    def __init__(self, root, args):
        self.root, self.args = pathlib.Path(root), args
        self.libdir = self.inside(args.prefix) / args.libdir
        self.count = 0

    def inside(self, path):
        return self.root / str(path).lstrip("/")

    def install(self):
        run([self.args.meson, "install", "-C", self.args.build, "--no-rebuild",
             "--destdir", str(self.root)])

    def strays(self):
        """Files outside the prefix."""
        prefix = self.inside(self.args.prefix)
        return [p for p in self.root.rglob("*") if not p.is_dir() and prefix not in p.parents]

    def add_private_libraries(self):
        for path in self.args.pkg_config_path:
            prefix = pathlib.Path(path).resolve().parent.parent # several work trees may share one
            shown = self.inside(prefix)
            shown.parent.mkdir(parents=True, exist_ok=True)
            shown.symlink_to(prefix)

    def pkg_config(self, *words, package="libpm"):
        paths = [str(self.libdir / "pkgconfig")] + self.args.pkg_config_path
        env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(self.root),
                   PKG_CONFIG_PATH=":".join(paths))
        words = run(["pkg-config", *words, package], env=env).split()
        return [w.strip('"') for w in words]

    def links(self, flags):
        """Does an empty program link with these flags?"""
        command = [self.args.cc, "-xc", "-", "-xnone", *self.args.flag, *flags, "-o", os.devnull]
        return subprocess.run(command, input="int main(void) { return 0; }", text=True,
                              capture_output=True, check=False).returncode == 0

    def static_flags(self):
        """What pkg-config says for a static program, where all that it names is installed for that.

        libcurl is a shared library nearly everywhere, and the libraries behind it are seldom there
        for the linker: a static libpm is then linked with it and them as shared ones.
        """
        packages = [w for w in self.pkg_config("--print-requires-private") if w[0].isalpha()]
        missing = [p for p in packages if not self.links(self.pkg_config("--static", "--libs", package=p))]
        if not missing:
            return self.pkg_config("--cflags", "--libs", "--static")
        print(f"skipped: a program without shared libraries; not all that is behind {missing} is here")
        flags = self.pkg_config("--cflags", "--libs") + ["-pthread"]
        for p in packages:
            flags += self.pkg_config("--libs", *([] if p in missing else ["--static"]), package=p)
        return flags

    def build(self, compiler, dialect, static):
        """A program from the consumer's source; returns its path."""
        self.count += 1
        program = self.root / f"consumer-{self.count}"
        source = os.path.join(self.args.source, "consumer.c")
        flags = self.static_flags() if static else self.pkg_config("--cflags", "--libs")
        run([compiler, *dialect, *WARNINGS, *self.args.flag, source, "-xnone",
             "-o", str(program), *flags])
        return program

    def try_program(self, program, static):
        needed = run(["readelf", "-d", str(program)])
        if ("libpm.so" in needed) == static:
            raise SystemExit(f"{program.name}: linked {'shared' if static else 'statically'}\n{needed}")
        said = run([str(program)], env=dict(os.environ, LD_LIBRARY_PATH=str(self.libdir))).strip()
        wanted = self.pkg_config("--modversion")[0]
        if said != wanted:
            raise SystemExit(f"{program.name} says version {said}, pkg-config {wanted}")

    def try_both_languages(self, static):
        for compiler, dialect in ((self.args.cc, ["-xc", "-std=c99"]),
                                  (self.args.cxx, ["-xc++", "-std=c++11"])):
            self.try_program(self.build(compiler, dialect, static), static)


def parse_arguments():
    p = argparse.ArgumentParser()
    for name in ("meson", "build", "source", "prefix", "libdir", "cc", "cxx"):
        p.add_argument(f"--{name}", required=True)
    p.add_argument("--flag", action="append", default=[])
    p.add_argument("--pkg-config-path", action="append", default=[])
    return p.parse_args()


def main():
    with tempfile.TemporaryDirectory() as root:
        machine = Machine(root, parse_arguments())
        machine.install()
        strays = machine.strays()
        if strays:
            print("\n".join(f"installed outside the prefix: {s}" for s in strays))
            return 1
        machine.add_private_libraries()
        machine.try_both_languages(static=False)
        for library in machine.libdir.glob("libpm.so*"):
            library.unlink()
        machine.try_both_languages(static=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
