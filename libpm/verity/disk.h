/* SPDX-License-Identifier: Apache-2.0 */
/* What writing and verifying share: the disk, the states of the threads, the first fault. */
#ifndef PM_VERITY_DISK_H
#define PM_VERITY_DISK_H

#include "verity/hasher.h"
#include "verity/layout.h"

/* Blocks of a task: their digests fill whole blocks of the tree, whatever its block size. */
#define PM_TASK_BLOCKS 512u

/* Bytes of the digests of a task. */
#define PM_TASK_DIGESTS (PM_TASK_BLOCKS * PM_SHA256_SIZE)

struct pm_disk {
	const struct pm_verity_params *params;
	struct pm_verity_tree tree;
	const struct pm_verity_io *data;
	const struct pm_verity_io *hash;
	struct pm_verity_options options;
	struct pm_report *report;
	const uint8_t *root; /* of what is verified */
};

/* Where a task failed. A block that is not the right one has digests; other faults don't. */
struct pm_fault {
	const char *name;
	uint64_t block;
	uint64_t offset;
	bool has_digests;
	uint8_t expected[PM_SHA256_SIZE];
	uint8_t found[PM_SHA256_SIZE];
};

/* State of one thread. */
struct pm_disk_worker {
	const struct pm_disk *disk;
	struct pm_hasher *hasher;
	uint32_t level; /* that is written now */
	uint8_t digests[PM_TASK_DIGESTS];
	struct pm_fault fault;
	/* Verifying: the blocks of the tree on the way to the data, and which ones they are. */
	uint8_t *path;
	uint64_t path_block[PM_VERITY_LEVELS_MAX];
};

struct pm_disk_workers {
	size_t count;
	void *states[PM_VERITY_THREADS_MAX];
};

/* Checks parameters, functions and options, and that the data is there. As pm_verity_format(). */
int pm_disk_init(struct pm_disk *ret, const struct pm_verity_params *params,
	const struct pm_verity_io *data, const struct pm_verity_io *hash,
	const struct pm_verity_options *options, struct pm_report *report) PM_MUST_USE;

/* One state for each thread asked for. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_disk_workers_make(const struct pm_disk *disk, struct pm_disk_workers *ret) PM_MUST_USE;
void pm_disk_workers_free(struct pm_disk_workers *workers);

static inline void pm_cleanup_disk_workers(struct pm_disk_workers *workers)
{
	pm_disk_workers_free(workers);
}

/* The blocks of a task, of a row of count blocks that begins at offset. */
struct pm_blocks pm_disk_task_blocks(const struct pm_verity_io *io, uint64_t offset, uint64_t count,
	uint32_t size, uint64_t task);

uint64_t pm_disk_tasks(uint64_t blocks);

/* Runs the tasks; notes the fault of the first that failed. progress: is it the data's level? */
int pm_disk_run(const struct pm_disk *disk, const struct pm_disk_workers *workers, uint64_t tasks,
	int (*run)(void *worker, uint64_t task), bool progress) PM_MUST_USE;

/* Remembers where a task failed, and returns error. */
int pm_fault_at(struct pm_disk_worker *w, int error, const char *name, uint64_t offset);

#endif
