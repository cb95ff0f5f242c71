/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "envelope/sealed.h"

/* --- the key --------------------------------------------------------------------------------- */

static void destroy_key(struct pm_shared *shared)
{
	/* The first member: the same address. */
	struct pm_exchange_key *key = (struct pm_exchange_key *)shared;

	pm_secret_free(&key->secret);
	pm_nonces_free(key->nonces);
	pm_replay_free(key->replay);
	free(key->id);
	free(key);
}

void pm_exchange_key_free(struct pm_exchange_key *key)
{
	if (key)
		pm_shared_unref(&key->shared);
}
PM_OWNER(pm_exchange_key, pm_exchange_key_free);

static int fill_key(struct pm_exchange_key *key, struct pm_view id, const uint8_t *secret)
{
	int r = pm_secret_copy(&key->secret, pm_view(secret, PM_SEALED_SECRET_SIZE));

	if (r < 0)
		return r;
	key->id = pm_dup(id);
	if (!key->id)
		return PM_E_NOMEM;
	key->id_len = id.len;
	return pm_nonces_new(&key->nonces);
}

int pm_exchange_key_new(const char *id, const uint8_t *secret, struct pm_exchange_key **ret_key)
{
	pm_cleanup(pm_exchange_key) struct pm_exchange_key *key = NULL;
	size_t len = strlen(id);
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!len)
		return PM_E_ARG;
	if (len > PM_SEALED_ID_MAX)
		return PM_E_LIMIT;
	key = pm_alloc(sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	pm_shared_init(&key->shared, destroy_key);
	r = fill_key(key, pm_view(id, len), secret);
	if (r < 0)
		return r;
	*ret_key = pm_steal(key);
	return PM_OK;
}

int pm_exchange_key_serve(struct pm_exchange_key *key, size_t entries, uint32_t window, int64_t now)
{
	if (key->replay)
		return PM_E_STATE;
	return pm_replay_new(entries, window, now, &key->replay);
}

/* --- both ends ------------------------------------------------------------------------------- */

static struct pm_view text(const char *s)
{
	return s ? pm_view(s, strlen(s)) : (struct pm_view){0};
}

int pm_exchange_begin(struct pm_exchange *x, const struct pm_exchange_role *role,
	struct pm_exchange_key *key, const char *model, const char *shard_key, uint32_t bucket)
{
	int r;

	if (!pm_sealed_is_bucket(bucket))
		return PM_E_ARG;
	x->role = role;
	x->bucket = bucket;
	x->key = key;
	pm_shared_ref(&key->shared);
	r = pm_oae_begin(&x->oae, &x->secret);
	if (r < 0)
		return r;
	return pm_sealed_secret(&key->secret, pm_view(key->id, key->id_len), text(model),
		text(shard_key), x->secret);
}

void pm_exchange_end(struct pm_exchange *x)
{
	pm_exchange_key_free(x->key);
	pm_oae_end(&x->oae);
	pm_frames_free(&x->frames);
	pm_sealed_head_free(&x->head);
	pm_buffer_free(&x->out);
}

/* --- receiving ------------------------------------------------------------------------------- */

static int explain(struct pm_exchange *x, int error, struct pm_report *report)
{
	const char *wanted = "a message sealed for this exchange and place";

	if (error == PM_E_REJECTED)
		return pm_fail(report, error, "sealed.message", wanted, "message %llu is not",
			(unsigned long long)x->from->seq);
	return pm_fail(report, error, "sealed.message", wanted, "message %llu: %s",
		(unsigned long long)x->from->seq, pm_strerror(error));
}

/* The first content is the head, the others are body. An empty one makes no event. */
static int take_content(struct pm_exchange *x, struct pm_view content, struct pm_report *report,
	struct pm_exchange_event *ret)
{
	int r;

	if (x->has_head) {
		ret->type = content.len ? PM_EXCHANGE_BODY : PM_EXCHANGE_MORE;
		ret->body = content.len ? content.ptr : NULL;
		ret->body_len = content.len;
		return PM_OK;
	}
	r = x->role->take_head(x, content, report, ret);
	if (r < 0)
		return r;
	ret->type = PM_EXCHANGE_HEAD;
	x->has_head = true;
	return PM_OK;
}

static int take_message(struct pm_exchange *x, struct pm_view message, struct pm_report *report,
	struct pm_exchange_event *ret)
{
	uint8_t *plain = x->frames.buffer.ptr + PM_OAE_PREFIX_SIZE;
	struct pm_view content;
	bool final;
	int r = pm_oae_open(x->from, message, plain, &final);

	if (r < 0)
		return explain(x, r, report);
	r = pm_sealed_content(pm_view(plain, message.len - PM_OAE_OVERHEAD), report, &content);
	if (r < 0)
		return r;
	r = take_content(x, content, report, ret);
	if (r < 0)
		return r;
	x->end_due = final;
	return PM_OK;
}

static int take_unit(struct pm_exchange *x, enum pm_unit unit, struct pm_view bytes,
	struct pm_report *report, struct pm_exchange_event *ret)
{
	int r;

	if (unit == PM_UNIT_MESSAGE)
		return take_message(x, bytes, report, ret);
	r = x->role->take_header(x, bytes.ptr);
	return r < 0 ? pm_fail(report, r, "sealed.header", "keys", "%s", pm_strerror(r)) : PM_OK;
}

/* Nothing more will come: what the last frames held is wiped, while the other direction goes on. */
static struct pm_exchange_event tell_end(struct pm_exchange *x)
{
	x->end_due = false;
	pm_frames_free(&x->frames);
	return (struct pm_exchange_event){.type = PM_EXCHANGE_END};
}

static int receive(struct pm_exchange *x, struct pm_view bytes, struct pm_report *report,
	size_t *ret_used, struct pm_exchange_event *ret)
{
	struct pm_view left = bytes, whole = {0};
	enum pm_unit unit = PM_UNIT_HEADER;
	size_t used;
	int r = PM_OK;

	if (x->from->final && !x->end_due && bytes.len)
		return pm_fail(report, PM_E_FORMAT, "sealed.end", "nothing after the final frame",
			"%zu bytes", bytes.len);
	while (!x->end_due && ret->type == PM_EXCHANGE_MORE && !x->from->final) {
		r = pm_frames_next(&x->frames, left, report, &used, &unit, &whole);
		if (r < 0)
			return r;
		left = pm_view(left.ptr ? left.ptr + used : NULL, left.len - used);
		if (!whole.len)
			break;
		r = take_unit(x, unit, whole, report, ret);
		if (r < 0)
			return r;
	}
	if (x->end_due && ret->type == PM_EXCHANGE_MORE)
		*ret = tell_end(x);
	*ret_used = bytes.len - left.len;
	return PM_OK;
}

int pm_exchange_receive(struct pm_exchange *x, struct pm_view bytes, struct pm_report *report,
	size_t *ret_used, struct pm_exchange_event *ret_event)
{
	struct pm_exchange_event event = {.type = PM_EXCHANGE_MORE};

	if (!x->error)
		x->error = receive(x, bytes, report, ret_used, &event);
	if (!x->error)
		*ret_event = event;
	return x->error;
}

int pm_exchange_finish(const struct pm_exchange *x, struct pm_report *report)
{
	if (x->error)
		return x->error;
	if (!x->from->final || x->end_due)
		return pm_fail(report, PM_E_MISSING, "sealed.end", "a final frame", "%s",
			x->end_due ? "one that was not taken yet" : pm_frames_place(&x->frames));
	return PM_OK;
}

/* --- sending --------------------------------------------------------------------------------- */

int pm_exchange_send(struct pm_exchange *x, const uint8_t *header, struct pm_view content,
	bool final, const uint8_t **ret_bytes, size_t *ret_len)
{
	int r;

	x->out.len = 0;
	if (header) {
		r = pm_buffer_reserve(&x->out, PM_OAE_HEADER_SIZE);
		if (r < 0)
			return r;
		pm_copy(x->out.ptr, header, PM_OAE_HEADER_SIZE);
		x->out.len = PM_OAE_HEADER_SIZE;
	}
	r = pm_sealed_append(&x->out, x->to, x->key->nonces, x->bucket, content, final);
	if (r < 0)
		return r;
	*ret_bytes = x->out.ptr;
	*ret_len = x->out.len;
	return PM_OK;
}
