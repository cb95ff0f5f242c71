/* SPDX-License-Identifier: Apache-2.0 */
/* What a command of owners holds. Texts are borrowed from the JSON, which lives as long. */
#ifndef PM_POLICY_COMMAND_H
#define PM_POLICY_COMMAND_H

#include <pm/command.h>
#include "policy/signatures.h"

PM_OWNER(pm_command, pm_command_free);

struct pm_command {
	json_t *json; /* the statement */
	struct pm_command_statement statement;
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	uint8_t content[PM_COMMAND_DIGEST_SIZE];
	const char **roles, **models;
	uint8_t digest[PM_SHA256_SIZE]; /* of the canonical form */
	struct pm_signatures signatures;
};

/* Reads the statement, which the command then borrows and counts. */
int pm_command_read_statement(
	const struct pm_json_at *at, json_t *value, struct pm_command *command) PM_MUST_USE;

#endif
