/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http_chunk.h"

#define DIGITS_MAX 8

enum state {
	SIZE = 0,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LAST_CR,
	LAST_LF,
	END,
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int take_size(struct http_chunked *c, char byte)
{
	int value = digit(byte);

	if (value < 0) {
		c->state = SIZE_LF;
		return byte == '\r' && c->digits ? 0 : -1;
	}
	c->left = c->left << 4 | (uint32_t)value;
	return ++c->digits > DIGITS_MAX ? -1 : 0;
}

static int expect(struct http_chunked *c, char byte, char wanted, enum state next)
{
	c->state = (uint8_t)next;
	return byte == wanted ? 0 : -1;
}

/* One byte that is not of the body. */
static int take_byte(struct http_chunked *c, char byte)
{
	switch ((enum state)c->state) {
	case SIZE:
		return take_size(c, byte);
	case SIZE_LF:
		return expect(c, byte, '\n', c->left ? DATA : LAST_CR);
	case DATA_CR:
		return expect(c, byte, '\r', DATA_LF);
	case DATA_LF:
		c->digits = 0;
		return expect(c, byte, '\n', SIZE);
	case LAST_CR:
		return expect(c, byte, '\r', LAST_LF);
	case LAST_LF:
		return expect(c, byte, '\n', END);
	case DATA:
	case END:
		break;
	}
	return -1;
}

int http_chunked_take(struct http_chunked *c, const char *bytes, size_t len, size_t *ret_used,
	const char **ret_body, size_t *ret_body_len)
{
	size_t at = 0;

	*ret_body = bytes;
	*ret_body_len = 0;
	while (at < len && c->state != DATA && c->state != END)
		if (take_byte(c, bytes[at++]) < 0)
			return -1;
	if (c->state == DATA && at < len) {
		size_t n = len - at < c->left ? len - at : c->left;

		*ret_body = bytes + at;
		*ret_body_len = n;
		at += n;
		c->left -= (uint32_t)n;
		c->state = c->left ? DATA : DATA_CR;
	}
	*ret_used = at;
	return c->state == END;
}
