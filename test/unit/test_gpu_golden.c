/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measurements beside golden ones, on manifests made by hand: this program has its own struct
 * pm_rim and the functions of rim.h that ask it.
 */
#include <string.h>

#include "base/report.h"
#include "evidence/gpu_golden.h"
#include "testing.h"

#define NOW 1000

struct pm_rim {
	enum pm_rim_kind kind;
	const char *product, *version;
	struct pm_rim_value values[PM_RIM_VALUES_MAX];
	size_t count;
	uint8_t root[32];
	int64_t until;
	bool ocsp_checked;
};

void pm_rim_free(struct pm_rim *rim)
{
	(void)rim;
}

enum pm_rim_kind pm_rim_kind(const struct pm_rim *rim)
{
	return rim->kind;
}

const char *pm_rim_product(const struct pm_rim *rim)
{
	return rim->product;
}

const char *pm_rim_version(const struct pm_rim *rim)
{
	return rim->version;
}

const uint8_t *pm_rim_root_sha256(const struct pm_rim *rim)
{
	return rim->root;
}

bool pm_rim_ocsp_checked(const struct pm_rim *rim)
{
	return rim->ocsp_checked;
}

int64_t pm_rim_valid_until(const struct pm_rim *rim)
{
	return rim->until;
}

size_t pm_rim_value_count(const struct pm_rim *rim)
{
	return rim->count;
}

const struct pm_rim_value *pm_rim_value_at(const struct pm_rim *rim, size_t i)
{
	return &rim->values[i];
}

const struct pm_rim_value *pm_rim_value_of(const struct pm_rim *rim, uint8_t index)
{
	for (size_t i = 0; i < rim->count; i++) {
		if (rim->values[i].index == index)
			return &rim->values[i];
	}
	return NULL;
}

/* --- a device and its manifests -------------------------------------------------------------- */

struct stage {
	enum pm_gpu_arch arch;
	struct pm_gpu_fields f;
	struct pm_rim driver, vbios, sw;
	const struct pm_rim *list[4];
	size_t count;
	unsigned int waivers, requirements;
	int64_t rim_time; /* 0: not set */
	bool untrusted;
	struct pm_gpu_compared c;
};

static void put(struct pm_rim *rim, uint8_t index, uint8_t fill)
{
	struct pm_rim_value *v = &rim->values[rim->count++];

	v->index = index;
	v->active = true;
	v->alternatives = 1;
	memset(v->digests[0], fill, PM_GPU_DIGEST_SIZE);
}

static struct pm_rim new_rim(enum pm_rim_kind kind, const char *product, const char *version)
{
	return (struct pm_rim){.kind = kind,
		.product = product,
		.version = version,
		.root = {7},
		.until = NOW,
		.ocsp_checked = true};
}

/* Index i measures i + 1, but an unused one, 63; index 35 is the video decoder, off. */
static void init(struct stage *s, enum pm_gpu_arch arch)
{
	*s = (struct stage){.arch = arch, .f = {.measurement_count = 64, .nvdec0 = PM_GPU_OFF}};
	if (arch == PM_GPU_LS10)
		s->f.measurement_count = 31;
	for (uint8_t i = 0; i < s->f.measurement_count; i++)
		memset(s->f.measurements[i], i == 63 ? 0 : i + 1, PM_GPU_DIGEST_SIZE);
	strcpy(s->f.driver, arch == PM_GPU_LS10 ? "" : "550.90.07");
	strcpy(s->f.vbios, "96.00.9F.00.01");
	s->driver = new_rim(PM_RIM_DRIVER, arch == PM_GPU_HOPPER ? "GH100" : "GB100", "550.90.07");
	s->vbios = new_rim(PM_RIM_VBIOS, s->driver.product, "96.00.9f.00.01");
	s->sw = new_rim(PM_RIM_SWITCH, "LS10", "96.00.9F.00.01");
	for (uint8_t i = 0; i < 63; i++)
		put(i % 2 ? &s->driver : &s->vbios, i, i + 1);
	for (uint8_t i = 0; i < 31; i++)
		put(&s->sw, i, i + 1);
	s->list[0] = &s->driver;
	s->list[1] = &s->vbios;
	s->list[2] = &s->sw;
	s->count = 3;
}

static int compare(struct stage *s, struct pm_report *report)
{
	const struct pm_gpu_rims rims = {s->list, s->count};
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	static const uint8_t root[32] = {7};

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, s->waivers), PM_OK);
	ck_pm(pm_gpu_policy_require(policy, s->requirements), PM_OK);
	if (s->rim_time)
		ck_pm(pm_gpu_policy_rim_time(policy, s->rim_time), PM_OK);
	ck_pm(pm_gpu_policy_add_test_root(
		      policy, s->untrusted ? PM_GPU_ROOT_DEVICE : PM_GPU_ROOT_RIM, root),
		PM_OK);
	return pm_gpu_golden_compare(&s->f, s->arch, &rims, policy, NOW, report, &s->c);
}

/* The value of that index. */
static struct pm_rim_value *value(struct pm_rim *rim, uint8_t index)
{
	for (size_t i = 0; i < rim->count; i++) {
		if (rim->values[i].index == index)
			return &rim->values[i];
	}
	ck_abort();
}

static void add_alternative(struct pm_rim_value *v, uint8_t fill)
{
	memset(v->digests[v->alternatives++], fill, PM_GPU_DIGEST_SIZE);
}

/* --- one thing changed ----------------------------------------------------------------------- */

#define CHANGE(name, statement)                                                                    \
	static void name(struct stage *s)                                                          \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name

CHANGE(nothing, (void)s);
CHANGE(differs, s->f.measurements[7][47] ^= 1);
CHANGE(differs_vbios, s->f.measurements[0][0] ^= 1);
CHANGE(differs_at_35, s->f.measurements[35][0] ^= 1);
CHANGE(differs_at_35_on, (differs_at_35(s), s->f.nvdec0 = PM_GPU_ON));
CHANGE(differs_at_35_not_told, (differs_at_35(s), s->f.nvdec0 = 0));
CHANGE(differs_at_34, s->f.measurements[34][0] ^= 1);
CHANGE(other_value, value(&s->driver, 7)->digests[0][0] ^= 1);
CHANGE(second_value, (other_value(s), add_alternative(value(&s->driver, 7), 8)));
CHANGE(eighth_value, {
	other_value(s);
	for (int i = 0; i < 7; i++)
		add_alternative(value(&s->driver, 7), i == 6 ? 8 : 99);
});
CHANGE(beyond_alternatives, (second_value(s), value(&s->driver, 7)->alternatives = 1));
CHANGE(no_alternatives, value(&s->driver, 7)->alternatives = 0);
CHANGE(inactive, (value(&s->driver, 7)->active = false));
CHANGE(inactive_refused, (inactive(s), s->requirements = PM_GPU_REQUIRE_ALL_GOLDEN));
CHANGE(inactive_and_zero,
	(inactive_refused(s), memset(s->f.measurements[7], 0, PM_GPU_DIGEST_SIZE)));
CHANGE(inactive_differs, (other_value(s), inactive(s)));
CHANGE(last_unmeasured,
	(s->f.measurements[63][0] = 1, s->requirements = PM_GPU_REQUIRE_ALL_GOLDEN));
CHANGE(all_measured, s->requirements = PM_GPU_REQUIRE_ALL_GOLDEN);
CHANGE(conflict, put(&s->driver, 0, 1));
CHANGE(conflict_inactive, (put(&s->driver, 0, 99), value(&s->driver, 0)->active = false));
CHANGE(twice_in_one, put(&s->driver, 7, 8));
CHANGE(beyond_report, put(&s->sw, 31, 0));
CHANGE(all_inactive, {
	for (size_t i = 0; i < s->driver.count; i++)
		s->driver.values[i].active = false;
});
CHANGE(empty, s->vbios.count = 0);
CHANGE(no_driver, s->list[0] = &s->sw);
CHANGE(no_vbios, s->list[1] = &s->sw);
CHANGE(none, s->count = 0);
CHANGE(none_waived, (s->count = 0, s->waivers = PM_GPU_WAIVE_RIM));
CHANGE(no_vbios_waived, (no_vbios(s), s->waivers = PM_GPU_WAIVE_RIM));
CHANGE(no_vbios_waived_differs, (no_vbios_waived(s), s->f.measurements[7][0] ^= 1));
CHANGE(driver_version, s->driver.version = "550.90.08");
CHANGE(driver_product, s->driver.product = "GB100");
CHANGE(vbios_version, s->vbios.version = "96.00.9F.00.02");
CHANGE(vbios_product, s->vbios.product = "GH200");
CHANGE(driver_kind, s->driver.kind = PM_RIM_VBIOS);
CHANGE(driver_version_waived, (driver_version(s), s->waivers = PM_GPU_WAIVE_RIM));
CHANGE(two_drivers, (s->list[2] = &s->driver));
/* A second one for the driver, which a change then spoils, behind the first or before it. */
CHANGE(again, (s->sw = s->driver));
CHANGE(again_first, (again(s), s->list[0] = &s->sw, s->list[2] = &s->driver));
CHANGE(again_otherwise, {
	again(s);
	add_alternative(value(&s->driver, 7), 99);
	add_alternative(value(&s->sw, 7), 8);
	memset(value(&s->sw, 7)->digests[0], 99, PM_GPU_DIGEST_SIZE);
});
CHANGE(again_reversed, {
	again(s);
	for (size_t i = 0; i < s->sw.count; i++)
		s->sw.values[i] = s->driver.values[s->sw.count - 1 - i];
});
CHANGE(again_ended, (again(s), s->sw.until = NOW - 1));
CHANGE(again_ended_first, (again_first(s), s->sw.until = NOW - 1));
CHANGE(both_ended, (again_ended(s), s->driver.until = NOW - 1));
CHANGE(again_unchecked_first, (again_first(s), s->sw.ocsp_checked = false));
CHANGE(again_untrusted_first, (again_first(s), s->sw.root[0] = 8));
CHANGE(again_differs, (again(s), value(&s->sw, 61)->digests[0][0] ^= 1));
CHANGE(again_differs_first, (again_first(s), value(&s->sw, 61)->digests[0][0] ^= 1));
CHANGE(again_with_more, (again(s), put(&s->sw, 63, 1)));
CHANGE(again_with_less, (again(s), s->sw.count--));
CHANGE(again_one_more_value, (again(s), add_alternative(value(&s->sw, 7), 99)));
CHANGE(again_not_active, (again(s), value(&s->sw, 7)->active = false));
CHANGE(again_differs_ended, (again_differs(s), s->sw.until = NOW - 1));
CHANGE(chip_info,
	(strcpy(s->f.chip_info, "GB20X"), s->driver.product = "gb20x", s->vbios.product = "GB20X"));
CHANGE(chip_info_other, strcpy(s->f.chip_info, "GB20X"));
CHANGE(untrusted, s->untrusted = true);
CHANGE(expired, s->vbios.until = NOW - 1);
CHANGE(expired_at_another_time, (expired(s), s->rim_time = NOW - 1));
CHANGE(another_time_is_later, s->rim_time = NOW + 1);
CHANGE(no_ocsp, s->vbios.ocsp_checked = false);
CHANGE(no_ocsp_waived, (no_ocsp(s), s->waivers = PM_GPU_WAIVE_OCSP));
CHANGE(switch_only, (s->list[0] = &s->sw, s->count = 1));
CHANGE(switch_version, s->sw.version = "96.00.9F.00.02");
CHANGE(switch_differs, s->f.measurements[30][0] ^= 1);

#define H      PM_GPU_HOPPER
#define B      PM_GPU_BLACKWELL
#define L      PM_GPU_LS10
#define ALL    "golden measurements"
#define DRIVER "golden measurements, driver"
#define VBIOS  "golden measurements, VBIOS"
#define SWITCH "golden measurements, switch"
#define REST   "measurements without golden"

static const struct {
	const char *name;
	enum pm_gpu_arch arch;
	void (*change)(struct stage *s);
	int error;
	const char *failure; /* NULL: accepted */
	size_t count, matched;
} rows[] = {
	{"Hopper", H, nothing, 0, NULL, 63, 63},
	{"Blackwell", B, nothing, 0, NULL, 63, 63},
	{"switch", L, nothing, 0, NULL, 31, 31},
	{"differs", H, differs, PM_E_REJECTED, DRIVER, 63, 62},
	{"differs in VBIOS", H, differs_vbios, PM_E_REJECTED, VBIOS, 63, 62},
	{"index 35, off", H, differs_at_35, 0, NULL, 63, 62},
	{"index 35, on", H, differs_at_35_on, PM_E_REJECTED, DRIVER, 63, 62},
	{"index 35, not told", H, differs_at_35_not_told, PM_E_REJECTED, DRIVER, 63, 62},
	{"index 34", H, differs_at_34, PM_E_REJECTED, VBIOS, 63, 62},
	{"another value", H, other_value, PM_E_REJECTED, DRIVER, 63, 62},
	{"the second value", H, second_value, 0, NULL, 63, 63},
	{"the eighth value", H, eighth_value, 0, NULL, 63, 63},
	{"beyond the alternatives", H, beyond_alternatives, PM_E_REJECTED, DRIVER, 63, 62},
	{"no alternative", H, no_alternatives, PM_E_REJECTED, DRIVER, 63, 62},
	{"not active", H, inactive, 0, NULL, 62, 62},
	{"not active, refused", H, inactive_refused, PM_E_REJECTED, REST, 62, 62},
	{"all active", H, all_measured, 0, NULL, 63, 63},
	{"not active, not measured", H, inactive_and_zero, 0, NULL, 62, 62},
	{"not active, differs", H, inactive_differs, 0, NULL, 62, 62},
	{"the last one unmeasured", H, last_unmeasured, PM_E_REJECTED, REST, 63, 63},
	{"conflict", H, conflict, PM_E_REJECTED, ALL, 63, 63},
	{"conflict with an inactive one", H, conflict_inactive, 0, NULL, 63, 63},
	{"twice in one", H, twice_in_one, PM_E_REJECTED, ALL, 63, 63},
	{"beyond the report", L, beyond_report, PM_E_REJECTED, SWITCH, 32, 31},
	{"none active", H, all_inactive, PM_E_REJECTED, DRIVER, 32, 32},
	{"empty", H, empty, PM_E_REJECTED, VBIOS, 31, 31},
	{"no driver", H, no_driver, PM_E_MISSING, DRIVER, 0, 0},
	{"no VBIOS", H, no_vbios, PM_E_MISSING, VBIOS, 0, 0},
	{"none", H, none, PM_E_MISSING, DRIVER, 0, 0},
	{"none, waived", H, none_waived, 0, NULL, 0, 0},
	{"no VBIOS, waived", H, no_vbios_waived, 0, NULL, 31, 31},
	{"no VBIOS, waived, differs", H, no_vbios_waived_differs, PM_E_REJECTED, DRIVER, 31, 30},
	{"another driver", H, driver_version, PM_E_REJECTED, DRIVER, 0, 0},
	{"driver of another chip", H, driver_product, PM_E_REJECTED, DRIVER, 0, 0},
	{"another VBIOS", H, vbios_version, PM_E_REJECTED, VBIOS, 0, 0},
	{"VBIOS of another chip", H, vbios_product, PM_E_REJECTED, VBIOS, 0, 0},
	{"a driver's as a VBIOS's", H, driver_kind, PM_E_MISSING, DRIVER, 0, 0},
	{"another driver, waived", H, driver_version_waived, 0, NULL, 32, 32},
	{"twice the driver's", H, two_drivers, 0, NULL, 63, 63},
	{"the driver's again", H, again, 0, NULL, 63, 63},
	{"again, first", H, again_first, 0, NULL, 63, 63},
	{"again, values in another order", H, again_otherwise, 0, NULL, 63, 63},
	{"again, indexes in another order", H, again_reversed, 0, NULL, 63, 63},
	{"again, ended", H, again_ended, 0, NULL, 63, 63},
	{"again, ended, first", H, again_ended_first, 0, NULL, 63, 63},
	{"again, both ended", H, both_ended, PM_E_STALE, DRIVER, 0, 0},
	{"again, not checked, first", H, again_unchecked_first, 0, NULL, 63, 63},
	{"again, not trusted, first", H, again_untrusted_first, 0, NULL, 63, 63},
	{"again, and differs", H, again_differs, PM_E_REJECTED, DRIVER, 0, 0},
	{"again, and differs, first", H, again_differs_first, PM_E_REJECTED, DRIVER, 0, 0},
	{"again, and one index more", H, again_with_more, PM_E_REJECTED, DRIVER, 0, 0},
	{"again, and one index less", H, again_with_less, PM_E_REJECTED, DRIVER, 0, 0},
	{"again, and one value more", H, again_one_more_value, PM_E_REJECTED, DRIVER, 0, 0},
	{"again, and not active", H, again_not_active, PM_E_REJECTED, DRIVER, 0, 0},
	{"again, differs and ended", H, again_differs_ended, PM_E_REJECTED, DRIVER, 0, 0},
	{"chip of CHIP_INFO", B, chip_info, 0, NULL, 63, 63},
	{"not the chip of CHIP_INFO", B, chip_info_other, PM_E_REJECTED, DRIVER, 0, 0},
	{"CHIP_INFO of Hopper", H, chip_info_other, 0, NULL, 63, 63},
	{"untrusted root", H, untrusted, PM_E_REJECTED, DRIVER, 0, 0},
	{"expired", H, expired, PM_E_STALE, VBIOS, 0, 0},
	{"expired, but not at that time", H, expired_at_another_time, 0, NULL, 63, 63},
	{"expired at a later time", H, another_time_is_later, PM_E_STALE, DRIVER, 0, 0},
	{"revocation not checked", H, no_ocsp, PM_E_MISSING, VBIOS, 0, 0},
	{"revocation waived", H, no_ocsp_waived, 0, NULL, 63, 63},
	{"a switch's for a GPU", H, switch_only, PM_E_MISSING, DRIVER, 0, 0},
	{"a switch's alone", L, switch_only, 0, NULL, 31, 31},
	{"another BIOS", L, switch_version, PM_E_REJECTED, SWITCH, 0, 0},
	{"switch differs", L, switch_differs, PM_E_REJECTED, SWITCH, 31, 30},
};

START_TEST(each_change)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_check *failure;
	struct stage s;
	int r;

	init(&s, rows[_i].arch);
	rows[_i].change(&s);
	r = compare(&s, report);
	failure = pm_report_failure(report);
	ck_assert_msg(
		r == rows[_i].error, "%s: %d, %s", rows[_i].name, r, pm_report_reason(report));
	ck_assert_msg(
		rows[_i].failure ? failure && !strcmp(failure->name, rows[_i].failure) : !failure,
		"%s: %s", rows[_i].name, pm_report_reason(report));
	ck_assert_msg(s.c.count == rows[_i].count && s.c.matched == rows[_i].matched,
		"%s: %zu of %zu", rows[_i].name, s.c.matched, s.c.count);
	ck_pm(compare(&s, NULL), r);
}
END_TEST

/* Of two that state the same that one counts which lasts longer, wherever it stands. */
START_TEST(the_longer_one_counts)
{
	for (int first = 0; first < 2; first++) {
		struct stage s;

		init(&s, PM_GPU_HOPPER);
		if (first)
			again_first(&s);
		else
			again(&s);
		s.sw.until = NOW + 7;
		s.vbios.until = NOW + 9;
		ck_pm(compare(&s, NULL), PM_OK);
		ck_assert_int_eq(s.c.until, NOW + 7);
	}
}
END_TEST

START_TEST(a_difference_is_told)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct stage s;

	init(&s, PM_GPU_HOPPER);
	again_differs(&s);
	ck_pm(compare(&s, report), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_reason(report),
		DRIVER ": found two for GH100 550.90.07 that differ, first in index 61, "
		       "expected one manifest, or some that state the same");
}
END_TEST

/* Of two that state the same, the one that proves more counts, and the other's end does not. */
START_TEST(the_better_one_counts)
{
	static const uint8_t nvidia[32] = {0x12, 0x97, 0x7b, 0x51, 0x15, 0xac, 0xb0, 0x38, 0x11,
		0x79, 0x27, 0x9f, 0xff, 0xeb, 0x5a, 0x8c, 0x4d, 0x26, 0x49, 0x71, 0xeb, 0xb3, 0x22,
		0x98, 0x02, 0x3a, 0x46, 0x5f, 0xa4, 0x1d, 0xf5, 0xd1};

	for (int first = 0; first < 2; first++) {
		struct stage s;

		init(&s, PM_GPU_HOPPER);
		(first ? again_first : again)(&s);
		s.waivers = PM_GPU_WAIVE_OCSP;
		s.vbios.until = NOW + 9;
		s.driver.until = NOW + 5;
		s.sw.until = NOW + 7;
		ck_pm(compare(&s, NULL), PM_OK);
		ck_assert_int_eq(s.c.until, NOW + 7);
		s.sw.ocsp_checked = false;
		ck_pm(compare(&s, NULL), PM_OK);
		ck_assert(s.c.ocsp_checked && s.c.until == NOW + 5);
		memcpy(s.sw.root, nvidia, sizeof(nvidia));
		memcpy(s.vbios.root, nvidia, sizeof(nvidia));
		ck_pm(compare(&s, NULL), PM_OK);
		ck_assert(!s.c.test_root && !s.c.ocsp_checked && s.c.until == NOW + 7);
	}
}
END_TEST

START_TEST(who_said_what)
{
	struct stage s;

	init(&s, PM_GPU_HOPPER);
	second_value(&s);
	differs_at_35(&s);
	s.driver.until = NOW + 5;
	s.vbios.until = NOW + 3;
	ck_pm(compare(&s, NULL), PM_OK);
	ck_assert(s.c.complete && s.c.test_root && s.c.ocsp_checked && s.c.until == NOW + 3);
	ck_assert_int_eq(s.c.golden[7].state, PM_GPU_GOLDEN_MATCHED);
	ck_assert_uint_eq(s.c.golden[7].alternative, 1);
	ck_assert_int_eq(s.c.golden[7].kind, PM_RIM_DRIVER);
	ck_assert_int_eq(s.c.golden[0].kind, PM_RIM_VBIOS);
	ck_assert_int_eq(s.c.golden[35].state, PM_GPU_GOLDEN_SKIPPED);
	ck_assert_int_eq(s.c.golden[63].state, PM_GPU_GOLDEN_NONE);
	differs(&s);
	ck_pm(compare(&s, NULL), PM_E_REJECTED);
	ck_assert_int_eq(s.c.golden[7].state, PM_GPU_GOLDEN_DIFFERS);
	ck_assert_int_eq(s.c.golden[8].state, PM_GPU_GOLDEN_MATCHED);
}
END_TEST

START_TEST(every_difference_is_told)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct stage s;
	int failures = 0;

	init(&s, PM_GPU_HOPPER);
	for (int i = 0; i < 63; i++)
		s.f.measurements[i][0] ^= 1;
	s.f.nvdec0 = PM_GPU_ON;
	ck_pm(compare(&s, report), PM_E_REJECTED);
	for (size_t i = 0; i < pm_report_count(report); i++)
		failures += pm_report_at(report, i)->outcome == PM_FAILED;
	ck_assert_int_eq(failures, 63);
	ck_assert_uint_eq(s.c.matched, 0);
}
END_TEST

START_TEST(waived_revocation_is_told)
{
	struct stage s;

	init(&s, PM_GPU_HOPPER);
	no_ocsp_waived(&s);
	ck_pm(compare(&s, NULL), PM_OK);
	ck_assert(!s.c.ocsp_checked && s.c.complete);
	init(&s, PM_GPU_HOPPER);
	no_vbios_waived(&s);
	ck_pm(compare(&s, NULL), PM_OK);
	ck_assert(s.c.ocsp_checked && !s.c.complete);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_golden");
	TCase *t = tcase_create("gpu_golden");

	tcase_add_loop_test(t, each_change, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, the_longer_one_counts);
	tcase_add_test(t, a_difference_is_told);
	tcase_add_test(t, the_better_one_counts);
	tcase_add_test(t, who_said_what);
	tcase_add_test(t, every_difference_is_told);
	tcase_add_test(t, waived_revocation_is_told);
	suite_add_tcase(s, t);
	return test_main(s);
}
