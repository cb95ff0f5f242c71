/* SPDX-License-Identifier: Apache-2.0 */
/* Owners: named keys, of which a number must agree. */
#include <stdlib.h>

#include "base/base64.h"
#include "policy/signatures.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

static int read_key(ARGS)
{
	static const char expected[] =
		"base64 of the SubjectPublicKeyInfo of an Ed25519 or P-384 key";
	struct pm_manifest_key *key = target;
	struct pm_manifest_owner *owner = &key->owner;
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
	owner->name = key->name;
	key->id = owner->key.id;
	return r;
}

int pm_manifest_read_owners(ARGS)
{
	return pm_manifest_read_keys(
		at, value, read_key, &PM_JSON_SLOT(struct pm_manifest_owners, target, rule)->keys);
}

void pm_manifest_free_owners(struct pm_manifest_owners *owners)
{
	free(owners->keys.list);
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
	return owners->keys.threshold;
}

const struct pm_manifest_owner *pm_manifest_owner_at(
	const struct pm_manifest_owners *owners, size_t index)
{
	return index < owners->keys.count ? &owners->keys.list[index].owner : NULL;
}
