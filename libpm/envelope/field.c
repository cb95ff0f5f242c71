/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges of field messages: who may seal and open, in which order, under which number. */
#include <stdlib.h>

#include "base/hex_bulk.h"
#include "base/report.h"
#include "envelope/field.h"

/* Messages of a request that the first allocation remembers: more than most requests have. */
#define IVS_FIRST 32

static int exchange_new(
	enum pm_field_role role, struct pm_field_key *key, struct pm_field_exchange **ret)
{
	struct pm_field_exchange *exchange = pm_alloc(sizeof(*exchange));

	if (!exchange)
		return PM_E_NOMEM;
	exchange->role = role;
	exchange->key = key;
	pm_shared_ref(&key->shared);
	*ret = exchange;
	return PM_OK;
}

int pm_field_requester_new(struct pm_field_key *key, struct pm_field_exchange **ret_exchange)
{
	uint8_t nonce[PM_FIELD_NONCE_SIZE];
	struct pm_field_exchange *exchange;
	int r = exchange_new(PM_FIELD_REQUESTER, key, &exchange);

	if (r < 0)
		return r;
	pm_nonces_next(key->nonces, nonce);
	pm_field_head_init(&exchange->head, key, nonce);
	*ret_exchange = exchange;
	return PM_OK;
}

int pm_field_responder_new(struct pm_field_key *key, struct pm_field_exchange **ret_exchange)
{
	return exchange_new(PM_FIELD_RESPONDER, key, ret_exchange);
}

void pm_field_exchange_free(struct pm_field_exchange *exchange)
{
	if (!exchange)
		return;
	pm_field_key_free(exchange->key);
	free(exchange->ivs);
	free(exchange);
}

const uint8_t *pm_field_exchange_nonce(const struct pm_field_exchange *exchange)
{
	return exchange->head.len ? exchange->head.nonce : NULL;
}

size_t pm_field_exchange_sealed_size(const struct pm_field_exchange *exchange, size_t plain_len)
{
	return pm_field_sealed_size(exchange->key, plain_len);
}

/* Room to remember one more iv of ours. */
static int reserve_iv(struct pm_field_exchange *exchange)
{
	size_t cap = exchange->ivs_cap ? 2 * exchange->ivs_cap : IVS_FIRST;
	void *ivs;

	if (exchange->role != PM_FIELD_REQUESTER || exchange->sealed < exchange->ivs_cap)
		return PM_OK;
	if (cap > SIZE_MAX / sizeof(*exchange->ivs))
		return PM_E_NOMEM;
	ivs = realloc(exchange->ivs, cap * sizeof(*exchange->ivs));
	if (!ivs)
		return PM_E_NOMEM;
	exchange->ivs = ivs;
	exchange->ivs_cap = cap;
	return PM_OK;
}

/* A requester asks and then listens; a responder listens and then answers. */
static bool may_seal(const struct pm_field_exchange *exchange)
{
	return exchange->role == PM_FIELD_REQUESTER ? exchange->opened == 0 : exchange->opened > 0;
}

static bool may_open(const struct pm_field_exchange *exchange)
{
	return exchange->role == PM_FIELD_REQUESTER ? exchange->sealed > 0 : exchange->sealed == 0;
}

/* As pm_field_seal_at(), with the exchange's head. */
static int seal(struct pm_field_key *key, const struct pm_field_head *head, uint32_t seq,
	const uint8_t *iv, struct pm_view plain, struct pm_wr *ret)
{
	size_t len;
	int r;

	if (plain.len > PM_FIELD_PLAIN_MAX)
		return PM_E_LIMIT;
	len = pm_field_sealed_size(key, plain.len);
	if (ret->cap < len)
		return PM_E_LIMIT;
	r = pm_field_message_seal(key, head, seq, iv, plain, ret->ptr);
	if (r < 0)
		return r;
	ret->len = len;
	return PM_OK;
}

int pm_field_seal(struct pm_field_exchange *exchange, const uint8_t *plain, size_t plain_len,
	char *ret_message, size_t cap, size_t *ret_len)
{
	uint8_t iv[PM_FIELD_NONCE_SIZE];
	struct pm_wr out = pm_wr(ret_message, cap);
	int r;

	if (!may_seal(exchange))
		return PM_E_STATE;
	if (exchange->sealed > UINT32_MAX)
		return PM_E_LIMIT;
	r = reserve_iv(exchange);
	if (r < 0)
		return r;
	pm_nonces_next(exchange->key->nonces, iv);
	r = seal(exchange->key, &exchange->head, (uint32_t)exchange->sealed, iv,
		pm_view(plain, plain_len), &out);
	if (r < 0)
		return r;
	if (exchange->role == PM_FIELD_REQUESTER)
		pm_copy(exchange->ivs[exchange->sealed], iv, sizeof(iv));
	exchange->sealed++;
	*ret_len = out.len;
	return PM_OK;
}

/* The head that the next message must have; a responder takes it from the first message. */
static int expected_head(const struct pm_field_exchange *exchange,
	const struct pm_field_parts *parts, struct pm_field_head *ret, struct pm_report *report)
{
	uint8_t nonce[PM_FIELD_NONCE_SIZE];

	if (exchange->head.len) {
		*ret = exchange->head;
		return PM_OK;
	}
	if (!pm_hex_bulk_decode(parts->nonce.ptr, sizeof(nonce), nonce))
		return pm_fail(report, PM_E_FORMAT, "field.nonce", "lower-case hexadecimal",
			"another character");
	pm_field_head_init(ret, exchange->key, nonce);
	return PM_OK;
}

/* Did we send this message ourselves? Only one of the same number would decrypt. */
static int check_reflection(const struct pm_field_exchange *exchange,
	const struct pm_field_parts *parts, struct pm_report *report)
{
	uint8_t iv[PM_FIELD_NONCE_SIZE];

	if (exchange->role != PM_FIELD_REQUESTER || exchange->opened >= exchange->sealed)
		return PM_OK;
	if (!pm_hex_bulk_decode(parts->iv.ptr, sizeof(iv), iv))
		return pm_fail(report, PM_E_FORMAT, "field.iv", "lower-case hexadecimal",
			"another character");
	if (pm_ct_equal(iv, exchange->ivs[exchange->opened], sizeof(iv)))
		return pm_fail(report, PM_E_REJECTED, "field.iv", "a message of the other side",
			"our own, sent back");
	return PM_OK;
}

/* One message, in an order that is right; *ret_head is the exchange's. */
static int open_next(const struct pm_field_exchange *exchange, struct pm_view message,
	struct pm_wr *out, struct pm_field_head *ret_head, struct pm_report *report)
{
	struct pm_field_parts parts;
	int r = pm_field_parse(message, &exchange->head, &parts, report);

	if (r < 0)
		return r;
	r = check_reflection(exchange, &parts, report);
	if (r < 0)
		return r;
	r = expected_head(exchange, &parts, ret_head, report);
	if (r < 0)
		return r;
	return pm_field_message_open(
		exchange->key, ret_head, (uint32_t)exchange->opened, &parts, out, report);
}

/*
 * A responder answers each request once. It is remembered when its first message has proved that
 * the key's owner made it: others can't fill the set.
 */
static int admit(const struct pm_field_exchange *exchange, const struct pm_field_head *head,
	struct pm_report *report)
{
	int r;

	if (exchange->role != PM_FIELD_RESPONDER || exchange->opened || !exchange->key->requests)
		return PM_OK;
	r = pm_nonce_set_admit(exchange->key->requests, head->nonce);
	if (r == PM_E_REJECTED)
		return pm_fail(
			report, r, "field.replay", "a request seen first now", "one seen before");
	return r < 0 ? pm_fail(report, r, "field.replay", "room to remember the request", "none")
		     : PM_OK;
}

int pm_field_open(struct pm_field_exchange *exchange, const char *message, size_t message_len,
	uint8_t *ret_plain, size_t cap, size_t *ret_len, struct pm_report *report)
{
	struct pm_wr out = pm_wr(ret_plain, cap);
	struct pm_field_head head;
	int r;

	if (!may_open(exchange))
		return pm_fail(report, PM_E_STATE, "field.order", "request first, then response",
			"%s", exchange->role == PM_FIELD_REQUESTER ? "no request" : "a response");
	if (exchange->opened > UINT32_MAX)
		return pm_fail(report, PM_E_LIMIT, "field.seq", "at most 2^32 messages", "more");
	r = open_next(exchange, pm_view(message, message_len), &out, &head, report);
	if (r < 0)
		return r;
	r = admit(exchange, &head, report);
	if (r < 0) {
		pm_wipe(ret_plain, out.len);
		return r;
	}
	exchange->head = head;
	exchange->opened++;
	*ret_len = out.len;
	return PM_OK;
}

int pm_field_seal_at(struct pm_field_key *key, const uint8_t *nonce, uint32_t seq,
	const uint8_t *plain, size_t plain_len, char *ret_message, size_t cap, size_t *ret_len)
{
	struct pm_wr out = pm_wr(ret_message, cap);
	uint8_t iv[PM_FIELD_NONCE_SIZE];
	struct pm_field_head head;
	int r;

	pm_field_head_init(&head, key, nonce);
	pm_nonces_next(key->nonces, iv);
	r = seal(key, &head, seq, iv, pm_view(plain, plain_len), &out);
	if (r < 0)
		return r;
	*ret_len = out.len;
	return PM_OK;
}

int pm_field_open_at(const struct pm_field_key *key, const uint8_t *nonce, uint32_t seq,
	const char *message, size_t message_len, uint8_t *ret_plain, size_t cap, size_t *ret_len,
	struct pm_report *report)
{
	struct pm_wr out = pm_wr(ret_plain, cap);
	struct pm_field_parts parts;
	struct pm_field_head head;
	int r;

	pm_field_head_init(&head, key, nonce);
	r = pm_field_parse(pm_view(message, message_len), &head, &parts, report);
	if (r < 0)
		return r;
	r = pm_field_message_open(key, &head, seq, &parts, &out, report);
	if (r < 0)
		return r;
	*ret_len = out.len;
	return PM_OK;
}
