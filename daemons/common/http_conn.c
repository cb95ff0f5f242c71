/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http_conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/http_intake.h"

/* Reads of one connection before others get their turn. */
#define READS_MAX 16
/* Connections that are looked at to find one that may go. */
#define LOOKS_MAX 16

/* --- idleness -------------------------------------------------------------------------------- */

/*
 * After whatever may have begun or ended something. Who connects and then does not shake hands
 * would else have a place that nobody can take.
 */
static void note_idleness(struct http_exchange *x)
{
	bool is_idle = (x->phase == HTTP_OPENING || x->phase == HTTP_HEAD) && x->in_len == 0;

	if (is_idle == x->is_idle)
		return;
	if (is_idle)
		http_idle_join(&x->server->idle, x, loop_now());
	else
		http_idle_leave(&x->server->idle, x);
}

/* --- deadlines ------------------------------------------------------------------------------- */

static void set_deadline(struct http_exchange *x, int64_t milliseconds)
{
	struct timeval time = loop_time(milliseconds);

	evtimer_add(x->timer, &time);
}

/* What the client's machine has taken of what was ever sent. */
static int64_t taken(const struct http_exchange *x)
{
	return (int64_t)x->out_total - (int64_t)transport_queued(&x->transport);
}

/* From now on something waits, and the client has a time to take its part. */
static void begin_window(struct http_exchange *x)
{
	x->window_at = loop_now();
	x->window_taken = taken(x);
	set_deadline(x, x->server->limits->send_time);
}

void http_conn_enter(struct http_exchange *x, enum http_phase phase)
{
	const struct http_limits *limits = x->server->limits;

	x->phase = phase;
	switch (phase) {
	case HTTP_OPENING:
	case HTTP_HEAD:
		set_deadline(x, limits->head_time);
		break;
	case HTTP_BODY:
		x->body_in_window = 0;
		set_deadline(x, limits->body_time);
		break;
	case HTTP_BUSY:
		evtimer_del(x->timer);
		if (evbuffer_get_length(x->out))
			begin_window(x);
		break;
	case HTTP_LINGER:
		set_deadline(x, limits->linger_time);
		break;
	}
	note_idleness(x);
}

/* Too slow is who did not send enough in the window, unless it was us who did not read. */
static void judge_body(struct http_exchange *x)
{
	if (!x->paused && x->body_in_window < x->server->limits->body_rate) {
		http_conn_refuse(x, 408);
		return;
	}
	x->body_in_window = 0;
	set_deadline(x, x->server->limits->body_time);
}

/*
 * While something waits all along, the client takes a part of it in each window. A byte now and
 * then would keep an answer in our memory for as long as he likes.
 */
static void judge_sending(struct http_exchange *x)
{
	const struct http_limits *limits = x->server->limits;
	int64_t left = x->window_at + limits->send_time - loop_now();

	if (evbuffer_get_length(x->out) == 0)
		return;
	if (left > 0) {
		set_deadline(x, left);
		return;
	}
	if (taken(x) - x->window_taken < (int64_t)limits->send_rate) {
		x->broken = x->is_reset = true;
		event_active(x->kick, 0, 0);
		return;
	}
	begin_window(x);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_exchange *x = arg;

	(void)fd;
	(void)what;
	switch (x->phase) {
	case HTTP_HEAD:
		if (x->in_len) {
			http_conn_refuse(x, 408);
			return;
		}
		break;
	case HTTP_BODY:
		judge_body(x);
		return;
	case HTTP_BUSY:
		judge_sending(x);
		return;
	case HTTP_OPENING:
	case HTTP_LINGER:
		break;
	}
	http_conn_close(x);
}

/* --- the end of an exchange, and of a connection --------------------------------------------- */

static void end_exchange(struct http_exchange *x, bool whole)
{
	if (!x->begun)
		return;
	x->begun = false;
	if (x->server->counts) {
		atomic_fetch_sub(&x->server->counts->requests, 1);
		if (!whole)
			atomic_fetch_add(&x->server->counts->aborted, 1);
	}
	x->server->handler->done(x, whole);
}

void http_conn_close(struct http_exchange *x)
{
	struct http_server *server = x->server;

	end_exchange(x, false);
	http_idle_leave(&server->idle, x);
	*x->back = x->next;
	if (x->next)
		x->next->back = x->back;
	if (x->timer)
		event_free(x->timer);
	if (x->kick)
		event_free(x->kick);
	transport_done(&x->transport, x->is_reset);
	http_set_peer_note(x, NULL, NULL);
	if (x->out)
		evbuffer_free(x->out);
	free(x->request);
	free(x->in);
	free(x);
	server->connection_count--;
	if (server->counts)
		atomic_fetch_sub(&server->counts->connections, 1);
	http_server_has_room(server);
}

void http_conn_drain(struct http_exchange *x)
{
	x->close_after = true;
	if (x->phase == HTTP_HEAD && x->in_len == 0)
		http_conn_close(x);
}

void http_conn_retire(struct http_exchange *x)
{
	x->close_after = true;
	if (x->phase == HTTP_OPENING || x->phase == HTTP_HEAD)
		http_conn_close(x);
}

bool http_conn_make_room(struct http_server *server, bool is_full)
{
	for (int i = 0; i < LOOKS_MAX; i++) {
		struct http_exchange *x = http_idle_oldest(&server->idle, loop_now(), is_full);

		if (!x)
			return false;
		if (!transport_has_bytes(&x->transport)) {
			http_conn_close(x);
			return true;
		}
		/* It did ask: only we have not read that yet. */
		http_idle_leave(&server->idle, x);
		http_idle_join(&server->idle, x, loop_now());
	}
	return false;
}

/* The client reads what we said, while what it still sends is thrown away. */
static void linger(struct http_exchange *x)
{
	transport_shutdown(&x->transport);
	http_conn_enter(x, HTTP_LINGER);
	x->in_len = 0;
	transport_read_on(&x->transport, true);
}

/* --- reading --------------------------------------------------------------------------------- */

static void reset_exchange(struct http_exchange *x)
{
	free(x->request);
	x->request = NULL;
	x->chunked = (struct http_chunked){0};
	x->body_got = 0;
	x->paused = x->whole = false;
	x->user = NULL;
	x->status = 0;
	x->left = 0;
	x->has_length = x->is_chunked = x->no_body = x->ended = x->was_full = false;
}

/* The response went out whole: what comes next? */
static void complete(struct http_exchange *x)
{
	bool whole = x->whole;

	end_exchange(x, true);
	if (x->close_after || !whole) {
		if (whole && x->in_len == 0)
			http_conn_close(x);
		else
			linger(x);
		return;
	}
	reset_exchange(x);
	http_conn_enter(x, HTTP_HEAD);
	if (x->in_len == 0) {
		set_deadline(x, x->server->limits->idle_time);
		http_server_has_room(x->server);
	}
	transport_read_on(&x->transport, true);
	http_intake_go_on(x);
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct http_exchange *x = arg;

	(void)fd;
	(void)what;
	if (x->broken)
		http_conn_close(x);
	else if (x->ended && x->phase != HTTP_LINGER && evbuffer_get_length(x->out) == 0)
		complete(x);
	else if (!x->ended && x->phase == HTTP_BODY && !x->paused)
		http_intake_go_on(x);
}

/* The peer will send no more. A response that is ready may still go out. */
static void on_peer_gone(struct http_exchange *x, bool broken)
{
	if (!broken && x->phase == HTTP_BUSY && x->ended) {
		x->close_after = true;
		transport_read_on(&x->transport, false);
		return;
	}
	http_conn_close(x);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_exchange *x = arg;
	struct loop *loop = x->server->loop;
	int open = transport_open(&x->transport);

	(void)fd;
	(void)what;
	if (open == TRANSPORT_BROKEN) {
		if (x->server->counts)
			atomic_fetch_add(&x->server->counts->refused, 1);
		http_conn_close(x);
	}
	if (open != 1)
		return;
	if (x->phase == HTTP_OPENING)
		x->phase = HTTP_HEAD; /* in the same time */
	note_idleness(x);
	for (int i = 0; i < READS_MAX && x->transport.reading && !x->broken; i++) {
		ssize_t n = transport_read(&x->transport, loop->scratch, LOOP_SCRATCH_SIZE);

		if (n == TRANSPORT_AGAIN)
			return;
		if (n <= 0) {
			on_peer_gone(x, n < 0);
			return;
		}
		if (x->server->counts)
			atomic_fetch_add(&x->server->counts->bytes_in, (uint64_t)n);
		if (x->phase == HTTP_HEAD && x->in_len == 0)
			set_deadline(x, x->server->limits->head_time);
		if (!http_intake_keep(x, loop->scratch, (size_t)n)) {
			http_conn_close(x);
			return;
		}
		note_idleness(x);
		http_intake_go_on(x);
	}
	/* What TLS still holds is not seen by the socket. */
	if (x->transport.tls && x->transport.reading && tls_has_pending(x->transport.tls))
		event_active(x->transport.readable, EV_READ, 0);
}

/* --- writing --------------------------------------------------------------------------------- */

void http_conn_refuse(struct http_exchange *x, int status)
{
	const char *words = http_reason(status);

	if (x->server->counts && !x->begun)
		atomic_fetch_add(&x->server->counts->refused, 1);
	if (x->status) {
		http_abort(x);
		return;
	}
	http_conn_enter(x, HTTP_BUSY);
	x->close_after = true;
	http_reply(x, status, "text/plain", words, strlen(words));
}

/* Of a request that is whole the one deadline is that of its answer, while some of it waits. */
static void note_waiting(struct http_exchange *x, bool waits)
{
	if (!waits)
		evtimer_del(x->timer);
	else if (!evtimer_pending(x->timer, NULL))
		begin_window(x);
}

void http_conn_flush(struct http_exchange *x)
{
	size_t before = evbuffer_get_length(x->out), after;

	if (transport_flush(&x->transport, x->out) < 0) {
		x->broken = true;
		event_active(x->kick, 0, 0);
		return;
	}
	after = evbuffer_get_length(x->out);
	if (x->server->counts)
		atomic_fetch_add(&x->server->counts->bytes_out, before - after);
	x->out_total += before - after;
	x->was_full = x->was_full || after > HTTP_HIGH_WATER;
	if (x->phase == HTTP_BUSY)
		note_waiting(x, after > 0);
	if (x->ended && after == 0)
		event_active(x->kick, 0, 0);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_exchange *x = arg;

	(void)fd;
	(void)what;
	if (!x->transport.is_open) {
		transport_write_on(&x->transport, false);
		on_readable(fd, what, arg);
		return;
	}
	http_conn_flush(x);
	if (!x->broken && !x->ended && x->was_full &&
		evbuffer_get_length(x->out) <= HTTP_LOW_WATER) {
		x->was_full = false;
		x->server->handler->drained(x);
	}
}

/* --- the beginning --------------------------------------------------------------------------- */

static void attach(struct http_exchange *x)
{
	struct http_server *server = x->server;

	x->next = server->connections;
	x->back = &server->connections;
	if (x->next)
		x->next->back = &x->next;
	server->connections = x;
	server->connection_count++;
	if (server->counts) {
		atomic_fetch_add(&server->counts->connections_total, 1);
		atomic_fetch_add(&server->counts->connections, 1);
	}
}

void http_conn_open(struct http_server *server, int fd)
{
	struct http_exchange *x = calloc(1, sizeof(*x));

	if (!x) {
		evutil_closesocket(fd);
		return;
	}
	x->server = server;
	x->back = &x->next; /* of no list yet */
	attach(x);
	x->timer = evtimer_new(server->loop->base, on_timer, x);
	x->kick = event_new(server->loop->base, -1, 0, on_kick, x);
	x->out = evbuffer_new();
	if (transport_init(&x->transport, server->loop->base, fd, server->tls, on_readable,
		    on_writable, x) < 0 ||
		!x->timer || !x->kick || !x->out) {
		http_conn_close(x);
		return;
	}
	http_conn_enter(x, server->tls ? HTTP_OPENING : HTTP_HEAD);
	transport_read_on(&x->transport, true);
}
