/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pm-sim bundle: whole evidence bundles of a software worker: processor, claims, GPUs, collateral.
 * A wish says what goes in; defects bend it before the processor signs, behind its back, or in the
 * bytes that go out. Functions that can fail say why on standard error and return an enum
 * tool_exit.
 */
#ifndef PM_SIM_BUNDLE_H
#define PM_SIM_BUNDLE_H

#include <pm/bundle.h>
#include <pm/gpu_policy.h>

#include "pm-sim/sim.h"
#include "pm-sim/sim_gpu.h"

/* Many verifiers whose nonces are in the tree with this one's. */
#define SIM_TREE_MAX 1024

/* Largest document. */
#define SIM_DOCUMENT_MAX (16u << 20)

/* How a bundle is to be. */
struct sim_bundle_wish {
	const char *dir, *role, *key, *tls, *document;
	const char *models[PM_CLAIMS_MODELS_MAX]; /* "NAME=ROOT" */
	size_t model_count;
	const char *gpus, *switches; /* how many; NULL for all */
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	uint64_t tree; /* leaves; 0 for none */
	int64_t now;
	struct sim_request snp;
	struct sim_gpu_request gpu;
	const struct sim_bundle_defect *defects[SIM_LIST_MAX];
	size_t defect_count;
};

/* Everything that a bundle is made of. Too large for the stack. */
struct sim_bundle {
	const struct sim_bundle_wish *wish;
	struct sim_machine machine;
	struct sim_gpu_machine gpus;
	bool has_gpus;
	unsigned int devices[SIM_GPU_DEVICES]; /* those that go in, by number */
	size_t device_count;
	struct pm_claims claims;
	struct pm_bundle_nonce nonce;
	uint8_t asked_epoch[PM_BUNDLE_NONCE_SIZE]; /* of which the GPUs' nonce is made */
	uint8_t encoded_claims[PM_BUNDLE_CLAIMS_SIZE_MAX];
	size_t encoded_claims_len;
	bool extra_claim, other_label;
	struct sim_evidence snp;
	struct sim_plan plan;
	struct sim_bytes reports[SIM_GPU_DEVICES], chains[SIM_GPU_DEVICES];
	struct sim_bytes rims[3], ocsp[PM_BUNDLE_OCSP_MAX];
	/* The lists of the content. */
	struct pm_bytes certs[3], crls[1], rim_list[4], ocsp_list[PM_BUNDLE_OCSP_MAX];
	struct pm_bundle_gpu entries[PM_BUNDLE_GPUS_MAX];
	struct pm_bundle_content content;
	struct sim_bytes bytes; /* as they go out */
};

enum sim_bundle_stage {
	/* What the worker says, before anything is signed. */
	SIM_BUNDLE_CLAIMS,
	/* GPU entries that are there, before the claims name them. */
	SIM_BUNDLE_ENTRIES,
	/* The content, behind the processor's back. */
	SIM_BUNDLE_CONTENT,
	/* The encoded bytes. */
	SIM_BUNDLE_BYTES
};

struct sim_bundle_defect {
	const char *name, *text;
	enum sim_bundle_stage stage;
	int (*apply)(struct sim_bundle *b);
};

/* NULL when there is none of that name. */
const struct sim_bundle_defect *sim_bundle_defect_find(const char *name);
void sim_bundle_defect_list(void);

/* Applies those of one stage. */
int sim_bundle_apply(struct sim_bundle *b, enum sim_bundle_stage stage);

/* Encodes the claims as they now are, into the content. */
int sim_bundle_encode_claims(struct sim_bundle *b);

/* The bundle into b->bytes; b is freed by sim_bundle_free() also after a failure. */
int sim_bundle_make(const struct sim_bundle_wish *wish, struct sim_bundle *b);
void sim_bundle_free(struct sim_bundle *b);

/* The verb. */
int sim_bundle_main(int argc, char **argv);

#endif
