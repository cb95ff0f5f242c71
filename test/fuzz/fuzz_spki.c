/* SPDX-License-Identifier: Apache-2.0 */
/* Any public key: the verifiers agree on which are keys, and none accepts a made-up signature. */
#include "crypto/crypto.h"

#include "fuzz.h"

#define BACKENDS_MAX 4

static int verify(const struct pm_pubkey *key, struct pm_view signature)
{
	struct pm_view message = pm_view("message", 7);

	if (pm_pubkey_type(key) == PM_KEY_RSA)
		return pm_rsa_pss_verify(key, PM_SHA384, message, signature);
	return pm_ecdsa_verify(key, PM_SHA384, message, signature);
}

/* All zero, all ones, one, and the bytes of the key itself. */
static void check_key(const struct pm_pubkey *key, struct pm_view spki)
{
	bool rsa = pm_pubkey_type(key) == PM_KEY_RSA;
	size_t n = rsa ? (pm_pubkey_bits(key) + 7) / 8 : pm_pubkey_bits(key) / 4;
	uint8_t signature[PM_RSA_BITS_MAX / 8] = {0};

	FUZZ_CHECK(n && n <= sizeof(signature));
	FUZZ_CHECK(verify(key, pm_view(signature, n)) == PM_E_REJECTED);
	signature[n - 1] = 1;
	signature[n / 2 - 1] = 1;
	FUZZ_CHECK(verify(key, pm_view(signature, n)) == PM_E_REJECTED);
	pm_copy(signature, spki.ptr, n < spki.len ? n : spki.len);
	FUZZ_CHECK(verify(key, pm_view(signature, n)) == PM_E_REJECTED);
	for (size_t i = 0; i < n; i++)
		signature[i] = 0xff;
	FUZZ_CHECK(verify(key, pm_view(signature, n)) == PM_E_REJECTED);
	FUZZ_CHECK(verify(key, pm_view(signature, n - 1)) == PM_E_REJECTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view spki = pm_view(data, size);
	int results[BACKENDS_MAX];

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	for (size_t i = 0; pm_sig_backends[i]; i++) {
		pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

		FUZZ_CHECK(i < BACKENDS_MAX);
		results[i] = pm_pubkey_from_spki_with(pm_sig_backends[i], spki, &key);
		FUZZ_CHECK((results[i] == PM_OK) == (key != NULL));
		FUZZ_CHECK(results[i] == results[0]);
		if (key)
			check_key(key, spki);
	}
	return 0;
}
