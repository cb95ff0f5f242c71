/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-proxy keeps, without memory. */
#include <string.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "common/buffer.h"
#include "pm-proxy/keys.h"
#include "pm-proxy/usage.h"
#include "testing.h"

static const struct keys_rules rules = {.replay_entries = 16, .replay_window = 60, .spent = 4};
static const uint8_t secret[32] = {1};

static int keep_key(void)
{
	struct keys *keys;
	struct key *key;
	int r = keys_new(&rules, &keys);

	if (r < 0)
		return r;
	r = keys_insert(keys, "a", secret, 100, 0);
	if (r == PM_OK) {
		key = keys_find(keys, "a", 1);
		r = !key ? ALLOC_WRONG : key_sealed(keys, key) ? PM_OK : PM_E_NOMEM;
		key_unref(keys, key);
	}
	keys_free(keys);
	return r;
}

static int fill_buffer(void)
{
	struct buffer buffer = {0};
	int r = PM_OK;

	for (int i = 0; r == PM_OK && i < 100; i++)
		r = buffer_add(&buffer, "0123456789012345678901234567890123456789", 40, 10000)
			    ? PM_OK
			    : PM_E_NOMEM;
	if (r == PM_OK && buffer.len != 4000)
		r = ALLOC_WRONG;
	buffer_free(&buffer);
	return r;
}

static int count_usage(void)
{
	struct usage_table *table;
	int r = usage_new(&table);

	if (r < 0)
		return r;
	usage_free(table);
	return PM_OK;
}

START_TEST(without_memory)
{
	ck_pm(pm_crypto_init(), PM_OK);
	ck_assert_uint_gt(alloc_walk("key", keep_key, ALLOC_NOMEM), 5);
	ck_assert_uint_gt(alloc_walk("buffer", fill_buffer, ALLOC_NOMEM), 1);
	ck_assert_uint_gt(alloc_walk("usage", count_usage, ALLOC_NOMEM), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy_alloc");
	TCase *tc = tcase_create("proxy_alloc");

	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
