/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include <mbedtls/hkdf.h>

static const mbedtls_md_info_t *md(enum pm_hash_alg alg)
{
	switch (alg) {
	case PM_SHA256:
		return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	case PM_SHA384:
		return mbedtls_md_info_from_type(MBEDTLS_MD_SHA384);
	case PM_SHA512:
		return mbedtls_md_info_from_type(MBEDTLS_MD_SHA512);
	}
	return NULL;
}

int pm_hkdf_extract_to(
	enum pm_hash_alg alg, struct pm_view salt, struct pm_view ikm, uint8_t *ret_prk)
{
	if (mbedtls_hkdf_extract(md(alg), salt.ptr, salt.len, ikm.ptr, ikm.len, ret_prk))
		return PM_E_CRYPTO;
	return PM_OK;
}

int pm_hkdf_extract(
	enum pm_hash_alg alg, struct pm_view salt, struct pm_view ikm, struct pm_secret *ret_prk)
{
	pm_cleanup(secret) struct pm_secret prk = {0};
	int r = pm_secret_new(&prk, pm_hash_size(alg));

	if (r < 0)
		return r;
	r = pm_hkdf_extract_to(alg, salt, ikm, prk.ptr);
	if (r < 0)
		return r;
	*ret_prk = prk;
	prk = (struct pm_secret){0};
	return PM_OK;
}

int pm_hkdf_expand_to(
	enum pm_hash_alg alg, struct pm_view prk, struct pm_view info, uint8_t *ret, size_t len)
{
	if (len == 0 || len > 255 * pm_hash_size(alg))
		return PM_E_LIMIT;
	if (mbedtls_hkdf_expand(md(alg), prk.ptr, prk.len, info.ptr, info.len, ret, len))
		return PM_E_CRYPTO;
	return PM_OK;
}

int pm_hkdf_expand(enum pm_hash_alg alg, struct pm_view prk, struct pm_view info, size_t len,
	struct pm_secret *ret)
{
	pm_cleanup(secret) struct pm_secret okm = {0};
	int r;

	if (len == 0 || len > 255 * pm_hash_size(alg))
		return PM_E_LIMIT;
	r = pm_secret_new(&okm, len);
	if (r < 0)
		return r;
	r = pm_hkdf_expand_to(alg, prk, info, okm.ptr, len);
	if (r < 0)
		return r;
	*ret = okm;
	okm = (struct pm_secret){0};
	return PM_OK;
}
