/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/shamir.h"

#include <libgfshare.h>
#include <sodium.h>

static void free_ctx(gfshare_ctx *ctx)
{
	if (ctx)
		gfshare_ctx_free(ctx);
}

PM_OWNER(_gfshare_ctx, free_ctx);

static void fill(unsigned char *bytes, unsigned int n)
{
	randombytes_buf(bytes, n);
}

/*
 * libgfshare draws its coefficients, and what it overwrites its memory with, by this hook, which is
 * one for the process. Each call sets it anew, always to the same, so threads need not agree.
 */
static int ready(void)
{
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	__atomic_store_n(&gfshare_fill_rand, fill, __ATOMIC_SEQ_CST);
	return PM_OK;
}

int pm_shamir_split(
	struct pm_view secret, struct pm_view numbers, uint8_t threshold, uint8_t *const *ret)
{
	pm_cleanup(_gfshare_ctx) gfshare_ctx *ctx = NULL;
	int r = ready();

	if (r < 0)
		return r;
	ctx = gfshare_ctx_init_enc((unsigned char *)numbers.ptr, (unsigned int)numbers.len,
		threshold, (unsigned int)secret.len);
	if (!ctx)
		return PM_E_NOMEM;
	gfshare_ctx_enc_setsecret(ctx, (unsigned char *)secret.ptr);
	for (size_t i = 0; i < numbers.len; i++)
		gfshare_ctx_enc_getshare(ctx, (unsigned char)i, ret[i]);
	return PM_OK;
}

int pm_shamir_combine(
	const uint8_t *const *shares, struct pm_view numbers, uint8_t *ret_secret, size_t len)
{
	pm_cleanup(_gfshare_ctx) gfshare_ctx *ctx = NULL;
	int r = ready();

	if (r < 0)
		return r;
	ctx = gfshare_ctx_init_dec(
		(unsigned char *)numbers.ptr, (unsigned int)numbers.len, (unsigned int)len);
	if (!ctx)
		return PM_E_NOMEM;
	for (size_t i = 0; i < numbers.len; i++)
		gfshare_ctx_dec_giveshare(ctx, (unsigned char)i, (unsigned char *)shares[i]);
	gfshare_ctx_dec_extract(ctx, ret_secret);
	return PM_OK;
}
