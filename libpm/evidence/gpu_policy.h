/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy holds, and what verification asks of it. */
#ifndef PM_EVIDENCE_GPU_POLICY_H
#define PM_EVIDENCE_GPU_POLICY_H

#include <pm/gpu_policy.h>
#include "base/list.h"
#include "evidence/gpu_version.h"

#define PM_GPU_ARCH_COUNT	3
#define PM_GPU_ARCH_INDEX(arch) ((size_t)(arch)-1)
#define PM_GPU_ROOT_KINDS	2

struct pm_gpu_policy {
	unsigned int waivers, permissions, requirements;
	bool has_nonce;
	uint8_t nonce[PM_GPU_NONCE_SIZE];
	unsigned int archs, modes;			     /* bit sets; 0: the default */
	struct pm_list drivers, vbioses;		     /* texts of struct pm_gpu_version */
	struct pm_gpu_version min_driver[PM_GPU_ARCH_COUNT]; /* all parts 0: no demand */
	struct pm_gpu_version min_vbios[PM_GPU_ARCH_COUNT];
	bool has_rim_time;
	int64_t rim_time;
	int64_t ocsp_grace; /* 0: not set */
	struct pm_list test_roots[PM_GPU_ROOT_KINDS];
};

PM_OWNER(pm_gpu_policy, pm_gpu_policy_free);

/* Is it an enum pm_gpu_arch? */
bool pm_gpu_arch_known(int arch);

/* "Hopper", "Blackwell", "LS10"; "unknown". */
const char *pm_gpu_arch_text(int arch);

/* Does the policy name every demand or waiver that must be named? PM_E_ARG. */
int pm_gpu_policy_check_complete(
	const struct pm_gpu_policy *policy, struct pm_report *report) PM_MUST_USE;

/*
 * Is this the root of NVIDIA for that kind of chain, or one that the policy names for it?
 * *ret_is_test, written only for yes: it is one that the policy names.
 */
bool pm_gpu_policy_root(const struct pm_gpu_policy *policy, enum pm_gpu_root kind,
	const uint8_t *sha256, bool *ret_is_test) __attribute__((warn_unused_result));

/* Does it permit a certificate on hold since then? A revocation in the future is none. */
bool pm_gpu_policy_permits_hold(
	const struct pm_gpu_policy *policy, int64_t revoked_at, int64_t now);

#endif
