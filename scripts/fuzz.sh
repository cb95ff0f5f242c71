#!/bin/sh
# fuzz.sh [SECONDS [TARGET...]]: run each fuzz target for that long (60) on a copy of its corpus.
# Inputs that reach new code are minimised into test/fuzz/corpus/TARGET; an input that breaks the
# target is made small, kept there too, so that each later build replays it, and fails this script.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
build="build-fuzz"
corpus=test/fuzz/corpus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

setup() {
	[ -f "$build/build.ninja" ] ||
		CC=clang meson setup "$build" -Dfuzz=enabled -Dtools=disabled -Dman=disabled -Dtests=enabled \
			-Dpkg_config_path="$PWD/.deps/lib/pkgconfig" >/dev/null
	ninja -C "$build" fuzzers >/dev/null
}

# The input that broke the target, made small: into the corpus.
keep_crash() {
	name=$1
	crash=$2
	small=$corpus/$name/found-$(sha256sum "$crash" | cut -c1-12)
	cp "$crash" "$small"
	"$build/test/fuzz/fuzz_$name" -minimize_crash=1 -max_total_time=20 \
		-artifact_prefix="$work/$name/small-" -exact_artifact_path="$small" "$crash" >/dev/null 2>&1 || true
	echo "fuzz: $name: BROKEN by $small"
}

# Runs one target; true unless it broke.
fuzz() {
	name=$1
	mkdir -p "$work/$name/corpus" "$work/$name/crashes"
	cp "$corpus/$name"/* "$work/$name/corpus/"
	before=$(find "$corpus/$name" -type f | wc -l)
	"$build/test/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=32768 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="$work/$name/crashes/" "$work/$name/corpus" \
		>"$work/$name/log" 2>&1 || true
	# Only inputs that add coverage to what is there.
	"$build/test/fuzz/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len=32768 \
		-artifact_prefix="$work/$name/merge-" "$corpus/$name" "$work/$name/corpus" \
		>"$work/$name/merge.log" 2>&1 || true
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name/log")
	after=$(find "$corpus/$name" -type f | wc -l)
	echo "fuzz: $name: ${runs:-0} runs, $((after - before)) new inputs"
	broken=0
	for crash in "$work/$name/crashes"/*; do
		[ -f "$crash" ] || continue
		keep_crash "$name" "$crash"
		sed -n '/ERROR: \|not so: \|runtime error: /p' "$work/$name/log" | head -n 3
		broken=1
	done
	[ "${runs:-0}" -gt 0 ] || broken=1
	return $broken
}

setup
[ $# -gt 0 ] || set -- "$corpus"/*/
failed=0
for target in "$@"; do
	fuzz "$(basename "$target")" || failed=1
done
exit $failed
