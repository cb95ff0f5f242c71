/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of HTTP heads and chunks: each way in which two readers could differ is refused. And
 * who of those that ask nothing makes room.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_chunk.h"
#include "common/http_conn.h"
#include "common/http_head.h"
#include "common/http_idle.h"
#include "testing.h"

/* A head in memory of exactly its size, so that a sanitizer sees a read behind it. */
static int parse(const char *bytes, size_t len, struct http_request *ret, char **ret_head)
{
	char *head = malloc(len);

	ck_assert_ptr_nonnull(head);
	memcpy(head, bytes, len);
	*ret_head = head;
	return http_request_parse(head, len, ret);
}

/* The status that a whole head gets; -1 where its end is not found or it is malformed before. */
static int status_of(const char *bytes, size_t len)
{
	struct http_request request;
	size_t from = 0;
	long end = http_head_end(bytes, len, &from);
	char *head;
	int status;

	if (end < 0)
		return 400;
	if (end == 0)
		return -1;
	status = parse(bytes, (size_t)end, &request, &head);
	free(head);
	return status;
}

#define FIRST "POST /v1 HTTP/1.1\r\nHost: a\r\n"

struct verdict {
	const char *text;
	int status;
};

static const struct verdict verdicts[] = {
	{FIRST "\r\n", 0},
	{FIRST "Content-Length: 0\r\n\r\n", 0},
	{FIRST "Transfer-Encoding: chunked\r\n\r\n", 0},
	{FIRST "Transfer-Encoding: CHUNKED\r\n\r\n", 0},
	{FIRST "X:\r\nY: \t\r\n\r\n", 0},
	{FIRST "X: \xc3\xa9\r\n\r\n", 0},
	{"GET / HTTP/1.0\r\n\r\n", 0},
	{"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},

	/* two readers, two ends */
	{FIRST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{FIRST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
	{FIRST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
	{FIRST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", 400},
	{FIRST "Content-Length: 5, 5\r\n\r\n", 400},
	{FIRST "Content-Length: +5\r\n\r\n", 400},
	{FIRST "Content-Length: -5\r\n\r\n", 400},
	{FIRST "Content-Length: 05\r\n\r\n", 400},
	{FIRST "Content-Length: 0x5\r\n\r\n", 400},
	{FIRST "Content-Length: 5 \r\n\r\n", 0},
	{FIRST "Content-Length: 5 6\r\n\r\n", 400},
	{FIRST "Content-Length:\r\n\r\n", 400},
	{FIRST "Content-Length: 9999999999999999999\r\n\r\n", 400},
	{FIRST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{FIRST "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
	{FIRST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
	{FIRST "Transfer-Encoding: xchunked\r\n\r\n", 501},
	{FIRST "Transfer-Encoding: \x0b"
	       "chunked\r\n\r\n",
		400},
	{FIRST "Transfer-Encoding : chunked\r\n\r\n", 400},
	{FIRST "Transfer-Encoding\r\n: chunked\r\n\r\n", 400},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},

	/* lines */
	{"GET / HTTP/1.1\nHost: a\n\n", 400},
	{"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n", 400},
	{FIRST "X: a\r\n b\r\n\r\n", 400},
	{FIRST "X: a\r\n\tb\r\n\r\n", 400},
	{FIRST "X: \x01\r\n\r\n", 400},
	{FIRST "X: \x7f\r\n\r\n", 400},
	{FIRST ": a\r\n\r\n", 400},
	{FIRST "X\r\n\r\n", 400},
	{FIRST "X Y: a\r\n\r\n", 400},
	{FIRST "X\xc3: a\r\n\r\n", 400},
	{"\r\n" FIRST "\r\n", 400},
	{"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},

	/* the first line */
	{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 505},
	{"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{" / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /\r\nHost: a\r\n\r\n", 400},
	{"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
	{"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
	{"PRI * HTTP/2.0\r\n\r\n", 400},
	{"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n", 400},

	/* fields that must be one */
	{"GET / HTTP/1.1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: u@b\r\n\r\n", 400},
	{FIRST "Content-Type: a\r\nContent-Type: b\r\n\r\n", 400},
	{FIRST "Authorization: a\r\nAuthorization: b\r\n\r\n", 400},
	{FIRST "Pm-Model: a\r\nX: b\r\npm-model: a\r\n\r\n", 400},
	{FIRST "Privatemode-Secret-ID: a\r\nprivatemode-secret-id: a\r\n\r\n", 400},
	{FIRST "Accept: a\r\nAccept: b\r\n\r\n", 0},
	{FIRST "Expect: 100-continue\r\n\r\n", 0},
	{FIRST "Expect: 200-maybe\r\n\r\n", 417},
	{"GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 417},
};

START_TEST(test_verdict)
{
	const struct verdict *v = &verdicts[_i];
	int status = status_of(v->text, strlen(v->text));

	ck_assert_msg(status == v->status, "%d, expected %d: %s", status, v->status, v->text);
}
END_TEST

/* A literal has its NULs behind its end only. */
START_TEST(test_nul)
{
	static const char in_value[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
	static const char in_name[] = "GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n";
	static const char in_target[] = "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char before[] = "GET / HTTP/1.1\r\n\0Host: a\r\n\r\n";

	ck_assert_int_eq(status_of(in_value, sizeof(in_value) - 1), 400);
	ck_assert_int_eq(status_of(in_name, sizeof(in_name) - 1), 400);
	ck_assert_int_eq(status_of(in_target, sizeof(in_target) - 1), 400);
	ck_assert_int_eq(status_of(before, sizeof(before) - 1), 400);
}
END_TEST

START_TEST(test_request)
{
	static const char text[] = "POST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n"
				   "X-Long:  a b \t\r\nConnection: a, Close\r\n\r\n";
	struct http_request request;
	char *head;

	ck_assert_int_eq(parse(text, sizeof(text) - 1, &request, &head), 0);
	ck_assert_str_eq(request.method, "POST");
	ck_assert_str_eq(request.target, "/v1/x?y=1");
	ck_assert_int_eq(request.content_length, 12);
	ck_assert_uint_eq(request.field_count, 4);
	ck_assert_str_eq(http_request_field(&request, "x-long"), "a b");
	ck_assert_ptr_null(http_request_field(&request, "X-Long"));
	ck_assert(!request.keep_alive && !request.chunked && !request.expects_continue);
	free(head);
}
END_TEST

static int status_of_fields(size_t count)
{
	char text[HTTP_HEAD_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");

	for (size_t i = 1; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "X%zu: y\r\n", i);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
	return status_of(text, len);
}

static int status_of_target(size_t target)
{
	char text[HTTP_HEAD_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "GET /");

	memset(text + len, 'a', target - 1);
	len += target - 1;
	len += (size_t)snprintf(text + len, sizeof(text) - len, " HTTP/1.1\r\nHost: a\r\n\r\n");
	return status_of(text, len);
}

static int status_of_name(size_t name)
{
	char text[HTTP_HEAD_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");

	memset(text + len, 'a', name);
	len += name;
	len += (size_t)snprintf(text + len, sizeof(text) - len, ": y\r\n\r\n");
	return status_of(text, len);
}

START_TEST(test_limits)
{
	ck_assert_int_eq(status_of_fields(HTTP_FIELDS_MAX), 0);
	ck_assert_int_eq(status_of_fields(HTTP_FIELDS_MAX + 1), 431);
	ck_assert_int_eq(status_of_target(HTTP_TARGET_MAX), 0);
	ck_assert_int_eq(status_of_target(HTTP_TARGET_MAX + 1), 414);
	ck_assert_int_eq(status_of_name(HTTP_NAME_MAX), 0);
	ck_assert_int_eq(status_of_name(HTTP_NAME_MAX + 1), 400);
}
END_TEST

/* --- chunks ---------------------------------------------------------------------------------- */

struct body {
	int end;
	size_t used;
	char text[64];
};

static struct body unchunk(const char *text, size_t piece)
{
	struct http_chunked c = {0};
	struct body b = {0};
	size_t len = strlen(text), n = 0;

	while (b.end == 0 && b.used < len) {
		size_t left = len - b.used < piece ? len - b.used : piece, used, body_len;
		const char *body;

		b.end = http_chunked_take(&c, text + b.used, left, &used, &body, &body_len);
		if (b.end < 0)
			return b;
		ck_assert_uint_lt(n + body_len, sizeof(b.text));
		memcpy(b.text + n, body, body_len);
		n += body_len;
		b.used += used;
	}
	return b;
}

struct chunks {
	const char *text;
	int end;
	const char *body;
};

static const struct chunks chunk_cases[] = {
	{"5\r\nhello\r\n0\r\n\r\n", 1, "hello"},
	{"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", 1, "abc"},
	{"0000000A\r\n0123456789\r\n0\r\n\r\n", 1, "0123456789"},
	{"a\r\n0123456789\r\n00\r\n\r\n", 1, "0123456789"},
	{"0\r\n\r\nGET", 1, ""},
	{"5\r\nhello\r\n0\r\n", 0, "hello"},
	{"5\r\nhel", 0, "hel"},
	{"", 0, ""},
	{"5\nhello\r\n0\r\n\r\n", -1, NULL},
	{"5\r\nhello\n0\r\n\r\n", -1, NULL},
	{"5\r\nhelloo\r\n0\r\n\r\n", -1, NULL},
	{"5 \r\nhello\r\n0\r\n\r\n", -1, NULL},
	{" 5\r\nhello\r\n0\r\n\r\n", -1, NULL},
	{"+5\r\nhello\r\n0\r\n\r\n", -1, NULL},
	{"-1\r\n", -1, NULL},
	{"0x5\r\nhello\r\n0\r\n\r\n", -1, NULL},
	{"5;a=b\r\nhello\r\n0\r\n\r\n", -1, NULL},
	{"5\r\rhello\r\n", -1, NULL},
	{"\r\n0\r\n\r\n", -1, NULL},
	{"g\r\n", -1, NULL},
	{"000000005\r\nhello\r\n", -1, NULL},
	{"100000000\r\n", -1, NULL},
	{"0\r\nX: y\r\n\r\n", -1, NULL},
	{"0\r\n\n", -1, NULL},
	{"0\n\n", -1, NULL},
};

START_TEST(test_chunks)
{
	const struct chunks *c = &chunk_cases[_i];

	for (size_t piece = 1; piece <= 40; piece += 39) {
		struct body b = unchunk(c->text, piece);

		ck_assert_msg(b.end == c->end, "%d, expected %d: %s", b.end, c->end, c->text);
		if (c->body)
			ck_assert_str_eq(b.text, c->body);
	}
}
END_TEST

/* What follows belongs to the next request. */
START_TEST(test_chunks_leave_the_rest)
{
	ck_assert_uint_eq(unchunk("1\r\na\r\n0\r\n\r\nGET", 64).used, 11);
	ck_assert_uint_eq(unchunk("1\r\na\r\n0\r\n\r\nGET", 1).used, 11);
}
END_TEST

/* One that asked something before. */
static struct http_exchange asked(void)
{
	return (struct http_exchange){.id = "1"};
}

/* The list alone says it: nothing else of the server is looked at. */
START_TEST(who_is_idle_for_longest_makes_room)
{
	struct http_exchange a = asked(), b = asked(), c = asked();
	struct http_idle idle;

	http_idle_init(&idle);
	ck_assert_ptr_null(http_idle_oldest(&idle, 0, true));
	http_idle_join(&idle, &a, 10);
	http_idle_join(&idle, &b, 20);
	http_idle_join(&idle, &c, 30);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 30, false), &a);
	http_idle_leave(&idle, &b);
	http_idle_leave(&idle, &b);
	http_idle_leave(&idle, &a);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 30, false), &c);
	http_idle_join(&idle, &a, 40);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 40, false), &c);
	http_idle_leave(&idle, &c);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 40, false), &a);
	http_idle_leave(&idle, &a);
	ck_assert_ptr_null(http_idle_oldest(&idle, 40, true));
}
END_TEST

/* About to ask something: only when there is no other way they go, and the oldest first. */
START_TEST(who_has_just_come_is_left_alone)
{
	struct http_exchange a = {0}, b = {0}, c = asked();
	struct http_idle idle;

	http_idle_init(&idle);
	http_idle_join(&idle, &a, 10);
	http_idle_join(&idle, &b, 20);
	ck_assert_ptr_null(http_idle_oldest(&idle, 1009, false));
	ck_assert_ptr_eq(http_idle_oldest(&idle, 1009, true), &a);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 1010, false), &a);
	http_idle_join(&idle, &c, 30);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 1009, false), &c);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 1010, false), &a);
	http_idle_leave(&idle, &a);
	http_idle_leave(&idle, &b);
	ck_assert_ptr_eq(http_idle_oldest(&idle, 1010, true), &c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");

	tcase_add_loop_test(tcase, test_verdict, 0, PM_ARRAY_LEN(verdicts));
	tcase_add_test(tcase, test_nul);
	tcase_add_test(tcase, test_request);
	tcase_add_test(tcase, test_limits);
	tcase_add_loop_test(tcase, test_chunks, 0, PM_ARRAY_LEN(chunk_cases));
	tcase_add_test(tcase, test_chunks_leave_the_rest);
	tcase_add_test(tcase, who_is_idle_for_longest_makes_room);
	tcase_add_test(tcase, who_has_just_come_is_left_alone);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
