/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cipher for tests of the transformers of bodies: no secrecy, but it tells whether each value
 * came in its turn, once, and whole. A sealed value is a JSON string of the letters a to p alone:
 * number, length and bytes, each nibble as a letter, so that no piece of a number or of a word with
 * other letters shows by chance.
 */
#ifndef PM_TEST_TOY_CIPHER_H
#define PM_TEST_TOY_CIPHER_H

#include <pm/body.h>
#include <pm/error.h>

struct toy {
	/* Number of the next message. */
	uint32_t seq;
};

#define TOY_HEAD 8
#define TOY_MASK 0x5a

static inline size_t toy_seal_room(void *arg, size_t in_len)
{
	(void)arg;
	return 2 + 2 * (TOY_HEAD + in_len);
}

static inline size_t toy_open_room(void *arg, size_t in_len)
{
	(void)arg;
	return in_len;
}

/* The byte at i of the sealed value. */
static inline uint8_t toy_byte(uint32_t seq, const uint8_t *in, size_t in_len, size_t i)
{
	if (i >= TOY_HEAD)
		return in[i - TOY_HEAD] ^ TOY_MASK;
	return (uint8_t)((i < 4 ? seq : (uint32_t)in_len) >> 8 * (i % 4));
}

static inline int toy_seal(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out,
	size_t cap, size_t *ret_len, struct pm_report *report)
{
	struct toy *toy = arg;

	(void)report;
	if (cap < toy_seal_room(arg, in_len))
		return PM_E_LIMIT;
	*ret_len = toy_seal_room(arg, in_len);
	*ret_out++ = '"';
	for (size_t i = 0; i < TOY_HEAD + in_len; i++) {
		uint8_t byte = toy_byte(toy->seq, in, in_len, i);

		*ret_out++ = (uint8_t)('a' + (byte >> 4));
		*ret_out++ = (uint8_t)('a' + (byte & 15));
	}
	*ret_out = '"';
	toy->seq++;
	return PM_OK;
}

static inline int toy_open(void *arg, const uint8_t *in, size_t in_len, uint8_t *ret_out,
	size_t cap, size_t *ret_len, struct pm_report *report)
{
	struct toy *toy = arg;
	size_t n = in_len / 2 - 1;

	(void)report;
	if (in_len < 2 + 2 * TOY_HEAD || in_len % 2 || in[0] != '"' || in[in_len - 1] != '"')
		return PM_E_FORMAT;
	if (cap < n - TOY_HEAD)
		return PM_E_LIMIT;
	for (size_t i = 0; i < n; i++) {
		unsigned int high = in[1 + 2 * i] - 'a', low = in[2 + 2 * i] - 'a';
		uint8_t byte = (uint8_t)(high << 4 | low);

		if (high > 15 || low > 15)
			return PM_E_FORMAT;
		if (i < TOY_HEAD && byte != toy_byte(toy->seq, NULL, n - TOY_HEAD, i))
			return PM_E_REJECTED;
		if (i >= TOY_HEAD)
			ret_out[i - TOY_HEAD] = byte ^ TOY_MASK;
	}
	*ret_len = n - TOY_HEAD;
	toy->seq++;
	return PM_OK;
}

static inline struct pm_body_cipher toy_cipher(struct toy *toy, enum pm_body_way way)
{
	return (struct pm_body_cipher){
		.arg = toy,
		.room = way == PM_BODY_SEAL ? toy_seal_room : toy_open_room,
		.apply = way == PM_BODY_SEAL ? toy_seal : toy_open,
	};
}

#endif
