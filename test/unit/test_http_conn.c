/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of the HTTP server whose client reads slowly, under a clock of the test's own: no
 * time passes but what the test says.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pm/error.h>

#include "common/http_conn.h"
#include "testing.h"

#define ANSWER_SIZE (1u << 20)
/* Of the socket, so that what the client reads is noticed. */
#define SOCKET_BUFFER 4096
/* Virtual: in milliseconds. */
#define SECOND 1000
#define WINDOW 60

static int64_t now;

int64_t __wrap_loop_now(void);
struct timeval __wrap_loop_time(int64_t milliseconds);

int64_t __wrap_loop_now(void)
{
	return now;
}

/* Deadlines are looked at again and again: whether they are over, the clock above says. */
struct timeval __wrap_loop_time(int64_t milliseconds)
{
	(void)milliseconds;
	return (struct timeval){.tv_usec = 1000};
}

/* --- a server with one client ---------------------------------------------------------------- */

struct scene {
	struct loop *loop;
	struct http_server *server;
	int client;
	bool is_done, is_whole;
};

static struct scene scene;

static void begin(struct http_exchange *x, void *arg)
{
	(void)x;
	(void)arg;
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	(void)x;
	(void)bytes;
	(void)len;
}

static void answer(struct http_exchange *x)
{
	char *body = calloc(1, ANSWER_SIZE);

	http_reply(x, 200, "text/plain", body, ANSWER_SIZE);
	free(body);
}

static void drained(struct http_exchange *x)
{
	(void)x;
}

static void done(struct http_exchange *x, bool whole)
{
	(void)x;
	scene.is_done = true;
	scene.is_whole = whole;
}

static const struct http_handler handler = {begin, take_body, answer, drained, done, NULL};

/* What the client did is noticed, and then a deadline: there is always one. */
static void turn(void)
{
	for (int i = 0; i < 2 && !scene.is_done; i++)
		event_base_loop(scene.loop->base, EVLOOP_ONCE);
}

static void set_up(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	const int size = SOCKET_BUFFER;
	int pair[2];

	scene = (struct scene){0};
	now = SECOND;
	ck_pm(loop_new(0, &scene.loop), PM_OK);
	ck_pm(http_server_new(scene.loop, &handler, &http_limits_default, NULL, &scene.server),
		PM_OK);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	scene.client = pair[1];
	http_conn_open(scene.server, pair[0]);
	ck_assert_int_eq(write(scene.client, request, sizeof(request) - 1), sizeof(request) - 1);
	turn();
}

static void tear_down(void)
{
	close(scene.client);
	http_server_free(scene.server);
	loop_free(scene.loop);
}

/* So many seconds pass, in each of which the client reads so many bytes. */
static void read_slowly(int seconds, size_t bytes)
{
	char *buffer = malloc(bytes + 1);

	for (int i = 0; i < seconds && !scene.is_done; i++) {
		now += SECOND;
		ck_assert_int_ge(read(scene.client, buffer, bytes), bytes ? 1 : 0);
		turn();
	}
	free(buffer);
}

/* --- tests ----------------------------------------------------------------------------------- */

START_TEST(who_reads_nothing_is_given_up)
{
	set_up();
	read_slowly(WINDOW - 1, 0);
	ck_assert(!scene.is_done);
	read_slowly(1, 0);
	ck_assert(scene.is_done && !scene.is_whole);
	tear_down();
}
END_TEST

/* A little in each second does not keep the answer in memory for hours. */
START_TEST(who_reads_too_little_is_given_up)
{
	set_up();
	read_slowly(2 * WINDOW, 600);
	ck_assert(scene.is_done && !scene.is_whole);
	tear_down();
}
END_TEST

/* Nor does much in the beginning. */
START_TEST(who_reads_no_more_is_given_up)
{
	set_up();
	read_slowly(WINDOW, 4096);
	ck_assert(!scene.is_done);
	read_slowly(WINDOW, 600);
	ck_assert(scene.is_done && !scene.is_whole);
	tear_down();
}
END_TEST

START_TEST(who_reads_enough_gets_all)
{
	set_up();
	read_slowly(4 * WINDOW, 2048);
	ck_assert(!scene.is_done);
	read_slowly((int)(ANSWER_SIZE / SOCKET_BUFFER) + 1, 2 * SOCKET_BUFFER);
	ck_assert(scene.is_done && scene.is_whole);
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_conn");
	TCase *tcase = tcase_create("http_conn");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, who_reads_nothing_is_given_up);
	tcase_add_test(tcase, who_reads_too_little_is_given_up);
	tcase_add_test(tcase, who_reads_no_more_is_given_up);
	tcase_add_test(tcase, who_reads_enough_gets_all);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
