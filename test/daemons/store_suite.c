/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every store does, whatever is behind it.
 *
 * store_suite URL [CERT KEY CA]
 */
#include <check.h>
#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_scene.h"

#define SECONDS_OF_A_TEST 120

struct scene s;

static void set_up(void)
{
	scene_open(&s);
}

static void tear_down(void)
{
	scene_close(&s);
}

/* Seconds since 1970, as the machine has it. */
static int64_t seconds_from_now(int64_t seconds)
{
	return (int64_t)time(NULL) + seconds;
}

/* --- one entry ------------------------------------------------------------------------------- */

START_TEST(values_come_back)
{
	static const uint8_t bytes[] = {0, 0xff, '"', '\\', 0, '\n', 0x80, 0xc3, 0x28, 0};
	struct answer a = {0};

	scene_expect(&s, s.store, "a", NULL);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "", 0, STORE_ANY, NULL), PM_OK);
	scene_expect(&s, s.store, "a", "");
	ck_assert(store_put(
		s.store, scene_key(&s, "a"), bytes, sizeof(bytes), 0, STORE_ANY, scene_done, &a));
	scene_wait(&s, &a.is_done);
	ck_assert_int_eq(a.error, PM_OK);
	answer_free(&a);
	scene_get(&s, s.other, "a", &a);
	ck_assert_uint_eq(a.count, 1);
	ck_assert_uint_eq(a.entries[0].len, sizeof(bytes));
	ck_assert_mem_eq(a.entries[0].value, bytes, sizeof(bytes));
	ck_assert_int_eq(a.entries[0].expires, 0);
	answer_free(&a);
}
END_TEST

START_TEST(revisions_grow)
{
	uint64_t first, second, third, again;
	struct answer a;

	ck_assert_int_eq(scene_put(&s, s.store, "a", "1", 0, STORE_ANY, &first), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.other, "b", "2", 0, STORE_ANY, &second), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "3", 0, STORE_ANY, &third), PM_OK);
	ck_assert(first > 1 && second > first && third > second);
	scene_get(&s, s.store, "a", &a);
	ck_assert_uint_eq(a.entries[0].revision, third);
	ck_assert_uint_ge(a.revision, third);
	answer_free(&a);
	/* Deleted and made anew is another entry. */
	ck_assert_int_eq(scene_delete(&s, s.store, "a", STORE_ANY), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "3", 0, third, NULL), PM_E_STATE);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "3", 0, 0, &again), PM_OK);
	ck_assert_uint_gt(again, third);
}
END_TEST

START_TEST(writes_compare)
{
	uint64_t first, second;

	ck_assert_int_eq(scene_put(&s, s.store, "a", "1", 0, 7, NULL), PM_E_STATE);
	scene_expect(&s, s.store, "a", NULL);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "1", 0, 0, &first), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.other, "a", "2", 0, 0, NULL), PM_E_STATE);
	scene_expect(&s, s.store, "a", "1");
	ck_assert_int_eq(scene_put(&s, s.other, "a", "3", 0, first, &second), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "4", 0, first, NULL), PM_E_STATE);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "5", 0, second + 1, NULL), PM_E_STATE);
	scene_expect(&s, s.store, "a", "3");
	ck_assert_int_eq(scene_put(&s, s.store, "a", "6", 0, STORE_ANY, NULL), PM_OK);
	scene_expect(&s, s.store, "a", "6");
}
END_TEST

START_TEST(deletions_compare)
{
	uint64_t first, second;

	ck_assert_int_eq(scene_delete(&s, s.store, "a", STORE_ANY), PM_E_MISSING);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", 5), PM_E_MISSING);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "1", 0, 0, &first), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "2", 0, first, &second), PM_OK);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", first), PM_E_STATE);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", 0), PM_E_ARG);
	scene_expect(&s, s.store, "a", "2");
	ck_assert_int_eq(scene_delete(&s, s.store, "a", second), PM_OK);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", second), PM_E_MISSING);
	scene_expect(&s, s.store, "a", NULL);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "3", 0, 0, NULL), PM_OK);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", STORE_ANY), PM_OK);
	scene_expect(&s, s.store, "a", NULL);
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------- */

static int put_key(const char *key)
{
	struct answer a = {0};
	int error;

	ck_assert(store_put(s.store, key, "v", 1, 0, STORE_ANY, scene_done, &a));
	scene_wait(&s, &a.is_done);
	error = a.error;
	answer_free(&a);
	return error;
}

static int get_key(const char *key)
{
	struct answer a = {0};
	int error;

	ck_assert(store_get(s.store, key, scene_done, &a));
	scene_wait(&s, &a.is_done);
	error = a.error;
	answer_free(&a);
	return error;
}

START_TEST(keys_are_limited)
{
	static const char *const bad[] = {"", "a b", "a\tb", "a\nb", "a\x7f", "\xc3\xa4", "\x01"};
	char key[STORE_KEY_MAX + 2];
	struct answer a = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(put_key(bad[i]), PM_E_ARG);
		ck_assert_int_eq(get_key(bad[i]), PM_E_ARG);
	}
	memset(key, 'k', sizeof(key));
	memcpy(key, s.prefix, strlen(s.prefix));
	key[STORE_KEY_MAX + 1] = '\0';
	ck_assert_int_eq(put_key(key), PM_E_ARG);
	ck_assert_int_eq(get_key(key), PM_E_ARG);
	key[STORE_KEY_MAX] = '\0';
	ck_assert_int_eq(put_key(key), PM_OK);
	ck_assert_int_eq(get_key(key), PM_OK);
	ck_assert_int_eq(put_key(scene_key(&s, "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\"")), PM_OK);
	ck_assert_int_eq(get_key(scene_key(&s, "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\"")), PM_OK);
	ck_assert(store_list(s.store, "a b", "", 0, scene_done, &a));
	scene_wait(&s, &a.is_done);
	ck_assert_int_eq(a.error, PM_E_ARG);
	answer_free(&a);
}
END_TEST

START_TEST(values_are_limited)
{
	uint8_t *bytes = malloc(STORE_VALUE_MAX + 1);
	struct answer a;

	ck_assert(bytes);
	for (size_t i = 0; i <= STORE_VALUE_MAX; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	ck_assert_int_eq(scene_put_bytes(&s, "a", bytes, STORE_VALUE_MAX + 1), PM_E_ARG);
	scene_expect(&s, s.store, "a", NULL);
	ck_assert_int_eq(scene_put_bytes(&s, "a", bytes, STORE_VALUE_MAX), PM_OK);
	scene_get(&s, s.other, "a", &a);
	ck_assert_uint_eq(a.count, 1);
	ck_assert_uint_eq(a.entries[0].len, STORE_VALUE_MAX);
	ck_assert(!memcmp(a.entries[0].value, bytes, STORE_VALUE_MAX));
	answer_free(&a);
	free(bytes);
	ck_assert_int_eq(
		scene_put(&s, s.store, "b", "v", seconds_from_now(-1), STORE_ANY, NULL), PM_E_ARG);
	ck_assert_int_eq(scene_put(&s, s.store, "b", "v", -1, STORE_ANY, NULL), PM_E_ARG);
	scene_expect(&s, s.store, "b", NULL);
}
END_TEST

/* Many at once; each is done once. */
START_TEST(operations_are_limited)
{
	size_t wanted = STORE_OPS_MAX + 10, done = 0, refused = 0;
	struct answer *answers = calloc(wanted, sizeof(*answers));
	char name[32];

	ck_assert(answers);
	for (size_t i = 0; i < wanted; i++) {
		snprintf(name, sizeof(name), "%zu", i % 64);
		ck_assert(store_get(s.store, scene_key(&s, name), scene_done, &answers[i]));
	}
	for (size_t i = 0; i < wanted; i++) {
		scene_wait(&s, &answers[i].is_done);
		refused += answers[i].error == PM_E_LIMIT;
		done += answers[i].error == PM_E_MISSING;
		answer_free(&answers[i]);
	}
	ck_assert_uint_eq(refused, 10);
	ck_assert_uint_eq(done, STORE_OPS_MAX);
	free(answers);
	scene_expect(&s, s.store, "0", NULL);
}
END_TEST

/* --- expiry ---------------------------------------------------------------------------------- */

/* By the clock of who asks; whether the backend has deleted it says nothing. */
START_TEST(expired_is_not_there)
{
	uint64_t first, second;
	struct answer a;

	ck_assert_int_eq(
		scene_put(&s, s.store, "a", "1", seconds_from_now(1000), 0, &first), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "b", "2", 0, 0, NULL), PM_OK);
	scene_expect(&s, s.store, "a", "1");
	scene_get(&s, s.store, "a", &a);
	ck_assert_int_ge(a.entries[0].expires, seconds_from_now(900));
	answer_free(&a);
	scene_move_time(2000);
	scene_expect(&s, s.store, "a", NULL);
	scene_list(&s, s.store, "", NULL, 1, &a);
	ck_assert(a.count == 1 && !strcmp(a.entries[0].key, scene_key(&s, "b")) && !a.more);
	answer_free(&a);
	scene_list(&s, s.store, "a", NULL, 0, &a);
	ck_assert(a.error == PM_OK && a.count == 0 && !a.more);
	answer_free(&a);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "3", 0, first, NULL), PM_E_STATE);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", first), PM_E_MISSING);
	ck_assert_int_eq(scene_delete(&s, s.store, "a", STORE_ANY), PM_E_MISSING);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "4", 0, 0, &second), PM_OK);
	ck_assert_uint_gt(second, first);
	scene_expect(&s, s.other, "a", "4");
	scene_move_time(-2000);
	scene_expect(&s, s.store, "a", "4");
}
END_TEST

/* A write without an end takes the end of the one before away. */
START_TEST(expiry_is_replaced)
{
	uint64_t first;
	struct answer a;

	ck_assert_int_eq(
		scene_put(&s, s.store, "a", "1", seconds_from_now(1000), 0, &first), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "a", "2", 0, first, NULL), PM_OK);
	ck_assert_int_eq(
		scene_put(&s, s.store, "b", "3", seconds_from_now(3000), STORE_ANY, NULL), PM_OK);
	scene_move_time(2000);
	scene_expect(&s, s.store, "a", "2");
	scene_expect(&s, s.store, "b", "3");
	scene_get(&s, s.store, "a", &a);
	ck_assert_int_eq(a.entries[0].expires, 0);
	answer_free(&a);
	scene_move_time(-2000);
}
END_TEST

START_TEST(expired_is_deleted)
{
	struct heard heard = {0};
	struct store_watch *watch =
		store_watch(s.other, scene_key(&s, ""), 1, scene_event, scene_lost, &heard);
	struct answer a;

	store_unwatch(watch);
	scene_get(&s, s.store, "a", &a);
	ck_assert_int_eq(
		scene_put(&s, s.store, "a", "1", seconds_from_now(2), STORE_ANY, NULL), PM_OK);
	watch = store_watch(
		s.other, scene_key(&s, ""), a.revision, scene_event, scene_lost, &heard);
	ck_assert(watch);
	answer_free(&a);
	scene_wait_heard(&s, &heard, 1);
	while (!heard.is_lost && heard.entries[(heard.count - 1) % HEARD_MAX].value)
		scene_wait_heard(&s, &heard, heard.count + 1);
	ck_assert_msg(!heard.is_lost, "%s", heard.reason);
	scene_expect(&s, s.store, "a", NULL);
	store_unwatch(watch);
	scene_forget(&heard);
}
END_TEST

/* --- calls ----------------------------------------------------------------------------------- */

struct chain {
	bool is_done;
	int left;
};

/* A call may start the next operation. */
static void next_link(void *arg, const struct store_result *result)
{
	struct chain *chain = arg;

	ck_assert_int_eq(result->error, PM_OK);
	chain->is_done = --chain->left == 0;
	if (!chain->is_done)
		ck_assert(store_put(s.store, scene_key(&s, "chain"), "x", 1, 0, result->revision,
			next_link, chain));
}

START_TEST(calls_start_operations)
{
	struct chain chain = {.left = 20};

	ck_assert(store_put(
		s.store, scene_key(&s, "chain"), "x", 1, 0, STORE_ANY, next_link, &chain));
	scene_wait(&s, &chain.is_done);
}
END_TEST

static void must_not_come(void *arg, const struct store_result *result)
{
	(void)arg;
	ck_abort_msg("a cancelled operation came back: %d", result->error);
}

/* Two operations: the first that is done cancels the other one. */
struct canceller {
	struct store_op *other;
	bool *is_done;
};

static void cancel_other(void *arg, const struct store_result *result)
{
	struct canceller *c = arg;

	(void)result;
	ck_assert_msg(!*c->is_done, "a cancelled operation came back");
	*c->is_done = true;
	store_cancel(c->other);
}

START_TEST(cancelled_does_not_come)
{
	bool is_done = false;
	struct canceller a = {.is_done = &is_done}, b = {.is_done = &is_done};
	struct store_op *op;

	op = store_get(s.store, scene_key(&s, "a"), must_not_come, NULL);
	ck_assert(op);
	store_cancel(op);
	op = store_put(s.store, "not a key", "", 0, 0, STORE_ANY, must_not_come, NULL);
	ck_assert(op);
	store_cancel(op);
	/* From the call of another: both are done by then, mostly. */
	b.other = store_get(s.store, scene_key(&s, "a"), cancel_other, &a);
	a.other = store_get(s.store, scene_key(&s, "a"), cancel_other, &b);
	ck_assert(a.other && b.other);
	scene_wait(&s, &is_done);
	op = store_put(s.store, scene_key(&s, "b"), "x", 1, 0, STORE_ANY, must_not_come, NULL);
	ck_assert(op);
	store_cancel(op);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(scene_put(&s, s.store, "c", "x", 0, STORE_ANY, NULL), PM_OK);
}
END_TEST

START_TEST(closing_gives_up)
{
	struct store *store = scene_open_store(s.loop);
	struct heard heard = {0};

	for (int i = 0; i < 100; i++) {
		ck_assert(store_get(store, scene_key(&s, "a"), must_not_come, NULL));
		ck_assert(store_put(store, scene_key(&s, "a"), "x", 1, seconds_from_now(100),
			STORE_ANY, must_not_come, NULL));
	}
	ck_assert(store_watch(store, s.prefix, 0, scene_event, scene_lost, &heard));
	ck_assert(store_watch(store, s.prefix, 1, scene_event, scene_lost, &heard));
	store_close(store);
	ck_assert_int_eq(scene_put(&s, s.store, "b", "y", 0, STORE_ANY, NULL), PM_OK);
	scene_expect(&s, s.other, "b", "y");
	ck_assert_uint_eq(heard.count, 0);
}
END_TEST

START_TEST(urls_are_checked)
{
	static const char *const bad[] = {"", "memory", "file:x",
		"memory:", "sqlite:", "etcd:", "etcd:a:2379", "etcd:https://",
		"etcd:https://a,,https://b", "etcd:ftp://a", "etcd:https://a/x",
		"etcd:https://user@a", "etcd:https://a b"};
	const char *reason;
	struct store *store;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reason = NULL;
		ck_assert_msg(store_open(s.loop, bad[i], NULL, &reason, &store) == PM_E_ARG, "'%s'",
			bad[i]);
		ck_assert(reason && *reason);
	}
}
END_TEST

static void add_tests(TCase *group)
{
	tcase_add_test(group, values_come_back);
	tcase_add_test(group, revisions_grow);
	tcase_add_test(group, writes_compare);
	tcase_add_test(group, deletions_compare);
	tcase_add_test(group, keys_are_limited);
	tcase_add_test(group, values_are_limited);
	tcase_add_test(group, operations_are_limited);
	tcase_add_test(group, expired_is_not_there);
	tcase_add_test(group, expiry_is_replaced);
	tcase_add_test(group, expired_is_deleted);
	tcase_add_test(group, calls_start_operations);
	tcase_add_test(group, cancelled_does_not_come);
	tcase_add_test(group, closing_gives_up);
	tcase_add_test(group, urls_are_checked);
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("store");
	TCase *group = tcase_create("store");
	SRunner *runner;
	int failed;

	scene_init(argc, argv);
	tcase_add_checked_fixture(group, set_up, tear_down);
	tcase_set_timeout(group, SECONDS_OF_A_TEST);
	add_tests(group);
	scene_add_list_tests(group);
	scene_add_watch_tests(group);
	suite_add_tcase(suite, group);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
