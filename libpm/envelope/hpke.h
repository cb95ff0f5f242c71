/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPKE (RFC 9180) in base mode for one suite: KEM X-Wing (0x647a), KDF HKDF-SHA256 (0x0001), AEAD
 * export-only (0xffff). The encapsulation is crypto/kem.h's; this is the key schedule after it.
 */
#ifndef PM_ENVELOPE_HPKE_H
#define PM_ENVELOPE_HPKE_H

#include "crypto/crypto.h"

/* Nsecret of X-Wing. */
#define PM_HPKE_SHARED_SIZE 32

/* Longest info, and longest context of an export. */
#define PM_HPKE_INFO_MAX 256

/*
 * Context.Export (5.3) of the context that the KEM's shared secret, of PM_HPKE_SHARED_SIZE bytes,
 * and info make (5.1): len bytes, into memory of the caller. PM_E_LIMIT, PM_E_CRYPTO.
 */
int pm_hpke_export(const uint8_t *shared, struct pm_view info, struct pm_view context, uint8_t *ret,
	size_t len) PM_MUST_USE;

#endif
