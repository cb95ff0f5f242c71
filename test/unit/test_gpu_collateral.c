/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden measurements and responses in one place: what is taken, what is handed out and when, and
 * the same without memory. libxml2 allocates through the walked functions here too.
 */
#include <pm/gpu_collateral.h>

#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "base/rd.h"
#include "crypto/crypto.h"
#include "evidence/gpu_policy.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

PM_OWNER(pm_gpu_collateral, pm_gpu_collateral_free);

static struct pm_view manifest, response;
static struct pm_gpu_policy *policy;

static char *duplicate(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	return copy ? strcpy(copy, text) : NULL;
}

static void make_policy(void)
{
	struct pm_rim_document *document;
	uint8_t root[PM_SHA256_SIZE];
	const uint8_t *der;
	size_t size;

	ck_pm(pm_rim_parse(manifest.ptr, manifest.len, NULL, &document), PM_OK);
	ck_pm(pm_rim_document_cert(document, 3, &der, &size), PM_OK);
	ck_pm(pm_hash(PM_SHA256, pm_view(der, size), root), PM_OK);
	pm_rim_document_free(document);
	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_RIM, root), PM_OK);
}

static void read_corpus(void)
{
	struct pm_rd rd;

	ck_assert_int_eq(xmlMemSetup(free, malloc, realloc, duplicate), 0);
	xmlInitParser();
	ck_pm(pm_crypto_init(), PM_OK);
	manifest = test_read(PM_CORPUS "/rim/driver");
	response = test_read(PM_CORPUS "/ocsp/good");
	rd = pm_rd(response);
	pm_rd_skip(&rd, pm_rd_be16(&rd)); /* a certificate and its issuer stand before it */
	pm_rd_skip(&rd, pm_rd_be16(&rd));
	response = pm_rd_rest(&rd);
	make_policy();
}

static struct pm_gpu_collateral *new_collateral(void)
{
	struct pm_gpu_collateral *c = NULL;

	ck_pm(pm_gpu_collateral_new(&c), PM_OK);
	return c;
}

static size_t verified(const struct pm_gpu_collateral *c)
{
	size_t count;

	(void)pm_gpu_collateral_rims(c, &count);
	return count;
}

START_TEST(documents_count_once_verified)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = new_collateral();
	const uint8_t *bytes;
	size_t size;

	ck_pm(pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len, NULL), PM_OK);
	ck_assert_uint_eq(verified(c), 0);
	ck_pm(pm_gpu_collateral_verify(c, policy, NOW, NULL), PM_OK);
	ck_assert_uint_eq(verified(c), 1);
	ck_pm(pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len, NULL), PM_OK);
	ck_assert_uint_eq(verified(c), 0); /* not all of them are, now */
	ck_pm(pm_gpu_collateral_verify(c, policy, NOW, NULL), PM_OK);
	ck_assert_uint_eq(verified(c), 2);
	bytes = pm_gpu_collateral_rim_at(c, 1, &size);
	ck_assert(pm_view_equal(pm_view(bytes, size), manifest));
	ck_assert_ptr_null(pm_gpu_collateral_rim_at(c, 2, &size));
}
END_TEST

START_TEST(a_no_takes_all_back)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = new_collateral();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *other = NULL;

	ck_pm(pm_gpu_policy_new(&other), PM_OK);
	ck_pm(pm_gpu_policy_waive(other, PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len, NULL), PM_OK);
	ck_pm(pm_gpu_collateral_verify(c, policy, NOW, NULL), PM_OK);
	ck_pm(pm_gpu_collateral_verify(c, other, NOW, NULL), PM_E_REJECTED);
	ck_assert_uint_eq(verified(c), 0);
	ck_pm(pm_gpu_collateral_verify(c, policy, NOW, NULL), PM_OK);
	ck_pm(pm_gpu_collateral_verify(c, policy, NOW + INT64_C(100) * 365 * 86400, NULL),
		PM_E_STALE);
	ck_assert_uint_eq(verified(c), 0);
}
END_TEST

START_TEST(there_is_a_most)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = new_collateral();

	for (int i = 0; i < PM_GPU_COLLATERAL_RIMS_MAX; i++)
		ck_pm(pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len, NULL), PM_OK);
	ck_pm(pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len, NULL), PM_E_LIMIT);
	ck_pm(pm_gpu_collateral_verify(c, policy, NOW, NULL), PM_OK);
	ck_assert_uint_eq(verified(c), PM_GPU_COLLATERAL_RIMS_MAX);
}
END_TEST

START_TEST(what_is_malformed_is_not_taken)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = new_collateral();
	size_t size;

	ck_pm(pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len / 2, NULL), PM_E_FORMAT);
	ck_pm(pm_gpu_collateral_add_ocsp(c, response.ptr, response.len - 1, NULL), PM_E_FORMAT);
	ck_assert_ptr_null(pm_gpu_collateral_rim_at(c, 0, &size));
	ck_assert_ptr_null(pm_gpu_collateral_ocsp_at(c, 0, &size));
	ck_assert_uint_eq(pm_ocsp_set_count(pm_gpu_collateral_ocsp(c)), 0);
	ck_pm(pm_gpu_collateral_fetch(c, NULL, NULL, 8, NOW, NULL), PM_E_ARG);
	ck_pm(pm_gpu_collateral_fetch(c, NULL, NULL,
		      PM_GPU_COLLATERAL_NO_RIM | PM_GPU_COLLATERAL_NO_OCSP, NOW, NULL),
		PM_OK);
	pm_gpu_collateral_free(NULL);
}
END_TEST

START_TEST(a_response_is_there_once)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = new_collateral();
	const uint8_t *bytes;
	size_t size;

	ck_pm(pm_gpu_collateral_add_ocsp(c, response.ptr, response.len, NULL), PM_OK);
	ck_pm(pm_gpu_collateral_add_ocsp(c, response.ptr, response.len, NULL), PM_OK);
	ck_assert_uint_eq(pm_ocsp_set_count(pm_gpu_collateral_ocsp(c)), 1);
	bytes = pm_gpu_collateral_ocsp_at(c, 0, &size);
	ck_assert(pm_view_equal(pm_view(bytes, size), response));
	ck_assert_ptr_null(pm_gpu_collateral_ocsp_at(c, 1, &size));
}
END_TEST

static int fill_and_verify(void)
{
	pm_cleanup(pm_gpu_collateral) struct pm_gpu_collateral *c = NULL;
	int r = pm_gpu_collateral_new(&c);

	if (r == PM_OK)
		r = pm_gpu_collateral_add_rim(c, manifest.ptr, manifest.len, NULL);
	if (r == PM_OK)
		r = pm_gpu_collateral_add_ocsp(c, response.ptr, response.len, NULL);
	if (r == PM_OK)
		r = pm_gpu_collateral_verify(c, policy, NOW, NULL);
	return r < 0 || verified(c) == 1 ? r : ALLOC_WRONG;
}

START_TEST(without_memory)
{
	ck_assert_uint_ge(alloc_walk("pm_gpu_collateral", fill_and_verify, ALLOC_LOSSY), 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_collateral");
	TCase *t = tcase_create("gpu_collateral");

	tcase_add_checked_fixture(t, read_corpus, NULL);
	tcase_set_timeout(t, 500);
	tcase_add_test(t, documents_count_once_verified);
	tcase_add_test(t, a_no_takes_all_back);
	tcase_add_test(t, there_is_a_most);
	tcase_add_test(t, what_is_malformed_is_not_taken);
	tcase_add_test(t, a_response_is_there_once);
	tcase_add_test(t, without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
