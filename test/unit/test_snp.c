/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing, on reports made here; verification, on real evidence where the folder of it is. */
#include <stdio.h>
#include <string.h>

#include <pm/snp.h>
#include <pm/snp_policy.h>
#include <pm/text.h>

#include "base/report.h"
#include "base/wr.h"
#include "crypto/x509.h"
#include "evidence/snp_evidence.h"
#include "evidence/snp_tcb.h"
#include "testing.h"

/* A well-formed report of that version; its signature is nobody's. */
static void make_report(uint8_t *b, uint8_t version)
{
	memset(b, 0, PM_SNP_REPORT_SIZE);
	b[0x000] = version;
	b[0x00a] = 0x03; /* POLICY: SMT and the reserved one */
	b[0x034] = 1;
	b[0x050] = 0xaa;
	if (version >= 3) {
		b[0x188] = 0x19;
		b[0x189] = 0x11;
		b[0x18a] = 0x01;
	}
	if (version >= 5) {
		b[0x1f8] = 0x0b;
		b[0x200] = 0x0f;
	}
	memset(b + 0x2a0, 0x5a, 48);
	memset(b + 0x2e8, 0xa5, 48);
}

static int parse(const uint8_t *b, size_t n, struct pm_report *report)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;

	return pm_snp_evidence_parse(b, n, report, &ev);
}

START_TEST(fields_are_read)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_fields *f;
	uint8_t b[PM_SNP_REPORT_SIZE];

	make_report(b, 5);
	for (size_t i = 0x090; i < 0x188; i++) /* MEASUREMENT up to REPORTED_TCB */
		b[i] = (uint8_t)i;
	b[0x004] = 9, b[0x030] = 2, b[0x040] = 0x65, b[0x048] = 0x7, b[0x1e0] = 0x77;
	b[0x1e8] = 1, b[0x1e9] = 2, b[0x1ea] = 3, b[0x1ec] = 4, b[0x1ed] = 5, b[0x1ee] = 6;
	b[0x1a0] = 0x12, b[0x1f0] = 0x34;
	ck_pm(pm_snp_evidence_parse(b, sizeof(b), NULL, &ev), PM_OK);
	f = pm_snp_evidence_untrusted(ev);
	ck_assert_uint_eq(f->version, 5);
	ck_assert_uint_eq(f->guest_svn, 9);
	ck_assert_uint_eq(f->policy, 0x30000);
	ck_assert_uint_eq(f->vmpl, 2);
	ck_assert_uint_eq(f->platform_info, 0x65);
	ck_assert(f->author_key_en && f->mask_chip_key && f->signing_key == PM_SNP_VLEK);
	ck_assert_uint_eq(f->report_data[0], 0xaa);
	ck_assert_uint_eq(f->measurement[0], 0x90);
	ck_assert_uint_eq(f->host_data[0], 0xc0);
	ck_assert_uint_eq(f->id_key_digest[0], 0xe0);
	ck_assert_uint_eq(f->author_key_digest[0], 0x10);
	ck_assert_uint_eq(f->report_id[0], 0x40);
	ck_assert_uint_eq(f->report_id_ma[0], 0x60);
	ck_assert_uint_eq(f->reported_tcb[0], 0x80);
	ck_assert_uint_eq(f->cpuid_family, 0x19);
	ck_assert_uint_eq(f->cpuid_model, 0x11);
	ck_assert_uint_eq(f->cpuid_stepping, 1);
	ck_assert_uint_eq(f->chip_id[0], 0x12);
	ck_assert_uint_eq(f->committed_tcb[0], 0x77);
	ck_assert_uint_eq(f->current_firmware.major * 10000 + f->current_firmware.minor * 100 +
				  f->current_firmware.build,
		30201);
	ck_assert_uint_eq(f->committed_firmware.major * 10000 + f->committed_firmware.minor * 100 +
				  f->committed_firmware.build,
		60504);
	ck_assert_uint_eq(f->launch_tcb[0], 0x34);
	ck_assert_uint_eq(f->launch_mit_vector, 0x0b);
	ck_assert_uint_eq(f->current_mit_vector, 0x0f);
	ck_assert_uint_eq(f->signature_r[47], 0x5a);
	ck_assert_uint_eq(f->signature_s[0], 0xa5);
	ck_assert_int_eq(pm_snp_evidence_product(ev), PM_SNP_GENOA);
}
END_TEST

/* A byte set in a good report of a version, and the check that then fails. */
static const struct {
	uint8_t version;
	size_t at;
	uint8_t value;
	int error;
	const char *check;
} bad_forms[] = {
	{3, 0x000, 1, PM_E_UNSUPPORTED, "VERSION"},
	{3, 0x000, 6, PM_E_UNSUPPORTED, "VERSION"},
	{3, 0x003, 1, PM_E_UNSUPPORTED, "VERSION"},
	{3, 0x034, 0, PM_E_UNSUPPORTED, "SIGNATURE_ALGO"},
	{3, 0x034, 2, PM_E_UNSUPPORTED, "SIGNATURE_ALGO"},
	{3, 0x037, 1, PM_E_UNSUPPORTED, "SIGNATURE_ALGO"},
	{3, 0x00a, 0x01, PM_E_FORMAT, "POLICY"},
	{3, 0x00b, 0x04, PM_E_FORMAT, "POLICY"},
	{3, 0x00f, 0x80, PM_E_FORMAT, "POLICY"},
	{3, 0x030, 3, PM_OK, NULL},
	{3, 0x030, 4, PM_E_FORMAT, "VMPL"},
	{3, 0x033, 0xff, PM_E_FORMAT, "VMPL"},
	{3, 0x048, 0x08, PM_E_UNSUPPORTED, "SIGNING_KEY"},
	{3, 0x048, 0x18, PM_E_UNSUPPORTED, "SIGNING_KEY"},
	{3, 0x048, 0x1c, PM_E_UNSUPPORTED, "SIGNING_KEY"},
	{3, 0x048, 0x20, PM_E_FORMAT, "KEY_INFO"},
	{3, 0x04b, 0x80, PM_E_FORMAT, "KEY_INFO"},
	{3, 0x04c, 1, PM_E_FORMAT, "reserved at 0x04c"},
	{3, 0x04f, 1, PM_E_FORMAT, "reserved at 0x04c"},
	{2, 0x188, 0x19, PM_E_FORMAT, "reserved at 0x188"},
	{3, 0x18b, 1, PM_E_FORMAT, "reserved at 0x188"},
	{5, 0x19f, 1, PM_E_FORMAT, "reserved at 0x188"},
	{3, 0x1eb, 1, PM_E_FORMAT, "reserved at 0x1eb"},
	{3, 0x1ef, 1, PM_E_FORMAT, "reserved at 0x1ef"},
	{3, 0x1f8, 1, PM_E_FORMAT, "reserved at 0x1f8"},
	{4, 0x207, 1, PM_E_FORMAT, "reserved at 0x1f8"},
	{5, 0x208, 1, PM_E_FORMAT, "reserved at 0x1f8"},
	{5, 0x29f, 1, PM_E_FORMAT, "reserved at 0x1f8"},
	{5, 0x2d0, 1, PM_E_FORMAT, "SIGNATURE, R bytes 48 to 71"},
	{5, 0x2e7, 1, PM_E_FORMAT, "SIGNATURE, R bytes 48 to 71"},
	{5, 0x318, 1, PM_E_FORMAT, "SIGNATURE, S bytes 48 to 71"},
	{5, 0x32f, 1, PM_E_FORMAT, "SIGNATURE, S bytes 48 to 71"},
	{5, 0x330, 1, PM_E_FORMAT, "SIGNATURE, unsigned tail at 0x330"},
	{5, 0x49f, 1, PM_E_FORMAT, "SIGNATURE, unsigned tail at 0x330"},
};

START_TEST(forms_are_refused)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t b[PM_SNP_REPORT_SIZE];

	make_report(b, bad_forms[_i].version);
	ck_pm(parse(b, sizeof(b), report), PM_OK);
	b[bad_forms[_i].at] = bad_forms[_i].value;
	ck_pm(parse(b, sizeof(b), report), bad_forms[_i].error);
	if (bad_forms[_i].check)
		ck_assert_str_eq(pm_report_failure(report)->name, bad_forms[_i].check);
}
END_TEST

START_TEST(every_other_length_is_refused)
{
	static uint8_t b[PM_SNP_INPUT_MAX + 1];

	make_report(b, 3);
	for (size_t n = 0; n < 2 * PM_SNP_REPORT_SIZE; n++)
		ck_pm(parse(b, n, NULL), n == PM_SNP_REPORT_SIZE ? PM_OK : PM_E_FORMAT);
	ck_pm(parse(b, sizeof(b), NULL), PM_E_LIMIT);
	ck_pm(parse(b, PM_SNP_INPUT_MAX, NULL), PM_E_FORMAT);
	ck_pm(parse(NULL, 0, NULL), PM_E_FORMAT);
}
END_TEST

START_TEST(the_host_can_not_ask)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	uint8_t b[PM_SNP_REPORT_SIZE];

	make_report(b, 3);
	memset(b + 0x030, 0xff, 4);
	ck_pm(parse(b, sizeof(b), report), PM_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "the host asked"));
	make_report(b, 3);
	b[0x048] = 7 << 2;
	pm_report_reset(report);
	ck_pm(parse(b, sizeof(b), report), PM_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "not signed"));
}
END_TEST

START_TEST(products)
{
	static const struct {
		uint8_t family, model;
		int product;
	} rows[] = {{0x19, 0x00, PM_SNP_MILAN}, {0x19, 0x01, PM_SNP_MILAN},
		{0x19, 0x0f, PM_SNP_MILAN}, {0x19, 0x10, PM_SNP_GENOA}, {0x19, 0x1f, PM_SNP_GENOA},
		{0x19, 0xa0, PM_SNP_GENOA}, {0x19, 0xaf, PM_SNP_GENOA}, {0x19, 0x20, 0},
		{0x19, 0x9f, 0}, {0x19, 0xb0, 0}, {0x1a, 0x02, PM_SNP_TURIN},
		{0x1a, 0x11, PM_SNP_TURIN}, {0x1a, 0x12, 0}, {0x1a, 0x50, 0}, {0x00, 0x00, 0},
		{0x17, 0x31, 0}};
	uint8_t b[PM_SNP_REPORT_SIZE];

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;

		make_report(b, 3);
		b[0x188] = rows[i].family;
		b[0x189] = rows[i].model;
		ck_pm(pm_snp_evidence_parse(b, sizeof(b), NULL, &ev), PM_OK);
		ck_assert_int_eq(pm_snp_evidence_product(ev), rows[i].product);
	}
	ck_assert_str_eq(pm_snp_product_name(PM_SNP_TURIN), "Turin");
	ck_assert_str_eq(pm_snp_product_name(0), "unknown");
	ck_assert_str_eq(pm_snp_product_name(99), "unknown");
}
END_TEST

START_TEST(tcb_layouts)
{
	static const uint8_t old[8] = {4, 1, 0, 0, 0, 0, 24, 219};
	static const uint8_t turin[8] = {1, 2, 3, 4, 0, 0, 0, 81};
	struct pm_snp_tcb t;
	uint8_t b[8];

	ck_pm(pm_snp_tcb_decode(PM_SNP_GENOA, old, &t), PM_OK);
	ck_assert(t.fmc == 0 && t.boot_loader == 4 && t.tee == 1 && t.snp == 24 &&
		  t.microcode == 219);
	ck_pm(pm_snp_tcb_decode(PM_SNP_TURIN, turin, &t), PM_OK);
	ck_assert(
		t.fmc == 1 && t.boot_loader == 2 && t.tee == 3 && t.snp == 4 && t.microcode == 81);
	ck_assert_str_eq(pm_snp_tcb_text(PM_SNP_TURIN, &t).s,
		"fmc 1, boot loader 2, tee 3, snp 4, microcode 81");
	ck_assert_str_eq(
		pm_snp_tcb_text(PM_SNP_GENOA, &t).s, "boot loader 2, tee 3, snp 4, microcode 81");
	ck_pm(pm_snp_tcb_decode((enum pm_snp_product)0, old, &t), PM_E_ARG);
	for (size_t i = 0; i < 8; i++) {
		pm_copy(b, old, 8);
		b[i] |= 0x80;
		ck_pm(pm_snp_tcb_decode(PM_SNP_MILAN, b, &t),
			i >= 2 && i < 6 ? PM_E_FORMAT : PM_OK);
		pm_copy(b, turin, 8);
		b[i] |= 0x80;
		ck_pm(pm_snp_tcb_decode(PM_SNP_TURIN, b, &t),
			i >= 4 && i < 7 ? PM_E_FORMAT : PM_OK);
	}
}
END_TEST

/* --- certificate table ------------------------------------------------------------------------ */

#define VCEK_GUID "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd"
#define CRL_GUID  "\x92\xf8\x1b\xc3\x58\x11\x4d\x3d\x97\xff\xd1\x9f\x88\xdc\x67\xea"
#define MY_GUID	  "0123456789abcdef"

static void put_entry(struct pm_wr *wr, const char *guid, uint32_t offset, uint32_t length)
{
	pm_wr_bytes(wr, pm_view(guid, 16));
	pm_wr_le32(wr, offset);
	pm_wr_le32(wr, length);
}

static struct pm_snp_evidence *new_evidence(void)
{
	struct pm_snp_evidence *ev = NULL;
	uint8_t b[PM_SNP_REPORT_SIZE];

	make_report(b, 3);
	ck_pm(pm_snp_evidence_parse(b, sizeof(b), NULL, &ev), PM_OK);
	return ev;
}

START_TEST(table_is_read)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	uint8_t b[256];
	struct pm_wr wr = pm_wr(b, sizeof(b));
	size_t len;

	put_entry(&wr, VCEK_GUID, 96, 3);
	put_entry(&wr, MY_GUID, 97, 4); /* overlapping is nobody's harm */
	put_entry(&wr, CRL_GUID, 99, 2);
	pm_wr_zero(&wr, 24);
	pm_wr_bytes(&wr, VIEW("0\1c0\0"));
	ck_assert(pm_wr_done(&wr, &len));
	ck_pm(pm_snp_evidence_add_table(ev, b, len, NULL), PM_OK);
	ck_assert_uint_eq(ev->cert_count, 1);
	ck_assert(pm_view_equal(ev->certs[0], VIEW("0\1c")));
	ck_assert_uint_eq(ev->crl_count, 1);
	ck_assert_uint_eq(ev->entry_count, 3);
	ck_assert(pm_view_equal(ev->entries[1].bytes, VIEW("\1c0\0")));
	ck_pm(pm_snp_evidence_add_table(ev, b, len, NULL), PM_E_STATE);
}
END_TEST

/* A host's place for what it was not given is no entry, wherever it points. */
START_TEST(empty_entries_are_passed_over)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	uint8_t b[256];
	struct pm_wr wr = pm_wr(b, sizeof(b));
	size_t len;

	put_entry(&wr, CRL_GUID, 0, 0);
	put_entry(&wr, VCEK_GUID, 0xffffffff, 0);
	put_entry(&wr, VCEK_GUID, 120, 3);
	put_entry(&wr, MY_GUID, 123, 0);
	pm_wr_zero(&wr, 24);
	pm_wr_bytes(&wr, VIEW("0\1c"));
	ck_assert(pm_wr_done(&wr, &len));
	ck_pm(pm_snp_evidence_add_table(ev, b, len, NULL), PM_OK);
	ck_assert_uint_eq(ev->cert_count, 1);
	ck_assert_uint_eq(ev->crl_count, 0);
	ck_assert_uint_eq(ev->entry_count, 1);
}
END_TEST

static const struct {
	const char *name;
	uint32_t offset, length;
	bool end;
} bad_tables[] = {
	{"not ended", 48, 1, false},
	{"beyond the end", 48, 17, true},
	{"offset beyond the end", 65, 1, true},
	{"wrapping", 0xfffffff0, 0x20, true},
	{"huge", 48, 0xffffffff, true},
	{"into the list", 47, 1, true},
	{"at the start", 0, 16, true},
};

START_TEST(bad_tables_are_refused)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	uint8_t b[64];
	struct pm_wr wr = pm_wr(b, sizeof(b));

	put_entry(&wr, MY_GUID, bad_tables[_i].offset, bad_tables[_i].length);
	if (bad_tables[_i].end)
		pm_wr_zero(&wr, 24);
	while (wr.len < sizeof(b))
		pm_wr_u8(&wr, 'x');
	ck_assert_msg(pm_snp_evidence_add_table(ev, b, sizeof(b), NULL) == PM_E_FORMAT, "%s",
		bad_tables[_i].name);
	ck_assert_uint_eq(ev->entry_count, 0);
}
END_TEST

START_TEST(odd_tables)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	static uint8_t b[PM_SNP_TABLE_MAX + 1];
	struct pm_wr wr = pm_wr(b, sizeof(b)), many = pm_wr(b, sizeof(b));
	char guid[17] = "0123456789abcdef";

	put_entry(&wr, MY_GUID, 72, 1);
	put_entry(&wr, MY_GUID, 72, 1);
	pm_wr_zero(&wr, 24);
	pm_wr_u8(&wr, 1);
	ck_pm(pm_snp_evidence_add_table(ev, b, wr.len, NULL), PM_E_FORMAT); /* a GUID twice */
	for (int i = 0; i < 33; i++) {
		guid[0] = (char)i;
		put_entry(&many, guid, 40 * 24, 1);
	}
	pm_wr_zero(&many, 10 * 24);
	ck_pm(pm_snp_evidence_add_table(ev, b, many.len, NULL), PM_E_LIMIT);
	ck_pm(pm_snp_evidence_add_table(ev, b, 23, NULL), PM_E_FORMAT);
	memset(b, 0, sizeof(b));
	ck_pm(pm_snp_evidence_add_table(ev, b, sizeof(b), NULL), PM_E_LIMIT);
	ck_pm(pm_snp_evidence_add_table(ev, NULL, 0, NULL),
		PM_OK); /* a host without certificates */
	ck_pm(pm_snp_evidence_add_table(ev, b, PM_SNP_TABLE_MAX, NULL), PM_OK);
}
END_TEST

/* As many lists as there may be. */
static void fill_crls(struct pm_snp_evidence *ev)
{
	uint8_t der[3] = {0x30, 1, 0};

	for (; der[2] < PM_SNP_CRLS_MAX; der[2]++) {
		ck_pm(pm_snp_evidence_add_crl(ev, der, 3, NULL), PM_OK);
		ck_pm(pm_snp_evidence_add_crl(ev, der, 3, NULL), PM_OK); /* kept once */
	}
	ck_assert_uint_eq(ev->crl_count, PM_SNP_CRLS_MAX);
}

/* What a table brings must fit as if it were given alone. */
START_TEST(items_of_tables_are_bounded)
{
	static const char *const guids[] = {VCEK_GUID, CRL_GUID};
	static uint8_t b[48 + PM_CERT_SIZE_MAX + 1];

	for (size_t i = 0; i < PM_ARRAY_LEN(guids); i++) {
		pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
		struct pm_wr wr = pm_wr(b, sizeof(b));

		memset(b, '0', sizeof(b));
		put_entry(&wr, guids[i], 48, PM_CERT_SIZE_MAX + 1);
		pm_wr_zero(&wr, 24);
		pm_wr_bytes(&wr, VIEW("0\x82\x3f\xfd")); /* a SEQUENCE up to the end */
		fill_crls(ev);
		ck_pm(pm_snp_evidence_add_table(ev, b, sizeof(b), NULL), PM_E_LIMIT);
		ck_assert_uint_eq(ev->entry_count, 0);
		ck_assert_uint_eq(ev->cert_count, 0);
	}
}
END_TEST

START_TEST(certificates_are_bounded)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	static uint8_t big[PM_CERT_SIZE_MAX + 1] = {0x30, 0x82, 0x3f, 0xfc};
	static uint8_t text[(1 << 20) + 1] = "-----BEGIN "; /* PEM, and nothing but */
	uint8_t der[3] = {0x30, 1, 0};

	big[3]++; /* one element of all */
	ck_pm(pm_snp_evidence_add_certs(ev, big, sizeof(big), NULL), PM_E_LIMIT);
	big[3]--;
	ck_pm(pm_snp_evidence_add_certs(ev, text, sizeof(text), NULL), PM_E_LIMIT);
	ck_pm(pm_snp_evidence_add_certs(ev, text, sizeof(text) - 1, NULL), PM_E_FORMAT);
	ck_pm(pm_snp_evidence_add_crl(ev, text, sizeof(text), NULL), PM_E_LIMIT);
	ck_pm(pm_snp_evidence_add_certs(ev, NULL, 0, NULL), PM_E_FORMAT);
	ck_pm(pm_snp_evidence_add_certs(ev, big, PM_CERT_SIZE_MAX, NULL), PM_OK);
	for (uint8_t i = 0; i < PM_SNP_CERTS_MAX - 1; i++) {
		der[2] = i;
		ck_pm(pm_snp_evidence_add_certs(ev, der, 3, NULL), PM_OK);
		ck_pm(pm_snp_evidence_add_certs(ev, der, 3, NULL), PM_OK); /* kept once */
	}
	ck_assert_uint_eq(ev->cert_count, PM_SNP_CERTS_MAX);
	der[2] = 99;
	ck_pm(pm_snp_evidence_add_certs(ev, der, 3, NULL), PM_E_LIMIT);
	fill_crls(ev);
	ck_pm(pm_snp_evidence_add_crl(ev, "0\1c", 3, NULL), PM_E_LIMIT);
}
END_TEST

/* DER in a row is taken apart, wholly or not at all. */
START_TEST(certificates_in_a_row)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();

	ck_pm(pm_snp_evidence_add_certs(ev, "0\1a0\0000\1b", 8, NULL), PM_OK);
	ck_assert_uint_eq(ev->cert_count, 3);
	ck_assert(pm_view_equal(ev->certs[0], VIEW("0\1a")));
	ck_assert(pm_view_equal(ev->certs[2], VIEW("0\1b")));
	ck_pm(pm_snp_evidence_add_certs(ev, "0\1c\n", 4, NULL), PM_E_FORMAT);
	ck_pm(pm_snp_evidence_add_certs(ev, "0\1c0\2d", 6, NULL), PM_E_FORMAT);
	ck_assert_uint_eq(ev->cert_count, 3);
}
END_TEST

/* Told where it is added, for there its file is known. */
START_TEST(what_is_no_sequence_is_refused)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	static const char *const bad[] = {"1\1a", "0\1", "0\1ab"};

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++) {
		ck_pm(pm_snp_evidence_add_certs(ev, bad[i], strlen(bad[i]), NULL), PM_E_FORMAT);
		ck_pm(pm_snp_evidence_add_crl(ev, bad[i], strlen(bad[i]), NULL), PM_E_FORMAT);
	}
	ck_assert_uint_eq(ev->cert_count + ev->crl_count, 0);
}
END_TEST

/* --- Azure HCL ------------------------------------------------------------------------------- */

static size_t make_hcl(uint8_t *b, size_t cap, const char *data)
{
	struct pm_wr wr = pm_wr(b, cap);
	uint8_t report[PM_SNP_REPORT_SIZE];
	size_t len;

	make_report(report, 3);
	pm_wr_bytes(&wr, VIEW("HCLA"));
	pm_wr_le32(&wr, 2);
	pm_wr_le32(&wr, 0);
	pm_wr_le32(&wr, 2);
	pm_wr_zero(&wr, 16);
	pm_wr_bytes(&wr, pm_view(report, sizeof(report)));
	pm_wr_le32(&wr, (uint32_t)strlen(data) + 20);
	pm_wr_le32(&wr, 1);
	pm_wr_le32(&wr, 2);
	pm_wr_le32(&wr, 1);
	pm_wr_le32(&wr, (uint32_t)strlen(data));
	pm_wr_bytes(&wr, pm_view(data, strlen(data)));
	ck_assert(pm_wr_done(&wr, &len));
	return len;
}

START_TEST(hcl_is_unwrapped)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	uint8_t b[2600] = {0};

	make_hcl(b, sizeof(b), "{\"keys\":[]}");
	ck_pm(pm_snp_evidence_parse(b, sizeof(b), NULL, &ev), PM_OK);
	ck_assert(pm_view_equal(ev->runtime_data, VIEW("{\"keys\":[]}")));
	ck_assert_uint_eq(ev->fields.report_data[0], 0xaa);
}
END_TEST

START_TEST(hcl_is_strict)
{
	static const struct {
		size_t at;
		uint8_t value;
		int error;
	} rows[] = {{0, 'h', PM_E_FORMAT}, {4, 3, PM_E_UNSUPPORTED}, {4, 0, PM_E_UNSUPPORTED},
		{12, 1, PM_E_UNSUPPORTED}, {0x4c4, 2, PM_E_UNSUPPORTED},
		{0x4c8, 4, PM_E_UNSUPPORTED}, {0x4cc, 2, PM_E_UNSUPPORTED}, {0x4d0, 0, PM_E_FORMAT},
		{0x4d0, 200, PM_E_FORMAT}, {0x4d3, 0xff, PM_E_FORMAT}, {0x20, 7, PM_E_UNSUPPORTED}};
	uint8_t b[2600];
	size_t len;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		len = make_hcl(b, sizeof(b), "{}");
		b[rows[i].at] = rows[i].value;
		ck_pm(parse(b, len, NULL), rows[i].error);
	}
	len = make_hcl(b, sizeof(b), "{}");
	for (size_t n = 0; n < len; n++)
		ck_pm(parse(b, n, NULL), PM_E_FORMAT);
}
END_TEST

/* --- real evidence --------------------------------------------------------------------------- */

#define AT "2026-03-01T00:00:00Z"

struct real {
	const char *report, *vek, *chain, *time;
	uint32_t vmpl;
	enum pm_snp_product product;
	bool debug;
};

static const struct real reals[] = {
	{"snp/milan/ms_milan_v3.report.bin", "snp/milan/ms_milan_v3.vek.der",
		"snp/certs/milan_vcek_cert_chain.pem", AT, 0, PM_SNP_MILAN, false},
	{"snp/genoa/ms_genoa_v3.report.bin", "snp/genoa/ms_genoa_v3.vek.pem",
		"snp/certs/genoa_vcek_cert_chain.pem", AT, 0, PM_SNP_GENOA, false},
	{"snp/turin/ms_turin_v5.report.bin", "snp/turin/ms_turin_v5.vek.der",
		"snp/certs/turin_vcek_cert_chain.pem", AT, 0, PM_SNP_TURIN, false},
	{"snp/milan/trustee_milan_v2.report.bin", "snp/milan/trustee_milan_v2.vek.der",
		"snp/certs/milan_vcek_cert_chain.pem", AT, 0, PM_SNP_MILAN, false},
	{"snp/milan/goog_milan_v2_debug.report.bin", "snp/milan/goog_milan_v2_debug.vek.der",
		"snp/certs/milan_vcek_cert_chain.pem", AT, 0, PM_SNP_MILAN, true},
	{"snp/genoa/veraison.report.bin", "snp/genoa/veraison.vek.der",
		"snp/certs/genoa_vcek_cert_chain.pem", AT, 0, PM_SNP_GENOA, false},
	{"snp/vlek/aws_milan_vlek_v3.report.bin", "snp/vlek/aws_milan_vlek_v3.vek.der",
		"snp/certs/milan_vlek_cert_chain.pem", "2025-06-01T00:00:00Z", 1, PM_SNP_MILAN,
		false},
	{"snp/azure/az_genoa.hcl_report.bin", "snp/azure/az_genoa.vek.der",
		"snp/certs/genoa_vcek_cert_chain.pem", AT, 0, PM_SNP_GENOA, false},
	{"snp/azure/az_milan_v3.hcl_report.bin", "snp/azure/az_milan_v3.vek.der",
		"snp/certs/milan_vcek_cert_chain.pem", AT, 0, PM_SNP_MILAN, false},
};

static struct pm_snp_policy *policy_for(const struct real *real)
{
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_snp_policy_new(&p), PM_OK);
	ck_pm(pm_snp_policy_waive(p,
		      PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT | PM_SNP_WAIVE_MIN_TCB),
		PM_OK);
	ck_pm(pm_snp_policy_allow_vmpl(p, real->vmpl), PM_OK);
	if (real->debug)
		ck_pm(pm_snp_policy_permit(p, PM_SNP_PERMIT_DEBUG), PM_OK);
	return p;
}

static void add_vector(struct pm_snp_evidence *ev, const char *path,
	int (*add)(struct pm_snp_evidence *, const void *, size_t, struct pm_report *))
{
	struct pm_view bytes = test_vector(path);

	ck_pm(add(ev, bytes.ptr, bytes.len, NULL), PM_OK);
	test_free(bytes);
}

static struct pm_snp_evidence *evidence_for(const struct real *real)
{
	struct pm_view bytes = test_vector(real->report);
	struct pm_snp_evidence *ev = NULL;

	ck_pm(pm_snp_evidence_parse(bytes.ptr, bytes.len, NULL, &ev), PM_OK);
	test_free(bytes);
	add_vector(ev, real->vek, pm_snp_evidence_add_certs);
	add_vector(ev, real->chain, pm_snp_evidence_add_certs);
	return ev;
}

static int64_t moment(const char *text)
{
	int64_t t = 0;

	ck_pm(pm_time_parse(text, &t), PM_OK);
	return t;
}

START_TEST(real_evidence_verifies)
{
	const struct real *real = &reals[_i];
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;

	if (!test_has_vectors())
		return;
	ev = evidence_for(real);
	p = policy_for(real);
	ck_assert_msg(!pm_snp_verify(ev, p, NULL, moment(real->time), report, &facts), "%s: %s",
		real->report, pm_report_reason(report));
	ck_assert_int_eq((int)facts->product, (int)real->product);
	ck_assert(!facts->test_root);
	ck_assert(pm_ct_equal(facts->fields.measurement, ev->signed_bytes + 0x90, 48));
	ck_assert_int_eq(facts->signer == PM_SNP_VLEK, facts->csp_id[0] != '\0');
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(real_evidence_expires)
{
	const struct real *real = &reals[_i];
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	int64_t until;

	if (!test_has_vectors())
		return;
	ev = evidence_for(real);
	p = policy_for(real);
	ck_pm(pm_snp_verify(ev, p, NULL, moment(real->time), NULL, &facts), PM_OK);
	until = facts->valid_until;
	ck_pm(pm_snp_verify(ev, p, NULL, until, NULL, &facts), PM_OK);
	facts = NULL;
	ck_pm(pm_snp_verify(ev, p, NULL, until + 1, NULL, &facts), PM_E_STALE);
	ck_pm(pm_snp_verify(ev, p, NULL, moment("2020-01-01T00:00:00Z"), NULL, &facts), PM_E_STALE);
	ck_assert_ptr_null(facts);
	pm_snp_policy_free(p);
}
END_TEST

/* Does the report, changed, verify? Any answer but no is a hole. */
static int verify_bytes(const uint8_t *bytes, const struct real *real, struct pm_snp_cache *cache)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	int r = pm_snp_evidence_parse(bytes, PM_SNP_REPORT_SIZE, NULL, &ev);

	if (r < 0)
		return r;
	p = policy_for(real);
	/*
	 * Whatever it says, only the signature may refuse it: all that can be allowed is
	 * allowed.
	 */
	for (uint32_t vmpl = 0; vmpl < 4; vmpl++)
		ck_pm(pm_snp_policy_allow_vmpl(p, vmpl), PM_OK);
	ck_pm(pm_snp_policy_permit(
		      p, PM_SNP_PERMIT_DEBUG | PM_SNP_PERMIT_MIGRATE_MA | PM_SNP_PERMIT_CXL),
		PM_OK);
	add_vector(ev, real->vek, pm_snp_evidence_add_certs);
	add_vector(ev, real->chain, pm_snp_evidence_add_certs);
	r = pm_snp_verify(ev, p, cache, moment(real->time), NULL, &facts);
	pm_snp_policy_free(p);
	return r;
}

START_TEST(each_flipped_byte_is_refused)
{
	const struct real *real = &reals[0];
	struct pm_snp_cache *cache = NULL;
	uint8_t b[PM_SNP_REPORT_SIZE];
	struct pm_view good;

	if (!test_has_vectors())
		return;
	good = test_vector(real->report);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	for (size_t i = 0; i < PM_SNP_REPORT_SIZE; i++) {
		pm_copy(b, good.ptr, sizeof(b));
		b[i] ^= (uint8_t)(1u << i % 8);
		ck_assert_msg(verify_bytes(b, real, cache) < 0, "byte 0x%03zx", i);
	}
	ck_pm(verify_bytes(good.ptr, real, cache), PM_OK);
	pm_snp_cache_free(cache);
	test_free(good);
}
END_TEST

START_TEST(each_flipped_byte_of_the_vek_is_refused)
{
	const struct real *real = &reals[0];
	struct pm_snp_policy *p;
	struct pm_view vek;

	if (!test_has_vectors())
		return;
	p = policy_for(real);
	vek = test_vector(real->vek);
	for (size_t i = 0; i < vek.len; i += 3) {
		pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
		const struct pm_snp_facts *facts = NULL;
		struct pm_view bytes = test_vector(real->report);

		ck_pm(pm_snp_evidence_parse(bytes.ptr, bytes.len, NULL, &ev), PM_OK);
		test_free(bytes);
		((uint8_t *)vek.ptr)[i] ^= 0x20;
		if (!pm_snp_evidence_add_certs(ev, vek.ptr, vek.len, NULL)) {
			add_vector(ev, real->chain, pm_snp_evidence_add_certs);
			ck_assert_msg(
				pm_snp_verify(ev, p, NULL, moment(real->time), NULL, &facts) < 0,
				"byte %zu", i);
		}
		((uint8_t *)vek.ptr)[i] ^= 0x20;
	}
	test_free(vek);
	pm_snp_policy_free(p);
}
END_TEST

/* The file, and where the refusal comes from; "" for the one that ECDSA accepts. */
static const struct {
	const char *file, *check;
} derived[] = {
	{"empty", "report length"},
	{"flip_host_data", "SIGNATURE"},
	{"flip_measurement", "SIGNATURE"},
	{"flip_report_data", "SIGNATURE"},
	{"flip_vmpl", "SIGNATURE"},
	{"reserved_18b_set", "reserved at 0x188"},
	{"reserved_4c_set", "reserved at 0x04c"},
	{"set_debug", "SIGNATURE"},
	{"sig_all_zero", "SIGNATURE"},
	{"sig_big_endian", "SIGNATURE, R bytes 48 to 71"},
	{"sig_r_highbyte", "SIGNATURE, R bytes 48 to 71"},
	{"sig_r_plus_n", "SIGNATURE, R bytes 48 to 71"},
	{"sig_r_zero", "SIGNATURE"},
	{"sig_reserved_tail_set", "SIGNATURE, unsigned tail at 0x330"},
	{"sig_rs_swapped", "SIGNATURE"},
	{"sig_s_negated", ""},
	{"sig_s_plus_n", "SIGNATURE, S bytes 48 to 71"},
	{"sig_s_zero", "SIGNATURE"},
	{"sigalgo_0", "SIGNATURE_ALGO"},
	{"signing_key_none", "SIGNING_KEY"},
	{"signing_key_vlek", "VEK"},
	{"trailing_byte", "report length"},
	{"truncated_1183", "report length"},
	{"version_1", "VERSION"},
	{"version_6", "VERSION"},
	{"version_only", "report length"},
};

START_TEST(derived_reports_are_refused)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct real *real = &reals[0];
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct pm_view bytes;
	char path[128];
	int r;

	if (!test_has_vectors())
		return;
	p = policy_for(real);
	snprintf(path, sizeof(path), "snp/derived/%s.bin", derived[_i].file);
	bytes = test_vector(path);
	r = pm_snp_evidence_parse(bytes.ptr, bytes.len, report, &ev);
	if (r == PM_OK) {
		add_vector(ev, real->vek, pm_snp_evidence_add_certs);
		add_vector(ev, real->chain, pm_snp_evidence_add_certs);
		r = pm_snp_verify(ev, p, NULL, moment(real->time), report, &facts);
	}
	ck_assert_msg((r == PM_OK) == !derived[_i].check[0], "%s: %d", derived[_i].file, r);
	if (r < 0)
		ck_assert_str_eq(pm_report_failure(report)->name, derived[_i].check);
	test_free(bytes);
	pm_snp_policy_free(p);
}
END_TEST

/* Certificates of others with the report of ms_milan_v3. */
static const struct {
	const char *vek, *chain, *check;
	int error;
} crossed[] = {
	{"snp/milan/trustee_milan_v2.vek.der", "snp/certs/milan_vcek_cert_chain.pem", "VEK TCB",
		PM_E_REJECTED},
	{"snp/azure/az_milan_v3.vek.der", "snp/certs/milan_vcek_cert_chain.pem",
		"VEK hwID, CHIP_ID", PM_E_REJECTED},
	{"snp/genoa/ms_genoa_v3.vek.der", "snp/certs/genoa_vcek_cert_chain.pem", "processor",
		PM_E_REJECTED},
	{"snp/turin/ms_turin_v5.vek.der", "snp/certs/turin_vcek_cert_chain.pem", "processor",
		PM_E_REJECTED},
	{"snp/milan/ms_milan_v3.vek.der", "snp/certs/genoa_vcek_cert_chain.pem", "intermediate",
		PM_E_MISSING},
	{"snp/milan/ms_milan_v3.vek.der", "snp/certs/milan_vlek_cert_chain.pem", "intermediate",
		PM_E_MISSING},
	{"snp/milan/ms_milan_v3.vek.der", "snp/certs/milan_ask.pem", "root", PM_E_MISSING},
	{"snp/vlek/aws_milan_vlek_v3.vek.der", "snp/certs/milan_vlek_cert_chain.pem", "VEK",
		PM_E_MISSING},
	{"snp/negative/trustee_test-vcek-invalid-legacy.der", "snp/certs/milan_vcek_cert_chain.pem",
		"VEK, signature", PM_E_REJECTED},
	{"snp/negative/trustee_test-vcek-invalid-new.der", "snp/certs/milan_vcek_cert_chain.pem",
		"VEK, signature", PM_E_REJECTED},
};

START_TEST(crossed_certificates_are_refused)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	struct real real = reals[0];
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;

	if (!test_has_vectors())
		return;
	real.vek = crossed[_i].vek;
	real.chain = crossed[_i].chain;
	ev = evidence_for(&real);
	p = policy_for(&real);
	ck_pm(pm_snp_verify(ev, p, NULL, moment(AT), report, &facts), crossed[_i].error);
	ck_assert_str_eq(pm_report_failure(report)->name, crossed[_i].check);
	ck_assert_ptr_null(facts);
	pm_snp_policy_free(p);
}
END_TEST

/* Row of reals, list, time, result, and the check that fails. */
static const struct {
	size_t real;
	const char *crl, *time;
	int error;
	const char *check;
} crls[] = {
	{0, "snp/crl/milan_vcek_crl_20250506.der", AT, PM_OK, NULL},
	{0, "snp/crl/milan_vcek_crl_20250506.pem", AT, PM_OK, NULL},
	{0, "snp/crl/milan_vcek_crl_20250506.der", "2026-05-13T00:00:00Z", PM_E_STALE,
		"CRL, validity"},
	{5, "snp/crl/genoa_vcek_crl_20241023.der", "2025-06-01T00:00:00Z", PM_OK, NULL},
	{5, "snp/crl/genoa_vcek_crl_20241023.der", AT, PM_E_STALE, "CRL, validity"},
	{5, "snp/crl/NEG_genoa_crl_sig_flipped.der", "2025-06-01T00:00:00Z", PM_E_REJECTED,
		"CRL, signature"},
	{1, "snp/crl/milan_vcek_crl_20250506.der", AT, PM_E_REJECTED, "CRL, issuer"},
	{0, "snp/certs/milan_ark.der", AT, PM_E_FORMAT, "CRL"},
};

START_TEST(real_crls)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct real *real = &reals[crls[_i].real];
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_cache *cache = NULL;
	struct pm_snp_policy *p;

	if (!test_has_vectors())
		return;
	ev = evidence_for(real);
	p = policy_for(real);
	ck_pm(pm_snp_policy_require(p, PM_SNP_REQUIRE_CRL), PM_OK);
	ck_pm(pm_snp_cache_new(4, &cache), PM_OK);
	ck_pm(pm_snp_verify(ev, p, cache, moment(crls[_i].time), report, &facts), PM_E_MISSING);
	add_vector(ev, crls[_i].crl, pm_snp_evidence_add_crl);
	for (int again = 0; again < 2; again++) { /* the second time out of the cache */
		pm_report_reset(report);
		ck_pm(pm_snp_verify(ev, p, cache, moment(crls[_i].time), report, &facts),
			crls[_i].error);
		if (crls[_i].check)
			ck_assert_str_eq(pm_report_failure(report)->name, crls[_i].check);
		else
			ck_assert(facts->crl_checked);
	}
	ck_pm(pm_snp_policy_max_crl_age(p, 86400), PM_OK);
	ck_assert_int_lt(pm_snp_verify(ev, p, cache, moment(crls[_i].time), report, &facts), 0);
	pm_snp_cache_free(cache);
	pm_snp_policy_free(p);
}
END_TEST

/* AMD's root is found behind one that only looks like it, and the latter is nothing alone. */
START_TEST(real_root_behind_a_false_one)
{
	const struct real *real = &reals[0];
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct pm_view fake;

	if (!test_has_vectors())
		return;
	p = policy_for(real);
	fake = test_vector("snp/certs/milan_ark.der");
	((uint8_t *)fake.ptr)[fake.len - 1] ^= 1; /* in its own signature, at which nobody looks */
	for (int alone = 0; alone < 2; alone++) {
		pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
		struct pm_view bytes = test_vector(real->report);

		ck_pm(pm_snp_evidence_parse(bytes.ptr, bytes.len, NULL, &ev), PM_OK);
		test_free(bytes);
		ck_pm(pm_snp_evidence_add_certs(ev, fake.ptr, fake.len, NULL), PM_OK);
		add_vector(ev, real->vek, pm_snp_evidence_add_certs);
		add_vector(ev, alone ? "snp/certs/milan_ask.pem" : real->chain,
			pm_snp_evidence_add_certs);
		ck_pm(pm_snp_verify(ev, p, NULL, moment(AT), report, &facts),
			alone ? PM_E_REJECTED : PM_OK);
	}
	ck_assert_str_eq(pm_report_failure(report)->name, "root");
	test_free(fake);
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(real_certificate_table)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;
	struct pm_view bytes;

	if (!test_has_vectors())
		return;
	bytes = test_vector("snp/genoa/veraison.report.bin");
	ck_pm(pm_snp_evidence_parse(bytes.ptr, bytes.len, NULL, &ev), PM_OK);
	test_free(bytes);
	p = policy_for(&reals[5]);
	ck_pm(pm_snp_verify(ev, p, NULL, moment(AT), NULL, &facts), PM_E_MISSING);
	add_vector(ev, "snp/genoa/veraison_auxblob_certtable.bin", pm_snp_evidence_add_table);
	ck_pm(pm_snp_verify(ev, p, NULL, moment(AT), NULL, &facts), PM_OK);
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(hcl_runtime_data_is_bound)
{
	const struct real *real = &reals[7];
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p;

	if (!test_has_vectors())
		return;
	ev = evidence_for(real);
	p = policy_for(real);
	ck_pm(pm_snp_verify(ev, p, NULL, moment(AT), report, &facts), PM_OK);
	ck_assert_ptr_nonnull(facts->runtime_data);
	ck_assert_uint_eq(facts->runtime_data_size, ev->runtime_data.len);
	ck_assert_uint_eq(facts->runtime_data[0], '{');
	((uint8_t *)ev->runtime_data.ptr)[9] ^= 1;
	facts = NULL;
	ck_pm(pm_snp_verify(ev, p, NULL, moment(AT), report, &facts), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "HCL runtime data, REPORT_DATA");
	ck_assert_ptr_null(facts);
	pm_snp_policy_free(p);
}
END_TEST

START_TEST(the_cache_changes_no_answer)
{
	struct pm_snp_cache *cache = NULL;
	const struct pm_snp_facts *facts = NULL;

	if (!test_has_vectors())
		return;
	ck_pm(pm_snp_cache_new(3, &cache), PM_OK); /* fewer than there are chains: some give way */
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < PM_ARRAY_LEN(reals); i++) {
			struct pm_snp_policy *p = policy_for(&reals[i]);
			struct pm_snp_evidence *ev = evidence_for(&reals[i]);

			ck_pm(pm_snp_verify(ev, p, cache, moment(reals[i].time), NULL, &facts),
				PM_OK);
			ck_pm(pm_snp_verify(ev, p, cache, 0, NULL, &facts), PM_E_STALE);
			ev->signed_bytes[0x50] ^= 1;
			ck_pm(pm_snp_verify(ev, p, cache, moment(reals[i].time), NULL, &facts),
				PM_E_REJECTED);
			pm_snp_evidence_free(ev);
			pm_snp_policy_free(p);
		}
	}
	pm_snp_cache_free(cache);
	ck_pm(pm_snp_cache_new(0, &cache), PM_E_ARG);
	ck_pm(pm_snp_cache_new(65537, &cache), PM_E_ARG);
}
END_TEST

START_TEST(nothing_is_accepted_without_demands)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = new_evidence();
	const struct pm_snp_facts *facts = NULL;
	struct pm_snp_policy *p = NULL;

	ck_pm(pm_snp_policy_new(&p), PM_OK);
	ck_pm(pm_snp_verify(ev, p, NULL, 0, NULL, &facts), PM_E_ARG);
	ck_pm(pm_snp_policy_waive(p,
		      PM_SNP_WAIVE_REPORT_DATA | PM_SNP_WAIVE_MEASUREMENT | PM_SNP_WAIVE_MIN_TCB),
		PM_OK);
	ck_pm(pm_snp_verify(ev, p, NULL, 0, NULL, &facts), PM_E_MISSING);
	ck_assert_ptr_null(facts);
	pm_snp_policy_free(p);
}
END_TEST

static void add_parser_tests(TCase *t)
{
	tcase_add_test(t, fields_are_read);
	tcase_add_loop_test(t, forms_are_refused, 0, PM_ARRAY_LEN(bad_forms));
	tcase_add_test(t, every_other_length_is_refused);
	tcase_add_test(t, the_host_can_not_ask);
	tcase_add_test(t, products);
	tcase_add_test(t, tcb_layouts);
	tcase_add_test(t, table_is_read);
	tcase_add_test(t, empty_entries_are_passed_over);
	tcase_add_loop_test(t, bad_tables_are_refused, 0, PM_ARRAY_LEN(bad_tables));
	tcase_add_test(t, odd_tables);
	tcase_add_test(t, items_of_tables_are_bounded);
	tcase_add_test(t, certificates_are_bounded);
	tcase_add_test(t, certificates_in_a_row);
	tcase_add_test(t, what_is_no_sequence_is_refused);
	tcase_add_test(t, hcl_is_unwrapped);
	tcase_add_test(t, hcl_is_strict);
	tcase_add_test(t, nothing_is_accepted_without_demands);
}

static void add_real_tests(TCase *t)
{
	tcase_add_loop_test(t, real_evidence_verifies, 0, PM_ARRAY_LEN(reals));
	tcase_add_loop_test(t, real_evidence_expires, 0, PM_ARRAY_LEN(reals));
	tcase_add_test(t, each_flipped_byte_is_refused);
	tcase_add_test(t, each_flipped_byte_of_the_vek_is_refused);
	tcase_add_loop_test(t, derived_reports_are_refused, 0, PM_ARRAY_LEN(derived));
	tcase_add_loop_test(t, crossed_certificates_are_refused, 0, PM_ARRAY_LEN(crossed));
	tcase_add_loop_test(t, real_crls, 0, PM_ARRAY_LEN(crls));
	tcase_add_test(t, real_root_behind_a_false_one);
	tcase_add_test(t, real_certificate_table);
	tcase_add_test(t, hcl_runtime_data_is_bound);
	tcase_add_test(t, the_cache_changes_no_answer);
}

int main(void)
{
	Suite *s = suite_create("snp");
	TCase *t = tcase_create("snp");

	tcase_set_timeout(t, 60);
	add_parser_tests(t);
	add_real_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
