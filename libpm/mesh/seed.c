/* SPDX-License-Identifier: Apache-2.0 */
#include "mesh/seed.h"

#include <stdlib.h>
#include <string.h>

#include "base/wr.h"

#define SALT "libpm seed v1"

/* A label, a zero byte and a name. */
#define INFO_MAX (32 + PM_MANIFEST_NAME_MAX)

#define P384_SECRET_SIZE    48
#define ED25519_SECRET_SIZE 32

static const char *const labels[] = {
	[PM_SEED_ROOT_CA] = "libpm root CA v1",
	[PM_SEED_HISTORY] = "libpm history key v1",
	[PM_SEED_AUDIT] = "libpm audit key v1",
	[PM_SEED_STATE] = "libpm state secret v1",
	[PM_SEED_WORKLOAD] = "libpm workload secret v1",
	[PM_SEED_COMMITMENT] = "libpm seed commitment v1",
};

/* bytes: NULL to draw them. */
static int make(const uint8_t *bytes, struct pm_seed **ret)
{
	pm_cleanup(pm_seed) struct pm_seed *seed = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	seed = pm_alloc(sizeof(*seed));
	if (!seed)
		return PM_E_NOMEM;
	r = pm_secret_new(&seed->bytes, PM_SEED_SIZE);
	if (r < 0)
		return r;
	if (bytes)
		pm_copy(seed->bytes.ptr, bytes, PM_SEED_SIZE);
	else
		pm_random(seed->bytes.ptr, PM_SEED_SIZE);
	*ret = pm_steal(seed);
	return PM_OK;
}

int pm_seed_new(struct pm_seed **ret_seed)
{
	return make(NULL, ret_seed);
}

int pm_seed_from(const uint8_t *bytes, struct pm_seed **ret_seed)
{
	return make(bytes, ret_seed);
}

const uint8_t *pm_seed_bytes(const struct pm_seed *seed)
{
	return seed->bytes.ptr;
}

void pm_seed_free(struct pm_seed *seed)
{
	if (seed)
		pm_secret_free(&seed->bytes);
	free(seed);
}

/* --- derivation ------------------------------------------------------------------------------ */

int pm_seed_extract(const struct pm_seed *seed, struct pm_secret *ret_prk)
{
	return pm_hkdf_extract(PM_SHA256, pm_view(SALT, sizeof(SALT) - 1),
		pm_view(seed->bytes.ptr, seed->bytes.len), ret_prk);
}

int pm_seed_expand(const struct pm_secret *prk, enum pm_seed_use use, const char *name,
	uint8_t *ret, size_t len)
{
	uint8_t info[INFO_MAX];
	struct pm_wr wr = pm_wr(info, sizeof(info));
	size_t info_len;

	pm_wr_bytes(&wr, pm_view(labels[use], strlen(labels[use]) + 1));
	pm_wr_bytes(&wr, pm_view(name, strlen(name)));
	if (!pm_wr_done(&wr, &info_len))
		return PM_E_CRYPTO;
	return pm_hkdf_expand_to(
		PM_SHA256, pm_view(prk->ptr, prk->len), pm_view(info, info_len), ret, len);
}

int pm_seed_key(const struct pm_secret *prk, enum pm_seed_use use, enum pm_sign_type type,
	struct pm_sign_key **ret)
{
	size_t len = type == PM_SIGN_P384 ? P384_SECRET_SIZE : ED25519_SECRET_SIZE;
	pm_cleanup(secret) struct pm_secret secret = {0};
	int r = pm_secret_new(&secret, len);

	if (r == PM_OK)
		r = pm_seed_expand(prk, use, "", secret.ptr, len);
	if (r < 0)
		return r;
	r = pm_sign_key_from(type, pm_view(secret.ptr, len), ret);
	return r == PM_E_FORMAT ? PM_E_CRYPTO : r;
}

int pm_seed_commitment(const struct pm_seed *seed, uint8_t *ret_commitment)
{
	pm_cleanup(secret) struct pm_secret prk = {0};
	int r = pm_seed_extract(seed, &prk);

	if (r < 0)
		return r;
	return pm_seed_expand(
		&prk, PM_SEED_COMMITMENT, "", ret_commitment, PM_SEED_COMMITMENT_SIZE);
}
