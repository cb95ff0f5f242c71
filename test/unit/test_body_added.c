/* SPDX-License-Identifier: Apache-2.0 */
/* What is added to requests as they are opened: a question for usage, and that no cache be used. */
#include <string.h>

#include <pm/error.h>

#include "body_maker.h"

struct result {
	struct pm_view bytes;
	int r;
};

/* The text sealed, and opened by this one. */
static struct result open_text(struct toy_body *opener, enum pm_endpoint endpoint, const char *text)
{
	struct toy_body sealer;
	struct result result = {.r = 0};
	struct pm_view sealed;

	toy_body_new(&sealer, endpoint, PM_BODY_REQUEST, PM_BODY_SEAL);
	ck_pm(pm_body_json(sealer.body, text, strlen(text), NULL, &sealed.ptr, &sealed.len), PM_OK);
	result.r = pm_body_json(
		opener->body, sealed.ptr, sealed.len, NULL, &result.bytes.ptr, &result.bytes.len);
	toy_body_free(&sealer);
	return result;
}

static bool is_text(struct result result, const char *want)
{
	return result.r == PM_OK && pm_view_equal(result.bytes, pm_view(want, strlen(want)));
}

/* --- usage ----------------------------------------------------------------------------------- */

static const struct {
	const char *in, *out; /* out NULL: PM_E_FORMAT */
} asking[] = {
	{"{\"model\":\"m\"}", "{\"model\":\"m\"}"},
	{"{\"stream\":false}", "{\"stream\":false}"},
	{"{\"stream\":null,\"stream_options\":null}", "{\"stream\":null,\"stream_options\":null}"},
	{"{\"stream\": true }\n", "{\"stream\": true ,\"stream_options\":{\"include_usage\":true,"
				  "\"continuous_usage_stats\":true}}\n"},
	{"{\"stream\":\"on\"}", "{\"stream\":\"on\",\"stream_options\":{\"include_usage\":true,"
				"\"continuous_usage_stats\":true}}"},
	{"{\"stream_options\":null,\"stream\":true,\"n\":1.0}",
		"{\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},"
		"\"stream\":true,\"n\":1.0}"},
	{"{\"stream\":true,\"stream_options\":{ }}",
		"{\"stream\":true,\"stream_options\":{ \"include_usage\":true,"
		"\"continuous_usage_stats\":true}}"},
	{"{\"stream\":true,\"stream_options\":{\"include_usage\": false , \"x\":[1] }}",
		"{\"stream\":true,\"stream_options\":{\"include_usage\": true , \"x\":[1] ,"
		"\"continuous_usage_stats\":true}}"},
	{"{\"stream\":true,\"stream_options\":{\"continuous_usage_stats\":0,\"include_usage\":{}}}",
		"{\"stream\":true,\"stream_options\":{\"continuous_usage_stats\":true,"
		"\"include_usage\":true}}"},
	{"{\"stream\":true,\"stream_options\":{\"includ\\u0065_usage\":false}}",
		"{\"stream\":true,\"stream_options\":{\"includ\\u0065_usage\":true,"
		"\"continuous_usage_stats\":true}}"},
	{"{\"stream\":true,\"stream_options\":[]}", NULL},
	{"{\"stream\":true,\"stream_options\":true}", NULL},
};

START_TEST(asks_for_usage)
{
	const char *in = asking[_i].in, *want = asking[_i].out;
	struct toy_body toy;
	struct result found;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_OPEN);
	found = open_text(&toy, PM_ENDPOINT_CHAT, in);
	ck_assert(is_text(found, in));
	pm_body_ask_usage(toy.body);
	toy_body_reset(&toy, PM_BODY_OPEN);
	found = open_text(&toy, PM_ENDPOINT_CHAT, in);
	ck_pm(found.r, want ? PM_OK : PM_E_FORMAT);
	if (want)
		ck_assert_msg(is_text(found, want), "%.*s", (int)found.bytes.len, found.bytes.ptr);
	toy_body_free(&toy);
}
END_TEST

/* --- the cache ------------------------------------------------------------------------------- */

static const struct {
	enum pm_endpoint endpoint;
	const char *in, *out; /* NULL: as it was */
} forbidding[] = {
	{PM_ENDPOINT_CHAT, "{\"cache_prompt\": true , \"n\":1.0}",
		"{\"cache_prompt\": false , \"n\":1.0}"},
	{PM_ENDPOINT_CHAT, "{\"cach\\u0065_prompt\":[1],\"a\":2}",
		"{\"cach\\u0065_prompt\":false,\"a\":2}"},
	{PM_ENDPOINT_CHAT, "{\"a\": {\"cache_prompt\":true} }\n",
		"{\"a\": {\"cache_prompt\":true} ,\"cache_prompt\":false}\n"},
	{PM_ENDPOINT_CHAT, "{ }", "{ \"cache_prompt\":false}"},
	{PM_ENDPOINT_CHAT, "[1]", NULL},
	{PM_ENDPOINT_CHAT, "", NULL},
	{PM_ENDPOINT_COMPLETIONS, "{\"a\":1}", "{\"a\":1,\"cache_prompt\":false}"},
	{PM_ENDPOINT_MESSAGES, "{\"a\":1}", "{\"a\":1,\"cache_prompt\":false}"},
	{PM_ENDPOINT_COUNT_TOKENS, "{\"a\":1}", NULL},
	{PM_ENDPOINT_EMBEDDINGS, "{\"a\":1}", NULL},
};

START_TEST(forbids_a_cache)
{
	enum pm_endpoint endpoint = forbidding[_i].endpoint;
	const char *in = forbidding[_i].in, *want = forbidding[_i].out ? forbidding[_i].out : in;
	struct toy_body toy;
	struct result found;

	toy_body_new(&toy, endpoint, PM_BODY_REQUEST, PM_BODY_OPEN);
	ck_assert(is_text(open_text(&toy, endpoint, in), in));
	pm_body_forbid_cache(toy.body);
	for (int again = 0; again < 2; again++) {
		toy_body_reset(&toy, PM_BODY_OPEN);
		found = open_text(&toy, endpoint, in);
		ck_assert_msg(is_text(found, want), "%.*s", (int)found.bytes.len, found.bytes.ptr);
	}
	toy_body_free(&toy);
}
END_TEST

START_TEST(asks_for_usage_without_a_cache)
{
	static const char in[] = "{\"stream\":true,\"cache_prompt\":1}";
	static const char want[] = "{\"stream\":true,\"cache_prompt\":false,\"stream_options\":{"
				   "\"include_usage\":true,\"continuous_usage_stats\":true}}";
	struct toy_body toy;
	struct result found;

	toy_body_new(&toy, PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_OPEN);
	pm_body_ask_usage(toy.body);
	pm_body_forbid_cache(toy.body);
	found = open_text(&toy, PM_ENDPOINT_CHAT, in);
	ck_assert_msg(is_text(found, want), "%.*s", (int)found.bytes.len, found.bytes.ptr);
	toy_body_free(&toy);
}
END_TEST

/* Only requests that are opened: nothing is added to what a client sends, or a server answers. */
START_TEST(leaves_others_alone)
{
	static const char text[] = "{\"model\":\"m\"}";
	const enum pm_body_way ways[] = {PM_BODY_SEAL, PM_BODY_OPEN};
	struct toy_body toy;
	struct result found = {.r = 0};

	for (size_t i = 0; i < PM_ARRAY_LEN(ways); i++) {
		toy_body_new(
			&toy, PM_ENDPOINT_CHAT, i ? PM_BODY_RESPONSE : PM_BODY_REQUEST, ways[i]);
		pm_body_forbid_cache(toy.body);
		found.r = pm_body_json(toy.body, i ? "{}" : text, i ? 2 : strlen(text), NULL,
			&found.bytes.ptr, &found.bytes.len);
		ck_assert(is_text(found, i ? "{}" : text));
		toy_body_free(&toy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("body_added");
	TCase *tc = tcase_create("body_added");

	tcase_add_loop_test(tc, asks_for_usage, 0, PM_ARRAY_LEN(asking));
	tcase_add_loop_test(tc, forbids_a_cache, 0, PM_ARRAY_LEN(forbidding));
	tcase_add_test(tc, asks_for_usage_without_a_cache);
	tcase_add_test(tc, leaves_others_alone);
	suite_add_tcase(suite, tc);
	return test_main(suite);
}
