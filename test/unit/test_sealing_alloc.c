/* SPDX-License-Identifier: Apache-2.0 */
/* What the mesh seals, shares and writes down, without memory: see alloc.h. */
#include <string.h>

#include "alloc.h"
#include "mesh/audit.h"
#include "mesh/seal.h"
#include "testing.h"

static const uint8_t secret[32] = {7};

static struct pm_sign_key *signer;

static void set_up(void)
{
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &signer), PM_OK);
}

static void clean_up(void)
{
	pm_sign_key_free(signer);
}

static int seal_a_value(void)
{
	pm_cleanup(pm_seal_key) struct pm_seal_key *key = NULL;
	uint8_t sealed[3 + PM_SEAL_OVERHEAD], plain[3];
	int r = pm_seal_key_new(secret, "label", 1, &key);

	if (r < 0)
		return key ? ALLOC_WRONG : r;
	r = pm_seal(key, "place", 5, "abc", 3, sealed);
	if (r == PM_OK)
		r = pm_seal_open(key, "place", 5, sealed, sizeof(sealed), plain);
	if (r < 0)
		return r;
	return pm_view_equal(pm_view(plain, 3), VIEW("abc")) ? PM_OK : ALLOC_WRONG;
}

static int write_a_log(void)
{
	const struct pm_audit_field field = {"name", "value"};
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL, *again = NULL;
	struct pm_audit_head head = {0};
	const char *line;
	size_t len;
	int r = pm_audit_new(signer, "log", &audit);

	if (r < 0)
		return audit ? ALLOC_WRONG : r;
	r = pm_audit_append(audit, 1772323200, "event", &field, 1, &line, &len);
	if (r == PM_OK)
		r = pm_audit_verify(
			line, len, pm_sign_key_public(signer), "log", NULL, NULL, &head);
	if (r < 0)
		return head.entries ? ALLOC_WRONG : r;
	r = pm_audit_new(signer, "log", &again);
	if (r == PM_OK)
		r = pm_audit_resume(again, line, len, NULL);
	if (r < 0)
		return r;
	return head.entries == 1 ? PM_OK : ALLOC_WRONG;
}

START_TEST(logs_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_audit", write_a_log, ALLOC_LOSSY), 10);
}
END_TEST

START_TEST(values_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_seal", seal_a_value, ALLOC_LOSSY), 7);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sealing_alloc");
	TCase *t = tcase_create("sealing_alloc");

	tcase_add_checked_fixture(t, set_up, clean_up);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, logs_without_memory);
	tcase_add_test(t, values_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
