/* SPDX-License-Identifier: Apache-2.0 */
/* Shares with consents of owners, some of whom send wrong ones: what is enough, what harmless. */
#include <string.h>

#include "pm-coordinator/consents.h"
#include "testing.h"

#define COUNT 5 /* of shares */

static uint8_t shares[COUNT + 1][PM_SHARE_SIZE]; /* by their numbers */
static uint8_t commitment[PM_SEED_COMMITMENT_SIZE];
static struct pm_seed *seed;
static struct consents *c;

static const uint8_t link_of[MACHINE_HASH_SIZE] = {1};

static void deal(size_t need_shares, size_t need_owners)
{
	ck_pm(pm_seed_new(&seed), PM_OK);
	ck_pm(pm_seed_commitment(seed, commitment), PM_OK);
	ck_pm(pm_shares_split(pm_seed_bytes(seed), need_shares, COUNT, shares[1]), PM_OK);
	c = consents_new(link_of, need_shares, need_owners);
	ck_assert_ptr_nonnull(c);
}

static void clean_up(void)
{
	consents_free(c);
	pm_seed_free(seed);
	c = NULL;
	seed = NULL;
}

static bool give_bytes(uint8_t owner, const uint8_t *share)
{
	uint8_t id[PM_SIGN_ID_SIZE] = {owner};

	return consents_add(c, id, share);
}

static void give(uint8_t owner, unsigned int number)
{
	ck_assert(give_bytes(owner, shares[number]));
}

static void give_wrong(uint8_t owner, uint8_t number, uint8_t mark)
{
	uint8_t share[PM_SHARE_SIZE] = {number, mark, owner};

	ck_assert(give_bytes(owner, share));
}

static int combine(void)
{
	struct pm_seed *found = NULL;
	int r = consents_combine(c, commitment, &found);

	if (r == PM_OK)
		ck_assert_mem_eq(pm_seed_bytes(found), pm_seed_bytes(seed), PM_SEED_SIZE);
	else
		ck_assert_ptr_null(found);
	pm_seed_free(found);
	return r;
}

static void counts(size_t wanted_have, size_t wanted_need)
{
	size_t have, need;

	consents_count(c, &have, &need);
	ck_assert_uint_eq(have, wanted_have);
	ck_assert_uint_eq(need, wanted_need);
}

START_TEST(enough_of_both)
{
	deal(3, 2);
	counts(0, 3);
	ck_pm(combine(), PM_E_MISSING);
	give(1, 1);
	counts(1, 3);
	give(1, 2);
	give(1, 3);
	counts(2, 3);
	ck_pm(combine(), PM_E_MISSING); /* of one owner alone */
	give(2, 3);
	ck_pm(combine(), PM_OK);
	clean_up();
	deal(2, 3);
	give(1, 1);
	give(2, 1);
	give(3, 1);
	counts(2, 3);
	ck_pm(combine(), PM_E_MISSING); /* one share, of three owners */
	give(3, 4);
	ck_pm(combine(), PM_OK);
	clean_up();
	deal(1, 1);
	give(9, 5);
	ck_pm(combine(), PM_OK);
	clean_up();
}
END_TEST

/* Each wrong one is tried beside right ones, whoever came first, and whatever number it has. */
START_TEST(wrong_shares_harm_nobody)
{
	deal(3, 2);
	give_wrong(1, 2, 1);
	give_wrong(1, 7, 1);
	give_wrong(1, 255, 1);
	give(2, 1);
	counts(2, 3);
	ck_pm(combine(), PM_E_REJECTED);
	give(3, 2);
	ck_pm(combine(), PM_E_REJECTED);
	for (uint8_t i = 1; i < 200; i++)
		give_wrong(1, i, i); /* all in his own room */
	ck_pm(combine(), PM_E_REJECTED);
	give(4, 3);
	ck_pm(combine(), PM_OK);
	clean_up();
}
END_TEST

START_TEST(an_owner_may_correct_himself)
{
	deal(2, 2);
	give_wrong(1, 1, 1);
	give(2, 2);
	ck_pm(combine(), PM_E_REJECTED);
	give(1, 1);
	ck_pm(combine(), PM_OK);
	clean_up();
}
END_TEST

/* A right share that an owner gave goes only for others of his. */
START_TEST(the_oldest_makes_room)
{
	deal(2, 2);
	give(1, 1);
	give_wrong(1, 3, 1);
	give_wrong(2, 9, 1);
	ck_pm(combine(), PM_E_REJECTED);
	give(2, 2);
	ck_pm(combine(), PM_OK);
	give_wrong(1, 4, 1); /* instead of number 1 */
	ck_pm(combine(), PM_E_REJECTED);
	clean_up();
}
END_TEST

START_TEST(limits)
{
	uint8_t other[MACHINE_HASH_SIZE] = {2}, zero[PM_SHARE_SIZE] = {0};

	ck_assert_ptr_null(consents_new(link_of, 0, 1));
	ck_assert_ptr_null(consents_new(link_of, 1, 0));
	ck_assert_ptr_null(consents_new(link_of, PM_SHARES_MAX + 1, 1));
	ck_assert_ptr_null(consents_new(link_of, 1, PM_MANIFEST_OWNERS_MAX + 1));
	deal(2, 1);
	ck_assert(consents_are_of(c, link_of) && !consents_are_of(c, other));
	ck_assert(!give_bytes(1, zero));
	for (uint8_t i = 0; i < PM_MANIFEST_OWNERS_MAX; i++)
		give_wrong(i, 1, i);
	ck_assert(!give_bytes(PM_MANIFEST_OWNERS_MAX, shares[1]));
	clean_up();
	consents_free(NULL);
}
END_TEST

/* However many wrong ones there are, it ends: here of 200 million choices. */
START_TEST(there_is_an_end)
{
	deal(COUNT, 1);
	for (uint8_t owner = 0; owner < 25; owner++)
		for (uint8_t i = 1; i <= COUNT; i++)
			give_wrong(owner, (uint8_t)(owner * COUNT + i), owner);
	ck_pm(combine(), PM_E_REJECTED);
	clean_up();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("consents");
	TCase *tcase = tcase_create("consents");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, enough_of_both);
	tcase_add_test(tcase, wrong_shares_harm_nobody);
	tcase_add_test(tcase, an_owner_may_correct_himself);
	tcase_add_test(tcase, the_oldest_makes_room);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, there_is_an_end);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
