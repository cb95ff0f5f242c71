/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed exchanges without memory, and that a frame allocates none once the buffers have grown. */
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/exchange.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "envelope/oae.h"
#include "testing.h"

#define NOW INT64_C(1772323200)

PM_OWNER(pm_exchange_client, pm_exchange_client_free);
PM_OWNER(pm_exchange_worker, pm_exchange_worker_free);
PM_OWNER(pm_exchange_key, pm_exchange_key_free);
PM_OWNER(pm_sealed_scan, pm_sealed_scan_free);

static const uint8_t secret[PM_SEALED_SECRET_SIZE] = {1};
static const struct pm_sealed_field field = {"accept", "*/*"};
static const struct pm_sealed_request request = {.method = "GET",
	.path = "/v1/models",
	.content_type = "",
	.fields = &field,
	.field_count = 1,
	.issued_at = NOW};
static const struct pm_sealed_response response = {.status = 200, .content_type = "text/plain"};

static uint8_t wire[8192];
static size_t wire_len;

static void keep(const uint8_t *bytes, size_t len)
{
	pm_copy(wire + wire_len, bytes, len);
	wire_len += len;
}

/* Takes what is on the wire; counts the events of the type wanted. */
static int work(struct pm_exchange_worker *w, enum pm_exchange_type want, int *ret_count)
{
	struct pm_exchange_event e;
	size_t at = 0, used;

	do {
		int r = pm_exchange_worker_receive(
			w, wire + at, wire_len - at, NOW, NULL, &used, &e);

		if (r < 0)
			return r;
		at += used;
		*ret_count += e.type == want;
	} while (e.type != PM_EXCHANGE_MORE);
	wire_len = 0;
	return PM_OK;
}

static int receive(struct pm_exchange_client *c, enum pm_exchange_type want, int *ret_count)
{
	struct pm_exchange_event e;
	size_t at = 0, used;

	do {
		int r = pm_exchange_client_receive(c, wire + at, wire_len - at, NULL, &used, &e);

		if (r < 0)
			return r;
		at += used;
		*ret_count += e.type == want;
	} while (e.type != PM_EXCHANGE_MORE);
	wire_len = 0;
	return PM_OK;
}

static int new_key(struct pm_exchange_key **ret)
{
	pm_cleanup(pm_exchange_key) struct pm_exchange_key *key = NULL;
	int r = pm_exchange_key_new("id", secret, &key);

	if (r < 0)
		return r;
	r = pm_exchange_key_serve(key, 16, 60, NOW - 100);
	if (r < 0)
		return r;
	*ret = pm_steal(key);
	return PM_OK;
}

static int ask(struct pm_exchange_key *key, struct pm_exchange_client **ret)
{
	const uint8_t *p;
	size_t n;
	int r = pm_exchange_client_new(key, "m", NULL, 64, ret);

	wire_len = 0;
	if (r < 0)
		return r;
	r = pm_exchange_client_send_head(*ret, &request, 1, NULL, &p, &n);
	if (r == PM_OK)
		keep(p, n);
	return r;
}

/* The worker that has taken the request, with the response's head on the wire. */
static int answer(struct pm_exchange_key *key, struct pm_exchange_worker **ret)
{
	const uint8_t *p;
	size_t n;
	int heads = 0, r = pm_exchange_worker_new(key, "m", NULL, 64, ret);

	if (r < 0)
		return r;
	r = work(*ret, PM_EXCHANGE_HEAD, &heads);
	if (r < 0)
		return r;
	if (heads != 1)
		return ALLOC_WRONG;
	r = pm_exchange_worker_send_head(*ret, &response, 0, NULL, &p, &n);
	if (r == PM_OK)
		keep(p, n);
	return r;
}

static int send_event(struct pm_exchange_worker *w, int final)
{
	const uint8_t *p;
	size_t n;
	int r = pm_exchange_worker_send_body(w, secret, sizeof(secret), final, &p, &n);

	if (r == PM_OK)
		keep(p, n);
	return r;
}

static int exchange(void)
{
	pm_cleanup(pm_exchange_key) struct pm_exchange_key *key = NULL;
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = NULL;
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = NULL;
	int ends = 0, r = new_key(&key);

	if (r == PM_OK)
		r = ask(key, &c);
	if (r == PM_OK)
		r = answer(key, &w);
	if (r == PM_OK)
		r = send_event(w, 1);
	if (r == PM_OK)
		r = pm_exchange_client_begin(c, 200, PM_SEALED_CONTENT_TYPE, NULL);
	if (r == PM_OK)
		r = receive(c, PM_EXCHANGE_END, &ends);
	if (r < 0)
		return r;
	return ends == 1 && pm_exchange_client_end(c, NULL) == PM_OK ? PM_OK : ALLOC_WRONG;
}

static int scan(void)
{
	static const uint8_t bytes[PM_SEALED_HEADER_SIZE + 4 + PM_SEALED_MESSAGE_MIN] = {
		[PM_SEALED_HEADER_SIZE + 3] = PM_SEALED_MESSAGE_MIN, 1};
	pm_cleanup(pm_sealed_scan) struct pm_sealed_scan *s = NULL;
	struct pm_sealed_frame frame;
	size_t used;
	int r = pm_sealed_scan_new(&s);

	if (r < 0)
		return r;
	r = pm_sealed_scan_next(s, bytes, sizeof(bytes), NULL, &used, &frame);
	if (r < 0)
		return r;
	return pm_sealed_scan_end(s, NULL) == PM_OK ? PM_OK : ALLOC_WRONG;
}

/* A response whose key could not be made must not be tried again with the same header. */
static int respond(void)
{
	static const uint8_t header[PM_OAE_HEADER_SIZE];
	pm_cleanup(oae) struct pm_oae oae = {0};
	int r = pm_oae_request(&oae, secret, header);

	if (r < 0)
		return r;
	r = pm_oae_response(&oae, header);
	if (pm_oae_response(&oae, header) != PM_E_STATE)
		return ALLOC_WRONG;
	return r;
}

START_TEST(exchange_without_memory)
{
	ck_pm(pm_crypto_init(), PM_OK);
	ck_assert_uint_ge(alloc_walk("sealed exchange", exchange, ALLOC_LOSSY), 12);
	ck_assert_uint_ge(alloc_walk("pm_sealed_scan", scan, ALLOC_NOMEM), 2);
	ck_assert_uint_ge(alloc_walk("pm_oae_response", respond, ALLOC_LOSSY), 4);
}
END_TEST

static struct pm_exchange_client *client;
static struct pm_exchange_worker *worker;

/* One event from worker to client, in two pieces. */
static int event(void)
{
	size_t len;
	int bodies = 0, r = send_event(worker, 0);

	if (r < 0)
		return r;
	len = wire_len;
	wire_len = 20;
	r = receive(client, PM_EXCHANGE_BODY, &bodies);
	if (r < 0)
		return r;
	memmove(wire, wire + 20, len - 20);
	wire_len = len - 20;
	r = receive(client, PM_EXCHANGE_BODY, &bodies);
	return r < 0 ? r : bodies == 1 ? PM_OK : ALLOC_WRONG;
}

START_TEST(frames_allocate_nothing)
{
	pm_cleanup(pm_exchange_key) struct pm_exchange_key *key = NULL;

	ck_pm(new_key(&key), PM_OK);
	ck_pm(ask(key, &client), PM_OK);
	ck_pm(answer(key, &worker), PM_OK);
	ck_pm(pm_exchange_client_begin(client, 200, PM_SEALED_CONTENT_TYPE, NULL), PM_OK);
	ck_assert_uint_eq(alloc_walk("an event", event, ALLOC_NOMEM), 0);
	pm_exchange_client_free(client);
	pm_exchange_worker_free(worker);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("exchange_alloc");
	TCase *t = tcase_create("exchange_alloc");

	tcase_set_timeout(t, 100);
	tcase_add_test(t, exchange_without_memory);
	tcase_add_test(t, frames_allocate_nothing);
	suite_add_tcase(s, t);
	return test_main(s);
}
