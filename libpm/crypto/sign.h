/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of people and coordinators, and their signatures: Ed25519 (RFC 8032, 8410) and ECDSA over
 * P-384 with SHA-384. A key has one encoding only, so that the digest of the encoding names it.
 */
#ifndef PM_CRYPTO_SIGN_H
#define PM_CRYPTO_SIGN_H

#include <pm/manifest.h>
#include "crypto/crypto.h"

/* SubjectPublicKeyInfo of each type, in bytes. */
#define PM_SIGN_SPKI_ED25519 44
#define PM_SIGN_SPKI_P384    120
#define PM_SIGN_SPKI_MAX     PM_SIGN_SPKI_P384

/* Which type of key is it, and is it a good one? PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM. */
int pm_sign_spki_type(struct pm_view spki, enum pm_sign_type *ret) PM_MUST_USE;

/*
 * Did the key sign the message? An Ed25519 signature has 64 bytes, one of ECDSA is DER (RFC 3279,
 * 2.2.3). PM_E_REJECTED; as pm_sign_spki_type() for the key.
 */
int pm_sign_verify(
	struct pm_view spki, struct pm_view message, struct pm_view signature) PM_MUST_USE;

#endif
