/* SPDX-License-Identifier: Apache-2.0 */
/* A list of devices in the JSON of NVIDIA's SDK; what it holds is read as a report too. */
#include <pm/gpu_list.h>

#include "base/report.h"
#include "fuzz.h"

static void look_at(const struct pm_gpu_list *list, size_t index)
{
	struct pm_gpu_evidence *ev = NULL;
	size_t size, certs_size;
	const uint8_t *bytes = pm_gpu_list_report(list, index, &size);
	const uint8_t *certs = pm_gpu_list_certs(list, index, &certs_size);

	FUZZ_CHECK(bytes && certs);
	if (pm_gpu_evidence_parse(bytes, size, 0, NULL, &ev) < 0)
		return;
	if (pm_gpu_evidence_add_certs(ev, certs, certs_size, NULL) == PM_OK)
		(void)!pm_gpu_list_check(list, index, ev, NULL);
	pm_gpu_evidence_free(ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(free) uint8_t *copy = malloc(size ? size : 1);
	struct pm_gpu_list *list = NULL;
	int r;

	FUZZ_CHECK(report && copy);
	pm_copy(copy, data, size);
	r = pm_gpu_list_parse(copy, size, report, &list);
	FUZZ_CHECK((r == PM_OK) == (list != NULL));
	FUZZ_CHECK((r == PM_OK) == (pm_report_failure(report) == NULL));
	if (!list)
		return 0;
	FUZZ_CHECK(pm_gpu_list_count(list) >= 1 && pm_gpu_list_count(list) <= PM_GPU_SET_MAX);
	for (size_t i = 0; i < pm_gpu_list_count(list); i++)
		look_at(list, i);
	pm_gpu_list_free(list);
	return 0;
}
