/* SPDX-License-Identifier: Apache-2.0 */
/* A command: read, verified by what holds now, remembered so that it is not obeyed twice. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/clock.h"
#include "pm-secrets/admin.h"
#include "pm-secrets/refusal.h"

/* Where commands are remembered in the store: behind this the digest of their statement. */
#define USED_PREFIX "secrets/used/"
/* How long: until their time is over by each instance's clock. */
#define USED_SECONDS (PM_COMMAND_AGE_MAX + 2 * PM_COMMAND_SKEW)

#define HEX_SIZE (2 * PM_COMMAND_DIGEST_SIZE + 1)

static const struct admin_op ops[] = {
	{PM_COMMAND_PUT, "PUT", "/secrets/", true, false, admin_put},
	{PM_COMMAND_REVOKE, "DELETE", "/secrets/", false, false, admin_revoke},
	{PM_COMMAND_SHOW, "POST", "/secrets/", false, false, admin_show},
	{PM_COMMAND_ROTATE, "POST", "/rotate", false, false, admin_rotate},
	{PM_COMMAND_BACKUP, "POST", "/backup", false, false, admin_backup},
	{PM_COMMAND_RESTORE, "POST", "/restore", true, true, admin_restore},
	{PM_COMMAND_LOG, "POST", "/log", false, false, admin_log},
};

#define OPS (sizeof(ops) / sizeof(ops[0]))

/* --- which ----------------------------------------------------------------------------------- */

static bool is_path(const struct admin_op *op, const char *path, const char **ret_id)
{
	size_t len = strlen(op->path);

	if (op->path[len - 1] != '/') {
		*ret_id = "";
		return !strcmp(op->path, path);
	}
	*ret_id = path + len;
	return !strncmp(op->path, path, len) && record_is_id(path + len);
}

static const struct admin_op *find_op(const struct admin *a, const char **ret_id)
{
	for (size_t i = 0; i < OPS; i++)
		if (!strcmp(ops[i].method, a->method) && is_path(&ops[i], a->path, ret_id))
			return &ops[i];
	return NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

static bool read_bytes(const json_t *value, void *ret, size_t room, size_t *ret_len)
{
	const char *text = json_string_value(value);

	return text &&
	       pm_text_base64_decode(text, json_string_length(value), ret, room, ret_len) == PM_OK;
}

static bool read_exactly(const json_t *value, void *ret, size_t size)
{
	size_t len;

	return read_bytes(value, ret, size, &len) && len == size;
}

static bool read_statement(struct admin *a, const json_t *value)
{
	char *text = malloc(PM_COMMAND_SIZE_MAX);
	size_t len = 0;
	bool good = text && read_bytes(value, text, PM_COMMAND_SIZE_MAX, &len) &&
		    pm_command_parse(text, len, NULL, &a->command) == PM_OK;

	free(text);
	return good;
}

static bool read_value(struct admin *a, const json_t *value)
{
	size_t room = json_string_length(value) / 4 * 3 + 3;

	a->value.bytes = json_is_string(value) ? malloc(room) : NULL;
	if (!a->value.bytes)
		return false;
	a->value.len = room; /* wiped as a whole, whatever comes */
	return read_bytes(value, a->value.bytes, room, &a->value.len);
}

/* Exactly what the op needs. */
static bool read_body(struct admin *a, const json_t *root)
{
	size_t members = 1 + (a->op->has_value ? 2 : 0) + (a->op->has_key ? 1 : 0);

	if (json_object_size(root) != members ||
		!read_statement(a, json_object_get(root, "Command")))
		return false;
	if (a->op->has_value &&
		(!read_exactly(json_object_get(root, "Salt"), a->salt, sizeof(a->salt)) ||
			!read_value(a, json_object_get(root, "Value"))))
		return false;
	return !a->op->has_key ||
	       read_exactly(json_object_get(root, "Key"), a->backup_key, sizeof(a->backup_key));
}

static bool parse(struct admin *a)
{
	const char *json = a->inner.bytes ? a->inner.bytes : "";
	json_t *root = json_loadb(json, a->inner.len, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(root) && read_body(a, root);

	json_decref(root);
	buffer_free(&a->inner);
	return good;
}

/* --- verifying ------------------------------------------------------------------------------- */

static int verify(struct job *job, struct pm_report *report)
{
	struct admin *a = job->admin;
	uint8_t content[PM_COMMAND_DIGEST_SIZE], message[PM_COMMAND_MESSAGE_SIZE];
	const struct pm_command_demands demands = {
		.size = sizeof(demands),
		.manifest = job->identity->manifest,
		.op = a->op->op,
		.id = a->id,
		.exchange = a->exchange,
		.content = a->op->has_value ? content : NULL,
		.now = clock_seconds(),
	};
	int r = pm_command_content(a->salt, a->value.bytes, a->value.len, content);

	pm_command_message(a->command, message);
	memcpy(a->digest, message + PM_COMMAND_MESSAGE_SIZE - PM_COMMAND_DIGEST_SIZE,
		PM_COMMAND_DIGEST_SIZE);
	return r == PM_OK ? pm_command_verify(a->command, &demands, report) : r;
}

/* Names of the owners who signed, with a comma between: "alice,bob". */
static void name_signers(const struct job *job, char *ret, size_t room)
{
	const struct pm_manifest_owners *owners = pm_manifest_owners(job->identity->manifest);
	const struct pm_manifest_owner *owner;
	const struct pm_signature *s;
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; (s = pm_command_signature_at(job->admin->command, i)); i++)
		for (size_t k = 0; (owner = pm_manifest_owner_at(owners, k)); k++)
			if (!memcmp(owner->key.id, s->key_id, sizeof(s->key_id)) && len < room)
				len += (size_t)snprintf(
					ret + len, room - len, "%s%s", len ? "," : "", owner->name);
}

static void note(struct job *job, void (*done)(struct job *job))
{
	const struct admin *a = job->admin;
	char event[48], statement[HEX_SIZE], owners[PM_AUDIT_VALUE_MAX + 1];
	const struct pm_audit_field fields[] = {
		{"id", a->id},
		{"statement", statement},
		{"owners", owners},
		{"request", http_id(job->exchange)},
	};

	snprintf(event, sizeof(event), "command.%s", pm_command_op_name((int)a->op->op));
	pm_hex_encode(a->digest, sizeof(a->digest), statement);
	name_signers(job, owners, sizeof(owners));
	job_note(job, event, fields, 4, done);
}

static void refuse(struct job *job, int status, const char *code, const char *message)
{
	const struct admin *a = job->admin;
	const struct pm_audit_field fields[] = {
		{"op", pm_command_op_name((int)a->op->op)},
		{"id", a->id},
		{"reason", message},
	};

	atomic_fetch_add(&job->secrets->counts.commands_refused, 1);
	refusal_note(job, "command.refused", fields, 3);
	admin_fail(job, status, code, message);
}

/* --- once ------------------------------------------------------------------------------------ */

static void obey(struct job *job)
{
	atomic_fetch_add(&job->secrets->counts.commands, 1);
	job->admin->op->run(job);
}

static void on_used(void *arg, const struct store_result *result)
{
	struct job *job = arg;

	job->op = NULL;
	if (result->error == PM_E_STATE)
		refuse(job, 409, "used", "This command was given before.");
	else if (result->error < 0)
		admin_fail_store(job, result);
	else
		note(job, obey);
}

/* By ourselves, as a store may forget; and in the store, for other instances. */
static void remember(struct job *job)
{
	char key[sizeof(USED_PREFIX) + HEX_SIZE] = USED_PREFIX;
	int64_t until = pm_command_statement(job->admin->command)->issued + USED_SECONDS;
	int r = past_obey(job->secrets->past, job->admin->digest, until, clock_seconds());

	if (r == PM_E_STATE) {
		refuse(job, 409, "used", "This command was given before.");
		return;
	}
	if (r < 0) {
		admin_fail(job, 503, "busy", "There were too many commands.");
		return;
	}
	pm_hex_encode(job->admin->digest, PM_COMMAND_DIGEST_SIZE, key + strlen(USED_PREFIX));
	job->op = store_put(job->loop->store, key, "", 0, until, 0, on_used, job);
	if (!job->op)
		admin_fail_store(job, NULL);
}

static void judge(struct job *job)
{
	struct pm_report *report = pm_report_new();
	int r = report ? verify(job, report) : PM_E_NOMEM;

	if (r == PM_OK)
		remember(job);
	else if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		admin_fail(job, 503, "busy", "Out of memory.");
	else
		refuse(job, 403, "refused", pm_report_reason(report));
	pm_report_free(report);
}

void admin_command(struct job *job)
{
	struct admin *a = job->admin;
	const char *id;

	a->op = find_op(a, &id);
	if (!a->op) {
		admin_fail(job, 404, "not_found", "There is nothing here.");
		return;
	}
	strcpy(a->id, id); /* record_is_id() bounds it */
	if (!parse(a))
		admin_fail(job, 400, "bad_request", "The command is malformed.");
	else
		judge(job);
}
