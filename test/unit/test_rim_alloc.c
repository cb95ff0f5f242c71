/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory manifests and OCSP responses are refused, and what was taken is given back.
 * libxml2 allocates through the walked functions here too.
 */
#include <libxml/parser.h>
#include <libxml/xmlmemory.h>
#include <stdlib.h>
#include <string.h>

#include <pm/gpu_policy.h>
#include "alloc.h"
#include "base/rd.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/rim.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

static struct pm_view manifest, response, cert_der, issuer_der;

static char *duplicate(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	return copy ? strcpy(copy, text) : NULL;
}

static void read_corpus(void)
{
	struct pm_rd rd;

	ck_assert_int_eq(xmlMemSetup(free, malloc, realloc, duplicate), 0);
	xmlInitParser();
	manifest = test_read(PM_CORPUS "/rim/driver");
	response = test_read(PM_CORPUS "/ocsp/good");
	rd = pm_rd(response);
	cert_der = pm_rd_bytes(&rd, pm_rd_be16(&rd));
	issuer_der = pm_rd_bytes(&rd, pm_rd_be16(&rd));
	response = pm_rd_rest(&rd);
	ck_pm(pm_crypto_init(), PM_OK);
}

static int parse(void)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	int r = pm_rim_parse(manifest.ptr, manifest.len, NULL, &document);

	if (r < 0)
		return document ? ALLOC_WRONG : r;
	return document ? PM_OK : ALLOC_WRONG;
}

static struct pm_rim_document *document;
static struct pm_gpu_policy *policy;

static int verify(void)
{
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	int r = pm_rim_verify(document, policy, NULL, NOW, NULL, &rim);

	if (r < 0)
		return rim ? ALLOC_WRONG : r;
	return pm_rim_value_count(rim) == 3 ? PM_OK : ALLOC_WRONG;
}

static int parse_and_verify(void)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *doc = NULL;
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	int r = pm_rim_parse(manifest.ptr, manifest.len, NULL, &doc);

	if (r == PM_OK)
		r = pm_rim_verify(doc, policy, NULL, NOW, NULL, &rim);
	if (r < 0)
		return rim ? ALLOC_WRONG : r;
	return pm_rim_value_count(rim) == 3 && pm_rim_value_of(rim, 1)->alternatives == 2
		       ? PM_OK
		       : ALLOC_WRONG;
}

static int fill_set(void)
{
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;
	int r = pm_ocsp_set_new(&set);

	if (r < 0)
		return set ? ALLOC_WRONG : r;
	r = pm_ocsp_set_add(set, response.ptr, response.len, NULL);
	return (pm_ocsp_set_count(set) == 1) == (r == PM_OK) ? r : ALLOC_WRONG;
}

static int request(void)
{
	uint8_t der[PM_OCSP_REQUEST_SIZE_MAX];
	size_t size;

	return pm_ocsp_request(cert_der.ptr, cert_der.len, issuer_der.ptr, issuer_der.len, NULL,
		der, sizeof(der), &size);
}

static struct pm_cert *cert, *issuer;
static struct pm_pubkey *issuer_key;

/* Twice: the second time out of the memory, if there was some to keep it. */
static int ask(void)
{
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;
	int64_t until = INT64_MAX;
	int r = pm_ocsp_set_new(&set);

	if (r == PM_OK)
		r = pm_ocsp_set_add(set, response.ptr, response.len, NULL);
	for (int i = 0; r == PM_OK && i < 2; i++)
		r = pm_ocsp_check(set, cert, issuer, issuer_key, policy, NOW, "OCSP", NULL, &until);
	return (until != INT64_MAX) || r < 0 ? r : ALLOC_WRONG;
}

static void make_policy(void)
{
	uint8_t root[PM_SHA256_SIZE];
	const uint8_t *der;
	size_t size;

	ck_pm(pm_rim_parse(manifest.ptr, manifest.len, NULL, &document), PM_OK);
	ck_pm(pm_rim_document_cert(document, 3, &der, &size), PM_OK);
	ck_pm(pm_hash(PM_SHA256, pm_view(der, size), root), PM_OK);
	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_RIM, root), PM_OK);
}

START_TEST(manifests_without_memory)
{
	make_policy();
	ck_assert_uint_ge(alloc_walk("pm_rim_parse", parse, ALLOC_LOSSY), 100);
	ck_assert_uint_ge(alloc_walk("pm_rim_verify", verify, ALLOC_LOSSY), 10);
	ck_assert_uint_ge(alloc_walk("both", parse_and_verify, ALLOC_LOSSY), 110);
	pm_gpu_policy_free(policy);
	pm_rim_document_free(document);
}
END_TEST

START_TEST(ocsp_without_memory)
{
	make_policy();
	ck_pm(pm_cert_parse(cert_der, &cert), PM_OK);
	ck_pm(pm_cert_parse(issuer_der, &issuer), PM_OK);
	ck_pm(pm_cert_pubkey(issuer, &issuer_key), PM_OK);
	ck_assert_uint_ge(alloc_walk("pm_ocsp_set", fill_set, ALLOC_NOMEM), 4);
	ck_assert_uint_ge(alloc_walk("pm_ocsp_request", request, ALLOC_LOSSY), 4);
	ck_assert_uint_ge(alloc_walk("pm_ocsp_check", ask, ALLOC_LOSSY), 10);
	pm_pubkey_free(issuer_key);
	pm_cert_free(issuer);
	pm_cert_free(cert);
	pm_gpu_policy_free(policy);
	pm_rim_document_free(document);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rim_alloc");
	TCase *t = tcase_create("rim_alloc");

	tcase_add_checked_fixture(t, read_corpus, NULL);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, manifests_without_memory);
	tcase_add_test(t, ocsp_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
