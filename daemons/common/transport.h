/* SPDX-License-Identifier: Apache-2.0 */
/* A connected socket in an event loop, with TLS or without. */
#ifndef COMMON_TRANSPORT_H
#define COMMON_TRANSPORT_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/tls.h"

enum {
	TRANSPORT_CLOSED = 0,  /* the peer will send no more */
	TRANSPORT_AGAIN = -1,  /* later */
	TRANSPORT_BROKEN = -2, /* nothing goes any more */
};

struct transport {
	int fd;
	struct tls *tls; /* NULL: without */
	bool is_open;	 /* the handshake is done, where there is one */
	bool reading;
	bool writing;
	struct event *readable;
	struct event *writable;
};

/*
 * Takes the socket, which is non-blocking, also on failure. The two functions are called from the
 * loop when the socket has or takes bytes, if transport_read_on() and transport_write_on() said so.
 * 0; PM_E_NOMEM.
 */
int transport_init(struct transport *t, struct event_base *base, int fd, struct tls_config *tls,
	event_callback_fn on_readable, event_callback_fn on_writable, void *arg);

/* abortively: the peer sees a reset, not an end. */
void transport_done(struct transport *t, bool abortively);

void transport_read_on(struct transport *t, bool on);
void transport_write_on(struct transport *t, bool on);

/* Goes on with the handshake. 1 when it is done, TRANSPORT_AGAIN, TRANSPORT_BROKEN. */
int transport_open(struct transport *t);

/* Bytes read, or one of the above. */
ssize_t transport_read(struct transport *t, void *bytes, size_t len);

/* Whether the peer sent something that was not read. */
bool transport_has_bytes(const struct transport *t);

/* Writes what the buffer holds, as far as the socket takes it: 0, or TRANSPORT_BROKEN. */
int transport_flush(struct transport *t, struct evbuffer *out);

/* Bytes that were written and that the peer's system has not taken yet. */
size_t transport_queued(const struct transport *t);

/* Says that no more will be sent. */
void transport_shutdown(struct transport *t);

#endif
