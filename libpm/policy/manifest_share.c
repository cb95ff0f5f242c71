/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of shares of the seed: named keys that shares are boxed for. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/kem_key.h"
#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

_Static_assert(PM_BOX_PUBLIC_SIZE == PM_KEM_PUBLIC_SIZE, "public key");

static int read_name(ARGS)
{
	struct pm_manifest_share_owner *owner = target;

	(void)rule;
	if (!json_is_string(value))
		return pm_json_complain(at, value, "a name");
	owner->name = json_string_value(value);
	return pm_manifest_check_name(at, value, owner->name);
}

static int make_id(struct pm_manifest_share_owner *owner)
{
	uint8_t spki[PM_KEM_SPKI_SIZE];

	pm_kem_spki(owner->key, spki);
	return pm_hash(PM_SHA256, pm_view(spki, sizeof(spki)), owner->id);
}

/* A key that nobody can have would lose its share without a word. */
static int read_key(ARGS)
{
	static const char expected[] = "base64 of the 1216 bytes of an X-Wing public key";
	struct pm_manifest_share_owner *owner = target;
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));
	size_t len = 0;
	int r;

	(void)rule;
	if (!json_is_string(value) ||
		pm_base64_decode(text, owner->key, sizeof(owner->key), &len) < 0 ||
		len != sizeof(owner->key))
		return pm_json_complain(at, value, expected);
	r = pm_kem_check_public(owner->key);
	if (r == PM_E_FORMAT)
		return pm_json_complain(at, value, expected);
	return r < 0 ? r : make_id(owner);
}

static const struct pm_json_rule key_rules[] = {
	{.key = "name", .read = read_name},
	{.key = "key", .read = read_key},
};

/* Who holds two shares is nearer to the threshold than it reads. */
static int check_distinct(const struct pm_json_at *at, const json_t *value,
	const struct pm_manifest_share_owners *owners)
{
	const struct pm_manifest_share_owner *last = &owners->keys[owners->count - 1];

	for (size_t i = 0; i + 1 < owners->count; i++) {
		const struct pm_manifest_share_owner *o = &owners->keys[i];

		if (pm_ct_equal(o->id, last->id, sizeof(o->id)))
			return pm_json_complain(at, value, "another key in each place");
		if (!strcmp(o->name, last->name))
			return pm_json_complain(at, value, "another name for each key");
	}
	return PM_OK;
}

static int read_owner(ARGS)
{
	struct pm_manifest_share_owners *owners = target;
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
	struct pm_manifest_share_owners *owners = target;

	(void)rule;
	owners->keys = pm_alloc(PM_MANIFEST_OWNERS_MAX * sizeof(owners->keys[0]));
	if (!owners->keys)
		return PM_E_NOMEM;
	return pm_json_array(at, value, &element, PM_MANIFEST_OWNERS_MAX, owners);
}

/* After the keys, so that their number is known. */
static int read_threshold(ARGS)
{
	struct pm_manifest_share_owners *owners = target;
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

int pm_manifest_read_share_owners(ARGS)
{
	struct pm_manifest *m = target;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	return pm_json_object(at, value, rules, PM_ARRAY_LEN(rules), &m->share_owners);
}

/* --- accessors ------------------------------------------------------------------------------- */

const struct pm_manifest_share_owners *pm_manifest_seed_share_owners(
	const struct pm_manifest *manifest)
{
	return manifest->share_owners.count ? &manifest->share_owners : NULL;
}

size_t pm_manifest_share_owners_threshold(const struct pm_manifest_share_owners *owners)
{
	return owners->threshold;
}

const struct pm_manifest_share_owner *pm_manifest_share_owner_at(
	const struct pm_manifest_share_owners *owners, size_t index)
{
	return index < owners->count ? &owners->keys[index] : NULL;
}
