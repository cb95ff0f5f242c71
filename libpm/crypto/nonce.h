/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nonces for AES-GCM: 96 random bits each (NIST SP 800-38D, 8.2.2), drawn a page at a time, each
 * page from a seed of 256 bits of the system's generator, so that one costs nanoseconds and not a
 * system call. Safe to share between threads, though one object a thread is faster, and safe across
 * fork(): the system wipes the page in the child, which then draws its own.
 *
 * A copy of a running machine's memory (a snapshot, resumed twice) repeats what the page holds. The
 * machines that libpm defends can't be copied so.
 */
#ifndef PM_CRYPTO_NONCE_H
#define PM_CRYPTO_NONCE_H

#include <pm/error.h>
#include "base/mem.h"

#define PM_NONCE_SIZE 12

struct pm_nonces;

/* PM_E_NOMEM, PM_E_CRYPTO. */
int pm_nonces_new(struct pm_nonces **ret) PM_MUST_USE;

/* Fine with NULL. */
void pm_nonces_free(struct pm_nonces *nonces);
PM_OWNER(pm_nonces, pm_nonces_free);

/* Fresh PM_NONCE_SIZE bytes that nobody else gets; can't fail. */
void pm_nonces_next(struct pm_nonces *nonces, uint8_t *ret);

#endif
