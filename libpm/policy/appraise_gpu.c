/* SPDX-License-Identifier: Apache-2.0 */
/* The GPUs of a bundle: those that the claims name, each one verified, none of them twice. */
#include <inttypes.h>
#include <stdio.h>

#include <pm/gpu.h>
#include <pm/ocsp.h>
#include <pm/rim.h>

#include "base/time.h"
#include "evidence/bundle.h"
#include "evidence/rim.h"
#include "policy/appraise.h"
#include "policy/verdict.h"

/* What a bundle may hold can be judged. */
_Static_assert(PM_BUNDLE_OCSP_MAX <= PM_OCSP_RESPONSES_MAX, "responses");
_Static_assert(PM_BUNDLE_OCSP_SIZE_MAX <= PM_OCSP_RESPONSE_SIZE_MAX, "a response");
_Static_assert(PM_BUNDLE_RIM_SIZE_MAX <= PM_RIM_SIZE_MAX, "a manifest");
_Static_assert(PM_BUNDLE_GPUS_MAX <= PM_GPU_SET_MAX, "devices");

/* What the GPUs of one bundle share. */
struct gpus {
	struct pm_gpu_policy *policy;
	struct pm_ocsp_set *ocsp;
	struct pm_rim *rims[PM_BUNDLE_RIMS_MAX];
	size_t rim_count;
};

static void pm_cleanup_gpus(struct gpus *g)
{
	for (size_t i = 0; i < g->rim_count; i++)
		pm_rim_free(g->rims[i]);
	pm_ocsp_set_free(g->ocsp);
	pm_gpu_policy_free(g->policy);
}

/* Nothing is demanded of GPUs, so none could be trusted. */
static int appraise_none(struct pm_appraise_run *run)
{
	size_t found = run->bundle->content.gpu_count + run->bundle->claims.gpu_count;

	if (found)
		return pm_fail(run->report, PM_E_REJECTED, "GPU count", "0: the role has no GPUs",
			"%zu, and %zu in the claims", run->bundle->content.gpu_count,
			run->bundle->claims.gpu_count);
	pm_pass(run->report, "GPU count", "0: the role has no GPUs");
	return PM_OK;
}

/* --- time ------------------------------------------------------------------------------------- */

/* The claims name the GPU evidence, so they are younger; and they are not from the future. */
static int check_age(struct pm_appraise_run *run, const struct pm_manifest_gpu *demands)
{
	const struct pm_claims *c = &run->bundle->claims;
	int64_t now = run->ask->now;

	if (!c->gpu_count)
		return PM_OK; /* too few: said elsewhere */
	if (c->gpu_time > c->issued_at)
		return pm_fail(run->report, PM_E_STALE, "GPU evidence time",
			"not after the claims were made", "%s", pm_time(c->gpu_time).s);
	if (now - c->gpu_time > demands->max_age)
		return pm_fail(run->report, PM_E_STALE, "GPU evidence time",
			"not older than the manifest allows", "%s, %" PRId64 " s ago",
			pm_time(c->gpu_time).s, now - c->gpu_time);
	pm_pass(run->report, "GPU evidence time", "%s, at most %" PRIu32 " s ago",
		pm_time(c->gpu_time).s, demands->max_age);
	pm_appraise_until(run, c->gpu_time + demands->max_age);
	return PM_OK;
}

/* --- what is shared --------------------------------------------------------------------------- */

static int make_policy(const struct pm_appraise_run *run, struct pm_gpu_policy **ret)
{
	const struct pm_claims *c = &run->bundle->claims;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	int r = pm_manifest_role_gpu_policy(run->ask->manifest, run->role, ret);

	if (r < 0)
		return r;
	r = pm_bundle_gpu_nonce(c->gpu_epoch_nonce, c->key, c->key_len, nonce);
	return r < 0 ? r : pm_gpu_policy_expect_nonce(*ret, nonce);
}

static int read_ocsp(const struct pm_appraise_run *run, struct pm_ocsp_set **ret)
{
	const struct pm_bundle_content *c = &run->bundle->content;
	int r = pm_ocsp_set_new(ret);

	for (size_t i = 0; r == PM_OK && i < c->ocsp_count; i++)
		r = pm_ocsp_set_add(*ret, c->ocsp[i].ptr, c->ocsp[i].len, run->report);
	return r;
}

static int verify_rim(const struct pm_appraise_run *run, struct pm_bytes bytes, struct gpus *g)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	struct pm_rim *rim = NULL;
	int r = pm_rim_parse(bytes.ptr, bytes.len, run->report, &document);

	if (r < 0)
		return r;
	r = pm_rim_verify(document, g->policy, g->ocsp, run->ask->now, run->report, &rim);
	if (r < 0)
		return r;
	g->rims[g->rim_count++] = rim;
	return PM_OK;
}

static void begin(struct pm_appraise_run *run, const char *what, size_t index)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %zu", what, index);
	pm_verdict_begin(run->verdict, name, "");
}

/* Each must be good, needed or not: what came along and is false is no mere extra. */
static int verify_rims(struct pm_appraise_run *run, struct gpus *g)
{
	const struct pm_bundle_content *c = &run->bundle->content;
	int first = PM_OK;

	for (size_t i = 0; i < c->rim_count; i++) {
		int r;

		begin(run, "RIM", i);
		r = verify_rim(run, c->rims[i], g);
		pm_appraise_note(run, "bundle, key 6.1, element %zu", i);
		pm_verdict_end(run->verdict);
		first = first < 0 ? first : r;
	}
	return first;
}

static int prepare(struct pm_appraise_run *run, struct gpus *g)
{
	int r = make_policy(run, &g->policy);

	if (r < 0)
		return r;
	r = read_ocsp(run, &g->ocsp);
	pm_appraise_note(run, "bundle, key 6.2");
	return r < 0 ? r : verify_rims(run, g);
}

/* --- each GPU --------------------------------------------------------------------------------- */

static int check_arch(
	const struct pm_appraise_run *run, uint32_t claimed, const struct pm_gpu_facts *facts)
{
	if (claimed != (uint32_t)facts->arch)
		return pm_fail(run->report, PM_E_REJECTED, "architecture",
			"as in the bundle's entry", "%d, and %" PRIu32 " in the entry",
			(int)facts->arch, claimed);
	return PM_OK;
}

static int verify_gpu(struct pm_appraise_run *run, const struct gpus *g, size_t i)
{
	const struct pm_bundle_gpu *gpu = &run->bundle->content.gpus[i];
	struct pm_appraised_held *held = run->held;
	int r = pm_gpu_evidence_parse(
		gpu->report.ptr, gpu->report.len, 0, run->report, &held->gpus[i]);

	if (r < 0)
		return r;
	r = pm_gpu_evidence_add_certs(held->gpus[i], gpu->certs.ptr, gpu->certs.len, run->report);
	if (r < 0)
		return r;
	r = pm_gpu_verify(held->gpus[i], g->policy, (const struct pm_rim *const *)g->rims,
		g->rim_count, g->ocsp, run->ask->gpu_cache, run->ask->now, run->report,
		&held->gpu_facts[i]);
	if (r < 0)
		return r;
	pm_appraise_until(run, held->gpu_facts[i]->valid_until);
	held->facts.test_root |= held->gpu_facts[i]->test_root;
	return check_arch(run, gpu->arch, held->gpu_facts[i]);
}

static int verify_each(struct pm_appraise_run *run, const struct gpus *g)
{
	int first = PM_OK;

	for (size_t i = 0; i < run->bundle->content.gpu_count; i++) {
		int r;

		begin(run, "GPU", i);
		r = verify_gpu(run, g, i);
		pm_appraise_note(run, "bundle, key 5, element %zu; manifest, $.roles.%s.gpu", i,
			pm_manifest_role_name(run->role));
		pm_verdict_end(run->verdict);
		first = first < 0 ? first : r;
	}
	return first;
}

/* Only of GPUs that are good can be said whether they are enough. */
static int verify_set(struct pm_appraise_run *run, const struct pm_manifest_gpu *demands)
{
	struct pm_appraised_held *held = run->held;
	size_t count = run->bundle->content.gpu_count;
	int r = pm_gpu_verify_set(held->gpu_facts, count, demands->min_count, 0, run->report);

	pm_appraise_note(run, "bundle, key 5; manifest, $.roles.%s.gpu.min_count",
		pm_manifest_role_name(run->role));
	if (r < 0)
		return r;
	held->facts.gpus = held->gpu_facts;
	held->facts.gpu_count = count;
	return PM_OK;
}

static int verify_all(struct pm_appraise_run *run, const struct pm_manifest_gpu *demands)
{
	__attribute__((cleanup(pm_cleanup_gpus))) struct gpus g = {0};
	int collateral = prepare(run, &g), r;

	if (!g.policy || !g.ocsp)
		return collateral;
	r = verify_each(run, &g);
	if (collateral < 0 || r < 0)
		return collateral < 0 ? collateral : r;
	return verify_set(run, demands);
}

int pm_appraise_gpus(struct pm_appraise_run *run)
{
	const struct pm_manifest_gpu *demands = pm_manifest_role_gpu(run->role);
	int bound, age, r;

	if (!demands) {
		r = appraise_none(run);
		pm_appraise_note(run, "bundle, key 5; claims, key 4");
		return r;
	}
	bound = pm_bundle_check_gpus(run->bundle, run->report);
	pm_appraise_note(run, "bundle, key 5; claims, key 4");
	age = check_age(run, demands);
	pm_appraise_note(run, "claims, key 8; manifest, $.roles.%s.gpu.max_age",
		pm_manifest_role_name(run->role));
	r = verify_all(run, demands);
	if (bound < 0 || age < 0)
		return bound < 0 ? bound : age;
	return r;
}
