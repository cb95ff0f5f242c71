/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sixteen bytes at a time in the compiler's own vectors, which it maps to whatever the processor
 * has; the rest one by one.
 */
#include "base/hex_bulk.h"

#include <string.h>

#define BLOCK 16

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

static void encode_block(const uint8_t *bytes, uint8_t *text)
{
	vec v = load(bytes);
	vec high = digits(v >> 4), low = digits(v & 15);

	store(text, __builtin_shufflevector(
			    high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
	store(text + BLOCK, __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
				    13, 29, 14, 30, 15, 31));
}

void pm_hex_bulk_encode(const uint8_t *bytes, size_t n, uint8_t *ret_text)
{
	static const char hex[] = "0123456789abcdef";
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK)
		encode_block(bytes + i, ret_text + 2 * i);
	for (; i < n; i++) {
		uint8_t byte = bytes[i];

		ret_text[2 * i] = (uint8_t)hex[byte >> 4];
		ret_text[2 * i + 1] = (uint8_t)hex[byte & 15];
	}
}

/* Characters as 0 to 15; *bad collects ones for others. */
static vec nibbles(vec text, vec *bad)
{
	vec digit = text - '0', letter = text - 'a';
	vec is_digit = (vec)(digit <= 9), is_letter = (vec)(letter <= 5);

	*bad |= ~(is_digit | is_letter);
	return (digit & is_digit) | ((letter + 10) & is_letter);
}

static void decode_block(const uint8_t *text, uint8_t *bytes, vec *bad)
{
	vec a = load(text), b = load(text + BLOCK);
	vec high = __builtin_shufflevector(
		a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	vec low = __builtin_shufflevector(
		a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);

	store(bytes, nibbles(high, bad) << 4 | nibbles(low, bad));
}

static bool decode_rest(const uint8_t *text, size_t n, uint8_t *bytes)
{
	uint8_t in[2 * BLOCK], out[BLOCK];
	vec bad = {0}, none = {0};

	memset(in, '0', sizeof(in));
	memcpy(in, text, 2 * n);
	decode_block(in, out, &bad);
	memcpy(bytes, out, n);
	return memcmp(&bad, &none, sizeof(bad)) == 0;
}

bool pm_hex_bulk_decode(const uint8_t *text, size_t n, uint8_t *ret)
{
	vec bad = {0}, none = {0};
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK)
		decode_block(text + 2 * i, ret + i, &bad);
	if (memcmp(&bad, &none, sizeof(bad)) != 0)
		return false;
	return i == n || decode_rest(text + 2 * i, n - i, ret + i);
}
