/* SPDX-License-Identifier: Apache-2.0 */
/* Of the suite: lists of entries. */
#include <check.h>
#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_scene.h"

static void put_names(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(
			scene_put(&s, s.store, names[i], names[i], 0, STORE_ANY, NULL), PM_OK);
}

static void expect_names(const struct answer *a, const char *const *names, size_t count)
{
	ck_assert_int_eq(a->error, PM_OK);
	ck_assert_uint_eq(a->count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_str_eq(a->entries[i].key, scene_key(&s, names[i]));
		ck_assert_str_eq((const char *)a->entries[i].value, names[i]);
	}
}

START_TEST(lists_are_sorted)
{
	static const char *const names[] = {
		"a/b", "a", "b", "a/", "a0", "a/B", "a/~", "A", "a/b/c", "a.z"};
	static const char *const under[] = {"a/", "a/B", "a/b", "a/b/c", "a/~"};
	static const char *const all[] = {
		"A", "a", "a.z", "a/", "a/B", "a/b", "a/b/c", "a/~", "a0", "b"};
	struct answer a;

	scene_list(&s, s.store, "", NULL, 0, &a);
	ck_assert(a.error == PM_OK && a.count == 0 && !a.more && a.revision);
	answer_free(&a);
	put_names(names, 10);
	scene_list(&s, s.store, "", NULL, 0, &a);
	expect_names(&a, all, 10);
	ck_assert(!a.more);
	answer_free(&a);
	scene_list(&s, s.other, "a/", "", 0, &a);
	expect_names(&a, under, 5);
	answer_free(&a);
	scene_list(&s, s.store, "a/b/c/", NULL, 0, &a);
	expect_names(&a, NULL, 0);
	answer_free(&a);
	/* What is before the prefix leaves nothing out, what is behind it leaves nothing. */
	scene_list(&s, s.store, "a/", scene_key(&s, "A"), 0, &a);
	expect_names(&a, under, 5);
	answer_free(&a);
	scene_list(&s, s.store, "a/", scene_key(&s, "a0"), 0, &a);
	expect_names(&a, NULL, 0);
	answer_free(&a);
}
END_TEST

START_TEST(lists_have_pages)
{
	char last[STORE_KEY_MAX + 1] = "", name[16];
	size_t pages = 0, found = 0;
	struct answer a;
	bool more = true;

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		ck_assert_int_eq(scene_put(&s, s.store, name, name, 0, STORE_ANY, NULL), PM_OK);
	}
	for (; more; pages++) {
		scene_list(&s, s.store, "p", last, 3, &a);
		ck_assert_int_eq(a.error, PM_OK);
		for (size_t i = 0; i < a.count; i++) {
			snprintf(name, sizeof(name), "p%zu", found++);
			ck_assert_str_eq((const char *)a.entries[i].value, name);
		}
		more = a.more;
		ck_assert_uint_eq(a.count, more ? 3 : 1);
		snprintf(last, sizeof(last), "%s", a.entries[a.count - 1].key);
		answer_free(&a);
	}
	ck_assert_uint_eq(pages, 4);
	scene_list(&s, s.store, "p", NULL, 10, &a);
	ck_assert(a.count == 10 && !a.more);
	answer_free(&a);
}
END_TEST

/* More than goes into one answer. */
START_TEST(lists_have_a_size)
{
	size_t count = STORE_LIST_BYTES_MAX / STORE_VALUE_MAX + 2, found = 0;
	uint8_t *bytes = calloc(1, STORE_VALUE_MAX);
	char last[STORE_KEY_MAX + 1] = "", name[16];
	bool more = true;
	struct answer a;

	ck_assert(bytes);
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%zu", 10 + i);
		bytes[0] = (uint8_t)i;
		ck_assert_int_eq(scene_put_bytes(&s, name, bytes, STORE_VALUE_MAX), PM_OK);
	}
	while (more) {
		scene_list(&s, s.store, "", last, 0, &a);
		ck_assert_int_eq(a.error, PM_OK);
		ck_assert(a.count && a.count * STORE_VALUE_MAX <= STORE_LIST_BYTES_MAX);
		for (size_t i = 0; i < a.count; i++)
			ck_assert_uint_eq(a.entries[i].value[0], found++);
		more = a.more;
		snprintf(last, sizeof(last), "%s", a.entries[a.count - 1].key);
		answer_free(&a);
	}
	ck_assert_uint_eq(found, count);
	free(bytes);
}
END_TEST

void scene_add_list_tests(TCase *group)
{
	tcase_add_test(group, lists_are_sorted);
	tcase_add_test(group, lists_have_pages);
	tcase_add_test(group, lists_have_a_size);
}
