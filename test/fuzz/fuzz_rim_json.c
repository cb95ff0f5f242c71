/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of NVIDIA's service for golden measurements. */
#include <pm/rim.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "fuzz.h"
#include "net/gpu_fetch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(free) uint8_t *copy = malloc(size ? size : 1), *bytes = NULL;
	size_t len = 0;
	int r;

	FUZZ_CHECK(report && copy && pm_crypto_init() == PM_OK);
	pm_copy(copy, data, size);
	r = pm_rim_unwrap(pm_view(copy, size), "NV_GPU_DRIVER_GH100_1", report, &bytes, &len);
	FUZZ_CHECK((r == PM_OK) == (bytes != NULL));
	FUZZ_CHECK((r == PM_OK) == !pm_report_failure(report));
	if (r != PM_OK)
		return 0;
	FUZZ_CHECK(len <= PM_RIM_SIZE_MAX && len <= size);
	fuzz_touch(pm_view(bytes, len));
	return 0;
}
