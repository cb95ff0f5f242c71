/* SPDX-License-Identifier: Apache-2.0 */
/* Verification with a policy that waives all it can: what is left are signatures and the format. */
#include <pm/snp_policy.h>

#include "base/report.h"
#include "evidence/snp_policy.h"
#include "fuzz.h"

static void waive_all(struct pm_snp_policy *policy)
{
	FUZZ_CHECK(pm_snp_policy_waive(policy, PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT |
						       PM_SNP_WAIVE_MIN_TCB) == PM_OK);
	FUZZ_CHECK(pm_snp_policy_permit(policy, PM_SNP_PERMIT_DEBUG | PM_SNP_PERMIT_MIGRATE_MA |
							PM_SNP_PERMIT_CXL |
							PM_SNP_PERMIT_MASKED_CHIP_ID) == PM_OK);
	for (uint32_t vmpl = 0; vmpl <= 3; vmpl++)
		FUZZ_CHECK(pm_snp_policy_allow_vmpl(policy, vmpl) == PM_OK);
}

int fuzz_verify_with_roots(struct pm_snp_evidence *evidence, struct pm_snp_cache *cache,
	const uint8_t (*roots)[32], size_t count, const struct pm_snp_facts **ret_facts)
{
	struct pm_report *report = pm_report_new();
	struct pm_snp_policy *policy = NULL;
	int r;

	FUZZ_CHECK(report && pm_snp_policy_new(&policy) == PM_OK);
	waive_all(policy);
	for (size_t i = 0; i < count; i++)
		FUZZ_CHECK(pm_snp_policy_add_test_root(policy, roots[i]) == PM_OK);
	r = pm_snp_verify(evidence, policy, cache, FUZZ_NOW, report, ret_facts);
	/* A refusal says why, and an acceptance has nothing to say against. */
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	pm_snp_policy_free(policy);
	pm_report_free(report);
	return r;
}

int fuzz_verify(struct pm_snp_evidence *evidence, struct pm_snp_cache *cache,
	const struct pm_snp_facts **ret_facts)
{
	return fuzz_verify_with_roots(evidence, cache, NULL, 0, ret_facts);
}
