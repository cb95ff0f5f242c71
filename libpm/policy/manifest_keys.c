/* SPDX-License-Identifier: Apache-2.0 */
/* Both kinds of owners: named keys, of which a number must agree, or come together. */
#include <string.h>

#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

static int read_name(ARGS)
{
	struct pm_manifest_key *key = target;

	(void)rule;
	if (!json_is_string(value))
		return pm_json_complain(at, value, "a name");
	key->name = json_string_value(value);
	return pm_manifest_check_name(at, value, key->name);
}

/* A key or name that counts twice would make a threshold smaller than it reads. */
static int check_distinct(
	const struct pm_json_at *at, const json_t *value, const struct pm_manifest_keys *keys)
{
	const struct pm_manifest_key *last = &keys->list[keys->count - 1];

	for (size_t i = 0; i + 1 < keys->count; i++) {
		const struct pm_manifest_key *key = &keys->list[i];

		if (pm_ct_equal(key->id, last->id, PM_SHA256_SIZE))
			return pm_json_complain(at, value, "another key in each place");
		if (!strcmp(key->name, last->name))
			return pm_json_complain(at, value, "another name for each key");
	}
	return PM_OK;
}

static int read_one(ARGS)
{
	struct pm_manifest_keys *keys = target;
	/* The name first: what reads the key puts it where the caller sees it. */
	const struct pm_json_rule rules[] = {
		{.key = "name", .read = read_name},
		{.key = "key", .read = keys->read_key},
	};
	int r = pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), &keys->list[keys->count]);

	(void)rule;
	if (r < 0)
		return r;
	keys->count++;
	return check_distinct(at, value, keys);
}

static int read_list(ARGS)
{
	static const struct pm_json_rule element = {.read = read_one};
	struct pm_manifest_keys *keys = target;

	(void)rule;
	keys->list = pm_alloc(PM_MANIFEST_OWNERS_MAX * sizeof(keys->list[0]));
	if (!keys->list)
		return PM_E_NOMEM;
	return pm_json_array(at, value, &element, PM_MANIFEST_OWNERS_MAX, keys);
}

/* After the keys, so that their number is known. */
static int read_threshold(ARGS)
{
	struct pm_manifest_keys *keys = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, (int64_t)keys->count, &n);

	(void)rule;
	if (r == PM_OK)
		keys->threshold = (size_t)n;
	return r;
}

int pm_manifest_read_keys(const struct pm_json_at *at, json_t *value, pm_json_fn read_key,
	struct pm_manifest_keys *ret)
{
	static const struct pm_json_rule rules[] = {
		{.key = "keys", .read = read_list},
		{.key = "threshold", .read = read_threshold},
	};

	ret->read_key = read_key;
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), ret);
}
