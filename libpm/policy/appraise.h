/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an appraisal. Each looks at one kind of evidence, and notes what it finds. */
#ifndef PM_POLICY_APPRAISE_H
#define PM_POLICY_APPRAISE_H

#include <pm/appraise.h>
#include <pm/gpu.h>
#include "base/mem.h"
#include "base/report.h"

/* Room for the source of a check. */
#define PM_SOURCE_SIZE 160

/* What was proved, and what it points to. */
struct pm_appraised_held {
	struct pm_appraised facts;
	struct pm_snp_evidence *snp;
	struct pm_gpu_evidence *gpus[PM_BUNDLE_GPUS_MAX];
	const struct pm_gpu_facts *gpu_facts[PM_BUNDLE_GPUS_MAX];
};

/* An appraisal at work. */
struct pm_appraise_run {
	const struct pm_bundle *bundle;
	const struct pm_appraisal *ask;
	const struct pm_manifest_role *role; /* NULL until it is known */
	struct pm_verdict *verdict;
	struct pm_report *report; /* of the group at work; NULL without a verdict */
	struct pm_appraised_held *held;
};

/* Moves the checks of the report into the verdict. The source is as printf takes it. */
void pm_appraise_note(struct pm_appraise_run *run, const char *source, ...)
	__attribute__((format(printf, 2, 3)));

/* Lowers the end of what is proved. */
void pm_appraise_until(struct pm_appraise_run *run, int64_t until);

/* The processor. PM_E_REJECTED and all that pm_snp_verify() returns. */
int pm_appraise_snp(struct pm_appraise_run *run) PM_MUST_USE;

/* The models. PM_E_REJECTED. */
int pm_appraise_models(struct pm_appraise_run *run) PM_MUST_USE;

/* The GPUs. PM_E_REJECTED, PM_E_STALE, and all that pm_gpu_verify() returns. */
int pm_appraise_gpus(struct pm_appraise_run *run) PM_MUST_USE;

#endif
