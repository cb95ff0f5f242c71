/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets policy: which role gets which secrets, for which models. */
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* What base64 and names are made of. */
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:+/=-"

bool pm_manifest_is_secret_id(const char *id)
{
	size_t len = strlen(id);

	return len && len <= PM_MANIFEST_MODEL_NAME_MAX && strspn(id, ID_CHARACTERS) == len;
}

static int read_id(ARGS)
{
	struct pm_manifest_secret *secret = target;
	const char *text = json_string_value(value);
	size_t len = text ? strspn(text, ID_CHARACTERS) : 0, whole = text ? strlen(text) : 0;

	(void)rule;
	secret->id = text;
	secret->id_len = len;
	secret->prefix = text && !strcmp(text + len, "*");
	if (!whole || whole > PM_MANIFEST_MODEL_NAME_MAX || len + secret->prefix != whole)
		return pm_json_complain(at, value,
			"an identifier of at most 128 characters A-Z a-z 0-9 . _ : + / = -, or the "
			"beginning of some and a star");
	return PM_OK;
}

static int read_roles(ARGS)
{
	if (json_is_array(value) && !json_array_size(value))
		return pm_json_complain(at, value, "a role at least");
	return pm_manifest_read_names(at, value, rule, target);
}

static int read_models(ARGS)
{
	if (json_is_null(value))
		return PM_OK;
	if (json_is_array(value) && !json_array_size(value))
		return pm_json_complain(at, value, "a model at least, or null for any");
	return pm_manifest_read_names(at, value, rule, target);
}

static const struct pm_json_rule rules[] = {
	{.key = "id", .read = read_id},
	{.key = "roles",
		.read = read_roles,
		.max = PM_MANIFEST_ROLES_MAX,
		.offset = offsetof(struct pm_manifest_secret, roles)},
	{.key = "models",
		.read = read_models,
		.max = PM_MANIFEST_MODELS_MAX,
		.offset = offsetof(struct pm_manifest_secret, models)},
};

static int check_references(const struct pm_json_at *at, const struct pm_manifest_secret *secret,
	const struct pm_manifest *m)
{
	int r = pm_manifest_check_roles(at, "roles", secret->roles, m);

	return r < 0 ? r : pm_manifest_check_models(at, "models", secret->models, m);
}

/* One identifier, one rule: whoever reads it need not look for another. */
static int check_distinct(
	const struct pm_json_at *at, const json_t *value, const struct pm_manifest *m)
{
	const char *last = m->secrets[m->secret_count - 1].id;

	for (size_t i = 0; i + 1 < m->secret_count; i++) {
		if (!strcmp(m->secrets[i].id, last))
			return pm_json_complain(at, value, "another id in each place");
	}
	return PM_OK;
}

static int read_secret(ARGS)
{
	struct pm_manifest *m = target;
	struct pm_manifest_secret *secret = &m->secrets[m->secret_count++];
	int r = pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), secret);

	(void)rule;
	if (r == PM_OK)
		r = check_references(at, secret, m);
	return r < 0 ? r : check_distinct(at, value, m);
}

int pm_manifest_read_secrets(ARGS)
{
	static const struct pm_json_rule element = {.read = read_secret};
	struct pm_manifest *m = target;

	(void)rule;
	if (json_is_array(value) && !json_array_size(value))
		return PM_OK;
	m->secrets = pm_alloc(PM_MANIFEST_SECRETS_MAX * sizeof(m->secrets[0]));
	if (!m->secrets)
		return PM_E_NOMEM;
	return pm_json_array(at, value, &element, PM_MANIFEST_SECRETS_MAX, m);
}

static bool covers(const struct pm_manifest_secret *secret, const char *id)
{
	struct pm_view have = pm_view(id, strlen(id)), want = pm_view(secret->id, secret->id_len);

	if (secret->prefix && have.len > want.len)
		have.len = want.len;
	return pm_view_equal(have, want);
}

static bool allows(const struct pm_manifest_secret *secret, const char *role, const char *model)
{
	if (!pm_manifest_has_name(secret->roles, role))
		return false;
	return !secret->models || (model && pm_manifest_has_name(secret->models, model));
}

bool pm_manifest_secret_allowed(
	const struct pm_manifest *manifest, const char *id, const char *role, const char *model)
{
	for (size_t i = 0; i < manifest->secret_count; i++) {
		const struct pm_manifest_secret *secret = &manifest->secrets[i];

		if (covers(secret, id) && allows(secret, role, model))
			return true;
	}
	return false;
}
