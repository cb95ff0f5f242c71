/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/report.h"
#include "policy/verdict.h"
#include "testing.h"

static struct pm_verdict *v;
static struct pm_report *report;

static void make(void)
{
	v = pm_verdict_new();
	report = pm_report_new();
	ck_assert(v && report);
}

static void drop(void)
{
	pm_verdict_free(v);
	pm_report_free(report);
}

static void succeed(const char *name)
{
	pm_pass(report, name, "found");
	pm_verdict_take(v, report, "source");
}

static void flunk(const char *name)
{
	ck_pm(pm_fail(report, PM_E_REJECTED, name, "wanted", "found"), PM_E_REJECTED);
	pm_verdict_take(v, report, "source");
}

static void is_node(
	size_t i, const char *name, unsigned int depth, bool is_group, enum pm_outcome outcome)
{
	const struct pm_verdict_node *n = pm_verdict_at(v, i);

	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(n->name, name);
	ck_assert_uint_eq(n->depth, depth);
	ck_assert(n->is_group == is_group);
	ck_assert_int_eq(n->outcome, outcome);
}

START_TEST(a_new_verdict_is_a_refusal)
{
	ck_assert(!pm_verdict_is_accepted(v));
	ck_assert_uint_eq(pm_verdict_count(v), 0);
	ck_assert_ptr_null(pm_verdict_at(v, 0));
	ck_assert_ptr_null(pm_verdict_failure(v));
	ck_assert_str_eq(pm_verdict_reason(v), "");
	pm_verdict_accept(v);
	ck_assert(pm_verdict_is_accepted(v));
	pm_verdict_reset(v);
	ck_assert(!pm_verdict_is_accepted(v));
}
END_TEST

START_TEST(groups_have_the_outcome_of_what_they_hold)
{
	pm_verdict_begin(v, "good", "here");
	succeed("a");
	pm_skip(report, "b", "not looked at");
	pm_verdict_take(v, report, "");
	pm_verdict_end(v);
	pm_verdict_begin(v, "outer", "");
	succeed("c");
	pm_verdict_begin(v, "inner", "");
	flunk("d");
	pm_verdict_end(v);
	succeed("e");
	pm_verdict_end(v);
	pm_verdict_begin(v, "nothing", "");
	pm_verdict_end(v);
	is_node(0, "good", 0, true, PM_PASSED);
	is_node(1, "a", 1, false, PM_PASSED);
	is_node(2, "b", 1, false, PM_NOT_CHECKED);
	is_node(3, "outer", 0, true, PM_FAILED);
	is_node(4, "c", 1, false, PM_PASSED);
	is_node(5, "inner", 1, true, PM_FAILED);
	is_node(6, "d", 2, false, PM_FAILED);
	is_node(7, "e", 1, false, PM_PASSED);
	is_node(8, "nothing", 0, true, PM_NOT_CHECKED);
	ck_assert_uint_eq(pm_verdict_count(v), 9);
	ck_assert_str_eq(pm_verdict_at(v, 0)->source, "here");
	ck_assert_str_eq(pm_verdict_at(v, 6)->source, "source");
	ck_assert_str_eq(pm_verdict_at(v, 6)->expected, "wanted");
	ck_assert_str_eq(pm_verdict_at(v, 6)->found, "found");
}
END_TEST

START_TEST(the_first_failure_is_named)
{
	pm_verdict_begin(v, "GPUs", "");
	pm_verdict_begin(v, "GPU 3", "");
	flunk("nonce");
	flunk("signature");
	pm_verdict_end(v);
	pm_verdict_end(v);
	ck_assert_ptr_eq(pm_verdict_failure(v), pm_verdict_at(v, 2));
	ck_assert_str_eq(pm_verdict_reason(v), "GPUs, GPU 3, nonce: found found, expected wanted");
	pm_verdict_reset(v);
	ck_assert_ptr_null(pm_verdict_failure(v));
	ck_assert_str_eq(pm_verdict_reason(v), "");
}
END_TEST

/* Names of groups can come with the evidence. */
START_TEST(texts_are_printable_and_cut)
{
	char name[400];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	name[0] = '\x1b';
	name[1] = '\n';
	name[2] = (char)0xff;
	pm_verdict_begin(v, name, name);
	pm_verdict_end(v);
	ck_assert(!strncmp(pm_verdict_at(v, 0)->name, "???nnn", 6));
	ck_assert(!strncmp(pm_verdict_at(v, 0)->source, "???nnn", 6));
	ck_assert_uint_lt(strlen(pm_verdict_at(v, 0)->name), 200);
}
END_TEST

/* Without room a failure is not lost, and groups know of it. */
START_TEST(a_full_verdict_keeps_the_first_failure)
{
	pm_verdict_begin(v, "outer", "");
	for (int i = 0; i < PM_VERDICT_NODES_MAX; i++)
		succeed("a");
	pm_verdict_begin(v, "late", "");
	flunk("first");
	flunk("second");
	pm_verdict_end(v);
	pm_verdict_end(v);
	ck_assert_uint_eq(pm_verdict_count(v), PM_VERDICT_NODES_MAX);
	ck_assert_uint_eq(pm_verdict_dropped(v), 4);
	is_node(0, "outer", 0, true, PM_FAILED);
	is_node(PM_VERDICT_NODES_MAX - 1, "first", 2, false, PM_FAILED);
	ck_assert_str_eq(pm_verdict_reason(v), "outer, first: found found, expected wanted");
}
END_TEST

/* The entry that gives way may be a group's. */
START_TEST(a_group_gives_way)
{
	pm_verdict_begin(v, "outer", "");
	for (int i = 0; i < PM_VERDICT_NODES_MAX - 2; i++)
		succeed("a");
	pm_verdict_begin(v, "last", "");
	flunk("first");
	pm_verdict_end(v);
	pm_verdict_end(v);
	is_node(PM_VERDICT_NODES_MAX - 1, "first", 2, false, PM_FAILED);
	is_node(0, "outer", 0, true, PM_FAILED);
	ck_assert_str_eq(pm_verdict_reason(v), "outer, first: found found, expected wanted");
}
END_TEST

START_TEST(no_verdict_is_fine)
{
	pm_verdict_begin(NULL, "a", "");
	pm_verdict_take(NULL, report, "");
	pm_verdict_take(v, NULL, "");
	pm_verdict_end(NULL);
	pm_verdict_accept(NULL);
	pm_verdict_free(NULL);
	ck_assert_uint_eq(pm_verdict_count(v), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verdict");
	TCase *t = tcase_create("verdict");

	tcase_add_checked_fixture(t, make, drop);
	tcase_add_test(t, a_new_verdict_is_a_refusal);
	tcase_add_test(t, groups_have_the_outcome_of_what_they_hold);
	tcase_add_test(t, the_first_failure_is_named);
	tcase_add_test(t, texts_are_printable_and_cut);
	tcase_add_test(t, a_full_verdict_keeps_the_first_failure);
	tcase_add_test(t, a_group_gives_way);
	tcase_add_test(t, no_verdict_is_fine);
	suite_add_tcase(s, t);
	return test_main(s);
}
