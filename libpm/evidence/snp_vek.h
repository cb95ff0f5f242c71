/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate of a VCEK or VLEK: its profile and AMD's extensions (AMD 57230, "VCEK certificate
 * definitions"; object identifiers 1.3.6.1.4.1.3704.1.x).
 */
#ifndef PM_EVIDENCE_SNP_VEK_H
#define PM_EVIDENCE_SNP_VEK_H

#include <pm/snp.h>
#include "crypto/x509.h"

#define PM_SNP_CSP_ID_SIZE 64

/* What the certificate says about its key. */
struct pm_snp_vek {
	enum pm_snp_signer signer;
	enum pm_snp_product product;
	struct pm_snp_tcb tcb;
	uint8_t hwid
		[PM_SNP_CHIP_ID_SIZE];	 /* VCEK: as CHIP_ID of a report, zero behind a short one */
	char csp_id[PM_SNP_CSP_ID_SIZE]; /* VLEK */
};

/* Common name of the leaf that a signer's certificate has. */
const char *pm_snp_vek_name(enum pm_snp_signer signer);

/*
 * Read and check the profile of cert, whose key is given: the name, not a CA, P-384, each
 * extension that the kind and the product demand, none that belongs to the other kind.
 * PM_E_REJECTED, PM_E_FORMAT.
 */
int pm_snp_vek_read(const struct pm_cert *cert, const struct pm_pubkey *key,
	enum pm_snp_signer signer, enum pm_snp_product product, struct pm_report *report,
	struct pm_snp_vek *ret) PM_MUST_USE;

#endif
