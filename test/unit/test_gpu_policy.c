/* SPDX-License-Identifier: Apache-2.0 */
/* The policy for GPUs alone: what setters take, versions, roots, what is incomplete. */
#include <string.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/gpu_policy.h"
#include "testing.h"

static struct pm_gpu_policy *new_policy(void)
{
	struct pm_gpu_policy *p = NULL;

	ck_pm(pm_gpu_policy_new(&p), PM_OK);
	return p;
}

static struct pm_gpu_version version(const char *text, int base)
{
	struct pm_gpu_version v;

	ck_pm(pm_gpu_version_parse(pm_view(text, strlen(text)), base, &v), PM_OK);
	return v;
}

START_TEST(versions_are_read)
{
	struct pm_gpu_version v = version("550.90.07", 10);

	ck_assert_str_eq(v.text, "550.90.07");
	ck_assert_uint_eq(v.parts[0], 550);
	ck_assert_uint_eq(v.parts[1], 90);
	ck_assert_uint_eq(v.parts[2], 7);
	v = version("96.00.9f.00.01", 16);
	ck_assert_str_eq(v.text, "96.00.9F.00.01");
	ck_assert_uint_eq(v.parts[0], 0x96);
	ck_assert_uint_eq(v.parts[2], 0x9f);
	version("1.2.3.4.5.6.7.8", 10);
	version("99999999", 10);
}
END_TEST

START_TEST(other_texts_are_no_versions)
{
	static const char *const texts[] = {"", ".", "1.", ".1", "1..2", "1 ", "-1",
		"1.2.3.4.5.6.7.8.9", "123456789", "55O.90", "9F", "550.90.07\n", "1.2/..",
		"00000000.00000000.00000000.000000000"};
	struct pm_gpu_version v;

	for (size_t i = 0; i < PM_ARRAY_LEN(texts); i++)
		ck_pm(pm_gpu_version_parse(pm_view(texts[i], strlen(texts[i])), 10, &v),
			PM_E_FORMAT);
	ck_pm(pm_gpu_version_parse(VIEW("550\0.1"), 10, &v), PM_E_FORMAT);
	ck_pm(pm_gpu_version_parse(VIEW("9G"), 16, &v), PM_E_FORMAT);
	/* 33 characters: none of its numbers is too long. */
	ck_pm(pm_gpu_version_parse(VIEW("1234567.1234567.1234567.1234567.1"), 10, &v), PM_E_FORMAT);
	ck_pm(pm_gpu_version_parse(VIEW("1234567.1234567.1234567.1234567."), 10, &v), PM_E_FORMAT);
	ck_pm(pm_gpu_version_parse(VIEW("1234567.1234567.1234567.12345678"), 10, &v), PM_OK);
}
END_TEST

static int order(const char *a, const char *b, int base)
{
	struct pm_gpu_version va = version(a, base), vb = version(b, base);

	ck_assert_int_eq(pm_gpu_version_compare(&va, &vb), -pm_gpu_version_compare(&vb, &va));
	return pm_gpu_version_compare(&va, &vb);
}

START_TEST(versions_compare_by_number)
{
	ck_assert_int_eq(order("550.90.07", "550.90.7", 10), 0);
	ck_assert_int_eq(order("550.90.07", "550.90.12", 10), -1);
	ck_assert_int_eq(order("550.144.03", "550.90.07", 10), 1);
	ck_assert_int_eq(order("575.32", "575.32.00", 10), 0);
	ck_assert_int_eq(order("575.32", "575.32.01", 10), -1);
	ck_assert_int_eq(order("96.00.9F.00.01", "96.00.A0.00.00", 16), -1);
	ck_assert_int_eq(order("96.00.9F.00.02", "96.00.9F.00.01", 16), 1);
}
END_TEST

START_TEST(a_new_policy_is_incomplete)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = new_policy();
	static const uint8_t nonce[PM_GPU_NONCE_SIZE] = {1};

	ck_pm(pm_gpu_policy_check_complete(p, report), PM_E_ARG);
	ck_assert_str_eq(pm_report_failure(report)->name, "policy, nonce");
	ck_pm(pm_gpu_policy_waive(p, PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP), PM_OK);
	ck_pm(pm_gpu_policy_check_complete(p, NULL), PM_E_ARG);
	ck_pm(pm_gpu_policy_expect_nonce(p, nonce), PM_OK);
	ck_pm(pm_gpu_policy_check_complete(p, report), PM_OK);
	pm_gpu_policy_free(p);
	p = new_policy();
	ck_pm(pm_gpu_policy_waive(p, PM_GPU_WAIVE_NONCE), PM_OK);
	ck_pm(pm_gpu_policy_check_complete(p, report), PM_OK);
}
END_TEST

START_TEST(setters_refuse_nonsense)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = new_policy();
	static const uint8_t hash[32] = {1};

	ck_pm(pm_gpu_policy_waive(p, 8), PM_E_ARG);
	ck_pm(pm_gpu_policy_permit(p, 8), PM_E_ARG);
	ck_pm(pm_gpu_policy_require(p, 8), PM_E_ARG);
	ck_pm(pm_gpu_policy_allow_arch(p, (enum pm_gpu_arch)0), PM_E_ARG);
	ck_pm(pm_gpu_policy_allow_arch(p, (enum pm_gpu_arch)4), PM_E_ARG);
	ck_pm(pm_gpu_policy_allow_mode(p, (enum pm_gpu_mode)0), PM_E_ARG);
	ck_pm(pm_gpu_policy_allow_mode(p, (enum pm_gpu_mode)4), PM_E_ARG);
	ck_pm(pm_gpu_policy_allow_driver(p, "96.9F"), PM_E_ARG);
	ck_pm(pm_gpu_policy_allow_vbios(p, "96.9G"), PM_E_ARG);
	ck_pm(pm_gpu_policy_min_driver(p, PM_GPU_LS10, "1"), PM_E_ARG);
	ck_pm(pm_gpu_policy_min_driver(p, 4, "1"), PM_E_ARG);
	ck_pm(pm_gpu_policy_min_driver(p, 0, ""), PM_E_ARG);
	ck_pm(pm_gpu_policy_min_vbios(p, (enum pm_gpu_arch)0, "96"), PM_E_ARG);
	ck_pm(pm_gpu_policy_min_vbios(p, PM_GPU_LS10, "x"), PM_E_ARG);
	ck_pm(pm_gpu_policy_ocsp_grace(p, 0), PM_E_ARG);
	ck_pm(pm_gpu_policy_ocsp_grace(p, -1), PM_E_ARG);
	ck_pm(pm_gpu_policy_add_test_root(p, (enum pm_gpu_root)2, hash), PM_E_ARG);
	ck_assert(!p->waivers && !p->permissions && !p->requirements && !p->archs && !p->modes);
	ck_assert(!p->drivers.count && !p->vbioses.count && !p->ocsp_grace);
}
END_TEST

START_TEST(demands_on_versions_add_up)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = new_policy();

	ck_pm(pm_gpu_policy_min_driver(p, PM_GPU_HOPPER, "550.90"), PM_OK);
	ck_pm(pm_gpu_policy_min_driver(p, 0, "535.1"), PM_OK);
	ck_assert_str_eq(p->min_driver[PM_GPU_ARCH_INDEX(PM_GPU_HOPPER)].text, "550.90");
	ck_assert_str_eq(p->min_driver[PM_GPU_ARCH_INDEX(PM_GPU_BLACKWELL)].text, "535.1");
	ck_assert_str_eq(p->min_driver[PM_GPU_ARCH_INDEX(PM_GPU_LS10)].text, "");
	ck_pm(pm_gpu_policy_min_vbios(p, PM_GPU_LS10, "96.10.55"), PM_OK);
	ck_pm(pm_gpu_policy_min_vbios(p, PM_GPU_LS10, "96.10.54"), PM_OK);
	ck_assert_str_eq(p->min_vbios[PM_GPU_ARCH_INDEX(PM_GPU_LS10)].text, "96.10.55");
	ck_assert_str_eq(p->min_vbios[PM_GPU_ARCH_INDEX(PM_GPU_HOPPER)].text, "");
}
END_TEST

START_TEST(lists_are_bounded)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = new_policy();
	static const uint8_t hash[32] = {1};

	for (int i = 0; i < PM_GPU_POLICY_LIST_MAX; i++) {
		ck_pm(pm_gpu_policy_allow_driver(p, "1.2"), PM_OK);
		ck_pm(pm_gpu_policy_allow_vbios(p, "1.F"), PM_OK);
		ck_pm(pm_gpu_policy_add_test_root(p, PM_GPU_ROOT_RIM, hash), PM_OK);
	}
	ck_pm(pm_gpu_policy_allow_driver(p, "1.2"), PM_E_LIMIT);
	ck_pm(pm_gpu_policy_allow_vbios(p, "1.F"), PM_E_LIMIT);
	ck_pm(pm_gpu_policy_add_test_root(p, PM_GPU_ROOT_RIM, hash), PM_E_LIMIT);
	ck_pm(pm_gpu_policy_add_test_root(p, PM_GPU_ROOT_DEVICE, hash), PM_OK);
}
END_TEST

/* Hashes as NVIDIA publishes the certificates. */
#define DEVICE_ROOT "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"
#define RIM_ROOT    "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1"

START_TEST(a_root_serves_one_kind)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = new_policy();
	struct pm_view device = test_hex(DEVICE_ROOT), rim = test_hex(RIM_ROOT);
	static const uint8_t test[32] = {7};
	bool is_test = true;

	ck_assert(pm_gpu_policy_root(p, PM_GPU_ROOT_DEVICE, device.ptr, &is_test) && !is_test);
	is_test = true;
	ck_assert(pm_gpu_policy_root(p, PM_GPU_ROOT_RIM, rim.ptr, &is_test) && !is_test);
	ck_assert(!pm_gpu_policy_root(p, PM_GPU_ROOT_RIM, device.ptr, &is_test));
	ck_assert(!pm_gpu_policy_root(p, PM_GPU_ROOT_DEVICE, rim.ptr, &is_test));
	ck_assert(!pm_gpu_policy_root(p, PM_GPU_ROOT_DEVICE, test, &is_test));
	ck_pm(pm_gpu_policy_add_test_root(p, PM_GPU_ROOT_DEVICE, test), PM_OK);
	ck_assert(!pm_gpu_policy_root(p, PM_GPU_ROOT_RIM, test, &is_test) && !is_test);
	ck_assert(pm_gpu_policy_root(p, PM_GPU_ROOT_DEVICE, test, &is_test) && is_test);
	ck_assert(pm_gpu_policy_root(p, PM_GPU_ROOT_DEVICE, device.ptr, &is_test) && !is_test);
	ck_assert(!pm_gpu_policy_root(p, (enum pm_gpu_root)2, test, &is_test));
	test_free(device);
	test_free(rim);
}
END_TEST

START_TEST(hold_needs_permission_and_a_period)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *p = new_policy();

	ck_assert(!pm_gpu_policy_permits_hold(p, 1000, 1000));
	ck_pm(pm_gpu_policy_permit(p, PM_GPU_PERMIT_HOLD), PM_OK);
	ck_assert(!pm_gpu_policy_permits_hold(p, 1000, 1000));
	ck_pm(pm_gpu_policy_ocsp_grace(p, 60), PM_OK);
	ck_assert(pm_gpu_policy_permits_hold(p, 1000, 1000));
	ck_assert(pm_gpu_policy_permits_hold(p, 1000, 1060));
	ck_assert(!pm_gpu_policy_permits_hold(p, 1000, 1061));
	ck_assert(!pm_gpu_policy_permits_hold(p, 1000, 999));
	ck_assert(!pm_gpu_policy_permits_hold(p, INT64_MIN, INT64_MAX));
	p->permissions = 0;
	ck_assert(!pm_gpu_policy_permits_hold(p, 1000, 1000));
}
END_TEST

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(pm_gpu_arch_text(PM_GPU_HOPPER), "Hopper");
	ck_assert_str_eq(pm_gpu_arch_text(PM_GPU_BLACKWELL), "Blackwell");
	ck_assert_str_eq(pm_gpu_arch_text(PM_GPU_LS10), "LS10");
	ck_assert_str_eq(pm_gpu_arch_text(0), "unknown");
	ck_assert_str_eq(pm_gpu_arch_text(4), "unknown");
	pm_gpu_policy_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_policy");
	TCase *t = tcase_create("gpu_policy");

	tcase_add_test(t, versions_are_read);
	tcase_add_test(t, other_texts_are_no_versions);
	tcase_add_test(t, versions_compare_by_number);
	tcase_add_test(t, a_new_policy_is_incomplete);
	tcase_add_test(t, setters_refuse_nonsense);
	tcase_add_test(t, demands_on_versions_add_up);
	tcase_add_test(t, lists_are_bounded);
	tcase_add_test(t, a_root_serves_one_kind);
	tcase_add_test(t, hold_needs_permission_and_a_period);
	tcase_add_test(t, kinds_have_names);
	suite_add_tcase(s, t);
	return test_main(s);
}
