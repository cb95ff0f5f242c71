/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/refusal.h"

#include <stdio.h>
#include <string.h>

/* Of each loop: so nobody fills the log by asking. */
#define LINES_A_SECOND 10

static bool is_within_rate(struct secrets_loop *loop)
{
	int64_t second = loop_now() / 1000;

	if (second != loop->refusals_second)
		loop->refusals = 0;
	loop->refusals_second = second;
	if (++loop->refusals <= LINES_A_SECOND)
		return true;
	loop->refusals_missed++;
	return false;
}

void refusal_note(
	struct job *job, const char *event, const struct pm_audit_field *fields, size_t count)
{
	struct pm_audit_field all[REFUSAL_FIELDS_MAX + 2];
	struct secrets_loop *loop = job->loop;
	char missed[24];

	if (count > REFUSAL_FIELDS_MAX || !is_within_rate(loop))
		return;
	for (size_t i = 0; i < count; i++)
		all[i] = fields[i];
	snprintf(missed, sizeof(missed), "%llu", (unsigned long long)loop->refusals_missed);
	all[count] = (struct pm_audit_field){"request", http_id(job->exchange)};
	all[count + 1] = (struct pm_audit_field){"not-logged", missed};
	if (trail_note(loop->trail, event, all, count + 2, NULL, NULL, NULL) == PM_OK)
		loop->refusals_missed = 0;
}
