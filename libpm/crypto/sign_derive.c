/* SPDX-License-Identifier: Apache-2.0 */
/* A key that comes from a secret, so that who has the secret has the key again. */
#include <string.h>

#include "crypto/sign.h"

/* Ed25519's seed. */
#define SEED_SIZE 32

static const char salt[] = "libpm sign key v1";

static int derive(struct pm_view secret, const char *label, struct pm_secret *ret_seed)
{
	pm_cleanup(secret) struct pm_secret prk = {0};
	int r = pm_hkdf_extract(PM_SHA256, pm_view(salt, sizeof(salt) - 1), secret, &prk);

	if (r < 0)
		return r;
	return pm_hkdf_expand(PM_SHA256, pm_view(prk.ptr, prk.len), pm_view(label, strlen(label)),
		SEED_SIZE, ret_seed);
}

int pm_sign_key_derive(const uint8_t *secret, const char *label, struct pm_sign_key **ret_key)
{
	pm_cleanup(secret) struct pm_secret seed = {0};
	size_t len = strlen(label);
	int r = pm_crypto_init();

	if (!len || len > PM_SIGN_LABEL_MAX)
		return PM_E_ARG;
	if (r == PM_OK)
		r = derive(pm_view(secret, PM_SIGN_SECRET_SIZE), label, &seed);
	if (r < 0)
		return r;
	return pm_sign_key_from(PM_SIGN_ED25519, pm_view(seed.ptr, seed.len), ret_key);
}
