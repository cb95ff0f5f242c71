/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of gpu_fetch.c and what it needs where libcurl is missing: the same symbols. */
#include <pm/gpu_fetch.h>

#include <stdlib.h>

#include "base/report.h"

/* Without a connection a handle has no settings worth keeping. */
struct pm_gpu_fetch {
	char unused;
};

static int refuse(struct pm_report *report)
{
	return pm_fail(
		report, PM_E_UNSUPPORTED, "gpu_fetch", "a library with libcurl", "built without");
}

int pm_gpu_fetch_new(struct pm_gpu_fetch **ret_fetch)
{
	struct pm_gpu_fetch *fetch = pm_alloc(sizeof(*fetch));

	if (!fetch)
		return PM_E_NOMEM;
	*ret_fetch = fetch;
	return PM_OK;
}

void pm_gpu_fetch_free(struct pm_gpu_fetch *fetch)
{
	free(fetch);
}

int pm_gpu_fetch_add_server(struct pm_gpu_fetch *fetch, enum pm_gpu_service service,
	const char *url, const char *token_file, struct pm_report *report)
{
	(void)fetch;
	(void)service;
	(void)url;
	(void)token_file;
	return refuse(report);
}

int pm_gpu_fetch_set_cache(struct pm_gpu_fetch *fetch, const char *path)
{
	(void)fetch;
	(void)path;
	return PM_OK;
}

int pm_gpu_fetch_set_mode(struct pm_gpu_fetch *fetch, enum pm_gpu_fetch_mode mode)
{
	(void)fetch;
	if (mode != PM_GPU_FETCH_CACHE_FIRST && mode != PM_GPU_FETCH_REFRESH &&
		mode != PM_GPU_FETCH_OFFLINE)
		return PM_E_ARG;
	return PM_OK;
}

int pm_gpu_fetch_set_ca_file(struct pm_gpu_fetch *fetch, const char *path)
{
	(void)fetch;
	(void)path;
	return PM_OK;
}

int pm_gpu_fetch_set_timeouts(struct pm_gpu_fetch *fetch, uint32_t connect_ms, uint32_t total_ms)
{
	(void)fetch;
	if (!connect_ms || connect_ms > 3600000)
		return PM_E_ARG;
	return total_ms && total_ms <= 3600000 ? PM_OK : PM_E_ARG;
}

int pm_gpu_fetch_set_attempts(struct pm_gpu_fetch *fetch, unsigned int attempts)
{
	(void)fetch;
	return attempts && attempts <= 20 ? PM_OK : PM_E_ARG;
}

void pm_gpu_fetch_set_log(
	struct pm_gpu_fetch *fetch, void (*log)(void *arg, const char *text), void *arg)
{
	(void)fetch;
	(void)log;
	(void)arg;
}

int pm_gpu_fetch_rim(struct pm_gpu_fetch *fetch, const char *id, int64_t now,
	struct pm_report *report, uint8_t **ret_xml, size_t *ret_size)
{
	(void)fetch;
	(void)id;
	(void)now;
	(void)ret_xml;
	(void)ret_size;
	return refuse(report);
}

int pm_gpu_fetch_ocsp(struct pm_gpu_fetch *fetch, const uint8_t *cert, size_t cert_size,
	const uint8_t *issuer, size_t issuer_size, const uint8_t *nonce, int64_t now,
	struct pm_report *report, uint8_t **ret_der, size_t *ret_size)
{
	(void)fetch;
	(void)cert;
	(void)cert_size;
	(void)issuer;
	(void)issuer_size;
	(void)nonce;
	(void)now;
	(void)ret_der;
	(void)ret_size;
	return refuse(report);
}
