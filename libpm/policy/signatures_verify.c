/* SPDX-License-Identifier: Apache-2.0 */
/* The decision whether a manifest has the consent that it needs. */
#include <stdio.h>

#include "base/hex.h"
#include "policy/signatures.h"

/* Did this owner sign? Counts him; a signature in his name that is not his refuses all. */
static int check_owner(const struct pm_manifest_owner *owner,
	const struct pm_signatures *signatures, struct pm_view message, struct pm_report *report,
	size_t *count)
{
	const struct pm_signature *s = pm_signatures_of(signatures, owner->key.id);
	int r;

	if (!s) {
		pm_skip(report, "signature", "none of %s", owner->name);
		return PM_OK;
	}
	if (s->type != owner->key.type)
		return pm_fail(report, PM_E_REJECTED, "signature",
			pm_sign_type_name((int)owner->key.type), "%s in the name of %s",
			pm_sign_type_name((int)s->type), owner->name);
	r = pm_sign_verify(&owner->key, message, pm_view(s->bytes, s->size));
	if (r == PM_E_REJECTED)
		return pm_fail(report, r, "signature", "one that verifies",
			"another in the name of %s", owner->name);
	if (r < 0)
		return r;
	pm_pass(report, "signature", "of %s", owner->name);
	(*count)++;
	return PM_OK;
}

static bool is_owner(const struct pm_manifest_owners *owners, const uint8_t *key_id)
{
	for (size_t i = 0; i < owners->keys.count; i++) {
		if (pm_ct_equal(owners->keys.list[i].id, key_id, PM_SIGN_ID_SIZE))
			return true;
	}
	return false;
}

/* Owners of tomorrow may have signed too: that counts for nothing, and harms nothing. */
static void note_strangers(const struct pm_manifest_owners *owners,
	const struct pm_signatures *signatures, struct pm_report *report)
{
	for (size_t i = 0; report && i < signatures->count; i++) {
		const uint8_t *id = signatures->list[i].key_id;

		if (!is_owner(owners, id))
			pm_skip(report, "signature", "of %s, who is none of the owners",
				pm_hex(id, PM_SIGN_ID_SIZE).s);
	}
}

int pm_signatures_check_owners(const struct pm_signatures *signatures,
	const struct pm_manifest_owners *owners, struct pm_view message, struct pm_report *report)
{
	char expected[64];
	size_t count = 0;

	for (size_t i = 0; i < owners->keys.count; i++) {
		int r = check_owner(
			&owners->keys.list[i].owner, signatures, message, report, &count);

		if (r < 0)
			return r;
	}
	note_strangers(owners, signatures, report);
	snprintf(expected, sizeof(expected), "%zu of %zu owners", owners->keys.threshold,
		owners->keys.count);
	if (!owners->keys.threshold || count < owners->keys.threshold)
		return pm_fail(report, PM_E_REJECTED, "owners", expected, "%zu", count);
	pm_pass(report, "owners", "%zu signed, %zu needed", count, owners->keys.threshold);
	return PM_OK;
}

int pm_manifest_verify(const struct pm_manifest *manifest, const struct pm_signatures *signatures,
	const struct pm_manifest_owners *owners, int64_t now, struct pm_report *report)
{
	int r = pm_check_bytes(report, "signatures.manifest", manifest->hash, signatures->manifest,
		PM_MANIFEST_HASH_SIZE);
	uint8_t message[PM_SIGNATURE_MESSAGE_SIZE];

	pm_signatures_message(signatures->manifest, message);
	if (r == PM_OK)
		r = pm_signatures_check_owners(
			signatures, owners, pm_view(message, sizeof(message)), report);
	if (r == PM_OK)
		r = pm_manifest_check_time(manifest, now, report);
	return r;
}

static int check_succession(const struct pm_manifest *manifest, const struct pm_manifest *previous,
	struct pm_report *report)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "%llu", (unsigned long long)previous->serial + 1);
	if (manifest->serial != previous->serial + 1)
		return pm_fail(report, PM_E_REJECTED, "manifest.serial", expected, "%llu",
			(unsigned long long)manifest->serial);
	pm_pass(report, "manifest.serial", "%s", expected);
	return pm_check_bytes(report, "manifest.previous", previous->hash, manifest->previous,
		PM_MANIFEST_HASH_SIZE);
}

int pm_manifest_verify_update(const struct pm_manifest *manifest,
	const struct pm_manifest *previous, const struct pm_signatures *signatures, int64_t now,
	struct pm_report *report)
{
	int r = check_succession(manifest, previous, report);

	if (r < 0)
		return r;
	return pm_manifest_verify(manifest, signatures, &previous->owners, now, report);
}
