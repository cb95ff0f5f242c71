/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a report: the request GET_MEASUREMENTS and the response to it (DSP0274, 10.11). */
#ifndef PM_EVIDENCE_GPU_REPORT_H
#define PM_EVIDENCE_GPU_REPORT_H

#include <pm/gpu.h>
#include "base/mem.h"

#define PM_GPU_SIGNATURE_SIZE 96

/* Borrowed parts. */
struct pm_gpu_signed {
	struct pm_view body; /* what is signed */
	struct pm_view signature;
};

/* Reads exactly one report. PM_E_FORMAT, PM_E_UNSUPPORTED. */
int pm_gpu_report_parse(struct pm_view bytes, struct pm_report *report,
	struct pm_gpu_fields *ret_fields, struct pm_gpu_signed *ret_signed) PM_MUST_USE;

#endif
