/* SPDX-License-Identifier: Apache-2.0 */
/* Without memory each operation on GPUs refuses, and gives back what it took. See alloc.h. */
#include <stdio.h>
#include <string.h>

#include <pm/gpu.h>
#include <pm/gpu_list.h>

#include "alloc.h"
#include "base/rd.h"
#include "evidence/gpu_cache.h"
#include "testing.h"

#define NOW INT64_C(1772323200) /* 2026-03-01 */

static struct pm_view input;
static struct pm_gpu_policy *policy;

static int read_device(struct pm_gpu_evidence **ret)
{
	struct pm_rd rd = pm_rd(input);
	struct pm_view report = pm_rd_prefixed_be32(&rd, 65536);
	struct pm_view certs = pm_rd_prefixed_be32(&rd, 65536);
	int r = pm_gpu_evidence_parse(report.ptr, report.len, 0, NULL, ret);

	return r < 0 ? r : pm_gpu_evidence_add_certs(*ret, certs.ptr, certs.len, NULL);
}

static int parse(void)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	int r = read_device(&ev);

	if (r < 0)
		return r;
	return ev->cert_count == PM_GPU_CERTS ? PM_OK : ALLOC_WRONG;
}

static int fill_policy(struct pm_gpu_policy *p)
{
	static const uint8_t root[32] = {1};
	int r = pm_gpu_policy_allow_driver(p, "550.90.07");

	if (r < 0)
		return r;
	r = pm_gpu_policy_allow_vbios(p, "96.00.9F.00.01");
	if (r < 0)
		return r;
	r = pm_gpu_policy_add_test_root(p, PM_GPU_ROOT_DEVICE, root);
	return r < 0 ? r : pm_gpu_policy_add_test_root(p, PM_GPU_ROOT_RIM, root);
}

static int make_policy(void)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = NULL;
	int r = pm_gpu_policy_new(&p);

	return r < 0 ? r : fill_policy(p);
}

/* Made once: what is walked is the verification. */
static struct pm_gpu_evidence *evidence;

static int verify_with(struct pm_gpu_cache *cache)
{
	const struct pm_gpu_facts *facts = NULL;
	int r = pm_gpu_verify(evidence, policy, NULL, 0, NULL, cache, NOW, NULL, &facts);

	if (r < 0)
		return facts ? ALLOC_WRONG : r;
	return facts->test_root && facts->fwid == PM_GPU_FWID_MATCHED ? PM_OK : ALLOC_WRONG;
}

static int verify(void)
{
	return verify_with(NULL);
}

/* Twice: the second time out of the cache, if there was memory to put it there. */
static int verify_cached(void)
{
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	int r = pm_gpu_cache_new(4, &cache);

	if (r < 0)
		return r;
	r = verify_with(cache);
	return r < 0 ? r : verify_with(cache);
}

static void trust(struct pm_view root)
{
	uint8_t sha256[PM_SHA256_SIZE];

	ck_pm(pm_hash(PM_SHA256, root, sha256), PM_OK);
	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(
		      policy, PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP),
		PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_DEVICE, sha256), PM_OK);
}

static int parse_list(void)
{
	struct pm_gpu_list *list = NULL;
	int r = pm_gpu_list_parse(input.ptr, input.len, NULL, &list);

	if (r == PM_OK && pm_gpu_list_count(list) != 2)
		r = ALLOC_WRONG;
	if (r < 0 && list)
		r = ALLOC_WRONG;
	pm_gpu_list_free(list);
	return r;
}

START_TEST(a_list)
{
	input = test_read(PM_CORPUS "/gpu_list/two");
	ck_assert_uint_eq(alloc_walk("list", parse_list, ALLOC_NOMEM), 5);
	test_free(input);
}
END_TEST

static const char *const devices[] = {"valid-hopper", "valid-blackwell", "valid-switch"};

START_TEST(each_device)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/gpu_verify/%s", PM_CORPUS, devices[_i]);
	ck_pm(pm_crypto_init(), PM_OK);
	input = test_read(path);
	alloc_walk("parse", parse, ALLOC_LOSSY); /* a digest of each certificate is PSA's */
	ck_pm(read_device(&evidence), PM_OK);
	trust(evidence->certs[PM_GPU_ROOT]);
	/* A switch does not tell the firmware's identity. */
	if (_i < 2) {
		ck_assert_uint_gt(alloc_walk("verify", verify, ALLOC_LOSSY), 10);
		alloc_walk("verify, cached", verify_cached, ALLOC_LOSSY);
	}
	alloc_walk("policy", make_policy, ALLOC_NOMEM);
	pm_gpu_evidence_free(evidence);
	pm_gpu_policy_free(policy);
	test_free(input);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_alloc");
	TCase *t = tcase_create("gpu_alloc");

	tcase_set_timeout(t, 500);
	tcase_add_test(t, a_list);
	tcase_add_loop_test(t, each_device, 0, PM_ARRAY_LEN(devices));
	suite_add_tcase(s, t);
	return test_main(s);
}
