/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of reports, on such that were made here. */
#include <string.h>

#include "base/report.h"
#include "evidence/gpu_evidence.h"
#include "gpu_scene.h"
#include "testing.h"

#define REQUEST	   37
#define RECORD	   (REQUEST + 8)
#define BLOCK	   55
#define GPU_OPAQUE (RECORD + 64 * BLOCK + 32)

#define CHANGE(name, statement)                                                                    \
	static void name(struct gpu_scene *s)                                                      \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name

/* --- bytes that are changed after the report was written ------------------------------------- */

static void flip(struct gpu_scene *s, size_t at, uint8_t value)
{
	s->bytes[at] = value;
}

CHANGE(request_version, flip(s, 0, 0x12));
CHANGE(request_code, flip(s, 1, 0xe1));
CHANGE(request_param1, flip(s, 2, 0));
CHANGE(request_param2, flip(s, 3, 1));
CHANGE(request_slot, flip(s, 36, 1));
CHANGE(response_version, flip(s, 37, 0x10));
CHANGE(response_code, flip(s, 38, 0x7f));
CHANGE(response_param1, flip(s, 39, 1));
CHANGE(response_param2, flip(s, 40, 1));
CHANGE(blocks_63, flip(s, 41, 63));
CHANGE(blocks_0, flip(s, 41, 0));
CHANGE(blocks_31, flip(s, 41, 31));
CHANGE(record_shorter, flip(s, 42, 0xbf));
CHANGE(record_huge, flip(s, 44, 1));
CHANGE(index_0, flip(s, RECORD, 0));
CHANGE(index_twice, flip(s, RECORD + BLOCK, 1));
CHANGE(index_last, flip(s, RECORD + 63 * BLOCK, 65));
CHANGE(spec_2, flip(s, RECORD + 1, 2));
CHANGE(size_50, flip(s, RECORD + 2, 50));
CHANGE(type_0x81, flip(s, RECORD + 4, 0x81));
CHANGE(value_47, flip(s, RECORD + 5, 47));
CHANGE(opaque_longer, s->bytes[GPU_OPAQUE]++);
CHANGE(opaque_shorter, s->bytes[GPU_OPAQUE]--);
CHANGE(opaque_huge, flip(s, GPU_OPAQUE + 1, 0xff));
CHANGE(first_longer, s->bytes[GPU_OPAQUE + 4]++);
CHANGE(more_behind, s->size++);
CHANGE(too_long, s->size = PM_GPU_REPORT_MAX + 1);

static const struct {
	const char *name;
	void (*spoil)(struct gpu_scene *s);
	int error;
	const char *failure;
} spoiled[] = {
	{"request, version", request_version, PM_E_UNSUPPORTED, "request, SPDM version"},
	{"request, code", request_code, PM_E_FORMAT, "request, code"},
	{"request, Param1", request_param1, PM_E_FORMAT, "request, Param1"},
	{"request, Param2", request_param2, PM_E_FORMAT, "request, Param2"},
	{"request, slot", request_slot, PM_E_FORMAT, "request, slot"},
	{"response, version", response_version, PM_E_FORMAT, "response, SPDM version"},
	{"response, code", response_code, PM_E_FORMAT, "response, code"},
	{"response, Param1", response_param1, PM_E_FORMAT, "response, Param1"},
	{"response, Param2", response_param2, PM_E_FORMAT, "response, Param2"},
	{"63 blocks", blocks_63, PM_E_UNSUPPORTED, "number of measurements"},
	{"no block", blocks_0, PM_E_UNSUPPORTED, "number of measurements"},
	{"31 blocks in place of 64", blocks_31, PM_E_FORMAT, "length of the measurements"},
	{"record shorter", record_shorter, PM_E_FORMAT, "length of the measurements"},
	{"record huge", record_huge, PM_E_FORMAT, "length of the measurements"},
	{"index 0", index_0, PM_E_FORMAT, "measurement, index"},
	{"index 1 twice", index_twice, PM_E_FORMAT, "measurement, index"},
	{"index 65", index_last, PM_E_FORMAT, "measurement, index"},
	{"specification", spec_2, PM_E_FORMAT, "measurement, header"},
	{"size", size_50, PM_E_FORMAT, "measurement, header"},
	{"type", type_0x81, PM_E_FORMAT, "measurement, header"},
	{"size of the value", value_47, PM_E_FORMAT, "measurement, header"},
	{"opaque longer", opaque_longer, PM_E_FORMAT, "report length"},
	{"opaque shorter", opaque_shorter, PM_E_FORMAT, "report length"},
	{"opaque huge", opaque_huge, PM_E_FORMAT, "report length"},
	{"first field longer", first_longer, PM_E_FORMAT, "VBIOS_VERSION"},
	{"a byte more", more_behind, PM_E_FORMAT, "report length"},
	{"longer than any", too_long, PM_E_LIMIT, "report length"},
};

static void refuse(struct gpu_scene *s, int error, const char *name, const char *failure)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_gpu_evidence *ev = NULL;
	int r = pm_gpu_evidence_parse(s->bytes, s->size, 0, report, &ev);

	ck_assert_msg(r == error, "%s: %d, %s", name, r, pm_report_reason(report));
	ck_assert_ptr_null(ev);
	ck_assert_msg(!strcmp(pm_report_failure(report)->name, failure), "%s: %s", name,
		pm_report_reason(report));
	ck_pm(pm_gpu_evidence_parse(s->bytes, s->size, 0, NULL, &ev), error);
	ck_pm(pm_gpu_evidence_parse(s->bytes, s->size, PM_GPU_TRIM_NUL, NULL, &ev),
		failure[0] == 'r' && s->spoil == more_behind ? PM_OK : error);
	pm_gpu_evidence_free(ev);
}

START_TEST(each_spoiled_byte)
{
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	gpu_scene_write(&s);
	s.spoil = spoiled[_i].spoil;
	s.spoil(&s);
	refuse(&s, spoiled[_i].error, spoiled[_i].name, spoiled[_i].failure);
	gpu_scene_free(&s);
}
END_TEST

/* --- opaque fields --------------------------------------------------------------------------- */

static const uint8_t zeros[160];

static void twice(struct gpu_scene *s, uint16_t id)
{
	struct gpu_field *f = gpu_scene_field(s, id);

	s->fields[s->field_count++] = *f;
}

CHANGE(no_driver, gpu_scene_drop(s, 3));
CHANGE(empty_driver, gpu_scene_set(s, 3, "\0\0", 2));
CHANGE(driver_of_33, gpu_scene_set(s, 3, "123456789012345678901234567890123", 33));
CHANGE(driver_slash, gpu_scene_set(s, 3, "550/90", 7));
CHANGE(driver_nul_inside, gpu_scene_set(s, 3,
				  "550\0"
				  "90",
				  7));
CHANGE(driver_space, gpu_scene_set(s, 3, "550 90", 7));
CHANGE(driver_high, gpu_scene_set(s, 3,
			    "550\xb2"
			    "90",
			    7));
CHANGE(no_vbios, gpu_scene_drop(s, 6));
CHANGE(vbios_7, gpu_scene_set(s, 6, "\0\x9f\0\x96\x01\0\0", 7));
CHANGE(vbios_14, gpu_scene_set(s, 6, "96.00.9F.00.01", 14));
CHANGE(vbios_tail, gpu_scene_set(s, 6, "\0\x9f\0\x96\x01\0\0\x01", 8));
CHANGE(info_4, gpu_scene_set(s, 4, "\x80\x01\0\0", 4));
CHANGE(nvdec_2, gpu_scene_set(s, 11, "\x55\x55", 2));
CHANGE(nvdec_0, gpu_scene_set(s, 11, "\0", 1));
CHANGE(pcie_1, gpu_scene_set(s, 21, "\x01", 1));
CHANGE(fwid_47, gpu_scene_set(s, 20, zeros, 47));
CHANGE(fwid_49, gpu_scene_set(s, 20, zeros, 49));
CHANGE(pdi_8, gpu_scene_set(s, 22, zeros, 8));
CHANGE(version_2, gpu_scene_set(s, 34, "\x02\0", 2));
CHANGE(version_256, gpu_scene_set(s, 34, "\0\x01", 2));
CHANGE(version_1_byte, gpu_scene_set(s, 34, "\0", 1));
CHANGE(feature_1_byte, gpu_scene_set(s, 36, "\0", 1));
CHANGE(chip_dots, gpu_scene_set(s, 35, "../..", 6));
CHANGE(project_underscore, gpu_scene_set(s, 17, "10_0", 5));
CHANGE(sku_empty, gpu_scene_set(s, 15, "", 0));
CHANGE(sku_long, gpu_scene_set(s, 15, zeros, 34));
CHANGE(driver_twice, twice(s, 3));
CHANGE(unknown_twice, (gpu_scene_set(s, 60000, "", 0), twice(s, 60000)));
CHANGE(bios_13, gpu_scene_set(s, 6, "96.10.55.00.0", 13));
CHANGE(bios_empty, gpu_scene_set(s, 6, zeros, 14));
CHANGE(switch_pdi_9, gpu_scene_set(s, 22, zeros, 9));
CHANGE(switch_gpus_127, gpu_scene_set(s, 26, zeros, 127));
CHANGE(lock_1_byte, gpu_scene_set(s, 25, "\x01", 1));

#define H PM_GPU_HOPPER
#define L PM_GPU_LS10

static const struct {
	const char *name;
	enum pm_gpu_arch arch;
	void (*change)(struct gpu_scene *s);
	int error;
	const char *failure;
} opaque[] = {
	{"no driver", H, no_driver, PM_E_FORMAT, "DRIVER_VERSION"},
	{"empty driver", H, empty_driver, PM_E_FORMAT, "DRIVER_VERSION"},
	{"driver of 33 characters", H, driver_of_33, PM_E_FORMAT, "DRIVER_VERSION"},
	{"driver with a slash", H, driver_slash, PM_E_FORMAT, "DRIVER_VERSION"},
	{"driver with a NUL", H, driver_nul_inside, PM_E_FORMAT, "DRIVER_VERSION"},
	{"driver with a space", H, driver_space, PM_E_FORMAT, "DRIVER_VERSION"},
	{"driver not ASCII", H, driver_high, PM_E_FORMAT, "DRIVER_VERSION"},
	{"no VBIOS", H, no_vbios, PM_E_FORMAT, "VBIOS_VERSION"},
	{"VBIOS of 7 bytes", H, vbios_7, PM_E_FORMAT, "VBIOS_VERSION"},
	{"VBIOS of a switch", H, vbios_14, PM_E_FORMAT, "VBIOS_VERSION"},
	{"VBIOS with a tail", H, vbios_tail, PM_E_FORMAT, "VBIOS_VERSION"},
	{"GPU_INFO of 4 bytes", H, info_4, PM_E_FORMAT, "GPU_INFO"},
	{"NVDEC0 of 2 bytes", H, nvdec_2, PM_E_FORMAT, "NVDEC0_STATUS"},
	{"NVDEC0 of another value", H, nvdec_0, PM_E_FORMAT, "NVDEC0_STATUS"},
	{"PCIe of another value", H, pcie_1, PM_E_FORMAT, "PROTECTED_PCIE_STATUS"},
	{"FWID too short", H, fwid_47, PM_E_FORMAT, "FWID"},
	{"FWID too long", H, fwid_49, PM_E_FORMAT, "FWID"},
	{"PDI of a switch", H, pdi_8, PM_E_FORMAT, "SWITCH_PDI or DEVICE_PDI"},
	{"version 2", H, version_2, PM_E_UNSUPPORTED, "OPAQUE_DATA_VERSION"},
	{"version 256", H, version_256, PM_E_UNSUPPORTED, "OPAQUE_DATA_VERSION"},
	{"version of a byte", H, version_1_byte, PM_E_FORMAT, "OPAQUE_DATA_VERSION"},
	{"feature of a byte", H, feature_1_byte, PM_E_FORMAT, "FEATURE_FLAG"},
	{"chip with slashes", H, chip_dots, PM_E_FORMAT, "CHIP_INFO"},
	{"project with underscore", H, project_underscore, PM_E_FORMAT, "PROJECT"},
	{"empty SKU", H, sku_empty, PM_E_FORMAT, "CHIP_SKU"},
	{"long SKU", H, sku_long, PM_E_FORMAT, "CHIP_SKU"},
	{"driver twice", H, driver_twice, PM_E_FORMAT, "opaque fields"},
	{"unknown twice", H, unknown_twice, PM_E_FORMAT, "opaque fields"},
	{"no BIOS", L, no_vbios, PM_E_FORMAT, "VBIOS_VERSION"},
	{"BIOS too short", L, bios_13, PM_E_FORMAT, "VBIOS_VERSION"},
	{"BIOS empty", L, bios_empty, PM_E_FORMAT, "VBIOS_VERSION"},
	{"switch, PDI of 9 bytes", L, switch_pdi_9, PM_E_FORMAT, "SWITCH_PDI or DEVICE_PDI"},
	{"switch, GPUs of 127 bytes", L, switch_gpus_127, PM_E_FORMAT, "SWITCH_GPU_PDIS"},
	{"switch, lock of a byte", L, lock_1_byte, PM_E_FORMAT, "LOCK_SWITCH_STATUS"},
};

START_TEST(each_opaque_field)
{
	struct gpu_scene s;

	gpu_scene_init(&s, opaque[_i].arch);
	opaque[_i].change(&s);
	gpu_scene_write(&s);
	refuse(&s, opaque[_i].error, opaque[_i].name, opaque[_i].failure);
	gpu_scene_free(&s);
}
END_TEST

/* A field whose length goes beyond the end, or that has not even a length. */
START_TEST(fields_that_end_early)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct gpu_scene s;
	size_t at;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	gpu_scene_set(&s, 200, "abc", 3);
	at = gpu_scene_write(&s);
	for (size_t cut = 1; cut < 7; cut++) {
		pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
		size_t opaque_len = s.size - at - PM_GPU_SIGNATURE_SIZE - cut;
		uint8_t bytes[PM_GPU_REPORT_MAX];

		memcpy(bytes, s.bytes, s.size);
		bytes[at - 2] = (uint8_t)opaque_len;
		bytes[at - 1] = (uint8_t)(opaque_len >> 8);
		pm_report_reset(report);
		ck_pm(pm_gpu_evidence_parse(bytes, s.size - cut, 0, report, &ev), PM_E_FORMAT);
		ck_assert_str_eq(pm_report_failure(report)->name, "opaque fields");
	}
	gpu_scene_free(&s);
}
END_TEST

/* --- what is read ---------------------------------------------------------------------------- */

static struct pm_gpu_evidence *parse(struct gpu_scene *s, unsigned int flags)
{
	struct pm_gpu_evidence *ev = NULL;

	gpu_scene_write(s);
	ck_pm(pm_gpu_evidence_parse(s->bytes, s->size, flags, NULL, &ev), PM_OK);
	return ev;
}

START_TEST(fields_of_a_gpu)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_fields *f;
	uint8_t pdis[144] = {0};
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	s.nonce[0] = 1, s.nonce[31] = 2;
	s.measurements[0][0] = 3, s.measurements[63][47] = 4;
	pdis[0] = 5, pdis[143] = 6;
	gpu_scene_set(&s, 3, "550.90.07b\0", 12); /* lower case becomes upper case */
	gpu_scene_set(&s, 20, pdis, 48);
	gpu_scene_set(&s, 21, "\xaa", 1);
	gpu_scene_set(&s, 22, pdis, sizeof(pdis));
	gpu_scene_set(&s, 35, "GH100", 5);
	gpu_scene_set(&s, 36, "\x02\x01", 2);
	gpu_scene_set(&s, 24, "whatever", 8); /* of no use here */
	ev = parse(&s, 0);
	f = pm_gpu_evidence_untrusted(ev);
	ck_assert(f->nonce[0] == 1 && f->nonce[31] == 2);
	ck_assert(f->measurements[0][0] == 3 && f->measurements[63][47] == 4);
	ck_assert_uint_eq(f->measurement_count, 64);
	ck_assert_str_eq(f->driver, "550.90.07B");
	ck_assert_str_eq(f->vbios, "96.00.9F.00.01");
	ck_assert_str_eq(f->chip_sku, "882");
	ck_assert_str_eq(f->project, "1010");
	ck_assert_str_eq(f->project_sku, "0200");
	ck_assert_str_eq(f->chip_info, "GH100");
	ck_assert(f->gpu_info == 0x180 && f->nvdec0 == PM_GPU_OFF);
	ck_assert(f->protected_pcie == PM_GPU_ON && f->opaque_version == 1);
	ck_assert(f->has_fwid && f->fwid[0] == 5 && f->feature_flag == 0x102);
	ck_assert(f->has_switch_pdis && f->switch_pdis[17][7] == 6);
	ck_assert(!f->has_device_pdi && !f->has_gpu_pdis && f->switch_lock == -1);
	ck_assert_uint_eq(f->unknown_opaque, 0);
	ck_assert_int_eq(pm_gpu_evidence_arch(ev), PM_GPU_HOPPER);
	gpu_scene_free(&s);
}
END_TEST

START_TEST(fields_of_a_switch)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_fields *f;
	uint8_t pdis[128] = {[8] = 1, [63] = 2, [64] = 3};
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_LS10);
	gpu_scene_set(&s, 6, "96.10.5f.00.01", 15);
	gpu_scene_set(&s, 22, "12345678", 8);
	gpu_scene_set(&s, 26, pdis, sizeof(pdis));
	gpu_scene_set(&s, 4, pdis, sizeof(pdis)); /* an old BIOS */
	gpu_scene_set(&s, 27, "", 0);		  /* a number that NVIDIA counts as known */
	gpu_scene_set(&s, 37, "", 0);
	gpu_scene_set(&s, 300, "", 0);
	ev = parse(&s, 0);
	f = pm_gpu_evidence_untrusted(ev);
	ck_assert_uint_eq(f->measurement_count, 31);
	ck_assert_str_eq(f->vbios, "96.10.5F.00.01");
	ck_assert_str_eq(f->driver, "");
	ck_assert(f->has_device_pdi && !memcmp(f->device_pdi, "12345678", 8));
	ck_assert(f->has_gpu_pdis && f->gpu_pdis[1][0] == 1 && f->gpu_pdis[7][7] == 2);
	ck_assert(f->switch_lock == 1 && f->gpu_info == 0 && f->opaque_version == -1);
	ck_assert(f->unknown_opaque == 2 && f->first_unknown_opaque == 37);
	ck_assert_int_eq(pm_gpu_evidence_arch(ev), PM_GPU_LS10);
	gpu_scene_free(&s);
}
END_TEST

START_TEST(kinds_of_devices)
{
	static const struct {
		const char *info;
		int arch;
	} infos[] = {{"\x80\x01\0\0", PM_GPU_HOPPER}, {"\xa0\x01\0\0", PM_GPU_BLACKWELL},
		{"\xb2\x01\0\0", PM_GPU_BLACKWELL}, {"\xc0\x01\0\0", 0}, {"\x70\x01\0\0", 0},
		{"\x81\x01\0\0", 0}, {"\x80\x01\x01\0", 0}};
	char id[PM_GPU_RIM_ID_SIZE] = "";
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	for (size_t i = 0; i < PM_ARRAY_LEN(infos); i++) {
		pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
		uint8_t info[8] = {0};

		memcpy(info, infos[i].info, 4);
		gpu_scene_set(&s, 4, info, 8);
		ev = parse(&s, 0);
		ck_assert_int_eq(pm_gpu_evidence_arch(ev), infos[i].arch);
		ck_pm(pm_gpu_evidence_rim_id(ev, PM_RIM_DRIVER, id),
			infos[i].arch ? PM_OK : PM_E_UNSUPPORTED);
	}
	gpu_scene_free(&s);
}
END_TEST

START_TEST(names_of_golden_measurements)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL, *bare = NULL;
	char id[PM_GPU_RIM_ID_SIZE] = "";
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_BLACKWELL);
	gpu_scene_set(&s, 35, "GB20X", 6);
	ev = parse(&s, 0);
	ck_pm(pm_gpu_evidence_rim_id(ev, PM_RIM_DRIVER, id), PM_OK);
	ck_assert_str_eq(id, "NV_GPU_CC_DRIVER_GB20X_575.32");
	ck_pm(pm_gpu_evidence_rim_id(ev, PM_RIM_SWITCH, id), PM_E_ARG);
	ck_pm(pm_gpu_evidence_rim_id(ev, (enum pm_rim_kind)0, id), PM_E_ARG);
	ck_pm(pm_gpu_evidence_rim_id(ev, (enum pm_rim_kind)4, id), PM_E_ARG);
	for (uint16_t part = 15; part < 19; part++) {
		if (part == 16)
			continue;
		pm_gpu_evidence_free(bare);
		gpu_scene_free(&s);
		gpu_scene_init(&s, PM_GPU_HOPPER);
		gpu_scene_drop(&s, part);
		bare = parse(&s, 0);
		ck_pm(pm_gpu_evidence_rim_id(bare, PM_RIM_VBIOS, id), PM_E_MISSING);
	}
	gpu_scene_free(&s);
}
END_TEST

START_TEST(one_zero_too_much)
{
	struct pm_gpu_evidence *ev = NULL;
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	gpu_scene_write(&s);
	ck_pm(pm_gpu_evidence_parse(s.bytes, s.size, PM_GPU_TRIM_NUL, NULL, &ev), PM_OK);
	ck_assert_uint_eq(ev->bytes.len, s.size); /* the last byte of this signature is zero */
	pm_gpu_evidence_free(ev);
	ck_pm(pm_gpu_evidence_parse(s.bytes, s.size + 1, PM_GPU_TRIM_NUL, NULL, &ev), PM_OK);
	ck_assert_uint_eq(ev->bytes.len, s.size);
	pm_gpu_evidence_free(ev);
	ck_pm(pm_gpu_evidence_parse(s.bytes, s.size + 2, PM_GPU_TRIM_NUL, NULL, &ev), PM_E_FORMAT);
	s.bytes[s.size] = 1;
	ck_pm(pm_gpu_evidence_parse(s.bytes, s.size + 1, PM_GPU_TRIM_NUL, NULL, &ev), PM_E_FORMAT);
	ck_pm(pm_gpu_evidence_parse(s.bytes, 0, PM_GPU_TRIM_NUL, NULL, &ev), PM_E_FORMAT);
	ck_pm(pm_gpu_evidence_parse(s.bytes, s.size, 2, NULL, &ev), PM_E_ARG);
	gpu_scene_free(&s);
}
END_TEST

START_TEST(certificates_are_kept_in_order)
{
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const uint8_t *der = NULL;
	size_t size = 0;
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	ev = parse(&s, 0);
	ck_pm(pm_gpu_evidence_cert(ev, 0, &der, &size), PM_E_MISSING);
	ck_pm(pm_gpu_evidence_add_certs(ev, "0a", 2, NULL), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, "0bc", 3, NULL), PM_OK);
	ck_pm(pm_gpu_evidence_cert(ev, 1, &der, &size), PM_OK);
	ck_assert(size == 3 && !memcmp(der, "0bc", 3));
	ck_pm(pm_gpu_evidence_cert(ev, 2, &der, &size), PM_E_MISSING);
	ck_assert(pm_is_zero(pm_gpu_evidence_golden(ev), sizeof(ev->golden)));
	pm_gpu_evidence_free(NULL);
	pm_gpu_cache_free(NULL);
	gpu_scene_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu");
	TCase *t = tcase_create("gpu");

	tcase_add_unchecked_fixture(t, gpu_make_keys, gpu_free_keys);
	tcase_add_loop_test(t, each_spoiled_byte, 0, PM_ARRAY_LEN(spoiled));
	tcase_add_loop_test(t, each_opaque_field, 0, PM_ARRAY_LEN(opaque));
	tcase_add_test(t, fields_that_end_early);
	tcase_add_test(t, fields_of_a_gpu);
	tcase_add_test(t, fields_of_a_switch);
	tcase_add_test(t, kinds_of_devices);
	tcase_add_test(t, names_of_golden_measurements);
	tcase_add_test(t, one_zero_too_much);
	tcase_add_test(t, certificates_are_kept_in_order);
	suite_add_tcase(s, t);
	return test_main(s);
}
