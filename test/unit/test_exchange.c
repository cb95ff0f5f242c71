/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a worker against each other, and everybody who may stand in between. */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/exchange.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "testing.h"

#define NOW    INT64_C(1772323200)
#define WINDOW 60
#define MODEL  "a/model"
#define SHARD  "0011-abc"

PM_OWNER(pm_exchange_client, pm_exchange_client_free);
PM_OWNER(pm_exchange_worker, pm_exchange_worker_free);

static const uint8_t secret[PM_SEALED_SECRET_SIZE] = {1, 2, 3};
static struct pm_exchange_key *key;

static void make_key(void)
{
	ck_pm(pm_exchange_key_new("the id", secret, &key), PM_OK);
	ck_pm(pm_exchange_key_serve(key, 1000, WINDOW, NOW - 1000), PM_OK);
}

static void free_key(void)
{
	pm_exchange_key_free(key);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* A body under way. */
struct wire {
	uint8_t bytes[400000];
	size_t len;
	size_t frames[64]; /* where each begins */
	size_t frame_count;
};

static struct wire request, response, other;

static void put(struct wire *w, const uint8_t *bytes, size_t len)
{
	ck_assert_uint_le(w->len + len, sizeof(w->bytes));
	pm_copy(w->bytes + w->len, bytes, len);
	w->len += len;
}

/* Finds the frames. */
static void index_frames(struct wire *w)
{
	size_t at = PM_SEALED_HEADER_SIZE;

	for (w->frame_count = 0; at < w->len; w->frame_count++) {
		const uint8_t *p = w->bytes + at;

		w->frames[w->frame_count] = at;
		at += 4 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
	}
	w->frames[w->frame_count] = w->len;
	ck_assert_uint_eq(at, w->len);
}

static size_t frame_size(const struct wire *w, size_t i)
{
	return w->frames[i + 1] - w->frames[i];
}

/* --- making exchanges ------------------------------------------------------------------------ */

static const struct pm_sealed_field fields[] = {{"x-request", "r"}, {"accept", "*/*"}};
static const struct pm_sealed_request request_head = {.method = "POST",
	.path = "/v1/chat/completions",
	.content_type = "application/json",
	.fields = fields,
	.field_count = 2,
	.issued_at = NOW};
static const struct pm_sealed_response response_head = {
	.status = 200, .content_type = "text/event-stream"};
static const char *const events[] = {"data: a\n\n", "data: bb\n\n", "", "data: [DONE]\n\n"};
#define BODY "{\"model\":\"a/model\"}"

static struct pm_exchange_client *new_client(uint32_t bucket)
{
	struct pm_exchange_client *c = NULL;

	ck_pm(pm_exchange_client_new(key, MODEL, SHARD, bucket, &c), PM_OK);
	return c;
}

static struct pm_exchange_worker *new_worker(uint32_t bucket)
{
	struct pm_exchange_worker *w = NULL;

	ck_pm(pm_exchange_worker_new(key, MODEL, SHARD, bucket, &w), PM_OK);
	return w;
}

static void send_request(struct pm_exchange_client *c, struct wire *w)
{
	const uint8_t *p;
	size_t n;

	w->len = 0;
	ck_pm(pm_exchange_client_send_head(c, &request_head, 0, NULL, &p, &n), PM_OK);
	put(w, p, n);
	ck_pm(pm_exchange_client_send_body(c, (const uint8_t *)BODY, strlen(BODY), 1, &p, &n),
		PM_OK);
	put(w, p, n);
	index_frames(w);
}

static void send_response(struct pm_exchange_worker *worker, struct wire *w)
{
	const uint8_t *p;
	size_t n;

	w->len = 0;
	ck_pm(pm_exchange_worker_send_head(worker, &response_head, 0, NULL, &p, &n), PM_OK);
	put(w, p, n);
	for (size_t i = 0; i < PM_ARRAY_LEN(events); i++) {
		ck_pm(pm_exchange_worker_send_body(worker, (const uint8_t *)events[i],
			      strlen(events[i]), i + 1 == PM_ARRAY_LEN(events), &p, &n),
			PM_OK);
		put(w, p, n);
	}
	index_frames(w);
}

/* --- taking exchanges ------------------------------------------------------------------------ */

/* What came out of one direction. */
struct taken {
	int heads, bodies, ends;
	char body[200000];
	size_t len;
	char path[64], type[64];
	int status;
};

static struct taken taken;

static void note(const struct pm_exchange_event *e)
{
	taken.heads += e->type == PM_EXCHANGE_HEAD;
	taken.bodies += e->type == PM_EXCHANGE_BODY;
	taken.ends += e->type == PM_EXCHANGE_END;
	if (e->request) {
		ck_assert_int_eq(e->type, PM_EXCHANGE_HEAD);
		strcpy(taken.path, e->request->path);
		strcpy(taken.type, e->request->content_type);
	}
	if (e->response) {
		ck_assert_int_eq(e->type, PM_EXCHANGE_HEAD);
		taken.status = e->response->status;
		strcpy(taken.type, e->response->content_type);
	}
	if (e->type == PM_EXCHANGE_BODY) {
		ck_assert(taken.heads == 1 && taken.ends == 0 && e->body_len);
		ck_assert_uint_le(taken.len + e->body_len, sizeof(taken.body));
		pm_copy(taken.body + taken.len, e->body, e->body_len);
		taken.len += e->body_len;
	}
}

/* One of the two ends. */
struct end {
	struct pm_exchange_client *client;
	struct pm_exchange_worker *worker;
	int64_t now;
};

static int take(
	struct end *end, const uint8_t *p, size_t n, size_t *used, struct pm_exchange_event *e)
{
	if (end->client)
		return pm_exchange_client_receive(end->client, p, n, NULL, used, e);
	return pm_exchange_worker_receive(end->worker, p, n, end->now, NULL, used, e);
}

static int take_piece(struct end *end, const uint8_t *p, size_t n)
{
	struct pm_exchange_event e;
	size_t used;

	do {
		int r = take(end, p, n, &used, &e);

		if (r < 0)
			return r;
		note(&e);
		p += used;
		n -= used;
	} while (e.type != PM_EXCHANGE_MORE);
	ck_assert_uint_eq(n, 0);
	return PM_OK;
}

static int finish(const struct end *end)
{
	return end->client ? pm_exchange_client_end(end->client, NULL)
			   : pm_exchange_worker_end(end->worker, NULL);
}

/* In pieces of random sizes up to max; then the end of the body. */
static int take_all(struct end *end, const struct wire *w, size_t max)
{
	size_t at = 0;
	int r = PM_OK;

	memset(&taken, 0, sizeof(taken));
	while (r == PM_OK && at < w->len) {
		size_t n = 1 + (size_t)random() % max;

		n = n < w->len - at ? n : w->len - at;
		r = take_piece(end, w->bytes + at, n);
		at += n;
	}
	ck_assert_int_eq(finish(end) == PM_OK, r == PM_OK && taken.ends == 1);
	return r < 0 ? r : finish(end);
}

static int work(struct pm_exchange_worker *w, const struct wire *wire)
{
	return take_all(&(struct end){.worker = w, .now = NOW}, wire, 4096);
}

static int work_new(const struct wire *wire)
{
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0);

	return work(w, wire);
}

static int receive(struct pm_exchange_client *c, const struct wire *wire)
{
	ck_pm(pm_exchange_client_begin(c, 200, PM_SEALED_CONTENT_TYPE, NULL), PM_OK);
	return take_all(&(struct end){.client = c}, wire, 4096);
}

/* A whole exchange up to the response, which is on the wire. */
static struct pm_exchange_client *asked(struct wire *answer)
{
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0);
	struct pm_exchange_client *c = new_client(0);

	send_request(c, &request);
	ck_pm(work(w, &request), PM_OK);
	send_response(w, answer);
	return c;
}

/* --- it works -------------------------------------------------------------------------------- */

/* The chunking changes nothing, with and without padding. */
START_TEST(any_chunking)
{
	static const size_t sizes[] = {1, 2, 5, 40, 1000, 400000};
	static const uint32_t buckets[] = {0, 16, 256, 65536};
	size_t max = sizes[_i % PM_ARRAY_LEN(sizes)];
	uint32_t bucket = buckets[(size_t)_i / PM_ARRAY_LEN(sizes) % PM_ARRAY_LEN(buckets)];
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(bucket);
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(bucket);

	srandom((unsigned int)_i);
	send_request(c, &request);
	ck_pm(take_all(&(struct end){.worker = w, .now = NOW}, &request, max), PM_OK);
	ck_assert_str_eq(taken.path, "/v1/chat/completions");
	ck_assert_str_eq(taken.type, "application/json");
	ck_assert(pm_view_equal(pm_view(taken.body, taken.len), VIEW(BODY)));
	send_response(w, &response);
	ck_pm(pm_exchange_client_begin(c, 200, PM_SEALED_CONTENT_TYPE, NULL), PM_OK);
	ck_pm(take_all(&(struct end){.client = c}, &response, max), PM_OK);
	ck_assert_int_eq(taken.status, 200);
	ck_assert_str_eq(taken.type, "text/event-stream");
	ck_assert_int_eq(taken.bodies, 3); /* an event each, the empty one makes none */
	ck_assert(pm_view_equal(
		pm_view(taken.body, taken.len), VIEW("data: a\n\ndata: bb\n\ndata: [DONE]\n\n")));
}
END_TEST

START_TEST(large_bodies)
{
	static const size_t sizes[] = {0, 1, PM_SEALED_CONTENT_MAX - 1, PM_SEALED_CONTENT_MAX,
		PM_SEALED_CONTENT_MAX + 1, 2 * PM_SEALED_CONTENT_MAX, 150000};
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0);
	size_t len = sizes[_i], n;
	uint8_t *body = malloc(len + 1);
	const uint8_t *p;

	pm_random(body, len);
	request.len = 0;
	ck_pm(pm_exchange_client_send_head(c, &request_head, 0, NULL, &p, &n), PM_OK);
	put(&request, p, n);
	ck_pm(pm_exchange_client_send_body(c, body, len, 1, &p, &n), PM_OK);
	put(&request, p, n);
	index_frames(&request);
	ck_pm(take_all(&(struct end){.worker = w, .now = NOW}, &request, 100000), PM_OK);
	ck_assert(pm_view_equal(pm_view(taken.body, taken.len), pm_view(body, len)));
	free(body);
}
END_TEST

START_TEST(no_body)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0);
	const uint8_t *p;
	size_t n;

	request.len = 0;
	ck_pm(pm_exchange_client_send_head(c, &request_head, 1, NULL, &p, &n), PM_OK);
	put(&request, p, n);
	ck_pm(pm_exchange_client_send_body(c, p, 0, 1, &p, &n), PM_E_STATE);
	ck_pm(work(w, &request), PM_OK);
	ck_assert(taken.heads == 1 && taken.bodies == 0 && taken.ends == 1);
}
END_TEST

/* No part of what was sealed can be seen, and with padding no length either. */
START_TEST(nothing_shows)
{
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(256);
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *d = new_client(256);

	pm_exchange_client_free(asked(&response));
	ck_assert_ptr_null(memmem(request.bytes, request.len, "chat", 4));
	ck_assert_ptr_null(memmem(request.bytes, request.len, "model", 5));
	ck_assert_ptr_null(memmem(response.bytes, response.len, "data", 4));
	send_request(d, &request);
	ck_pm(work(w, &request), PM_OK);
	send_response(w, &response);
	for (size_t i = 0; i < response.frame_count; i++)
		ck_assert_uint_eq(frame_size(&response, i), PM_SEALED_FRAME_OVERHEAD + 256);
}
END_TEST

START_TEST(order_of_calls)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0),
								 *unproved = new_worker(0);
	struct pm_exchange_event e;
	const uint8_t *p;
	size_t n;

	ck_pm(pm_exchange_client_send_body(c, secret, 1, 0, &p, &n), PM_E_STATE);
	ck_pm(pm_exchange_client_begin(c, 200, PM_SEALED_CONTENT_TYPE, NULL), PM_E_STATE);
	ck_pm(pm_exchange_client_receive(c, secret, 1, NULL, &n, &e), PM_E_STATE);
	ck_pm(pm_exchange_worker_send_head(w, &response_head, 0, NULL, &p, &n), PM_E_STATE);
	ck_pm(pm_exchange_worker_send_body(w, secret, 1, 0, &p, &n), PM_E_STATE);
	send_request(c, &request);
	ck_pm(take_piece(&(struct end){.worker = unproved, .now = NOW}, request.bytes, 40), PM_OK);
	ck_pm(pm_exchange_worker_send_head(unproved, &response_head, 0, NULL, &p, &n), PM_E_STATE);
	ck_pm(pm_exchange_client_send_head(c, &request_head, 0, NULL, &p, &n), PM_E_STATE);
	ck_pm(pm_exchange_client_end(c, NULL), PM_E_MISSING);
	ck_pm(work(w, &request), PM_OK);
	ck_pm(pm_exchange_worker_send_body(w, secret, 1, 0, &p, &n), PM_E_STATE);
	send_response(w, &response);
	ck_pm(pm_exchange_worker_send_head(w, &response_head, 0, NULL, &p, &n), PM_E_STATE);
	ck_pm(pm_exchange_worker_send_body(w, secret, 1, 0, &p, &n), PM_E_STATE);
	ck_pm(receive(c, &response), PM_OK);
	ck_pm(pm_exchange_client_begin(c, 200, PM_SEALED_CONTENT_TYPE, NULL), PM_E_STATE);
}
END_TEST

/* A head that breaks the rules leaves the exchange as it was. */
START_TEST(bad_head_is_not_sent)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);
	struct pm_sealed_request bad = request_head;
	const uint8_t *p;
	size_t n;

	bad.path = "no slash";
	ck_pm(pm_exchange_client_send_head(c, &bad, 0, NULL, &p, &n), PM_E_FORMAT);
	send_request(c, &request);
	ck_pm(work_new(&request), PM_OK);
}
END_TEST

START_TEST(arguments)
{
	struct pm_exchange_key *k = NULL;
	struct pm_exchange_client *c = NULL;
	struct pm_exchange_worker *w = NULL;
	char text[PM_SEALED_MODEL_MAX + 2] = {0};

	memset(text, 'x', sizeof(text) - 1);
	ck_pm(pm_exchange_key_new("", secret, &k), PM_E_ARG);
	ck_pm(pm_exchange_key_new(text, secret, &k), PM_E_LIMIT);
	ck_pm(pm_exchange_client_new(key, text, NULL, 0, &c), PM_E_LIMIT);
	ck_pm(pm_exchange_client_new(key, MODEL, NULL, 100, &c), PM_E_ARG);
	ck_pm(pm_exchange_worker_new(key, MODEL, NULL, 100, &w), PM_E_ARG);
	ck_pm(pm_exchange_key_serve(key, 10, 10, NOW), PM_E_STATE);
	ck_pm(pm_exchange_key_new("i", secret, &k), PM_OK);
	ck_pm(pm_exchange_worker_new(k, MODEL, NULL, 0, &w), PM_E_STATE);
	ck_pm(pm_exchange_key_serve(k, 0, 10, NOW), PM_E_ARG);
	pm_exchange_key_free(k);
	pm_exchange_key_free(NULL);
	pm_exchange_client_free(NULL);
	pm_exchange_worker_free(NULL);
}
END_TEST

/* --- attacks on the request ------------------------------------------------------------------ */

START_TEST(request_cut_short)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);

	send_request(c, &request);
	for (size_t n = 0; n < request.len; n++) {
		pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0);
		struct wire cut = request;

		/* The head is admitted once: afterwards it is a replay. */
		cut.len = n;
		ck_assert_int_ne(work(w, &cut), PM_OK);
	}
}
END_TEST

START_TEST(request_replayed)
{
	pm_exchange_client_free(asked(&response));

	ck_pm(work_new(&request), PM_E_REJECTED);
	/* also when another body follows the head */
	request.bytes[request.len - 1] ^= 1;
	ck_pm(work_new(&request), PM_E_REJECTED);
	ck_assert_int_eq(taken.heads, 0);
}
END_TEST

START_TEST(request_of_another_time)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = new_worker(0),
								 *v = new_worker(0);

	send_request(c, &request);
	ck_pm(take_all(&(struct end){.worker = w, .now = NOW + WINDOW + 1}, &request, 4096),
		PM_E_STALE);
	ck_assert_int_eq(taken.heads, 0);
	ck_pm(take_all(&(struct end){.worker = v, .now = NOW - PM_EXCHANGE_SKEW - 1}, &request,
		      4096),
		PM_E_STALE);
}
END_TEST

START_TEST(cache_is_full)
{
	struct pm_exchange_key *saved = key;
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = NULL, *d = NULL;

	ck_pm(pm_exchange_key_new("the id", secret, &key), PM_OK);
	ck_pm(pm_exchange_key_serve(key, 1, WINDOW, NOW - 1000), PM_OK);
	c = new_client(0);
	d = new_client(0);
	send_request(c, &request);
	ck_pm(work_new(&request), PM_OK);
	send_request(d, &other);
	ck_pm(work_new(&other), PM_E_LIMIT);
	ck_assert_int_eq(taken.heads, 0);
	ck_pm(work_new(&request), PM_E_REJECTED);
	pm_exchange_key_free(key);
	key = saved;
}
END_TEST

/* Who has no key can't use the cache up. */
START_TEST(junk_is_not_remembered)
{
	struct pm_exchange_key *saved = key;
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = NULL;

	ck_pm(pm_exchange_key_new("the id", secret, &key), PM_OK);
	ck_pm(pm_exchange_key_serve(key, 1, WINDOW, NOW - 1000), PM_OK);
	c = new_client(0);
	send_request(c, &request);
	for (int i = 0; i < 20; i++) {
		other = request;
		pm_random(other.bytes, PM_SEALED_HEADER_SIZE);
		ck_pm(work_new(&other), PM_E_REJECTED);
	}
	ck_pm(work_new(&request), PM_OK);
	pm_exchange_key_free(key);
	key = saved;
}
END_TEST

static int work_as(const char *id, const char *model, const char *shard)
{
	struct pm_exchange_key *k = NULL;
	struct pm_exchange_worker *w = NULL;
	int r;

	ck_pm(pm_exchange_key_new(id, secret, &k), PM_OK);
	ck_pm(pm_exchange_key_serve(k, 10, WINDOW, NOW - 1000), PM_OK);
	ck_pm(pm_exchange_worker_new(k, model, shard, 0, &w), PM_OK);
	pm_exchange_key_free(k); /* the exchange goes on */
	r = work(w, &request);
	pm_exchange_worker_free(w);
	return r;
}

/* A changed outer field: another key. */
START_TEST(header_swaps)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);

	send_request(c, &request);
	ck_pm(work_as("the id", "b/model", SHARD), PM_E_REJECTED);
	ck_pm(work_as("the id", MODEL, "0011-abd"), PM_E_REJECTED);
	ck_pm(work_as("the id", MODEL, NULL), PM_E_REJECTED);
	ck_pm(work_as("the ie", MODEL, SHARD), PM_E_REJECTED);
	/* and no text can move into its neighbour */
	ck_pm(work_as("the id", MODEL SHARD, ""), PM_E_REJECTED);
	ck_pm(work_as("the ida", "/model", SHARD), PM_E_REJECTED);
	ck_pm(work_as("the id", MODEL, SHARD), PM_OK);
}
END_TEST

START_TEST(wrong_secret)
{
	static const uint8_t wrong[PM_SEALED_SECRET_SIZE] = {1, 2, 4};
	struct pm_exchange_key *saved = key;
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);

	send_request(c, &request);
	ck_pm(pm_exchange_key_new("the id", wrong, &key), PM_OK);
	ck_pm(pm_exchange_key_serve(key, 10, WINDOW, NOW - 1000), PM_OK);
	ck_pm(work_new(&request), PM_E_REJECTED);
	pm_exchange_key_free(key);
	key = saved;
}
END_TEST

/* Each byte of a request counts. */
START_TEST(request_flipped)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = new_client(0);

	send_request(c, &request);
	for (size_t i = 0; i < request.len; i++) {
		request.bytes[i] ^= 0x80;
		ck_assert_int_ne(work_new(&request), PM_OK);
		request.bytes[i] ^= 0x80;
	}
}
END_TEST

/* --- attacks on the response ----------------------------------------------------------------- */

START_TEST(response_cut_short)
{
	for (size_t drop = 1; drop <= 5; drop++) {
		pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

		response.len = response.frames[response.frame_count - drop];
		ck_pm(receive(c, &response), PM_E_MISSING);
		ck_assert_int_eq(taken.ends, 0);
	}
}
END_TEST

START_TEST(response_cut_within_a_frame)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	response.len--;
	ck_pm(receive(c, &response), PM_E_MISSING);
	ck_assert_int_eq(taken.ends, 0);
}
END_TEST

/* The marker can't be forged on an earlier frame. */
START_TEST(response_ended_early)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	response.bytes[response.frames[2] + 4] = 1;
	response.len = response.frames[3];
	ck_pm(receive(c, &response), PM_E_REJECTED);
	ck_assert_int_eq(taken.ends, 0);
}
END_TEST

START_TEST(bytes_after_the_end)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	put(&response, (const uint8_t *)"x", 1);
	ck_pm(receive(c, &response), PM_E_FORMAT);
	ck_pm(pm_exchange_client_end(c, NULL), PM_E_FORMAT);
}
END_TEST

START_TEST(request_reflected)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	ck_pm(receive(c, &request), PM_E_REJECTED);
	ck_assert_int_eq(taken.heads, 0);
}
END_TEST

/* The request's frames behind the response's header. */
START_TEST(frames_reflected)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	pm_copy(request.bytes, response.bytes, PM_SEALED_HEADER_SIZE);
	ck_pm(receive(c, &request), PM_E_REJECTED);
}
END_TEST

/* Two runs of the same prompt: no frame of one fits into the other. */
START_TEST(responses_spliced)
{
	for (size_t i = 0; i < 5; i++) {
		pm_cleanup(pm_exchange_client) struct pm_exchange_client *b = asked(&response);

		pm_exchange_client_free(asked(&other));
		ck_assert_uint_eq(frame_size(&other, i), frame_size(&response, i));
		pm_copy(response.bytes + response.frames[i], other.bytes + other.frames[i],
			frame_size(&other, i));
		ck_pm(receive(b, &response), PM_E_REJECTED);
		ck_assert_int_eq(taken.ends, 0);
	}
}
END_TEST

START_TEST(response_of_another_request)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *b = asked(&response);

	pm_exchange_client_free(asked(&other));
	ck_pm(receive(b, &other), PM_E_REJECTED);
	ck_assert_int_eq(taken.heads, 0);
}
END_TEST

START_TEST(frames_reordered)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);
	size_t a = frame_size(&response, 1), b = frame_size(&response, 2), at;

	other = response;
	at = other.frames[1];
	pm_copy(other.bytes + at, response.bytes + response.frames[2], b);
	pm_copy(other.bytes + at + b, response.bytes + response.frames[1], a);
	ck_pm(receive(c, &other), PM_E_REJECTED);
	ck_assert_int_eq(taken.bodies, 0);
}
END_TEST

START_TEST(frame_dropped)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	other = response;
	other.len = other.frames[1];
	put(&other, response.bytes + response.frames[2], response.len - response.frames[2]);
	ck_pm(receive(c, &other), PM_E_REJECTED);
}
END_TEST

START_TEST(frame_repeated)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	other = response;
	other.len = other.frames[2];
	put(&other, response.bytes + response.frames[1], response.len - response.frames[1]);
	ck_pm(receive(c, &other), PM_E_REJECTED);
}
END_TEST

/* Whoever stands in between may say that there was an error. It is not the worker's word. */
START_TEST(forged_plain_errors)
{
	static const struct {
		int status, want;
		const char *type;
	} rows[] = {
		{500, PM_E_NET, "application/json"},
		{503, PM_E_NET, NULL},
		{401, PM_E_NET, PM_SEALED_CONTENT_TYPE},
		{200, PM_E_REJECTED, "application/json"},
		{200, PM_E_REJECTED, "text/event-stream"},
		{200, PM_E_REJECTED, NULL},
		{200, PM_E_REJECTED, PM_SEALED_CONTENT_TYPE "x"},
		{201, PM_E_REJECTED, PM_SEALED_CONTENT_TYPE},
		{302, PM_E_REJECTED, PM_SEALED_CONTENT_TYPE},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);
		struct end end = {.client = c};

		ck_pm(pm_exchange_client_begin(c, rows[i].status, rows[i].type, NULL),
			rows[i].want);
		/* and no body is taken after that, not even a true one */
		ck_pm(take_all(&end, &response, 4096), rows[i].want);
		ck_assert_int_eq(taken.heads, 0);
	}
}
END_TEST

START_TEST(plain_body_behind_the_right_type)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

	response.len = 0;
	put(&response,
		(const uint8_t *)"{\"error\":{\"message\":\"no such model, ask elsewhere\"}}", 52);
	ck_assert_int_ne(receive(c, &response), PM_OK);
	ck_assert_int_eq(taken.heads, 0);
}
END_TEST

START_TEST(response_flipped)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *first = asked(&response);
	size_t len = response.len;

	(void)first;
	for (size_t i = 0; i < len; i += 3) {
		pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);

		response.bytes[i] ^= 0x20;
		ck_assert_int_ne(receive(c, &response), PM_OK);
		ck_assert_int_eq(taken.ends, 0);
	}
}
END_TEST

/* The first error stays, and its reason says where. */
START_TEST(errors_stay)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = asked(&response);
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	struct pm_exchange_event e;
	size_t used, bad = response.frames[1];

	ck_pm(pm_exchange_client_begin(c, 200, PM_SEALED_CONTENT_TYPE, report), PM_OK);
	ck_pm(pm_exchange_client_receive(c, response.bytes, bad, report, &used, &e), PM_OK);
	ck_assert_int_eq(e.type, PM_EXCHANGE_HEAD);
	response.bytes[bad + 30] ^= 1;
	ck_pm(pm_exchange_client_receive(
		      c, response.bytes + bad, response.len - bad, report, &used, &e),
		PM_E_REJECTED);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "message 1"));
	response.bytes[bad + 30] ^= 1;
	ck_pm(pm_exchange_client_receive(
		      c, response.bytes + bad, response.len - bad, report, &used, &e),
		PM_E_REJECTED);
	ck_pm(pm_exchange_client_end(c, report), PM_E_REJECTED);
}
END_TEST

static void add_attacks(TCase *t)
{
	tcase_add_test(t, request_cut_short);
	tcase_add_test(t, request_replayed);
	tcase_add_test(t, request_of_another_time);
	tcase_add_test(t, cache_is_full);
	tcase_add_test(t, junk_is_not_remembered);
	tcase_add_test(t, header_swaps);
	tcase_add_test(t, wrong_secret);
	tcase_add_test(t, request_flipped);
	tcase_add_test(t, response_cut_short);
	tcase_add_test(t, response_cut_within_a_frame);
	tcase_add_test(t, response_ended_early);
	tcase_add_test(t, bytes_after_the_end);
	tcase_add_test(t, request_reflected);
	tcase_add_test(t, frames_reflected);
	tcase_add_test(t, responses_spliced);
	tcase_add_test(t, response_of_another_request);
	tcase_add_test(t, frames_reordered);
	tcase_add_test(t, frame_dropped);
	tcase_add_test(t, frame_repeated);
	tcase_add_test(t, forged_plain_errors);
	tcase_add_test(t, plain_body_behind_the_right_type);
	tcase_add_test(t, response_flipped);
	tcase_add_test(t, errors_stay);
}

int main(void)
{
	Suite *s = suite_create("exchange");
	TCase *t = tcase_create("exchange");

	tcase_add_checked_fixture(t, make_key, free_key);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, any_chunking, 0, 48);
	tcase_add_loop_test(t, large_bodies, 0, 7);
	tcase_add_test(t, no_body);
	tcase_add_test(t, nothing_shows);
	tcase_add_test(t, order_of_calls);
	tcase_add_test(t, bad_head_is_not_sent);
	tcase_add_test(t, arguments);
	add_attacks(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
