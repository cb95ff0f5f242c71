/* SPDX-License-Identifier: Apache-2.0 */
/* The attester's side of pm-attester(7): one thread, several clients, until a signal comes. */
#include "pm-sim/sim.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64

/* A client that neither sends nor takes anything for so long is dropped. */
#define IDLE_SECONDS 30

struct client {
	int fd;
	time_t last;
	uint8_t in[PM_ATTESTER_REQUEST_HEAD + PM_ATTESTER_DATA_MAX];
	size_t in_len;
	/* The response that is being sent. */
	struct sim_bytes out;
	size_t out_done;
	bool close_after;
};

struct server {
	struct sim_plan *plan;
	const struct sim_request *request;
	const struct sim_bytes *table;
	int listener, signals;
	struct client clients[CLIENTS_MAX];
	size_t count;
};

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put_be32(uint8_t *p, size_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (24 - 8 * i));
	return p + 4;
}

static uint8_t *put_field(uint8_t *p, const void *bytes, size_t len)
{
	p = put_be32(p, len);
	if (len)
		memcpy(p, bytes, len);
	return p + len;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --- one request ------------------------------------------------------------------------------ */

static int respond(struct client *c, enum pm_attester_status status, const struct sim_plan *plan,
	const struct sim_bytes *table)
{
	size_t report = plan ? plan->report_size : 0;
	size_t certs = table ? table->len : 0;
	uint8_t *p = malloc(16 + report + certs);

	if (!p)
		return sim_fail("out of memory");
	c->out = (struct sim_bytes){p, 16 + report + certs};
	c->out_done = 0;
	memcpy(p, PM_ATTESTER_MAGIC, 4);
	p = put_be32(p + 4, status);
	p = put_field(p, plan ? plan->report : NULL, report);
	(void)put_field(p, table ? table->ptr : NULL, certs);
	return TOOL_OK;
}

static int answer_snp(struct server *s, struct client *c, uint32_t vmpl, const uint8_t *report_data)
{
	char level[32];
	struct sim_request request = *s->request;

	if (vmpl > 3 || request.field_count == SIM_LIST_MAX)
		return respond(c, PM_ATTESTER_REFUSED, NULL, NULL);
	/* First, so that a --field of the command line can still lie. */
	snprintf(level, sizeof(level), "vmpl=%u", vmpl);
	memmove(request.fields + 1, request.fields, request.field_count * sizeof(char *));
	request.fields[0] = level;
	request.field_count++;
	if (sim_request_report(&request, report_data, s->plan) != TOOL_OK)
		return respond(c, PM_ATTESTER_FAILED, NULL, NULL);
	return respond(c, PM_ATTESTER_OK, s->plan, s->table);
}

static int malformed(struct client *c)
{
	c->close_after = true;
	c->in_len = 0;
	return respond(c, PM_ATTESTER_MALFORMED, NULL, NULL);
}

/* Answers the request at the front of the input, once it is complete. */
static int answer(struct server *s, struct client *c)
{
	uint32_t kind, level, len;
	int r;

	if (c->in_len >= 4 && memcmp(c->in, PM_ATTESTER_MAGIC, 4) != 0)
		return malformed(c);
	if (c->in_len < PM_ATTESTER_REQUEST_HEAD)
		return TOOL_OK;
	kind = get_be32(c->in + 4);
	level = get_be32(c->in + 8);
	len = get_be32(c->in + 12);
	if (len > PM_ATTESTER_DATA_MAX ||
		(kind == PM_ATTESTER_KIND_SNP && len != PM_SNP_REPORT_DATA_SIZE))
		return malformed(c);
	if (c->in_len < PM_ATTESTER_REQUEST_HEAD + len)
		return TOOL_OK;
	if (kind == PM_ATTESTER_KIND_SNP)
		r = answer_snp(s, c, level, c->in + PM_ATTESTER_REQUEST_HEAD);
	else
		r = respond(c, PM_ATTESTER_UNSUPPORTED, NULL, NULL);
	c->in_len -= PM_ATTESTER_REQUEST_HEAD + len;
	memmove(c->in, c->in + PM_ATTESTER_REQUEST_HEAD + len, c->in_len);
	return r;
}

/* --- one client ------------------------------------------------------------------------------- */

/* False when the client is to be dropped. */
static bool client_read(struct server *s, struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->in_len += (size_t)n;
	c->last = now();
	return answer(s, c) == TOOL_OK;
}

static bool client_write(struct server *s, struct client *c)
{
	ssize_t n = send(c->fd, c->out.ptr + c->out_done, c->out.len - c->out_done, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->out_done += (size_t)n;
	c->last = now();
	if (c->out_done < c->out.len)
		return true;
	sim_bytes_free(&c->out);
	return !c->close_after && answer(s, c) == TOOL_OK;
}

static bool client_step(struct server *s, struct client *c, short events)
{
	if (events & POLLOUT)
		return client_write(s, c);
	if (events & (POLLIN | POLLHUP | POLLERR))
		return client_read(s, c);
	return now() - c->last <= IDLE_SECONDS;
}

static void client_add(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	s->clients[s->count++] = (struct client){.fd = fd, .last = now()};
}

static void client_drop(struct server *s, size_t i)
{
	close(s->clients[i].fd);
	sim_bytes_free(&s->clients[i].out);
	s->clients[i] = s->clients[--s->count];
}

/* --- the server ------------------------------------------------------------------------------- */

static size_t fill(const struct server *s, struct pollfd *fds)
{
	fds[0] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = s->count < CLIENTS_MAX ? s->listener : -1, .events = POLLIN};
	for (size_t i = 0; i < s->count; i++)
		fds[2 + i] = (struct pollfd){
			.fd = s->clients[i].fd, .events = s->clients[i].out.ptr ? POLLOUT : POLLIN};
	return 2 + s->count;
}

static int loop(struct server *s)
{
	struct pollfd fds[2 + CLIENTS_MAX];

	for (;;) {
		size_t n = fill(s, fds);
		int r = poll(fds, n, IDLE_SECONDS * 1000);

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

/* A socket that nobody answers on is left over from before; anything else is not ours to remove. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, r;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? TOOL_OK
				       : sim_fail("%s: %s", addr->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return sim_fail("%s: exists and is no socket", addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	if (fd >= 0)
		close(fd);
	if (r == 0)
		return sim_fail("%s: another process serves it", addr->sun_path);
	return unlink(addr->sun_path) < 0 ? sim_fail("%s: %s", addr->sun_path, strerror(errno))
					  : TOOL_OK;
}

static int listen_on(const char *path, int *ret)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof(addr.sun_path))
		return sim_fail("%s: longer than a socket's path may be", path);
	strcpy(addr.sun_path, path);
	r = remove_stale(&addr);
	if (r != TOOL_OK)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (r < 0 || listen(fd, CLIENTS_MAX) < 0)
		return sim_fail("%s: %s", path, strerror(errno));
	*ret = fd;
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

static int run(struct server *s, const char *path)
{
	int r = catch_signals(&s->signals);

	if (r == TOOL_OK)
		r = listen_on(path, &s->listener);
	if (r != TOOL_OK)
		return r;
	printf("pm-sim: serving on %s\n", path);
	fflush(stdout);
	r = loop(s);
	while (s->count)
		client_drop(s, s->count - 1);
	close(s->listener);
	close(s->signals);
	unlink(path);
	return r;
}

int sim_serve(const char *path, struct sim_plan *plan, const struct sim_request *request,
	const struct sim_bytes *table)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return sim_fail("out of memory");
	s->plan = plan;
	s->request = request;
	s->table = table;
	r = run(s, path);
	free(s);
	return r;
}
