/* SPDX-License-Identifier: Apache-2.0 */
/* Of the suite: what changes, and who changes it at the same time. */
#include <check.h>
#include <pm/error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store_backend.h"
#include "store_scene.h"

#define ROUNDS 40

/* --- watches --------------------------------------------------------------------------------- */

static const struct store_entry *last_heard(const struct heard *heard)
{
	return &heard->entries[(heard->count - 1) % HEARD_MAX];
}

START_TEST(watches_tell)
{
	struct heard heard = {0};
	struct store_watch *watch;
	uint64_t revision;
	struct answer a;

	scene_list(&s, s.store, "w/", NULL, 0, &a);
	watch = store_watch(
		s.store, scene_key(&s, "w/"), a.revision, scene_event, scene_lost, &heard);
	ck_assert(watch);
	answer_free(&a);
	ck_assert_int_eq(scene_put(&s, s.other, "v", "0", 0, 0, NULL), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.other, "w/a", "1", 0, 0, &revision), PM_OK);
	scene_wait_heard(&s, &heard, 1);
	ck_assert_str_eq(last_heard(&heard)->key, scene_key(&s, "w/a"));
	ck_assert_str_eq((const char *)last_heard(&heard)->value, "1");
	ck_assert_uint_eq(last_heard(&heard)->revision, revision);
	ck_assert_int_eq(scene_put(&s, s.store, "w0", "0", 0, 0, NULL), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "w/a", "2", 0, revision, NULL), PM_OK);
	scene_wait_heard(&s, &heard, 2);
	ck_assert_str_eq((const char *)last_heard(&heard)->value, "2");
	ck_assert_int_eq(scene_delete(&s, s.other, "w/a", STORE_ANY), PM_OK);
	scene_wait_heard(&s, &heard, 3);
	ck_assert_str_eq(last_heard(&heard)->key, scene_key(&s, "w/a"));
	ck_assert_ptr_null(last_heard(&heard)->value);
	ck_assert_uint_gt(last_heard(&heard)->revision, revision);
	ck_assert_uint_eq(heard.count, 3);
	store_unwatch(watch);
	scene_forget(&heard);
}
END_TEST

/* What was before the watch began, from a revision on: of each key at least the last. */
START_TEST(watches_begin_in_the_past)
{
	struct heard heard = {0};
	struct store_watch *watch;
	uint64_t from, revision = 0;
	char name[16];

	ck_assert_int_eq(scene_put(&s, s.store, "a", "x", 0, 0, &from), PM_OK);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ck_assert_int_eq(
			scene_put(&s, s.store, name, name, 0, STORE_ANY, &revision), PM_OK);
	}
	ck_assert_int_eq(scene_delete(&s, s.store, "7", STORE_ANY), PM_OK);
	watch = store_watch(s.other, s.prefix, from, scene_event, scene_lost, &heard);
	ck_assert(watch);
	while (!heard.is_lost && (!heard.count || last_heard(&heard)->revision <= revision)) {
		scene_wait_heard(&s, &heard, heard.count + 1);
		ck_assert_uint_gt(last_heard(&heard)->revision, from);
	}
	ck_assert_msg(!heard.is_lost, "%s", heard.reason);
	ck_assert_str_eq(last_heard(&heard)->key, scene_key(&s, "7"));
	ck_assert_ptr_null(last_heard(&heard)->value);
	ck_assert_uint_ge(heard.count, 200);
	store_unwatch(watch);
	scene_forget(&heard);
}
END_TEST

/* "From now on" begins at some time after the call: a change is told once it has begun. */
START_TEST(watches_begin_now)
{
	struct heard heard = {0};
	struct store_watch *watch;
	int i = 0;
	char text[16];

	ck_assert_int_eq(scene_put(&s, s.store, "old", "x", 0, 0, NULL), PM_OK);
	watch = store_watch(s.store, s.prefix, 0, scene_event, scene_lost, &heard);
	ck_assert(watch);
	while (!heard.count && !heard.is_lost) {
		snprintf(text, sizeof(text), "%d", i++);
		ck_assert_int_eq(scene_put(&s, s.store, "new", text, 0, STORE_ANY, NULL), PM_OK);
	}
	ck_assert(!heard.is_lost);
	ck_assert_str_eq(heard.entries[0].key, scene_key(&s, "new"));
	store_unwatch(watch);
	scene_forget(&heard);
}
END_TEST

struct leaver {
	struct store_watch *watch;
	struct heard heard;
};

static void leave(void *arg, const struct store_entry *entry)
{
	struct leaver *leaver = arg;

	scene_event(&leaver->heard, entry);
	store_unwatch(leaver->watch);
}

static void lose(void *arg, const char *reason)
{
	struct leaver *leaver = arg;

	scene_lost(&leaver->heard, reason);
}

START_TEST(watches_end)
{
	struct leaver leaver = {0};
	struct heard heard = {0};
	struct store_watch *others[STORE_WATCHES_MAX];
	uint64_t revision;

	ck_assert_int_eq(scene_put(&s, s.store, "a", "1", 0, 0, &revision), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "b", "2", 0, 0, NULL), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "c", "3", 0, 0, NULL), PM_OK);
	leaver.watch = store_watch(s.store, s.prefix, revision, leave, lose, &leaver);
	ck_assert(leaver.watch);
	for (int i = 1; i < STORE_WATCHES_MAX; i++) {
		others[i] = store_watch(s.store, s.prefix, 0, scene_event, scene_lost, &heard);
		ck_assert(others[i]);
	}
	ck_assert_ptr_null(store_watch(s.store, s.prefix, 0, scene_event, scene_lost, &heard));
	scene_wait_heard(&s, &leaver.heard, 1);
	for (int i = 1; i < STORE_WATCHES_MAX; i++)
		store_unwatch(others[i]);
	ck_assert_int_eq(scene_put(&s, s.other, "d", "4", 0, 0, NULL), PM_OK);
	scene_expect(&s, s.store, "d", "4");
	scene_settle(&s);
	ck_assert_uint_eq(leaver.heard.count, 1);
	ck_assert(!leaver.heard.is_lost);
	ck_assert_uint_eq(heard.count, 0);
	scene_forget(&leaver.heard);
}
END_TEST

/* A store that is older than what the watch has seen is not the same any more. */
START_TEST(watches_of_the_future_are_lost)
{
	struct heard heard = {0};
	struct answer a;

	scene_get(&s, s.store, "a", &a);
	ck_assert(store_watch(
		s.store, s.prefix, a.revision + 1000000, scene_event, scene_lost, &heard));
	answer_free(&a);
	scene_wait_heard(&s, &heard, 1);
	ck_assert(heard.is_lost && heard.count == 0);
}
END_TEST

/* A cluster throws away what is old when it is told to; ours keep so many changes. */
static void lose_history(void)
{
	static struct answer answers[STORE_HISTORY + 1];
	const char *compact = getenv("STORE_COMPACT");

	if (compact) {
		ck_assert_int_eq(system(compact), 0);
		return;
	}
	for (size_t i = 0; i <= STORE_HISTORY; i++) {
		ck_assert(store_put(s.store, scene_key(&s, "a"), "x", 1, 0, STORE_ANY, scene_done,
			&answers[i]));
		if (i + 1 >= STORE_OPS_MAX)
			scene_wait(&s, &answers[i - STORE_OPS_MAX + 1].is_done);
	}
	for (size_t i = 0; i <= STORE_HISTORY; i++) {
		scene_wait(&s, &answers[i].is_done);
		ck_assert_int_eq(answers[i].error, PM_OK);
		answer_free(&answers[i]);
	}
}

START_TEST(watches_of_lost_history_are_lost)
{
	struct heard heard = {0}, later = {0};
	struct store_watch *watch;
	uint64_t old;

	ck_assert_int_eq(scene_put(&s, s.store, "a", "1", 0, 0, &old), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "b", "2", 0, 0, NULL), PM_OK);
	ck_assert_int_eq(scene_put(&s, s.store, "c", "3", 0, 0, NULL), PM_OK);
	lose_history();
	watch = store_watch(s.store, scene_key(&s, "c"), 0, scene_event, scene_lost, &later);
	ck_assert(watch);
	ck_assert(store_watch(s.other, s.prefix, old, scene_event, scene_lost, &heard));
	scene_wait_heard(&s, &heard, 1);
	ck_assert(heard.is_lost && heard.count == 0);
	ck_assert_msg(strstr(heard.reason, "not known any more"), "%s", heard.reason);
	ck_assert(!later.is_lost);
	store_unwatch(watch);
	scene_forget(&later);
}
END_TEST

/* --- several at once ------------------------------------------------------------------------- */

/* Adds one to a number, until it was done as often as it must. */
static void count_up(struct scene *scene)
{
	struct answer a;
	char text[32];

	for (int done = 0; done < ROUNDS;) {
		uint64_t revision;
		int r;

		scene_get(scene, scene->store, "n", &a);
		ck_assert_int_eq(a.error, PM_OK);
		revision = a.entries[0].revision;
		snprintf(text, sizeof(text), "%ld",
			strtol((const char *)a.entries[0].value, NULL, 10) + 1);
		answer_free(&a);
		r = scene_put(scene, scene->store, "n", text, 0, revision, NULL);
		ck_assert(r == PM_OK || r == PM_E_STATE);
		done += r == PM_OK;
	}
}

static void *count_in_thread(void *arg)
{
	struct scene mine;

	scene_open(&mine);
	snprintf(mine.prefix, sizeof(mine.prefix), "%s", (const char *)arg);
	count_up(&mine);
	scene_close(&mine);
	return NULL;
}

static void expect_number(int number)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", number);
	scene_expect(&s, s.store, "n", text);
}

START_TEST(threads_count)
{
	pthread_t threads[2];

	ck_assert_int_eq(scene_put(&s, s.store, "n", "0", 0, 0, NULL), PM_OK);
	for (int i = 0; i < 2; i++)
		ck_assert(!pthread_create(&threads[i], NULL, count_in_thread, s.prefix));
	count_up(&s);
	for (int i = 0; i < 2; i++)
		ck_assert(!pthread_join(threads[i], NULL));
	expect_number(3 * ROUNDS);
}
END_TEST

/* The other process starts afresh: it must not have what this one has open. */
static pid_t count_in_process(void)
{
	char prefix[sizeof(s.prefix)];
	pid_t child;

	snprintf(prefix, sizeof(prefix), "%s", s.prefix);
	scene_close(&s);
	child = fork();
	ck_assert_int_ge(child, 0);
	scene_open(&s);
	snprintf(s.prefix, sizeof(s.prefix), "%s", prefix);
	if (child)
		return child;
	count_up(&s);
	_exit(0);
}

START_TEST(processes_count)
{
	struct heard heard = {0};
	char text[16];
	uint64_t revision;
	pid_t child;
	int status;

	snprintf(text, sizeof(text), "%d", 2 * ROUNDS);

	if (!strncmp(scene_url(), "memory:", 7))
		return; /* it is of one process */
	ck_assert_int_eq(scene_put(&s, s.store, "n", "0", 0, 0, &revision), PM_OK);
	child = count_in_process();
	ck_assert(store_watch(s.other, s.prefix, revision, scene_event, scene_lost, &heard));
	count_up(&s);
	ck_assert(waitpid(child, &status, 0) == child && status == 0);
	expect_number(2 * ROUNDS);
	scene_wait_heard(&s, &heard, 1);
	while (!heard.is_lost && strcmp((const char *)last_heard(&heard)->value, text) != 0)
		scene_wait_heard(&s, &heard, heard.count + 1);
	ck_assert_msg(!heard.is_lost, "%s", heard.reason);
	scene_forget(&heard);
}
END_TEST

void scene_add_watch_tests(TCase *group)
{
	tcase_add_test(group, watches_tell);
	tcase_add_test(group, watches_begin_in_the_past);
	tcase_add_test(group, watches_begin_now);
	tcase_add_test(group, watches_end);
	tcase_add_test(group, watches_of_the_future_are_lost);
	tcase_add_test(group, watches_of_lost_history_are_lost);
	tcase_add_test(group, threads_count);
	tcase_add_test(group, processes_count);
}
