/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log for what was refused: some a second, and how many there were besides. */
#ifndef SECRETS_REFUSAL_H
#define SECRETS_REFUSAL_H

#include "pm-secrets/job.h"

/* Most fields of the caller. */
#define REFUSAL_FIELDS_MAX 8

/* Nobody waits for it. */
void refusal_note(
	struct job *job, const char *event, const struct pm_audit_field *fields, size_t count);

#endif
