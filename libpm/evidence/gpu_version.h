/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of drivers (decimal) and VBIOSes (hexadecimal): numbers with dots between them. */
#ifndef PM_EVIDENCE_GPU_VERSION_H
#define PM_EVIDENCE_GPU_VERSION_H

#include <pm/gpu_policy.h>
#include "base/mem.h"

#define PM_GPU_VERSION_PARTS 8

struct pm_gpu_version {
	char text[PM_GPU_VERSION_SIZE]; /* as given, in upper case, padded with zeros */
	uint32_t parts[PM_GPU_VERSION_PARTS];
};

/*
 * Reads 1 to 8 numbers of at most 8 digits, in base 10 or 16. PM_E_FORMAT, also for the empty text
 * and one that is too long.
 */
int pm_gpu_version_parse(struct pm_view text, int base, struct pm_gpu_version *ret) PM_MUST_USE;

/* Below 0, 0 or above 0; parts that are not there count as 0. */
int pm_gpu_version_compare(const struct pm_gpu_version *a, const struct pm_gpu_version *b);

#endif
