/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle that is accepted is the one encoding of what it says, and all of it lies in bounds. */
#include "evidence/bundle.h"

#include "crypto/crypto.h"
#include "fuzz.h"

static uint8_t again[PM_BUNDLE_SIZE_MAX];

static void check_list(const struct pm_bytes *list, size_t count, size_t max)
{
	FUZZ_CHECK(count <= max);
	for (size_t i = 0; i < count; i++) {
		FUZZ_CHECK(list[i].len);
		fuzz_touch(pm_bytes_view(list[i]));
	}
}

static void check_gpus(const struct pm_bundle *b)
{
	uint8_t digest[2][PM_SHA256_SIZE];

	FUZZ_CHECK(b->content.gpu_count <= PM_BUNDLE_GPUS_MAX);
	for (size_t i = 0; i < b->content.gpu_count; i++) {
		FUZZ_CHECK(pm_bundle_gpu_digest(&b->gpus[i], digest[0]) == PM_OK);
		FUZZ_CHECK(pm_hash(PM_SHA256, b->gpu_entries[i], digest[1]) == PM_OK);
		FUZZ_CHECK(pm_ct_equal(digest[0], digest[1], PM_SHA256_SIZE));
	}
	FUZZ_CHECK(pm_bundle_check_gpus(b, NULL) <= 0);
}

static void check_claims(const struct pm_bundle *b)
{
	uint8_t bytes[PM_BUNDLE_CLAIMS_SIZE_MAX];
	size_t len;

	FUZZ_CHECK(b->claims.role[0] && !b->claims.role[PM_CLAIMS_ROLE_MAX]);
	FUZZ_CHECK(pm_claims_encode(&b->claims, NULL, bytes, &len) == PM_OK);
	FUZZ_CHECK(pm_view_equal(pm_view(bytes, len), pm_bytes_view(b->content.claims)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE];
	const struct pm_bundle_content *c;
	size_t len;

	if (pm_bundle_parse(data, size, NULL, &b) < 0)
		return 0;
	c = pm_bundle_untrusted(b);
	check_list(c->certs, c->cert_count, PM_BUNDLE_CERTS_MAX);
	check_list(c->rims, c->rim_count, PM_BUNDLE_RIMS_MAX);
	check_list(c->ocsp, c->ocsp_count, PM_BUNDLE_OCSP_MAX);
	check_list(c->crls, c->crl_count, PM_BUNDLE_CRLS_MAX);
	check_gpus(b);
	check_claims(b);
	FUZZ_CHECK(pm_bundle_challenge(&c->nonce, challenge) == PM_OK);
	FUZZ_CHECK(pm_bundle_encode(c, NULL, again, sizeof(again), &len) == PM_OK);
	FUZZ_CHECK(pm_view_equal(pm_view(again, len), pm_view(data, size)));
	return 0;
}
