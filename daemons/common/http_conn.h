/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of the HTTP server, and the exchange that it has at the moment. */
#ifndef COMMON_HTTP_CONN_H
#define COMMON_HTTP_CONN_H

#include "common/http_chunk.h"
#include "common/http_idle.h"
#include "common/http_server.h"
#include "common/transport.h"

#define HTTP_ID_SIZE 25

enum http_phase {
	HTTP_OPENING, /* TLS shakes hands */
	HTTP_HEAD,    /* a head is awaited or comes */
	HTTP_BODY,    /* the request's body comes */
	HTTP_BUSY,    /* the request is whole, its response not */
	HTTP_LINGER,  /* we have said all; what comes is thrown away */
};

struct http_exchange {
	struct http_server *server;
	struct http_exchange *next, **back;
	struct transport transport;
	struct event *timer; /* the one deadline of the phase */
	struct event *kick;  /* settles what the exchange's functions did */
	enum http_phase phase;
	void *peer_note;
	void (*release_note)(void *note);

	/* what came and was not taken yet: in_len bytes from in_at on */
	char *in;
	size_t in_at, in_len, in_room, in_from;
	struct evbuffer *out;
	uint64_t out_total;   /* bytes that the system took */
	int64_t window_at;    /* since when something waits, or was judged last */
	int64_t window_taken; /* what the client had taken then */

	/* while nothing is under way */
	TAILQ_ENTRY(http_exchange) idle;
	bool is_idle;
	int64_t idle_since;

	/* the exchange */
	struct http_request *request;
	struct http_chunked chunked;
	uint64_t body_got, body_in_window;
	bool begun, paused, whole;
	void *user;
	char id[HTTP_ID_SIZE];

	/* its response */
	int status;
	uint64_t left; /* of the length that was said */
	bool has_length, is_chunked, no_body, ended, was_full;
	bool close_after;
	bool broken;   /* the connection is of no use any more */
	bool is_reset; /* close so that the client sees an error */
};

struct http_server {
	struct loop *loop;
	const struct http_handler *handler;
	const struct http_limits *limits;
	struct http_counts *counts;
	struct tls_config *tls;
	struct http_exchange *connections;
	size_t connection_count;
	struct http_idle idle;
	struct http_listener *listeners;
	bool draining, is_waiting, needs_tls;
	int files_most; /* descriptors from there on are spared */
	void (*on_empty)(void *arg);
	void *on_empty_arg;
};

/* A new connection; takes the socket. */
void http_conn_open(struct http_server *server, int fd);

/* Ends it, whatever it does. */
void http_conn_close(struct http_exchange *x);

/* The phase begins, and its deadline. */
void http_conn_enter(struct http_exchange *x, enum http_phase phase);

/* Closes it when nothing is under way. */
void http_conn_drain(struct http_exchange *x);

/* Closes it when no request is under way, else after that. */
void http_conn_retire(struct http_exchange *x);

/*
 * Of those on which nothing is under way closes the one that waits for longest; false: none. Unless
 * is_full, who has only just come is left alone.
 */
bool http_conn_make_room(struct http_server *server, bool is_full);

/* Sends what waits, and notes when that is impossible. */
void http_conn_flush(struct http_exchange *x);

/* A refusal of ours, with the words of the status; the connection ends after it. */
void http_conn_refuse(struct http_exchange *x, int status);

/* A connection has gone, or is idle: the server may accept again, or has nothing left to drain. */
void http_server_has_room(struct http_server *server);

#endif
