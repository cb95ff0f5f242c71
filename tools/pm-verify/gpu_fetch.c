/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads golden measurements and OCSP responses from NVIDIA's services. */
#include <err.h>
#include <unistd.h>

#include "pm-verify/gpu.h"

static void log_progress(void *arg, const char *text)
{
	(void)arg;
	warnx("%s", text);
}

static int add_servers(struct pm_gpu_fetch *fetch, enum pm_gpu_service service,
	const struct gpu_files *urls, struct pm_report *report)
{
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < urls->count; i++)
		r = pm_gpu_fetch_add_server(fetch, service, urls->names[i], NULL, report);
	return r < 0 ? PM_E_ARG : PM_OK; /* the command line's fault, not the evidence's */
}

static int open_fetch(
	const struct gpu_options *o, struct pm_report *report, struct pm_gpu_fetch **ret)
{
	int r = pm_gpu_fetch_new(ret);

	if (r < 0)
		return r;
	if (isatty(STDERR_FILENO))
		pm_gpu_fetch_set_log(*ret, log_progress, NULL);
	r = add_servers(*ret, PM_GPU_SERVICE_RIM, &o->rim_urls, report);
	if (r == PM_OK)
		r = add_servers(*ret, PM_GPU_SERVICE_OCSP, &o->ocsp_urls, report);
	if (r == PM_OK)
		r = pm_gpu_fetch_set_cache(*ret, o->cache);
	return r;
}

static int fetch_all(const struct gpu_options *o, struct pm_gpu_fetch *fetch,
	struct pm_gpu_collateral *fetched, struct gpu_devices *d)
{
	unsigned int flags = (o->no_rim ? PM_GPU_COLLATERAL_NO_RIM : 0u) |
			     (o->no_ocsp ? PM_GPU_COLLATERAL_NO_OCSP : 0u);
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < d->count; i++) {
		struct gpu_device *dev = &d->list[i];

		r = pm_gpu_collateral_fetch(fetched, fetch, dev->ev, flags, o->now, dev->report);
		dev->error = r;
	}
	return r;
}

/* Responses first: the measurements are verified with them. */
static int take(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const struct pm_gpu_collateral *fetched, struct gpu_collateral *c)
{
	const uint8_t *bytes;
	size_t size;
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && (bytes = pm_gpu_collateral_ocsp_at(fetched, i, &size));
		i++)
		r = pm_ocsp_set_add(c->ocsp, bytes, size, NULL);
	for (size_t i = 0; r == PM_OK && (bytes = pm_gpu_collateral_rim_at(fetched, i, &size)); i++)
		r = gpu_collateral_add_rim(o, policy, "fetched", bytes, size, c);
	return r;
}

int gpu_fetch(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	struct gpu_devices *d, struct gpu_collateral *c)
{
	struct pm_gpu_collateral *fetched = NULL;
	struct pm_gpu_fetch *fetch = NULL;
	struct gpu_device *first = &d->list[0];
	int r = open_fetch(o, first->report, &fetch);

	if (r < 0)
		first->error = r;
	if (r == PM_OK)
		r = pm_gpu_collateral_new(&fetched);
	if (r == PM_OK)
		r = fetch_all(o, fetch, fetched, d);
	if (r == PM_OK)
		r = take(o, policy, fetched, c);
	pm_gpu_collateral_free(fetched);
	pm_gpu_fetch_free(fetch);
	return r;
}
