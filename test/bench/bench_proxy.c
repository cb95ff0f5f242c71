/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pm-proxy on one core: streams as fast as the inference server makes them, in each format and past
 * the proxy. The proxy has the last processor, the server and this program the first.
 *
 * bench_proxy PM-PROXY INFERENCE-SERVER
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pm/pm.h>

#include "programs.h"

#define ROUNDS 3
#define PIECE  65536

enum format { PAST = 0, FIELD, SEALED };

/* One connection, one request. */
struct client {
	struct run *run;
	int fd;
	struct event *event;
	char *request;
	size_t len, sent;
	char tail[5]; /* the last bytes that came */
};

struct run {
	struct event_base *base;
	struct client *clients;
	size_t count, left, whole;
	uint64_t bytes;
};

/* --- requests -------------------------------------------------------------------------------- */

static char *wrap(
	const char *path, const char *fields, const void *body, size_t len, size_t *ret_len)
{
	char *all = malloc(len + 1024);
	int n = snprintf(all, 1024,
		"POST %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n%s"
		"Content-Length: %zu\r\n\r\n",
		path, fields, len);

	memcpy(all + n, body, len);
	*ret_len = (size_t)n + len;
	return all;
}

static char *make_field(const char *json, size_t *ret_len)
{
	struct pm_field_exchange *exchange;
	struct pm_body_cipher cipher;
	struct pm_field_key *key;
	const uint8_t *out;
	struct pm_body *body;
	char *request;
	size_t n;

	bench_must(pm_field_key_new(BENCH_ID, bench_secret, &key), "key");
	bench_must(pm_field_requester_new(key, &exchange), "exchange");
	pm_body_field_cipher(exchange, PM_BODY_SEAL, &cipher);
	bench_must(pm_body_new(PM_ENDPOINT_CHAT, PM_BODY_REQUEST, PM_BODY_SEAL, &cipher, &body),
		"body");
	bench_must(pm_body_json(body, json, strlen(json), NULL, &out, &n), "json");
	request = wrap("/v1/chat/completions",
		"Content-Type: application/json\r\nPrivatemode-Secret-ID: " BENCH_ID "\r\n", out, n,
		ret_len);
	pm_body_free(body);
	pm_field_exchange_free(exchange);
	pm_field_key_free(key);
	return request;
}

static char *make_sealed(const char *json, const char *model, size_t *ret_len)
{
	struct pm_sealed_request head = {.method = "POST",
		.path = "/v1/chat/completions",
		.content_type = "application/json",
		.issued_at = (int64_t)time(NULL) + 2};
	struct pm_exchange_client *client;
	struct pm_exchange_key *key;
	char fields[512], all[8192], *request;
	const uint8_t *bytes;
	size_t n, len;

	bench_must(pm_exchange_key_new(BENCH_ID, bench_secret, &key), "key");
	bench_must(pm_exchange_client_new(key, model, NULL, 0, &client), "client");
	bench_must(pm_exchange_client_send_head(client, &head, 0, NULL, &bytes, &n), "head");
	memcpy(all, bytes, n);
	len = n;
	bench_must(pm_exchange_client_send_body(
			   client, (const uint8_t *)json, strlen(json), 1, &bytes, &n),
		"body");
	memcpy(all + len, bytes, n);
	snprintf(fields, sizeof(fields),
		"Content-Type: " PM_SEALED_CONTENT_TYPE "\r\nPm-Secret-Id: " BENCH_ID
		"\r\nPm-Model: %s\r\n",
		model);
	request = wrap("/", fields, all, len + n, ret_len);
	pm_exchange_client_free(client);
	pm_exchange_key_free(key);
	return request;
}

static char *make_request(enum format format, unsigned long repeat, size_t *ret_len)
{
	char json[512], model[64];

	snprintf(model, sizeof(model), "repeat-%lu", repeat);
	snprintf(json, sizeof(json),
		"{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
		"\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw\"}],"
		"\"cache_salt\":\"0123456789abcdef0123456789abcdef\"}",
		model);
	if (format == FIELD)
		return make_field(json, ret_len);
	if (format == SEALED)
		return make_sealed(json, model, ret_len);
	return wrap("/v1/chat/completions", "Content-Type: application/json\r\n", json,
		strlen(json), ret_len);
}

/* --- clients --------------------------------------------------------------------------------- */

static void keep_tail(struct client *c, const char *bytes, size_t n)
{
	char both[10];
	size_t take = n < 5 ? n : 5;

	memcpy(both, c->tail, 5);
	memcpy(both + 5, bytes + n - take, take);
	memcpy(c->tail, both + take, 5);
}

static void finish(struct client *c)
{
	struct run *run = c->run;

	run->whole += !memcmp(c->tail, "0\r\n\r\n", 5);
	event_free(c->event);
	close(c->fd);
	if (--run->left == 0)
		event_base_loopbreak(run->base);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static char bytes[PIECE];
	struct client *c = arg;
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	(void)what;
	if (n > 0) {
		c->run->bytes += (uint64_t)n;
		keep_tail(c, bytes, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		finish(c);
	}
}

static void open_client(struct run *run, size_t i, uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct client *c = &run->clients[i];

	c->run = run;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "connect");
	if (send(c->fd, c->request, c->len, 0) != (ssize_t)c->len)
		errx(1, "a request was not sent whole");
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->event = event_new(run->base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	event_add(c->event, NULL);
}

/* Microseconds that all streams took. */
static double run_clients(enum format format, uint16_t port, size_t streams, unsigned long repeat)
{
	struct run run = {.base = event_base_new(), .count = streams, .left = streams};
	double begin, took;

	run.clients = calloc(streams, sizeof(*run.clients));
	for (size_t i = 0; i < streams; i++)
		run.clients[i].request = make_request(format, repeat, &run.clients[i].len);
	begin = bench_now();
	for (size_t i = 0; i < streams; i++)
		open_client(&run, i, port);
	event_base_dispatch(run.base);
	took = bench_now() - begin;
	if (run.whole != streams)
		errx(1, "%zu of %zu streams came whole", run.whole, streams);
	for (size_t i = 0; i < streams; i++)
		free(run.clients[i].request);
	free(run.clients);
	event_base_free(run.base);
	return took;
}

/* --- the table ------------------------------------------------------------------------------- */

static void measure(enum format format, const struct bench_server *proxy,
	const struct bench_server *model, size_t streams, unsigned long repeat)
{
	static const char *const names[] = {"past the proxy", "field messages", "sealed exchange"};
	const struct bench_server *s = format == PAST ? model : proxy;
	double events = (double)streams * ((double)repeat + 3);
	double rate[ROUNDS], cpu[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		double before = bench_cpu(s);

		rate[i] = 1e6 * events / run_clients(format, s->port, streams, repeat);
		cpu[i] = (bench_cpu(s) - before) / events;
	}
	qsort(rate, ROUNDS, sizeof(double), bench_by_value);
	qsort(cpu, ROUNDS, sizeof(double), bench_by_value);
	printf("%-16s %6zu streams %9.0f events/s [%.0f-%.0f] %7.2f us CPU an event %8ld KiB "
	       "peak\n",
		names[format], streams, rate[ROUNDS / 2], rate[0], rate[ROUNDS - 1],
		cpu[ROUNDS / 2], bench_memory(s, "VmHWM:"));
	fflush(stdout);
}

static void compare(char *proxy_path, char *model_path, char *keys, size_t streams,
	unsigned long repeat, int last)
{
	const char *model_args[] = {model_path, "--listen", "127.0.0.1:0", "--threads", "1", NULL};
	struct bench_server model = bench_start(0, model_args), proxy;
	char upstream[32];
	const char *args[] = {proxy_path, "--listen", "127.0.0.1:0", "--threads", "1", "--upstream",
		upstream, "--keys", keys, "--no-ocsp-status", "--no-ready-file", "--pad", "0",
		NULL};

	snprintf(upstream, sizeof(upstream), "127.0.0.1:%u", model.port);
	measure(PAST, &model, &model, streams, repeat);
	for (int format = FIELD; format <= SEALED; format++) {
		proxy = bench_start(last, args);
		measure((enum format)format, &proxy, &model, streams, repeat);
		bench_stop(&proxy);
	}
	bench_stop(&model);
}

int main(int argc, char **argv)
{
	char keys[] = "/tmp/bench-keys-XXXXXX";
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int fd = mkstemp(keys);

	if (argc != 3 || fd < 0)
		errx(2, "usage: bench_proxy PM-PROXY INFERENCE-SERVER");
	close(fd);
	bench_write_keys(keys);
	signal(SIGPIPE, SIG_IGN);
	bench_pin(0);
	compare(argv[1], argv[2], keys, 100, 1000, (int)cpus - 1);
	compare(argv[1], argv[2], keys, 1000, 100, (int)cpus - 1);
	unlink(keys);
	return 0;
}
