/* SPDX-License-Identifier: Apache-2.0 */
/* All secrets: backup and restore. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "pm-ctl/box_key.h"
#include "pm-ctl/manifest.h"
#include "pm-ctl/secrets.h"

/* Largest backup that the service takes back: of a request of 32 MiB in base64. */
#define BACKUP_MAX (23u << 20)
#define KEY_SIZE   32
#define BOX_LABEL  "secrets backup"

/* --- backup ---------------------------------------------------------------------------------- */

static const char backup_help[] =
	"Usage: pm-ctl secrets backup -o FILE OPTION...\n"
	"Fetch all secrets of owners that have not expired, with their rules, encrypted so that as "
	"many\n"
	"holders of shares of the seed as can recover it can open them. Clients' secrets are not "
	"in "
	"it.\n"
	"\n"
	"  -o, --output FILE    where it goes\n";

static int backup(struct secrets_call *call)
{
	const struct pm_command_statement s = {.op = PM_COMMAND_BACKUP, .id = ""};
	json_t *command = secrets_command(call, &s);
	struct pm_operator_answer answer;
	size_t lines = 0;
	int r;

	if (!command)
		return TOOL_USAGE;
	r = secrets_ask(call, "POST", "/backup", json_pack("{s:o}", "Command", command), &answer);
	if (r != TOOL_OK)
		return r;
	for (size_t i = 0; i < answer.len; i++)
		lines += answer.body[i] == '\n';
	r = tool_write_file(call->output, answer.body, answer.len, 0600);
	pm_operator_answer_clear(&answer);
	if (r == TOOL_OK)
		fprintf(stderr, "%s: %zu secrets\n", call->output, lines > 2 ? lines - 2 : 0);
	return r;
}

int secrets_backup(int argc, char **argv)
{
	static const struct secrets_verb verb = {"backup", backup_help, "", 0, true, backup};

	return secrets_run(&verb, argc, argv);
}

/* --- restore --------------------------------------------------------------------------------- */

static const char restore_help[] =
	"Usage: pm-ctl secrets restore FILE --share-key KEY... OPTION...\n"
	"Give back what a backup holds: what is there already stays as it is, and what has "
	"expired\n"
	"stays gone. What was revoked since comes back: revoke it again.\n"
	"\n"
	"  FILE                 the backup, at most 23 MiB\n"
	"  --share-key KEY      private X-Wing key of one who holds a share of the seed; repeat "
	"it\n"
	"                       until there are as many as recover the seed\n";

/* What is in a backup's first line, and the shares that were taken out of it. */
struct boxes {
	json_t *first;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	uint8_t shares[PM_SHARES_MAX * PM_SHARE_SIZE];
	size_t count;
};

static int open_box(const struct pm_box_key *key, const json_t *box, const uint8_t *hash,
	uint8_t ret[PM_SHARE_SIZE])
{
	uint8_t bytes[PM_SHARE_SIZE + PM_BOX_OVERHEAD];
	const char *text = json_string_value(box);
	size_t len = 0;

	if (!text || pm_text_base64_decode(text, strlen(text), bytes, sizeof(bytes), &len) < 0 ||
		len != sizeof(bytes))
		return PM_E_FORMAT;
	return pm_box_open(key, BOX_LABEL, hash, PM_MANIFEST_HASH_SIZE, bytes, len, ret);
}

/* There is a box for each holder; one of them is this key's. */
static int take_share(struct boxes *boxes, const struct pm_box_key *key)
{
	const json_t *entry, *list = json_object_get(boxes->first, "shares");
	uint8_t *place = boxes->shares + boxes->count * PM_SHARE_SIZE;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (open_box(key, json_object_get(entry, "box"), boxes->hash, place) < 0)
			continue;
		boxes->count++;
		return TOOL_OK;
	}
	return TOOL_REJECTED;
}

static int take_shares(const struct secrets_call *call, struct boxes *boxes)
{
	int r = TOOL_OK;

	for (size_t i = 0; r == TOOL_OK && i < call->share_key_count; i++) {
		struct pm_box_key *key = NULL;

		r = box_key_load_private(call->share_keys[i], &key);
		if (r == TOOL_OK)
			r = take_share(boxes, key);
		if (r == TOOL_REJECTED)
			warnx("%s: the backup has no share for this key", call->share_keys[i]);
		pm_box_key_free(key);
	}
	return r;
}

/* Whether they give the right key is what the service finds out. */
static int combine(const struct secrets_call *call, const struct boxes *boxes, uint8_t *ret)
{
	json_int_t needed = json_integer_value(json_object_get(boxes->first, "threshold"));
	int error;

	if ((json_int_t)boxes->count < needed) {
		warnx("%s: %lld share keys are needed, there are %zu", call->words[0],
			(long long)needed, boxes->count);
		return TOOL_USAGE;
	}
	error = pm_shares_combine(boxes->shares, boxes->count, ret);
	if (error < 0)
		tool_print_error(call->words[0], error, NULL);
	return tool_exit_status(error);
}

static int read_first(const uint8_t *bytes, size_t len, struct boxes *boxes)
{
	const uint8_t *end = len ? memchr(bytes, '\n', len) : NULL;
	const char *text;

	if (!end)
		return PM_E_FORMAT;
	boxes->first = json_loadb(
		(const char *)bytes, (size_t)(end - bytes), JSON_REJECT_DUPLICATES, NULL);
	text = json_string_value(json_object_get(boxes->first, "manifest"));
	return text ? pm_hex_decode(text, boxes->hash, sizeof(boxes->hash)) : PM_E_FORMAT;
}

static int open_backup(
	const struct secrets_call *call, const uint8_t *bytes, size_t len, uint8_t ret[KEY_SIZE])
{
	struct boxes boxes = {0};
	int r = TOOL_OK;

	if (read_first(bytes, len, &boxes) < 0) {
		warnx("%s: not a backup", call->words[0]);
		r = TOOL_USAGE;
	}
	if (r == TOOL_OK)
		r = take_shares(call, &boxes);
	if (r == TOOL_OK)
		r = combine(call, &boxes, ret);
	json_decref(boxes.first);
	explicit_bzero(&boxes, sizeof(boxes));
	return r;
}

static json_t *restore_body(
	struct secrets_call *call, const uint8_t *key, const uint8_t *bytes, size_t len)
{
	uint8_t salt[PM_COMMAND_DIGEST_SIZE], content[PM_COMMAND_DIGEST_SIZE];
	const struct pm_command_statement s = {
		.op = PM_COMMAND_RESTORE, .id = "", .content = content};
	json_t *command;

	if (pm_command_salt(salt) < 0 || pm_command_content(salt, bytes, len, content) < 0)
		return NULL;
	command = secrets_command(call, &s);
	return command ? json_pack("{s:o, s:o, s:o, s:o}", "Command", command, "Salt",
				 secrets_base64(salt, sizeof(salt)), "Value",
				 secrets_base64(bytes, len), "Key", secrets_base64(key, KEY_SIZE))
		       : NULL;
}

static int print(const struct secrets_call *call, struct pm_operator_answer *answer)
{
	json_t *json =
		json_loadb((const char *)answer->body, answer->len, JSON_REJECT_DUPLICATES, NULL);
	json_int_t restored = json_integer_value(json_object_get(json, "Restored"));
	json_int_t kept = json_integer_value(json_object_get(json, "Kept"));
	json_int_t expired = json_integer_value(json_object_get(json, "Expired"));

	pm_operator_answer_clear(answer);
	if (call->mesh.json)
		return manifest_print_json(json);
	printf("%lld restored, %lld were there, %lld expired\n", (long long)restored,
		(long long)kept, (long long)expired);
	json_decref(json);
	return TOOL_OK;
}

static int restore(struct secrets_call *call)
{
	struct pm_operator_answer answer;
	uint8_t *bytes = NULL, key[KEY_SIZE];
	json_t *body = NULL;
	size_t len = 0;
	int r = TOOL_USAGE;

	if (!call->share_key_count) {
		warnx("secrets restore needs --share-key; try --help");
		return TOOL_USAGE;
	}
	r = tool_read_file(call->words[0], BACKUP_MAX, &bytes, &len);
	if (r == TOOL_OK)
		r = open_backup(call, bytes, len, key);
	if (r == TOOL_OK) {
		body = restore_body(call, key, bytes, len);
		r = body ? secrets_ask(call, "POST", "/restore", body, &answer) : TOOL_USAGE;
	}
	explicit_bzero(key, sizeof(key));
	free(bytes);
	return r == TOOL_OK ? print(call, &answer) : r;
}

int secrets_restore(int argc, char **argv)
{
	static const struct secrets_verb verb = {
		"restore", restore_help, "FILE", 1, false, restore};

	return secrets_run(&verb, argc, argv);
}
