/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole disk: written, verified, asked for its root. What verifies follows each digest down from
 * the root in memory of its own, and compares with those very bytes: a disk that changes under it
 * can't show it one tree and use another.
 */
#include "verity/tree.h"

#include <inttypes.h>
#include <stdio.h>

/* --- verifying ------------------------------------------------------------------------------- */

static int compare(struct pm_disk_worker *w, const char *name, uint64_t block, uint64_t offset,
	const uint8_t *expected, const uint8_t *found)
{
	if (pm_ct_equal(expected, found, PM_SHA256_SIZE))
		return PM_OK;
	w->fault = (struct pm_fault){name, block, offset, true, {0}, {0}};
	pm_copy(w->fault.expected, expected, PM_SHA256_SIZE);
	pm_copy(w->fault.found, found, PM_SHA256_SIZE);
	return PM_E_REJECTED;
}

static uint8_t *path_at(const struct pm_disk_worker *w, uint32_t level)
{
	return w->path + (size_t)level * w->disk->params->hash_block_size;
}

/* Number of a block within the whole tree, from its start on disk, as a user counts. */
static uint64_t tree_block(const struct pm_disk *d, uint64_t offset)
{
	return (offset - d->tree.layout.tree_offset) / d->params->hash_block_size;
}

/* Reads a block of the tree into the path, and keeps it when it has the digest wanted. */
static int follow(struct pm_disk_worker *w, uint32_t level, uint64_t block, const uint8_t *expected)
{
	const struct pm_disk *d = w->disk;
	uint32_t size = d->params->hash_block_size;
	uint64_t offset = d->tree.levels[level].offset + block * size;
	uint8_t found[PM_SHA256_SIZE];
	int r;

	w->path_block[level] = UINT64_MAX;
	r = d->hash->read(d->hash->arg, offset, path_at(w, level), size);
	if (r < 0)
		return pm_fault_at(w, r, "hash.read", offset);
	r = pm_hasher_digest(w->hasher, pm_view(path_at(w, level), size), size, found);
	if (r < 0)
		return pm_fault_at(w, r, "tree", offset);
	r = compare(w, "tree", tree_block(d, offset), offset, expected, found);
	if (r == PM_OK)
		w->path_block[level] = block;
	return r;
}

/* The block of a level that stands above a block of the data. */
static uint64_t above(const struct pm_disk *d, uint64_t data_block, uint32_t level)
{
	for (uint32_t i = 0; i <= level; i++)
		data_block /= d->tree.fanout;
	return data_block;
}

/* The digest that the path holds for a block of the level below. */
static const uint8_t *digest_in(const struct pm_disk_worker *w, uint32_t level, uint64_t below)
{
	return path_at(w, level) + (size_t)(below % w->disk->tree.fanout) * PM_SHA256_SIZE;
}

/* Authentic digests of up to a block of the tree, for the data from data_block on. */
static int find_digests(struct pm_disk_worker *w, uint64_t data_block, const uint8_t **ret)
{
	const struct pm_disk *d = w->disk;
	const uint8_t *expected = d->root;

	for (uint32_t level = d->tree.layout.levels; level-- > 0;) {
		uint64_t block = above(d, data_block, level);

		if (w->path_block[level] != block) {
			int r = follow(w, level, block, expected);

			if (r < 0)
				return r;
		}
		expected =
			digest_in(w, level, level ? above(d, data_block, level - 1) : data_block);
	}
	*ret = expected;
	return PM_OK;
}

/* Follows the path for each block of the tree that the task's data has, and compares. */
static int compare_data(struct pm_disk_worker *w, uint64_t first, uint64_t count)
{
	uint32_t size = w->disk->params->data_block_size;
	const uint8_t *expected;
	int r = PM_OK;

	for (uint64_t i = 0; r == PM_OK && i < count; i++) {
		r = find_digests(w, first + i, &expected);
		if (r == PM_OK)
			r = compare(w, "data", first + i, (first + i) * size, expected,
				w->digests + i * PM_SHA256_SIZE);
	}
	return r;
}

static int verify_task(void *worker, uint64_t task)
{
	struct pm_disk_worker *w = worker;
	const struct pm_verity_params *p = w->disk->params;
	struct pm_blocks blocks =
		pm_disk_task_blocks(w->disk->data, 0, p->data_blocks, p->data_block_size, task);
	uint64_t failed = 0;
	int r = pm_hasher_read(w->hasher, &blocks, w->digests, &failed);

	if (r < 0)
		return pm_fault_at(w, r, "data.read", failed);
	return compare_data(w, task * PM_TASK_BLOCKS, blocks.count);
}

static int check_hash_size(const struct pm_disk *d)
{
	char wanted[48];

	if (d->hash->size >= d->tree.layout.end)
		return PM_OK;
	snprintf(wanted, sizeof(wanted), "at least %" PRIu64 " bytes", d->tree.layout.end);
	return pm_fail(d->report, PM_E_FORMAT, "hash.size", wanted, "%" PRIu64, d->hash->size);
}

static int check_superblock(const struct pm_disk *d)
{
	uint8_t bytes[PM_VERITY_SUPERBLOCK_SIZE];
	uint64_t offset = d->params->hash_offset;
	int r = d->hash->read(d->hash->arg, offset, bytes, sizeof(bytes));

	if (r < 0)
		return pm_fail(d->report, r, "hash.read", "", "%s at offset %" PRIu64,
			pm_strerror(r), offset);
	return pm_verity_superblock_check(d->params, bytes, sizeof(bytes), d->report);
}

int pm_verity_verify(const struct pm_verity_params *params, const uint8_t *root,
	const struct pm_verity_io *data, const struct pm_verity_io *hash,
	const struct pm_verity_options *options, struct pm_report *report)
{
	pm_cleanup(disk_workers) struct pm_disk_workers workers = {0};
	struct pm_disk disk;
	int r = pm_disk_init(&disk, params, data, hash, options, report);

	if (r == PM_OK)
		r = check_hash_size(&disk);
	if (r == PM_OK)
		r = check_superblock(&disk);
	if (r == PM_OK)
		r = pm_disk_workers_make(&disk, &workers);
	if (r < 0)
		return r;
	disk.root = root;
	r = pm_disk_run(&disk, &workers, pm_disk_tasks(params->data_blocks), verify_task, true);
	if (r < 0)
		return r;
	pm_pass(report, "tree", "%" PRIu64 " blocks", disk.tree.layout.tree_blocks);
	pm_pass(report, "data", "%" PRIu64 " blocks", params->data_blocks);
	return PM_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static int write_at(const struct pm_disk *d, uint64_t offset, const uint8_t *bytes, size_t size)
{
	int r = d->hash->write(d->hash->arg, offset, bytes, size);

	if (r < 0)
		return pm_fail(d->report, r, "hash.write", "", "%s at offset %" PRIu64,
			pm_strerror(r), offset);
	return PM_OK;
}

/* What stood in the place of the superblock, and between it and the tree, goes first. */
static int clear_superblock(const struct pm_disk *d)
{
	static const uint8_t zeros[PM_VERITY_SUPERBLOCK_SIZE + PM_VERITY_BLOCK_MAX];
	uint64_t offset = d->params->hash_offset;

	return write_at(d, offset, zeros, (size_t)(d->tree.layout.tree_offset - offset));
}

static int write_disk(const struct pm_disk *d, const uint8_t *superblock,
	const struct pm_disk_workers *workers, uint8_t *ret_root)
{
	int r = clear_superblock(d);

	if (r == PM_OK)
		r = pm_tree_write(d, workers);
	if (r == PM_OK)
		r = pm_tree_root(d, workers->states[0], ret_root);
	if (r == PM_OK)
		r = write_at(d, d->params->hash_offset, superblock, PM_VERITY_SUPERBLOCK_SIZE);
	return r;
}

int pm_verity_format(const struct pm_verity_params *params, const uint8_t *uuid,
	const struct pm_verity_io *data, const struct pm_verity_io *hash,
	const struct pm_verity_options *options, struct pm_report *report, uint8_t *ret_root)
{
	pm_cleanup(disk_workers) struct pm_disk_workers workers = {0};
	uint8_t superblock[PM_VERITY_SUPERBLOCK_SIZE], root[PM_VERITY_DIGEST_SIZE];
	struct pm_disk disk;
	int r = pm_disk_init(&disk, params, data, hash, options, report);

	if (r == PM_OK && !hash->write)
		r = pm_fail(report, PM_E_ARG, "io.write", "a function", "none");
	if (r == PM_OK)
		r = pm_verity_superblock_make(params, uuid, report, superblock);
	if (r == PM_OK)
		r = pm_disk_workers_make(&disk, &workers);
	if (r == PM_OK)
		r = write_disk(&disk, superblock, &workers, root);
	if (r == PM_OK)
		pm_copy(ret_root, root, sizeof(root));
	return r;
}

int pm_verity_root(const struct pm_verity_params *params, const struct pm_verity_io *data,
	const struct pm_verity_io *hash, struct pm_report *report, uint8_t *ret_root)
{
	pm_cleanup(disk_workers) struct pm_disk_workers workers = {0};
	struct pm_disk disk;
	int r = pm_disk_init(&disk, params, data, hash, NULL, report);

	if (r == PM_OK)
		r = check_hash_size(&disk);
	if (r == PM_OK)
		r = pm_disk_workers_make(&disk, &workers);
	if (r < 0)
		return r;
	return pm_tree_root(&disk, workers.states[0], ret_root);
}
