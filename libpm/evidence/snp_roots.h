/* SPDX-License-Identifier: Apache-2.0 */
/* AMD's root keys, pinned. */
#ifndef PM_EVIDENCE_SNP_ROOTS_H
#define PM_EVIDENCE_SNP_ROOTS_H

#include <pm/snp.h>
#include "base/mem.h"

/* The product whose ARK certificate has this SHA-256, or 0. */
int pm_snp_root_product(const uint8_t *sha256);

#endif
