/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule on media, for a whole body: OpenAI's messages[].content[] with image_url, audio_url and
 * video_url, Anthropic's with source.url, also within tool results. What has the shape of such a
 * part is checked wherever it stands among the messages, whatever type it says to be: a server that
 * reads more leniently than we do finds no more than we did.
 */
#include <pm/rules.h>

#include "base/report.h"
#include "envelope/json_scan.h"

/* Deepest nesting of parts: messages, their content, a tool result's content, its parts. */
#define DEPTH_MAX 16

struct walk {
	enum pm_media_rule rule;
	struct pm_report *report;
	int depth;
};

static int check_value(struct walk *walk, struct pm_view value);

static int malformed(const struct walk *walk, const char *name, const char *expected)
{
	return pm_fail(walk->report, PM_E_FORMAT, name, expected, "something else");
}

/* A string: the scheme must stand there without escapes, so the text between the quotes will do. */
static int check_url(const struct walk *walk, enum pm_media_kind kind, struct pm_view value)
{
	if (pm_json_type_of(value) == PM_JSON_NULL)
		return PM_OK;
	if (kind != PM_MEDIA_IMAGE)
		return pm_media_check(walk->rule, kind, "", 0, walk->report);
	if (pm_json_type_of(value) != PM_JSON_STRING)
		return malformed(walk, "image_url", "a string");
	return pm_media_check(
		walk->rule, kind, (const char *)value.ptr + 1, value.len - 2, walk->report);
}

/*
 * An object with "url", which is the URL; or, where that may be, the URL itself. A document's
 * source may be parts of its own, as its content.
 */
static int check_holder(struct walk *walk, struct pm_view value, bool must_have_url)
{
	const struct pm_json_member *url, *parts;
	struct pm_json json = {0};
	int r;

	if (pm_json_type_of(value) != PM_JSON_OBJECT)
		return must_have_url ? check_url(walk, PM_MEDIA_IMAGE, value) : PM_OK;
	r = pm_json_scan(&json, value);
	if (r < 0) {
		pm_json_free(&json);
		return r;
	}
	url = pm_json_find(&json, "url");
	parts = pm_json_find(&json, "content");
	if (url)
		r = check_url(walk, PM_MEDIA_IMAGE, url->value);
	else if (must_have_url)
		r = malformed(walk, "image_url", "an object with url");
	if (r == PM_OK && parts)
		r = check_value(walk, parts->value);
	pm_json_free(&json);
	return r;
}

static int check_member(struct walk *walk, const struct pm_json_member *member)
{
	if (pm_json_key_is(member->key, "image_url"))
		return check_holder(walk, member->value, true);
	if (pm_json_key_is(member->key, "audio_url"))
		return check_url(walk, PM_MEDIA_AUDIO, member->value);
	if (pm_json_key_is(member->key, "video_url"))
		return check_url(walk, PM_MEDIA_VIDEO, member->value);
	if (pm_json_key_is(member->key, "source"))
		return check_holder(walk, member->value, false);
	if (pm_json_key_is(member->key, "content"))
		return check_value(walk, member->value);
	return PM_OK;
}

/* Each element of an array, each member of an object. */
static int check_members(struct walk *walk, struct pm_view value)
{
	bool is_array = pm_json_type_of(value) == PM_JSON_ARRAY;
	struct pm_json json = {0};
	int r = pm_json_scan(&json, value);

	for (size_t i = 0; r == PM_OK && i < json.count; i++)
		r = is_array ? check_value(walk, json.members[i].value)
			     : check_member(walk, &json.members[i]);
	pm_json_free(&json);
	return r;
}

static int check_value(struct walk *walk, struct pm_view value)
{
	enum pm_json_type type = pm_json_type_of(value);
	int r;

	if (type != PM_JSON_ARRAY && type != PM_JSON_OBJECT)
		return PM_OK;
	if (walk->depth == DEPTH_MAX)
		return pm_fail(
			walk->report, PM_E_LIMIT, "messages", "nesting of 16 at most", "more");
	walk->depth++;
	r = check_members(walk, value);
	walk->depth--;
	return r;
}

int pm_media_check_body(
	enum pm_media_rule rule, const char *json, size_t len, struct pm_report *report)
{
	struct walk walk = {rule, report, 0};
	const struct pm_json_member *messages;
	struct pm_json body = {0};
	int r;

	if (rule != PM_MEDIA_DATA_ONLY && rule != PM_MEDIA_HTTPS_IMAGES)
		return PM_E_ARG;
	r = pm_json_scan(&body, pm_view(json, len));
	if (r < 0 || body.type != PM_JSON_OBJECT) {
		pm_json_free(&body);
		return pm_fail(report, r < 0 ? r : PM_E_FORMAT, "body", "an object of JSON",
			"something else");
	}
	messages = pm_json_find(&body, "messages");
	if (messages)
		r = check_value(&walk, messages->value);
	pm_json_free(&body);
	return r;
}
