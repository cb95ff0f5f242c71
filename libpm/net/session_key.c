/* SPDX-License-Identifier: Apache-2.0 */
/* The secret of a session: who may use it, for how long, and who gets the next one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "net/session.h"
#include "policy/verdict.h"

/* --- keys ------------------------------------------------------------------------------------ */

int pm_session_key_new(struct pm_session_key **ret_key)
{
	struct pm_session_key *key = pm_alloc(sizeof(*key));
	int r;

	if (!key)
		return PM_E_NOMEM;
	atomic_init(&key->users, 1);
	r = pm_secret_new(&key->secret, PM_DIRECT_SECRET_SIZE);
	if (r < 0) {
		free(key);
		return r;
	}
	*ret_key = key;
	return PM_OK;
}

static struct pm_session_key *key_ref(struct pm_session_key *key)
{
	if (key)
		atomic_fetch_add(&key->users, 1);
	return key;
}

void pm_session_key_free(struct pm_session_key *key)
{
	if (!key || atomic_fetch_sub(&key->users, 1) != 1)
		return;
	pm_exchange_key_free(key->exchange);
	if (key->deployment)
		pm_deployment_free(key->deployment);
	else
		pm_appraised_free(key->appraised);
	pm_secret_free(&key->secret);
	free(key);
}

const char *pm_session_key_id(const struct pm_session_key *key)
{
	return key->id;
}

struct pm_exchange_key *pm_session_key_exchange(const struct pm_session_key *key)
{
	return key->exchange;
}

const struct pm_appraised *pm_session_key_appraised(const struct pm_session_key *key)
{
	return key->appraised;
}

const struct pm_deployment *pm_session_key_deployment(const struct pm_session_key *key)
{
	return key->deployment;
}

int pm_session_key_ocsp(const struct pm_session_key *key, const struct pm_ocsp_policy *policy,
	char *ret_header, char *ret_mac)
{
	return pm_ocsp_policy_write(policy, key->secret.ptr, ret_header, ret_mac);
}

/* --- age; the lock is held ------------------------------------------------------------------- */

static int64_t ticks(const struct pm_session *session)
{
	return session->clock.ticks_ms(session->clock.arg);
}

/* Younger than so many seconds, and nothing that was proved has run out? */
static bool is_younger(const struct pm_session *session, int64_t seconds)
{
	const struct pm_session_key *key = session->key;

	return key && ticks(session) - key->made_ms < seconds * 1000 &&
	       session->clock.wall(session->clock.arg) <= key->appraised->valid_until;
}

/* Good for now, or old, but there is no use in asking for another one yet. */
static bool is_usable(const struct pm_session *session)
{
	if (is_younger(session, PM_SESSION_RENEW))
		return true;
	return ticks(session) < session->no_retry_ms && is_younger(session, PM_SESSION_END);
}

/* --- renewal --------------------------------------------------------------------------------- */

static void wait_for_others(struct pm_session *session)
{
	uint64_t seen = session->renewals;

	while (session->is_renewing && session->renewals == seen)
		(void)pthread_cond_wait(&session->changed, &session->lock);
}

/*
 * No answer to the question: nobody there, or a coordinator that is not ready. An attacker who
 * could feign that could also cut the line.
 */
static bool is_unanswered(int r)
{
	return r == PM_E_NET || r == PM_E_STATE;
}

/* The lock is held. What came of a renewal takes the place of what was. */
static void settle(
	struct pm_session *session, int r, struct pm_session_key *key, const char *reason)
{
	bool keep = is_unanswered(r) && is_younger(session, PM_SESSION_END);

	if (keep) {
		session->no_retry_ms = ticks(session) + PM_SESSION_RETRY * INT64_C(1000);
	} else {
		pm_session_key_free(session->key);
		session->key = key;
		session->no_retry_ms = 0;
	}
	session->last = r;
	snprintf(session->reason, sizeof(session->reason), "%s", reason);
	session->is_renewing = false;
	session->renewals++;
	(void)pthread_cond_broadcast(&session->changed);
}

static const char *reason_of(
	int r, const struct pm_verdict *verdict, const struct pm_report *report)
{
	const char *text = verdict ? pm_verdict_reason(verdict) : "";

	if (r == PM_OK)
		return "";
	if (!text[0] && report)
		text = pm_report_reason(report);
	return text[0] ? text : pm_strerror(r);
}

/* The lock is held, nobody renews, and it is let go while the worker is asked. */
static int renew(struct pm_session *session, struct pm_verdict *verdict, struct pm_report *report)
{
	struct pm_session_key *key = NULL;
	int r;

	session->is_renewing = true;
	(void)pthread_mutex_unlock(&session->lock);
	r = pm_session_agree(session, verdict, report, &key);
	(void)pthread_mutex_lock(&session->lock);
	settle(session, r, key, reason_of(r, verdict, report));
	return r;
}

int pm_session_renew(
	struct pm_session *session, struct pm_verdict *verdict, struct pm_report *report)
{
	int r;

	(void)pthread_mutex_lock(&session->lock);
	while (session->is_renewing)
		wait_for_others(session);
	r = renew(session, verdict, report);
	(void)pthread_mutex_unlock(&session->lock);
	return r;
}

/* --- handing out ----------------------------------------------------------------------------- */

/* The lock is held: another thread's renewal, or one of our own. */
static int obtain(struct pm_session *session, struct pm_verdict *verdict, struct pm_report *report)
{
	if (!session->is_renewing)
		return renew(session, verdict, report);
	wait_for_others(session);
	return session->last;
}

static int hand_out(struct pm_session *session, int r, struct pm_report *report,
	struct pm_session_key **ret_key)
{
	if (r == PM_OK || (is_unanswered(r) && is_usable(session))) {
		*ret_key = key_ref(session->key);
		if (*ret_key)
			return PM_OK;
		return pm_fail(
			report, PM_E_NET, session->server.name, "a secret", "distrusted meanwhile");
	}
	return pm_fail(report, r, session->server.name, "a verified one", "%s", session->reason);
}

int pm_session_get(
	struct pm_session *session, struct pm_report *report, struct pm_session_key **ret_key)
{
	pm_cleanup(pm_verdict) struct pm_verdict *verdict = NULL;
	pm_cleanup(pm_report) struct pm_report *inner = NULL;
	struct pm_session_key *key = pm_session_peek(session);
	int r;

	if (key) {
		*ret_key = key;
		return PM_OK;
	}
	verdict = pm_verdict_new();
	inner = pm_report_new();
	if (!verdict || !inner)
		return PM_E_NOMEM;
	(void)pthread_mutex_lock(&session->lock);
	r = is_usable(session) ? PM_OK : obtain(session, verdict, inner);
	r = hand_out(session, r, report, ret_key);
	(void)pthread_mutex_unlock(&session->lock);
	return r;
}

struct pm_session_key *pm_session_peek(struct pm_session *session)
{
	struct pm_session_key *key = NULL;

	(void)pthread_mutex_lock(&session->lock);
	if (is_usable(session))
		key = key_ref(session->key);
	(void)pthread_mutex_unlock(&session->lock);
	return key;
}

void pm_session_distrust(struct pm_session *session, const struct pm_session_key *key)
{
	(void)pthread_mutex_lock(&session->lock);
	if (session->key == key) {
		pm_session_key_free(session->key);
		session->key = NULL;
	}
	(void)pthread_mutex_unlock(&session->lock);
}
