/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event streams (WHATWG HTML, "Server-sent events"), line by line as the reference does: each
 * complete document of a data line is one JSON body, and the count of messages runs through all of
 * them.
 */
#include <pm/body.h>

#include <string.h>
#include <strings.h>

#include "base/report.h"
#include "envelope/body.h"
#include "envelope/json_body.h"

#define LITERAL(text) pm_view(text, sizeof(text) - 1)

static bool is(struct pm_view v, const char *text)
{
	return pm_view_equal(v, pm_view(text, strlen(text)));
}

static size_t line_max(const struct pm_body *body)
{
	return body->way == PM_BODY_SEAL ? PM_SSE_LINE_MAX : PM_SSE_SEALED_LINE_MAX;
}

static int too_long(size_t max, struct pm_report *report)
{
	return pm_fail(report, PM_E_LIMIT, "sse.line", "a line within the limit",
		"more than %zu bytes", max);
}

/* Three pieces, one after the other. */
static int put(struct pm_body *body, struct pm_view a, struct pm_view b, struct pm_view c)
{
	int r = pm_grow_add(&body->out, a);

	if (r == PM_OK)
		r = pm_grow_add(&body->out, b);
	return r < 0 ? r : pm_grow_add(&body->out, c);
}

static bool is_done(struct pm_view value)
{
	return value.len == 6 && strncasecmp((const char *)value.ptr, "[DONE]", 6) == 0;
}

/* --- data lines ------------------------------------------------------------------------------ */

/* What the document of body->json becomes, as one line. */
static int put_document(struct pm_body *body, struct pm_view text, struct pm_report *report)
{
	size_t begin = body->out.len;
	int r = pm_grow_add(&body->out, LITERAL("data: "));

	if (r == PM_OK)
		r = pm_json_body_write(body, text, true, report);
	if (r < 0)
		return r;
	if (body->out.len - begin > PM_SSE_SEALED_LINE_MAX)
		return too_long(PM_SSE_SEALED_LINE_MAX, report);
	return pm_grow_add(&body->out, LITERAL("\n\n"));
}

/* A document that stands in one line, or the beginning of one that goes on in the next. */
static int take_document(struct pm_body *body, struct pm_view text, struct pm_report *report)
{
	int r = pm_json_scan(&body->json, text);

	if (r == PM_E_FORMAT && body->json.truncated)
		return pm_grow_add(&body->data, text);
	if (r < 0)
		return pm_json_body_fail(body, r, report);
	return put_document(body, text, report);
}

/*
 * Further data of an event whose document is not complete. The lines are joined by LF, which is for
 * JSON what the space is that we write. They are looked at once, when the event ends: looking after
 * each line would take time that grows with the square of their number.
 */
static int hold_data(struct pm_body *body, struct pm_view value, struct pm_report *report)
{
	int r;

	if (body->data.len + value.len >= line_max(body))
		return too_long(line_max(body), report);
	r = pm_grow_add(&body->data, LITERAL(" "));
	return r < 0 ? r : pm_grow_add(&body->data, value);
}

/* The event ends, so its document must be whole. */
static int take_held(struct pm_body *body, struct pm_report *report)
{
	struct pm_view text = pm_grow_view(&body->data);
	int r = pm_json_scan(&body->json, text);

	if (r < 0)
		return pm_json_body_fail(body, r, report);
	r = put_document(body, text, report);
	body->data.len = 0;
	return r;
}

static int take_data(struct pm_body *body, struct pm_view value, struct pm_report *report)
{
	if (body->data.len)
		return hold_data(body, value, report);
	if (value.len == 0)
		return pm_grow_add(&body->out, LITERAL("data: \n\n"));
	if (!is_done(value))
		return take_document(body, value, report);
	body->done = true;
	return put(body, LITERAL("data: "), value, LITERAL("\n\n"));
}

/* --- other lines ----------------------------------------------------------------------------- */

static bool is_word(struct pm_view v)
{
	for (size_t i = 0; i < v.len; i++) {
		uint8_t c = v.ptr[i], lower = c | 0x20;

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '.' &&
			c != '_' && c != '-')
			return false;
	}
	return v.len > 0;
}

/* The name stays plain, so it must be a word and not a text. */
static int take_event(struct pm_body *body, struct pm_view name, struct pm_report *report)
{
	if (!is_word(name) || name.len > PM_SSE_EVENT_NAME_MAX)
		return pm_fail(
			report, PM_E_FORMAT, "sse.event", "a short word", "%zu bytes", name.len);
	if (body->endpoint == PM_ENDPOINT_MESSAGES && is(name, "message_stop"))
		body->done = true;
	return put(body, LITERAL("event: "), name, LITERAL("\n"));
}

/* A comment can't be encrypted; when opening, an empty one keeps the connection alive as it did. */
static int take_comment(struct pm_body *body)
{
	return body->way == PM_BODY_SEAL ? PM_OK : pm_grow_add(&body->out, LITERAL(":\n\n"));
}

static int take_field(
	struct pm_body *body, struct pm_view name, struct pm_view value, struct pm_report *report)
{
	if (is(name, "data"))
		return take_data(body, value, report);
	if (is(name, "event"))
		return take_event(body, value, report);
	/* Receivers ignore the rest; but what is no field at all is no event stream. */
	if (!is_word(name))
		return pm_fail(report, PM_E_FORMAT, "sse.field", "a line with a field's name",
			"%zu bytes without one", name.len + value.len);
	return PM_OK;
}

static int take_line(struct pm_body *body, struct pm_view line, struct pm_report *report)
{
	const uint8_t *colon;
	struct pm_view name = line, value = {0};

	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return body->data.len ? take_held(body, report) : PM_OK;
	if (memchr(line.ptr, '\r', line.len))
		return pm_fail(
			report, PM_E_FORMAT, "sse.line", "lines ended by LF or CRLF", "a CR");
	if (line.ptr[0] == ':')
		return take_comment(body);
	colon = memchr(line.ptr, ':', line.len);
	name.len = colon ? (size_t)(colon - line.ptr) : line.len;
	if (colon)
		value = pm_view(colon + 1, line.len - name.len - 1);
	if (value.len && value.ptr[0] == ' ')
		value = pm_view(value.ptr + 1, value.len - 1);
	return take_field(body, name, value, report);
}

/* --- cutting into lines ---------------------------------------------------------------------- */

/* A line that came in pieces. */
static int take_kept_line(struct pm_body *body, struct pm_report *report)
{
	int r = take_line(body, pm_grow_view(&body->line), report);

	body->line.len = 0;
	return r;
}

static int take_piece(
	struct pm_body *body, struct pm_view piece, bool ends, struct pm_report *report)
{
	int r;

	if (piece.len > line_max(body) - body->line.len)
		return too_long(line_max(body), report);
	if (ends && body->line.len == 0)
		return take_line(body, piece, report);
	r = pm_grow_add(&body->line, piece);
	if (r < 0 || !ends)
		return r;
	return take_kept_line(body, report);
}

static int take_chunk(struct pm_body *body, struct pm_view left, struct pm_report *report)
{
	int r = PM_OK;

	while (r == PM_OK && left.len) {
		const uint8_t *end = memchr(left.ptr, '\n', left.len);
		struct pm_view piece = pm_view(left.ptr, end ? (size_t)(end - left.ptr) : left.len);
		size_t used = piece.len + (end != NULL);

		r = take_piece(body, piece, end != NULL, report);
		left = pm_view(left.ptr + used, left.len - used);
	}
	return r;
}

static int finish(struct pm_body *body, int r, const uint8_t **ret_out, size_t *ret_len)
{
	if (r < 0) {
		body->failed = r;
		return r;
	}
	*ret_out = body->out.ptr;
	*ret_len = body->out.len;
	return PM_OK;
}

int pm_body_sse(struct pm_body *body, const void *in, size_t in_len, struct pm_report *report,
	const uint8_t **ret_out, size_t *ret_len)
{
	if (body->failed)
		return PM_E_STATE;
	body->out.len = 0;
	return finish(body, take_chunk(body, pm_view(in, in_len), report), ret_out, ret_len);
}

int pm_body_sse_end(
	struct pm_body *body, struct pm_report *report, const uint8_t **ret_out, size_t *ret_len)
{
	int r = PM_OK;

	if (body->failed)
		return PM_E_STATE;
	body->out.len = 0;
	if (body->line.len)
		r = take_kept_line(body, report);
	if (r == PM_OK && body->data.len)
		r = take_held(body, report);
	return finish(body, r, ret_out, ret_len);
}

bool pm_body_sse_is_done(const struct pm_body *body)
{
	return body->done && !body->failed;
}
