/* SPDX-License-Identifier: Apache-2.0 */
/* Without memory bundles are refused with PM_E_NOMEM, and nothing leaks: see test_alloc.c. */
#include <pm/appraise.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "policy/manifest.h"
#include "policy/verdict.h"
#include "testing.h"

PM_OWNER(pm_nonce_tree, pm_nonce_tree_free);

static struct pm_view full, with_spki;

static void read_corpus(void)
{
	full = test_read(PM_CORPUS "/bundle/full");
	with_spki = test_read(PM_CORPUS "/bundle/spki");
	ck_pm(pm_crypto_init(), PM_OK);
}

static int parse_full(void)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	int r = pm_bundle_parse(full.ptr, full.len, NULL, &b);

	if (r < 0)
		return b ? ALLOC_WRONG : r;
	return b->content.gpu_count == 1 ? PM_OK : ALLOC_WRONG;
}

static int parse_with_spki(void)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	int r = pm_bundle_parse(with_spki.ptr, with_spki.len, NULL, &b);

	if (r < 0)
		return b ? ALLOC_WRONG : r;
	return b->claims.key_kind == PM_CLAIMS_SPKI ? PM_OK : ALLOC_WRONG;
}

static int make_tree(void)
{
	static const uint8_t nonces[9][PM_BUNDLE_NONCE_SIZE];
	pm_cleanup(pm_nonce_tree) struct pm_nonce_tree *tree = NULL;
	struct pm_bundle_nonce n;
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE];
	int r = pm_nonce_tree_new(nonces[0], 9, &tree);

	if (r < 0)
		return tree ? ALLOC_WRONG : r;
	r = pm_nonce_tree_path(tree, 8, &n);
	if (r == PM_OK)
		r = pm_bundle_challenge(&n, challenge);
	if (r < 0)
		return r;
	return pm_ct_equal(challenge, pm_nonce_tree_root(tree), sizeof(challenge)) ? PM_OK
										   : ALLOC_WRONG;
}

/* Made once: what is walked is the appraisal. */
static struct pm_bundle *worker;
static struct pm_manifest *manifest;

static int make_verdict(void)
{
	pm_cleanup(pm_verdict) struct pm_verdict *v = pm_verdict_new();

	if (!v)
		return PM_E_NOMEM;
	return pm_verdict_is_accepted(v) ? ALLOC_WRONG : PM_OK;
}

static int appraise(void)
{
	static const uint8_t nonce[PM_BUNDLE_NONCE_SIZE] = {[31] = 7};
	const struct pm_appraisal question = {
		.manifest = manifest, .nonce = nonce, .now = 1772323200, /* 2026-03-01 */
	};
	pm_cleanup(pm_verdict) struct pm_verdict *v = pm_verdict_new();
	const struct pm_appraised *facts = NULL;
	int r;

	if (!v)
		return PM_E_NOMEM;
	r = pm_appraise(worker, &question, v, &facts);
	if (pm_verdict_is_accepted(v) != (r == PM_OK) || (facts != NULL) != (r == PM_OK))
		return ALLOC_WRONG;
	if (r == PM_OK && (facts->gpu_count != 3 || !facts->snp->crl_checked))
		r = ALLOC_WRONG;
	pm_appraised_free(facts);
	return r;
}

START_TEST(appraisals_without_memory)
{
	struct pm_view bytes = test_read(PM_WORKER_BUNDLE), text = test_read(PM_WORKER_MANIFEST);

	ck_pm(pm_bundle_parse(bytes.ptr, bytes.len, NULL, &worker), PM_OK);
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &manifest), PM_OK);
	ck_assert_uint_ge(alloc_walk("pm_verdict_new", make_verdict, ALLOC_NOMEM), 1);
	ck_assert_uint_ge(alloc_walk("pm_appraise", appraise, ALLOC_LOSSY), 100);
	pm_manifest_free(manifest);
	pm_bundle_free(worker);
	test_free(bytes);
	test_free(text);
}
END_TEST

START_TEST(bundles_without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_bundle_parse", parse_full, ALLOC_NOMEM), 2);
	ck_assert_uint_ge(alloc_walk("pm_bundle_parse, SPKI", parse_with_spki, ALLOC_LOSSY), 2);
	ck_assert_uint_ge(alloc_walk("pm_nonce_tree", make_tree, ALLOC_NOMEM), 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bundle_alloc");
	TCase *t = tcase_create("bundle_alloc");

	tcase_add_checked_fixture(t, read_corpus, NULL);
	tcase_set_timeout(t, 500);
	tcase_add_test(t, bundles_without_memory);
	tcase_add_test(t, appraisals_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
