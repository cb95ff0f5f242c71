/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature verification by nettle (hogweed) and GMP: P-384 in a fifth of mbedTLS's time and half
 * of OpenSSL's. Public data only: nothing here is secret.
 */
#include "crypto/sig.h"

#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/rsa.h>
#include <stdlib.h>

struct key {
	enum pm_key_type type;
	union {
		struct ecc_point point;
		struct rsa_public_key rsa;
	};
};

static void unload(void *handle)
{
	struct key *key = handle;

	if (key->type == PM_KEY_RSA)
		rsa_public_key_clear(&key->rsa);
	else
		ecc_point_clear(&key->point);
	free(key);
}

static void read_be(mpz_t ret, struct pm_view bytes)
{
	mpz_import(ret, bytes.len, 1, 1, 1, 0, bytes.ptr);
}

/* True when the point lies on the curve. */
static bool load_point(struct key *key, const struct pm_raw_key *raw)
{
	size_t n = (raw->point.len - 1) / 2;
	bool ok;
	mpz_t x, y;

	ecc_point_init(&key->point,
		raw->type == PM_KEY_P384 ? nettle_get_secp_384r1() : nettle_get_secp_256r1());
	mpz_init(x);
	mpz_init(y);
	read_be(x, pm_view(raw->point.ptr + 1, n));
	read_be(y, pm_view(raw->point.ptr + 1 + n, n));
	ok = ecc_point_set(&key->point, x, y);
	mpz_clear(x);
	mpz_clear(y);
	return ok;
}

/* True when modulus and exponent can be a key: both odd, the exponent above 1. */
static bool load_rsa(struct key *key, const struct pm_raw_key *raw)
{
	struct rsa_public_key *rsa = &key->rsa;

	rsa_public_key_init(rsa);
	read_be(rsa->n, raw->modulus);
	read_be(rsa->e, raw->exponent);
	return mpz_odd_p(rsa->n) && mpz_odd_p(rsa->e) && mpz_cmp_ui(rsa->e, 1) > 0 &&
	       mpz_cmp(rsa->e, rsa->n) < 0 && rsa_public_key_prepare(rsa);
}

static int load(const struct pm_raw_key *raw, void **ret)
{
	struct key *key = pm_alloc(sizeof(*key));
	bool ok;

	if (!key)
		return PM_E_NOMEM;
	key->type = raw->type;
	ok = raw->type == PM_KEY_RSA ? load_rsa(key, raw) : load_point(key, raw);
	if (!ok) {
		unload(key);
		return PM_E_FORMAT;
	}
	*ret = key;
	return PM_OK;
}

/* nettle refuses R and S outside 1..n-1. */
static int ecdsa(
	void *handle, enum pm_hash_alg alg, const uint8_t *digest, struct pm_view signature)
{
	const struct key *key = handle;
	size_t n = signature.len / 2;
	struct dsa_signature sig;
	bool ok;

	dsa_signature_init(&sig);
	read_be(sig.r, pm_view(signature.ptr, n));
	read_be(sig.s, pm_view(signature.ptr + n, n));
	ok = ecdsa_verify(&key->point, pm_hash_size(alg), digest, &sig);
	dsa_signature_clear(&sig);
	return ok ? PM_OK : PM_E_REJECTED;
}

static int rsa_pss(
	void *handle, enum pm_hash_alg alg, const uint8_t *digest, struct pm_view signature)
{
	const struct key *key = handle;
	size_t salt = pm_hash_size(alg);
	bool ok;
	mpz_t s;

	mpz_init(s);
	read_be(s, signature);
	if (alg == PM_SHA256)
		ok = rsa_pss_sha256_verify_digest(&key->rsa, salt, digest, s);
	else if (alg == PM_SHA384)
		ok = rsa_pss_sha384_verify_digest(&key->rsa, salt, digest, s);
	else
		ok = rsa_pss_sha512_verify_digest(&key->rsa, salt, digest, s);
	mpz_clear(s);
	return ok ? PM_OK : PM_E_REJECTED;
}

const struct pm_sig_backend pm_sig_nettle = {
	.name = "nettle",
	.load = load,
	.unload = unload,
	.ecdsa = ecdsa,
	.rsa_pss = rsa_pss,
};
