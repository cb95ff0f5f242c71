/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever edits a sealed request is found out. The input is a list of edits of five bytes: what,
 * where (16 bits), how much (16 bits). A request that comes out as it was is accepted, any other is
 * not, and nobody is told an end.
 */
#include <string.h>

#include <pm/exchange.h>

#include "base/rd.h"

#include "fuzz.h"

static const uint8_t secret[PM_SEALED_SECRET_SIZE] = {1};
static const struct pm_sealed_request head = {.method = "POST",
	.path = "/v1/completions",
	.content_type = "text/plain",
	.issued_at = FUZZ_NOW};

struct wire {
	uint8_t bytes[2048];
	size_t len;
};

static void put(struct wire *w, const uint8_t *bytes, size_t len)
{
	FUZZ_CHECK(w->len + len <= sizeof(w->bytes));
	pm_copy(w->bytes + w->len, bytes, len);
	w->len += len;
}

static struct wire make(struct pm_exchange_key *key)
{
	struct pm_exchange_client *c = NULL;
	struct wire w = {0};
	const uint8_t *p;
	size_t n;

	FUZZ_CHECK(pm_exchange_client_new(key, "m", "", 0, &c) == PM_OK);
	FUZZ_CHECK(pm_exchange_client_send_head(c, &head, 0, NULL, &p, &n) == PM_OK);
	put(&w, p, n);
	for (int i = 0; i < 4; i++) {
		FUZZ_CHECK(pm_exchange_client_send_body(c, secret, 8, i == 3, &p, &n) == PM_OK);
		put(&w, p, n);
	}
	pm_exchange_client_free(c);
	return w;
}

static void edit(struct wire *w, unsigned int what, size_t at, size_t n)
{
	struct wire old = *w;

	at = at % (w->len + 1);
	n = n % (w->len - at + 1);
	w->len = at;
	switch (what % 4) {
	case 0: /* flip a bit */
		w->len = old.len;
		if (at < old.len)
			w->bytes[at] ^= (uint8_t)(1 << n % 8);
		break;
	case 1: /* drop */
		put(w, old.bytes + at + n, old.len - at - n);
		break;
	case 2: /* repeat */
		if (old.len + n > sizeof(w->bytes))
			n = 0;
		put(w, old.bytes + at, n);
		put(w, old.bytes + at, old.len - at);
		break;
	default: /* cut */
		break;
	}
}

static int take(
	struct pm_exchange_worker *worker, const struct wire *w, size_t piece, int *ret_ends)
{
	struct pm_exchange_event e = {0};
	size_t at = 0, used;

	while (at < w->len || e.type != PM_EXCHANGE_MORE) {
		size_t n = w->len - at < piece ? w->len - at : piece;
		int r = pm_exchange_worker_receive(
			worker, w->bytes + at, n, FUZZ_NOW, NULL, &used, &e);

		if (r < 0)
			return r;
		FUZZ_CHECK(used <= n);
		at += used;
		*ret_ends += e.type == PM_EXCHANGE_END;
		if (e.type == PM_EXCHANGE_BODY)
			fuzz_touch(pm_view(e.body, e.body_len));
	}
	return pm_exchange_worker_end(worker, NULL);
}

static void run(struct pm_exchange_key *key, const uint8_t *data, size_t size)
{
	struct pm_rd rd = pm_rd(pm_view(data, size));
	size_t piece = pm_rd_u8(&rd) + 1u;
	struct wire sent = make(key), got = sent;
	struct pm_exchange_worker *worker = NULL;
	int ends = 0, r;
	bool same;

	while (pm_rd_ok(&rd) && rd.left >= 5) {
		unsigned int what = pm_rd_u8(&rd);
		size_t at = pm_rd_be16(&rd);

		edit(&got, what, at, pm_rd_be16(&rd));
	}
	same = pm_view_equal(pm_view(sent.bytes, sent.len), pm_view(got.bytes, got.len));
	FUZZ_CHECK(pm_exchange_worker_new(key, "m", NULL, 0, &worker) == PM_OK);
	r = take(worker, &got, piece, &ends);
	FUZZ_CHECK((r == PM_OK) == same);
	/* Bytes behind a whole request are refused when they come: its end may have been told. */
	FUZZ_CHECK(ends == same || got.len > sent.len);
	pm_exchange_worker_free(worker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_exchange_key *key = NULL;

	FUZZ_CHECK(pm_exchange_key_new("id", secret, &key) == PM_OK);
	FUZZ_CHECK(pm_exchange_key_serve(key, 1, 60, FUZZ_NOW - 100) == PM_OK);
	run(key, data, size);
	pm_exchange_key_free(key);
	return 0;
}
