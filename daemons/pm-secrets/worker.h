/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, by the certificate of its connection. */
#ifndef SECRETS_WORKER_H
#define SECRETS_WORKER_H

#include "pm-secrets/job.h"

/*
 * The worker that asks, if it may ask us anything and is within its rate; else the job has failed,
 * and NULL. Lives as long as the connection.
 */
const struct pm_mesh_identity *worker_check(struct job *job);

/* Of a request that goes on: may it still ask? By the certificates and the manifest of now. */
bool worker_is_still(struct job *job);

/* "ROLE/REPLICA", by which the hub knows it. */
void worker_name(const struct pm_mesh_identity *who, char ret[HUB_WORKER_MAX + 1]);

#endif
