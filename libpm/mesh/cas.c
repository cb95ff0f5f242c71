/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of an authority's CAs. */
#include "base/hex.h"
#include "base/report.h"
#include "mesh/authority.h"

/* A root that holds for all time: no date says better when its seed is given up. */
#define ROOT_NOT_BEFORE INT64_C(0)
#define ROOT_NOT_AFTER	INT64_C(253402300799) /* RFC 5280, 4.1.2.5: no expiration date */

/* CAs below each other: the root has the intermediate, that has none. */
#define CAS_BELOW_ROOT 1
#define CAS_BELOW_MESH 0

#define EXTENSIONS_MAX 256

/* Serial numbers that are derived: of the root and of the intermediate. */
static const char root_label[] = "libpm root CA serial v1";
static const char intermediate_label[] = "libpm intermediate serial v1";

/* Who signs whom. */
struct ca {
	const struct pm_sign_key *key;
	const struct pm_sign_key *issuer;
	uint8_t cas_below;
};

static struct pm_view spki_of(const struct pm_sign_key *key)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);

	return pm_view(public->spki, public->spki_size);
}

/* The issuer's key is named where it is another. */
static int put_extensions(struct pm_wr *wr, const struct ca *ca)
{
	uint8_t key_id[PM_CERT_KEY_ID_SIZE];
	int r = pm_cert_key_id(spki_of(ca->key), key_id);

	if (r < 0)
		return r;
	pm_cert_put_subject_key(wr, key_id);
	if (ca->issuer != ca->key) {
		r = pm_cert_key_id(spki_of(ca->issuer), key_id);
		if (r < 0)
			return r;
		pm_cert_put_authority_key(wr, key_id);
	}
	pm_cert_put_ca(wr, ca->cas_below);
	return pm_wr_done(wr, NULL) ? PM_OK : PM_E_LIMIT;
}

static int write_ca(const struct ca *ca, struct pm_cert_form *form, struct pm_authority_cert *ret)
{
	uint8_t extensions[EXTENSIONS_MAX];
	struct pm_wr wr = pm_wr(extensions, sizeof(extensions));
	int r = put_extensions(&wr, ca);

	if (r < 0)
		return r;
	form->spki = spki_of(ca->key);
	form->extensions = pm_view(extensions, wr.len);
	return pm_cert_write(form, ca->issuer, ret->der, sizeof(ret->der), &ret->len);
}

/* The serial number of what the certificate is about. */
static int derive_serial(const char *label, size_t size, struct pm_view of, uint8_t *ret)
{
	struct pm_view parts[] = {pm_view(label, size), of};
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash_parts(PM_SHA256, parts, PM_ARRAY_LEN(parts), digest);

	if (r < 0)
		return r;
	pm_copy(ret, digest, PM_CERT_SERIAL_SIZE);
	pm_cert_serial_from(ret);
	return PM_OK;
}

/* --- names ----------------------------------------------------------------------------------- */

struct name {
	uint8_t der[PM_MESH_NAME_MAX];
	size_t len;
};

/* Named by its key, so that roots of two deployments are told from each other. */
static struct name root_name(const struct pm_authority *a)
{
	struct name name;
	struct pm_wr wr = pm_wr(name.der, sizeof(name.der));

	pm_cert_put_name(
		&wr, "root CA", pm_hex(pm_sign_key_public(a->root)->id, PM_SIGN_ID_SIZE).s);
	name.len = wr.len;
	return name;
}

static struct name mesh_name(const struct pm_authority *a)
{
	struct name name;
	struct pm_wr wr = pm_wr(name.der, sizeof(name.der));

	pm_mesh_put_ca_name(&wr, a->manifest_hash);
	name.len = wr.len;
	return name;
}

static struct pm_view view_of(const struct name *name)
{
	return pm_view(name->der, name->len);
}

/* --- the three ------------------------------------------------------------------------------- */

static int make_root(struct pm_authority *a)
{
	struct ca ca = {a->root, a->root, CAS_BELOW_ROOT};
	uint8_t serial[PM_CERT_SERIAL_SIZE];
	struct name name = root_name(a);
	struct pm_cert_form form = {
		.serial = pm_view(serial, sizeof(serial)),
		.issuer = view_of(&name),
		.subject = view_of(&name),
		.not_before = ROOT_NOT_BEFORE,
		.not_after = ROOT_NOT_AFTER,
	};
	int r = derive_serial(root_label, sizeof(root_label), spki_of(a->root), serial);

	return r < 0 ? r : write_ca(&ca, &form, &a->root_ca);
}

static int make_mesh(struct pm_authority *a, struct pm_view serial)
{
	struct ca ca = {a->mesh, a->mesh, CAS_BELOW_MESH};
	struct name name = mesh_name(a);
	struct pm_cert_form form = {
		.serial = serial,
		.issuer = view_of(&name),
		.subject = view_of(&name),
		.not_before = a->not_before,
		.not_after = a->not_after,
	};

	return write_ca(&ca, &form, &a->mesh_ca);
}

static int make_intermediate(struct pm_authority *a)
{
	struct ca ca = {a->mesh, a->root, CAS_BELOW_MESH};
	uint8_t serial[PM_CERT_SERIAL_SIZE];
	struct name issuer = root_name(a), subject = mesh_name(a);
	struct pm_cert_form form = {
		.serial = pm_view(serial, sizeof(serial)),
		.issuer = view_of(&issuer),
		.subject = view_of(&subject),
		.not_before = a->not_before,
		.not_after = a->not_after,
	};
	int r = derive_serial(intermediate_label, sizeof(intermediate_label),
		pm_view(a->mesh_ca.der, a->mesh_ca.len), serial);

	return r < 0 ? r : write_ca(&ca, &form, &a->intermediate);
}

static int draw_mesh(struct pm_authority *a)
{
	uint8_t serial[PM_CERT_SERIAL_SIZE];

	pm_random(serial, sizeof(serial));
	pm_cert_serial_from(serial);
	return make_mesh(a, pm_view(serial, sizeof(serial)));
}

/*
 * Another coordinator's, written anew: what a key and a manifest make is the same bytes, the
 * signature's among them, so that nothing else is accepted.
 */
static int adopt_mesh(struct pm_authority *a, struct pm_view der, struct pm_report *report)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	int r = pm_cert_parse(der, &cert);

	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(report, r, "mesh_ca", "a certificate", "%s", pm_strerror(r));
	a->not_before = pm_cert_not_before(cert);
	r = pm_cert_serial_is_ours(pm_cert_serial(cert)) ? make_mesh(a, pm_cert_serial(cert))
							 : PM_E_LIMIT;
	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r < 0 || !pm_view_equal(der, pm_view(a->mesh_ca.der, a->mesh_ca.len)))
		return pm_fail(report, PM_E_REJECTED, "mesh_ca", "that of this key and manifest",
			"another");
	return PM_OK;
}

int pm_authority_make_cas(struct pm_authority *a, struct pm_view mesh_ca, struct pm_report *report)
{
	int r = make_root(a);

	if (r == PM_OK)
		r = mesh_ca.len ? adopt_mesh(a, mesh_ca, report) : draw_mesh(a);
	return r < 0 ? r : make_intermediate(a);
}
