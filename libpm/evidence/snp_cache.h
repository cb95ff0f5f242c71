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
 * The chain that was kept last for these certificates and this signer, or NULL; the caller's
 * reference. Of several that they allow it may be the wrong one.
 */
struct pm_snp_chain *pm_snp_cache_get(
	struct pm_snp_cache *cache, const struct pm_snp_evidence *evidence);

/* Keeps it, with a reference of its own. Both do nothing without a cache. */
void pm_snp_cache_put(struct pm_snp_cache *cache, const struct pm_snp_evidence *evidence,
	struct pm_snp_chain *chain);

#endif
