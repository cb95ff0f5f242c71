/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Wing keys as files: PKCS#8 (RFC 5208) with the seed as it is, and SubjectPublicKeyInfo
 * (RFC 5280), both under id-XWing (draft-connolly-cfrg-xwing-kem-10, appendices A and D).
 */
#ifndef PM_CRYPTO_KEM_KEY_H
#define PM_CRYPTO_KEM_KEY_H

#include "crypto/kem.h"

/* SubjectPublicKeyInfo, in bytes. */
#define PM_KEM_SPKI_SIZE (24 + PM_KEM_PUBLIC_SIZE)

/* Is it a key that a seed has? PM_E_FORMAT; PM_E_NOMEM, PM_E_CRYPTO. */
int pm_kem_check_public(const uint8_t *public) PM_MUST_USE;

void pm_kem_spki(const uint8_t *public, uint8_t *ret_spki);

/* PEM or DER of one SubjectPublicKeyInfo, or a bare key; checked. PM_E_FORMAT, PM_E_UNSUPPORTED. */
int pm_kem_public_read(struct pm_view input, uint8_t *ret_public) PM_MUST_USE;

/* PEM text and a NUL. PM_E_LIMIT, PM_E_CRYPTO. */
int pm_kem_public_write(const uint8_t *public, char *ret_pem, size_t room) PM_MUST_USE;

/* PKCS#8 as PEM. PM_E_FORMAT, PM_E_UNSUPPORTED; PM_E_NOMEM. */
int pm_kem_seed_read(struct pm_view pem, struct pm_secret *ret_seed) PM_MUST_USE;

/* PEM text and a NUL, which the caller wipes. PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO. */
int pm_kem_seed_write(const struct pm_secret *seed, char *ret_pem, size_t room) PM_MUST_USE;

#endif
