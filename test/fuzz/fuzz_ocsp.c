/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any OCSP response, for a certificate and its issuer: each of these with 16 bits of length before
 * it. The keys that signed the corpus are gone: a yes to anything else is a forgery.
 */
#include <string.h>

#include "base/rd.h"
#include "base/report.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/ocsp_set.h"
#include "fuzz.h"
#include "nvgpu_seeds.h"

static bool is_seed(struct pm_view body)
{
	uint8_t sha256[PM_SHA256_SIZE];
	bool found = false;

	FUZZ_CHECK(pm_hash(PM_SHA256, body, sha256) == PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(seed_ocsp_bodies); i++)
		found |= !memcmp(seed_ocsp_bodies[i], sha256, sizeof(sha256));
	return found;
}

static void check_views(const struct pm_ocsp_response *r, size_t size)
{
	FUZZ_CHECK(r->der.len == size);
	FUZZ_CHECK(fuzz_within(r->body, r->der) && fuzz_within(r->signature, r->der));
	FUZZ_CHECK(fuzz_within(r->responder, r->der) && fuzz_within(r->nonce, r->der));
	FUZZ_CHECK(r->single_count >= 1 && r->single_count <= PM_OCSP_SINGLES_MAX);
	FUZZ_CHECK(r->cert_count <= PM_OCSP_CERTS_MAX);
	for (size_t i = 0; i < r->single_count; i++)
		FUZZ_CHECK(fuzz_within(r->singles[i].id.serial, r->der));
	for (size_t i = 0; i < r->cert_count; i++)
		FUZZ_CHECK(fuzz_within(r->certs[i], r->der));
}

static void check_answer(
	const struct pm_ocsp_set *set, struct pm_view cert_der, struct pm_view issuer_der)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL, *issuer = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int64_t until = INT64_MAX;
	int r;

	FUZZ_CHECK(report && pm_gpu_policy_new(&policy) == PM_OK);
	if (pm_cert_parse(cert_der, &cert) < 0 || pm_cert_parse(issuer_der, &issuer) < 0 ||
		pm_cert_pubkey(issuer, &key) < 0)
		return;
	r = pm_ocsp_check(set, cert, issuer, key, policy, FUZZ_NOW, "OCSP", report, &until);
	/* The answer out of the memory is the same. */
	FUZZ_CHECK(
		r == pm_ocsp_check(set, cert, issuer, key, policy, FUZZ_NOW, "OCSP", NULL, &until));
	FUZZ_CHECK((r == PM_OK) == (until != INT64_MAX));
	if (r == PM_OK) {
		FUZZ_CHECK(until >= FUZZ_NOW && !pm_report_failure(report));
		FUZZ_CHECK(is_seed(set->responses[0]->body));
	} else {
		FUZZ_CHECK(r == PM_E_MISSING || pm_report_failure(report));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_rd rd = pm_rd(pm_view(data, size));
	struct pm_view cert = pm_rd_bytes(&rd, pm_rd_be16(&rd));
	struct pm_view issuer = pm_rd_bytes(&rd, pm_rd_be16(&rd)), der = pm_rd_rest(&rd);
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *set = NULL;
	uint8_t request[PM_OCSP_REQUEST_SIZE_MAX];
	size_t request_size;
	int r;

	FUZZ_CHECK(report && pm_ocsp_set_new(&set) == PM_OK);
	r = pm_ocsp_request(cert.ptr, cert.len, issuer.ptr, issuer.len, NULL, request,
		sizeof(request), &request_size);
	FUZZ_CHECK(r <= 0 && (r < 0 || request_size <= sizeof(request)));
	r = pm_ocsp_set_add(set, der.ptr, der.len, report);
	FUZZ_CHECK(pm_ocsp_set_count(set) == (r == PM_OK));
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	if (r < 0)
		return 0;
	check_views(set->responses[0], der.len);
	check_answer(set, cert, issuer);
	return 0;
}
