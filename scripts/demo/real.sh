# Real reports of real hardware, where they are at hand.
# shellcheck shell=sh disable=SC2154 # demo.sh sets what is not set here

# real_snp PRODUCT NAME
real_snp() {
	dir=$vectors/snp
	show_refusal pm-verify snp "$dir/$1/$2.report.bin" --vek "$dir/$1/$2.vek.der" --any-report-data \
		--chain "$dir/certs/$1_vcek_cert_chain.pem" --any-tcb --time 2026-03-01T00:00:00Z
	must 0
}

# real_gpu NAME GOLDEN OPTION...: GOLDEN as "33 of 33" measurements must be found.
real_gpu() {
	dir=$vectors/nvgpu/$1
	golden=$2
	shift 2
	show_refusal pm-verify gpu "$dir/report.bin" --certs "$dir/certchain.pem" \
		--nonce "$(cut -c1-64 "$dir/nonce.hex")" "$@"
	must 0
	said "✓ golden measurements .*$golden"
	grep "✓ golden" "$work/out"
}

if [ -d "$vectors/snp" ]; then
	title "Real reports of real processors (the list of what passed is long: pm-verify shows it)"
	real_snp milan ms_milan_v3
	real_snp genoa ms_genoa_v3
	real_snp turin ms_turin_v5
	done_with "3 real processors"
else
	title "Real reports of processors: none at hand (set PM_VECTORS to a folder of them)"
fi

if [ -d "$vectors/nvgpu" ]; then
	title "A real GPU and a real NVLink switch, with NVIDIA's golden measurements, at the time of the evidence"
	rims=$vectors/nvgpu/rim
	# shellcheck disable=SC2046 # words on purpose
	real_gpu hopper-550.90.07 "33 of 33" --time 2025-08-21T12:00:00Z --rim-time 2025-10-24T18:00:00Z \
		--rim "$rims/driver/NV_GPU_DRIVER_GH100_550.90.07.xml" \
		--rim "$rims/vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml" \
		$(printf -- '--ocsp %s ' "$vectors"/nvgpu/ocsp/*.der)
	real_gpu switch-ls10-5612 "31 of 31" --time 2026-06-01T00:00:00Z --no-ocsp \
		--rim "$rims/switch/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml"
	done_with "a real GPU and a real switch"
else
	title "Real reports of GPUs: none at hand (set PM_VECTORS to a folder of them)"
fi
