/* SPDX-License-Identifier: Apache-2.0 */
/* The time by which secrets end: it passes, whatever is done to the system's clock. */
#include "common/clock.h"
#include "testing.h"

#define SECOND	INT64_C(1000000000)
#define AT_1970 (INT64_C(1790000000) * SECOND)

static struct clock_pace pace;
static int64_t off;

/* The time after so many seconds, of which the system's clock is off by some. */
static int64_t after(int64_t seconds, int64_t step)
{
	return clock_pace(&pace, AT_1970 + (seconds + step) * SECOND, seconds * SECOND, &off) -
	       AT_1970;
}

static void begin(void)
{
	pace = (struct clock_pace){0};
	ck_assert_int_eq(after(0, 0), 0);
	ck_assert_int_eq(off, 0);
}

START_TEST(it_is_the_clock)
{
	for (int64_t i = 1; i < 100; i++) {
		ck_assert_int_eq(after(i * i, 0), i * i * SECOND);
		ck_assert_int_eq(off, 0);
	}
}
END_TEST

/* Forth and back again: nearly nothing has happened. */
START_TEST(steps_are_followed_slowly)
{
	ck_assert_int_eq(after(100, 3600), 110 * SECOND);
	ck_assert_int_eq(off, 3590 * SECOND);
	ck_assert_int_eq(after(110, 3600), 121 * SECOND);
	ck_assert_int_eq(after(120, 0), 130 * SECOND); /* it gives back what it took */
	ck_assert_int_eq(off, -10 * SECOND);
	ck_assert_int_eq(after(1000, 0), 1000 * SECOND);
	ck_assert_int_eq(off, 0);
}
END_TEST

START_TEST(it_never_goes_back)
{
	int64_t last = after(1, 0), now;

	for (int64_t i = 2; i < 1000; i++, last = now) {
		now = after(i, -86400);
		ck_assert_int_ge(now, last + SECOND - SECOND / CLOCK_PACE);
		ck_assert_int_lt(now, last + SECOND);
	}
	ck_assert_int_eq(clock_pace(&pace, 0, 999 * SECOND, &off), pace.time); /* no time passed */
}
END_TEST

/* However often it is asked, it comes to the system's clock in the end. */
START_TEST(it_arrives)
{
	int64_t t = 0;

	for (int64_t passed = 0; passed <= 110 * SECOND; passed += SECOND / 1000)
		t = clock_pace(&pace, AT_1970 + 10 * SECOND + passed, passed, &off);
	ck_assert_int_eq(t, AT_1970 + 120 * SECOND);
	ck_assert_int_eq(off, 0);
}
END_TEST

START_TEST(the_systems_own)
{
	int64_t now = clock_seconds();

	ck_assert_int_gt(now, AT_1970 / SECOND / 2);
	ck_assert_int_ge(clock_seconds(), now);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, it_is_the_clock);
	tcase_add_test(tcase, steps_are_followed_slowly);
	tcase_add_test(tcase, it_never_goes_back);
	tcase_add_test(tcase, it_arrives);
	tcase_add_test(tcase, the_systems_own);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
