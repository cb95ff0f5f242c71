/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_cache.h"

#include <stdlib.h>

/* NVIDIA has some provisioners for each chip. */
#define ISSUER_ENTRIES 64

int pm_gpu_cache_new(size_t entries, struct pm_gpu_cache **ret_cache)
{
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = pm_alloc(sizeof(*cache));
	int r;

	if (!cache)
		return PM_E_NOMEM;
	r = pm_lru_new(entries, &cache->chains);
	if (r < 0)
		return r;
	r = pm_lru_new(ISSUER_ENTRIES, &cache->issuers);
	if (r < 0)
		return r;
	*ret_cache = pm_steal(cache);
	return PM_OK;
}

void pm_gpu_cache_free(struct pm_gpu_cache *cache)
{
	if (!cache)
		return;
	pm_lru_free(cache->chains);
	pm_lru_free(cache->issuers);
	free(cache);
}

static int key_from(const struct pm_gpu_evidence *ev, enum pm_gpu_place first, uint8_t *ret)
{
	size_t count = PM_GPU_CERTS - (size_t)first;

	return pm_hash(PM_SHA256, pm_view(ev->cert_digests[first], count * PM_SHA256_SIZE), ret);
}

static int issuers_of(struct pm_gpu_cache *cache, const struct pm_gpu_evidence *ev,
	const struct pm_gpu_policy *policy, struct pm_report *report, struct pm_gpu_issuers **ret)
{
	uint8_t key[PM_LRU_KEY_SIZE];
	struct pm_shared *kept;
	int r;

	if (!cache)
		return pm_gpu_issuers_build(ev, policy, report, ret);
	r = key_from(ev, PM_GPU_ICA, key);
	if (r < 0)
		return r;
	kept = pm_lru_get(cache->issuers, key);
	if (kept) {
		*ret = (struct pm_gpu_issuers *)kept;
		return PM_OK;
	}
	r = pm_gpu_issuers_build(ev, policy, report, ret);
	if (r == PM_OK)
		pm_lru_put(cache->issuers, key, &(*ret)->shared);
	return r;
}

static int build(struct pm_gpu_cache *cache, const struct pm_gpu_evidence *ev,
	const struct pm_gpu_policy *policy, struct pm_report *report, struct pm_gpu_chain **ret)
{
	pm_cleanup(pm_gpu_issuers) struct pm_gpu_issuers *issuers = NULL;
	bool test_root;
	int r = issuers_of(cache, ev, policy, report, &issuers);

	if (r < 0)
		return r;
	r = pm_gpu_issuers_check_root(issuers, policy, report, &test_root);
	if (r < 0)
		return r;
	return pm_gpu_chain_build(ev, issuers, report, ret);
}

int pm_gpu_cache_chain(struct pm_gpu_cache *cache, const struct pm_gpu_evidence *evidence,
	const struct pm_gpu_policy *policy, struct pm_report *report, struct pm_gpu_chain **ret)
{
	uint8_t key[PM_LRU_KEY_SIZE];
	struct pm_shared *kept;
	int r = pm_gpu_chain_check_count(evidence, report);

	if (r < 0)
		return r;
	if (!cache)
		return build(NULL, evidence, policy, report, ret);
	r = key_from(evidence, PM_GPU_LEAF, key);
	if (r < 0)
		return r;
	kept = pm_lru_get(cache->chains, key);
	if (kept) {
		*ret = (struct pm_gpu_chain *)kept;
		return PM_OK;
	}
	r = build(cache, evidence, policy, report, ret);
	if (r == PM_OK)
		pm_lru_put(cache->chains, key, &(*ret)->shared);
	return r;
}
