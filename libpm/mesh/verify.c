/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the mesh CA made a certificate, and whether that holds now. */
#include <string.h>

#include "base/report.h"
#include "mesh/mesh.h"

/* One certificate alone, of a P-384 key. */
static int read_ca(const struct pm_mesh_chain *chain, int64_t now, struct pm_report *report,
	struct pm_pubkey **ret_key)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = chain->next ? PM_E_FORMAT : pm_cert_pubkey(chain->leaf, &key);

	if (r == PM_OK && pm_pubkey_type(key) != PM_KEY_P384)
		r = PM_E_UNSUPPORTED;
	if (r == PM_E_FORMAT || r == PM_E_UNSUPPORTED)
		return pm_fail(report, r, "mesh_ca", "one certificate of a P-384 key", "another");
	if (r < 0)
		return r;
	*ret_key = pm_steal(key);
	return pm_cert_check_now(chain->leaf, "mesh_ca.validity", now, report);
}

/* The identifier of the CA's key in the leaf, by which verifiers find the CA. */
static int check_key_id(
	const struct pm_cert *leaf, const struct pm_cert *ca, struct pm_report *report)
{
	uint8_t wanted[PM_CERT_KEY_ID_SIZE];
	struct pm_view found;
	int r = pm_cert_key_id(pm_cert_spki(ca), wanted);

	if (r < 0)
		return r;
	if (!pm_cert_authority_key(leaf, &found) ||
		!pm_view_equal(found, pm_view(wanted, sizeof(wanted))))
		return pm_fail(report, PM_E_REJECTED, "mesh.issuer",
			"the identifier of the mesh CA's key", "another");
	return PM_OK;
}

static int check_issuer(const struct pm_cert *leaf, const struct pm_cert *ca,
	const struct pm_pubkey *key, struct pm_report *report)
{
	int r = pm_cert_check_issuer(leaf, ca, key, 0);

	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r < 0)
		return pm_fail(report, PM_E_REJECTED, "mesh.issuer", "signed by the mesh CA",
			"by another");
	return check_key_id(leaf, ca, report);
}

/* What a peer shows behind the leaf is of no use here, and so of one kind only. */
static int check_next(
	const struct pm_cert *next, const struct pm_cert *ca, struct pm_report *report)
{
	if (!next)
		return PM_OK;
	if (!pm_view_equal(pm_cert_spki(next), pm_cert_spki(ca)) ||
		!pm_view_equal(pm_cert_subject(next), pm_cert_subject(ca)))
		return pm_fail(report, PM_E_REJECTED, "mesh.intermediate",
			"the key and name of the mesh CA", "another");
	return PM_OK;
}

static int verify(const struct pm_mesh_chain *chain, const struct pm_mesh_chain *ca, int64_t now,
	struct pm_report *report, struct pm_mesh_identity *ret)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	struct pm_mesh_identity who;
	int r = read_ca(ca, now, report, &key);

	if (r < 0)
		return r;
	r = check_issuer(chain->leaf, ca->leaf, key, report);
	if (r < 0)
		return r;
	r = check_next(chain->next, ca->leaf, report);
	if (r < 0)
		return r;
	r = pm_cert_check_now(chain->leaf, "mesh.validity", now, report);
	if (r < 0)
		return r;
	/* The form has the issuer's name of the manifest: so the CA is that manifest's. */
	r = pm_mesh_read_leaf(chain->leaf, report, &who);
	if (r < 0)
		return r;
	pm_pass(report, "mesh", "%s, replica %s, of the mesh CA", who.role, who.replica);
	*ret = who;
	return PM_OK;
}

int pm_mesh_verify(const void *cert, size_t len, const void *mesh_ca, size_t ca_len, int64_t now,
	struct pm_report *report, struct pm_mesh_identity *ret_identity)
{
	pm_cleanup(chain) struct pm_mesh_chain chain = {0}, ca = {0};
	int r = pm_mesh_chain_parse(pm_view(mesh_ca, ca_len), report, &ca);

	if (r == PM_OK)
		r = pm_mesh_chain_parse(pm_view(cert, len), report, &chain);
	return r < 0 ? r : verify(&chain, &ca, now, report, ret_identity);
}

int pm_mesh_keyex_role(const uint8_t *cert, size_t cert_len, void *manifest_hash)
{
	pm_cleanup(chain) struct pm_mesh_chain chain = {0};
	struct pm_mesh_identity who;
	int r = pm_mesh_chain_parse(pm_view(cert, cert_len), NULL, &chain);

	if (r == PM_OK)
		r = pm_mesh_read_leaf(chain.leaf, NULL, &who);
	if (r < 0)
		return r;
	if (who.purpose != PM_MESH_SIGN || strcmp(who.role, PM_MESH_ROLE_SECRETS))
		return PM_E_REJECTED;
	if (!pm_ct_equal(who.manifest_hash, manifest_hash, sizeof(who.manifest_hash)))
		return PM_E_REJECTED;
	return PM_OK;
}
