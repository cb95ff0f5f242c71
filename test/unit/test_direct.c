/* SPDX-License-Identifier: Apache-2.0 */
/* The direct key exchange: both sides with each other, and what is refused. */
#include <string.h>

#include <pm/direct.h>
#include <pm/error.h>

#include "testing.h"

static struct pm_direct_key *key;

static void make_key(void)
{
	ck_pm(pm_direct_key_new(&key), PM_OK);
}

static void free_key(void)
{
	pm_direct_key_free(key);
	pm_direct_key_free(NULL);
}

struct side {
	char id[PM_DIRECT_ID_SIZE];
	uint8_t secret[PM_DIRECT_SECRET_SIZE];
};

static int accept(const char *json, struct side *ret)
{
	return pm_direct_accept(key, json, strlen(json), ret->id, ret->secret, NULL);
}

START_TEST(both_sides_agree)
{
	char json[PM_DIRECT_REQUEST_SIZE], again[PM_DIRECT_REQUEST_SIZE];
	struct side client, worker, other;

	ck_pm(pm_direct_offer(pm_direct_key_public(key), json, client.id, client.secret, NULL),
		PM_OK);
	ck_assert_uint_eq(strlen(json), PM_DIRECT_REQUEST_SIZE - 1);
	ck_pm(accept(json, &worker), PM_OK);
	ck_assert_str_eq(client.id, worker.id);
	ck_assert_mem_eq(client.secret, worker.secret, sizeof(client.secret));
	ck_assert(!pm_is_zero(client.secret, sizeof(client.secret)));
	/* Each exchange has a secret of its own. */
	ck_pm(pm_direct_offer(pm_direct_key_public(key), again, other.id, other.secret, NULL),
		PM_OK);
	ck_assert_str_ne(client.id, other.id);
	ck_assert_mem_ne(client.secret, other.secret, sizeof(client.secret));
}
END_TEST

/* Who holds another key learns nothing, and is not told so. */
START_TEST(another_worker_has_another_secret)
{
	struct pm_direct_key *stranger;
	char json[PM_DIRECT_REQUEST_SIZE];
	struct side client, worker;

	ck_pm(pm_direct_key_new(&stranger), PM_OK);
	ck_pm(pm_direct_offer(pm_direct_key_public(stranger), json, client.id, client.secret, NULL),
		PM_OK);
	ck_pm(accept(json, &worker), PM_OK);
	ck_assert_str_eq(client.id, worker.id);
	ck_assert_mem_ne(client.secret, worker.secret, sizeof(client.secret));
	pm_direct_key_free(stranger);
}
END_TEST

/* What was changed on the way has another id, and another secret. */
START_TEST(changed_requests)
{
	char json[PM_DIRECT_REQUEST_SIZE];
	struct side client, worker;

	ck_pm(pm_direct_offer(pm_direct_key_public(key), json, client.id, client.secret, NULL),
		PM_OK);
	json[100] = json[100] == 'A' ? 'B' : 'A';
	ck_pm(accept(json, &worker), PM_OK);
	ck_assert_str_ne(client.id, worker.id);
	ck_assert_mem_ne(client.secret, worker.secret, sizeof(client.secret));
	json[100] = '*';
	ck_pm(accept(json, &worker), PM_E_FORMAT);
}
END_TEST

START_TEST(malformed_requests)
{
	static const char *const bad[] = {"", "{}", "[]", "{\"EncapsulatedKey\":\"\"}",
		"{\"EncapsulatedKey\":\"AAAA\"}", "{\"PublicKey\":\"AAAA\"}", "null"};
	static const uint8_t no_key[PM_DIRECT_PUBLIC_SIZE] = {0xff, 0xff, 0xff};
	char json[PM_DIRECT_REQUEST_SIZE + 1];
	struct side side;

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_pm(accept(bad[i], &side), PM_E_FORMAT);
	ck_pm(pm_direct_offer(pm_direct_key_public(key), json, side.id, side.secret, NULL), PM_OK);
	json[PM_DIRECT_REQUEST_SIZE - 1] = 'x';
	json[PM_DIRECT_REQUEST_SIZE] = '\0';
	ck_pm(accept(json, &side), PM_E_FORMAT);
	ck_pm(pm_direct_accept(key, json, PM_DIRECT_JSON_MAX + 1, side.id, side.secret, NULL),
		PM_E_LIMIT);
	ck_pm(pm_direct_offer(no_key, json, side.id, side.secret, NULL), PM_E_REJECTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("direct");
	TCase *tc = tcase_create("direct");

	tcase_add_unchecked_fixture(tc, make_key, free_key);
	tcase_add_test(tc, both_sides_agree);
	tcase_add_test(tc, another_worker_has_another_secret);
	tcase_add_test(tc, changed_requests);
	tcase_add_test(tc, malformed_requests);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
