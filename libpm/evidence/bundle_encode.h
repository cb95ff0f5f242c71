/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a bundle's encoding that are hashed by themselves. */
#ifndef PM_EVIDENCE_BUNDLE_ENCODE_H
#define PM_EVIDENCE_BUNDLE_ENCODE_H

#include <pm/bundle.h>
#include "base/cbor.h"

/* Keys of the map, and of the maps in it. */
enum {
	PM_BUNDLE_KEY_VERSION = 1,
	PM_BUNDLE_KEY_NONCE,
	PM_BUNDLE_KEY_CLAIMS,
	PM_BUNDLE_KEY_SNP,
	PM_BUNDLE_KEY_GPUS,
	PM_BUNDLE_KEY_COLLATERAL,
	PM_BUNDLE_KEYS = 6
};
enum {
	PM_BUNDLE_TREE_NONCE = 1,
	PM_BUNDLE_TREE_INDEX,
	PM_BUNDLE_TREE_PATH,
	PM_BUNDLE_TREE_KEYS = 3
};
enum { PM_BUNDLE_SNP_REPORT = 1, PM_BUNDLE_SNP_CERTS, PM_BUNDLE_SNP_KEYS = 2 };
enum { PM_BUNDLE_GPU_REPORT = 1, PM_BUNDLE_GPU_CERTS, PM_BUNDLE_GPU_ARCH, PM_BUNDLE_GPU_KEYS = 3 };
enum { PM_BUNDLE_RIMS = 1, PM_BUNDLE_OCSP, PM_BUNDLE_CRLS, PM_BUNDLE_COLLATERAL_KEYS = 3 };

#define PM_BUNDLE_GPU_HEAD_MAX (3 * PM_CBOR_HEAD_MAX)

/*
 * What stands before the value of a key in a GPU's entry: for the first the head of the map too,
 * for the last also the value. The bytes lie in room, PM_BUNDLE_GPU_HEAD_MAX.
 */
struct pm_view pm_bundle_gpu_head(int key, const struct pm_bundle_gpu *gpu, uint8_t *room);

#endif
