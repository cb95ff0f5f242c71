/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy holds, and its use on facts. */
#ifndef PM_EVIDENCE_SNP_POLICY_H
#define PM_EVIDENCE_SNP_POLICY_H

#include <pm/snp_policy.h>
#include "base/list.h"
#include "evidence/snp_evidence.h"
#include "evidence/snp_tcb.h"

#define PM_SNP_FIELD_COUNT	  9
#define PM_SNP_TCB_KINDS	  4
#define PM_SNP_POLICY_ENTRIES_MAX 16

struct pm_snp_min_tcb {
	bool set;
	struct pm_snp_tcb tcb;
};

struct pm_snp_wanted_entry {
	uint8_t guid[PM_SNP_GUID_SIZE];
	pm_snp_entry_fn fn;
	void *arg;
};

struct pm_snp_policy {
	unsigned int waivers, permissions, requirements;
	bool has_report_data;
	uint8_t report_data[PM_SNP_REPORT_DATA_SIZE];
	struct pm_list fields[PM_SNP_FIELD_COUNT];
	struct pm_list csp_ids;
	struct pm_list test_roots;
	uint64_t policy_set, policy_clear;
	uint64_t platform_set, platform_clear;
	uint8_t abi_major, abi_minor;
	struct pm_snp_min_tcb min_tcb[PM_SNP_TCB_KINDS][PM_SNP_PRODUCT_COUNT];
	struct pm_snp_firmware min_firmware;
	uint32_t min_guest_svn;
	uint32_t min_version;
	uint64_t mit_launch, mit_current;
	unsigned int vmpls, products, signers; /* bit sets; 0: the default */
	int64_t max_crl_age;		       /* 0: its own nextUpdate only */
	struct pm_snp_wanted_entry entries[PM_SNP_POLICY_ENTRIES_MAX];
	size_t entry_count;
};

/* Does the policy name every demand or waiver that must be named? PM_E_ARG. */
int pm_snp_policy_check_complete(
	const struct pm_snp_policy *policy, struct pm_report *report) PM_MUST_USE;

/* Facts in, verdict out: every demand is checked and noted. PM_E_REJECTED. */
int pm_snp_appraise(const struct pm_snp_evidence *evidence, const struct pm_snp_facts *facts,
	const struct pm_snp_policy *policy, struct pm_report *report) PM_MUST_USE;

#endif
