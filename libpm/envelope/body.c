/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/body.h"

#include <stdlib.h>

#include "base/report.h"
#include "envelope/json_body.h"
#include "envelope/json_set.h"
#include "envelope/usage.h"

static bool is_cipher(const struct pm_body_cipher *cipher)
{
	return cipher->room && cipher->apply;
}

static bool is_known(enum pm_endpoint endpoint, enum pm_body_side side, enum pm_body_way way)
{
	return endpoint >= PM_ENDPOINT_CHAT && endpoint <= PM_ENDPOINT_HEALTH &&
	       (side == PM_BODY_REQUEST || side == PM_BODY_RESPONSE) &&
	       (way == PM_BODY_SEAL || way == PM_BODY_OPEN);
}

int pm_body_new(enum pm_endpoint endpoint, enum pm_body_side side, enum pm_body_way way,
	const struct pm_body_cipher *cipher, struct pm_body **ret_body)
{
	struct pm_body *body;

	if (!is_known(endpoint, side, way) || !is_cipher(cipher))
		return PM_E_ARG;
	body = pm_alloc(sizeof(*body));
	if (!body)
		return PM_E_NOMEM;
	body->endpoint = endpoint;
	body->side = side;
	body->way = way;
	body->cipher = *cipher;
	*ret_body = body;
	return PM_OK;
}

void pm_body_free(struct pm_body *body)
{
	if (!body)
		return;
	pm_json_free(&body->json);
	pm_json_free(&body->value);
	pm_grow_free(&body->items);
	pm_grow_free(&body->order);
	pm_grow_free(&body->work);
	pm_grow_free(&body->out);
	pm_grow_free(&body->line);
	pm_grow_free(&body->data);
	free(body);
}

int pm_body_reset(struct pm_body *body, const struct pm_body_cipher *cipher)
{
	if (!is_cipher(cipher))
		return PM_E_ARG;
	body->cipher = *cipher;
	body->failed = 0;
	body->done = false;
	body->usage = (struct pm_usage){0};
	pm_grow_wipe(&body->work);
	pm_grow_wipe(&body->out);
	pm_grow_wipe(&body->line);
	pm_grow_wipe(&body->data);
	return PM_OK;
}

void pm_body_ask_usage(struct pm_body *body)
{
	body->asks_usage = body->side == PM_BODY_REQUEST && body->way == PM_BODY_OPEN;
}

void pm_body_forbid_cache(struct pm_body *body)
{
	body->forbids_cache = body->side == PM_BODY_REQUEST && body->way == PM_BODY_OPEN;
}

void pm_body_keep_files(struct pm_body *body)
{
	body->keeps_files = body->side == PM_BODY_REQUEST && body->way == PM_BODY_OPEN;
}

int pm_body_too_long(struct pm_report *report)
{
	return pm_fail(report, PM_E_LIMIT, "body", "a body within the limit", "more than %u bytes",
		PM_BODY_MAX);
}

int pm_body_apply(struct pm_body *body, struct pm_view in, struct pm_grow *grow, size_t *ret_len,
	struct pm_report *report)
{
	size_t room = body->cipher.room(body->cipher.arg, in.len), len;
	int r = pm_grow_room(grow, room);

	if (r < 0)
		return r;
	r = body->cipher.apply(
		body->cipher.arg, in.ptr, in.len, grow->ptr + grow->len, room, &len, report);
	if (r < 0)
		return r;
	if (len > room)
		return PM_E_ARG;
	grow->len += len;
	*ret_len = len;
	return PM_OK;
}

/* Chat and completions take stream_options. */
static bool asks_usage_in_json(const struct pm_body *body)
{
	return body->asks_usage &&
	       (body->endpoint == PM_ENDPOINT_CHAT || body->endpoint == PM_ENDPOINT_COMPLETIONS);
}

/* Those that a server answers out of a cache of prompts. */
static bool forbids_cache(const struct pm_body *body)
{
	return body->forbids_cache &&
	       (body->endpoint == PM_ENDPOINT_CHAT || body->endpoint == PM_ENDPOINT_COMPLETIONS ||
		       body->endpoint == PM_ENDPOINT_MESSAGES);
}

/*
 * The opened request that lies in out, which is empty then, for what is written anew. What work
 * held has been copied to out: the two change their places.
 */
static struct pm_view take_opened(struct pm_body *body)
{
	struct pm_grow opened = body->out;

	body->out = body->work;
	body->out.len = 0;
	body->work = opened;
	return pm_grow_view(&body->work);
}

static int ask_usage(struct pm_body *body, struct pm_report *report)
{
	int r = pm_usage_ask(&body->json, &body->value, take_opened(body), &body->out);

	if (r < 0)
		return pm_fail(report, r, "stream_options", "an object or null", "another value");
	return PM_OK;
}

/* llama.cpp's server heeds it. */
static int forbid_cache(struct pm_body *body)
{
	struct pm_view text = take_opened(body);
	int r = pm_json_scan(&body->json, text);

	if (r < 0)
		return r;
	if (body->json.type != PM_JSON_OBJECT)
		return pm_grow_add(&body->out, text);
	return pm_json_set(&body->json, text, "cache_prompt", pm_view("false", 5), &body->out);
}

static int transform_json(struct pm_body *body, struct pm_view text, struct pm_report *report)
{
	int r;

	body->out.len = 0;
	if (text.len == 0)
		return PM_OK;
	r = pm_json_scan(&body->json, text);
	if (r < 0)
		return pm_json_body_fail(body, r, report);
	r = pm_json_body_write(body, text, false, report);
	if (r < 0)
		return r;
	if (asks_usage_in_json(body))
		r = ask_usage(body, report);
	return r == PM_OK && forbids_cache(body) ? forbid_cache(body) : r;
}

int pm_body_json(struct pm_body *body, const void *in, size_t in_len, struct pm_report *report,
	const uint8_t **ret_out, size_t *ret_len)
{
	int r;

	if (body->failed)
		return PM_E_STATE;
	r = transform_json(body, pm_view(in, in_len), report);
	if (r < 0) {
		body->failed = r;
		return r;
	}
	*ret_out = body->out.ptr;
	*ret_len = body->out.len;
	return PM_OK;
}

int pm_body_raw(struct pm_body *body, const void *in, size_t in_len, struct pm_report *report,
	const uint8_t **ret_out, size_t *ret_len)
{
	size_t len;
	int r;

	if (body->failed)
		return PM_E_STATE;
	if (in_len > PM_BODY_MAX)
		return pm_body_too_long(report);
	body->out.len = 0;
	r = pm_body_apply(body, pm_view(in, in_len), &body->out, &len, report);
	if (r < 0) {
		body->failed = r;
		return r;
	}
	*ret_out = body->out.ptr;
	*ret_len = len;
	return PM_OK;
}

void pm_body_usage(const struct pm_body *body, struct pm_usage *ret_usage)
{
	*ret_usage = body->usage;
}
