/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver hands out as a report, and as a place on the bus. */
#include <string.h>

#include "base/report.h"
#include "evidence/gpu_nvml.h"
#include "fuzz.h"

static void trim(struct pm_view bytes, const uint8_t *nonce)
{
	struct pm_view report = {0}, again = {0};
	int r = pm_gpu_report_trim(bytes, nonce, NULL, &report);

	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_REJECTED);
	if (r != PM_OK)
		return;
	FUZZ_CHECK(report.ptr == bytes.ptr && report.len <= bytes.len);
	FUZZ_CHECK(pm_is_zero(bytes.ptr + report.len, bytes.len - report.len));
	FUZZ_CHECK(memcmp(report.ptr + 4, nonce, 32) == 0);
	FUZZ_CHECK(pm_gpu_report_trim(report, nonce, NULL, &again) == PM_OK);
	FUZZ_CHECK(again.len == report.len);
}

/* A place that is read is read again out of its own text. */
static void read_place(struct pm_view text)
{
	struct pm_gpu_bus_id id, again;
	struct pm_gpu_bus_id_text shown;

	if (pm_gpu_bus_id_parse(text, &id) != PM_OK)
		return;
	shown = pm_gpu_bus_id(&id);
	FUZZ_CHECK(pm_gpu_bus_id_parse(pm_view(shown.s, strlen(shown.s)), &again) == PM_OK);
	FUZZ_CHECK(pm_gpu_bus_id_equal(&id, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[32];
	pm_cleanup(free) uint8_t *copy = malloc(size ? size : 1);

	FUZZ_CHECK(copy);
	pm_copy(copy, data, size);
	trim(pm_view(copy, size), zeros);
	if (size >= 36)
		trim(pm_view(copy, size), copy + 4);
	read_place(pm_view(copy, size));
	return 0;
}
