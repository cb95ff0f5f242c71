/* SPDX-License-Identifier: Apache-2.0 */
/* Everything together, nothing waived: device, golden measurements, revocation. */
#include <string.h>

#include "base/report.h"
#include "evidence/gpu_cache.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/rim.h"
#include "gpu_world.h"
#include "testing.h"

static struct gpu_world world;

static void begin(void)
{
	gpu_make_keys();
	gpu_world_init(&world, 2);
}

static void end(void)
{
	gpu_world_free(&world);
	gpu_free_keys();
}

/* What is given to verification beside the device. */
struct given {
	struct pm_gpu_policy *policy, *rim_policy;
	struct pm_ocsp_set *ocsp;
	struct pm_rim *driver, *vbios;
};

static struct given give(void)
{
	struct given g = {.policy = gpu_world_policy(&world),
		.rim_policy = gpu_world_policy(&world),
		.ocsp = gpu_world_ocsp_but(&world, PM_GPU_LEAF)};

	g.driver = gpu_world_rim(world.driver, g.rim_policy, g.ocsp);
	g.vbios = gpu_world_rim(world.vbios, g.rim_policy, g.ocsp);
	return g;
}

static void take_back(struct given *g)
{
	pm_gpu_policy_free(g->policy);
	pm_gpu_policy_free(g->rim_policy);
	pm_ocsp_set_free(g->ocsp);
	pm_rim_free(g->driver);
	pm_rim_free(g->vbios);
}

static void verify(struct given *g, size_t gpu, int want, const char *failure)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct gpu_scene *s = &world.gpus[gpu];
	int r;

	pm_gpu_evidence_free(s->ev);
	s->ev = NULL;
	s->facts = NULL;
	ck_pm(gpu_scene_make(s, report, &s->ev), PM_OK);
	r = pm_gpu_verify(s->ev, g->policy, (const struct pm_rim *[]){g->driver, g->vbios}, 2,
		g->ocsp, NULL, GPU_NOW, report, &s->facts);
	ck_assert_msg(r == want, "%d: %s", r, pm_report_reason(report));
	if (failure)
		ck_assert_str_eq(pm_report_failure(report)->name, failure);
}

START_TEST(all_is_good)
{
	struct given g = give();
	const struct pm_gpu_facts *f, *list[2];

	for (size_t i = 0; i < 2; i++) {
		verify(&g, i, PM_OK, NULL);
		list[i] = f = world.gpus[i].facts;
		ck_assert(f->rim_checked && f->ocsp_checked && f->test_root);
		ck_assert(f->golden_count == 3 && f->golden_matched == 3);
		ck_assert_uint_eq(f->golden[40].alternative, 1);
		ck_assert_int_eq(f->golden[40].kind, PM_RIM_DRIVER);
		ck_assert_int_eq(f->golden[2].kind, PM_RIM_VBIOS);
		ck_assert_int_lt(f->valid_until, GPU_TO); /* a response is over at that second */
	}
	ck_pm(pm_gpu_verify_set(list, 2, 2, 0, NULL), PM_OK);
	take_back(&g);
}
END_TEST

static const struct {
	size_t place;
	const char *name;
} places[] = {{PM_GPU_BROM, "boot ROM, OCSP"}, {PM_GPU_ICA, "provisioner, OCSP"},
	{PM_GPU_IDENTITY, "identity CA, OCSP"}};

/* Each of the three has to be called good. */
START_TEST(each_certificate_needs_a_response)
{
	struct given g = give();

	pm_ocsp_set_free(g.ocsp);
	g.ocsp = gpu_world_ocsp_but(&world, places[_i].place);
	verify(&g, 0, PM_E_MISSING, places[_i].name);
	ck_pm(pm_gpu_policy_waive(g.policy, PM_GPU_WAIVE_OCSP), PM_OK);
	verify(&g, 0, PM_OK, NULL);
	ck_assert(!world.gpus[0].facts->ocsp_checked && world.gpus[0].facts->rim_checked);
	take_back(&g);
}
END_TEST

static struct mint_ocsp bad_response(size_t place, enum mint_ocsp_status status, int reason)
{
	struct mint_ocsp spec =
		gpu_world_ocsp(&world, gpu_world_issuer(&world, place), world.gpus[0].ders[place]);

	spec.status = status;
	spec.reason = reason;
	spec.revoked_at = GPU_NOW - 60;
	return spec;
}

/* A waiver is for what is missing, not for what is bad. */
START_TEST(each_certificate_may_be_revoked)
{
	struct given g = give();
	struct mint_ocsp spec = bad_response(places[_i].place, MINT_OCSP_REVOKED, 1);

	pm_ocsp_set_free(g.ocsp);
	g.ocsp = gpu_world_ocsp_but(&world, places[_i].place);
	gpu_world_add(g.ocsp, &spec);
	verify(&g, 0, PM_E_REJECTED, places[_i].name);
	ck_pm(pm_gpu_policy_waive(g.policy, PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_policy_permit(g.policy, PM_GPU_PERMIT_HOLD | PM_GPU_PERMIT_OCSP_UNKNOWN),
		PM_OK);
	ck_pm(pm_gpu_policy_ocsp_grace(g.policy, 3600), PM_OK);
	verify(&g, 0, PM_E_REJECTED, places[_i].name);
	take_back(&g);
}
END_TEST

START_TEST(hold_and_unknown_by_permission)
{
	struct given g = give();
	struct mint_ocsp hold = bad_response(PM_GPU_BROM, MINT_OCSP_REVOKED, 6);
	struct mint_ocsp unknown = bad_response(PM_GPU_BROM, MINT_OCSP_UNKNOWN, -1);

	for (int i = 0; i < 2; i++) {
		pm_ocsp_set_free(g.ocsp);
		g.ocsp = gpu_world_ocsp_but(&world, PM_GPU_BROM);
		gpu_world_add(g.ocsp, i ? &hold : &unknown);
		verify(&g, 0, PM_E_REJECTED, "boot ROM, OCSP");
		ck_pm(pm_gpu_policy_permit(
			      g.policy, i ? PM_GPU_PERMIT_HOLD : PM_GPU_PERMIT_OCSP_UNKNOWN),
			PM_OK);
		if (i)
			ck_pm(pm_gpu_policy_ocsp_grace(g.policy, 3600), PM_OK);
		verify(&g, 0, PM_OK, NULL);
	}
	take_back(&g);
}
END_TEST

/* Who verified the manifest trusted more than who uses it. */
START_TEST(manifests_of_another_policy)
{
	struct given g = give();
	struct pm_gpu_policy *strict = NULL;
	static const uint8_t nonce[PM_GPU_NONCE_SIZE];
	uint8_t sha256[PM_SHA256_SIZE];

	ck_pm(pm_hash(PM_SHA256, world.gpus[0].ders[PM_GPU_ROOT], sha256), PM_OK);
	ck_pm(pm_gpu_policy_new(&strict), PM_OK);
	ck_pm(pm_gpu_policy_expect_nonce(strict, nonce), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(strict, PM_GPU_ROOT_DEVICE, sha256), PM_OK);
	pm_gpu_policy_free(g.policy);
	g.policy = strict;
	verify(&g, 0, PM_E_REJECTED, "golden measurements, driver");
	pm_rim_free(g.driver);
	ck_pm(pm_gpu_policy_waive(g.rim_policy, PM_GPU_WAIVE_OCSP), PM_OK);
	g.driver = gpu_world_rim(world.driver, g.rim_policy, NULL);
	ck_pm(pm_gpu_policy_add_test_root(strict, PM_GPU_ROOT_RIM, world.pki.root_sha256), PM_OK);
	verify(&g, 0, PM_E_MISSING, "golden measurements, driver"); /* revocation */
	take_back(&g);
}
END_TEST

START_TEST(another_measurement)
{
	struct given g = give();

	world.gpus[1].measurements[40][0] ^= 1;
	verify(&g, 1, PM_E_REJECTED, "golden measurements, driver");
	ck_assert_int_eq(pm_gpu_evidence_golden(world.gpus[1].ev)[40].state, PM_GPU_GOLDEN_DIFFERS);
	world.gpus[1].measurements[40][0] ^= 1;
	world.gpus[1].measurements[50][0] ^= 1;
	verify(&g, 1, PM_OK, NULL);
	ck_pm(pm_gpu_policy_require(g.policy, PM_GPU_REQUIRE_ALL_GOLDEN), PM_OK);
	verify(&g, 1, PM_E_REJECTED, "measurements without golden");
	world.gpus[1].measurements[50][0] ^= 1;
	take_back(&g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_whole");
	TCase *t = tcase_create("gpu_whole");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, begin, end);
	tcase_add_test(t, all_is_good);
	tcase_add_loop_test(t, each_certificate_needs_a_response, 0, 3);
	tcase_add_loop_test(t, each_certificate_may_be_revoked, 0, 3);
	tcase_add_test(t, hold_and_unknown_by_permission);
	tcase_add_test(t, manifests_of_another_policy);
	tcase_add_test(t, another_measurement);
	suite_add_tcase(s, t);
	return test_main(s);
}
