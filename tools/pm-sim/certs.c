/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of AMD's hierarchy (AMD 57230): ARK, ASK or ASVK, VCEK or VLEK, with the
 * algorithms, names, serial numbers and extensions of the real ones.
 */
#include "pm-sim/sim.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#define AMD_ARC "1.3.6.1.4.1.3704.1"

/* A component of the TCB in the certificate, in the order of real ones. */
struct component {
	const char *oid;
	size_t offset;
};

#define TCB(member) offsetof(struct sim_tcb, member)

static const struct component early_components[] = {{AMD_ARC ".3.1", TCB(bl)},
	{AMD_ARC ".3.2", TCB(tee)}, {AMD_ARC ".3.4", TCB(spare)}, {AMD_ARC ".3.5", TCB(spare)},
	{AMD_ARC ".3.6", TCB(spare)}, {AMD_ARC ".3.7", TCB(spare)}, {AMD_ARC ".3.3", TCB(snp)},
	{AMD_ARC ".3.8", TCB(ucode)}};

static const struct component turin_components[] = {{AMD_ARC ".3.9", TCB(fmc)},
	{AMD_ARC ".3.1", TCB(bl)}, {AMD_ARC ".3.2", TCB(tee)}, {AMD_ARC ".3.3", TCB(snp)},
	{AMD_ARC ".3.5", TCB(spare)}, {AMD_ARC ".3.6", TCB(spare)}, {AMD_ARC ".3.7", TCB(spare)},
	{AMD_ARC ".3.8", TCB(ucode)}};

static int take_der(X509 *cert, struct sim_bytes *ret)
{
	uint8_t der[8192], *end = der;
	int n = i2d_X509(cert, NULL);

	if (n <= 0 || (size_t)n > sizeof(der) || i2d_X509(cert, &end) != n)
		return sim_fail("can't encode a certificate");
	return sim_bytes_set(ret, der, (size_t)n);
}

static int sign_and_take(
	struct sim_plan *plan, X509 *cert, const struct sim_signing *by, struct sim_bytes *ret)
{
	int r = sim_cert_sign(plan->machine, cert, by);

	return r ? r : take_der(cert, ret);
}

/* --- authorities ------------------------------------------------------------------------------ */

static int add_standard(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	int ok = ext && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return ok ? TOOL_OK : sim_fail("can't add extension %s", OBJ_nid2sn(nid));
}

static int add_authority_id(X509 *cert, EVP_PKEY *key)
{
	AUTHORITY_KEYID *id = sim_authority_id(key);
	int ok = id && X509_add1_ext_i2d(
			       cert, NID_authority_key_identifier, id, 0, X509V3_ADD_DEFAULT) == 1;

	AUTHORITY_KEYID_free(id);
	return ok ? TOOL_OK : sim_fail("can't add authorityKeyIdentifier");
}

/* Real ones name AMD's server; a list fetched there would not be the test root's. */
static int add_distribution(
	X509 *cert, X509V3_CTX *ctx, const struct sim_plan *plan, const char *kind)
{
	char uri[128];

	snprintf(uri, sizeof(uri), "URI:https://kdsintf.invalid/%s/v1/%s/crl", kind,
		plan->machine->product->name);
	return add_standard(cert, ctx, NID_crl_distribution_points, uri);
}

int sim_ark_make(struct sim_plan *plan, struct sim_bytes *ret)
{
	const struct sim_product *product = plan->machine->product;
	char cn[32];
	const struct sim_cert_spec spec = {cn, cn, product->ark_serial, plan->ark.not_before,
		plan->ark.not_after, plan->ark.key, plan->ark.by};
	sim_cleanup(X509) X509 *cert = NULL;
	X509V3_CTX ctx;
	int r;

	snprintf(cn, sizeof(cn), "ARK-%s", product->name);
	cert = sim_cert_new(plan->machine, &spec);
	if (!cert)
		return TOOL_USAGE;
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	r = add_standard(cert, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (r == TOOL_OK)
		r = add_standard(cert, &ctx, NID_subject_key_identifier, "hash");
	if (r == TOOL_OK)
		r = add_standard(cert, &ctx, NID_basic_constraints,
			plan->ark.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (r == TOOL_OK)
		r = add_distribution(cert, &ctx, plan, "vcek");
	return r ? r : sign_and_take(plan, cert, &plan->ark.by, ret);
}

static void ica_name(const struct sim_plan *plan, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s", plan->ica_kind == SIM_ASVK ? "SEV-VLEK-" : "SEV-",
		plan->machine->product->name);
}

static int ica_extensions(struct sim_plan *plan, X509 *cert)
{
	X509V3_CTX ctx;
	EVP_PKEY *issuer = NULL;
	int r = sim_machine_key(plan->machine, plan->ica.by.key, &issuer);

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	if (r == TOOL_OK)
		r = add_standard(cert, &ctx, NID_subject_key_identifier, "hash");
	if (r == TOOL_OK)
		r = add_authority_id(cert, issuer);
	if (r == TOOL_OK)
		r = add_standard(cert, &ctx, NID_basic_constraints,
			plan->ica.ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
	if (r == TOOL_OK)
		r = add_standard(cert, &ctx, NID_key_usage, "critical,keyCertSign");
	if (r == TOOL_OK)
		r = add_distribution(
			cert, &ctx, plan, plan->ica_kind == SIM_ASVK ? "vlek" : "vcek");
	return r;
}

int sim_ica_make(struct sim_plan *plan, struct sim_bytes *ret)
{
	const struct sim_product *product = plan->machine->product;
	char cn[32], issuer[32];
	const struct sim_cert_spec spec = {cn, issuer,
		plan->ica_kind == SIM_ASVK ? product->asvk_serial : product->ask_serial,
		plan->ica.not_before, plan->ica.not_after, plan->ica.key, plan->ica.by};
	sim_cleanup(X509) X509 *cert = NULL;
	int r;

	ica_name(plan, cn, sizeof(cn));
	snprintf(issuer, sizeof(issuer), "ARK-%s", product->name);
	cert = sim_cert_new(plan->machine, &spec);
	if (!cert)
		return TOOL_USAGE;
	r = ica_extensions(plan, cert);
	return r ? r : sign_and_take(plan, cert, &plan->ica.by, ret);
}

/* --- the key that signs reports --------------------------------------------------------------- */

static int add_amd(X509 *cert, const char *oid, const void *bytes, size_t len)
{
	sim_cleanup(ASN1_OBJECT) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	sim_cleanup(ASN1_OCTET_STRING) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	int ok = object && value && ASN1_OCTET_STRING_set(value, bytes, (int)len) == 1;

	if (ok)
		ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
	ok = ext && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? TOOL_OK : sim_fail("can't add extension %s", oid);
}

/* INTEGER of 0 to 255: above 127 a zero comes first, or it would be negative. */
static int add_integer(X509 *cert, const char *oid, uint8_t value)
{
	const uint8_t small[] = {0x02, 0x01, value};
	const uint8_t large[] = {0x02, 0x02, 0x00, value};

	if (value < 0x80)
		return add_amd(cert, oid, small, sizeof(small));
	return add_amd(cert, oid, large, sizeof(large));
}

static int add_string(X509 *cert, const char *oid, const char *value)
{
	uint8_t der[128] = {0x16, (uint8_t)strlen(value)}; /* IA5String, short length */

	memcpy(der + 2, value, der[1]);
	return add_amd(cert, oid, der, der[1] + (size_t)2);
}

static int add_components(X509 *cert, const struct sim_vek_plan *vek)
{
	bool turin = vek->struct_version != 0;
	const struct component *c = turin ? turin_components : early_components;
	size_t n = turin ? sizeof(turin_components) : sizeof(early_components);
	int r = TOOL_OK;

	for (size_t i = 0; r == TOOL_OK && i < n / sizeof(*c); i++)
		if (!(vek->no_ucode && c[i].offset == TCB(ucode)))
			r = add_integer(cert, c[i].oid, ((const uint8_t *)&vek->tcb)[c[i].offset]);
	return r;
}

static int vek_extensions(const struct sim_vek_plan *vek, X509 *cert)
{
	int r = add_integer(cert, AMD_ARC ".1", (uint8_t)vek->struct_version);

	if (r == TOOL_OK)
		r = add_string(cert, AMD_ARC ".2", vek->product_name);
	if (r == TOOL_OK)
		r = add_components(cert, vek);
	if (r == TOOL_OK && vek->hwid_size)
		r = add_amd(cert, AMD_ARC ".4", vek->hwid, vek->hwid_size);
	if (r == TOOL_OK && vek->csp_id[0])
		r = add_string(cert, AMD_ARC ".5", vek->csp_id);
	if (r == TOOL_OK && vek->doubled)
		r = add_integer(cert, AMD_ARC ".3.8", vek->tcb.ucode);
	if (r == TOOL_OK && vek->ca)
		r = add_standard(cert, NULL, NID_basic_constraints, "critical,CA:TRUE");
	return r;
}

int sim_vek_make(struct sim_plan *plan, struct sim_bytes *ret)
{
	const struct sim_vek_plan *vek = &plan->vek;
	char issuer[32];
	const struct sim_cert_spec spec = {
		vek->cn, issuer, 0, vek->not_before, vek->not_after, vek->key, vek->by};
	sim_cleanup(X509) X509 *cert = NULL;
	int r;

	ica_name(plan, issuer, sizeof(issuer));
	cert = sim_cert_new(plan->machine, &spec);
	if (!cert)
		return TOOL_USAGE;
	r = vek_extensions(vek, cert);
	return r ? r : sign_and_take(plan, cert, &vek->by, ret);
}
