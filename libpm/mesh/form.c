/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a workload's certificate, written to issue one and to compare one with. */
#include <stdio.h>

#include "base/hex.h"
#include "base/report.h"
#include "mesh/mesh.h"

/* Content of OID 2.25.122785497823947443121175649948723525846, made of a random UUID (X.667). */
static const uint8_t oid_identity[] = {0x69, 0x81, 0xb8, 0xdf, 0xd0, 0x9b, 0xec, 0x9f, 0x8a, 0xab,
	0xd3, 0x8e, 0xf3, 0x92, 0xdd, 0xda, 0xb4, 0xfc, 0xf1, 0x56};

/* Longest extensions of a workload's certificate: the identity, and little else. */
#define EXTENSIONS_MAX (PM_MESH_IDENTITY_MAX + 512)

void pm_mesh_put_ca_name(struct pm_wr *wr, const uint8_t *manifest_hash)
{
	pm_cert_put_name(wr, "mesh CA", pm_hex(manifest_hash, PM_MANIFEST_HASH_SIZE).s);
}

void pm_mesh_put_role_name(struct pm_wr *wr, const char *role)
{
	pm_cert_put_name(wr, role, NULL);
}

void pm_mesh_replica_name(const struct pm_mesh_identity *who, char *ret_name)
{
	snprintf(ret_name, PM_MESH_DNS_MAX, "%s.%s", who->replica, who->role);
}

void pm_mesh_put_extensions(
	struct pm_wr *wr, const struct pm_mesh_identity *who, const uint8_t *key_id)
{
	uint8_t identity[PM_MESH_IDENTITY_MAX];
	struct pm_wr cbor = pm_wr(identity, sizeof(identity));
	char replica[PM_MESH_DNS_MAX];
	const char *names[] = {who->role, replica};

	pm_mesh_replica_name(who, replica);
	pm_cert_put_authority_key(wr, key_id);
	pm_cert_put_usage_signature(wr);
	if (who->purpose == PM_MESH_TLS)
		pm_cert_put_usage_tls(wr);
	pm_cert_put_dns_names(wr, names, PM_ARRAY_LEN(names));
	pm_mesh_identity_write(&cbor, who);
	pm_cert_put_extension(wr, pm_view(oid_identity, sizeof(oid_identity)), false,
		pm_view(identity, cbor.len));
	wr->failed |= cbor.failed;
}

/* --- reading --------------------------------------------------------------------------------- */

/* All that the certificate says, written anew of what its identity says. */
static int check_form(
	const struct pm_cert *cert, const struct pm_mesh_identity *who, struct pm_view key_id)
{
	uint8_t extensions[EXTENSIONS_MAX], issuer[PM_MESH_NAME_MAX], subject[PM_MESH_NAME_MAX];
	struct pm_wr ext = pm_wr(extensions, sizeof(extensions));
	struct pm_wr issuer_wr = pm_wr(issuer, sizeof(issuer));
	struct pm_wr subject_wr = pm_wr(subject, sizeof(subject));
	struct pm_cert_form form = {
		.serial = pm_cert_serial(cert),
		.not_before = who->not_before,
		.not_after = who->not_after,
		.spki = pm_cert_spki(cert),
	};

	pm_mesh_put_extensions(&ext, who, key_id.ptr);
	pm_mesh_put_ca_name(&issuer_wr, who->manifest_hash);
	pm_mesh_put_role_name(&subject_wr, who->role);
	if (ext.failed || issuer_wr.failed || subject_wr.failed)
		return PM_E_REJECTED;
	form.extensions = pm_view(extensions, ext.len);
	form.issuer = pm_view(issuer, issuer_wr.len);
	form.subject = pm_view(subject, subject_wr.len);
	return pm_cert_check_form(cert, &form);
}

static int read_identity(
	const struct pm_cert *cert, struct pm_report *report, struct pm_mesh_identity *ret)
{
	struct pm_view value;
	int r = pm_cert_extension(cert, pm_view(oid_identity, sizeof(oid_identity)), &value);

	if (r == PM_E_MISSING)
		return pm_fail(report, PM_E_REJECTED, "mesh.identity", "an identity", "none");
	if (r < 0)
		return pm_fail(report, r, "mesh.identity", "one identity", "something else");
	return pm_mesh_identity_parse(value, report, ret);
}

int pm_mesh_read_leaf(
	const struct pm_cert *cert, struct pm_report *report, struct pm_mesh_identity *ret)
{
	struct pm_mesh_identity who;
	struct pm_view key_id;
	int r = read_identity(cert, report, &who);

	if (r < 0)
		return r;
	r = pm_p256_check_spki(pm_cert_spki(cert));
	if (r == PM_E_FORMAT || r == PM_E_UNSUPPORTED)
		return pm_fail(report, PM_E_REJECTED, "mesh.key", "a P-256 key", "another");
	if (r < 0)
		return r;
	who.not_before = pm_cert_not_before(cert);
	who.not_after = pm_cert_not_after(cert);
	if (!pm_cert_serial_is_ours(pm_cert_serial(cert)) || !pm_cert_authority_key(cert, &key_id))
		r = PM_E_REJECTED;
	else
		r = check_form(cert, &who, key_id);
	if (r == PM_E_REJECTED)
		return pm_fail(
			report, r, "mesh.form", "the one form of mesh certificates", "another");
	if (r == PM_OK)
		*ret = who;
	return r;
}
