/* SPDX-License-Identifier: Apache-2.0 */
#include "verity/layout.h"

#include <inttypes.h>

#include "crypto/crypto.h"

static int check_block_size(struct pm_report *report, const char *name, uint32_t size)
{
	if (size < PM_VERITY_BLOCK_MIN || (size & (size - 1)))
		return pm_fail(report, PM_E_FORMAT, name, "a power of two, at least 512",
			"%" PRIu32, size);
	if (size > PM_VERITY_BLOCK_MAX)
		return pm_fail(report, PM_E_UNSUPPORTED, name, "at most 4096", "%" PRIu32, size);
	return PM_OK;
}

static int check_params(const struct pm_verity_params *p, struct pm_report *report)
{
	int r;

	if (p->size != sizeof(*p))
		return pm_fail(
			report, PM_E_ARG, "params.size", "the size of the struct", "%zu", p->size);
	r = check_block_size(report, "data_block_size", p->data_block_size);
	if (r == PM_OK)
		r = check_block_size(report, "hash_block_size", p->hash_block_size);
	if (r < 0)
		return r;
	if (p->salt_size > PM_VERITY_SALT_MAX)
		return pm_fail(
			report, PM_E_LIMIT, "salt_size", "at most 256", "%" PRIu32, p->salt_size);
	if (!p->data_blocks)
		return pm_fail(report, PM_E_FORMAT, "data_blocks", "at least 1", "0");
	if (p->hash_offset % PM_VERITY_SUPERBLOCK_SIZE)
		return pm_fail(report, PM_E_FORMAT, "hash_offset", "a multiple of 512", "%" PRIu64,
			p->hash_offset);
	return PM_OK;
}

/* The levels, from the data upwards; a level of one block is the top. */
static void count_blocks(const struct pm_verity_params *p, struct pm_verity_tree *t)
{
	t->fanout = p->hash_block_size / PM_SHA256_SIZE;
	for (uint64_t n = p->data_blocks; n > 1; n = t->levels[t->layout.levels++].blocks) {
		uint64_t blocks = n / t->fanout + (n % t->fanout ? 1 : 0);

		t->levels[t->layout.levels].blocks = blocks;
		t->layout.tree_blocks += blocks;
	}
}

/* The offsets, from the top downwards. False when one is above 2^63. */
static bool place(const struct pm_verity_params *p, struct pm_verity_tree *t)
{
	uint64_t mask = p->hash_block_size - 1, at, size;

	if (__builtin_mul_overflow(p->data_blocks, p->data_block_size, &t->layout.data_size) ||
		t->layout.data_size > INT64_MAX || p->hash_offset > INT64_MAX)
		return false;
	at = (p->hash_offset + PM_VERITY_SUPERBLOCK_SIZE + mask) & ~mask;
	t->layout.tree_offset = at;
	count_blocks(p, t);
	for (size_t i = t->layout.levels; i > 0; i--) {
		t->levels[i - 1].offset = at;
		if (__builtin_mul_overflow(t->levels[i - 1].blocks, p->hash_block_size, &size) ||
			__builtin_add_overflow(at, size, &at))
			return false;
	}
	t->layout.end = at;
	return at <= INT64_MAX;
}

int pm_verity_tree_of(
	const struct pm_verity_params *params, struct pm_report *report, struct pm_verity_tree *ret)
{
	struct pm_verity_tree tree = {0};
	int r = check_params(params, report);

	if (r < 0)
		return r;
	if (!place(params, &tree))
		return pm_fail(report, PM_E_LIMIT, "data_blocks", "a disk below 2^63 bytes",
			"%" PRIu64 " blocks, superblock at %" PRIu64, params->data_blocks,
			params->hash_offset);
	*ret = tree;
	return PM_OK;
}

int pm_verity_layout_of(const struct pm_verity_params *params, struct pm_report *report,
	struct pm_verity_layout *ret_layout)
{
	struct pm_verity_tree tree;
	int r = pm_verity_tree_of(params, report, &tree);

	if (r == PM_OK)
		*ret_layout = tree.layout;
	return r;
}
