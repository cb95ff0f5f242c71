/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of signatures holds. */
#ifndef PM_POLICY_SIGNATURES_H
#define PM_POLICY_SIGNATURES_H

#include <pm/signatures.h>
#include "policy/manifest.h"

PM_OWNER(pm_signatures, pm_signatures_free);

struct pm_signatures {
	uint8_t manifest[PM_MANIFEST_HASH_SIZE];
	size_t count;
	struct pm_signature list[PM_SIGNATURES_MAX];
};

/* The signature of that key, or NULL. */
const struct pm_signature *pm_signatures_of(
	const struct pm_signatures *signatures, const uint8_t *key_id);

/* --- signatures under other things than manifests; their hash is then of no meaning ---------- */

/* The list of them in JSON; the target is a struct pm_signatures. */
int pm_signatures_read_list(const struct pm_json_at *at, json_t *value,
	const struct pm_json_rule *rule, void *target) PM_MUST_USE;

/* The same written; NULL without memory. */
json_t *pm_signatures_list_json(const struct pm_signatures *signatures);

/* Signs a message that begins with a label, as pm_signatures_sign(). */
int pm_signatures_sign_message(struct pm_signatures *signatures, const struct pm_sign_key *key,
	struct pm_view message) PM_MUST_USE;

/* Did enough of the owners sign the message? As pm_manifest_verify(). */
int pm_signatures_check_owners(const struct pm_signatures *signatures,
	const struct pm_manifest_owners *owners, struct pm_view message,
	struct pm_report *report) PM_MUST_USE;

#endif
