/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart forms: what is read, what is refused, what is sealed and in which order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/report.h>

#include "body_maker.h"
#include "envelope/form_parse.h"

#define TYPE "multipart/form-data; boundary=B"

static struct pm_view view_of(const char *text)
{
	return pm_view(text, strlen(text));
}

/* --- reading --------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int want;
	const char *boundary;
} types[] = {
	{"multipart/form-data; boundary=B", PM_OK, "B"},
	{"Multipart/Form-Data;BOUNDARY=\"a b\"", PM_OK, "a b"},
	{"multipart/mixed ; charset=utf-8; boundary=x'()+_,-./:=?", PM_E_FORMAT, NULL},
	{"multipart/mixed; charset=utf-8; boundary=\"x'()+_,-./:=?\"", PM_OK, "x'()+_,-./:=?"},
	{"multipart/form-data; boundary=B;", PM_OK, "B"},
	{"multipart/form-data", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=\"\"", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=\"B", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=\"B \"", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=\"B\r\n\"", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=A; boundary=B", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary=B x", PM_E_FORMAT, NULL},
	{"multipart/form-data boundary=B", PM_E_FORMAT, NULL},
	{"multipart/form-data; boundary="
	 "0123456789012345678901234567890123456789012345678901234567890123456789",
		PM_OK, "0123456789012345678901234567890123456789012345678901234567890123456789"},
	{"multipart/form-data; boundary="
	 "01234567890123456789012345678901234567890123456789012345678901234567890",
		PM_E_FORMAT, NULL},
	{"multipart/related; boundary=B", PM_E_UNSUPPORTED, NULL},
	{"application/json", PM_E_UNSUPPORTED, NULL},
	{"", PM_E_UNSUPPORTED, NULL},
};

START_TEST(content_types)
{
	struct pm_form_type type;

	ck_pm(pm_form_type_parse(types[_i].text, &type), types[_i].want);
	if (types[_i].boundary)
		ck_assert(pm_view_equal(pm_view(type.delimiter + 4, type.delimiter_len - 4),
			view_of(types[_i].boundary)));
}
END_TEST

struct found {
	struct pm_form_part parts[4];
	size_t count;
};

static int keep(const struct pm_form_part *part, void *arg)
{
	struct found *found = arg;

	found->parts[found->count++] = *part;
	return PM_OK;
}

static int parse(const char *text, struct found *found)
{
	struct pm_form_type type;

	ck_pm(pm_form_type_parse(TYPE, &type), PM_OK);
	*found = (struct found){0};
	return pm_form_each(&type, view_of(text), keep, found, NULL);
}

#define NAME(n)	   "--B\r\nContent-Disposition: form-data; name=\"" n "\"\r\n\r\n"
#define FILE_OF(n) "--B\r\nContent-Disposition: form-data; name=\"" n "\"; filename=\"f\"\r\n\r\n"

START_TEST(parts_are_found)
{
	struct found f;

	ck_pm(parse(NAME("a") "1\r\n" NAME("b") "\r\n" FILE_OF("c") "\r\n--b\r\n--B--\r\nepilogue",
		      &f),
		PM_OK);
	ck_assert_uint_eq(f.count, 3);
	ck_assert(pm_view_equal(f.parts[0].name, view_of("a")) && !f.parts[0].file);
	ck_assert(pm_view_equal(f.parts[0].content, view_of("1")));
	ck_assert_uint_eq(f.parts[1].content.len, 0);
	ck_assert(pm_view_equal(f.parts[2].name, view_of("c")) && f.parts[2].file);
	ck_assert(pm_view_equal(f.parts[2].content, view_of("\r\n--b")));
	ck_pm(parse("--B--", &f), PM_OK);
	ck_assert_uint_eq(f.count, 0);
	ck_pm(parse("--B \t\r\ncontent-disposition:form-data;filename=\"\";name=a\r\nX-Y: "
		    "z\r\n\r\n\r\n--B--",
		      &f),
		PM_OK);
	ck_assert(f.count == 1 && f.parts[0].file);
}
END_TEST

static const struct {
	const char *text;
	int want;
} malformed[] = {
	{"", PM_E_FORMAT},
	{"--B", PM_E_FORMAT},
	{"--B\r\n", PM_E_FORMAT},
	{"--X\r\n", PM_E_FORMAT},
	{"preamble\r\n--B--", PM_E_FORMAT},
	{NAME("a") "1", PM_E_FORMAT},
	{NAME("a") "1\r\n--B", PM_E_FORMAT},
	{NAME("a") "1\r\n--B-", PM_E_FORMAT},
	{NAME("a") "1\n--B--", PM_E_FORMAT},
	{NAME("a") "1\r\n--BX\r\n\r\n--B--", PM_E_FORMAT},
	{"--B\r\n\r\n1\r\n--B--", PM_E_FORMAT},
	{"--B\r\nContent-Type: a/b\r\n\r\n1\r\n--B--", PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--", PM_E_FORMAT},
	{NAME(""), PM_E_FORMAT},
	{NAME("a\\\"b") "\r\n--B--", PM_E_FORMAT},
	{NAME("a\tb") "\r\n--B--", PM_E_FORMAT},
	{NAME("\xc3\xa9") "\r\n--B--", PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n\r\n--B--",
		PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data; name=\"a\"; name*=utf-8''b\r\n\r\n\r\n--B--",
		PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n"
	 "Content-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--B--",
		PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\n\r\n--B--", PM_E_FORMAT},
	{"--B\r\nContent-Disposition: inline; name=\"a\"\r\n\r\n\r\n--B--", PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--B--", PM_E_FORMAT},
	{"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n"
	 "Content-Transfer-Encoding: base64\r\n\r\n\r\n--B--",
		PM_E_UNSUPPORTED},
};

START_TEST(malformed_forms)
{
	struct found f;

	ck_pm(parse(malformed[_i].text, &f), malformed[_i].want);
}
END_TEST

static int count_part(const struct pm_form_part *part, void *arg)
{
	(void)part;
	++*(size_t *)arg;
	return PM_OK;
}

START_TEST(parts_are_bounded)
{
	struct maker m = {0};
	struct pm_form_type type;
	size_t count = 0;

	ck_pm(pm_form_type_parse(TYPE, &type), PM_OK);
	for (int i = 0; i < PM_FORM_PARTS_MAX; i++)
		maker_text(&m, NAME("a") "\r\n");
	maker_text(&m, "--B--");
	ck_pm(pm_form_each(&type, pm_grow_view(&m.out), count_part, &count, NULL), PM_OK);
	ck_assert_uint_eq(count, PM_FORM_PARTS_MAX);
	m.out.len -= strlen("--B--");
	maker_text(&m, NAME("a") "\r\n--B--");
	ck_pm(pm_form_each(&type, pm_grow_view(&m.out), count_part, &count, NULL), PM_E_LIMIT);
	pm_grow_free(&m.out);
}
END_TEST

START_TEST(headers_are_bounded)
{
	struct maker m = {0};
	struct pm_form_type type;
	size_t count = 0;

	ck_pm(pm_form_type_parse(TYPE, &type), PM_OK);
	maker_text(&m, "--B\r\n");
	while (m.out.len < PM_FORM_HEADER_MAX)
		maker_text(&m, "X-Header: a value of some length\r\n");
	maker_text(&m, "Content-Disposition: form-data; name=a\r\n\r\n\r\n--B--");
	ck_pm(pm_form_each(&type, pm_grow_view(&m.out), count_part, &count, NULL), PM_E_LIMIT);
	pm_grow_free(&m.out);
}
END_TEST

/* --- sealing --------------------------------------------------------------------------------- */

struct form {
	char type[PM_FORM_CONTENT_TYPE_SIZE];
	struct pm_view body;
};

static struct toy_body sealer, opener;

static void setup(void)
{
	toy_body_new(&sealer, PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, PM_BODY_SEAL);
	toy_body_new(&opener, PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, PM_BODY_OPEN);
}

static void teardown(void)
{
	toy_body_free(&sealer);
	toy_body_free(&opener);
}

static int transform(struct toy_body *toy, const char *type, struct pm_view in, struct form *ret)
{
	return pm_body_form(
		toy->body, type, in.ptr, in.len, NULL, &ret->body.ptr, &ret->body.len, ret->type);
}

/* The text with the boundary of the form in place of B. */
static void check_form(const struct form *form, const char *text)
{
	const char *boundary = strstr(form->type, "boundary=") + strlen("boundary=");
	struct pm_grow want = {0};

	for (; *text; text++) {
		bool mark = strncmp(text, "--B", 3) == 0;

		ck_pm(pm_grow_add(&want, mark ? VIEW("--") : pm_view(text, 1)), PM_OK);
		if (mark)
			ck_pm(pm_grow_add(&want, view_of(boundary)), PM_OK);
		text += mark ? 2 : 0;
	}
	ck_assert_msg(pm_view_equal(form->body, pm_grow_view(&want)), "got %.*s\nwant %.*s",
		(int)form->body.len, form->body.ptr, (int)want.len, want.ptr);
	pm_grow_free(&want);
}

#define SEALED_FILE(n)                                                                             \
	"--B\r\nContent-Disposition: form-data; name=\"" n "\"; filename=\"" n "\"\r\n"            \
	"Content-Type: application/octet-stream\r\n\r\n"

/* clang-format off */
static const char original[] =
	"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"secret.wav\"\r\n"
	"Content-Type: audio/secret\r\n\r\n1\r\n"
	NAME("temperature") "1\r\n"
	NAME("model") "m\r\n"
	NAME("language") "1\r\n"
	NAME("language") "1\r\n"
	"--B--\r\nsecret";

static const char original_sealed[] =
	SEALED_FILE("file") "\"adaaaaaaabaaaaaagl\"\r\n"
	NAME("temperature") "\"acaaaaaaabaaaaaagl\"\r\n"
	NAME("model") "m\r\n"
	NAME("language") "\"aaaaaaaaabaaaaaagl\"\r\n"
	NAME("language") "\"abaaaaaaabaaaaaagl\"\r\n"
	"--B--\r\n";

static const char original_opened[] =
	SEALED_FILE("file") "1\r\n"
	NAME("temperature") "1\r\n"
	NAME("model") "m\r\n"
	NAME("language") "1\r\n"
	NAME("language") "1\r\n"
	"--B--\r\n";
/* clang-format on */

/* Values by name, those of one name in their order, then files; places stay. */
START_TEST(parts_in_the_reference_s_order)
{
	struct form sealed, opened;

	ck_pm(transform(&sealer, TYPE, view_of(original), &sealed), PM_OK);
	check_form(&sealed, original_sealed);
	ck_assert(!contains(sealed.body, "secret"));
	ck_assert_int_eq(strncmp(sealed.type, "multipart/form-data; boundary=", 30), 0);
	ck_pm(transform(&opener, sealed.type, sealed.body, &opened), PM_OK);
	ck_assert_str_ne(opened.type, sealed.type);
	check_form(&opened, original_opened);
}
END_TEST

/* A file is content, whatever its field is called. */
START_TEST(a_file_is_never_plain)
{
	struct form sealed;

	ck_pm(transform(&sealer, "multipart/mixed; boundary=B",
		      view_of(FILE_OF("model") "secret\r\n--B--"), &sealed),
		PM_OK);
	ck_assert(!contains(sealed.body, "secret"));
	ck_assert_int_eq(strncmp(sealed.type, "multipart/mixed; boundary=", 26), 0);
}
END_TEST

START_TEST(a_field_left_plain_is_refused)
{
	struct form opened;

	ck_pm(transform(&opener, TYPE, pm_view("--B--", (size_t)PM_BODY_MAX + 1), &opened),
		PM_E_LIMIT);
	ck_pm(transform(&opener, TYPE, view_of(NAME("prompt") "hello\r\n--B--"), &opened),
		PM_E_FORMAT);
	ck_pm(transform(&opener, TYPE, view_of(NAME("model") "hello\r\n--B--"), &opened),
		PM_E_STATE);
}
END_TEST

START_TEST(reasons_hold_no_content)
{
	struct pm_report *report = pm_report_new();
	struct form form;

	ck_pm(pm_body_form(sealer.body, TYPE, "--B\r\nsecret\r\n\r\nsecret", 19, report,
		      &form.body.ptr, &form.body.len, form.type),
		PM_E_FORMAT);
	ck_assert_str_ne(pm_report_reason(report), "");
	ck_assert_ptr_null(strstr(pm_report_reason(report), "secret"));
	pm_report_free(report);
}
END_TEST

/* --- usage ----------------------------------------------------------------------------------- */

START_TEST(asks_for_usage)
{
	struct form form;

	pm_body_ask_usage(opener.body);
	ck_pm(transform(&opener, TYPE,
		      view_of(NAME("stream") "True\r\n" NAME(
			      "stream_include_usage") "false\r\n--B--"),
		      &form),
		PM_OK);
	check_form(&form,
		NAME("stream_continuous_usage_stats") "true\r\n" NAME("stream") "True\r\n" NAME(
			"stream_include_usage") "true\r\n--B--\r\n");
	ck_pm(transform(&opener, TYPE, view_of(NAME("stream") "false\r\n--B--"), &form), PM_OK);
	check_form(&form, NAME("stream") "false\r\n--B--\r\n");
}
END_TEST

/* --- names of files -------------------------------------------------------------------------- */

#define FILE_WITH(head)                                                                            \
	"--B\r\nContent-Disposition: form-data; name=\"f\"; " head                                 \
	"\r\n\r\n\"aaaaaaaaabaaaaaagl\"\r\n--B--"
#define KEPT(name, type)                                                                           \
	"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" name                      \
	"\"\r\nContent-Type: " type "\r\n\r\n1\r\n--B--\r\n"
#define NO_TYPE "application/octet-stream"

static const struct {
	const char *in, *out;
} file_names[] = {
	{FILE_WITH("filename=\"a b.wav\"\r\nContent-Type: audio/wav; x=y"),
		KEPT("a b.wav", "audio/wav; x=y")},
	{FILE_WITH("filename=\"a%22b\xc3\xa9.mp3\""), KEPT("a%22b\xc3\xa9.mp3", NO_TYPE)},
	{FILE_WITH("filename=\"\""), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename=\"a\\\"b\""), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename=\"a\x7f\""), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename=\"a\tb\""), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename=a; filename=b"), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename=a; filename*=UTF-8''b"), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename*=UTF-8''b; filename=a"), KEPT("f", NO_TYPE)},
	{FILE_WITH("filename=a\r\nContent-Type: a/b\r\nContent-Type: c/d"), KEPT("a", NO_TYPE)},
	{FILE_WITH("filename=a\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Type: e/f"),
		KEPT("a", NO_TYPE)},
	{FILE_WITH("filename=a\r\nContent-Type: a/\x01"), KEPT("a", NO_TYPE)},
};

START_TEST(names_of_files_are_kept)
{
	struct form form;

	pm_body_keep_files(opener.body);
	ck_pm(transform(&opener, TYPE, view_of(file_names[_i].in), &form), PM_OK);
	check_form(&form, file_names[_i].out);
}
END_TEST

/* --- properties ------------------------------------------------------------------------------ */

static void random_content(struct maker *m)
{
	static const char *const pieces[] = {"\r\n", "--B", "\r\n--b", "--", "\r", "\n", "\"",
		"\xff\xfe", "{\"a\":1}", MAKER_SECRET};

	maker_text(m, MAKER_SECRET "-");
	for (uint32_t i = maker_number(m, 6); i > 0; i--) {
		const char *piece = pieces[maker_number(m, PM_ARRAY_LEN(pieces))];

		/* the boundary itself may not stand in a content */
		if (strcmp(piece, "--B") == 0 && m->out.ptr[m->out.len - 1] == '\n')
			continue;
		maker_text(m, piece);
	}
}

/* Written as the library writes it, so that it comes back to the byte, but for the boundary. */
static void random_form(struct maker *m)
{
	static const char *const heads[] = {NAME("language"), NAME("prompt"), NAME("a"),
		NAME("timestamp_granularities[]"), SEALED_FILE("file"), SEALED_FILE("other"),
		NAME("model")};

	for (uint32_t i = maker_number(m, 9); i > 0; i--) {
		uint32_t kind = maker_number(m, PM_ARRAY_LEN(heads));

		maker_text(m, heads[kind]);
		if (kind == 6)
			maker_text(m, "plain");
		else
			random_content(m);
		maker_text(m, "\r\n");
	}
	maker_text(m, "--B--\r\n");
}

struct parts {
	struct pm_form_part list[16];
	size_t count;
};

static int keep_part(const struct pm_form_part *part, void *arg)
{
	struct parts *parts = arg;

	parts->list[parts->count++] = *part;
	return PM_OK;
}

static void check_same_parts(const struct form *opened, struct pm_view want)
{
	struct parts a = {.count = 0}, b = {.count = 0};
	struct pm_form_type type;

	ck_pm(pm_form_type_parse(opened->type, &type), PM_OK);
	ck_pm(pm_form_each(&type, opened->body, keep_part, &a, NULL), PM_OK);
	ck_pm(pm_form_type_parse(TYPE, &type), PM_OK);
	ck_pm(pm_form_each(&type, want, keep_part, &b, NULL), PM_OK);
	ck_assert_uint_eq(a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		ck_assert(pm_view_equal(a.list[i].name, b.list[i].name));
		ck_assert(pm_view_equal(a.list[i].content, b.list[i].content));
		ck_assert(a.list[i].file == b.list[i].file);
	}
}

START_TEST(random_forms)
{
	struct maker m = {.state = maker_seed()};

	for (int i = 0; i < 2000; i++) {
		struct form sealed, opened;

		m.out.len = 0;
		random_form(&m);
		toy_body_reset(&sealer, PM_BODY_SEAL);
		toy_body_reset(&opener, PM_BODY_OPEN);
		ck_pm(transform(&sealer, TYPE, pm_grow_view(&m.out), &sealed), PM_OK);
		ck_assert(!contains(sealed.body, MAKER_SECRET "-"));
		ck_pm(transform(&opener, sealed.type, sealed.body, &opened), PM_OK);
		ck_assert_uint_eq(sealer.toy.seq, opener.toy.seq);
		check_same_parts(&opened, pm_grow_view(&m.out));
	}
	pm_grow_free(&m.out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("form");
	TCase *tc = tcase_create("form");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, content_types, 0, PM_ARRAY_LEN(types));
	tcase_add_test(tc, parts_are_found);
	tcase_add_loop_test(tc, malformed_forms, 0, PM_ARRAY_LEN(malformed));
	tcase_add_test(tc, parts_are_bounded);
	tcase_add_test(tc, headers_are_bounded);
	tcase_add_test(tc, parts_in_the_reference_s_order);
	tcase_add_test(tc, a_file_is_never_plain);
	tcase_add_test(tc, a_field_left_plain_is_refused);
	tcase_add_test(tc, reasons_hold_no_content);
	tcase_add_test(tc, asks_for_usage);
	tcase_add_loop_test(tc, names_of_files_are_kept, 0, PM_ARRAY_LEN(file_names));
	tcase_add_test(tc, random_forms);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
