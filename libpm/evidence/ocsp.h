/* SPDX-License-Identifier: Apache-2.0 */
/* What verification asks of a set of OCSP responses. */
#ifndef PM_EVIDENCE_OCSP_H
#define PM_EVIDENCE_OCSP_H

#include <pm/gpu_policy.h>
#include <pm/ocsp.h>
#include "crypto/x509.h"

PM_OWNER(pm_ocsp_set, pm_ocsp_set_free);

/* How far the responder's clock may be ahead of ours. */
#define PM_OCSP_CLOCK_SKEW 300

/* How long an answer without nextUpdate counts after its thisUpdate. */
#define PM_OCSP_NO_NEXT_UPDATE 3600

/*
 * What does the set say of cert, whose issuer is verified already? Every response for it is looked
 * at: one of them must say good within its time (or what the policy permits, which is noted as not
 * checked), and none may be forged or say otherwise; older ones that are out of their time do no
 * harm. *until is lowered to the last second of the answer's validity. name: of the check, static.
 *
 * PM_E_REJECTED, PM_E_STALE; PM_E_MISSING when there is no response for the certificate, which is
 * not noted, as the caller knows whether that is waived; PM_E_UNSUPPORTED, PM_E_FORMAT for a bad
 * responder's certificate; PM_E_NOMEM, PM_E_CRYPTO. set may be NULL.
 */
int pm_ocsp_check(const struct pm_ocsp_set *set, const struct pm_cert *cert,
	const struct pm_cert *issuer, const struct pm_pubkey *issuer_key,
	const struct pm_gpu_policy *policy, int64_t now, const char *name, struct pm_report *report,
	int64_t *until) PM_MUST_USE;

/*
 * The same, and the policy decides about a missing response: PM_E_MISSING, noted, or 0 where it
 * waives OCSP, noted as not checked, and *checked set to false (else it is left).
 */
int pm_ocsp_demand(const struct pm_ocsp_set *set, const struct pm_cert *cert,
	const struct pm_cert *issuer, const struct pm_pubkey *issuer_key,
	const struct pm_gpu_policy *policy, int64_t now, const char *name, struct pm_report *report,
	int64_t *until, bool *checked) PM_MUST_USE;

#endif
