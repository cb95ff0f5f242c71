/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PM_EVIDENCE_GPU_APPRAISE_H
#define PM_EVIDENCE_GPU_APPRAISE_H

#include "evidence/gpu_evidence.h"
#include "evidence/gpu_policy.h"

/* Facts in, verdict out: every demand is checked and noted. PM_E_REJECTED. */
int pm_gpu_appraise(const struct pm_gpu_facts *facts, const struct pm_gpu_policy *policy,
	struct pm_report *report) PM_MUST_USE;

#endif
