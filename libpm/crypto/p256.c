/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/p256.h"

#include <mbedtls/psa_util.h>

#include "base/wr.h"
#include "crypto/psa.h"

#define BITS	   256
#define POINT_SIZE 65

/* All of the public key's encoding but the point (RFC 5480, section 2). */
static const uint8_t spki_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
	0x00};

/* All of the private key's but the number and the point (RFC 5208, RFC 5915). */
static const uint8_t pkcs8_head[] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07,
	0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
	0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t pkcs8_middle[] = {0xa1, 0x44, 0x03, 0x42, 0x00};

_Static_assert(sizeof(spki_head) + POINT_SIZE == PM_P256_SPKI_SIZE, "a public key's parts");
_Static_assert(sizeof(pkcs8_head) + PM_P256_SECRET_SIZE + sizeof(pkcs8_middle) + POINT_SIZE ==
		       PM_P256_DER_MAX,
	"a private key's parts");

static psa_key_attributes_t attributes(psa_key_usage_t usage)
{
	psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;

	psa_set_key_type(&attr, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
	psa_set_key_bits(&attr, BITS);
	psa_set_key_usage_flags(&attr, usage);
	psa_set_key_algorithm(&attr, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
	return attr;
}

static int export_key(psa_key_id_t id, struct pm_secret *secret, uint8_t *ret_spki)
{
	size_t len;
	int r = pm_psa_error(
		psa_export_public_key(id, ret_spki + sizeof(spki_head), POINT_SIZE, &len));

	if (r == PM_OK)
		r = pm_psa_error(psa_export_key(id, secret->ptr, secret->len, &len));
	pm_copy(ret_spki, spki_head, sizeof(spki_head));
	return r;
}

int pm_p256_new(struct pm_secret *ret_secret, uint8_t *ret_spki)
{
	psa_key_attributes_t attr = attributes(PSA_KEY_USAGE_EXPORT);
	pm_cleanup(secret) struct pm_secret secret = {0};
	psa_key_id_t id = 0;
	int r = pm_secret_new(&secret, PM_P256_SECRET_SIZE);

	if (r < 0)
		return r;
	r = pm_psa_error(psa_generate_key(&attr, &id));
	if (r < 0)
		return r;
	r = export_key(id, &secret, ret_spki);
	(void)psa_destroy_key(id);
	if (r < 0)
		return r;
	*ret_secret = secret;
	secret = (struct pm_secret){0};
	return PM_OK;
}

int pm_p256_check_spki(struct pm_view spki)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	if (spki.len != PM_P256_SPKI_SIZE || !pm_view_equal(pm_view(spki.ptr, sizeof(spki_head)),
						     pm_view(spki_head, sizeof(spki_head))))
		return PM_E_UNSUPPORTED;
	return pm_pubkey_from_spki(spki, &key);
}

void pm_p256_pkcs8(const struct pm_secret *secret, const uint8_t *spki, uint8_t *ret_der)
{
	struct pm_wr wr = pm_wr(ret_der, PM_P256_DER_MAX);

	pm_wr_bytes(&wr, pm_view(pkcs8_head, sizeof(pkcs8_head)));
	pm_wr_bytes(&wr, pm_view(secret->ptr, secret->len));
	pm_wr_bytes(&wr, pm_view(pkcs8_middle, sizeof(pkcs8_middle)));
	pm_wr_bytes(&wr, pm_view(spki + sizeof(spki_head), POINT_SIZE));
}

int pm_p256_sign_digest(
	const struct pm_secret *secret, const uint8_t *digest, uint8_t *ret, size_t *ret_len)
{
	psa_key_attributes_t attr = attributes(PSA_KEY_USAGE_SIGN_HASH);
	uint8_t raw[2 * PM_P256_SECRET_SIZE], der[PM_P256_SIGNATURE_MAX];
	psa_key_id_t id = 0;
	size_t len = 0;
	int r = pm_psa_error(psa_import_key(&attr, secret->ptr, secret->len, &id));

	if (r < 0)
		return r;
	r = pm_psa_error(psa_sign_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), digest, PM_SHA256_SIZE,
		raw, sizeof(raw), &len));
	(void)psa_destroy_key(id);
	if (r < 0)
		return r;
	if (mbedtls_ecdsa_raw_to_der(BITS, raw, len, der, sizeof(der), &len))
		return PM_E_CRYPTO;
	pm_copy(ret, der, len); /* without what mbedTLS leaves behind it */
	*ret_len = len;
	return PM_OK;
}
