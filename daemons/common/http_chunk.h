/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunked transfer coding (RFC 9112, 7.1), read strictly: a size is 1 to 8 hexadecimal digits
 * and CRLF; there are no extensions, no trailer fields, no white space. Each of those is legal and
 * each has been read in two ways by two servers; nobody who talks to us sends them.
 */
#ifndef COMMON_HTTP_CHUNK_H
#define COMMON_HTTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin with zeros. */
struct http_chunked {
	uint8_t state;
	uint8_t digits;
	uint32_t left;
};

/*
 * Takes bytes. *ret_used of them are gone; *ret_body, of *ret_body_len bytes, is a piece of the
 * body within them, or empty. Returns 0: go on, with what is left when used is not zero; 1: the
 * body has ended; -1: malformed.
 */
int http_chunked_take(struct http_chunked *c, const char *bytes, size_t len, size_t *ret_used,
	const char **ret_body, size_t *ret_body_len);

#endif
