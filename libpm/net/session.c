/* SPDX-License-Identifier: Apache-2.0 */
#include "net/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/gpu.h>
#include <pm/memory_file.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "net/http.h"

PM_OWNER(pm_memory_file, pm_memory_file_close);

/* Verified chains that are kept: of the worker, and of the one before. */
#define CHAINS 32

_Static_assert(PM_SESSION_URL_MAX == PM_NET_URL_MAX && (int)PM_SESSION_RENEW < (int)PM_SESSION_END,
	"the header promises what the session does");

/* --- clock ----------------------------------------------------------------------------------- */

static int64_t system_wall(void *arg)
{
	(void)arg;
	return time(NULL);
}

static int64_t system_ticks_ms(void *arg)
{
	struct timespec now = {0};

	(void)arg;
	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* can't fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const struct pm_net_clock system_clock = {
	.wall = system_wall,
	.ticks_ms = system_ticks_ms,
};

void pm_session_set_clock(struct pm_session *session, const struct pm_net_clock *clock)
{
	session->clock = *clock;
}

/* --- making a session ------------------------------------------------------------------------ */

static int copy_text(char **ret, const char *text)
{
	if (!text)
		return PM_OK;
	*ret = (char *)pm_dup(pm_view(text, strlen(text) + 1));
	return *ret ? PM_OK : PM_E_NOMEM;
}

static int copy_url(char **ret, const char *url, struct pm_report *report)
{
	size_t len = strlen(url);
	int r;

	if (len > PM_SESSION_URL_MAX)
		return pm_fail(report, PM_E_LIMIT, "url", "at most 255 bytes", "%zu bytes", len);
	r = pm_http_check_endpoint(url, report);
	if (r == PM_OK)
		r = copy_text(ret, url);
	if (r == PM_OK && (*ret)[len - 1] == '/')
		(*ret)[len - 1] = '\0';
	return r;
}

static int copy_options(struct pm_session *session, const struct pm_session_options *o)
{
	int r;

	if (o->size != sizeof(*o) || o->max_age < 0 || o->connect_ms > PM_SESSION_TIMEOUT_MAX_MS ||
		o->total_ms > PM_SESSION_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	session->max_age = o->max_age;
	session->connect_ms = o->connect_ms ? o->connect_ms : PM_SESSION_CONNECT_MS;
	session->total_ms = o->total_ms ? o->total_ms : PM_SESSION_TOTAL_MS;
	r = copy_text(&session->role, o->role);
	if (r == PM_OK)
		r = copy_text(&session->model, o->model);
	if (r == PM_OK)
		r = copy_text(&session->memory_file, o->memory_file);
	if (r == PM_OK)
		r = copy_text(&session->ca_file, o->ca_file);
	return r;
}

static int make(struct pm_session **ret)
{
	struct pm_session *session = pm_alloc(sizeof(*session));

	if (!session)
		return PM_E_NOMEM;
	session->clock = system_clock;
	if (pthread_mutex_init(&session->lock, NULL)) {
		free(session);
		return PM_E_NOMEM;
	}
	if (pthread_cond_init(&session->changed, NULL)) {
		(void)pthread_mutex_destroy(&session->lock);
		free(session);
		return PM_E_NOMEM;
	}
	*ret = session;
	return PM_OK;
}

static int make_caches(struct pm_session *session)
{
	int r = pm_snp_cache_new(CHAINS, &session->snp_cache);

	return r < 0 ? r : pm_gpu_cache_new(CHAINS, &session->gpu_cache);
}

int pm_session_new(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_report *report,
	struct pm_session **ret_session)
{
	const struct pm_session_options none = {.size = sizeof(none)};
	pm_cleanup(pm_session) struct pm_session *session = NULL;
	int r;

	if (!url || !manifest)
		return PM_E_ARG;
	r = pm_crypto_init();
	if (r == PM_OK)
		r = make(&session);
	if (r < 0)
		return r;
	session->manifest = manifest;
	r = copy_url(&session->url, url, report);
	if (r == PM_OK)
		r = copy_options(session, options ? options : &none);
	if (r == PM_OK)
		r = make_caches(session);
	if (r == PM_OK)
		r = pm_session_remember(session, false, report);
	if (r == PM_OK)
		*ret_session = pm_steal(session);
	return r;
}

int pm_session_open(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session **ret_session)
{
	pm_cleanup(pm_session) struct pm_session *session = NULL;
	int r = pm_session_new(url, manifest, options, report, &session);

	if (r == PM_OK)
		r = pm_session_renew(session, verdict, report);
	if (r == PM_OK)
		*ret_session = pm_steal(session);
	return r;
}

void pm_session_free(struct pm_session *session)
{
	if (!session)
		return;
	pm_session_key_free(session->key);
	pm_snp_cache_free(session->snp_cache);
	pm_gpu_cache_free(session->gpu_cache);
	(void)pthread_cond_destroy(&session->changed);
	(void)pthread_mutex_destroy(&session->lock);
	free(session->url);
	free(session->role);
	free(session->model);
	free(session->memory_file);
	free(session->ca_file);
	free(session);
}

/* --- the memory ------------------------------------------------------------------------------ */

int pm_session_remember(const struct pm_session *session, bool write, struct pm_report *report)
{
	pm_cleanup(pm_memory_file) struct pm_memory_file *file = NULL;
	struct pm_memory memory;
	int r;

	if (!session->memory_file)
		return PM_OK;
	r = pm_memory_file_open(session->memory_file, report, &file);
	if (r == PM_OK)
		r = pm_memory_check(pm_memory_file_get(file), session->manifest, report, &memory);
	if (r == PM_OK && write)
		r = pm_memory_file_put(file, &memory, report);
	return r;
}
