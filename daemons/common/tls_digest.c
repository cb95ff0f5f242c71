/* SPDX-License-Identifier: Apache-2.0 */
#include "common/tls_digest.h"

#include <pm/error.h>
#include <psa/crypto.h>

int tls_sha256(const void *bytes, size_t len, uint8_t ret[TLS_DIGEST_SIZE])
{
	size_t got;

	if (psa_crypto_init() != PSA_SUCCESS || psa_hash_compute(PSA_ALG_SHA_256, bytes, len, ret,
							TLS_DIGEST_SIZE, &got) != PSA_SUCCESS)
		return PM_E_CRYPTO;
	return got == TLS_DIGEST_SIZE ? PM_OK : PM_E_CRYPTO;
}
