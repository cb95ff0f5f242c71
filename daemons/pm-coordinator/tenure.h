/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest that holds, or would: its record, and the keys that go with it. */
#ifndef COORDINATOR_TENURE_H
#define COORDINATOR_TENURE_H

#include <pm/authority.h>
#include <pm/manifest.h>
#include <pm/report.h>
#include <pm/signatures.h>

#include "pm-coordinator/head.h"

struct tenure {
	struct head *head;
	struct pm_manifest *manifest; /* NULL: not had from the store yet */
	char *bytes;		      /* of it, as they were set */
	size_t len;
	struct pm_authority *authority; /* NULL: the seed is not here */
	/* The certificate by which the coordinator signs its answers. */
	uint8_t signer[PM_MESH_CERT_SIZE_MAX];
	size_t signer_len;
	int64_t signer_ends; /* 0: none yet */
};

/* What a next one is made of. */
struct tenure_plan {
	const struct tenure *before; /* NULL: it is the first manifest */
	const struct pm_seed *seed;
	const void *bytes;
	size_t len;
	int64_t now;
};

/*
 * A next tenure: draws a mesh CA, signs the link, deals shares of the seed if it is the first, or
 * if others shall hold shares than before, or another number of them give the seed. That the
 * manifest's owners agree was verified. 0 or a negative enum pm_error, the reason in the report;
 * PM_E_LIMIT: the history has no room for another manifest.
 */
int tenure_plan(
	const struct tenure_plan *plan, struct pm_report *report, struct tenure **ret_tenure);

/*
 * The keys of a head that the store showed: with those of a peer, or (mesh_key NULL) with a mesh CA
 * that is drawn, so that it must be written. The seed decides whether the head is of this
 * deployment, and the head leads on from what is held (held may be NULL), with the same seed: never
 * are two deployments' keys in one process. tenure has the manifest. Where that has ended, a mesh
 * CA is drawn that has ended too: it certifies nothing, but the next manifest can take force.
 */
int tenure_take(struct tenure *tenure, const struct pm_seed *seed, const uint8_t *mesh_key,
	const struct tenure *held, int64_t now, struct pm_report *report);

/* A copy without keys, or NULL without memory. */
struct tenure *tenure_copy(const struct tenure *tenure);

/* Sets the manifest: the bytes must have the hash of the head. False for others. */
bool tenure_set_manifest(struct tenure *tenure, const void *bytes, size_t len);

void tenure_free(struct tenure *tenure);

#endif
