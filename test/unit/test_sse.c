/* SPDX-License-Identifier: Apache-2.0 */
/* Event streams: lines, chunks cut anywhere, what passes, what is dropped, what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/report.h>

#include "body_maker.h"
#include "vector_cipher.h"

static struct pm_grow out;

static void free_out(void)
{
	pm_grow_free(&out);
}

static struct pm_view view_of(const char *text)
{
	return pm_view(text, strlen(text));
}

/* What a stream becomes, in out. */
static int transform(
	enum pm_endpoint endpoint, enum pm_body_way way, struct pm_view in, size_t chunk)
{
	struct toy_body toy;
	int r;

	out.len = 0;
	toy_body_new(&toy, endpoint, PM_BODY_RESPONSE, way);
	r = toy_body_stream(&toy, in, chunk, &out);
	toy_body_free(&toy);
	return r;
}

static int seal(const char *text)
{
	return transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, view_of(text), SIZE_MAX / 2);
}

static int open_text(const char *text)
{
	return transform(PM_ENDPOINT_CHAT, PM_BODY_OPEN, view_of(text), SIZE_MAX / 2);
}

static void check_out(const char *want)
{
	ck_assert_msg(pm_view_equal(pm_grow_view(&out), view_of(want)), "got: %.*s\nwant: %s",
		(int)out.len, out.ptr, want);
}

/* 1 sealed as message number 0; all others are like it. */
#define ONE   "\"aaaaaaaaabaaaaaagl\""
#define ONE_1 "\"abaaaaaaabaaaaaagl\""
#define PLAIN "{\"id\":\"c\",\"x\":1}"
#define CRYPT "{\"id\":\"c\",\"x\":" ONE "}"

static const struct {
	const char *in, *sealed; /* NULL: PM_E_FORMAT */
} lines[] = {
	{"", ""},
	{"\n\r\n\n", ""},
	{"data: " PLAIN "\n\n", "data: " CRYPT "\n\n"},
	{"data:" PLAIN "\n\n", "data: " CRYPT "\n\n"},
	{"data:  " PLAIN "\n", "data:  " CRYPT "\n\n"},
	{"data: " PLAIN "\r\n\r\n", "data: " CRYPT "\n\n"},
	{"data: " PLAIN, "data: " CRYPT "\n\n"}, /* a last line without end */
	{"data: " PLAIN "\ndata: " PLAIN "\n",
		"data: " CRYPT "\n\ndata: {\"id\":\"c\",\"x\":" ONE_1 "}\n\n"},
	{"event: message_start\ndata: {}\n\n", "event: message_start\ndata: {}\n\n"},
	{"event:message\n", "event: message\n"},
	{"event: error\n\ndata: {\"x\":1}\n\n", "event: error\ndata: {\"x\":" ONE "}\n\n"},
	{"event: two words\n", NULL},
	{"event: \n", NULL},
	{"event: {\"x\":\"secret\"}\n", NULL},
	{"data: [DONE]\n\n", "data: [DONE]\n\n"},
	{"data: [done]\r\n", "data: [done]\n\n"},
	{"data:[DONE]", "data: [DONE]\n\n"},
	{"data: [DONE] \n", NULL},
	{"data: \n\n", "data: \n\n"},
	{"data:\n", "data: \n\n"},
	{"data\n", "data: \n\n"},
	{": secret comment\n", ""},
	{":secret\n:\n", ""},
	{"id: secret\nretry: 1000\nretry: \"x\"\nfoo: secret\nfoo\n", ""},
	{"{\"x\":1}\n", NULL},
	{"{\"x\": 1}\n", NULL},
	{"[DONE]\n", NULL},
	{"\xef\xbb\xbf"
	 "data: {}\n",
		NULL},
	{" data: {}\n", NULL},
	{"data : {}\n", NULL},
	{"data: secret\n\n", NULL},
	{"data: 1\n\n", NULL},
	{"data: \"x\"\n\n", NULL},
	{"data: {\"x\":1}{}\n\n", NULL},
	{"data: {\"x\"\r:1}\n\n", NULL},
	{"\rdata: {}\n\n", NULL},
	{"data: {\"x\":\ndata:1,\ndata:\ndata: \"id\":2}\n\n",
		"data: {\"x\": " ONE ",  \"id\":2}\n\n"},
	{"data: {\"x\":\ndata:1}", "data: {\"x\": " ONE "}\n\n"},
	{"data: {\"x\":[\nevent: a\n: b\nid: 3\ndata: ]}\n\n",
		"event: a\ndata: {\"x\":\"aaaaaaaaadaaaaaaabhkah\"}\n\n"},
	{"data: {\"x\":\n\ndata: 1}\n\n", NULL},
	{"data: {\"x\":\ndata: [DONE]\n\n", NULL},
	{"data: {\"x\":1", NULL},
	{"data: {\"a\":1,\"a\":2}\n\n", NULL},
};

START_TEST(lines_are_sealed)
{
	ck_pm(seal(lines[_i].in), lines[_i].sealed ? PM_OK : PM_E_FORMAT);
	if (lines[_i].sealed)
		check_out(lines[_i].sealed);
	ck_assert(!contains(pm_grow_view(&out), "secret"));
}
END_TEST

static const struct {
	const char *in, *opened;
} opened_lines[] = {
	{"data: " CRYPT "\n\n", "data: " PLAIN "\n\n"},
	{"data:" CRYPT "\r\n", "data: " PLAIN "\n\n"},
	{": injected text\n", ":\n\n"}, /* keeps the connection alive */
	{"event: error\n\ndata: {\"x\":" ONE "}\n\n", "event: error\ndata: {\"x\":1}\n\n"},
	{"data: [DONE]\n", "data: [DONE]\n\n"},
	{"event: a\revent: b\n", NULL},
	{"data: {\"x\":1}\n\n", NULL},
	{"data: {\"x\":" ONE_1 "}\n\n", NULL},
	/* "[\n]" and "[\r]" would break the line */
	{"data: {\"x\":\"aaaaaaaaadaaaaaaabfaah\"}\n\n", NULL},
	{"data: {\"x\":\"aaaaaaaaadaaaaaaabfhah\"}\n\n", NULL},
};

START_TEST(lines_are_opened)
{
	int r = open_text(opened_lines[_i].in);

	ck_assert_int_eq(r == PM_OK, opened_lines[_i].opened != NULL);
	if (opened_lines[_i].opened)
		check_out(opened_lines[_i].opened);
}
END_TEST

START_TEST(an_end_of_line_in_a_value_is_what_is_refused)
{
	/* "[ ]" is well */
	ck_pm(open_text("data: {\"x\":\"aaaaaaaaadaaaaaaabhkah\"}\n\n"), PM_OK);
	check_out("data: {\"x\":[ ]}\n\n");
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------- */

static struct pm_view long_line(const char *head, size_t size, const char *tail)
{
	uint8_t *bytes = malloc(size);
	size_t n = strlen(head), m = strlen(tail);

	memset(bytes, 'x', size);
	memcpy(bytes, head, n);
	memcpy(bytes + size - m, tail, m);
	return pm_view(bytes, size);
}

START_TEST(lines_have_a_limit)
{
	struct pm_view fits = long_line("data: {\"x\":\"", PM_SSE_LINE_MAX + 1, "\"}\n");
	struct pm_view over = long_line("data: {\"x\":\"", PM_SSE_LINE_MAX + 2, "\"}\n");

	for (size_t chunk = 1000; chunk < 2 * PM_SSE_LINE_MAX; chunk *= 1000) {
		ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, fits, chunk), PM_OK);
		ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, over, chunk), PM_E_LIMIT);
	}
	test_free(fits);
	test_free(over);
}
END_TEST

START_TEST(a_long_line_goes_through_both_ways)
{
	struct pm_view line = long_line("data: {\"x\":\"", PM_SSE_LINE_MAX, "\"}\n\n");
	struct pm_grow sealed;

	ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, line, 4096), PM_OK);
	sealed = out;
	out = (struct pm_grow){0};
	ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_OPEN, pm_grow_view(&sealed), 4096), PM_OK);
	ck_assert(pm_view_equal(pm_grow_view(&out), line));
	pm_grow_free(&sealed);
	test_free(line);
}
END_TEST

START_TEST(a_line_without_end_is_refused_before_it_ends)
{
	struct pm_view line = long_line("data: {\"x\":\"", PM_SSE_LINE_MAX + 1, "x");

	ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, line, 1 << 16), PM_E_LIMIT);
	test_free(line);
}
END_TEST

START_TEST(spread_data_has_the_limit_of_a_line)
{
	struct pm_view line = long_line("data: [\"", PM_SSE_LINE_MAX / 2, "\",\n");
	struct toy_body toy;
	const uint8_t *bytes;
	size_t len;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, PM_BODY_SEAL);
	ck_pm(pm_body_sse(toy.body, line.ptr, line.len, NULL, &bytes, &len), PM_OK);
	ck_pm(pm_body_sse(toy.body, line.ptr, line.len, NULL, &bytes, &len), PM_OK);
	ck_pm(pm_body_sse(toy.body, line.ptr, line.len, NULL, &bytes, &len), PM_E_LIMIT);
	ck_pm(pm_body_sse(toy.body, "\n", 1, NULL, &bytes, &len), PM_E_STATE);
	ck_pm(pm_body_sse_end(toy.body, NULL, &bytes, &len), PM_E_STATE);
	toy_body_free(&toy);
	test_free(line);
}
END_TEST

START_TEST(many_small_fields_may_grow_too_long)
{
	struct maker m = {0};
	char field[32];

	maker_text(&m, "data: {");
	for (int i = 0; m.out.len < PM_SSE_LINE_MAX - 100; i++) {
		snprintf(field, sizeof(field), "%s\"%x\":1", i ? "," : "", i);
		maker_text(&m, field);
	}
	maker_text(&m, "}\n\n");
	/* 10 bytes become 28 with this cipher, so three times that would pass the limit */
	ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, pm_grow_view(&m.out), 1 << 20), PM_OK);
	ck_assert_uint_le(out.len, PM_SSE_SEALED_LINE_MAX + 2);
	pm_grow_free(&m.out);
}
END_TEST

/* --- the end --------------------------------------------------------------------------------- */

static bool is_done(enum pm_endpoint endpoint, const char *text)
{
	struct toy_body toy;
	bool done;

	out.len = 0;
	toy_body_new(&toy, endpoint, PM_BODY_RESPONSE, PM_BODY_SEAL);
	ck_assert(!pm_body_sse_is_done(toy.body));
	ck_pm(toy_body_stream(&toy, view_of(text), 3, &out), PM_OK);
	done = pm_body_sse_is_done(toy.body);
	toy_body_reset(&toy, PM_BODY_SEAL);
	ck_assert(!pm_body_sse_is_done(toy.body));
	toy_body_free(&toy);
	return done;
}

START_TEST(the_end_is_told)
{
	ck_assert(is_done(PM_ENDPOINT_CHAT, "data: {}\n\ndata: [DONE]\n\n"));
	ck_assert(is_done(PM_ENDPOINT_CHAT, "data: [DoNe]"));
	ck_assert(!is_done(PM_ENDPOINT_CHAT, "data: {}\n\n"));
	ck_assert(!is_done(PM_ENDPOINT_CHAT, "event: message_stop\n"));
	ck_assert(is_done(PM_ENDPOINT_MESSAGES, "event: message_stop\ndata: {}\n\n"));
}
END_TEST

/* --- properties ------------------------------------------------------------------------------ */

static void maker_event(struct maker *m, struct pm_grow *plain)
{
	static const char *const events[] = {
		"event: message_start\n", "event: ping\n", "data: [DONE]\n\n", "data: \n\n"};
	uint32_t kind = maker_number(m, 12);
	size_t begin = m->out.len;

	if (kind < PM_ARRAY_LEN(events)) {
		maker_text(m, events[kind]);
	} else {
		maker_text(m, "data: ");
		maker_object(m, false);
		maker_text(m, "\n\n");
	}
	ck_pm(pm_grow_add(plain, pm_view(m->out.ptr + begin, m->out.len - begin)), PM_OK);
	if (kind == 10)
		maker_text(m, ": " MAKER_SECRET "\r\n");
}

START_TEST(random_streams_in_random_chunks)
{
	struct maker m = {.state = maker_seed()};
	struct pm_grow want = {0}, sealed = {0};

	for (int i = 0; i < 300; i++) {
		size_t chunk = 1 + maker_number(&m, i % 2 ? 7 : 3000);

		m.out.len = want.len = sealed.len = 0;
		for (uint32_t n = maker_number(&m, 12); n > 0; n--)
			maker_event(&m, &want);
		ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, pm_grow_view(&m.out), chunk),
			PM_OK);
		ck_assert(!contains(pm_grow_view(&out), MAKER_SECRET));
		ck_pm(pm_grow_add(&sealed, pm_grow_view(&out)), PM_OK);
		ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_OPEN, pm_grow_view(&sealed),
			      1 + maker_number(&m, 900)),
			PM_OK);
		ck_assert(pm_view_equal(pm_grow_view(&out), pm_grow_view(&want)));
	}
	pm_grow_free(&m.out);
	pm_grow_free(&want);
	pm_grow_free(&sealed);
}
END_TEST

START_TEST(every_cut_gives_the_same)
{
	static const char text[] = "event: a\r\ndata: {\"x\":[1,\r\ndata: 2]}\r\n\r\n: c\n\ndata: "
				   "{\"y\":\"\xe2\x82\xac\"}\n\ndata: [DONE]\n\n";
	struct pm_grow whole;

	ck_pm(seal(text), PM_OK);
	whole = out;
	out = (struct pm_grow){0};
	for (size_t chunk = 1; chunk < sizeof(text); chunk++) {
		ck_pm(transform(PM_ENDPOINT_CHAT, PM_BODY_SEAL, view_of(text), chunk), PM_OK);
		ck_assert(pm_view_equal(pm_grow_view(&out), pm_grow_view(&whole)));
	}
	pm_grow_free(&whole);
}
END_TEST

START_TEST(a_complete_line_goes_out_at_once)
{
	struct toy_body toy;
	const uint8_t *bytes;
	size_t len;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, PM_BODY_SEAL);
	ck_pm(pm_body_sse(toy.body, "data: {}", 8, NULL, &bytes, &len), PM_OK);
	ck_assert_uint_eq(len, 0);
	ck_pm(pm_body_sse(toy.body, "\n", 1, NULL, &bytes, &len), PM_OK);
	ck_assert(pm_view_equal(pm_view(bytes, len), view_of("data: {}\n\n")));
	toy_body_free(&toy);
}
END_TEST

START_TEST(usage_of_streams)
{
	static const char openai[] =
		"data: {\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}\n\n"
		"data: {\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
		"data: {\"usage\":null}\n\ndata: [DONE]\n\n";
	static const char anthropic[] =
		"event: message_start\ndata: {\"message\":{\"id\":1,\"usage\":{\"input_tokens\":9,"
		"\"output_tokens\":1}}}\n\nevent: message_delta\n"
		"data: {\"usage\":{\"output_tokens\":42}}\n\n";
	struct toy_body toy;
	struct pm_usage u;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, PM_BODY_SEAL);
	ck_pm(toy_body_stream(&toy, view_of(openai), 10, &out), PM_OK);
	pm_body_usage(toy.body, &u);
	ck_assert(u.found && u.prompt_tokens == 5 && u.completion_tokens == 2);
	toy_body_reset(&toy, PM_BODY_SEAL);
	pm_body_usage(toy.body, &u);
	ck_assert(!u.found);
	toy_body_free(&toy);
	toy_body_new(&toy, PM_ENDPOINT_MESSAGES, PM_BODY_RESPONSE, PM_BODY_SEAL);
	ck_pm(toy_body_stream(&toy, view_of(anthropic), 10, &out), PM_OK);
	pm_body_usage(toy.body, &u);
	ck_assert(u.found && u.prompt_tokens == 9 && u.completion_tokens == 42);
	toy_body_free(&toy);
}
END_TEST

/* --- the real vectors ------------------------------------------------------------------------ */

static void stream(struct vector_cipher *v, enum pm_body_way way, const json_t *row,
	const char *text, const char *want)
{
	struct pm_body_cipher cipher = vector_cipher(v, way);
	struct pm_body *body;
	const uint8_t *bytes;
	size_t len;
	enum pm_endpoint endpoint;
	enum pm_body_side side;

	vector_endpoint(row, &endpoint, &side);
	ck_pm(pm_body_new(endpoint, side, way, &cipher, &body), PM_OK);
	ck_pm(pm_body_sse(body, text, strlen(text), NULL, &bytes, &len), PM_OK);
	ck_assert_msg(pm_view_equal(pm_view(bytes, len), view_of(want)), "got %.*s, want %s",
		(int)len, bytes, want);
	pm_body_free(body);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The messages of the reference's line, in the order of their keys. */
static void collect_messages(struct vector_cipher *v, json_t *document)
{
	static char texts[VECTOR_MESSAGES_MAX][1024];
	const char *keys[VECTOR_MESSAGES_MAX], *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach(document, key,
		value) if (strcmp(key, "id") != 0 && strcmp(key, "usage") != 0) keys[n++] = key;
	qsort(keys, n, sizeof(keys[0]), compare_texts);
	for (size_t i = 0; i < n; i++) {
		snprintf(texts[i], sizeof(texts[i]), "\"%s\"",
			json_string_value(json_object_get(document, keys[i])));
		v->messages[i] = texts[i];
	}
	v->count = n;
}

static void check_line(const json_t *row)
{
	const char *text = jsonl_text(row, "out");
	json_t *document =
		strlen(text) > 6 ? json_loads(text + 6, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	struct vector_cipher v;
	char line[4096], want[4100];

	vector_cipher_new(&v, row);
	v.seq = (uint32_t)json_integer_value(json_object_get(row, "first_seq"));
	if (json_is_object(document))
		collect_messages(&v, document);
	snprintf(line, sizeof(line), "%s\n", jsonl_text(row, "line_in"));
	stream(&v, PM_BODY_SEAL, row, line, text);
	ck_assert_uint_eq(v.used, v.count);
	snprintf(want, sizeof(want), "%s%s", line, strncmp(line, "event", 5) == 0 ? "" : "\n");
	stream(&v, PM_BODY_OPEN, row, text, want);
	json_decref(document);
	vector_cipher_free(&v);
}

static unsigned int same_rows, better_rows;

/* Where the reference gives up we go on, except on a document that never ends. */
static void check_row(const json_t *row)
{
	char line[1024];
	bool cut = strcmp(jsonl_text(row, "line_in"), "data: {\"id\":\"c1\",") == 0;

	if (strcmp(jsonl_text(row, "reference_result"), "ok") == 0) {
		check_line(row);
		same_rows++;
		return;
	}
	snprintf(line, sizeof(line), "%s\n\n", jsonl_text(row, "line_in"));
	ck_pm(seal(line), cut ? PM_E_FORMAT : PM_OK);
	ck_assert(!contains(pm_grow_view(&out), "keepalive"));
	better_rows++;
}

START_TEST(real_vectors)
{
	if (!test_has_vectors())
		return;
	jsonl_each("privatemode/sse_lines.jsonl", check_row);
	ck_assert_uint_ge(same_rows, 7);
	ck_assert_uint_ge(better_rows, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sse");
	TCase *tc = tcase_create("sse");

	tcase_add_checked_fixture(tc, NULL, free_out);
	tcase_add_loop_test(tc, lines_are_sealed, 0, PM_ARRAY_LEN(lines));
	tcase_add_loop_test(tc, lines_are_opened, 0, PM_ARRAY_LEN(opened_lines));
	tcase_add_test(tc, an_end_of_line_in_a_value_is_what_is_refused);
	tcase_add_test(tc, lines_have_a_limit);
	tcase_add_test(tc, a_long_line_goes_through_both_ways);
	tcase_add_test(tc, a_line_without_end_is_refused_before_it_ends);
	tcase_add_test(tc, spread_data_has_the_limit_of_a_line);
	tcase_add_test(tc, many_small_fields_may_grow_too_long);
	tcase_add_test(tc, the_end_is_told);
	tcase_add_test(tc, random_streams_in_random_chunks);
	tcase_add_test(tc, every_cut_gives_the_same);
	tcase_add_test(tc, a_complete_line_goes_out_at_once);
	tcase_add_test(tc, usage_of_streams);
	tcase_add_test(tc, real_vectors);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
