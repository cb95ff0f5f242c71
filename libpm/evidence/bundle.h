/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a bundle that was parsed. */
#ifndef PM_EVIDENCE_BUNDLE_H
#define PM_EVIDENCE_BUNDLE_H

#include <pm/bundle.h>
#include "base/mem.h"

struct pm_bundle {
	uint8_t *bytes; /* a copy; all views point into it */
	struct pm_bundle_content content;
	struct pm_claims claims;
	struct pm_bytes certs[PM_BUNDLE_CERTS_MAX];
	struct pm_bundle_gpu gpus[PM_BUNDLE_GPUS_MAX];
	struct pm_view gpu_entries[PM_BUNDLE_GPUS_MAX]; /* each one's exact bytes */
	struct pm_bytes rims[PM_BUNDLE_RIMS_MAX];
	struct pm_bytes ocsp[PM_BUNDLE_OCSP_MAX];
	struct pm_bytes crls[PM_BUNDLE_CRLS_MAX];
};

PM_OWNER(pm_bundle, pm_bundle_free);

/* Last second of the year 9999. */
#define PM_BUNDLE_TIME_MAX INT64_C(253402300799)

/* Architectures are numbers of one byte. */
#define PM_BUNDLE_ARCH_MAX 255

static inline struct pm_view pm_bytes_view(struct pm_bytes bytes)
{
	return pm_view(bytes.ptr, bytes.len);
}

/* PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM; *ret is written on success only. */
int pm_claims_parse(
	struct pm_view cbor, struct pm_report *report, struct pm_claims *ret) PM_MUST_USE;

/*
 * Are the GPU entries of the bundle those that its claims name, all of them, in their order?
 * PM_E_REJECTED, PM_E_CRYPTO.
 */
int pm_bundle_check_gpus(const struct pm_bundle *bundle, struct pm_report *report) PM_MUST_USE;

#endif
