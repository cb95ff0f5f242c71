/* SPDX-License-Identifier: Apache-2.0 */
/* What the verification needs is read or fetched, and each device gets its verdict. */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "pm-agent/file.h"
#include "pm-agent/round.h"

/* --- collateral ------------------------------------------------------------------------------ */

static int add_files(struct round *r, const struct agent_list *files, size_t max,
	int (*add)(struct pm_gpu_collateral *c, const uint8_t *bytes, size_t size,
		struct pm_report *report))
{
	int error = PM_OK;

	for (size_t i = 0; error == PM_OK && i < files->count; i++) {
		uint8_t *bytes = NULL;
		size_t size;

		error = file_read(files->items[i], max, &r->note, &bytes, &size);
		if (error == PM_OK) {
			error = add(r->collateral, bytes, size, r->report);
			if (error < 0)
				note_fail(&r->note, error, "", "%s: %s", files->items[i],
					pm_report_reason(r->report));
		}
		free(bytes);
	}
	return error;
}

static void log_fetch(void *arg, const char *text)
{
	(void)arg;
	log_event(LOG_LEVEL_INFO, "fetch", "what", text, NULL);
}

static int add_servers(struct round *r, struct pm_gpu_fetch *fetch, enum pm_gpu_service service,
	const struct agent_list *urls, const char *token)
{
	static const char *const defaults[] = {
		[PM_GPU_SERVICE_RIM] = PM_GPU_RIM_URL, [PM_GPU_SERVICE_OCSP] = PM_GPU_OCSP_URL};
	int error = PM_OK;

	if (!urls->count && token)
		return pm_gpu_fetch_add_server(fetch, service, defaults[service], token, r->report);
	for (size_t i = 0; error == PM_OK && i < urls->count; i++)
		error = pm_gpu_fetch_add_server(fetch, service, urls->items[i], token, r->report);
	return error;
}

/* Made anew for each round: token files may have changed, servers too. */
static int open_fetch(struct round *r, bool refresh, struct pm_gpu_fetch **ret)
{
	const struct agent_options *o = r->o;
	int error = pm_gpu_fetch_new(ret);

	if (error < 0)
		return error;
	pm_gpu_fetch_set_log(*ret, log_fetch, NULL);
	error = add_servers(r, *ret, PM_GPU_SERVICE_RIM, &o->rim_urls, o->rim_token);
	if (error == PM_OK)
		error = add_servers(r, *ret, PM_GPU_SERVICE_OCSP, &o->ocsp_urls, o->ocsp_token);
	if (error == PM_OK)
		error = pm_gpu_fetch_set_cache(*ret, o->cache);
	if (error == PM_OK)
		error = pm_gpu_fetch_set_ca_file(*ret, o->ca_file);
	if (error == PM_OK)
		error = pm_gpu_fetch_set_timeouts(
			*ret, (uint32_t)o->fetch_time, (uint32_t)o->fetch_time);
	if (error == PM_OK)
		error = pm_gpu_fetch_set_mode(*ret, o->offline ? PM_GPU_FETCH_OFFLINE
						    : refresh  ? PM_GPU_FETCH_REFRESH
							       : PM_GPU_FETCH_CACHE_FIRST);
	return error;
}

/* What was given in files is all there is of its kind. */
static unsigned int fetch_flags(const struct agent_options *o)
{
	unsigned int flags = 0;

	if (o->no_rim || o->rims.count)
		flags |= PM_GPU_COLLATERAL_NO_RIM;
	if (o->no_ocsp || o->ocsp.count)
		flags |= PM_GPU_COLLATERAL_NO_OCSP;
	if (o->ocsp_nonce)
		flags |= PM_GPU_COLLATERAL_OCSP_NONCE;
	return flags;
}

static int fetch_all(struct round *r, struct pm_gpu_fetch *fetch)
{
	int error = PM_OK;

	for (size_t i = 0; error == PM_OK && i < r->count; i++) {
		struct device *d = &r->devices[i];

		error = pm_gpu_collateral_fetch(
			r->collateral, fetch, d->evidence, fetch_flags(r->o), r->now, d->report);
		if (error < 0) {
			d->error = error;
			note_report(&r->note, error, d->name, d->report);
		}
	}
	return error;
}

static int load(struct round *r, bool refresh)
{
	struct pm_gpu_fetch *fetch = NULL;
	int error = open_fetch(r, refresh, &fetch);

	if (error < 0) {
		/* The command line's fault, whatever the library calls it. */
		note_fail(&r->note, PM_E_SYS, "", "%s", pm_report_reason(r->report));
		error = PM_E_SYS;
	}
	if (error == PM_OK)
		error = add_files(r, &r->o->rims, PM_RIM_SIZE_MAX, pm_gpu_collateral_add_rim);
	if (error == PM_OK)
		error = add_files(
			r, &r->o->ocsp, PM_OCSP_RESPONSE_SIZE_MAX, pm_gpu_collateral_add_ocsp);
	if (error == PM_OK)
		error = fetch_all(r, fetch);
	pm_gpu_fetch_free(fetch);
	return error;
}

/* --- verdicts -------------------------------------------------------------------------------- */

static int judge(struct round *r, struct device *d)
{
	const struct pm_rim *const *rims;
	size_t rim_count;
	int error = pm_gpu_policy_expect_nonce(r->policy, d->nonce);

	if (error < 0)
		return error;
	rims = pm_gpu_collateral_rims(r->collateral, &rim_count);
	return pm_gpu_verify(d->evidence, r->policy, rims, rim_count,
		pm_gpu_collateral_ocsp(r->collateral), NULL, r->now, d->report, &d->facts);
}

/* All are judged, so that all that is wrong is told. */
static int judge_all(struct round *r)
{
	int first = PM_OK;

	for (size_t i = 0; i < r->count; i++) {
		struct device *d = &r->devices[i];

		d->error = judge(r, d);
		if (d->error < 0)
			note_report(&r->note, d->error, d->name, d->report);
		if (first == PM_OK)
			first = d->error;
	}
	return first;
}

static int forget(struct round *r)
{
	pm_gpu_collateral_free(r->collateral);
	r->collateral = NULL;
	pm_report_reset(r->report);
	for (size_t i = 0; i < r->count; i++) {
		pm_report_reset(r->devices[i].report);
		r->devices[i].facts = NULL;
		r->devices[i].error = PM_OK;
	}
	return pm_gpu_collateral_new(&r->collateral);
}

static int judge_once(struct round *r, bool refresh)
{
	int error = forget(r);

	if (error == PM_OK)
		error = load(r, refresh);
	if (error < 0)
		return note_fail(&r->note, error, "", "%s", pm_strerror(error));
	error = pm_gpu_collateral_verify(r->collateral, r->policy, r->now, r->report);
	if (error < 0)
		return note_report(&r->note, error, "", r->report);
	return judge_all(r);
}

/* A cache may hold what a lying server gave: the services decide, once. */
static bool may_be_the_cache(const struct round *r, int error)
{
	return r->o->cache && !r->o->offline && note_exit_status(error) == AGENT_REJECTED;
}

int judge_devices(struct round *r)
{
	const struct note before = r->note;
	int error = judge_once(r, false);

	if (error == PM_OK || !may_be_the_cache(r, error))
		return error;
	log_event(LOG_LEVEL_WARN, "again", "why", r->note.text, "how", "without the cache", NULL);
	r->note = before;
	return judge_once(r, true);
}
