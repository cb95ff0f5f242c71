#!/bin/sh
# bench.sh BUILD_DIR: speed of SNP verification on one core, with the fast verifier and with mbedTLS
# alone, beside OpenSSL in the same run. The evidence is real where PM_VECTORS (or ../shared/vectors)
# is, and pm-sim's where not: both cost the same. Then of a host of eight GPUs, beside OpenSSL; at the
# end of disks, beside veritysetup.
set -eu
cd "$(dirname "$0")/.."
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
vectors=${PM_VECTORS:-../shared/vectors}

if [ -d "$vectors/snp" ]; then
	set -- "$vectors/snp/milan/ms_milan_v3.report.bin" "$vectors/snp/milan/ms_milan_v3.vek.der" \
		"$vectors/snp/certs/milan_vcek_cert_chain.pem" - 2026-03-01T00:00:00Z
else
	"$build/tools/pm-sim" init "$work/sim" >/dev/null
	"$build/tools/pm-sim" report "$work/sim" --report-data "$(printf '%0128d' 0)" -o "$work/report.bin"
	root=$(sed -n 's/.*"\([0-9a-f]\{64\}\)".*/\1/p' "$work/sim/policy.json")
	set -- "$work/report.bin" "$work/sim/vek.der" "$work/sim/chain.pem" "$root" \
		"$(date -u +%Y-%m-%dT%H:%M:%SZ)"
fi

scripts/configure.sh build-bench-mbedtls --buildtype=release -Dfast_verify=disabled
ninja -C build-bench-mbedtls --quiet test/bench/bench_snp

echo "median [min-max] of 9 rounds of 200 calls, one core, parsing included"
taskset -c 0 "$build/test/bench/bench_snp" "fast verifier" "$@"
taskset -c 0 build-bench-mbedtls/test/bench/bench_snp "mbedTLS alone" "$@"
echo "beside it, signatures alone:"
taskset -c 0 openssl speed -seconds 2 ecdsap384 2>/dev/null |
	awk '/ecdsa/ {printf "%-22s %-30s %8.3f ms\n", "OpenSSL", "P-384 verify", 1000 / $NF}'
taskset -c 0 openssl speed -seconds 2 rsa4096 2>/dev/null |
	awk '/rsa/ {printf "%-22s %-30s %8.3f ms\n", "OpenSSL", "RSA-4096 verify", 1000 / $NF}'

echo "a host of GPUs, one core:"
taskset -c 0 "$build/test/bench/bench_gpu"

echo "disks:"
test/bench/bench_verity.sh "$build"
echo
echo "envelope encryption: median [min-max] of 9 rounds, one core"
taskset -c 0 "$build/test/bench/bench_envelope"
taskset -c 0 "$build/test/bench/bench_oae"
echo "beside it, the cipher alone:"
for size in 256 16384 1048576; do
	taskset -c 0 openssl speed -seconds 2 -bytes $size -evp aes-256-gcm 2>/dev/null |
		awk -v n=$size '/^AES-256-GCM/ {
			rate = 1000 * $NF
			name = "OpenSSL AES-256-GCM"
			printf "%-32s %8d B %10.3f us %20.2f GB/s\n", name, n, 1e6 * n / rate, rate * 1e-9
		}'
done
if [ -x "$build/test/bench/bench_proxy" ]; then
	echo
	echo "pm-proxy on one core, the inference server and the clients on another: median [min-max] of 3 rounds"
	"$build/test/bench/bench_proxy" "$build/daemons/pm-proxy" "$build/examples/inference-server/inference-server"
	echo
	echo "an event at a steady pace, 50 a second of each stream, straight and through pm-proxy"
	"$build/test/bench/bench_latency" "$build/daemons/pm-proxy"
fi
if [ -x "$build/test/bench/bench_store" ]; then
	echo
	echo "stores of daemons: median [min-max] of 5 rounds"
	test/bench/bench_store.sh "$build"
fi
if [ -x "$build/test/bench/bench_secrets" ]; then
	echo
	echo "pm-secrets, its store and 16 clients on all cores: requests a second"
	test/bench/bench_secrets.py "$build/daemons/pm-secrets" "$build/test/daemons/town" "$build/tools" \
		"$build/test/bench/bench_secrets"
fi
