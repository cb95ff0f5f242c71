/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces of all requests that one key has answered: each is admitted once. Field messages bear
 * no time, so nothing is forgotten before the key is; when the set is full it refuses. Thread safe.
 */
#ifndef PM_ENVELOPE_NONCE_SET_H
#define PM_ENVELOPE_NONCE_SET_H

#include <pm/error.h>
#include "base/mem.h"
#include "crypto/nonce.h"

struct pm_nonce_set;

/* max: nonces that it will hold, 1 to 2^31. Its memory grows with them. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_nonce_set_new(size_t max, struct pm_nonce_set **ret) PM_MUST_USE;

/* Fine with NULL. */
void pm_nonce_set_free(struct pm_nonce_set *set);
PM_OWNER(pm_nonce_set, pm_nonce_set_free);

/*
 * Admits PM_NONCE_SIZE bytes once. PM_E_REJECTED when they are known; PM_E_LIMIT when the set is
 * full; PM_E_NOMEM. After each of these the set is as before.
 */
int pm_nonce_set_admit(struct pm_nonce_set *set, const uint8_t *nonce) PM_MUST_USE;

#endif
