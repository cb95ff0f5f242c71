/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks shared among threads. They are handed out in order, none after the first that failed, and
 * all that were handed out are finished: so the failure with the lowest number is found whatever
 * the number of threads.
 */
#ifndef PM_VERITY_WORK_H
#define PM_VERITY_WORK_H

#include <pm/error.h>
#include <pm/verity.h>
#include "base/mem.h"

struct pm_work {
	uint64_t tasks;
	/* One state a thread; at most PM_VERITY_THREADS_MAX. */
	void *const *workers;
	size_t worker_count;
	/* Does one task; 0 or a negative enum pm_error. */
	int (*run)(void *worker, uint64_t task);
	/* Told after each task how many are done, by one thread at a time. May be NULL. */
	void (*progress)(void *arg, uint64_t done);
	void *progress_arg;
};

/*
 * The calling thread works too; without the memory or the right to make the others it works
 * alone. Returns 0, or the error of the lowest task that failed; its worker is *ret_failed then.
 */
int pm_work_run(const struct pm_work *work, void **ret_failed) PM_MUST_USE;

#endif
