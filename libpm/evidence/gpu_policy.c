/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/report.h"

#define ALL_WAIVERS (PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP)
#define ALL_PERMISSIONS                                                                            \
	(PM_GPU_PERMIT_HOLD | PM_GPU_PERMIT_OCSP_UNKNOWN | PM_GPU_PERMIT_UNKNOWN_OPAQUE)
#define ALL_REQUIREMENTS                                                                           \
	(PM_GPU_REQUIRE_SWITCH_LOCK | PM_GPU_REQUIRE_FWID | PM_GPU_REQUIRE_ALL_GOLDEN)

#define DECIMAL	    10
#define HEXADECIMAL 16

int pm_gpu_policy_new(struct pm_gpu_policy **ret_policy)
{
	struct pm_gpu_policy *policy = pm_alloc(sizeof(*policy));

	if (!policy)
		return PM_E_NOMEM;
	policy->drivers.size = PM_GPU_VERSION_SIZE;
	policy->vbioses.size = PM_GPU_VERSION_SIZE;
	for (size_t i = 0; i < PM_GPU_ROOT_KINDS; i++)
		policy->test_roots[i].size = 32;
	*ret_policy = policy;
	return PM_OK;
}

void pm_gpu_policy_free(struct pm_gpu_policy *policy)
{
	if (!policy)
		return;
	free(policy->drivers.values);
	free(policy->vbioses.values);
	for (size_t i = 0; i < PM_GPU_ROOT_KINDS; i++)
		free(policy->test_roots[i].values);
	free(policy);
}

bool pm_gpu_arch_known(int arch)
{
	return arch == PM_GPU_HOPPER || arch == PM_GPU_BLACKWELL || arch == PM_GPU_LS10;
}

const char *pm_gpu_arch_text(int arch)
{
	static const char *const names[] = {"Hopper", "Blackwell", "LS10"};

	return pm_gpu_arch_known(arch) ? names[PM_GPU_ARCH_INDEX(arch)] : "unknown";
}

/* Or-s flags into a set, unless one of them is not known. */
static int add_flags(unsigned int *set, unsigned int flags, unsigned int known)
{
	if (flags & ~known)
		return PM_E_ARG;
	*set |= flags;
	return PM_OK;
}

int pm_gpu_policy_expect_nonce(struct pm_gpu_policy *policy, const uint8_t *nonce)
{
	pm_copy(policy->nonce, nonce, sizeof(policy->nonce));
	policy->has_nonce = true;
	return PM_OK;
}

int pm_gpu_policy_waive(struct pm_gpu_policy *policy, unsigned int waivers)
{
	return add_flags(&policy->waivers, waivers, ALL_WAIVERS);
}

int pm_gpu_policy_permit(struct pm_gpu_policy *policy, unsigned int permissions)
{
	return add_flags(&policy->permissions, permissions, ALL_PERMISSIONS);
}

int pm_gpu_policy_require(struct pm_gpu_policy *policy, unsigned int requirements)
{
	return add_flags(&policy->requirements, requirements, ALL_REQUIREMENTS);
}

int pm_gpu_policy_allow_arch(struct pm_gpu_policy *policy, enum pm_gpu_arch arch)
{
	if (!pm_gpu_arch_known((int)arch))
		return PM_E_ARG;
	policy->archs |= 1u << arch;
	return PM_OK;
}

int pm_gpu_policy_allow_mode(struct pm_gpu_policy *policy, enum pm_gpu_mode mode)
{
	if (mode != PM_GPU_MODE_SPT && mode != PM_GPU_MODE_MPT && mode != PM_GPU_MODE_PPCIE)
		return PM_E_ARG;
	policy->modes |= 1u << mode;
	return PM_OK;
}

static int read_version(const char *text, int base, struct pm_gpu_version *ret)
{
	return pm_gpu_version_parse(pm_view(text, strlen(text)), base, ret) < 0 ? PM_E_ARG : PM_OK;
}

static int allow_version(struct pm_list *list, const char *version, int base)
{
	struct pm_gpu_version v;
	int r = read_version(version, base, &v);

	if (r < 0)
		return r;
	return pm_list_add(list, (const uint8_t *)v.text, PM_GPU_POLICY_LIST_MAX);
}

int pm_gpu_policy_allow_driver(struct pm_gpu_policy *policy, const char *version)
{
	return allow_version(&policy->drivers, version, DECIMAL);
}

int pm_gpu_policy_allow_vbios(struct pm_gpu_policy *policy, const char *version)
{
	return allow_version(&policy->vbioses, version, HEXADECIMAL);
}

/* A second demand never weakens the first. */
static void raise_to(struct pm_gpu_version *min, const struct pm_gpu_version *version)
{
	if (pm_gpu_version_compare(min, version) < 0)
		*min = *version;
}

int pm_gpu_policy_min_driver(struct pm_gpu_policy *policy, int arch, const char *version)
{
	struct pm_gpu_version v;
	int r = read_version(version, DECIMAL, &v);

	if (r < 0)
		return r;
	if (arch && arch != PM_GPU_HOPPER && arch != PM_GPU_BLACKWELL)
		return PM_E_ARG;
	for (int a = PM_GPU_HOPPER; a <= PM_GPU_BLACKWELL; a++) {
		if (!arch || arch == a)
			raise_to(&policy->min_driver[PM_GPU_ARCH_INDEX(a)], &v);
	}
	return PM_OK;
}

int pm_gpu_policy_min_vbios(
	struct pm_gpu_policy *policy, enum pm_gpu_arch arch, const char *version)
{
	struct pm_gpu_version v;
	int r = read_version(version, HEXADECIMAL, &v);

	if (r < 0)
		return r;
	if (!pm_gpu_arch_known((int)arch))
		return PM_E_ARG;
	raise_to(&policy->min_vbios[PM_GPU_ARCH_INDEX(arch)], &v);
	return PM_OK;
}

int pm_gpu_policy_ocsp_grace(struct pm_gpu_policy *policy, int64_t seconds)
{
	if (seconds <= 0)
		return PM_E_ARG;
	policy->ocsp_grace = seconds;
	return PM_OK;
}

int pm_gpu_policy_rim_time(struct pm_gpu_policy *policy, int64_t time)
{
	policy->rim_time = time;
	policy->has_rim_time = true;
	return PM_OK;
}

int pm_gpu_policy_add_test_root(
	struct pm_gpu_policy *policy, enum pm_gpu_root kind, const uint8_t *sha256)
{
	if ((unsigned int)kind >= PM_GPU_ROOT_KINDS)
		return PM_E_ARG;
	return pm_list_add(&policy->test_roots[kind], sha256, PM_GPU_POLICY_LIST_MAX);
}

int pm_gpu_policy_check_complete(const struct pm_gpu_policy *policy, struct pm_report *report)
{
	if (!policy->has_nonce && !(policy->waivers & PM_GPU_WAIVE_NONCE))
		return pm_fail(report, PM_E_ARG, "policy, nonce", "demanded or waived", "neither");
	return PM_OK;
}

bool pm_gpu_policy_permits_hold(const struct pm_gpu_policy *policy, int64_t revoked_at, int64_t now)
{
	if (!(policy->permissions & PM_GPU_PERMIT_HOLD) || revoked_at > now)
		return false;
	return (uint64_t)now - (uint64_t)revoked_at <= (uint64_t)policy->ocsp_grace &&
	       policy->ocsp_grace > 0;
}
