/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table by which QEMU tells the firmware the digests of a directly loaded kernel
 * (edk2, OvmfPkg/AmdSev/BlobVerifierLibSevHashes; QEMU, target/i386/sev.c).
 */
#ifndef PM_EVIDENCE_KERNEL_HASHES_H
#define PM_EVIDENCE_KERNEL_HASHES_H

#include <pm/measure.h>
#include "base/mem.h"

/* Size of the table, padded to 16 bytes. */
#define PM_KERNEL_TABLE_SIZE 176

/* SHA-256 of what the hypervisor loads. */
struct pm_kernel_hashes {
	uint8_t kernel[PM_MEASURE_FILE_DIGEST_SIZE];
	uint8_t initrd[PM_MEASURE_FILE_DIGEST_SIZE];
	uint8_t cmdline[PM_MEASURE_FILE_DIGEST_SIZE];
};

/* The page with the table at that offset; false unless it fits. ret_page: PM_PAGE_SIZE bytes. */
bool pm_kernel_hashes_page(
	const struct pm_kernel_hashes *hashes, size_t offset, uint8_t *ret_page) PM_MUST_USE;

#endif
