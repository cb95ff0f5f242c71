/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the chain that is right, among all that the certificates' names allow. */
#ifndef PM_EVIDENCE_SNP_SEARCH_H
#define PM_EVIDENCE_SNP_SEARCH_H

#include "evidence/snp_chain.h"

/* Is this chain the report's? Notes what it checks; *ret_passed: how many steps it came. */
typedef int (*pm_snp_judge_fn)(
	const struct pm_snp_chain *chain, void *arg, struct pm_report *report, size_t *ret_passed);

/*
 * Judges one chain after the other, up to the first that is accepted: no certificate hides another
 * one. Of several that are refused, the reason noted is that of the one which came furthest. The
 * number of signatures verified is bounded by PM_SNP_CERTS_MAX: only what a trusted root signed
 * may sign VEKs.
 *
 * *ret, in any case, the caller's: the chain that was accepted; the one chain that could be built,
 * accepted or not, when there is no choice; else NULL. Errors of pm_snp_authority_open(),
 * pm_snp_chain_build() and the judge.
 */
int pm_snp_search(const struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	pm_snp_judge_fn judge, void *arg, struct pm_report *report,
	struct pm_snp_chain **ret) PM_MUST_USE;

#endif
