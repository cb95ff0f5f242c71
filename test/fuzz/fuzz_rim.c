/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text for a manifest. The corpus has a root of its own, whose keys signed three documents and
 * are gone; their canonical digests are in nvgpu_seeds.h. So a yes to anything else is a forgery.
 */
#include <string.h>

#include <pm/gpu_policy.h>
#include "base/report.h"
#include "evidence/gpu_policy.h"
#include "evidence/rim_document.h"
#include "fuzz.h"
#include "nvgpu_seeds.h"

static void check_seed(const struct pm_rim_document *document)
{
	bool found = false;

	for (size_t i = 0; i < PM_ARRAY_LEN(seed_rim_digests); i++)
		found |= !memcmp(seed_rim_digests[i], document->digest, PM_SHA384_SIZE);
	FUZZ_CHECK(found);
}

static void check_facts(const struct pm_rim *rim)
{
	FUZZ_CHECK(pm_rim_test_root(rim) && !pm_rim_ocsp_checked(rim));
	FUZZ_CHECK(pm_rim_valid_until(rim) >= FUZZ_NOW);
	FUZZ_CHECK(pm_rim_value_count(rim) == 3);
	for (size_t i = 0; i < pm_rim_value_count(rim); i++) {
		const struct pm_rim_value *v = pm_rim_value_at(rim, i);

		FUZZ_CHECK(v->index < 3 && v->active && v->alternatives == 1 + v->index % 2);
		FUZZ_CHECK(pm_rim_value_of(rim, v->index) == v);
	}
}

/* With the corpus's root, or NVIDIA's alone. */
static int verify(const struct pm_rim_document *document, bool test_root, struct pm_rim **ret)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	int r;

	FUZZ_CHECK(report && pm_gpu_policy_new(&policy) == PM_OK);
	FUZZ_CHECK(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_OCSP) == PM_OK);
	if (test_root)
		FUZZ_CHECK(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_RIM, seed_rim_root) ==
			   PM_OK);
	r = pm_rim_verify(document, policy, NULL, FUZZ_NOW, report, ret);
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	int r = pm_rim_parse(data, size, report, &document);

	FUZZ_CHECK((r == PM_OK) == (document != NULL));
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	if (r < 0)
		return 0;
	fuzz_touch(document->signed_info);
	for (size_t i = 0; i < PM_RIM_CERTS; i++)
		fuzz_touch(document->certs[i]);
	FUZZ_CHECK(verify(document, false, &rim) < 0 && !rim);
	r = verify(document, true, &rim);
	FUZZ_CHECK((r == PM_OK) == (rim != NULL));
	if (rim) {
		check_seed(document);
		check_facts(rim);
	}
	return 0;
}
