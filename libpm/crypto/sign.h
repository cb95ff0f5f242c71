/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of people and coordinators, and their signatures: Ed25519 (RFC 8032, 8410) and ECDSA over
 * P-384 with SHA-384. A key has one encoding only, so that the digest of the encoding names it.
 */
#ifndef PM_CRYPTO_SIGN_H
#define PM_CRYPTO_SIGN_H

#include <pm/key.h>
#include "crypto/crypto.h"

PM_OWNER(pm_sign_key, pm_sign_key_free);

/* SubjectPublicKeyInfo of each type, in bytes. */
#define PM_SIGN_SPKI_ED25519 44
#define PM_SIGN_SPKI_P384    120

/* Most bytes of a signature: of ECDSA, as DER. */
#define PM_SIGN_SIGNATURE_MAX 104

/*
 * The key of a SubjectPublicKeyInfo, when it is a good one. PM_E_FORMAT, PM_E_UNSUPPORTED,
 * PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_sign_public_from_spki(struct pm_view spki, struct pm_sign_public *ret) PM_MUST_USE;

/* The same of a bare key: 32 bytes of Ed25519, or an uncompressed point. */
int pm_sign_public_from_raw(
	enum pm_sign_type type, const uint8_t *raw, struct pm_sign_public *ret) PM_MUST_USE;

/*
 * Did the key sign the message? An Ed25519 signature has 64 bytes, one of ECDSA is DER (RFC 3279,
 * 2.2.3). PM_E_REJECTED; PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_sign_verify(const struct pm_sign_public *key, struct pm_view message,
	struct pm_view signature) PM_MUST_USE;

/* Signs; ret has room for PM_SIGN_SIGNATURE_MAX. PM_E_NOMEM, PM_E_CRYPTO. */
int pm_sign(const struct pm_sign_key *key, struct pm_view message, uint8_t *ret,
	size_t *ret_len) PM_MUST_USE;

/* The same, and one key and message give one signature: ECDSA then as RFC 6979 has it. */
int pm_sign_fixed(const struct pm_sign_key *key, struct pm_view message, uint8_t *ret,
	size_t *ret_len) PM_MUST_USE;

/*
 * The key of a secret: an Ed25519 seed of 32 bytes, or a number of 48. PM_E_FORMAT for a number
 * that is no key; PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_sign_key_from(
	enum pm_sign_type type, struct pm_view secret, struct pm_sign_key **ret) PM_MUST_USE;

/* That secret, in guarded memory; borrowed. */
struct pm_view pm_sign_key_secret(const struct pm_sign_key *key);

#endif
