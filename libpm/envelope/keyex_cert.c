/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed a response: one leaf, which the attested mesh CA signed directly. */
#include "base/report.h"
#include "crypto/der.h"
#include "crypto/x509.h"
#include "envelope/keyex.h"

/* RFC 5280, 4.2.1.12: id-ce-extKeyUsage, id-kp-serverAuth, anyExtendedKeyUsage. */
static const uint8_t oid_purposes[] = {0x55, 0x1d, 0x25};
static const uint8_t oid_server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
static const uint8_t oid_any[] = {0x55, 0x1d, 0x25, 0x00};

static bool lists_server(struct pm_view purposes)
{
	struct pm_view oid;

	if (!pm_der_only(purposes, PM_DER_SEQUENCE, &purposes))
		return false;
	while (purposes.len && pm_der_get(&purposes, PM_DER_OID, &oid))
		if (pm_view_equal(oid, pm_view(oid_server, sizeof(oid_server))) ||
			pm_view_equal(oid, pm_view(oid_any, sizeof(oid_any))))
			return true;
	return false;
}

static int check_purpose(const struct pm_cert *cert, struct pm_report *report)
{
	struct pm_view purposes;
	int r = pm_cert_extension(cert, pm_view(oid_purposes, sizeof(oid_purposes)), &purposes);

	if (r == PM_E_MISSING)
		return PM_OK;
	if (r < 0 || !lists_server(purposes))
		return pm_fail(report, PM_E_REJECTED, "MeshCert.purpose", "serverAuth", "another");
	return PM_OK;
}

/* Did the CA sign the leaf, and may it? */
static int check_issuer(
	const struct pm_cert *leaf, const struct pm_cert *ca, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_cert_pubkey(ca, &key);

	if (r < 0)
		return pm_fail(report, r, "mesh_ca", "a key that we know", "another");
	r = pm_cert_check_issuer(leaf, ca, key, 0);
	if (r < 0)
		return pm_fail(report, r, "MeshCert.issuer", "the mesh CA", "another");
	return PM_OK;
}

static int check_leaf(
	const struct pm_keyex_trust *trust, const struct pm_cert *leaf, struct pm_report *report)
{
	pm_cleanup(pm_cert) struct pm_cert *ca = NULL;
	struct pm_view der = pm_cert_der(leaf);
	int r = pm_cert_parse(pm_view(trust->ca, trust->ca_len), &ca);

	if (r < 0)
		return pm_fail(report, r, "mesh_ca", "a certificate", "%s", pm_strerror(r));
	r = pm_cert_check_now(ca, "mesh_ca.validity", trust->now, report);
	if (r < 0)
		return r;
	r = pm_cert_check_now(leaf, "MeshCert.validity", trust->now, report);
	if (r < 0)
		return r;
	r = check_issuer(leaf, ca, report);
	if (r < 0)
		return r;
	r = check_purpose(leaf, report);
	if (r < 0)
		return r;
	r = trust->check_role(der.ptr, der.len, trust->arg);
	if (r)
		return pm_fail(report, r < 0 ? r : PM_E_REJECTED, "MeshCert.role",
			"the secret service", "another");
	pm_pass(report, "MeshCert", "signed by the mesh CA, of the wanted role");
	return PM_OK;
}

int pm_keyex_check_signature(const struct pm_keyex_trust *trust, struct pm_view cert,
	struct pm_view keys, struct pm_view signature, struct pm_report *report)
{
	pm_cleanup(pm_cert) struct pm_cert *leaf = NULL;
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_cert_parse(cert, &leaf);

	if (r < 0)
		return pm_fail(report, r, "MeshCert", "a certificate", "%s", pm_strerror(r));
	r = check_leaf(trust, leaf, report);
	if (r < 0)
		return r;
	r = pm_cert_pubkey(leaf, &key);
	if (r < 0)
		return pm_fail(report, r, "MeshCert.key", "a key that we know", "another");
	r = pm_ecdsa_verify_der(key, PM_SHA256, keys, signature);
	if (r < 0)
		return pm_fail(
			report, r, "Signature", "that of MeshCert over both keys", "another");
	pm_pass(report, "Signature", "of MeshCert over both keys");
	return PM_OK;
}
