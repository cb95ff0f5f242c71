/* SPDX-License-Identifier: Apache-2.0 */
/* One thing from the service: how often it is asked, how long we wait, what the answers mean. */
#include "net/kds.h"

#include <stdio.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "net/http.h"

/* First wait when the service does not say how long; doubled each time. It answers one VCEK request
 * in ten seconds. */
#define BACK_OFF_MS	2000
#define BACK_OFF_MAX_MS 32000

struct fetch {
	const struct pm_kds *kds;
	const struct pm_kds_item *item;
	struct pm_report *report;
	char url[PM_KDS_URL_MAX + PM_KDS_PATH_SIZE];
	int64_t deadline; /* in ticks */
	unsigned int attempts;
};

static int64_t ticks_ms(const struct fetch *f)
{
	return f->kds->clock.ticks_ms(f->kds->clock.arg);
}

static int ask(struct fetch *f, struct pm_http_response *ret)
{
	struct pm_http_request request = {
		.url = f->url,
		.ca_file = f->kds->ca_file,
		.body_max = f->item->max,
		.connect_ms = f->kds->connect_ms,
		.total_ms = f->deadline - ticks_ms(f),
	};

	f->attempts++;
	pm_kds_log(f->kds, "asking %s", f->url);
	return pm_http_get(&request, ret);
}

static bool is_worth_another(int r, const struct pm_http_response *response)
{
	if (r == PM_E_NET)
		return response->broken_off;
	return r == PM_OK && (response->status == 429 || response->status / 100 == 5);
}

/* Milliseconds: what the server asks for, else ever longer, and not in step with other clients. */
static int64_t choose_wait(const struct fetch *f, const struct pm_http_response *response)
{
	int64_t wait = BACK_OFF_MS;
	uint32_t random;

	if (response->retry_after > 0)
		return response->retry_after <= PM_KDS_TIMEOUT_MAX_MS / 1000
			       ? response->retry_after * 1000
			       : PM_KDS_TIMEOUT_MAX_MS;
	for (unsigned int i = 1; i < f->attempts && wait < BACK_OFF_MAX_MS; i++)
		wait *= 2;
	pm_random(&random, sizeof(random));
	return wait + random % (wait / 2);
}

/* False when the time of the call does not reach so far: then it makes no sense to wait at all. */
static bool wait_for_another(struct fetch *f, const struct pm_http_response *response)
{
	int64_t wait = choose_wait(f, response);

	if (f->attempts >= f->kds->attempts || wait >= f->deadline - ticks_ms(f))
		return false;
	if (response->status)
		pm_kds_log(f->kds, "KDS answered %ld; waiting %ld s", response->status,
			(long)((wait + 999) / 1000));
	else
		pm_kds_log(
			f->kds, "%s; waiting %ld s", response->error, (long)((wait + 999) / 1000));
	f->kds->clock.sleep_ms(f->kds->clock.arg, wait);
	return ticks_ms(f) < f->deadline;
}

static int fail_status(const struct fetch *f, const struct pm_http_response *response)
{
	int error = response->status == 404 ? PM_E_MISSING : PM_E_NET;
	char times[32] = "";

	if (f->attempts > 1)
		snprintf(times, sizeof(times), " (%u times)", f->attempts);
	return pm_fail(f->report, error, f->item->check, "HTTP 200", "HTTP %ld%s from %s",
		response->status, times, f->url);
}

static int judge(struct fetch *f, int r, struct pm_http_response *response)
{
	if (r == PM_E_NOMEM)
		return r;
	if (r < 0)
		return pm_fail(f->report, r, f->item->check, "an answer", "%s (%s)",
			response->error, f->url);
	if (response->status != 200)
		return fail_status(f, response);
	return pm_kds_check(f->item, pm_view(response->body, response->len), f->report);
}

int pm_kds_download(const struct pm_kds *kds, const struct pm_kds_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len)
{
	pm_cleanup(http_response) struct pm_http_response response = {0};
	struct fetch f = {.kds = kds, .item = item, .report = report};
	int r;

	snprintf(f.url, sizeof(f.url), "%s%s", kds->base_url, item->path);
	f.deadline = ticks_ms(&f) + kds->total_ms;
	do
		r = ask(&f, &response);
	while (is_worth_another(r, &response) && wait_for_another(&f, &response));
	r = judge(&f, r, &response);
	if (r < 0)
		return r;
	*ret_len = response.len;
	*ret = pm_steal(response.body);
	return PM_OK;
}
