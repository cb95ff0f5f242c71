/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of a device: its certificate, that of the key burnt into it, two authorities of NVIDIA,
 * the root. Making one verifies every signature and profile, but neither times nor revocation nor
 * whether the root is trusted: a chain is shared by the cache, and these are asked at each use. The
 * upper three are the same for many devices, and are shared by their chains.
 */
#ifndef PM_EVIDENCE_GPU_CHAIN_H
#define PM_EVIDENCE_GPU_CHAIN_H

#include <pm/ocsp.h>
#include "base/lru.h"
#include "evidence/gpu_evidence.h"
#include "evidence/gpu_leaf.h"
#include "evidence/gpu_policy.h"

/* Places in the chain. */
enum pm_gpu_place {
	PM_GPU_LEAF = 0,
	PM_GPU_BROM = 1, /* the boot ROM's key */
	PM_GPU_ICA = 2,
	PM_GPU_IDENTITY = 3,
	PM_GPU_ROOT = 4
};

/* The upper three. */
struct pm_gpu_issuers {
	struct pm_shared shared;
	struct pm_cert *ica, *identity, *root;
	struct pm_pubkey *ica_key, *identity_key, *root_key;
	uint8_t root_sha256[PM_SHA256_SIZE];
};

struct pm_gpu_chain {
	struct pm_shared shared;
	struct pm_cert *leaf, *brom;
	struct pm_pubkey *leaf_key, *brom_key;
	struct pm_gpu_issuers *issuers;
	struct pm_gpu_leaf facts;
	uint8_t device_key_sha256[PM_SHA256_SIZE];
};

void pm_gpu_issuers_unref(struct pm_gpu_issuers *issuers);
PM_OWNER(pm_gpu_issuers, pm_gpu_issuers_unref);
void pm_gpu_chain_unref(struct pm_gpu_chain *chain);
PM_OWNER(pm_gpu_chain, pm_gpu_chain_unref);

/* Exactly PM_GPU_CERTS of them? PM_E_MISSING, PM_E_LIMIT. */
int pm_gpu_chain_check_count(
	const struct pm_gpu_evidence *evidence, struct pm_report *report) PM_MUST_USE;

/*
 * The upper three of the evidence's certificates, of which there are enough. PM_E_REJECTED,
 * PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_gpu_issuers_build(const struct pm_gpu_evidence *evidence, const struct pm_gpu_policy *policy,
	struct pm_report *report, struct pm_gpu_issuers **ret) PM_MUST_USE;

/* Is the root trusted for devices? PM_E_REJECTED. */
int pm_gpu_issuers_check_root(const struct pm_gpu_issuers *issuers,
	const struct pm_gpu_policy *policy, struct pm_report *report,
	bool *ret_test_root) PM_MUST_USE;

/* The whole chain under issuers, to which it takes a reference of its own. Likewise. */
int pm_gpu_chain_build(const struct pm_gpu_evidence *evidence, struct pm_gpu_issuers *issuers,
	struct pm_report *report, struct pm_gpu_chain **ret) PM_MUST_USE;

/* Is each certificate valid now? *until is lowered to the last second of all. PM_E_STALE. */
int pm_gpu_chain_check_times(const struct pm_gpu_chain *chain, int64_t now,
	struct pm_report *report, int64_t *until) PM_MUST_USE;

/*
 * Is none of the three between device and root revoked? The device makes its own certificate for
 * each firmware, so no list knows it. As pm_ocsp_demand().
 */
int pm_gpu_chain_check_revocation(const struct pm_gpu_chain *chain,
	const struct pm_gpu_policy *policy, const struct pm_ocsp_set *ocsp, int64_t now,
	struct pm_report *report, int64_t *until, bool *checked) PM_MUST_USE;

#endif
