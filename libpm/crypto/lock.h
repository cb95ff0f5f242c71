/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lock for one message: a cipher and the one nonce that it ever sees, both derived for it. It
 * lives for the length of one call, on the stack, and is wiped by its type.
 */
#ifndef PM_CRYPTO_LOCK_H
#define PM_CRYPTO_LOCK_H

#include "base/secret.h"
#include "crypto/crypto.h"

/* What is derived for a lock: a key, and a nonce behind it. */
#define PM_LOCK_SIZE (PM_AEAD_KEY_SIZE + PM_AEAD_NONCE_SIZE)

struct pm_lock {
	struct pm_brief derived; /* PM_LOCK_SIZE bytes, which the caller puts there */
	struct pm_aead_memory memory;
	struct pm_aead *aead; /* in it; NULL: not made ready */
};

/* Begin with zeros: pm_cleanup(lock) struct pm_lock l = {0}; */
static inline void pm_cleanup_lock(struct pm_lock *lock)
{
	pm_aead_clear(lock->aead);
	pm_cleanup_brief(&lock->derived);
}

/* Makes it ready from what was derived. PM_E_CRYPTO. */
int pm_lock_init(struct pm_lock *lock) PM_MUST_USE;

/* Once, of one that is ready. As pm_aead_seal(). */
int pm_lock_seal(const struct pm_lock *lock, struct pm_view aad, struct pm_view plain,
	uint8_t *ret) PM_MUST_USE;

/* As pm_aead_open(). */
int pm_lock_open(const struct pm_lock *lock, struct pm_view aad, struct pm_view sealed,
	uint8_t *ret) PM_MUST_USE;

#endif
