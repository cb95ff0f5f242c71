/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include <psa/crypto.h>
#include <sodium.h>

/*
 * Both calls may be repeated and come from several threads at once (mbedTLS is built with
 * threads).
 */
int pm_crypto_init(void)
{
	if (sodium_init() < 0 || psa_crypto_init() != PSA_SUCCESS)
		return PM_E_CRYPTO;
	return PM_OK;
}

void pm_random(void *ret, size_t n)
{
	randombytes_buf(ret, n);
}
