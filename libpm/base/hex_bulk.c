/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixteen bytes at a time in the compiler's own vectors, which it maps to whatever the processor
 * has. What is left at the end is done as the last sixteen (or eight) bytes, some of them for the
 * second time: so they are read before anything is written, since both ends may share memory.
 */
#include "base/hex_bulk.h"

#include <string.h>

#define BLOCK 16
#define HALF  8

typedef uint8_t vec __attribute__((vector_size(BLOCK)));

static vec load(const uint8_t *p)
{
	vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void store(uint8_t *p, vec v)
{
	memcpy(p, &v, sizeof(v));
}

/* 0 to 15 as characters: letters lie 39 above where they would follow the digits. */
static vec digits(vec nibbles)
{
	return nibbles + '0' + ((vec)(nibbles > 9) & ('a' - '0' - 10));
}

static void encode_block(vec bytes, uint8_t *text)
{
	vec high = digits(bytes >> 4), low = digits(bytes & 15);

	store(text, __builtin_shufflevector(
			    high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
	store(text + BLOCK, __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
				    13, 29, 14, 30, 15, 31));
}

static vec load_half(const uint8_t *p)
{
	vec v = {0};

	memcpy(&v, p, HALF);
	return v;
}

static void encode_half(vec bytes, uint8_t *text)
{
	vec high = digits(bytes >> 4), low = digits(bytes & 15);

	store(text, __builtin_shufflevector(
			    high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
}

static void encode_short(const uint8_t *bytes, size_t n, uint8_t *text)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		uint8_t byte = bytes[i];

		text[2 * i] = (uint8_t)hex[byte >> 4];
		text[2 * i + 1] = (uint8_t)hex[byte & 15];
	}
}

/* 8 to 15 bytes. */
static void encode_medium(const uint8_t *bytes, size_t n, uint8_t *text)
{
	vec first = load_half(bytes), last = load_half(bytes + n - HALF);

	encode_half(first, text);
	encode_half(last, text + 2 * (n - HALF));
}

static void encode_long(const uint8_t *bytes, size_t n, uint8_t *text)
{
	vec last = load(bytes + n - BLOCK);

	for (size_t i = 0; n - i >= BLOCK; i += BLOCK)
		encode_block(load(bytes + i), text + 2 * i);
	encode_block(last, text + 2 * (n - BLOCK));
}

void pm_hex_bulk_encode(const uint8_t *bytes, size_t n, uint8_t *ret_text)
{
	if (n >= BLOCK)
		encode_long(bytes, n, ret_text);
	else if (n >= HALF)
		encode_medium(bytes, n, ret_text);
	else
		encode_short(bytes, n, ret_text);
}

/* Characters as 0 to 15; *bad collects ones for others. */
static vec nibbles(vec text, vec *bad)
{
	vec digit = text - '0', letter = text - 'a';
	vec is_digit = (vec)(digit <= 9), is_letter = (vec)(letter <= 5);

	*bad |= ~(is_digit | is_letter);
	return (digit & is_digit) | ((letter + 10) & is_letter);
}

static vec decode_block(vec a, vec b, vec *bad)
{
	vec high = __builtin_shufflevector(
		a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	vec low = __builtin_shufflevector(
		a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);

	return nibbles(high, bad) << 4 | nibbles(low, bad);
}

static void decode_half(vec text, uint8_t *bytes, vec *bad)
{
	vec v = decode_block(text, text, bad);

	memcpy(bytes, &v, HALF);
}

static void decode_short(const uint8_t *text, size_t n, uint8_t *bytes, vec *bad)
{
	uint8_t in[BLOCK], out[HALF];

	memset(in, '0', sizeof(in));
	memcpy(in, text, 2 * n);
	decode_half(load(in), out, bad);
	memcpy(bytes, out, n);
}

/* 8 to 15 bytes. */
static void decode_medium(const uint8_t *text, size_t n, uint8_t *bytes, vec *bad)
{
	vec first = load(text), last = load(text + 2 * (n - HALF));

	decode_half(first, bytes, bad);
	decode_half(last, bytes + n - HALF, bad);
}

static void decode_long(const uint8_t *text, size_t n, uint8_t *bytes, vec *bad)
{
	const uint8_t *tail = text + 2 * (n - BLOCK);
	vec last = decode_block(load(tail), load(tail + BLOCK), bad);

	for (size_t i = 0; n - i >= BLOCK; i += BLOCK)
		store(bytes + i, decode_block(load(text + 2 * i), load(text + 2 * i + BLOCK), bad));
	store(bytes + n - BLOCK, last);
}

bool pm_hex_bulk_decode(const uint8_t *text, size_t n, uint8_t *ret)
{
	vec bad = {0}, none = {0};

	if (n == 0)
		return true;
	if (n >= BLOCK)
		decode_long(text, n, ret, &bad);
	else if (n >= HALF)
		decode_medium(text, n, ret, &bad);
	else
		decode_short(text, n, ret, &bad);
	return memcmp(&bad, &none, sizeof(bad)) == 0;
}
