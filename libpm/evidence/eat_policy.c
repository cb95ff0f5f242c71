/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "evidence/eat.h"

#define ALL_WAIVERS	(PM_EAT_WAIVE_NONCE | PM_EAT_WAIVE_DEVICES | PM_EAT_WAIVE_OVERALL)
#define ALL_PERMISSIONS (PM_EAT_PERMIT_UNKNOWN_CLAIMS | PM_EAT_PERMIT_WARNING)

int pm_eat_policy_new(struct pm_eat_policy **ret_policy)
{
	struct pm_eat_policy *policy = pm_alloc(sizeof(*policy));

	if (!policy)
		return PM_E_NOMEM;
	policy->issuers.size = PM_EAT_TEXT_SIZE;
	policy->keys.size = PM_SHA256_SIZE;
	policy->skew = PM_EAT_SKEW_DEFAULT;
	*ret_policy = policy;
	return PM_OK;
}

void pm_eat_policy_free(struct pm_eat_policy *policy)
{
	if (!policy)
		return;
	free(policy->issuers.values);
	free(policy->keys.values);
	free(policy);
}

int pm_eat_policy_expect_nonce(struct pm_eat_policy *policy, const uint8_t *nonce)
{
	pm_copy(policy->nonce, nonce, sizeof(policy->nonce));
	policy->has_nonce = true;
	return PM_OK;
}

/* Or-s flags into a set, unless one of them is not known. */
static int add_flags(unsigned int *set, unsigned int flags, unsigned int known)
{
	if (flags & ~known)
		return PM_E_ARG;
	*set |= flags;
	return PM_OK;
}

int pm_eat_policy_waive(struct pm_eat_policy *policy, unsigned int waivers)
{
	return add_flags(&policy->waivers, waivers, ALL_WAIVERS);
}

int pm_eat_policy_permit(struct pm_eat_policy *policy, unsigned int permissions)
{
	return add_flags(&policy->permissions, permissions, ALL_PERMISSIONS);
}

int pm_eat_policy_allow_issuer(struct pm_eat_policy *policy, const char *issuer)
{
	char text[PM_EAT_TEXT_SIZE];

	if (!pm_eat_copy_text(issuer, text))
		return PM_E_ARG;
	return pm_list_add(&policy->issuers, (const uint8_t *)text, PM_EAT_POLICY_LIST_MAX);
}

int pm_eat_policy_pin_key(struct pm_eat_policy *policy, const uint8_t *spki_sha256)
{
	return pm_list_add(&policy->keys, spki_sha256, PM_EAT_POLICY_LIST_MAX);
}

int pm_eat_policy_expect_count(struct pm_eat_policy *policy, size_t count)
{
	if (!count || count > PM_EAT_DEVICES_MAX)
		return PM_E_ARG;
	policy->count = count;
	return PM_OK;
}

int pm_eat_policy_max_age(struct pm_eat_policy *policy, int64_t seconds)
{
	if (seconds <= 0)
		return PM_E_ARG;
	policy->max_age = seconds;
	return PM_OK;
}

int pm_eat_policy_skew(struct pm_eat_policy *policy, int64_t seconds)
{
	if (seconds < 0 || seconds > PM_EAT_SKEW_MAX)
		return PM_E_ARG;
	policy->skew = seconds;
	return PM_OK;
}

int pm_eat_policy_check_complete(const struct pm_eat_policy *policy, struct pm_report *report)
{
	if (!policy->has_nonce && !(policy->waivers & PM_EAT_WAIVE_NONCE))
		return pm_fail(report, PM_E_ARG, "policy, nonce", "demanded or waived", "neither");
	return PM_OK;
}

bool pm_eat_policy_issuer(const struct pm_eat_policy *policy, const char *issuer)
{
	char text[PM_EAT_TEXT_SIZE];

	if (!policy->issuers.count)
		return strcmp(issuer, PM_EAT_ISSUER) == 0;
	return pm_eat_copy_text(issuer, text) &&
	       pm_list_has(&policy->issuers, (const uint8_t *)text);
}
