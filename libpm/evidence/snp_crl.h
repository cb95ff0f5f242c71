/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation: what AMD's CRL says about the intermediate; in doubt, the answer is no. */
#ifndef PM_EVIDENCE_SNP_CRL_H
#define PM_EVIDENCE_SNP_CRL_H

#include "evidence/snp_chain.h"

/*
 * Each list given must be the root's own, fresh, and not name the intermediate (all VEKs have the
 * serial number 0 and can't be listed). *ret_checked: at least one was. *until is lowered to the
 * end of a list's validity. verified: lists that need no second verification, or NULL.
 * PM_E_REJECTED, PM_E_STALE, PM_E_MISSING, PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_snp_crl_check(const struct pm_snp_evidence *evidence, const struct pm_snp_chain *chain,
	const struct pm_snp_policy *policy, struct pm_lru *verified, int64_t now,
	struct pm_report *report, int64_t *until, bool *ret_checked) PM_MUST_USE;

#endif
