/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gctx.h"

#include "base/rd.h"
#include "base/wr.h"

/* Size of the structure PAGE_INFO, which says its own size. */
#define PAGE_INFO_SIZE 0x70

#define PAGE_NORMAL 1
#define PAGE_VMSA   2

/*
 * Save areas have no address of their own: the hypervisor names all ones, of which a page-aligned
 * address of 48 bits remains.
 */
#define VMSA_GPA UINT64_C(0xfffffffff000)

static const uint8_t no_content[PM_SHA384_SIZE];

static int extend(struct pm_gctx *gctx, uint8_t type, uint64_t gpa, const uint8_t *content)
{
	uint8_t info[PAGE_INFO_SIZE];
	struct pm_wr wr = pm_wr(info, sizeof(info));

	pm_wr_bytes(&wr, pm_view(gctx->digest, sizeof(gctx->digest)));
	pm_wr_bytes(&wr, pm_view(content, PM_SHA384_SIZE));
	pm_wr_le16(&wr, PAGE_INFO_SIZE);
	pm_wr_u8(&wr, type);
	pm_wr_u8(&wr, 0);   /* IMI_PAGE: no initial migration image */
	pm_wr_zero(&wr, 3); /* permissions of VMPL 3, 2 and 1: none */
	pm_wr_u8(&wr, 0);   /* reserved */
	pm_wr_le64(&wr, gpa);
	if (!pm_wr_done(&wr, NULL))
		return PM_E_CRYPTO;
	return pm_hash(PM_SHA384, pm_view(info, sizeof(info)), gctx->digest);
}

int pm_gctx_normal(struct pm_gctx *gctx, uint64_t gpa, struct pm_view pages)
{
	uint8_t content[PM_SHA384_SIZE];
	struct pm_rd rd = pm_rd(pages);
	int r = PM_OK;

	for (; r == PM_OK && rd.left; gpa += PM_PAGE_SIZE) {
		r = pm_hash(PM_SHA384, pm_rd_bytes(&rd, PM_PAGE_SIZE), content);
		if (r == PM_OK)
			r = extend(gctx, PAGE_NORMAL, gpa, content);
	}
	return r;
}

int pm_gctx_blank(struct pm_gctx *gctx, enum pm_page type, uint64_t gpa, uint64_t size)
{
	int r = PM_OK;

	for (uint64_t done = 0; r == PM_OK && done < size; done += PM_PAGE_SIZE)
		r = extend(gctx, (uint8_t)type, gpa + done, no_content);
	return r;
}

int pm_gctx_vmsa(struct pm_gctx *gctx, const uint8_t *page, uint32_t count)
{
	uint8_t content[PM_SHA384_SIZE];
	int r = pm_hash(PM_SHA384, pm_view(page, PM_PAGE_SIZE), content);

	for (uint32_t i = 0; r == PM_OK && i < count; i++)
		r = extend(gctx, PAGE_VMSA, VMSA_GPA, content);
	return r;
}
