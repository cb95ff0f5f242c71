/* SPDX-License-Identifier: Apache-2.0 */
/* Where the service has what (AMD 57230, chapter 4), and under which name the cache keeps it. */
#include "net/kds.h"

#include <stdio.h>

#include <pm/text.h>

#include "base/report.h"
#include "evidence/snp_tcb.h"

#define HWID_SIZE_TURIN 8

static const char *signer_name(enum pm_snp_signer signer)
{
	switch (signer) {
	case PM_SNP_VCEK:
		return "vcek";
	case PM_SNP_VLEK:
		return "vlek";
	}
	return NULL;
}

/*
 * The bytes of the chip's identity that count: Turin fills 8 of CHIP_ID's 64, and the service does
 * not find it by more.
 */
static int trim_hwid(enum pm_snp_product product, struct pm_view hwid, struct pm_report *report,
	struct pm_view *ret)
{
	bool turin = product == PM_SNP_TURIN;

	if (hwid.len != PM_SNP_CHIP_ID_SIZE && !(turin && hwid.len == HWID_SIZE_TURIN))
		return PM_E_ARG;
	if (pm_is_zero(hwid.ptr, hwid.len))
		return pm_fail(
			report, PM_E_MISSING, "CHIP_ID", "the chip's identity", "hidden (zero)");
	if (turin && !pm_is_zero(hwid.ptr + HWID_SIZE_TURIN, hwid.len - HWID_SIZE_TURIN))
		return pm_fail(report, PM_E_FORMAT, "CHIP_ID", "zeros after 8 bytes", "others");
	*ret = turin ? pm_view(hwid.ptr, HWID_SIZE_TURIN) : hwid;
	return PM_OK;
}

/* The query, and with other separators the end of the cache's name. */
static void write_tcb(enum pm_snp_product product, const struct pm_snp_tcb *tcb, char *ret_query,
	char *ret_suffix, size_t size)
{
	char fmc_query[16] = "", fmc_suffix[16] = "";

	if (product == PM_SNP_TURIN) {
		snprintf(fmc_query, sizeof(fmc_query), "fmcSPL=%02u&", tcb->fmc);
		snprintf(fmc_suffix, sizeof(fmc_suffix), "-fmc%u", tcb->fmc);
	}
	snprintf(ret_query, size, "%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", fmc_query,
		tcb->boot_loader, tcb->tee, tcb->snp, tcb->microcode);
	snprintf(ret_suffix, size, "%s-bl%u-tee%u-snp%u-ucode%u", fmc_suffix, tcb->boot_loader,
		tcb->tee, tcb->snp, tcb->microcode);
}

int pm_kds_item_vcek(enum pm_snp_product product, struct pm_view hwid, const struct pm_snp_tcb *tcb,
	struct pm_report *report, struct pm_net_item *ret)
{
	struct pm_net_item item = *ret;
	char id[2 * PM_SNP_CHIP_ID_SIZE + 1], query[80], suffix[80];
	const char *name;
	int r;

	if (!pm_snp_product_known(product))
		return PM_E_ARG;
	r = trim_hwid(product, hwid, report, &hwid);
	if (r < 0)
		return r;
	name = pm_snp_product_name(product);
	pm_hex_encode(hwid.ptr, hwid.len, id);
	write_tcb(product, tcb, query, suffix, sizeof(query));
	item.kind = &pm_kds_kind_vcek;
	snprintf(item.path, sizeof(item.path), "/vcek/v1/%s/%s?%s", name, id, query);
	snprintf(item.name, sizeof(item.name), "vcek-%s-%s%s", name, id, suffix);
	*ret = item;
	return PM_OK;
}

int pm_kds_item_chain(
	enum pm_snp_product product, enum pm_snp_signer signer, struct pm_net_item *ret)
{
	struct pm_net_item item = *ret;
	const char *kind = signer_name(signer), *name = pm_snp_product_name(product);

	if (!kind || !pm_snp_product_known(product))
		return PM_E_ARG;
	item.kind = &pm_kds_kind_chain;
	snprintf(item.path, sizeof(item.path), "/%s/v1/%s/cert_chain", kind, name);
	snprintf(item.name, sizeof(item.name), "chain-%s-%s", kind, name);
	*ret = item;
	return PM_OK;
}

int pm_kds_item_crl(enum pm_snp_product product, enum pm_snp_signer signer, int64_t now,
	struct pm_net_item *ret)
{
	struct pm_net_item item = *ret;
	const char *kind = signer_name(signer), *name = pm_snp_product_name(product);

	if (!kind || !pm_snp_product_known(product))
		return PM_E_ARG;
	item.kind = &pm_kds_kind_crl;
	item.now = now;
	snprintf(item.path, sizeof(item.path), "/%s/v1/%s/crl", kind, name);
	snprintf(item.name, sizeof(item.name), "crl-%s-%s", kind, name);
	*ret = item;
	return PM_OK;
}
