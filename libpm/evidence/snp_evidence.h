/* SPDX-License-Identifier: Apache-2.0 */
/* What was given: the report, its certificates and lists, as bytes and without trust. */
#ifndef PM_EVIDENCE_SNP_EVIDENCE_H
#define PM_EVIDENCE_SNP_EVIDENCE_H

#include <pm/snp.h>
#include "crypto/crypto.h"

/*
 * Largest certificate table: what the kernel's interface allows, and the entries that we
 * look at.
 */
#define PM_SNP_TABLE_MAX	 65536
#define PM_SNP_TABLE_ENTRIES_MAX 32

/* An entry of the certificate table that libpm does not know. */
struct pm_snp_entry {
	uint8_t guid[PM_SNP_GUID_SIZE];
	struct pm_view bytes; /* into the table */
};

struct pm_snp_evidence {
	uint8_t signed_bytes[PM_SNP_REPORT_SIZE]; /* the report exactly as it came */
	struct pm_snp_fields fields;
	struct pm_view runtime_data;		/* Azure HCL, owned; or empty */
	struct pm_view certs[PM_SNP_CERTS_MAX]; /* DER, owned */
	size_t cert_count;
	uint8_t certs_digest[PM_SHA256_SIZE]; /* over all certificates, in order */
	struct pm_view crls[PM_SNP_CRLS_MAX]; /* DER, owned */
	bool crl_of_table[PM_SNP_CRLS_MAX];   /* and nobody else gave it */
	size_t crl_count;
	struct pm_view table; /* owned; or empty */
	bool has_table;
	struct pm_snp_entry entries[PM_SNP_TABLE_ENTRIES_MAX];
	size_t entry_count;
	struct pm_snp_facts facts; /* handed out when verified */
};

PM_OWNER(pm_snp_evidence, pm_snp_evidence_free);

/* As pm_snp_evidence_add_crl(): one that the host chose, in the certificate table. */
int pm_snp_evidence_add_table_crl(
	struct pm_snp_evidence *evidence, struct pm_view bytes, struct pm_report *report);

#endif
