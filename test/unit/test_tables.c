/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables whose keys strangers choose: none may be laid out in a way that they can foresee. Each
 * asks the keyed hash for the place of a key, under a seed that no other table has.
 */
#include <stdlib.h>
#include <string.h>

#include <pm/table.h>

#include "pm-proxy/key_table.h"
#include "pm-secrets/hub.h"
#include "common/limit.h"
#include "pm-secrets/past.h"
#include "testing.h"

static uint8_t last_seed[PM_TABLE_SEED_SIZE];
static unsigned int hashes;

uint64_t __real_pm_table_hash(const uint8_t *seed, const void *bytes, size_t size);
uint64_t __wrap_pm_table_hash(const uint8_t *seed, const void *bytes, size_t size);

uint64_t __wrap_pm_table_hash(const uint8_t *seed, const void *bytes, size_t size)
{
	memcpy(last_seed, seed, sizeof(last_seed));
	hashes++;
	return __real_pm_table_hash(seed, bytes, size);
}

/* Vectors of the authors: the key and the message count upwards from 0. */
START_TEST(siphash)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {8, 0x93f5f5799a932462},
		{15, 0xa129ca6149be45e5}};
	uint8_t seed[PM_TABLE_SEED_SIZE], message[16];

	for (uint8_t i = 0; i < 16; i++)
		seed[i] = message[i] = i;
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_assert_uint_eq(pm_table_hash(seed, message, rows[i].len), rows[i].hash);
	ck_assert_uint_eq(pm_table_hash(seed, NULL, 0), rows[0].hash);
}
END_TEST

/* The seed under which the table that one() makes looked something up. */
static void seed_of(void (*one)(void), uint8_t ret[PM_TABLE_SEED_SIZE])
{
	hashes = 0;
	one();
	ck_assert_uint_gt(hashes, 0);
	memcpy(ret, last_seed, PM_TABLE_SEED_SIZE);
}

static void of_keys(void)
{
	static const struct keys_rules rules = {
		.replay_entries = 16, .replay_window = 60, .spent = 4};
	struct keys *keys;

	ck_pm(keys_new(&rules, &keys), PM_OK);
	ck_assert_ptr_null(keys_find(keys, "id", 1));
	keys_free(keys);
}

static void of_spent(void)
{
	struct spent *spent = spent_new(4);

	ck_assert(!spent_has(spent, "id", NULL));
	spent_free(spent);
}

static void of_hub(void)
{
	struct hub *hub = hub_new();
	const uint8_t version[32] = {1};

	ck_assert(!hub_has(hub, "worker", "id", version));
	hub_changed(hub, "id", version, 1, 1);
	hub_free(hub);
}

static void of_limit(void)
{
	static const struct limit_rules rules = {1, 1, 1, 1};
	struct limit *limit = limit_new(&rules);

	ck_assert(limit_take(limit, "a", 1, 1));
	limit_free(limit);
}

static void of_commands(void)
{
	const uint8_t digest[32] = {1};
	struct past *past = past_new();

	ck_pm(past_obey(past, digest, 100, 1), PM_OK);
	past_free(past);
}

static void of_ended(void)
{
	struct past *past = past_new();

	ck_assert(!past_is_over(past, "id", 1));
	past_free(past);
}

static void (*const tables[])(void) = {of_keys, of_spent, of_hub, of_limit, of_commands, of_ended};

START_TEST(each_table_has_a_seed_of_its_own)
{
	static const uint8_t none[PM_TABLE_SEED_SIZE];
	uint8_t a[PM_TABLE_SEED_SIZE], b[PM_TABLE_SEED_SIZE];

	seed_of(tables[_i], a);
	seed_of(tables[_i], b);
	ck_assert_mem_ne(a, none, sizeof(none));
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tables");
	TCase *tcase = tcase_create("tables");

	tcase_add_test(tcase, siphash);
	tcase_add_loop_test(tcase, each_table_has_a_seed_of_its_own, 0, PM_ARRAY_LEN(tables));
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
