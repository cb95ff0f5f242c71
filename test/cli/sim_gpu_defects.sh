#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sim_gpu_defects.sh BIN: each defect that pm-sim's GPUs and their services can make is refused, and by the
# check that is there for it; each deviation that makes no difference is accepted. On a Hopper, a Blackwell
# and a switch; then a host of eight GPUs and four switches; then tokens. OpenSSL made all of it, so two
# implementations agree, or one of them is wrong.
# shellcheck source=test/cli/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$bin/pm-sim
verify=$bin/pm-verify
issued=2026-03-01T00:00:00Z
nonce=931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb

# Defect, and the check that fails first: on all, or on GPUs and switches. "+": accepted, since the device
# has no such field, or it decides nothing. "!": already refused when its file is read.
table() {
	cat <<-'TABLE'
	spdm-version|request, SPDM version
	spdm-request-code|request, code
	spdm-request-unsigned|request, Param1
	spdm-request-one|request, Param2
	spdm-slot|request, slot
	spdm-response-version|response, SPDM version
	spdm-response-code|response, code
	spdm-block-count|number of measurements
	spdm-record-length|length of the measurements
	block-missing|number of measurements
	block-order|measurement, index
	block-duplicate|measurement, index
	block-zero|measurement, index
	block-spec|measurement, header
	block-size|measurement, header
	block-value-type|measurement, header
	block-value-size|measurement, header
	nonce|nonce
	nonce-tail|nonce
	measurement-driver|golden measurements, driver|golden measurements, switch
	measurement-vbios|golden measurements, VBIOS|golden measurements, switch
	measurement-zero|golden measurements, driver|golden measurements, switch
	opaque-length|report length
	opaque-runs-out|opaque fields
	opaque-duplicate|opaque fields|+
	opaque-unknown|opaque fields
	opaque-version|OPAQUE_DATA_VERSION
	opaque-no-driver|DRIVER_VERSION|+
	opaque-no-vbios|VBIOS_VERSION
	opaque-no-project|+
	driver-unterminated|+
	driver-path|DRIVER_VERSION|+
	driver-other|golden measurements, driver|+
	vbios-size|VBIOS_VERSION
	vbios-other|golden measurements, VBIOS|VBIOS_VERSION
	project-other|+
	nvdec-value|NVDEC0_STATUS|+
	fwid-other|FWID|+
	fwid-size|FWID|+
	sig-other-key|signature
	sig-bad|signature
	sig-bad-s|signature
	sig-swapped|signature
	sig-zero|signature
	sig-nonce|signature
	sig-measurement|signature
	truncated|report length
	truncated-head|report length
	empty|request, code
	trailing|report length
	trailing-nul|report length
	oversized|report length
	chain-no-root|!certificates
	chain-six|!certificates
	chain-order|provisioner, signature
	chain-reversed|root
	chain-no-identity|!certificates
	chain-duplicate|provisioner, signature
	chain-empty|!certificates
	leaf-other-key|signature
	leaf-p256|device, public key
	leaf-forged|device, signature
	leaf-sha256|device, signature
	leaf-fwid|FWID|+
	leaf-fwid-tail|FWID|+
	leaf-no-fwid|FWID|+
	leaf-fwid-kind|+
	leaf-usage|device, key usage
	leaf-ca|device
	leaf-san|device, common name
	leaf-no-san|device, alternative name
	leaf-name|device, common name
	leaf-expired|device, validity
	leaf-future|device, validity
	brom-not-ca|device, signature
	brom-other-key|device, signature
	brom-forged|boot ROM, signature
	ica-not-ca|boot ROM, signature
	ica-forged|provisioner, signature
	ica-expired|provisioner, validity
	identity-forged|identity CA, signature
	root-forged|root
	rim-digest|RIM, digest
	rim-signature|RIM, signature
	rim-other-key|RIM, signature
	rim-key-value|RIM, element
	rim-wrapped|RIM, element
	rim-two-signatures|RIM, element
	rim-cut|RIM
	rim-doctype|RIM
	rim-declaration|RIM
	rim-comment|RIM
	rim-two-payloads|RIM, element
	rim-uri|RIM, Reference, URI
	rim-digest-method|RIM, Algorithm
	rim-transform|RIM, Algorithm
	rim-no-transform|RIM, element
	rim-product|golden measurements, driver|golden measurements, switch
	rim-version|golden measurements, driver|golden measurements, switch
	rim-manufacturer|+
	rim-value|golden measurements, driver|golden measurements, switch
	rim-duplicate|RIM, element
	rim-conflict|golden measurements|+
	rim-index|RIM, Resource, index
	rim-active|RIM, Resource, active
	rim-size|RIM, Resource, size
	rim-hash|RIM, Resource, Hash
	rim-no-alternative|RIM, Resource, alternatives
	rim-many-alternatives|RIM, Resource, Hash
	rim-chain-short|RIM, X509Certificate
	rim-chain-leaf|RIM, X509Certificate
	rim-expired|RIM signer, validity
	rim-future|RIM signer, validity
	rim-l3-expired|RIM CA 2, validity
	rim-forged|RIM signer, signature
	rim-l3-forged|RIM CA 2, signature
	rim-l3-not-ca|RIM signer, signature
	rim-root|RIM root
	ocsp-revoked|boot ROM, OCSP
	ocsp-hold|boot ROM, OCSP
	ocsp-unknown|boot ROM, OCSP
	ocsp-stale|boot ROM, OCSP
	ocsp-future|boot ROM, OCSP
	ocsp-backwards|!OCSP, thisUpdate, nextUpdate
	ocsp-no-next-update|boot ROM, OCSP
	ocsp-other-serial|boot ROM, OCSP
	ocsp-other-issuer|boot ROM, OCSP
	ocsp-signature|OCSP, signature
	ocsp-rogue|OCSP responder, signature
	ocsp-foreign|OCSP responder, signature
	ocsp-usage|OCSP responder, extKeyUsage
	ocsp-responder-expired|boot ROM, OCSP
	ocsp-no-cert|OCSP responder
	ocsp-no-nonce|+
	ocsp-nonce|+
	ocsp-try-later|!OCSP, responseStatus
	ocsp-truncated|!OCSP response
	TABLE
}

token_table() {
	cat <<-'TABLE'
	token-alg-none|overall token
	token-alg-hs384|overall token
	token-alg-es256|overall token
	token-no-alg|overall token
	token-kid|overall token
	token-no-kid|overall token
	token-crit|overall token
	token-sub|sub
	token-ver|x-nvidia-ver
	token-no-ver|x-nvidia-ver
	token-iss|iss
	token-no-iss|iss
	token-result|x-nvidia-overall-att-result
	token-result-text|x-nvidia-overall-att-result
	token-no-result|x-nvidia-overall-att-result
	token-nonce|eat_nonce
	token-no-nonce|eat_nonce
	token-expired|exp
	token-no-exp|exp
	token-future|nbf
	token-no-nbf|nbf
	token-iat|iat
	token-exp-real|exp
	token-submods|submods
	mod-iss|iss
	mod-nonce|eat_nonce
	mod-no-nonce|eat_nonce
	mod-expired|exp
	mod-future|nbf
	mod-measres|measres
	mod-no-measres|measres
	mod-secboot|secboot
	mod-dbgstat|dbgstat
	mod-ueid|ueid
	mod-ueid-text|ueid
	mod-hwmodel|hwmodel
	mod-oemid|oemid
	mod-error|x-nvidia-error-details
	mod-mismatch|x-nvidia-mismatch-measurement-records
	mod-unknown|unknown claim
	mod-arch|x-nvidia-gpu-arch-check
	mod-no-arch|x-nvidia-gpu-arch-check
	mod-parsed|x-nvidia-gpu-attestation-report-parsed
	mod-nonce-match|x-nvidia-gpu-attestation-report-nonce-match
	mod-signature|x-nvidia-gpu-attestation-report-signature-verified
	mod-fwid|x-nvidia-gpu-attestation-report-cert-chain-fwid-match
	mod-chain|x-nvidia-gpu-attestation-report-cert-chain
	mod-chain-revoked|x-nvidia-gpu-attestation-report-cert-chain
	mod-no-chain|x-nvidia-gpu-attestation-report-cert-chain
	mod-driver-fetched|x-nvidia-gpu-driver-rim-fetched
	mod-driver-schema|x-nvidia-gpu-driver-rim-schema-validated
	mod-driver-version|x-nvidia-gpu-driver-rim-version-match
	mod-driver-signature|x-nvidia-gpu-driver-rim-signature-verified
	mod-driver-measurements|x-nvidia-gpu-driver-rim-measurements-available
	mod-driver-chain|x-nvidia-gpu-driver-rim-cert-chain
	mod-vbios-fetched|x-nvidia-gpu-vbios-rim-fetched
	mod-vbios-version|x-nvidia-gpu-vbios-rim-version-match
	mod-vbios-signature|x-nvidia-gpu-vbios-rim-signature-verified
	mod-conflict|x-nvidia-gpu-vbios-index-no-conflict
	mod-driver-name|x-nvidia-gpu-driver-version
	mod-vbios-name|x-nvidia-gpu-vbios-version
	token-signature|overall token
	token-mod-signature|device's token
	token-mod-other|submods
	token-der|overall token
	token-padded|overall token
	token-unsigned|overall token
	token-mod-missing|submods
	token-mod-extra|submods
	token-mod-twin|ueid
	token-digest-name|submods
	token-claim-twice|overall token
	token-type|token
	token-trailing|token
	token-other-key|overall token
	TABLE
}

root_of() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1/gpu/roots.json" "$2"
}

# fails_at CHECK: that check of the last command was the first that failed.
fails_at() {
	checks=$((checks + 1))
	case $1 in
	!*) grep -qF -- ": ${1#!}: found " "$err" && return ;;
	*) [ "$(grep '^✗' "$out" | head -n 1 | grep -cF -- "$(printf '✗ %-31s found ' "$1")")" = 1 ] && return ;;
	esac
	failures=$((failures + 1))
	echo "FAILED: $what: is not refused by '$1'"
	grep '^✗' "$out"
	cat "$err"
}

# make_good: the folder $good of the host $host, with all that a verifier needs.
make_good() {
	mkdir -p "$good/rims"
	"$sim" gpu report "$host" "$device" 0 --nonce $nonce -o "$good/report" --certs "$good/chain" \
		--time $issued || exit 1
	for kind in $kinds; do
		"$sim" gpu rim "$host" --kind "$kind" -o "$good/rims/$kind.xml" --time $issued >"$out" || exit 1
	done
	"$sim" gpu ocsp "$host" --all "$good/ocsp" --time $issued || exit 1
}

# spoil DEFECT PART: a copy of the good folder with one thing wrong.
spoil() {
	rm -rf "$work/bad"
	cp -r "$good" "$work/bad"
	case $2 in
	manifest)
		"$sim" gpu rim "$host" --kind "${kinds%% *}" -o "$work/bad/rims/${kinds%% *}.xml" \
			--time $issued --defect "$1"
		;;
	ocsp)
		"$sim" gpu ocsp "$host" --cert "$host/gpu/$name-brom.pem" -o "$work/bad/ocsp/$name-brom.ocsp.der" \
			--time $issued --defect "$1"
		;;
	*)
		"$sim" gpu report "$host" "$device" 0 --nonce $nonce -o "$work/bad/report" --certs "$work/bad/chain" \
			--time $issued --defect "$1"
		;;
	esac >"$out" || exit 1
}

# judge STATUS WHAT FOLDER [OPTION]...: what pm-verify says.
judge() {
	want=$1
	what=$2
	set -- "$3/report" --certs "$3/chain" --nonce $nonce --time $issued --test-root "$root" \
		--test-rim-root "$rim_root" "$3"/rims/* "$3"/ocsp/*
	# Files become options.
	count=$#
	while [ "$count" -gt 0 ]; do
		case $1 in
		*/rims/*) set -- "$@" --rim "$1" ;;
		*/ocsp/*) set -- "$@" --ocsp "$1" ;;
		*) set -- "$@" "$1" ;;
		esac
		shift
		count=$((count - 1))
	done
	run "$want" "$what" "$verify" gpu "$@"
}

"$sim" gpu defects >"$work/defects"
for arch in hopper blackwell ls10; do
	host=$work/$arch
	good=$work/good-$arch
	name=gpu0
	device=--gpu
	kinds="driver vbios"
	[ $arch = ls10 ] && name=switch0 && device=--switch && kinds=switch
	"$sim" gpu init "$host" --arch $arch --time $issued >"$out" || exit 1
	root=$(root_of "$host" gpu_device_root)
	rim_root=$(root_of "$host" gpu_rim_root)
	make_good
	judge 0 "$arch without a defect" "$good"
	says "TEST ROOT"
	table >"$work/table"
	while IFS='|' read -r defect gpu switch; do
		wanted=$gpu
		[ $arch = ls10 ] && wanted=${switch:-$gpu}
		part=$(awk -v d="$defect" '$1 == d { print $2 }' "$work/defects")
		# A Blackwell is another Hopper but for the extension that holds its FWID.
		[ $arch = blackwell ] && [ "$part" != chain ] && continue
		spoil "$defect" "$part"
		if [ "$wanted" = + ]; then
			judge 0 "$arch, $defect" "$work/bad"
		else
			judge 1 "$arch, $defect" "$work/bad"
			fails_at "$wanted"
		fi
	done <"$work/table"
done

# Each defect stands in one of the tables.
{ table && token_table; } | cut -d'|' -f1 | sort >"$work/named"
cut -d' ' -f1 "$work/defects" | sort >"$work/known"
run 0 "the tables name each defect" diff "$work/named" "$work/known"

# --- a host ------------------------------------------------------------------------------------------

host=$work/ppcie
"$sim" gpu init "$host" --count 8 --switches 4 --time $issued >"$out" || exit 1
"$sim" gpu ocsp "$host" --all "$host/ocsp" --time $issued || exit 1
set --
for kind in driver vbios switch; do
	"$sim" gpu rim "$host" --kind $kind -o "$host/$kind.xml" >"$out" || exit 1
	set -- "$@" --rim "$host/$kind.xml"
done
for response in "$host"/ocsp/*; do
	set -- "$@" --ocsp "$response"
done
for i in 0 1 2 3 4 5 6 7; do
	"$sim" gpu report "$host" --gpu $i --nonce $nonce --evidence "$host/gpu$i.json" || exit 1
done
for i in 0 1 2 3; do
	"$sim" gpu report "$host" --switch $i --nonce $nonce --evidence "$host/switch$i.json" || exit 1
done
cat >"$work/list.py" <<'PYTHON'
import json, sys
json.dump([json.load(open(f))[0] for f in sys.argv[2:]], open(sys.argv[1], "w"))
PYTHON
set -- "$@" --nonce $nonce --time $issued --test-root "$(root_of "$host" gpu_device_root)" \
	--test-rim-root "$(root_of "$host" gpu_rim_root)"
python3 "$work/list.py" "$work/host.json" "$host"/gpu?.json "$host"/switch?.json
run 0 "eight GPUs and four switches" "$verify" gpu "$work/host.json" "$@"
python3 "$work/list.py" "$work/host.json" "$host"/gpu?.json "$host"/switch[012].json
run 1 "a switch is missing" "$verify" gpu "$work/host.json" "$@"
python3 "$work/list.py" "$work/host.json" "$host"/gpu[0123456].json "$host/gpu0.json" "$host"/switch?.json
run 1 "a GPU twice" "$verify" gpu "$work/host.json" "$@"
python3 "$work/list.py" "$work/host.json" "$host"/gpu[0123456].json "$host"/switch?.json
run 1 "a GPU is missing" "$verify" gpu "$work/host.json" "$@"

# --- tokens ------------------------------------------------------------------------------------------

# token STATUS WHAT: what pm-verify says of the token.
token() {
	run "$1" "$2" "$verify" token "$work/eat" --jwks "$work/jwks" --nonce $nonce --time 2026-03-01T00:10:00Z
}

"$sim" gpu token "$host" --nonce $nonce --time $issued -o "$work/eat" --jwks "$work/jwks" || exit 1
token 0 "a token without a defect"
token_table >"$work/table"
while IFS='|' read -r defect wanted; do
	"$sim" gpu token "$host" --nonce $nonce --time $issued -o "$work/eat" --defect "$defect" || exit 1
	token 1 "$defect"
	checks=$((checks + 1))
	grep '^✗' "$out" | head -n 1 | grep -qF -- "✗ $(printf '%-31s' "$wanted") found " && continue
	failures=$((failures + 1))
	echo "FAILED: $defect: is not refused by '$wanted'"
	cat "$out"
done <"$work/table"
finish
