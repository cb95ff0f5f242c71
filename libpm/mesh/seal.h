/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing with a salt chosen by hand: for tests. */
#ifndef PM_MESH_SEAL_H
#define PM_MESH_SEAL_H

#include <pm/seal.h>
#include "crypto/crypto.h"

PM_OWNER(pm_seal_key, pm_seal_key_free);

#define PM_SEAL_SALT_SIZE 32

/* As pm_seal(); whoever gives one salt twice gives the key away. */
int pm_seal_with(const struct pm_seal_key *key, const uint8_t *salt, struct pm_view context,
	struct pm_view plain, uint8_t *ret_sealed) PM_MUST_USE;

#endif
