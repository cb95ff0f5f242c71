/* SPDX-License-Identifier: Apache-2.0 */
#include "net/coordinator.h"

#include <stdlib.h>
#include <string.h>

#include <pm/gpu.h>

#include "base/report.h"
#include "crypto/crypto.h"

/* Verified chains that are kept: of coordinators, and of the workers of a list. */
#define CHAINS 64

_Static_assert(PM_COORDINATOR_URL_MAX == PM_NET_URL_MAX, "the header promises what http.h takes");

void pm_coordinator_set_clock(struct pm_coordinator *coordinator, const struct pm_net_clock *clock)
{
	coordinator->clock = *clock;
}

static int copy_options(struct pm_coordinator *coordinator, const struct pm_coordinator_options *o)
{
	struct pm_ask_server *server = &coordinator->server;
	int r;

	if (o->size != sizeof(*o) || o->max_age < 0 ||
		o->connect_ms > PM_COORDINATOR_TIMEOUT_MAX_MS ||
		o->total_ms > PM_COORDINATOR_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	coordinator->max_age = o->max_age;
	server->connect_ms = o->connect_ms ? o->connect_ms : PM_COORDINATOR_CONNECT_MS;
	server->total_ms = o->total_ms ? o->total_ms : PM_COORDINATOR_TOTAL_MS;
	r = pm_ask_copy_text(o->memory_file, &coordinator->memory_file);
	if (r == PM_OK)
		r = pm_ask_copy_text(o->ca_file, &coordinator->ca_file);
	server->ca_file = coordinator->ca_file;
	return r;
}

static int make_caches(struct pm_coordinator *coordinator)
{
	int r = pm_snp_cache_new(CHAINS, &coordinator->snp_cache);

	return r < 0 ? r : pm_gpu_cache_new(CHAINS, &coordinator->gpu_cache);
}

int pm_coordinator_new(const char *url, const struct pm_coordinator_options *options,
	struct pm_report *report, struct pm_coordinator **ret_coordinator)
{
	const struct pm_coordinator_options none = {.size = sizeof(none)};
	pm_cleanup(pm_coordinator) struct pm_coordinator *coordinator = NULL;
	int r;

	if (!url)
		return PM_E_ARG;
	r = pm_crypto_init();
	if (r < 0)
		return r;
	coordinator = pm_alloc(sizeof(*coordinator));
	if (!coordinator)
		return PM_E_NOMEM;
	coordinator->clock = pm_net_system_clock;
	r = pm_ask_copy_url(url, PM_COORDINATOR_URL_MAX, report, &coordinator->url);
	if (r == PM_OK)
		r = copy_options(coordinator, options ? options : &none);
	if (r == PM_OK)
		r = make_caches(coordinator);
	if (r < 0)
		return r;
	coordinator->server.url = coordinator->url;
	coordinator->server.name = PM_COORDINATOR_CHECK;
	*ret_coordinator = pm_steal(coordinator);
	return PM_OK;
}

void pm_coordinator_free(struct pm_coordinator *coordinator)
{
	if (!coordinator)
		return;
	pm_snp_cache_free(coordinator->snp_cache);
	pm_gpu_cache_free(coordinator->gpu_cache);
	free(coordinator->url);
	free(coordinator->ca_file);
	free(coordinator->memory_file);
	free(coordinator);
}
