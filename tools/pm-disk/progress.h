/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on standard error, where that is a terminal. */
#ifndef PM_DISK_PROGRESS_H
#define PM_DISK_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/verity.h>

struct progress {
	const char *what;
	int64_t started_ms;
	int64_t shown_ms;
	bool drawn;
};

/* Options for a call of libpm; the bar is drawn unless quiet is set or nobody looks. */
struct pm_verity_options progress_options(
	struct progress *p, const char *what, uint32_t threads, bool quiet);

/* Takes the bar away. */
void progress_end(struct progress *p);

#endif
