/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of shares of the seed: named keys that shares are boxed for. */
#include "base/base64.h"
#include "crypto/kem_key.h"
#include "policy/manifest.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

_Static_assert(PM_BOX_PUBLIC_SIZE == PM_KEM_PUBLIC_SIZE, "public key");

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
	struct pm_manifest_key *key = target;
	struct pm_manifest_share_owner *owner = &key->share_owner;
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
	owner->name = key->name;
	key->id = owner->id;
	return r < 0 ? r : make_id(owner);
}

int pm_manifest_read_share_owners(ARGS)
{
	struct pm_manifest *m = target;

	(void)rule;
	if (json_is_null(value))
		return PM_OK;
	return pm_manifest_read_keys(at, value, read_key, &m->share_owners.keys);
}

/* --- accessors ------------------------------------------------------------------------------- */

const struct pm_manifest_share_owners *pm_manifest_seed_share_owners(
	const struct pm_manifest *manifest)
{
	return manifest->share_owners.keys.count ? &manifest->share_owners : NULL;
}

size_t pm_manifest_share_owners_threshold(const struct pm_manifest_share_owners *owners)
{
	return owners->keys.threshold;
}

const struct pm_manifest_share_owner *pm_manifest_share_owner_at(
	const struct pm_manifest_share_owners *owners, size_t index)
{
	return index < owners->keys.count ? &owners->keys.list[index].share_owner : NULL;
}
