/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <pm/error.h>
#include <pm/report.h>
#include <pm/text.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/wr.h"
#include "testing.h"

START_TEST(rd_reads_in_order)
{
	struct pm_rd rd =
		pm_rd(VIEW("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"));

	ck_assert_uint_eq(pm_rd_u8(&rd), 0x01);
	ck_assert_uint_eq(pm_rd_le16(&rd), 0x0302);
	ck_assert_uint_eq(pm_rd_be16(&rd), 0x0405);
	ck_assert_uint_eq(pm_rd_le32(&rd), 0x09080706);
	ck_assert_uint_eq(pm_rd_be32(&rd), 0x0a0b0c0d);
	ck_assert(pm_rd_ok(&rd) && !pm_rd_done(&rd));
	pm_rd_skip(&rd, 2);
	ck_assert(pm_rd_done(&rd));
}
END_TEST

START_TEST(rd_reads_64_bits)
{
	struct pm_rd rd =
		pm_rd(VIEW("\x01\x02\x03\x04\x05\x06\x07\xff\xff\x02\x03\x04\x05\x06\x07\x08"));

	ck_assert_uint_eq(pm_rd_le64(&rd), UINT64_C(0xff07060504030201));
	ck_assert_uint_eq(pm_rd_be64(&rd), UINT64_C(0xff02030405060708));
	ck_assert(pm_rd_done(&rd));
}
END_TEST

START_TEST(rd_failure_sticks)
{
	struct pm_rd rd = pm_rd(VIEW("\xff\xff\xff"));
	uint8_t copy[2] = {1, 1};

	ck_assert_uint_eq(pm_rd_le32(&rd), 0);
	ck_assert(!pm_rd_ok(&rd));
	ck_assert_uint_eq(pm_rd_u8(&rd), 0); /* though a byte would be there */
	pm_rd_copy(&rd, copy, 2);
	ck_assert_uint_eq(copy[0] | copy[1], 0);
	ck_assert_uint_eq(pm_rd_rest(&rd).len, 0);
	ck_assert(!pm_rd_done(&rd));
}
END_TEST

START_TEST(rd_bounds_lengths)
{
	struct pm_rd rd = pm_rd(VIEW("\x00\x00\x00\x02"
				     "ab"));
	struct pm_rd big = pm_rd(VIEW("\xff\xff\xff\xff"
				      "ab"));
	struct pm_rd over = pm_rd(VIEW("\x00\x00\x00\x02"
				       "ab"));

	ck_assert(pm_view_equal(pm_rd_prefixed_be32(&rd, 2), VIEW("ab")));
	ck_assert(pm_rd_done(&rd));
	ck_assert_uint_eq(pm_rd_prefixed_be32(&big, SIZE_MAX).len, 0);
	ck_assert(!pm_rd_ok(&big));
	ck_assert_uint_eq(pm_rd_prefixed_be32(&over, 1).len, 0);
	ck_assert(!pm_rd_ok(&over));
}
END_TEST

START_TEST(rd_child_is_bounded)
{
	struct pm_rd rd = pm_rd(VIEW("abcd"));
	struct pm_rd child = pm_rd_child(&rd, 2);
	struct pm_rd none;

	ck_assert_uint_eq(pm_rd_le32(&child), 0);
	ck_assert(!pm_rd_ok(&child) && pm_rd_ok(&rd));
	ck_assert_uint_eq(pm_rd_u8(&rd), 'c');
	none = pm_rd_child(&rd, 9);
	ck_assert(!pm_rd_ok(&none) && !pm_rd_ok(&rd));
}
END_TEST

START_TEST(rd_reserved_must_be_zero)
{
	struct pm_rd zero = pm_rd(VIEW("\0\0\0"));
	struct pm_rd set = pm_rd(VIEW("\0\0\1"));

	pm_rd_zero(&zero, 3);
	ck_assert(pm_rd_done(&zero));
	pm_rd_zero(&set, 3);
	ck_assert(!pm_rd_ok(&set));
}
END_TEST

START_TEST(rd_empty_input)
{
	struct pm_rd rd = pm_rd((struct pm_view){0});

	ck_assert(pm_rd_done(&rd));
	ck_assert_uint_eq(pm_rd_bytes(&rd, 0).len, 0);
	ck_assert(pm_rd_done(&rd));
	ck_assert_uint_eq(pm_rd_u8(&rd), 0);
	ck_assert(!pm_rd_ok(&rd));
}
END_TEST

START_TEST(wr_writes_what_rd_reads)
{
	uint8_t out[64];
	struct pm_wr wr = pm_wr(out, sizeof(out));
	struct pm_rd rd;
	size_t len;

	pm_wr_u8(&wr, 0xab);
	pm_wr_le16(&wr, 0x1234);
	pm_wr_be16(&wr, 0x1234);
	pm_wr_le32(&wr, 0x12345678);
	pm_wr_be32(&wr, 0x12345678);
	pm_wr_le64(&wr, UINT64_C(0x123456789abcdef0));
	pm_wr_be64(&wr, UINT64_C(0x123456789abcdef0));
	pm_wr_zero(&wr, 3);
	pm_wr_prefixed_be32(&wr, VIEW("xyz"));
	ck_assert(pm_wr_done(&wr, &len));
	rd = pm_rd(pm_view(out, len));
	ck_assert_uint_eq(pm_rd_u8(&rd), 0xab);
	ck_assert_uint_eq(pm_rd_le16(&rd), 0x1234);
	ck_assert_uint_eq(pm_rd_be16(&rd), 0x1234);
	ck_assert_uint_eq(pm_rd_le32(&rd), 0x12345678);
	ck_assert_uint_eq(pm_rd_be32(&rd), 0x12345678);
	ck_assert_uint_eq(pm_rd_le64(&rd), UINT64_C(0x123456789abcdef0));
	ck_assert_uint_eq(pm_rd_be64(&rd), UINT64_C(0x123456789abcdef0));
	pm_rd_zero(&rd, 3);
	ck_assert(pm_view_equal(pm_rd_prefixed_be32(&rd, 8), VIEW("xyz")));
	ck_assert(pm_rd_done(&rd));
}
END_TEST

START_TEST(wr_never_overflows)
{
	uint8_t out[5] = {0, 0, 0, 0, 0x55};
	struct pm_wr wr = pm_wr(out, 4);
	size_t len = 9;

	pm_wr_le16(&wr, 1);
	pm_wr_le32(&wr, UINT32_MAX);
	pm_wr_u8(&wr, 1); /* would fit, but the error sticks */
	ck_assert(!pm_wr_done(&wr, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(out[2] | out[3], 0);
	ck_assert_uint_eq(out[4], 0x55);
}
END_TEST

START_TEST(hex_is_strict)
{
	uint8_t b[3] = {9, 9, 9};
	char text[7];

	ck_pm(pm_hex_decode("00fFA5", b, 3), PM_OK);
	ck_assert(pm_ct_equal(b, "\x00\xff\xa5", 3));
	pm_hex_encode(b, 3, text);
	ck_assert_str_eq(text, "00ffa5");
	ck_pm(pm_hex_decode("00ff", b, 3), PM_E_FORMAT);
	ck_pm(pm_hex_decode("00ffa5b", b, 3), PM_E_FORMAT);
	ck_pm(pm_hex_decode("00ffa5b6", b, 3), PM_E_FORMAT);
	ck_pm(pm_hex_decode("00ffag", b, 3), PM_E_FORMAT);
	ck_pm(pm_hex_decode("00:ff:", b, 3), PM_E_FORMAT);
	ck_pm(pm_hex_decode("0x00ff", b, 3), PM_E_FORMAT);
	ck_pm(pm_hex_decode("", b, 0), PM_OK);
}
END_TEST

START_TEST(base64_round_trip)
{
	static const struct {
		const char *plain, *text;
	} rows[] = {
		{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
	uint8_t bytes[16];
	char text[16];
	size_t n;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pm_view plain = pm_view(rows[i].plain, strlen(rows[i].plain));

		ck_pm(pm_base64_encode(plain, text, sizeof(text)), PM_OK);
		ck_assert_str_eq(text, rows[i].text);
		ck_pm(pm_base64_decode(pm_view(text, strlen(text)), bytes, sizeof(bytes), &n),
			PM_OK);
		ck_assert(pm_view_equal(pm_view(bytes, n), plain));
	}
}
END_TEST

START_TEST(base64_is_strict)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zh==", "Z g=", "Zm9v\n", "Zm_v", "===="};
	uint8_t b[16];
	char text[8];
	size_t n;

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_pm(pm_base64_decode(pm_view(bad[i], strlen(bad[i])), b, sizeof(b), &n),
			PM_E_FORMAT);
	ck_pm(pm_base64_decode(VIEW("Zm9vYmFy"), b, 3, &n), PM_E_LIMIT);
	ck_pm(pm_base64_decode(VIEW("Zm9vYmFy"), b, 5, &n), PM_E_LIMIT);
	ck_pm(pm_base64_decode(VIEW("Zm9vYg=="), b, 4, &n), PM_OK);
	ck_pm(pm_base64_decode(VIEW("Zm9vYmE="), b, 5, &n), PM_OK);
	ck_pm(pm_base64_encode(VIEW("foobar"), text, 8), PM_E_LIMIT);
}
END_TEST

START_TEST(time_is_rfc3339)
{
	static const struct {
		const char *text;
		int64_t time;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-03-01T00:00:00Z", 1772323200},
		{"2000-02-29T23:59:59Z", 951868799},
		{"1969-12-31T23:59:59Z", -1},
		{"2026-03-01T01:30:00+01:30", 1772323200},
		{"2026-02-28T23:00:00-01:00", 1772323200},
		{"2026-03-01T00:00:00.999Z", 1772323200},
		{"2026-03-01t00:00:00z", 1772323200},
		{"9999-12-31T23:59:59Z", 253402300799},
	};
	int64_t t;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		ck_pm(pm_time_parse(rows[i].text, &t), PM_OK);
		ck_assert_int_eq(t, rows[i].time);
	}
}
END_TEST

START_TEST(time_refuses_what_is_not)
{
	static const char *const bad[] = {"", "now", "2026-03-01", "2026-03-01T00:00:00",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00Zx", "2026-1-01T00:00:00Z", "+026-01-01T00:00:00Z",
		"2026-01-01 00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00x"};
	int64_t t = 42;

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_assert_msg(pm_time_parse(bad[i], &t) == PM_E_FORMAT, "accepted: %s", bad[i]);
	ck_assert_int_eq(t, 42);
}
END_TEST

START_TEST(time_formats_what_it_parses)
{
	char text[PM_TIME_TEXT_SIZE];
	int64_t t;

	/* A day in each week of 400 years, so that each leap rule takes part. */
	for (int64_t day = -141428; day < 146097; day += 7) {
		pm_time_format(day * 86400 + 86399, text);
		ck_pm(pm_time_parse(text, &t), PM_OK);
		ck_assert_int_eq(t, day * 86400 + 86399);
	}
	pm_time_format(INT64_MAX, text);
	ck_assert_str_eq(text, "(out of range)");
	pm_time_format(INT64_MIN, text);
	ck_assert_str_eq(text, "(out of range)");
}
END_TEST

START_TEST(secret_is_compared_and_wiped_by_type)
{
	pm_cleanup(secret) struct pm_secret a = {0}, b = {0}, c = {0};

	ck_pm(pm_secret_copy(&a, VIEW("0123456789abcdef")), PM_OK);
	ck_pm(pm_secret_copy(&b, VIEW("0123456789abcdef")), PM_OK);
	ck_pm(pm_secret_copy(&c, VIEW("0123456789abcdeX")), PM_OK);
	ck_assert(pm_secret_equal(&a, &b));
	ck_assert(!pm_secret_equal(&a, &c));
	pm_secret_free(&c);
	ck_assert_ptr_null(c.ptr);
	ck_assert_uint_eq(c.len, 0);
	ck_assert(!pm_secret_equal(&a, &c));
	ck_pm(pm_secret_new(&c, PM_SECRET_MAX + 1), PM_E_LIMIT);
}
END_TEST

START_TEST(report_keeps_order_and_first_failure)
{
	pm_cleanup(pm_report) struct pm_report *r = pm_report_new();

	ck_assert_str_eq(pm_report_reason(r), "");
	ck_assert_ptr_null(pm_report_failure(r));
	pm_pass(r, "one", "%d", 1);
	pm_skip(r, "two", "not given");
	ck_pm(pm_fail(r, PM_E_REJECTED, "three", "0", "%d", 3), PM_E_REJECTED);
	ck_pm(pm_fail(r, PM_E_FORMAT, "four", "", "%d", 4), PM_E_FORMAT);
	ck_assert_uint_eq(pm_report_count(r), 4);
	ck_assert_int_eq(pm_report_at(r, 0)->outcome, PM_PASSED);
	ck_assert_int_eq(pm_report_at(r, 1)->outcome, PM_NOT_CHECKED);
	ck_assert_str_eq(pm_report_failure(r)->name, "three");
	ck_assert_str_eq(pm_report_reason(r), "three: found 3, expected 0");
	ck_assert_ptr_null(pm_report_at(r, 4));
	pm_report_reset(r);
	ck_assert_uint_eq(pm_report_count(r), 0);
	ck_assert_str_eq(pm_report_reason(r), "");
}
END_TEST

START_TEST(report_never_loses_a_failure)
{
	pm_cleanup(pm_report) struct pm_report *r = pm_report_new();

	for (int i = 0; i < 2 * PM_REPORT_CHECKS_MAX; i++)
		pm_pass(r, "pass", "%d", i);
	(void)pm_fail(r, PM_E_REJECTED, "late", "a", "b");
	for (int i = 0; i < PM_REPORT_CHECKS_MAX; i++)
		pm_pass(r, "pass", "%d", i);
	ck_assert_uint_eq(pm_report_count(r), PM_REPORT_CHECKS_MAX);
	ck_assert_str_eq(pm_report_failure(r)->name, "late");
	ck_assert_str_eq(pm_report_reason(r), "late: found b, expected a");
}
END_TEST

START_TEST(report_cuts_long_values)
{
	pm_cleanup(pm_report) struct pm_report *r = pm_report_new();
	char longer[1000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)pm_fail(r, PM_E_REJECTED, "long", longer, "%s", longer);
	ck_assert_uint_lt(strlen(pm_report_at(r, 0)->found), sizeof(longer) / 2);
	ck_pm(pm_fail(NULL, PM_E_STALE, "no report", "", "%d", 1), PM_E_STALE);
}
END_TEST

START_TEST(report_is_printable)
{
	pm_cleanup(pm_report) struct pm_report *r = pm_report_new();

	(void)pm_fail(r, PM_E_REJECTED, "name", "a\tb", "%s", "x\n\x1b[31m\x7f\xc3\xa4 ~");
	ck_assert_str_eq(pm_report_at(r, 0)->found, "x??[31m??? ~");
	ck_assert_str_eq(pm_report_reason(r), "name: found x??[31m??? ~, expected a?b");
}
END_TEST

START_TEST(check_bytes_decides)
{
	pm_cleanup(pm_report) struct pm_report *r = pm_report_new();

	ck_pm(pm_check_bytes(r, "same", (const uint8_t *)"ab", (const uint8_t *)"ab", 2), PM_OK);
	ck_pm(pm_check_bytes(r, "other", (const uint8_t *)"ab", (const uint8_t *)"ac", 2),
		PM_E_REJECTED);
	ck_assert_str_eq(pm_report_reason(r), "other: found 6163, expected 6162");
}
END_TEST

START_TEST(errors_have_texts)
{
	for (int e = PM_OK; e >= PM_E_NET; e--)
		ck_assert_str_ne(pm_strerror(e), "unknown error");
	ck_assert_str_eq(pm_strerror(-99), "unknown error");
	ck_assert_str_eq(pm_strerror(1), "unknown error");
	ck_assert_str_eq(pm_version(), "0.1.0");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");

	tcase_add_test(t, rd_reads_in_order);
	tcase_add_test(t, rd_reads_64_bits);
	tcase_add_test(t, rd_failure_sticks);
	tcase_add_test(t, rd_bounds_lengths);
	tcase_add_test(t, rd_child_is_bounded);
	tcase_add_test(t, rd_reserved_must_be_zero);
	tcase_add_test(t, rd_empty_input);
	tcase_add_test(t, wr_writes_what_rd_reads);
	tcase_add_test(t, wr_never_overflows);
	tcase_add_test(t, hex_is_strict);
	tcase_add_test(t, base64_round_trip);
	tcase_add_test(t, base64_is_strict);
	tcase_add_test(t, time_is_rfc3339);
	tcase_add_test(t, time_refuses_what_is_not);
	tcase_add_test(t, time_formats_what_it_parses);
	tcase_add_test(t, secret_is_compared_and_wiped_by_type);
	tcase_add_test(t, report_keeps_order_and_first_failure);
	tcase_add_test(t, report_never_loses_a_failure);
	tcase_add_test(t, report_cuts_long_values);
	tcase_add_test(t, report_is_printable);
	tcase_add_test(t, check_bytes_decides);
	tcase_add_test(t, errors_have_texts);
	suite_add_tcase(s, t);
	return test_main(s);
}
