/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a firmware image says about its launch: the table of GUIDs at its end (edk2,
 * OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm) and the list of memory sections that the table
 * points to (OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm). An SVSM image has the same form.
 */
#ifndef PM_EVIDENCE_OVMF_H
#define PM_EVIDENCE_OVMF_H

#include <pm/measure.h>
#include "base/mem.h"

/* Most entries of the table and most sections: images have five and seven. */
#define PM_OVMF_ENTRIES_MAX  64u
#define PM_OVMF_SECTIONS_MAX 64u

/* Most memory of all sections together. */
#define PM_OVMF_MEMORY_MAX (UINT64_C(256) << 20)

/* Kinds of sections. */
enum pm_section_type {
	PM_SECTION_SEC_MEM = 1,
	PM_SECTION_SECRETS = 2,
	PM_SECTION_CPUID = 3,
	PM_SECTION_SVSM_CAA = 4,
	PM_SECTION_KERNEL_HASHES = 0x10,
};

/* Whole pages below 4 GiB. */
struct pm_section {
	uint32_t gpa;
	uint32_t size;
	enum pm_section_type type;
};

struct pm_ovmf {
	size_t size; /* of the image */
	size_t count;
	struct pm_section sections[PM_OVMF_SECTIONS_MAX];
	bool has_reset;
	uint32_t reset_eip; /* where all but the first processor begin */
	bool has_svsm;
	uint32_t svsm_entry; /* offset in an SVSM image */
	bool has_hashes;
	uint32_t hashes_gpa; /* 0 in firmware that measures no kernel */
	uint32_t hashes_size;
};

/* PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_LIMIT. */
int pm_ovmf_parse(struct pm_view image, struct pm_report *report, struct pm_ovmf *ret) PM_MUST_USE;

#endif
