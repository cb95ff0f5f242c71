/* SPDX-License-Identifier: Apache-2.0 */
/* Owners: named keys, of which a number must agree. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

static int read_name(ARGS)
{
	struct pm_manifest_key *key = target;

	(void)rule;
	if (!json_is_string(value))
		return pm_json_complain(at, value, "a name");
	key->owner.name = json_string_value(value);
	return pm_manifest_check_name(at, value, key->owner.name);
}

/* Base64 has spare bits; one key has one spelling. */
static bool decode(const json_t *value, struct pm_manifest_key *key)
{
	char again[PM_BASE64_SIZE(PM_SIGN_SPKI_MAX)];
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	size_t n = 0;

	if (!json_is_string(value) || pm_base64_decode(text, key->spki, sizeof(key->spki), &n) < 0)
		return false;
	if (pm_base64_encode(pm_view(key->spki, n), again, sizeof(again)) < 0)
		return false;
	key->owner.spki_size = n;
	return pm_view_equal(text, pm_view(again, strlen(again)));
}

static int read_key(ARGS)
{
	struct pm_manifest_key *key = target;
	struct pm_view spki;
	int r;

	(void)rule;
	if (!decode(value, key))
		return pm_json_complain(
			at, value, "base64 of the SubjectPublicKeyInfo of an Ed25519 or P-384 key");
	spki = pm_view(key->spki, key->owner.spki_size);
	r = pm_sign_spki_type(spki, &key->owner.type);
	if (r == PM_E_FORMAT || r == PM_E_UNSUPPORTED)
		return pm_json_complain(at, value,
			"base64 of the SubjectPublicKeyInfo of a valid Ed25519 or P-384 key");
	if (r < 0)
		return r;
	return pm_hash(PM_SHA256, spki, key->owner.id);
}

static const struct pm_json_rule key_rules[] = {
	{.key = "name", .read = read_name},
	{.key = "key", .read = read_key},
};

/* A key or name that counts twice would make a threshold smaller than it reads. */
static int check_distinct(
	const struct pm_json_at *at, const json_t *value, const struct pm_manifest_owners *owners)
{
	const struct pm_manifest_key *last = &owners->keys[owners->count - 1];

	for (size_t i = 0; i + 1 < owners->count; i++) {
		const struct pm_manifest_owner *o = &owners->keys[i].owner;

		if (pm_ct_equal(o->id, last->owner.id, sizeof(o->id)))
			return pm_json_complain(at, value, "another key in each place");
		if (!strcmp(o->name, last->owner.name))
			return pm_json_complain(at, value, "another name for each key");
	}
	return PM_OK;
}

static int read_owner(ARGS)
{
	struct pm_manifest_owners *owners = target;
	struct pm_manifest_key *key = &owners->keys[owners->count];
	int r;

	(void)rule;
	r = pm_json_object(at, value, key_rules, PM_ARRAY_LEN(key_rules), key);
	if (r < 0)
		return r;
	key->owner.spki = key->spki;
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
}

size_t pm_manifest_owners_threshold(const struct pm_manifest_owners *owners)
{
	return owners->threshold;
}

const struct pm_manifest_owner *pm_manifest_owner_at(
	const struct pm_manifest_owners *owners, size_t index)
{
	return index < owners->count ? &owners->keys[index].owner : NULL;
}
