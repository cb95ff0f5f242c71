/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer of an OCSP responder must look like to be handed out and kept. */
#include <pm/ocsp.h>

#include "base/report.h"
#include "base/time.h"
#include "evidence/ocsp.h"
#include "evidence/ocsp_id.h"
#include "evidence/ocsp_response.h"
#include "net/gpu_fetch.h"

#define CHECK "ocsp.fetch"

static const struct pm_ocsp_single *find(
	const struct pm_ocsp_response *response, const struct pm_ocsp_own_id *id)
{
	for (size_t i = 0; i < response->single_count; i++) {
		if (pm_ocsp_id_equal(id, &response->singles[i].id))
			return &response->singles[i];
	}
	return NULL;
}

static int check_time(const struct pm_ocsp_single *single, int64_t now, struct pm_report *report)
{
	int64_t until = single->has_next_update ? single->next_update
						: single->this_update + PM_OCSP_NO_NEXT_UPDATE;

	if (single->this_update > now + PM_OCSP_CLOCK_SKEW)
		return pm_fail(report, PM_E_STALE, CHECK, pm_time(now).s,
			"an answer only from %s on", pm_time(single->this_update).s);
	if (now >= until)
		return pm_fail(report, PM_E_STALE, CHECK, pm_time(now).s,
			"an answer that ended at %s", pm_time(until).s);
	return PM_OK;
}

/* The time counts here, so that a copy past its nextUpdate is not even looked at. */
static int check_response(
	const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report)
{
	pm_cleanup(free) struct pm_ocsp_response *response = pm_alloc(sizeof(*response));
	const struct pm_ocsp_single *single;
	int r;

	if (!response)
		return PM_E_NOMEM;
	r = pm_ocsp_response_read(bytes, report, response);
	if (r < 0)
		return r;
	single = find(response, item->context);
	if (!single)
		return pm_fail(report, PM_E_REJECTED, CHECK, "the certificate asked about",
			"an answer for others");
	return check_time(single, item->now, report);
}

static enum pm_net_age age(
	const struct pm_net_item *item, struct pm_view bytes, int64_t stored, int64_t wall)
{
	(void)item;
	(void)bytes;
	(void)stored;
	(void)wall;
	return PM_NET_FRESH;
}

const struct pm_net_kind pm_gpu_kind_ocsp = {.check = CHECK,
	.body_max = PM_OCSP_RESPONSE_SIZE_MAX,
	.max = PM_OCSP_RESPONSE_SIZE_MAX,
	.check_bytes = check_response,
	.age = age};
