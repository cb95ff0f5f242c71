/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <arpa/inet.h>
#include <err.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"

#define PIECE	    16384
#define BACKLOG_MAX 1024

static struct event_base *base;
static uint16_t target;

/* One of both directions. */
struct way {
	int from, to;
	struct event *readable;
};

static void no_delay(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Ends are not told: whoever measures closes both, and the process ends with it. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct way *way = arg;
	char bytes[PIECE];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	(void)what;
	if (n <= 0) {
		event_del(way->readable);
		(void)shutdown(way->to, SHUT_WR);
		return;
	}
	if (send(way->to, bytes, (size_t)n, MSG_NOSIGNAL) != n)
		event_del(way->readable);
}

static void add_way(int from, int to)
{
	struct way *way = calloc(1, sizeof(*way));

	*way = (struct way){from, to, NULL};
	way->readable = event_new(base, from, EV_READ | EV_PERSIST, on_readable, way);
	event_add(way->readable, NULL);
}

static struct sockaddr_in at_port(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	const struct sockaddr_in address = at_port(target);
	int in = accept(fd, NULL, NULL), out = socket(AF_INET, SOCK_STREAM, 0);

	(void)what;
	(void)arg;
	if (in < 0 || out < 0 ||
		connect(out, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "relay");
	no_delay(in);
	no_delay(out);
	add_way(in, out);
	add_way(out, in);
}

static void serve(int fd, int cpu)
{
	/* It has nobody to stop it when whoever measures dies. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(cpu);
	base = event_base_new();
	event_add(event_new(base, fd, EV_READ | EV_PERSIST, on_accept, NULL), NULL);
	event_base_dispatch(base);
	_exit(0);
}

struct bench_relay bench_relay_start(int cpu, uint16_t port)
{
	struct sockaddr_in address = at_port(0);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct bench_relay relay;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, len) < 0 ||
		listen(fd, BACKLOG_MAX) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		err(1, "relay");
	target = port;
	relay.port = ntohs(address.sin_port);
	relay.pid = fork();
	if (relay.pid < 0)
		err(1, "fork");
	if (relay.pid == 0)
		serve(fd, cpu);
	close(fd);
	return relay;
}

void bench_relay_stop(const struct bench_relay *relay)
{
	kill(relay->pid, SIGTERM);
	waitpid(relay->pid, NULL, 0);
}
