/* SPDX-License-Identifier: Apache-2.0 */
/* Who joined, with what it showed: sealed in the store, until its certificate ends. */
#ifndef COORDINATOR_WORKERS_H
#define COORDINATOR_WORKERS_H

#include <pm/mesh.h>

#include "pm-coordinator/coordinator.h"

struct worker {
	const struct pm_mesh_identity *who;
	int64_t joined, expires;
	const uint8_t *nonce; /* PM_BUNDLE_NONCE_SIZE bytes */
	const uint8_t *bundle;
	size_t len;
};

typedef void workers_done(void *arg, int error);

/* Keeps a copy of it. False without memory. */
bool workers_put(struct coordinator *c, const struct worker *worker, workers_done *done, void *arg);

#endif
