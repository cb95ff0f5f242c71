/* SPDX-License-Identifier: Apache-2.0 */
/* The decision whether a command is to be obeyed. */
#include <string.h>

#include "policy/command.h"

static int check_text(
	struct pm_report *report, const char *name, const char *expected, const char *found)
{
	if (strcmp(expected, found) != 0)
		return pm_fail(report, PM_E_REJECTED, name, expected, "%s", found);
	pm_pass(report, name, "%s", found);
	return PM_OK;
}

static int check_content(struct pm_report *report, const uint8_t *expected, const uint8_t *found)
{
	if (!expected && !found)
		return PM_OK;
	if (!expected || !found)
		return pm_fail(report, PM_E_REJECTED, "command.content",
			expected ? "a digest" : "none", "%s", found ? "a digest" : "none");
	return pm_check_bytes(report, "command.content", expected, found, PM_COMMAND_DIGEST_SIZE);
}

static int check_issued(struct pm_report *report, int64_t issued, int64_t now)
{
	if (issued > now + PM_COMMAND_SKEW)
		return pm_fail(report, PM_E_STALE, "command.issued", "a time that was",
			"%lld s from now", (long long)(issued - now));
	if (issued < now - PM_COMMAND_AGE_MAX)
		return pm_fail(report, PM_E_STALE, "command.issued", "within the last hour",
			"%lld s ago", (long long)(now - issued));
	pm_pass(report, "command.issued", "%lld s ago", (long long)(now - issued));
	return PM_OK;
}

static int check_expires(
	struct pm_report *report, const struct pm_command_statement *s, int64_t now)
{
	if (s->op != PM_COMMAND_PUT)
		return PM_OK;
	if (s->expires <= now || s->expires > now + PM_COMMAND_TTL_MAX)
		return pm_fail(report, PM_E_REJECTED, "command.expires",
			"a time within the next 30 days", "%lld s from now",
			(long long)(s->expires - now));
	pm_pass(report, "command.expires", "%lld s from now", (long long)(s->expires - now));
	return PM_OK;
}

static bool begins_with(const char *id, const char *prefix)
{
	return !strncmp(id, prefix, strlen(prefix));
}

/* What was agreed on is theirs who did: owners may end one, no more. */
static int check_id(struct pm_report *report, const struct pm_command_statement *s)
{
	bool is_agreed =
		begins_with(s->id, PM_COMMAND_CLIENTS) || begins_with(s->id, PM_COMMAND_OPERATORS);

	if (s->op == PM_COMMAND_PUT && is_agreed)
		return pm_fail(report, PM_E_REJECTED, "command.id", "none that was agreed on", "%s",
			s->id);
	return PM_OK;
}

static int check_rule(struct pm_report *report, const struct pm_command_statement *s,
	const struct pm_manifest *manifest)
{
	for (size_t i = 0; i < s->role_count; i++) {
		if (!pm_manifest_role(manifest, s->roles[i]))
			return pm_fail(report, PM_E_REJECTED, "command.roles",
				"roles of the manifest", "%s", s->roles[i]);
	}
	for (size_t i = 0; i < s->model_count; i++) {
		if (!pm_manifest_model(manifest, s->models[i]))
			return pm_fail(report, PM_E_REJECTED, "command.models",
				"models of the manifest", "%s", s->models[i]);
	}
	return PM_OK;
}

static int check_purpose(const struct pm_command *command, const struct pm_command_demands *d,
	struct pm_report *report)
{
	const struct pm_command_statement *s = &command->statement;
	int r = check_text(report, "command.op", pm_command_op_name((int)d->op),
		pm_command_op_name((int)s->op));

	if (r == PM_OK)
		r = check_text(report, "command.id", d->id, s->id);
	if (r == PM_OK)
		r = check_text(report, "command.exchange", d->exchange, s->exchange);
	if (r == PM_OK)
		r = pm_check_bytes(report, "command.manifest", d->manifest->hash, command->manifest,
			PM_MANIFEST_HASH_SIZE);
	return r < 0 ? r : check_content(report, d->content, s->content);
}

static int check_bounds(const struct pm_command_statement *s, const struct pm_command_demands *d,
	struct pm_report *report)
{
	int r = check_issued(report, s->issued, d->now);

	if (r == PM_OK)
		r = check_expires(report, s, d->now);
	if (r == PM_OK)
		r = check_id(report, s);
	return r < 0 ? r : check_rule(report, s, d->manifest);
}

int pm_command_verify(const struct pm_command *command, const struct pm_command_demands *demands,
	struct pm_report *report)
{
	uint8_t message[PM_COMMAND_MESSAGE_SIZE];
	int r;

	if (demands->size != sizeof(*demands) || !demands->manifest || !demands->id ||
		!demands->exchange)
		return PM_E_ARG;
	r = check_purpose(command, demands, report);
	if (r == PM_OK)
		r = check_bounds(&command->statement, demands, report);
	if (r < 0)
		return r;
	pm_command_message(command, message);
	return pm_signatures_check_owners(&command->signatures, &demands->manifest->owners,
		pm_view(message, sizeof(message)), report);
}
