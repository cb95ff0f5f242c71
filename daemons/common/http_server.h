/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server in an event loop: bodies stream in both directions, with back-pressure, and
 * all that a client can make us hold or wait for is bounded. One server belongs to one loop.
 *
 * A connection has one request at a time. Of the next ones that a client sends ahead, no more is
 * read than fits a head. A client that closes its side while its response is under way is gone: the
 * request is given up, as Go's and nginx's servers do, so that no model runs for nobody.
 *
 * The exchange's functions never call the handler's; they may be called from any of them.
 */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/http_head.h"
#include "common/loop.h"
#include "common/tls.h"

/* Bytes that wait to be sent: from the high mark on http_is_full(), until the low one. */
#define HTTP_HIGH_WATER 131072
#define HTTP_LOW_WATER	32768

/* What a server holds and waits for, at most. Times are in milliseconds. */
struct http_limits {
	size_t connections; /* at a time; for more, idle ones are closed, else they wait */
	uint64_t body;	    /* bytes of a request's body */
	int64_t head_time;  /* from a connection, or a further head's first byte, to its end */
	int64_t idle_time;  /* between two requests */
	int64_t body_time;  /* in each such time at least body_rate bytes of a body come */
	uint64_t body_rate;
	int64_t send_time; /* in each such time send_rate bytes of what waits are taken */
	uint64_t send_rate;
	int64_t linger_time; /* for a refused client to read why */
};

extern const struct http_limits http_limits_default;

/* One request and its response. */
struct http_exchange;

/* What is done with requests. Each of these is called from the loop. */
struct http_handler {
	/* The head is here. Never NULL. */
	void (*begin)(struct http_exchange *x, void *arg);
	/* A piece of the body. */
	void (*body)(struct http_exchange *x, const char *bytes, size_t len);
	/* The body is whole; also when there is none. */
	void (*end)(struct http_exchange *x);
	/* There is room again, after http_is_full(). */
	void (*drained)(struct http_exchange *x);
	/* The last call, once after each begin: the response went out whole, or it did not. */
	void (*done)(struct http_exchange *x, bool whole);
	void *arg;
};

/* Counts of all servers that share them. */
struct http_counts {
	atomic_uint_fast64_t connections_total;
	atomic_int_fast64_t connections;
	atomic_uint_fast64_t requests_total;
	atomic_int_fast64_t requests;
	atomic_uint_fast64_t responses[6]; /* by the first digit of the status */
	atomic_uint_fast64_t aborted;
	atomic_uint_fast64_t refused; /* heads and handshakes */
	atomic_uint_fast64_t bytes_in;
	atomic_uint_fast64_t bytes_out;
};

struct http_server;

/* handler, limits and counts must outlive it; counts may be NULL. 0; PM_E_NOMEM. */
int http_server_new(struct loop *loop, const struct http_handler *handler,
	const struct http_limits *limits, struct http_counts *counts,
	struct http_server **ret_server);

/* Ends all connections as they are. */
void http_server_free(struct http_server *server);

/* Accepts from a listening socket, which becomes the server's, also on failure. 0; PM_E_NOMEM. */
int http_server_listen(struct http_server *server, int fd);

/* For connections to come; takes its own reference; NULL: without TLS. */
void http_server_set_tls(struct http_server *server, struct tls_config *tls);

/*
 * Of connections that there are with TLS, none begins another request: who was let in before may
 * not be any more.
 */
void http_server_retire(struct http_server *server);

/* Without TLS set, connections are closed as they come, instead of served in plain. */
void http_server_require_tls(struct http_server *server);

/*
 * Takes no further connections and requests; what is under way goes on. on_empty is called once
 * there is no connection any more, perhaps from within this call.
 */
void http_server_drain(struct http_server *server, void (*on_empty)(void *arg), void *arg);

/* Connections that there are. */
size_t http_server_connections(const struct http_server *server);

/* --- one exchange ---------------------------------------------------------------------------- */

const struct http_request *http_request(const struct http_exchange *x);
/* Text of 24 characters: names the request in logs and answers. */
const char *http_id(const struct http_exchange *x);
/* The loop it runs in. */
struct loop *http_loop(const struct http_exchange *x);
/* The client's address: false when it is not known. */
bool http_remote(const struct http_exchange *x, struct sockaddr_storage *ret_address);
/* Of the server's handler. */
void *http_arg(const struct http_exchange *x);
/* Where the connection comes from; of family AF_UNSPEC when that can't be told. */
void http_client_address(const struct http_exchange *x, struct sockaddr_storage *ret);
/* Who the client is by its certificate; NULL when it was asked for none, or without memory. */
const struct tls_peer *http_peer(const struct http_exchange *x);
/*
 * What the program found of the client: kept for all exchanges of the connection. release is called
 * when another takes its place, and when the connection has gone.
 */
void http_set_peer_note(struct http_exchange *x, void *note, void (*release)(void *note));
void *http_peer_note(const struct http_exchange *x);
/* What the handler keeps with the exchange; NULL in the beginning. */
void http_set_user(struct http_exchange *x, void *user);
void *http_user(const struct http_exchange *x);

/* Stops and goes on with the calls of body(). */
void http_pause(struct http_exchange *x);
void http_resume(struct http_exchange *x);

/* The head of the response. length -1: not known, the body is chunked. */
void http_respond(struct http_exchange *x, int status, const char *content_type,
	const struct http_field *fields, size_t count, int64_t length);
/* A piece of its body. */
void http_send(struct http_exchange *x, const void *bytes, size_t len);
/* Its end. With less than the length that was said, or without a head, it is an abort. */
void http_finish(struct http_exchange *x);
/* All of the three. */
void http_reply(struct http_exchange *x, int status, const char *content_type, const void *body,
	size_t len);
/* Something went wrong in the middle: the client must not take what it has for whole. */
void http_abort(struct http_exchange *x);
/* Was the head of the response sent? */
bool http_has_responded(const struct http_exchange *x);
/* The status that was sent, or 0. */
int http_status(const struct http_exchange *x);
/* Does more wait to be sent than is good? */
bool http_is_full(const struct http_exchange *x);

/* The words of a status, such as "Not Found". */
const char *http_reason(int status);

#endif
