/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <sodium.h>

int pm_secret_new(struct pm_secret *ret, size_t len)
{
	uint8_t *ptr;

	if (len > PM_SECRET_MAX)
		return PM_E_LIMIT;
	if (sodium_init() < 0)
		return PM_E_CRYPTO;
	ptr = sodium_malloc(len);
	if (!ptr)
		return PM_E_NOMEM;
	sodium_memzero(ptr, len);
	*ret = (struct pm_secret){ptr, len};
	return PM_OK;
}

int pm_secret_copy(struct pm_secret *ret, struct pm_view bytes)
{
	int r = pm_secret_new(ret, bytes.len);

	if (r < 0)
		return r;
	pm_copy(ret->ptr, bytes.ptr, bytes.len);
	return PM_OK;
}

void pm_secret_free(struct pm_secret *secret)
{
	sodium_free(secret->ptr);
	*secret = (struct pm_secret){0};
}

bool pm_secret_equal(const struct pm_secret *a, const struct pm_secret *b)
{
	return a->len == b->len && pm_ct_equal(a->ptr, b->ptr, a->len);
}
