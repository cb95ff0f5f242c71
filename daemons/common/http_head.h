/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1 request (RFC 9112), read strictly. Why our own: what stands before us is a
 * load balancer that we do not control, so each byte on which two readers could disagree about
 * where a request ends must be refused. libevent's evhttp takes lines that end with LF alone,
 * continued lines, and whole bodies before its caller sees the first byte; http-parser, which
 * Debian ships, is no longer kept, and takes bare LF and continued lines too; llhttp is not in
 * Debian 12. Because a head is bounded and lies in memory as a whole, a strict reader is small, and
 * a fuzz target compares it with http-parser: what we take, it must read in the same way.
 *
 * Refused: bare CR or LF, NUL and other control characters, continued lines, space before a colon,
 * any other target than a path (no absolute form, no authority, no fragment), two of a field that
 * must be one (Host, Content-Length, Content-Type, Authorization, Pm-..., Privatemode-... and so
 * on), both Content-Length and Transfer-Encoding, a length that is not the shortest decimal, any
 * transfer coding but chunked, transfer codings in HTTP/1.0, a request of HTTP/1.1 without Host.
 */
#ifndef COMMON_HTTP_HEAD_H
#define COMMON_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest head, with its last empty line. */
#define HTTP_HEAD_MAX 32768
/* Most fields of a head. */
#define HTTP_FIELDS_MAX 100
/* Longest target: path and query. */
#define HTTP_TARGET_MAX 8192
/* Longest method. */
#define HTTP_METHOD_MAX 32
/* Longest name of a field. */
#define HTTP_NAME_MAX 256

/* Texts with their NUL, within the head that was parsed. */
struct http_field {
	const char *name; /* in lower case */
	const char *value;
};

struct http_request {
	const char *method;
	const char *target; /* begins with a slash */
	bool is_1_1;	    /* else HTTP/1.0 */
	bool keep_alive;
	bool chunked;
	bool expects_continue;
	int64_t content_length; /* -1: none was given */
	size_t field_count;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/*
 * Where a head ends, its empty line included, or 0: not yet; -1: it is malformed. *from is where to
 * look first, 0 in the beginning; it moves on, so that a head that comes in bytes is read once.
 */
long http_head_end(const char *bytes, size_t len, size_t *from);

/*
 * Reads a head as found by http_head_end(), and writes NULs into it. Returns 0, or the status that
 * refuses it: 400, 414, 417, 431, 501 or 505; ret is then without meaning.
 */
int http_request_parse(char *head, size_t len, struct http_request *ret);

/* Could the text be a target? For those that come by other ways. */
bool http_is_target(const char *text);

/* The value of a field by its name in lower case; of repeated ones the first; or NULL. */
const char *http_request_field(const struct http_request *request, const char *name);

/* Has the field a list with this word, in any case of letters? */
bool http_value_has_word(const char *value, const char *word);

#endif
