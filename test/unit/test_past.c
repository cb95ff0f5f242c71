/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-secrets remembers of its commands, and when there is no room for more. */
#include <stdio.h>
#include <string.h>

#include "pm-secrets/past.h"
#include "testing.h"

#define NOW 1000000

static struct past *past;

static void setup(void)
{
	past = past_new();
	ck_assert_ptr_nonnull(past);
}

static void teardown(void)
{
	past_free(past);
}

static const char *name_of(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "weights/%d", i);
	return name;
}

/* --- ended secrets --------------------------------------------------------------------------- */

/* A store may show what was made just before. */
START_TEST(ends_are_of_their_second)
{
	ck_assert(!past_is_over(past, "a", NOW));
	ck_pm(past_end(past, "a", NOW), PM_OK);
	ck_assert(past_is_over(past, "a", NOW - 1));
	ck_assert(past_is_over(past, "a", NOW));
	ck_assert(!past_is_over(past, "a", NOW + 1));
	ck_assert(!past_is_over(past, "b", NOW - 1));
	ck_pm(past_end(past, "a", NOW + 5), PM_OK);
	ck_assert(past_is_over(past, "a", NOW + 5));
	ck_assert(!past_is_over(past, "a", NOW + 6));
}
END_TEST

static void end_many(int from, int to, int64_t now)
{
	for (int i = from; i < to; i++)
		ck_pm(past_end(past, name_of(i), now), PM_OK);
}

static int count_over(int from, int to, int64_t created)
{
	int n = 0;

	for (int i = from; i < to; i++)
		n += past_is_over(past, name_of(i), created);
	return n;
}

/* Those without room are over still; of those that nobody ended few are taken for them. */
START_TEST(ends_that_have_no_room)
{
	const int many = 1000, all = PAST_ENDED_MAX + many;

	end_many(0, PAST_ENDED_MAX, NOW);
	ck_assert_int_eq(count_over(all, 2 * all, NOW), 0);
	end_many(PAST_ENDED_MAX, all, NOW + 10);
	ck_assert_int_eq(count_over(0, all, NOW), all);
	ck_assert_int_le(count_over(all, 2 * all, NOW), all / 20);
	/* What is put anew is not over. */
	ck_assert_int_eq(count_over(0, PAST_ENDED_MAX, NOW + 1), 0);
	ck_assert_int_eq(count_over(PAST_ENDED_MAX, all, NOW + 11), 0);
}
END_TEST

/* One that is ended again takes no other's room. */
START_TEST(ends_that_are_known)
{
	end_many(0, PAST_ENDED_MAX, NOW);
	for (int i = 0; i < 1000; i++)
		ck_pm(past_end(past, name_of(1), NOW + 1), PM_OK);
	ck_assert_int_eq(count_over(PAST_ENDED_MAX, 2 * PAST_ENDED_MAX, NOW), 0);
}
END_TEST

/* Behind the longest life nothing is there that they ended. */
START_TEST(ends_that_are_old)
{
	end_many(0, PAST_ENDED_MAX, NOW);
	end_many(PAST_ENDED_MAX, 2 * PAST_ENDED_MAX, NOW + PM_COMMAND_TTL_MAX);
	ck_assert_int_eq(count_over(0, PAST_ENDED_MAX, NOW), 0);
}
END_TEST

/* --- commands -------------------------------------------------------------------------------- */

static int obey(int i, int64_t until, int64_t now)
{
	uint8_t digest[PM_COMMAND_DIGEST_SIZE] = {0};

	memcpy(digest, &i, sizeof(i));
	return past_obey(past, digest, until, now);
}

START_TEST(commands_are_obeyed_once)
{
	for (int i = 0; i < PAST_COMMANDS_MAX; i++)
		ck_pm(obey(i, NOW + 10 + i % 2, NOW), PM_OK);
	ck_pm(obey(7, NOW + 100, NOW), PM_E_STATE);
	/* None is forgotten before its time for another. */
	ck_pm(obey(PAST_COMMANDS_MAX, NOW + 10, NOW + 9), PM_E_LIMIT);
	ck_pm(obey(PAST_COMMANDS_MAX, NOW + 20, NOW + 10), PM_OK);
	ck_pm(obey(7, NOW + 100, NOW + 10), PM_E_STATE);
	ck_pm(obey(6, NOW + 100, NOW + 10), PM_OK);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("past");
	TCase *t = tcase_create("past");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, ends_are_of_their_second);
	tcase_add_test(t, ends_that_have_no_room);
	tcase_add_test(t, ends_that_are_known);
	tcase_add_test(t, ends_that_are_old);
	tcase_add_test(t, commands_are_obeyed_once);
	suite_add_tcase(s, t);
	return test_main(s);
}
