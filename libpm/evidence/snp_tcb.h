/* SPDX-License-Identifier: Apache-2.0 */
/* Products and TCB versions. */
#ifndef PM_EVIDENCE_SNP_TCB_H
#define PM_EVIDENCE_SNP_TCB_H

#include <pm/snp.h>
#include "base/mem.h"

#define PM_SNP_PRODUCT_COUNT 3

/* Index of a product in an array; the product must be a known one. */
#define PM_SNP_PRODUCT_INDEX(product) ((size_t)(product)-PM_SNP_MILAN)

bool pm_snp_product_known(int product);

/* The product of these CPUID bytes, or 0. */
int pm_snp_product_by_cpuid(uint8_t family, uint8_t model);

/* The product of that name, or 0. */
int pm_snp_product_by_name(struct pm_view name);

/* Every part of a at least that of b. */
bool pm_snp_tcb_at_least(const struct pm_snp_tcb *a, const struct pm_snp_tcb *b);

bool pm_snp_tcb_equal(const struct pm_snp_tcb *a, const struct pm_snp_tcb *b);

/* Text for messages; lives as long as the expression it stands in. */
struct pm_snp_tcb_text {
	char s[96];
};

struct pm_snp_tcb_text pm_snp_tcb_text(enum pm_snp_product product, const struct pm_snp_tcb *tcb);

/* Order of versions: negative, 0 or positive. */
int pm_snp_firmware_compare(const struct pm_snp_firmware *a, const struct pm_snp_firmware *b);

#endif
