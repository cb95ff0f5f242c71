/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/json_key.h"

#include <string.h>

#include "envelope/order.h"

/* Above so many keys a sort is cheaper than comparing each with each. */
#define PAIRWISE_MAX 8

/* Yields a key's bytes one by one. */
struct cursor {
	struct pm_view left;
	/* Bytes of a decoded character that wait, the last one first. */
	uint8_t waiting[4];
	unsigned int waits;
	/* The backslash before the byte that waits went out. */
	bool marked;
	bool lone_surrogate;
};

static uint8_t take(struct cursor *c)
{
	uint8_t byte = c->left.ptr[0];

	c->left = pm_view(c->left.ptr + 1, c->left.len - 1);
	return byte;
}

static uint32_t hex_digit(uint8_t c)
{
	if (c <= '9')
		return c - '0';
	return (c | 0x20u) - 'a' + 10;
}

/* The four digits after "\u". */
static uint32_t code_unit(struct cursor *c)
{
	uint32_t value = 0;

	for (int i = 0; i < 4 && c->left.len; i++)
		value = value << 4 | hex_digit(take(c));
	return value;
}

static bool low_follows(const struct cursor *c)
{
	const uint8_t *p = c->left.ptr;

	return c->left.len >= 6 && p[0] == '\\' && p[1] == 'u' && (p[2] | 0x20) == 'd' &&
	       hex_digit(p[3]) >= 0xc;
}

/* The character of a "\u" escape, or of two that form a pair (RFC 8259, section 7). */
static uint32_t code_point(struct cursor *c)
{
	uint32_t unit = code_unit(c);

	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit >= 0xdc00 || !low_follows(c)) {
		c->lone_surrogate = true;
		return unit;
	}
	(void)take(c);
	(void)take(c);
	return 0x10000 + ((unit - 0xd800) << 10) + (code_unit(c) - 0xdc00);
}

static void push(struct cursor *c, uint32_t byte)
{
	c->waiting[c->waits++] = (uint8_t)byte;
}

/* UTF-8, the last byte first. */
static void push_utf8(struct cursor *c, uint32_t point)
{
	static const uint8_t lead[4] = {0, 0xc0, 0xe0, 0xf0};
	unsigned int tail = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;

	for (unsigned int i = 0; i < tail; i++, point >>= 6)
		push(c, 0x80 | (point & 0x3f));
	push(c, lead[tail] | point);
}

static uint32_t short_escape(uint8_t c)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *at = strchr(names, c);

	return at && c ? (uint8_t)values[at - names] : c;
}

static void decode_escape(struct cursor *c)
{
	uint8_t kind = take(c);

	push_utf8(c, kind == 'u' ? code_point(c) : short_escape(kind));
}

/* The next byte, or -1. */
static int next(struct cursor *c)
{
	uint8_t byte;

	if (c->waits)
		return c->waiting[--c->waits];
	if (c->left.len == 0)
		return -1;
	byte = take(c);
	if (byte != '\\' || c->left.len == 0)
		return byte;
	decode_escape(c);
	return c->waiting[--c->waits];
}

/* The same, with a backslash before '.', '?' and '*'. */
static int next_marked(struct cursor *c)
{
	int byte = next(c);

	if (c->marked) {
		c->marked = false;
		return byte;
	}
	if (byte != '.' && byte != '?' && byte != '*')
		return byte;
	push(c, (uint32_t)byte);
	c->marked = true;
	return '\\';
}

/* Does the byte stand for itself, whatever follows? */
static bool is_plain(uint8_t c)
{
	return c != '\\' && c != '.' && c != '?' && c != '*';
}

/* How many bytes both begin with that stand for themselves. */
static size_t common_beginning(struct pm_view a, struct pm_view b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i] && is_plain(a.ptr[i]))
		i++;
	return i;
}

static struct pm_view after(struct pm_view v, size_t n)
{
	return pm_view(v.ptr + n, v.len - n);
}

static bool begins_plainly(struct pm_view v)
{
	return v.len && is_plain(v.ptr[0]);
}

static int compare_decoded(struct pm_view a, struct pm_view b)
{
	struct cursor ca = {.left = a}, cb = {.left = b};
	int x, y;

	do {
		x = next_marked(&ca);
		y = next_marked(&cb);
	} while (x == y && x >= 0);
	return x - y;
}

int pm_json_key_compare(struct pm_json_key a, struct pm_json_key b)
{
	size_t same = common_beginning(a.raw, b.raw);
	struct pm_view rest_a = after(a.raw, same), rest_b = after(b.raw, same);

	if (begins_plainly(rest_a) && begins_plainly(rest_b))
		return rest_a.ptr[0] - rest_b.ptr[0];
	return compare_decoded(rest_a, rest_b);
}

bool pm_json_key_decodes_to(struct pm_json_key key, const char *name)
{
	struct cursor c = {.left = key.raw};

	for (; *name; name++)
		if (next(&c) != (uint8_t)*name)
			return false;
	return next(&c) < 0;
}

bool pm_json_key_is_ambiguous(struct pm_json_key key)
{
	struct cursor c = {.left = key.raw};

	if (!key.escaped)
		return false;
	while (next(&c) >= 0)
		;
	return c.lone_surrogate;
}

static bool same(const struct pm_json_key *a, const struct pm_json_key *b)
{
	if (!a->escaped && !b->escaped)
		return a->raw.len == b->raw.len && pm_view_equal(a->raw, b->raw);
	return pm_json_key_compare(*a, *b) == 0;
}

static bool key_less(const void *items, size_t a, size_t b)
{
	const struct pm_json_key *keys = items;

	return pm_json_key_compare(keys[a], keys[b]) < 0;
}

static void key_swap(void *items, size_t a, size_t b)
{
	struct pm_json_key *keys = items;
	struct pm_json_key key = keys[a];

	keys[a] = keys[b];
	keys[b] = key;
}

static const struct pm_order key_order = {key_less, key_swap};

static bool repeat_pairwise(const struct pm_json_key *keys, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (same(&keys[i], &keys[k]))
				return true;
	return false;
}

bool pm_json_keys_repeat(struct pm_json_key *keys, size_t count)
{
	if (count <= PAIRWISE_MAX)
		return repeat_pairwise(keys, count);
	pm_sort(&key_order, keys, count);
	for (size_t i = 1; i < count; i++)
		if (same(&keys[i - 1], &keys[i]))
			return true;
	return false;
}
