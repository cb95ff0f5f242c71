# SPDX-License-Identifier: Apache-2.0
# Damage that ends the machine, in the way that the kernel's command line names: this comes last.
# shellcheck shell=sh
# shellcheck source=test/vm/lib.sh
. /lib.sh

attempt dataflip --on-corruption "$(sed 's/.*pm_end=\([a-z]*\).*/\1/' /proc/cmdline)"
check end-mounts [ "$got" = 0 ]
check end-others-read cmp -s "$target/first" /data/first
echo "end" >&3
cat "$target/last" >/dev/null
echo "not ok end: the machine goes on" >&3
