/* SPDX-License-Identifier: Apache-2.0 */
/* One secret: put, revoke, show; and rotate, which is as short. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/file.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/secrets.h"

#define PATH_SIZE (PM_COMMAND_ID_MAX + 32)
/* Largest secret that the service takes. */
#define VALUE_MAX 65536

/* As the command's file says it; the service looks again. */
static int path_of(const char *id, char ret[PATH_SIZE])
{
	if (*id && strlen(id) <= PM_COMMAND_ID_MAX) {
		snprintf(ret, PATH_SIZE, "/secrets/%s", id);
		return TOOL_OK;
	}
	warnx("'%s' is no identifier of a secret", id);
	return TOOL_USAGE;
}

/* What was answered, as it is or in words. */
static int print(
	const struct secrets_call *call, struct pm_operator_answer *answer, const char *words)
{
	json_t *json =
		json_loadb((const char *)answer->body, answer->len, JSON_REJECT_DUPLICATES, NULL);
	int r = TOOL_OK;

	pm_operator_answer_clear(answer);
	if (call->mesh.json)
		return manifest_print_json(json);
	puts(words);
	json_decref(json);
	return r;
}

/* --- put ------------------------------------------------------------------------------------- */

static const char put_help[] =
	"Usage: pm-ctl secrets put ID FILE --ttl TIME [--role NAME]... [--model NAME]... "
	"OPTION...\n"
	"Keep a secret under an identifier, or replace the one that is there. Who gets it is what "
	"the\n"
	"manifest's policy says of ID, and of those whom --role and --model name.\n"
	"\n"
	"  FILE                 the secret, at most 64 KiB; - is standard input\n"
	"  --ttl TIME           how long it is kept: 90s, 15m, 12h, up to 30d\n"
	"  --role NAME          these roles only; may be repeated\n"
	"  --model NAME         and only who serves one of these models; may be repeated\n";

static json_t *put_body(struct secrets_call *call, const uint8_t *value, size_t len)
{
	uint8_t salt[PM_COMMAND_DIGEST_SIZE], content[PM_COMMAND_DIGEST_SIZE];
	const struct pm_command_statement s = {
		.op = PM_COMMAND_PUT,
		.id = call->words[0],
		.content = content,
		.expires = time(NULL) + call->ttl,
		.roles = call->roles.count ? call->roles.list : NULL,
		.role_count = call->roles.count,
		.models = call->models.count ? call->models.list : NULL,
		.model_count = call->models.count,
	};
	json_t *command;

	if (pm_command_salt(salt) < 0 || pm_command_content(salt, value, len, content) < 0)
		return NULL;
	command = secrets_command(call, &s);
	return command ? json_pack("{s:o, s:o, s:o}", "Command", command, "Salt",
				 secrets_base64(salt, sizeof(salt)), "Value",
				 secrets_base64(value, len))
		       : NULL;
}

static int put(struct secrets_call *call)
{
	struct pm_operator_answer answer;
	uint8_t *value = NULL;
	char path[PATH_SIZE];
	size_t len = 0;
	json_t *body;
	int r = path_of(call->words[0], path);

	if (r == TOOL_OK && !call->ttl) {
		warnx("secrets put needs --ttl: no secret is kept for ever");
		r = TOOL_USAGE;
	}
	if (r == TOOL_OK)
		r = tool_read_file(call->words[1], VALUE_MAX, &value, &len);
	if (r != TOOL_OK)
		return r;
	body = put_body(call, value, len);
	explicit_bzero(value, len);
	free(value);
	r = body ? secrets_ask(call, "PUT", path, body, &answer) : TOOL_USAGE;
	return r == TOOL_OK ? print(call, &answer, "kept") : r;
}

int secrets_put(int argc, char **argv)
{
	static const struct secrets_verb verb = {"put", put_help, "ID and FILE", 2, false, put};

	return secrets_run(&verb, argc, argv);
}

/* --- those without a value ------------------------------------------------------------------- */

static int simple(struct secrets_call *call, enum pm_command_op op, const char *method,
	const char *path, struct pm_operator_answer *ret)
{
	const struct pm_command_statement s = {
		.op = op, .id = call->words[0] ? call->words[0] : ""};
	json_t *command = secrets_command(call, &s);

	if (!command)
		return TOOL_USAGE;
	return secrets_ask(call, method, path, json_pack("{s:o}", "Command", command), ret);
}

static const char revoke_help[] =
	"Usage: pm-ctl secrets revoke ID OPTION...\n"
	"End a secret: nobody gets it any more, and workers that have it hear of it.\n";

static int revoke(struct secrets_call *call)
{
	struct pm_operator_answer answer;
	char path[PATH_SIZE];
	int r = path_of(call->words[0], path);

	if (r == TOOL_OK)
		r = simple(call, PM_COMMAND_REVOKE, "DELETE", path, &answer);
	return r == TOOL_OK ? print(call, &answer, "revoked") : r;
}

int secrets_revoke(int argc, char **argv)
{
	static const struct secrets_verb verb = {"revoke", revoke_help, "ID", 1, false, revoke};

	return secrets_run(&verb, argc, argv);
}

static const char show_help[] =
	"Usage: pm-ctl secrets show ID OPTION...\n"
	"Tell of a secret when it was made and ends, how large it is, and who may have it: never "
	"what\n"
	"it is.\n";

static void print_row(const json_t *json, const char *key, const char *words)
{
	const json_t *value = json_object_get(json, key);
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
	char time_text[PM_TIME_TEXT_SIZE];

	if (json_is_integer(value) && (!strcmp(key, "Created") || !strcmp(key, "Expires"))) {
		pm_time_format(json_integer_value(value), time_text);
		printf("%-8s %s\n", words, time_text);
	} else {
		printf("%-8s %s\n", words, text ? text : json_string_value(value));
	}
	free(text);
}

static int show(struct secrets_call *call)
{
	static const char *const rows[][2] = {{"Id", "id"}, {"Kind", "kind"},
		{"Created", "created"}, {"Expires", "expires"}, {"Size", "size"},
		{"Epoch", "epoch"}, {"Owner", "owner"}, {"Rule", "rule"}};
	struct pm_operator_answer answer;
	char path[PATH_SIZE];
	int r = path_of(call->words[0], path);
	json_t *json;

	if (r == TOOL_OK)
		r = simple(call, PM_COMMAND_SHOW, "POST", path, &answer);
	if (r != TOOL_OK)
		return r;
	json = json_loadb((const char *)answer.body, answer.len, JSON_REJECT_DUPLICATES, NULL);
	pm_operator_answer_clear(&answer);
	if (call->mesh.json)
		return manifest_print_json(json);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		print_row(json, rows[i][0], rows[i][1]);
	json_decref(json);
	return TOOL_OK;
}

int secrets_show(int argc, char **argv)
{
	static const struct secrets_verb verb = {"show", show_help, "ID", 1, false, show};

	return secrets_run(&verb, argc, argv);
}

static const char rotate_help[] =
	"Usage: pm-ctl secrets rotate OPTION...\n"
	"Have all values sealed under keys of a new epoch, while they are served. It goes on in "
	"the\n"
	"background; the metrics of the service say when it is over.\n";

static int rotate(struct secrets_call *call)
{
	struct pm_operator_answer answer;
	int r = simple(call, PM_COMMAND_ROTATE, "POST", "/rotate", &answer);

	return r == TOOL_OK ? print(call, &answer, "rotating") : r;
}

int secrets_rotate(int argc, char **argv)
{
	static const struct secrets_verb verb = {"rotate", rotate_help, "", 0, false, rotate};

	return secrets_run(&verb, argc, argv);
}
