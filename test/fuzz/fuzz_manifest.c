/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest: what is accepted has one form, and each role's policies refuse by default. */
#include <string.h>

#include "crypto/crypto.h"
#include "evidence/snp_policy.h"
#include "fuzz.h"
#include "policy/manifest.h"

/* The canonical form is a manifest of the same hash and form. */
static void check_form(const struct pm_manifest *m)
{
	pm_cleanup(pm_manifest) struct pm_manifest *again = NULL;
	size_t len = 0, len_again = 0;
	const char *text = pm_manifest_canonical(m, &len), *text_again;

	FUZZ_CHECK(pm_manifest_parse(text, len, NULL, &again) == PM_OK);
	text_again = pm_manifest_canonical(again, &len_again);
	FUZZ_CHECK(len == len_again && !strcmp(text, text_again));
	FUZZ_CHECK(pm_ct_equal(m->hash, again->hash, sizeof(m->hash)));
}

static void check_role(const struct pm_manifest *m, const struct pm_manifest_role *role)
{
	pm_cleanup(pm_snp_policy) struct pm_snp_policy *snp = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *gpu = NULL;
	const char *model;
	int r;

	FUZZ_CHECK(pm_manifest_role_snp_policy(m, role, &snp) == PM_OK);
	FUZZ_CHECK(!snp->waivers && pm_snp_policy_check_complete(snp, NULL) == PM_E_ARG);
	r = pm_manifest_role_gpu_policy(m, role, &gpu);
	FUZZ_CHECK(r == (pm_manifest_role_gpu(role) ? PM_OK : PM_E_MISSING));
	FUZZ_CHECK(!gpu || pm_gpu_policy_check_complete(gpu, NULL) == PM_E_ARG);
	for (size_t i = 0; (model = pm_manifest_role_model_at(role, i)); i++)
		FUZZ_CHECK(pm_manifest_model(m, model));
}

static void check_owners(const struct pm_manifest_owners *owners)
{
	size_t count = 0;

	while (pm_manifest_owner_at(owners, count))
		count++;
	FUZZ_CHECK(pm_manifest_owners_threshold(owners) >= 1);
	FUZZ_CHECK(pm_manifest_owners_threshold(owners) <= count);
}

static void check_share_owners(const struct pm_manifest_share_owners *owners)
{
	size_t count = 0;

	while (owners && pm_manifest_share_owner_at(owners, count))
		count++;
	FUZZ_CHECK(!owners || pm_manifest_share_owners_threshold(owners) >= 1);
	FUZZ_CHECK(!owners || pm_manifest_share_owners_threshold(owners) <= count);
}

static void check_models(const struct pm_manifest *m)
{
	const struct pm_manifest_model *model;
	struct pm_verity_layout layout;

	for (size_t i = 0; (model = pm_manifest_model_at(m, i)); i++)
		FUZZ_CHECK(pm_verity_layout_of(&model->params, NULL, &layout) == PM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_manifest) struct pm_manifest *m = NULL;
	struct pm_report *report = pm_report_new();
	const struct pm_manifest_role *role;
	int r = pm_manifest_parse(data, size, report, &m);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_LIMIT || r == PM_E_UNSUPPORTED);
	FUZZ_CHECK((r == PM_OK) == (m != NULL));
	FUZZ_CHECK((r == PM_OK) == !pm_report_failure(report));
	pm_report_free(report);
	if (!m)
		return 0;
	check_form(m);
	for (size_t i = 0; (role = pm_manifest_role_at(m, i)); i++)
		check_role(m, role);
	check_models(m);
	check_owners(pm_manifest_owners(m));
	check_share_owners(pm_manifest_seed_share_owners(m));
	FUZZ_CHECK((m->serial == 1) == !pm_manifest_previous(m));
	FUZZ_CHECK(m->not_before < m->not_after);
	return 0;
}
