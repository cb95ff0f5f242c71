/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/report.h"
#include "envelope/exchange.h"

struct pm_exchange_worker {
	struct pm_exchange x;
	uint8_t header[PM_OAE_HEADER_SIZE]; /* of the response */
};
PM_OWNER(pm_exchange_worker, pm_exchange_worker_free);

static int take_header(struct pm_exchange *x, const uint8_t *header)
{
	pm_copy(x->header, header, PM_OAE_HEADER_SIZE);
	return pm_oae_request(&x->oae, x->secret, x->header);
}

/*
 * A request is remembered when its first message has proved that the secret's owner made it: others
 * can't fill the cache.
 */
static int take_head(struct pm_exchange *x, struct pm_view content, struct pm_report *report,
	struct pm_exchange_event *ret)
{
	int r = pm_sealed_request_decode(content, report, &x->head);

	if (r < 0)
		return r;
	ret->request = &x->head.request;
	return pm_replay_admit(
		x->key->replay, x->header, x->head.request.issued_at, x->now, report);
}

static const struct pm_exchange_role role = {take_header, take_head};

int pm_exchange_worker_new(struct pm_exchange_key *key, const char *model, const char *shard_key,
	uint32_t bucket, struct pm_exchange_worker **ret_worker)
{
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *w = NULL;
	int r;

	if (!key->replay)
		return PM_E_STATE;
	w = pm_alloc(sizeof(*w));
	if (!w)
		return PM_E_NOMEM;
	w->x.from = &w->x.oae.request;
	w->x.to = &w->x.oae.response;
	r = pm_exchange_begin(&w->x, &role, key, model, shard_key, bucket);
	if (r < 0)
		return r;
	*ret_worker = pm_steal(w);
	return PM_OK;
}

void pm_exchange_worker_free(struct pm_exchange_worker *worker)
{
	if (!worker)
		return;
	pm_exchange_end(&worker->x);
	free(worker);
}

int pm_exchange_worker_receive(struct pm_exchange_worker *worker, const uint8_t *bytes, size_t len,
	int64_t now, struct pm_report *report, size_t *ret_used,
	struct pm_exchange_event *ret_event)
{
	worker->x.now = now;
	return pm_exchange_receive(&worker->x, pm_view(bytes, len), report, ret_used, ret_event);
}

int pm_exchange_worker_end(const struct pm_exchange_worker *worker, struct pm_report *report)
{
	return pm_exchange_finish(&worker->x, report);
}

/* The response's keys are made with its head. */
static int make_response(struct pm_exchange_worker *w)
{
	if (w->x.oae.response.aead)
		return PM_OK;
	pm_random(w->header, sizeof(w->header));
	return pm_oae_response(&w->x.oae, w->header);
}

static int send_head(struct pm_exchange_worker *w, const struct pm_sealed_response *head,
	bool final, struct pm_report *report, uint8_t *content, const uint8_t **ret_bytes,
	size_t *ret_len)
{
	size_t len;
	int r = pm_sealed_response_encode(head, report, content, &len);

	if (r < 0)
		return r;
	r = make_response(w);
	return r < 0 ? r
		     : pm_exchange_send(
			       &w->x, w->header, pm_view(content, len), final, ret_bytes, ret_len);
}

int pm_exchange_worker_send_head(struct pm_exchange_worker *worker,
	const struct pm_sealed_response *head, int final, struct pm_report *report,
	const uint8_t **ret_bytes, size_t *ret_len)
{
	pm_cleanup(free) uint8_t *content = NULL;
	int r;

	if (!worker->x.has_head || worker->x.sent_head)
		return PM_E_STATE;
	content = pm_alloc(PM_SEALED_CONTENT_MAX);
	if (!content)
		return PM_E_NOMEM;
	r = send_head(worker, head, final, report, content, ret_bytes, ret_len);
	pm_wipe(content, PM_SEALED_CONTENT_MAX);
	worker->x.sent_head = r == PM_OK;
	return r;
}

int pm_exchange_worker_send_body(struct pm_exchange_worker *worker, const uint8_t *body, size_t len,
	int final, const uint8_t **ret_bytes, size_t *ret_len)
{
	if (!worker->x.sent_head)
		return PM_E_STATE;
	return pm_exchange_send(&worker->x, NULL, pm_view(body, len), final, ret_bytes, ret_len);
}
