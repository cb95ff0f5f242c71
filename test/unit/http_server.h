/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server on 127.0.0.1 in a thread of the test, which answers as it is told: well and badly. It
 * takes one connection after the other and one request of each.
 */
#ifndef PM_TEST_HTTP_SERVER_H
#define PM_TEST_HTTP_SERVER_H

#include <openssl/evp.h>

#include "base/mem.h"

enum http_manner {
	HTTP_WELL,
	HTTP_HANG,	   /* no answer, until the client leaves */
	HTTP_TRICKLE,	   /* a byte of the body at a time, until the client leaves */
	HTTP_CLOSE,	   /* closes instead of an answer */
	HTTP_CUT,	   /* closes after half of the body */
	HTTP_SHORT_LENGTH, /* Content-Length tells of half of the body */
	HTTP_ENDLESS,	   /* no Content-Length, and no end */
	HTTP_HEADERS,	   /* header fields without end */
	HTTP_GATE,	   /* well, once http_server_open() was called */
};

struct http_answer {
	int status;
	struct pm_view body;
	const char *header; /* whole lines, or NULL */
	enum http_manner manner;
};

struct http_server;

/*
 * The answers, which are copied but for their headers, are given in their order, and the last one
 * for ever. With a certificate in DER and its key it speaks TLS.
 */
struct http_server *http_server_start(
	const struct http_answer *answers, size_t count, struct pm_view cert, EVP_PKEY *key);

/* "http://127.0.0.1:PORT", or https; lives as long as the server. */
const char *http_server_url(const struct http_server *server);

/* Requests so far, and the text of one, "" past the end. */
unsigned int http_server_count(struct http_server *server);
const char *http_server_request(struct http_server *server, unsigned int index);

/* The body of a request, borrowed; empty past the end. */
struct pm_view http_server_body(struct http_server *server, unsigned int index);

void http_server_open(struct http_server *server);

/* Lets nobody in any more, and frees all. */
void http_server_stop(struct http_server *server);

#endif
