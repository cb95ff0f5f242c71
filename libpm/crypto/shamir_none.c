/* SPDX-License-Identifier: Apache-2.0 */
/* In place of shamir_gfshare.c, where the build found no libgfshare. */
#include "crypto/shamir.h"

int pm_shamir_split(
	struct pm_view secret, struct pm_view numbers, uint8_t threshold, uint8_t *const *ret)
{
	(void)secret;
	(void)numbers;
	(void)threshold;
	(void)ret;
	return PM_E_UNSUPPORTED;
}

int pm_shamir_combine(
	const uint8_t *const *shares, struct pm_view numbers, uint8_t *ret_secret, size_t len)
{
	(void)shares;
	(void)numbers;
	(void)ret_secret;
	(void)len;
	return PM_E_UNSUPPORTED;
}
