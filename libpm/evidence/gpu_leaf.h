/* SPDX-License-Identifier: Apache-2.0 */
/* The device's own certificate: whose firmware's key it is, and of which chip. */
#ifndef PM_EVIDENCE_GPU_LEAF_H
#define PM_EVIDENCE_GPU_LEAF_H

#include <pm/gpu.h>
#include "crypto/x509.h"

struct pm_gpu_leaf {
	enum pm_gpu_arch arch;
	char chip[PM_GPU_TEXT_SIZE];
	char ueid[PM_GPU_UEID_SIZE];
	bool has_fwid;
	uint8_t fwid[PM_GPU_DIGEST_SIZE];
};

/* The kind of device that the certificate tells, or 0. Looks at nothing else. */
int pm_gpu_leaf_arch(const struct pm_cert *cert);

/*
 * Read and check the profile of cert, which parent issued: not a CA, its key for signatures alone,
 * the chip in both names, the firmware's identity. PM_E_REJECTED, PM_E_FORMAT, PM_E_UNSUPPORTED.
 */
int pm_gpu_leaf_read(const struct pm_cert *cert, const struct pm_cert *parent,
	struct pm_report *report, struct pm_gpu_leaf *ret) PM_MUST_USE;

/* The firmware's identity in the certificate, by either extension. PM_E_REJECTED, PM_E_FORMAT. */
int pm_gpu_fwid_read(const struct pm_cert *cert, const struct pm_cert *parent,
	struct pm_report *report, struct pm_gpu_leaf *ret) PM_MUST_USE;

#endif
