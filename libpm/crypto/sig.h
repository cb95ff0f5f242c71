/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a library that verifies signatures must offer. Signatures over public data need no secrecy,
 * so the fastest well-kept library of the build does it; mbedTLS is always there.
 */
#ifndef PM_CRYPTO_SIG_H
#define PM_CRYPTO_SIG_H

#include "crypto/crypto.h"

/* A public key in pieces, borrowed. */
struct pm_raw_key {
	enum pm_key_type type;
	size_t bits;
	struct pm_view point;	 /* EC: 0x04 || X || Y */
	struct pm_view rsa;	 /* RSA: the DER RSAPublicKey */
	struct pm_view modulus;	 /* RSA: without leading zeros */
	struct pm_view exponent; /* RSA: without leading zeros */
};

struct pm_sig_backend {
	const char *name;
	/* PM_E_FORMAT when the key is not valid (a point off the curve). */
	int (*load)(const struct pm_raw_key *raw, void **ret);
	void (*unload)(void *handle);
	/* PM_OK or PM_E_REJECTED for an answer, another error for none. */
	int (*ecdsa)(void *handle, enum pm_hash_alg alg, const uint8_t *digest,
		struct pm_view signature);
	int (*rsa_pss)(void *handle, enum pm_hash_alg alg, const uint8_t *digest,
		struct pm_view signature);
};

extern const struct pm_sig_backend pm_sig_mbedtls;
extern const struct pm_sig_backend pm_sig_nettle;

#endif
