/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Save area of a processor before its first instruction, as the hypervisors of enum pm_vmm fill it
 * (layout: AMD64 Architecture Programmer's Manual, volume 2, table B-4; values at reset: the same,
 * table 14-1, and what KVM adds to them).
 */
#ifndef PM_EVIDENCE_VMSA_H
#define PM_EVIDENCE_VMSA_H

#include <pm/measure.h>
#include "base/mem.h"

/* Address at which the first processor begins: the reset vector. */
#define PM_VMSA_RESET_EIP 0xfffffff0u

/* What differs between one guest and the next. */
struct pm_vmsa {
	enum pm_vmm vmm;
	uint32_t signature; /* of the processor; QEMU only */
	uint64_t features;  /* SEV_FEATURES */
};

/* A processor in real mode that begins at eip; ret_page: PM_PAGE_SIZE bytes. */
void pm_vmsa_fill(const struct pm_vmsa *vmsa, uint32_t eip, uint8_t *ret_page);

/* A processor in flat protected mode, as QEMU starts an SVSM. */
void pm_vmsa_fill_svsm(const struct pm_vmsa *vmsa, uint32_t eip, uint8_t *ret_page);

#endif
