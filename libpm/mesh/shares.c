/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of a secret: a number, and the values there. */
#include <pm/shares.h>

#include "crypto/shamir.h"

_Static_assert(PM_SHARE_SIZE == 1 + PM_SHARES_SECRET_SIZE, "a share");

int pm_shares_split(const uint8_t *secret, size_t threshold, size_t count, uint8_t *ret_shares)
{
	uint8_t numbers[PM_SHARES_MAX], *values[PM_SHARES_MAX];
	int r;

	if (count < 1 || count > PM_SHARES_MAX || threshold < 1 || threshold > count)
		return PM_E_ARG;
	for (size_t i = 0; i < count; i++) {
		numbers[i] = (uint8_t)(i + 1);
		values[i] = ret_shares + i * PM_SHARE_SIZE + 1;
	}
	r = pm_shamir_split(pm_view(secret, PM_SHARES_SECRET_SIZE), pm_view(numbers, count),
		(uint8_t)threshold, values);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		ret_shares[i * PM_SHARE_SIZE] = numbers[i];
	return PM_OK;
}

/* Numbers 1 to 255, each once: at 0 lies the secret, and a place counts once only. */
static int check_numbers(const uint8_t *numbers, size_t count)
{
	bool seen[UINT8_MAX + 1] = {false};

	for (size_t i = 0; i < count; i++) {
		if (!numbers[i] || seen[numbers[i]])
			return PM_E_FORMAT;
		seen[numbers[i]] = true;
	}
	return PM_OK;
}

int pm_shares_combine(const uint8_t *shares, size_t count, uint8_t *ret_secret)
{
	uint8_t numbers[PM_SHARES_MAX];
	const uint8_t *values[PM_SHARES_MAX];
	int r;

	if (!count)
		return PM_E_ARG;
	if (count > PM_SHARES_MAX)
		return PM_E_LIMIT;
	for (size_t i = 0; i < count; i++) {
		numbers[i] = shares[i * PM_SHARE_SIZE];
		values[i] = shares + i * PM_SHARE_SIZE + 1;
	}
	r = check_numbers(numbers, count);
	if (r < 0)
		return r;
	return pm_shamir_combine(
		values, pm_view(numbers, count), ret_secret, PM_SHARES_SECRET_SIZE);
}
