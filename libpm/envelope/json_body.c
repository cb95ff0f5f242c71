/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing: the length of each message is known before, so the cipher writes it where it belongs in
 * the result. Opening: values come out shorter than the room they need, so they go to body->work
 * first. In both, messages are made in the order of the reference (MutateJSONFields in
 * internal/oss/forwarder/mutators.go), and copied in the order of the text.
 */
#include "envelope/json_body.h"

#include <string.h>

#include "base/report.h"
#include "envelope/order.h"
#include "envelope/usage.h"

/* A member that becomes a message. */
struct item {
	uint32_t member;
	/* Where its result begins, in out or in work, and its length. */
	size_t at, len;
};

/* What the order of messages is decided upon. */
struct sorting {
	const struct pm_json *json;
	const struct item *items;
	uint32_t *order;
};

int pm_json_body_fail(const struct pm_body *body, int error, struct pm_report *report)
{
	return pm_fail(report, error, "json", "one JSON document", "at byte %zu: %s",
		body->json.offset, body->json.why);
}

/* --- which members, in which order ----------------------------------------------------------- */

static bool is_on_list(const char *const *names, struct pm_json_key key)
{
	for (; *names; names++)
		if (pm_json_key_is(key, *names))
			return true;
	return false;
}

static int add_item(struct pm_body *body, size_t member)
{
	struct item item = {.member = (uint32_t)member};
	uint32_t index = (uint32_t)(body->items.len / sizeof(item));
	int r = pm_grow_add(&body->items, pm_view(&item, sizeof(item)));

	return r < 0 ? r : pm_grow_add(&body->order, pm_view(&index, sizeof(index)));
}

static int select_items(struct pm_body *body, struct pm_report *report)
{
	const char *const *plain = pm_body_plain(body);
	bool object = body->json.type == PM_JSON_OBJECT;

	body->items.len = body->order.len = 0;
	for (size_t i = 0; i < body->json.count; i++) {
		struct pm_json_key key = body->json.members[i].key;
		bool listed = object && is_on_list(plain, key);
		int r;

		if (listed && key.escaped)
			return pm_fail(report, PM_E_FORMAT, "json.key",
				"plain fields spelled without escapes", "member %zu", i);
		r = listed ? PM_OK : add_item(body, i);
		if (r < 0)
			return r;
	}
	return PM_OK;
}

static unsigned int digits(uint32_t n)
{
	unsigned int count = 1;

	for (; n >= 10; n /= 10)
		count++;
	return count;
}

/* Bytewise on the decimal texts: 0, 1, 10, 11, 2. Elements are at most 262144. */
static bool decimal_less(uint32_t a, uint32_t b)
{
	unsigned int na = digits(a), nb = digits(b);
	uint64_t scaled_a = a, scaled_b = b;

	for (unsigned int i = na; i < nb; i++)
		scaled_a *= 10;
	for (unsigned int i = nb; i < na; i++)
		scaled_b *= 10;
	return scaled_a != scaled_b ? scaled_a < scaled_b : na < nb;
}

static bool item_less(const void *items, size_t a, size_t b)
{
	const struct sorting *s = items;
	uint32_t x = s->items[s->order[a]].member, y = s->items[s->order[b]].member;

	if (s->json->type == PM_JSON_ARRAY)
		return decimal_less(x, y);
	return pm_json_key_compare(s->json->members[x].key, s->json->members[y].key) < 0;
}

static void item_swap(void *items, size_t a, size_t b)
{
	struct sorting *s = items;
	uint32_t index = s->order[a];

	s->order[a] = s->order[b];
	s->order[b] = index;
}

static const struct pm_order message_order = {item_less, item_swap};

/* --- the document made anew ------------------------------------------------------------------ */

static struct item *item_at(const struct pm_body *body, size_t i)
{
	return &((struct item *)(void *)body->items.ptr)[i];
}

static size_t item_count(const struct pm_body *body)
{
	return body->items.len / sizeof(struct item);
}

static struct item *item_in_order(const struct pm_body *body, size_t i)
{
	return item_at(body, ((const uint32_t *)(const void *)body->order.ptr)[i]);
}

static struct pm_view value_of(const struct pm_body *body, const struct item *item)
{
	return body->json.members[item->member].value;
}

/* The text from at up to the value of the item. */
static struct pm_view text_before(
	const struct pm_body *body, const struct item *item, const uint8_t *at)
{
	return pm_view(at, (size_t)(value_of(body, item).ptr - at));
}

static const uint8_t *end_of(struct pm_view v)
{
	return v.ptr + v.len;
}

/* Copies what stays, and leaves room for each message. */
static int lay_out(struct pm_body *body, struct pm_view text)
{
	const uint8_t *at = text.ptr;
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < item_count(body); i++) {
		struct item *item = item_at(body, i);

		r = pm_grow_add(&body->out, text_before(body, item, at));
		item->at = body->out.len;
		item->len = body->cipher.room(body->cipher.arg, value_of(body, item).len);
		if (r == PM_OK)
			r = pm_grow_room(&body->out, item->len);
		if (r == PM_OK)
			body->out.len += item->len;
		at = end_of(value_of(body, item));
	}
	if (r < 0)
		return r;
	return pm_grow_add(&body->out, pm_view(at, (size_t)(end_of(text) - at)));
}

static int seal_item(struct pm_body *body, const struct item *item, struct pm_report *report)
{
	struct pm_view value = value_of(body, item);
	size_t len;
	int r = body->cipher.apply(body->cipher.arg, value.ptr, value.len, body->out.ptr + item->at,
		item->len, &len, report);

	if (r < 0)
		return r;
	return len == item->len ? PM_OK : PM_E_ARG;
}

static int seal(struct pm_body *body, struct pm_view text, struct pm_report *report)
{
	int r = lay_out(body, text);

	for (size_t i = 0; r == PM_OK && i < item_count(body); i++)
		r = seal_item(body, item_in_order(body, i), report);
	return r;
}

/* What was decrypted replaces one value: it may not be more than one. */
static int check_opened(
	struct pm_body *body, struct pm_view value, bool single_line, struct pm_report *report)
{
	int r;

	body->value.is_inner = true;
	r = pm_json_scan(&body->value, value);
	body->value.is_inner = false;
	if (r < 0)
		return pm_fail(report, r, "json.value", "one JSON value", "at byte %zu: %s",
			body->value.offset, body->value.why);
	if (single_line && body->value.has_lines)
		return pm_fail(report, PM_E_FORMAT, "json.value", "one line", "an end of a line");
	return PM_OK;
}

static int open_item(
	struct pm_body *body, struct item *item, bool single_line, struct pm_report *report)
{
	int r;

	item->at = body->work.len;
	r = pm_body_apply(body, value_of(body, item), &body->work, &item->len, report);
	if (r < 0)
		return r;
	return check_opened(
		body, pm_view(body->work.ptr + item->at, item->len), single_line, report);
}

static int assemble(struct pm_body *body, struct pm_view text)
{
	const uint8_t *at = text.ptr;
	int r = pm_grow_room(&body->out, text.len);

	for (size_t i = 0; r == PM_OK && i < item_count(body); i++) {
		const struct item *item = item_at(body, i);

		r = pm_grow_add(&body->out, text_before(body, item, at));
		if (r == PM_OK)
			r = pm_grow_add(&body->out, pm_view(body->work.ptr + item->at, item->len));
		at = end_of(value_of(body, item));
	}
	return r < 0 ? r : pm_grow_add(&body->out, pm_view(at, (size_t)(end_of(text) - at)));
}

static int unseal(
	struct pm_body *body, struct pm_view text, bool single_line, struct pm_report *report)
{
	int r = PM_OK;

	body->work.len = 0;
	for (size_t i = 0; r == PM_OK && i < item_count(body); i++)
		r = open_item(body, item_in_order(body, i), single_line, report);
	return r < 0 ? r : assemble(body, text);
}

/* --- usage ----------------------------------------------------------------------------------- */

/* Plain members are the same on both sides. */
static void meter_plain(struct pm_body *body)
{
	const struct pm_json_member *usage = pm_json_find(&body->json, "usage");

	if (usage)
		pm_usage_read(&body->usage, body->endpoint, &body->value, usage->value);
}

/* Anthropic's first event holds its usage in "message", which is a message here. */
static void meter_message(struct pm_body *body)
{
	for (size_t i = 0; i < item_count(body); i++) {
		const struct item *item = item_at(body, i);
		struct pm_view value = value_of(body, item);

		if (!pm_json_key_is(body->json.members[item->member].key, "message"))
			continue;
		if (body->way == PM_BODY_OPEN)
			value = pm_view(body->work.ptr + item->at, item->len);
		pm_usage_read_message(&body->usage, &body->value, value);
	}
}

static void meter(struct pm_body *body)
{
	if (body->side != PM_BODY_RESPONSE || body->json.type != PM_JSON_OBJECT)
		return;
	meter_plain(body);
	if (body->endpoint == PM_ENDPOINT_MESSAGES)
		meter_message(body);
}

int pm_json_body_write(
	struct pm_body *body, struct pm_view text, bool single_line, struct pm_report *report)
{
	struct sorting sorting = {.json = &body->json};
	int r;

	if (body->json.type != PM_JSON_OBJECT && body->json.type != PM_JSON_ARRAY)
		return pm_fail(report, PM_E_FORMAT, "json", "an object or array", "another value");
	r = select_items(body, report);
	if (r < 0)
		return r;
	sorting.items = (const struct item *)(const void *)body->items.ptr;
	sorting.order = (uint32_t *)(void *)body->order.ptr;
	pm_sort(&message_order, &sorting, item_count(body));
	r = body->way == PM_BODY_SEAL ? seal(body, text, report)
				      : unseal(body, text, single_line, report);
	if (r < 0)
		return r;
	meter(body);
	return PM_OK;
}
