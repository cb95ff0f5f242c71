/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of JSON and without structure: what is sealed, in which order, and opened again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/report.h>

#include "body_maker.h"
#include "vector_cipher.h"

/* --- endpoints ------------------------------------------------------------------------------- */

static const struct {
	const char *method, *path;
	int want; /* endpoint, or error */
} paths[] = {
	{"POST", "/v1/chat/completions", PM_ENDPOINT_CHAT},
	{"POST", "/v1/chat/completions?x=y", PM_ENDPOINT_CHAT},
	{"POST", "/v1/completions", PM_ENDPOINT_COMPLETIONS},
	{"POST", "/v1/embeddings", PM_ENDPOINT_EMBEDDINGS},
	{"POST", "/v1/audio/transcriptions", PM_ENDPOINT_TRANSCRIPTIONS},
	{"POST", "/v1/messages", PM_ENDPOINT_MESSAGES},
	{"POST", "/v1/messages/count_tokens", PM_ENDPOINT_COUNT_TOKENS},
	{"POST", "/unstructured/general/v0/general", PM_ENDPOINT_UNSTRUCTURED},
	{"GET", "/unstructured/healthcheck", PM_ENDPOINT_HEALTH},
	{"GET", "/v1/models", PM_ENDPOINT_MODELS},
	{"GET", "/v1/models/org/model", PM_ENDPOINT_MODELS},
	{"GET", "/v1/chat/completions", PM_E_UNSUPPORTED},
	{"post", "/v1/chat/completions", PM_E_UNSUPPORTED},
	{"POST", "/v1/chat/completions/", PM_E_UNSUPPORTED},
	{"POST", "/v1/chat/completionsx", PM_E_UNSUPPORTED},
	{"POST", "/v1/models", PM_E_UNSUPPORTED},
	{"POST", "//v1/messages", PM_E_UNSUPPORTED},
	{"POST", "/metrics", PM_E_UNSUPPORTED},
	{"GET", "", PM_E_UNSUPPORTED},
};

START_TEST(endpoints_by_path)
{
	enum pm_endpoint endpoint = 0;
	int r = pm_endpoint_find(paths[_i].method, paths[_i].path, &endpoint);

	ck_assert_int_eq(r < 0 ? r : (int)endpoint, paths[_i].want);
}
END_TEST

static int kind(enum pm_endpoint endpoint, enum pm_body_side side, const char *type)
{
	enum pm_body_kind found;
	int r = pm_endpoint_body_kind(endpoint, side, type, &found);

	return r < 0 ? r : (int)found;
}

START_TEST(kinds_of_bodies)
{
	ck_assert_int_eq(kind(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, NULL), PM_BODY_JSON);
	/* a request is never a stream, whatever it says */
	ck_assert_int_eq(
		kind(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, "text/event-stream"), PM_BODY_JSON);
	ck_assert_int_eq(
		kind(PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, "application/json"), PM_BODY_JSON);
	ck_assert_int_eq(
		kind(PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, "text/Event-Stream; charset=utf-8"),
		PM_BODY_SSE);
	ck_assert_int_eq(kind(PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, "Multipart/form-data"),
		PM_BODY_FORM);
	ck_assert_int_eq(kind(PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, "application/json"),
		PM_E_UNSUPPORTED);
	ck_assert_int_eq(kind(PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_REQUEST, NULL), PM_E_UNSUPPORTED);
	ck_assert_int_eq(kind(PM_ENDPOINT_TRANSCRIPTIONS, PM_BODY_RESPONSE, NULL), PM_BODY_JSON);
	ck_assert_int_eq(kind(PM_ENDPOINT_UNSTRUCTURED, PM_BODY_REQUEST, "a/b"), PM_BODY_RAW);
	ck_assert_int_eq(kind(PM_ENDPOINT_UNSTRUCTURED, PM_BODY_RESPONSE, NULL), PM_BODY_JSON);
	ck_assert_int_eq(kind(PM_ENDPOINT_MODELS, PM_BODY_RESPONSE, NULL), PM_BODY_PLAIN);
	ck_assert_int_eq(kind((enum pm_endpoint)77, PM_BODY_RESPONSE, NULL), PM_E_UNSUPPORTED);
}
END_TEST

START_TEST(bad_arguments)
{
	struct toy toy = {0};
	struct pm_body_cipher good = toy_cipher(&toy, PM_BODY_SEAL), bad = {.arg = &toy};
	struct pm_body *body = NULL;

	ck_pm(pm_body_new(0, PM_BODY_REQUEST, PM_BODY_SEAL, &good, &body), PM_E_ARG);
	ck_pm(pm_body_new(PM_ENDPOINT_CHAT, 3, PM_BODY_SEAL, &good, &body), PM_E_ARG);
	ck_pm(pm_body_new(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, 0, &good, &body), PM_E_ARG);
	ck_pm(pm_body_new(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL, &bad, &body), PM_E_ARG);
	ck_assert_ptr_null(body);
	pm_body_free(NULL);
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------------ */

struct result {
	struct pm_view bytes;
	int r;
};

static struct result json(struct toy_body *toy, const char *text, struct pm_report *report)
{
	struct result result = {.r = 0};

	result.r = pm_body_json(
		toy->body, text, strlen(text), report, &result.bytes.ptr, &result.bytes.len);
	return result;
}

static int seal_error(const char *text)
{
	struct toy_body toy;
	int r;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL);
	r = json(&toy, text, NULL).r;
	toy_body_free(&toy);
	return r;
}

/* Seals, looks for secrets, opens, compares. */
static void round_trip(
	enum pm_endpoint endpoint, enum pm_body_side side, struct pm_view text, const char *secret)
{
	struct toy_body sealer, opener;
	struct pm_view sealed, opened;

	toy_body_new(&sealer, endpoint, side, PM_BODY_SEAL);
	toy_body_new(&opener, endpoint, side, PM_BODY_OPEN);
	ck_pm(pm_body_json(sealer.body, text.ptr, text.len, NULL, &sealed.ptr, &sealed.len), PM_OK);
	ck_assert_msg(!contains(sealed, secret), "%.*s", (int)sealed.len, sealed.ptr);
	ck_pm(pm_body_json(opener.body, sealed.ptr, sealed.len, NULL, &opened.ptr, &opened.len),
		PM_OK);
	ck_assert_msg(pm_view_equal(opened, text), "%.*s\n%.*s", (int)text.len, text.ptr,
		(int)opened.len, opened.ptr);
	ck_assert_uint_eq(sealer.toy.seq, opener.toy.seq);
	toy_body_free(&sealer);
	toy_body_free(&opener);
}

static void round_trip_text(const char *text, const char *secret)
{
	round_trip(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, pm_view(text, strlen(text)), secret);
}

START_TEST(empty_body_stays_empty)
{
	round_trip_text("", "x");
	ck_pm(seal_error(" "), PM_E_FORMAT);
}
END_TEST

START_TEST(spelling_stays)
{
	struct toy_body toy;
	struct pm_view sealed;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL);
	sealed = json(&toy, "\t{ \"n\" : 1.50E+02 ,\r\n\"x\":1 , \"model\":\"\\u0061\" }\n", NULL)
			 .bytes;
	/* "1" is 0x31, and 0x6b under the mask */
	ck_assert(pm_view_equal(sealed, VIEW("\t{ \"n\" : 1.50E+02 ,\r\n"
					     "\"x\":\"aaaaaaaaabaaaaaagl\" , "
					     "\"model\":\"\\u0061\" }\n")));
	toy_body_free(&toy);
}
END_TEST

/* Values in clear that the reference leaves so: none here. */
static const char *const awkward[] = {"|", "a|b", "\\\\", "a\\\\b", "@this", "@keys", "#", "#.x",
	"{x}", "[0]", ":0", "!x", "~x", "-1", "", "%", "a.b", "a*", "a?", "\\u0040this", "\\u007c",
	"..", "\\\"", "Model", "MODEL", " model", "model ", "models", "mode", "\\ud83d\\ude00",
	"\x7f"};

START_TEST(awkward_keys_are_sealed)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"model\":\"m\",\"%s\":\"leak?\",\"x\":\"leak?\"}",
		awkward[_i]);
	round_trip_text(text, "leak?");
}
END_TEST

/* Only the outermost keys decide what is plain: inner ones may be what readers take differently. */
START_TEST(lone_surrogates_within_values)
{
	round_trip_text("{\"x\":{\"secret\\ud800\":1}}", "secret");
	round_trip_text("{\"x\":[{\"secret\\udc00\":\"\\ud800\"}]}", "secret");
	/* a repeated key is one, lone surrogate or not */
	ck_pm(seal_error("{\"x\":{\"\\ud800\":1,\"\\uD800\":2}}"), PM_E_FORMAT);
}
END_TEST

static const char *const refused[] = {"{\"a\":1,\"a\":2}", "{\"model\":1,\"\\u006dodel\":2}",
	"{\"\\u006dodel\":\"m\"}", "{\"strea\\u006D\":true}", "{\"x\":{\"y\":1,\"y\":2}}",
	"{\"\\ud800\":1}", "\"text\"", "true", "5", "null", "{\"a\":NaN}", "{} {}",
	"{\"a\":\"\xff\"}", "{\"a\":1", "[1,]"};

START_TEST(refused_texts)
{
	struct pm_report *report = pm_report_new();
	struct toy_body toy;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL);
	ck_pm(json(&toy, refused[_i], report).r, PM_E_FORMAT);
	ck_assert_ptr_nonnull(pm_report_failure(report));
	/* what failed stays failed, until it is reset */
	ck_pm(json(&toy, "{}", NULL).r, PM_E_STATE);
	toy_body_reset(&toy, PM_BODY_SEAL);
	ck_pm(json(&toy, "{}", NULL).r, PM_OK);
	toy_body_free(&toy);
	pm_report_free(report);
}
END_TEST

START_TEST(reasons_hold_no_content)
{
	struct pm_report *report = pm_report_new();
	struct toy_body toy;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL);
	ck_pm(json(&toy, "{\"secretkey\":\"secretvalue\",\"secretkey\":secretvalue}", report).r,
		PM_E_FORMAT);
	ck_assert_str_ne(pm_report_reason(report), "");
	ck_assert_ptr_null(strstr(pm_report_reason(report), "secret"));
	toy_body_free(&toy);
	pm_report_free(report);
}
END_TEST

/* Opening a document in which the value of "x" is what the text says. */
static int open_value(const char *value)
{
	struct toy_body toy;
	struct toy sealing = {0};
	uint8_t text[256] = "{\"x\":";
	const uint8_t *out;
	size_t len, n = strlen((char *)text);
	int r;

	ck_pm(toy_seal(&sealing, (const uint8_t *)value, strlen(value), text + n, sizeof(text) - n,
		      &len, NULL),
		PM_OK);
	text[n + len] = '}';
	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_OPEN);
	r = pm_body_json(toy.body, text, n + len + 1, NULL, &out, &len);
	toy_body_free(&toy);
	return r;
}

START_TEST(opened_values_stay_in_their_place)
{
	ck_pm(open_value("1"), PM_OK);
	ck_pm(open_value("{\"y\":[]}"), PM_OK);
	ck_pm(open_value("1,\"model\":2"), PM_E_FORMAT);
	ck_pm(open_value("1}"), PM_E_FORMAT);
	ck_pm(open_value(""), PM_E_FORMAT);
	ck_pm(open_value("\"a"), PM_E_FORMAT);
	ck_pm(open_value("{\"y\":1,\"y\":2}"), PM_E_FORMAT);
	ck_pm(open_value("{\"\\ud800\":1}"), PM_OK);
}
END_TEST

START_TEST(a_field_left_plain_is_refused)
{
	struct toy_body toy;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, PM_BODY_OPEN);
	ck_pm(json(&toy, "{\"id\":1,\"choices\":[]}", NULL).r, PM_E_FORMAT);
	toy_body_free(&toy);
}
END_TEST

START_TEST(renamed_fields_are_refused)
{
	struct toy_body sealer, opener;
	struct pm_view sealed, opened;
	uint8_t copy[256];

	toy_body_new(&sealer, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL);
	toy_body_new(&opener, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_OPEN);
	sealed = json(&sealer, "{\"b\":1,\"c\":2}", NULL).bytes;
	memcpy(copy, sealed.ptr, sealed.len);
	copy[2] = 'd'; /* "b" goes behind "c" */
	ck_pm(pm_body_json(opener.body, copy, sealed.len, NULL, &opened.ptr, &opened.len),
		PM_E_REJECTED);
	toy_body_free(&sealer);
	toy_body_free(&opener);
}
END_TEST

START_TEST(random_documents)
{
	struct maker m = {.state = maker_seed()};

	for (int i = 0; i < 3000; i++) {
		m.out.len = 0;
		maker_object(&m, true);
		round_trip(PM_ENDPOINT_CHAT, PM_BODY_RESPONSE, pm_grow_view(&m.out), MAKER_SECRET);
	}
	pm_grow_free(&m.out);
}
END_TEST

START_TEST(random_arrays)
{
	struct maker m = {.state = maker_seed()};

	for (uint32_t n = 0; n < 130; n++) {
		m.out.len = 0;
		maker_text(&m, "[");
		for (uint32_t i = 0; i < n; i++) {
			maker_text(&m, i ? " , " : "");
			maker_value(&m, 2, true);
		}
		maker_text(&m, "]");
		round_trip(PM_ENDPOINT_UNSTRUCTURED, PM_BODY_RESPONSE, pm_grow_view(&m.out),
			MAKER_SECRET);
	}
	pm_grow_free(&m.out);
}
END_TEST

/* Which elements of an array come when: 0, 1, 10, 11, 2... */
START_TEST(elements_in_the_reference_s_order)
{
	static const uint8_t want[] = {0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9};
	struct toy_body toy;
	struct pm_view sealed;

	toy_body_new(&toy, PM_ENDPOINT_UNSTRUCTURED, PM_BODY_RESPONSE, PM_BODY_SEAL);
	sealed = json(&toy, "[0,0,0,0,0,0,0,0,0,0,0,0]", NULL).bytes;
	for (size_t i = 0; i < sizeof(want); i++) {
		/* each message takes 20 letters and a comma; its number is in the second one */
		size_t at = 1 + want[i] * 21 + 2;

		ck_assert_uint_eq(sealed.ptr[at], 'a' + i);
	}
	toy_body_free(&toy);
}
END_TEST

/* --- without structure ----------------------------------------------------------------------- */

START_TEST(raw_bodies)
{
	static const uint8_t bytes[] = "--b\r\n\0\xff anything \"";
	struct toy_body sealer, opener;
	struct pm_view sealed, opened;

	toy_body_new(&sealer, PM_ENDPOINT_UNSTRUCTURED, PM_BODY_REQUEST, PM_BODY_SEAL);
	toy_body_new(&opener, PM_ENDPOINT_UNSTRUCTURED, PM_BODY_REQUEST, PM_BODY_OPEN);
	ck_pm(pm_body_raw(sealer.body, bytes, sizeof(bytes), NULL, &sealed.ptr, &sealed.len),
		PM_OK);
	ck_assert(!contains(sealed, "any"));
	ck_pm(pm_body_raw(opener.body, sealed.ptr, sealed.len, NULL, &opened.ptr, &opened.len),
		PM_OK);
	ck_assert(pm_view_equal(opened, pm_view(bytes, sizeof(bytes))));
	ck_pm(pm_body_raw(
		      opener.body, "x", (size_t)PM_BODY_MAX + 1, NULL, &opened.ptr, &opened.len),
		PM_E_LIMIT);
	ck_pm(pm_body_raw(opener.body, "x", 1, NULL, &opened.ptr, &opened.len), PM_E_FORMAT);
	ck_pm(pm_body_raw(opener.body, sealed.ptr, sealed.len, NULL, &opened.ptr, &opened.len),
		PM_E_STATE);
	toy_body_free(&sealer);
	toy_body_free(&opener);
}
END_TEST

/* --- usage ----------------------------------------------------------------------------------- */

static struct pm_usage usage_of(enum pm_endpoint endpoint, const char *text)
{
	struct toy_body sealer, opener;
	struct pm_view sealed, opened;
	struct pm_usage usage, other;

	toy_body_new(&sealer, endpoint, PM_BODY_RESPONSE, PM_BODY_SEAL);
	toy_body_new(&opener, endpoint, PM_BODY_RESPONSE, PM_BODY_OPEN);
	sealed = json(&sealer, text, NULL).bytes;
	ck_pm(pm_body_json(opener.body, sealed.ptr, sealed.len, NULL, &opened.ptr, &opened.len),
		PM_OK);
	pm_body_usage(sealer.body, &usage);
	pm_body_usage(opener.body, &other);
	ck_assert_uint_eq(usage.found, other.found);
	ck_assert_uint_eq(usage.prompt_tokens, other.prompt_tokens);
	ck_assert_uint_eq(usage.completion_tokens, other.completion_tokens);
	toy_body_free(&sealer);
	toy_body_free(&opener);
	return usage;
}

START_TEST(reads_usage)
{
	struct pm_usage u = usage_of(PM_ENDPOINT_CHAT,
		"{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3,"
		"\"prompt_tokens_details\":{\"cached_tokens\":4}}}");

	ck_assert(u.found && u.prompt_tokens == 6 && u.cached_tokens == 4 &&
		  u.completion_tokens == 3);
	u = usage_of(PM_ENDPOINT_MESSAGES,
		"{\"usage\":{\"input_tokens\":10,\"output_tokens\":3,\"cache_read_input_tokens\":4,"
		"\"cache_creation_input_tokens\":5}}");
	ck_assert(u.found && u.prompt_tokens == 10 && u.cached_tokens == 4);
	ck_assert(u.cache_written_tokens == 5 && u.completion_tokens == 3);
	u = usage_of(PM_ENDPOINT_MESSAGES, "{\"message\":{\"usage\":{\"input_tokens\":7}}}");
	ck_assert(u.found && u.prompt_tokens == 7);
	u = usage_of(
		PM_ENDPOINT_TRANSCRIPTIONS, "{\"usage\":{\"type\":\"duration\",\"seconds\":4}}");
	ck_assert(u.found && u.audio_seconds == 4);
	u = usage_of(PM_ENDPOINT_TRANSCRIPTIONS, "{\"usage\":{\"seconds\":4.25}}");
	ck_assert(u.found && u.audio_seconds == 5);
	ck_assert(!usage_of(PM_ENDPOINT_CHAT, "{\"usage\":null}").found);
	ck_assert(!usage_of(PM_ENDPOINT_CHAT, "{\"x\":{\"usage\":{}}}").found);
	u = usage_of(PM_ENDPOINT_CHAT, "{\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":1e3,"
				       "\"prompt_tokens_details\":{\"cached_tokens\":9}}}");
	ck_assert(u.prompt_tokens == 0 && u.cached_tokens == 0 && u.completion_tokens == 0);
}
END_TEST

/* --- with the real cipher, and the real vectors ---------------------------------------------- */

START_TEST(field_messages)
{
	static const uint8_t secret[PM_FIELD_SECRET_SIZE] = {7};
	static const char request[] =
		"{\"model\":\"m\",\"messages\":[{\"content\":\"hidden\"}],\"x\":2}";
	struct pm_field_key *key;
	struct pm_field_exchange *client, *server;
	struct pm_body_cipher seal, open;
	struct pm_body *sealer, *opener;
	struct pm_view sealed, opened;

	ck_pm(pm_field_key_new("id", secret, &key), PM_OK);
	ck_pm(pm_field_requester_new(key, &client), PM_OK);
	ck_pm(pm_field_responder_new(key, &server), PM_OK);
	pm_body_field_cipher(client, PM_BODY_SEAL, &seal);
	pm_body_field_cipher(server, PM_BODY_OPEN, &open);
	ck_pm(pm_body_new(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL, &seal, &sealer), PM_OK);
	ck_pm(pm_body_new(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_OPEN, &open, &opener), PM_OK);
	ck_pm(pm_body_json(sealer, request, strlen(request), NULL, &sealed.ptr, &sealed.len),
		PM_OK);
	ck_assert(!contains(sealed, "hidden") && contains(sealed, "\"messages\":\"id:"));
	ck_pm(pm_body_json(opener, sealed.ptr, sealed.len, NULL, &opened.ptr, &opened.len), PM_OK);
	ck_assert(pm_view_equal(opened, pm_view(request, strlen(request))));
	/* the same again is out of its turn */
	ck_pm(pm_body_json(opener, sealed.ptr, sealed.len, NULL, &opened.ptr, &opened.len),
		PM_E_REJECTED);
	pm_body_free(sealer);
	pm_body_free(opener);
	pm_field_exchange_free(client);
	pm_field_exchange_free(server);
	pm_field_key_free(key);
}
END_TEST

static void check_transform(const json_t *row, struct vector_cipher *v, enum pm_body_way way,
	const char *in, const char *want)
{
	struct pm_body_cipher cipher = vector_cipher(v, way);
	enum pm_endpoint endpoint;
	enum pm_body_side side;
	struct pm_body *body;
	struct pm_view out;

	vector_endpoint(row, &endpoint, &side);
	ck_pm(pm_body_new(endpoint, side, way, &cipher, &body), PM_OK);
	ck_pm(pm_body_json(body, in, strlen(in), NULL, &out.ptr, &out.len), PM_OK);
	ck_assert_msg(
		pm_view_equal(out, pm_view(want, strlen(want))), "%s", jsonl_text(row, "name"));
	pm_body_free(body);
}

/* The reference did it right: the same messages in the same places. */
static void check_same(const json_t *row)
{
	const json_t *messages = json_object_get(row, "messages");
	struct vector_cipher v;

	vector_cipher_new(&v, row);
	v.count = json_array_size(messages);
	ck_assert_uint_le(v.count, VECTOR_MESSAGES_MAX);
	for (size_t i = 0; i < v.count; i++) {
		v.messages[i] = jsonl_text(json_array_get(messages, i), "message");
		v.plain[i] = jsonl_text(json_array_get(messages, i), "plaintext");
	}
	check_transform(row, &v, PM_BODY_SEAL, jsonl_text(row, "input"), jsonl_text(row, "output"));
	ck_assert_uint_eq(v.used, v.count);
	check_transform(row, &v, PM_BODY_OPEN, jsonl_text(row, "output"), jsonl_text(row, "input"));
	ck_assert_uint_eq(v.seq, v.count);
	vector_cipher_free(&v);
}

/* The reference failed or left something in clear: refused, or sealed whole. */
static void check_better(const json_t *row)
{
	const char *input = jsonl_text(row, "input"), *name = jsonl_text(row, "name");
	bool hostile = strncmp(name, "HOSTILE", 7) == 0;
	bool refuse = !hostile || strstr(name, "duplicate");
	enum pm_endpoint endpoint;
	enum pm_body_side side;

	if (refuse) {
		ck_pm(seal_error(input), PM_E_FORMAT);
		return;
	}
	vector_endpoint(row, &endpoint, &side);
	round_trip(endpoint, side, pm_view(input, strlen(input)), "leak?");
}

static unsigned int same_rows, better_rows;

static void check_row(const json_t *row)
{
	bool right = strcmp(jsonl_text(row, "reference_result"), "ok") == 0 &&
		     json_is_false(json_object_get(row, "leaks_plaintext"));

	if (right)
		check_same(row);
	else
		check_better(row);
	*(right ? &same_rows : &better_rows) += 1;
}

START_TEST(real_vectors)
{
	if (!test_has_vectors())
		return;
	jsonl_each("privatemode/json_fields.jsonl", check_row);
	ck_assert_uint_ge(same_rows, 12);
	ck_assert_uint_ge(better_rows, 8);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body");
	TCase *tc = tcase_create("body");

	tcase_add_loop_test(tc, endpoints_by_path, 0, PM_ARRAY_LEN(paths));
	tcase_add_test(tc, kinds_of_bodies);
	tcase_add_test(tc, bad_arguments);
	tcase_add_test(tc, empty_body_stays_empty);
	tcase_add_test(tc, spelling_stays);
	tcase_add_loop_test(tc, awkward_keys_are_sealed, 0, PM_ARRAY_LEN(awkward));
	tcase_add_test(tc, lone_surrogates_within_values);
	tcase_add_loop_test(tc, refused_texts, 0, PM_ARRAY_LEN(refused));
	tcase_add_test(tc, reasons_hold_no_content);
	tcase_add_test(tc, opened_values_stay_in_their_place);
	tcase_add_test(tc, a_field_left_plain_is_refused);
	tcase_add_test(tc, renamed_fields_are_refused);
	tcase_add_test(tc, random_documents);
	tcase_add_test(tc, random_arrays);
	tcase_add_test(tc, elements_in_the_reference_s_order);
	tcase_add_test(tc, raw_bodies);
	tcase_add_test(tc, reads_usage);
	tcase_add_test(tc, field_messages);
	tcase_add_test(tc, real_vectors);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
