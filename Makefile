# Everything that a newcomer types. Each target sets up what it needs; a second call costs seconds.
BUILD ?= build
MESON_FLAGS ?=

.PHONY: all setup check demo demo-stop bench fuzz soak chaos units format install clean

all: setup
	@scripts/configure.sh $(BUILD) --werror $(MESON_FLAGS)
	@ninja -C $(BUILD)

setup:
	@scripts/setup.sh

# Every test with gcc and with sanitizers; most with clang and in a build without the fast verifier.
check: setup
	@scripts/check.sh

# The main job: evidence collected, verified, tampered with, refused; a whole deployment; an encrypted chat; attacks.
# On a terminal it stays up, to be tried by hand, until Ctrl-C or demo-stop.
demo: all
	@scripts/demo.sh $(BUILD)

demo-stop:
	@scripts/demo.sh --stop $(BUILD)

# Speed, beside peers in the same run.
bench: setup
	@scripts/configure.sh build-bench --buildtype=release
	@ninja -C build-bench
	@scripts/bench.sh build-bench

# Fuzz each target for SECONDS (default 60).
SECONDS ?= 60
fuzz: setup
	@scripts/fuzz.sh $(SECONDS)

# Load of all kinds through pm-client and pm-proxy for SECONDS (here 600), and whether they grow.
soak: SECONDS = 600
soak: all
	@scripts/soak.sh $(BUILD) $(SECONDS)

# Three secret services on etcd, SECONDS of random faults (SEED=N repeats a run); nothing may be lost or leak.
chaos: all
	@scripts/chaos.sh $(BUILD) $(SECONDS) $(SEED)

# The systemd units, in a virtual machine with a real systemd: they start, serve, reload, die, come again and end.
units: all
	@meson test -C $(BUILD) --no-rebuild --suite units --verbose

format: setup
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

# Programs find libpm.so once the linker's cache knows of it.
install: all
	@meson install -C $(BUILD)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

clean:
	rm -rf build build-*
