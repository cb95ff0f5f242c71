/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "net/http.h"

void pm_net_log(const struct pm_net_client *net, const char *format, ...)
{
	char text[PM_NET_URL_MAX + PM_NET_PATH_SIZE + 64];
	va_list args;

	if (!net->log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	net->log(net->log_arg, text);
}

/* --- texts ----------------------------------------------------------------------------------- */

static char *dup_text(const char *text, size_t len)
{
	char *copy = pm_alloc(len + 1);

	if (copy)
		pm_copy(copy, text, len);
	return copy;
}

/* Replaces a text of the client by a copy; NULL clears it. */
static int set_text(char **text, const char *value)
{
	char *copy = value ? dup_text(value, strlen(value)) : NULL;

	if (value && !copy)
		return PM_E_NOMEM;
	free(*text);
	*text = copy;
	return PM_OK;
}

/* --- services -------------------------------------------------------------------------------- */

int pm_net_service_add(struct pm_net_service *service, const char *url, const char *token_file,
	struct pm_report *report)
{
	pm_cleanup(free) char *copy = NULL, *token = NULL;
	size_t len = strlen(url);
	int r;

	if (len > PM_NET_URL_MAX)
		return pm_fail(report, PM_E_LIMIT, "url", "at most 255 bytes", "%zu", len);
	if (service->count == PM_NET_SERVERS_MAX)
		return pm_fail(report, PM_E_LIMIT, "url", "at most 4 servers", "one more");
	r = pm_http_check_base(url, report);
	if (r < 0)
		return r;
	while (len && url[len - 1] == '/')
		len--;
	copy = dup_text(url, len);
	token = token_file ? dup_text(token_file, strlen(token_file)) : NULL;
	if (!copy || (token_file && !token))
		return PM_E_NOMEM;
	service->servers[service->count++] =
		(struct pm_net_server){pm_steal(copy), pm_steal(token)};
	return PM_OK;
}

int pm_net_service_set(struct pm_net_service *service, const char *url, const char *token_file,
	struct pm_report *report)
{
	struct pm_net_service fresh = {.name = service->name};
	int r = pm_net_service_add(&fresh, url, token_file, report);

	if (r < 0)
		return r;
	pm_net_service_clear(service);
	*service = fresh;
	return PM_OK;
}

void pm_net_service_clear(struct pm_net_service *service)
{
	for (size_t i = 0; i < service->count; i++) {
		free(service->servers[i].url);
		free(service->servers[i].token_file);
	}
	service->count = 0;
}

/* --- settings -------------------------------------------------------------------------------- */

int pm_net_init(struct pm_net_client *net)
{
	*net = (struct pm_net_client){
		.connect_ms = PM_NET_CONNECT_MS,
		.total_ms = PM_NET_TOTAL_MS,
		.attempts = PM_NET_ATTEMPTS,
		.clock = pm_net_system_clock,
	};
	/* With default attributes neither call can fail on Linux. */
	(void)pthread_mutex_init(&net->lock, NULL);
	(void)pthread_cond_init(&net->landed, NULL);
	return pm_crypto_init();
}

void pm_net_clear(struct pm_net_client *net)
{
	(void)pthread_cond_destroy(&net->landed);
	(void)pthread_mutex_destroy(&net->lock);
	free(net->cache);
	free(net->ca_file);
}

int pm_net_set_cache(struct pm_net_client *net, const char *path)
{
	return set_text(&net->cache, path && path[0] ? path : NULL);
}

int pm_net_set_ca_file(struct pm_net_client *net, const char *path)
{
	return set_text(&net->ca_file, path);
}

int pm_net_set_mode(struct pm_net_client *net, int mode)
{
	if (mode < PM_NET_CACHE_FIRST || mode > PM_NET_OFFLINE)
		return PM_E_ARG;
	net->mode = (enum pm_net_mode)mode;
	return PM_OK;
}

int pm_net_set_timeouts(struct pm_net_client *net, uint32_t connect_ms, uint32_t total_ms)
{
	if (!connect_ms || connect_ms > PM_NET_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	if (!total_ms || total_ms > PM_NET_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	net->connect_ms = connect_ms;
	net->total_ms = total_ms;
	return PM_OK;
}

int pm_net_set_attempts(struct pm_net_client *net, unsigned int attempts)
{
	if (!attempts || attempts > PM_NET_ATTEMPTS_MAX)
		return PM_E_ARG;
	net->attempts = attempts;
	return PM_OK;
}
