/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include <psa/crypto.h>

#include "crypto/sha256.h"

static psa_algorithm_t psa_hash(enum pm_hash_alg alg)
{
	switch (alg) {
	case PM_SHA256:
		return PSA_ALG_SHA_256;
	case PM_SHA384:
		return PSA_ALG_SHA_384;
	case PM_SHA512:
		return PSA_ALG_SHA_512;
	}
	return PSA_ALG_NONE;
}

size_t pm_hash_size(enum pm_hash_alg alg)
{
	return PSA_HASH_LENGTH(psa_hash(alg));
}

int pm_hash(enum pm_hash_alg alg, struct pm_view bytes, uint8_t *ret)
{
	return pm_hash_parts(alg, &bytes, 1, ret);
}

int pm_hash_parts(enum pm_hash_alg alg, const struct pm_view *parts, size_t count, uint8_t *ret)
{
	psa_hash_operation_t op = PSA_HASH_OPERATION_INIT;
	psa_status_t status;
	size_t len;

	if (alg == PM_SHA256) {
		pm_sha256_parts(parts, count, ret);
		return PM_OK;
	}
	status = psa_hash_setup(&op, psa_hash(alg));
	for (size_t i = 0; status == PSA_SUCCESS && i < count; i++)
		status = psa_hash_update(&op, parts[i].ptr, parts[i].len);
	if (status == PSA_SUCCESS)
		status = psa_hash_finish(&op, ret, pm_hash_size(alg), &len);
	(void)psa_hash_abort(&op);
	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

int pm_key_identifier(struct pm_view key_bits, uint8_t *ret)
{
	size_t len;
	psa_status_t status = psa_hash_compute(
		PSA_ALG_SHA_1, key_bits.ptr, key_bits.len, ret, PM_KEY_IDENTIFIER_SIZE, &len);

	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}
