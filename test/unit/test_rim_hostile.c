/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests with one defect each, most of them rightly signed: each is refused for its reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlerror.h>
#include <pm/gpu_policy.h>
#include "base/report.h"
#include "evidence/gpu_policy.h"
#include "evidence/rim_document.h"
#include "mint_ocsp.h"
#include "mint_rim.h"
#include "testing.h"

#define NOW  INT64_C(1767225600) /* 2026-01-01 */
#define FROM (NOW - 1000)
#define TO   (NOW + 1000)

static struct mint_rim_pki pki;

static void begin(void)
{
	mint_rim_pki_begin(&pki, FROM, TO);
}

static void end(void)
{
	mint_rim_pki_free(&pki);
}

static struct pm_gpu_policy *new_policy(void)
{
	struct pm_gpu_policy *policy = NULL;

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_RIM, pki.root_sha256), PM_OK);
	return policy;
}

static int verify(struct pm_view text, const struct pm_gpu_policy *policy, struct pm_report *report,
	struct pm_rim **ret)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	int r = pm_rim_parse(text.ptr, text.len, report, &document);

	return r < 0 ? r : pm_rim_verify(document, policy, NULL, NOW, report, ret);
}

/* Frees text. */
static void expect(const char *what, struct pm_view text, int want, const char *check)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy();
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	int r = verify(text, policy, report, &rim);
	const struct pm_check *failure = pm_report_failure(report);

	ck_assert_msg(r == want, "%s: %d, %s", what, r, pm_report_reason(report));
	ck_assert_msg((rim != NULL) == (want == PM_OK), "%s", what);
	ck_assert_msg(want == PM_OK ? !failure : failure && !strcmp(failure->name, check), "%s: %s",
		what, pm_report_reason(report));
	test_free(text);
}

static struct mint_rim spec_of(size_t values)
{
	return (struct mint_rim){.pki = &pki, .values = values};
}

START_TEST(good_one)
{
	struct mint_rim spec = spec_of(64);
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy();
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	struct pm_view text = mint_rim(&spec);

	ck_pm(verify(text, policy, NULL, &rim), PM_OK);
	ck_assert_uint_eq(pm_rim_value_count(rim), 64);
	ck_assert(pm_rim_test_root(rim) && !pm_rim_ocsp_checked(rim));
	ck_assert_int_eq(pm_rim_kind(rim), PM_RIM_DRIVER);
	ck_assert_int_eq(pm_rim_valid_until(rim), TO);
	ck_assert_str_eq(pm_rim_id(rim), "0123abcd");
	ck_assert(
		pm_view_equal(pm_view(pm_rim_root_sha256(rim), 32), pm_view(pki.root_sha256, 32)));
	ck_assert_uint_eq(pm_rim_value_of(rim, 3)->digests[1][47], (3 * 64 + 48 + 47) & 0xff);
	ck_assert(!pm_rim_value_of(rim, 3)->active && pm_rim_value_of(rim, 4)->active);
	test_free(text);
}
END_TEST

/* --- what is signed, rightly ----------------------------------------------------------------- */

#define ENTITY	 "<ns0:Entity"
#define RESOURCE "<ns0:Resource type=\"Measurement\" index=\"1\""

static const struct {
	struct mint_edit before;
	int want;
	const char *check;
} bad_content[] = {
	{{ENTITY, "<ns0:Evidence/>" ENTITY}, PM_E_FORMAT, "RIM, element"},
	{{"</ns0:Payload>", "</ns0:Payload><ns0:Payload/>"}, PM_E_FORMAT, "RIM, element"},
	{{"</ns0:Payload>", "</ns0:Payload>text"}, PM_E_FORMAT, "RIM, element"},
	{{"ns0:Payload", "ns0:Evidence"}, PM_E_FORMAT, "RIM, element"},
	{{ENTITY, "<Link/>" ENTITY}, PM_E_FORMAT, "RIM, element"},
	{{"<ns0:Payload ", "<ns0:Payload Id=\"p\" "}, PM_E_FORMAT, "RIM, attribute"},
	{{"<ns0:Payload ", "<ns0:Payload xml:id=\"p\" "}, PM_E_FORMAT, "RIM, attribute"},
	{{ENTITY, ENTITY " xml:id=\"e\""}, PM_E_FORMAT, "RIM, attribute"},
	{{" tagId", " xml:base=\"http://a/\" tagId"}, PM_E_FORMAT, "RIM, attribute"},
	{{" edition", " xml:id=\"m\" edition"}, PM_E_FORMAT, "RIM, attribute"},
	{{" tagId", " supplemental2=\"\" tagid"}, PM_E_FORMAT, "RIM, attribute"},
	{{"role=\"softwareCreator\"/>", "role=\"softwareCreator\">x</ns0:Entity>"}, PM_E_FORMAT,
		"RIM, element"},
	{{"corpus=\"false\"", "corpus=\"true\""}, PM_E_UNSUPPORTED, "RIM, corpus"},
	{{"patch=\"false\"", "patch=\"true\""}, PM_E_UNSUPPORTED, "RIM, patch"},
	{{"supplemental=\"false\"", "supplemental=\"true\""}, PM_E_UNSUPPORTED,
		"RIM, supplemental"},
	{{"tagId=\"0123abcd\"", "tagId=\"\""}, PM_E_FORMAT, "RIM, tagId"},
	{{" tagId=\"0123abcd\"", ""}, PM_E_FORMAT, "RIM, attribute"},
	{{"PayloadType=\"direct\"", "PayloadType=\"indirect\""}, PM_E_UNSUPPORTED,
		"RIM, PayloadType"},
	{{"FirmwareManufacturerId=\"5703\"", "FirmwareManufacturerId=\"57o3\""}, PM_E_FORMAT,
		"RIM, FirmwareManufacturerId"},
	{{"ns1:FirmwareManufacturerId", "FirmwareManufacturerId"}, PM_E_FORMAT, "RIM, attribute"},
	{{"edition=\"GPU\"", "edition=\"NIC\""}, PM_E_UNSUPPORTED, "RIM, edition and version"},
	{{"=\"550.90.07\"", "=\"550/90/07\""}, PM_E_UNSUPPORTED, "RIM, edition and version"},
	{{"product=\"GH100\"", "product=\"../100\""}, PM_E_FORMAT, "RIM, product"},
	{{"product=\"GH100\"", "ns1:product=\"GH100\""}, PM_E_FORMAT, "RIM, attribute"},
	{{RESOURCE, "<ns0:Resource type=\"measurement\" index=\"1\""}, PM_E_FORMAT,
		"RIM, Resource, type"},
	{{"<ns0:Resource ", "<ns0:File "}, PM_E_FORMAT, "RIM, element"},
	{{"<ns0:Resource ", "<ns1:Resource xmlns:ns1=\"urn:x\" "}, PM_E_FORMAT, "RIM, element"},
	{{"active=\"True\"", "active=\"true\""}, PM_E_FORMAT, "RIM, Resource, active"},
	{{"active=\"False\"", "active=\"no\""}, PM_E_FORMAT, "RIM, Resource, active"},
	{{"active=\"False\"", "active=\"\""}, PM_E_FORMAT, "RIM, Resource, active"},
	{{"index=\"1\"", "index=\"64\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"index=\"1\"", "index=\"01\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"index=\"1\"", "index=\"-1\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"index=\"1\"", "index=\"\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"index=\"1\"", "index=\"4294967297\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"index=\"1\"", "index=\"2\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"index=\"1\"", "index=\"257\""}, PM_E_FORMAT, "RIM, Resource, index"},
	{{"alternatives=\"2\"", "alternatives=\"0\""}, PM_E_FORMAT, "RIM, Resource, alternatives"},
	{{"alternatives=\"2\"", "alternatives=\"9\""}, PM_E_FORMAT, "RIM, Resource, alternatives"},
	{{"alternatives=\"2\"", "alternatives=\"1\""}, PM_E_FORMAT, "RIM, Resource, Hash"},
	{{"alternatives=\"2\"", "alternatives=\"3\""}, PM_E_FORMAT, "RIM, Resource, Hash"},
	{{"ns2:Hash1", "ns2:Hash2"}, PM_E_FORMAT, "RIM, Resource, Hash"},
	{{"ns2:Hash1", "ns2:Hash8"}, PM_E_FORMAT, "RIM, attribute"},
	{{"ns2:Hash1", "Hash1"}, PM_E_FORMAT, "RIM, attribute"},
	{{"ns2:Hash1", "ns0:Hash1"}, PM_E_FORMAT, "RIM, attribute"},
	{{"xmlenc#sha384", "xmlenc#sha256"}, PM_E_FORMAT, "RIM, attribute"},
	{{"ns2:Hash1", "SHA384:Hash0"}, PM_E_FORMAT, "RIM"},
	{{"=\"404142", "=\"4041zz"}, PM_E_FORMAT, "RIM, Resource, Hash"},
	{{"=\"404142", "=\"4041"}, PM_E_FORMAT, "RIM, Resource, Hash"},
	{{"=\"404142", "=\" 404142"}, PM_E_FORMAT, "RIM, Resource, Hash"},
	{{"size=\"48\"", "size=\"32\""}, PM_E_UNSUPPORTED, "RIM, Resource, size"},
	{{"size=\"48\"", "size=\"048\""}, PM_E_FORMAT, "RIM, Resource, size"},
	{{" size=\"48\"", ""}, PM_E_FORMAT, "RIM, attribute"},
	{{" name=\"Measurement_1\"", ""}, PM_E_FORMAT, "RIM, attribute"},
	{{"\"Measurement_1\"", "\"Measurement 1\""}, PM_E_FORMAT, "RIM, Resource, name"},
	{{"\"Measurement_1\"", "\"\""}, PM_E_FORMAT, "RIM, Resource, name"},
	{{"size=\"48\"/>", "size=\"48\"><x/></ns0:Resource>"}, PM_E_FORMAT, "RIM, element"},
	{{"size=\"48\"/>", "size=\"48\">x</ns0:Resource>"}, PM_E_FORMAT, "RIM, element"},
	{{"size=\"48\"", "size=\"48\" xmlns:y=\"urn:y\""}, PM_E_FORMAT, "RIM, attribute"},
	{{"size=\"48\"", "size=\"48\" extra=\"1\""}, PM_E_FORMAT, "RIM, attribute"},
};

START_TEST(content)
{
	struct mint_rim spec = spec_of(3);

	spec.before = bad_content[_i].before;
	expect(spec.before.to, mint_rim(&spec), bad_content[_i].want, bad_content[_i].check);
}
END_TEST

START_TEST(number_of_values)
{
	struct mint_rim spec = spec_of(0);

	expect("no value", mint_rim(&spec), PM_E_FORMAT, "RIM, Payload");
	spec.values = 65;
	expect("65 values", mint_rim(&spec), PM_E_LIMIT, "RIM, element");
	spec.values = 1;
	expect("one value", mint_rim(&spec), PM_OK, NULL);
}
END_TEST

/* What describes the manifest may say more than we know, and less than NVIDIA's do. */
START_TEST(more_than_is_known)
{
	static const struct mint_edit edits[] = {
		{" tagId", " media=\"x\" tagId"},
		{" corpus=\"false\"", ""},
		{" edition", " xmlns:t=\"urn:t\" t:edition=\"NIC\" t:product=\"X\" edition"},
		{" revision=\"r1\"", ""},
		{ENTITY, ENTITY " regid=\"nvidia.com\""},
		{"tagId=\"0123abcd\"", "tagId=\"a b/c\""},
		{"\"RIMIM\"", "\"RIMIX\""},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(edits); i++) {
		struct mint_rim spec = spec_of(1);

		spec.before = edits[i];
		expect(edits[i].to, mint_rim(&spec), PM_OK, NULL);
	}
}
END_TEST

/* The other namespace prefix is another spelling of the same names. */
START_TEST(other_spelling)
{
	struct mint_rim spec = spec_of(3);

	spec.before = (struct mint_edit){"ns2:Hash1", "SHA384:Hash1"};
	expect("another prefix", mint_rim(&spec), PM_OK, NULL);
	spec.before = (struct mint_edit){"</ns0:Payload>\n", "</ns0:Payload>"};
	expect("other blanks", mint_rim(&spec), PM_OK, NULL);
}
END_TEST

/* --- the signature's form -------------------------------------------------------------------- */

#define INFO_ALG "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"

static const struct {
	struct mint_edit info;
	int want;
	const char *check;
} bad_info[] = {
	{{INFO_ALG, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"}, PM_E_UNSUPPORTED,
		"RIM, Algorithm"},
	{{INFO_ALG, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384"}, PM_E_UNSUPPORTED,
		"RIM, Algorithm"},
	{{"xmldsig-more#sha384", "xmlenc#sha256"}, PM_E_UNSUPPORTED, "RIM, Algorithm"},
	{{"2006/12/xml-c14n11", "2001/10/xml-exc-c14n#"}, PM_E_UNSUPPORTED, "RIM, Algorithm"},
	{{"2006/12/xml-c14n11", "2006/12/xml-c14n11#WithComments"}, PM_E_UNSUPPORTED,
		"RIM, Algorithm"},
	{{"#enveloped-signature", "#base64"}, PM_E_UNSUPPORTED, "RIM, Algorithm"},
	{{"URI=\"\"", "URI=\"#payload\""}, PM_E_FORMAT, "RIM, Reference, URI"},
	{{"URI=\"\"", "URI=\"http://127.0.0.1/x\""}, PM_E_FORMAT, "RIM, Reference, URI"},
	{{" URI=\"\"", ""}, PM_E_FORMAT, "RIM, attribute"},
	{{" URI=\"\"", " Id=\"r\" URI=\"\""}, PM_E_FORMAT, "RIM, attribute"},
	{{" URI=\"\"", " Type=\"urn:x\" URI=\"\""}, PM_E_FORMAT, "RIM, attribute"},
	{{"<ds:SignedInfo", "<ds:SignedInfo Id=\"s\""}, PM_E_FORMAT, "RIM, attribute"},
	{{"<ds:Transforms>", "<ds:Transforms>x"}, PM_E_FORMAT, "RIM, element"},
	{{"</ds:Transforms>",
		 "<ds:Transform Algorithm=\"" INFO_ALG "\"></ds:Transform></ds:Transforms>"},
		PM_E_FORMAT, "RIM, element"},
	{{"</ds:Reference>", "</ds:Reference><ds:Reference URI=\"\"></ds:Reference>"}, PM_E_FORMAT,
		"RIM, element"},
	{{"<ds:DigestValue>", "<ds:DigestValue>QUJD"}, PM_E_LIMIT, "RIM, base64"},
};

START_TEST(signed_info)
{
	struct mint_rim spec = spec_of(2);

	spec.info = bad_info[_i].info;
	expect(spec.info.to, mint_rim(&spec), bad_info[_i].want, bad_info[_i].check);
}
END_TEST

#define SIGNATURE "<ds:Signature "

static const struct {
	struct mint_edit after;
	int want;
	const char *check;
} bad_text[] = {
	{{"<SoftwareIdentity ", "<?xml version=\"1.0\"?><SoftwareIdentity "}, PM_E_FORMAT, "RIM"},
	{{"<SoftwareIdentity ", "<!DOCTYPE SoftwareIdentity><SoftwareIdentity "}, PM_E_FORMAT,
		"RIM"},
	{{"<SoftwareIdentity ",
		 "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><SoftwareIdentity "},
		PM_E_FORMAT, "RIM"},
	{{"</SoftwareIdentity>", "</SoftwareIdentity><!-- -->"}, PM_E_FORMAT, "RIM"},
	{{ENTITY, "<!-- a -->" ENTITY}, PM_E_FORMAT, "RIM"},
	{{ENTITY, "<![CDATA[a]]>" ENTITY}, PM_E_FORMAT, "RIM"},
	{{ENTITY, "<?pi?>" ENTITY}, PM_E_FORMAT, "RIM"},
	{{"Test Corporation", "Test&#32;Corporation"}, PM_E_FORMAT, "RIM"},
	{{"Test Corporation", "Test\xc2\xa0"
			      "Corporation"},
		PM_E_FORMAT, "RIM"},
	{{"Test Corporation", "Test\tCorporation"}, PM_E_FORMAT, "RIM"},
	{{"    <ns0:Entity", "\r    <ns0:Entity"}, PM_E_FORMAT, "RIM"},
	{{"<SoftwareIdentity ", "\xef\xbb\xbf<SoftwareIdentity "}, PM_E_FORMAT, "RIM"},
	{{"<SoftwareIdentity ", " <SoftwareIdentity "}, PM_E_FORMAT, "RIM"},
	{{"</SoftwareIdentity>", "</SoftwareIdentity>x"}, PM_E_FORMAT, "RIM"},
	{{"</SoftwareIdentity>", "</SoftwareIdentity><a/>"}, PM_E_FORMAT, "RIM"},
	{{"</SoftwareIdentity>", ""}, PM_E_FORMAT, "RIM"},
	{{"</ns0:Payload>", "</ns0:payload>"}, PM_E_FORMAT, "RIM"},
	{{"ns0:Payload", "ns9:Payload"}, PM_E_FORMAT, "RIM"},
	{{"index=\"1\"", "index=\"1\" index=\"1\""}, PM_E_FORMAT, "RIM"},
	/* A relative name of a namespace has no canonical form. */
	{{"xmlns:SHA384=\"http:", "xmlns:SHA384=\"http4"}, PM_E_FORMAT, "RIM"},
	{{"SoftwareIdentity", "softwareIdentity"}, PM_E_FORMAT, "RIM, root element"},
	{{"xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\"", "xmlns=\"urn:a\""},
		PM_E_FORMAT, "RIM, root element"},
	{{SIGNATURE, "<ds:Signature Id=\"s\" "}, PM_E_FORMAT, "RIM, attribute"},
	{{"xmldsig#\"><ds:SignedInfo>", "xmldsig-not#\"><ds:SignedInfo>"}, PM_E_FORMAT,
		"RIM, element"},
	{{"</ds:Signature>", "<ds:Object/></ds:Signature>"}, PM_E_FORMAT, "RIM, element"},
	{{"<ds:SignatureValue>", "<ds:SignatureValue Id=\"v\">"}, PM_E_FORMAT, "RIM, attribute"},
	{{"<ds:SignatureValue>", "<ds:SignatureValue>A"}, PM_E_FORMAT, "RIM, base64"},
	{{"<ds:SignatureValue>", "<ds:SignatureValue>AAAA"}, PM_E_LIMIT, "RIM, base64"},
	{{"<ds:SignatureValue>", "<ds:SignatureValue><ds:a/>"}, PM_E_FORMAT, "RIM, element"},
	{{"<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>a</ds:KeyName>"}, PM_E_FORMAT, "RIM, element"},
	{{"<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyValue/>"}, PM_E_FORMAT, "RIM, element"},
	{{"</ds:KeyInfo>", "<ds:KeyValue/></ds:KeyInfo>"}, PM_E_FORMAT, "RIM, element"},
	{{"</ds:KeyInfo>", "<ds:X509Data/></ds:KeyInfo>"}, PM_E_FORMAT, "RIM, element"},
	{{"</ds:KeyInfo>", "</ds:KeyInfo><ds:KeyInfo/>"}, PM_E_FORMAT, "RIM, element"},
	{{"<ds:X509Data>", "<ds:X509Data><ds:X509SubjectName>a</ds:X509SubjectName>"}, PM_E_FORMAT,
		"RIM, element"},
	{{"<ds:X509Data>", "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate>"},
		PM_E_LIMIT, "RIM, element"},
	{{"</ds:Signature>",
		 "</ds:Signature><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>"},
		PM_E_FORMAT, "RIM, element"},
	{{"</ds:Signature>", "</ds:Signature><ns0:Meta/>"}, PM_E_FORMAT, "RIM, element"},
	/* Good form, other content than what was signed. */
	{{"=\"404142", "=\"404143"}, PM_E_REJECTED, "RIM, digest"},
	{{"active=\"True\"", "active=\"False\""}, PM_E_REJECTED, "RIM, digest"},
	{{"</ns0:Payload>\n", "</ns0:Payload> \n"}, PM_E_REJECTED, "RIM, digest"},
	{{"=\"550.90.07\"", "=\"550.90.08\""}, PM_E_REJECTED, "RIM, digest"},
};

START_TEST(text_of_all)
{
	struct mint_rim spec = spec_of(2);

	spec.after = bad_text[_i].after;
	expect(spec.after.to, mint_rim(&spec), bad_text[_i].want, bad_text[_i].check);
}
END_TEST

/* The signature before the payload, and in it what some readers would take for the payload. */
START_TEST(signature_wrapping)
{
	struct mint_rim spec = spec_of(2);
	struct pm_view text = mint_rim(&spec);
	char *all = strdup((const char *)text.ptr), *sig = strstr(all, SIGNATURE), *tail, *out;
	char *entity = strstr(all, "    " ENTITY);

	ck_assert(sig && entity);
	tail = strstr(sig, "</ds:Signature>");
	/* The digest does not change: what is removed leaves the same text. */
	ck_assert_int_gt(asprintf(&out,
				 "%.*s%.*s<ds:Object><ns0:Meta/><ns0:Payload><ns0:Resource/>"
				 "</ns0:Payload></ds:Object></ds:Signature>%.*s%s",
				 (int)(entity - all), all, (int)(tail - sig), sig,
				 (int)(sig - entity), entity, tail + strlen("</ds:Signature>")),
		0);
	expect("wrapped", pm_view(out, strlen(out)), PM_E_FORMAT, "RIM, element");
	ck_assert_int_gt(asprintf(&out, "%.*s%.*s</ds:Signature>%.*s%s", (int)(entity - all), all,
				 (int)(tail - sig), sig, (int)(sig - entity), entity,
				 tail + strlen("</ds:Signature>")),
		0);
	expect("first", pm_view(out, strlen(out)), PM_E_FORMAT, "RIM, element");
	test_free(text);
	free(all);
}
END_TEST

START_TEST(sizes)
{
	struct pm_rim_document *document = NULL;
	uint8_t *big = malloc(PM_RIM_SIZE_MAX + 1);
	struct pm_view text;

	memset(big, '<', PM_RIM_SIZE_MAX + 1);
	ck_pm(pm_rim_parse(big, PM_RIM_SIZE_MAX + 1, NULL, &document), PM_E_LIMIT);
	ck_pm(pm_rim_parse(big, PM_RIM_SIZE_MAX, NULL, &document), PM_E_FORMAT);
	ck_pm(pm_rim_parse("", 0, NULL, &document), PM_E_FORMAT);
	ck_pm(pm_rim_parse(NULL, 0, NULL, &document), PM_E_FORMAT);
	/* As deep as it is long. */
	for (size_t i = 0; i + 3 <= PM_RIM_SIZE_MAX; i += 3)
		memcpy(big + i, "<a>", 3);
	ck_pm(pm_rim_parse(big, PM_RIM_SIZE_MAX / 3 * 3, NULL, &document), PM_E_FORMAT);
	text = pm_view(big, PM_RIM_SIZE_MAX);
	test_free(text);
	ck_assert_ptr_null(document);
}
END_TEST

/* --- the chain ------------------------------------------------------------------------------- */

static void other_root(struct mint_rim_pki *p)
{
	(void)p;
}

static void leaf_is_ca(struct mint_rim_pki *p)
{
	p->specs[0].constraints = "critical,CA:TRUE";
	p->specs[1].constraints = "critical,CA:TRUE";
}

static void leaf_usage(struct mint_rim_pki *p)
{
	p->specs[0].usage = "critical,keyCertSign";
}

static void leaf_no_usage(struct mint_rim_pki *p)
{
	p->specs[0].usage = NULL;
}

static void leaf_for_ocsp(struct mint_rim_pki *p)
{
	p->specs[0].extensions = &mint_eku_ocsp;
	p->specs[0].extension_count = 1;
}

static void leaf_critical(struct mint_rim_pki *p)
{
	p->specs[0].oid = "1.2.3.4";
	p->specs[0].oid_value = pm_view("\x05\x00", 2);
	p->specs[0].oid_count = 1;
	p->specs[0].oid_critical = true;
}

static void leaf_sha256(struct mint_rim_pki *p)
{
	p->specs[0].signer.hash = "SHA256";
}

static void leaf_from_above(struct mint_rim_pki *p)
{
	p->specs[0].signer = p->specs[1].signer;
}

static void leaf_of_another(struct mint_rim_pki *p)
{
	p->specs[0].signer.key = p->keys[2];
}

static void leaf_expired(struct mint_rim_pki *p)
{
	p->specs[0].not_after = NOW - 1;
}

static void leaf_early(struct mint_rim_pki *p)
{
	p->specs[0].not_before = NOW + 1;
}

static void ca2_expired(struct mint_rim_pki *p)
{
	p->specs[1].not_after = NOW - 1;
}

static void ca1_expired(struct mint_rim_pki *p)
{
	p->specs[2].not_after = NOW - 1;
}

static void root_expired(struct mint_rim_pki *p)
{
	p->specs[3].not_after = NOW - 1;
}

static void ca2_no_ca(struct mint_rim_pki *p)
{
	p->specs[1].constraints = "critical,CA:FALSE";
}

static void ca2_no_sign(struct mint_rim_pki *p)
{
	p->specs[1].usage = "critical,digitalSignature";
}

static void ca1_no_ca(struct mint_rim_pki *p)
{
	p->specs[2].constraints = NULL;
}

static void ca1_short_path(struct mint_rim_pki *p)
{
	p->specs[2].constraints = "critical,CA:TRUE,pathlen:0";
}

static void root_short_path(struct mint_rim_pki *p)
{
	p->specs[3].constraints = "critical,CA:TRUE,pathlen:1";
}

static void ca1_of_another(struct mint_rim_pki *p)
{
	p->specs[2].signer.key = p->keys[0];
}

static void ca2_critical(struct mint_rim_pki *p)
{
	p->specs[1].oid = "1.2.3.4";
	p->specs[1].oid_value = pm_view("\x05\x00", 2);
	p->specs[1].oid_count = 1;
	p->specs[1].oid_critical = true;
}

static const struct {
	const char *what;
	void (*change)(struct mint_rim_pki *p);
	int want;
	const char *check;
} bad_chain[] = {
	{"leaf is a CA", leaf_is_ca, PM_E_REJECTED, "RIM signer, basicConstraints"},
	{"leaf usage", leaf_usage, PM_E_REJECTED, "RIM signer, keyUsage"},
	{"leaf without usage", leaf_no_usage, PM_E_REJECTED, "RIM signer, keyUsage"},
	{"an OCSP responder", leaf_for_ocsp, PM_E_REJECTED, "RIM signer, extKeyUsage"},
	{"leaf critical", leaf_critical, PM_E_FORMAT, "RIM signer"},
	{"leaf SHA-256", leaf_sha256, PM_E_UNSUPPORTED, "RIM signer, signature"},
	{"leaf from above", leaf_from_above, PM_E_REJECTED, "RIM signer, signature"},
	{"leaf of another", leaf_of_another, PM_E_REJECTED, "RIM signer, signature"},
	{"leaf expired", leaf_expired, PM_E_STALE, "RIM signer, validity"},
	{"leaf early", leaf_early, PM_E_STALE, "RIM signer, validity"},
	{"CA 2 expired", ca2_expired, PM_E_STALE, "RIM CA 2, validity"},
	{"CA 1 expired", ca1_expired, PM_E_STALE, "RIM CA 1, validity"},
	{"root expired", root_expired, PM_E_STALE, "RIM root, validity"},
	{"CA 2 no CA", ca2_no_ca, PM_E_REJECTED, "RIM signer, signature"},
	{"CA 2 may not sign", ca2_no_sign, PM_E_REJECTED, "RIM signer, signature"},
	{"CA 1 no CA", ca1_no_ca, PM_E_REJECTED, "RIM CA 2, signature"},
	{"CA 1 short path", ca1_short_path, PM_E_REJECTED, "RIM CA 2, signature"},
	{"root short path", root_short_path, PM_E_REJECTED, "RIM CA 1, signature"},
	{"CA 1 of another", ca1_of_another, PM_E_REJECTED, "RIM CA 1, signature"},
	{"CA 2 critical", ca2_critical, PM_E_FORMAT, "RIM CA 2"},
	{"good", other_root, PM_OK, NULL},
};

START_TEST(chain)
{
	struct mint_rim spec = spec_of(2);

	bad_chain[_i].change(&pki);
	mint_rim_pki_mint(&pki);
	expect(bad_chain[_i].what, mint_rim(&spec), bad_chain[_i].want, bad_chain[_i].check);
}
END_TEST

/* As the "Debug Only" authority of NVIDIA's: a whole chain, and nobody trusts its root. */
START_TEST(root_of_a_stranger)
{
	struct mint_rim_pki stranger;
	struct mint_rim spec = spec_of(2);

	mint_rim_pki_begin(&stranger, FROM, TO);
	spec.pki = &stranger;
	expect("stranger", mint_rim(&spec), PM_E_REJECTED, "RIM root");
	/* The root that is trusted behind it does not help. */
	test_free(stranger.certs[3]);
	stranger.certs[3] = pm_view(pm_dup(pki.certs[3]), pki.certs[3].len);
	expect("root put behind", mint_rim(&spec), PM_E_REJECTED, "RIM CA 1, signature");
	mint_rim_pki_free(&stranger);
}
END_TEST

/* Four certificates of which one is there twice: three. */
START_TEST(root_twice)
{
	struct mint_rim spec = spec_of(2);

	pki.specs[0].signer = (struct mint_signer){.key = pki.keys[2], .name = pki.specs[2].name};
	mint_rim_pki_mint(&pki);
	for (size_t i = 1; i < 3; i++) {
		test_free(pki.certs[i]);
		pki.certs[i] = pm_view(pm_dup(pki.certs[i + 1]), pki.certs[i + 1].len);
	}
	expect("root twice", mint_rim(&spec), PM_E_REJECTED, "RIM CA 1");
}
END_TEST

/* A root is trusted for one thing only. */
START_TEST(root_of_devices)
{
	struct mint_rim spec = spec_of(2);
	struct pm_view text = mint_rim(&spec);
	struct pm_gpu_policy *policy = NULL;
	struct pm_rim *rim = NULL;

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_DEVICE, pki.root_sha256), PM_OK);
	ck_pm(verify(text, policy, NULL, &rim), PM_E_REJECTED);
	ck_assert_ptr_null(rim);
	pm_gpu_policy_free(policy);
	test_free(text);
}
END_TEST

START_TEST(other_keys)
{
	struct mint_rim spec = spec_of(2);
	EVP_PKEY *p256 = mint_ec("P-256"), *own = pki.keys[0];

	spec.key = pki.keys[1];
	expect("signed by the CA", mint_rim(&spec), PM_E_REJECTED, "RIM, signature");
	pki.specs[0].key = p256;
	mint_rim_pki_mint(&pki);
	spec.key = own;
	expect("P-256", mint_rim(&spec), PM_E_REJECTED, "RIM signer, public key");
	pki.specs[0].key = own;
	EVP_PKEY_free(p256);
}
END_TEST

START_TEST(ocsp_is_demanded)
{
	struct mint_rim spec = spec_of(2);
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_view text = mint_rim(&spec);
	struct pm_gpu_policy *policy = NULL;
	struct pm_rim *rim = NULL;

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_RIM, pki.root_sha256), PM_OK);
	ck_pm(verify(text, policy, report, &rim), PM_E_MISSING);
	ck_assert_str_eq(pm_report_failure(report)->name, "RIM CA 1, OCSP");
	ck_assert_ptr_null(rim);
	pm_gpu_policy_free(policy);
	test_free(text);
}
END_TEST

/* --- every byte ------------------------------------------------------------------------------ */

static bool same_value(const struct pm_rim_value *a, const struct pm_rim_value *b)
{
	return a->index == b->index && a->active == b->active &&
	       a->alternatives == b->alternatives && !strcmp(a->name, b->name) &&
	       !memcmp(a->digests, b->digests, sizeof(a->digests));
}

static bool same_facts(const struct pm_rim *a, const struct pm_rim *b)
{
	bool same = pm_rim_kind(a) == pm_rim_kind(b) && !strcmp(pm_rim_id(a), pm_rim_id(b)) &&
		    !strcmp(pm_rim_product(a), pm_rim_product(b)) &&
		    !strcmp(pm_rim_version(a), pm_rim_version(b)) &&
		    !strcmp(pm_rim_oem_id(a), pm_rim_oem_id(b)) &&
		    pm_rim_valid_until(a) == pm_rim_valid_until(b) &&
		    pm_rim_value_count(a) == pm_rim_value_count(b);

	for (size_t i = 0; same && i < pm_rim_value_count(a); i++)
		same = same_value(pm_rim_value_at(a, i), pm_rim_value_at(b, i));
	return same;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n';
}

/* One blank for another means the same outside of what is signed, and in tags. */
static bool mutate(const struct pm_gpu_policy *policy, char *text, size_t len, size_t at, char to,
	const struct pm_rim *original)
{
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	char before = text[at];
	int r;

	text[at] = to;
	r = verify(pm_view(text, len), policy, NULL, &rim);
	text[at] = before;
	ck_assert_msg(r == PM_OK || !rim, "byte %zu", at);
	if (r != PM_OK)
		return false;
	ck_assert_msg(is_blank(before) && is_blank(to), "byte %zu: '%c' to '%c' is accepted", at,
		before, to);
	ck_assert_msg(same_facts(rim, original), "byte %zu", at);
	return true;
}

START_TEST(every_byte)
{
	struct mint_rim spec = spec_of(2);
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy();
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	struct pm_view text = mint_rim(&spec);
	char *copy = (char *)text.ptr;
	size_t accepted = 0;

	ck_pm(verify(text, policy, NULL, &rim), PM_OK);
	for (size_t i = 0; i < text.len; i++) {
		ck_assert(!mutate(policy, copy, text.len, i, (char)(copy[i] ^ 1), rim));
		ck_assert(!mutate(policy, copy, text.len, i, (char)(copy[i] ^ 0x80), rim));
		if (is_blank(copy[i]))
			accepted +=
				mutate(policy, copy, text.len, i, copy[i] == ' ' ? '\n' : ' ', rim);
	}
	/* Blanks in tags and in base64, and at the end, at least. */
	ck_assert_uint_ge(accepted, 40);
	test_free(text);
}
END_TEST

/* Each byte cut off or doubled. */
START_TEST(every_length)
{
	struct mint_rim spec = spec_of(1);
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy();
	struct pm_view text = mint_rim(&spec);

	for (size_t n = 0; n < text.len; n += n + 200 < text.len ? 7 : 1) {
		struct pm_rim *rim = NULL;
		int r = verify(pm_view(text.ptr, n), policy, NULL, &rim);

		/* Nothing but the last line end is missing. */
		ck_assert_msg((r == PM_OK) == (n == text.len - 1), "%zu bytes: %d", n, r);
		pm_rim_free(rim);
	}
	test_free(text);
}
END_TEST

/* --- quiet ----------------------------------------------------------------------------------- */

static int heard;

static void listen(void *context, xmlErrorPtr error)
{
	(void)context;
	(void)error;
	heard++;
}

/* What the program has set stays set, and hears nothing of ours. */
START_TEST(libxml2_is_silent)
{
	struct pm_rim_document *document = NULL;

	xmlSetStructuredErrorFunc(&heard, listen);
	ck_pm(pm_rim_parse("<a", 2, NULL, &document), PM_E_FORMAT);
	ck_pm(pm_rim_parse("<a b:c='1'/>", 12, NULL, &document), PM_E_FORMAT);
	ck_assert(xmlStructuredError == listen && xmlStructuredErrorContext == &heard);
	ck_assert_int_eq(heard, 0);
	xmlSetStructuredErrorFunc(NULL, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rim_hostile");
	TCase *t = tcase_create("rim_hostile");

	tcase_set_timeout(t, 100);
	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, good_one);
	tcase_add_loop_test(t, content, 0, (int)PM_ARRAY_LEN(bad_content));
	tcase_add_test(t, number_of_values);
	tcase_add_test(t, more_than_is_known);
	tcase_add_test(t, other_spelling);
	tcase_add_loop_test(t, signed_info, 0, (int)PM_ARRAY_LEN(bad_info));
	tcase_add_loop_test(t, text_of_all, 0, (int)PM_ARRAY_LEN(bad_text));
	tcase_add_test(t, signature_wrapping);
	tcase_add_test(t, sizes);
	tcase_add_loop_test(t, chain, 0, (int)PM_ARRAY_LEN(bad_chain));
	tcase_add_test(t, root_of_a_stranger);
	tcase_add_test(t, root_twice);
	tcase_add_test(t, root_of_devices);
	tcase_add_test(t, other_keys);
	tcase_add_test(t, ocsp_is_demanded);
	tcase_add_test(t, every_byte);
	tcase_add_test(t, every_length);
	tcase_add_test(t, libxml2_is_silent);
	suite_add_tcase(s, t);
	return test_main(s);
}
