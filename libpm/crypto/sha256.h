/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by the fastest library of the build; pm_hash() and pm_hash_parts() come here. */
#ifndef PM_CRYPTO_SHA256_H
#define PM_CRYPTO_SHA256_H

#include "base/mem.h"

/* Digest of several pieces, one after the other: PM_SHA256_SIZE bytes. Allocates nothing. */
void pm_sha256_parts(const struct pm_view *parts, size_t count, uint8_t *ret);

#endif
