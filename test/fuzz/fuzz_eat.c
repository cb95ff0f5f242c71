/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JWKS, its length in front (two bytes, most significant first), and a token behind it: read, and
 * verified with a policy that waives all that it can. What it accepts has the shape of facts.
 */
#include <string.h>

#include "evidence/eat.h"
#include "fuzz.h"

static struct pm_eat_policy *lax_policy(void)
{
	static struct pm_eat_policy *policy; /* one for all inputs */

	if (policy)
		return policy;
	FUZZ_CHECK(pm_eat_policy_new(&policy) == PM_OK);
	FUZZ_CHECK(pm_eat_policy_waive(policy, PM_EAT_WAIVE_NONCE | PM_EAT_WAIVE_DEVICES) == PM_OK);
	FUZZ_CHECK(pm_eat_policy_permit(
			   policy, PM_EAT_PERMIT_UNKNOWN_CLAIMS | PM_EAT_PERMIT_WARNING) == PM_OK);
	return policy;
}

static void check_text(const char *text, bool may_be_empty)
{
	FUZZ_CHECK(memchr(text, '\0', PM_EAT_TEXT_SIZE));
	FUZZ_CHECK(may_be_empty || text[0]);
	for (; *text; text++)
		FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

static void check_facts(const struct pm_eat_facts *facts)
{
	check_text(facts->issuer, false);
	check_text(facts->kid, false);
	FUZZ_CHECK(facts->version == 2 || facts->version == 3);
	FUZZ_CHECK(facts->valid_until + PM_EAT_SKEW_DEFAULT >= FUZZ_NOW);
	FUZZ_CHECK(!facts->nonce_checked);
	FUZZ_CHECK(facts->device_count <= PM_EAT_DEVICES_MAX);
	for (size_t i = 0; i < facts->device_count; i++) {
		const struct pm_eat_device *d = &facts->devices[i];

		check_text(d->name, false);
		check_text(d->ueid, false);
		check_text(d->hwmodel, false);
		check_text(d->vbios, false);
		check_text(d->driver, d->kind == PM_EAT_SWITCH);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(strcmp(facts->devices[k].ueid, d->ueid) != 0);
	}
}

static void verify(struct pm_view keys, struct pm_view token)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_jwks) struct pm_jwks *jwks = NULL;
	pm_cleanup(pm_eat) struct pm_eat *eat = NULL;
	const struct pm_eat_facts *facts = NULL;
	int parsed = pm_eat_parse(token.ptr, token.len, report, &eat);
	int r = pm_jwks_parse(keys.ptr, keys.len, report, &jwks);

	FUZZ_CHECK((parsed == PM_OK) == (eat != NULL));
	FUZZ_CHECK((r == PM_OK) == (jwks != NULL));
	if (!eat || !jwks)
		return;
	pm_report_reset(report);
	r = pm_eat_verify(eat, jwks, lax_policy(), FUZZ_NOW, report, &facts);
	FUZZ_CHECK((r == PM_OK) == (facts != NULL));
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	if (facts)
		check_facts(facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(free) uint8_t *copy = malloc(size ? size : 1);
	struct pm_view rest = pm_view(copy, size);
	size_t n;

	FUZZ_CHECK(copy);
	pm_copy(copy, data, size);
	if (size < 2)
		return 0;
	n = (size_t)copy[0] << 8 | copy[1];
	rest = pm_view(copy + 2, size - 2);
	n = n < rest.len ? n : rest.len;
	verify(pm_view(rest.ptr, n), pm_view(rest.ptr + n, rest.len - n));
	return 0;
}
