/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt to join: what is asked of the coordinator, and what comes of it. For mesh.c. */
#ifndef COMMON_MESH_JOIN_H
#define COMMON_MESH_JOIN_H

#include <pm/report.h>
#include <pm/verdict.h>

#include "common/mesh.h"

/* For what is asked of the coordinator. */
#define MESH_CONNECT_MS 5000
#define MESH_TOTAL_MS	20000

struct mesh_join {
	const struct mesh_options *options;
	const char *role;
	struct evidence *evidence;
	const struct pm_mesh_key *key; /* of all joins, with GPUs; or NULL */
	uint64_t generation;	       /* of the identity */
};

/*
 * An identity, for TLS and with signing for that as well. A coordinator that does not prove what it
 * is is told of in verdict, all else in report. 0; as pm_join() and mesh_identity_new().
 */
int mesh_join(const struct mesh_join *join, struct pm_verdict *verdict, struct pm_report *report,
	struct mesh_identity **ret_identity);

#endif
