/* SPDX-License-Identifier: Apache-2.0 */
/* What NVIDIA's responders said of the chains of a GPU and of its manifests. */
#include <stdio.h>
#include <string.h>

#include <pm/gpu_policy.h>
#include <pm/rim.h>
#include "base/report.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/rim_chain.h"
#include "testing.h"

/* The responses for the GPU and those for the manifests were made at different times. */
#define GPU_TIME INT64_C(1755777600) /* 2025-08-21T12:00 */
#define RIM_TIME INT64_C(1761328800) /* 2025-10-24T18:00 */

static struct pm_gpu_policy *new_policy(void)
{
	struct pm_gpu_policy *policy = NULL;

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_NONCE), PM_OK);
	return policy;
}

static void add(struct pm_ocsp_set *set, const char *name)
{
	char path[256];
	struct pm_view der;

	snprintf(path, sizeof(path), "nvgpu/ocsp/%s.ocsp.der", name);
	der = test_vector(path);
	ck_pm(pm_ocsp_set_add(set, der.ptr, der.len, NULL), PM_OK);
	test_free(der);
}

static struct pm_ocsp_set *real_set(const char *without)
{
	static const char *const names[] = {"gpu_certificate_l2", "gpu_certificate_l3",
		"gpu_certificate_l4", "gpu_driver_rim_l3", "gpu_driver_rim_l4", "gpu_rim_l2",
		"gpu_vbios_l4"};
	struct pm_ocsp_set *set = NULL;

	ck_pm(pm_ocsp_set_new(&set), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(names); i++) {
		if (!without || strcmp(without, names[i]) != 0)
			add(set, names[i]);
	}
	return set;
}

/* --- the chain of a GPU ---------------------------------------------------------------------- */

struct chain {
	struct pm_cert *certs[5];
	struct pm_pubkey *keys[5];
	size_t count;
};

static int take_cert(struct pm_view der, void *arg)
{
	struct chain *chain = arg;

	ck_assert_uint_lt(chain->count, 5);
	ck_pm(pm_crypto_init(), PM_OK);
	ck_pm(pm_cert_parse(der, &chain->certs[chain->count]), PM_OK);
	ck_pm(pm_cert_pubkey(chain->certs[chain->count], &chain->keys[chain->count]), PM_OK);
	chain->count++;
	return PM_OK;
}

static struct chain gpu_chain(void)
{
	struct pm_view pem = test_vector("nvgpu/hopper-550.90.07/certchain.pem");
	struct chain chain = {0};

	ck_pm(pm_pem_each(pem, "CERTIFICATE", take_cert, &chain), PM_OK);
	ck_assert_uint_eq(chain.count, 5);
	test_free(pem);
	return chain;
}

static void free_chain(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		pm_cert_free(chain->certs[i]);
		pm_pubkey_free(chain->keys[i]);
	}
}

static int ask(const struct chain *chain, size_t i, const struct pm_ocsp_set *set, int64_t now,
	int64_t *until)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy();

	return pm_ocsp_check(set, chain->certs[i], chain->certs[i + 1], chain->keys[i + 1], policy,
		now, "OCSP", NULL, until);
}

START_TEST(real_device)
{
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;
	int64_t until = INT64_MAX;
	struct chain chain;

	if (!test_has_vectors())
		return;
	set = real_set(NULL);
	chain = gpu_chain();
	for (size_t i = 1; i < 4; i++) {
		ck_pm(ask(&chain, i, set, GPU_TIME, &until), PM_OK);
		ck_pm(ask(&chain, i, set, RIM_TIME, &until), PM_E_STALE);
	}
	/* The earliest nextUpdate, 2025-08-22T06:47:07, is past its last second. */
	ck_assert_int_eq(until, INT64_C(1755845226));
	/* Nobody answers for the leaf. */
	ck_pm(ask(&chain, 0, set, GPU_TIME, &until), PM_E_MISSING);
	ck_pm(ask(&chain, 1, NULL, GPU_TIME, &until), PM_E_MISSING);
	free_chain(&chain);
}
END_TEST

START_TEST(real_window)
{
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;
	int64_t until = INT64_MAX, from = INT64_C(1755758827);
	struct chain chain;

	if (!test_has_vectors())
		return;
	set = real_set(NULL);
	chain = gpu_chain();
	ck_pm(ask(&chain, 1, set, from - PM_OCSP_CLOCK_SKEW, &until), PM_OK);
	ck_pm(ask(&chain, 1, set, from - PM_OCSP_CLOCK_SKEW - 1, &until), PM_E_STALE);
	ck_pm(ask(&chain, 1, set, from + 86399, &until), PM_OK);
	ck_pm(ask(&chain, 1, set, from + 86400, &until), PM_E_STALE);
	free_chain(&chain);
}
END_TEST

/* The request is the one that these responses answer: the same CertID. */
START_TEST(real_request)
{
	uint8_t request[PM_OCSP_REQUEST_SIZE_MAX], nonce[PM_OCSP_NONCE_SIZE] = {7};
	struct pm_view der, ca;
	struct chain chain;
	size_t size = 0;

	if (!test_has_vectors())
		return;
	chain = gpu_chain();
	der = test_vector("nvgpu/ocsp/gpu_certificate_l4.ocsp.der");
	ca = pm_cert_der(chain.certs[2]);
	ck_pm(pm_ocsp_request(pm_cert_der(chain.certs[1]).ptr, pm_cert_der(chain.certs[1]).len,
		      ca.ptr, ca.len, NULL, request, sizeof(request), &size),
		PM_OK);
	/* OCSPRequest { TBSRequest { requestList { Request { CertID */
	ck_assert_uint_gt(size, 20);
	ck_assert(memmem(der.ptr, der.len, request + size - 126, 126) != NULL);
	ck_pm(pm_ocsp_request(pm_cert_der(chain.certs[0]).ptr, pm_cert_der(chain.certs[0]).len,
		      ca.ptr, ca.len, nonce, request, sizeof(request), &size),
		PM_E_REJECTED);
	test_free(der);
	free_chain(&chain);
}
END_TEST

/* --- the chains of manifests ----------------------------------------------------------------- */

static int verify_rim(const char *path, const struct pm_ocsp_set *set, int64_t now,
	struct pm_report *report, struct pm_rim **ret)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy();
	struct pm_view text = test_vector(path);

	ck_pm(pm_rim_parse(text.ptr, text.len, report, &document), PM_OK);
	test_free(text);
	return pm_rim_verify(document, policy, set, now, report, ret);
}

#define DRIVER "nvgpu/rim/driver/NV_GPU_DRIVER_GH100_550.90.07.xml"
#define VBIOS  "nvgpu/rim/vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"

START_TEST(real_manifests)
{
	static const char *const paths[] = {DRIVER, VBIOS};
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;

	if (!test_has_vectors())
		return;
	set = real_set(NULL);
	for (size_t i = 0; i < PM_ARRAY_LEN(paths); i++) {
		pm_cleanup(pm_rim) struct pm_rim *rim = NULL, *stale = NULL;

		ck_pm(verify_rim(paths[i], set, RIM_TIME, NULL, &rim), PM_OK);
		ck_assert(pm_rim_ocsp_checked(rim));
		/* 2025-10-25T11:32:21 less one second. */
		ck_assert_int_eq(pm_rim_valid_until(rim), INT64_C(1761391940));
		ck_pm(verify_rim(paths[i], set, GPU_TIME, NULL, &stale), PM_E_STALE);
		ck_assert_ptr_null(stale);
	}
}
END_TEST

START_TEST(each_one_is_needed)
{
	static const struct {
		const char *without, *check;
	} cases[] = {
		{"gpu_rim_l2", "RIM CA 1, OCSP"},
		{"gpu_driver_rim_l3", "RIM CA 2, OCSP"},
		{"gpu_driver_rim_l4", "RIM signer, OCSP"},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(cases) && test_has_vectors(); i++) {
		pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
		pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = real_set(cases[i].without);
		pm_cleanup(pm_rim) struct pm_rim *rim = NULL;

		ck_pm(verify_rim(DRIVER, set, RIM_TIME, report, &rim), PM_E_MISSING);
		ck_assert_str_eq(pm_report_failure(report)->name, cases[i].check);
		ck_assert_ptr_null(rim);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ocsp");
	TCase *t = tcase_create("ocsp");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, real_device);
	tcase_add_test(t, real_window);
	tcase_add_test(t, real_request);
	tcase_add_test(t, real_manifests);
	tcase_add_test(t, each_one_is_needed);
	suite_add_tcase(s, t);
	return test_main(s);
}
