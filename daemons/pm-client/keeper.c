/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/text.h>

#include "common/log.h"
#include "common/metrics.h"

/* Between two looks whether it is time to renew, and after failures: twice as long each time. */
#define LOOK_SECONDS  30
#define RETRY_SECONDS 1

struct keeper_ask {
	struct keeper *keeper;
	struct keeper_ask *next;
	struct loop *loop;
	keeper_done *done;
	void *arg;
	bool is_posted;	   /* under the keeper's lock */
	bool is_cancelled; /* of the loop, once it is posted */
	int error;
	char reason[KEEPER_REASON_SIZE];
};

struct keeper {
	struct trust_slot *trust;
	pthread_t thread;
	bool has_thread;
	atomic_uint_fast64_t verified, failed;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool is_ending, is_busy, is_woken;
	struct keeper_ask *asks;
	char last_id[PM_SEALED_ID_MAX + 1];
};

int keeper_new(struct trust_slot *trust, struct keeper **ret_keeper)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	pthread_condattr_t attr;

	if (!keeper)
		return PM_E_NOMEM;
	keeper->trust = trust;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->changed, &attr);
	pthread_condattr_destroy(&attr);
	*ret_keeper = keeper;
	return PM_OK;
}

/* --- those who wait -------------------------------------------------------------------------- */

static void deliver(void *arg)
{
	struct keeper_ask *ask = arg;

	if (!ask->is_cancelled)
		ask->done(ask->arg, ask->error, ask->reason);
	free(ask);
}

/* The lock is held. */
static void tell(struct keeper *keeper, struct keeper_ask *asks, int error, const char *reason)
{
	while (asks) {
		struct keeper_ask *ask = asks;

		asks = ask->next;
		ask->error = error;
		snprintf(ask->reason, sizeof(ask->reason), "%s", reason);
		ask->is_posted = true;
		if (loop_post(ask->loop, deliver, ask) < 0)
			log_event(LOG_LEVEL_ERROR, "failed", "what", "out of memory", NULL);
	}
	(void)keeper;
}

struct keeper_ask *keeper_ask(
	struct keeper *keeper, struct loop *loop, keeper_done *done, void *arg)
{
	struct keeper_ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return NULL;
	ask->keeper = keeper;
	ask->loop = loop;
	ask->done = done;
	ask->arg = arg;
	pthread_mutex_lock(&keeper->lock);
	ask->next = keeper->asks;
	keeper->asks = ask;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	return ask;
}

void keeper_wake(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->is_woken = true;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_cancel(struct keeper_ask *ask)
{
	struct keeper *keeper = ask->keeper;
	struct keeper_ask **at;

	pthread_mutex_lock(&keeper->lock);
	ask->is_cancelled = true;
	if (!ask->is_posted) {
		for (at = &keeper->asks; *at && *at != ask; at = &(*at)->next)
			;
		if (*at) {
			*at = ask->next;
			free(ask);
		}
	}
	pthread_mutex_unlock(&keeper->lock);
}

/* --- the thread ------------------------------------------------------------------------------ */

static void log_verified(const struct pm_session_key *key)
{
	const struct pm_appraised *facts = pm_session_key_appraised(key);
	char until[PM_TIME_TEXT_SIZE], serial[24];

	pm_time_format(facts->valid_until, until);
	snprintf(serial, sizeof(serial), "%llu", (unsigned long long)facts->manifest_serial);
	log_event(LOG_LEVEL_INFO, "worker verified", "role", facts->claims.role, "manifest", serial,
		"valid-until", until, "test-root",
		facts->test_root ? "yes: nothing is proved about real hardware" : NULL, NULL);
}

/* Talks to the worker where it must; without the lock. */
static int refresh(struct keeper *keeper, char reason[KEEPER_REASON_SIZE])
{
	struct pm_report *report = pm_report_new();
	struct trust *trust = trust_get(keeper->trust);
	struct pm_session_key *key = NULL;
	int r = report ? pm_session_get(trust->session, report, &key) : PM_E_NOMEM;

	if (r < 0) {
		atomic_fetch_add(&keeper->failed, 1);
		snprintf(reason, KEEPER_REASON_SIZE, "%s", report ? pm_report_reason(report) : "");
		log_event(LOG_LEVEL_WARN, "worker not verified", "error", pm_strerror(r), "reason",
			reason, NULL);
	} else if (strcmp(keeper->last_id, pm_session_key_id(key)) != 0) {
		snprintf(keeper->last_id, sizeof(keeper->last_id), "%s", pm_session_key_id(key));
		atomic_fetch_add(&keeper->verified, 1);
		log_verified(key);
	}
	pm_session_key_free(key);
	pm_report_free(report);
	trust_unref(trust);
	return r;
}

/* The lock is held. */
static void wait_seconds(struct keeper *keeper, int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (!keeper->is_ending && !keeper->asks && !keeper->is_woken)
		if (pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until))
			break;
}

static void *run(void *arg)
{
	struct keeper *keeper = arg;
	char reason[KEEPER_REASON_SIZE] = "";
	int pause = RETRY_SECONDS;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->is_ending) {
		struct keeper_ask *asks;
		int r;

		keeper->is_busy = true;
		keeper->is_woken = false;
		pthread_mutex_unlock(&keeper->lock);
		r = refresh(keeper, reason);
		pthread_mutex_lock(&keeper->lock);
		keeper->is_busy = false;
		asks = keeper->asks;
		keeper->asks = NULL;
		if (!keeper->is_ending)
			tell(keeper, asks, r, reason);
		pause = r == PM_OK ? LOOK_SECONDS : 2 * pause;
		if (pause > LOOK_SECONDS)
			pause = LOOK_SECONDS;
		wait_seconds(keeper, pause);
		if (r == PM_OK)
			pause = RETRY_SECONDS;
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

int keeper_start(struct keeper *keeper)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&keeper->thread, NULL, run, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	keeper->has_thread = !failed;
	return failed ? PM_E_SYS : PM_OK;
}

bool keeper_end(struct keeper *keeper)
{
	bool is_busy;

	if (!keeper->has_thread)
		return true;
	keeper->has_thread = false;
	pthread_mutex_lock(&keeper->lock);
	keeper->is_ending = true;
	is_busy = keeper->is_busy;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	if (is_busy) {
		pthread_detach(keeper->thread);
		return false;
	}
	pthread_join(keeper->thread, NULL);
	return true;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	while (keeper->asks) {
		struct keeper_ask *ask = keeper->asks;

		keeper->asks = ask->next;
		free(ask);
	}
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

void keeper_metrics(struct keeper *keeper, struct evbuffer *out, const char *prefix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_verifications_total", prefix);
	metrics_begin(out, name, "counter", "Verifications of the worker.");
	metrics_sample(out, name, "outcome", "verified", (int64_t)atomic_load(&keeper->verified));
	metrics_sample(out, name, "outcome", "failed", (int64_t)atomic_load(&keeper->failed));
}
