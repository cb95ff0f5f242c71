/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys: made, read, written as PKCS#8, and used. */
#include <mbedtls/psa_util.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "base/wr.h"
#include "crypto/der.h"
#include "crypto/psa.h"
#include "crypto/sign.h"
#include "crypto/x509.h"

#define NAME "private key"

#define P384_SECRET_SIZE 48
#define P384_POINT_SIZE	 97
#define P384_BITS	 384

/* ECDSA with a random k, and with one that the key and the message make (RFC 6979). */
#define RANDOMIZED PSA_ALG_ECDSA(PSA_ALG_SHA_384)
#define FIXED	   PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_384)

/* Longest PKCS#8 of the two: P-384 with the public key. */
#define DER_MAX 192

struct pm_sign_key {
	struct pm_sign_public public;
	struct pm_secret
		secret; /* Ed25519: seed and public key, as libsodium has it; P-384: the number */
};

/* --- the secret ------------------------------------------------------------------------------ */

static psa_key_attributes_t p384_attributes(psa_key_usage_t usage, psa_algorithm_t algorithm)
{
	psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;

	psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_bits(&attr, P384_BITS);
	psa_set_key_usage_flags(&attr, usage);
	psa_set_key_algorithm(&attr, algorithm);
	return attr;
}

static int export_p384(psa_key_id_t id, struct pm_sign_key *key)
{
	uint8_t point[P384_POINT_SIZE];
	size_t len;
	int r = pm_psa_error(psa_export_public_key(id, point, sizeof(point), &len));

	if (r == PM_OK)
		r = pm_psa_error(psa_export_key(id, key->secret.ptr, key->secret.len, &len));
	return r < 0 ? r : pm_sign_public_from_raw(PM_SIGN_P384, point, &key->public);
}

/* A new one, or that of secret. */
static int set_p384(const uint8_t *secret, struct pm_sign_key *key)
{
	psa_key_attributes_t attr = p384_attributes(PSA_KEY_USAGE_EXPORT, RANDOMIZED);
	psa_key_id_t id = 0;
	int r = pm_secret_new(&key->secret, P384_SECRET_SIZE);

	if (r < 0)
		return r;
	if (secret)
		r = pm_psa_error(psa_import_key(&attr, secret, P384_SECRET_SIZE, &id));
	else
		r = pm_psa_error(psa_generate_key(&attr, &id));
	if (r < 0)
		return r;
	r = export_p384(id, key);
	(void)psa_destroy_key(id);
	return r;
}

static int set_ed25519(const uint8_t *seed, struct pm_sign_key *key)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	int r = pm_secret_new(&key->secret, crypto_sign_SECRETKEYBYTES);

	if (r < 0)
		return r;
	if (seed ? crypto_sign_seed_keypair(public, key->secret.ptr, seed)
		 : crypto_sign_keypair(public, key->secret.ptr))
		return PM_E_CRYPTO;
	return pm_sign_public_from_raw(PM_SIGN_ED25519, public, &key->public);
}

static int make(enum pm_sign_type type, const uint8_t *secret, struct pm_sign_key **ret)
{
	pm_cleanup(pm_sign_key) struct pm_sign_key *key = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	key = pm_alloc(sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	r = type == PM_SIGN_P384 ? set_p384(secret, key) : set_ed25519(secret, key);
	if (r < 0)
		return r;
	*ret = pm_steal(key);
	return PM_OK;
}

int pm_sign_key_new(enum pm_sign_type type, struct pm_sign_key **ret_key)
{
	if (type != PM_SIGN_ED25519 && type != PM_SIGN_P384)
		return PM_E_ARG;
	return make(type, NULL, ret_key);
}

int pm_sign_key_from(enum pm_sign_type type, struct pm_view secret, struct pm_sign_key **ret)
{
	size_t size = type == PM_SIGN_P384 ? P384_SECRET_SIZE : crypto_sign_SEEDBYTES;

	return secret.len == size ? make(type, secret.ptr, ret) : PM_E_FORMAT;
}

struct pm_view pm_sign_key_secret(const struct pm_sign_key *key)
{
	bool is_p384 = key->public.type == PM_SIGN_P384;

	return pm_view(key->secret.ptr, is_p384 ? P384_SECRET_SIZE : crypto_sign_SEEDBYTES);
}

void pm_sign_key_free(struct pm_sign_key *key)
{
	if (key)
		pm_secret_free(&key->secret);
	free(key);
}

const struct pm_sign_public *pm_sign_key_public(const struct pm_sign_key *key)
{
	return &key->public;
}

/* --- PKCS#8 (RFC 5208; RFC 8410, section 7; RFC 5915) ---------------------------------------- */

static const uint8_t ed25519_head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b,
	0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
static const uint8_t p384_head[] = {0x30, 0x81, 0xb6, 0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07,
	0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x04,
	0x81, 0x9e, 0x30, 0x81, 0x9b, 0x02, 0x01, 0x01, 0x04, 0x30};
static const uint8_t p384_middle[] = {0xa1, 0x64, 0x03, 0x62, 0x00};

/* The algorithm's part of those, which a reader looks for. */
static const uint8_t ed25519_algorithm[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t p384_algorithm[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
	0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

static const uint8_t zero = 0, one = 1;

static bool take_number(struct pm_view *from, const uint8_t *value)
{
	struct pm_view number;

	return pm_der_get(from, PM_DER_INTEGER, &number) &&
	       pm_view_equal(number, pm_view(value, 1));
}

/* ECPrivateKey; the parameters and the public key that may follow are not needed. */
static bool read_p384(struct pm_view key, struct pm_view *ret)
{
	struct pm_view body;

	return pm_der_only(key, PM_DER_SEQUENCE, &body) && take_number(&body, &one) &&
	       pm_der_get(&body, PM_DER_OCTET_STRING, ret) && ret->len == P384_SECRET_SIZE;
}

static bool read_ed25519(struct pm_view key, struct pm_view *ret)
{
	return pm_der_only(key, PM_DER_OCTET_STRING, ret) && ret->len == crypto_sign_SEEDBYTES;
}

static int read_pkcs8(struct pm_view der, struct pm_sign_key **ret)
{
	struct pm_view body, algorithm, key, secret;

	if (!pm_der_only(der, PM_DER_SEQUENCE, &body) || !take_number(&body, &zero))
		return PM_E_FORMAT;
	if (!pm_der_get(&body, PM_DER_SEQUENCE, &algorithm) ||
		!pm_der_only(body, PM_DER_OCTET_STRING, &key))
		return PM_E_FORMAT;
	if (pm_view_equal(algorithm, pm_view(ed25519_algorithm, sizeof(ed25519_algorithm))))
		return read_ed25519(key, &secret) ? make(PM_SIGN_ED25519, secret.ptr, ret)
						  : PM_E_FORMAT;
	if (pm_view_equal(algorithm, pm_view(p384_algorithm, sizeof(p384_algorithm))))
		return read_p384(key, &secret) ? make(PM_SIGN_P384, secret.ptr, ret) : PM_E_FORMAT;
	return PM_E_UNSUPPORTED;
}

static int read_block(struct pm_view der, void *arg)
{
	return read_pkcs8(der, arg);
}

int pm_sign_key_parse(
	const void *bytes, size_t size, struct pm_report *report, struct pm_sign_key **ret_key)
{
	int r = pm_crypto_init();

	if (size > PM_SIGN_FILE_MAX)
		return pm_fail(report, PM_E_LIMIT, NAME, "at most 16384 bytes", "%zu", size);
	if (r == PM_OK)
		r = pm_pem_private(pm_view(bytes, size), read_block, ret_key);
	if (r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, NAME, "Ed25519 or P-384", "another kind");
	if (r == PM_E_FORMAT)
		return pm_fail(report, r, NAME, "PKCS#8 as PEM, not encrypted", "something else");
	return r;
}

static void write_der(const struct pm_sign_key *key, struct pm_wr *wr)
{
	const struct pm_sign_public *public = &key->public;

	if (public->type == PM_SIGN_ED25519) {
		pm_wr_bytes(wr, pm_view(ed25519_head, sizeof(ed25519_head)));
		pm_wr_bytes(wr, pm_view(key->secret.ptr, crypto_sign_SEEDBYTES));
		return;
	}
	pm_wr_bytes(wr, pm_view(p384_head, sizeof(p384_head)));
	pm_wr_bytes(wr, pm_view(key->secret.ptr, key->secret.len));
	pm_wr_bytes(wr, pm_view(p384_middle, sizeof(p384_middle)));
	pm_wr_bytes(
		wr, pm_view(public->spki + public->spki_size - P384_POINT_SIZE, P384_POINT_SIZE));
}

int pm_sign_key_pem(const struct pm_sign_key *key, char *ret_pem)
{
	pm_cleanup(secret) struct pm_secret der = {0};
	int r = pm_secret_new(&der, DER_MAX);
	struct pm_wr wr;
	size_t len = 0;

	if (r < 0)
		return r;
	wr = pm_wr(der.ptr, der.len);
	write_der(key, &wr);
	if (!pm_wr_done(&wr, &len))
		return PM_E_CRYPTO;
	return pm_pem_write(pm_view(der.ptr, len), "PRIVATE KEY", ret_pem, PM_SIGN_PEM_SIZE);
}

/* --- use ------------------------------------------------------------------------------------- */

static int sign_p384(const struct pm_sign_key *key, psa_algorithm_t algorithm,
	struct pm_view message, uint8_t *ret, size_t *ret_len)
{
	psa_key_attributes_t attr = p384_attributes(PSA_KEY_USAGE_SIGN_MESSAGE, algorithm);
	uint8_t raw[2 * P384_SECRET_SIZE], der[PM_SIGN_SIGNATURE_MAX];
	psa_key_id_t id = 0;
	size_t len = 0;
	int r = pm_psa_error(psa_import_key(&attr, key->secret.ptr, key->secret.len, &id));

	if (r < 0)
		return r;
	r = pm_psa_error(
		psa_sign_message(id, algorithm, message.ptr, message.len, raw, sizeof(raw), &len));
	(void)psa_destroy_key(id);
	if (r < 0)
		return r;
	if (mbedtls_ecdsa_raw_to_der(P384_BITS, raw, len, der, sizeof(der), &len))
		return PM_E_CRYPTO;
	pm_copy(ret, der, len); /* without what mbedTLS leaves behind it */
	*ret_len = len;
	return PM_OK;
}

static int sign(const struct pm_sign_key *key, psa_algorithm_t algorithm, struct pm_view message,
	uint8_t *ret, size_t *ret_len)
{
	unsigned long long len;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (key->public.type == PM_SIGN_P384)
		return sign_p384(key, algorithm, message, ret, ret_len);
	if (crypto_sign_detached(ret, &len, message.ptr, message.len, key->secret.ptr))
		return PM_E_CRYPTO;
	*ret_len = (size_t)len;
	return PM_OK;
}

int pm_sign(const struct pm_sign_key *key, struct pm_view message, uint8_t *ret, size_t *ret_len)
{
	return sign(key, RANDOMIZED, message, ret, ret_len);
}

int pm_sign_fixed(
	const struct pm_sign_key *key, struct pm_view message, uint8_t *ret, size_t *ret_len)
{
	return sign(key, FIXED, message, ret, ret_len);
}
