/* SPDX-License-Identifier: Apache-2.0 */
/* The one form of the mesh's certificates: what is issued, and what is accepted. */
#ifndef PM_MESH_MESH_H
#define PM_MESH_MESH_H

#include <pm/mesh.h>

#include "base/wr.h"
#include "crypto/p256.h"
#include "crypto/x509_write.h"

PM_OWNER(pm_mesh_key, pm_mesh_key_free);

struct pm_mesh_key {
	struct pm_secret secret;
	uint8_t spki[PM_P256_SPKI_SIZE];
};

/* The same key once more. PM_E_NOMEM, PM_E_LIMIT. */
int pm_mesh_key_copy(const struct pm_mesh_key *key, struct pm_mesh_key **ret_key) PM_MUST_USE;

/* Longest name, DER: two attributes. */
#define PM_MESH_NAME_MAX 160

/* Longest encoding of an identity. */
#define PM_MESH_IDENTITY_MAX 4608

/* Do the names obey the rules of mesh.h, which both ends look at? PM_E_FORMAT. */
int pm_mesh_identity_check(
	const struct pm_mesh_identity *who, struct pm_report *report) PM_MUST_USE;

/* Of an identity that was checked; all but its validity. */
void pm_mesh_identity_write(struct pm_wr *wr, const struct pm_mesh_identity *who);

/* PM_E_FORMAT; PM_E_UNSUPPORTED for another version. *ret is written on success only. */
int pm_mesh_identity_parse(
	struct pm_view cbor, struct pm_report *report, struct pm_mesh_identity *ret) PM_MUST_USE;

/* The name of the mesh CA of a manifest, and of the holder of a role: Name, DER. */
void pm_mesh_put_ca_name(struct pm_wr *wr, const uint8_t *manifest_hash);
void pm_mesh_put_role_name(struct pm_wr *wr, const char *role);

/* The extensions of a workload's certificate. key_id: that of the mesh CA's key. */
void pm_mesh_put_extensions(
	struct pm_wr *wr, const struct pm_mesh_identity *who, const uint8_t *key_id);

/* REPLICA.ROLE; room for PM_MESH_DNS_MAX bytes. */
#define PM_MESH_DNS_MAX (PM_MESH_REPLICA_MAX + 1 + PM_CLAIMS_ROLE_MAX + 1)
void pm_mesh_replica_name(const struct pm_mesh_identity *who, char *ret_name);

/* The identity of a certificate, of whatever issuer, when that has the one form. */
int pm_mesh_read_leaf(const struct pm_cert *cert, struct pm_report *report,
	struct pm_mesh_identity *ret) PM_MUST_USE;

/* A chain, PEM or DER: the first certificate, and the second or NULL. */
struct pm_mesh_chain {
	struct pm_cert *leaf;
	struct pm_cert *next;
};

/* PM_E_FORMAT, PM_E_LIMIT, PM_E_NOMEM; what was parsed is to be freed on failure too. */
int pm_mesh_chain_parse(
	struct pm_view input, struct pm_report *report, struct pm_mesh_chain *ret) PM_MUST_USE;
void pm_mesh_chain_free(struct pm_mesh_chain *chain);

static inline void pm_cleanup_chain(struct pm_mesh_chain *chain)
{
	pm_mesh_chain_free(chain);
}

#endif
