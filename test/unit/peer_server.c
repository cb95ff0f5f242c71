/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing.h"

#define REQUEST_MAX (8u << 20)

struct peer_server {
	int fd;
	char url[64];
	pthread_t thread;
	peer_fn answer;
	void *arg;
	char *request; /* REQUEST_MAX + 1 bytes */
};

/* Where the body begins, when the request is whole; else NULL. */
static const char *whole(const char *request, size_t len)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strcasestr(request, "\r\nContent-Length: ");
	size_t size = length && length < end ? strtoul(length + 18, NULL, 10) : 0;

	return end && len - (size_t)(end + 4 - request) >= size ? end + 4 : NULL;
}

/* The body, which is empty when there was no request. */
static struct pm_view receive(struct peer_server *server, int fd)
{
	const char *body = NULL;
	size_t len = 0;

	while (!body && len < REQUEST_MAX) {
		ssize_t n = recv(fd, server->request + len, REQUEST_MAX - len, 0);

		if (n <= 0)
			return (struct pm_view){0};
		len += (size_t)n;
		server->request[len] = '\0';
		body = whole(server->request, len);
	}
	return body ? pm_view(body, len - (size_t)(body - server->request)) : (struct pm_view){0};
}

static void put(int fd, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		p += sent;
		n -= (size_t)sent;
	}
}

static void reply(int fd, const struct peer_reply *r)
{
	char head[512];
	int n = snprintf(head, sizeof(head),
		"HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n%s%s%s%s\r\n",
		r->status, r->body.len, r->type ? "Content-Type: " : "", r->type ? r->type : "",
		r->type ? "\r\n" : "", r->header ? r->header : "");

	put(fd, head, (size_t)n);
	put(fd, r->body.ptr, r->body.len);
}

static void serve(struct peer_server *server, int fd)
{
	struct pm_view body = receive(server, fd);
	struct peer_reply r;

	if (!body.ptr)
		return;
	r = server->answer(server->arg, server->request, body);
	if (r.status)
		reply(fd, &r);
	test_free(r.body);
}

static void *run(void *arg)
{
	struct peer_server *server = arg;
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		serve(server, fd);
		(void)shutdown(fd, SHUT_WR);
		close(fd);
	}
	return NULL;
}

struct peer_server *peer_server_start(peer_fn answer, void *arg)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct peer_server *server = pm_alloc(sizeof(*server));
	socklen_t size = sizeof(at);

	ck_assert_ptr_nonnull(server);
	server->answer = answer;
	server->arg = arg;
	server->request = pm_alloc(REQUEST_MAX + 1);
	ck_assert_ptr_nonnull(server->request);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(server->fd, 0);
	ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(server->fd, 16), 0);
	ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&at, &size), 0);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	ck_assert_int_eq(pthread_create(&server->thread, NULL, run, server), 0);
	return server;
}

const char *peer_server_url(const struct peer_server *server)
{
	return server->url;
}

void peer_server_stop(struct peer_server *server)
{
	shutdown(server->fd, SHUT_RDWR); /* wakes accept() */
	pthread_join(server->thread, NULL);
	close(server->fd);
	free(server->request);
	free(server);
}
