/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/worker.h"

#include <stdio.h>
#include <string.h>

_Static_assert(HUB_WORKER_MAX >= PM_CLAIMS_ROLE_MAX + 1 + PM_MESH_REPLICA_MAX, "ROLE/REPLICA");
_Static_assert(LIMIT_KEY_MAX >= HUB_WORKER_MAX, "a worker is a client of the limit");

void worker_name(const struct pm_mesh_identity *who, char ret[HUB_WORKER_MAX + 1])
{
	snprintf(ret, HUB_WORKER_MAX + 1, "%s/%s", who->role, who->replica);
}

static bool is_within_rate(struct job *job, const struct pm_mesh_identity *who)
{
	char name[HUB_WORKER_MAX + 1];

	worker_name(who, name);
	if (limit_take(job->secrets->fetches, name, strlen(name), loop_now()))
		return true;
	atomic_fetch_add(&job->secrets->counts.limited, 1);
	job_fail(job, 429, "too_many", "Too many requests.");
	return false;
}

const struct pm_mesh_identity *worker_check(struct job *job)
{
	const struct pm_mesh_identity *who;

	if (mesh_check_peer(job->secrets->mesh, job->exchange, &who) < 0) {
		job_fail(job, 403, "not_allowed", "This certificate may ask nothing here.");
		return NULL;
	}
	return is_within_rate(job, who) ? who : NULL;
}

bool worker_is_still(struct job *job)
{
	const struct pm_mesh_identity *who;

	return mesh_check_peer(job->secrets->mesh, job->exchange, &who) == PM_OK;
}
