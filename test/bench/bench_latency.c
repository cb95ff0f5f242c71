/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much later each event of a stream comes through pm-proxy. A server in this program sends each
 * stream an event at a steady pace, with the time in it; the clients in it read the time when the
 * event was opened: straight from the server, through a relay that does nothing with what it reads,
 * and sealed through the proxy. Relay and proxy have the last processor, all else the first. Events
 * count from where all streams have begun.
 *
 * bench_latency PM-PROXY
 */
#include <arpa/inet.h>
#include <err.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pm/pm.h>

#include "programs.h"
#include "relay.h"

#define MODEL	   "bench"
#define EVENTS	   150	 /* of a stream */
#define UNTIMED	   50	 /* the first of them: streams begin while others send these */
#define PERIOD	   20000 /* microseconds between two of them: 50 tokens a second */
#define PIECE	   65536
#define STAMP	   "\"t\":"
#define STREAM_MAX 1000

static struct event_base *base;

/* --- the server ------------------------------------------------------------------------------ */

struct served {
	int fd;
	struct event *readable, *timer;
	size_t body_left, events;
};

static void send_text(int fd, const char *text, size_t len)
{
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		errx(1, "an event was not sent whole");
}

static void on_pace(evutil_socket_t fd, short what, void *arg)
{
	struct served *s = arg;
	char event[256], chunk[300];
	int n = snprintf(event, sizeof(event),
		"data: "
		"{\"id\":\"chat-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":"
		"0,\"delta\":{\"content\":\" word\"}}],\"t\":%.0f}\n\n",
		bench_now());

	(void)fd;
	(void)what;
	n = snprintf(chunk, sizeof(chunk), "%x\r\n%s\r\n%s", (unsigned int)n, event,
		++s->events == EVENTS ? "0\r\n\r\n" : "");
	send_text(s->fd, chunk, (size_t)n);
	if (s->events == EVENTS)
		event_del(s->timer);
}

static void begin_stream(struct served *s)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	const struct timeval period = {.tv_usec = PERIOD};

	send_text(s->fd, head, sizeof(head) - 1);
	event_add(s->timer, &period);
}

static void on_request(evutil_socket_t fd, short what, void *arg)
{
	struct served *s = arg;
	char bytes[PIECE + 1];
	ssize_t n = recv(fd, bytes, PIECE, 0);
	const char *end, *length;

	(void)what;
	if (n <= 0) {
		event_free(s->readable);
		event_free(s->timer);
		close(s->fd);
		free(s);
		return;
	}
	bytes[n] = '\0';
	end = strstr(bytes, "\r\n\r\n");
	length = strcasestr(bytes, "content-length:");
	/* Heads are small: they come in one piece. Their bodies may not. */
	if (!s->body_left && (!end || !length))
		errx(1, "not the request that was expected");
	if (!s->body_left)
		s->body_left = strtoul(length + 15, NULL, 10) + (size_t)(end + 4 - bytes);
	s->body_left -= (size_t)n;
	if (!s->body_left)
		begin_stream(s);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	const int on = 1;
	struct served *s = calloc(1, sizeof(*s));

	(void)what;
	(void)arg;
	s->fd = accept(fd, NULL, NULL);
	if (s->fd < 0)
		err(1, "accept");
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, on_request, s);
	s->timer = event_new(base, -1, EV_PERSIST, on_pace, s);
	event_add(s->readable, NULL);
}

static uint16_t serve(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, len) < 0 ||
		listen(fd, STREAM_MAX) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		err(1, "listen");
	event_add(event_new(base, fd, EV_READ | EV_PERSIST, on_accept, NULL), NULL);
	return ntohs(address.sin_port);
}

/* --- the clients ----------------------------------------------------------------------------- */

struct samples {
	double *late; /* microseconds */
	size_t count;
};

struct client {
	int fd;
	struct event *event, *begin;
	struct pm_exchange_client *exchange; /* NULL: straight */
	char *request;
	size_t len;
	uint16_t port;
	struct evbuffer *in;
	bool has_head;
	size_t events;
	struct samples *samples;
};

static size_t left;

static void take_event(struct client *c, const uint8_t *bytes, size_t len)
{
	const char *at = memmem(bytes, len, STAMP, sizeof(STAMP) - 1);

	if (!at)
		return;
	if (c->events >= UNTIMED)
		c->samples->late[c->samples->count++] =
			bench_now() - strtod(at + sizeof(STAMP) - 1, NULL);
	if (++c->events == EVENTS && --left == 0)
		event_base_loopbreak(base);
}

static void take_chunk(struct client *c, const uint8_t *bytes, size_t len)
{
	struct pm_exchange_event event;
	size_t used;

	if (!c->exchange) {
		take_event(c, bytes, len);
		return;
	}
	do {
		bench_must(pm_exchange_client_receive(c->exchange, bytes, len, NULL, &used, &event),
			"receive");
		bytes += used;
		len -= used;
		if (event.type == PM_EXCHANGE_BODY)
			take_event(c, event.body, event.body_len);
	} while (event.type != PM_EXCHANGE_MORE);
}

/* The whole chunks that are there. */
static void take_chunks(struct client *c)
{
	for (;;) {
		size_t have = evbuffer_get_length(c->in), size, head;
		const char *bytes = (const char *)evbuffer_pullup(c->in, -1);
		const char *end = bytes ? memmem(bytes, have, "\r\n", 2) : NULL;

		if (!end)
			return;
		size = strtoul(bytes, NULL, 16);
		head = (size_t)(end + 2 - bytes);
		if (have < head + size + 2)
			return;
		if (size)
			take_chunk(c, (const uint8_t *)bytes + head, size);
		evbuffer_drain(c->in, head + size + 2);
	}
}

static void take_head(struct client *c)
{
	size_t have = evbuffer_get_length(c->in);
	const char *bytes = (const char *)evbuffer_pullup(c->in, -1);
	const char *end = memmem(bytes, have, "\r\n\r\n", 4);

	if (!end)
		return;
	if (strncmp(bytes, "HTTP/1.1 200", 12) != 0)
		errx(1, "%.*s", (int)have, bytes);
	evbuffer_drain(c->in, (size_t)(end + 4 - bytes));
	c->has_head = true;
	if (c->exchange)
		bench_must(pm_exchange_client_begin(c->exchange, 200, PM_SEALED_CONTENT_TYPE, NULL),
			"begin");
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)what;
	if (evbuffer_read(c->in, fd, PIECE) <= 0) {
		event_del(c->event);
		return;
	}
	if (!c->has_head)
		take_head(c);
	if (c->has_head)
		take_chunks(c);
}

static void on_begin(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(c->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)fd;
	(void)what;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "connect");
	send_text(c->fd, c->request, c->len);
	c->event = event_new(base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	event_add(c->event, NULL);
}

static void make_request(struct client *c, struct pm_exchange_key *key)
{
	static const char json[] =
		"{\"model\":\"" MODEL "\",\"stream\":true,\"messages\":[{\"role\":\"user\","
		"\"content\":\"hello\"}],\"cache_salt\":\"0123456789abcdef0123456789abcdef\"}";
	struct pm_sealed_request head = {.method = "POST",
		.path = "/v1/chat/completions",
		.content_type = "application/json",
		.issued_at = (int64_t)time(NULL) + 2};
	struct evbuffer *body = evbuffer_new();
	const uint8_t *bytes;
	size_t n;

	if (key) {
		bench_must(pm_exchange_client_new(key, MODEL, NULL, 256, &c->exchange), "client");
		bench_must(pm_exchange_client_send_head(c->exchange, &head, 0, NULL, &bytes, &n),
			"head");
		evbuffer_add(body, bytes, n);
		bench_must(pm_exchange_client_send_body(c->exchange, (const uint8_t *)json,
				   sizeof(json) - 1, 1, &bytes, &n),
			"body");
		evbuffer_add(body, bytes, n);
	} else {
		evbuffer_add(body, json, sizeof(json) - 1);
	}
	n = evbuffer_get_length(body);
	c->request = malloc(n + 512);
	c->len = (size_t)snprintf(c->request, 512,
		"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Length: %zu\r\n"
		"Content-Type: %s\r\nPm-Secret-Id: " BENCH_ID "\r\nPm-Model: " MODEL "\r\n\r\n",
		n, key ? PM_SEALED_CONTENT_TYPE : "application/json");
	evbuffer_remove(body, c->request + c->len, n);
	c->len += n;
	evbuffer_free(body);
}

/* --- the table ------------------------------------------------------------------------------- */

struct result {
	double p50, p99; /* microseconds */
	double kib;	 /* of a stream, in the proxy */
	double cpu;	 /* microseconds of the proxy, for an event */
};

static void free_client(struct client *c)
{
	event_free(c->begin);
	event_free(c->event);
	close(c->fd);
	pm_exchange_client_free(c->exchange);
	evbuffer_free(c->in);
	free(c->request);
}

/* All streams begin before the first is timed, each at a moment of its own. */
static void run(struct client *clients, size_t streams)
{
	left = streams;
	for (size_t i = 0; i < streams; i++) {
		uint64_t at = 500000 + i * PERIOD * (UNTIMED - 10) / streams;
		struct timeval time = {(time_t)(at / 1000000), (suseconds_t)(at % 1000000)};

		clients[i].begin = evtimer_new(base, on_begin, &clients[i]);
		event_add(clients[i].begin, &time);
	}
	event_base_dispatch(base);
}

static struct result measure(const struct bench_server *proxy, uint16_t port, size_t streams,
	struct pm_exchange_key *key)
{
	struct client *clients = calloc(streams, sizeof(*clients));
	struct samples samples = {calloc(streams * EVENTS, sizeof(double)), 0};
	long before = proxy ? bench_memory(proxy, "VmRSS:") : 0;
	double cpu = proxy ? bench_cpu(proxy) : 0;
	struct result r = {0};

	for (size_t i = 0; i < streams; i++) {
		clients[i].samples = &samples;
		clients[i].port = port;
		clients[i].in = evbuffer_new();
		make_request(&clients[i], key);
	}
	run(clients, streams);
	if (proxy)
		r.cpu = (bench_cpu(proxy) - cpu) / (double)(streams * EVENTS);
	if (proxy)
		r.kib = (double)(bench_memory(proxy, "VmRSS:") - before) / (double)streams;
	qsort(samples.late, samples.count, sizeof(double), bench_by_value);
	r.p50 = samples.late[samples.count / 2];
	r.p99 = samples.late[samples.count * 99 / 100];
	for (size_t i = 0; i < streams; i++)
		free_client(&clients[i]);
	free(clients);
	free(samples.late);
	return r;
}

static void compare(char *proxy_path, char *keys, uint16_t port, size_t streams, int last)
{
	char upstream[32];
	const char *args[] = {proxy_path, "--listen", "127.0.0.1:0", "--threads", "1", "--upstream",
		upstream, "--keys", keys, "--no-ocsp-status", "--no-ready-file", "--log-level",
		"info", NULL};
	struct pm_exchange_key *key;
	struct bench_server proxy;
	struct bench_relay relay;
	struct result straight, relayed, sealed;

	snprintf(upstream, sizeof(upstream), "127.0.0.1:%u", port);
	bench_must(pm_exchange_key_new(BENCH_ID, bench_secret, &key), "key");
	straight = measure(NULL, port, streams, NULL);
	relay = bench_relay_start(last, port);
	relayed = measure(NULL, relay.port, streams, NULL);
	bench_relay_stop(&relay);
	proxy = bench_start(last, args);
	sealed = measure(&proxy, proxy.port, streams, key);
	bench_stop(&proxy);
	pm_exchange_key_free(key);
	printf("%7zu %8.0f %7.0f %7.0f %7.0f %7.0f %7.0f %7.0f %7.0f %7.0f %8.1f %9.1f\n", streams,
		1e6 / PERIOD * (double)streams, straight.p50, straight.p99, relayed.p50,
		relayed.p99, sealed.p50, sealed.p99, sealed.p50 - relayed.p50,
		sealed.p99 - relayed.p99, sealed.cpu, sealed.kib);
	fflush(stdout);
}

/* Timers to the microsecond, else events come in heaps, once a millisecond. */
static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *made;

	if (!config || event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER))
		errx(1, "no timers");
	made = event_base_new_with_config(config);
	event_config_free(config);
	return made;
}

int main(int argc, char **argv)
{
	char keys[] = "/tmp/bench-keys-XXXXXX";
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	static const size_t streams[] = {1, 10, 100, 300, STREAM_MAX};
	int fd = mkstemp(keys);
	uint16_t port;

	if (argc != 2 || fd < 0)
		errx(2, "usage: bench_latency PM-PROXY");
	close(fd);
	bench_write_keys(keys);
	bench_pin(0);
	base = new_base();
	port = serve();
	printf("%7s %8s %15s %15s %15s %15s %8s %9s\n", "", "", "straight, us", "relayed, us",
		"sealed, us", "sealing, us", "CPU, us", "memory");
	printf("%7s %8s %7s %7s %7s %7s %7s %7s %7s %7s %8s %9s\n", "streams", "events/s", "p50",
		"p99", "p50", "p99", "p50", "p99", "p50", "p99", "an event", "KiB each");
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		compare(argv[1], keys, port, streams[i], (int)cpus - 1);
	unlink(keys);
	return 0;
}
