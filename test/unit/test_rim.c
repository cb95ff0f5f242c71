/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of NVIDIA's: those that are good, those that are not, and fixtures of a parser. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <pm/gpu_policy.h>
#include "base/report.h"
#include "crypto/x509.h"
#include "evidence/gpu_policy.h"
#include "evidence/rim_document.h"
#include "evidence/rim_xml.h"
#include "testing.h"

/* Moments when they are valid. */
#define JAN_2025 INT64_C(1735776000) /* 2025-01-02 */
#define SEP_2025 INT64_C(1756684800) /* 2025-09-01 */
#define JUN_2026 INT64_C(1780315200) /* 2026-06-01T12:00 */

static struct pm_gpu_policy *new_policy(unsigned int waivers)
{
	struct pm_gpu_policy *policy = NULL;

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, waivers), PM_OK);
	return policy;
}

/* What pm_rim_parse() and pm_rim_verify() say of text, with OCSP waived. */
static int verify(struct pm_view text, int64_t now, struct pm_report *report, struct pm_rim **ret)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy =
		new_policy(PM_GPU_WAIVE_OCSP | PM_GPU_WAIVE_NONCE);
	int r = pm_rim_parse(text.ptr, text.len, report, &document);

	return r < 0 ? r : pm_rim_verify(document, policy, NULL, now, report, ret);
}

static struct pm_view read_rim(const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "nvgpu/rim/%s", path);
	return test_vector(full);
}

static void expect(const char *path, int64_t now, int want, const char *reason)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	struct pm_view text = read_rim(path);
	int r = verify(text, now, report, &rim);
	const struct pm_check *failure = pm_report_failure(report);

	ck_assert_msg(r == want, "%s: %d, %s", path, r, pm_report_reason(report));
	ck_assert_msg((rim != NULL) == (want == PM_OK), "%s", path);
	ck_assert_msg(want == PM_OK ? !failure : failure && !strcmp(failure->name, reason),
		"%s: %s", path, pm_report_reason(report));
	test_free(text);
}

/* --- real ones ------------------------------------------------------------------------------- */

/* Each file of the folder is good. */
static size_t expect_folder(const char *folder, int64_t now)
{
	char path[512];
	size_t count = 0;
	struct dirent *entry;
	DIR *dir = test_open_vectors("nvgpu/rim", folder);

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		expect(path, now, PM_OK, NULL);
		count++;
	}
	closedir(dir);
	return count;
}

START_TEST(real_manifests)
{
	if (!test_has_vectors())
		return;
	ck_assert_uint_ge(expect_folder("driver", JAN_2025), 2);
	ck_assert_uint_ge(expect_folder("vbios", JAN_2025), 28);
	ck_assert_uint_ge(expect_folder("switch", JUN_2026), 1);
}
END_TEST

static const struct {
	const char *path;
	int64_t now;
	enum pm_rim_kind kind;
	const char *product, *version;
	size_t active;
} known[] = {
	{"driver/NV_GPU_DRIVER_GH100_550.90.07.xml", JAN_2025, PM_RIM_DRIVER, "GH100", "550.90.07",
		21},
	{"vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml", JAN_2025, PM_RIM_VBIOS, "GH100",
		"96.00.9F.00.01", 12},
	{"vbios/Driver_RIM_test_no_gpu.xml", JAN_2025, PM_RIM_DRIVER, "GH100", "545.00", 21},
	{"switch/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", JUN_2026, PM_RIM_SWITCH, "LS10",
		"96.10.55.00.01", 31},
};

static size_t count_active(const struct pm_rim *rim)
{
	size_t count = 0;

	for (size_t i = 0; i < pm_rim_value_count(rim); i++)
		count += pm_rim_value_at(rim, i)->active;
	return count;
}

START_TEST(what_they_say)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(known) && test_has_vectors(); i++) {
		pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
		struct pm_view text = read_rim(known[i].path);

		ck_pm(verify(text, known[i].now, NULL, &rim), PM_OK);
		ck_assert_int_eq(pm_rim_kind(rim), known[i].kind);
		ck_assert_str_eq(pm_rim_product(rim), known[i].product);
		ck_assert_str_eq(pm_rim_version(rim), known[i].version);
		ck_assert_str_eq(pm_rim_oem_id(rim), "5703");
		ck_assert_uint_eq(
			pm_rim_value_count(rim), known[i].kind == PM_RIM_SWITCH ? 64 : 64);
		ck_assert_uint_eq(count_active(rim), known[i].active);
		ck_assert(!pm_rim_test_root(rim) && !pm_rim_ocsp_checked(rim));
		ck_assert_uint_eq(strlen(pm_rim_id(rim)), 96);
		test_free(text);
	}
}
END_TEST

START_TEST(golden_values)
{
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	const struct pm_rim_value *v;
	struct pm_view text, want;

	if (!test_has_vectors())
		return;
	text = read_rim(known[0].path);
	want = test_hex("261148337ccf08ed5351584a95557b245326cbc5ef511ca5b22bc162b9932529"
			"fc118f0fe6939dd214545c9388158781");
	ck_pm(verify(text, JAN_2025, NULL, &rim), PM_OK);
	v = pm_rim_value_of(rim, 35);
	ck_assert_ptr_nonnull(v);
	ck_assert(v->active && v->alternatives == 4);
	ck_assert(pm_view_equal(pm_view(v->digests[1], PM_RIM_DIGEST_SIZE), want));
	ck_assert_str_eq(pm_rim_value_of(rim, 32)->name, "HashedMeasurement_32_GSP");
	ck_assert(!pm_rim_value_of(rim, 0)->active);
	ck_assert_ptr_null(pm_rim_value_of(rim, 64));
	ck_assert_ptr_null(pm_rim_value_at(rim, 64));
	/* The signer's certificate ends first. */
	ck_assert_int_eq(pm_rim_valid_until(rim), INT64_C(1780279709));
	test_free(want);
	test_free(text);
}
END_TEST

START_TEST(their_time)
{
	static const char path[] = "driver/NV_GPU_DRIVER_GH100_550.90.07.xml";

	if (!test_has_vectors())
		return;
	expect(path, INT64_C(1780279709), PM_OK, NULL);
	expect(path, INT64_C(1780279710), PM_E_STALE, "RIM signer, validity");
	expect(path, INT64_C(1717207709), PM_OK, NULL);
	expect(path, INT64_C(1717207708), PM_E_STALE, "RIM signer, validity");
}
END_TEST

START_TEST(bad_manifests)
{
	if (!test_has_vectors())
		return;
	expect("negative/NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch.xml", SEP_2025,
		PM_E_REJECTED, "RIM, digest");
	expect("negative/NV_SWITCH_BIOS_5612_0002_890_9610550001_invalid_signature.xml", SEP_2025,
		PM_E_REJECTED, "RIM, digest");
	expect("negative/NV_SWITCH_BIOS_5612_0002_890_9610550001_measurement_mismatch.xml",
		SEP_2025, PM_E_REJECTED, "RIM, digest");
	expect("negative/incorrect_signature_driver_rim.xml", SEP_2025, PM_E_REJECTED,
		"RIM, signature");
	expect("negative/synthetic_tampered_hash_550.90.07.xml", SEP_2025, PM_E_REJECTED,
		"RIM, digest");
	expect("negative/synthetic_keyvalue_substitution_550.90.07.xml", SEP_2025, PM_E_UNSUPPORTED,
		"RIM, Algorithm");
	/* Its name says what it is used for: NVIDIA issued it, with other values than before. */
	expect("negative/NV_GPU_VBIOS_1010_0200_882_96005E0001_measurement_mismatch.xml", SEP_2025,
		PM_OK, NULL);
}
END_TEST

/* --- fixtures of a parser: unsigned parts ---------------------------------------------------- */

/* Replaces each from by to. */
static struct pm_view replaced(struct pm_view text, const char *from, const char *to)
{
	char *out = pm_alloc(text.len * 8 + 1), *end = out;
	const char *at = (const char *)text.ptr, *last = at + text.len;

	ck_assert_ptr_nonnull(out);
	while (at < last) {
		if ((size_t)(last - at) >= strlen(from) && !memcmp(at, from, strlen(from))) {
			end = stpcpy(end, to);
			at += strlen(from);
		} else {
			*end++ = *at++;
		}
	}
	test_free(text);
	return pm_view(out, (size_t)(end - out));
}

/* The fixtures of Meta and Signature stand in no namespace: as if they stood in theirs. */
static struct pm_view in_namespaces(struct pm_view text)
{
	text = replaced(text, "ReferenceIntegrityManifest", "SoftwareIdentity");
	text = replaced(
		text, "<SoftwareIdentity>", "<SoftwareIdentity xmlns=\"" PM_RIM_NS_SWID "\">");
	return replaced(text, "<Signature>", "<Signature xmlns=\"" PM_RIM_NS_DSIG "\">");
}

static int read_payload(xmlDoc *doc, struct pm_report *report, size_t *ret_count)
{
	static const struct pm_rim_name name = {PM_RIM_NS_SWID, "Payload"};
	struct pm_rim_resource resources[PM_RIM_VALUES_MAX];
	xmlNode *payload;
	int r = pm_rim_xml_children(doc->children, &name, 1, report, &payload);

	return r < 0 ? r : pm_rim_xml_payload(payload, report, resources, ret_count);
}

static int open_certs(const struct pm_rim_document *document)
{
	for (size_t i = 0; i < PM_RIM_CERTS && document->certs[i].ptr; i++) {
		pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
		int r = pm_cert_parse(document->certs[i], &cert);

		if (r < 0)
			return r;
	}
	return PM_OK;
}

static int read_meta_and_certs(xmlDoc *doc, struct pm_report *report)
{
	static const struct pm_rim_name names[] = {
		{PM_RIM_NS_SWID, "Meta"}, {PM_RIM_NS_DSIG, "Signature"}};
	static const struct pm_rim_name key_info_name = {PM_RIM_NS_DSIG, "KeyInfo"};
	pm_cleanup(pm_rim_document) struct pm_rim_document *document = pm_alloc(sizeof(*document));
	xmlNode *parts[2], *key_info;
	const char *values[2];
	static const struct pm_rim_attribute version[] = {{{NULL, "colloquialVersion"}, false}};
	int r = pm_rim_xml_children(doc->children, names, 2, report, parts);

	if (r == PM_OK)
		r = pm_rim_xml_attributes(parts[0], PM_RIM_ANY, version, 1, report, values);
	if (r == PM_OK)
		r = pm_rim_xml_children(parts[1], &key_info_name, 1, report, &key_info);
	if (r == PM_OK)
		r = pm_rim_xml_key_info(key_info, report, document);
	/* What is base64 there is no certificate. */
	if (r < 0 && document->certs[0].ptr)
		ck_pm(open_certs(document), PM_E_FORMAT);
	return r;
}

static const struct {
	const char *name;
	const char *part; /* which part is read */
	int want;
	const char *check, *expected, *found; /* of the first failure; parts of texts */
} fixtures[] = {
	{"failure_duplicate_index", "payload", PM_E_FORMAT, "RIM, Resource, index", "once", "0"},
	{"failure_empty_payload", "payload", PM_E_FORMAT, "RIM, Payload", "", "none"},
	{"failure_hash_empty_namespace", "payload", PM_E_FORMAT, "RIM, attribute", "", "Hash0"},
	{"failure_invalid_alternatives", "payload", PM_E_FORMAT, "RIM, Resource, alternatives", "",
		"xyz"},
	{"failure_invalid_base64_cert", "certs", PM_E_FORMAT, "RIM, base64", "", "X509Certificate"},
	{"failure_invalid_cert_bytes", "certs", PM_E_FORMAT, "RIM, X509Certificate", "4", "2"},
	{"failure_invalid_index", "payload", PM_E_FORMAT, "RIM, Resource, index", "", "abc"},
	{"failure_invalid_pem_data", "certs", PM_E_FORMAT, "RIM, base64", "", "X509Certificate"},
	{"failure_invalid_size", "payload", PM_E_FORMAT, "RIM, Resource, size", "", "abc"},
	{"failure_missing_alternatives", "payload", PM_E_FORMAT, "RIM, attribute", "alternatives",
		"none"},
	{"failure_missing_colloquial_version", "certs", PM_E_FORMAT, "RIM, attribute",
		"colloquialVersion", "none"},
	{"failure_missing_hash", "payload", PM_E_FORMAT, "RIM, Resource, Hash", "", "no Hash0"},
	{"failure_missing_index", "payload", PM_E_FORMAT, "RIM, attribute", "index", "none"},
	{"failure_missing_meta", "certs", PM_E_FORMAT, "RIM, element", "Meta", "Signature"},
	{"failure_missing_size", "payload", PM_E_FORMAT, "RIM, attribute", "size", "none"},
	{"failure_missing_x509_certificate", "certs", PM_E_FORMAT, "RIM, X509Certificate", "4",
		"0"},
	{"failure_missing_x509_data", "certs", PM_E_FORMAT, "RIM, element", "X509Data", "its end"},
	{"failure_no_payload", "payload", PM_E_FORMAT, "RIM, element", "Payload", "its end"},
	{"success_payload_multiple_alternatives", "payload", PM_OK, NULL, NULL, NULL},
	{"success_payload_multiple_measurements", "payload", PM_OK, NULL, NULL, NULL},
	{"success_payload_single_measurement", "payload", PM_OK, NULL, NULL, NULL},
};

static void check_fixture(size_t i, int r, const struct pm_report *report)
{
	const struct pm_check *failure = pm_report_failure(report);

	ck_assert_msg(
		r == fixtures[i].want, "%s: %d, %s", fixtures[i].name, r, pm_report_reason(report));
	if (r == PM_OK)
		return;
	ck_assert_msg(failure && !strcmp(failure->name, fixtures[i].check) &&
			      strstr(failure->expected, fixtures[i].expected) &&
			      strstr(failure->found, fixtures[i].found),
		"%s: %s", fixtures[i].name, pm_report_reason(report));
}

/* As a whole none of them is a manifest: they lack their other parts. */
static void refuse_whole(struct pm_view text, const char *name)
{
	struct pm_rim_document *document = NULL;
	int r = pm_rim_parse(text.ptr, text.len, NULL, &document);

	ck_assert_msg(r == PM_E_FORMAT && !document, "%s: %d", name, r);
}

START_TEST(parser_cases)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup_xmlDoc xmlDoc *doc = NULL;
	char path[256];
	struct pm_view text;
	size_t count = 0;
	int r;

	if (!test_has_vectors())
		return;
	snprintf(path, sizeof(path), "parser-cases/%s.xml", fixtures[_i].name);
	text = read_rim(path);
	refuse_whole(text, fixtures[_i].name);
	text = in_namespaces(text);
	ck_pm(pm_rim_xml_open(text, report, &doc), PM_OK);
	if (!strcmp(fixtures[_i].part, "payload"))
		r = read_payload(doc, report, &count);
	else
		r = read_meta_and_certs(doc, report);
	check_fixture(_i, r, report);
	ck_assert(r < 0 || count >= 1);
	test_free(text);
}
END_TEST

/* A fixture that parses and whose sizes are not those of SHA-384: refused one step later. */
START_TEST(size_is_48)
{
	struct pm_rim_resource resource = {
		.index = 1, .alternatives = 1, .size = 10, .hashes = {"hash0"}, .name = "Meas_0"};
	struct pm_rim_value value;

	ck_pm(pm_rim_value_set(&value, &resource, NULL), PM_E_UNSUPPORTED);
	resource.size = 48;
	ck_pm(pm_rim_value_set(&value, &resource, NULL), PM_E_FORMAT);
	resource.hashes[0] = "0000000000000000000000000000000000000000000000000000000000000000"
			     "00000000000000000000000000000000";
	ck_pm(pm_rim_value_set(&value, &resource, NULL), PM_OK);
	resource.name = "a b";
	ck_pm(pm_rim_value_set(&value, &resource, NULL), PM_E_FORMAT);
}
END_TEST

/* --- kinds ----------------------------------------------------------------------------------- */

static const struct {
	const char *edition, *version;
	int kind; /* 0: refused */
} kinds[] = {
	{"GPU", "550.90.07", PM_RIM_DRIVER},
	{"GPU", "545.00", PM_RIM_DRIVER},
	{"GPU", "570.124.06", PM_RIM_DRIVER},
	{"GPU", "96.00.9F.00.01", PM_RIM_VBIOS},
	{"GPU", "97.00.88.00.0f", PM_RIM_VBIOS},
	{"SWITCH", "96.10.55.00.01", PM_RIM_SWITCH},
	{"SWITCH", "550.90.07", 0},
	{"gpu", "550.90.07", 0},
	{"", "550.90.07", 0},
	{"GPU", "", 0},
	{"GPU", "550", 0},
	{"GPU", "550.", 0},
	{"GPU", "550..1", 0},
	{"GPU", "550.90.07.", 0},
	{"GPU", "550.90.07.01", 0},
	{"GPU", "96.00.09.00", 0},
	{"GPU", "96.00.9F.00.01.", 0},
	{"GPU", "96.00.9F.00.0", 0},
	{"GPU", "96.00.9G.00.01", 0},
	{"GPU", "9600.9F.00.01.", 0},
	{"GPU", "55.90.07", 0},
	{"GPU", "550.9A.07", 0},
	{"GPU", "550.90.07 ", 0},
	{"GPU", "550.12345", 0},
};

START_TEST(kind_of_version)
{
	struct pm_rim_facts facts = {0};
	int r = pm_rim_facts_set(&facts, kinds[_i].edition, "GH100", kinds[_i].version, NULL);

	ck_assert_msg(r == (kinds[_i].kind ? PM_OK : PM_E_UNSUPPORTED), "%s, %s: %d",
		kinds[_i].edition, kinds[_i].version, r);
	ck_assert_int_eq((int)facts.kind, kinds[_i].kind);
}
END_TEST

START_TEST(product_is_plain)
{
	struct pm_rim_facts facts = {0};

	ck_pm(pm_rim_facts_set(&facts, "GPU", "GB100", "550.90.07", NULL), PM_OK);
	ck_pm(pm_rim_facts_set(&facts, "GPU", "", "550.90.07", NULL), PM_E_FORMAT);
	ck_pm(pm_rim_facts_set(&facts, "GPU", "GH100/..", "550.90.07", NULL), PM_E_FORMAT);
	ck_pm(pm_rim_facts_set(&facts, "GPU", "GH100GH100GH100GH", "550.90.07", NULL), PM_E_FORMAT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rim");
	TCase *t = tcase_create("rim");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, real_manifests);
	tcase_add_test(t, what_they_say);
	tcase_add_test(t, golden_values);
	tcase_add_test(t, their_time);
	tcase_add_test(t, bad_manifests);
	tcase_add_loop_test(t, parser_cases, 0, (int)PM_ARRAY_LEN(fixtures));
	tcase_add_test(t, size_is_48);
	tcase_add_loop_test(t, kind_of_version, 0, (int)PM_ARRAY_LEN(kinds));
	tcase_add_test(t, product_is_plain);
	suite_add_tcase(s, t);
	return test_main(s);
}
