/* SPDX-License-Identifier: Apache-2.0 */
/* Whom pm-secrets gives what, and how often it is asked. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_doc.h"
#include "pm-secrets/access.h"
#include "common/limit.h"
#include "pm-secrets/record.h"
#include "testing.h"

/* --- who may have what ----------------------------------------------------------------------- */

struct court {
	struct pm_manifest *m;
	struct pm_mesh_identity who;
	struct record record;
};

static struct court *court_new(void)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	struct court *c = calloc(1, sizeof(*c));
	struct pm_view text;

	ck_assert_ptr_nonnull(c);
	doc_set(base, "roles worker calls", json_pack("[s, s]", "coordinator", "secrets"));
	doc_set(base, "roles secrets",
		json_deep_copy(json_object_get(json_object_get(base, "roles"), "coordinator")));
	text = doc_text(base, 0);
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &c->m), PM_OK);
	test_free(text);
	json_decref(table);
	c->record = (struct record){
		.kind = RECORD_OWNERS, .rule_len = RECORD_NO_RULE, .created = 50, .expires = 100};
	c->who = (struct pm_mesh_identity){.role = "worker",
		.replica = "a",
		.model_count = 1,
		.models = {"meta-llama/Llama-3.3-70B"},
		.purpose = PM_MESH_TLS,
		.not_before = 10,
		.not_after = 90};
	pm_manifest_hash(c->m, c->who.manifest_hash);
	return c;
}

static void court_free(struct court *c)
{
	pm_manifest_free(c->m);
	free(c);
}

static bool may(const struct court *c, const char *id)
{
	return access_may_have(c->m, &c->who, id, &c->record, 50);
}

START_TEST(secrets_by_the_manifest)
{
	struct court *c = court_new();

	ck_assert(may(c, "inference/x"));
	ck_assert(may(c, "tls"));
	ck_assert(!may(c, "other"));	  /* no rule for this role */
	c->record.kind = RECORD_OPERATOR; /* whatever the manifest says */
	ck_assert(!may(c, "inference/x"));
	ck_assert(!may(c, "tls"));
	c->record.kind = RECORD_OWNERS;
	ck_assert(!may(c, "tls2"));
	strcpy(c->who.models[0], "tiny");
	ck_assert(!may(c, "inference/x"));
	ck_assert(may(c, "tls"));
	c->who.model_count = 0;
	ck_assert(!may(c, "inference/x"));
	ck_assert(may(c, "tls"));
	strcpy(c->who.role, "coordinator");
	ck_assert(may(c, "other"));
	ck_assert(may(c, "inference/x"));
	strcpy(c->who.role, "secrets");
	ck_assert(!may(c, "tls"));
	court_free(c);
}
END_TEST

START_TEST(secrets_by_their_own_rule)
{
	static const char *const workers[] = {"worker"}, *const others[] = {"coordinator"};
	static const char *const tiny[] = {"tiny"};
	struct pm_command_statement s = {.roles = workers, .role_count = 1};
	struct court *c = court_new();

	ck_pm(record_set_rule(&c->record, &s), PM_OK);
	ck_assert(may(c, "tls"));
	ck_assert(!may(c, "other")); /* it never widens */
	s.models = tiny;
	s.model_count = 1;
	ck_pm(record_set_rule(&c->record, &s), PM_OK);
	ck_assert(!may(c, "tls"));
	strcpy(c->who.models[1], "tiny");
	c->who.model_count = 2;
	ck_assert(may(c, "tls"));
	/* One and the same model must satisfy both. */
	ck_assert(!may(c, "inference/x"));
	s = (struct pm_command_statement){.roles = others, .role_count = 1};
	ck_pm(record_set_rule(&c->record, &s), PM_OK);
	ck_assert(!may(c, "tls"));
	court_free(c);
}
END_TEST

START_TEST(secrets_end)
{
	struct court *c = court_new();

	ck_assert(access_may_have(c->m, &c->who, "tls", &c->record, 99));
	ck_assert(!access_may_have(c->m, &c->who, "tls", &c->record, 100));
	ck_assert(!access_may_have(c->m, &c->who, "tls", &c->record, 101));
	court_free(c);
}
END_TEST

/* --- rates ----------------------------------------------------------------------------------- */

START_TEST(rates)
{
	static const struct limit_rules rules = {2, 3, 1000, 1000};
	struct limit *limit = limit_new(&rules);

	ck_assert_ptr_nonnull(limit);
	for (int i = 0; i < 3; i++)
		ck_assert(limit_take(limit, "a", 1, 1000));
	ck_assert(!limit_take(limit, "a", 1, 1000));
	ck_assert(limit_take(limit, "b", 1, 1000)); /* another's is his own */
	ck_assert(!limit_take(limit, "a", 1, 1499));
	ck_assert(limit_take(limit, "a", 1, 1500)); /* two a second */
	ck_assert(!limit_take(limit, "a", 1, 1500));
	for (int i = 0; i < 3; i++)
		ck_assert(limit_take(limit, "a", 1, INT64_MAX / 2));
	ck_assert(!limit_take(limit, "a", 1, INT64_MAX / 2));
	ck_assert(!limit_take(limit, "", 0, INT64_MAX / 2));
	limit_free(limit);
}
END_TEST

/* Whoever comes from a great many addresses is held by the rate of all. */
START_TEST(rate_of_all)
{
	static const struct limit_rules rules = {1, 1, 1, 100};
	struct limit *limit = limit_new(&rules);
	size_t taken = 0;

	for (uint32_t i = 0; i < 4 * LIMIT_CLIENTS; i++)
		taken += limit_take(limit, &i, sizeof(i), 5);
	ck_assert_uint_eq(taken, 100);
	limit_free(limit);
}
END_TEST

/* What is given back does not count, and nobody has more of it than at the beginning. */
START_TEST(rates_of_what_counts)
{
	static const struct limit_rules rules = {1, 2, 1, 3};
	struct limit *limit = limit_new(&rules);

	limit_give(limit, "a", 1);
	for (int i = 0; i < 5; i++) {
		ck_assert(limit_take(limit, "a", 1, 5));
		limit_give(limit, "a", 1);
	}
	ck_assert(limit_take(limit, "a", 1, 5) && limit_take(limit, "a", 1, 5));
	ck_assert(!limit_take(limit, "a", 1, 5));
	ck_assert(limit_take(limit, "b", 1, 5));
	limit_give(limit, "b", 1);
	ck_assert(!limit_take(limit, "a", 1, 5)); /* another's is not his */
	ck_assert(limit_take(limit, "b", 1, 5));
	ck_assert(!limit_take(limit, "c", 1, 5)); /* all have no more */
	limit_free(limit);
}
END_TEST

START_TEST(clients_by_address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6}, mapped = {.sin6_family = AF_INET6};
	uint8_t a[LIMIT_KEY_MAX], b[LIMIT_KEY_MAX];
	size_t n = limit_key_of_address((struct sockaddr *)&v4, a);

	mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
	mapped.sin6_addr.s6_addr[12] = 127;
	mapped.sin6_addr.s6_addr[15] = 1;
	ck_assert_uint_eq(limit_key_of_address((struct sockaddr *)&mapped, b), n);
	ck_assert_mem_eq(a, b, n);
	v6.sin6_addr.s6_addr[0] = 0x20;
	n = limit_key_of_address((struct sockaddr *)&v6, a);
	v6.sin6_addr.s6_addr[15] = 9; /* the same customer */
	ck_assert_uint_eq(limit_key_of_address((struct sockaddr *)&v6, b), n);
	ck_assert_mem_eq(a, b, n);
	v6.sin6_addr.s6_addr[7] = 9;
	limit_key_of_address((struct sockaddr *)&v6, b);
	ck_assert_mem_ne(a, b, n);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("secrets");
	TCase *tc = tcase_create("secrets");

	tcase_add_test(tc, secrets_by_the_manifest);
	tcase_add_test(tc, secrets_by_their_own_rule);
	tcase_add_test(tc, secrets_end);
	tcase_add_test(tc, rates);
	tcase_add_test(tc, rate_of_all);
	tcase_add_test(tc, rates_of_what_counts);
	tcase_add_test(tc, clients_by_address);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return test_main(make_suite());
}
