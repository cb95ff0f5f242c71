/* SPDX-License-Identifier: Apache-2.0 */
/* A role's demands on SEV-SNP evidence, taken from evidence. */
#ifndef PM_CTL_MANIFEST_EVIDENCE_H
#define PM_CTL_MANIFEST_EVIDENCE_H

#include <stdbool.h>

#include "pm-ctl/manifest.h"

/*
 * Adds what the report at path shows to the snp object of a role, which is filled when it is empty.
 * product is an enum pm_snp_product for reports that do not name their processor, or 0.
 * allow_debug: also of a guest that may be debugged. An exit status.
 */
int manifest_add_evidence(json_t *snp, const char *path, int product, bool allow_debug);

#endif
