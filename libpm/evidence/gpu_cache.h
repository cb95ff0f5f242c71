/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PM_EVIDENCE_GPU_CACHE_H
#define PM_EVIDENCE_GPU_CACHE_H

#include "base/lru.h"
#include "evidence/gpu_chain.h"

struct pm_gpu_cache {
	struct pm_lru *chains;	/* struct pm_gpu_chain, by all certificates */
	struct pm_lru *issuers; /* struct pm_gpu_issuers, by the upper three */
};

PM_OWNER(pm_gpu_cache, pm_gpu_cache_free);

/*
 * The chain of the evidence, out of the cache (which may be NULL) or built now; the caller's
 * reference. As pm_gpu_chain_build().
 */
int pm_gpu_cache_chain(struct pm_gpu_cache *cache, const struct pm_gpu_evidence *evidence,
	const struct pm_gpu_policy *policy, struct pm_report *report,
	struct pm_gpu_chain **ret) PM_MUST_USE;

#endif
