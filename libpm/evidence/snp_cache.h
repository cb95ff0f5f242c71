/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PM_EVIDENCE_SNP_CACHE_H
#define PM_EVIDENCE_SNP_CACHE_H

#include "base/lru.h"
#include "evidence/snp_chain.h"

struct pm_snp_cache {
	struct pm_lru *chains; /* struct pm_snp_chain, by the evidence's certificates */
	struct pm_lru *crls;   /* see snp_crl.c */
};

PM_OWNER(pm_snp_cache, pm_snp_cache_free);

/*
 * The chain of the evidence, out of the cache (which may be NULL) or built now; the caller's
 * reference. As pm_snp_chain_build().
 */
int pm_snp_cache_chain(struct pm_snp_cache *cache, const struct pm_snp_evidence *evidence,
	const struct pm_snp_policy *policy, struct pm_report *report,
	struct pm_snp_chain **ret) PM_MUST_USE;

#endif
