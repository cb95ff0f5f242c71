/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-256-GCM: libsodium's where the processor has the instructions (15 times the speed), mbedTLS
 * where not. The key's schedule is set up once, and one object serves many threads.
 */
#include "crypto/crypto.h"

#include <psa/crypto.h>
#include <sodium.h>

struct pm_aead {
	/* As secret as the key: the object lives in guarded memory. */
	crypto_aead_aes256gcm_state sodium;
	psa_key_id_t psa; /* 0: libsodium does it */
};

_Static_assert(sizeof(struct pm_aead) <= sizeof(struct pm_aead_memory), "size");
_Static_assert(_Alignof(struct pm_aead) <= _Alignof(struct pm_aead_memory), "alignment");

static int import_key(struct pm_view key, psa_key_id_t *ret)
{
	psa_key_attributes_t attr = PSA_KEY_ATTRIBUTES_INIT;

	psa_set_key_type(&attr, PSA_KEY_TYPE_AES);
	psa_set_key_algorithm(&attr, PSA_ALG_GCM);
	psa_set_key_usage_flags(&attr, PSA_KEY_USAGE_ENCRYPT | PSA_KEY_USAGE_DECRYPT);
	return psa_import_key(&attr, key.ptr, key.len, ret) == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

static int set_key(struct pm_aead *aead, struct pm_view key)
{
	if (!crypto_aead_aes256gcm_is_available())
		return import_key(key, &aead->psa);
	return crypto_aead_aes256gcm_beforenm(&aead->sodium, key.ptr) ? PM_E_CRYPTO : PM_OK;
}

int pm_aead_init(struct pm_aead_memory *memory, struct pm_view key, struct pm_aead **ret)
{
	struct pm_aead *aead = (struct pm_aead *)memory;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (key.len != PM_AEAD_KEY_SIZE)
		return PM_E_ARG;
	aead->psa = 0;
	r = set_key(aead, key);
	if (r == PM_OK)
		*ret = aead;
	return r;
}

void pm_aead_clear(struct pm_aead *aead)
{
	if (!aead)
		return;
	if (aead->psa)
		(void)psa_destroy_key(aead->psa);
	pm_wipe(aead, sizeof(*aead));
}

int pm_aead_new(struct pm_view key, struct pm_aead **ret)
{
	struct pm_aead_memory *memory;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	/* sodium_malloc aligns the end of the object: its size is a multiple of its alignment. */
	memory = sodium_malloc(sizeof(*memory));
	if (!memory)
		return PM_E_NOMEM;
	r = pm_aead_init(memory, key, ret);
	if (r < 0)
		sodium_free(memory);
	return r;
}

void pm_aead_free(struct pm_aead *aead)
{
	pm_aead_clear(aead);
	sodium_free(aead);
}

int pm_aead_seal(const struct pm_aead *aead, const uint8_t *nonce, struct pm_view aad,
	struct pm_view plain, uint8_t *ret)
{
	size_t len;

	if (!aead->psa)
		return crypto_aead_aes256gcm_encrypt_afternm(ret, NULL, plain.ptr, plain.len,
			       aad.ptr, aad.len, NULL, nonce, &aead->sodium)
			       ? PM_E_CRYPTO
			       : PM_OK;
	return psa_aead_encrypt(aead->psa, PSA_ALG_GCM, nonce, PM_AEAD_NONCE_SIZE, aad.ptr, aad.len,
		       plain.ptr, plain.len, ret, plain.len + PM_AEAD_TAG_SIZE, &len) == PSA_SUCCESS
		       ? PM_OK
		       : PM_E_CRYPTO;
}

static int open_psa(const struct pm_aead *aead, const uint8_t *nonce, struct pm_view aad,
	struct pm_view sealed, uint8_t *ret)
{
	size_t len;
	psa_status_t status = psa_aead_decrypt(aead->psa, PSA_ALG_GCM, nonce, PM_AEAD_NONCE_SIZE,
		aad.ptr, aad.len, sealed.ptr, sealed.len, ret, sealed.len - PM_AEAD_TAG_SIZE, &len);

	if (status == PSA_ERROR_INVALID_SIGNATURE)
		return PM_E_REJECTED;
	return status == PSA_SUCCESS ? PM_OK : PM_E_CRYPTO;
}

int pm_aead_open(const struct pm_aead *aead, const uint8_t *nonce, struct pm_view aad,
	struct pm_view sealed, uint8_t *ret)
{
	if (sealed.len < PM_AEAD_TAG_SIZE)
		return PM_E_FORMAT;
	if (aead->psa)
		return open_psa(aead, nonce, aad, sealed, ret);
	return crypto_aead_aes256gcm_decrypt_afternm(ret, NULL, NULL, sealed.ptr, sealed.len,
		       aad.ptr, aad.len, nonce, &aead->sodium)
		       ? PM_E_REJECTED
		       : PM_OK;
}
