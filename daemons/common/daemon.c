/* SPDX-License-Identifier: Apache-2.0 */
#include "common/daemon_service.h"

#include <errno.h>
#include <pm/error.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/notify.h"
#include "common/privileges.h"

int service_failed(const char *what, const char *which, int r)
{
	log_event(LOG_LEVEL_ERROR, "failed", "what", what, "which", which, "reason",
		r == PM_E_SYS ? strerror(errno) : pm_strerror(r), NULL);
	return r;
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
	return r < 0 ? service_failed("tls", what, r) : PM_OK;
}

/* With a reference of its own: the first loop may have taken yet another since. */
struct tls_change {
	struct http_server *server;
	struct tls_config *tls; /* NULL: none */
	bool retires;		/* who comes later must show another certificate than before */
};

static void set_tls(void *arg)
{
	struct tls_change *change = arg;

	http_server_set_tls(change->server, change->tls);
	if (change->retires)
		http_server_retire(change->server);
	tls_config_unref(change->tls);
	free(change);
}

static int post_tls(
	struct loop *loop, struct http_server *server, struct tls_config *tls, bool retires)
{
	struct tls_change *change = malloc(sizeof(*change));

	if (!change)
		return PM_E_NOMEM;
	*change = (struct tls_change){server, tls ? tls_config_ref(tls) : NULL, retires};
	if (loop_post(loop, set_tls, change) == PM_OK)
		return PM_OK;
	tls_config_unref(change->tls);
	free(change);
	return PM_E_NOMEM;
}

static void change_tls(struct service *s)
{
	for (unsigned int i = 0; i < s->worker_count; i++)
		if (post_tls(s->workers[i].loop, s->workers[i].server, s->tls,
			    s->options->tls_ca != NULL) < 0)
			log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
}

int daemon_set_mesh_tls(struct service *service, struct tls_config *tls)
{
	int r = PM_OK;

	for (unsigned int i = 0; i < service->worker_count; i++) {
		struct worker *w = &service->workers[i];

		if (w->mesh && post_tls(w->loop, w->mesh, tls, false) < 0)
			r = PM_E_NOMEM;
	}
	return r;
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_empty(void *arg)
{
	struct worker *w = arg;

	if (--w->servers_left)
		return;
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
	w->servers_left = w->mesh ? 2 : 1;
	if (w->service->program->drain)
		w->service->program->drain(w->loop, w->service->program->arg);
	http_server_drain(w->server, on_empty, w);
	if (w->mesh)
		http_server_drain(w->mesh, on_empty, w);
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
			return service_failed("signals", NULL, PM_E_NOMEM);
	return PM_OK;
}

/* --- loops ----------------------------------------------------------------------------------- */

static int open_mesh(struct worker *w)
{
	struct service *s = w->service;
	int r = http_server_new(
		w->loop, s->program->mesh_handler, &s->options->limits, &s->counts, &w->mesh);

	if (r == PM_OK)
		http_server_require_tls(w->mesh);
	return r;
}

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
	if (r == PM_OK && p->mesh_handler)
		r = open_mesh(w);
	if (r == PM_OK && p->open_loop)
		r = p->open_loop(w->loop, p->arg);
	if (r < 0)
		return service_failed("loop", NULL, r);
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
		return service_failed("loops", NULL, PM_E_NOMEM);
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
		r = errno ? service_failed("thread", NULL, PM_E_SYS) : PM_OK;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void close_worker(struct service *s, struct worker *w)
{
	if (w->deadline)
		event_free(w->deadline);
	http_server_free(w->server);
	http_server_free(w->mesh);
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
	if (s->has_begun && s->program->end)
		s->program->end(s->program->arg);
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
		r = service_open_sockets(s);
	if (r == PM_OK)
		r = open_signals(s);
	if (r < 0)
		return r;
	r = privileges_drop(s->options->user);
	if (r < 0)
		return service_failed("user", s->options->user, r);
	if (s->program->begin)
		r = s->program->begin(s, s->program->arg);
	if (r < 0)
		return service_failed("begin", NULL, r);
	s->has_begun = true;
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
