/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of NVIDIA's hierarchies: devices (root, Identity, Provisioner ICA, BROM, leaf),
 * signers of reference manifests (root, CA, L3, L4) and OCSP responders, with the algorithms,
 * names, key usages and extensions of the real ones.
 */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define OID_DMTF_DEVICE "1.3.6.1.4.1.412.274.1"
#define OID_COMPOSITE	"2.23.133.5.4.1"
#define OID_TCB_INFO	"2.23.133.5.4.1.1"

/* --- what each certificate says --------------------------------------------------------------- */

static void set_serial(const struct sim_gpu_machine *m, struct sim_gpu_cert *c, size_t size)
{
	sim_gpu_derive(m, c->serial, size, "serial %s", c->name);
	/* Positive and of full length, as the real ones of devices are. */
	c->serial[0] = 0x40 | (c->serial[0] & 0x1f);
	c->serial_size = size;
}

static void cert_init(const struct sim_gpu_machine *m, struct sim_gpu_cert *c, const char *name,
	const char *cn, enum sim_gpu_usage usage)
{
	*c = (struct sim_gpu_cert){.usage = usage, .hash = "SHA384", .path_len = -1};
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->cn, sizeof(c->cn), "%s", cn);
	c->not_before = m->epoch - 2 * SIM_YEAR;
	c->not_after = SIM_GPU_FOREVER;
	set_serial(m, c, 16);
}

static void set_issuer(struct sim_gpu_cert *c, const struct sim_gpu_cert *issuer)
{
	memcpy(c->issuer, issuer->name, sizeof(c->issuer));
	memcpy(c->issuer_cn, issuer->cn, sizeof(c->issuer_cn));
	memcpy(c->issuer_number, issuer->number, sizeof(c->issuer_number));
}

static void set_number(struct sim_gpu_cert *c)
{
	for (size_t i = 0; i < c->serial_size; i++)
		snprintf(c->number + 2 * i, 3, "%02X", c->serial[i]);
}

static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
}

static void authorities_init(
	const struct sim_gpu_machine *m, const struct sim_gpu_arch *arch, struct sim_gpu_cert *ret)
{
	char name[SIM_GPU_NAME], cn[SIM_GPU_CN];

	snprintf(name, sizeof(name), "%s-ica", arch->chip);
	lower(name);
	cert_init(m, &ret[2], name, arch->ica, SIM_USE_CA);
	snprintf(name, sizeof(name), "%s-identity", arch->identity);
	lower(name);
	snprintf(cn, sizeof(cn), "NVIDIA %s Identity", arch->identity);
	cert_init(m, &ret[3], name, cn, SIM_USE_CA);
	cert_init(m, &ret[4], "device-root", "NVIDIA Device Identity CA", SIM_USE_CA);
}

static void leaf_init(
	const struct sim_gpu_machine *m, const struct sim_gpu_device *d, struct sim_gpu_cert *leaf)
{
	uint8_t id[8];
	char hex[17];

	leaf->fwid_kind = d->arch->tcb_info ? SIM_FWID_TCB_INFO : SIM_FWID_COMPOSITE;
	sim_gpu_fwid(m, d, leaf->fwid);
	sim_gpu_derive(m, id, sizeof(id), "device id %s", d->name);
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(hex + 2 * i, 3, "%02X", id[i]);
	snprintf(leaf->san, sizeof(leaf->san), "NVIDIA:%s:%s", d->arch->chip, hex);
}

void sim_gpu_chain_init(const struct sim_gpu_machine *m, const struct sim_gpu_device *d,
	struct sim_gpu_cert ret[SIM_GPU_CHAIN])
{
	char name[SIM_GPU_NAME], cn[SIM_GPU_CN];

	authorities_init(m, d->arch, ret);
	snprintf(name, sizeof(name), "%.16s-brom", d->name);
	snprintf(cn, sizeof(cn), "%s A01 %s BROM", d->arch->chip, d->arch->firmware);
	cert_init(m, &ret[1], name, cn, SIM_USE_CA_CERTS);
	ret[1].serial[0] = sim_gpu_is_switch(d) ? 0x50 : 0x41;
	sim_gpu_pdi(m, sim_gpu_is_switch(d), d->index, ret[1].serial + 1);
	ret[1].serial_size = 9;
	set_number(&ret[1]);
	snprintf(name, sizeof(name), "%.16s-leaf", d->name);
	snprintf(cn, sizeof(cn), "%s A01 %s FMC LF", d->arch->chip, d->arch->firmware);
	cert_init(m, &ret[0], name, cn, SIM_USE_DEVICE);
	set_serial(m, &ret[0], 20);
	set_number(&ret[0]);
	leaf_init(m, d, &ret[0]);
	for (int i = 0; i < SIM_GPU_CHAIN; i++)
		set_issuer(&ret[i], &ret[i + 1 < SIM_GPU_CHAIN ? i + 1 : i]);
}

void sim_rim_chain_init(const struct sim_gpu_machine *m, const char *product,
	struct sim_gpu_cert ret[SIM_RIM_CHAIN])
{
	char name[SIM_GPU_NAME], cn[SIM_GPU_CN];

	cert_init(m, &ret[3], "rim-root", "NVIDIA CoRIM signing Root CA", SIM_USE_CA);
	ret[3].not_after = m->epoch + 27 * SIM_YEAR;
	snprintf(name, sizeof(name), "rim-%.8s-ca", product);
	lower(name);
	snprintf(cn, sizeof(cn), "NVIDIA Reference Value %.8s CA", product);
	cert_init(m, &ret[2], name, cn, SIM_USE_CA);
	ret[2].not_after = m->epoch + 10 * SIM_YEAR;
	snprintf(name, sizeof(name), "rim-%.8s-l3", product);
	lower(name);
	snprintf(cn, sizeof(cn), "NVIDIA Reference Value L3 %.8s 002", product);
	cert_init(m, &ret[1], name, cn, SIM_USE_CA);
	ret[1].path_len = 0;
	ret[1].not_after = m->epoch + 3 * SIM_YEAR;
	snprintf(name, sizeof(name), "rim-%.8s-l4", product);
	lower(name);
	cert_init(m, &ret[0], name, "HCC RIM L4 Signer", SIM_USE_SIGNER);
	set_serial(m, &ret[0], 8);
	ret[0].not_before = m->epoch - 30 * SIM_DAY;
	ret[0].not_after = m->epoch + 2 * SIM_YEAR;
	for (int i = 0; i < SIM_RIM_CHAIN; i++)
		set_issuer(&ret[i], &ret[i + 1 < SIM_RIM_CHAIN ? i + 1 : i]);
}

void sim_responder_init(const struct sim_gpu_machine *m, const struct sim_gpu_cert *issuer,
	struct sim_gpu_cert *ret)
{
	char name[SIM_GPU_NAME], cn[SIM_GPU_CN];

	snprintf(name, sizeof(name), "ocsp-%.24s", issuer->name);
	snprintf(cn, sizeof(cn), "NVIDIA OCSP Responder %.40s", issuer->name);
	cert_init(m, ret, name, cn, SIM_USE_RESPONDER);
	ret->not_after = m->epoch + 3 * SIM_YEAR;
	set_issuer(ret, issuer);
}

/* --- making them ------------------------------------------------------------------------------ */

static X509_NAME *name_make(const char *cn, const char *number)
{
	const struct {
		const char *type, *value;
	} parts[] = {{"serialNumber", number}, {"C", "US"}, {"O", "NVIDIA Corporation"},
		{"OU", "libpm TEST ROOT"}, {"CN", cn}};
	X509_NAME *name = X509_NAME_new();
	int ok = name != NULL;

	for (size_t i = 0; ok && i < sizeof(parts) / sizeof(parts[0]); i++)
		ok = !parts[i].value[0] ||
		     X509_NAME_add_entry_by_txt(name, parts[i].type, MBSTRING_ASC,
			     (const unsigned char *)parts[i].value, -1, -1, 0);
	if (ok)
		return name;
	X509_NAME_free(name);
	return NULL;
}

static int set_names(X509 *cert, const struct sim_gpu_cert *spec)
{
	sim_cleanup(X509_NAME) X509_NAME *subject = name_make(spec->cn, spec->number);
	sim_cleanup(X509_NAME) X509_NAME *issuer = name_make(spec->issuer_cn, spec->issuer_number);

	if (subject && issuer && X509_set_subject_name(cert, subject) == 1 &&
		X509_set_issuer_name(cert, issuer) == 1)
		return TOOL_OK;
	return sim_fail("can't set the names");
}

static int set_times(X509 *cert, const struct sim_gpu_cert *spec)
{
	sim_cleanup(ASN1_TIME) ASN1_TIME *from = NULL;
	sim_cleanup(ASN1_TIME) ASN1_TIME *to = NULL;
	int r = sim_time_set(&from, spec->not_before);

	if (r == TOOL_OK)
		r = sim_time_set(&to, spec->not_after);
	if (r == TOOL_OK &&
		(X509_set1_notBefore(cert, from) != 1 || X509_set1_notAfter(cert, to) != 1))
		r = sim_fail("can't set the validity");
	return r;
}

static int set_serial_number(X509 *cert, const struct sim_gpu_cert *spec)
{
	BIGNUM *n = BN_bin2bn(spec->serial, (int)spec->serial_size, NULL);
	int ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

	BN_free(n);
	return ok ? TOOL_OK : sim_fail("can't set the serial number");
}

static int add_standard(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? TOOL_OK : sim_fail("can't add extension %s", OBJ_nid2sn(nid));
}

static int add_raw(X509 *cert, const char *oid, const uint8_t *der, size_t len)
{
	sim_cleanup(ASN1_OBJECT) ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	sim_cleanup(ASN1_OCTET_STRING) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	int ok = obj && value && ASN1_OCTET_STRING_set(value, der, (int)len) == 1;

	ok = ok && (ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, value)) != NULL &&
	     X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? TOOL_OK : sim_fail("can't add extension %s", oid);
}

/* The usages of each kind, as extension texts; NULL for none. */
static const struct {
	const char *constraints, *usage, *extended;
} usages[] = {
	[SIM_USE_CA] = {"critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL},
	[SIM_USE_CA_CERTS] = {"critical,CA:TRUE", "critical,keyCertSign", NULL},
	[SIM_USE_DEVICE] = {NULL, "critical,digitalSignature", NULL},
	[SIM_USE_SIGNER] = {"critical,CA:FALSE", "critical,digitalSignature", NULL},
	[SIM_USE_RESPONDER] = {"CA:FALSE", "critical,digitalSignature",
		"critical,OCSPSigning,1.3.6.1.5.5.7.48.1.5"},
	[SIM_USE_NONE] = {NULL, "critical,keyAgreement", NULL},
};

static int add_usage(X509 *cert, const struct sim_gpu_cert *spec)
{
	char constraints[64];
	int r = TOOL_OK;

	snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d", spec->path_len);
	if (usages[spec->usage].constraints)
		r = add_standard(cert, NID_basic_constraints,
			spec->path_len >= 0 ? constraints : usages[spec->usage].constraints);
	if (r == TOOL_OK)
		r = add_standard(cert, NID_key_usage, usages[spec->usage].usage);
	if (r == TOOL_OK && usages[spec->usage].extended)
		r = add_standard(cert, NID_ext_key_usage, usages[spec->usage].extended);
	return r;
}

static int add_key_ids(X509 *cert, EVP_PKEY *issuer)
{
	AUTHORITY_KEYID *id = sim_authority_id(issuer);
	int r = add_standard(cert, NID_subject_key_identifier, "hash");

	if (r == TOOL_OK && (!id || X509_add1_ext_i2d(cert, NID_authority_key_identifier, id, 0,
					    X509V3_ADD_DEFAULT) != 1))
		r = sim_fail("can't add authorityKeyIdentifier");
	AUTHORITY_KEYID_free(id);
	return r;
}

/* subjectAltName with one otherName of DMTF's, a UTF8String. */
static int add_san(X509 *cert, const char *san)
{
	char text[160];

	snprintf(text, sizeof(text), "otherName:" OID_DMTF_DEVICE ";UTF8:%s", san);
	return san[0] ? add_standard(cert, NID_subject_alt_name, text) : TOOL_OK;
}

/* TCG DICE CompositeDeviceID: { version 1, the issuer's key, { SHA-384, digest } }. */
static int add_composite(X509 *cert, const struct sim_gpu_cert *spec, EVP_PKEY *issuer)
{
	static const uint8_t head[] = {0x30, 0x81, 0xba, 0x02, 0x01, 0x01};
	static const uint8_t digest[] = {0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
		0x04, 0x02, 0x02, 0x04, 0x30};
	uint8_t der[sizeof(head) + 120 + sizeof(digest) + SIM_GPU_DIGEST], *p = der + sizeof(head);

	if (i2d_PUBKEY(issuer, NULL) != 120)
		return sim_fail("the issuer's key is not on P-384");
	memcpy(der, head, sizeof(head));
	i2d_PUBKEY(issuer, &p);
	memcpy(p, digest, sizeof(digest));
	memcpy(p + sizeof(digest), spec->fwid, SIM_GPU_DIGEST);
	return add_raw(cert, OID_COMPOSITE, der, sizeof(der));
}

/* TCG DiceTcbInfo with two FWIDs, of which the second is zero, as GB100 has it. */
static int add_tcb_info(X509 *cert, const struct sim_gpu_cert *spec)
{
	static const uint8_t head[] = "\x30\x81\xb1\x80\x06NVIDIA\x81\x0dGB100 A01 GSP\x82\x02"
				      "01\x83\x01\x01\x84\x01\x00\x85\x01\x00\xa6\x7e";
	static const uint8_t digest[] = {0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
		0x04, 0x02, 0x02, 0x04, 0x30};
	static const uint8_t tail[] = {
		0x87, 0x05, 0x00, 0x80, 0x00, 0x00, 0x01, 0x88, 0x01, 0xc0, 0x89, 0x01, 0x00};
	const size_t head_size = sizeof(head) - 1;
	uint8_t der[180] = {0}, *p = der;

	memcpy(p, head, head_size);
	p += head_size;
	memcpy(p, digest, sizeof(digest));
	memcpy(p + sizeof(digest), spec->fwid, SIM_GPU_DIGEST);
	p += sizeof(digest) + SIM_GPU_DIGEST;
	memcpy(p, digest, sizeof(digest));
	p += sizeof(digest) + SIM_GPU_DIGEST;
	memcpy(p, tail, sizeof(tail));
	return add_raw(cert, OID_TCB_INFO, der, sizeof(der));
}

static int add_extensions(X509 *cert, const struct sim_gpu_cert *spec, EVP_PKEY *issuer)
{
	int r = add_usage(cert, spec);

	if (r == TOOL_OK)
		r = add_key_ids(cert, issuer);
	if (r == TOOL_OK)
		r = add_san(cert, spec->san);
	if (r == TOOL_OK && spec->fwid_kind == SIM_FWID_COMPOSITE)
		r = add_composite(cert, spec, issuer);
	if (r == TOOL_OK && spec->fwid_kind == SIM_FWID_TCB_INFO)
		r = add_tcb_info(cert, spec);
	return r;
}

static int cert_fill(const struct sim_gpu_machine *m, const struct sim_gpu_cert *spec, X509 *cert)
{
	sim_cleanup(EVP_PKEY) EVP_PKEY *key = NULL;
	sim_cleanup(EVP_PKEY) EVP_PKEY *issuer = NULL;
	int r = sim_gpu_key(m, spec->name, &key);

	if (r == TOOL_OK)
		r = sim_gpu_key(m, spec->issuer, &issuer);
	if (r == TOOL_OK &&
		(X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1))
		r = sim_fail("can't make a certificate");
	if (r == TOOL_OK)
		r = set_names(cert, spec);
	if (r == TOOL_OK)
		r = set_times(cert, spec);
	if (r == TOOL_OK)
		r = set_serial_number(cert, spec);
	if (r == TOOL_OK)
		r = add_extensions(cert, spec, issuer);
	if (r == TOOL_OK && X509_sign(cert, issuer, EVP_get_digestbyname(spec->hash)) <= 0)
		r = sim_fail("can't sign a certificate");
	return r;
}

/* --- stored ones ------------------------------------------------------------------------------ */

int sim_gpu_cert_pem(X509 *cert, struct sim_text *t)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long n = 0;
	int ok = bio && PEM_write_bio_X509(bio, cert) == 1;

	if (ok) {
		n = BIO_get_mem_data(bio, &pem);
		sim_text_add(t, "%.*s", (int)n, pem);
	}
	BIO_free(bio);
	return ok ? TOOL_OK : sim_fail("can't encode a certificate");
}

static int cert_load(const struct sim_gpu_machine *m, const char *file, X509 **ret)
{
	sim_cleanup_buf struct sim_bytes pem = {0};
	BIO *bio;
	int r = sim_gpu_read(m, file, &pem);

	if (r != TOOL_OK)
		return r;
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	*ret = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return *ret ? TOOL_OK : sim_fail("%s/gpu/%s: not a certificate", m->dir, file);
}

static int cert_store(const struct sim_gpu_machine *m, const char *file, X509 *cert)
{
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text t = {0};
	int r = sim_gpu_cert_pem(cert, &t);

	return r ? r : sim_gpu_write(m, file, t.text, t.len);
}

int sim_gpu_cert_get(const struct sim_gpu_machine *m, const struct sim_gpu_cert *spec, X509 **ret)
{
	char file[SIM_GPU_NAME + 8];
	X509 *cert;
	int r;

	snprintf(file, sizeof(file), "%s.pem", spec->name);
	if (!spec->remake && sim_gpu_has(m, file))
		return cert_load(m, file, ret);
	cert = X509_new();
	if (!cert)
		return sim_fail("out of memory");
	r = cert_fill(m, spec, cert);
	if (r == TOOL_OK && !spec->remake)
		r = cert_store(m, file, cert);
	if (r != TOOL_OK) {
		X509_free(cert);
		return r;
	}
	*ret = cert;
	return TOOL_OK;
}
