/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server on loopback for the services of gpu_answer.c: one thread, one request a
 * connection, all bounded, until a signal ends it.
 */
#include "pm-sim/sim_gpu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define REQUEST_MAX 1048576
#define IDLE_MS	    30000

struct client {
	int fd;
	int64_t last;
	char *in;
	size_t in_len, in_cap;
	struct sim_bytes out;
	size_t out_done;
	/* When the answer may go out. */
	int64_t ready;
};

struct server {
	const struct sim_gpu_service *service;
	int listener, signals;
	struct client clients[CLIENTS_MAX];
	size_t count;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- one request ------------------------------------------------------------------------------ */

static const char *reason_of(int status)
{
	return status == 200 ? "OK" : status == 404 ? "Not Found" : "Error";
}

static int respond(struct client *c, const struct sim_http_answer *a)
{
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text head = {0};
	uint8_t *all;

	sim_text_add(&head,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n",
		a->status, reason_of(a->status), a->type, a->body.len);
	all = head.failed ? NULL : malloc(head.len + a->body.len + 1);
	if (!all)
		return sim_fail("out of memory");
	memcpy(all, head.text, head.len);
	if (a->body.len)
		memcpy(all + head.len, a->body.ptr, a->body.len);
	c->out = (struct sim_bytes){all, head.len + a->body.len};
	return TOOL_OK;
}

/* The body's length; a request without one has none. */
static bool content_length(const char *head, size_t *ret)
{
	const char *line = head;
	unsigned long n;
	char *end;

	*ret = 0;
	while ((line = strstr(line, "\r\n")) != NULL && line[2] != '\r') {
		line += 2;
		if (strncasecmp(line, "Content-Length:", 15) != 0)
			continue;
		n = strtoul(line + 15, &end, 10);
		if (end == line + 15 || n > REQUEST_MAX)
			return false;
		*ret = n;
	}
	return true;
}

/* "GET /path HTTP/1.1", cut up in place. */
static bool request_line(char *head, struct sim_http_request *ret)
{
	char *path = strchr(head, ' '), *end;

	if (!path)
		return false;
	end = strpbrk(path + 1, " \r\n");
	if (!end || *end != ' ' || path[1] != '/')
		return false;
	*path = '\0';
	*end = '\0';
	ret->path = path + 1;
	ret->post = strcmp(head, "POST") == 0;
	return ret->post || strcmp(head, "GET") == 0;
}

static int answer(struct server *s, struct client *c, const struct sim_http_request *q)
{
	struct sim_http_answer a = {0};
	int r = sim_gpu_answer(s->service, q, &a);

	if (r == TOOL_OK)
		r = respond(c, &a);
	sim_bytes_free(&a.body);
	c->ready = now_ms() + s->service->delay_ms;
	return r;
}

/* Answers once the request is whole. */
static int try_answer(struct server *s, struct client *c)
{
	struct sim_http_request q = {0};
	char *end = strstr(c->in, "\r\n\r\n");
	size_t head, body;

	if (!end)
		return c->in_len > 16384 ? TOOL_REJECTED : TOOL_OK;
	head = (size_t)(end - c->in) + 4;
	if (!content_length(c->in, &body))
		return TOOL_REJECTED;
	if (c->in_len < head + body)
		return TOOL_OK;
	q.body = (const uint8_t *)c->in + head;
	q.body_len = body;
	if (!request_line(c->in, &q))
		return TOOL_REJECTED;
	return answer(s, c, &q);
}

/* --- one client ------------------------------------------------------------------------------- */

static bool reserve(struct client *c)
{
	size_t cap = c->in_cap ? 2 * c->in_cap : 4096;
	char *grown;

	if (c->in_cap - c->in_len > 1)
		return true;
	grown = cap > 2 * REQUEST_MAX ? NULL : realloc(c->in, cap);
	if (!grown)
		return false;
	c->in = grown;
	c->in_cap = cap;
	return true;
}

/* False when the client is to be dropped. */
static bool client_read(struct server *s, struct client *c)
{
	ssize_t n;

	if (!reserve(c))
		return false;
	n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len - 1, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	c->last = now_ms();
	return try_answer(s, c) == TOOL_OK;
}

static bool client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->out.ptr + c->out_done, c->out.len - c->out_done, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_done += (size_t)n;
	c->last = now_ms();
	return c->out_done < c->out.len;
}

static bool client_step(struct server *s, struct client *c, short events)
{
	if (events & POLLOUT)
		return client_write(c);
	if (events & POLLIN)
		return client_read(s, c);
	if (events & (POLLHUP | POLLERR))
		return false;
	return c->out.ptr || now_ms() - c->last <= IDLE_MS;
}

static void client_add(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		s->clients[s->count++] = (struct client){.fd = fd, .last = now_ms()};
}

static void client_drop(struct server *s, size_t i)
{
	close(s->clients[i].fd);
	free(s->clients[i].in);
	sim_bytes_free(&s->clients[i].out);
	s->clients[i] = s->clients[--s->count];
}

/* --- the server ------------------------------------------------------------------------------- */

/* What a client waits for; the earliest moment at which a delayed answer is due. */
static short wanted(const struct client *c, int64_t now, int64_t *due)
{
	if (!c->out.ptr)
		return POLLIN;
	if (c->ready <= now)
		return POLLOUT;
	*due = c->ready < *due ? c->ready : *due;
	return 0;
}

static size_t fill(const struct server *s, struct pollfd *fds, int *ret_timeout)
{
	int64_t now = now_ms(), due = now + IDLE_MS;

	fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = s->count < CLIENTS_MAX ? s->listener : -1, .events = POLLIN};
	for (size_t i = 0; i < s->count; i++)
		fds[2 + i] = (struct pollfd){
			.fd = s->clients[i].fd, .events = wanted(&s->clients[i], now, &due)};
	*ret_timeout = (int)(due - now);
	return 2 + s->count;
}

static int loop(struct server *s)
{
	struct pollfd fds[2 + CLIENTS_MAX];

	for (;;) {
		int timeout, r;
		size_t n = fill(s, fds, &timeout);

		r = poll(fds, n, timeout);
		if (r < 0 && errno != EINTR)
			return sim_fail("poll: %s", strerror(errno));
		if (r < 0)
			continue;
		if (fds[0].revents)
			return TOOL_OK;
		/* From the end: a dropped client's place goes to one that was served. */
		for (size_t i = n - 2; i > 0; i--)
			if (!client_step(s, &s->clients[i - 1], fds[1 + i].revents))
				client_drop(s, i - 1);
		if (fds[1].revents)
			client_add(s);
	}
}

/* "127.0.0.1:PORT"; nothing but loopback. */
static int address_parse(const char *text, struct sockaddr_in *ret)
{
	static const char host[] = "127.0.0.1:";
	uint64_t port;

	*ret = (struct sockaddr_in){.sin_family = AF_INET};
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (strncmp(text, host, strlen(host)) != 0)
		return sim_fail("%s: not 127.0.0.1:PORT", text);
	if (sim_number_parse(text + strlen(host), UINT16_MAX, &port) != TOOL_OK)
		return TOOL_USAGE;
	ret->sin_port = htons((uint16_t)port);
	return TOOL_OK;
}

static int listen_on(const char *text, int *ret)
{
	struct sockaddr_in addr;
	socklen_t n = sizeof(addr);
	int one = 1, r = address_parse(text, &addr);

	if (r != TOOL_OK)
		return r;
	*ret = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*ret < 0 || setsockopt(*ret, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
		bind(*ret, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(*ret, CLIENTS_MAX) < 0 ||
		getsockname(*ret, (struct sockaddr *)&addr, &n) < 0)
		return sim_fail("%s: %s", text, strerror(errno));
	printf("pm-sim: serving on http://127.0.0.1:%u\n"
	       "TEST ROOT: nothing that this tool signs proves anything\n",
		ntohs(addr.sin_port));
	fflush(stdout);
	return TOOL_OK;
}

static int catch_signals(int *ret)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return sim_fail("sigprocmask: %s", strerror(errno));
	*ret = signalfd(-1, &set, SFD_CLOEXEC);
	return *ret < 0 ? sim_fail("signalfd: %s", strerror(errno)) : TOOL_OK;
}

int sim_gpu_serve(const struct sim_gpu_service *service, const char *listen)
{
	struct server *s = calloc(1, sizeof(*s));
	int r = s ? TOOL_OK : sim_fail("out of memory");

	if (r != TOOL_OK)
		return r;
	s->service = service;
	r = catch_signals(&s->signals);
	if (r == TOOL_OK)
		r = listen_on(listen, &s->listener);
	if (r == TOOL_OK)
		r = loop(s);
	while (s->count)
		client_drop(s, s->count - 1);
	close(s->listener);
	close(s->signals);
	free(s);
	return r;
}
