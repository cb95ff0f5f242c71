/* SPDX-License-Identifier: Apache-2.0 */
/* The statement of a command: what each op must have, and what it must not. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "policy/command.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Of the base64 of 32 bytes. */
#define EXCHANGE_LENGTH 44

/* --- values ---------------------------------------------------------------------------------- */

static int read_version(ARGS)
{
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, PM_JSON_INT_MAX, &n);

	(void)rule;
	(void)target;
	if (r == PM_OK && n != 1)
		return pm_json_fail(at, PM_E_UNSUPPORTED, value, "version 1");
	return r;
}

static int read_op(ARGS)
{
	static const char *const words[] = {
		"put", "revoke", "show", "rotate", "backup", "restore", "log", NULL};
	struct pm_command *c = target;
	unsigned int found = 0;
	int r = pm_json_word(at, value, words, "an op such as \"put\"", &found);

	(void)rule;
	if (r == PM_OK)
		c->statement.op = (enum pm_command_op)(PM_COMMAND_PUT + found);
	return r;
}

static int read_id(ARGS)
{
	struct pm_command *c = target;

	(void)rule;
	c->statement.id = "";
	if (json_is_null(value))
		return PM_OK;
	c->statement.id = json_string_value(value);
	if (!c->statement.id || !pm_manifest_is_secret_id(c->statement.id))
		return pm_json_complain(at, value, "an identifier of a secret");
	return PM_OK;
}

static int read_exchange(ARGS)
{
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	struct pm_command *c = target;
	uint8_t id[PM_SHA256_SIZE];
	size_t len;

	(void)rule;
	if (!json_is_string(value) || text.len != EXCHANGE_LENGTH ||
		pm_base64_decode(text, id, sizeof(id), &len) < 0 || len != sizeof(id))
		return pm_json_complain(at, value, "the id of an exchange: base64 of 32 bytes");
	c->statement.exchange = json_string_value(value);
	return PM_OK;
}

static int read_manifest(ARGS)
{
	struct pm_command *c = target;

	(void)rule;
	c->statement.manifest = c->manifest;
	return pm_json_hex(at, value, c->manifest, sizeof(c->manifest));
}

static int read_content(ARGS)
{
	struct pm_command *c = target;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	c->statement.content = c->content;
	return pm_json_hex(at, value, c->content, sizeof(c->content));
}

static int read_issued(ARGS)
{
	struct pm_command *c = target;

	(void)rule;
	return pm_json_time(at, value, &c->statement.issued);
}

static int read_expires(ARGS)
{
	struct pm_command *c = target;
	int r = json_is_null(value) ? PM_OK : pm_json_time(at, value, &c->statement.expires);

	(void)rule;
	if (r == PM_OK && !json_is_null(value) && c->statement.expires <= 0)
		return pm_json_complain(at, value, "a time after 1970");
	return r;
}

/* --- names ----------------------------------------------------------------------------------- */

static int read_names(const struct pm_json_at *at, json_t *value, size_t max,
	int (*check)(const struct pm_json_at *, const json_t *, const char *), const char ***ret)
{
	json_t *names = NULL;
	struct pm_json_rule rule = {.max = (int64_t)max};
	int r;

	if (json_is_null(value))
		return PM_OK;
	if (json_is_array(value) && !json_array_size(value))
		return pm_json_complain(at, value, "a name at least, or null for any");
	r = pm_manifest_read_names(at, value, &rule, &names);
	*ret = r == PM_OK ? pm_alloc(max * sizeof(**ret)) : NULL;
	if (r == PM_OK && !*ret)
		return PM_E_NOMEM;
	for (size_t i = 0; r == PM_OK && i < json_array_size(names); i++) {
		struct pm_json_at here = pm_json_element(at, i);
		const json_t *name = json_array_get(names, i);

		(*ret)[i] = json_string_value(name);
		r = check(&here, name, (*ret)[i]);
	}
	return r;
}

static int read_roles(ARGS)
{
	struct pm_command *c = target;
	int r = read_names(at, value, PM_MANIFEST_ROLES_MAX, pm_manifest_check_name, &c->roles);

	(void)rule;
	c->statement.roles = c->roles;
	c->statement.role_count = json_array_size(value);
	return r;
}

static int read_models(ARGS)
{
	struct pm_command *c = target;
	int r = read_names(
		at, value, PM_MANIFEST_MODELS_MAX, pm_manifest_check_model_name, &c->models);

	(void)rule;
	c->statement.models = c->models;
	c->statement.model_count = json_array_size(value);
	return r;
}

/* --- the whole ------------------------------------------------------------------------------- */

static const struct pm_json_rule rules[] = {
	{.key = "version", .read = read_version},
	{.key = "op", .read = read_op},
	{.key = "id", .read = read_id},
	{.key = "exchange", .read = read_exchange},
	{.key = "manifest", .read = read_manifest},
	{.key = "content", .read = read_content},
	{.key = "issued", .read = read_issued},
	{.key = "expires", .read = read_expires},
	{.key = "roles", .read = read_roles},
	{.key = "models", .read = read_models},
};

/* What is there without need would be signed, and mean nothing. */
static int check_needs(const struct pm_json_at *at, const struct pm_command_statement *s)
{
	bool is_put = s->op == PM_COMMAND_PUT;
	bool has_id = is_put || s->op == PM_COMMAND_REVOKE || s->op == PM_COMMAND_SHOW;
	bool has_content = is_put || s->op == PM_COMMAND_RESTORE;
	struct pm_json_at id = pm_json_below(at, "id"), content = pm_json_below(at, "content"),
			  expires = pm_json_below(at, "expires"),
			  roles = pm_json_below(at, "roles");

	if (has_id != (*s->id != '\0'))
		return pm_json_complain(&id, NULL, has_id ? "an identifier" : "null for this op");
	if (has_content != (s->content != NULL))
		return pm_json_complain(
			&content, NULL, has_content ? "a digest" : "null for this op");
	if (is_put != (s->expires != 0))
		return pm_json_complain(&expires, NULL, is_put ? "a time" : "null for this op");
	if (!is_put && (s->roles || s->models))
		return pm_json_complain(&roles, NULL, "no rule for this op");
	return PM_OK;
}

static int digest(struct pm_command *command)
{
	pm_cleanup(free) uint8_t *text = NULL;
	size_t len;
	int r = pm_json_canonical(command->json, &text, &len);

	return r < 0 ? r : pm_hash(PM_SHA256, pm_view(text, len), command->digest);
}

int pm_command_read_statement(
	const struct pm_json_at *at, json_t *value, struct pm_command *command)
{
	int r = pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), command);

	if (r == PM_OK)
		r = check_needs(at, &command->statement);
	if (r < 0)
		return r;
	command->json = json_incref(value);
	return digest(command);
}
