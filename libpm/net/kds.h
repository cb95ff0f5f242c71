/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the KDS client share. */
#ifndef PM_NET_KDS_H
#define PM_NET_KDS_H

#include <pm/kds.h>

#include "net/client.h"

/* --- things the service has ------------------------------------------------------------------ */

extern const struct pm_net_kind pm_kds_kind_vcek, pm_kds_kind_chain, pm_kds_kind_crl;

/* Each fills in kind, path and name, and for a list when it must be current. */

/* As pm_kds_vcek(): PM_E_ARG, PM_E_FORMAT, PM_E_MISSING. */
int pm_kds_item_vcek(enum pm_snp_product product, struct pm_view hwid, const struct pm_snp_tcb *tcb,
	struct pm_report *report, struct pm_net_item *ret) PM_MUST_USE;

/* PM_E_ARG for an unknown product or signer. */
int pm_kds_item_chain(enum pm_snp_product product, enum pm_snp_signer signer,
	struct pm_net_item *ret) PM_MUST_USE;
int pm_kds_item_crl(enum pm_snp_product product, enum pm_snp_signer signer, int64_t now,
	struct pm_net_item *ret) PM_MUST_USE;

/* --- the handle ------------------------------------------------------------------------------ */

struct pm_kds {
	struct pm_net_client net;
	struct pm_net_service service;
};

/* For tests: time that passes as the test says. Before the first fetch. */
void pm_kds_set_clock(struct pm_kds *kds, const struct pm_net_clock *clock);

#endif
