/* SPDX-License-Identifier: Apache-2.0 */
/* The opaque fields of a report: type, length and value, one after the other (NVIDIA's own). */
#ifndef PM_EVIDENCE_GPU_OPAQUE_H
#define PM_EVIDENCE_GPU_OPAQUE_H

#include <pm/gpu.h>
#include "base/mem.h"

/* Reads them all into fields. PM_E_FORMAT, PM_E_UNSUPPORTED. */
int pm_gpu_opaque_parse(struct pm_view bytes, bool is_switch, struct pm_report *report,
	struct pm_gpu_fields *fields) PM_MUST_USE;

#endif
