/* SPDX-License-Identifier: Apache-2.0 */
#include "verity/disk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "verity/work.h"

static int set_options(
	struct pm_disk *d, const struct pm_verity_options *options, struct pm_report *report)
{
	static const struct pm_verity_options defaults = {.size = sizeof(defaults)};

	d->options = options ? *options : defaults;
	if (d->options.size != sizeof(d->options))
		return pm_fail(report, PM_E_ARG, "options.size", "the size of the struct", "%zu",
			d->options.size);
	if (d->options.threads > PM_VERITY_THREADS_MAX)
		return pm_fail(report, PM_E_ARG, "options.threads", "at most 64", "%" PRIu32,
			d->options.threads);
	if (!d->options.threads)
		d->options.threads = 1;
	return PM_OK;
}

static int check_data(const struct pm_disk *d, struct pm_report *report)
{
	uint64_t size = d->tree.layout.data_size;
	char wanted[64];

	if (d->data->size < size) {
		snprintf(wanted, sizeof(wanted), "at least %" PRIu64 " bytes", size);
		return pm_fail(report, PM_E_FORMAT, "data.size", wanted, "%" PRIu64, d->data->size);
	}
	if (d->data == d->hash && d->params->hash_offset < size) {
		snprintf(wanted, sizeof(wanted), "at least %" PRIu64 ", the end of the data", size);
		return pm_fail(report, PM_E_FORMAT, "hash_offset", wanted, "%" PRIu64,
			d->params->hash_offset);
	}
	return PM_OK;
}

int pm_disk_init(struct pm_disk *ret, const struct pm_verity_params *params,
	const struct pm_verity_io *data, const struct pm_verity_io *hash,
	const struct pm_verity_options *options, struct pm_report *report)
{
	struct pm_disk d = {.params = params, .data = data, .hash = hash, .report = report};
	int r = pm_crypto_init();

	if (r == PM_OK && (!data->read || !hash->read))
		r = pm_fail(report, PM_E_ARG, "io.read", "a function", "none");
	if (r == PM_OK)
		r = pm_verity_tree_of(params, report, &d.tree);
	if (r == PM_OK)
		r = set_options(&d, options, report);
	if (r == PM_OK)
		r = check_data(&d, report);
	if (r == PM_OK)
		*ret = d;
	return r;
}

static void worker_free(struct pm_disk_worker *w)
{
	if (!w)
		return;
	pm_hasher_free(w->hasher);
	free(w->path);
	free(w);
}

static int worker_make(const struct pm_disk *disk, void **ret)
{
	struct pm_disk_worker *w = pm_alloc(sizeof(*w));
	int r;

	*ret = w;
	if (!w)
		return PM_E_NOMEM;
	w->disk = disk;
	w->path = pm_alloc((size_t)disk->tree.layout.levels * disk->params->hash_block_size);
	for (size_t i = 0; i < PM_VERITY_LEVELS_MAX; i++)
		w->path_block[i] = UINT64_MAX;
	r = pm_hasher_new(disk->params, &w->hasher);
	return w->path ? r : PM_E_NOMEM;
}

int pm_disk_workers_make(const struct pm_disk *disk, struct pm_disk_workers *ret)
{
	uint64_t tasks = pm_disk_tasks(disk->params->data_blocks);
	size_t wanted = disk->options.threads;
	int r = PM_OK;

	wanted = wanted < tasks ? wanted : (size_t)tasks;
	for (size_t i = 0; r == PM_OK && i < wanted; i++)
		r = worker_make(disk, &ret->states[ret->count++]);
	return r;
}

void pm_disk_workers_free(struct pm_disk_workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		worker_free(workers->states[i]);
}

uint64_t pm_disk_tasks(uint64_t blocks)
{
	return blocks / PM_TASK_BLOCKS + (blocks % PM_TASK_BLOCKS ? 1 : 0);
}

struct pm_blocks pm_disk_task_blocks(const struct pm_verity_io *io, uint64_t offset, uint64_t count,
	uint32_t size, uint64_t task)
{
	uint64_t first = task * PM_TASK_BLOCKS, left = count - first;

	return (struct pm_blocks){
		.io = io,
		.offset = offset + first * size,
		.count = left < PM_TASK_BLOCKS ? left : PM_TASK_BLOCKS,
		.size = size,
	};
}

int pm_fault_at(struct pm_disk_worker *w, int error, const char *name, uint64_t offset)
{
	w->fault = (struct pm_fault){.name = name, .offset = offset};
	return error;
}

static int note_fault(struct pm_report *report, int error, const struct pm_fault *f)
{
	if (!f->has_digests)
		return pm_fail(report, error, f->name, "", "%s at offset %" PRIu64,
			pm_strerror(error), f->offset);
	return pm_fail(report, error, f->name, pm_hex(f->expected, sizeof(f->expected)).s,
		"block %" PRIu64 " at offset %" PRIu64 " with %s", f->block, f->offset,
		pm_hex(f->found, sizeof(f->found)).s);
}

static void tell_progress(void *arg, uint64_t done)
{
	const struct pm_disk *d = arg;
	uint64_t bytes = done * PM_TASK_BLOCKS * d->params->data_block_size;
	uint64_t total = d->tree.layout.data_size;

	d->options.progress(d->options.progress_arg, bytes < total ? bytes : total, total);
}

int pm_disk_run(const struct pm_disk *disk, const struct pm_disk_workers *workers, uint64_t tasks,
	int (*run)(void *worker, uint64_t task), bool progress)
{
	struct pm_work work = {
		.tasks = tasks,
		.workers = workers->states,
		.worker_count = workers->count,
		.run = run,
		.progress = progress && disk->options.progress ? tell_progress : NULL,
		.progress_arg = (void *)disk,
	};
	void *failed = NULL;
	int r = pm_work_run(&work, &failed);

	if (r < 0)
		return note_fault(disk->report, r, &((struct pm_disk_worker *)failed)->fault);
	return PM_OK;
}
