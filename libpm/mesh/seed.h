/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from a deployment's seed. */
#ifndef PM_MESH_SEED_H
#define PM_MESH_SEED_H

#include <pm/authority.h>

#include "crypto/sign.h"

PM_OWNER(pm_seed, pm_seed_free);

struct pm_seed {
	struct pm_secret bytes;
};

/* Each with a label of its own: see authority.h. */
enum pm_seed_use {
	PM_SEED_ROOT_CA,
	PM_SEED_HISTORY,
	PM_SEED_AUDIT,
	PM_SEED_STATE,
	PM_SEED_WORKLOAD,
	PM_SEED_COMMITMENT
};

/* What all is derived from: the seed, extracted. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_seed_extract(const struct pm_seed *seed, struct pm_secret *ret_prk) PM_MUST_USE;

/* len bytes for that use; name: "", or whose they are. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_seed_expand(const struct pm_secret *prk, enum pm_seed_use use, const char *name,
	uint8_t *ret, size_t len) PM_MUST_USE;

/* The key for that use. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_seed_key(const struct pm_secret *prk, enum pm_seed_use use, enum pm_sign_type type,
	struct pm_sign_key **ret) PM_MUST_USE;

#endif
