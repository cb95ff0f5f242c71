/* SPDX-License-Identifier: Apache-2.0 */
#include "common/checks.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include "common/file.h"
#include "common/wrong.h"

const char *tool_outcome_sign(enum pm_outcome outcome)
{
	switch (outcome) {
	case PM_PASSED:
		return "✓";
	case PM_FAILED:
		return "✗";
	case PM_NOT_CHECKED:
		break;
	}
	return "–";
}

const char *tool_outcome_name(enum pm_outcome outcome)
{
	switch (outcome) {
	case PM_PASSED:
		return "passed";
	case PM_FAILED:
		return "failed";
	case PM_NOT_CHECKED:
		break;
	}
	return "not checked";
}

/* Names stand in a column; the widest of the usual ones decides. */
#define NAME_WIDTH 31

static void print_check(const struct pm_check *c)
{
	printf("%s %-*s ", tool_outcome_sign(c->outcome), NAME_WIDTH, c->name);
	if (c->outcome == PM_FAILED)
		printf("found %s%s%s\n", c->found, c->expected[0] ? ", expected " : "",
			c->expected);
	else
		printf("%s\n", c->found);
}

/* What was checked comes first; the values that nobody demanded anything of follow. */
void tool_print_checks(const struct pm_report *report)
{
	for (int demanded = 1; demanded >= 0; demanded--) {
		for (size_t i = 0; i < pm_report_count(report); i++) {
			const struct pm_check *c = pm_report_at(report, i);

			if ((c->outcome != PM_NOT_CHECKED) == demanded)
				print_check(c);
		}
	}
}

json_t *tool_checks_json(const struct pm_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pm_report_count(report); i++) {
		const struct pm_check *c = pm_report_at(report, i);
		json_t *item = json_pack("{s:s, s:s, s:s}", "name", c->name, "outcome",
			tool_outcome_name(c->outcome), "found", c->found);

		if (c->outcome == PM_FAILED)
			json_object_set_new(item, "expected", json_string(c->expected));
		json_array_append_new(list, item);
	}
	return list;
}

int tool_exit_status(int error)
{
	switch (error) {
	case PM_OK:
		return TOOL_OK;
	case PM_E_FORMAT:
	case PM_E_UNSUPPORTED:
	case PM_E_LIMIT:
	case PM_E_REJECTED:
	case PM_E_STALE:
	case PM_E_MISSING:
		return TOOL_REJECTED;
	default:
		return TOOL_USAGE;
	}
}

const char *tool_verdict_name(int error)
{
	switch (tool_exit_status(error)) {
	case TOOL_OK:
		return "accepted";
	case TOOL_REJECTED:
		return "rejected";
	default:
		return "error";
	}
}

void tool_print_refusal(const char *subject, int error, const char *reason)
{
	const char *verdict =
		tool_exit_status(error) == TOOL_REJECTED ? "REJECTED" : "NOT VERIFIED";

	if (error == PM_E_REJECTED && reason[0]) /* its name would say it again */
		printf("%s: %s: %s\n", verdict, subject, reason);
	else
		printf("%s: %s: %s%s%s\n", verdict, subject, pm_strerror(error),
			reason[0] ? ": " : "", reason);
}

/* Arguments and names of files may be no UTF-8, and then are shown in ASCII. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char *copy = json ? NULL : strdup(text);

	for (char *at = copy; at && *at; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	if (copy)
		json = json_string(copy);
	free(copy);
	return json;
}

void tool_set_refusal(json_t *verdict, int error, const char *reason)
{
	json_object_set_new(verdict, "error", json_string(pm_strerror(error)));
	json_object_set_new(verdict, "reason", text_json(reason));
}

void tool_print_object(const char *file, int error, const char *reason)
{
	json_t *o = json_pack("{s:s}", "verdict", tool_verdict_name(error));

	tool_set_refusal(o, error, reason);
	if (file)
		json_object_set_new(o, "file", text_json(file));
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

void tool_print_error(const char *subject, int error, const struct pm_report *report)
{
	const char *reason = report ? pm_report_reason(report) : "";
	char text[640];

	warnx("%s: %s%s%s", subject, pm_strerror(error), reason[0] ? ": " : "", reason);
	snprintf(text, sizeof(text), "%s%s%s", subject, reason[0] ? ": " : "", reason);
	if (tool_wants_json())
		tool_print_object(NULL, error, text);
}

void tool_refuse_input(bool json, const char *file, int error, const char *reason)
{
	warnx("%s: %s%s%s", file, pm_strerror(error), reason[0] ? ": " : "", reason);
	if (json)
		tool_print_object(file, error, reason);
}

int tool_read_evidence(const char *path, size_t max, bool json, uint8_t **ret, size_t *ret_len)
{
	int r = tool_read_file(path, max, ret, ret_len);
	char reason[64];

	if (r == TOOL_REJECTED && json) {
		snprintf(reason, sizeof(reason), "longer than %zu bytes", max);
		tool_print_object(path, PM_E_LIMIT, reason);
	}
	if (r == TOOL_USAGE && json)
		tool_print_object(path, PM_E_SYS, strerror(errno));
	return r;
}
