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

#endif
