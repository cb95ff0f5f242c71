/* SPDX-License-Identifier: Apache-2.0 */
/* A policy for SNP evidence written in JSON: pm-snp-policy(5). */
#ifndef PM_VERIFY_SNP_POLICY_FILE_H
#define PM_VERIFY_SNP_POLICY_FILE_H

#include <pm/snp_policy.h>

/*
 * Adds what the file demands to the policy. An unknown or doubled key, a wrong type or a value
 * out of range is an error that names the place. TOOL_OK, TOOL_USAGE; prints its own error.
 */
int snp_policy_file_load(const char *path, struct pm_snp_policy *policy);

/* "4,0,24,219" (boot loader, TEE, SNP, microcode), or with fmc in front for Turin. 0, or -1. */
int snp_parse_tcb(const char *text, struct pm_snp_tcb *ret);

#endif
