/* SPDX-License-Identifier: Apache-2.0 */
/* The validity of a chain's certificates, one by one, against the verifier's clock. */
#ifndef PM_EVIDENCE_VALIDITY_H
#define PM_EVIDENCE_VALIDITY_H

#include <pm/report.h>
#include "crypto/x509.h"

/*
 * Is the certificate valid at now? Notes the result under name, which lives as long as the report,
 * and lowers *until to its last second. PM_E_STALE, and *until is as it was.
 */
int pm_check_validity(const struct pm_cert *cert, const char *name, int64_t now,
	struct pm_report *report, int64_t *until) PM_MUST_USE;

#endif
