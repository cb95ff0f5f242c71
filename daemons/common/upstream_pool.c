/* SPDX-License-Identifier: Apache-2.0 */
#include "common/upstream_pool.h"

#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "common/upstream_mesh.h"

/* Connections that are kept while nobody uses them. */
#define KEPT_CONNECTIONS 1024L

/* What is watched of one socket. */
struct watch {
	struct event *event;
};

/* --- sockets and time ------------------------------------------------------------------------ */

static void act(struct upstream_pool *pool, curl_socket_t socket, int what)
{
	int running;

	pool->in_callback++;
	curl_multi_socket_action(pool->multi, socket, what, &running);
	pool->in_callback--;
	upstream_collect(pool);
}

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
	int flags =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

	act(arg, fd, flags);
}

static void forget(struct upstream_pool *pool, curl_socket_t socket, struct watch *watch)
{
	curl_multi_assign(pool->multi, socket, NULL);
	if (watch && watch->event)
		event_free(watch->event);
	free(watch);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *watched)
{
	struct upstream_pool *pool = arg;
	struct watch *watch = watched;
	short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		forget(pool, socket, watch);
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch)
			return -1;
		curl_multi_assign(pool->multi, socket, watch);
	}
	if (watch->event)
		event_free(watch->event);
	watch->event = event_new(pool->loop->base, socket, events, on_socket_event, pool);
	return watch->event && !event_add(watch->event, NULL) ? 0 : -1;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long milliseconds, void *arg)
{
	struct upstream_pool *pool = arg;
	struct timeval time = loop_time(milliseconds);

	(void)multi;
	if (milliseconds < 0)
		evtimer_del(pool->timer);
	else
		evtimer_add(pool->timer, &time);
	return 0;
}

/* --- the pool -------------------------------------------------------------------------------- */

static void set_base(struct upstream_pool *pool, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	pool->address = *address;
	if (address->socket.ss_family == AF_UNIX) {
		pool->unix_path = ((const struct sockaddr_un *)&pool->address.socket)->sun_path;
		snprintf(pool->base, sizeof(pool->base), "http://localhost");
		return;
	}
	address_print(address, text);
	snprintf(pool->base, sizeof(pool->base), "http://%s", text);
}

static int open_pool(struct loop *loop, struct upstream_pool *pool)
{
	pool->loop = loop;
	pool->multi = curl_multi_init();
	pool->timer = evtimer_new(loop->base, on_time, pool);
	if (!pool->multi || !pool->timer ||
		curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
		curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool) ||
		curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
		curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool) ||
		curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS))
		return PM_E_STATE;
	return PM_OK;
}

/* Of a pool that was begun, so far with this result. It is freed on failure. */
static int finish(
	struct loop *loop, struct upstream_pool *pool, int r, struct upstream_pool **ret_pool)
{
	if (r == PM_OK)
		r = open_pool(loop, pool);
	if (r < 0) {
		upstream_pool_free(pool);
		return r;
	}
	*ret_pool = pool;
	return PM_OK;
}

int upstream_pool_new(
	struct loop *loop, const struct address *address, struct upstream_pool **ret_pool)
{
	struct upstream_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return PM_E_NOMEM;
	set_base(pool, address);
	return finish(loop, pool, PM_OK, ret_pool);
}

int upstream_pool_new_url(
	struct loop *loop, const char *url, const char *ca_file, struct upstream_pool **ret_pool)
{
	struct upstream_pool *pool = calloc(1, sizeof(*pool));
	size_t len = strlen(url);
	int r = PM_OK;

	if (!pool)
		return PM_E_NOMEM;
	if (len && url[len - 1] == '/')
		len--;
	snprintf(pool->base, sizeof(pool->base), "%.*s", (int)len, url);
	pool->is_tls = !strncasecmp(url, "https:", 6);
	pool->ca_file = ca_file ? strdup(ca_file) : NULL;
	if (len >= sizeof(pool->base) || (ca_file && !pool->ca_file))
		r = PM_E_NOMEM;
	return finish(loop, pool, r, ret_pool);
}

int upstream_pool_new_mesh(
	struct loop *loop, const char *url, const char *role, struct upstream_pool **ret_pool)
{
	struct upstream_pool *pool = calloc(1, sizeof(*pool));
	int r;

	if (!pool)
		return PM_E_NOMEM;
	r = upstream_mesh_new(url, role, pool->base, sizeof(pool->base), &pool->mesh);
	return finish(loop, pool, r, ret_pool);
}

int upstream_pool_set_identity(struct upstream_pool *pool, const struct upstream_identity *identity)
{
	return upstream_mesh_set(pool->mesh, identity);
}

void upstream_pool_free(struct upstream_pool *pool)
{
	if (!pool)
		return;
	if (pool->multi)
		curl_multi_cleanup(pool->multi);
	if (pool->timer)
		event_free(pool->timer);
	upstream_mesh_free(pool->mesh);
	free(pool->ca_file);
	free(pool->cert);
	free(pool->ca);
	if (pool->key)
		explicit_bzero(pool->key, strlen(pool->key));
	free(pool->key);
	free(pool);
}

int upstream_pool_set_tls(
	struct upstream_pool *pool, const char *cert, const char *key, const char *ca)
{
	pool->cert = cert ? strdup(cert) : NULL;
	pool->key = key ? strdup(key) : NULL;
	pool->ca = ca ? strdup(ca) : NULL;
	return (cert && !pool->cert) || (key && !pool->key) || (ca && !pool->ca) ? PM_E_NOMEM
										 : PM_OK;
}
