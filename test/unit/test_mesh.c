/* SPDX-License-Identifier: Apache-2.0 */
/* Mesh certificates: what one says, each way in which one is refused, and signatures. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include <pm/keyex.h>

#include "base/report.h"
#include "crypto/der.h"
#include "mesh/authority.h"
#include "mesh_scene.h"
#include "mint.h"
#include "testing.h"

#define HOUR 3600

/* A certificate, DER. */
struct der {
	uint8_t bytes[PM_MESH_CERT_SIZE_MAX];
	size_t len;
};

static struct der leaf_of(const char *pem)
{
	struct der der;

	ck_pm(pm_mesh_leaf(pem, strlen(pem), der.bytes, &der.len), PM_OK);
	return der;
}

static struct der issue(const struct mesh_scene *s, const struct pm_mesh_identity *who)
{
	char *pem = mesh_issue(s, who);
	struct der der = leaf_of(pem);

	pm_authority_pem_free(pem);
	return der;
}

/* The verdict, and the check that refused. */
static void verifies(
	struct pm_view cert, struct pm_view ca, int64_t now, int error, const char *check)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_mesh_identity who;
	const struct pm_check *failure;

	ck_pm(pm_mesh_verify(cert.ptr, cert.len, ca.ptr, ca.len, now, report, &who), error);
	failure = pm_report_failure(report);
	ck_assert_str_eq(failure ? failure->name : "", check);
}

static struct pm_view view_of(const struct der *der)
{
	return pm_view(der->bytes, der->len);
}

/* --- what one says --------------------------------------------------------------------------- */

START_TEST(test_identity)
{
	static const enum pm_mesh_purpose purposes[] = {PM_MESH_TLS, PM_MESH_SIGN};
	struct mesh_scene s = mesh_scene_new();
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	struct pm_view ca = mesh_ca(s.authority);

	pm_manifest_hash(s.manifest, hash);
	for (size_t i = 0; i < PM_ARRAY_LEN(purposes); i++) {
		struct pm_mesh_identity who = mesh_identity("worker", "r-1", purposes[i]), got;
		char *pem = mesh_issue(&s, &who);

		ck_pm(pm_mesh_verify(pem, strlen(pem), ca.ptr, ca.len, MESH_NOW, NULL, &got),
			PM_OK);
		pm_authority_pem_free(pem);
		ck_assert_str_eq(got.role, "worker");
		ck_assert_str_eq(got.replica, "r-1");
		ck_assert_uint_eq(got.model_count, 1);
		ck_assert_str_eq(got.models[0], MESH_MODEL);
		ck_assert_int_eq(got.purpose, purposes[i]);
		ck_assert_mem_eq(got.manifest_hash, hash, sizeof(hash));
		ck_assert_uint_eq(got.manifest_serial, 1);
		ck_assert_int_eq(got.not_before, MESH_NOW - PM_AUTHORITY_SKEW);
		ck_assert_int_eq(got.not_after, MESH_NOW + HOUR);
	}
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_validity)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("secrets", "a", PM_MESH_SIGN);
	struct der der = issue(&s, &who);
	struct pm_view ca = mesh_ca(s.authority);
	int64_t end = pm_manifest_not_after(s.manifest);

	verifies(view_of(&der), ca, MESH_NOW + HOUR, PM_OK, "");
	verifies(view_of(&der), ca, MESH_NOW + HOUR + 1, PM_E_STALE, "mesh.validity");
	verifies(view_of(&der), ca, MESH_NOW - PM_AUTHORITY_SKEW, PM_OK, "");
	/* Before the leaf is before the CA here. */
	verifies(view_of(&der), ca, MESH_NOW - PM_AUTHORITY_SKEW - 1, PM_E_STALE,
		"mesh_ca.validity");
	verifies(view_of(&der), ca, end + 1, PM_E_STALE, "mesh_ca.validity");
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_not_yet_valid)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("secrets", "a", PM_MESH_SIGN);
	char *pem = NULL;
	struct der der;

	ck_pm(pm_authority_issue(s.authority, pm_mesh_key_spki(s.key, NULL), PM_MESH_SPKI_SIZE,
		      &who, MESH_NOW + HOUR, HOUR, NULL, &pem, NULL),
		PM_OK);
	der = leaf_of(pem);
	pm_authority_pem_free(pem);
	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, PM_E_STALE, "mesh.validity");
	mesh_scene_free(&s);
}
END_TEST

/* --- who signed ------------------------------------------------------------------------------ */

START_TEST(test_other_ca)
{
	struct mesh_scene s = mesh_scene_new(), other = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS);
	struct der der = issue(&s, &who);
	size_t len;
	const uint8_t *root = pm_authority_root_ca(s.authority, &len);
	struct pm_view intermediate;

	/* The same manifest, so the same name: only the key differs. */
	verifies(view_of(&der), mesh_ca(other.authority), MESH_NOW, PM_E_REJECTED, "mesh.issuer");
	verifies(view_of(&der), pm_view(root, len), MESH_NOW, PM_E_REJECTED, "mesh.issuer");
	verifies(
		mesh_ca(s.authority), mesh_ca(s.authority), MESH_NOW, PM_E_REJECTED, "mesh.issuer");
	intermediate.ptr = pm_authority_intermediate(s.authority, &intermediate.len);
	verifies(view_of(&der), intermediate, MESH_NOW, PM_OK, "");
	mesh_scene_free(&other);
	mesh_scene_free(&s);
}
END_TEST

/* A mesh CA whose key and seed stay the same, of another manifest. */
START_TEST(test_ca_of_another_manifest)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_manifest *manifest = mesh_manifest(1);
	struct pm_authority *other = NULL;
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS);
	struct der der = issue(&s, &who);

	ck_pm(pm_authority_new(s.seed, manifest, NULL, NULL, 0, MESH_NOW, NULL, &other), PM_OK);
	verifies(view_of(&der), mesh_ca(other), MESH_NOW, PM_E_REJECTED, "mesh.issuer");
	pm_authority_free(other);
	pm_manifest_free(manifest);
	mesh_scene_free(&s);
}
END_TEST

/* --- forged forms: signed by the right CA, and still refused ---------------------------------- */

/* Changes to a good certificate. Zeros change nothing. */
struct forgery {
	const char *check;
	int error;
	bool no_key_id, other_key_id, no_usage, ca, no_names, no_identity, twice, critical;
	bool tls;	       /* with purposes though it signs, or without though it is TLS */
	const char *subject;   /* another role's name */
	const char *second;    /* in place of REPLICA.ROLE */
	struct pm_view extra;  /* a further extension */
	struct pm_view cbor;   /* another identity */
	size_t cut;	       /* so many bytes less of it */
	struct pm_view behind; /* and so many more */
	uint8_t serial_top;    /* another first byte of the serial number */
	bool short_serial, p384, manifest;
};

static const uint8_t oid_identity[] = {0x69, 0x81, 0xb8, 0xdf, 0xd0, 0x9b, 0xec, 0x9f, 0x8a, 0xab,
	0xd3, 0x8e, 0xf3, 0x92, 0xdd, 0xda, 0xb4, 0xfc, 0xf1, 0x56};

static void put_identity(
	struct pm_wr *wr, const struct pm_mesh_identity *who, const struct forgery *f)
{
	uint8_t bytes[PM_MESH_IDENTITY_MAX];
	struct pm_wr cbor = pm_wr(bytes, sizeof(bytes));

	if (f->cbor.ptr)
		pm_wr_bytes(&cbor, f->cbor);
	else
		pm_mesh_identity_write(&cbor, who);
	cbor.len -= f->cut;
	pm_wr_bytes(&cbor, f->behind);
	pm_cert_put_extension(wr, pm_view(oid_identity, sizeof(oid_identity)), f->critical,
		pm_view(bytes, cbor.len));
}

static void put_forged(struct pm_wr *wr, const struct pm_mesh_identity *who,
	const struct forgery *f, const uint8_t *key_id)
{
	static const uint8_t other_id[PM_CERT_KEY_ID_SIZE] = {1};
	char replica[PM_MESH_DNS_MAX];
	const char *names[] = {who->role, f->second ? f->second : replica};

	pm_mesh_replica_name(who, replica);
	if (!f->no_key_id)
		pm_cert_put_authority_key(wr, f->other_key_id ? other_id : key_id);
	if (f->ca)
		pm_cert_put_ca(wr, 0);
	else if (!f->no_usage)
		pm_cert_put_usage_signature(wr);
	if ((who->purpose == PM_MESH_TLS) != f->tls)
		pm_cert_put_usage_tls(wr);
	if (!f->no_names)
		pm_cert_put_dns_names(wr, names, 2);
	if (!f->no_identity)
		put_identity(wr, who, f);
	if (f->twice)
		put_identity(wr, who, f);
	pm_wr_bytes(wr, f->extra);
}

static struct der forge(
	const struct mesh_scene *s, struct pm_mesh_identity who, const struct forgery *f)
{
	const struct pm_sign_public *ca = pm_sign_key_public(s->authority->mesh);
	uint8_t ext[PM_MESH_CERT_SIZE_MAX], issuer[PM_MESH_NAME_MAX], subject[PM_MESH_NAME_MAX];
	uint8_t key_id[PM_CERT_KEY_ID_SIZE], serial[PM_CERT_SERIAL_SIZE] = {0x41, 7};
	struct pm_wr wr = pm_wr(ext, sizeof(ext)), iw = pm_wr(issuer, sizeof(issuer)),
		     sw = pm_wr(subject, sizeof(subject));
	struct pm_view spki = pm_view(s->key->spki, sizeof(s->key->spki));
	struct der der;

	pm_manifest_hash(s->manifest, who.manifest_hash);
	who.manifest_serial = 1;
	pm_mesh_put_ca_name(&iw, who.manifest_hash);
	if (f->manifest)
		who.manifest_hash[0] ^= 1;
	ck_pm(pm_cert_key_id(pm_view(ca->spki, ca->spki_size), key_id), PM_OK);
	put_forged(&wr, &who, f, key_id);
	pm_mesh_put_role_name(&sw, f->subject ? f->subject : who.role);
	if (f->serial_top)
		serial[0] = f->serial_top;
	ck_pm(pm_cert_write(&(struct pm_cert_form){.serial = pm_view(serial,
							   f->short_serial ? 15 : sizeof(serial)),
				    .issuer = pm_view(issuer, iw.len),
				    .subject = pm_view(subject, sw.len),
				    .not_before = MESH_NOW - 60,
				    .not_after = MESH_NOW + HOUR,
				    .spki = f->p384 ? pm_view(ca->spki, ca->spki_size) : spki,
				    .extensions = pm_view(ext, wr.len)},
		      s->authority->mesh, der.bytes, sizeof(der.bytes), &der.len),
		PM_OK);
	return der;
}

/* extKeyUsage with a third purpose, and basicConstraints of no CA: known, good, and not ours. */
static const uint8_t code_signing[] = {0x30, 0x13, 0x06, 0x03, 0x55, 0x1d, 0x25, 0x04, 0x0c, 0x30,
	0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03};
static const uint8_t no_ca[] = {0x30, 0x09, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x04, 0x02, 0x30, 0x00};
static const uint8_t zero[] = {0};
static const uint8_t unknown[] = {0x30, 0x08, 0x06, 0x02, 0x2a, 0x03, 0x04, 0x02, 0x05, 0x00};

#define BYTES(a)                                                                                   \
	{                                                                                          \
		a, sizeof(a)                                                                       \
	}

static const struct forgery forgeries[] = {
	{"", PM_OK},
	{"mesh.issuer", PM_E_REJECTED, .no_key_id = true},
	{"mesh.issuer", PM_E_REJECTED, .other_key_id = true},
	{"mesh.form", PM_E_REJECTED, .no_usage = true},
	{"mesh.form", PM_E_REJECTED, .ca = true},
	{"mesh.form", PM_E_REJECTED, .no_names = true},
	{"mesh.form", PM_E_REJECTED, .second = "other.secrets"},
	{"mesh.form", PM_E_REJECTED, .second = "worker"},
	{"mesh.identity", PM_E_REJECTED, .no_identity = true},
	{"mesh.certificate", PM_E_FORMAT, .critical = true},
	{"mesh.form", PM_E_REJECTED, .tls = true},
	{"mesh.form", PM_E_REJECTED, .subject = "worker"},
	{"mesh.form", PM_E_REJECTED, .extra = BYTES(code_signing)},
	{"mesh.form", PM_E_REJECTED, .extra = BYTES(no_ca)},
	{"mesh.form", PM_E_REJECTED, .extra = BYTES(unknown)},
	{"mesh.identity", PM_E_FORMAT, .cut = 1},
	{"mesh.identity", PM_E_FORMAT, .behind = BYTES(zero)},
	{"mesh.form", PM_E_REJECTED, .serial_top = 0x3f},
	{"mesh.form", PM_E_REJECTED, .serial_top = 0x80},
	{"mesh.form", PM_E_REJECTED, .short_serial = true},
	{"mesh.key", PM_E_REJECTED, .p384 = true},
	{"mesh.form", PM_E_REJECTED, .manifest = true},
};

START_TEST(test_form)
{
	const struct forgery *f = &forgeries[_i];
	struct mesh_scene s = mesh_scene_new();
	struct der der = forge(&s, mesh_identity("secrets", "a", PM_MESH_SIGN), f);

	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, f->error, f->check);
	mesh_scene_free(&s);
}
END_TEST

/* The same without purposes, of a certificate for TLS. */
START_TEST(test_form_tls)
{
	struct mesh_scene s = mesh_scene_new();
	struct forgery good = {0}, without = {.tls = true}, more = {.extra = BYTES(code_signing)};
	struct der der = forge(&s, mesh_identity("worker", "a", PM_MESH_TLS), &good);

	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, PM_OK, "");
	der = forge(&s, mesh_identity("worker", "a", PM_MESH_TLS), &without);
	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, PM_E_REJECTED, "mesh.form");
	/* A second extKeyUsage is no certificate at all. */
	der = forge(&s, mesh_identity("worker", "a", PM_MESH_TLS), &more);
	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, PM_E_FORMAT, "mesh.certificate");
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_two_identities)
{
	struct mesh_scene s = mesh_scene_new();
	struct forgery twice = {.twice = true};
	struct der der = forge(&s, mesh_identity("worker", "a", PM_MESH_TLS), &twice);

	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, PM_E_FORMAT, "mesh.identity");
	mesh_scene_free(&s);
}
END_TEST

/* --- the identity's CBOR ---------------------------------------------------------------------- */

static const uint8_t good_cbor[] = {0xa7, 1, 1, 2, 2, 3, 0x61, 'w', 4, 0x61, 'a', 5, 0x82, 0x61,
	'm', 0x61, 'n', 6, 0x58, 0x20, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7, 1};

/* One byte of the good one is another. */
static const struct {
	const char *name;
	size_t at;
	uint8_t value;
	int error;
} cbor_cases[] = {
	{"good", 0, 0xa7, PM_OK},
	{"a pair less", 0, 0xa6, PM_E_FORMAT},
	{"a pair more", 0, 0xa8, PM_E_FORMAT},
	{"no map", 0, 0x87, PM_E_FORMAT},
	{"no version", 1, 0, PM_E_FORMAT},
	{"version 2", 2, 2, PM_E_UNSUPPORTED},
	{"version 0", 2, 0, PM_E_UNSUPPORTED},
	{"a key twice", 3, 1, PM_E_FORMAT},
	{"an unknown key", 3, 8, PM_E_FORMAT},
	{"purpose 0", 4, 0, PM_E_FORMAT},
	{"purpose 3", 4, 3, PM_E_FORMAT},
	{"a role in bytes", 6, 0x41, PM_E_FORMAT},
	{"a role in capitals", 7, 'W', PM_E_FORMAT},
	{"a role for all", 7, '*', PM_E_FORMAT},
	{"a role that begins with -", 7, '-', PM_E_FORMAT},
	{"a role with a NUL", 7, 0, PM_E_FORMAT},
	{"a replica of -", 10, '-', PM_E_FORMAT},
	{"a replica of .", 10, '.', PM_E_FORMAT},
	{"a replica with a NUL", 10, 0, PM_E_FORMAT},
	{"a model twice", 14, 'n', PM_E_FORMAT},
	{"models out of order", 14, 'o', PM_E_FORMAT},
	{"a model with a space", 14, ' ', PM_E_FORMAT},
	{"a model with a control", 14, 0x7f, PM_E_FORMAT},
	{"a model with a NUL", 14, 0, PM_E_FORMAT},
	{"a hash of 31 bytes", 19, 0x1f, PM_E_FORMAT},
	{"serial number 0", sizeof(good_cbor) - 1, 0, PM_E_FORMAT},
	{"cut in a number", sizeof(good_cbor) - 1, 0x18, PM_E_FORMAT},
};

START_TEST(test_cbor)
{
	struct pm_mesh_identity who;
	uint8_t bytes[sizeof(good_cbor)];
	int r;

	pm_copy(bytes, good_cbor, sizeof(bytes));
	bytes[cbor_cases[_i].at] = cbor_cases[_i].value;
	r = pm_mesh_identity_parse(pm_view(bytes, sizeof(bytes)), NULL, &who);
	ck_assert_msg(r == cbor_cases[_i].error, "%s: got %d", cbor_cases[_i].name, r);
}
END_TEST

START_TEST(test_cbor_round)
{
	struct pm_mesh_identity who;
	uint8_t bytes[PM_MESH_IDENTITY_MAX];
	struct pm_wr wr = pm_wr(bytes, sizeof(bytes));

	ck_pm(pm_mesh_identity_parse(VIEW(good_cbor), NULL, &who), PM_E_FORMAT); /* a byte less */
	ck_pm(pm_mesh_identity_parse(pm_view(good_cbor, sizeof(good_cbor)), NULL, &who), PM_OK);
	pm_mesh_identity_write(&wr, &who);
	ck_assert_uint_eq(wr.len, sizeof(good_cbor));
	ck_assert_mem_eq(bytes, good_cbor, sizeof(good_cbor));
	ck_assert_str_eq(who.models[1], "n");
}
END_TEST

/* As long as all may be: it fits the buffers. */
START_TEST(test_longest)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = {.purpose = PM_MESH_TLS, .model_count = PM_CLAIMS_MODELS_MAX};
	struct forgery none = {0};
	struct der der;

	memset(who.role, 'r', PM_CLAIMS_ROLE_MAX);
	memset(who.replica, 'r', PM_MESH_REPLICA_MAX);
	for (size_t i = 0; i < PM_CLAIMS_MODELS_MAX; i++) {
		memset(who.models[i], 'm', PM_CLAIMS_MODEL_NAME_MAX);
		who.models[i][0] = (char)('A' + i);
	}
	der = forge(&s, who, &none);
	verifies(view_of(&der), mesh_ca(s.authority), MESH_NOW, PM_OK, "");
	mesh_scene_free(&s);
}
END_TEST

/* --- flipped bytes ---------------------------------------------------------------------------- */

/* Each byte of a certificate counts: there is one encoding of what it says. */
START_TEST(test_flips)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS), got;
	struct der der = issue(&s, &who);
	struct pm_view ca = mesh_ca(s.authority);

	for (size_t i = 0; i < der.len; i++) {
		static const uint8_t masks[] = {0x01, 0x80};

		for (size_t m = 0; m < sizeof(masks); m++) {
			der.bytes[i] ^= masks[m];
			if (pm_mesh_verify(der.bytes, der.len, ca.ptr, ca.len, MESH_NOW, NULL,
				    &got) == PM_OK)
				ck_abort_msg("byte %zu, mask %02x: accepted", i, masks[m]);
			der.bytes[i] ^= masks[m];
		}
	}
	verifies(view_of(&der), ca, MESH_NOW, PM_OK, "");
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_cuts)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS), got;
	struct der der = issue(&s, &who);
	struct pm_view ca = mesh_ca(s.authority);

	for (size_t n = 0; n < der.len; n++)
		ck_assert_int_lt(
			pm_mesh_verify(der.bytes, n, ca.ptr, ca.len, MESH_NOW, NULL, &got), 0);
	der.bytes[der.len] = 0;
	verifies(pm_view(der.bytes, der.len + 1), ca, MESH_NOW, PM_E_FORMAT, "mesh.certificate");
	mesh_scene_free(&s);
}
END_TEST

/* --- chains ----------------------------------------------------------------------------------- */

static struct pm_view pem_of(struct pm_view der)
{
	return mint_pem("CERTIFICATE", der);
}

START_TEST(test_chain)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS);
	struct der der = issue(&s, &who);
	struct pm_view ca = mesh_ca(s.authority), leaf = pem_of(view_of(&der)), ca_pem = pem_of(ca);
	struct pm_view root, root_pem, with_ca, with_root, three;

	root.ptr = pm_authority_root_ca(s.authority, &root.len);
	root_pem = pem_of(root);
	with_ca = mint_join(leaf, ca_pem);
	with_root = mint_join(leaf, root_pem);
	three = mint_join(with_ca, ca_pem);
	verifies(leaf, ca, MESH_NOW, PM_OK, "");
	verifies(leaf, ca_pem, MESH_NOW, PM_OK, "");
	verifies(with_ca, ca, MESH_NOW, PM_OK, "");
	verifies(with_root, ca, MESH_NOW, PM_E_REJECTED, "mesh.intermediate");
	verifies(three, ca, MESH_NOW, PM_E_LIMIT, "mesh.certificate");
	verifies(leaf, with_ca, MESH_NOW, PM_E_FORMAT, "mesh_ca"); /* two for the CA */
	verifies(leaf, leaf, MESH_NOW, PM_E_UNSUPPORTED, "mesh_ca");
	verifies(VIEW("-----BEGIN "), ca, MESH_NOW, PM_E_FORMAT, "mesh.certificate");
	test_free(leaf);
	test_free(ca_pem);
	test_free(root_pem);
	test_free(with_ca);
	test_free(with_root);
	test_free(three);
	mesh_scene_free(&s);
}
END_TEST

/* Behind the leaf: the CA's name with another key, and its key with another name. */
START_TEST(test_next)
{
	struct mesh_scene s = mesh_scene_new(), other = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("worker", "a", PM_MESH_TLS);
	struct forgery renamed = {.p384 = true};
	struct der der = issue(&s, &who), stranger = forge(&s, who, &renamed);
	struct pm_view leaf = pem_of(view_of(&der)), name = pem_of(view_of(&stranger));
	struct pm_view key = pem_of(mesh_ca(other.authority));
	struct pm_view with_name = mint_join(leaf, name), with_key = mint_join(leaf, key);

	verifies(with_name, mesh_ca(s.authority), MESH_NOW, PM_E_REJECTED, "mesh.intermediate");
	verifies(with_key, mesh_ca(s.authority), MESH_NOW, PM_E_REJECTED, "mesh.intermediate");
	test_free(leaf);
	test_free(name);
	test_free(key);
	test_free(with_name);
	test_free(with_key);
	mesh_scene_free(&other);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_too_long)
{
	struct mesh_scene s = mesh_scene_new();
	uint8_t *bytes = calloc(1, PM_MESH_CHAIN_SIZE_MAX + 1);

	bytes[0] = 0x30;
	verifies(pm_view(bytes, PM_MESH_CERT_SIZE_MAX + 1), mesh_ca(s.authority), MESH_NOW,
		PM_E_LIMIT, "mesh.certificate");
	bytes[0] = '-';
	verifies(pm_view(bytes, PM_MESH_CHAIN_SIZE_MAX + 1), mesh_ca(s.authority), MESH_NOW,
		PM_E_LIMIT, "mesh.certificate");
	free(bytes);
	mesh_scene_free(&s);
}
END_TEST

/* --- signatures ------------------------------------------------------------------------------- */

struct signed_message {
	uint8_t signature[PM_MESH_SIGNATURE_MAX];
	size_t len;
};

static struct signed_message sign(const struct mesh_scene *s, const char *label)
{
	struct signed_message m;

	ck_pm(pm_mesh_sign(s->key, label, "message", 7, m.signature, &m.len), PM_OK);
	return m;
}

static int check(const struct der *cert, const char *label, const char *message,
	const struct signed_message *m)
{
	return pm_mesh_verify_signature(cert->bytes, cert->len, label, message, strlen(message),
		m->signature, m->len, NULL);
}

START_TEST(test_signature)
{
	struct mesh_scene s = mesh_scene_new(), other = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("coordinator", "a", PM_MESH_SIGN);
	struct pm_mesh_identity tls = mesh_identity("coordinator", "a", PM_MESH_TLS);
	struct der cert = issue(&s, &who), cert_tls = issue(&s, &tls),
		   cert_other = issue(&other, &who);
	struct signed_message m = sign(&s, "join");

	ck_pm(check(&cert, "join", "message", &m), PM_OK);
	ck_pm(check(&cert, "recover", "message", &m), PM_E_REJECTED);
	ck_pm(check(&cert, "joi", "message", &m), PM_E_REJECTED);
	ck_pm(check(&cert, "join", "messag", &m), PM_E_REJECTED);
	ck_pm(check(&cert_tls, "join", "message", &m), PM_E_REJECTED);
	ck_pm(check(&cert_other, "join", "message", &m), PM_E_REJECTED);
	for (size_t i = 0; i < m.len; i++) {
		m.signature[i] ^= 1;
		ck_pm(check(&cert, "join", "message", &m), PM_E_REJECTED);
		m.signature[i] ^= 1;
	}
	m.len--;
	ck_pm(check(&cert, "join", "message", &m), PM_E_REJECTED);
	mesh_scene_free(&other);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_labels)
{
	struct mesh_scene s = mesh_scene_new();
	char longest[PM_MESH_LABEL_MAX + 2];
	uint8_t signature[PM_MESH_SIGNATURE_MAX];
	size_t len;

	memset(longest, 'x', sizeof(longest));
	longest[PM_MESH_LABEL_MAX + 1] = 0;
	ck_pm(pm_mesh_sign(s.key, longest, "", 0, signature, &len), PM_E_ARG);
	longest[PM_MESH_LABEL_MAX] = 0;
	ck_pm(pm_mesh_sign(s.key, longest, "", 0, signature, &len), PM_OK);
	ck_pm(pm_mesh_sign(s.key, "", "", 0, signature, &len), PM_E_ARG);
	ck_pm(pm_mesh_sign(s.key, "a\n", "", 0, signature, &len), PM_E_ARG);
	ck_pm(pm_mesh_sign(s.key, "a\x7f", "", 0, signature, &len), PM_E_ARG);
	ck_pm(pm_mesh_verify_signature(signature, 1, "", "", 0, signature, len, NULL), PM_E_ARG);
	mesh_scene_free(&s);
}
END_TEST

/* What is signed, by another library. */
START_TEST(test_signed_bytes)
{
	static const char bytes[] = "libpm mesh signature v1\0join\0message";
	struct mesh_scene s = mesh_scene_new();
	struct signed_message m = sign(&s, "join");
	const uint8_t *spki = pm_mesh_key_spki(s.key, NULL);
	EVP_PKEY *key = d2i_PUBKEY(NULL, &spki, PM_MESH_SPKI_SIZE);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, m.signature, m.len, (const uint8_t *)bytes,
				 sizeof(bytes) - 1),
		1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	mesh_scene_free(&s);
}
END_TEST

START_TEST(test_key_pem)
{
	struct mesh_scene s = mesh_scene_new();
	char pem[PM_MESH_KEY_PEM_SIZE];
	uint8_t *spki = NULL;
	EVP_PKEY *key;
	BIO *bio;

	ck_pm(pm_mesh_key_pem(s.key, pem), PM_OK);
	bio = BIO_new_mem_buf(pem, -1);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(i2d_PUBKEY(key, &spki), PM_MESH_SPKI_SIZE);
	ck_assert_mem_eq(spki, pm_mesh_key_spki(s.key, NULL), PM_MESH_SPKI_SIZE);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
	BIO_free(bio);
	mesh_scene_free(&s);
}
END_TEST

/* --- claims ----------------------------------------------------------------------------------- */

START_TEST(test_purpose)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_claims *c = calloc(1, sizeof(*c));
	enum pm_mesh_purpose purpose;

	c->key_kind = PM_CLAIMS_SPKI;
	c->key_len = PM_MESH_SPKI_SIZE;
	pm_copy(c->key, s.key->spki, c->key_len);
	ck_pm(pm_mesh_claims_purpose(c, &purpose), PM_OK);
	ck_assert_int_eq(purpose, PM_MESH_SIGN);
	ck_pm(pm_hash(PM_SHA256, pm_view(c->key, c->key_len), c->tls_spki_sha256), PM_OK);
	ck_pm(pm_mesh_claims_purpose(c, &purpose), PM_OK);
	ck_assert_int_eq(purpose, PM_MESH_SIGN); /* has_tls is what counts */
	c->has_tls = true;
	ck_pm(pm_mesh_claims_purpose(c, &purpose), PM_OK);
	ck_assert_int_eq(purpose, PM_MESH_TLS);
	c->tls_spki_sha256[0] ^= 1;
	ck_pm(pm_mesh_claims_purpose(c, &purpose), PM_OK);
	ck_assert_int_eq(purpose, PM_MESH_SIGN);
	c->key[40] ^= 1; /* off the curve */
	ck_pm(pm_mesh_claims_purpose(c, &purpose), PM_E_UNSUPPORTED);
	c->key_kind = PM_CLAIMS_XWING;
	ck_pm(pm_mesh_claims_purpose(c, &purpose), PM_E_UNSUPPORTED);
	free(c);
	mesh_scene_free(&s);
}
END_TEST

/* --- key exchange ----------------------------------------------------------------------------- */

struct exchange {
	struct pm_keyex_client *client;
	char *response;
};

static struct exchange exchange(const struct mesh_scene *s, const struct der *cert)
{
	struct pm_keyex_signer signer = {
		sizeof(signer), cert->bytes, cert->len, pm_mesh_key_sign_digest, s->key, NULL};
	char request[PM_KEYEX_REQUEST_SIZE], id[PM_KEYEX_ID_SIZE];
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	struct exchange x;

	ck_pm(pm_keyex_client_new(&x.client), PM_OK);
	pm_keyex_client_request(x.client, request);
	x.response = malloc(pm_keyex_response_room(cert->len));
	ck_pm(pm_keyex_respond(request, strlen(request), &signer, x.response, id, secret, NULL),
		PM_OK);
	return x;
}

static void finishes(
	const struct mesh_scene *s, const struct pm_mesh_identity *who, bool same, int error)
{
	struct der cert = issue(s, who);
	struct exchange x = exchange(s, &cert);
	struct pm_view ca = mesh_ca(s->authority);
	uint8_t hash[PM_MANIFEST_HASH_SIZE], secret[PM_KEYEX_SECRET_SIZE];
	struct pm_keyex_trust trust = {
		sizeof(trust), ca.ptr, ca.len, MESH_NOW, pm_mesh_keyex_role, hash, NULL};

	pm_manifest_hash(s->manifest, hash);
	hash[31] ^= same ? 0 : 1;
	ck_pm(pm_keyex_client_finish(
		      x.client, x.response, strlen(x.response), &trust, secret, NULL),
		error);
	pm_keyex_client_free(x.client);
	free(x.response);
}

START_TEST(test_keyex)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity secrets = mesh_identity("secrets", "a", PM_MESH_SIGN);
	struct pm_mesh_identity tls = mesh_identity("secrets", "a", PM_MESH_TLS);
	struct pm_mesh_identity worker = mesh_identity("worker", "a", PM_MESH_SIGN);

	finishes(&s, &secrets, true, PM_OK);
	finishes(&s, &secrets, false, PM_E_REJECTED);
	finishes(&s, &tls, true, PM_E_REJECTED);
	finishes(&s, &worker, true, PM_E_REJECTED);
	mesh_scene_free(&s);
}
END_TEST

static int never(const uint8_t *digest, uint8_t *ret_signature, size_t *ret_len, void *arg)
{
	(void)digest;
	(void)ret_signature;
	(void)ret_len;
	(void)arg;
	ck_abort_msg("signed");
	return PM_E_CRYPTO;
}

/*
 * The signatures of key exchanges have no label, and the asker chooses what they begin with. No
 * message of ours is among them: no X-Wing key begins with our label, for the "m" of "libpm" makes
 * a coefficient that is out of range (FIPS 203, 7.2).
 */
START_TEST(test_keyex_signs_no_label)
{
	struct mesh_scene s = mesh_scene_new();
	struct pm_mesh_identity who = mesh_identity("secrets", "a", PM_MESH_SIGN);
	struct der cert = issue(&s, &who);
	struct pm_keyex_signer signer = {sizeof(signer), cert.bytes, cert.len, never, NULL, NULL};
	char request[PM_KEYEX_REQUEST_SIZE], id[PM_KEYEX_ID_SIZE];
	char *response = malloc(pm_keyex_response_room(cert.len));
	uint8_t secret[PM_KEYEX_SECRET_SIZE];
	struct pm_keyex_client *client = NULL;

	ck_pm(pm_keyex_client_new(&client), PM_OK);
	pm_keyex_client_request(client, request);
	pm_copy(request + strlen("{\"PublicKey\":\""), "bGlicG0g", 8); /* "libpm " */
	ck_pm(pm_keyex_respond(request, strlen(request), &signer, response, id, secret, NULL),
		PM_E_REJECTED);
	pm_keyex_client_free(client);
	free(response);
	mesh_scene_free(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mesh");
	TCase *certs = tcase_create("certificates"), *keys = tcase_create("keys");

	tcase_set_timeout(certs, 120);
	tcase_add_test(certs, test_identity);
	tcase_add_test(certs, test_validity);
	tcase_add_test(certs, test_not_yet_valid);
	tcase_add_test(certs, test_other_ca);
	tcase_add_test(certs, test_ca_of_another_manifest);
	tcase_add_loop_test(certs, test_form, 0, PM_ARRAY_LEN(forgeries));
	tcase_add_test(certs, test_form_tls);
	tcase_add_test(certs, test_two_identities);
	tcase_add_loop_test(certs, test_cbor, 0, PM_ARRAY_LEN(cbor_cases));
	tcase_add_test(certs, test_cbor_round);
	tcase_add_test(certs, test_longest);
	tcase_add_test(certs, test_flips);
	tcase_add_test(certs, test_cuts);
	tcase_add_test(certs, test_chain);
	tcase_add_test(certs, test_next);
	tcase_add_test(certs, test_too_long);
	suite_add_tcase(suite, certs);
	tcase_add_test(keys, test_signature);
	tcase_add_test(keys, test_labels);
	tcase_add_test(keys, test_signed_bytes);
	tcase_add_test(keys, test_key_pem);
	tcase_add_test(keys, test_purpose);
	tcase_add_test(keys, test_keyex);
	tcase_add_test(keys, test_keyex_signs_no_label);
	suite_add_tcase(suite, keys);
	return test_main(suite);
}
