/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys on P-256, as the workloads of a mesh have them. */
#ifndef PM_CRYPTO_P256_H
#define PM_CRYPTO_P256_H

#include "crypto/crypto.h"

#define PM_P256_SECRET_SIZE 32
#define PM_P256_SPKI_SIZE   91

/* Longest PKCS#8, DER, and longest signature (RFC 3279, 2.2.3). */
#define PM_P256_DER_MAX	      138
#define PM_P256_SIGNATURE_MAX 72

/* Draws a key; ret_spki: PM_P256_SPKI_SIZE bytes. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_p256_new(struct pm_secret *ret_secret, uint8_t *ret_spki) PM_MUST_USE;

/* Is it the one encoding of a point on the curve? PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM. */
int pm_p256_check_spki(struct pm_view spki) PM_MUST_USE;

/* Private and public key as PKCS#8: ret_der has PM_P256_DER_MAX bytes, all of them used. */
void pm_p256_pkcs8(const struct pm_secret *secret, const uint8_t *spki, uint8_t *ret_der);

/*
 * ECDSA of a digest, PM_SHA256_SIZE bytes; ret has room for PM_P256_SIGNATURE_MAX. PM_E_NOMEM,
 * PM_E_CRYPTO.
 */
int pm_p256_sign_digest(const struct pm_secret *secret, const uint8_t *digest, uint8_t *ret,
	size_t *ret_len) PM_MUST_USE;

#endif
