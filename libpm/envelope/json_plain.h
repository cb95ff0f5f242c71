/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a JSON string stop to stand for themselves: the odd bytes are quotes,
 * backslashes, control characters and those of non-ASCII. Many at a time in the compiler's own
 * vectors, which it maps to whatever the processor has. All functions are here to be part of the
 * scanner's loop.
 */
#ifndef PM_ENVELOPE_JSON_PLAIN_H
#define PM_ENVELOPE_JSON_PLAIN_H

#include <endian.h>

#include "base/mem.h"

#define PM_PLAIN_LANE  8
#define PM_PLAIN_BLOCK 16
/* As many as a mask has bits. */
#define PM_PLAIN_LONG 64

/* With their sign: bytes of non-ASCII are negative. */
typedef int8_t pm_plain_bytes __attribute__((vector_size(PM_PLAIN_BLOCK)));
typedef uint64_t pm_plain_lanes __attribute__((vector_size(PM_PLAIN_BLOCK)));

/* What is known of the bytes before a place: bit n is set when the nth byte from base is odd. */
struct pm_plain {
	const uint8_t *base, *until;
	uint64_t odd;
};

/* All bits of each odd byte. */
static inline pm_plain_lanes pm_plain_odd(const uint8_t *p)
{
	pm_plain_bytes v;

	pm_copy(&v, p, sizeof(v));
	return (pm_plain_lanes)((v < 0x20) | (v == '"') | (v == '\\'));
}

static inline bool pm_plain_is(uint8_t byte)
{
	int8_t c = (int8_t)byte;

	return c >= 0x20 && c != '"' && c != '\\';
}

/* Bytes before the first odd one. */
static inline size_t pm_plain_before(uint64_t odd)
{
	return (size_t)__builtin_ctzll(le64toh(odd)) / 8;
}

/* One bit for each byte: byte n keeps its bit n alone, and the sum of all comes out on top. */
static inline uint64_t pm_plain_bits(uint64_t odd)
{
	return (le64toh(odd) & 0x8040201008040201) * 0x0101010101010101 >> 56;
}

static inline uint64_t pm_plain_block_bits(pm_plain_lanes odd)
{
	return pm_plain_bits(odd[0]) | pm_plain_bits(odd[1]) << PM_PLAIN_LANE;
}

/* The first odd byte of long blocks; or their end, where less than a long block is left. */
static inline const uint8_t *pm_plain_long(
	struct pm_plain *plain, const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= PM_PLAIN_LONG; p += PM_PLAIN_LONG) {
		pm_plain_lanes a = pm_plain_odd(p), b = pm_plain_odd(p + PM_PLAIN_BLOCK);
		pm_plain_lanes c = pm_plain_odd(p + 2 * PM_PLAIN_BLOCK);
		pm_plain_lanes d = pm_plain_odd(p + 3 * PM_PLAIN_BLOCK);
		pm_plain_lanes any = a | b | c | d;

		if (!(any[0] | any[1]))
			continue;
		plain->base = p;
		plain->until = p + PM_PLAIN_LONG;
		plain->odd = pm_plain_block_bits(a) | pm_plain_block_bits(b) << 16 |
			     pm_plain_block_bits(c) << 32 | pm_plain_block_bits(d) << 48;
		return p + __builtin_ctzll(plain->odd);
	}
	return p;
}

/* The first odd byte among so many blocks; or the end of those that there are. */
static inline const uint8_t *pm_plain_blocks(const uint8_t *p, const uint8_t *end, size_t count)
{
	for (; count > 0 && end - p >= PM_PLAIN_BLOCK; p += PM_PLAIN_BLOCK, count--) {
		pm_plain_lanes odd = pm_plain_odd(p);

		if (odd[0])
			return p + pm_plain_before(odd[0]);
		if (odd[1])
			return p + PM_PLAIN_LANE + pm_plain_before(odd[1]);
	}
	return p;
}

/* The first odd byte, or end, where less than a long block is left. */
static inline const uint8_t *pm_plain_rest(const uint8_t *p, const uint8_t *end)
{
	p = pm_plain_blocks(p, end, PM_PLAIN_LONG / PM_PLAIN_BLOCK);
	while (p < end && pm_plain_is(*p))
		p++;
	return p;
}

/* The first odd byte from p on, or end. Begin with until = p. */
static inline const uint8_t *pm_plain_end(
	struct pm_plain *plain, const uint8_t *p, const uint8_t *end)
{
	if (p < plain->until) {
		uint64_t odd = plain->odd >> (p - plain->base);

		if (odd)
			return p + __builtin_ctzll(odd);
		p = plain->until;
	}
	p = pm_plain_long(plain, p, end);
	return p < plain->until ? p : pm_plain_rest(p, end);
}

#endif
