/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent as a daemon. It supervises: each round is a process, of which the output is read here
 * and whose time is bounded; so nothing of the driver can hold the daemon up. Between rounds it
 * waits for the clock, for signals, and for whoever asks for its figures.
 */
#include "pm-agent/watch.h"

#include <errno.h>
#include <pm/error.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/address.h"
#include "common/http_server.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/browser.h"
#include "common/metrics.h"
#include "common/notify.h"
#include "pm-agent/figures.h"
#include "pm-agent/status.h"
#include "pm-agent/worker.h"

/* Milliseconds that a round gets to its end after SIGTERM: it may be clearing the ready state. */
#define GRACE 5000
/* Between two looks at the file of --key. */
#define KEY_LOOK 1000

/*
 * Which file that is; zeros when there is none. Whoever writes it puts a new one in the old one's
 * place.
 */
struct key_file {
	dev_t device;
	ino_t inode;
	struct timespec changed;
};

struct watch {
	const struct agent_options *o;
	struct loop *loop;
	struct http_limits limits;
	struct http_handler handler;
	struct http_server *server;
	struct event *next, *deadline, *output, *look, *signals[3];
	struct key_file key;
	struct figures figures;
	/* The round that runs. */
	struct process process;
	char *text;
	size_t len;
	int64_t begun;
	bool was_ready, stopping, verified, again;
};

static void begin_round(struct watch *w);

/* --- the key ---------------------------------------------------------------------------------- */

static struct key_file find_key(const struct watch *w)
{
	struct stat st;

	if (!w->o->key || stat(w->o->key, &st) < 0)
		return (struct key_file){0};
	return (struct key_file){st.st_dev, st.st_ino, st.st_ctim};
}

static bool is_same_key(const struct key_file *a, const struct key_file *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* --- the end of a round ---------------------------------------------------------------------- */

/*
 * Soon, where the last one was asked for another, or was not accepted: what was missing may be
 * there by then.
 */
static uint64_t pause_after(const struct watch *w)
{
	if (w->again)
		return 0;
	return !w->verified && w->o->retry < w->o->watch ? w->o->retry : w->o->watch;
}

static void plan_next(struct watch *w)
{
	struct timeval time = loop_time((int64_t)pause_after(w) * 1000);

	w->again = false;
	if (w->stopping)
		loop_stop(w->loop);
	else
		evtimer_add(w->next, &time);
}

/* systemd hears of the first round that is accepted; what is ordered after us waits until then. */
static void notify(struct watch *w, const json_t *status)
{
	w->verified = status_exit(status) == AGENT_OK;
	if (w->verified && !w->was_ready)
		notify_send("READY=1");
	w->was_ready = w->was_ready || w->verified;
	notify_send(
		w->verified ? "STATUS=verified" : "STATUS=not verified; the GPUs are not ready");
}

static void take_status(struct watch *w, const json_t *status)
{
	figures_add(&w->figures, status, process_now() - w->begun);
	status_log(status);
	(void)status_write(w->o, status); /* both have logged why not */
	(void)figures_write(w->o, &w->figures);
	notify(w, status);
}

/* why: NULL when the round came to its end. */
static void end_round(struct watch *w, const char *why)
{
	json_t *status = why ? NULL : worker_parse(w->text, w->len);

	event_free(w->output);
	w->output = NULL;
	evtimer_del(w->deadline);
	(void)process_end(&w->process);
	if (!status)
		status = worker_give_up(w->o, why ? why : "the round ended without a word");
	if (status)
		take_status(w, status);
	json_decref(status);
	free(w->text);
	w->text = NULL;
	w->len = 0;
	plan_next(w);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	if (w->output)
		end_round(w, w->stopping ? "ended in the middle" : "the round took too long");
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	char piece[16384], *grown;
	ssize_t n = read(fd, piece, sizeof(piece));

	(void)what;
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		end_round(w, NULL);
		return;
	}
	grown = w->len + (size_t)n > WORKER_OUTPUT_MAX ? NULL
						       : realloc(w->text, w->len + (size_t)n);
	if (!grown) {
		end_round(w, "the round told too much");
		return;
	}
	memcpy(grown + w->len, piece, (size_t)n);
	w->text = grown;
	w->len += (size_t)n;
}

/* --- its begin ------------------------------------------------------------------------------- */

static void fail_round(struct watch *w, const char *why)
{
	json_t *status = worker_give_up(w->o, why);

	if (status)
		take_status(w, status);
	json_decref(status);
	plan_next(w);
}

static void begin_round(struct watch *w)
{
	struct timeval time = loop_time((int64_t)w->o->timeout * 1000);

	w->begun = process_now();
	w->key = find_key(w); /* before it is read: one that comes in between is noticed */
	if (worker_start(w->o, false, &w->process)) {
		fail_round(w, "the round could not be started");
		return;
	}
	w->output = event_new(w->loop->base, w->process.fd, EV_READ | EV_PERSIST, on_output, w);
	if (!w->output || event_add(w->output, NULL)) {
		(void)process_end(&w->process);
		fail_round(w, "out of memory");
		return;
	}
	evtimer_add(w->deadline, &time);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	begin_round(arg);
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_terminate(evutil_socket_t fd, short what, void *arg)
{
	struct timeval grace = loop_time(GRACE);
	struct watch *w = arg;

	(void)fd;
	(void)what;
	notify_send("STOPPING=1");
	if (!w->output || w->stopping) {
		loop_stop(w->loop);
		return;
	}
	w->stopping = true;
	evtimer_add(w->deadline, &grace);
}

/* Now, and not when it is time. A round that runs may have read what changed since. */
static void begin_soon(struct watch *w)
{
	w->again = w->output != NULL;
	if (w->output || w->stopping)
		return;
	evtimer_del(w->next);
	begin_round(w);
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	begin_soon(arg);
}

/* Who joins a mesh by a key of this machine has another after a restart, and waits for us. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct key_file found = find_key(w);

	(void)fd;
	(void)what;
	if (!found.inode || is_same_key(&found, &w->key))
		return;
	w->key = found;
	begin_soon(w);
}

/* --- figures over HTTP ----------------------------------------------------------------------- */

static void reply_text(struct http_exchange *x, int status, const char *text)
{
	http_reply(x, status, "text/plain", text, strlen(text));
}

static void reply_figures(struct http_exchange *x, const struct watch *w)
{
	struct evbuffer *out = evbuffer_new();

	if (!out) {
		http_abort(x);
		return;
	}
	figures_print(&w->figures, out);
	http_reply(
		x, 200, METRICS_CONTENT_TYPE, evbuffer_pullup(out, -1), evbuffer_get_length(out));
	evbuffer_free(out);
}

static void on_request(struct http_exchange *x, void *arg)
{
	const struct http_request *request = http_request(x);
	const struct watch *w = arg;
	const struct browser_names names = {w->o->metrics_hosts.items, w->o->metrics_hosts.count};

	if (strcmp(request->method, "GET") != 0) {
		reply_text(x, 405, "");
	} else if (!strcmp(request->target, "/metrics")) {
		if (browser_admits(x, &names))
			reply_figures(x, w);
	} else if (!strcmp(request->target, "/healthz")) {
		reply_text(x, 200, "alive\n");
	} else if (!strcmp(request->target, "/readyz")) {
		reply_text(x, w->verified ? 200 : 503, w->verified ? "ready\n" : "not ready\n");
	} else {
		reply_text(x, 404, "");
	}
}

static void ignore_body(struct http_exchange *x, const char *bytes, size_t len)
{
	(void)x;
	(void)bytes;
	(void)len;
}

static void ignore(struct http_exchange *x)
{
	(void)x;
}

static void ignore_done(struct http_exchange *x, bool whole)
{
	(void)x;
	(void)whole;
}

static int serve_figures(struct watch *w)
{
	struct address address;
	char text[ADDRESS_TEXT_SIZE];
	int r, fd;

	if (!w->o->metrics)
		return PM_OK;
	w->handler = (struct http_handler){on_request, ignore_body, ignore, ignore, ignore_done, w};
	w->limits = http_limits_default;
	w->limits.body = 0;
	w->limits.connections = 64;
	r = http_server_new(w->loop, &w->handler, &w->limits, NULL, &w->server);
	if (r == PM_OK)
		r = address_parse(w->o->metrics, &address);
	if (r < 0)
		return r;
	fd = address_listen(&address);
	r = fd < 0 ? PM_E_SYS : http_server_listen(w->server, fd);
	if (r < 0)
		return r;
	address_print(&address, text);
	log_event(LOG_LEVEL_INFO, "listening", "on", text, "for", "metrics", NULL);
	return PM_OK;
}

/* --- the daemon ------------------------------------------------------------------------------ */

static int open_look(struct watch *w)
{
	struct timeval time = loop_time(KEY_LOOK);

	if (!w->o->key)
		return PM_OK;
	w->look = event_new(w->loop->base, -1, EV_PERSIST, on_look, w);
	return w->look && !event_add(w->look, &time) ? PM_OK : PM_E_NOMEM;
}

static int open_events(struct watch *w)
{
	struct event_base *base = w->loop->base;

	signal(SIGPIPE, SIG_IGN);
	w->next = evtimer_new(base, on_next, w);
	w->deadline = evtimer_new(base, on_deadline, w);
	w->signals[0] = evsignal_new(base, SIGTERM, on_terminate, w);
	w->signals[1] = evsignal_new(base, SIGINT, on_terminate, w);
	w->signals[2] = evsignal_new(base, SIGHUP, on_hangup, w);
	for (int i = 0; i < 3; i++)
		if (!w->signals[i] || evsignal_add(w->signals[i], NULL))
			return PM_E_NOMEM;
	return w->next && w->deadline ? open_look(w) : PM_E_NOMEM;
}

static void close_watch(struct watch *w)
{
	struct event *events[] = {w->next, w->deadline, w->output, w->look, w->signals[0],
		w->signals[1], w->signals[2]};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	(void)process_end(&w->process);
	http_server_free(w->server);
	loop_free(w->loop);
	free(w->text);
}

int watch_run(const struct agent_options *o)
{
	struct watch w = {.o = o, .process = {0, -1}, .figures = {.ready = -1}};
	int r = loop_new(0, &w.loop);

	if (r == PM_OK)
		r = open_events(&w);
	if (r == PM_OK)
		r = serve_figures(&w);
	if (r == PM_OK) {
		begin_round(&w);
		loop_run(w.loop);
		log_event(LOG_LEVEL_INFO, "stopped", NULL);
	} else {
		log_event(LOG_LEVEL_ERROR, "failed", "what", "start", "reason",
			r == PM_E_SYS ? strerror(errno) : pm_strerror(r), NULL);
	}
	close_watch(&w);
	return r < 0 ? AGENT_USAGE : AGENT_OK;
}
