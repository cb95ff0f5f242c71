/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "evidence/snp_vek.h"

static const size_t field_sizes[PM_SNP_FIELD_COUNT] = {
	[PM_SNP_MEASUREMENT] = PM_SNP_DIGEST_SIZE,
	[PM_SNP_HOST_DATA] = PM_SNP_HOST_DATA_SIZE,
	[PM_SNP_FAMILY_ID] = PM_SNP_IMAGE_ID_SIZE,
	[PM_SNP_IMAGE_ID] = PM_SNP_IMAGE_ID_SIZE,
	[PM_SNP_ID_KEY_DIGEST] = PM_SNP_DIGEST_SIZE,
	[PM_SNP_AUTHOR_KEY_DIGEST] = PM_SNP_DIGEST_SIZE,
	[PM_SNP_CHIP_ID] = PM_SNP_CHIP_ID_SIZE,
	[PM_SNP_REPORT_ID] = PM_SNP_HOST_DATA_SIZE,
	[PM_SNP_REPORT_ID_MA] = PM_SNP_HOST_DATA_SIZE,
};

#define ALL_WAIVERS (PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT | PM_SNP_WAIVE_MIN_TCB)
#define ALL_PERMISSIONS                                                                            \
	(PM_SNP_PERMIT_DEBUG | PM_SNP_PERMIT_MIGRATE_MA | PM_SNP_PERMIT_CXL |                      \
		PM_SNP_PERMIT_MASKED_CHIP_ID)
#define ALL_REQUIREMENTS                                                                           \
	(PM_SNP_REQUIRE_COMMITTED | PM_SNP_REQUIRE_ID_BLOCK | PM_SNP_REQUIRE_AUTHOR_KEY |          \
		PM_SNP_REQUIRE_CRL)

int pm_snp_policy_new(struct pm_snp_policy **ret_policy)
{
	struct pm_snp_policy *policy = pm_alloc(sizeof(*policy));

	if (!policy)
		return PM_E_NOMEM;
	for (size_t i = 0; i < PM_SNP_FIELD_COUNT; i++)
		policy->fields[i].size = field_sizes[i];
	policy->csp_ids.size = PM_SNP_CSP_ID_SIZE;
	policy->test_roots.size = PM_SHA256_SIZE;
	*ret_policy = policy;
	return PM_OK;
}

void pm_snp_policy_free(struct pm_snp_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < PM_SNP_FIELD_COUNT; i++)
		free(policy->fields[i].values);
	free(policy->csp_ids.values);
	free(policy->test_roots.values);
	free(policy);
}

/* Or-s flags into a set, unless one of them is not known. */
static int add_flags(unsigned int *set, unsigned int flags, unsigned int known)
{
	if (flags & ~known)
		return PM_E_ARG;
	*set |= flags;
	return PM_OK;
}

int pm_snp_policy_expect_report_data(struct pm_snp_policy *policy, const uint8_t *report_data)
{
	pm_copy(policy->report_data, report_data, sizeof(policy->report_data));
	policy->has_report_data = true;
	return PM_OK;
}

int pm_snp_policy_allow(
	struct pm_snp_policy *policy, enum pm_snp_field field, const uint8_t *value, size_t size)
{
	if ((unsigned int)field >= PM_SNP_FIELD_COUNT || size != field_sizes[field])
		return PM_E_ARG;
	return pm_list_add(&policy->fields[field], value, PM_SNP_POLICY_LIST_MAX);
}

int pm_snp_policy_waive(struct pm_snp_policy *policy, unsigned int waivers)
{
	return add_flags(&policy->waivers, waivers, ALL_WAIVERS);
}

int pm_snp_policy_permit(struct pm_snp_policy *policy, unsigned int permissions)
{
	return add_flags(&policy->permissions, permissions, ALL_PERMISSIONS);
}

int pm_snp_policy_require(struct pm_snp_policy *policy, unsigned int requirements)
{
	return add_flags(&policy->requirements, requirements, ALL_REQUIREMENTS);
}

int pm_snp_policy_require_bits(struct pm_snp_policy *policy, uint64_t set, uint64_t clear)
{
	uint64_t new_set = policy->policy_set | set, new_clear = policy->policy_clear | clear;

	if (new_set & new_clear || (set | clear) & 0xffff)
		return PM_E_ARG;
	policy->policy_set = new_set;
	policy->policy_clear = new_clear;
	return PM_OK;
}

int pm_snp_policy_require_platform(struct pm_snp_policy *policy, uint64_t set, uint64_t clear)
{
	uint64_t new_set = policy->platform_set | set, new_clear = policy->platform_clear | clear;

	if (new_set & new_clear)
		return PM_E_ARG;
	policy->platform_set = new_set;
	policy->platform_clear = new_clear;
	return PM_OK;
}

int pm_snp_policy_min_abi(struct pm_snp_policy *policy, uint8_t major, uint8_t minor)
{
	policy->abi_major = major;
	policy->abi_minor = minor;
	return PM_OK;
}

/* A second demand never weakens the first. */
static void raise_to(uint8_t *part, uint8_t least)
{
	if (least > *part)
		*part = least;
}

int pm_snp_policy_min_tcb(struct pm_snp_policy *policy, enum pm_snp_tcb_kind kind,
	enum pm_snp_product product, const struct pm_snp_tcb *tcb)
{
	struct pm_snp_min_tcb *min;

	if ((unsigned int)kind >= PM_SNP_TCB_KINDS || !pm_snp_product_known((int)product))
		return PM_E_ARG;
	min = &policy->min_tcb[kind][PM_SNP_PRODUCT_INDEX(product)];
	min->set = true;
	raise_to(&min->tcb.fmc, tcb->fmc);
	raise_to(&min->tcb.boot_loader, tcb->boot_loader);
	raise_to(&min->tcb.tee, tcb->tee);
	raise_to(&min->tcb.snp, tcb->snp);
	raise_to(&min->tcb.microcode, tcb->microcode);
	return PM_OK;
}

int pm_snp_policy_min_firmware(struct pm_snp_policy *policy, const struct pm_snp_firmware *firmware)
{
	policy->min_firmware = *firmware;
	return PM_OK;
}

int pm_snp_policy_min_guest_svn(struct pm_snp_policy *policy, uint32_t svn)
{
	policy->min_guest_svn = svn;
	return PM_OK;
}

int pm_snp_policy_min_version(struct pm_snp_policy *policy, uint32_t version)
{
	if (version < 2 || version > 5)
		return PM_E_ARG;
	policy->min_version = version;
	return PM_OK;
}

int pm_snp_policy_require_mitigations(
	struct pm_snp_policy *policy, uint64_t launch, uint64_t current)
{
	policy->mit_launch |= launch;
	policy->mit_current |= current;
	return PM_OK;
}

int pm_snp_policy_allow_vmpl(struct pm_snp_policy *policy, uint32_t vmpl)
{
	if (vmpl > 3)
		return PM_E_ARG;
	policy->vmpls |= 1u << vmpl;
	return PM_OK;
}

int pm_snp_policy_allow_product(struct pm_snp_policy *policy, enum pm_snp_product product)
{
	if (!pm_snp_product_known((int)product))
		return PM_E_ARG;
	policy->products |= 1u << product;
	return PM_OK;
}

int pm_snp_policy_allow_signer(struct pm_snp_policy *policy, enum pm_snp_signer signer)
{
	if (signer != PM_SNP_VCEK && signer != PM_SNP_VLEK)
		return PM_E_ARG;
	policy->signers |= 1u << signer;
	return PM_OK;
}

int pm_snp_policy_allow_csp(struct pm_snp_policy *policy, const char *csp_id)
{
	uint8_t padded[PM_SNP_CSP_ID_SIZE] = {0};
	size_t len = strlen(csp_id);

	if (!len || len >= sizeof(padded))
		return PM_E_ARG;
	pm_copy(padded, csp_id, len);
	return pm_list_add(&policy->csp_ids, padded, PM_SNP_POLICY_LIST_MAX);
}

int pm_snp_policy_max_crl_age(struct pm_snp_policy *policy, int64_t seconds)
{
	if (seconds <= 0)
		return PM_E_ARG;
	policy->max_crl_age = seconds;
	return PM_OK;
}

int pm_snp_policy_add_test_root(struct pm_snp_policy *policy, const uint8_t *sha256)
{
	return pm_list_add(&policy->test_roots, sha256, PM_SNP_POLICY_LIST_MAX);
}

int pm_snp_policy_require_entry(
	struct pm_snp_policy *policy, const uint8_t *guid, pm_snp_entry_fn fn, void *arg)
{
	struct pm_snp_wanted_entry *e;

	if (policy->entry_count == PM_SNP_POLICY_ENTRIES_MAX)
		return PM_E_LIMIT;
	e = &policy->entries[policy->entry_count++];
	pm_copy(e->guid, guid, sizeof(e->guid));
	e->fn = fn;
	e->arg = arg;
	return PM_OK;
}

static bool has_min_tcb(const struct pm_snp_policy *policy)
{
	bool any = false;

	for (size_t i = 0; i < PM_SNP_PRODUCT_COUNT; i++)
		any |= policy->min_tcb[PM_SNP_TCB_REPORTED][i].set;
	return any;
}

int pm_snp_policy_check_complete(const struct pm_snp_policy *policy, struct pm_report *report)
{
	if (!policy->has_report_data && !(policy->waivers & PM_SNP_WAIVE_REPORT_DATA))
		return pm_fail(
			report, PM_E_ARG, "policy, REPORT_DATA", "demanded or waived", "neither");
	if (!policy->fields[PM_SNP_MEASUREMENT].count &&
		!(policy->waivers & PM_SNP_WAIVE_MEASUREMENT))
		return pm_fail(
			report, PM_E_ARG, "policy, MEASUREMENT", "demanded or waived", "neither");
	if (!has_min_tcb(policy) && !(policy->waivers & PM_SNP_WAIVE_MIN_TCB))
		return pm_fail(
			report, PM_E_ARG, "policy, least TCB", "demanded or waived", "neither");
	return PM_OK;
}
