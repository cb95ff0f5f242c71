#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# example_bundle.sh BIN VERIFY_BUNDLE [CXX INCLUDE LIBPM.SO SOURCE]: the example judges bundles of pm-sim; with a
# C++ compiler it is compiled as C++ first, and that program too.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
here=$(dirname "$0")
nonce=$(openssl rand -hex 32)
root=$(printf '%064d' 33)

"$sim" init "$work/host" --product Genoa >/dev/null
"$sim" gpu init "$work/host" --arch hopper --count 3 >/dev/null
"$sim" bundle "$work/host" --nonce "$nonce" --role worker --model "tiny=$root" -o "$work/bundle"
# The example knows no other time than now.
python3 "$here/worker_manifest.py" "$work/host" "$work/manifest" "$root" 'import time
day = lambda d: time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 86400 * d))
m["not_before"], m["not_after"] = day(-1), day(2)'

judge() {
	program=$1
	run 0 "good" "$program" "$work/manifest" "$work/bundle" "$nonce" tiny
	says "verified: role worker, 3 GPUs, TEST ROOT; encrypt to the X-Wing key"
	run 1 "another nonce" "$program" "$work/manifest" "$work/bundle" "$root" tiny
	says "rejected: claims, nonce"
	run 1 "another model" "$program" "$work/manifest" "$work/bundle" "$nonce" other
	says "rejected: models, model asked for"
	run 1 "no bundle" "$program" "$work/manifest" "$work/manifest" "$nonce" tiny
	run 1 "no manifest" "$program" "$work/bundle" "$work/bundle" "$nonce" tiny
	run 2 "no nonce" "$program" "$work/manifest" "$work/bundle" 00 tiny
}

judge "$2"
if [ $# -gt 2 ]; then
	run 0 "as C++" "$3" -xc++ -std=c++11 -Wall -Wextra -Werror -I"$4" "$6" -xnone "$5" \
		-Wl,-rpath,"$(dirname "$5")" -o "$work/as-cxx"
	judge "$work/as-cxx"
fi
finish
