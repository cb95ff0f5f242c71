/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of JSON: what it takes, what it refuses, what it finds; beside jansson. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <pm/error.h>

#include "body_maker.h"
#include "envelope/json_scan.h"

static struct pm_json json;

static void free_json(void)
{
	pm_json_free(&json);
}

static int scan(const char *text)
{
	return pm_json_scan(&json, pm_view(text, strlen(text)));
}

static const char *const valid[] = {"{}", "[]", "0", "-0", "1e5", "1E+5", "-1.5e-10", "\"\"",
	"true", "false", "null", " \t\r\n{ } ", "[1,[2,[3]],{}]", "{\"a\":{\"a\":1}}",
	"[{\"a\":1},{\"a\":2}]", "\"\\u0000\"", "\"\\ud83d\\ude00\"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\x7f\"", "\"\xc2\x80\"", "\"\xe0\xa0\x80\"",
	"\"\xed\x9f\xbf\"", "\"\xee\x80\x80\"", "\"\xf0\x90\x80\x80\"", "\"\xf4\x8f\xbf\xbf\"",
	"\"\\ud800\"", "{\"a\":\"\\udc00\"}", "{\"a\":{\"\\ud800\":1}}",
	"123456789012345678901234567890", "1e999999"};

static const char *const invalid[] = {"", " ", "{", "}", "[", "]", "{]", "[}", "[1,]", "{\"a\":1,}",
	"{,}", "[,]", "{\"a\"}", "{\"a\":}", "{a:1}", "{1:1}", "'a'", "01", "+1", ".5", "1.", "1e",
	"1e+", "-", "-a", "NaN", "Infinity", "tru", "truE", "nul", "nullx", "1 2", "{} {}", "[1 2]",
	"{\"a\" 1}", "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u123\"", "\"\n\"", "\"\t\"",
	"\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xc2\"", "\"\xc2\xc2\"", "\"\xe0\x9f\xbf\"",
	"\"\xed\xa0\x80\"", "\"\xef\xbf\"", "\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"",
	"\"\xf5\x80\x80\x80\"", "\xef\xbb\xbf{}", "{}//", "/**/{}", "[\"a\"", "{\"a\":[}", "\v{}",
	"{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"x\":{\"a\":1,\"a\":2}}",
	"[[{\"b\":0,\"a\":1,\"b\":2}]]", "{\"\":1,\"\":2}", "{\"\\/\":1,\"/\":2}",
	"{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "{\"\\ud800\":1}", "{\"\\udc00x\":1}",
	"{\"\\ud800\\u0041\":1}",
	"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"4\":0}",
	"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"\\u0039\":0}"};

START_TEST(valid_texts)
{
	ck_pm(scan(valid[_i]), PM_OK);
}
END_TEST

START_TEST(invalid_texts)
{
	ck_pm(scan(invalid[_i]), PM_E_FORMAT);
	ck_assert_ptr_nonnull(json.why);
	ck_assert_uint_eq(json.count, 0);
}
END_TEST

START_TEST(nul_is_no_space)
{
	ck_pm(pm_json_scan(&json, VIEW("{}\0")), PM_E_FORMAT);
	ck_pm(pm_json_scan(&json, VIEW("\"a\0b\"")), PM_E_FORMAT);
}
END_TEST

START_TEST(truncation_is_told)
{
	static const char text[] = " {\"a\\u0041\\n\" : [ true , -1.5e+3 , {} ] } ";
	size_t end = strlen(text) - 1;

	for (size_t n = 0; n < end; n++) {
		ck_pm(pm_json_scan(&json, pm_view(text, n)), PM_E_FORMAT);
		ck_assert_msg(json.truncated, "%zu: %s", n, json.why);
		ck_assert_uint_eq(json.offset, n);
	}
	ck_pm(pm_json_scan(&json, pm_view(text, end)), PM_OK);
	ck_pm(scan("{\"a\":1}}"), PM_E_FORMAT);
	ck_assert(!json.truncated);
	ck_pm(scan("{\"a\":x"), PM_E_FORMAT);
	ck_assert(!json.truncated);
	ck_assert_uint_eq(json.offset, 5);
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[2 * PM_JSON_DEPTH_MAX + 3];

	memset(text, '[', PM_JSON_DEPTH_MAX);
	memset(text + PM_JSON_DEPTH_MAX, ']', PM_JSON_DEPTH_MAX);
	ck_pm(pm_json_scan(&json, pm_view(text, 2 * PM_JSON_DEPTH_MAX)), PM_OK);
	memset(text, '[', PM_JSON_DEPTH_MAX + 1);
	memset(text + PM_JSON_DEPTH_MAX + 1, ']', PM_JSON_DEPTH_MAX + 1);
	ck_pm(pm_json_scan(&json, pm_view(text, 2 * PM_JSON_DEPTH_MAX + 2)), PM_E_LIMIT);
}
END_TEST

START_TEST(members_are_bounded)
{
	size_t n = 2 * (PM_JSON_MEMBERS_MAX + 1);
	char *text = malloc(n + 1);

	for (size_t i = 0; i < n; i += 2) {
		text[i] = ',';
		text[i + 1] = '1';
	}
	text[0] = '[';
	text[n] = ']';
	ck_pm(pm_json_scan(&json, pm_view(text, n + 1)), PM_E_LIMIT);
	text[n - 2] = ']';
	ck_pm(pm_json_scan(&json, pm_view(text, n - 1)), PM_OK);
	ck_assert_uint_eq(json.count, PM_JSON_MEMBERS_MAX);
	free(text);
}
END_TEST

static void check_member(size_t i, const char *key, const char *value)
{
	const struct pm_json_member *m = &json.members[i];

	ck_assert(pm_view_equal(m->key.raw, pm_view(key, strlen(key))));
	ck_assert(pm_view_equal(m->value, pm_view(value, strlen(value))));
}

START_TEST(members_are_found)
{
	ck_pm(scan(" { \"a\" : [ 1 , {\"x\":2} ] , \"b\\n\":-1e5,\"\":\"\\\"\" ,\"d\":{} } "),
		PM_OK);
	ck_assert_int_eq(json.type, PM_JSON_OBJECT);
	ck_assert_uint_eq(json.count, 4);
	check_member(0, "a", "[ 1 , {\"x\":2} ]");
	check_member(1, "b\\n", "-1e5");
	check_member(2, "", "\"\\\"\"");
	check_member(3, "d", "{}");
	ck_assert_ptr_eq(pm_json_find(&json, "d"), &json.members[3]);
	ck_assert_ptr_null(pm_json_find(&json, "x"));
	ck_pm(scan("[ 1 , [2,3] , {\"a\":4}]"), PM_OK);
	ck_assert_int_eq(json.type, PM_JSON_ARRAY);
	ck_assert_uint_eq(json.count, 3);
	check_member(1, "", "[2,3]");
	check_member(2, "", "{\"a\":4}");
	ck_assert_ptr_null(pm_json_find(&json, "a"));
	ck_pm(scan("\"x\""), PM_OK);
	ck_assert_uint_eq(json.count, 0);
}
END_TEST

static struct pm_json_key key_of(const char *text)
{
	return (struct pm_json_key){pm_view(text, strlen(text)), strchr(text, '\\') != NULL};
}

/* In the order of the reference: '.', '?' and '*' count as if a backslash stood before them. */
START_TEST(keys_are_ordered)
{
	static const char *const keys[] = {"", "\\n", "!x", "-1", "0", "1", "10", "11", "2", "@",
		"a", "a/", "a0", "aA", "a*", "a\\u002ex", "a.y", "a?", "a\\\\|", "aa", "\\u0061b",
		"b", "\xc3\xa9", "\\u20ac", "\\ud83d\\ude00"};

	for (size_t i = 0; i < PM_ARRAY_LEN(keys); i++)
		for (size_t k = 0; k < PM_ARRAY_LEN(keys); k++) {
			int d = pm_json_key_compare(key_of(keys[i]), key_of(keys[k]));

			ck_assert_msg((d > 0) - (d < 0) == (i > k) - (i < k), "%s, %s: %d", keys[i],
				keys[k], d);
		}
}
END_TEST

START_TEST(keys_are_decoded)
{
	ck_assert(pm_json_key_is(key_of("model"), "model"));
	ck_assert(pm_json_key_is(key_of("\\u006dode\\u006C"), "model"));
	ck_assert(!pm_json_key_is(key_of("\\u006dode"), "model"));
	ck_assert(!pm_json_key_is(key_of("\\u006dodels"), "model"));
	ck_assert(!pm_json_key_is(key_of("Model"), "model"));
	ck_assert(!pm_json_key_is(key_of(""), "model"));
	ck_assert(pm_json_key_compare(key_of("\\b\\f\\n\\r\\t\\/\\\"\\\\"),
			  key_of("\\u0008\\u000c\\u000a\\u000D\\u0009/\\u0022\\u005c")) == 0);
}
END_TEST

START_TEST(unsigned_integers)
{
	uint64_t n = 0;

	ck_assert(pm_json_uint(VIEW("18446744073709551615"), &n) && n == UINT64_MAX);
	ck_assert(!pm_json_uint(VIEW("18446744073709551616"), &n));
	ck_assert(!pm_json_uint(VIEW("-1"), &n) && !pm_json_uint(VIEW("1.0"), &n));
	ck_assert(!pm_json_uint(VIEW(""), &n) && !pm_json_uint(VIEW("1e3"), &n));
	ck_assert(pm_json_uint(VIEW("0"), &n) && n == 0);
}
END_TEST

/* --- strings --------------------------------------------------------------------------------- */

/* Several blocks of each size in which strings are looked at. */
#define STRING_MAX 150

/* A string of n letters in memory of its very size. */
static uint8_t *string_of(size_t n)
{
	uint8_t *text = malloc(n + 2);

	ck_assert_ptr_nonnull(text);
	memset(text, 'n', n + 2);
	text[0] = text[n + 1] = '"';
	return text;
}

/* A byte that may not stand there is found where it is, whatever came before. */
START_TEST(strings_are_read_byte_for_byte)
{
	for (size_t n = 0; n <= STRING_MAX; n += n < 70 ? 1 : 13)
		for (size_t escape = 0; escape + 1 < n; escape++) {
			uint8_t *text = string_of(n);

			text[1 + escape] = '\\';
			ck_pm(pm_json_scan(&json, pm_view(text, n + 2)), PM_OK);
			for (size_t at = escape + 2; at < n; at++) {
				text[1 + at] = '\x1f';
				ck_pm(pm_json_scan(&json, pm_view(text, n + 2)), PM_E_FORMAT);
				ck_assert_uint_eq(json.offset, 1 + at);
				text[1 + at] = 'n';
			}
			free(text);
		}
}
END_TEST

START_TEST(each_byte_in_each_place)
{
	uint8_t *text = string_of(STRING_MAX);

	for (size_t at = 1; at <= STRING_MAX; at++) {
		for (int c = 0; c < 256; c++) {
			bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
			bool escape = c == '\\' && at < STRING_MAX; /* of an n */

			text[at] = (uint8_t)c;
			ck_pm(pm_json_scan(&json, pm_view(text, STRING_MAX + 2)),
				plain || escape ? PM_OK : PM_E_FORMAT);
		}
		text[at] = 'n';
	}
	free(text);
}
END_TEST

START_TEST(strings_end_where_they_end)
{
	for (size_t n = 0; n <= STRING_MAX; n++)
		for (size_t len = 1; len < n + 2; len++) {
			uint8_t *text = string_of(n), *cut = malloc(len);

			ck_assert_ptr_nonnull(cut);
			pm_copy(cut, text, len);
			ck_pm(pm_json_scan(&json, pm_view(cut, len)), PM_E_FORMAT);
			ck_assert(json.truncated);
			free(cut);
			free(text);
		}
}
END_TEST

/* Of a text that is opened into one line. */
START_TEST(ends_of_lines_are_told)
{
	static const char *const without[] = {"{\"a\": [1,\t\"\\n\\r\"] }", "\"x\"", " 1 "};
	static const char *const with[] = {"\n1", "1\r", "{\n}", "[1 ,\r1]", "{\"a\"\n:1}",
		"{\"a\":\n1}", "[\n1]", "{\"a\":1,\n\"b\":2}", "[1\n]", "[[]\n]"};

	for (size_t i = 0; i < PM_ARRAY_LEN(with); i++) {
		ck_pm(scan(with[i]), PM_OK);
		ck_assert_msg(json.has_lines, "%s", with[i]);
		ck_pm(scan(without[i % PM_ARRAY_LEN(without)]), PM_OK);
		ck_assert(!json.has_lines);
	}
}
END_TEST

/* jansson's verdict: 1, 0, or -1 where it is known to judge otherwise. */
static int peer_verdict(struct pm_view text)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text.ptr, text.len,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (root) {
		json_decref(root);
		return 1;
	}
	/* It interprets numbers, and refuses lone surrogates and NUL in keys. */
	if (json_error_code(&error) == json_error_numeric_overflow ||
		json_error_code(&error) == json_error_null_byte_in_key || contains(text, "\\ud") ||
		contains(text, "\\uD"))
		return -1;
	return 0;
}

static void damage(struct maker *m)
{
	static const char letters[] = "{}[],:\"\\0.e-tu \n\x80\xc3";
	uint32_t n = maker_number(m, 3);

	for (uint32_t i = 0; i < n && m->out.len; i++)
		m->out.ptr[maker_number(m, (uint32_t)m->out.len)] =
			(uint8_t)letters[maker_number(m, sizeof(letters) - 1)];
}

START_TEST(agrees_with_jansson)
{
	struct maker m = {.state = maker_seed()};
	unsigned int count[2] = {0};

	for (int i = 0; i < 5000; i++) {
		int verdict;

		m.out.len = 0;
		maker_object(&m, true);
		damage(&m);
		verdict = peer_verdict(pm_grow_view(&m.out));
		if (verdict < 0)
			continue;
		ck_assert_msg((pm_json_scan(&json, pm_grow_view(&m.out)) == PM_OK) == verdict,
			"%d: %.*s: %s", verdict, (int)m.out.len, m.out.ptr, json.why);
		count[verdict]++;
	}
	ck_assert_uint_gt(count[0], 200);
	ck_assert_uint_gt(count[1], 200);
	pm_grow_free(&m.out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_scan");
	TCase *tc = tcase_create("json_scan");

	tcase_add_checked_fixture(tc, NULL, free_json);
	tcase_add_loop_test(tc, valid_texts, 0, PM_ARRAY_LEN(valid));
	tcase_add_loop_test(tc, invalid_texts, 0, PM_ARRAY_LEN(invalid));
	tcase_add_test(tc, nul_is_no_space);
	tcase_add_test(tc, truncation_is_told);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, members_are_bounded);
	tcase_add_test(tc, members_are_found);
	tcase_add_test(tc, keys_are_ordered);
	tcase_add_test(tc, keys_are_decoded);
	tcase_add_test(tc, unsigned_integers);
	tcase_add_test(tc, strings_are_read_byte_for_byte);
	tcase_add_test(tc, each_byte_in_each_place);
	tcase_add_test(tc, strings_end_where_they_end);
	tcase_add_test(tc, ends_of_lines_are_told);
	tcase_add_test(tc, agrees_with_jansson);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
