/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_etcd.h"

#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Codes of gRPC. */
#define CODE_INVALID	 3
#define CODE_EXHAUSTED	 8
#define CODE_UNAVAILABLE 14

struct etcd_call {
	struct etcd *etcd;
	struct upstream *upstream;
	struct event *timer;
	const char *path;
	char *body;
	bool once, sent;
	bool is_running; /* else it waits for its turn */
	TAILQ_ENTRY(etcd_call) queue;
	size_t tried, endpoint;
	int status;
	char *reply;
	size_t len, space;
	bool is_too_long;
	char reason[STORE_REASON_SIZE];
	etcd_reply *done;
	void *arg;
};

static void run_next(struct etcd *etcd);

static void free_call(struct etcd_call *call)
{
	struct etcd *etcd = call->etcd;
	bool was_running = call->is_running;

	if (call->upstream)
		upstream_cancel(call->upstream);
	if (call->timer)
		event_free(call->timer);
	if (was_running)
		etcd->running--;
	else
		TAILQ_REMOVE(&etcd->waiting, call, queue);
	/* The values in it are sealed: it is not wiped. */
	free(call->body);
	free(call->reply);
	free(call);
	if (was_running)
		run_next(etcd);
}

static void finish(struct etcd_call *call, int error, json_t *reply)
{
	if (error == PM_OK)
		call->etcd->current = call->endpoint;
	call->done(call->arg, error, call->reason, reply);
	free_call(call);
}

static void say(struct etcd_call *call, const char *reason)
{
	snprintf(call->reason, sizeof(call->reason), "etcd: %s: %s",
		call->etcd->endpoints[call->endpoint].url, reason);
}

/* --- one endpoint ---------------------------------------------------------------------------- */

static void on_head(void *arg, int status, const char *content_type)
{
	struct etcd_call *call = arg;

	(void)content_type;
	call->status = status;
}

static bool on_body(void *arg, const char *bytes, size_t len)
{
	struct etcd_call *call = arg;
	size_t space = call->space ? call->space : 4096;
	char *more = call->reply;

	call->is_too_long = len > ETCD_REPLY_MAX - call->len;
	if (call->is_too_long)
		return false;
	while (space < call->len + len)
		space *= 2;
	if (space != call->space)
		more = realloc(call->reply, space);
	if (!more)
		return false;
	call->reply = more;
	call->space = space;
	memcpy(call->reply + call->len, bytes, len);
	call->len += len;
	return true;
}

static void on_done(void *arg, int error, const char *reason);

static const struct upstream_handler handler = {on_head, on_body, on_done};

static int try_endpoint(struct etcd_call *call)
{
	const struct timeval limit = loop_time(ETCD_CALL_MILLISECONDS);
	const struct upstream_request request = {
		.method = "POST",
		.target = call->path,
		.content_type = "application/json",
		.body = call->body,
		.body_len = strlen(call->body),
		.sent = call->once ? &call->sent : NULL,
	};

	call->len = 0;
	call->status = 0;
	if (event_add(call->timer, &limit))
		return PM_E_NOMEM;
	return upstream_start(call->etcd->endpoints[call->endpoint].pool, &request, &handler, call,
		&call->upstream);
}

/* To the next endpoint; or that was it. */
static void go_on(struct etcd_call *call)
{
	call->tried++;
	if (call->sent || call->tried >= call->etcd->endpoint_count) {
		finish(call, PM_E_NET, NULL);
		return;
	}
	call->endpoint = (call->endpoint + 1) % call->etcd->endpoint_count;
	if (try_endpoint(call) < 0) {
		say(call, "out of memory");
		finish(call, PM_E_NOMEM, NULL);
	}
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct etcd_call *call = arg;

	(void)fd;
	(void)what;
	if (!call->is_running) {
		say(call, "too many operations wait for an answer");
		finish(call, PM_E_NET, NULL);
		return;
	}
	if (!call->upstream) {
		say(call, "out of memory");
		finish(call, PM_E_NOMEM, NULL);
		return;
	}
	upstream_cancel(call->upstream);
	call->upstream = NULL;
	say(call, call->sent ? "no answer in time: it may have been done" : "no answer in time");
	go_on(call);
}

/* The turn of one that waits; its failure is told by its timer. */
static void run_next(struct etcd *etcd)
{
	struct etcd_call *call = TAILQ_FIRST(&etcd->waiting);

	if (!call || etcd->running >= ETCD_CALLS_MAX)
		return;
	TAILQ_REMOVE(&etcd->waiting, call, queue);
	call->is_running = true;
	etcd->running++;
	call->endpoint = etcd->current;
	if (try_endpoint(call) < 0)
		event_active(call->timer, EV_TIMEOUT, 0);
}

/* --- the answer ------------------------------------------------------------------------------ */

/* Which of its errors say that nothing was done, or that another endpoint may do it. */
static void take_error(struct etcd_call *call, const json_t *reply)
{
	const char *message = json_string_value(json_object_get(reply, "message"));
	json_int_t code = json_integer_value(json_object_get(reply, "code"));
	char text[64];

	snprintf(text, sizeof(text), "HTTP status %d", call->status);
	say(call, message ? message : text);
	if (code == CODE_EXHAUSTED ||
		(code == CODE_INVALID && message && strstr(message, "too large")))
		finish(call, PM_E_LIMIT, NULL);
	else if (code == CODE_UNAVAILABLE)
		go_on(call);
	else
		finish(call, PM_E_NET, NULL);
}

static void take_reply(struct etcd_call *call)
{
	json_error_t error;
	json_t *reply = json_loadb(
		call->reply ? call->reply : "", call->len, JSON_REJECT_DUPLICATES, &error);

	if (call->status == 200 && json_is_object(reply)) {
		finish(call, PM_OK, reply);
	} else if (call->status != 200) {
		take_error(call, reply);
	} else {
		say(call, "the answer is not JSON of an object");
		go_on(call);
	}
	json_decref(reply);
}

static void on_done(void *arg, int error, const char *reason)
{
	struct etcd_call *call = arg;

	call->upstream = NULL;
	event_del(call->timer);
	if (error == PM_OK) {
		take_reply(call);
	} else if (call->is_too_long) {
		say(call, "the answer is too long");
		finish(call, PM_E_LIMIT, NULL);
	} else if (error == PM_E_REJECTED) {
		say(call, "out of memory");
		finish(call, PM_E_NOMEM, NULL);
	} else {
		say(call, reason);
		go_on(call);
	}
}

/* --- a call ---------------------------------------------------------------------------------- */

struct etcd_call *etcd_call(
	struct etcd *etcd, const char *path, json_t *body, bool once, etcd_reply *done, void *arg)
{
	const struct timeval limit = loop_time(ETCD_WAIT_MILLISECONDS);
	struct etcd_call *call = calloc(1, sizeof(*call));

	if (!call) {
		json_decref(body);
		return NULL;
	}
	*call = (struct etcd_call){
		.etcd = etcd, .path = path, .once = once, .done = done, .arg = arg};
	TAILQ_INSERT_TAIL(&etcd->waiting, call, queue);
	call->body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	call->timer = evtimer_new(etcd->loop->base, on_time, call);
	if (!call->body || !call->timer || event_add(call->timer, &limit)) {
		free_call(call);
		return NULL;
	}
	run_next(etcd);
	return call;
}

void etcd_call_cancel(struct etcd_call *call)
{
	free_call(call);
}
