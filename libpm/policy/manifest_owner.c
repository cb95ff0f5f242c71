/* SPDX-License-Identifier: Apache-2.0 */
/* Owners: named keys, of which a number must agree. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "policy/signatures.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

static int read_name(ARGS)
{
	struct pm_manifest_owner *owner = target;

	(void)rule;
	if (!json_is_string(value))
		return pm_json_complain(at, value, "a name");
	owner->name = json_string_value(value);
	return pm_manifest_check_name(at, value, owner->name);
}

static int read_key(ARGS)
{
	static const char expected[] =
		"base64 of the SubjectPublicKeyInfo of an Ed25519 or P-384 key";
	struct pm_manifest_owner *owner = target;
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	uint8_t spki[PM_SIGN_SPKI_MAX];
	size_t len = 0;
	int r;

	(void)rule;
	if (!json_is_string(value) || pm_base64_decode(text, spki, sizeof(spki), &len) < 0)
		return pm_json_complain(at, value, expected);
	r = pm_sign_public_from_spki(pm_view(spki, len), &owner->key);
	if (r == PM_E_FORMAT || r == PM_E_UNSUPPORTED)
		return pm_json_complain(at, value, expected);
	return r;
}

static const struct pm_json_rule key_rules[] = {
	{.key = "name", .read = read_name},
	{.key = "key", .read = read_key},
};

/* A key or name that counts twice would make a threshold smaller than it reads. */
static int check_distinct(
	const struct pm_json_at *at, const json_t *value, const struct pm_manifest_owners *owners)
{
	const struct pm_manifest_owner *last = &owners->keys[owners->count - 1];

	for (size_t i = 0; i + 1 < owners->count; i++) {
		const struct pm_manifest_owner *o = &owners->keys[i];

		if (pm_ct_equal(o->key.id, last->key.id, sizeof(o->key.id)))
			return pm_json_complain(at, value, "another key in each place");
		if (!strcmp(o->name, last->name))
			return pm_json_complain(at, value, "another name for each key");
	}
	return PM_OK;
}

static int read_owner(ARGS)
{
	struct pm_manifest_owners *owners = target;
	int r = pm_json_object(
		at, value, key_rules, PM_ARRAY_LEN(key_rules), &owners->keys[owners->count]);

	(void)rule;
	if (r < 0)
		return r;
	owners->count++;
	return check_distinct(at, value, owners);
}

static int read_keys(ARGS)
{
	static const struct pm_json_rule element = {.read = read_owner};
	struct pm_manifest_owners *owners = target;

	(void)rule;
	owners->keys = pm_alloc(PM_MANIFEST_OWNERS_MAX * sizeof(owners->keys[0]));
	if (!owners->keys)
		return PM_E_NOMEM;
	return pm_json_array(at, value, &element, PM_MANIFEST_OWNERS_MAX, owners);
}

/* After the keys, so that their number is known. */
static int read_threshold(ARGS)
{
	struct pm_manifest_owners *owners = target;
	int64_t n = 0;
	int r = pm_json_integer(at, value, 1, (int64_t)owners->count, &n);

	(void)rule;
	if (r == PM_OK)
		owners->threshold = (size_t)n;
	return r;
}

static const struct pm_json_rule rules[] = {
	{.key = "keys", .read = read_keys},
	{.key = "threshold", .read = read_threshold},
};

int pm_manifest_read_owners(ARGS)
{
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules),
		PM_JSON_SLOT(struct pm_manifest_owners, target, rule));
}

void pm_manifest_free_owners(struct pm_manifest_owners *owners)
{
	free(owners->keys);
	json_decref(owners->json);
}

PM_OWNER(pm_manifest_owners, pm_manifest_owners_free);

int pm_manifest_owners_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_manifest_owners **ret_owners)
{
	static const struct pm_json_rule here = {.offset = 0};
	pm_cleanup(pm_manifest_owners) struct pm_manifest_owners *owners =
		pm_alloc(sizeof(*owners));
	struct pm_json_at root = pm_json_root("owners", report);
	struct pm_view text = pm_view(bytes, size);
	int r;

	if (!owners)
		return PM_E_NOMEM;
	r = pm_json_parse("owners", text, PM_MANIFEST_SIZE_MAX, report, &owners->json);
	if (r == PM_OK)
		r = pm_manifest_read_owners(&root, owners->json, &here, owners);
	if (r < 0)
		return r;
	*ret_owners = pm_steal(owners);
	return PM_OK;
}

void pm_manifest_owners_free(struct pm_manifest_owners *owners)
{
	if (owners)
		pm_manifest_free_owners(owners);
	free(owners);
}

size_t pm_manifest_owners_threshold(const struct pm_manifest_owners *owners)
{
	return owners->threshold;
}

const struct pm_manifest_owner *pm_manifest_owner_at(
	const struct pm_manifest_owners *owners, size_t index)
{
	return index < owners->count ? &owners->keys[index] : NULL;
}
