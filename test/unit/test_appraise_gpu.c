/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle with GPUs, made by pm-sim, in this process: what a yes hands out, that no byte of it can
 * be changed, and threads. Bundles with one thing wrong: test/cli/bundle.sh.
 */
#include <pthread.h>
#include <string.h>

#include <pm/gpu.h>

#include "evidence/bundle.h"
#include "policy/appraise.h"
#include "policy/manifest.h"
#include "policy/verdict.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

static struct pm_view bundle;
static struct pm_manifest *manifest;
static uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
static struct pm_snp_cache *snp_cache;
static struct pm_gpu_cache *gpu_cache;

static void make(void)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_view text = test_read(PM_WORKER_MANIFEST);
	int r = pm_manifest_parse(text.ptr, text.len, report, &manifest);

	ck_assert_msg(r == PM_OK, "%s", pm_report_reason(report));
	test_free(text);
	bundle = test_read(PM_WORKER_BUNDLE);
	nonce[PM_BUNDLE_NONCE_SIZE - 1] = 7;
	ck_pm(pm_snp_cache_new(8, &snp_cache), PM_OK);
	ck_pm(pm_gpu_cache_new(8, &gpu_cache), PM_OK);
}

static void drop(void)
{
	test_free(bundle);
	pm_manifest_free(manifest);
	pm_snp_cache_free(snp_cache);
	pm_gpu_cache_free(gpu_cache);
}

static int judge(struct pm_view bytes, struct pm_verdict *v, const struct pm_appraised **ret)
{
	const struct pm_appraisal question = {
		.manifest = manifest,
		.nonce = nonce,
		.role = "worker",
		.model = "tiny",
		.now = NOW,
		.snp_cache = snp_cache,
		.gpu_cache = gpu_cache,
	};
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	int r = pm_bundle_parse(bytes.ptr, bytes.len, NULL, &b);

	return r < 0 ? r : pm_appraise(b, &question, v, ret);
}

START_TEST(facts_are_of_each_gpu)
{
	pm_cleanup(pm_verdict) struct pm_verdict *v = pm_verdict_new();
	const struct pm_appraised *facts = NULL;
	int r = judge(bundle, v, &facts);

	ck_assert_msg(r == PM_OK, "%s", pm_verdict_reason(v));
	ck_assert(pm_verdict_is_accepted(v));
	ck_assert_uint_eq(facts->gpu_count, 3);
	ck_assert_uint_eq(facts->claims.gpu_count, 3);
	ck_assert(facts->test_root && facts->snp->test_root);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(facts->gpus[i]->rim_checked && facts->gpus[i]->ocsp_checked);
		ck_assert(facts->gpus[i]->test_root);
		ck_assert_int_eq(facts->gpus[i]->arch, PM_GPU_HOPPER);
		ck_assert(i == 0 || strcmp(facts->gpus[i]->ueid, facts->gpus[0]->ueid));
	}
	ck_assert_int_eq(facts->valid_until, NOW + 600); /* of the GPU evidence */
	pm_appraised_free(facts);
}
END_TEST

/* --- any byte --------------------------------------------------------------------------------- */

static bool is_within(const uint8_t *byte, const struct pm_bytes *list, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count; i++)
		found |= byte >= list[i].ptr && byte < list[i].ptr + list[i].len;
	return found;
}

/*
 * The processor's certificates and the collateral lie outside of what the processor signs; they
 * carry signatures of their own. Of GPU entries each byte is bound, also of their certificates.
 */
static bool is_unbound(const struct pm_bundle *b, size_t offset)
{
	const struct pm_bundle_content *c = &b->content;
	const uint8_t *byte = b->bytes + offset;

	return is_within(byte, c->certs, c->cert_count) || is_within(byte, c->crls, c->crl_count) ||
	       is_within(byte, c->rims, c->rim_count) || is_within(byte, c->ocsp, c->ocsp_count);
}

/* What was proved is the same; only how long it holds may be shorter. */
static void is_harmless(const struct pm_appraised *found, const struct pm_appraised *good)
{
	ck_assert_mem_eq(&found->claims, &good->claims, sizeof(good->claims));
	ck_assert_mem_eq(&found->snp->fields, &good->snp->fields, sizeof(good->snp->fields));
	ck_assert_mem_eq(found->snp->root_sha256, good->snp->root_sha256, 32);
	ck_assert(found->test_root && found->snp->crl_checked);
	ck_assert_int_le(found->valid_until, good->valid_until);
	ck_assert_uint_eq(found->gpu_count, good->gpu_count);
	for (size_t i = 0; i < found->gpu_count; i++) {
		const struct pm_gpu_facts *f = found->gpus[i], *g = good->gpus[i];

		ck_assert_mem_eq(&f->fields, &g->fields, sizeof(g->fields));
		ck_assert_str_eq(f->ueid, g->ueid);
		ck_assert_mem_eq(f->root_sha256, g->root_sha256, 32);
		ck_assert(f->rim_checked && f->ocsp_checked);
		ck_assert_uint_eq(f->golden_matched, g->golden_matched);
	}
}

static void change_is_refused_or_harmless(
	const struct pm_bundle *b, const struct pm_appraised *good, size_t offset)
{
	const struct pm_appraised *facts = NULL;
	uint8_t *byte = (uint8_t *)bundle.ptr + offset;

	*byte ^= (uint8_t)(1 << offset % 8);
	if (judge(bundle, NULL, &facts) == PM_OK) {
		ck_assert_msg(is_unbound(b, offset), "byte %zu", offset);
		is_harmless(facts, good);
	}
	pm_appraised_free(facts);
	*byte ^= (uint8_t)(1 << offset % 8);
}

/* Each takes the whole verification: a bit of a byte in a hundred, and fewer in the collateral. */
#define STEP		101
#define STEP_COLLATERAL 499

START_TEST(no_byte_can_be_changed)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	const struct pm_appraised *good = NULL;

	ck_pm(pm_bundle_parse(bundle.ptr, bundle.len, NULL, &b), PM_OK);
	ck_pm(judge(bundle, NULL, &good), PM_OK);
	for (size_t i = 0; i < bundle.len; i++) {
		if (i % STEP_COLLATERAL == 0 || (i % STEP == 0 && !is_unbound(b, i)))
			change_is_refused_or_harmless(b, good, i);
	}
	pm_appraised_free(good);
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

static void *judge_often(void *arg)
{
	size_t *accepted = arg;

	for (int i = 0; i < 10; i++) {
		const struct pm_appraised *facts = NULL;

		*accepted += judge(bundle, NULL, &facts) == PM_OK;
		pm_appraised_free(facts);
	}
	return NULL;
}

START_TEST(caches_serve_threads)
{
	pthread_t threads[4];
	size_t accepted[4] = {0};

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, judge_often, &accepted[i]), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_eq(accepted[i], 10);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("appraise_gpu");
	TCase *t = tcase_create("appraise_gpu");

	tcase_add_checked_fixture(t, make, drop);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, facts_are_of_each_gpu);
	tcase_add_test(t, no_byte_can_be_changed);
	tcase_add_test(t, caches_serve_threads);
	suite_add_tcase(s, t);
	return test_main(s);
}
