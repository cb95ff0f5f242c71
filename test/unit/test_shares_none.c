/* SPDX-License-Identifier: Apache-2.0 */
/* A build without libgfshare says so, and leaves what it was given alone. */
#include <pm/error.h>
#include <pm/shares.h>

#include "testing.h"

START_TEST(says_that_it_can_t)
{
	uint8_t secret[PM_SHARES_SECRET_SIZE] = {1}, shares[2 * PM_SHARE_SIZE] = {0};

	ck_pm(pm_shares_split(secret, 2, 2, shares), PM_E_UNSUPPORTED);
	ck_assert(pm_is_zero(shares, sizeof(shares)));
	shares[0] = 1;
	shares[PM_SHARE_SIZE] = 2;
	ck_pm(pm_shares_combine(shares, 2, secret), PM_E_UNSUPPORTED);
	ck_assert_uint_eq(secret[0], 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shares_none");
	TCase *t = tcase_create("shares_none");

	tcase_add_test(t, says_that_it_can_t);
	suite_add_tcase(s, t);
	return test_main(s);
}
