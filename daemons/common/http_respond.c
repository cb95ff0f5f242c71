/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler does with its exchange. */
#include <stdio.h>
#include <string.h>

#include "common/http_conn.h"

static const struct {
	int status;
	const char *words;
} reasons[] = {
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Content"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].words;
	return "Status";
}

bool http_remote(const struct http_exchange *x, struct sockaddr_storage *ret_address)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	if (getpeername(x->transport.fd, (struct sockaddr *)&address, &len) != 0)
		return false;
	*ret_address = address;
	return true;
}

const struct http_request *http_request(const struct http_exchange *x)
{
	return x->request;
}

const char *http_id(const struct http_exchange *x)
{
	return x->id;
}

struct loop *http_loop(const struct http_exchange *x)
{
	return x->server->loop;
}

void *http_arg(const struct http_exchange *x)
{
	return x->server->handler->arg;
}

void http_client_address(const struct http_exchange *x, struct sockaddr_storage *ret)
{
	socklen_t len = sizeof(*ret);

	*ret = (struct sockaddr_storage){0};
	if (getpeername(x->transport.fd, (struct sockaddr *)ret, &len) < 0)
		ret->ss_family = AF_UNSPEC;
}

const struct tls_peer *http_peer(const struct http_exchange *x)
{
	return x->transport.tls ? tls_peer(x->transport.tls) : NULL;
}

void http_set_peer_note(struct http_exchange *x, void *note, void (*release)(void *note))
{
	if (x->release_note)
		x->release_note(x->peer_note);
	x->peer_note = note;
	x->release_note = release;
}

void *http_peer_note(const struct http_exchange *x)
{
	return x->peer_note;
}

void http_set_user(struct http_exchange *x, void *user)
{
	x->user = user;
}

void *http_user(const struct http_exchange *x)
{
	return x->user;
}

bool http_has_responded(const struct http_exchange *x)
{
	return x->status != 0;
}

int http_status(const struct http_exchange *x)
{
	return x->status;
}

bool http_is_full(const struct http_exchange *x)
{
	return x->was_full;
}

void http_pause(struct http_exchange *x)
{
	x->paused = true;
	if (x->phase == HTTP_BODY)
		transport_read_on(&x->transport, false);
}

void http_resume(struct http_exchange *x)
{
	if (!x->paused)
		return;
	x->paused = false;
	event_active(x->kick, 0, 0);
}

/* --- the head -------------------------------------------------------------------------------- */

/* A value that was put together of what others sent must not end the line. */
static bool is_value(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return false;
	return true;
}

static void add_field(struct http_exchange *x, const char *name, const char *value)
{
	if (value && is_value(value))
		evbuffer_add_printf(x->out, "%s: %s\r\n", name, value);
}

/* Such a response ends with its head, whatever that says (RFC 9112, 6.3). */
static bool has_no_body(const struct http_exchange *x)
{
	return x->status == 204 || x->status == 304 ||
	       (x->request && !strcmp(x->request->method, "HEAD"));
}

/* How the client will know where the body ends. */
static void add_framing(struct http_exchange *x, int64_t length)
{
	bool is_1_1 = !x->request || x->request->is_1_1;

	x->no_body = has_no_body(x);
	x->has_length = length >= 0;
	x->left = length >= 0 ? (uint64_t)length : 0;
	x->is_chunked = length < 0 && is_1_1 && !x->no_body;
	if (length >= 0 && x->status != 204)
		evbuffer_add_printf(x->out, "Content-Length: %lld\r\n", (long long)length);
	if (x->is_chunked)
		evbuffer_add_printf(x->out, "Transfer-Encoding: chunked\r\n");
	if (length < 0 && !x->is_chunked)
		x->close_after = true;
}

void http_respond(struct http_exchange *x, int status, const char *content_type,
	const struct http_field *fields, size_t count, int64_t length)
{
	if (x->status || x->broken)
		return;
	x->status = status;
	if (x->server->counts)
		atomic_fetch_add(&x->server->counts->responses[status / 100 % 6], 1);
	evbuffer_add_printf(x->out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
	add_field(x, "Content-Type", content_type);
	for (size_t i = 0; i < count; i++)
		add_field(x, fields[i].name, fields[i].value);
	if (x->begun)
		add_field(x, "X-Request-Id", x->id);
	add_framing(x, length);
	x->close_after = x->close_after || x->server->draining;
	evbuffer_add_printf(x->out, x->close_after ? "Connection: close\r\n\r\n" : "\r\n");
	/* Without a body the head waits for it, or for the end. */
	if (length < 0)
		http_conn_flush(x);
}

/* --- the body -------------------------------------------------------------------------------- */

void http_send(struct http_exchange *x, const void *bytes, size_t len)
{
	char size[20];
	int n;

	if (!x->status || x->ended || x->broken || len == 0)
		return;
	if (x->has_length && len > x->left) {
		http_abort(x);
		return;
	}
	x->left -= x->has_length ? len : 0;
	if (x->no_body)
		return;
	if (x->is_chunked) {
		n = snprintf(size, sizeof(size), "%zx\r\n", len);
		evbuffer_add(x->out, size, (size_t)n);
	}
	evbuffer_add(x->out, bytes, len);
	if (x->is_chunked)
		evbuffer_add(x->out, "\r\n", 2);
	http_conn_flush(x);
}

void http_finish(struct http_exchange *x)
{
	if (x->ended || x->broken)
		return;
	if (!x->status || (x->left && !x->no_body)) {
		http_abort(x);
		return;
	}
	x->ended = true;
	if (x->is_chunked)
		evbuffer_add(x->out, "0\r\n\r\n", 5);
	http_conn_flush(x);
	event_active(x->kick, 0, 0);
}

void http_reply(
	struct http_exchange *x, int status, const char *content_type, const void *body, size_t len)
{
	if (x->status)
		return;
	http_respond(x, status, content_type, NULL, 0, (int64_t)len);
	http_send(x, body, len);
	http_finish(x);
}

void http_abort(struct http_exchange *x)
{
	if (x->broken)
		return;
	x->broken = true;
	/* The end of the connection is the end of the body where nothing else says so. */
	x->is_reset = !x->has_length && !x->is_chunked;
	event_active(x->kick, 0, 0);
}
