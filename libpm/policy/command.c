/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of owners to the secret service: made, signed, read, written. */
#include "policy/command.h"

#include <stdlib.h>
#include <string.h>

#include <pm/text.h>
#include "base/hex.h"
#include "base/wr.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Of the checks in a report. */
#define NAME "command"

static const char label[] = "libpm secrets command v1"; /* with its final NUL */
static const char content_label[] = "libpm secrets content v1";

_Static_assert(PM_COMMAND_MESSAGE_SIZE == sizeof(label) + PM_SHA256_SIZE, "label, digest");
_Static_assert(PM_COMMAND_DIGEST_SIZE == PM_SHA256_SIZE, "a SHA-256");

/* --- what comes along ------------------------------------------------------------------------ */

int pm_command_content(const uint8_t *salt, const void *bytes, size_t len, uint8_t *ret_digest)
{
	const struct pm_view parts[] = {
		pm_view(content_label, sizeof(content_label)),
		pm_view(salt, PM_COMMAND_DIGEST_SIZE),
		pm_view(bytes, len),
	};
	int r = pm_crypto_init();

	return r < 0 ? r : pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret_digest);
}

int pm_command_salt(uint8_t *ret_salt)
{
	int r = pm_crypto_init();

	if (r == PM_OK)
		pm_random(ret_salt, PM_COMMAND_DIGEST_SIZE);
	return r;
}

/* --- making ---------------------------------------------------------------------------------- */

const char *pm_command_op_name(int op)
{
	switch (op) {
	case PM_COMMAND_PUT:
		return "put";
	case PM_COMMAND_REVOKE:
		return "revoke";
	case PM_COMMAND_SHOW:
		return "show";
	case PM_COMMAND_ROTATE:
		return "rotate";
	case PM_COMMAND_BACKUP:
		return "backup";
	case PM_COMMAND_RESTORE:
		return "restore";
	case PM_COMMAND_LOG:
		return "log";
	default:
		return "unknown";
	}
}

static json_t *names_json(const char *const *names, size_t count)
{
	json_t *list = names ? json_array() : json_null();

	for (size_t i = 0; names && list && i < count; i++) {
		if (json_array_append_new(list, json_string(names[i])) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *digest_json(const uint8_t *digest)
{
	return digest ? json_string(pm_hex(digest, PM_SHA256_SIZE).s) : json_null();
}

static json_t *time_json(int64_t time)
{
	char text[PM_TIME_TEXT_SIZE];

	pm_time_format(time, text);
	return json_string(text);
}

static json_t *statement_json(const struct pm_command_statement *s)
{
	return json_pack("{s:i, s:s, s:s?, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "version", 1, "op",
		pm_command_op_name((int)s->op), "id", *s->id ? s->id : NULL, "exchange",
		s->exchange, "manifest", digest_json(s->manifest), "content",
		digest_json(s->content), "issued", time_json(s->issued), "expires",
		s->expires ? time_json(s->expires) : json_null(), "roles",
		names_json(s->roles, s->role_count), "models",
		names_json(s->models, s->model_count));
}

static int read_statement(ARGS)
{
	(void)rule;
	return pm_command_read_statement(at, value, target);
}

static int read_signatures(ARGS)
{
	struct pm_command *c = target;

	return pm_signatures_read_list(at, value, rule, &c->signatures);
}

static const struct pm_json_rule rules[] = {
	{.key = "statement", .read = read_statement},
	{.key = "signatures", .read = read_signatures},
};

int pm_command_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_command **ret_command)
{
	pm_cleanup(pm_command) struct pm_command *command = pm_alloc(sizeof(*command));
	struct pm_json_at root = pm_json_root(NAME, report);
	pm_cleanup(json) json_t *json = NULL;
	int r = command ? pm_crypto_init() : PM_E_NOMEM;

	if (r == PM_OK)
		r = pm_json_parse(NAME, pm_view(bytes, size), PM_COMMAND_SIZE_MAX, report, &json);
	if (r == PM_OK)
		r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), command);
	if (r < 0)
		return r;
	*ret_command = pm_steal(command);
	return PM_OK;
}

/* Written and read: so nothing is signed that nobody reads. */
int pm_command_new(const struct pm_command_statement *statement, struct pm_report *report,
	struct pm_command **ret_command)
{
	pm_cleanup(json) json_t *json =
		json_pack("{s:o, s:[]}", "statement", statement_json(statement), "signatures");
	pm_cleanup(free) uint8_t *text = NULL;
	size_t len;
	int r = json ? pm_json_canonical(json, &text, &len) : PM_E_NOMEM;

	return r < 0 ? r : pm_command_parse(text, len, report, ret_command);
}

void pm_command_free(struct pm_command *command)
{
	if (!command)
		return;
	json_decref(command->json);
	free(command->roles);
	free(command->models);
	free(command);
}

const struct pm_command_statement *pm_command_statement(const struct pm_command *command)
{
	return &command->statement;
}

const struct pm_signature *pm_command_signature_at(const struct pm_command *command, size_t index)
{
	return pm_signatures_at(&command->signatures, index);
}

/* --- signing --------------------------------------------------------------------------------- */

void pm_command_message(const struct pm_command *command, uint8_t *ret_message)
{
	struct pm_wr wr = pm_wr(ret_message, PM_COMMAND_MESSAGE_SIZE);

	pm_wr_bytes(&wr, pm_view(label, sizeof(label)));
	pm_wr_bytes(&wr, pm_view(command->digest, sizeof(command->digest)));
}

int pm_command_sign(struct pm_command *command, const struct pm_sign_key *key)
{
	uint8_t message[PM_COMMAND_MESSAGE_SIZE];

	pm_command_message(command, message);
	return pm_signatures_sign_message(
		&command->signatures, key, pm_view(message, sizeof(message)));
}

int pm_command_merge(struct pm_command *command, const struct pm_command *other)
{
	struct pm_signatures *all = &command->signatures;

	if (!pm_ct_equal(command->digest, other->digest, sizeof(command->digest)))
		return PM_E_REJECTED;
	for (size_t i = 0; i < other->signatures.count; i++) {
		const struct pm_signature *s = &other->signatures.list[i];

		if (pm_signatures_of(all, s->key_id))
			continue;
		if (all->count == PM_SIGNATURES_MAX)
			return PM_E_LIMIT;
		all->list[all->count++] = *s;
	}
	return PM_OK;
}

int pm_command_text(const struct pm_command *command, char *ret_text, size_t *ret_size)
{
	json_t *list = pm_signatures_list_json(&command->signatures);
	pm_cleanup(json) json_t *json =
		list ? json_pack("{s:O, s:o}", "statement", command->json, "signatures", list)
		     : NULL;
	size_t len;

	if (!json)
		return PM_E_NOMEM;
	len = json_dumpb(json, ret_text, PM_COMMAND_SIZE_MAX - 2, JSON_INDENT(2));
	if (!len)
		return PM_E_NOMEM;
	if (len > PM_COMMAND_SIZE_MAX - 2)
		return PM_E_LIMIT;
	ret_text[len] = '\n';
	ret_text[len + 1] = '\0';
	*ret_size = len + 1;
	return PM_OK;
}
