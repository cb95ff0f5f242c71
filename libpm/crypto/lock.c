/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/lock.h"

_Static_assert(PM_LOCK_SIZE <= sizeof(struct pm_brief), "room for it");

static const uint8_t *nonce_of(const struct pm_lock *lock)
{
	return lock->derived.bytes + PM_AEAD_KEY_SIZE;
}

int pm_lock_init(struct pm_lock *lock)
{
	return pm_aead_init(
		&lock->memory, pm_view(lock->derived.bytes, PM_AEAD_KEY_SIZE), &lock->aead);
}

int pm_lock_seal(const struct pm_lock *lock, struct pm_view aad, struct pm_view plain, uint8_t *ret)
{
	return pm_aead_seal(lock->aead, nonce_of(lock), aad, plain, ret);
}

int pm_lock_open(
	const struct pm_lock *lock, struct pm_view aad, struct pm_view sealed, uint8_t *ret)
{
	return pm_aead_open(lock->aead, nonce_of(lock), aad, sealed, ret);
}
