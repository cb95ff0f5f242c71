/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms (RFC 7578), in the order of messages of the reference: the values sorted by name, then the
 * files sorted by name (WithFormRequestMutation in internal/oss/forwarder/mutators.go).
 */
#include <pm/body.h>
#include <pm/text.h>

#include <string.h>

#include "base/report.h"
#include "base/wr.h"
#include "crypto/crypto.h"
#include "envelope/body.h"
#include "envelope/form_parse.h"
#include "envelope/order.h"
#include "envelope/usage.h"

/* Random bytes in the boundary of what is written, in hexadecimal there. */
#define BOUNDARY_BYTES 16
#define BOUNDARY_SIZE  (2 * BOUNDARY_BYTES + 1)

struct item {
	struct pm_form_part part;
	bool plain;
	/* Of what is no plain field: its result in work. */
	size_t at, len;
};

struct sorting {
	const struct item *items;
	uint32_t *order;
};

static struct item *items_of(const struct pm_body *body)
{
	return (struct item *)(void *)body->items.ptr;
}

static size_t count_of(const struct pm_body *body)
{
	return body->items.len / sizeof(struct item);
}

static bool is_named(struct pm_view name, const char *text)
{
	return pm_view_equal(name, pm_view(text, strlen(text)));
}

static bool is_plain(const struct pm_body *body, const struct pm_form_part *part)
{
	for (const char *const *name = pm_body_plain(body); *name && !part->file; name++)
		if (is_named(part->name, *name))
			return true;
	return false;
}

static int take_part(const struct pm_form_part *part, void *arg)
{
	struct pm_body *body = arg;
	struct item item = {.part = *part, .plain = is_plain(body, part)};
	uint32_t index = (uint32_t)count_of(body);
	int r = pm_grow_add(&body->items, pm_view(&item, sizeof(item)));

	return r < 0 ? r : pm_grow_add(&body->order, pm_view(&index, sizeof(index)));
}

/* --- messages in their order ----------------------------------------------------------------- */

static int compare_names(struct pm_view a, struct pm_view b)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++)
		if (a.ptr[i] != b.ptr[i])
			return a.ptr[i] - b.ptr[i];
	return (a.len > b.len) - (a.len < b.len);
}

static bool item_less(const void *items, size_t a, size_t b)
{
	const struct sorting *s = items;
	const struct pm_form_part *x = &s->items[s->order[a]].part;
	const struct pm_form_part *y = &s->items[s->order[b]].part;
	int difference = compare_names(x->name, y->name);

	if (x->file != y->file)
		return y->file;
	return difference ? difference < 0 : s->order[a] < s->order[b];
}

static void item_swap(void *items, size_t a, size_t b)
{
	struct sorting *s = items;
	uint32_t index = s->order[a];

	s->order[a] = s->order[b];
	s->order[b] = index;
}

static const struct pm_order message_order = {item_less, item_swap};

static int apply_item(struct pm_body *body, struct item *item, struct pm_report *report)
{
	if (item->plain)
		return PM_OK;
	item->at = body->work.len;
	return pm_body_apply(body, item->part.content, &body->work, &item->len, report);
}

static int apply_all(struct pm_body *body, struct pm_report *report)
{
	struct sorting sorting = {items_of(body), (uint32_t *)(void *)body->order.ptr};
	int r = PM_OK;

	body->work.len = 0;
	pm_sort(&message_order, &sorting, count_of(body));
	for (size_t i = 0; r == PM_OK && i < count_of(body); i++)
		r = apply_item(body, &items_of(body)[sorting.order[i]], report);
	return r;
}

/* --- the form written anew ------------------------------------------------------------------- */

/* The pieces, up to an empty one. */
static int put(struct pm_grow *out, const struct pm_view *pieces)
{
	int r = PM_OK;

	for (; r == PM_OK && pieces->ptr; pieces++)
		r = pm_grow_add(out, *pieces);
	return r;
}

static struct pm_view text(const char *s)
{
	return pm_view(s, strlen(s));
}

static int put_value(
	struct pm_grow *out, const char *boundary, struct pm_view name, struct pm_view content)
{
	const struct pm_view pieces[] = {text("--"), text(boundary),
		text("\r\nContent-Disposition: form-data; name=\""), name, text("\"\r\n\r\n"),
		content.len ? content : text(""), text("\r\n"), {0}};

	return put(out, pieces);
}

static int put_file(struct pm_body *body, const char *boundary, const struct pm_form_part *part,
	struct pm_view content)
{
	bool keep = body->keeps_files;
	const struct pm_view pieces[] = {text("--"), text(boundary),
		text("\r\nContent-Disposition: form-data; name=\""), part->name,
		text("\"; filename=\""), keep && part->file_name.len ? part->file_name : part->name,
		text("\"\r\nContent-Type: "),
		keep && part->type.len ? part->type : text("application/octet-stream"),
		text("\r\n\r\n"), content.len ? content : text(""), text("\r\n"), {0}};

	return put(&body->out, pieces);
}

static struct pm_view content_of(const struct pm_body *body, const struct item *item)
{
	return item->plain ? item->part.content : pm_view(body->work.ptr + item->at, item->len);
}

/* --- asking for usage ------------------------------------------------------------------------ */

#define FLAG_COUNT 2

static const char *const usage_flags[FLAG_COUNT] = {
	"stream_include_usage", "stream_continuous_usage_stats"};

static bool streams(const struct pm_body *body)
{
	for (size_t i = 0; i < count_of(body); i++) {
		const struct item *item = &items_of(body)[i];

		if (item->plain && is_named(item->part.name, "stream") &&
			pm_usage_is_true(item->part.content))
			return true;
	}
	return false;
}

/* Sets the flags that are there to true, and appends the others. */
static int put_flags(struct pm_body *body, const char *boundary)
{
	int r = PM_OK;

	for (size_t k = 0; r == PM_OK && k < FLAG_COUNT; k++) {
		bool have = false;

		for (size_t i = 0; i < count_of(body); i++) {
			struct item *item = &items_of(body)[i];

			if (!item->plain || !is_named(item->part.name, usage_flags[k]))
				continue;
			item->part.content = text("true");
			have = true;
		}
		if (!have)
			r = put_value(&body->out, boundary, text(usage_flags[k]), text("true"));
	}
	return r;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int write_form(struct pm_body *body, const char *boundary)
{
	const struct pm_view last[] = {text("--"), text(boundary), text("--\r\n"), {0}};
	int r = PM_OK;

	if (body->asks_usage && body->endpoint == PM_ENDPOINT_TRANSCRIPTIONS && streams(body))
		r = put_flags(body, boundary);
	for (size_t i = 0; r == PM_OK && i < count_of(body); i++) {
		const struct item *item = &items_of(body)[i];
		struct pm_view content = content_of(body, item);

		r = item->part.file ? put_file(body, boundary, &item->part, content)
				    : put_value(&body->out, boundary, item->part.name, content);
	}
	return r < 0 ? r : put(&body->out, last);
}

/* So many random bits that no content holds it by chance, and nobody guesses it. */
static void draw_boundary(char *ret)
{
	uint8_t bytes[BOUNDARY_BYTES];

	pm_random(bytes, sizeof(bytes));
	pm_hex_encode(bytes, sizeof(bytes), ret);
}

static void write_content_type(const char *subtype, const char *boundary, char *ret)
{
	struct pm_wr wr = pm_wr(ret, PM_FORM_CONTENT_TYPE_SIZE);

	pm_wr_bytes(&wr, text("multipart/"));
	pm_wr_bytes(&wr, text(subtype));
	pm_wr_bytes(&wr, text("; boundary="));
	pm_wr_bytes(&wr, text(boundary));
	pm_wr_u8(&wr, 0);
}

static int transform(struct pm_body *body, const struct pm_form_type *type, struct pm_view in,
	const char *boundary, struct pm_report *report)
{
	int r;

	body->out.len = body->items.len = body->order.len = 0;
	r = pm_form_each(type, in, take_part, body, report);
	if (r == PM_OK)
		r = apply_all(body, report);
	return r < 0 ? r : write_form(body, boundary);
}

int pm_body_form(struct pm_body *body, const char *content_type, const void *in, size_t in_len,
	struct pm_report *report, const uint8_t **ret_out, size_t *ret_len, char *ret_content_type)
{
	struct pm_form_type type;
	char boundary[BOUNDARY_SIZE];
	int r;

	if (body->failed)
		return PM_E_STATE;
	if (in_len > PM_BODY_MAX)
		return pm_body_too_long(report);
	r = pm_crypto_init();
	if (r < 0)
		return r;
	r = pm_form_type_parse(content_type, &type);
	if (r < 0)
		return pm_fail(report, r, "form.type", "multipart/form-data with a boundary",
			"another type, or none");
	draw_boundary(boundary);
	r = transform(body, &type, pm_view(in, in_len), boundary, report);
	if (r < 0) {
		body->failed = r;
		return r;
	}
	write_content_type(type.subtype, boundary, ret_content_type);
	*ret_out = body->out.ptr;
	*ret_len = body->out.len;
	return PM_OK;
}
