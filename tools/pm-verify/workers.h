/* SPDX-License-Identifier: Apache-2.0 */
/* The workers of a mesh, each judged by its own bundle. */
#ifndef PM_VERIFY_WORKERS_H
#define PM_VERIFY_WORKERS_H

#include "common/mesh.h"

/* Which of them are wanted: NULL for any. */
struct workers_wanted {
	const char *role, *model;
};

/* Attests the coordinator, judges each worker that is wanted, and prints it. An exit status. */
int workers_verify(const struct tool_mesh *mesh, const struct workers_wanted *wanted);

#endif
