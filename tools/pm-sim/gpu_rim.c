/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference integrity manifests as NVIDIA publishes them: SWID tags with an enveloped XML signature
 * over Canonical XML 1.1. The same elements are written twice: as they stand in the file, and in
 * their canonical form, over which digest and signature go.
 */
#include "pm-sim/sim_gpu.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NS_SWID	  "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define NS_SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"
#define NS_TCG                                                                                     \
	"https://trustedcomputinggroup.org/resource/"                                              \
	"tcg-reference-integrity-manifest-rim-information-model/"
#define NS_DSIG	      "http://www.w3.org/2000/09/xmldsig#"
#define ALG_C14N      "http://www.w3.org/2006/12/xml-c14n11"
#define ALG_ENVELOPED NS_DSIG "enveloped-signature"
#define ALG_SIGNATURE "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
#define ALG_DIGEST    "http://www.w3.org/2001/04/xmldsig-more#sha384"

#define ATTRS_MAX 20

struct attr {
	const char *name, *value;
};

/* --- what a manifest says --------------------------------------------------------------------- */

int sim_rim_id(const struct sim_gpu_machine *m, enum sim_rim_kind kind, char ret[SIM_RIM_ID])
{
	const struct sim_gpu_arch *a = m->arch;
	char flat[SIM_GPU_VERSION], *p = flat;
	const char *version = kind == SIM_RIM_SWITCH ? m->bios : m->vbios;

	if (kind != SIM_RIM_SWITCH && !a)
		return sim_fail("%s: has no GPU", m->dir);
	for (; *version; version++)
		if (*version != '.')
			*p++ = (char)toupper((unsigned char)*version);
	*p = '\0';
	if (kind == SIM_RIM_DRIVER)
		snprintf(ret, SIM_RIM_ID, "NV_GPU_%s_%s_%s", a->tcb_info ? "CC_DRIVER" : "DRIVER",
			a->product, m->driver);
	else if (kind == SIM_RIM_VBIOS)
		snprintf(ret, SIM_RIM_ID, "NV_GPU_VBIOS_%s_%s_%s_%s", a->project, a->project_sku,
			a->chip_sku, flat);
	else
		snprintf(ret, SIM_RIM_ID, "NV_SWITCH_BIOS_5612_0002_890_%s", flat);
	return TOOL_OK;
}

static void hex_of(const uint8_t *value, char *ret)
{
	pm_hex_encode(value, SIM_GPU_DIGEST, ret);
}

/* Some indices allow several values, of which the device's is the last. */
static unsigned int alternatives_of(unsigned int index)
{
	return index == 35 ? 4 : index % 7 == 3 ? 2 : 1;
}

static void resource_init(const struct sim_gpu_machine *m, const struct sim_gpu_device *d,
	unsigned int index, bool active, struct sim_rim_resource *ret)
{
	uint8_t value[SIM_GPU_DIGEST] = {0};

	*ret = (struct sim_rim_resource){.index = index,
		.active = active ? "True" : "False",
		.alternatives = active ? alternatives_of(index) : 1,
		.size = "48"};
	for (unsigned int i = 0; i < ret->alternatives; i++) {
		sim_gpu_derive(m, value, sizeof(value), "alternative %u %u", index, i);
		hex_of(value, ret->hash[i]);
	}
	memset(value, 0, sizeof(value));
	if (active)
		sim_gpu_measurement(m, d, index, value);
	hex_of(value, ret->hash[ret->alternatives - 1]);
}

void sim_rim_init(struct sim_gpu_plan *plan, enum sim_rim_kind kind)
{
	const struct sim_gpu_machine *m = plan->machine;
	const struct sim_gpu_device d = {
		.arch = kind == SIM_RIM_SWITCH ? &sim_gpu_ls10 : m->arch, .name = "any"};
	struct sim_rim *rim = &plan->rim;
	uint64_t set = kind == SIM_RIM_DRIVER ? d.arch->driver_indices : d.arch->vbios_indices;

	*rim = (struct sim_rim){.kind = kind,
		.manufacturer = "5703",
		.uri = "",
		.digest_method = ALG_DIGEST,
		.transform = ALG_ENVELOPED,
		.prolog = "",
		.extra = "",
		.key_info = ""};
	strcpy(rim->product, d.arch->product);
	memcpy(rim->version,
		kind == SIM_RIM_DRIVER	? m->driver
		: kind == SIM_RIM_VBIOS ? m->vbios
					: m->bios,
		sizeof(rim->version));
	rim->resource_count = SIM_GPU_BLOCKS;
	for (unsigned int i = 0; i < rim->resource_count; i++)
		resource_init(m, &d, i, set >> i & 1, &rim->resources[i]);
	sim_rim_chain_init(m, d.arch->product, rim->chain);
	rim->chain_count = SIM_RIM_CHAIN;
	memcpy(rim->key, rim->chain[0].name, sizeof(rim->key));
}

/* --- elements --------------------------------------------------------------------------------- */

/* Canonical order: default namespace, namespaces, attributes without and with a prefix. */
static int rank_of(const char *name)
{
	if (strncmp(name, "xmlns", 5) == 0)
		return name[5] == ':';
	return strchr(name, ':') ? 3 : 2;
}

static bool before(const struct attr *a, const struct attr *b)
{
	int ra = rank_of(a->name), rb = rank_of(b->name);

	return ra != rb ? ra < rb : strcmp(a->name, b->name) < 0;
}

static void sort(struct attr *attrs, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && before(&attrs[j], &attrs[j - 1]); j--) {
			struct attr t = attrs[j];

			attrs[j] = attrs[j - 1];
			attrs[j - 1] = t;
		}
}

/* An output, as in the file or canonical. */
struct out {
	struct sim_text text;
	bool canonical;
};

static void tag(struct out *o, const char *name, const struct attr *attrs, size_t n)
{
	struct attr sorted[ATTRS_MAX] = {{0}};

	if (n)
		memcpy(sorted, attrs, n * sizeof(*attrs));
	if (o->canonical)
		sort(sorted, n);
	sim_text_add(&o->text, "<%s", name);
	for (size_t i = 0; i < n; i++)
		sim_text_add(&o->text, " %s=\"%s\"", sorted[i].name, sorted[i].value);
}

static void start(struct out *o, const char *name, const struct attr *attrs, size_t n)
{
	tag(o, name, attrs, n);
	sim_text_add(&o->text, ">");
}

static void empty(struct out *o, const char *name, const struct attr *attrs, size_t n)
{
	tag(o, name, attrs, n);
	if (o->canonical)
		sim_text_add(&o->text, "></%s>", name);
	else
		sim_text_add(&o->text, "/>");
}

static void end(struct out *o, const char *name)
{
	sim_text_add(&o->text, "</%s>", name);
}

/* --- the document ----------------------------------------------------------------------------- */

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void put_root(const struct sim_gpu_plan *plan, struct out *o)
{
	const struct sim_rim *rim = &plan->rim;
	uint8_t id[SIM_GPU_DIGEST];
	char hex[2 * sizeof(id) + 1];

	sim_gpu_derive(plan->machine, id, sizeof(id), "tag %s %s", rim->product, rim->version);
	hex_of(id, hex);
	const struct attr attrs[] = {{"xmlns", NS_SWID}, {"xmlns:ns0", NS_SWID},
		{"xmlns:ns2", NS_SHA384}, {"corpus", "false"}, {"name", rim->product},
		{"patch", "false"}, {"supplemental", "false"}, {"tagId", hex}, {"version", "1.0"},
		{"tagVersion", "0"}};
	start(o, "SoftwareIdentity", attrs, COUNT(attrs));
}

static void put_meta(const struct sim_rim *rim, struct out *o)
{
	const struct attr attrs[] = {{"xmlns:ns1", NS_TCG}, {"colloquialVersion", rim->version},
		{"edition", rim->kind == SIM_RIM_SWITCH ? "SWITCH" : "GPU"},
		{"product", rim->product}, {"revision", "r1"}, {"PayloadType", "direct"},
		{"ns1:BindingSpec", "RIMIM"}, {"ns1:BindingSpecVersion", "1.01"},
		{"ns1:PlatformManufacturerId", "5703"},
		{"ns1:PlatformManufacturerStr", "NVIDIA Corporation"},
		{"ns1:PlatformModel", rim->product},
		{"ns1:FirmwareManufacturer", "NVIDIA Corporation"},
		{"ns1:FirmwareManufacturerId", rim->manufacturer}};

	empty(o, "ns0:Meta", attrs, COUNT(attrs));
}

static void put_resource(const struct sim_rim_resource *res, struct out *o)
{
	static const char *const names[] = {"ns2:Hash0", "ns2:Hash1", "ns2:Hash2", "ns2:Hash3"};
	char index[16], alternatives[16], name[32];
	struct attr attrs[ATTRS_MAX] = {{"type", "Measurement"}, {"index", index},
		{"active", res->active}, {"alternatives", alternatives}};
	size_t n = 4;

	snprintf(index, sizeof(index), "%u", res->index);
	snprintf(alternatives, sizeof(alternatives), "%u", res->alternatives);
	snprintf(name, sizeof(name), "Measurement_%u", res->index);
	for (unsigned int i = 0; i < res->alternatives && i < 4; i++)
		attrs[n++] = (struct attr){names[i], res->hash[i]};
	attrs[n++] = (struct attr){"name", name};
	attrs[n++] = (struct attr){"size", res->size};
	sim_text_add(&o->text, "\n        ");
	empty(o, "ns0:Resource", attrs, n);
}

static void put_payload(const struct sim_rim *rim, struct out *o)
{
	static const struct attr payload[] = {{"xmlns:SHA384", NS_SHA384}};

	start(o, "ns0:Payload", payload, 1);
	for (size_t i = 0; i < rim->resource_count; i++)
		put_resource(&rim->resources[i], o);
	sim_text_add(&o->text, "\n    ");
	end(o, "ns0:Payload");
}

/* Between the root's tags, without the signature. */
static void put_content(const struct sim_rim *rim, struct out *o)
{
	static const struct attr entity[] = {
		{"name", "NVIDIA Corporation"}, {"role", "softwareCreator tagCreator"}};

	sim_text_add(&o->text, "\n    ");
	empty(o, "ns0:Entity", entity, COUNT(entity));
	sim_text_add(&o->text, "\n    ");
	put_meta(rim, o);
	sim_text_add(&o->text, "\n    ");
	put_payload(rim, o);
	sim_text_add(&o->text, "\n%s", rim->extra);
}

/* --- the signature ---------------------------------------------------------------------------- */

static void put_algorithm(struct out *o, const char *name, const char *algorithm)
{
	const struct attr attrs[] = {{"Algorithm", algorithm}};

	empty(o, name, attrs, 1);
}

static void put_signed_info(const struct sim_rim *rim, const char *digest, struct out *o)
{
	static const struct attr spaces[] = {{"xmlns", NS_SWID}, {"xmlns:ds", NS_DSIG},
		{"xmlns:ns0", NS_SWID}, {"xmlns:ns2", NS_SHA384}};
	const struct attr uri[] = {{"URI", rim->uri}};

	start(o, "ds:SignedInfo", spaces, o->canonical ? COUNT(spaces) : 0);
	put_algorithm(o, "ds:CanonicalizationMethod", ALG_C14N);
	put_algorithm(o, "ds:SignatureMethod", ALG_SIGNATURE);
	start(o, "ds:Reference", uri, 1);
	start(o, "ds:Transforms", NULL, 0);
	if (rim->transform)
		put_algorithm(o, "ds:Transform", rim->transform);
	put_algorithm(o, "ds:Transform", ALG_C14N);
	end(o, "ds:Transforms");
	put_algorithm(o, "ds:DigestMethod", rim->digest_method);
	sim_text_add(&o->text, "<ds:DigestValue>%s</ds:DigestValue>", digest);
	end(o, "ds:Reference");
	end(o, "ds:SignedInfo");
}

static void base64_of(const uint8_t *bytes, size_t n, char *ret)
{
	EVP_EncodeBlock((unsigned char *)ret, bytes, (int)n);
}

/* Base64 in lines of 64, as a PEM body. */
static void put_certificate(struct out *o, const char *pem)
{
	const char *from = strchr(pem, '\n'), *to = strstr(pem, "-----END");

	if (from && to && from < to)
		sim_text_add(&o->text, "<ds:X509Certificate>%.*s</ds:X509Certificate>",
			(int)(to - from - 1), from + 1);
}

static int put_certificates(const struct sim_gpu_plan *plan, struct out *o)
{
	int r = TOOL_OK;

	sim_text_add(&o->text, "<ds:X509Data>");
	for (size_t i = 0; r == TOOL_OK && i < plan->rim.chain_count; i++) {
		sim_cleanup(X509) X509 *cert = NULL;
		__attribute__((cleanup(sim_cleanup_text))) struct sim_text pem = {0};

		r = sim_gpu_cert_get(plan->machine, &plan->rim.chain[i], &cert);
		if (r == TOOL_OK)
			r = sim_gpu_cert_pem(cert, &pem);
		if (r == TOOL_OK)
			put_certificate(o, pem.text);
	}
	sim_text_add(&o->text, "</ds:X509Data>");
	return r;
}

/* The key that signed, for verifiers that would rather believe it than the certificate. */
static int put_key_value(const struct sim_gpu_plan *plan, struct out *o)
{
	sim_cleanup(EVP_PKEY) EVP_PKEY *key = NULL;
	uint8_t spki[256], *p = spki;
	char text[256];
	int n, r = sim_gpu_key(plan->machine, plan->rim.key, &key);

	if (r != TOOL_OK || !plan->rim.key_value)
		return r;
	n = i2d_PUBKEY(key, &p);
	if (n < 97)
		return sim_fail("can't encode a key");
	base64_of(spki + n - 97, 97, text);
	sim_text_add(&o->text,
		"<ds:KeyValue><dsig11:ECKeyValue "
		"xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">"
		"<dsig11:NamedCurve URI=\"urn:oid:1.3.132.0.34\"/><dsig11:PublicKey>%s"
		"</dsig11:PublicKey></dsig11:ECKeyValue></ds:KeyValue>",
		text);
	return TOOL_OK;
}

static int digest_of(const struct sim_gpu_plan *plan, char *ret)
{
	struct out o = {.canonical = true};
	uint8_t digest[SIM_GPU_DIGEST];

	put_root(plan, &o);
	put_content(&plan->rim, &o);
	end(&o, "SoftwareIdentity");
	if (!o.text.failed) {
		EVP_Digest(o.text.text, o.text.len, digest, NULL, EVP_sha384(), NULL);
		base64_of(digest, sizeof(digest), ret);
	}
	sim_text_free(&o.text);
	return o.text.failed ? sim_fail("out of memory") : TOOL_OK;
}

static int signature_of(const struct sim_gpu_plan *plan, const char *digest, char *ret)
{
	struct out o = {.canonical = true};
	uint8_t signature[2 * SIM_GPU_SCALAR];
	int r;

	put_signed_info(&plan->rim, digest, &o);
	r = o.text.failed ? sim_fail("out of memory")
			  : sim_gpu_sign(plan->machine, plan->rim.key, o.text.text, o.text.len,
				    signature);
	if (r == TOOL_OK && plan->rim.flip_signature)
		signature[50] ^= 1;
	base64_of(signature, sizeof(signature), ret);
	sim_text_free(&o.text);
	return r;
}

/* What a verifier must not read: elements of the same names within the signature. */
static void put_object(const struct sim_rim *rim, struct out *o)
{
	sim_text_add(&o->text, "<ds:Object>");
	put_meta(rim, o);
	put_payload(rim, o);
	sim_text_add(&o->text, "</ds:Object>");
}

static int put_signature(const struct sim_gpu_plan *plan, struct out *o)
{
	static const struct attr space[] = {{"xmlns:ds", NS_DSIG}};
	char digest[80], signature[160];
	int r = digest_of(plan, digest);

	if (r == TOOL_OK)
		r = signature_of(plan, digest, signature);
	if (r != TOOL_OK)
		return r;
	start(o, "ds:Signature", space, 1);
	put_signed_info(&plan->rim, digest, o);
	sim_text_add(&o->text, "<ds:SignatureValue>%s</ds:SignatureValue><ds:KeyInfo>", signature);
	r = put_key_value(plan, o);
	if (r == TOOL_OK)
		r = put_certificates(plan, o);
	sim_text_add(&o->text, "%s", plan->rim.key_info);
	end(o, "ds:KeyInfo");
	if (plan->rim.wrapped)
		put_object(&plan->rim, o);
	end(o, "ds:Signature");
	return r;
}

/* One hexadecimal digit of the first value that counts. */
static void flip_hash(struct sim_text *t)
{
	char *at = strstr(t->text, "active=\"True\"");

	at = at ? strstr(at, "ns2:Hash0=\"") : NULL;
	if (at)
		at[11] = at[11] == '0' ? '1' : '0';
}

static int finish(const struct sim_rim *rim, struct out *o, struct sim_bytes *ret)
{
	if (!o->text.failed && rim->flip_hash)
		flip_hash(&o->text);
	if (!o->text.failed && rim->cut)
		o->text.len -= 20;
	return sim_text_take(&o->text, ret);
}

int sim_rim_make(const struct sim_gpu_plan *plan, struct sim_bytes *ret)
{
	const struct sim_rim *rim = &plan->rim;
	struct out o = {0};
	int r = TOOL_OK;

	sim_text_add(&o.text, "%s", rim->prolog);
	put_root(plan, &o);
	if (rim->wrapped)
		r = put_signature(plan, &o);
	put_content(rim, &o);
	if (!rim->wrapped)
		r = put_signature(plan, &o);
	if (r == TOOL_OK && rim->twice)
		r = put_signature(plan, &o);
	end(&o, "SoftwareIdentity");
	if (r == TOOL_OK)
		r = finish(rim, &o, ret);
	sim_text_free(&o.text);
	return r;
}
