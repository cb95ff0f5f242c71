/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates that came with a report, parsed, and the chains that can be made of them by
 * their names. Several can have one name: a VCEK of each firmware, an ASK that AMD issued again, a
 * stranger's. Which of them is right only signatures tell.
 */
#ifndef PM_EVIDENCE_SNP_CERTS_H
#define PM_EVIDENCE_SNP_CERTS_H

#include "crypto/x509.h"
#include "evidence/snp_evidence.h"

struct pm_snp_certs {
	struct pm_cert *list[PM_SNP_CERTS_MAX]; /* NULL: taken out */
	size_t count;
	int bad;	   /* the error of the first that is no certificate, or 0 */
	size_t bad_length; /* its length */
};

/* Three of them, or fewer while they are looked for; owned by the set. */
struct pm_snp_links {
	const struct pm_cert *vek, *intermediate, *root;
};

/* What is no certificate is left out: it can't be part of a chain. PM_E_NOMEM. */
int pm_snp_certs_parse(
	const struct pm_snp_evidence *evidence, struct pm_snp_certs *ret) PM_MUST_USE;
void pm_snp_certs_free(struct pm_snp_certs *certs);

/* For __attribute__((cleanup)). */
static inline void pm_cleanup_snp_certs(struct pm_snp_certs *certs)
{
	pm_snp_certs_free(certs);
}

/* Is the root self-issued, and by its name what issued the intermediate? */
bool pm_snp_links_pair(const struct pm_snp_links *links);

/* Is the VEK one of that kind, and by its name issued by the intermediate? */
bool pm_snp_links_fit(const struct pm_snp_links *links, enum pm_snp_signer signer);

/* How many chains the names allow. */
size_t pm_snp_certs_count(const struct pm_snp_certs *certs, enum pm_snp_signer signer);

/* Of a set that allows none: notes what is missing. PM_E_MISSING, or why one is no certificate. */
int pm_snp_certs_refuse(const struct pm_snp_certs *certs, enum pm_snp_signer signer,
	struct pm_report *report) PM_MUST_USE;

/* Takes the certificate out of the set: the caller's from now on. */
struct pm_cert *pm_snp_certs_take(struct pm_snp_certs *certs, const struct pm_cert *cert);

#endif
