/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of gpu_collect_cuda.c where the build leaves CUDA out. */
#include <pm/gpu_collect.h>

#include "base/report.h"

int pm_gpu_cuda_enumerate(const char *path, struct pm_report *report, struct pm_gpu_bus_id *ret_ids,
	size_t capacity, size_t *ret_count)
{
	(void)path;
	(void)ret_ids;
	(void)capacity;
	(void)ret_count;
	return pm_fail(report, PM_E_MISSING, "gpu.cuda", "a library with CUDA", "built without");
}
