/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an attestation report to its fields: all that the format fixes, no trust. */
#ifndef PM_EVIDENCE_SNP_FIELDS_H
#define PM_EVIDENCE_SNP_FIELDS_H

#include <pm/snp.h>
#include "base/mem.h"

/* The part that the signature covers, from the start (AMD 56860, ATTESTATION_REPORT). */
#define PM_SNP_SIGNED_SIZE 0x2a0

/* Significant bytes of R and S: the size of the order of P-384. */
#define PM_SNP_SCALAR_SIZE 48

/* Sentinel of a report that the host asked for. */
#define PM_SNP_VMPL_HOST 0xffffffffu

/* bytes: exactly one report. PM_E_FORMAT, PM_E_UNSUPPORTED. */
int pm_snp_fields_parse(
	struct pm_view bytes, struct pm_report *report, struct pm_snp_fields *ret) PM_MUST_USE;

#endif
