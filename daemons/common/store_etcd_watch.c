/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch of etcd is a response without an end, of which each line is an answer. It is held back
 * while nobody waits for changes. One that is silent is given up and asked for again from where it
 * was, so that a dead server or connection is noticed within ETCD_CALL_MILLISECONDS after
 * SILENCE_MILLISECONDS; when no endpoint takes it, the watch is lost.
 *
 * Notes of progress only count as a sign of life: those of 3.4 may run ahead of the changes.
 */
#include "common/store_etcd.h"

#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_MILLISECONDS 10000
/* Before it is asked for again after its end. */
#define PAUSE_MILLISECONDS 200

enum state {
	FINDING, /* where to begin */
	OPENING,
	OPEN,
	PAUSING, /* before it is opened again */
};

struct stream {
	struct etcd *etcd;
	char *prefix;
	struct store_op *op; /* that waits; or NULL */
	enum state state;
	struct etcd_call *call;
	struct upstream *upstream;
	char *body;
	struct event *timer, *work;
	size_t endpoint, tried;
	uint64_t seen; /* all changes up to here were told */
	int status;
	char *bytes; /* that came, and were not taken */
	size_t len, space;
	char reason[STORE_REASON_SIZE];
};

/* --- the end --------------------------------------------------------------------------------- */

static void drop_response(struct stream *s)
{
	if (s->upstream)
		upstream_cancel(s->upstream);
	s->upstream = NULL;
	s->len = 0;
}

static void free_stream(struct stream *s)
{
	drop_response(s);
	if (s->call)
		etcd_call_cancel(s->call);
	if (s->timer)
		event_free(s->timer);
	if (s->work)
		event_free(s->work);
	free(s->prefix);
	free(s->body);
	free(s->bytes);
	free(s);
}

void etcd_watch_end(struct store_watch *watch)
{
	if (watch->backend)
		free_stream(watch->backend);
	watch->backend = NULL;
}

void etcd_watch_cancel(struct store_op *op)
{
	struct stream *s = op->backend;

	s->op = NULL;
}

static void hand_back(struct stream *s)
{
	struct store_op *op = s->op;

	s->op = NULL;
	op->backend = NULL;
	op->revision = s->seen;
	store_op_mail(op);
}

/* The watch is over: its operation says why, this one or the next. */
static void lose(struct stream *s, int error, const char *reason)
{
	drop_response(s);
	event_del(s->timer);
	s->state = PAUSING;
	if (!s->op)
		return; /* it will be seen again when it is opened for the next one */
	store_op_fail(s->op, error, "%s", reason);
	hand_back(s);
}

static void say(struct stream *s, const char *reason)
{
	snprintf(s->reason, sizeof(s->reason), "etcd: %s: %s", s->etcd->endpoints[s->endpoint].url,
		reason);
}

static void set_timer(struct stream *s, int64_t milliseconds)
{
	const struct timeval time = loop_time(milliseconds);

	if (event_add(s->timer, &time))
		lose(s, PM_E_NOMEM, "out of memory");
}

/* Opens it again in a moment, here or at the next endpoint. */
static void reopen(struct stream *s)
{
	drop_response(s);
	s->state = PAUSING;
	set_timer(s, PAUSE_MILLISECONDS);
}

static void open_stream(struct stream *s);

/* This endpoint did not take it. */
static void try_next(struct stream *s)
{
	drop_response(s);
	s->endpoint = (s->endpoint + 1) % s->etcd->endpoint_count;
	if (++s->tried < s->etcd->endpoint_count) {
		open_stream(s);
		return;
	}
	s->tried = 0;
	lose(s, PM_E_NET, s->reason);
}

/* --- one answer ------------------------------------------------------------------------------ */

static bool add_change(struct stream *s, const json_t *event, uint64_t *ret_revision)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	bool gone = type && !strcmp(type, "DELETE");
	struct etcd_entry e;
	bool ok;

	if ((type && !gone && strcmp(type, "PUT") != 0) ||
		etcd_entry_parse(json_object_get(event, "kv"), gone, &e) < 0)
		return false;
	ok = store_has_prefix(s->op, e.key, e.key_len) && e.entry.revision > s->seen &&
	     store_op_add(s->op, e.key, e.key_len, &e.entry);
	*ret_revision = e.entry.revision;
	etcd_entry_free(&e);
	return ok;
}

/* The last revision of a piece may go on in the next one. */
static bool take_events(struct stream *s, const json_t *result)
{
	const json_t *events = json_object_get(result, "events");
	bool goes_on = json_is_true(json_object_get(result, "fragment"));
	uint64_t revision = s->seen;

	if (events && !json_is_array(events))
		return false;
	for (size_t i = 0; i < json_array_size(events); i++)
		if (!add_change(s, json_array_get(events, i), &revision))
			return false;
	if (goes_on && revision > s->seen)
		revision--;
	s->seen = revision > s->seen ? revision : s->seen;
	return true;
}

static void take_cancel(struct stream *s, const json_t *result)
{
	const char *why = json_string_value(json_object_get(result, "cancel_reason"));

	if (json_object_get(result, "compact_revision")) {
		lose(s, PM_E_STALE, "etcd: the changes since then are not known any more");
		return;
	}
	say(s, why ? why : "the watch was ended");
	try_next(s);
}

/* False: the response is not what it should be, or was dropped. */
static bool take_result(struct stream *s, const json_t *result)
{
	if (json_is_true(json_object_get(result, "canceled"))) {
		take_cancel(s, result);
		return false;
	}
	if (json_is_true(json_object_get(result, "created"))) {
		s->state = OPEN;
		s->etcd->current = s->endpoint;
	}
	s->tried = 0;
	if (take_events(s, result))
		return true;
	say(s, s->op->error == PM_E_NOMEM ? "out of memory"
					  : "the answer is not what it should be");
	lose(s, s->op->error == PM_E_NOMEM ? PM_E_NOMEM : PM_E_NET, s->reason);
	return false;
}

static bool take_line(struct stream *s, const char *line, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	json_t *result = json_object_get(json, "result");
	json_t *failure = json_object_get(json, "error");
	bool ok = false;

	if (json_is_object(result) && s->status == 200) {
		ok = take_result(s, result);
	} else {
		const char *message = json_string_value(json_object_get(failure, "message"));

		say(s, message ? message : "the answer is not what it should be");
		try_next(s);
	}
	json_decref(json);
	return ok;
}

/* Whole lines, as long as somebody waits. False: the response was dropped. */
static bool take_lines(struct stream *s)
{
	size_t at = 0;
	char *end;

	while (s->op && s->len > at && (end = memchr(s->bytes + at, '\n', s->len - at))) {
		size_t len = (size_t)(end - s->bytes) - at;

		if (!take_line(s, s->bytes + at, len))
			return false;
		at += len + 1;
		if (s->op->count)
			hand_back(s);
	}
	if (at)
		memmove(s->bytes, s->bytes + at, s->len - at);
	s->len -= at;
	return true;
}

/* Out of libcurl's functions. The response goes on once there is somebody who wants more of it. */
static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (!s->upstream || !take_lines(s))
		return;
	if (s->state == OPEN)
		set_timer(s, SILENCE_MILLISECONDS);
	if (s->op && s->upstream)
		upstream_resume(s->upstream);
}

/* --- the response ---------------------------------------------------------------------------- */

static void on_head(void *arg, int status, const char *content_type)
{
	struct stream *s = arg;

	(void)content_type;
	s->status = status;
}

static bool on_body(void *arg, const char *bytes, size_t len)
{
	struct stream *s = arg;
	size_t space = s->space ? s->space : 4096;
	char *more = s->bytes;

	if (len > ETCD_LINE_MAX - s->len)
		return false;
	while (space < s->len + len)
		space *= 2;
	if (space != s->space)
		more = realloc(s->bytes, space);
	if (!more)
		return false;
	s->bytes = more;
	s->space = space;
	memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
	if (s->state == OPEN)
		set_timer(s, SILENCE_MILLISECONDS);
	if (memchr(bytes, '\n', len)) {
		upstream_pause(s->upstream);
		event_active(s->work, EV_TIMEOUT, 0);
	}
	return true;
}

static void on_done(void *arg, int error, const char *reason)
{
	struct stream *s = arg;
	char text[64];

	s->upstream = NULL;
	snprintf(text, sizeof(text), "the watch has ended with HTTP status %d", s->status);
	say(s, error == PM_OK ? text : error == PM_E_NET ? reason : "the answer is too long");
	if (s->state == OPEN)
		reopen(s);
	else
		try_next(s);
}

static const struct upstream_handler handler = {on_head, on_body, on_done};

/* --- opening --------------------------------------------------------------------------------- */

static int send_request(struct stream *s)
{
	/* A member that lost its leader ends the watch: it would tell of nothing. */
	static const struct http_field fields[] = {{"Grpc-Metadata-hasleader", "true"}};
	const struct upstream_request request = {
		.method = "POST",
		.target = "/v3/watch",
		.content_type = "application/json",
		.fields = fields,
		.field_count = 1,
		.body = s->body,
		.body_len = strlen(s->body),
	};

	return upstream_start(
		s->etcd->endpoints[s->endpoint].pool, &request, &handler, s, &s->upstream);
}

static void open_stream(struct stream *s)
{
	json_t *json = etcd_watch_request(s->prefix, s->seen + 1);

	drop_response(s);
	s->state = OPENING;
	s->status = 0;
	free(s->body);
	s->body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!s->body || send_request(s) < 0)
		lose(s, PM_E_NOMEM, "out of memory");
	else
		set_timer(s, ETCD_CALL_MILLISECONDS);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (s->state == OPENING) {
		say(s, "no answer in time");
		try_next(s);
	} else if (s->op) {
		open_stream(s);
	} else if (s->state == OPEN) {
		set_timer(s, SILENCE_MILLISECONDS);
	}
}

static void on_found(void *arg, int error, const char *reason, json_t *reply)
{
	struct stream *s = arg;
	uint64_t revision;

	s->call = NULL;
	if (error != PM_OK) {
		lose(s, error, reason);
		return;
	}
	s->endpoint = s->etcd->current;
	s->seen = s->op->after_revision;
	if (!etcd_revision(reply, &revision)) {
		say(s, "the answer is not what it should be");
		lose(s, PM_E_NET, s->reason);
		return;
	}
	if (s->seen > revision) {
		say(s, "the store is older than what was seen of it");
		lose(s, PM_E_STALE, s->reason);
		return;
	}
	s->seen = s->seen ? s->seen : revision;
	open_stream(s);
}

/* --- a watch --------------------------------------------------------------------------------- */

static struct stream *new_stream(struct etcd *etcd, const char *prefix)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->etcd = etcd;
	s->prefix = strdup(prefix);
	s->timer = evtimer_new(etcd->loop->base, on_time, s);
	s->work = event_new(etcd->loop->base, -1, 0, on_work, s);
	/* The revision is in the answer whether there is such a key or not. */
	if (s->prefix && s->timer && s->work)
		s->call = etcd_call(etcd, "/v3/kv/range", etcd_get("!"), false, on_found, s);
	if (s->call)
		return s;
	free_stream(s);
	return NULL;
}

void etcd_watch_start(struct etcd *etcd, struct store_op *op)
{
	struct store_watch *watch = op->watch;
	struct stream *s = watch->backend ? watch->backend : new_stream(etcd, op->key);

	if (!s) {
		store_op_fail(op, PM_E_NOMEM, "out of memory");
		store_op_mail(op);
		return;
	}
	watch->backend = s;
	op->backend = s;
	s->op = op;
	if (s->state == PAUSING && !event_pending(s->timer, EV_TIMEOUT, NULL))
		open_stream(s);
	else if (s->state == OPEN)
		event_active(s->work, EV_TIMEOUT, 0);
}
