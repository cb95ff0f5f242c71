/* SPDX-License-Identifier: Apache-2.0 */
/* One thing from a service: who is asked, how often, how long we wait, what the answers mean. */
#include <stdio.h>
#include <stdlib.h>

#include "base/report.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "net/client.h"
#include "net/http.h"
#include "net/token.h"

/* First wait when the service does not say how long; doubled each time. AMD's answers one VCEK
 * request in ten seconds. */
#define BACK_OFF_MS	2000
#define BACK_OFF_MAX_MS 32000

struct fetch {
	const struct pm_net_client *net;
	const struct pm_net_item *item;
	struct pm_report *report;
	int64_t deadline; /* in ticks */
	unsigned int rounds;
	/* Of the round: the wait that the first server asks for of those worth another question. */
	bool again;
	int64_t retry_after;
};

struct answer {
	uint8_t *bytes;
	size_t len;
};

static inline void pm_cleanup_answer(struct answer *answer)
{
	free(answer->bytes);
}

static int64_t left_ms(const struct fetch *f)
{
	return f->deadline - f->net->clock.ticks_ms(f->net->clock.arg);
}

/* --- one server ------------------------------------------------------------------------------ */

static int send_request(struct fetch *f, const struct pm_net_server *server, const char *url,
	int64_t ms, struct pm_http_response *ret)
{
	pm_cleanup(secret) struct pm_secret token = {0};
	struct pm_http_request request = {
		.url = url,
		.ca_file = f->net->ca_file,
		.post = f->item->post,
		.content_type = f->item->content_type,
		.body_max = f->item->kind->body_max,
		.connect_ms = f->net->connect_ms,
		.total_ms = ms,
	};
	int r = server->token_file ? pm_token_read(server->token_file, f->report, &token) : PM_OK;

	if (r < 0)
		return r;
	request.token = pm_view(token.ptr, token.len);
	pm_net_log(f->net, "asking %s", url);
	return pm_http_ask(&request, ret);
}

static bool is_worth_another(int r, const struct pm_http_response *response)
{
	if (r == PM_E_NET)
		return response->broken_off;
	return r == PM_OK && (response->status == 429 || response->status / 100 == 5);
}

static void note_wait(struct fetch *f, const struct pm_http_response *response)
{
	if (response->status)
		pm_net_log(f->net, "%s answered %ld", f->item->service->name, response->status);
	else
		pm_net_log(f->net, "%s: %s", f->item->service->name, response->error);
	if (f->again)
		return;
	f->again = true;
	f->retry_after = response->retry_after;
}

static int fail_status(
	const struct fetch *f, const char *url, const struct pm_http_response *response)
{
	int error = response->status == 404 ? PM_E_MISSING : PM_E_NET;
	char times[32] = "";

	if (f->rounds > 1)
		snprintf(times, sizeof(times), " (%u times)", f->rounds);
	return pm_fail(f->report, error, f->item->kind->check, "HTTP 200", "HTTP %ld%s from %s",
		response->status, times, url);
}

static int unwrap(const struct fetch *f, struct pm_http_response *response, struct answer *ret)
{
	const struct pm_net_kind *kind = f->item->kind;

	if (kind->unwrap)
		return kind->unwrap(f->item, pm_view(response->body, response->len), f->report,
			&ret->bytes, &ret->len);
	ret->bytes = pm_steal(response->body);
	ret->len = response->len;
	return PM_OK;
}

static int judge(const struct fetch *f, int r, const char *url, struct pm_http_response *response,
	struct answer *ret)
{
	pm_cleanup(answer) struct answer answer = {0};

	if (r == PM_E_NOMEM || (r < 0 && !response->error[0]))
		return r;
	if (r < 0)
		return pm_fail(f->report, r, f->item->kind->check, "an answer", "%s (%s)",
			response->error, url);
	if (response->status != 200)
		return fail_status(f, url, response);
	r = unwrap(f, response, &answer);
	if (r == PM_OK)
		r = f->item->kind->check_bytes(
			f->item, pm_view(answer.bytes, answer.len), f->report);
	if (r < 0)
		return r;
	*ret = answer;
	answer.bytes = NULL;
	return PM_OK;
}

static int ask(struct fetch *f, const struct pm_net_server *server, int64_t ms, struct answer *ret)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	char url[PM_NET_URL_MAX + PM_NET_PATH_SIZE];
	int r;

	snprintf(url, sizeof(url), "%s%s", server->url, f->item->path);
	r = send_request(f, server, url, ms, &response);
	if (is_worth_another(r, &response))
		note_wait(f, &response);
	return judge(f, r, url, &response, ret);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* Each server once, in equal parts of the time. What the first one fails for is the reason. */
static int ask_all(struct fetch *f, struct answer *ret)
{
	const struct pm_net_service *service = f->item->service;
	int first = PM_E_NET;

	f->rounds++;
	f->again = false;
	if (f->report)
		pm_report_reset(f->report);
	for (size_t i = 0; i < service->count; i++) {
		int64_t ms = left_ms(f) / (int64_t)(service->count - i);
		int r = ask(f, &service->servers[i], ms, ret);

		if (r == PM_OK || r == PM_E_NOMEM)
			return r;
		if (i == 0)
			first = r;
	}
	return first;
}

/* Milliseconds: what the server asks for, else ever longer, and not in step with other clients. */
static int64_t choose_wait(const struct fetch *f)
{
	int64_t wait = BACK_OFF_MS;
	uint32_t random;

	if (f->retry_after > 0)
		return f->retry_after <= PM_NET_TIMEOUT_MAX_MS / 1000 ? f->retry_after * 1000
								      : PM_NET_TIMEOUT_MAX_MS;
	for (unsigned int i = 1; i < f->rounds && wait < BACK_OFF_MAX_MS; i++)
		wait *= 2;
	pm_random(&random, sizeof(random));
	return wait + random % (wait / 2);
}

/* False when the time of the call does not reach so far: then it makes no sense to wait at all. */
static bool wait_for_another(struct fetch *f)
{
	int64_t wait = choose_wait(f);

	if (f->rounds >= f->net->attempts || wait >= left_ms(f))
		return false;
	pm_net_log(f->net, "waiting %ld s", (long)((wait + 999) / 1000));
	f->net->clock.sleep_ms(f->net->clock.arg, wait);
	return left_ms(f) > 0;
}

int pm_net_download(const struct pm_net_client *net, const struct pm_net_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len)
{
	struct fetch f = {.net = net, .item = item, .report = report};
	struct answer answer = {0};
	int r;

	f.deadline = net->clock.ticks_ms(net->clock.arg) + net->total_ms;
	do
		r = ask_all(&f, &answer);
	while (r < 0 && r != PM_E_NOMEM && f.again && wait_for_another(&f));
	if (r < 0)
		return r;
	*ret = answer.bytes;
	*ret_len = answer.len;
	return PM_OK;
}
