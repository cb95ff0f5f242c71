/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker asks of a request, read in one go. */
#include <pm/rules.h>

#include "base/report.h"
#include "envelope/json_scan.h"

/* A string's text; the escapes that stand for one plain character each are taken off. */
struct text {
	struct pm_view left;
};

static bool next_char(struct text *text, char *ret)
{
	uint8_t c = text->left.ptr[0];
	size_t used = c == '\\' ? 2 : 1;

	/* The string was scanned: behind a backslash there is a character. */
	if (used == 2)
		c = text->left.ptr[1];
	text->left = pm_view(text->left.ptr + used, text->left.len - used);
	*ret = (char)c;
	return used == 1 || c == '/' || c == '"' || c == '\\';
}

static struct text text_of(struct pm_view value)
{
	return (struct text){pm_view(value.ptr + 1, value.len - 2)};
}

/* A name of a model is printable ASCII: it goes to logs, metrics and headers. */
static int read_model(
	struct pm_view value, struct pm_request_facts *facts, struct pm_report *report)
{
	struct text text = text_of(value);
	size_t len = 0;

	while (text.left.len) {
		char c;

		if (!next_char(&text, &c) || c < ' ' || c > '~')
			return pm_fail(report, PM_E_FORMAT, "model",
				"printable characters of ASCII", "others");
		if (len == PM_REQUEST_MODEL_SIZE - 1)
			return pm_fail(
				report, PM_E_LIMIT, "model", "256 characters at most", "more");
		facts->model[len++] = c;
	}
	facts->model[len] = '\0';
	return PM_OK;
}

/* "\u" and its digits count as one byte, which is never too much. */
static size_t decoded_length(struct pm_view value)
{
	struct text text = text_of(value);
	size_t len = 0;

	while (text.left.len) {
		char c;
		bool plain = next_char(&text, &c);

		if (!plain && c == 'u')
			text.left = pm_view(text.left.ptr + 4, text.left.len - 4);
		len++;
	}
	return len;
}

static int read_members(
	const struct pm_json *json, struct pm_request_facts *facts, struct pm_report *report)
{
	const struct pm_json_member *model = pm_json_find(json, "model");
	const struct pm_json_member *salt = pm_json_find(json, "cache_salt");

	if (salt && pm_json_type_of(salt->value) == PM_JSON_STRING)
		facts->cache_salt_len = decoded_length(salt->value);
	else if (salt && pm_json_type_of(salt->value) != PM_JSON_NULL)
		return pm_fail(report, PM_E_FORMAT, "cache_salt", "a string", "another value");
	if (!model)
		return PM_OK;
	if (pm_json_type_of(model->value) != PM_JSON_STRING)
		return pm_fail(report, PM_E_FORMAT, "model", "a string", "another value");
	return read_model(model->value, facts, report);
}

int pm_request_read(
	const char *json, size_t len, struct pm_request_facts *ret_facts, struct pm_report *report)
{
	struct pm_request_facts facts = {.size = sizeof(facts)};
	struct pm_json body = {0};
	int r;

	if (ret_facts->size != sizeof(facts))
		return PM_E_ARG;
	r = pm_json_scan(&body, pm_view(json, len));
	if (r == PM_OK && body.type != PM_JSON_OBJECT)
		r = PM_E_FORMAT;
	if (r < 0)
		(void)pm_fail(report, r, "body", "an object of JSON", "something else");
	else
		r = read_members(&body, &facts, report);
	pm_json_free(&body);
	if (r < 0)
		return r;
	*ret_facts = facts;
	return PM_OK;
}
