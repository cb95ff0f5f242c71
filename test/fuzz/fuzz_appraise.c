/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bundle against the manifest of the corpus. Its key signed one set of claims, so a yes to any
 * other is a forgery; what is handed out is what was claimed.
 */
#include <string.h>

#include <pm/appraise.h>

#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "fuzz.h"
#include "policy/manifest.h"
#include "policy/verdict.h"

#include "appraise_seeds.h"

static struct pm_manifest *manifest;

static void check_facts(const struct pm_bundle *b, const struct pm_appraised *facts)
{
	uint8_t digest[PM_SHA256_SIZE];

	FUZZ_CHECK(pm_hash(PM_SHA256, pm_bytes_view(b->content.claims), digest) == PM_OK);
	FUZZ_CHECK(pm_ct_equal(digest, seed_claims, sizeof(digest)));
	FUZZ_CHECK(!memcmp(&facts->claims, &b->claims, sizeof(facts->claims)));
	FUZZ_CHECK(facts->test_root && facts->snp->test_root && facts->snp->crl_checked);
	FUZZ_CHECK(facts->gpu_count == 0 && facts->valid_until >= FUZZ_NOW);
}

/* Of the seeds alone, the same with and without a verdict, and never for another nonce. */
static void judge(const struct pm_bundle *b, struct pm_verdict *verdict)
{
	static const uint8_t nonce[PM_BUNDLE_NONCE_SIZE] = {[31] = 7}, other[sizeof(nonce)];
	struct pm_appraisal question = {.manifest = manifest, .nonce = nonce, .now = FUZZ_NOW};
	const struct pm_appraised *facts = NULL;
	int r = pm_appraise(b, &question, verdict, &facts);

	FUZZ_CHECK((facts != NULL) == (r == PM_OK));
	FUZZ_CHECK(pm_verdict_is_accepted(verdict) == (r == PM_OK));
	FUZZ_CHECK((pm_verdict_failure(verdict) != NULL) == (r < 0));
	if (facts)
		check_facts(b, facts);
	pm_appraised_free(facts);
	facts = NULL;
	FUZZ_CHECK(pm_appraise(b, &question, NULL, &facts) == r);
	pm_appraised_free(facts);
	question.nonce = other;
	facts = NULL;
	FUZZ_CHECK(r < 0 || pm_appraise(b, &question, NULL, &facts) < 0);
	FUZZ_CHECK(!facts || r < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	pm_cleanup(pm_verdict) struct pm_verdict *verdict = NULL;

	if (!manifest)
		FUZZ_CHECK(pm_manifest_parse(
				   seed_manifest, strlen(seed_manifest), NULL, &manifest) == PM_OK);
	if (pm_bundle_parse(data, size, NULL, &b) < 0)
		return 0;
	verdict = pm_verdict_new();
	FUZZ_CHECK(verdict);
	judge(b, verdict);
	return 0;
}
