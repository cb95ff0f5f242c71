/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens without memory: see alloc.h. jansson is a shared library, whose own memory never fails. */
#include <pm/eat.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "evidence/eat.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

static struct pm_view keys, token;

static void read_corpus(void)
{
	struct pm_view all = test_read(PM_CORPUS "/eat/valid");
	size_t n = (size_t)all.ptr[0] << 8 | all.ptr[1];

	keys = pm_view(all.ptr + 2, n);
	token = pm_view(all.ptr + 2 + n, all.len - 2 - n);
	ck_pm(pm_crypto_init(), PM_OK);
}

static int make_policy(void)
{
	pm_cleanup(pm_eat_policy) struct pm_eat_policy *policy = NULL;
	static const uint8_t digest[32];
	int r = pm_eat_policy_new(&policy);

	if (r < 0)
		return r;
	r = pm_eat_policy_allow_issuer(policy, "https://a.test");
	if (r < 0)
		return policy->issuers.count ? ALLOC_WRONG : r;
	r = pm_eat_policy_pin_key(policy, digest);
	if (r < 0)
		return policy->keys.count ? ALLOC_WRONG : r;
	return policy->issuers.count == 1 && policy->keys.count == 1 ? PM_OK : ALLOC_WRONG;
}

static int verify(const struct pm_jwks *jwks, struct pm_eat *eat)
{
	pm_cleanup(pm_eat_policy) struct pm_eat_policy *policy = NULL;
	const struct pm_eat_facts *facts = NULL;
	int r = pm_eat_policy_new(&policy);

	if (r < 0)
		return r;
	r = pm_eat_policy_waive(policy, PM_EAT_WAIVE_NONCE);
	if (r < 0)
		return r;
	r = pm_eat_verify(eat, jwks, policy, NOW, NULL, &facts);
	if (r < 0)
		return facts ? ALLOC_WRONG : r;
	return facts->device_count ? PM_OK : ALLOC_WRONG;
}

static int verify_token(void)
{
	pm_cleanup(pm_jwks) struct pm_jwks *jwks = NULL;
	pm_cleanup(pm_eat) struct pm_eat *eat = NULL;
	int r = pm_jwks_parse(keys.ptr, keys.len, NULL, &jwks);

	if (r < 0)
		return jwks ? ALLOC_WRONG : r;
	r = pm_eat_parse(token.ptr, token.len, NULL, &eat);
	if (r < 0)
		return eat ? ALLOC_WRONG : r;
	return verify(jwks, eat);
}

START_TEST(policies_survive)
{
	ck_assert_uint_ge(alloc_walk("policy", make_policy, ALLOC_NOMEM), 3);
}
END_TEST

START_TEST(tokens_survive)
{
	ck_assert_uint_ge(alloc_walk("token", verify_token, ALLOC_LOSSY), 8);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("eat_alloc");
	TCase *t = tcase_create("eat_alloc");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, read_corpus, NULL);
	tcase_add_test(t, policies_survive);
	tcase_add_test(t, tokens_survive);
	suite_add_tcase(s, t);
	return test_main(s);
}
