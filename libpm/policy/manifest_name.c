/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a manifest. They end up in paths and logs, so few characters are allowed. */
#include <string.h>

#include "policy/manifest.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* One part: begins with a letter or digit, so that it is never "..", an option, or hidden. */
static size_t part_length(const char *name, const char *first, const char *rest)
{
	if (!name[0] || !strchr(first, name[0]))
		return 0;
	return 1 + strspn(name + 1, rest);
}

int pm_manifest_check_name(const struct pm_json_at *at, const json_t *value, const char *name)
{
	size_t len = part_length(name, LOWER DIGITS, LOWER DIGITS "._-");

	if (!len || name[len] || len > PM_MANIFEST_NAME_MAX)
		return pm_json_complain(at, value,
			"a name of at most 64 characters a-z 0-9 . _ - that begins with one of the "
			"first");
	return PM_OK;
}

int pm_manifest_check_model_name(const struct pm_json_at *at, const json_t *value, const char *name)
{
	const char *rest = name;
	size_t len;

	do {
		len = part_length(rest, LOWER UPPER DIGITS, LOWER UPPER DIGITS "._:+-");
		rest += len;
	} while (len && *rest == '/' && *++rest);
	if (!len || *rest || rest[-1] == '/' || strlen(name) > PM_MANIFEST_MODEL_NAME_MAX)
		return pm_json_complain(at, value,
			"a model's name of at most 128 characters A-Z a-z 0-9 . _ : + - in parts "
			"between slashes, each of which begins with a letter or digit");
	return PM_OK;
}

static int read_name(
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target)
{
	(void)rule;
	(void)target;
	return json_is_string(value) ? PM_OK : pm_json_complain(at, value, "a name");
}

int pm_manifest_read_names(
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target)
{
	static const struct pm_json_rule element = {.read = read_name};

	*PM_JSON_SLOT(json_t *, target, rule) = value;
	if (json_is_array(value) && !json_array_size(value))
		return PM_OK;
	return pm_json_array(at, value, &element, (size_t)rule->max, NULL);
}

bool pm_manifest_has_name(const json_t *names, const char *name)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		if (!strcmp(json_string_value(json_array_get(names, i)), name))
			return true;
	}
	return false;
}

int pm_manifest_check_roles(const struct pm_json_at *at, const char *key, const json_t *names,
	const struct pm_manifest *m)
{
	struct pm_json_at list = pm_json_below(at, key);

	for (size_t i = 0; i < json_array_size(names); i++) {
		struct pm_json_at here = pm_json_element(&list, i);
		const json_t *name = json_array_get(names, i);

		if (!pm_manifest_role(m, json_string_value(name)))
			return pm_json_complain(&here, name, "a role of the manifest");
	}
	return PM_OK;
}

int pm_manifest_check_models(const struct pm_json_at *at, const char *key, const json_t *names,
	const struct pm_manifest *m)
{
	struct pm_json_at list = pm_json_below(at, key);

	for (size_t i = 0; i < json_array_size(names); i++) {
		struct pm_json_at here = pm_json_element(&list, i);
		const json_t *name = json_array_get(names, i);

		if (!pm_manifest_model(m, json_string_value(name)))
			return pm_json_complain(&here, name, "a model of the manifest");
	}
	return PM_OK;
}
