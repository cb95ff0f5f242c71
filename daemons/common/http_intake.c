/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http_intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *waiting(const struct http_exchange *x)
{
	return x->in_at ? x->in + x->in_at : x->in;
}

/*
 * Removes what was taken from the beginning of what came. The rest is not moved: that would cost
 * the more, the smaller the chunks that somebody sends.
 */
static void drop(struct http_exchange *x, size_t len)
{
	x->in_at += len;
	x->in_len -= len;
	if (x->in_len)
		return;
	free(x->in);
	x->in = NULL;
	x->in_at = x->in_room = 0;
}

bool http_intake_keep(struct http_exchange *x, const char *bytes, size_t len)
{
	if (len == 0)
		return true;
	if (x->in_at)
		memmove(x->in, waiting(x), x->in_len);
	x->in_at = 0;
	if (x->in_len + len > x->in_room) {
		size_t room = x->in_len + len;
		char *grown = realloc(x->in, room);

		if (!grown)
			return false;
		x->in = grown;
		x->in_room = room;
	}
	memcpy(x->in + x->in_len, bytes, len);
	x->in_len += len;
	return true;
}

/* The request and its head, in one piece of memory. */
static int parse(struct http_exchange *x, size_t len)
{
	struct http_request *request = malloc(sizeof(*request) + len);
	char *head = (char *)(request + 1);
	int status;

	if (!request)
		return 503;
	memcpy(head, waiting(x), len);
	status = http_request_parse(head, len, request);
	if (status)
		free(request);
	else
		x->request = request;
	return status;
}

static void next_id(struct http_exchange *x)
{
	struct loop *loop = x->server->loop;

	snprintf(x->id, sizeof(x->id), "%016llx%08x", (unsigned long long)loop->id_base,
		(unsigned int)loop->id_count++);
}

static void begin(struct http_exchange *x)
{
	struct http_server *server = x->server;

	next_id(x);
	x->begun = true;
	x->close_after = server->draining || !x->request->keep_alive;
	if (server->counts) {
		atomic_fetch_add(&server->counts->requests_total, 1);
		atomic_fetch_add(&server->counts->requests, 1);
	}
	http_conn_enter(x, HTTP_BODY);
	server->handler->begin(x, server->handler->arg);
	if (x->request->expects_continue && !x->status && !x->broken) {
		evbuffer_add_printf(x->out, "HTTP/1.1 100 Continue\r\n\r\n");
		http_conn_flush(x);
	}
}

/* True when there is a head and it was taken. */
static bool take_head(struct http_exchange *x)
{
	long end = http_head_end(waiting(x), x->in_len, &x->in_from);
	int status = 0;

	if (end == 0 && x->in_len <= HTTP_HEAD_MAX)
		return false;
	if (end < 0)
		status = 400;
	else if (end == 0 || end > HTTP_HEAD_MAX)
		status = 431;
	else
		status = parse(x, (size_t)end);
	x->in_from = 0;
	if (status) {
		http_conn_refuse(x, status);
		return false;
	}
	drop(x, (size_t)end);
	if (x->request->content_length > 0 &&
		(uint64_t)x->request->content_length > x->server->limits->body) {
		http_conn_refuse(x, 413);
		return false;
	}
	begin(x);
	return true;
}

static void take_end(struct http_exchange *x)
{
	x->whole = true;
	http_conn_enter(x, HTTP_BUSY);
	if (!x->ended)
		x->server->handler->end(x);
}

/* A piece of a body of known length; true when it was the last. */
static bool take_plain(struct http_exchange *x, size_t *ret_used)
{
	uint64_t all = x->request->content_length < 0 ? 0 : (uint64_t)x->request->content_length;
	uint64_t left = all - x->body_got;

	*ret_used = x->in_len < left ? x->in_len : (size_t)left;
	x->body_got += *ret_used;
	if (*ret_used && !x->ended)
		x->server->handler->body(x, waiting(x), *ret_used);
	return x->body_got == all;
}

/* Some of the body: 1 when it has ended, 0 for more, or a negative status. */
static int take_chunk(struct http_exchange *x, size_t *ret_used)
{
	const char *body;
	size_t len;
	int end = http_chunked_take(&x->chunked, waiting(x), x->in_len, ret_used, &body, &len);

	if (end < 0)
		return -400;
	x->body_got += len;
	if (x->body_got > x->server->limits->body)
		return -413;
	if (len && !x->ended)
		x->server->handler->body(x, body, len);
	return end;
}

/* True when there is more to do with what came. */
static bool take_body(struct http_exchange *x)
{
	size_t used = 0;
	int end;

	if (x->paused && !x->ended)
		return false;
	end = x->request->chunked ? take_chunk(x, &used) : take_plain(x, &used);
	if (end < 0) {
		http_conn_refuse(x, -end);
		return false;
	}
	x->body_in_window += used;
	if (used)
		drop(x, used);
	if (end)
		take_end(x);
	return used > 0 && !end;
}

void http_intake_go_on(struct http_exchange *x)
{
	bool again = true;

	while (again && !x->broken) {
		if (x->phase == HTTP_HEAD)
			again = x->in_len && take_head(x);
		else if (x->phase == HTTP_BODY)
			again = take_body(x);
		else
			again = false;
	}
	if (x->phase == HTTP_LINGER)
		x->in_len = 0;
	/* Of what can't be taken now, no more is read than fits a head. */
	transport_read_on(
		&x->transport, x->phase == HTTP_LINGER || x->phase == HTTP_HEAD ||
				       (x->phase == HTTP_BODY && !x->paused) ||
				       (x->phase == HTTP_BUSY && x->in_len < HTTP_HEAD_MAX));
}
