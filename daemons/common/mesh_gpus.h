/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GPUs of who joins the mesh. Their evidence is made for the key that joins (bundle.h), by
 * pm-agent(8), who must know that key before: so with GPUs there is one TLS key for all joins of
 * this process, drawn when it starts, and joining again attests it again. Without GPUs each join
 * draws its own, and none lives longer than its certificate. For mesh.c.
 */
#ifndef COMMON_MESH_GPUS_H
#define COMMON_MESH_GPUS_H

#include <stdbool.h>

#include <pm/mesh.h>

/* Begin with zeros: those have no GPUs. */
struct mesh_gpus {
	const char *folder;	 /* of their evidence; NULL: no GPUs */
	struct pm_mesh_key *key; /* with GPUs; else NULL */
	int found;		 /* when it was last looked for: 0, or why there is none */
};

/*
 * folder NULL: nothing to do. Draws the key, and writes its SubjectPublicKeyInfo, DER, to
 * public_key. 0, or 2 when it said what is wrong.
 */
int mesh_gpus_init(struct mesh_gpus *gpus, const char *folder, const char *public_key);
void mesh_gpus_done(struct mesh_gpus *gpus);

/*
 * Is there evidence for the key, or are there no GPUs? Logs what changed since it was asked. How
 * old the evidence may be, the manifest says, and the coordinator judges.
 */
bool mesh_gpus_are_there(struct mesh_gpus *gpus);

#endif
