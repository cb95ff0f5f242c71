/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPUs of one host with all that is said about them: golden measurements of driver and VBIOS, and
 * an OCSP response for each certificate that needs one. GPUs have keys of their own, and the
 * authorities above are the same.
 */
#ifndef PM_TEST_GPU_WORLD_H
#define PM_TEST_GPU_WORLD_H

#include <pm/ocsp.h>

#include "gpu_scene.h"
#include "mint_ocsp.h"
#include "mint_rim.h"

#define GPU_WORLD_MAX 8

/* Who signs certificates and, by a responder, says whether they are revoked. */
struct gpu_issuer {
	EVP_PKEY *key;
	const char *name;
	struct pm_view cert, responder;
};

struct gpu_world {
	struct gpu_scene gpus[GPU_WORLD_MAX];
	EVP_PKEY *leaf_keys[GPU_WORLD_MAX], *brom_keys[GPU_WORLD_MAX];
	size_t count;
	struct mint_rim_pki pki;
	struct pm_view driver, vbios; /* texts */
	EVP_PKEY *responder_key;
	struct gpu_issuer device_issuers[3]; /* provisioner, identity CA, root */
	struct gpu_issuer rim_issuers[3];    /* CA 2, CA 1, root */
};

/* Keys of gpu_make_keys() must be there. */
void gpu_world_init(struct gpu_world *w, size_t count);
void gpu_world_free(struct gpu_world *w);

/* What the responder says of a certificate under that issuer; may be changed before minting. */
struct mint_ocsp gpu_world_ocsp(
	const struct gpu_world *w, const struct gpu_issuer *issuer, struct pm_view cert);

/* Adds a response to the set. */
void gpu_world_add(struct pm_ocsp_set *set, const struct mint_ocsp *spec);

/* The certificate of that place of a GPU's chain, and who issued it. */
const struct gpu_issuer *gpu_world_issuer(const struct gpu_world *w, size_t place);

/* All responses but that for one certificate of the first GPU; PM_GPU_LEAF: all. */
struct pm_ocsp_set *gpu_world_ocsp_but(const struct gpu_world *w, size_t place);

/* A policy that waives nothing, and trusts the roots of this world. */
struct pm_gpu_policy *gpu_world_policy(const struct gpu_world *w);

/* Verifies golden measurements. */
struct pm_rim *gpu_world_rim(
	struct pm_view text, const struct pm_gpu_policy *policy, const struct pm_ocsp_set *ocsp);

#endif
