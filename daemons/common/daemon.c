/* SPDX-License-Identifier: Apache-2.0 */
#include "common/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <pm/error.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/notify.h"
#include "common/privileges.h"

#define FIRST_HANDED_SOCKET 3

struct worker {
	struct service *service;
	struct loop *loop;
	struct http_server *server;
	struct event *deadline;
	pthread_t thread;
	bool is_open, has_thread;
};

/* All there is of one daemon. */
struct service {
	const struct common_options *options;
	const struct daemon_program *program;
	struct http_counts counts;
	struct tls_config *tls;
	struct worker *workers;
	unsigned int worker_count;
	unsigned int workers_left; /* of the first loop */
	bool draining;		   /* of the first loop */

	struct http_handler admin;
	struct http_limits admin_limits;
	struct http_server *admin_server;
	struct event *signals[3];
};

static int failed(const char *what, const char *which, int r)
{
	log_event(LOG_LEVEL_ERROR, "failed", "what", what, "which", which, "reason",
		r == PM_E_SYS ? strerror(errno) : pm_strerror(r), NULL);
	return r;
}

/* --- metrics and health ---------------------------------------------------------------------- */

static void reply_metrics(struct http_exchange *x, struct service *s)
{
	const struct daemon_program *p = s->program;
	struct evbuffer *out = evbuffer_new();

	if (!out) {
		http_abort(x);
		return;
	}
	metrics_http(out, p->metrics_prefix, &s->counts);
	if (p->metrics)
		p->metrics(out, p->arg);
	http_reply(
		x, 200, METRICS_CONTENT_TYPE, evbuffer_pullup(out, -1), evbuffer_get_length(out));
	evbuffer_free(out);
}

static bool is_ready(struct service *s)
{
	const struct daemon_program *p = s->program;

	return !s->draining && (!p->is_ready || p->is_ready(p->arg));
}

static void admin_begin(struct http_exchange *x, void *arg)
{
	const struct http_request *request = http_request(x);
	bool ready;

	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		http_reply(x, 405, "text/plain", "", 0);
		return;
	}
	if (!strcmp(request->target, "/metrics")) {
		reply_metrics(x, arg);
	} else if (!strcmp(request->target, "/healthz")) {
		http_reply(x, 200, "text/plain", "alive\n", 6);
	} else if (!strcmp(request->target, "/readyz")) {
		ready = is_ready(arg);
		http_reply(x, ready ? 200 : 503, "text/plain", ready ? "ready\n" : "not ready\n",
			ready ? 6 : 10);
	} else {
		http_reply(x, 404, "text/plain", "", 0);
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

/* --- sockets --------------------------------------------------------------------------------- */

static void tell_address(const struct address *address, const char *what)
{
	char text[ADDRESS_TEXT_SIZE];

	address_print(address, text);
	log_event(LOG_LEVEL_INFO, "listening", "on", text, "for", what, NULL);
}

/* One socket for every loop: each has its own of an IP address; a Unix socket they share. */
static int open_address(struct service *s, const char *text)
{
	struct address address;
	int r = address_parse(text, &address), fd = -1;

	for (unsigned int i = 0; r == PM_OK && i < s->worker_count; i++) {
		bool shared = i && address.socket.ss_family == AF_UNIX;

		fd = shared ? dup(fd) : address_listen(&address);
		r = fd < 0 ? PM_E_SYS : http_server_listen(s->workers[i].server, fd);
	}
	if (r < 0)
		return failed("listen", text, r);
	tell_address(&address, "requests");
	return PM_OK;
}

static int take_handed(struct service *s, int fd)
{
	struct address address = {.len = sizeof(address.socket)};
	int r = PM_OK;

	if (getsockname(fd, (struct sockaddr *)&address.socket, &address.len) < 0 ||
		evutil_make_socket_nonblocking(fd) < 0 || evutil_make_socket_closeonexec(fd) < 0)
		return failed("socket", "handed over", PM_E_SYS);
	for (unsigned int i = 0; r == PM_OK && i < s->worker_count; i++) {
		int copy = i ? dup(fd) : fd;

		r = copy < 0 ? PM_E_SYS : http_server_listen(s->workers[i].server, copy);
	}
	if (r < 0)
		return failed("socket", "handed over", r);
	tell_address(&address, "requests");
	return PM_OK;
}

static int open_admin(struct service *s)
{
	const char *text = s->options->metrics;
	struct address address;
	int r, fd;

	if (!text)
		return PM_OK;
	s->admin = (struct http_handler){admin_begin, ignore_body, ignore, ignore, ignore_done, s};
	s->admin_limits = s->options->limits;
	s->admin_limits.body = 0;
	s->admin_limits.connections = 64;
	r = http_server_new(
		s->workers[0].loop, &s->admin, &s->admin_limits, NULL, &s->admin_server);
	if (r == PM_OK)
		r = address_parse(text, &address);
	if (r < 0)
		return failed("listen", text, r);
	fd = address_listen(&address);
	r = fd < 0 ? PM_E_SYS : http_server_listen(s->admin_server, fd);
	if (r < 0)
		return failed("listen", text, r);
	tell_address(&address, "metrics");
	return PM_OK;
}

static int open_sockets(struct service *s)
{
	int handed = notify_sockets(), r = PM_OK;

	if (!handed && !s->options->listen_count) {
		log_event(LOG_LEVEL_ERROR, "failed", "what", "--listen ADDRESS is missing", NULL);
		return PM_E_MISSING;
	}
	for (int i = 0; r == PM_OK && i < handed; i++)
		r = take_handed(s, FIRST_HANDED_SOCKET + i);
	for (size_t i = 0; r == PM_OK && i < s->options->listen_count; i++)
		r = open_address(s, s->options->listen[i]);
	return r < 0 ? r : open_admin(s);
}

/* --- certificates ---------------------------------------------------------------------------- */

/* A name of the certificate must be one that was given. */
static int check_name(const struct tls_peer *peer, void *arg)
{
	const struct common_options *o = arg;

	for (size_t i = 0; i < peer->name_count; i++)
		for (size_t k = 0; k < o->client_name_count; k++)
			if (!strcmp(peer->names[i], o->client_names[k]))
				return PM_OK;
	return PM_E_REJECTED;
}

static int load_tls(struct service *s, struct tls_config **ret_tls)
{
	const struct common_options *o = s->options;
	struct tls_files files = {.cert = o->tls_cert, .key = o->tls_key, .ca = o->tls_ca};
	const char *what;
	int r;

	*ret_tls = NULL;
	if (!o->tls_cert)
		return PM_OK;
	if (o->client_name_count)
		files.check_peer = check_name;
	files.arg = (void *)(uintptr_t)o;
	r = tls_config_load(&files, ret_tls, &what);
	return r < 0 ? failed("tls", what, r) : PM_OK;
}

/* With a reference of its own: the first loop may have taken yet another since. */
struct tls_change {
	struct worker *worker;
	struct tls_config *tls;
};

static void set_tls(void *arg)
{
	struct tls_change *change = arg;

	http_server_set_tls(change->worker->server, change->tls);
	tls_config_unref(change->tls);
	free(change);
}

static void change_tls(struct service *s)
{
	for (unsigned int i = 0; i < s->worker_count; i++) {
		struct tls_change *change = malloc(sizeof(*change));

		if (!change)
			return;
		*change = (struct tls_change){&s->workers[i], tls_config_ref(s->tls)};
		if (loop_post(change->worker->loop, set_tls, change) < 0) {
			tls_config_unref(change->tls);
			free(change);
		}
	}
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_empty(void *arg)
{
	struct worker *w = arg;

	if (w->loop->index > 0)
		loop_stop(w->loop);
	else if (--w->service->workers_left == 0)
		loop_stop(w->loop);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	loop_stop(w->loop);
}

static void drain(void *arg)
{
	struct worker *w = arg;
	struct timeval time = loop_time(w->service->options->drain_time);

	evtimer_add(w->deadline, &time);
	http_server_drain(w->server, on_empty, w);
}

static void stop(void *arg)
{
	struct worker *w = arg;

	loop_stop(w->loop);
}

static void tell_all(struct service *s, void (*what)(void *arg))
{
	for (unsigned int i = 0; i < s->worker_count; i++)
		if (loop_post(s->workers[i].loop, what, &s->workers[i]) < 0)
			log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
}

static void on_terminate(evutil_socket_t fd, short what, void *arg)
{
	struct service *s = arg;

	(void)fd;
	(void)what;
	if (s->draining) {
		tell_all(s, stop);
		return;
	}
	s->draining = true;
	s->workers_left = s->worker_count;
	log_event(LOG_LEVEL_INFO, "draining", NULL);
	notify_send("STOPPING=1");
	tell_all(s, drain);
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct service *s = arg;
	struct tls_config *fresh;

	(void)fd;
	(void)what;
	if (s->program->reload)
		s->program->reload(s->program->arg);
	if (load_tls(s, &fresh) < 0)
		return;
	if (fresh) {
		tls_config_unref(s->tls);
		s->tls = fresh;
		change_tls(s);
	}
	log_event(LOG_LEVEL_INFO, "reloaded", NULL);
}

static int open_signals(struct service *s)
{
	struct event_base *base = s->workers[0].loop->base;

	signal(SIGPIPE, SIG_IGN);
	s->signals[0] = evsignal_new(base, SIGTERM, on_terminate, s);
	s->signals[1] = evsignal_new(base, SIGINT, on_terminate, s);
	s->signals[2] = evsignal_new(base, SIGHUP, on_hangup, s);
	for (int i = 0; i < 3; i++)
		if (!s->signals[i] || evsignal_add(s->signals[i], NULL))
			return failed("signals", NULL, PM_E_NOMEM);
	return PM_OK;
}

/* --- loops ----------------------------------------------------------------------------------- */

static int open_worker(struct service *s, unsigned int index)
{
	const struct daemon_program *p = s->program;
	struct worker *w = &s->workers[index];
	int r;

	w->service = s;
	r = loop_new((int)index, &w->loop);
	if (r == PM_OK)
		r = http_server_new(
			w->loop, p->handler, &s->options->limits, &s->counts, &w->server);
	if (r == PM_OK && p->open_loop)
		r = p->open_loop(w->loop, p->arg);
	if (r < 0)
		return failed("loop", NULL, r);
	w->is_open = true;
	http_server_set_tls(w->server, s->tls);
	w->deadline = evtimer_new(w->loop->base, on_deadline, w);
	return w->deadline ? PM_OK : PM_E_NOMEM;
}

static int open_workers(struct service *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int r = PM_OK;

	s->worker_count =
		s->options->threads ? s->options->threads : (unsigned int)(cores > 0 ? cores : 1);
	if (s->worker_count > OPTIONS_THREADS_MAX)
		s->worker_count = OPTIONS_THREADS_MAX;
	s->workers = calloc(s->worker_count, sizeof(*s->workers));
	if (!s->workers)
		return failed("loops", NULL, PM_E_NOMEM);
	for (unsigned int i = 0; r == PM_OK && i < s->worker_count; i++)
		r = open_worker(s, i);
	return r;
}

static void one_less(void *arg)
{
	struct service *s = arg;

	if (--s->workers_left == 0)
		loop_stop(s->workers[0].loop);
}

static void *run_worker(void *arg)
{
	struct worker *w = arg;

	loop_run(w->loop);
	if (loop_post(w->service->workers[0].loop, one_less, w->service) < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
	return NULL;
}

/* Signals are the first thread's. */
static int start_threads(struct service *s)
{
	sigset_t all, before;
	int r = PM_OK;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (unsigned int i = 1; r == PM_OK && i < s->worker_count; i++) {
		struct worker *w = &s->workers[i];

		errno = pthread_create(&w->thread, NULL, run_worker, w);
		w->has_thread = errno == 0;
		r = errno ? failed("thread", NULL, PM_E_SYS) : PM_OK;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void close_worker(struct service *s, struct worker *w)
{
	if (w->deadline)
		event_free(w->deadline);
	http_server_free(w->server);
	if (w->is_open && s->program->close_loop)
		s->program->close_loop(w->loop, s->program->arg);
	loop_free(w->loop);
}

/* From here on it ends by itself: another signal shall not make that look like a failure. */
static void block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void close_service(struct service *s)
{
	block_signals();
	for (unsigned int i = 1; s->workers && i < s->worker_count; i++) {
		struct worker *w = &s->workers[i];

		if (!w->has_thread)
			continue;
		if (loop_post(w->loop, stop, w) == PM_OK)
			pthread_join(w->thread, NULL);
	}
	for (int i = 0; i < 3; i++)
		if (s->signals[i])
			event_free(s->signals[i]);
	http_server_free(s->admin_server);
	for (unsigned int i = s->worker_count; s->workers && i > 0; i--)
		close_worker(s, &s->workers[i - 1]);
	free(s->workers);
	tls_config_unref(s->tls);
}

static int start(struct service *s)
{
	int r = load_tls(s, &s->tls);

	if (r == PM_OK)
		r = open_workers(s);
	if (r == PM_OK)
		r = open_sockets(s);
	if (r == PM_OK)
		r = open_signals(s);
	if (r < 0)
		return r;
	r = privileges_drop(s->options->user);
	if (r < 0)
		return failed("user", s->options->user, r);
	return start_threads(s);
}

int daemon_run(const struct common_options *options, const struct daemon_program *program)
{
	struct service s = {.options = options, .program = program};
	int r;

	log_setup(options->log_json, (enum log_level)options->log_level);
	r = start(&s);
	if (r == PM_OK) {
		log_event(LOG_LEVEL_INFO, "ready", NULL);
		notify_send("READY=1");
		loop_run(s.workers[0].loop);
		log_event(LOG_LEVEL_INFO, "stopped", NULL);
	}
	close_service(&s);
	return r < 0 ? 2 : 0;
}
