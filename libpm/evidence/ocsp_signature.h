/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed an OCSP response, and may he speak for the issuer (RFC 6960, 4.2.2.2)? */
#ifndef PM_EVIDENCE_OCSP_SIGNATURE_H
#define PM_EVIDENCE_OCSP_SIGNATURE_H

#include "base/lru.h"
#include "evidence/ocsp_response.h"

/* First and last second of the responder's certificate; of all time where the issuer signed. */
struct pm_ocsp_signer {
	int64_t not_before, not_after;
};

/*
 * The signer is the issuer, or a certificate in the response that the issuer itself issued for
 * OCSP. Times are not looked at: verified, which may be NULL, remembers the answer.
 * PM_E_REJECTED, PM_E_UNSUPPORTED, PM_E_FORMAT; PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_ocsp_check_signature(const struct pm_ocsp_response *response, const struct pm_cert *issuer,
	const struct pm_pubkey *issuer_key, struct pm_lru *verified, struct pm_report *report,
	struct pm_ocsp_signer *ret) PM_MUST_USE;

#endif
