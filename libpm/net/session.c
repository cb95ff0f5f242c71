/* SPDX-License-Identifier: Apache-2.0 */
#include "net/session.h"

#include <stdlib.h>
#include <string.h>

#include <pm/gpu.h>
#include <pm/memory_file.h>

#include "base/report.h"
#include "crypto/crypto.h"

PM_OWNER(pm_memory_file, pm_memory_file_close);

/* Verified chains that are kept: of the worker, and of the one before. */
#define CHAINS 32

_Static_assert(PM_SESSION_URL_MAX == PM_NET_URL_MAX && (int)PM_SESSION_RENEW < (int)PM_SESSION_END,
	"the header promises what the session does");

/* --- making a session ------------------------------------------------------------------------ */

void pm_session_set_clock(struct pm_session *session, const struct pm_net_clock *clock)
{
	session->clock = *clock;
	if (session->coordinator)
		pm_coordinator_set_clock(session->coordinator, clock);
}

/* Options that were known when the caller was compiled. */
static int read_options(const struct pm_session_options *o, struct pm_session_options *ret)
{
	const size_t first = offsetof(struct pm_session_options, coordinator);

	if (o->size != sizeof(*o) && o->size != first)
		return PM_E_ARG;
	*ret = (struct pm_session_options){0};
	pm_copy(ret, o, o->size);
	if (ret->max_age < 0 || ret->connect_ms > PM_SESSION_TIMEOUT_MAX_MS ||
		ret->total_ms > PM_SESSION_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	if (!ret->coordinator)
		return ret->secrets ? PM_E_ARG : PM_OK;
	return ret->role || ret->model ? PM_E_ARG : PM_OK;
}

static int copy_options(struct pm_session *session, const struct pm_session_options *o)
{
	struct pm_ask_server *server = &session->server;
	int r = pm_ask_copy_text(o->role, &session->role);

	session->max_age = o->max_age;
	server->connect_ms = o->connect_ms ? o->connect_ms : PM_SESSION_CONNECT_MS;
	server->total_ms = o->total_ms ? o->total_ms : PM_SESSION_TOTAL_MS;
	if (r == PM_OK)
		r = pm_ask_copy_text(o->model, &session->model);
	if (r == PM_OK)
		r = pm_ask_copy_text(o->ca_file, &session->ca_file);
	server->ca_file = session->ca_file;
	if (r == PM_OK && !o->coordinator) /* else the coordinator's client remembers */
		r = pm_ask_copy_text(o->memory_file, &session->memory_file);
	return r;
}

/* Whom the session agrees with: the worker, or the secret service of a mesh. */
static int copy_url(struct pm_session *session, const char *url, const struct pm_session_options *o,
	struct pm_report *report)
{
	int r = pm_ask_copy_url(
		o->secrets ? o->secrets : url, PM_SESSION_URL_MAX, report, &session->url);

	session->server.url = session->url;
	session->server.name = o->coordinator ? "secret service" : "worker";
	return r;
}

static int name_coordinator(
	struct pm_session *session, const struct pm_session_options *o, struct pm_report *report)
{
	const struct pm_coordinator_options options = {
		.size = sizeof(options),
		.memory_file = o->memory_file,
		.ca_file = o->ca_file,
		.max_age = o->max_age,
		.connect_ms = o->connect_ms,
		.total_ms = o->total_ms,
	};

	if (!o->coordinator)
		return PM_OK;
	return pm_coordinator_new(o->coordinator, &options, report, &session->coordinator);
}

static int make(struct pm_session **ret)
{
	struct pm_session *session = pm_alloc(sizeof(*session));

	if (!session)
		return PM_E_NOMEM;
	session->clock = pm_net_system_clock;
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

static int set_up(struct pm_session *session, const char *url, const struct pm_session_options *o,
	struct pm_report *report)
{
	int r = copy_url(session, url, o, report);

	if (r == PM_OK)
		r = copy_options(session, o);
	if (r == PM_OK)
		r = name_coordinator(session, o, report);
	if (r == PM_OK)
		r = make_caches(session);
	return r < 0 ? r : pm_session_remember(session, false, report);
}

int pm_session_new(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_report *report,
	struct pm_session **ret_session)
{
	const struct pm_session_options none = {.size = sizeof(none)};
	pm_cleanup(pm_session) struct pm_session *session = NULL;
	struct pm_session_options o;
	int r = read_options(options ? options : &none, &o);

	if (r < 0)
		return r;
	if (!manifest || (!url && !o.secrets))
		return PM_E_ARG;
	r = pm_crypto_init();
	if (r == PM_OK)
		r = make(&session);
	if (r < 0)
		return r;
	session->manifest = manifest;
	r = set_up(session, url, &o, report);
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
	pm_coordinator_free(session->coordinator);
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
