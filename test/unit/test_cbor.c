/* SPDX-License-Identifier: Apache-2.0 */
/* One encoding a value, and nothing else is read. Bytes: RFC 8949, appendix A. */
#include <string.h>

#include <pm/error.h>

#include "base/cbor.h"
#include "testing.h"

/* Reads one item of each kind that is read; which of them took all of the bytes. */
static enum pm_cbor_kind reads_as(struct pm_view bytes)
{
	struct pm_rd u = pm_rd(bytes), t = u, b = u, a = u, m = u;
	enum pm_cbor_kind kind = PM_CBOR_OTHER;

	(void)pm_cbor_rd_uint(&u, UINT64_MAX);
	(void)pm_cbor_rd_text(&t, 64);
	(void)pm_cbor_rd_bytes(&b, 64);
	(void)pm_cbor_rd_array(&a, 64);
	(void)pm_cbor_rd_map(&m, 64);
	kind = pm_rd_done(&u) ? PM_CBOR_UINT : kind;
	kind = pm_rd_done(&t) ? PM_CBOR_TEXT : kind;
	kind = pm_rd_done(&b) ? PM_CBOR_BYTES : kind;
	kind = pm_rd_done(&a) ? PM_CBOR_ARRAY : kind;
	return pm_rd_done(&m) ? PM_CBOR_MAP : kind;
}

static const struct {
	const char *hex;
	enum pm_cbor_kind kind, looks; /* as read, and as pm_cbor_rd_kind() sees it */
} rows[] = {
	{"00", PM_CBOR_UINT, PM_CBOR_UINT},
	{"17", PM_CBOR_UINT, PM_CBOR_UINT},
	{"1818", PM_CBOR_UINT, PM_CBOR_UINT},
	{"1903e8", PM_CBOR_UINT, PM_CBOR_UINT},
	{"1a000f4240", PM_CBOR_UINT, PM_CBOR_UINT},
	{"1bffffffffffffffff", PM_CBOR_UINT, PM_CBOR_UINT},
	{"40", PM_CBOR_BYTES, PM_CBOR_BYTES},
	{"4401020304", PM_CBOR_BYTES, PM_CBOR_BYTES},
	{"6161", PM_CBOR_TEXT, PM_CBOR_TEXT},
	{"80", PM_CBOR_ARRAY, PM_CBOR_ARRAY},
	{"9818", PM_CBOR_ARRAY, PM_CBOR_ARRAY},
	{"a0", PM_CBOR_MAP, PM_CBOR_MAP},
	/* longer than need be */
	{"1800", PM_CBOR_OTHER, PM_CBOR_UINT},
	{"1817", PM_CBOR_OTHER, PM_CBOR_UINT},
	{"190018", PM_CBOR_OTHER, PM_CBOR_UINT},
	{"1a00000100", PM_CBOR_OTHER, PM_CBOR_UINT},
	{"1b0000000000010000", PM_CBOR_OTHER, PM_CBOR_UINT},
	{"580101", PM_CBOR_OTHER, PM_CBOR_BYTES},
	{"780161", PM_CBOR_OTHER, PM_CBOR_TEXT},
	{"9800", PM_CBOR_OTHER, PM_CBOR_ARRAY},
	{"b800", PM_CBOR_OTHER, PM_CBOR_MAP},
	/* of indefinite length, negative, tagged, simple, floating */
	{"5fff", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"7fff", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"9fff", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"bfff", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"20", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"c000", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"f4", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"f6", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"f93c00", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"1c", PM_CBOR_OTHER, PM_CBOR_OTHER},
	/* cut short */
	{"", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"18", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"44010203", PM_CBOR_OTHER, PM_CBOR_OTHER},
	{"5bffffffffffffffff", PM_CBOR_OTHER, PM_CBOR_OTHER},
	/* above the maximum */
	{"9841", PM_CBOR_OTHER, PM_CBOR_ARRAY},
	{"bbffffffffffffffff", PM_CBOR_OTHER, PM_CBOR_MAP},
};

START_TEST(one_encoding_a_value)
{
	struct pm_view bytes = test_hex(rows[_i].hex);
	struct pm_rd rd = pm_rd(bytes);

	ck_assert_msg(reads_as(bytes) == rows[_i].kind, "%s", rows[_i].hex);
	ck_assert_msg(pm_cbor_rd_kind(&rd) == rows[_i].looks, "%s", rows[_i].hex);
	ck_assert_uint_eq(rd.left, bytes.len); /* looking takes nothing */
	test_free(bytes);
}
END_TEST

START_TEST(what_is_written_is_read)
{
	uint8_t bytes[256];
	struct pm_wr wr = pm_wr(bytes, sizeof(bytes));
	struct pm_rd rd;
	uint8_t copy[3];

	pm_cbor_wr_map(&wr, 1);
	pm_cbor_wr_uint(&wr, 7);
	pm_cbor_wr_array(&wr, 3);
	pm_cbor_wr_bytes(&wr, VIEW("abc"));
	pm_cbor_wr_text(&wr, VIEW("t"));
	pm_cbor_wr_uint(&wr, UINT64_MAX);
	rd = pm_rd(pm_view(bytes, wr.len));
	ck_assert_uint_eq(pm_cbor_rd_map(&rd, 1), 1);
	pm_cbor_rd_key(&rd, 7);
	ck_assert_uint_eq(pm_cbor_rd_array(&rd, 3), 3);
	pm_cbor_rd_copy(&rd, copy, 3);
	ck_assert(pm_view_equal(pm_view(copy, 3), VIEW("abc")));
	ck_assert(pm_view_equal(pm_cbor_rd_text(&rd, 1), VIEW("t")));
	ck_assert_uint_eq(pm_cbor_rd_uint(&rd, UINT64_MAX), UINT64_MAX);
	ck_assert(pm_rd_done(&rd));
}
END_TEST

/* A copy wants so many bytes; a key is that one; a maximum holds. */
START_TEST(readers_fail_and_stay_so)
{
	struct pm_rd rd = pm_rd(VIEW("\x43"
				     "abc"));
	uint8_t copy[4] = "xxxx";

	pm_cbor_rd_copy(&rd, copy, 4);
	ck_assert(!pm_rd_ok(&rd));
	ck_assert(pm_is_zero(copy, 4));
	rd = pm_rd(VIEW("\x43"
			"abc"));
	pm_cbor_rd_copy(&rd, copy, 2);
	ck_assert(!pm_rd_ok(&rd));
	rd = pm_rd(VIEW("\x01\x01"));
	pm_cbor_rd_key(&rd, 2);
	ck_assert(!pm_rd_ok(&rd));
	ck_assert_uint_eq(pm_cbor_rd_uint(&rd, 9), 0);
	rd = pm_rd(VIEW("\x09"));
	ck_assert_uint_eq(pm_cbor_rd_uint(&rd, 8), 0);
	ck_assert(!pm_rd_ok(&rd));
	ck_assert_int_eq(pm_cbor_rd_kind(&rd), PM_CBOR_OTHER);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cbor");
	TCase *t = tcase_create("cbor");

	tcase_add_loop_test(t, one_encoding_a_value, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, what_is_written_is_read);
	tcase_add_test(t, readers_fail_and_stay_so);
	suite_add_tcase(s, t);
	return test_main(s);
}
