/* SPDX-License-Identifier: Apache-2.0 */
/* Made by make_corpus.py; do not edit. */
/* clang-format off */
#ifndef PM_FUZZ_APPRAISE_SEEDS_H
#define PM_FUZZ_APPRAISE_SEEDS_H

#include <stdint.h>

/* What bundles of the corpus can meet. */
static const char seed_manifest[] =
	"{\"version\": 1, \"serial\": 1, \"previous\": null, \"not_before\": \"202"
	"6-01-01T00:00:00Z\", \"not_after\": \"2026-12-31T00:00:00Z\", \"roles\""
	": {\"worker\": {\"snp\": {\"measurements\": [\"80b2247d6bad1ab1458fca59"
	"0bc521d2746b386b2ae637d30baf513ced9ee06e7e085f0fdaca6b291d12f86a"
	"5d27ec4b\"], \"host_data\": null, \"chip_ids\": null, \"min_tcb\": {\"Mi"
	"lan\": {\"boot_loader\": 3, \"tee\": 1, \"snp\": 8, \"microcode\": 115}},"
	" \"signers\": [\"VCEK\"], \"require_crl\": true}, \"gpu\": null, \"models"
	"\": [\"a/model\"], \"calls\": [], \"workload_secret\": false}}, \"models"
	"\": {\"a/model\": {\"root_hash\": \"0e3ffd39c0ad6588afb4aaf7d9f7ad99c8"
	"2092eec7881e82cc789d437e3100a9\", \"hash_offset\": 40960, \"data_blo"
	"cks\": 10, \"salt\": \"00ff\", \"data_block_size\": 4096, \"hash_block_s"
	"ize\": 4096}}, \"owners\": {\"threshold\": 1, \"keys\": [{\"name\": \"alic"
	"e\", \"key\": \"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEGkP/lmrtMJaaTpOOXTQB"
	"VvIgEAE+IfZvQeMjsHIyeUWfpbyadesS6VoaXaqSSQVh+fPVDE9bFAvPAOFVT2Fp"
	"Hh3CCSfSptJo8GKBJwjUUzyIuymi4QPbKuKqNeUORM7t\"}]}, \"seed_share_ow"
	"ners\": null, \"secrets\": [], \"extra_roots\": {\"snp\": [\"b2def76e61c"
	"c4c7989aea216aac9c1ddfa3370ac8ee10064576ef79a9fcf5bd6\"]}}";

/* SHA-256 of the claims that the corpus's key signed. */
static const uint8_t seed_claims[32] = {
	0x5e, 0x56, 0x28, 0x09, 0x5d, 0x13, 0x9b, 0x9c, 0x80, 0xa5, 0xbf, 0xdd,
		0xeb, 0xfe, 0x57, 0xc7, 0xb8, 0xb9, 0x1e, 0x09, 0x78, 0xe7, 0xda, 0xfc,
		0x81, 0x9b, 0xf0, 0x37, 0x38, 0x40, 0x4a, 0xf9};

#endif
