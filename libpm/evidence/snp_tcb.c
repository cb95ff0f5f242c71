/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_tcb.h"

#include <stdio.h>
#include <string.h>

#include "base/rd.h"

static const char *const names[PM_SNP_PRODUCT_COUNT] = {"Milan", "Genoa", "Turin"};

/*
 * Families and models as combined by CPUID leaf 1. Later ones are refused until AMD
 * specifies them.
 */
static const struct {
	uint8_t family, model_min, model_max;
	enum pm_snp_product product;
} processors[] = {
	{0x19, 0x00, 0x0f, PM_SNP_MILAN},
	{0x19, 0x10, 0x1f, PM_SNP_GENOA},
	{0x19, 0xa0, 0xaf, PM_SNP_GENOA}, /* Bergamo and Siena */
	{0x1a, 0x00, 0x11, PM_SNP_TURIN},
};

bool pm_snp_product_known(int product)
{
	return product >= PM_SNP_MILAN && product <= PM_SNP_TURIN;
}

const char *pm_snp_product_name(int product)
{
	if (!pm_snp_product_known(product))
		return "unknown";
	return names[PM_SNP_PRODUCT_INDEX(product)];
}

int pm_snp_product_by_cpuid(uint8_t family, uint8_t model)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(processors); i++) {
		if (family == processors[i].family && model >= processors[i].model_min &&
			model <= processors[i].model_max)
			return processors[i].product;
	}
	return 0;
}

int pm_snp_product_by_name(struct pm_view name)
{
	for (int p = PM_SNP_MILAN; p <= PM_SNP_TURIN; p++) {
		const char *known = pm_snp_product_name(p);

		if (pm_view_equal(name, pm_view(known, strlen(known))))
			return p;
	}
	return 0;
}

int pm_snp_tcb_decode(enum pm_snp_product product, const uint8_t *raw, struct pm_snp_tcb *ret_tcb)
{
	struct pm_rd rd = pm_rd(pm_view(raw, 8));
	struct pm_snp_tcb tcb = {0};

	switch (product) {
	case PM_SNP_MILAN:
	case PM_SNP_GENOA:
		tcb.boot_loader = pm_rd_u8(&rd);
		tcb.tee = pm_rd_u8(&rd);
		pm_rd_zero(&rd, 4);
		tcb.snp = pm_rd_u8(&rd);
		tcb.microcode = pm_rd_u8(&rd);
		break;
	case PM_SNP_TURIN:
		tcb.fmc = pm_rd_u8(&rd);
		tcb.boot_loader = pm_rd_u8(&rd);
		tcb.tee = pm_rd_u8(&rd);
		tcb.snp = pm_rd_u8(&rd);
		pm_rd_zero(&rd, 3);
		tcb.microcode = pm_rd_u8(&rd);
		break;
	default:
		return PM_E_ARG;
	}
	if (!pm_rd_done(&rd))
		return PM_E_FORMAT;
	*ret_tcb = tcb;
	return PM_OK;
}

bool pm_snp_tcb_at_least(const struct pm_snp_tcb *a, const struct pm_snp_tcb *b)
{
	return a->fmc >= b->fmc && a->boot_loader >= b->boot_loader && a->tee >= b->tee &&
	       a->snp >= b->snp && a->microcode >= b->microcode;
}

bool pm_snp_tcb_equal(const struct pm_snp_tcb *a, const struct pm_snp_tcb *b)
{
	return pm_snp_tcb_at_least(a, b) && pm_snp_tcb_at_least(b, a);
}

struct pm_snp_tcb_text pm_snp_tcb_text(enum pm_snp_product product, const struct pm_snp_tcb *tcb)
{
	struct pm_snp_tcb_text t;
	int n = 0;

	if (product == PM_SNP_TURIN)
		n = snprintf(t.s, sizeof(t.s), "fmc %u, ", tcb->fmc);
	snprintf(t.s + n, sizeof(t.s) - (size_t)n, "boot loader %u, tee %u, snp %u, microcode %u",
		tcb->boot_loader, tcb->tee, tcb->snp, tcb->microcode);
	return t;
}

int pm_snp_firmware_compare(const struct pm_snp_firmware *a, const struct pm_snp_firmware *b)
{
	if (a->major != b->major)
		return a->major - b->major;
	if (a->minor != b->minor)
		return a->minor - b->minor;
	return a->build - b->build;
}
