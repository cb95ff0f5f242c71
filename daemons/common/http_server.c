/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http_server.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pm/error.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http_conn.h"

/* Connections that are accepted before others of the loop get their turn. */
#define ACCEPTS_MAX 64
/* While the system has no room for another socket. */
#define RETRY_MILLISECONDS 100
/* The part of all files that idle connections leave to those on which something is under way. */
#define SPARE_PART 4

struct http_listener {
	struct http_listener *next;
	struct http_server *server;
	int fd;
	struct event *acceptable;
	struct event *retry;
};

const struct http_limits http_limits_default = {
	.connections = 16384,
	.body = UINT64_C(128) << 20,
	.head_time = 10000,
	.idle_time = 75000,
	.body_time = 20000,
	.body_rate = 4096,
	.send_time = 60000,
	.send_rate = 65536,
	.linger_time = 2000,
};

/* The first descriptor that only stands in for others: the next to come is always the lowest. */
static int files_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	return (int)(limit.rlim_cur - limit.rlim_cur / SPARE_PART);
}

int http_server_new(struct loop *loop, const struct http_handler *handler,
	const struct http_limits *limits, struct http_counts *counts,
	struct http_server **ret_server)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return PM_E_NOMEM;
	server->loop = loop;
	server->handler = handler;
	server->limits = limits;
	server->counts = counts;
	server->files_most = files_most();
	http_idle_init(&server->idle);
	*ret_server = server;
	return PM_OK;
}

/* --- listening ------------------------------------------------------------------------------- */

static void listen_on(struct http_server *server, bool on)
{
	for (struct http_listener *l = server->listeners; l; l = l->next) {
		if (on)
			event_add(l->acceptable, NULL);
		else
			event_del(l->acceptable);
	}
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct http_listener *l = arg;

	(void)fd;
	(void)what;
	event_add(l->acceptable, NULL);
}

static void pause_listener(struct http_listener *l)
{
	struct timeval time = loop_time(RETRY_MILLISECONDS);

	event_del(l->acceptable);
	evtimer_add(l->retry, &time);
}

static bool has_no_files(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/*
 * The files of the process may be fewer than its connections. Before they are all in use, one that
 * comes takes the places of two on which nothing is under way: what it asks may need another file.
 */
static void spare_files(struct http_server *server, int accepted)
{
	for (int i = 0; i < 2 && accepted >= server->files_most; i++)
		(void)http_conn_make_room(server, false);
}

/* The next connection, or -1 when there is none now; then the listener waits, if it must. */
static int accept_one(struct http_listener *l, int fd)
{
	int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (accepted < 0 && has_no_files(errno) && http_conn_make_room(l->server, true))
		accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (accepted < 0 && has_no_files(errno))
		pause_listener(l);
	return accepted;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct http_listener *l = arg;
	struct http_server *server = l->server;
	const int on = 1;

	(void)what;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		bool is_full = server->connection_count >= server->limits->connections;
		int accepted;

		/* That somebody waits is certain for the first only. */
		if (is_full && i > 0)
			return;
		if (is_full && !http_conn_make_room(server, true)) {
			server->is_waiting = true;
			listen_on(server, false);
			return;
		}
		accepted = accept_one(l, fd);
		if (accepted < 0)
			return;
		if (server->needs_tls && !server->tls) {
			close(accepted);
			continue;
		}
		/* Small events shall not wait for one another; a Unix socket knows no such thing.
		 */
		(void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		spare_files(server, accepted);
		http_conn_open(server, accepted);
	}
}

static void free_listener(struct http_listener *l)
{
	if (l->acceptable)
		event_free(l->acceptable);
	if (l->retry)
		event_free(l->retry);
	close(l->fd);
	free(l);
}

int http_server_listen(struct http_server *server, int fd)
{
	struct http_listener *l = calloc(1, sizeof(*l));

	if (!l) {
		close(fd);
		return PM_E_NOMEM;
	}
	l->server = server;
	l->fd = fd;
	l->acceptable = event_new(server->loop->base, fd, EV_READ | EV_PERSIST, on_acceptable, l);
	l->retry = evtimer_new(server->loop->base, on_retry, l);
	if (!l->acceptable || !l->retry || event_add(l->acceptable, NULL)) {
		free_listener(l);
		return PM_E_NOMEM;
	}
	l->next = server->listeners;
	server->listeners = l;
	return PM_OK;
}

static void tell_when_empty(struct http_server *server)
{
	void (*on_empty)(void *arg) = server->on_empty;

	if (!on_empty || server->connection_count)
		return;
	server->on_empty = NULL;
	on_empty(server->on_empty_arg);
}

void http_server_has_room(struct http_server *server)
{
	tell_when_empty(server);
	if (!server->is_waiting)
		return;
	server->is_waiting = false;
	listen_on(server, true);
}

/* --- the whole ------------------------------------------------------------------------------- */

void http_server_set_tls(struct http_server *server, struct tls_config *tls)
{
	tls_config_unref(server->tls);
	server->tls = tls ? tls_config_ref(tls) : NULL;
}

void http_server_retire(struct http_server *server)
{
	for (struct http_exchange *x = server->connections, *next; x; x = next) {
		next = x->next;
		if (x->transport.tls)
			http_conn_retire(x);
	}
}

void http_server_require_tls(struct http_server *server)
{
	server->needs_tls = true;
}

static void stop_listening(struct http_server *server)
{
	for (struct http_listener *l = server->listeners, *next; l; l = next) {
		next = l->next;
		free_listener(l);
	}
	server->listeners = NULL;
}

void http_server_drain(struct http_server *server, void (*on_empty)(void *arg), void *arg)
{
	server->draining = true;
	stop_listening(server);
	for (struct http_exchange *x = server->connections, *next; x; x = next) {
		next = x->next;
		http_conn_drain(x);
	}
	server->on_empty = on_empty;
	server->on_empty_arg = arg;
	tell_when_empty(server);
}

size_t http_server_connections(const struct http_server *server)
{
	return server->connection_count;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	stop_listening(server);
	server->on_empty = NULL;
	while (server->connections)
		http_conn_close(server->connections);
	tls_config_unref(server->tls);
	free(server);
}
