#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify_token.sh BIN VECTORS: tokens of the attestation service, as pm-verify judges them.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
verify=$bin/pm-verify
issued=2026-03-01T00:00:00Z
now=2026-03-01T00:10:00Z
nonce=931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb
other=1111111111111111111111111111111111111111111111111111111111111111

"$sim" gpu init "$work/sim" --count 2 --switches 1 --time $issued >/dev/null || exit 1
make_token() {
	"$sim" gpu token "$work/sim" --nonce $nonce --time $issued --jwks "$work/jwks" -o "$work/eat" "$@" || exit 1
}
token() {
	want=$1
	what=$2
	shift 2
	run "$want" "$what" "$verify" token "$work/eat" --jwks "$work/jwks" --time $now "$@"
}

run 0 "help" "$verify" token --help
says "Usage: pm-verify token"
make_token
token 0 "a good token" --nonce $nonce --count 2
says "VERIFIED"
says "GPU-1: GH100 A01 GSP BROM, driver 550.90.07, VBIOS 96.00.9F.00.01"
token 0 "as JSON" --nonce $nonce --json
is_json 'o["verdict"] == "accepted" and len(o["facts"]["devices"]) == 2 and o["facts"]["nonce_checked"]'
is_json 'o["facts"]["valid_until"] == "2026-03-01T00:59:59Z"'
token 1 "rejected, as JSON" --nonce $other --json
is_json 'o["verdict"] == "rejected" and o["reason"].startswith("eat_nonce: ") and "facts" not in o'
token 0 "any nonce" --any-nonce
says "ANY NONCE"
run 0 "from standard input" sh -c "'$verify' token - --jwks '$work/jwks' --time $now --nonce $nonce <'$work/eat'"

token 0 "no nonce, as documented"
says "ANY NONCE"
token 0 "no nonce, as JSON" --json
is_json 'not o["facts"]["nonce_checked"]'
token 1 "a nonce prevails" --nonce $other --any-nonce
token 2 "an empty nonce" --nonce ""
token 2 "a nonce too short" --nonce 00
token 2 "no number" --nonce $nonce --count x
token 2 "no count" --nonce $nonce --count 0
token 2 "a skew too long" --nonce $nonce --skew 601
token 2 "an age of nothing" --nonce $nonce --max-age 0
token 2 "no time" --nonce $nonce --time yesterday
token 2 "an unknown option" --nonce $nonce --alg none
token 2 "--help with others" --nonce $nonce --help
run 2 "no keys" "$verify" token "$work/eat" --nonce $nonce
says "--jwks"
run 2 "no token" "$verify" token --jwks "$work/jwks" --nonce $nonce
run 2 "two tokens" "$verify" token "$work/eat" "$work/eat" --jwks "$work/jwks" --nonce $nonce
run 2 "a file that is not there" "$verify" token "$work/none" --jwks "$work/jwks" --nonce $nonce
run 2 "a file that is not there, as JSON" "$verify" token "$work/none" --jwks "$work/jwks" --json
is_json 'o["verdict"] == "error" and o["file"].endswith("none") and "No such file" in o["reason"]'
run 1 "keys that are none" "$verify" token "$work/eat" --jwks "$work/eat" --nonce $nonce

token 1 "too few" --nonce $nonce --count 3
says "devices: found 2 instead of 3"
token 1 "too old" --nonce $nonce --max-age 60
token 1 "at its end and the skew" --nonce $nonce --time 2026-03-01T01:01:00Z
says "exp"
token 0 "within the skew" --nonce $nonce --time 2026-03-01T01:00:59Z
token 0 "the last second, without a skew" --nonce $nonce --time 2026-03-01T00:59:59Z --skew 0
token 1 "at its end, without a skew" --nonce $nonce --time 2026-03-01T01:00:00Z --skew 0
token 1 "another issuer" --nonce $nonce --issuer https://nras.test
says "iss"
token 0 "one of two issuers" --nonce $nonce --issuer https://nras.test --issuer https://nras.attestation.nvidia.com
token 1 "another key pinned" --nonce $nonce --pin-key $other
says "a pinned key"
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0][1])' "$work/eat" >"$work/jwt"
run 0 "an overall token alone" "$verify" token "$work/jwt" --jwks "$work/jwks" --time $now --nonce $nonce
says "whose tokens are not there"
run 1 "the devices' are wanted" "$verify" token "$work/jwt" --jwks "$work/jwks" --time $now --nonce $nonce \
	--require-devices
says "the tokens of the devices"
token 0 "they are there" --nonce $nonce --require-devices
python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[1]["GPU-1"])' "$work/eat" >"$work/jwt"
run 0 "a device's token alone" "$verify" token "$work/jwt" --jwks "$work/jwks" --time $now --nonce $nonce --json
is_json 'len(o["facts"]["devices"]) == 1 and o["facts"]["devices"][0]["name"] == "GPU"'
run 1 "for another nonce" "$verify" token "$work/jwt" --jwks "$work/jwks" --time $now --nonce $other
run 1 "the overall one is wanted" "$verify" token "$work/jwt" --jwks "$work/jwks" --time $now --nonce $nonce \
	--require-devices
run 1 "two are demanded" "$verify" token "$work/jwt" --jwks "$work/jwks" --time $now --nonce $nonce --count 2
run 1 "keys that are none, as JSON" sh -c '"$@" 2>/dev/null' sh "$verify" token "$work/eat" --jwks "$work/eat" --json
is_json 'o["verdict"] == "rejected" and "facts" not in o and o["reason"]'
make_token --defect mod-unknown
token 1 "a claim that nobody knows" --nonce $nonce
token 0 "which is wanted" --nonce $nonce --allow-unknown-claims
says "x-nvidia-gpu-new-check is false"
make_token --of switch
token 0 "a switch" --nonce $nonce
says "SWITCH-0: LS_10 A01 FSP BROM"

# Real ones. The keys were recovered from the tokens; the service does not keep old ones.
real=$2/nvgpu/nras
if [ ! -d "$real" ]; then
	echo "skipped: real tokens, no folder $real"
	finish
fi
run 0 "a real token" "$verify" token "$real/hopperClaimsv3_detached_eat.json" --jwks "$real/jwks.recovered.json" \
	--nonce $nonce --time 2025-06-11T01:00:00Z --count 1
for jwt in detached_eat.json detached_eat.overall.jwt detached_eat.GPU-0.jwt; do
	run 0 "a real token, $jwt" "$verify" token "$real/hopperClaimsv3_$jwt" --jwks "$real/jwks.recovered.json" \
		--time 2025-06-11T01:00:00Z
	run 1 "an hour later, $jwt" "$verify" token "$real/hopperClaimsv3_$jwt" --jwks "$real/jwks.recovered.json" \
		--time 2025-06-11T02:00:00Z
done
run 1 "a real token of the staging service" "$verify" token "$real/switch_detached_eat.json" \
	--jwks "$real/jwks.recovered.json" --nonce $nonce --time 2025-06-29T00:20:00Z
run 0 "which is allowed" "$verify" token "$real/switch_detached_eat.json" --jwks "$real/jwks.recovered.json" \
	--nonce $nonce --time 2025-06-29T00:20:00Z --issuer https://nras.attestation-stg.nvidia.com
finish
