/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_cache.h"

#include <stdlib.h>

/* One list serves all chips of a product. */
#define CRL_ENTRIES 16

int pm_snp_cache_new(size_t entries, struct pm_snp_cache **ret_cache)
{
	pm_cleanup(pm_snp_cache) struct pm_snp_cache *cache = pm_alloc(sizeof(*cache));
	int r;

	if (!cache)
		return PM_E_NOMEM;
	r = pm_lru_new(entries, &cache->chains);
	if (r < 0)
		return r;
	r = pm_lru_new(CRL_ENTRIES, &cache->crls);
	if (r < 0)
		return r;
	*ret_cache = pm_steal(cache);
	return PM_OK;
}

void pm_snp_cache_free(struct pm_snp_cache *cache)
{
	if (!cache)
		return;
	pm_lru_free(cache->chains);
	pm_lru_free(cache->crls);
	free(cache);
}

/* Which chain the certificates make depends on who is said to have signed the report. */
static int chain_key(const struct pm_snp_evidence *ev, uint8_t *ret)
{
	const uint8_t signer = (uint8_t)ev->fields.signing_key;
	const struct pm_view parts[] = {
		pm_view(ev->certs_digest, PM_SHA256_SIZE),
		pm_view(&signer, 1),
	};

	return pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret);
}

struct pm_snp_chain *pm_snp_cache_get(
	struct pm_snp_cache *cache, const struct pm_snp_evidence *evidence)
{
	uint8_t key[PM_LRU_KEY_SIZE];

	if (!cache || chain_key(evidence, key) < 0)
		return NULL;
	return (struct pm_snp_chain *)pm_lru_get(cache->chains, key); /* its first member */
}

void pm_snp_cache_put(struct pm_snp_cache *cache, const struct pm_snp_evidence *evidence,
	struct pm_snp_chain *chain)
{
	uint8_t key[PM_LRU_KEY_SIZE];

	if (cache && chain_key(evidence, key) == PM_OK)
		pm_lru_put(cache->chains, key, &chain->shared);
}
