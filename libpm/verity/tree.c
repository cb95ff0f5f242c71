/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task reads blocks of one level and writes the blocks of the next that hold their digests. The
 * next level is then read back, so no level is ever in memory as a whole.
 */
#include "verity/tree.h"

#include <inttypes.h>
#include <string.h>

/* What stands below a level: the data, or another level. */
static struct pm_blocks blocks_below(const struct pm_disk *d, uint32_t level, uint64_t task)
{
	const struct pm_verity_params *p = d->params;

	if (level == 0)
		return pm_disk_task_blocks(d->data, 0, p->data_blocks, p->data_block_size, task);
	return pm_disk_task_blocks(d->hash, d->tree.levels[level - 1].offset,
		d->tree.levels[level - 1].blocks, p->hash_block_size, task);
}

/* Digests of a task fill blocks of the tree; the rest of the last one is zeros. */
static int write_digests(struct pm_disk_worker *w, uint64_t count, uint64_t task)
{
	const struct pm_disk *d = w->disk;
	uint64_t offset = d->tree.levels[w->level].offset + task * PM_TASK_DIGESTS;
	size_t used = (size_t)count * PM_SHA256_SIZE, block = d->params->hash_block_size;
	size_t bytes = (used + block - 1) / block * block;
	int r;

	memset(w->digests + used, 0, bytes - used);
	r = d->hash->write(d->hash->arg, offset, w->digests, bytes);
	return r < 0 ? pm_fault_at(w, r, "hash.write", offset) : PM_OK;
}

static int run_task(void *worker, uint64_t task)
{
	struct pm_disk_worker *w = worker;
	struct pm_blocks blocks = blocks_below(w->disk, w->level, task);
	uint64_t failed = 0;
	int r = pm_hasher_read(w->hasher, &blocks, w->digests, &failed);

	if (r < 0)
		return pm_fault_at(w, r, w->level ? "hash.read" : "data.read", failed);
	return write_digests(w, blocks.count, task);
}

static uint64_t count_below(const struct pm_disk *d, uint32_t level)
{
	return level ? d->tree.levels[level - 1].blocks : d->params->data_blocks;
}

int pm_tree_write(const struct pm_disk *disk, const struct pm_disk_workers *workers)
{
	int r = PM_OK;

	for (uint32_t level = 0; r == PM_OK && level < disk->tree.layout.levels; level++) {
		for (size_t i = 0; i < workers->count; i++)
			((struct pm_disk_worker *)workers->states[i])->level = level;
		r = pm_disk_run(disk, workers, pm_disk_tasks(count_below(disk, level)), run_task,
			level == 0);
	}
	return r;
}

int pm_tree_root(const struct pm_disk *disk, struct pm_disk_worker *worker, uint8_t *ret_root)
{
	uint32_t levels = disk->tree.layout.levels;
	struct pm_blocks top = blocks_below(disk, levels, 0);
	uint64_t failed = 0;
	int r = pm_hasher_read(worker->hasher, &top, worker->digests, &failed);

	if (r < 0)
		return pm_fail(disk->report, r, levels ? "hash.read" : "data.read", "",
			"%s at offset %" PRIu64, pm_strerror(r), failed);
	pm_copy(ret_root, worker->digests, PM_SHA256_SIZE);
	return PM_OK;
}
