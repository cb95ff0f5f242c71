#!/bin/sh
# bench_verity.sh BUILD_DIR [MIB]: pm-disk beside veritysetup on one image of random bytes in the page
# cache (default 2048 MiB), in turns. Wall clock, with the processors that this process has.
set -eu
build=$1
mib=${2:-2048}
rounds=5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
salt=$(printf 'a5%.0s' $(seq 32))
uuid=11223344-5566-7788-99aa-bbccddeeff01

for program in veritysetup /usr/bin/time; do
	command -v "$program" >/dev/null || {
		echo "skipped: $program is not installed"
		exit 0
	}
done

# measure NAME COMMAND...: seconds, seconds of processor and KiB of one run, appended to NAME
measure() {
	name=$1
	shift
	/usr/bin/time -a -o "$work/$name" -f "%e %U %S %M" "$@" >/dev/null
}

# show NAME: the median of its runs
show() {
	python3 - "$work/$1" "$1" "$mib" <<-'END'
	import statistics, sys
	rows = [[float(x) for x in line.split()] for line in open(sys.argv[1])]
	size = int(sys.argv[3]) * 2**20 / 1e9
	wall = sorted(size / r[0] for r in rows)
	print(f"{sys.argv[2]:<22} {statistics.median(wall):6.2f} GB/s [{wall[0]:.2f}-{wall[-1]:.2f}]"
	      f"  {statistics.median(r[1] + r[2] for r in rows):6.2f} s of processor"
	      f"  {max(r[3] for r in rows) / 1024:6.1f} MiB")
	END
}

head -c "${mib}M" /dev/urandom >"$work/image"
echo "$mib MiB, $(nproc) processors, median [min-max] of $rounds rounds, most memory:"
i=0
while [ $i -lt $rounds ]; do
	rm -f "$work/theirs" "$work/ours"
	measure veritysetup-format veritysetup format "--salt=$salt" "--uuid=$uuid" "$work/image" "$work/theirs"
	measure pm-disk-format "$build/tools/pm-disk" format "$work/image" --hash-device "$work/ours" \
		--salt "$salt" --uuid "$uuid"
	i=$((i + 1))
done
cmp "$work/ours" "$work/theirs"
"$build/tools/pm-disk" manifest-entry "$work/image" --hash-device "$work/ours" >"$work/entry"
root=$(sed -n 's/.*"root_hash": "\(.*\)".*/\1/p' "$work/entry")
i=0
while [ $i -lt $rounds ]; do
	measure veritysetup-verify veritysetup verify "$work/image" "$work/theirs" "$root"
	measure pm-disk-verify "$build/tools/pm-disk" verify "$work/image" --hash-device "$work/ours" \
		--entry "$work/entry"
	i=$((i + 1))
done
show veritysetup-format
show pm-disk-format
show veritysetup-verify
show pm-disk-verify
