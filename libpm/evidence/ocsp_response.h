/* SPDX-License-Identifier: Apache-2.0 */
/* An OCSP response (RFC 6960, 4.2.1) in pieces: its form is checked, and nothing else. */
#ifndef PM_EVIDENCE_OCSP_RESPONSE_H
#define PM_EVIDENCE_OCSP_RESPONSE_H

#include <pm/ocsp.h>
#include "evidence/ocsp_id.h"

/* Most answers and certificates of one response; seen: one each. */
#define PM_OCSP_SINGLES_MAX 16
#define PM_OCSP_CERTS_MAX   4

enum pm_ocsp_status { PM_OCSP_GOOD, PM_OCSP_REVOKED, PM_OCSP_UNKNOWN };

/* CRLReason (RFC 5280, 5.3.1) of a revocation that may end, and where none is told. */
#define PM_OCSP_REASON_HOLD 6
#define PM_OCSP_REASON_NONE (-1)

/* What is said of one certificate. */
struct pm_ocsp_single {
	struct pm_ocsp_id id;
	enum pm_ocsp_status status;
	int64_t revoked_at;
	int reason;
	int64_t this_update;
	bool has_next_update;
	int64_t next_update;
};

/* All views lie in der, which is the caller's. */
struct pm_ocsp_response {
	struct pm_view der;
	struct pm_view body; /* what is signed */
	struct pm_view signature;
	bool by_key;
	struct pm_view responder; /* name in DER, or the key's identifier */
	int64_t produced_at;
	bool has_nonce;
	struct pm_view nonce;
	struct pm_ocsp_single singles[PM_OCSP_SINGLES_MAX];
	size_t single_count;
	struct pm_view certs[PM_OCSP_CERTS_MAX];
	size_t cert_count;
};

/* PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_REJECTED (no answer), PM_E_LIMIT; noted. */
int pm_ocsp_response_read(
	struct pm_view der, struct pm_report *report, struct pm_ocsp_response *ret) PM_MUST_USE;

#endif
