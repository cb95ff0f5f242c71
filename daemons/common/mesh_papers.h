/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of the mesh, as they are made and counted. For mesh.c. */
#ifndef COMMON_MESH_PAPERS_H
#define COMMON_MESH_PAPERS_H

#include "common/mesh.h"

/*
 * Of one or two memberships, which it takes, also on failure. 0; PM_E_STALE when they are of two
 * manifests or CAs: join again; PM_E_NOMEM, PM_E_CRYPTO.
 */
int mesh_identity_new(struct pm_membership *tls, struct pm_membership *signing, uint64_t generation,
	struct mesh_identity **ret_identity);
struct mesh_identity *mesh_identity_ref(const struct mesh_identity *identity);

/* For a listener, whose clients must be of the mesh and be allowed to call. 0; PM_E_... */
int mesh_identity_tls(const struct mesh_identity *identity, struct tls_config **ret_tls);

/* May the holder of this certificate (DER) call us? 0; PM_E_REJECTED, or as pm_mesh_verify(). */
int mesh_identity_check(const struct mesh_identity *identity, const uint8_t *cert, size_t len,
	struct pm_mesh_identity *ret_who);

#endif
