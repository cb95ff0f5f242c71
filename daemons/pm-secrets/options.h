/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRETS_OPTIONS_H
#define SECRETS_OPTIONS_H

#include <stdint.h>

#include "common/evidence.h"
#include "common/mesh.h"
#include "common/options.h"
#include "common/store_options.h"
#include "common/limit.h"

struct secrets_options {
	struct common_options common;
	struct mesh_options mesh;
	struct evidence_options evidence;
	struct store_options store;
	const char *client_field; /* in lower case, or NULL */
	struct limit_rules exchanges, fetches;
	int64_t rotation_time; /* milliseconds */
	uint32_t log_days;
};

/* OPTIONS_RUN, or the exit status when all is said. */
int options_parse(int argc, char **argv, struct secrets_options *ret);

#endif
