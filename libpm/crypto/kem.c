/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/kem.h"

#include <sodium.h>

_Static_assert(PM_KEM_PUBLIC_SIZE == crypto_kem_xwing_PUBLICKEYBYTES, "X-Wing public key");
_Static_assert(PM_KEM_SEED_SIZE == crypto_kem_xwing_SEEDBYTES, "X-Wing seed");
_Static_assert(PM_KEM_SEED_SIZE == crypto_kem_xwing_SECRETKEYBYTES, "the seed is the secret key");
_Static_assert(PM_KEM_CIPHERTEXT_SIZE == crypto_kem_xwing_CIPHERTEXTBYTES, "X-Wing ciphertext");
_Static_assert(PM_KEM_SHARED_SIZE <= sizeof(struct pm_brief), "room for it");
_Static_assert(PM_KEM_SHARED_SIZE == crypto_kem_xwing_SHAREDSECRETBYTES, "X-Wing secret");

int pm_kem_new(struct pm_secret *ret_seed)
{
	struct pm_secret seed = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	r = pm_secret_new(&seed, PM_KEM_SEED_SIZE);
	if (r < 0)
		return r;
	pm_random(seed.ptr, seed.len);
	*ret_seed = seed;
	return PM_OK;
}

int pm_kem_public(const struct pm_secret *seed, uint8_t *ret_public)
{
	pm_cleanup(secret) struct pm_secret key = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (seed->len != PM_KEM_SEED_SIZE)
		return PM_E_ARG;
	r = pm_secret_new(&key, crypto_kem_xwing_SECRETKEYBYTES);
	if (r < 0)
		return r;
	return crypto_kem_xwing_seed_keypair(ret_public, key.ptr, seed->ptr) ? PM_E_CRYPTO : PM_OK;
}

int pm_kem_encapsulate(const uint8_t *public, uint8_t *ret_ciphertext, struct pm_brief *ret_shared)
{
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!crypto_kem_xwing_enc(ret_ciphertext, ret_shared->bytes, public))
		return PM_OK;
	pm_wipe(ret_shared, sizeof(*ret_shared));
	return PM_E_REJECTED;
}

int pm_kem_decapsulate(
	const struct pm_secret *seed, const uint8_t *ciphertext, struct pm_brief *ret_shared)
{
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (seed->len != PM_KEM_SEED_SIZE)
		return PM_E_ARG;
	if (!crypto_kem_xwing_dec(ret_shared->bytes, ciphertext, seed->ptr))
		return PM_OK;
	pm_wipe(ret_shared, sizeof(*ret_shared));
	return PM_E_REJECTED;
}

void pm_hmac_sha256(struct pm_view key, struct pm_view message, uint8_t *ret)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key.ptr, key.len);
	crypto_auth_hmacsha256_update(&state, message.ptr, message.len);
	crypto_auth_hmacsha256_final(&state, ret);
	pm_wipe(&state, sizeof(state));
}
