/* SPDX-License-Identifier: Apache-2.0 */
/* What binds the parts of a bundle together: hashes, each with a label of its own. */
#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "evidence/bundle_encode.h"

/* The labels go in with their final NUL. */
static const char evidence_label[] = "libpm evidence v1";
static const char gpu_nonce_label[] = "libpm gpu nonce v1";

_Static_assert(PM_BUNDLE_DIGEST_SIZE == PM_SHA256_SIZE, "SHA-256");
_Static_assert(PM_BUNDLE_REPORT_DATA_SIZE == PM_SHA512_SIZE, "SHA-512");

int pm_bundle_report_data(const uint8_t *challenge, const uint8_t *claims, size_t claims_len,
	uint8_t *ret_report_data)
{
	uint8_t digest[PM_SHA256_SIZE];
	const struct pm_view parts[] = {
		pm_view(evidence_label, sizeof(evidence_label)),
		pm_view(challenge, PM_BUNDLE_NONCE_SIZE),
		pm_view(digest, sizeof(digest)),
	};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	r = pm_hash(PM_SHA256, pm_view(claims, claims_len), digest);
	if (r < 0)
		return r;
	return pm_hash_parts(PM_SHA512, parts, PM_ARRAY_LEN(parts), ret_report_data);
}

int pm_bundle_gpu_nonce(
	const uint8_t *epoch_nonce, const uint8_t *key, size_t key_len, uint8_t *ret_nonce)
{
	const struct pm_view parts[] = {
		pm_view(gpu_nonce_label, sizeof(gpu_nonce_label)),
		pm_view(epoch_nonce, PM_BUNDLE_NONCE_SIZE),
		pm_view(key, key_len),
	};
	int r = pm_crypto_init();

	return r < 0 ? r : pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret_nonce);
}

int pm_bundle_gpu_digest(const struct pm_bundle_gpu *gpu, uint8_t *ret_digest)
{
	uint8_t heads[PM_BUNDLE_GPU_KEYS][PM_BUNDLE_GPU_HEAD_MAX];
	const struct pm_view parts[] = {
		pm_bundle_gpu_head(PM_BUNDLE_GPU_REPORT, gpu, heads[0]),
		pm_bytes_view(gpu->report),
		pm_bundle_gpu_head(PM_BUNDLE_GPU_CERTS, gpu, heads[1]),
		pm_bytes_view(gpu->certs),
		pm_bundle_gpu_head(PM_BUNDLE_GPU_ARCH, gpu, heads[2]),
	};
	int r = pm_crypto_init();

	return r < 0 ? r : pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), ret_digest);
}

int pm_bundle_check_gpus(const struct pm_bundle *bundle, struct pm_report *report)
{
	const struct pm_claims *claims = &bundle->claims;
	uint8_t digest[PM_SHA256_SIZE];

	if (claims->gpu_count != bundle->content.gpu_count)
		return pm_fail(report, PM_E_REJECTED, "GPU count", "as many as the claims name",
			"%zu, and %zu in the claims", bundle->content.gpu_count, claims->gpu_count);
	pm_pass(report, "GPU count", "%zu, as in the claims", claims->gpu_count);
	for (size_t i = 0; i < claims->gpu_count; i++) {
		int r = pm_hash(PM_SHA256, bundle->gpu_entries[i], digest);

		if (r < 0)
			return r;
		r = pm_check_bytes(report, "GPU evidence, SHA-256 in the claims", claims->gpus[i],
			digest, sizeof(digest));
		if (r < 0)
			return r;
	}
	return PM_OK;
}
