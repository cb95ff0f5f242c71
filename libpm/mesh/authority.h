/* SPDX-License-Identifier: Apache-2.0 */
/* What an authority holds. */
#ifndef PM_MESH_AUTHORITY_H
#define PM_MESH_AUTHORITY_H

#include "mesh/mesh.h"
#include "mesh/seed.h"
#include "policy/manifest.h"

PM_OWNER(pm_authority, pm_authority_free);

/* Longest certificate of a CA. */
#define PM_AUTHORITY_CA_MAX 1024

struct pm_authority_cert {
	uint8_t der[PM_AUTHORITY_CA_MAX];
	size_t len;
};

struct pm_authority {
	struct pm_manifest *manifest; /* a copy */
	uint8_t manifest_hash[PM_MANIFEST_HASH_SIZE];
	struct pm_secret prk; /* of the seed */
	struct pm_sign_key *root;
	struct pm_sign_key *history;
	struct pm_sign_key *audit;
	struct pm_sign_key *mesh;
	struct pm_authority_cert root_ca;
	struct pm_authority_cert mesh_ca;
	struct pm_authority_cert intermediate;
	int64_t not_before; /* of the mesh CA */
	int64_t not_after;
};

/*
 * The three certificates, of the keys. a->not_before is set, except where mesh_ca is another
 * coordinator's, which is checked. PM_E_REJECTED, PM_E_FORMAT, PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_authority_make_cas(
	struct pm_authority *a, struct pm_view mesh_ca, struct pm_report *report) PM_MUST_USE;

#endif
