/* SPDX-License-Identifier: Apache-2.0 */
/* The four certificates of a manifest: signer, two authorities, root. */
#ifndef PM_EVIDENCE_RIM_CHAIN_H
#define PM_EVIDENCE_RIM_CHAIN_H

#include "crypto/x509.h"
#include "evidence/gpu_policy.h"
#include "evidence/rim_document.h"

struct pm_rim_chain {
	struct pm_cert *certs[PM_RIM_CERTS];
	struct pm_pubkey *keys[PM_RIM_CERTS];
	uint8_t root_sha256[PM_SHA256_SIZE];
	bool test_root;
	bool ocsp_checked;
	int64_t until; /* the last second of all certificates and answers */
};

void pm_rim_chain_free(struct pm_rim_chain *chain);
PM_OWNER(pm_rim_chain, pm_rim_chain_free);

/*
 * The chain, verified up to a root that the policy trusts for manifests. PM_E_REJECTED,
 * PM_E_STALE, PM_E_MISSING, PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_rim_chain_verify(const struct pm_rim_document *document, const struct pm_gpu_policy *policy,
	const struct pm_ocsp_set *ocsp, int64_t now, struct pm_report *report,
	struct pm_rim_chain **ret) PM_MUST_USE;

#endif
