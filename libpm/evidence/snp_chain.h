/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain from a root through ASK or ASVK to the VEK. Making one verifies every signature and
 * profile, but neither times nor whether the root is trusted: a chain is shared by the cache, and
 * these two are asked at each use.
 */
#ifndef PM_EVIDENCE_SNP_CHAIN_H
#define PM_EVIDENCE_SNP_CHAIN_H

#include "base/lru.h"
#include "crypto/x509.h"
#include "evidence/snp_certs.h"
#include "evidence/snp_policy.h"
#include "evidence/snp_vek.h"

struct pm_snp_chain {
	struct pm_shared shared;
	const struct pm_cert *vek, *intermediate, *root;
	struct pm_cert *owned[3]; /* these; NULL as long as they are the set's */
	struct pm_pubkey *vek_key, *root_key;
	struct pm_snp_vek facts;
	uint8_t root_sha256[PM_SHA256_SIZE];
	bool alone; /* the certificates allow no other chain */
};

void pm_snp_chain_unref(struct pm_snp_chain *chain);
PM_OWNER(pm_snp_chain, pm_snp_chain_unref);

/* An intermediate that verified under a trusted root; their certificates are the set's. */
struct pm_snp_authority {
	const struct pm_cert *intermediate, *root;
	struct pm_pubkey *key, *root_key;
	int product;
	uint8_t root_sha256[PM_SHA256_SIZE];
};

/*
 * To be closed in any case. PM_E_REJECTED, PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_snp_authority_open(const struct pm_snp_links *links, enum pm_snp_signer signer,
	const struct pm_snp_policy *policy, struct pm_report *report,
	struct pm_snp_authority *ret) PM_MUST_USE;
void pm_snp_authority_close(struct pm_snp_authority *authority);

/* For __attribute__((cleanup)). */
static inline void pm_cleanup_snp_authority(struct pm_snp_authority *authority)
{
	pm_snp_authority_close(authority);
}

/* Verifies the VEK under the authority. The chain must not outlive the set, see below. Likewise. */
int pm_snp_chain_build(const struct pm_snp_authority *authority, const struct pm_cert *vek,
	enum pm_snp_signer signer, struct pm_report *report, struct pm_snp_chain **ret) PM_MUST_USE;

/* Takes the chain's certificates out of the set: it may outlive that from now on. */
void pm_snp_chain_keep(struct pm_snp_chain *chain, struct pm_snp_certs *certs);

/*
 * Is the root AMD's for this product, or one that the policy names? Notes the chain.
 * PM_E_REJECTED.
 */
int pm_snp_chain_check_root(const struct pm_snp_chain *chain, const struct pm_snp_policy *policy,
	struct pm_report *report, bool *ret_test_root) PM_MUST_USE;

/* Is each certificate valid now? *ret_until: the last second of all. PM_E_STALE. */
int pm_snp_chain_check_times(const struct pm_snp_chain *chain, int64_t now,
	struct pm_report *report, int64_t *ret_until) PM_MUST_USE;

#endif
