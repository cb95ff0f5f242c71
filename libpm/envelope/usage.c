/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/usage.h"

#include <string.h>
#include <strings.h>

#include "envelope/json_set.h"

/* --- reading --------------------------------------------------------------------------------- */

/* One figure, if it is there. */
static void read_figure(const struct pm_json *json, const char *name, uint64_t *ret)
{
	const struct pm_json_member *member = pm_json_find(json, name);
	uint64_t value;

	if (member && pm_json_uint(member->value, &value))
		*ret = value;
}

/* Seconds as an integer or a decimal fraction, which counts as a whole one. */
static void read_seconds(const struct pm_json *json, uint64_t *ret)
{
	const struct pm_json_member *member = pm_json_find(json, "seconds");
	const uint8_t *point;
	struct pm_view whole;
	uint64_t value;

	if (!member)
		return;
	whole = member->value;
	point = memchr(whole.ptr, '.', whole.len);
	if (point)
		whole.len = (size_t)(point - whole.ptr);
	if (pm_json_uint(whole, &value))
		*ret = value + (point && value < UINT64_MAX);
}

/* Anthropic: the figures of the prompt do not contain each other. */
static void read_anthropic(struct pm_usage *usage, const struct pm_json *json)
{
	read_figure(json, "input_tokens", &usage->prompt_tokens);
	read_figure(json, "cache_read_input_tokens", &usage->cached_tokens);
	read_figure(json, "cache_creation_input_tokens", &usage->cache_written_tokens);
	read_figure(json, "output_tokens", &usage->completion_tokens);
}

/* OpenAI: the prompt's figure contains the cached tokens. */
static void read_openai(struct pm_usage *usage, struct pm_json *json)
{
	struct pm_usage found = {.found = true};
	const struct pm_json_member *details = pm_json_find(json, "prompt_tokens_details");

	read_figure(json, "prompt_tokens", &found.prompt_tokens);
	read_figure(json, "completion_tokens", &found.completion_tokens);
	read_seconds(json, &found.audio_seconds);
	if (details && pm_json_scan(json, details->value) == PM_OK)
		read_figure(json, "cached_tokens", &found.cached_tokens);
	if (found.cached_tokens > found.prompt_tokens)
		found.cached_tokens = found.prompt_tokens;
	found.prompt_tokens -= found.cached_tokens;
	*usage = found;
}

void pm_usage_read(struct pm_usage *usage, enum pm_endpoint endpoint, struct pm_json *scratch,
	struct pm_view value)
{
	if (pm_json_type_of(value) != PM_JSON_OBJECT || pm_json_scan(scratch, value) != PM_OK)
		return;
	if (endpoint == PM_ENDPOINT_MESSAGES)
		read_anthropic(usage, scratch);
	else
		read_openai(usage, scratch);
	usage->found = true;
}

void pm_usage_read_message(struct pm_usage *usage, struct pm_json *scratch, struct pm_view value)
{
	const struct pm_json_member *member;

	if (pm_json_type_of(value) != PM_JSON_OBJECT || pm_json_scan(scratch, value) != PM_OK)
		return;
	member = pm_json_find(scratch, "usage");
	if (member)
		pm_usage_read(usage, PM_ENDPOINT_MESSAGES, scratch, member->value);
}

/* --- asking ---------------------------------------------------------------------------------- */

#define OPTION_COUNT 2

/* vLLM's parser (pydantic) takes all these for true: none may be a way round the metering. */
bool pm_usage_is_true(struct pm_view value)
{
	static const char *const words[] = {"true", "1", "1.0", "on", "yes", "t", "y"};

	if (value.len >= 2 && value.ptr[0] == '"')
		value = pm_view(value.ptr + 1, value.len - 2);
	for (size_t i = 0; i < PM_ARRAY_LEN(words); i++)
		if (value.len == strlen(words[i]) &&
			strncasecmp((const char *)value.ptr, words[i], value.len) == 0)
			return true;
	return value.len && memchr(value.ptr, '\\', value.len);
}

static const char *const option_names[OPTION_COUNT] = {"include_usage", "continuous_usage_stats"};
static const char option_texts[OPTION_COUNT][32] = {
	"\"include_usage\":true", "\"continuous_usage_stats\":true"};
static const char all_options[] = "{\"include_usage\":true,\"continuous_usage_stats\":true}";

static struct pm_view view_of(const char *text)
{
	return pm_view(text, strlen(text));
}

/* The options that are not there, before the closing bracket. */
static int add_missing(struct pm_grow *out, bool first, const bool *have)
{
	int r = PM_OK;

	for (size_t k = 0; r == PM_OK && k < OPTION_COUNT; k++) {
		if (have[k])
			continue;
		r = pm_grow_add(out, view_of(first ? "" : ","));
		if (r == PM_OK)
			r = pm_grow_add(out, view_of(option_texts[k]));
		first = false;
	}
	return r;
}

static bool is_option(struct pm_json_key key, bool *have)
{
	for (size_t k = 0; k < OPTION_COUNT; k++)
		if (pm_json_key_is(key, option_names[k])) {
			have[k] = true;
			return true;
		}
	return false;
}

/* The text of stream_options with both options true. */
static int add_options(struct pm_json *json, struct pm_view text, struct pm_grow *out)
{
	const uint8_t *at = text.ptr;
	bool have[OPTION_COUNT] = {false};
	struct pm_view end;
	int r = pm_json_scan(json, text);

	for (size_t i = 0; r == PM_OK && i < json->count; i++) {
		struct pm_view value = json->members[i].value;

		if (!is_option(json->members[i].key, have))
			continue;
		r = pm_grow_add(out, pm_json_between(at, value.ptr));
		if (r == PM_OK)
			r = pm_grow_add(out, view_of("true"));
		at = value.ptr + value.len;
	}
	if (r < 0)
		return r;
	end = pm_json_end(text);
	r = pm_grow_add(out, pm_json_between(at, end.ptr));
	if (r == PM_OK)
		r = add_missing(out, json->count == 0, have);
	return r < 0 ? r : pm_grow_add(out, pm_json_between(end.ptr, text.ptr + text.len));
}

static int change_options(
	struct pm_json *scratch, struct pm_view text, struct pm_view options, struct pm_grow *out)
{
	int r = pm_grow_add(out, pm_json_between(text.ptr, options.ptr));

	if (r == PM_OK)
		r = add_options(scratch, options, out);
	if (r < 0)
		return r;
	return pm_grow_add(out, pm_json_between(options.ptr + options.len, text.ptr + text.len));
}

int pm_usage_ask(struct pm_json *scratch, struct pm_json *scratch_options, struct pm_view text,
	struct pm_grow *out)
{
	const struct pm_json_member *stream, *options;
	int r = pm_json_scan(scratch, text);

	if (r < 0)
		return r;
	stream = pm_json_find(scratch, "stream");
	if (!stream || !pm_usage_is_true(stream->value))
		return pm_grow_add(out, text);
	options = pm_json_find(scratch, "stream_options");
	if (!options || pm_json_type_of(options->value) == PM_JSON_NULL)
		return pm_json_set(scratch, text, "stream_options", view_of(all_options), out);
	if (pm_json_type_of(options->value) != PM_JSON_OBJECT)
		return PM_E_FORMAT;
	return change_options(scratch_options, text, options->value, out);
}
