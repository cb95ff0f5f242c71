/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Launch digest of the security processor, page by page (AMD 56860, SNP_LAUNCH_UPDATE): each page
 * extends the digest by its type, its guest physical address and, when measured, its content.
 */
#ifndef PM_EVIDENCE_GCTX_H
#define PM_EVIDENCE_GCTX_H

#include "base/mem.h"
#include "crypto/crypto.h"

#define PM_PAGE_SIZE 4096u

struct pm_gctx {
	uint8_t digest[PM_SHA384_SIZE];
};

/* Pages whose content does not count. The values are those of PAGE_TYPE. */
enum pm_page {
	PM_PAGE_ZERO = 3,
	PM_PAGE_UNMEASURED = 4,
	PM_PAGE_SECRETS = 5,
	PM_PAGE_CPUID = 6,
};

/* Whole pages with their content, the first at address gpa. PM_E_CRYPTO. */
int pm_gctx_normal(struct pm_gctx *gctx, uint64_t gpa, struct pm_view pages) PM_MUST_USE;

/* size bytes of pages without content. PM_E_CRYPTO. */
int pm_gctx_blank(struct pm_gctx *gctx, enum pm_page type, uint64_t gpa, uint64_t size) PM_MUST_USE;

/* count save areas of processors, all with the content of one page. PM_E_CRYPTO. */
int pm_gctx_vmsa(struct pm_gctx *gctx, const uint8_t *page, uint32_t count) PM_MUST_USE;

#endif
