/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole worker and a verifier who asks him: processor, claims, bundle, manifest, nonce, right in
 * everything. A test changes one thing before the processor signs, or in the bundle that comes of
 * it, and lets it be judged. scene_make_keys() comes first.
 */
#ifndef PM_TEST_STAGE_H
#define PM_TEST_STAGE_H

#include <jansson.h>
#include <pm/appraise.h>

#include "scene.h"

#define STAGE_NOW SCENE_NOW

struct stage {
	struct scene snp;
	struct pm_view ark, ask, vek, crl; /* made once, by the scene's plan */
	struct pm_claims claims;
	struct pm_bundle_nonce nonce; /* as in the bundle */
	json_t *manifest;
	/* Changes the bundle after everything was signed, or NULL. */
	void (*change)(struct stage *s, struct pm_bundle_content *c);
	struct pm_appraisal question; /* without its manifest */
	uint8_t question_nonce[PM_BUNDLE_NONCE_SIZE];
	/* What the change works with: the lists of the content. */
	uint8_t claims_bytes[PM_BUNDLE_CLAIMS_SIZE_MAX];
	uint8_t report[PM_SNP_REPORT_SIZE];
	struct pm_bytes certs[PM_BUNDLE_CERTS_MAX], crls[PM_BUNDLE_CRLS_MAX];
	struct pm_bundle_gpu gpus[PM_BUNDLE_GPUS_MAX];
	size_t gpu_count;
};

void stage_init(struct stage *s);
void stage_free(struct stage *s);

/* Encodes the claims again, as they now are, for a change behind the processor's back. */
void stage_replace_claims(struct stage *s, struct pm_bundle_content *c);

/* The bundle; freed with test_free(). */
struct pm_view stage_bundle(struct stage *s);

/* Judges bytes. 0 with what was proved, freed with pm_appraised_free(); or an error of a call. */
int stage_judge(const struct stage *s, struct pm_view bundle, struct pm_verdict *verdict,
	const struct pm_appraised **ret);

#endif
