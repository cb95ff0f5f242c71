/* SPDX-License-Identifier: Apache-2.0 */
/* Where a daemon serves: its listeners, those of the mesh, and what it says of itself. */
#include "common/daemon_service.h"

#include <string.h>
#include <unistd.h>

#include <pm/error.h>

#include "common/address.h"
#include "common/browser.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/notify.h"

#define FIRST_HANDED_SOCKET 3

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
	const struct common_options *o = ((struct service *)arg)->options;
	const struct browser_names names = {o->metrics_hosts, o->metrics_host_count};
	bool ready;

	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		http_reply(x, 405, "text/plain", "", 0);
		return;
	}
	if (!strcmp(request->target, "/metrics")) {
		if (browser_admits(x, &names))
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
static int open_address(struct service *s, const char *text, bool is_mesh)
{
	struct address address;
	int r = address_parse(text, &address), fd = -1;

	for (unsigned int i = 0; r == PM_OK && i < s->worker_count; i++) {
		bool shared = i && address.socket.ss_family == AF_UNIX;
		struct worker *w = &s->workers[i];

		fd = shared ? dup(fd) : address_listen(&address);
		r = fd < 0 ? PM_E_SYS : http_server_listen(is_mesh ? w->mesh : w->server, fd);
	}
	if (r < 0)
		return service_failed("listen", text, r);
	tell_address(&address, is_mesh ? "mesh" : "requests");
	return PM_OK;
}

static int take_handed(struct service *s, int fd)
{
	struct address address = {.len = sizeof(address.socket)};
	int r = PM_OK;

	if (getsockname(fd, (struct sockaddr *)&address.socket, &address.len) < 0 ||
		evutil_make_socket_nonblocking(fd) < 0 || evutil_make_socket_closeonexec(fd) < 0)
		return service_failed("socket", "handed over", PM_E_SYS);
	for (unsigned int i = 0; r == PM_OK && i < s->worker_count; i++) {
		int copy = i ? dup(fd) : fd;

		r = copy < 0 ? PM_E_SYS : http_server_listen(s->workers[i].server, copy);
	}
	if (r < 0)
		return service_failed("socket", "handed over", r);
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
		return service_failed("listen", text, r);
	fd = address_listen(&address);
	r = fd < 0 ? PM_E_SYS : http_server_listen(s->admin_server, fd);
	if (r < 0)
		return service_failed("listen", text, r);
	tell_address(&address, "metrics");
	return PM_OK;
}

int service_open_sockets(struct service *s)
{
	const struct common_options *o = s->options;
	int handed = notify_sockets(), r = PM_OK;

	if (!handed && !o->listen_count && !o->mesh_listen_count) {
		log_event(LOG_LEVEL_ERROR, "failed", "what", "--listen ADDRESS is missing", NULL);
		return PM_E_MISSING;
	}
	for (int i = 0; r == PM_OK && i < handed; i++)
		r = take_handed(s, FIRST_HANDED_SOCKET + i);
	for (size_t i = 0; r == PM_OK && i < o->listen_count; i++)
		r = open_address(s, o->listen[i], false);
	for (size_t i = 0; r == PM_OK && i < o->mesh_listen_count; i++)
		r = open_address(s, o->mesh_listen[i], true);
	return r < 0 ? r : open_admin(s);
}
