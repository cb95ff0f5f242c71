/* SPDX-License-Identifier: Apache-2.0 */
/* Any Azure HCL blob: what is read stands where the format has it, and only its own hash fits. */
#include <pm/snp_policy.h>

#include "evidence/snp_evidence.h"
#include "evidence/snp_hcl.h"
#include "evidence/snp_policy.h"
#include "fuzz.h"

#define HEADER_SIZE 32
#define DATA_OFFSET (HEADER_SIZE + PM_SNP_REPORT_SIZE + 20)

static void check_hash(struct pm_view runtime_data)
{
	uint8_t report_data[PM_SNP_REPORT_DATA_SIZE] = {0};

	FUZZ_CHECK(pm_hash(PM_SHA256, runtime_data, report_data) == PM_OK);
	FUZZ_CHECK(pm_snp_hcl_check(runtime_data, report_data, NULL) == PM_OK);
	report_data[PM_SNP_REPORT_DATA_SIZE - 1] = 1;
	FUZZ_CHECK(pm_snp_hcl_check(runtime_data, report_data, NULL) == PM_E_REJECTED);
	report_data[PM_SNP_REPORT_DATA_SIZE - 1] = 0;
	report_data[0] ^= 1;
	FUZZ_CHECK(pm_snp_hcl_check(runtime_data, report_data, NULL) == PM_E_REJECTED);
}

static void check_evidence(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;

	if (pm_snp_evidence_parse(data, size, NULL, &ev) < 0)
		return;
	FUZZ_CHECK(fuzz_verify(ev, NULL, &facts) < 0 && !facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_view blob = pm_view(data, size);
	struct pm_snp_hcl hcl = {0};

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	check_evidence(data, size);
	if (!pm_snp_hcl_is(blob))
		return 0;
	if (pm_snp_hcl_parse(blob, NULL, &hcl) < 0) {
		FUZZ_CHECK(!hcl.report.ptr && !hcl.runtime_data.ptr);
		return 0;
	}
	FUZZ_CHECK(hcl.report.ptr == data + HEADER_SIZE && hcl.report.len == PM_SNP_REPORT_SIZE);
	FUZZ_CHECK(hcl.runtime_data.ptr == data + DATA_OFFSET);
	FUZZ_CHECK(hcl.runtime_data.len && fuzz_within(hcl.runtime_data, blob));
	check_hash(hcl.runtime_data);
	return 0;
}
