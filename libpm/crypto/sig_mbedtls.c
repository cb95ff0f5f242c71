/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature verification by mbedTLS: slow (P-384: 1.2 ms), always there. Curves go through PSA. RSA
 * does not: PSA gives the same error for a wrong signature and for a lack of memory.
 */
#include "crypto/sig.h"

#include <mbedtls/bignum.h>
#include <mbedtls/md.h>
#include <mbedtls/rsa.h>
#include <psa/crypto.h>
#include <stdlib.h>

/*
 * A public key. A point is imported for each verification, because PSA has few key slots and a
 * cache may hold hundreds of keys.
 */
struct key {
	enum pm_key_type type;
	size_t point_len;
	uint8_t point[1 + 2 * 48];
	mbedtls_rsa_context rsa; /* locks itself: one key serves many threads */
};

static void unload(void *handle)
{
	struct key *key = handle;

	mbedtls_rsa_free(&key->rsa);
	free(key);
}

static psa_algorithm_t psa_ecdsa(enum pm_hash_alg alg)
{
	return alg == PM_SHA256	  ? PSA_ALG_ECDSA(PSA_ALG_SHA_256)
	       : alg == PM_SHA384 ? PSA_ALG_ECDSA(PSA_ALG_SHA_384)
				  : PSA_ALG_ECDSA(PSA_ALG_SHA_512);
}

static mbedtls_md_type_t md(enum pm_hash_alg alg)
{
	return alg == PM_SHA256	  ? MBEDTLS_MD_SHA256
	       : alg == PM_SHA384 ? MBEDTLS_MD_SHA384
				  : MBEDTLS_MD_SHA512;
}

static int import_point(const struct key *key, psa_algorithm_t alg, psa_key_id_t *ret)
{
	psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;
	psa_status_t status;

	psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_VERIFY_HASH);
	psa_set_key_algorithm(&attr, alg);
	status = psa_import_key(&attr, key->point, key->point_len, ret);
	if (status == PSA_ERROR_INVALID_ARGUMENT)
		return PM_E_FORMAT;
	if (status == PSA_ERROR_INSUFFICIENT_MEMORY)
		return PM_E_NOMEM;
	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

static int load_point(struct key *key, struct pm_view point)
{
	psa_key_id_t id = 0;
	int r;

	if (point.len > sizeof(key->point))
		return PM_E_FORMAT;
	key->point_len = point.len;
	pm_copy(key->point, point.ptr, point.len);
	r = import_point(key, PSA_ALG_NONE, &id); /* does it lie on the curve? */
	if (r == PM_OK)
		(void)psa_destroy_key(id);
	return r;
}

/* Numbers tell it in the low-level code of 7 bits that mbedTLS adds to an error, hashes do not. */
static bool lacks_memory(int error)
{
	return error == MBEDTLS_ERR_MD_ALLOC_FAILED ||
	       (-error & 0x7f) == -MBEDTLS_ERR_MPI_ALLOC_FAILED;
}

static int load_rsa(struct key *key, struct pm_view modulus, struct pm_view exponent)
{
	int r = mbedtls_rsa_import_raw(&key->rsa, modulus.ptr, modulus.len, NULL, 0, NULL, 0, NULL,
		0, exponent.ptr, exponent.len);

	if (!r)
		r = mbedtls_rsa_complete(&key->rsa);
	if (!r)
		r = mbedtls_rsa_check_pubkey(&key->rsa);
	if (!r)
		return PM_OK;
	return lacks_memory(r) ? PM_E_NOMEM : PM_E_FORMAT;
}

static int load(const struct pm_raw_key *raw, void **ret)
{
	struct key *key = pm_alloc(sizeof(*key));
	int r;

	if (!key)
		return PM_E_NOMEM;
	key->type = raw->type;
	mbedtls_rsa_init(&key->rsa);
	if (raw->type == PM_KEY_RSA)
		r = load_rsa(key, raw->modulus, raw->exponent);
	else
		r = load_point(key, raw->point);
	if (r < 0) {
		unload(key);
		return r;
	}
	*ret = key;
	return PM_OK;
}

static int ecdsa(
	void *handle, enum pm_hash_alg alg, const uint8_t *digest, struct pm_view signature)
{
	psa_status_t status;
	psa_key_id_t id = 0;
	int r = import_point(handle, psa_ecdsa(alg), &id);

	if (r < 0)
		return r;
	status = psa_verify_hash(
		id, psa_ecdsa(alg), digest, pm_hash_size(alg), signature.ptr, signature.len);
	(void)psa_destroy_key(id);
	if (status == PSA_ERROR_INVALID_SIGNATURE)
		return PM_E_REJECTED;
	if (status == PSA_ERROR_INSUFFICIENT_MEMORY)
		return PM_E_NOMEM;
	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

/* The length of the signature is that of the modulus: pm_rsa_pss_verify() saw to it. */
static int rsa_pss(
	void *handle, enum pm_hash_alg alg, const uint8_t *digest, struct pm_view signature)
{
	struct key *key = handle;
	unsigned int size = (unsigned int)pm_hash_size(alg);
	int r = mbedtls_rsa_rsassa_pss_verify_ext(
		&key->rsa, md(alg), size, digest, md(alg), (int)size, signature.ptr);

	if (!r)
		return PM_OK;
	return lacks_memory(r) ? PM_E_NOMEM : PM_E_REJECTED;
}

const struct pm_sig_backend pm_sig_mbedtls = {
	.name = "mbedtls",
	.load = load,
	.unload = unload,
	.ecdsa = ecdsa,
	.rsa_pss = rsa_pss,
};
