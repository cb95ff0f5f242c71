/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: what gives way, and that each object is destroyed once, when nobody holds it. */
#include <pthread.h>
#include <stdlib.h>

#include "base/lru.h"
#include "testing.h"

struct object {
	struct pm_shared shared;
	int id;
};

static atomic_int alive, destroyed;

static void destroy(struct pm_shared *shared)
{
	alive--;
	destroyed++;
	free(shared);
}

static struct pm_shared *new_object(int id)
{
	struct object *o = pm_alloc(sizeof(*o));

	if (!o)
		abort(); /* threads come here too, and Check's assertions are the main one's */
	pm_shared_init(&o->shared, destroy);
	o->id = id;
	alive++;
	return &o->shared;
}

static int id_of(const struct pm_shared *shared)
{
	return ((const struct object *)shared)->id;
}

/* Keys of which the first bytes, by which they are spread, may be the same. */
struct key {
	uint8_t bytes[PM_LRU_KEY_SIZE];
};

static struct key key(int first, int last)
{
	struct key k = {0};

	k.bytes[3] = (uint8_t)first;
	k.bytes[30] = (uint8_t)(last >> 8);
	k.bytes[31] = (uint8_t)last;
	return k;
}

static void put(struct pm_lru *lru, struct key k, int id)
{
	struct pm_shared *o = new_object(id);

	pm_lru_put(lru, k.bytes, o);
	pm_shared_unref(o);
}

/* The id that is kept under the key, or -1. */
static int get(struct pm_lru *lru, struct key k)
{
	struct pm_shared *o = pm_lru_get(lru, k.bytes);
	int id = o ? id_of(o) : -1;

	pm_shared_unref(o);
	return id;
}

static struct pm_lru *new_lru(size_t entries)
{
	struct pm_lru *lru = NULL;

	alive = 0;
	destroyed = 0;
	ck_pm(pm_lru_new(entries, &lru), PM_OK);
	return lru;
}

START_TEST(sizes)
{
	struct pm_lru *lru = NULL;

	ck_pm(pm_lru_new(0, &lru), PM_E_ARG);
	ck_pm(pm_lru_new(PM_LRU_ENTRIES_MAX + 1, &lru), PM_E_ARG);
	ck_assert_ptr_null(lru);
	ck_pm(pm_lru_new(PM_LRU_ENTRIES_MAX, &lru), PM_OK);
	put(lru, key(255, 0), 1);
	ck_assert_int_eq(get(lru, key(255, 0)), 1);
	pm_lru_free(lru);
	pm_lru_free(NULL);
	pm_shared_unref(NULL);
}
END_TEST

START_TEST(the_one_used_longest_ago_gives_way)
{
	struct pm_lru *lru = new_lru(3);

	for (int i = 0; i < 3; i++)
		put(lru, key(i, 0), i);
	ck_assert_int_eq(get(lru, key(0, 0)), 0); /* 1 is the oldest now */
	put(lru, key(3, 0), 3);
	ck_assert_int_eq(get(lru, key(1, 0)), -1);
	ck_assert_int_eq(get(lru, key(2, 0)), 2); /* order: 0, 3, 2 */
	put(lru, key(0, 0), 10);		  /* a replacement is a use: 3, 2, 0 */
	put(lru, key(4, 0), 4);
	ck_assert_int_eq(get(lru, key(3, 0)), -1);
	ck_assert_int_eq(get(lru, key(0, 0)), 10);
	ck_assert_int_eq(get(lru, key(2, 0)), 2);
	ck_assert_int_eq(get(lru, key(4, 0)), 4);
	ck_assert_int_eq(alive, 3);
	pm_lru_free(lru);
	ck_assert_int_eq(alive, 0);
	ck_assert_int_eq(destroyed, 6);
}
END_TEST

/* The same against a model that keeps ids in the order of their use. */
START_TEST(as_the_model)
{
	enum { CAPACITY = 5, KEYS = 12 };
	struct pm_lru *lru = new_lru(CAPACITY);
	int model[CAPACITY], used = 0;
	uint32_t seed = 1;

	for (int step = 0; step < 20000; step++) {
		int k, at = 0;
		bool putting;

		seed = seed * 1664525 + 1013904223;
		k = (int)(seed >> 16) % KEYS;
		putting = seed >> 31;
		while (at < used && model[at] != k)
			at++;
		if (putting)
			put(lru, key(k / 4, k), k); /* some share a bucket */
		else
			ck_assert_int_eq(get(lru, key(k / 4, k)), at < used ? k : -1);
		if (!putting && at == used)
			continue;
		if (at == used && used < CAPACITY)
			used++;
		for (int i = at < used ? at : used - 1; i > 0; i--)
			model[i] = model[i - 1];
		model[0] = k;
		ck_assert_int_eq(alive, used);
	}
	pm_lru_free(lru);
	ck_assert_int_eq(alive, 0);
}
END_TEST

START_TEST(capacity_of_one)
{
	struct pm_lru *lru = new_lru(1);

	ck_assert_int_eq(get(lru, key(0, 0)), -1);
	for (int i = 0; i < 10; i++) {
		put(lru, key(i % 3, i), i);
		ck_assert_int_eq(get(lru, key(i % 3, i)), i);
		ck_assert_int_eq(get(lru, key((i + 2) % 3, i - 1)), -1);
		ck_assert_int_eq(alive, 1);
	}
	pm_lru_free(lru);
	ck_assert_int_eq(destroyed, 10);
}
END_TEST

START_TEST(references)
{
	struct pm_lru *lru = new_lru(1);
	struct pm_shared *o = new_object(1), *held;

	pm_lru_put(lru, key(0, 0).bytes, o);
	pm_lru_put(lru, key(0, 0).bytes, o); /* itself in its own place */
	pm_shared_unref(o);
	ck_assert_int_eq(destroyed, 0);
	held = pm_lru_get(lru, key(0, 0).bytes);
	ck_assert_ptr_eq(held, o);
	put(lru, key(0, 0), 2); /* replaced, and still held */
	ck_assert_int_eq(destroyed, 0);
	ck_assert_int_eq(get(lru, key(0, 0)), 2);
	put(lru, key(1, 0), 3); /* evicted, and nobody holds it */
	ck_assert_int_eq(destroyed, 1);
	ck_assert_int_eq(id_of(held), 1);
	pm_shared_ref(held);
	pm_shared_unref(held);
	ck_assert_int_eq(destroyed, 1);
	pm_shared_unref(held);
	ck_assert_int_eq(destroyed, 2);
	held = pm_lru_get(lru, key(1, 0).bytes);
	pm_lru_free(lru);
	ck_assert_int_eq(destroyed, 2);
	ck_assert_int_eq(id_of(held), 3); /* outlives the cache */
	pm_shared_unref(held);
	ck_assert_int_eq(alive, 0);
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS	20000

static atomic_int wrong;

static void *hammer(void *arg)
{
	struct pm_lru *lru = arg;
	uint32_t seed = (uint32_t)(uintptr_t)&seed;

	for (int i = 0; i < ROUNDS; i++) {
		struct pm_shared *o;
		int k;

		seed = seed * 1664525 + 1013904223;
		k = (int)(seed >> 16) % 16;
		o = pm_lru_get(lru, key(k / 4, k).bytes);
		if (!o) {
			o = new_object(k);
			pm_lru_put(lru, key(k / 4, k).bytes, o);
		}
		wrong += id_of(o) != k;
		pm_shared_unref(o);
	}
	return NULL;
}

START_TEST(threads)
{
	struct pm_lru *lru = new_lru((size_t)_i);
	pthread_t ids[THREADS];

	wrong = 0;
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&ids[i], NULL, hammer, lru), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(ids[i], NULL), 0);
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_le(alive, _i);
	ck_assert_int_gt(alive, 0);
	pm_lru_free(lru);
	ck_assert_int_eq(alive, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lru");
	TCase *t = tcase_create("lru");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, sizes);
	tcase_add_test(t, the_one_used_longest_ago_gives_way);
	tcase_add_test(t, as_the_model);
	tcase_add_test(t, capacity_of_one);
	tcase_add_test(t, references);
	tcase_add_loop_test(t, threads, 1, 9);
	suite_add_tcase(s, t);
	return test_main(s);
}
