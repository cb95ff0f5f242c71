/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing.h"

#define REQUESTS_MAX 64
#define REQUEST_SIZE 2048

struct http_server {
	int fd;
	SSL_CTX *tls; /* or NULL */
	char url[64];
	pthread_t thread;
	sem_t gate;
	struct http_answer *answers;
	size_t answer_count;
	atomic_uint count;
	char requests[REQUESTS_MAX][REQUEST_SIZE];
	size_t body_at[REQUESTS_MAX], body_size[REQUESTS_MAX];
};

struct peer {
	int fd;
	SSL *ssl; /* or NULL */
};

/* --- a connection ---------------------------------------------------------------------------- */

static bool put(struct peer *peer, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n) {
		ssize_t sent = peer->ssl ? SSL_write(peer->ssl, p, (int)n)
					 : send(peer->fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool put_text(struct peer *peer, const char *text)
{
	return put(peer, text, strlen(text));
}

/* Is the request whole, when so many bytes are there? Tells where its body is. */
static bool is_whole(const char *request, size_t len, size_t *ret_at, size_t *ret_size)
{
	const char *end = strstr(request, "\r\n\r\n"),
		   *length = strstr(request, "\r\nContent-Length: ");

	if (!end)
		return false;
	*ret_at = (size_t)(end - request) + 4;
	*ret_size = length && length < end ? strtoul(length + 18, NULL, 10) : 0;
	return len - *ret_at >= *ret_size;
}

/* A request with its body, which is small. */
static bool get_request(struct peer *peer, char *ret, size_t *ret_at, size_t *ret_size)
{
	size_t len = 0;

	while (len < REQUEST_SIZE - 1) {
		ssize_t n = peer->ssl
				    ? SSL_read(peer->ssl, ret + len, (int)(REQUEST_SIZE - 1 - len))
				    : recv(peer->fd, ret + len, REQUEST_SIZE - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		ret[len] = '\0';
		if (is_whole(ret, len, ret_at, ret_size))
			return true;
	}
	return false;
}

/* Waits so long, and tells whether the client has left meanwhile. */
static bool has_left(const struct peer *peer, int ms)
{
	struct pollfd p = {.fd = peer->fd, .events = POLLIN};

	return poll(&p, 1, ms) != 0;
}

/* --- answers --------------------------------------------------------------------------------- */

static bool put_head(struct peer *peer, const struct http_answer *answer, size_t length)
{
	char head[256];

	snprintf(head, sizeof(head), "HTTP/1.1 %d Whatever\r\nConnection: close\r\n",
		answer->status);
	if (!put_text(peer, head) || (answer->header && !put_text(peer, answer->header)))
		return false;
	snprintf(head, sizeof(head), "Content-Length: %zu\r\n\r\n", length);
	return put_text(peer, length == SIZE_MAX ? "\r\n" : head);
}

static void answer_well(
	struct peer *peer, const struct http_answer *answer, size_t length, size_t n)
{
	(void)(put_head(peer, answer, length) && put(peer, answer->body.ptr, n));
}

static void trickle(struct peer *peer, const struct http_answer *answer)
{
	if (!put_head(peer, answer, 1000000))
		return;
	while (!has_left(peer, 10) && put(peer, "x", 1))
		;
}

static void put_for_ever(struct peer *peer, const char *text)
{
	while (put_text(peer, text))
		;
}

static void give(struct http_server *server, struct peer *peer, const struct http_answer *answer)
{
	size_t n = answer->body.len;

	switch (answer->manner) {
	case HTTP_WELL:
		return answer_well(peer, answer, n, n);
	case HTTP_HANG:
		(void)has_left(peer, -1);
		return;
	case HTTP_TRICKLE:
		return trickle(peer, answer);
	case HTTP_CLOSE:
		return;
	case HTTP_CUT:
		return answer_well(peer, answer, n, n / 2);
	case HTTP_SHORT_LENGTH:
		return answer_well(peer, answer, n / 2, n);
	case HTTP_ENDLESS:
		if (put_head(peer, answer, SIZE_MAX))
			put_for_ever(peer, "All work and no play makes Jack a dull boy. ");
		return;
	case HTTP_HEADERS:
		if (put_text(peer, "HTTP/1.1 200 OK\r\n"))
			put_for_ever(peer, "X-More: and more, and more, and more, and more\r\n");
		return;
	case HTTP_GATE:
		sem_wait(&server->gate);
		return answer_well(peer, answer, n, n);
	}
}

static void serve(struct http_server *server, struct peer *peer)
{
	char request[REQUEST_SIZE];
	size_t at, size;
	unsigned int i;

	if (!get_request(peer, request, &at, &size))
		return;
	i = atomic_load(&server->count);
	if (i < REQUESTS_MAX) {
		pm_copy(server->requests[i], request, sizeof(request));
		server->body_at[i] = at;
		server->body_size[i] = size;
	}
	atomic_store(&server->count, i + 1);
	give(server, peer,
		&server->answers[i < server->answer_count ? i : server->answer_count - 1]);
}

/* The client reads to the end before it sees a reset for what we have not read. */
static void hang_up(struct peer *peer)
{
	if (peer->ssl)
		(void)SSL_shutdown(peer->ssl);
	(void)shutdown(peer->fd, SHUT_WR);
	SSL_free(peer->ssl);
	close(peer->fd);
}

static void *run(void *arg)
{
	struct http_server *server = arg;
	sigset_t pipe;

	/* For this thread alone: the client must not need it. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	for (;;) {
		struct peer peer = {.fd = accept(server->fd, NULL, NULL)};

		if (peer.fd < 0)
			return NULL;
		if (server->tls) {
			peer.ssl = SSL_new(server->tls);
			SSL_set_fd(peer.ssl, peer.fd);
		}
		if (!peer.ssl || SSL_accept(peer.ssl) == 1)
			serve(server, &peer);
		hang_up(&peer);
	}
}

/* --- start and stop -------------------------------------------------------------------------- */

static void start_tls(struct http_server *server, struct pm_view cert, EVP_PKEY *key)
{
	server->tls = SSL_CTX_new(TLS_server_method());
	ck_assert_ptr_nonnull(server->tls);
	ck_assert_int_eq(SSL_CTX_use_certificate_ASN1(server->tls, (int)cert.len, cert.ptr), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server->tls, key), 1);
}

static void listen_anywhere(struct http_server *server)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(server->fd, 0);
	ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(server->fd, 16), 0);
	ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&at, &size), 0);
	snprintf(server->url, sizeof(server->url), "%s://127.0.0.1:%u",
		server->tls ? "https" : "http", ntohs(at.sin_port));
}

static void copy_answers(struct http_server *server, const struct http_answer *from, size_t count)
{
	server->answers = (struct http_answer *)pm_dup(pm_view(from, count * sizeof(*from)));
	ck_assert_ptr_nonnull(server->answers);
	server->answer_count = count;
	for (size_t i = 0; i < count; i++)
		server->answers[i].body.ptr = pm_dup(from[i].body);
}

struct http_server *http_server_start(
	const struct http_answer *answers, size_t count, struct pm_view cert, EVP_PKEY *key)
{
	struct http_server *server = pm_alloc(sizeof(*server));

	ck_assert_ptr_nonnull(server);
	copy_answers(server, answers, count);
	ck_assert_int_eq(sem_init(&server->gate, 0, 0), 0);
	if (key)
		start_tls(server, cert, key);
	listen_anywhere(server);
	ck_assert_int_eq(pthread_create(&server->thread, NULL, run, server), 0);
	return server;
}

const char *http_server_url(const struct http_server *server)
{
	return server->url;
}

unsigned int http_server_count(struct http_server *server)
{
	return atomic_load(&server->count);
}

const char *http_server_request(struct http_server *server, unsigned int index)
{
	return index < REQUESTS_MAX ? server->requests[index] : "";
}

struct pm_view http_server_body(struct http_server *server, unsigned int index)
{
	if (index >= REQUESTS_MAX)
		return (struct pm_view){0};
	return pm_view(server->requests[index] + server->body_at[index], server->body_size[index]);
}

void http_server_open(struct http_server *server)
{
	sem_post(&server->gate);
}

void http_server_stop(struct http_server *server)
{
	shutdown(server->fd, SHUT_RDWR); /* wakes accept() */
	pthread_join(server->thread, NULL);
	close(server->fd);
	sem_destroy(&server->gate);
	SSL_CTX_free(server->tls);
	for (size_t i = 0; i < server->answer_count; i++)
		test_free(server->answers[i].body);
	free(server->answers);
	free(server);
}
