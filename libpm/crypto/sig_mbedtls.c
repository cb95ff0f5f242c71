/* SPDX-License-Identifier: Apache-2.0 */
/* Signature verification by mbedTLS through PSA: slow (P-384: 1.2 ms), always there. */
#include "crypto/sig.h"

#include <psa/crypto.h>
#include <stdlib.h>

/*
 * A copy of the public key. It is imported for each verification, because PSA has few key slots and
 * a cache may hold hundreds of keys.
 */
struct key {
	enum pm_key_type type;
	size_t len;
	uint8_t bytes[];
};

static psa_algorithm_t psa_hash(enum pm_hash_alg alg)
{
	return alg == PM_SHA256	  ? PSA_ALG_SHA_256
	       : alg == PM_SHA384 ? PSA_ALG_SHA_384
				  : PSA_ALG_SHA_512;
}

static int import(const struct key *key, psa_algorithm_t alg, psa_key_id_t *ret)
{
	psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
	psa_status_t status;

	psa_set_key_type(&attr, key->type == PM_KEY_RSA
					? PSA_KEY_TYPE_RSA_PUBLIC_KEY
					: PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_VERIFY_HASH);
	psa_set_key_algorithm(&attr, alg);
	status = psa_import_key(&attr, key->bytes, key->len, ret);
	if (status == PSA_ERROR_INVALID_ARGUMENT)
		return PM_E_FORMAT;
	if (status == PSA_ERROR_INSUFFICIENT_MEMORY)
		return PM_E_NOMEM;
	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

static int load(const struct pm_raw_key *raw, void **ret)
{
	struct pm_view bytes = raw->type == PM_KEY_RSA ? raw->rsa : raw->point;
	pm_cleanup(free) struct key *key = pm_alloc(sizeof(*key) + bytes.len);
	psa_key_id_t id = 0;
	int r;

	if (!key)
		return PM_E_NOMEM;
	key->type = raw->type;
	key->len = bytes.len;
	pm_copy(key->bytes, bytes.ptr, bytes.len);
	r = import(key, PSA_ALG_NONE, &id); /* is the key valid? */
	if (r < 0)
		return r;
	(void)psa_destroy_key(id);
	*ret = pm_steal(key);
	return PM_OK;
}

/*
 * The key was found valid when it was loaded and all lengths are right: what PSA calls an invalid
 * argument or padding now lies in the signature: no smaller than the modulus, or without a message.
 */
static int verify_error(psa_status_t status)
{
	switch (status) {
	case PSA_SUCCESS:
		return PM_OK;
	case PSA_ERROR_INVALID_SIGNATURE:
	case PSA_ERROR_INVALID_ARGUMENT:
	case PSA_ERROR_INVALID_PADDING:
		return PM_E_REJECTED;
	case PSA_ERROR_INSUFFICIENT_MEMORY:
		return PM_E_NOMEM;
	default:
		return PM_E_CRYPTO;
	}
}

static int verify(const struct key *key, psa_algorithm_t alg, enum pm_hash_alg hash,
	const uint8_t *digest, struct pm_view signature)
{
	psa_status_t status;
	psa_key_id_t id = 0;
	int r = import(key, alg, &id);

	if (r < 0)
		return r;
	status = psa_verify_hash(id, alg, digest, pm_hash_size(hash), signature.ptr, signature.len);
	(void)psa_destroy_key(id);
	return verify_error(status);
}

static int ecdsa(
	void *handle, enum pm_hash_alg alg, const uint8_t *digest, struct pm_view signature)
{
	return verify(handle, PSA_ALG_ECDSA(psa_hash(alg)), alg, digest, signature);
}

static int rsa_pss(
	void *handle, enum pm_hash_alg alg, const uint8_t *digest, struct pm_view signature)
{
	return verify(handle, PSA_ALG_RSA_PSS(psa_hash(alg)), alg, digest, signature);
}

const struct pm_sig_backend pm_sig_mbedtls = {
	.name = "mbedtls",
	.load = load,
	.unload = free,
	.ecdsa = ecdsa,
	.rsa_pss = rsa_pss,
};
