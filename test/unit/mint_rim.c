/* SPDX-License-Identifier: Apache-2.0 */
#include "mint_rim.h"

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "testing.h"

#define SWID   "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"
#define DSIG   "http://www.w3.org/2000/09/xmldsig#"
#define TCG                                                                                        \
	"https://trustedcomputinggroup.org/resource/"                                              \
	"tcg-reference-integrity-manifest-rim-information-model/"
#define C14N "http://www.w3.org/2006/12/xml-c14n11"
#define END  "</SoftwareIdentity>"

/* --- certificates ---------------------------------------------------------------------------- */

static const char *const names[] = {
	"RIM L4 Signer", "Reference Value L3", "Reference Value CA", "CoRIM signing Root CA"};

void mint_rim_pki_begin(struct mint_rim_pki *pki, int64_t from, int64_t to)
{
	memset(pki, 0, sizeof(*pki));
	for (size_t i = 0; i < MINT_RIM_CERTS; i++)
		pki->keys[i] = mint_ec("P-384");
	for (size_t i = 0; i < MINT_RIM_CERTS; i++) {
		size_t above = i == MINT_RIM_CERTS - 1 ? i : i + 1;

		pki->specs[i] = (struct mint_cert){
			.signer = {.key = pki->keys[above], .name = names[above]},
			.key = pki->keys[i],
			.name = names[i],
			.serial = 0x1000 + (long)i,
			.not_before = from,
			.not_after = to,
			.constraints = i ? "critical,CA:TRUE" : "critical,CA:FALSE",
			.usage = i ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature",
		};
	}
	pki->specs[1].constraints = "critical,CA:TRUE,pathlen:0";
	mint_rim_pki_mint(pki);
}

void mint_rim_pki_mint(struct mint_rim_pki *pki)
{
	const struct pm_view *root = &pki->certs[MINT_RIM_CERTS - 1];

	for (size_t i = 0; i < MINT_RIM_CERTS; i++) {
		test_free(pki->certs[i]);
		pki->certs[i] = mint_cert(&pki->specs[i]);
	}
	ck_assert_int_eq(
		EVP_Digest(root->ptr, root->len, pki->root_sha256, NULL, EVP_sha256(), NULL), 1);
}

void mint_rim_pki_free(struct mint_rim_pki *pki)
{
	for (size_t i = 0; i < MINT_RIM_CERTS; i++) {
		test_free(pki->certs[i]);
		EVP_PKEY_free(pki->keys[i]);
	}
}

/* --- text ------------------------------------------------------------------------------------ */

struct text {
	char *s;
	size_t len;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
	char *piece = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&piece, format, args);
	va_end(args);
	ck_assert_int_ge(n, 0);
	text->s = realloc(text->s, text->len + (size_t)n + 1);
	ck_assert_ptr_nonnull(text->s);
	memcpy(text->s + text->len, piece, (size_t)n + 1);
	text->len += (size_t)n;
	free(piece);
}

static void edit(struct text *text, const struct mint_edit *e)
{
	struct text out = {0};
	const char *at = text->s, *found;

	if (!e->from)
		return;
	ck_assert_msg(strstr(at, e->from) != NULL, "nothing to edit: %s", e->from);
	while ((found = strstr(at, e->from))) {
		put(&out, "%.*s%s", (int)(found - at), at, e->to);
		at = found + strlen(e->from);
	}
	put(&out, "%s", at);
	free(text->s);
	*text = out;
}

static void put_value(struct text *text, size_t i)
{
	put(text,
		"        <ns0:Resource type=\"Measurement\" index=\"%zu\" active=\"%s\" "
		"alternatives=\"%d\"",
		i, i % 3 ? "True" : "False", i % 2 ? 2 : 1);
	for (size_t k = 0; k < 1 + i % 2; k++) {
		put(text, " ns2:Hash%zu=\"", k);
		for (size_t j = 0; j < 48; j++)
			put(text, "%02zx", (i * 64 + k * 48 + j) & 0xff);
		put(text, "\"");
	}
	put(text, " name=\"Measurement_%zu\" size=\"48\"/>\n", i);
}

static struct text body_of(const struct mint_rim *spec)
{
	const char *product = spec->product ? spec->product : "GH100";
	struct text text = {0};

	put(&text,
		"<SoftwareIdentity xmlns=\"" SWID "\" xmlns:ns0=\"" SWID "\" xmlns:ns2=\"" SHA384
		"\" corpus=\"false\" name=\"%s\" patch=\"false\" supplemental=\"false\" "
		"tagId=\"0123abcd\" version=\"1.0\" tagVersion=\"0\">\n",
		product);
	put(&text, "    <ns0:Entity name=\"Test Corporation\" role=\"softwareCreator\"/>\n");
	put(&text,
		"    <ns0:Meta xmlns:ns1=\"" TCG
		"\" colloquialVersion=\"%s\" edition=\"%s\" product=\"%s\" revision=\"r1\" "
		"PayloadType=\"direct\" ns1:BindingSpec=\"RIMIM\" ns1:BindingSpecVersion=\"1.01\" "
		"ns1:PlatformManufacturerId=\"5703\" ns1:PlatformManufacturerStr=\"Test\" "
		"ns1:PlatformModel=\"%s\" ns1:FirmwareManufacturer=\"Test\" "
		"ns1:FirmwareManufacturerId=\"5703\"/>\n",
		spec->version ? spec->version : "550.90.07", spec->edition ? spec->edition : "GPU",
		product, product);
	put(&text, "    <ns0:Payload xmlns:SHA384=\"" SHA384 "\">\n");
	for (size_t i = 0; i < spec->values; i++)
		put_value(&text, i);
	put(&text, "    </ns0:Payload>\n" END "\n");
	return text;
}

static void put_base64(struct text *text, struct pm_view bytes)
{
	char *s = malloc(PM_BASE64_SIZE(bytes.len));

	ck_assert_int_eq(pm_base64_encode(bytes, s, PM_BASE64_SIZE(bytes.len)), PM_OK);
	for (size_t i = 0; i < strlen(s); i += 64)
		put(text, "%.64s%s", s + i, strlen(s) > 128 ? "\n" : "");
	free(s);
}

/* --- the signature --------------------------------------------------------------------------- */

static struct pm_view digest_of(const struct text *body)
{
	xmlDoc *doc = xmlReadMemory(body->s, (int)body->len, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	uint8_t *digest = pm_alloc(48);
	xmlChar *canonical = NULL;
	int n;

	ck_assert_ptr_nonnull(doc);
	n = xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_1, NULL, 0, &canonical);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(EVP_Digest(canonical, (size_t)n, digest, NULL, EVP_sha384(), NULL), 1);
	xmlFree(canonical);
	xmlFreeDoc(doc);
	return pm_view(digest, 48);
}

/* An empty element: as it stands, or canonical. */
static void put_empty(struct text *text, bool canonical, const char *name, const char *algorithm)
{
	if (canonical)
		put(text, "<ds:%s Algorithm=\"%s\"></ds:%s>", name, algorithm, name);
	else
		put(text, "<ds:%s Algorithm=\"%s\"/>", name, algorithm);
}

static struct text signed_info(struct pm_view digest, bool canonical, const struct mint_edit *info)
{
	struct text text = {0};

	if (canonical)
		put(&text, "<ds:SignedInfo xmlns=\"" SWID "\" xmlns:ds=\"" DSIG
			   "\" xmlns:ns0=\"" SWID "\" xmlns:ns2=\"" SHA384 "\">");
	else
		put(&text, "<ds:SignedInfo>");
	put_empty(&text, canonical, "CanonicalizationMethod", C14N);
	put_empty(&text, canonical, "SignatureMethod",
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384");
	put(&text, "<ds:Reference URI=\"\"><ds:Transforms>");
	put_empty(&text, canonical, "Transform", DSIG "enveloped-signature");
	put_empty(&text, canonical, "Transform", C14N);
	put(&text, "</ds:Transforms>");
	put_empty(
		&text, canonical, "DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#sha384");
	put(&text, "<ds:DigestValue>");
	put_base64(&text, digest);
	put(&text, "</ds:DigestValue></ds:Reference></ds:SignedInfo>");
	edit(&text, info);
	return text;
}

static struct text signature_of(const struct mint_rim *spec, const struct text *body)
{
	EVP_PKEY *key = spec->key ? spec->key : spec->pki->keys[0];
	struct pm_view digest = digest_of(body), value;
	struct text info = signed_info(digest, true, &spec->info), text = {0};

	value = mint_ecdsa(key, "SHA384", pm_view(info.s, info.len), 48);
	free(info.s);
	info = signed_info(digest, false, &spec->info);
	put(&text, "<ds:Signature xmlns:ds=\"" DSIG "\">%s<ds:SignatureValue>", info.s);
	put_base64(&text, value);
	put(&text, "</ds:SignatureValue><ds:KeyInfo><ds:X509Data>");
	for (size_t i = 0; i < MINT_RIM_CERTS; i++) {
		put(&text, "<ds:X509Certificate>");
		put_base64(&text, spec->pki->certs[i]);
		put(&text, "</ds:X509Certificate>");
	}
	put(&text, "</ds:X509Data></ds:KeyInfo></ds:Signature>");
	free(info.s);
	test_free(value);
	test_free(digest);
	return text;
}

struct pm_view mint_rim(const struct mint_rim *spec)
{
	struct text body = body_of(spec), signature, all = {0};
	char *end;

	edit(&body, &spec->before);
	signature = signature_of(spec, &body);
	end = strstr(body.s, END);
	ck_assert_ptr_nonnull(end);
	put(&all, "%.*s%s%s", (int)(end - body.s), body.s, signature.s, end);
	edit(&all, &spec->after);
	edit(&all, &spec->after2);
	free(body.s);
	free(signature.s);
	return pm_view(all.s, all.len);
}
