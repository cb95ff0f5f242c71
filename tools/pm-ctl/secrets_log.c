/* SPDX-License-Identifier: Apache-2.0 */
/* The log of the secret service: one log of each loop of each process, all signed by one key. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/secrets.h"

static const char help[] =
	"Usage: pm-ctl secrets log -o FILE OPTION...\n"
	"Fetch the log of what was released, refused and changed, and verify it: each process "
	"writes\n"
	"logs of its own, which stand one after the other. Logs that the store keeps from their\n"
	"beginning are verified; of others it is said that their beginning is gone.\n"
	"\n"
	"  -o, --output FILE    where its lines go\n";

/* The first line: {"key": who signs}. */
static int read_key(const char *line, size_t len, struct pm_sign_public *ret)
{
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(json, "key"));
	uint8_t spki[PM_SIGN_SPKI_MAX];
	size_t spki_len = 0;
	int r = text ? pm_text_base64_decode(text, strlen(text), spki, sizeof(spki), &spki_len)
		     : PM_E_FORMAT;

	json_decref(json);
	return r == PM_OK ? pm_sign_public_parse(spki, spki_len, NULL, ret) : r;
}

/* The name of a line's log: nothing is verified by that. */
static bool read_name(const char *line, size_t len, char ret[PM_AUDIT_NAME_MAX + 1])
{
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(json, "log"));
	bool good = name && strlen(name) <= PM_AUDIT_NAME_MAX;

	if (good)
		strcpy(ret, name); /* its length was checked */
	json_decref(json);
	return good;
}

/* How many bytes of lines from here on are of one log. */
static size_t same_log(const char *text, size_t len, char ret_name[PM_AUDIT_NAME_MAX + 1])
{
	char name[PM_AUDIT_NAME_MAX + 1];
	const char *end;
	size_t at = 0;

	while (at < len && (end = memchr(text + at, '\n', len - at))) {
		size_t line = (size_t)(end - text) + 1 - at;

		if (!read_name(text + at, line, at ? name : ret_name))
			return at;
		if (at && strcmp(name, ret_name) != 0)
			return at;
		at += line;
	}
	return at;
}

static int verify_one(
	const struct pm_sign_public *key, const char *name, const char *text, size_t len)
{
	struct pm_report *report = pm_report_new();
	struct pm_audit_head head = {0};
	int r = pm_audit_verify(text, len, key, name, NULL, report, &head);

	if (r == PM_OK)
		printf("%s: %llu entries\n", name, (unsigned long long)head.entries);
	else if (r == PM_E_MISSING)
		printf("%s: its beginning is gone\n", name);
	else
		tool_print_error(name, r, report);
	pm_report_free(report);
	return r == PM_E_MISSING ? PM_OK : r;
}

static int verify(const struct secrets_call *call, const char *text, size_t len)
{
	const char *end = len ? memchr(text, '\n', len) : NULL;
	char name[PM_AUDIT_NAME_MAX + 1];
	struct pm_sign_public key;
	size_t at = end ? (size_t)(end - text) + 1 : 0;
	int r = end ? read_key(text, at, &key) : PM_E_FORMAT;

	while (r == PM_OK && at < len) {
		size_t n = same_log(text + at, len - at, name);

		r = n ? verify_one(&key, name, text + at, n) : PM_E_FORMAT;
		at += n;
	}
	if (r < 0)
		tool_print_error(call->service, r, NULL);
	return tool_exit_status(r);
}

static int fetch(struct secrets_call *call)
{
	const struct pm_command_statement s = {.op = PM_COMMAND_LOG, .id = ""};
	json_t *command = secrets_command(call, &s);
	struct pm_operator_answer answer;
	int r, verified;

	if (!command)
		return TOOL_USAGE;
	r = secrets_ask(call, "POST", "/log", json_pack("{s:o}", "Command", command), &answer);
	if (r != TOOL_OK)
		return r;
	verified = verify(call, (const char *)answer.body, answer.len);
	r = tool_write_file(call->output, answer.body, answer.len, 0600);
	pm_operator_answer_clear(&answer);
	return r == TOOL_OK ? verified : r;
}

int secrets_log(int argc, char **argv)
{
	static const struct secrets_verb verb = {"log", help, "", 0, true, fetch};

	return secrets_run(&verb, argc, argv);
}
