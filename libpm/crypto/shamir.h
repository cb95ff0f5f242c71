/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shamir's secret sharing over GF(2^8), by libgfshare, whose random numbers are libsodium's here.
 * In a build without libgfshare both functions return PM_E_UNSUPPORTED.
 *
 * Shares have numbers, 1 to 255, each once: the callers see to that.
 */
#ifndef PM_CRYPTO_SHAMIR_H
#define PM_CRYPTO_SHAMIR_H

#include "crypto/crypto.h"

/* Share i, numbers.ptr[i], is secret.len bytes at ret[i]. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_shamir_split(struct pm_view secret, struct pm_view numbers, uint8_t threshold,
	uint8_t *const *ret) PM_MUST_USE;

/* From as many shares as there are numbers, each of len bytes. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_shamir_combine(const uint8_t *const *shares, struct pm_view numbers, uint8_t *ret_secret,
	size_t len) PM_MUST_USE;

#endif
