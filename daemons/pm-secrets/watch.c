/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker hears which of the secrets that it fetched have ended: lines of JSON, as long as the
 * connection lives. The first says which instance it is; an empty object now and then says that all
 * is well. Whoever loses his watch does not know any more, and asks for each secret anew.
 */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm-secrets/worker.h"

#define LINE_MAX_SIZE (PM_COMMAND_ID_MAX + 64)

/* Counted: a call into the loop may be under way when the request has gone. */
struct watching {
	LIST_ENTRY(watching) next; /* of its loop, when there is a watch */
	struct job *job;	   /* NULL: the request has gone */
	struct hub *hub;
	struct hub_watch *watch;
	struct loop *loop;
	struct event *beat;
	atomic_int references;
	atomic_bool is_woken;
	char name[HUB_WORKER_MAX + 1];
};

static void unref(struct watching *w)
{
	if (atomic_fetch_sub(&w->references, 1) == 1)
		free(w);
}

/* --- lines ----------------------------------------------------------------------------------- */

static const char *event_name(enum hub_event event)
{
	return event == HUB_EXPIRED ? "expired" : "revoked";
}

static void send_events(struct watching *w)
{
	struct http_exchange *x = w->job->exchange;
	char id[PM_COMMAND_ID_MAX + 1], line[LINE_MAX_SIZE];
	enum hub_event event;
	bool is_lost = false;

	while (!http_is_full(x) && hub_take(w->hub, w->watch, id, &event, &is_lost)) {
		int n = snprintf(line, sizeof(line), "{\"Id\":\"%s\",\"Event\":\"%s\"}\n", id,
			event_name(event));

		http_send(x, line, (size_t)n);
	}
	/* Events were thrown away: the worker must notice. */
	if (is_lost)
		http_abort(x);
}

static void on_woken(void *arg)
{
	struct watching *w = arg;

	atomic_store(&w->is_woken, false);
	if (w->job)
		send_events(w);
	unref(w);
}

/* From any thread, with the hub locked. */
static void wake(void *arg)
{
	struct watching *w = arg;

	if (atomic_exchange(&w->is_woken, true))
		return;
	atomic_fetch_add(&w->references, 1);
	if (loop_post(w->loop, on_woken, w) == PM_OK)
		return;
	/* Without memory: the next beat looks, too. */
	atomic_store(&w->is_woken, false);
	unref(w);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct watching *w = arg;
	struct job *job = w->job;

	(void)fd;
	(void)what;
	/* What it trusted to hear us by has changed; or we hear nothing ourselves. */
	if (!worker_is_still(job) || !secrets_hears(job->secrets)) {
		http_abort(job->exchange);
		return;
	}
	if (!http_is_full(job->exchange))
		http_send(job->exchange, "{}\n", 3);
	send_events(w);
}

/* --- the request ----------------------------------------------------------------------------- */

static bool check(struct job *job)
{
	const struct pm_mesh_identity *who = worker_check(job);
	struct watching *w = who ? calloc(1, sizeof(*w)) : NULL;

	if (!who)
		return false;
	if (!w) {
		job_fail(job, 503, "busy", "Out of memory.");
		return false;
	}
	w->hub = job->secrets->hub;
	w->loop = job->loop->loop;
	atomic_store(&w->references, 1);
	worker_name(who, w->name);
	w->job = job;
	job->watching = w;
	return true;
}

/* An empty object. */
static bool is_empty(const struct job *job)
{
	const char *json = job->in.bytes ? job->in.bytes : "";
	json_t *root = json_loadb(json, job->in.len, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_is_object(root) && json_object_size(root) == 0;

	json_decref(root);
	return good;
}

static bool begin(struct watching *w)
{
	struct timeval period = loop_time(WATCH_BEAT);

	w->beat = event_new(w->loop->base, -1, EV_PERSIST, on_beat, w);
	if (!w->beat || event_add(w->beat, &period))
		return false;
	w->watch = hub_watch(w->hub, w->name, wake, w);
	if (w->watch)
		LIST_INSERT_HEAD(&w->job->loop->watches, w, next);
	return w->watch != NULL;
}

static void run(struct job *job)
{
	static const struct http_field no_store = {"Cache-Control", "no-store"};
	char line[LINE_MAX_SIZE];
	int n;

	if (!is_empty(job)) {
		job_fail(job, 400, "bad_request", "Expected an empty object.");
		return;
	}
	if (job->loop->is_draining || !secrets_hears(job->secrets)) {
		job_fail(job, 503, "not_ready", "Nobody would hear of changes.");
		return;
	}
	if (!begin(job->watching)) {
		job_fail(job, 503, "busy", "Too many watch.");
		return;
	}
	n = snprintf(line, sizeof(line), "{\"Instance\":\"%s\"}\n", job->secrets->instance);
	http_respond(job->exchange, 200, "application/x-ndjson", &no_store, 1, -1);
	http_send(job->exchange, line, (size_t)n);
	send_events(job->watching);
}

static void end(struct job *job)
{
	struct watching *w = job->watching;

	if (!w)
		return;
	w->job = NULL;
	if (w->beat)
		event_free(w->beat);
	if (w->watch) {
		LIST_REMOVE(w, next);
		hub_unwatch(w->hub, w->watch);
	}
	unref(w);
}

void job_end_watches(struct secrets_loop *loop)
{
	struct watching *w;

	loop->is_draining = true;
	LIST_FOREACH(w, &loop->watches, next)
	http_finish(w->job->exchange);
}

static void drained(struct job *job)
{
	if (job->watching->watch)
		send_events(job->watching);
}

const struct job_kind job_watch = {
	JOB_WATCH_PATH, JOB_WORKER_BODY_MAX, check, run, end, NULL, drained};
