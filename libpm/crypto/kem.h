/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Wing, the key encapsulation of ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem), and
 * HMAC-SHA256 (RFC 2104).
 */
#ifndef PM_CRYPTO_KEM_H
#define PM_CRYPTO_KEM_H

#include "crypto/crypto.h"

#define PM_KEM_PUBLIC_SIZE     1216
#define PM_KEM_SEED_SIZE       32
#define PM_KEM_CIPHERTEXT_SIZE 1120
#define PM_KEM_SHARED_SIZE     32

/* Draws a seed, which is the private key. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_kem_new(struct pm_secret *ret_seed) PM_MUST_USE;

/* The public key of a seed, PM_KEM_PUBLIC_SIZE bytes. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_kem_public(const struct pm_secret *seed, uint8_t *ret_public) PM_MUST_USE;

/*
 * A fresh shared secret for the owner of the public key. PM_E_REJECTED for a public key that no
 * seed has (a coefficient out of range, a point of small order); PM_E_CRYPTO. ret_shared then holds
 * nothing, else PM_KEM_SHARED_SIZE bytes.
 */
int pm_kem_encapsulate(
	const uint8_t *public, uint8_t *ret_ciphertext, struct pm_brief *ret_shared) PM_MUST_USE;

/*
 * The shared secret again. A ciphertext for another key gives another secret, and no error.
 * PM_E_REJECTED for a point of small order; PM_E_CRYPTO. ret_shared likewise.
 */
int pm_kem_decapsulate(const struct pm_secret *seed, const uint8_t *ciphertext,
	struct pm_brief *ret_shared) PM_MUST_USE;

/* ret: PM_SHA256_SIZE bytes. */
void pm_hmac_sha256(struct pm_view key, struct pm_view message, uint8_t *ret);

#endif
