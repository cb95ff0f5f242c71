/* SPDX-License-Identifier: Apache-2.0 */
/* A coordinator without a network: a seed, a manifest with a mesh's roles, and its authority. */
#ifndef PM_TEST_MESH_SCENE_H
#define PM_TEST_MESH_SCENE_H

#include <pm/authority.h>

#include "base/mem.h"

/* In the year of the manifest. */
#define MESH_NOW INT64_C(1780000000)

#define MESH_MODEL "meta-llama/Llama-3.3-70B"

struct mesh_scene {
	struct pm_seed *seed;
	struct pm_manifest *manifest;
	struct pm_authority *authority;
	struct pm_mesh_key *key; /* of a workload */
};

/*
 * A manifest of roles coordinator, secrets, worker (with workload_secret and the model) and
 * zone.worker. Manifests of another mark have another hash.
 */
struct pm_manifest *mesh_manifest(int mark);

struct mesh_scene mesh_scene_new(void);
void mesh_scene_free(struct mesh_scene *s);

/* Who could be in it. */
struct pm_mesh_identity mesh_identity(
	const char *role, const char *replica, enum pm_mesh_purpose purpose);

/* A certificate of the scene's key, PEM with the intermediate; freed by pm_authority_pem_free(). */
char *mesh_issue(const struct mesh_scene *s, const struct pm_mesh_identity *who);

/* The mesh CA, DER, borrowed. */
struct pm_view mesh_ca(const struct pm_authority *authority);

#endif
