/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/exchange.h>
#include <pm/sealed.h>

#include "base/report.h"
#include "base/wr.h"
#include "envelope/replay.h"
#include "envelope/sealed.h"
#include "envelope/sealed_frame.h"
#include "envelope/sealed_head.h"
#include "testing.h"

#define NOW INT64_C(1772323200)

/* --- the secret ------------------------------------------------------------------------------ */

/* Expected values: Python's hashlib and hmac, from the formula in pm/sealed.h. */
static void check_secret(const char *shard_key, const char *want_hex)
{
	pm_cleanup(secret) struct pm_secret inference = {0};
	struct pm_view want = test_hex(want_hex);
	uint8_t bytes[PM_SEALED_SECRET_SIZE], got[PM_SEALED_SECRET_SIZE];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_pm(pm_secret_copy(&inference, pm_view(bytes, sizeof(bytes))), PM_OK);
	ck_pm(pm_sealed_secret(&inference, VIEW("the id"), VIEW("a/model"),
		      pm_view(shard_key, strlen(shard_key)), got),
		PM_OK);
	ck_assert(pm_view_equal(pm_view(got, sizeof(got)), want));
	test_free(want);
}

START_TEST(secret_is_the_formula)
{
	check_secret(
		"0123-abc", "d18c81dd26218baf24a984b806a3fc80230c507afd73db023c1a3c7de3f7337f");
	check_secret("", "f5e150d55d77b7ce19a7a46031ad3992489468723e691179169377484ccfe46b");
}
END_TEST

START_TEST(secret_context_has_limits)
{
	static const char big[PM_SEALED_SHARD_KEY_MAX + 1];
	pm_cleanup(secret) struct pm_secret s = {0};
	uint8_t got[PM_SEALED_SECRET_SIZE];

	ck_pm(pm_secret_new(&s, PM_SEALED_SECRET_SIZE), PM_OK);
	ck_pm(pm_sealed_secret(&s, pm_view(big, PM_SEALED_ID_MAX + 1), VIEW("m"), VIEW("k"), got),
		PM_E_LIMIT);
	ck_pm(pm_sealed_secret(
		      &s, VIEW("i"), pm_view(big, PM_SEALED_MODEL_MAX + 1), VIEW("k"), got),
		PM_E_LIMIT);
	ck_pm(pm_sealed_secret(&s, VIEW("i"), VIEW("m"), pm_view(big, sizeof(big)), got),
		PM_E_LIMIT);
}
END_TEST

/* --- heads ----------------------------------------------------------------------------------- */

static uint8_t cbor[PM_SEALED_CONTENT_MAX];

#define PREFIX "\xa5\x01\x64POST\x02\x62/v\x03\x61t\x04"
#define SUFFIX "\x05\x1a\x69\xa3\x80\x80"

START_TEST(request_is_deterministic)
{
	static const struct pm_sealed_field fields[] = {
		{"x-long", "1"}, {"b", "2"}, {"a", ""}, {"x-lone", "3"}};
	struct pm_sealed_request head = {.method = "POST",
		.path = "/v",
		.content_type = "t",
		.fields = fields,
		.field_count = 4,
		.issued_at = 0x69a38080};
	size_t len;

	ck_pm(pm_sealed_request_encode(&head, NULL, cbor, &len), PM_OK);
	ck_assert(pm_view_equal(pm_view(cbor, len), VIEW(PREFIX "\xa4\x61"
								"a\x60\x61"
								"b\x61"
								"2\x66x-lone\x61"
								"3\x66x-long\x61"
								"1" SUFFIX)));
}
END_TEST

START_TEST(request_comes_back)
{
	struct pm_view bytes = VIEW(PREFIX "\xa1\x61"
					   "b\x61"
					   "2" SUFFIX);
	struct pm_sealed_head head = {0};

	ck_pm(pm_sealed_request_decode(bytes, NULL, &head), PM_OK);
	ck_assert_str_eq(head.request.method, "POST");
	ck_assert_str_eq(head.request.path, "/v");
	ck_assert_str_eq(head.request.content_type, "t");
	ck_assert_uint_eq(head.request.field_count, 1);
	ck_assert_str_eq(head.request.fields[0].name, "b");
	ck_assert_str_eq(head.request.fields[0].value, "2");
	ck_assert_int_eq(head.request.issued_at, 0x69a38080);
	pm_sealed_head_free(&head);
}
END_TEST

START_TEST(response_comes_back)
{
	static const struct pm_sealed_field field = {"retry-after", "7"};
	struct pm_sealed_response in = {.status = 503,
		.content_type = "application/json",
		.fields = &field,
		.field_count = 1};
	struct pm_sealed_head head = {0};
	size_t len;

	ck_pm(pm_sealed_response_encode(&in, NULL, cbor, &len), PM_OK);
	ck_pm(pm_sealed_response_decode(pm_view(cbor, len), NULL, &head), PM_OK);
	ck_assert_int_eq(head.response.status, 503);
	ck_assert_str_eq(head.response.content_type, "application/json");
	ck_assert_uint_eq(head.response.field_count, 1);
	ck_assert_str_eq(head.response.fields[0].name, "retry-after");
	ck_assert_str_eq(head.response.fields[0].value, "7");
	pm_sealed_head_free(&head);
}
END_TEST

/* The rows differ from the valid head above in one thing each. */
static const struct {
	const char *name;
	struct pm_view bytes;
} malformed[] = {
#define ROW(name, literal)                                                                         \
	{                                                                                          \
		name,                                                                              \
		{                                                                                  \
			(const uint8_t *)(literal), sizeof(literal) - 1                            \
		}                                                                                  \
	}
	ROW("empty", ""),
	ROW("an array", "\x80"),
	ROW("a key is missing", "\xa4\x01\x64POST\x02\x62/v\x03\x61t\x04\xa0"),
	ROW("a key too many", "\xa6\x01\x64POST\x02\x62/v\x03\x61t\x04\xa0" SUFFIX "\x06\x01"),
	ROW("keys in another order", "\xa5\x02\x62/v\x01\x64POST\x03\x61t\x04\xa0" SUFFIX),
	ROW("a key twice", "\xa5\x01\x64POST\x01\x64POST\x03\x61t\x04\xa0" SUFFIX),
	ROW("indefinite map", "\xbf\x01\x64POST\x02\x62/v\x03\x61t\x04\xa0" SUFFIX "\xff"),
	ROW("indefinite text", "\xa5\x01\x7f\x64POST\xff\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("indefinite fields", PREFIX "\xbf\xff" SUFFIX),
	ROW("map of a long form", "\xb8\x05\x01\x64POST\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("key of a long form", "\xa5\x18\x01\x64POST\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("text of a long form", "\xa5\x01\x78\x04POST\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("time of a long form", PREFIX "\xa0\x05\x1b\0\0\0\0\x69\xa3\x80\x80"),
	ROW("negative time", PREFIX "\xa0\x05\x20"),
	ROW("tagged time", PREFIX "\xa0\x05\xc1\x1a\x69\xa3\x80\x80"),
	ROW("time as a float", PREFIX "\xa0\x05\xf9\x3c\x00"),
	ROW("time after 9999", PREFIX "\xa0\x05\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
	ROW("bytes for a text", "\xa5\x01\x44POST\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("no method", "\xa5\x01\x60\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("space in the method", "\xa5\x01\x64PO T\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("NUL in the method", "\xa5\x01\x64PO\0T\x02\x62/v\x03\x61t\x04\xa0" SUFFIX),
	ROW("no path", "\xa5\x01\x64POST\x02\x60\x03\x61t\x04\xa0" SUFFIX),
	ROW("relative path", "\xa5\x01\x64POST\x02\x62vv\x03\x61t\x04\xa0" SUFFIX),
	ROW("path with a space", "\xa5\x01\x64POST\x02\x62/ \x03\x61t\x04\xa0" SUFFIX),
	ROW("path with a newline", "\xa5\x01\x64POST\x02\x62/\n\x03\x61t\x04\xa0" SUFFIX),
	ROW("path with a fragment", "\xa5\x01\x64POST\x02\x62/#\x03\x61t\x04\xa0" SUFFIX),
	ROW("type ends with a space", "\xa5\x01\x64POST\x02\x62/v\x03\x62t \x04\xa0" SUFFIX),
	ROW("name in upper case", PREFIX "\xa1\x61"
					 "B\x61"
					 "2" SUFFIX),
	ROW("no name", PREFIX "\xa1\x60\x61"
			      "2" SUFFIX),
	ROW("name with a colon", PREFIX "\xa1\x62"
					"b:\x61"
					"2" SUFFIX),
	ROW("name twice", PREFIX "\xa2\x61"
				 "b\x61"
				 "2\x61"
				 "b\x61"
				 "2" SUFFIX),
	ROW("names in another order", PREFIX "\xa2\x61"
					     "b\x61"
					     "2\x61"
					     "a\x61"
					     "2" SUFFIX),
	ROW("longer name first", PREFIX "\xa2\x62"
					"aa\x61"
					"2\x61"
					"b\x61"
					"2" SUFFIX),
	ROW("value with a line break", PREFIX "\xa1\x61"
					      "b\x63"
					      "a\r\n" SUFFIX),
	ROW("value not of ASCII", PREFIX "\xa1\x61"
					 "b\x61\x80" SUFFIX),
	ROW("te", PREFIX "\xa1\x62te\x61"
			 "x" SUFFIX),
	ROW("content-length", PREFIX "\xa1\x6e"
				     "content-length\x61"
				     "1" SUFFIX),
	ROW("content-type", PREFIX "\xa1\x6c"
				   "content-type\x61"
				   "1" SUFFIX),
	ROW("transfer-encoding", PREFIX "\xa1\x71transfer-encoding\x61"
					"1" SUFFIX),
	ROW("proxy-authorization", PREFIX "\xa1\x73proxy-authorization\x61"
					  "1" SUFFIX),
	ROW("65 fields", PREFIX "\xb8\x41" SUFFIX),
	ROW("2^64 - 1 fields", PREFIX "\xbb\xff\xff\xff\xff\xff\xff\xff\xff" SUFFIX),
	ROW("text beyond the end", "\xa5\x01\x64POST\x02\x79\xff\xff/v"),
	ROW("text of 2^64 - 1", "\xa5\x01\x64POST\x02\x7b\xff\xff\xff\xff\xff\xff\xff\xff/v"),
	ROW("a byte after the end", PREFIX "\xa0" SUFFIX "\0"),
	ROW("a byte short", PREFIX "\xa0\x05\x1a\x69\xa3\x80"),
	ROW("a response", "\xa3\x01\x18\xc8\x02\x60\x03\xa0"),
};

START_TEST(malformed_requests)
{
	struct pm_sealed_head head = {0};
	int r = pm_sealed_request_decode(malformed[_i].bytes, NULL, &head);

	ck_assert_msg(r == PM_E_FORMAT, "%s: %d", malformed[_i].name, r);
	ck_assert_ptr_null(head.memory);
}
END_TEST

START_TEST(malformed_responses)
{
	static const struct pm_view rows[] = {
		{(const uint8_t *)"\xa3\x01\x18\x64\x02\x60\x03\xa0", 8},
		{(const uint8_t *)"\xa3\x01\x19\x02\x58\x02\x60\x03\xa0", 9},
		{(const uint8_t *)PREFIX "\xa0" SUFFIX, sizeof(PREFIX "\xa0" SUFFIX) - 1}};
	struct pm_sealed_head head = {0};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_pm(pm_sealed_response_decode(rows[i], NULL, &head), PM_E_FORMAT);
}
END_TEST

/* What the reader refuses the writer does not write; the reason never holds the text. */
START_TEST(sender_keeps_the_rules)
{
	static const struct pm_sealed_field twice[] = {{"secret-name", "1"}, {"secret-name", "2"}};
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_sealed_request head = {
		.method = "GET", .path = "/x", .content_type = "", .issued_at = NOW};
	size_t len;

	ck_pm(pm_sealed_request_encode(&head, report, cbor, &len), PM_OK);
	head.fields = twice;
	head.field_count = 2;
	ck_pm(pm_sealed_request_encode(&head, report, cbor, &len), PM_E_FORMAT);
	ck_assert_ptr_null(strstr(pm_report_reason(report), "secret"));
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "sealed.head.names"));
	head.field_count = PM_SEALED_FIELDS_MAX + 1;
	ck_pm(pm_sealed_request_encode(&head, report, cbor, &len), PM_E_LIMIT);
	head.field_count = 0;
	head.issued_at = -1;
	ck_pm(pm_sealed_request_encode(&head, report, cbor, &len), PM_E_FORMAT);
	head.issued_at = NOW;
	head.path = NULL;
	ck_pm(pm_sealed_request_encode(&head, report, cbor, &len), PM_E_FORMAT);
}
END_TEST

/* --- contents and padding -------------------------------------------------------------------- */

START_TEST(content_is_strict)
{
	struct pm_view content;

	ck_pm(pm_sealed_content(VIEW("\0\0\0\2ab"), NULL, &content), PM_OK);
	ck_assert(pm_view_equal(content, VIEW("ab")));
	ck_pm(pm_sealed_content(VIEW("\0\0\0\2ab\0\0\0"), NULL, &content), PM_OK);
	ck_assert(pm_view_equal(content, VIEW("ab")));
	ck_pm(pm_sealed_content(VIEW("\0\0\0\2ab\0\1\0"), NULL, &content), PM_E_FORMAT);
	ck_pm(pm_sealed_content(VIEW("\0\0\0\3ab"), NULL, &content), PM_E_FORMAT);
	ck_pm(pm_sealed_content(VIEW("\xff\xff\xff\xff"
				     "ab"),
		      NULL, &content),
		PM_E_FORMAT);
	ck_pm(pm_sealed_content(VIEW("\0\0\0"), NULL, &content), PM_E_FORMAT);
	ck_pm(pm_sealed_content(VIEW("\0\0\0\0"), NULL, &content), PM_OK);
	ck_assert_uint_eq(content.len, 0);
}
END_TEST

START_TEST(buckets)
{
	ck_assert(pm_sealed_is_bucket(0) && pm_sealed_is_bucket(16) && pm_sealed_is_bucket(65536));
	ck_assert(!pm_sealed_is_bucket(8) && !pm_sealed_is_bucket(24) &&
		  !pm_sealed_is_bucket(131072));
	ck_assert_uint_eq(pm_sealed_plain_size(0, 0), 4);
	ck_assert_uint_eq(pm_sealed_plain_size(100, 0), 104);
	ck_assert_uint_eq(pm_sealed_plain_size(0, 256), 256);
	ck_assert_uint_eq(pm_sealed_plain_size(252, 256), 256);
	ck_assert_uint_eq(pm_sealed_plain_size(253, 256), 512);
	ck_assert_uint_eq(pm_sealed_plain_size(PM_SEALED_CONTENT_MAX, 256), PM_SEALED_PLAIN_MAX);
}
END_TEST

/* --- frames ---------------------------------------------------------------------------------- */

/* A stream that only a scanner believes: flags and zeros. */
static struct pm_view fake_stream(size_t count)
{
	static uint8_t bytes[300000];
	struct pm_wr wr = pm_wr(bytes, sizeof(bytes));

	pm_wr_zero(&wr, PM_SEALED_HEADER_SIZE);
	for (size_t i = 0; i < count; i++) {
		size_t n = PM_SEALED_MESSAGE_MIN + i * 1000;

		pm_wr_be32(&wr, (uint32_t)n);
		pm_wr_u8(&wr, i + 1 == count);
		pm_wr_zero(&wr, n - 1);
	}
	ck_assert(pm_wr_done(&wr, NULL));
	return pm_view(bytes, wr.len);
}

/* Scans in pieces of at most n bytes; counts the frames. */
static int scan(struct pm_view bytes, size_t piece, size_t *ret_frames)
{
	struct pm_sealed_scan *s = NULL;
	struct pm_sealed_frame frame = {0};
	size_t used, at = 0;
	int r = pm_sealed_scan_new(&s);

	*ret_frames = 0;
	while (r == PM_OK && at < bytes.len) {
		size_t n = bytes.len - at < piece ? bytes.len - at : piece;

		r = pm_sealed_scan_next(s, bytes.ptr + at, n, NULL, &used, &frame);
		if (r < 0)
			break;
		at += used;
		if (!frame.length)
			continue;
		ck_assert_uint_eq(frame.index, *ret_frames);
		ck_assert_uint_eq(frame.length, PM_SEALED_MESSAGE_MIN + 1000 * frame.index);
		++*ret_frames;
	}
	r = pm_sealed_scan_end(s, NULL);
	pm_sealed_scan_free(s);
	return r;
}

START_TEST(scan_in_any_pieces)
{
	static const size_t pieces[] = {1, 2, 3, 7, 32, 33, 36, 37, 100, 4096, 300000};
	struct pm_view bytes = fake_stream(20);
	size_t frames;

	for (size_t i = 0; i < PM_ARRAY_LEN(pieces); i++) {
		ck_pm(scan(bytes, pieces[i], &frames), PM_OK);
		ck_assert_uint_eq(frames, 20);
	}
}
END_TEST

START_TEST(scan_refuses)
{
	struct pm_view bytes = fake_stream(2);
	uint8_t *b = (uint8_t *)bytes.ptr;
	size_t frames;

	for (size_t n = 0; n < bytes.len; n++)
		ck_pm(scan(pm_view(bytes.ptr, n), 64, &frames), PM_E_MISSING);
	ck_pm(scan(pm_view(bytes.ptr, bytes.len + 1), 64, &frames), PM_E_FORMAT);
	b[36] = 2;
	ck_pm(scan(bytes, 64, &frames), PM_E_FORMAT);
	b[36] = 1;
	ck_pm(scan(bytes, 64, &frames), PM_E_FORMAT); /* final, and more comes */
	b[35] = PM_SEALED_MESSAGE_MIN - 1;
	ck_pm(scan(bytes, 64, &frames), PM_E_FORMAT);
	b[33] = 2;
	ck_pm(scan(bytes, 64, &frames), PM_E_LIMIT);
}
END_TEST

/* A length alone makes nobody spend memory. */
START_TEST(memory_follows_bytes)
{
	static const uint8_t begin[PM_SEALED_HEADER_SIZE + 4 + 1] = {
		[PM_SEALED_HEADER_SIZE + 1] = 1};
	struct pm_frames f = {0};
	enum pm_unit unit;
	struct pm_view whole;
	size_t used;

	ck_pm(pm_frames_next(&f, pm_view(begin, sizeof(begin)), NULL, &used, &unit, &whole), PM_OK);
	ck_assert_uint_eq(used, PM_SEALED_HEADER_SIZE);
	ck_pm(pm_frames_next(
		      &f, pm_view(begin + used, sizeof(begin) - used), NULL, &used, &unit, &whole),
		PM_OK);
	ck_assert_uint_eq(whole.len, 0);
	ck_assert_uint_eq(f.want, 65536);
	ck_assert_uint_le(f.buffer.cap, 1024);
	pm_frames_free(&f);
}
END_TEST

/* --- replay ---------------------------------------------------------------------------------- */

static const uint8_t *header_of(uint32_t i)
{
	static uint8_t header[PM_REPLAY_KEY_SIZE];
	struct pm_wr wr = pm_wr(header, sizeof(header));

	pm_wr_le32(&wr, i);
	return header;
}

START_TEST(replay_within_the_window)
{
	pm_cleanup(pm_replay) struct pm_replay *c = NULL;

	ck_pm(pm_replay_new(100, 60, NOW - 1000, &c), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW, NULL), PM_E_REJECTED);
	ck_pm(pm_replay_admit(c, header_of(2), NOW, NOW, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW + 60, NULL), PM_E_REJECTED);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW + 61, NULL), PM_E_STALE);
	ck_pm(pm_replay_admit(c, header_of(3), NOW - 60, NOW, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(4), NOW - 61, NOW, NULL), PM_E_STALE);
	ck_pm(pm_replay_admit(c, header_of(5), NOW + PM_EXCHANGE_SKEW, NOW, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(6), NOW + PM_EXCHANGE_SKEW + 1, NOW, NULL), PM_E_STALE);
}
END_TEST

/* A full cache refuses; it has room again when the window has passed, and not before. */
START_TEST(replay_never_forgets_early)
{
	pm_cleanup(pm_replay) struct pm_replay *c = NULL;

	ck_pm(pm_replay_new(64, 60, NOW - 1000, &c), PM_OK);
	for (uint32_t i = 0; i < 64; i++)
		ck_pm(pm_replay_admit(c, header_of(i), NOW, NOW, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(64), NOW, NOW, NULL), PM_E_LIMIT);
	ck_pm(pm_replay_admit(c, header_of(64), NOW + 60, NOW + 60, NULL), PM_E_LIMIT);
	for (uint32_t i = 0; i < 64; i++)
		ck_pm(pm_replay_admit(c, header_of(i), NOW, NOW + 60, NULL), PM_E_REJECTED);
	ck_pm(pm_replay_admit(c, header_of(64), NOW + 61, NOW + 61, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(64), NOW + 61, NOW + 61, NULL), PM_E_REJECTED);
}
END_TEST

/* A clock that goes back does not make young again what was forgotten. */
START_TEST(replay_survives_the_clock)
{
	pm_cleanup(pm_replay) struct pm_replay *c = NULL;

	ck_pm(pm_replay_new(1, 60, NOW - 1000, &c), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(2), NOW + 100, NOW + 100, NULL), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW, NULL), PM_E_STALE);
}
END_TEST

/* What an earlier process may have seen is refused. */
START_TEST(replay_over_a_restart)
{
	pm_cleanup(pm_replay) struct pm_replay *c = NULL;

	ck_pm(pm_replay_new(8, 60, NOW, &c), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, NOW, NULL), PM_E_STALE);
	ck_pm(pm_replay_admit(c, header_of(1), NOW + 1, NOW + 1, NULL), PM_OK);
}
END_TEST

START_TEST(replay_has_limits)
{
	struct pm_replay *c = NULL;

	ck_pm(pm_replay_new(0, 60, NOW, &c), PM_E_ARG);
	ck_pm(pm_replay_new(PM_EXCHANGE_REPLAY_MAX + 1, 60, NOW, &c), PM_E_ARG);
	ck_pm(pm_replay_new(8, 0, NOW, &c), PM_E_ARG);
	ck_pm(pm_replay_new(8, PM_EXCHANGE_WINDOW_MAX + 1, NOW, &c), PM_E_ARG);
	ck_pm(pm_replay_new(8, 60, NOW, &c), PM_OK);
	ck_pm(pm_replay_admit(c, header_of(1), INT64_MIN, NOW, NULL), PM_E_STALE);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, -1, NULL), PM_E_ARG);
	ck_pm(pm_replay_admit(c, header_of(1), NOW, INT64_MAX, NULL), PM_E_ARG);
	pm_replay_free(c);
}
END_TEST

/* As many as fit, over many windows: entries go round and none is lost. */
START_TEST(replay_goes_round)
{
	pm_cleanup(pm_replay) struct pm_replay *c = NULL;
	uint32_t i = 0;

	ck_pm(pm_replay_new(100, 10, NOW - 1000, &c), PM_OK);
	for (int64_t now = NOW; now < NOW + 500; now++) {
		for (uint32_t k = 0; k < 9; k++, i++) {
			ck_pm(pm_replay_admit(c, header_of(i), now, now, NULL), PM_OK);
			ck_pm(pm_replay_admit(c, header_of(i), now, now, NULL), PM_E_REJECTED);
		}
		if (i > 90)
			ck_pm(pm_replay_admit(c, header_of(i - 90), now - 9, now, NULL),
				PM_E_REJECTED);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sealed");
	TCase *t = tcase_create("sealed");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, secret_is_the_formula);
	tcase_add_test(t, secret_context_has_limits);
	tcase_add_test(t, request_is_deterministic);
	tcase_add_test(t, request_comes_back);
	tcase_add_test(t, response_comes_back);
	tcase_add_loop_test(t, malformed_requests, 0, PM_ARRAY_LEN(malformed));
	tcase_add_test(t, malformed_responses);
	tcase_add_test(t, sender_keeps_the_rules);
	tcase_add_test(t, content_is_strict);
	tcase_add_test(t, buckets);
	tcase_add_test(t, scan_in_any_pieces);
	tcase_add_test(t, scan_refuses);
	tcase_add_test(t, memory_follows_bytes);
	tcase_add_test(t, replay_within_the_window);
	tcase_add_test(t, replay_never_forgets_early);
	tcase_add_test(t, replay_survives_the_clock);
	tcase_add_test(t, replay_over_a_restart);
	tcase_add_test(t, replay_has_limits);
	tcase_add_test(t, replay_goes_round);
	suite_add_tcase(s, t);
	return test_main(s);
}
