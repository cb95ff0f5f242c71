/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Events that go out before others of the loop get their turn. */
#define BURST 64

void reply_json(struct job *job, int status, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	json_decref(value);
	if (text)
		http_reply(job->exchange, status, "application/json", text, strlen(text));
	else
		http_abort(job->exchange);
	free(text);
}

void reply_error(struct job *job, int status, const char *message)
{
	reply_json(job, status,
		json_pack("{s:{s:s,s:s,s:i}}", "error", "message", message, "type",
			"invalid_request_error", "code", status));
}

/* --- events ---------------------------------------------------------------------------------- */

static void add_text(struct job *job, char *text)
{
	if (text && job->event_count < EVENTS_MAX)
		job->events[job->event_count++] = text;
	else
		free(text);
}

void add_event(struct job *job, const char *name, json_t *value)
{
	char *json = json_dumps(value, JSON_COMPACT), *text = NULL;
	int n;

	json_decref(value);
	if (json && name)
		n = asprintf(&text, "event: %s\ndata: %s\n\n", name, json);
	else
		n = asprintf(&text, "data: %s\n\n", json ? json : "");
	free(json);
	add_text(job, n < 0 ? NULL : text);
}

void add_done(struct job *job)
{
	add_text(job, strdup("data: [DONE]\n\n"));
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	continue_stream(arg);
}

static void wait_for_next(struct job *job)
{
	struct timeval time = loop_time(job->pause);

	if (!job->timer)
		job->timer = evtimer_new(http_loop(job->exchange)->base, on_time, job);
	if (job->timer)
		evtimer_add(job->timer, &time);
}

/* The content goes out again and again, where that was asked for. */
static void step(struct job *job)
{
	job->next++;
	if (job->next != job->repeat_to)
		return;
	if (job->is_endless || job->repeats > 1) {
		job->next = job->repeat_from;
		job->repeats -= job->repeats > 1;
	}
}

void continue_stream(struct job *job)
{
	struct http_exchange *x = job->exchange;

	for (int i = 0; i < BURST; i++) {
		const char *event;

		if (job->next == job->event_count) {
			http_finish(x);
			return;
		}
		if (job->is_cut && job->next + 1 >= job->event_count / 2 + 1) {
			http_abort(x);
			return;
		}
		if (job->is_quiet && job->next > job->repeat_from)
			return;
		if (http_is_full(x))
			return; /* drained() goes on */
		if (job->has_comments)
			http_send(x, ": still here\n\n", 14);
		event = job->events[job->next];
		http_send(x, event, strlen(event));
		step(job);
		if (job->pause)
			break;
	}
	wait_for_next(job);
}

void start_stream(struct job *job)
{
	http_respond(job->exchange, 200, "text/event-stream; charset=utf-8", NULL, 0, -1);
	continue_stream(job);
}

/* --- what the model's name asks for ---------------------------------------------------------- */

/* N of "NAME-N", or 0. */
static unsigned long suffix(const char *model, const char *name)
{
	size_t n = strlen(name);

	return strncmp(model, name, n) == 0 ? strtoul(model + n, NULL, 10) : 0;
}

/* With what was asked in it, as validators of requests have it. */
static void reply_asked_error(struct job *job, int status)
{
	char *asked = job->request ? asked_text(job->request) : NULL;
	char message[512];

	snprintf(message, sizeof(message), "you asked for an error: %s", asked ? asked : "");
	reply_error(job, status, message);
	free(asked);
}

static void reply_garbage(struct job *job)
{
	static const char text[] = "data: {\"choices\": secret words\n\n";

	http_respond(job->exchange, 200, "text/event-stream", NULL, 0, -1);
	http_send(job->exchange, text, sizeof(text) - 1);
	http_finish(job->exchange);
}

bool apply_model(struct job *job, const char *model)
{
	unsigned long status;

	if (!model) {
		reply_error(job, 400, "model is missing");
		return true;
	}
	status = suffix(model, "error-");
	if (status >= 400 && status <= 599) {
		reply_asked_error(job, (int)status);
		return true;
	}
	if (!strcmp(model, "garbage")) {
		reply_garbage(job);
		return true;
	}
	job->repeats = suffix(model, "repeat-");
	job->is_endless = !strcmp(model, "endless");
	job->is_cut = !strcmp(model, "cut");
	job->is_quiet = !strcmp(model, "quiet");
	job->has_comments = !strcmp(model, "comments");
	job->pause = strcmp(model, "slow") ? 0 : 100;
	return !strcmp(model, "silent");
}
