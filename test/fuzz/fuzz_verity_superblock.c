/* SPDX-License-Identifier: Apache-2.0 */
/* Any superblock: what reads is, byte for byte, what would be written; its tree lies in order. */
#include <string.h>

#include <pm/error.h>

#include "fuzz.h"
#include "verity/layout.h"

static void check_tree(const struct pm_verity_params *p)
{
	struct pm_verity_tree t;
	uint64_t at, below = p->data_blocks;

	FUZZ_CHECK(pm_verity_tree_of(p, NULL, &t) == PM_OK);
	FUZZ_CHECK(t.layout.levels <= PM_VERITY_LEVELS_MAX);
	FUZZ_CHECK(t.layout.data_size / p->data_block_size == p->data_blocks);
	for (uint32_t i = 0; i < t.layout.levels; i++) {
		FUZZ_CHECK(t.levels[i].blocks < below);
		FUZZ_CHECK((t.levels[i].blocks - 1) * t.fanout < below);
		FUZZ_CHECK(t.levels[i].blocks >= below / t.fanout);
		below = t.levels[i].blocks;
	}
	FUZZ_CHECK(below == 1);
	at = t.layout.tree_offset;
	for (uint32_t i = t.layout.levels; i-- > 0;) {
		FUZZ_CHECK(t.levels[i].offset == at);
		at += t.levels[i].blocks * p->hash_block_size;
	}
	FUZZ_CHECK(at == t.layout.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t uuid[PM_VERITY_UUID_SIZE], bytes[PM_VERITY_SUPERBLOCK_SIZE];
	struct pm_verity_params p;

	FUZZ_CHECK(report);
	if (pm_verity_superblock_parse(data, size, report, &p, uuid) < 0) {
		FUZZ_CHECK(pm_report_reason(report)[0]);
		return 0;
	}
	FUZZ_CHECK(size == sizeof(bytes));
	FUZZ_CHECK(pm_verity_superblock_make(&p, uuid, NULL, bytes) == PM_OK);
	FUZZ_CHECK(!memcmp(bytes, data, size));
	FUZZ_CHECK(pm_verity_superblock_check(&p, data, size, NULL) == PM_OK);
	check_tree(&p);
	p.data_blocks ^= 1;
	FUZZ_CHECK(pm_verity_superblock_check(&p, data, size, NULL) < 0);
	return 0;
}
