/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of a device beside the golden ones. */
#ifndef PM_EVIDENCE_GPU_GOLDEN_H
#define PM_EVIDENCE_GPU_GOLDEN_H

#include "evidence/gpu_evidence.h"
#include "evidence/gpu_policy.h"
#include "evidence/rim.h"

/* The manifests given, of any devices. */
struct pm_gpu_rims {
	const struct pm_rim *const *list;
	size_t count;
};

/* What the comparison found out. */
struct pm_gpu_compared {
	size_t count, matched;
	bool complete;	/* each manifest that the device needs was there */
	bool test_root; /* one is under a root that the policy names */
	bool ocsp_checked;
	int64_t until;
	struct pm_gpu_golden golden[PM_GPU_MEASUREMENTS_MAX];
};

/*
 * Takes the manifests that fit the device, and compares every active golden value. *ret is written
 * in any case. PM_E_REJECTED, PM_E_MISSING, PM_E_STALE.
 */
int pm_gpu_golden_compare(const struct pm_gpu_fields *fields, enum pm_gpu_arch arch,
	const struct pm_gpu_rims *rims, const struct pm_gpu_policy *policy, int64_t now,
	struct pm_report *report, struct pm_gpu_compared *ret) PM_MUST_USE;

#endif
