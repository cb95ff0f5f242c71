/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob in which Azure's paravisor (HCL) keeps a report: NV index 0x01400001 of the vTPM. The
 * guest can't choose REPORT_DATA there; it is the hash of the runtime data that stands in the blob.
 * Source: Microsoft Learn, "Guest attestation for confidential VMs", and the TPM index's layout.
 */
#ifndef PM_EVIDENCE_SNP_HCL_H
#define PM_EVIDENCE_SNP_HCL_H

#include <pm/snp.h>
#include "base/mem.h"

struct pm_snp_hcl {
	struct pm_view report;	     /* 1184 bytes */
	struct pm_view runtime_data; /* JSON */
};

/* Does the input begin as a blob does? */
bool pm_snp_hcl_is(struct pm_view bytes);

/* PM_E_FORMAT, PM_E_UNSUPPORTED. Views point into bytes. */
int pm_snp_hcl_parse(
	struct pm_view bytes, struct pm_report *report, struct pm_snp_hcl *ret) PM_MUST_USE;

/* Is REPORT_DATA the SHA-256 of the runtime data, followed by zeros? PM_E_REJECTED, PM_E_CRYPTO. */
int pm_snp_hcl_check(struct pm_view runtime_data, const uint8_t *report_data,
	struct pm_report *report) PM_MUST_USE;

#endif
