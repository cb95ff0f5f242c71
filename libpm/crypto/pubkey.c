/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys: a strict reading of SubjectPublicKeyInfo, and the choice of the verifier. */
#include "crypto/sig.h"

#include <mbedtls/oid.h>
#include <stdlib.h>

#include "crypto/der.h"

struct pm_pubkey {
	const struct pm_sig_backend *backend;
	void *handle;
	enum pm_key_type type;
	size_t bits;
};

static bool is_oid(struct pm_view oid, const char *want, size_t len)
{
	return pm_view_equal(oid, pm_view(want, len));
}

#define IS_OID(view, oid) is_oid(view, oid, MBEDTLS_OID_SIZE(oid))

static int read_ec(struct pm_view params, struct pm_view point, struct pm_raw_key *ret)
{
	struct pm_view curve;

	if (!pm_der_only(params, PM_DER_OID, &curve))
		return PM_E_UNSUPPORTED;
	if (IS_OID(curve, MBEDTLS_OID_EC_GRP_SECP384R1)) {
		ret->type = PM_KEY_P384;
		ret->bits = 384;
	} else if (IS_OID(curve, MBEDTLS_OID_EC_GRP_SECP256R1)) {
		ret->type = PM_KEY_P256;
		ret->bits = 256;
	} else {
		return PM_E_UNSUPPORTED;
	}
	if (point.len != 1 + ret->bits / 4 || point.ptr[0] != 0x04)
		return PM_E_FORMAT;
	ret->point = point;
	return PM_OK;
}

static size_t bit_length(struct pm_view number)
{
	size_t bits = number.len * 8;

	for (uint8_t top = number.ptr[0]; !(top & 0x80); top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static int read_rsa(struct pm_view key, struct pm_raw_key *ret)
{
	struct pm_view body;

	if (!pm_der_only(key, PM_DER_SEQUENCE, &body))
		return PM_E_FORMAT;
	if (!pm_der_get_positive(&body, &ret->modulus) ||
		!pm_der_get_positive(&body, &ret->exponent))
		return PM_E_FORMAT;
	/* An exponent of more than 32 bits serves nobody but those who want to waste our time. */
	if (body.len || ret->exponent.len > 4)
		return PM_E_FORMAT;
	ret->type = PM_KEY_RSA;
	ret->bits = bit_length(ret->modulus);
	ret->rsa = key;
	/* Whole bytes, as everybody makes them: the backends differ on others. */
	if (ret->bits < PM_RSA_BITS_MIN || ret->bits > PM_RSA_BITS_MAX || ret->bits % 8)
		return PM_E_UNSUPPORTED;
	return PM_OK;
}

static int read_spki(struct pm_view spki, struct pm_raw_key *ret)
{
	struct pm_view body, alg, oid, bits;

	if (!pm_der_only(spki, PM_DER_SEQUENCE, &body))
		return PM_E_FORMAT;
	if (!pm_der_get(&body, PM_DER_SEQUENCE, &alg) || !pm_der_get(&alg, PM_DER_OID, &oid))
		return PM_E_FORMAT;
	if (!pm_der_only(body, PM_DER_BIT_STRING, &bits))
		return PM_E_FORMAT;
	if (bits.len < 2 || bits.ptr[0] != 0) /* whole bytes only */
		return PM_E_FORMAT;
	bits = pm_view(bits.ptr + 1, bits.len - 1);
	if (IS_OID(oid, MBEDTLS_OID_EC_ALG_UNRESTRICTED))
		return read_ec(alg, bits, ret);
	if (IS_OID(oid, MBEDTLS_OID_PKCS1_RSA))
		return read_rsa(bits, ret);
	return PM_E_UNSUPPORTED;
}

int pm_pubkey_from_spki_with(
	const struct pm_sig_backend *backend, struct pm_view spki, struct pm_pubkey **ret)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	struct pm_raw_key raw = {0};
	int r = read_spki(spki, &raw);

	if (r < 0)
		return r;
	key = pm_alloc(sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	key->type = raw.type;
	key->bits = raw.bits;
	key->backend = backend;
	r = backend->load(&raw, &key->handle);
	if (r < 0)
		return r;
	*ret = pm_steal(key);
	return PM_OK;
}

int pm_pubkey_from_spki(struct pm_view spki, struct pm_pubkey **ret)
{
	return pm_pubkey_from_spki_with(pm_sig_backends[0], spki, ret);
}

void pm_pubkey_free(struct pm_pubkey *key)
{
	if (key && key->handle)
		key->backend->unload(key->handle);
	free(key);
}

enum pm_key_type pm_pubkey_type(const struct pm_pubkey *key)
{
	return key->type;
}

size_t pm_pubkey_bits(const struct pm_pubkey *key)
{
	return key->bits;
}

const char *pm_sig_backend_name(const struct pm_sig_backend *backend)
{
	return backend->name;
}

int pm_ecdsa_verify(const struct pm_pubkey *key, enum pm_hash_alg alg, struct pm_view message,
	struct pm_view signature)
{
	uint8_t digest[PM_HASH_SIZE_MAX];
	int r;

	if (key->type == PM_KEY_RSA)
		return PM_E_ARG;
	if (signature.len != key->bits / 4)
		return PM_E_REJECTED;
	r = pm_hash(alg, message, digest);
	if (r < 0)
		return r;
	return key->backend->ecdsa(key->handle, alg, digest, signature);
}

int pm_rsa_pss_verify(const struct pm_pubkey *key, enum pm_hash_alg alg, struct pm_view message,
	struct pm_view signature)
{
	uint8_t digest[PM_HASH_SIZE_MAX];
	int r;

	if (key->type != PM_KEY_RSA)
		return PM_E_ARG;
	if (signature.len != (key->bits + 7) / 8)
		return PM_E_REJECTED;
	r = pm_hash(alg, message, digest);
	if (r < 0)
		return r;
	return key->backend->rsa_pss(key->handle, alg, digest, signature);
}
