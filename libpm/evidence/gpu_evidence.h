/* SPDX-License-Identifier: Apache-2.0 */
/* What was given: the report and the device's certificates, as bytes and without trust. */
#ifndef PM_EVIDENCE_GPU_EVIDENCE_H
#define PM_EVIDENCE_GPU_EVIDENCE_H

#include <pm/gpu.h>
#include "crypto/crypto.h"
#include "evidence/gpu_report.h"

struct pm_gpu_evidence {
	struct pm_view bytes;	    /* the report exactly as it came, owned */
	struct pm_gpu_signed parts; /* into it */
	struct pm_gpu_fields fields;
	struct pm_view certs[PM_GPU_CERTS]; /* DER, owned, in the order given */
	uint8_t cert_digests[PM_GPU_CERTS][PM_SHA256_SIZE];
	size_t cert_count;
	struct pm_gpu_golden golden[PM_GPU_MEASUREMENTS_MAX];
	struct pm_gpu_facts facts; /* handed out when verified */
};

PM_OWNER(pm_gpu_evidence, pm_gpu_evidence_free);

/* Is it a switch's report? */
bool pm_gpu_is_switch(const struct pm_gpu_fields *fields);

/* The kind of device that the report tells: an enum pm_gpu_arch, or 0 for a chip not seen yet. */
int pm_gpu_arch_told(const struct pm_gpu_fields *fields);

/* How the GPU says that it shares work: an enum pm_gpu_mode, or 0. */
int pm_gpu_mode_of(const struct pm_gpu_fields *fields);

/* The product of golden measurements for a device that claims to be of that kind: "GH100". */
const char *pm_gpu_rim_product(const struct pm_gpu_fields *fields, int arch);

#endif
