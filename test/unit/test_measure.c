/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Launch measurement. The digests of the images made here were computed once by an independent
 * implementation in Python.
 */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/measure.h>
#include <pm/text.h>

#include "base/report.h"
#include "base/wr.h"
#include "crypto/crypto.h"
#include "testing.h"

PM_OWNER(pm_measure, pm_measure_free);

/* --- images ---------------------------------------------------------------------------------- */

#define IMAGE_SIZE 8192
#define SVSM_SIZE  4096
#define METADATA   0x400 /* where the metadata lies in the images made here */

/* Distances from the end of the image, with the table that make_firmware() writes. */
#define FOOTER_GUID   48
#define FOOTER_LEN    50
#define RESET_GUID    66
#define RESET_LEN     68
#define RESET_DATA    72
#define METADATA_GUID 88
#define METADATA_LEN  90
#define METADATA_DATA 94
#define HASHES_GUID   110
#define HASHES_LEN    112
#define HASHES_DATA   120
#define TABLE_BYTES   88

static const char guid_footer[] =
	"\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d";
static const char guid_reset[] = "\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e";
static const char guid_hashes[] =
	"\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54";
static const char guid_meta[] = "\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc";
static const char guid_svsm[] = "\x12\xa6\x89\xa7\x97\x05\x4b\x4c\xa4\x9f\xcb\xb1\xfe\x9d\x1d\xdd";

static void fill(uint8_t *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 8) * seed);
}

static void put_entry(struct pm_wr *wr, const char *guid, struct pm_view data)
{
	pm_wr_bytes(wr, data);
	pm_wr_le16(wr, (uint16_t)(data.len + 18));
	pm_wr_bytes(wr, pm_view(guid, 16));
}

static void put_footer(struct pm_wr *wr)
{
	pm_wr_le16(wr, (uint16_t)(wr->len + 18));
	pm_wr_bytes(wr, pm_view(guid_footer, 16));
	ck_assert(pm_wr_done(wr, NULL));
}

static void put_metadata(uint8_t *image, const uint32_t (*sections)[3], uint32_t count)
{
	struct pm_wr wr = pm_wr(image + METADATA, 16 + 12 * count);

	pm_wr_bytes(&wr, VIEW("ASEV"));
	pm_wr_le32(&wr, 16 + 12 * count);
	pm_wr_le32(&wr, 1);
	pm_wr_le32(&wr, count);
	for (uint32_t i = 0; i < 3 * count; i++)
		pm_wr_le32(&wr, sections[i / 3][i % 3]);
	ck_assert(pm_wr_done(&wr, NULL));
}

/* Firmware of two pages with all that real firmware has. */
static void make_firmware(uint8_t *image)
{
	static const uint32_t sections[][3] = {{0x800000, 0x3000, 1}, {0x80d000, 0x1000, 2},
		{0x80e000, 0x1000, 3}, {0x80f000, 0x1000, 4}, {0x810000, 0x1000, 16},
		{0x811000, 0x2000, 1}};
	struct pm_wr wr = pm_wr(image + IMAGE_SIZE - 32 - TABLE_BYTES, TABLE_BYTES);

	fill(image, IMAGE_SIZE, 5);
	put_entry(&wr, guid_hashes, VIEW("\x00\x0c\x81\x00\x00\x04\x00\x00"));
	put_entry(&wr, guid_meta, VIEW("\x00\x1c\x00\x00")); /* 8192 - 0x400 */
	put_entry(&wr, guid_reset, VIEW("\x04\xb0\x80\x00"));
	put_footer(&wr);
	put_metadata(image, sections, PM_ARRAY_LEN(sections));
}

static void make_svsm(uint8_t *image)
{
	static const uint32_t sections[][3] = {
		{0, 0x9000, 1}, {0x9000, 0x1000, 2}, {0xa000, 0x1000, 3}};
	struct pm_wr wr = pm_wr(image + SVSM_SIZE - 32 - 84, 84);

	fill(image, SVSM_SIZE, 9);
	put_entry(&wr, guid_svsm, VIEW("\x40\x00\x00\x00"));
	put_entry(&wr, guid_meta, VIEW("\x00\x0c\x00\x00")); /* 4096 - 0x400 */
	put_entry(&wr, guid_reset, VIEW("\xf0\xff\xff\xff"));
	put_footer(&wr);
	put_metadata(image, sections, PM_ARRAY_LEN(sections));
}

/* --- asking ---------------------------------------------------------------------------------- */

/* One guest, as a line of a table. */
struct guest {
	const char *name;
	enum pm_vmm vmm;
	uint32_t vcpus;
	const char *cpu;
	uint64_t features;
	const char *kernel, *initrd, *cmdline; /* kernel NULL: none */
	const char *digest;
};

static struct pm_measure *new_measure(void)
{
	struct pm_measure *m = NULL;

	ck_pm(pm_measure_new(&m), PM_OK);
	return m;
}

static void set_guest(struct pm_measure *m, const struct guest *g)
{
	const uint8_t *initrd = (const uint8_t *)g->initrd;

	ck_pm(pm_measure_set_vmm(m, g->vmm), PM_OK);
	ck_pm(pm_measure_set_vcpus(m, g->vcpus), PM_OK);
	if (g->cpu)
		ck_pm(pm_measure_set_cpu(m, g->cpu), PM_OK);
	ck_pm(pm_measure_set_features(m, g->features), PM_OK);
	if (g->kernel)
		ck_pm(pm_measure_set_kernel(m, (const uint8_t *)g->kernel, strlen(g->kernel),
			      initrd, initrd ? strlen(g->initrd) : 0, g->cmdline),
			PM_OK);
}

static void expect_digest(const struct pm_measure *m, const char *name, const char *want)
{
	uint8_t digest[PM_MEASURE_SIZE];
	char text[2 * PM_MEASURE_SIZE + 1];

	ck_pm(pm_measure_digest(m, NULL, digest), PM_OK);
	pm_hex_encode(digest, sizeof(digest), text);
	ck_assert_msg(!strcmp(text, want), "%s: got %s, want %s", name, text, want);
}

static void expect_guest(
	struct pm_view firmware, const char *firmware_digest, const struct guest *g)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();

	ck_pm(pm_measure_set_firmware(m, firmware.ptr, firmware.len, NULL), PM_OK);
	if (firmware_digest) {
		struct pm_view digest = test_hex(firmware_digest);

		ck_pm(pm_measure_set_firmware_digest(m, digest.ptr), PM_OK);
		test_free(digest);
	}
	set_guest(m, g);
	expect_digest(m, g->name, g->digest);
}

/* An object of one QEMU processor, with this firmware or the error that it gives. */
static int with_firmware(
	struct pm_measure *m, const uint8_t *image, size_t size, struct pm_report *report)
{
	ck_pm(pm_measure_set_vcpus(m, 2), PM_OK);
	ck_pm(pm_measure_set_cpu(m, "EPYC-v4"), PM_OK);
	return pm_measure_set_firmware(m, image, size, report);
}

/* --- digests of made images ------------------------------------------------------------------ */

static const struct guest made[] = {
	{"one processor", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, NULL, NULL, NULL,
		"7c85a826fe73e6221555a1db7ca333ed9e78e5bbbbabe311641d098f8bfda47337c8d69d45a5533c0c"
		"e529f61ebe61af"},
	{"three processors", PM_VMM_QEMU, 3, "EPYC-Milan-v2", 0x21, NULL, NULL, NULL,
		"0d02b3ce095eb61d31e64e5a0070b2d22bc6f653b150d15aeefcd084a57e3e2828d2c5f085f63b24f7"
		"90320f16866cd1"},
	{"a kernel", PM_VMM_QEMU, 3, "EPYC-Milan", 0x21, "a kernel", "an initrd",
		"console=ttyS0 quiet",
		"89126b7abf60de05507a28618007a3456f459e3022728f9595e01f733949d6c15de81d74f2dd0ab36c"
		"ce29ebd8315b9d"},
	{"a kernel alone", PM_VMM_QEMU, 1, "EPYC", 0x1, "a kernel", NULL, NULL,
		"d6b35c0937c101cae39756e93e97aadc7cd2727d5e6326fb5e911ebdfd9d265e00511dabbdc727491b"
		"4b610c76c31c6f"},
	{"EC2", PM_VMM_EC2, 2, NULL, 0x1, "a kernel", "an initrd", "console=ttyS0 quiet",
		"3e8aa4f3c55476495f5d6bdec55dfefa97b0342dcaa24443b3fc3161e75af06a4497cbd74abe25d7f5"
		"c56790d3244502"},
	{"GCE", PM_VMM_GCE, 2, NULL, 0x1, NULL, NULL, NULL,
		"618740abd99eb7870f1a49d40af3e18dcea33924453a14b0f321d590d91c47660476741f30edd2ad62"
		"eeee6610e9e9ac"},
};

START_TEST(digest_of_made_firmware)
{
	uint8_t image[IMAGE_SIZE];

	make_firmware(image);
	expect_guest(pm_view(image, sizeof(image)), NULL, &made[_i]);
}
END_TEST

START_TEST(digest_of_made_svsm)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	struct guest g = {"SVSM", PM_VMM_QEMU, 2, "EPYC-Genoa", 0x21, NULL, NULL, NULL, NULL};
	uint8_t image[IMAGE_SIZE], svsm[SVSM_SIZE];

	make_firmware(image);
	make_svsm(svsm);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0x84000, NULL), PM_OK);
	set_guest(m, &g);
	expect_digest(m, g.name,
		"a6ac32e5d0e072fc43ad548cf67cb834a698f1a6c9f16b753d25241eb50718029c074c58dd161755d6"
		"7f747e6639aa50");
}
END_TEST

START_TEST(digest_of_firmware_given)
{
	struct guest g = {"given", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, NULL, NULL, NULL,
		"6315d1a99068267eee405a23eab84ecd48b18c53eaffaf41f6c568a14f2f7b509b1b86b13b5766f324"
		"9291cb206f2961"};
	uint8_t image[IMAGE_SIZE], got[PM_MEASURE_SIZE];
	struct pm_view want = test_hex("aeece6a3554e1019ea27d41d04004618d948273d1ffda77af8a0326abad"
				       "17a4a02b3682d6984a7a15f2f45fe6a31f5b7");
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();

	make_firmware(image);
	expect_guest(pm_view(image, sizeof(image)),
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		"202122232425262728292a2b2c2d2e2f",
		&g);
	ck_pm(pm_measure_firmware_digest(m, got), PM_E_STATE);
	ck_pm(pm_measure_set_firmware_digest(m, image), PM_E_STATE);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_firmware_digest(m, got), PM_OK);
	ck_assert(pm_ct_equal(got, want.ptr, sizeof(got)));
	test_free(want);
}
END_TEST

START_TEST(one_object_many_answers)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE];

	make_firmware(image);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(made); i++) {
		if (made[i].kernel)
			continue;
		set_guest(m, &made[i]);
		expect_digest(m, made[i].name, made[i].digest);
	}
}
END_TEST

START_TEST(kernel_by_digests)
{
	const struct guest *g = &made[2];
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE], kernel[32], initrd[32];

	make_firmware(image);
	ck_pm(pm_hash(PM_SHA256, VIEW("a kernel"), kernel), PM_OK);
	ck_pm(pm_hash(PM_SHA256, VIEW("an initrd"), initrd), PM_OK);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_OK);
	set_guest(m, g);
	ck_pm(pm_measure_set_kernel_digests(m, kernel, initrd, g->cmdline), PM_OK);
	expect_digest(m, g->name, g->digest);
	set_guest(m, &made[3]);
	ck_pm(pm_measure_set_kernel_digests(m, kernel, NULL, ""), PM_OK);
	expect_digest(m, made[3].name, made[3].digest);
}
END_TEST

/* Every input changes the digest: none is read and forgotten. */
START_TEST(each_input_counts)
{
	static const struct guest others[] = {
		{"processors", PM_VMM_QEMU, 2, "EPYC-v4", 0x1, "k", "i", "c", NULL},
		{"kind", PM_VMM_QEMU, 1, "EPYC-Rome", 0x1, "k", "i", "c", NULL},
		{"features", PM_VMM_QEMU, 1, "EPYC-v4", 0x21, "k", "i", "c", NULL},
		{"hypervisor", PM_VMM_GCE, 1, "EPYC-v4", 0x1, "k", "i", "c", NULL},
		{"kernel", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "K", "i", "c", NULL},
		{"initrd", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "k", "I", "c", NULL},
		{"no initrd", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "k", NULL, "c", NULL},
		{"command line", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "k", "i", "C", NULL},
		{"no kernel", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, NULL, NULL, NULL, NULL},
	};
	struct guest base = {"base", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "k", "i", "c", NULL};
	uint8_t image[IMAGE_SIZE], want[PM_MEASURE_SIZE], got[PM_MEASURE_SIZE];
	pm_cleanup(pm_measure) struct pm_measure *a = new_measure();

	make_firmware(image);
	ck_pm(pm_measure_set_firmware(a, image, sizeof(image), NULL), PM_OK);
	set_guest(a, &base);
	ck_pm(pm_measure_digest(a, NULL, want), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(others); i++) {
		pm_cleanup(pm_measure) struct pm_measure *b = new_measure();

		ck_pm(pm_measure_set_firmware(b, image, sizeof(image), NULL), PM_OK);
		set_guest(b, &others[i]);
		ck_pm(pm_measure_digest(b, NULL, got), PM_OK);
		ck_assert_msg(!pm_ct_equal(want, got, sizeof(got)), "%s", others[i].name);
	}
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

START_TEST(setters_check_their_values)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	pm_cleanup(free) char *line = pm_alloc(PM_MEASURE_CMDLINE_MAX + 2);

	ck_pm(pm_measure_set_vmm(m, (enum pm_vmm)0), PM_E_ARG);
	ck_pm(pm_measure_set_vmm(m, (enum pm_vmm)4), PM_E_ARG);
	ck_pm(pm_measure_set_vcpus(m, 0), PM_E_LIMIT);
	ck_pm(pm_measure_set_vcpus(m, PM_MEASURE_VCPUS_MAX), PM_OK);
	ck_pm(pm_measure_set_vcpus(m, PM_MEASURE_VCPUS_MAX + 1), PM_E_LIMIT);
	ck_pm(pm_measure_set_cpu(m, "EPYC-v99"), PM_E_UNSUPPORTED);
	ck_pm(pm_measure_set_cpu(m, "epyc"), PM_E_UNSUPPORTED);
	ck_pm(pm_measure_set_features(m, 0x20), PM_E_ARG);
	memset(line, 'a', PM_MEASURE_CMDLINE_MAX + 1);
	ck_pm(pm_measure_set_kernel(m, NULL, 0, NULL, 0, line), PM_E_LIMIT);
	line[PM_MEASURE_CMDLINE_MAX] = '\0';
	ck_pm(pm_measure_set_kernel(m, NULL, 0, NULL, 0, line), PM_OK);
}
END_TEST

START_TEST(nothing_is_guessed)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t image[IMAGE_SIZE], digest[PM_MEASURE_SIZE] = {0};

	make_firmware(image);
	ck_pm(pm_measure_digest(m, report, digest), PM_E_MISSING);
	ck_assert_str_eq(pm_report_failure(report)->name, "firmware");
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_OK);
	pm_report_reset(report);
	ck_pm(pm_measure_digest(m, report, digest), PM_E_MISSING);
	ck_assert_str_eq(pm_report_failure(report)->name, "vcpus");
	ck_pm(pm_measure_set_vcpus(m, 1), PM_OK);
	pm_report_reset(report);
	ck_pm(pm_measure_digest(m, report, digest), PM_E_MISSING);
	ck_assert_str_eq(pm_report_failure(report)->name, "cpu");
	ck_assert(pm_is_zero(digest, sizeof(digest)));
	pm_measure_set_cpu_signature(m, 0x800f12);
	pm_report_reset(report);
	ck_pm(pm_measure_digest(m, report, digest), PM_OK);
	ck_assert_ptr_null(pm_report_failure(report));
	ck_assert_str_eq(pm_report_at(report, 0)->found, made[0].digest);
}
END_TEST

START_TEST(svsm_goes_with_little)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE], svsm[SVSM_SIZE], digest[PM_MEASURE_SIZE];

	make_firmware(image);
	make_svsm(svsm);
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0, NULL), PM_E_STATE);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_set_svsm(m, image, sizeof(image), 0, NULL), PM_E_FORMAT);
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0x800, NULL), PM_E_FORMAT);
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0xfffff000, NULL), PM_E_FORMAT);
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0xffffd000, NULL), PM_OK);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_E_STATE);
	ck_pm(pm_measure_set_firmware_digest(m, digest), PM_E_STATE);
	ck_pm(pm_measure_digest(m, NULL, digest), PM_OK);
	ck_pm(pm_measure_set_vmm(m, PM_VMM_EC2), PM_OK);
	ck_pm(pm_measure_digest(m, NULL, digest), PM_E_UNSUPPORTED);
	ck_pm(pm_measure_set_vmm(m, PM_VMM_QEMU), PM_OK);
	ck_pm(pm_measure_set_kernel(m, NULL, 0, NULL, 0, NULL), PM_OK);
	ck_pm(pm_measure_digest(m, NULL, digest), PM_E_UNSUPPORTED);
}
END_TEST

START_TEST(svsm_needs_the_real_firmware)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE], svsm[SVSM_SIZE], digest[PM_MEASURE_SIZE] = {1};

	make_firmware(image);
	make_svsm(svsm);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_set_firmware_digest(m, digest), PM_OK);
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0, NULL), PM_E_STATE);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_OK);
	svsm[SVSM_SIZE - 32 - 84 + 1] = 0x10; /* entry at 0x1040, past its end */
	ck_pm(pm_measure_set_svsm(m, svsm, sizeof(svsm), 0, NULL), PM_E_FORMAT);
}
END_TEST

/* One change to the firmware, and what comes of it. back: from the end of the image. */
struct damage {
	const char *what;
	bool back;
	size_t at;
	const char *bytes;
	size_t n;
	int error;
	const char *check;
};

#define BYTES(text) (text), sizeof(text) - 1

static const struct damage damages[] = {
	{"another footer", true, FOOTER_GUID, BYTES("\0"), PM_E_FORMAT, "firmware.footer"},
	{"a table without footer", true, FOOTER_LEN, BYTES("\x11\0"), PM_E_FORMAT,
		"firmware.footer, size"},
	{"a table past the start", true, FOOTER_LEN, BYTES("\xe1\x1f"), PM_E_FORMAT,
		"firmware.footer, size"},
	{"a table that cuts an entry", true, FOOTER_LEN, BYTES("\x57\0"), PM_E_FORMAT,
		"firmware.table, entry"},
	{"an empty table", true, FOOTER_LEN, BYTES("\x12\0"), PM_E_FORMAT, "firmware.metadata"},
	{"an entry of no size", true, RESET_LEN, BYTES("\0\0"), PM_E_FORMAT,
		"firmware.table, entry"},
	{"an entry below its tail", true, RESET_LEN, BYTES("\x11\0"), PM_E_FORMAT,
		"firmware.table, entry"},
	{"an entry past the table", true, RESET_LEN, BYTES("\xff\xff"), PM_E_FORMAT,
		"firmware.table, entry"},
	{"an entry one byte too long", true, HASHES_LEN, BYTES("\x1b\0"), PM_E_FORMAT,
		"firmware.table, entry"},
	{"an entry one byte too short", true, HASHES_LEN, BYTES("\x19\0"), PM_E_FORMAT,
		"firmware.table, SEV_HASH_TABLE"},
	{"no metadata", true, METADATA_GUID, BYTES("\0"), PM_E_FORMAT, "firmware.metadata"},
	{"two metadata", true, RESET_GUID, guid_meta, 16, PM_E_FORMAT,
		"firmware.table, SEV_METADATA"},
	{"metadata past the start", true, METADATA_DATA, BYTES("\x01\x20\0\0"), PM_E_FORMAT,
		"firmware.metadata, offset"},
	{"metadata far away", true, METADATA_DATA, BYTES("\xff\xff\xff\xff"), PM_E_FORMAT,
		"firmware.metadata, offset"},
	{"metadata at the very end", true, METADATA_DATA, BYTES("\0\0\0\0"), PM_E_FORMAT,
		"firmware.metadata"},
	{"metadata cut short", true, METADATA_DATA, BYTES("\x0f\0\0\0"), PM_E_FORMAT,
		"firmware.metadata"},
	{"another magic", false, METADATA, BYTES("VESA"), PM_E_FORMAT, "firmware.metadata"},
	{"another size", false, METADATA + 4, BYTES("\x57"), PM_E_FORMAT,
		"firmware.metadata, size"},
	{"version 2", false, METADATA + 8, BYTES("\x02"), PM_E_UNSUPPORTED,
		"firmware.metadata, version"},
	{"more sections", false, METADATA + 12, BYTES("\x07"), PM_E_FORMAT,
		"firmware.metadata, size"},
	{"too many sections", false, METADATA + 4, BYTES("\x1c\x03\0\0\x01\0\0\0\x41"), PM_E_LIMIT,
		"firmware.metadata, sections"},
	{"sections whose size wraps", false, METADATA + 4, BYTES("\x10\0\0\0\x01\0\0\0\0\0\0\x40"),
		PM_E_LIMIT, "firmware.metadata, sections"},
	{"an address within a page", false, METADATA + 16, BYTES("\x01"), PM_E_FORMAT,
		"firmware.section"},
	{"a size of half a page", false, METADATA + 20, BYTES("\0\x08"), PM_E_FORMAT,
		"firmware.section"},
	{"no size", false, METADATA + 20, BYTES("\0\0"), PM_E_FORMAT, "firmware.section"},
	{"an end that wraps", false, METADATA + 16, BYTES("\0\xe0\xff\xff"), PM_E_FORMAT,
		"firmware.section"},
	{"too much memory", false, METADATA + 23, BYTES("\x10"), PM_E_LIMIT, "firmware.sections"},
	{"an unknown section", false, METADATA + 24, BYTES("\x05"), PM_E_UNSUPPORTED,
		"firmware.section, type"},
	{"two pages of secrets", false, METADATA + 28 + 5, BYTES("\x20"), PM_E_UNSUPPORTED,
		"firmware.section, size"},
	{"two pages of CPUID", false, METADATA + 40 + 5, BYTES("\x20"), PM_E_UNSUPPORTED,
		"firmware.section, size"},
};

START_TEST(damaged_firmware_is_refused)
{
	const struct damage *d = &damages[_i];
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t image[IMAGE_SIZE];
	int r;

	make_firmware(image);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_OK);
	memcpy(image + (d->back ? IMAGE_SIZE - d->at : d->at), d->bytes, d->n);
	r = with_firmware(m, image, sizeof(image), report);
	ck_assert_msg(r == d->error, "%s: got %s, want %s", d->what, pm_strerror(r),
		pm_strerror(d->error));
	ck_assert_msg(!strcmp(pm_report_failure(report)->name, d->check), "%s: %s", d->what,
		pm_report_reason(report));
	expect_digest(m, "the firmware of before",
		"bed6353d82cf315200ee5ad4f9b065c94cf8e8029d579768cd56a4f634c8248223bfda6e13e4610647"
		"585d2039bf034a");
}
END_TEST

/* What the parser lets pass and the digest needs. */
static const struct damage late_damages[] = {
	{"no reset address", true, RESET_GUID, BYTES("\0"), PM_E_FORMAT,
		"firmware.table, SEV_ES_RESET_BLOCK"},
	{"a reset address of 0", true, RESET_DATA, BYTES("\0\0\0\0"), PM_E_FORMAT,
		"firmware.table, SEV_ES_RESET_BLOCK"},
	{"no table of hashes", true, HASHES_GUID, BYTES("\0"), PM_E_FORMAT,
		"firmware.table, SEV_HASH_TABLE"},
	{"too little room", true, HASHES_DATA - 4, BYTES("\xaf\0"), PM_E_FORMAT,
		"firmware.table, SEV_HASH_TABLE"},
	{"past the page's end", true, HASHES_DATA, BYTES("\x51\x0f"), PM_E_FORMAT,
		"firmware.table, SEV_HASH_TABLE"},
	{"in another page", true, HASHES_DATA, BYTES("\0\x0c\x80"), PM_E_FORMAT,
		"firmware.table, SEV_HASH_TABLE"},
	{"two pages of hashes", false, METADATA + 64 + 5, BYTES("\x20"), PM_E_FORMAT,
		"firmware.table, SEV_HASH_TABLE"},
	{"no section of hashes", false, METADATA + 64 + 8, BYTES("\x01"), PM_E_UNSUPPORTED,
		"firmware.section, KERNEL_HASHES"},
};

START_TEST(firmware_that_can_not_do_it)
{
	const struct damage *d = &late_damages[_i];
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t image[IMAGE_SIZE], digest[PM_MEASURE_SIZE];
	int r;

	make_firmware(image);
	memcpy(image + (d->back ? IMAGE_SIZE - d->at : d->at), d->bytes, d->n);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_set_kernel(m, NULL, 0, NULL, 0, NULL), PM_OK);
	r = pm_measure_digest(m, report, digest);
	ck_assert_msg(r == d->error, "%s: got %s, want %s", d->what, pm_strerror(r),
		pm_strerror(d->error));
	ck_assert_msg(!strcmp(pm_report_failure(report)->name, d->check), "%s: %s", d->what,
		pm_report_reason(report));
}
END_TEST

/* Real firmware has it, so its lack is no matter of how many processors there are. */
START_TEST(one_processor_needs_a_reset_entry)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE], digest[PM_MEASURE_SIZE];

	make_firmware(image);
	image[IMAGE_SIZE - RESET_GUID] ^= 1;
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_set_vcpus(m, 1), PM_OK);
	ck_pm(pm_measure_digest(m, NULL, digest), PM_E_FORMAT);
}
END_TEST

START_TEST(last_place_for_the_hashes)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE], digest[PM_MEASURE_SIZE];

	make_firmware(image);
	memcpy(image + IMAGE_SIZE - HASHES_DATA, "\x50\x0f", 2);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_set_kernel(m, NULL, 0, NULL, 0, NULL), PM_OK);
	ck_pm(pm_measure_digest(m, NULL, digest), PM_OK);
}
END_TEST

START_TEST(too_many_entries)
{
	enum { COUNT = 65 };
	static const char other[16];
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE];
	struct pm_wr wr = pm_wr(image + IMAGE_SIZE - 32 - 18 - COUNT * 18, COUNT * 18 + 18);

	make_firmware(image);
	for (int i = 0; i < COUNT; i++)
		put_entry(&wr, other, (struct pm_view){0});
	put_footer(&wr);
	ck_pm(pm_measure_set_firmware(m, image, sizeof(image), NULL), PM_E_LIMIT);
}
END_TEST

/* Each shorter image, from either end: refused unless pages were cut off the front. */
START_TEST(truncated_at_every_length)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE];

	make_firmware(image);
	for (size_t n = 0; n < sizeof(image); n++) {
		pm_cleanup(free) uint8_t *head = pm_dup(pm_view(image, n));
		pm_cleanup(free) uint8_t *tail = pm_dup(pm_view(image + sizeof(image) - n, n));

		ck_pm(with_firmware(m, head, n, NULL), PM_E_FORMAT);
		/* The metadata lie in the first page, so that even half the image is refused. */
		ck_pm(with_firmware(m, tail, n, NULL), PM_E_FORMAT);
	}
}
END_TEST

START_TEST(too_large)
{
	size_t size = PM_MEASURE_FIRMWARE_MAX + 4096;
	pm_cleanup(free) uint8_t *image = pm_alloc(size);
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();

	make_firmware(image + size - IMAGE_SIZE);
	ck_pm(pm_measure_set_firmware(m, image, size, NULL), PM_E_LIMIT);
	ck_pm(pm_measure_set_firmware(m, NULL, 0, NULL), PM_E_FORMAT);
}
END_TEST

/* Each bit of table and metadata: refused, or another digest, never the same one. */
START_TEST(each_bit_counts)
{
	static const size_t ranges[][2] = {
		{METADATA, 16 + 6 * 12}, {IMAGE_SIZE - 32 - TABLE_BYTES, TABLE_BYTES}};
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	uint8_t image[IMAGE_SIZE], want[PM_MEASURE_SIZE], got[PM_MEASURE_SIZE];
	size_t begin = ranges[_i][0], bits = 8 * ranges[_i][1];

	make_firmware(image);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	ck_pm(pm_measure_digest(m, NULL, want), PM_OK);
	for (size_t i = 0; i < bits; i++) {
		image[begin + i / 8] ^= (uint8_t)(1u << i % 8);
		if (pm_measure_set_firmware(m, image, sizeof(image), NULL) == PM_OK &&
			pm_measure_digest(m, NULL, got) == PM_OK)
			ck_assert_msg(!pm_ct_equal(want, got, sizeof(got)), "bit %zu", i);
		image[begin + i / 8] ^= (uint8_t)(1u << i % 8);
	}
}
END_TEST

/* --- processors ------------------------------------------------------------------------------ */

START_TEST(signatures)
{
	uint32_t signature = 9;

	ck_pm(pm_measure_cpu_signature(23, 1, 2, &signature), PM_OK);
	ck_assert_uint_eq(signature, 0x800f12);
	ck_pm(pm_measure_cpu_signature(25, 17, 0, &signature), PM_OK);
	ck_assert_uint_eq(signature, 0xa10f10);
	ck_pm(pm_measure_cpu_signature(26, 2, 1, &signature), PM_OK);
	ck_assert_uint_eq(signature, 0xb00f21);
	ck_pm(pm_measure_cpu_signature(6, 15, 11, &signature), PM_OK);
	ck_assert_uint_eq(signature, 0x6fb);
	ck_pm(pm_measure_cpu_signature(270, 255, 15, &signature), PM_OK);
	ck_assert_uint_eq(signature, 0x0fff0fff);
	ck_pm(pm_measure_cpu_signature(271, 0, 0, &signature), PM_E_ARG);
	ck_pm(pm_measure_cpu_signature(0, 256, 0, &signature), PM_E_ARG);
	ck_pm(pm_measure_cpu_signature(0, 0, 16, &signature), PM_E_ARG);
	ck_assert_uint_eq(signature, 0x0fff0fff);
}
END_TEST

START_TEST(names_stand_for_signatures)
{
	static const struct {
		const char *name;
		uint32_t signature;
	} want[] = {{"EPYC", 0x800f12}, {"EPYC-v4", 0x800f12}, {"EPYC-IBPB", 0x800f12},
		{"EPYC-Rome", 0x830f10}, {"EPYC-Rome-v3", 0x830f10}, {"EPYC-Milan", 0xa00f11},
		{"EPYC-Milan-v2", 0xa00f11}, {"EPYC-Genoa", 0xa10f10}, {"EPYC-Genoa-v1", 0xa10f10},
		{"EPYC-Turin", 0xb00f00}};
	uint8_t image[IMAGE_SIZE], a[PM_MEASURE_SIZE], b[PM_MEASURE_SIZE];
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	size_t count = 0;

	make_firmware(image);
	ck_pm(with_firmware(m, image, sizeof(image), NULL), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(want); i++) {
		ck_pm(pm_measure_set_cpu(m, want[i].name), PM_OK);
		ck_pm(pm_measure_digest(m, NULL, a), PM_OK);
		pm_measure_set_cpu_signature(m, want[i].signature);
		ck_pm(pm_measure_digest(m, NULL, b), PM_OK);
		ck_assert_msg(pm_ct_equal(a, b, sizeof(a)), "%s", want[i].name);
	}
	for (const char *name; (name = pm_measure_cpu_model(count)) != NULL; count++)
		ck_pm(pm_measure_set_cpu(m, name), PM_OK);
	ck_assert_uint_ge(count, PM_ARRAY_LEN(want));
}
END_TEST

/* --- images of edk2 -------------------------------------------------------------------------- */

/* Both are the last 4 KiB of an image, measured as if they were the whole. */
#define AMDSEV	"snp/measure/ovmf_AmdSev_suffix.bin"
#define OVMFX64 "snp/measure/ovmf_OvmfX64_suffix.bin"

static const char amdsev_digest[] = "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3"
				    "aa16aff8c374c2a55c467a50da6d466b74";

static const char serial[] = "console=ttyS0 loglevel=7";

static const struct guest amdsev[] = {
	{"empty line, 0x21", PM_VMM_QEMU, 1, "EPYC-v4", 0x21, "", "", "",
		"329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41"
		"179ef98a7ef198"},
	{"empty line, 0x1", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "", "", "",
		"ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079"
		"397fa3852819b5"},
	{"serial line, 0x21", PM_VMM_QEMU, 1, "EPYC-v4", 0x21, "", "", serial,
		"803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895"
		"dfe778d0228977"},
	{"serial line, 0x1", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, "", "", serial,
		"6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042"
		"e706363b4b08fa"},
	{"EC2, 0x21", PM_VMM_EC2, 1, "EPYC-v4", 0x21, "", "", "",
		"0ce9ccc06bab55eebe8abc234f3df6514883977a68a591b71052498ab52b2f1aa415db338033946ef9"
		"3aa8278c0d67fb"},
	{"EC2, 0x1", PM_VMM_EC2, 1, NULL, 0x1, "", NULL, NULL,
		"0883bd0eeb716e65b7b977a321c278d1e51b33b5c655fab985443bbcc65c086b9c15e8a0bd8811050d"
		"ec7e24964e5056"},
	{"GCE", PM_VMM_GCE, 1, NULL, 0x1, "", "", "",
		"5da7106cf14cf46b1725ebab123eb9e53bd46a1e9f400cd0c08e7827b04b688ea8b4e403c8404efed4"
		"397ea5d5d0722e"},
	{"GCE, 4 processors", PM_VMM_GCE, 4, NULL, 0x1, "", "", "",
		"5c5debf100fc339f90276e761ee1f1658d08922c3b20e2a2e6c7a6c3370b2452a15a00eae11886a93d"
		"6fd1e7ab81e29d"},
	{"no kernel, 0x21", PM_VMM_QEMU, 1, "EPYC-v4", 0x21, NULL, NULL, NULL,
		"e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8a1674dbf281a9278a4a2ebe0ee"
		"d9f22adbcd0e2b"},
	{"no kernel, 0x1", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, NULL, NULL, NULL,
		"19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d"
		"6d76e7c5df632d"},
	{"4 processors, 0x21", PM_VMM_QEMU, 4, "EPYC-v4", 0x21, "", "", "",
		"4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b46"
		"98e2414a631942"},
	{"4 processors, 0x1", PM_VMM_QEMU, 4, "EPYC-v4", 0x1, "", "", "",
		"5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de8"
		"77c36e23046ad5"},
};

static const struct guest ovmfx64[] = {
	{"no kernel, 0x21", PM_VMM_QEMU, 1, "EPYC-v4", 0x21, NULL, NULL, NULL,
		"28797ae0afaba4005a81e629acebfb59e6687949d6be44007cd5506823b0dd66f146aaae26ff291eed"
		"7b493d8a64c385"},
	{"no kernel, 0x1", PM_VMM_QEMU, 1, "EPYC-v4", 0x1, NULL, NULL, NULL,
		"da0296de8193586a5512078dcd719eccecbd87e2b825ad4148c44f665dc87df21e5b49e21523a9ad99"
		"3afdb6a30b4005"},
};

START_TEST(amdsev_images)
{
	struct pm_view image = test_vector(AMDSEV);

	expect_guest(image, NULL, &amdsev[_i]);
	expect_guest(image, amdsev_digest, &amdsev[_i]);
	test_free(image);
}
END_TEST

START_TEST(ovmfx64_images)
{
	struct pm_view image = test_vector(OVMFX64);

	expect_guest(image, NULL, &ovmfx64[_i]);
	test_free(image);
}
END_TEST

START_TEST(ovmfx64_measures_no_kernel)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	struct pm_view image = test_vector(OVMFX64);
	uint8_t digest[PM_MEASURE_SIZE];

	ck_pm(with_firmware(m, image.ptr, image.len, NULL), PM_OK);
	ck_pm(pm_measure_set_kernel(m, NULL, 0, NULL, 0, NULL), PM_OK);
	ck_pm(pm_measure_digest(m, NULL, digest), PM_E_UNSUPPORTED);
	test_free(image);
}
END_TEST

START_TEST(amdsev_pages)
{
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	struct pm_view image = test_vector(AMDSEV);
	uint8_t digest[PM_MEASURE_SIZE];
	char text[2 * PM_MEASURE_SIZE + 1];

	ck_pm(pm_measure_set_firmware(m, image.ptr, image.len, NULL), PM_OK);
	ck_pm(pm_measure_firmware_digest(m, digest), PM_OK);
	pm_hex_encode(digest, sizeof(digest), text);
	ck_assert_str_eq(text, amdsev_digest);
	test_free(image);
}
END_TEST

/* Digests of real launches of Coconut SVSM, whole images. */
START_TEST(coconut_svsm)
{
	static const struct guest want[] = {
		{"4 processors", PM_VMM_QEMU, 4, "EPYC-v4", 0x1, NULL, NULL, NULL,
			"27d154c27b7b359c935e250ec6fee72aa0ae8c1225e3b0e1cf46a9567e938066d7d6f94bbd"
			"c4a857818bdb79277a44b2"},
		{"2 processors", PM_VMM_QEMU, 2, "EPYC-v4", 0x21, NULL, NULL, NULL,
			"9b94745036aafddf4f7f8b00c7513abb5b7703178cb95aaa57928bd963d68d3bfcb715d601"
			"9b9167ee2517b11b0d9be7"},
	};
	pm_cleanup(pm_measure) struct pm_measure *m = new_measure();
	struct pm_view svsm = test_vector("snp/measure/svsm.bin");
	struct pm_view image = test_vector("snp/measure/svsm_ovmf.fd");

	ck_pm(pm_measure_set_firmware(m, image.ptr, image.len, NULL), PM_OK);
	ck_pm(pm_measure_set_svsm(m, svsm.ptr, svsm.len, 540672, NULL), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(want); i++) {
		set_guest(m, &want[i]);
		expect_digest(m, want[i].name, want[i].digest);
	}
	test_free(image);
	test_free(svsm);
}
END_TEST

/* --- the suite ------------------------------------------------------------------------------- */

static TCase *digests(void)
{
	TCase *tc = tcase_create("digest");

	tcase_add_loop_test(tc, digest_of_made_firmware, 0, PM_ARRAY_LEN(made));
	tcase_add_test(tc, digest_of_made_svsm);
	tcase_add_test(tc, digest_of_firmware_given);
	tcase_add_test(tc, one_object_many_answers);
	tcase_add_test(tc, kernel_by_digests);
	tcase_add_test(tc, each_input_counts);
	tcase_add_test(tc, signatures);
	tcase_add_test(tc, names_stand_for_signatures);
	return tc;
}

static TCase *refusals(void)
{
	TCase *tc = tcase_create("refusal");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, setters_check_their_values);
	tcase_add_test(tc, nothing_is_guessed);
	tcase_add_test(tc, svsm_goes_with_little);
	tcase_add_test(tc, svsm_needs_the_real_firmware);
	tcase_add_loop_test(tc, damaged_firmware_is_refused, 0, PM_ARRAY_LEN(damages));
	tcase_add_loop_test(tc, firmware_that_can_not_do_it, 0, PM_ARRAY_LEN(late_damages));
	tcase_add_test(tc, one_processor_needs_a_reset_entry);
	tcase_add_test(tc, last_place_for_the_hashes);
	tcase_add_test(tc, too_many_entries);
	tcase_add_test(tc, truncated_at_every_length);
	tcase_add_test(tc, too_large);
	tcase_add_loop_test(tc, each_bit_counts, 0, 2);
	return tc;
}

static TCase *vectors(void)
{
	TCase *tc = tcase_create("vector");

	tcase_add_loop_test(tc, amdsev_images, 0, PM_ARRAY_LEN(amdsev));
	tcase_add_loop_test(tc, ovmfx64_images, 0, PM_ARRAY_LEN(ovmfx64));
	tcase_add_test(tc, ovmfx64_measures_no_kernel);
	tcase_add_test(tc, amdsev_pages);
	tcase_add_test(tc, coconut_svsm);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("measure");

	suite_add_tcase(suite, digests());
	suite_add_tcase(suite, refusals());
	if (test_has_vectors())
		suite_add_tcase(suite, vectors());
	return test_main(suite);
}
