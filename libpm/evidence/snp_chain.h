/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain from a root through ASK or ASVK to the VEK. Making one verifies every signature and
 * profile, but neither times nor whether the root is trusted: a chain is shared by the cache, and
 * these two are asked at each use.
 */
#ifndef PM_EVIDENCE_SNP_CHAIN_H
#define PM_EVIDENCE_SNP_CHAIN_H

#include "base/lru.h"
#include "crypto/x509.h"
#include "evidence/snp_evidence.h"
#include "evidence/snp_policy.h"
#include "evidence/snp_vek.h"

struct pm_snp_chain {
	struct pm_shared shared;
	struct pm_cert *vek, *intermediate, *root;
	struct pm_pubkey *vek_key, *root_key;
	struct pm_snp_vek facts;
	uint8_t root_sha256[PM_SHA256_SIZE];
};

void pm_snp_chain_unref(struct pm_snp_chain *chain);
PM_OWNER(pm_snp_chain, pm_snp_chain_unref);

/*
 * Builds the chain for the report's signing key out of the evidence's certificates. PM_E_MISSING,
 * PM_E_REJECTED, PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_snp_chain_build(const struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	struct pm_report *report, struct pm_snp_chain **ret) PM_MUST_USE;

/*
 * Is the root AMD's for this product, or one that the policy names? Notes the chain.
 * PM_E_REJECTED.
 */
int pm_snp_chain_check_root(const struct pm_snp_chain *chain, const struct pm_snp_policy *policy,
	struct pm_report *report, bool *ret_test_root) PM_MUST_USE;

/* Is each certificate valid now? *ret_until: the last second of all. PM_E_STALE. */
int pm_snp_chain_check_times(const struct pm_snp_chain *chain, int64_t now,
	struct pm_report *report, int64_t *ret_until) PM_MUST_USE;

#endif
