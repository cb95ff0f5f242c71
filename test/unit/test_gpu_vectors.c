/* SPDX-License-Identifier: Apache-2.0 */
/* Real devices: reports, certificates, golden measurements and OCSP responses of NVIDIA's. */
#include <stdio.h>
#include <string.h>

#include <pm/gpu.h>
#include <pm/ocsp.h>
#include <pm/text.h>

#include "base/report.h"
#include "evidence/gpu_cache.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp.h"
#include "evidence/rim.h"
#include "testing.h"

#define NOW	INT64_C(1755777600) /* 2025-08-21T12:00, when the device's responses are fresh */
#define RIM_NOW INT64_C(1761328800) /* 2025-10-24T18:00, when the manifests' ones are */

#define ALL_WAIVED (PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP)

static struct pm_gpu_policy *new_policy(unsigned int waivers)
{
	struct pm_gpu_policy *policy = NULL;

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, waivers), PM_OK);
	return policy;
}

static struct pm_view read_file(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "nvgpu/%s/%s", folder, name);
	return test_vector(path);
}

static struct pm_gpu_evidence *load_certs_of(const char *folder, const char *certs)
{
	struct pm_view report = read_file(folder, "report.bin");
	struct pm_view chain = read_file(certs, "certchain.pem");
	struct pm_gpu_evidence *ev = NULL;

	ck_pm(pm_gpu_evidence_parse(report.ptr, report.len, 0, NULL, &ev), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, chain.ptr, chain.len, NULL), PM_OK);
	test_free(report);
	test_free(chain);
	return ev;
}

static struct pm_gpu_evidence *load(const char *folder)
{
	return load_certs_of(folder, folder);
}

/* The folder's nonce is demanded. */
static void expect_nonce(struct pm_gpu_policy *policy, const char *folder)
{
	uint8_t nonce[PM_GPU_NONCE_SIZE];
	struct pm_view text = read_file(folder, "nonce.hex");
	char digits[2 * PM_GPU_NONCE_SIZE + 1] = "";

	ck_assert_uint_ge(text.len, sizeof(digits) - 1);
	memcpy(digits, text.ptr, sizeof(digits) - 1);
	ck_pm(pm_hex_decode(digits, nonce, sizeof(nonce)), PM_OK);
	ck_pm(pm_gpu_policy_expect_nonce(policy, nonce), PM_OK);
	test_free(text);
}

/* --- what can be verified of each ------------------------------------------------------------ */

static const struct {
	const char *folder;
	enum pm_gpu_arch arch;
	const char *driver, *vbios;
	const char *chip;
	enum pm_gpu_fwid_state fwid;
	int mode;
} devices[] = {
	{"hopper-550.90.07", PM_GPU_HOPPER, "550.90.07", "96.00.9F.00.01", "GH100",
		PM_GPU_FWID_MATCHED, PM_GPU_MODE_SPT},
	{"hopper-535.86.09-nofwid", PM_GPU_HOPPER, "535.86.09", "96.00.5E.00.01", "GH100",
		PM_GPU_FWID_ABSENT, 0},
	{"hopper-570.86.10-certhold", PM_GPU_HOPPER, "570.86.10", "96.00.AF.00.01", "GH100",
		PM_GPU_FWID_MATCHED, PM_GPU_MODE_SPT},
	{"hopper-gonvtrust", PM_GPU_HOPPER, "545.00", "96.00.5E.00.01", "GH100", PM_GPU_FWID_ABSENT,
		0},
	{"hopper-ppcie-590.12", PM_GPU_HOPPER, "590.12", "96.00.A5.00.01", "GH100",
		PM_GPU_FWID_MATCHED, PM_GPU_MODE_PPCIE},
	{"ppcie8-gpu-590.12/7", PM_GPU_HOPPER, "590.12", "96.00.A5.00.01", "GH100",
		PM_GPU_FWID_MATCHED, PM_GPU_MODE_PPCIE},
	{"blackwell-575.32", PM_GPU_BLACKWELL, "575.32", "97.00.88.00.0F", "GB100",
		PM_GPU_FWID_MATCHED, 0},
	{"switch-ls10-5612", PM_GPU_LS10, "", "96.10.55.00.01", "LS_10", PM_GPU_FWID_ABSENT, 0},
	{"ppcie8-switch/2", PM_GPU_LS10, "", "96.10.73.00.01", "LS_10", PM_GPU_FWID_ABSENT, 0},
};

START_TEST(each_device)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;
	int r;

	if (!test_has_vectors())
		return;
	policy = new_policy(PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP);
	expect_nonce(policy, devices[_i].folder);
	ev = load(devices[_i].folder);
	ck_assert_int_eq(pm_gpu_evidence_arch(ev), devices[_i].arch);
	r = pm_gpu_verify(ev, policy, NULL, 0, NULL, NULL, NOW, report, &facts);
	ck_assert_msg(r == PM_OK, "%s: %s", devices[_i].folder, pm_report_reason(report));
	ck_assert_int_eq(facts->arch, devices[_i].arch);
	ck_assert_str_eq(facts->chip, devices[_i].chip);
	ck_assert_str_eq(facts->fields.driver, devices[_i].driver);
	ck_assert_str_eq(facts->fields.vbios, devices[_i].vbios);
	ck_assert_int_eq(facts->fwid, devices[_i].fwid);
	ck_assert_int_eq(facts->mode, devices[_i].mode);
	ck_assert(!facts->test_root && !facts->rim_checked && !facts->ocsp_checked);
	ck_assert(facts->has_pdi);
	if (facts->arch == PM_GPU_LS10)
		ck_assert_mem_eq(facts->pdi, facts->fields.device_pdi, PM_GPU_PDI_SIZE);
	ck_pm(pm_gpu_verify(ev, policy, NULL, 0, NULL, NULL, NOW, NULL, &facts), PM_OK);
}
END_TEST

START_TEST(missing_fwid_may_be_refused)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;

	if (!test_has_vectors())
		return;
	ev = load("hopper-535.86.09-nofwid");
	ck_pm(pm_gpu_policy_require(policy, PM_GPU_REQUIRE_FWID), PM_OK);
	ck_pm(pm_gpu_verify(ev, policy, NULL, 0, NULL, NULL, NOW, report, &facts), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "FWID");
	ck_assert_ptr_null(facts);
}
END_TEST

/* --- names of golden measurements ------------------------------------------------------------ */

static const struct {
	const char *folder;
	enum pm_rim_kind kind;
	const char *id; /* NULL: the device has no such kind */
} ids[] = {
	{"hopper-550.90.07", PM_RIM_DRIVER, "NV_GPU_DRIVER_GH100_550.90.07"},
	{"hopper-550.90.07", PM_RIM_VBIOS, "NV_GPU_VBIOS_1010_0200_882_96009F0001"},
	{"hopper-550.90.07", PM_RIM_SWITCH, NULL},
	{"hopper-535.86.09-nofwid", PM_RIM_VBIOS, "NV_GPU_VBIOS_1010_0200_882_96005E0001"},
	{"hopper-ppcie-590.12", PM_RIM_VBIOS, "NV_GPU_VBIOS_G520_0200_885_9600A50001"},
	{"blackwell-575.32", PM_RIM_DRIVER, "NV_GPU_CC_DRIVER_GB100_575.32"},
	{"blackwell-575.32", PM_RIM_VBIOS, "NV_GPU_VBIOS_G525_0220_886_970088000F"},
	{"switch-ls10-5612", PM_RIM_SWITCH, "NV_SWITCH_BIOS_5612_0002_890_9610550001"},
	{"switch-ls10-5612", PM_RIM_DRIVER, NULL},
	{"switch-ls10-5612", PM_RIM_VBIOS, NULL},
};

START_TEST(each_rim_id)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	char id[PM_GPU_RIM_ID_SIZE] = "";

	if (!test_has_vectors())
		return;
	ev = load(ids[_i].folder);
	ck_pm(pm_gpu_evidence_rim_id(ev, ids[_i].kind, id), ids[_i].id ? PM_OK : PM_E_ARG);
	ck_assert_str_eq(id, ids[_i].id ? ids[_i].id : "");
}
END_TEST

/* --- everything ------------------------------------------------------------------------------ */

static struct pm_rim *load_rim(const char *path, const struct pm_ocsp_set *ocsp, int64_t now)
{
	pm_cleanup(pm_rim_document) struct pm_rim_document *doc = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy =
		new_policy(ocsp ? PM_GPU_WAIVE_NONCE : PM_GPU_WAIVE_NONCE | PM_GPU_WAIVE_OCSP);
	struct pm_view text = read_file("rim", path);
	struct pm_rim *rim = NULL;

	ck_pm(pm_rim_parse(text.ptr, text.len, NULL, &doc), PM_OK);
	ck_pm(pm_rim_verify(doc, policy, ocsp, now, NULL, &rim), PM_OK);
	test_free(text);
	return rim;
}

static struct pm_ocsp_set *load_ocsp(void)
{
	static const char *const names[] = {"gpu_certificate_l2", "gpu_certificate_l3",
		"gpu_certificate_l4", "gpu_driver_rim_l3", "gpu_driver_rim_l4", "gpu_rim_l2",
		"gpu_vbios_l4"};
	struct pm_ocsp_set *set = NULL;

	ck_pm(pm_ocsp_set_new(&set), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(names); i++) {
		char name[64];
		struct pm_view der;

		snprintf(name, sizeof(name), "%s.ocsp.der", names[i]);
		der = read_file("ocsp", name);
		ck_pm(pm_ocsp_set_add(set, der.ptr, der.len, NULL), PM_OK);
		test_free(der);
	}
	return set;
}

#define DRIVER_RIM "driver/NV_GPU_DRIVER_GH100_550.90.07.xml"
#define VBIOS_RIM  "vbios/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"
#define SWITCH_RIM "switch/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml"

START_TEST(a_whole_gpu)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(0);
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *ocsp = NULL;
	pm_cleanup(pm_rim) struct pm_rim *driver = NULL, *vbios = NULL;
	const struct pm_gpu_facts *facts = NULL;
	int r;

	ck_pm(pm_gpu_policy_require(policy, PM_GPU_REQUIRE_FWID | PM_GPU_REQUIRE_ALL_GOLDEN),
		PM_OK);
	if (!test_has_vectors())
		return;
	ocsp = load_ocsp();
	driver = load_rim(DRIVER_RIM, ocsp, RIM_NOW);
	vbios = load_rim(VBIOS_RIM, ocsp, RIM_NOW);
	ev = load("hopper-550.90.07");
	expect_nonce(policy, "hopper-550.90.07");
	r = pm_gpu_verify(ev, policy, (const struct pm_rim *[]){driver, vbios}, 2, ocsp, NULL, NOW,
		report, &facts);
	ck_assert_msg(r == PM_OK, "%s", pm_report_reason(report));
	ck_assert_uint_eq(facts->golden_count, 33);
	ck_assert_uint_eq(facts->golden_matched, 33);
	ck_assert(facts->rim_checked && facts->ocsp_checked && !facts->test_root);
	ck_assert_int_eq(facts->golden[35].state, PM_GPU_GOLDEN_MATCHED);
	ck_assert_uint_eq(facts->golden[35].alternative, 3);
	ck_assert_int_eq(facts->golden[35].kind, PM_RIM_DRIVER);
	ck_assert_int_eq(facts->golden[0].kind, PM_RIM_VBIOS);
	ck_assert_int_eq(facts->golden[63].state, PM_GPU_GOLDEN_NONE);
	/* As NVIDIA's remote service names this very device. */
	ck_assert_str_eq(facts->ueid, "478176379286082186618948445787393647364802107249");
	ck_assert_str_eq(facts->hwmodel, "GH100 A01 GSP BROM");
	/* The response for the device's issuers ends first. */
	ck_assert_int_eq(facts->valid_until, INT64_C(1755845226));
}
END_TEST

START_TEST(a_whole_switch)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(PM_GPU_WAIVE_OCSP);
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	pm_cleanup(pm_rim) struct pm_rim *rim = NULL;
	const int64_t now = INT64_C(1780315200); /* 2026-06-01 */
	const struct pm_gpu_facts *facts = NULL;
	int r;

	if (!test_has_vectors())
		return;
	rim = load_rim(SWITCH_RIM, NULL, now);
	ev = load("switch-ls10-5612");
	expect_nonce(policy, "switch-ls10-5612");
	r = pm_gpu_verify(
		ev, policy, (const struct pm_rim *[]){rim}, 1, NULL, NULL, now, report, &facts);
	ck_assert_msg(r == PM_OK, "%s", pm_report_reason(report));
	ck_assert_uint_eq(facts->golden_count, 31);
	ck_assert_uint_eq(facts->golden_matched, 31);
	ck_assert(facts->rim_checked && !facts->ocsp_checked);
	ck_assert_int_eq(facts->fields.switch_lock, 1);
}
END_TEST

/* --- refused --------------------------------------------------------------------------------- */

static void refused(struct pm_gpu_evidence *ev, const struct pm_gpu_policy *policy,
	const struct pm_rim *const *rims, size_t count, const struct pm_ocsp_set *ocsp, int64_t now,
	int want, const char *name)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_gpu_facts *facts = NULL;
	int r = pm_gpu_verify(ev, policy, rims, count, ocsp, NULL, now, report, &facts);

	ck_assert_msg(r == want, "%s: got %d: %s", name, r, pm_report_reason(report));
	ck_assert_str_eq(pm_report_failure(report)->name, name);
	ck_assert_ptr_null(facts);
	pm_gpu_evidence_free(ev);
}

START_TEST(a_bad_signature)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);

	if (!test_has_vectors())
		return;
	refused(load("neg-switch-badsig"), policy, NULL, 0, NULL, NOW, PM_E_REJECTED, "signature");
	/* One GPU's certificates with another's report, and a switch's with a GPU's. */
	refused(load_certs_of("ppcie8-gpu-590.12/0", "ppcie8-gpu-590.12/1"), policy, NULL, 0, NULL,
		NOW, PM_E_REJECTED, "signature");
	refused(load_certs_of("hopper-550.90.07", "switch-ls10-5612"), policy, NULL, 0, NULL, NOW,
		PM_E_REJECTED, "kind of device, certificate");
	refused(load_certs_of("switch-ls10-5612", "hopper-550.90.07"), policy, NULL, 0, NULL, NOW,
		PM_E_REJECTED, "kind of device, certificate");
	refused(load_certs_of("hopper-550.90.07", "blackwell-575.32"), policy, NULL, 0, NULL, NOW,
		PM_E_REJECTED, "kind of device, certificate");
}
END_TEST

START_TEST(another_nonce)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy =
		new_policy(PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP);

	if (!test_has_vectors())
		return;
	refused(load("blackwell-575.32"), policy, NULL, 0, NULL, NOW, PM_E_ARG, "policy, nonce");
	expect_nonce(policy, "hopper-gonvtrust");
	refused(load("blackwell-575.32"), policy, NULL, 0, NULL, NOW, PM_E_REJECTED, "nonce");
}
END_TEST

START_TEST(what_is_missing)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(PM_GPU_WAIVE_NONCE);
	pm_cleanup(pm_ocsp_set) struct pm_ocsp_set *ocsp = NULL;
	pm_cleanup(pm_rim) struct pm_rim *driver = NULL, *vbios = NULL, *other = NULL;
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;
	const char *folder = "hopper-550.90.07";

	if (!test_has_vectors())
		return;
	ocsp = load_ocsp();
	driver = load_rim(DRIVER_RIM, ocsp, RIM_NOW);
	vbios = load_rim(VBIOS_RIM, ocsp, RIM_NOW);
	other = load_rim("driver/NV_GPU_DRIVER_GH100_550.144.03.xml", NULL, RIM_NOW);
	refused(load(folder), policy, NULL, 0, NULL, NOW, PM_E_MISSING, "identity CA, OCSP");
	refused(load(folder), policy, NULL, 0, ocsp, RIM_NOW, PM_E_STALE, "identity CA, OCSP");
	refused(load(folder), policy, NULL, 0, ocsp, NOW, PM_E_MISSING,
		"golden measurements, driver");
	refused(load(folder), policy, (const struct pm_rim *[]){driver}, 1, ocsp, NOW, PM_E_MISSING,
		"golden measurements, VBIOS");
	refused(load(folder), policy, (const struct pm_rim *[]){other, vbios}, 2, ocsp, NOW,
		PM_E_REJECTED, "golden measurements, driver");
	refused(load("switch-ls10-5612"), policy, (const struct pm_rim *[]){vbios, driver}, 2, ocsp,
		NOW, PM_E_MISSING, "provisioner, OCSP");
	ev = load(folder); /* one twice is no harm */
	ck_pm(pm_gpu_verify(ev, policy, (const struct pm_rim *[]){vbios, driver, vbios}, 3, ocsp,
		      NULL, NOW, NULL, &facts),
		PM_OK);
	ck_assert_uint_eq(facts->golden_matched, 33);
}
END_TEST

START_TEST(waived_golden_measurements_are_compared_when_given)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);
	pm_cleanup(pm_rim) struct pm_rim *old = NULL;
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;

	if (!test_has_vectors())
		return;
	old = load_rim("vbios/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml", NULL, 1735776000);
	ev = load("hopper-535.86.09-nofwid");
	ck_pm(pm_gpu_verify(ev, policy, (const struct pm_rim *[]){old}, 1, NULL, NULL, 1735776000,
		      report, &facts),
		PM_OK);
	ck_assert(!facts->rim_checked);
	ck_assert_uint_eq(facts->golden_count, 12);
	ck_assert_uint_eq(facts->golden_matched, 12);
}
END_TEST

START_TEST(times)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *lenient = NULL;
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	pm_cleanup(pm_rim) struct pm_rim *driver = NULL;
	const struct pm_gpu_facts *facts = NULL;

	if (!test_has_vectors())
		return;
	ck_pm(pm_gpu_policy_new(&lenient), PM_OK);
	ck_pm(pm_gpu_policy_waive(lenient, ALL_WAIVED), PM_OK);
	ck_pm(pm_gpu_policy_rim_time(lenient, NOW), PM_OK);
	driver = load_rim(DRIVER_RIM, NULL, NOW);
	refused(load("hopper-550.90.07"), policy, NULL, 0, NULL, 1577836800, PM_E_STALE,
		"root, validity");
	/* A manifest that was valid when it was verified, and is no longer. */
	refused(load("hopper-550.90.07"), policy, (const struct pm_rim *[]){driver}, 1, NULL,
		1793000000, PM_E_STALE, "golden measurements, driver");
	/* Unless the caller judges manifests as of then. */
	ev = load("hopper-550.90.07");
	ck_pm(pm_gpu_verify(ev, lenient, (const struct pm_rim *[]){driver}, 1, NULL, NULL,
		      1793000000, NULL, &facts),
		PM_OK);
}
END_TEST

/* --- every byte counts ----------------------------------------------------------------------- */

/* Neither a report with one bit changed nor one that is shorter may pass. */
static void mutate(const char *folder, int64_t now)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	struct pm_view report = read_file(folder, "report.bin");
	struct pm_view chain = read_file(folder, "certchain.pem");
	uint8_t *b = (uint8_t *)report.ptr;

	ck_pm(pm_gpu_cache_new(4, &cache), PM_OK);
	for (size_t i = 0; i <= report.len; i++) {
		pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
		const struct pm_gpu_facts *facts = NULL;
		int r;

		if (i < report.len)
			b[i] ^= (uint8_t)(1u << i % 8);
		r = pm_gpu_evidence_parse(b, report.len, 0, NULL, &ev);
		if (r == PM_OK)
			r = pm_gpu_evidence_add_certs(ev, chain.ptr, chain.len, NULL);
		if (r == PM_OK)
			r = pm_gpu_verify(ev, policy, NULL, 0, NULL, cache, now, NULL, &facts);
		ck_assert_msg((r == PM_OK) == (i == report.len), "byte %zu: %d", i, r);
		if (i < report.len)
			b[i] ^= (uint8_t)(1u << i % 8);
	}
	test_free(report);
	test_free(chain);
}

START_TEST(each_byte_of_a_report)
{
	static const char *const folders[] = {
		"hopper-550.90.07", "blackwell-575.32", "switch-ls10-5612"};

	if (test_has_vectors())
		mutate(folders[_i], NOW);
}
END_TEST

START_TEST(truncated_and_longer_ones)
{
	struct pm_view report;
	uint8_t longer[PM_GPU_REPORT_MAX] = {0};

	if (!test_has_vectors())
		return;
	report = read_file("hopper-ppcie-590.12", "report.bin");
	memcpy(longer, report.ptr, report.len);
	for (size_t n = 0; n <= report.len + 2; n++) {
		pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL, *trimmed = NULL;
		int r = pm_gpu_evidence_parse(longer, n, 0, NULL, &ev);
		int t = pm_gpu_evidence_parse(longer, n, PM_GPU_TRIM_NUL, NULL, &trimmed);

		ck_pm(r, n == report.len ? PM_OK : PM_E_FORMAT);
		ck_pm(t, n == report.len || n == report.len + 1 ? PM_OK : PM_E_FORMAT);
	}
	test_free(report);
}
END_TEST

/* Each byte of each certificate but the signatures' and what the parsers may not look at. */
START_TEST(each_byte_of_a_certificate)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;

	if (!test_has_vectors())
		return;
	ev = load("hopper-550.90.07");
	for (size_t i = 0; i < ev->certs[_i].len; i++) {
		uint8_t *b = (uint8_t *)ev->certs[_i].ptr + i;

		*b ^= 0x04;
		ck_assert_int_lt(
			pm_gpu_verify(ev, policy, NULL, 0, NULL, NULL, NOW, NULL, &facts), 0);
		*b ^= 0x04;
	}
	ck_pm(pm_gpu_verify(ev, policy, NULL, 0, NULL, NULL, NOW, NULL, &facts), PM_OK);
}
END_TEST

/* --- a host of eight ------------------------------------------------------------------------- */

struct host {
	struct pm_gpu_evidence *ev[12];
	const struct pm_gpu_facts *facts[12];
};

static void load_host(struct host *h)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = new_policy(ALL_WAIVED);
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;

	ck_pm(pm_gpu_cache_new(16, &cache), PM_OK);
	for (int i = 0; i < 12; i++) {
		char folder[64];

		snprintf(folder, sizeof(folder),
			i < 8 ? "ppcie8-gpu-590.12/%d" : "ppcie8-switch/%d", i < 8 ? i : i - 8);
		h->ev[i] = load(folder);
		ck_pm(pm_gpu_verify(
			      h->ev[i], policy, NULL, 0, NULL, cache, NOW, NULL, &h->facts[i]),
			PM_OK);
	}
}

static void free_host(struct host *h)
{
	for (int i = 0; i < 12; i++)
		pm_gpu_evidence_free(h->ev[i]);
}

START_TEST(a_host_of_eight)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct host h = {0};

	if (!test_has_vectors())
		return;
	load_host(&h);
	ck_pm(pm_gpu_verify_set(h.facts, 12, 8, 0, report), PM_OK);
	ck_pm(pm_gpu_verify_set(h.facts, 12, 9, 0, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "number of GPUs");
	pm_report_reset(report);
	ck_pm(pm_gpu_verify_set(h.facts, 8, 8, 0, report), PM_E_REJECTED); /* where do links go? */
	ck_assert_str_eq(pm_report_failure(report)->name, "topology");
	ck_pm(pm_gpu_verify_set(h.facts, 8, 8, PM_GPU_SET_ANY_TOPOLOGY, NULL), PM_OK);
	ck_pm(pm_gpu_verify_set(h.facts, 11, 8, 0, NULL), PM_E_REJECTED);
	pm_report_reset(report);
	h.facts[3] = h.facts[5];
	ck_pm(pm_gpu_verify_set(h.facts, 12, 8, 0, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "distinct devices");
	free_host(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_vectors");
	TCase *t = tcase_create("gpu_vectors");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, each_device, 0, PM_ARRAY_LEN(devices));
	tcase_add_test(t, missing_fwid_may_be_refused);
	tcase_add_loop_test(t, each_rim_id, 0, PM_ARRAY_LEN(ids));
	tcase_add_test(t, a_whole_gpu);
	tcase_add_test(t, a_whole_switch);
	tcase_add_test(t, a_bad_signature);
	tcase_add_test(t, another_nonce);
	tcase_add_test(t, what_is_missing);
	tcase_add_test(t, waived_golden_measurements_are_compared_when_given);
	tcase_add_test(t, times);
	tcase_add_loop_test(t, each_byte_of_a_report, 0, 3);
	tcase_add_test(t, truncated_and_longer_ones);
	tcase_add_loop_test(t, each_byte_of_a_certificate, 0, PM_GPU_CERTS);
	tcase_add_test(t, a_host_of_eight);
	suite_add_tcase(s, t);
	return test_main(s);
}
