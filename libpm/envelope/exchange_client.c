/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "envelope/exchange.h"

struct pm_exchange_client {
	struct pm_exchange x;
	bool begun; /* the outer response was judged */
};
PM_OWNER(pm_exchange_client, pm_exchange_client_free);

static int take_header(struct pm_exchange *x, const uint8_t *header)
{
	return pm_oae_response(&x->oae, header);
}

static int take_head(struct pm_exchange *x, struct pm_view content, struct pm_report *report,
	struct pm_exchange_event *ret)
{
	int r = pm_sealed_response_decode(content, report, &x->head);

	ret->response = &x->head.response;
	return r;
}

static const struct pm_exchange_role role = {take_header, take_head};

int pm_exchange_client_new(struct pm_exchange_key *key, const char *model, const char *shard_key,
	uint32_t bucket, struct pm_exchange_client **ret_client)
{
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *c = pm_alloc(sizeof(*c));
	int r;

	if (!c)
		return PM_E_NOMEM;
	c->x.from = &c->x.oae.response;
	c->x.to = &c->x.oae.request;
	r = pm_exchange_begin(&c->x, &role, key, model, shard_key, bucket);
	if (r < 0)
		return r;
	pm_random(c->x.header, sizeof(c->x.header));
	r = pm_oae_request(&c->x.oae, c->x.secret, c->x.header);
	if (r < 0)
		return r;
	*ret_client = pm_steal(c);
	return PM_OK;
}

void pm_exchange_client_free(struct pm_exchange_client *client)
{
	if (!client)
		return;
	pm_exchange_end(&client->x);
	free(client);
}

static int send_head(struct pm_exchange *x, const struct pm_sealed_request *head, bool final,
	struct pm_report *report, uint8_t *content, const uint8_t **ret_bytes, size_t *ret_len)
{
	size_t len;
	int r = pm_sealed_request_encode(head, report, content, &len);

	return r < 0 ? r
		     : pm_exchange_send(
			       x, x->header, pm_view(content, len), final, ret_bytes, ret_len);
}

int pm_exchange_client_send_head(struct pm_exchange_client *client,
	const struct pm_sealed_request *head, int final, struct pm_report *report,
	const uint8_t **ret_bytes, size_t *ret_len)
{
	pm_cleanup(free) uint8_t *content = NULL;
	int r;

	if (client->x.sent_head)
		return PM_E_STATE;
	content = pm_alloc(PM_SEALED_CONTENT_MAX);
	if (!content)
		return PM_E_NOMEM;
	r = send_head(&client->x, head, final, report, content, ret_bytes, ret_len);
	pm_wipe(content, PM_SEALED_CONTENT_MAX);
	client->x.sent_head = r == PM_OK;
	return r;
}

int pm_exchange_client_send_body(struct pm_exchange_client *client, const uint8_t *body, size_t len,
	int final, const uint8_t **ret_bytes, size_t *ret_len)
{
	if (!client->x.sent_head)
		return PM_E_STATE;
	return pm_exchange_send(&client->x, NULL, pm_view(body, len), final, ret_bytes, ret_len);
}

/* Nothing of this was said by the worker. */
static int judge(int status, const char *content_type, struct pm_report *report)
{
	if (status >= 400)
		return pm_fail(
			report, PM_E_NET, "sealed.status", "200", "%d, unauthenticated", status);
	if (status != 200)
		return pm_fail(report, PM_E_REJECTED, "sealed.status", "200", "%d", status);
	if (!content_type || strcmp(content_type, PM_SEALED_CONTENT_TYPE) != 0)
		return pm_fail(report, PM_E_REJECTED, "sealed.content_type", PM_SEALED_CONTENT_TYPE,
			"%s", content_type ? content_type : "none");
	return PM_OK;
}

int pm_exchange_client_begin(struct pm_exchange_client *client, int status,
	const char *content_type, struct pm_report *report)
{
	if (!client->x.sent_head || client->begun)
		return PM_E_STATE;
	client->begun = true;
	client->x.error = judge(status, content_type, report);
	return client->x.error;
}

int pm_exchange_client_receive(struct pm_exchange_client *client, const uint8_t *bytes, size_t len,
	struct pm_report *report, size_t *ret_used, struct pm_exchange_event *ret_event)
{
	if (!client->begun)
		return PM_E_STATE;
	return pm_exchange_receive(&client->x, pm_view(bytes, len), report, ret_used, ret_event);
}

int pm_exchange_client_end(const struct pm_exchange_client *client, struct pm_report *report)
{
	return pm_exchange_finish(&client->x, report);
}
