/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509_sig.h"

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/pk.h>

#include "base/time.h"
#include "crypto/der.h"

static bool to_hash_alg(mbedtls_md_type_t md, enum pm_hash_alg *ret)
{
	switch (md) {
	case MBEDTLS_MD_SHA256:
		*ret = PM_SHA256;
		return true;
	case MBEDTLS_MD_SHA384:
		*ret = PM_SHA384;
		return true;
	case MBEDTLS_MD_SHA512:
		*ret = PM_SHA512;
		return true;
	default:
		return false;
	}
}

bool pm_md_is(mbedtls_md_type_t md, enum pm_hash_alg alg)
{
	enum pm_hash_alg found;

	return to_hash_alg(md, &found) && found == alg;
}

/* An INTEGER of a DER signature, right-aligned in n bytes. */
static bool put_scalar(struct pm_view *from, uint8_t *ret, size_t n)
{
	struct pm_view v;

	if (!pm_der_get_positive(from, &v) || v.len > n)
		return false;
	pm_copy(ret + n - v.len, v.ptr, v.len);
	return true;
}

/* ECDSA-Sig-Value (RFC 3279, 2.2.3) to R || S. */
int pm_ecdsa_verify_der(const struct pm_pubkey *key, enum pm_hash_alg alg, struct pm_view message,
	struct pm_view signature)
{
	size_t n = pm_pubkey_bits(key) / 8;
	uint8_t raw[2 * 48] = {0};
	struct pm_view seq;

	if (pm_pubkey_type(key) == PM_KEY_RSA || 2 * n > sizeof(raw))
		return PM_E_REJECTED;
	if (!pm_der_only(signature, PM_DER_SEQUENCE, &seq))
		return PM_E_REJECTED;
	if (!put_scalar(&seq, raw, n) || !put_scalar(&seq, raw + n, n) || seq.len)
		return PM_E_REJECTED;
	return pm_ecdsa_verify(key, alg, message, pm_view(raw, 2 * n));
}

static int verify_pss(const struct pm_signed *s, enum pm_hash_alg alg, const struct pm_pubkey *key)
{
	if (pm_pubkey_type(key) != PM_KEY_RSA)
		return PM_E_REJECTED;
	if (!s->pss || s->pss->mgf1_hash_id != s->hash)
		return PM_E_UNSUPPORTED;
	if (s->pss->expected_salt_len != (int)pm_hash_size(alg))
		return PM_E_UNSUPPORTED;
	return pm_rsa_pss_verify(key, alg, s->body, s->signature);
}

int pm_signed_verify(const struct pm_signed *s, const struct pm_pubkey *key)
{
	enum pm_hash_alg alg;

	if (!to_hash_alg(s->hash, &alg))
		return PM_E_UNSUPPORTED;
	if (s->algorithm == MBEDTLS_PK_RSASSA_PSS)
		return verify_pss(s, alg, key);
	if (s->algorithm == MBEDTLS_PK_ECDSA)
		return pm_ecdsa_verify_der(key, alg, s->body, s->signature);
	return PM_E_UNSUPPORTED;
}

/*
 * mbedTLS adds a high-level and a low-level code (7 bits), and either can tell. For a key it may
 * give MBEDTLS_ERR_PK_INVALID_PUBKEY alone, whatever the cause: that reads as malformed.
 */
int pm_x509_error(int mbedtls_error)
{
	int high = -(-mbedtls_error & ~0x7f), low = -(-mbedtls_error & 0x7f);

	if (high == MBEDTLS_ERR_X509_ALLOC_FAILED || high == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return PM_E_NOMEM;
	if (low == MBEDTLS_ERR_ASN1_ALLOC_FAILED || low == MBEDTLS_ERR_MPI_ALLOC_FAILED)
		return PM_E_NOMEM;
	return PM_E_FORMAT;
}

int64_t pm_x509_time(const mbedtls_x509_time *time)
{
	struct pm_civil c = {time->year, time->mon, time->day, time->hour, time->min, time->sec};
	int64_t t;

	return pm_time_from_civil(&c, &t) ? t : INT64_MIN;
}
