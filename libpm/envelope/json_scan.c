/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/json_scan.h"

#include "envelope/json_plain.h"

#define WORD(text) pm_view(text, sizeof(text) - 1)

/* What may stand next. */
enum state { AT_VALUE, AT_FIRST_ITEM, AFTER_VALUE };

/* All reading goes through the functions on this struct that come first: they keep p <= end. */
struct scan {
	const uint8_t *p, *end, *begin;
	struct pm_json *json;
	enum state state;
	size_t depth;
	/* For each open object or array: is it an object, and the bytes of the keys before it. */
	bool is_object[PM_JSON_DEPTH_MAX];
	uint32_t keys_before[PM_JSON_DEPTH_MAX];
};

static inline size_t left(const struct scan *s)
{
	return (size_t)(s->end - s->p);
}

/* The next byte, or -1. */
static inline int peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : -1;
}

static inline bool take(struct scan *s, char c)
{
	if (peek(s) != (uint8_t)c)
		return false;
	s->p++;
	return true;
}

static int fail(struct scan *s, int error, const char *why)
{
	s->json->offset = (size_t)(s->p - s->begin);
	s->json->why = why;
	s->json->truncated = s->p == s->end && error == PM_E_FORMAT;
	return error;
}

static int fail_format(struct scan *s, const char *why)
{
	return fail(s, PM_E_FORMAT, left(s) ? why : "the text ends here");
}

/* At a byte that may be one. */
static void skip_some_space(struct scan *s)
{
	int c = peek(s);

	while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
		s->json->has_lines |= c == '\n' || c == '\r';
		s->p++;
		c = peek(s);
	}
}

static inline void skip_space(struct scan *s)
{
	if (peek(s) <= ' ')
		skip_some_space(s);
}

/* --- strings --------------------------------------------------------------------------------- */

/* Bytes of the character that begins with c, and what its second byte may be (Unicode, 3-7). */
static size_t utf8_length(uint8_t c, uint8_t *ret_low, uint8_t *ret_high)
{
	*ret_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*ret_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static int skip_utf8(struct scan *s)
{
	uint8_t low, high;
	size_t n = utf8_length(*s->p, &low, &high);

	if (n == 0)
		return fail_format(s, "invalid UTF-8");
	s->p++;
	for (size_t i = 1; i < n; i++, s->p++) {
		if (peek(s) < low || *s->p > high)
			return fail_format(s, "invalid UTF-8");
		low = 0x80;
		high = 0xbf;
	}
	return PM_OK;
}

static bool is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int skip_escape(struct scan *s)
{
	int c;

	s->p++;
	c = peek(s);
	if (c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' ||
		c == 't') {
		s->p++;
		return PM_OK;
	}
	if (!take(s, 'u'))
		return fail_format(s, "unknown escape");
	for (int i = 0; i < 4; i++, s->p++)
		if (!is_hex(peek(s)))
			return fail_format(s, "not a hexadecimal digit");
	return PM_OK;
}

/* A backslash or a byte that is not ASCII, and what belongs to it. */
static int skip_odd(struct scan *s, bool *escaped)
{
	int c = peek(s);

	if (c < 0x20) /* also at the end */
		return fail_format(s, "control character in a string");
	if (c != '\\')
		return skip_utf8(s);
	*escaped = true;
	return skip_escape(s);
}

/* The rest of a string that begins there. */
static int skip_long_string(struct scan *s, const uint8_t *begin, struct pm_json_key *ret)
{
	struct pm_plain plain = {.base = begin, .until = begin};
	bool escaped = false;

	s->p = pm_plain_end(&plain, s->p, s->end);
	while (peek(s) != '"') {
		int r = skip_odd(s, &escaped);

		if (r < 0)
			return r;
		s->p = pm_plain_end(&plain, s->p, s->end);
	}
	*ret = (struct pm_json_key){pm_view(begin, (size_t)(s->p - begin)), escaped};
	s->p++;
	return PM_OK;
}

/* A string whose quote is next; *ret is what stands between the quotes. Most are short. */
static inline int skip_string(struct scan *s, struct pm_json_key *ret)
{
	const uint8_t *begin = s->p + 1;

	s->p = pm_plain_blocks(begin, s->end, 2);
	if (peek(s) != '"')
		return skip_long_string(s, begin, ret);
	*ret = (struct pm_json_key){pm_view(begin, (size_t)(s->p - begin)), false};
	s->p++;
	return PM_OK;
}

/* --- other scalars --------------------------------------------------------------------------- */

static bool skip_digits(struct scan *s)
{
	const uint8_t *begin = s->p;

	while (left(s) && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > begin;
}

/* RFC 8259, section 6. */
static int skip_number(struct scan *s)
{
	(void)take(s, '-');
	if (!take(s, '0') && !skip_digits(s))
		return fail_format(s, "not a value");
	if (take(s, '.') && !skip_digits(s))
		return fail_format(s, "not a digit");
	if (!take(s, 'e') && !take(s, 'E'))
		return PM_OK;
	if (!take(s, '+'))
		(void)take(s, '-');
	return skip_digits(s) ? PM_OK : fail_format(s, "not a digit");
}

static inline int skip_word(struct scan *s, struct pm_view word)
{
	if (left(s) >= word.len && pm_view_equal(pm_view(s->p, word.len), word)) {
		s->p += word.len;
		return PM_OK;
	}
	for (; take(s, (char)*word.ptr); word.ptr++)
		;
	return fail_format(s, "not a value");
}

static int skip_scalar(struct scan *s, int c)
{
	struct pm_json_key ignored;

	switch (c) {
	case '"':
		return skip_string(s, &ignored);
	case 't':
		return skip_word(s, WORD("true"));
	case 'f':
		return skip_word(s, WORD("false"));
	case 'n':
		return skip_word(s, WORD("null"));
	default:
		return skip_number(s);
	}
}

/* --- objects and arrays ---------------------------------------------------------------------- */

static int open_nest(struct scan *s, bool object)
{
	if (s->depth == PM_JSON_DEPTH_MAX)
		return fail(s, PM_E_LIMIT, "nested too deep");
	s->p++;
	s->is_object[s->depth] = object;
	s->keys_before[s->depth] = (uint32_t)s->json->key_memory.len;
	s->depth++;
	s->state = AT_FIRST_ITEM;
	return PM_OK;
}

/* Do two of the keys from before on mean the same? */
static bool keys_repeat(struct scan *s, size_t before)
{
	struct pm_grow *memory = &s->json->key_memory;
	struct pm_json_key *keys;

	if (memory->len == before)
		return false;
	keys = (struct pm_json_key *)(void *)(memory->ptr + before);
	return pm_json_keys_repeat(keys, (memory->len - before) / sizeof(*keys));
}

static int close_nest(struct scan *s)
{
	size_t before = s->keys_before[--s->depth];

	if (keys_repeat(s, before))
		return fail(s, PM_E_FORMAT, "an object has two keys that mean the same");
	s->json->key_memory.len = before;
	s->p++;
	s->state = AFTER_VALUE;
	return PM_OK;
}

/* Begins a member of the outermost object or array. */
static int add_member(struct scan *s, const struct pm_json_key *key)
{
	struct pm_json_member member = {.key = *key};

	if (s->json->member_memory.len >= PM_JSON_MEMBERS_MAX * sizeof(member))
		return fail(s, PM_E_LIMIT, "too many members");
	if (pm_grow_add(&s->json->member_memory, pm_view(&member, sizeof(member))) < 0)
		return fail(s, PM_E_NOMEM, "no memory");
	return PM_OK;
}

static struct pm_json_member *last_member(struct scan *s)
{
	struct pm_grow *memory = &s->json->member_memory;

	return (struct pm_json_member *)(void *)(memory->ptr + memory->len) - 1;
}

static int add_key(struct scan *s, const struct pm_json_key *key)
{
	struct pm_grow *memory = &s->json->key_memory;

	if (key->escaped && s->depth == 1 && !s->json->is_inner && pm_json_key_is_ambiguous(*key))
		return fail(s, PM_E_FORMAT, "lone surrogate in a key");
	if (memory->len >= PM_JSON_MEMBERS_MAX * sizeof(*key))
		return fail(s, PM_E_LIMIT, "too many keys");
	if (pm_grow_add(memory, pm_view(key, sizeof(*key))) < 0)
		return fail(s, PM_E_NOMEM, "no memory");
	return s->depth == 1 ? add_member(s, key) : PM_OK;
}

/* A nest of the outermost level ends at its bracket, where the state is AFTER_VALUE again. */
static void end_member(struct scan *s)
{
	struct pm_json_member *member;

	if (s->depth != 1)
		return;
	member = last_member(s);
	member->value.len = (size_t)(s->p - member->value.ptr);
}

static int scan_value(struct scan *s)
{
	int c = peek(s), r;

	if (s->depth == 1) {
		if (!s->is_object[0] && (r = add_member(s, &(struct pm_json_key){0})) < 0)
			return r;
		last_member(s)->value.ptr = s->p;
	}
	if (c == '{' || c == '[')
		return open_nest(s, c == '{');
	r = skip_scalar(s, c);
	if (r < 0)
		return r;
	end_member(s);
	s->state = AFTER_VALUE;
	return PM_OK;
}

/* A key and its value. */
static int scan_pair(struct scan *s)
{
	struct pm_json_key key;
	int r;

	if (peek(s) != '"')
		return fail_format(s, "not a key");
	r = skip_string(s, &key);
	if (r < 0)
		return r;
	r = add_key(s, &key);
	if (r < 0)
		return r;
	skip_space(s);
	if (!take(s, ':'))
		return fail_format(s, "no colon after a key");
	skip_space(s);
	return scan_value(s);
}

static int scan_item(struct scan *s)
{
	return s->is_object[s->depth - 1] ? scan_pair(s) : scan_value(s);
}

static int scan_close(struct scan *s)
{
	int r = close_nest(s);

	if (r == PM_OK)
		end_member(s);
	return r;
}

static bool is_at_close(const struct scan *s)
{
	return peek(s) == (s->is_object[s->depth - 1] ? '}' : ']');
}

static int scan_first_item(struct scan *s)
{
	return is_at_close(s) ? scan_close(s) : scan_item(s);
}

static int scan_after_value(struct scan *s)
{
	if (is_at_close(s))
		return scan_close(s);
	if (!take(s, ','))
		return fail_format(s, "neither a comma nor the end of an object or array");
	skip_space(s);
	return scan_item(s);
}

static int scan_document(struct scan *s)
{
	int r = PM_OK;

	while (r == PM_OK) {
		skip_space(s);
		if (s->state == AT_VALUE)
			r = scan_value(s);
		else if (s->state == AT_FIRST_ITEM)
			r = scan_first_item(s);
		else if (s->depth)
			r = scan_after_value(s);
		else
			return left(s) ? fail_format(s, "more than one value") : PM_OK;
	}
	return r;
}

/* --- to the outside -------------------------------------------------------------------------- */

int pm_json_scan(struct pm_json *json, struct pm_view text)
{
	struct scan s; /* its tables are written before they are read */
	int r;

	s.p = s.begin = text.ptr;
	s.end = text.len ? text.ptr + text.len : text.ptr;
	s.json = json;
	s.state = AT_VALUE;
	s.depth = 0;
	json->members = NULL;
	json->count = 0;
	json->has_lines = false;
	json->member_memory.len = json->key_memory.len = 0;
	if (text.len == 0)
		return fail_format(&s, "empty");
	if (text.len > PM_JSON_TEXT_MAX)
		return fail(&s, PM_E_LIMIT, "too long");
	r = scan_document(&s);
	if (r < 0)
		return r;
	json->type = pm_json_type_of(text);
	json->members = (struct pm_json_member *)(void *)json->member_memory.ptr;
	json->count = json->member_memory.len / sizeof(*json->members);
	return PM_OK;
}

const struct pm_json_member *pm_json_find(const struct pm_json *json, const char *name)
{
	if (json->type != PM_JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < json->count; i++)
		if (pm_json_key_is(json->members[i].key, name))
			return &json->members[i];
	return NULL;
}

enum pm_json_type pm_json_type_of(struct pm_view value)
{
	for (size_t i = 0; i < value.len; i++)
		switch (value.ptr[i]) {
		case ' ':
		case '\t':
		case '\n':
		case '\r':
			continue;
		case '{':
			return PM_JSON_OBJECT;
		case '[':
			return PM_JSON_ARRAY;
		case '"':
			return PM_JSON_STRING;
		case 't':
			return PM_JSON_TRUE;
		case 'f':
			return PM_JSON_FALSE;
		case 'n':
			return PM_JSON_NULL;
		default:
			return PM_JSON_NUMBER;
		}
	return PM_JSON_NULL;
}

bool pm_json_uint(struct pm_view value, uint64_t *ret)
{
	uint64_t n = 0;

	if (value.len == 0)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		unsigned int digit = (unsigned int)value.ptr[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*ret = n;
	return true;
}

void pm_json_free(struct pm_json *json)
{
	pm_grow_free(&json->member_memory);
	pm_grow_free(&json->key_memory);
	*json = (struct pm_json){0};
}
