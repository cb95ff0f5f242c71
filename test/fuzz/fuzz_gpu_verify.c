/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a stranger hands in about a device, less golden measurements and OCSP responses, which
 * have targets of their own: report and certificates, each with 32 bits of length before it. The
 * corpus has roots of its own; their keys signed what gpu_seeds.h lists and are gone. So a yes to
 * anything else is a forgery.
 */
#include <string.h>

#include "base/rd.h"
#include "base/report.h"
#include "evidence/gpu_cache.h"
#include "fuzz.h"
#include "gpu_seeds.h"

#define BLOCK_MAX 65536

static bool is_seed(struct pm_view bytes)
{
	uint8_t sha256[PM_SHA256_SIZE];

	FUZZ_CHECK(pm_hash(PM_SHA256, bytes, sha256) == PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(seed_gpu_signed); i++) {
		if (!memcmp(seed_gpu_signed[i], sha256, sizeof(sha256)))
			return true;
	}
	return false;
}

static bool is_root(const uint8_t *sha256)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(seed_gpu_roots); i++) {
		if (!memcmp(seed_gpu_roots[i], sha256, PM_SHA256_SIZE))
			return true;
	}
	return false;
}

/* Waives and permits all it can: what is left are signatures and the format. */
static struct pm_gpu_policy *new_policy(bool with_roots)
{
	struct pm_gpu_policy *policy = NULL;

	FUZZ_CHECK(pm_gpu_policy_new(&policy) == PM_OK);
	FUZZ_CHECK(pm_gpu_policy_waive(policy,
			   PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP) == PM_OK);
	FUZZ_CHECK(pm_gpu_policy_permit(policy, 7) == PM_OK);
	for (size_t i = 0; with_roots && i < PM_ARRAY_LEN(seed_gpu_roots); i++)
		FUZZ_CHECK(pm_gpu_policy_add_test_root(
				   policy, PM_GPU_ROOT_DEVICE, seed_gpu_roots[i]) == PM_OK);
	return policy;
}

static int verify(struct pm_gpu_evidence *ev, bool with_roots, struct pm_gpu_cache *cache,
	const struct pm_gpu_facts **ret_facts)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(with_roots);
	int r;

	*ret_facts = NULL;
	r = pm_gpu_verify(ev, policy, NULL, 0, NULL, cache, FUZZ_NOW, report, ret_facts);
	/* A refusal says why, and an acceptance has nothing to say against. */
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	FUZZ_CHECK((r == PM_OK) == (*ret_facts != NULL));
	return r;
}

static void check_facts(const struct pm_gpu_evidence *ev, const struct pm_gpu_facts *facts)
{
	FUZZ_CHECK(facts->test_root && is_root(facts->root_sha256));
	FUZZ_CHECK(is_seed(ev->parts.body));
	FUZZ_CHECK(!memcmp(&facts->fields, &ev->fields, sizeof(ev->fields)));
	FUZZ_CHECK(facts->valid_until >= FUZZ_NOW);
	FUZZ_CHECK(!facts->rim_checked && !facts->ocsp_checked && !facts->golden_count);
}

/* The answer is the same from the cache, and no without the test roots. */
static void check_other_ways(struct pm_gpu_evidence *ev, int answer)
{
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	const struct pm_gpu_facts *facts;

	FUZZ_CHECK(pm_gpu_cache_new(2, &cache) == PM_OK);
	FUZZ_CHECK(verify(ev, true, cache, &facts) == answer);
	FUZZ_CHECK(verify(ev, true, cache, &facts) == answer);
	FUZZ_CHECK(verify(ev, false, cache, &facts) < 0);
	FUZZ_CHECK(verify(ev, false, NULL, &facts) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;
	struct pm_rd rd = pm_rd(pm_view(data, size));
	struct pm_view report = pm_rd_prefixed_be32(&rd, BLOCK_MAX);
	struct pm_view certs = pm_rd_prefixed_be32(&rd, BLOCK_MAX);
	int r;

	if (pm_gpu_evidence_parse(report.ptr, report.len, 0, NULL, &ev) < 0)
		return 0;
	if (certs.len) /* what does not parse is left out: verification must cope */
		FUZZ_CHECK(pm_gpu_evidence_add_certs(ev, certs.ptr, certs.len, NULL) <= 0);
	r = verify(ev, true, NULL, &facts);
	if (facts)
		check_facts(ev, facts);
	check_other_ways(ev, r);
	return 0;
}
