/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-proxy keeps: secrets with their times, and counts. */
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "pm-proxy/keys.h"
#include "pm-proxy/proxy.h"
#include "pm-proxy/spent.h"
#include "pm-proxy/usage.h"
#include "pm-proxy/vault.h"
#include "testing.h"

static const struct keys_rules rules = {.replay_entries = 16, .replay_window = 60, .spent = 4};
static const uint8_t secret[32] = {1}, other[32] = {2};

static struct keys *new_keys(void)
{
	struct keys *keys;

	ck_pm(keys_new(&rules, &keys), PM_OK);
	return keys;
}

START_TEST(secrets_have_their_time)
{
	struct keys *keys = new_keys();
	struct key *key;

	ck_pm(keys_insert(keys, "a", secret, 100, 0), PM_OK);
	ck_assert_ptr_null(keys_find(keys, "b", 1));
	ck_assert_ptr_null(keys_find(keys, "a", 100));
	key = keys_find(keys, "a", 99);
	ck_assert_ptr_nonnull(key);
	ck_assert_mem_eq(key_secret(key), secret, sizeof(secret));
	ck_assert_str_eq(pm_field_key_id(key_field(keys, key)), "a");
	keys_purge(keys, 99);
	ck_assert_uint_eq(keys_count(keys), 1);
	keys_purge(keys, 100);
	ck_assert_uint_eq(keys_count(keys), 0);
	/* Whoever holds it goes on. */
	ck_assert_mem_eq(key_secret(key), secret, sizeof(secret));
	ck_assert_ptr_nonnull(key_sealed(keys, key));
	key_unref(keys, key);
	keys_free(keys);
}
END_TEST

/* Does it serve? */
static bool serves(struct keys *keys, const char *id)
{
	struct key *key = keys_find(keys, id, 50);

	key_unref(keys, key);
	return key != NULL;
}

START_TEST(leases_end_and_are_renewed)
{
	struct keys *keys = new_keys();

	ck_pm(keys_insert_leased(keys, "watched", secret, 100, 0, 1), PM_OK);
	ck_pm(keys_insert_leased(keys, "leased", secret, 100, 0, 2), PM_OK);
	ck_pm(keys_insert(keys, "free", secret, 100, 0), PM_OK);
	ck_assert(serves(keys, "watched") && serves(keys, "leased"));
	keys_set_leases(keys, 1, 1);
	ck_assert(serves(keys, "watched") && serves(keys, "leased"));
	keys_set_leases(keys, 2, 1);
	ck_assert(serves(keys, "watched") && !serves(keys, "leased"));
	keys_set_leases(keys, 2, 0);
	ck_assert(!serves(keys, "watched") && serves(keys, "free"));
	/* What has no lease is not forgotten: it comes back with all it remembers. */
	ck_assert_uint_eq(keys_count(keys), 3);
	ck_pm(keys_insert_leased(keys, "leased", other, 100, 0, 3), PM_E_REJECTED);
	ck_assert(!serves(keys, "leased"));
	ck_pm(keys_insert_leased(keys, "leased", secret, 100, 0, 3), PM_OK);
	ck_assert(serves(keys, "leased"));
	ck_assert_ptr_null(keys_find(keys, "leased", 100));
	keys_free(keys);
}
END_TEST

START_TEST(an_id_has_one_secret)
{
	struct keys *keys = new_keys();

	ck_pm(keys_insert(keys, "a", secret, 100, 0), PM_OK);
	ck_pm(keys_insert(keys, "a", other, 100, 0), PM_E_REJECTED);
	ck_pm(keys_insert(keys, "a", secret, 200, 0), PM_OK);
	ck_assert_uint_eq(keys_count(keys), 1);
	key_unref(keys, keys_find(keys, "a", 150));
	keys_remove(keys, "a");
	keys_remove(keys, "a");
	ck_assert_ptr_null(keys_find(keys, "a", 1));
	ck_pm(keys_insert(keys, "a", other, 100, 0), PM_OK);
	ck_pm(keys_insert(keys, "", other, 100, 0), PM_E_ARG);
	ck_pm(keys_insert(keys, "a:b", other, 100, 0), PM_E_ARG);
	keys_free(keys);
}
END_TEST

/* Whoever makes secrets only to fill the table does not fill it for long. */
START_TEST(secrets_are_tried_first)
{
	struct keys *keys = new_keys();
	struct key *key;

	ck_pm(keys_insert_trial(keys, "a", secret, 100, 1000), PM_OK);
	ck_pm(keys_insert_trial(keys, "a", secret, 500, 5000), PM_OK);
	ck_pm(keys_insert_trial(keys, "a", other, 500, 5000), PM_E_REJECTED);
	ck_assert_ptr_null(keys_find(keys, "a", 100));
	key = keys_find(keys, "a", 99);
	ck_assert_ptr_nonnull(key);
	ck_assert(key_confirm(keys, key, KEY_USE_SEALED));
	key_unref(keys, key);
	key = keys_find(keys, "a", 999);
	ck_assert_ptr_nonnull(key);
	ck_assert(key_confirm(keys, key, KEY_USE_SEALED));
	key_unref(keys, key);
	ck_assert_ptr_null(keys_find(keys, "a", 1000));
	keys_free(keys);
}
END_TEST

/*
 * Who repeats a key exchange that he overheard gets no second, empty memory of what was answered
 * under its secret: not after it ended, and not while somebody still holds one that ended.
 */
START_TEST(used_secrets_do_not_come_back)
{
	struct keys *keys = new_keys();
	struct key *old, *key;

	ck_pm(keys_insert_trial(keys, "a", secret, 100, 1000), PM_OK);
	old = keys_find(keys, "a", 1);
	keys_purge(keys, 100);
	ck_pm(keys_insert_trial(keys, "a", secret, 200, 1000), PM_OK); /* nothing came under it */
	ck_assert(!key_confirm(keys, old, KEY_USE_SEALED));
	key_unref(keys, old);
	key = keys_find(keys, "a", 199);
	ck_assert_ptr_nonnull(key_sealed(keys, key));
	ck_assert(key_confirm(keys, key, KEY_USE_SEALED));
	ck_assert(key_confirm(keys, key, KEY_USE_SEALED));
	keys_purge(keys, 1000);
	ck_pm(keys_insert_trial(keys, "a", secret, 1100, 5000), PM_E_REJECTED);
	ck_assert_uint_eq(keys_count(keys), 0);
	ck_assert(!key_confirm(keys, key, KEY_USE_SEALED)); /* what has not begun does not */
	key_unref(keys, key);
	keys_free(keys);
}
END_TEST

static int try_number(struct keys *keys, unsigned int number)
{
	char id[16];

	snprintf(id, sizeof(id), "%u", number);
	return keys_insert_trial(keys, id, secret, 100, 1000);
}

static struct key *find_number(struct keys *keys, unsigned int number)
{
	char id[16];

	snprintf(id, sizeof(id), "%u", number);
	return keys_find(keys, id, 1);
}

static bool is_there(struct keys *keys, unsigned int number)
{
	struct key *key = find_number(keys, number);

	key_unref(keys, key);
	return key != NULL;
}

static void confirm_number(struct keys *keys, unsigned int number)
{
	struct key *key = find_number(keys, number);

	ck_assert(key_confirm(keys, key, KEY_USE_SEALED));
	key_unref(keys, key);
}

/* Secrets that nobody used yet make room, the oldest first, and those that are used never. */
START_TEST(trials_keep_nobody_out)
{
	struct keys *keys = new_keys();

	for (unsigned int i = 0; i < KEYS_MAX; i++)
		ck_pm(try_number(keys, i), PM_OK);
	confirm_number(keys, 1);
	keys_remove(keys, "3");
	ck_pm(try_number(keys, KEYS_MAX), PM_OK);
	ck_assert(is_there(keys, 0));
	for (unsigned int i = 1; i < 4; i++)
		ck_pm(try_number(keys, KEYS_MAX + i), PM_OK);
	ck_assert_uint_eq(keys_count(keys), KEYS_MAX);
	ck_assert(!is_there(keys, 0) && !is_there(keys, 2) && !is_there(keys, 4));
	ck_assert(is_there(keys, 1) && is_there(keys, 5) && is_there(keys, KEYS_MAX + 3));
	for (unsigned int i = 5; i < KEYS_MAX + 4; i++)
		confirm_number(keys, i);
	ck_pm(try_number(keys, 0), PM_E_LIMIT);
	ck_pm(keys_insert(keys, "g", secret, 1000, 0), PM_E_LIMIT);
	keys_free(keys);
}
END_TEST

static void open_number(struct keys *keys, unsigned int number)
{
	struct key *key = find_number(keys, number);

	ck_assert_ptr_nonnull(key_sealed(keys, key));
	key_unref(keys, key);
}

/* Whoever uses secrets only to fill the process keeps nobody out. */
START_TEST(opened_secrets_make_room)
{
	struct keys *keys = new_keys();
	struct key *held[KEYS_OPENED_MAX], *key;

	for (unsigned int i = 0; i < KEYS_OPENED_MAX; i++) {
		ck_pm(try_number(keys, i), PM_OK);
		open_number(keys, i);
		confirm_number(keys, i);
	}
	confirm_number(keys, 0); /* used again */
	held[1] = find_number(keys, 1);
	ck_pm(try_number(keys, 9000), PM_OK);
	open_number(keys, 9000);
	ck_assert(is_there(keys, 0) && is_there(keys, 1) && !is_there(keys, 2));
	ck_assert(is_there(keys, 3) && is_there(keys, 9000));
	ck_pm(try_number(keys, 2), PM_E_REJECTED);
	ck_assert_uint_eq(keys_count(keys), KEYS_OPENED_MAX);
	for (unsigned int i = 2; i < KEYS_OPENED_MAX; i++)
		held[i] = find_number(keys, i == 2 ? 9000 : i);
	ck_pm(try_number(keys, 9001), PM_OK);
	open_number(keys, 9001); /* the last that nobody held */
	ck_assert(!is_there(keys, 0));
	held[0] = find_number(keys, 9001);
	ck_pm(try_number(keys, 9002), PM_OK);
	key = find_number(keys, 9002);
	ck_assert_ptr_null(key_sealed(keys, key));
	key_unref(keys, key);
	for (unsigned int i = 0; i < KEYS_OPENED_MAX; i++)
		key_unref(keys, held[i]);
	keys_free(keys);
}
END_TEST

/* Those that served field messages stay, and so are bounded by themselves. */
START_TEST(field_messages_make_no_room)
{
	struct keys *keys = new_keys();
	struct key *key;

	for (unsigned int i = 0; i <= KEYS_FIELD_MAX; i++) {
		ck_pm(try_number(keys, i), PM_OK);
		key = find_number(keys, i);
		ck_assert_ptr_nonnull(key_field(keys, key));
		ck_assert(key_confirm(keys, key, KEY_USE_FIELD) == (i < KEYS_FIELD_MAX));
		key_unref(keys, key);
	}
	confirm_number(keys, KEYS_FIELD_MAX);
	ck_pm(keys_insert(keys, "static", secret, KEYS_FOREVER, 0), PM_OK);
	key = keys_find(keys, "static", 1);
	ck_assert(key_confirm(keys, key, KEY_USE_FIELD));
	key_unref(keys, key);
	for (unsigned int i = KEYS_FIELD_MAX + 1; i <= KEYS_OPENED_MAX; i++) {
		ck_pm(try_number(keys, i), PM_OK);
		open_number(keys, i);
	}
	ck_assert(is_there(keys, 0) && is_there(keys, KEYS_FIELD_MAX - 1));
	ck_assert(!is_there(keys, KEYS_FIELD_MAX));
	keys_purge(keys, 1000);
	ck_pm(try_number(keys, 0), PM_E_REJECTED);
	ck_pm(keys_insert(keys, "0", secret, 5000, 0), PM_E_REJECTED);
	keys_free(keys);
}
END_TEST

/* How a request is received that was issued then. */
static int receive(struct keys *keys, const char *id, int64_t issued_at, int64_t now)
{
	const struct pm_sealed_request head = {
		.method = "POST", .path = "/", .content_type = "", .issued_at = issued_at};
	struct pm_exchange_key *client_key;
	struct pm_exchange_client *client;
	struct pm_exchange_worker *worker;
	struct pm_exchange_event event;
	struct key *key = keys_find(keys, id, now);
	const uint8_t *bytes;
	size_t len, used;
	int r;

	ck_assert_ptr_nonnull(key);
	ck_pm(pm_exchange_key_new(id, secret, &client_key), PM_OK);
	ck_pm(pm_exchange_client_new(client_key, "m", NULL, 0, &client), PM_OK);
	ck_pm(pm_exchange_client_send_head(client, &head, 1, NULL, &bytes, &len), PM_OK);
	ck_pm(pm_exchange_worker_new(key_sealed(keys, key), "m", NULL, 0, &worker), PM_OK);
	r = pm_exchange_worker_receive(worker, bytes, len, now, NULL, &used, &event);
	if (r == PM_OK)
		ck_assert(key_confirm(keys, key, KEY_USE_SEALED));
	pm_exchange_worker_free(worker);
	pm_exchange_client_free(client);
	pm_exchange_key_free(client_key);
	key_unref(keys, key);
	return r;
}

/*
 * An id that was forgotten can come back, by an exchange that somebody overheard, with an empty
 * memory: then nothing of its time is answered, not even when the clock is set back.
 */
START_TEST(what_was_forgotten_is_not_answered)
{
	struct keys *keys = new_keys();

	for (unsigned int i = 0; i < 5; i++) {
		char id[2] = {(char)('a' + i), '\0'};

		ck_pm(keys_insert_trial(keys, id, secret, 2000, 5000), PM_OK);
		ck_pm(receive(keys, id, 1000, 1000 + i), PM_OK);
		keys_remove(keys, id);
	}
	ck_pm(keys_insert_trial(keys, "b", secret, 2000, 5000), PM_E_REJECTED);
	ck_pm(keys_insert_trial(keys, "a", secret, 2000, 5000), PM_OK);
	ck_pm(receive(keys, "a", 1000 + PM_EXCHANGE_SKEW, 1000), PM_E_STALE);
	ck_pm(receive(keys, "a", 1001 + PM_EXCHANGE_SKEW, 1001), PM_OK);
	keys_free(keys);
}
END_TEST

/* A secret that a service has, and that made room, may come back after a moment. */
START_TEST(secrets_of_a_service_come_back)
{
	struct keys *keys = new_keys();

	ck_pm(keys_insert(keys, "a", secret, 5000, 0), PM_OK);
	ck_pm(receive(keys, "a", 1000, 1000), PM_OK);
	keys_remove(keys, "a");
	ck_pm(keys_insert(keys, "a", secret, 5000, 0), PM_E_REJECTED);
	keys_purge(keys, 1000 + PM_EXCHANGE_SKEW);
	ck_pm(keys_insert(keys, "a", secret, 5000, 0), PM_E_REJECTED);
	keys_purge(keys, 1001 + PM_EXCHANGE_SKEW);
	ck_pm(keys_insert(keys, "a", secret, 5000, 0), PM_OK);
	ck_pm(receive(keys, "a", 1000 + PM_EXCHANGE_SKEW, 1040), PM_E_STALE);
	ck_pm(receive(keys, "a", 1001 + PM_EXCHANGE_SKEW, 1040), PM_OK);
	keys_free(keys);
}
END_TEST

/* The oldest are forgotten, and no others. */
START_TEST(used_ids_are_bounded)
{
	struct spent *spent = spent_new(3);
	int64_t time;

	ck_assert(!spent_has(spent, "a", NULL));
	ck_assert_int_eq(spent_add(spent, "a", 1), SPENT_NONE);
	ck_assert_int_eq(spent_add(spent, "b", 2), SPENT_NONE);
	ck_assert_int_eq(spent_add(spent, "a", 3), SPENT_NONE);
	ck_assert_int_eq(spent_add(spent, "c", 4), SPENT_NONE);
	ck_assert(spent_has(spent, "a", &time) && time == 3);
	ck_assert(spent_has(spent, "b", &time) && time == 2);
	ck_assert_int_eq(spent_add(spent, "d", 5), 3);
	ck_assert(!spent_has(spent, "a", NULL));
	ck_assert(spent_has(spent, "b", NULL) && spent_has(spent, "c", NULL) &&
		  spent_has(spent, "d", NULL));
	for (char id[2] = "A"; id[0] <= 'Z'; id[0]++)
		(void)spent_add(spent, id, 6);
	ck_assert(!spent_has(spent, "W", NULL) && !spent_has(spent, "d", NULL));
	ck_assert(spent_has(spent, "X", NULL) && spent_has(spent, "Y", NULL) &&
		  spent_has(spent, "Z", NULL));
	spent_free(spent);
}
END_TEST

START_TEST(vaults_are_bounded)
{
	struct vault *vault = vault_new(2);
	const uint8_t *a = vault_put(vault, secret), *b = vault_put(vault, other);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_null(vault_put(vault, secret));
	vault_drop(vault, a);
	ck_assert(pm_is_zero(a, VAULT_SECRET_SIZE));
	ck_assert_ptr_eq(vault_put(vault, other), a);
	ck_assert_mem_eq(a, other, sizeof(other));
	vault_free(vault);
}
END_TEST

/* Nobody gets more than what is left for the next one. */
START_TEST(budgets_are_shared)
{
	struct budget budget = {.most = 1000};
	size_t first = 0, second = 0, third = 0;

	ck_assert(!budget_take(&budget, &first, 1001) && !budget_take(&budget, &first, SIZE_MAX));
	ck_assert(budget_take(&budget, &first, 500));
	ck_assert(!budget_take(&budget, &first, 1));
	ck_assert(budget_take(&budget, &second, 200) && budget_take(&budget, &second, 50));
	ck_assert(!budget_take(&budget, &second, 1));
	ck_assert(budget_take(&budget, &third, 10));
	budget_give(&budget, &first, 400);
	ck_assert_uint_eq(first, 100);
	ck_assert(budget_take(&budget, &second, 100));
	budget_give(&budget, &first, first);
	budget_give(&budget, &second, second);
	budget_give(&budget, &third, third);
	ck_assert_uint_eq(atomic_load(&budget.used), 0);
}
END_TEST

START_TEST(buffers_are_bounded)
{
	struct buffer buffer = {0};

	ck_assert(buffer_add(&buffer, "", 0, 0));
	ck_assert(!buffer_add(&buffer, "abc", 3, 2));
	ck_assert(buffer_add(&buffer, "abc", 3, 4));
	ck_assert(!buffer_add(&buffer, "de", 2, 4));
	ck_assert(buffer_add(&buffer, "d", 1, 4));
	ck_assert_mem_eq(buffer.bytes, "abcd", 4);
	buffer_clear(&buffer);
	ck_assert(pm_is_zero(buffer.bytes, 4));
	buffer_free(&buffer);
	ck_assert_ptr_null(buffer.bytes);
}
END_TEST

static size_t lines_with(struct evbuffer *out, const char *text)
{
	const char *at = (const char *)evbuffer_pullup(out, -1);
	size_t count = 0;

	evbuffer_add(out, "", 1);
	at = (const char *)evbuffer_pullup(out, -1);
	while ((at = strstr(at, text))) {
		count++;
		at++;
	}
	return count;
}

/* Whatever clients call their models, there are so many lines and no more. */
START_TEST(models_are_bounded)
{
	const struct pm_usage usage = {.prompt_tokens = 2, .found = true};
	struct evbuffer *out = evbuffer_new();
	struct usage_table *table;
	char name[32];

	ck_pm(usage_new(&table), PM_OK);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "m\"%d", i);
		usage_add(table, name, true, &usage);
	}
	usage_add(table, "", true, &usage);
	usage_add(table, "m\"7", false, &usage);
	usage_write(table, out, "p");
	ck_assert_uint_eq(lines_with(out, "p_prompt_tokens_total{"), USAGE_MODELS_MAX + 1);
	ck_assert_uint_eq(lines_with(out, "p_prompt_tokens_total{model=\"other\"} 1874\n"), 1);
	ck_assert_uint_eq(lines_with(out, "p_prompt_tokens_total{model=\"m\\\"7\"} 4\n"), 1);
	evbuffer_free(out);
	usage_free(table);
}
END_TEST

/* Models that there are not take no place from those that there are. */
START_TEST(models_are_served_ones)
{
	const struct pm_usage usage = {.prompt_tokens = 2, .found = true};
	struct evbuffer *out = evbuffer_new();
	struct usage_table *table;

	ck_pm(usage_new(&table), PM_OK);
	usage_add(table, "none", false, &usage);
	usage_add(table, "one", true, &usage);
	usage_add(table, "one", false, &usage);
	usage_write(table, out, "p");
	ck_assert_uint_eq(lines_with(out, "p_model_requests_total{"), 2);
	ck_assert_uint_eq(lines_with(out, "p_model_requests_total{model=\"other\"} 1\n"), 1);
	ck_assert_uint_eq(lines_with(out, "p_model_requests_total{model=\"one\"} 2\n"), 1);
	evbuffer_free(out);
	usage_free(table);
}
END_TEST

static void check_tasks(const char *json, const char *want)
{
	static const char *const tasks[] = {"a", "b"};
	size_t len;
	char *text = models_with_tasks(json, strlen(json), tasks, 2, &len);

	if (want) {
		ck_assert_str_eq(text, want);
		ck_assert_uint_eq(len, strlen(want));
	} else {
		ck_assert_ptr_null(text);
	}
	free(text);
}

START_TEST(models_have_tasks)
{
	check_tasks("{\"id\":\"x\"}", "{\"id\":\"x\",\"tasks\":[\"a\",\"b\"]}");
	check_tasks("{\"data\":[{\"id\":\"x\"}]}",
		"{\"data\":[{\"id\":\"x\",\"tasks\":[\"a\",\"b\"]}]}");
	check_tasks("{\"data\":[]}", "{\"data\":[]}");
	check_tasks("{\"data\":[1]}", NULL);
	check_tasks("{\"data\":1}", NULL);
	check_tasks("[]", NULL);
	check_tasks("", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tc = tcase_create("proxy");

	tcase_add_test(tc, secrets_have_their_time);
	tcase_add_test(tc, leases_end_and_are_renewed);
	tcase_add_test(tc, an_id_has_one_secret);
	tcase_add_test(tc, secrets_are_tried_first);
	tcase_add_test(tc, used_secrets_do_not_come_back);
	tcase_add_test(tc, trials_keep_nobody_out);
	tcase_add_test(tc, opened_secrets_make_room);
	tcase_add_test(tc, field_messages_make_no_room);
	tcase_add_test(tc, what_was_forgotten_is_not_answered);
	tcase_add_test(tc, secrets_of_a_service_come_back);
	tcase_add_test(tc, used_ids_are_bounded);
	tcase_add_test(tc, vaults_are_bounded);
	tcase_add_test(tc, budgets_are_shared);
	tcase_add_test(tc, buffers_are_bounded);
	tcase_add_test(tc, models_are_bounded);
	tcase_add_test(tc, models_are_served_ones);
	tcase_add_test(tc, models_have_tasks);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
