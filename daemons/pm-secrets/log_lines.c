/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/log_lines.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Most days that a log says it is kept, as of the option. */
#define DAYS_MOST 36500

/* --- lines ----------------------------------------------------------------------------------- */

/* Where the line begins that ends before `end`, which is behind a newline. */
static size_t line_start(const char *text, size_t end)
{
	const char *newline = end > 1 ? memrchr(text, '\n', end - 1) : NULL;

	return newline ? (size_t)(newline - text) + 1 : 0;
}

/* A log that was never written, to read one line of it. */
static int read_line(
	const struct log_lines *lines, size_t start, size_t end, struct pm_audit_head *ret_head)
{
	struct pm_audit *audit = NULL;
	int r = pm_audit_new(lines->key, lines->name, &audit);

	if (r == PM_OK)
		r = pm_audit_resume(audit, lines->text + start, end - start, NULL);
	if (r == PM_OK)
		pm_audit_head(audit, ret_head);
	pm_audit_free(audit);
	return r;
}

int log_lines_head(const struct log_lines *lines, struct pm_audit_head *ret_head)
{
	if (!lines->len)
		return PM_E_FORMAT;
	return read_line(lines, line_start(lines->text, lines->len), lines->len, ret_head);
}

/* --- how long it is kept --------------------------------------------------------------------- */

/* Of a line that is authentic, and so is JSON. 0: it says nothing of them. */
static int read_days(const char *text, size_t len, int64_t *ret_days)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *days =
		json_string_value(json_object_get(json_object_get(json, "fields"), "days"));
	const char *event = json_string_value(json_object_get(json, "event"));
	int r = json ? PM_OK : PM_E_NOMEM;
	long n = 0;

	if (event && !strcmp(event, "instance.began") && days && days[0] >= '1' && days[0] <= '9')
		n = strtol(days, NULL, 10);
	json_decref(json);
	*ret_days = n <= DAYS_MOST ? n : 0;
	return r;
}

int log_lines_keep(const struct log_lines *lines, int64_t otherwise, int64_t *ret_keep)
{
	const char *newline = lines->len ? memchr(lines->text, '\n', lines->len) : NULL;
	size_t end = newline ? (size_t)(newline - lines->text) + 1 : 0;
	int r = end ? PM_OK : PM_E_FORMAT;
	struct pm_audit_head head;
	int64_t days = 0;

	if (r == PM_OK)
		r = read_line(lines, 0, end, &head);
	if (r == PM_OK)
		r = read_days(lines->text, end, &days);
	/* Who does not know must not say how long: what is gone later would be called cut. */
	if (r == PM_E_NOMEM)
		return r;
	*ret_keep = days ? days * 86400 : otherwise;
	return PM_OK;
}

/* --- echoes ---------------------------------------------------------------------------------- */

/* Not yet authentic. */
static bool is_sight(const char *text, size_t len, uint64_t *ret_sequence)
{
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *event = json_string_value(json_object_get(json, "event"));
	bool good = event && !strcmp(event, "log.seen");

	*ret_sequence = (uint64_t)json_integer_value(json_object_get(json, "sequence"));
	json_decref(json);
	return good;
}

bool log_lines_are_echo(const struct log_lines *lines, const struct pm_audit_head *told)
{
	struct pm_audit_head head;
	size_t start = lines->len;
	uint64_t sequence = 0;

	for (int i = 0; start && i < LOG_LINES_ECHO; i++) {
		size_t end = start;

		start = line_start(lines->text, end);
		if (!is_sight(lines->text + start, end - start, &sequence))
			return false;
		if (sequence == told->entries + 1)
			break;
	}
	/* What lies between is signed and chained to it, or it is no echo. */
	return sequence == told->entries + 1 &&
	       pm_audit_verify(lines->text + start, lines->len - start,
		       pm_sign_key_public(lines->key), lines->name, told, NULL, &head) == PM_OK;
}
