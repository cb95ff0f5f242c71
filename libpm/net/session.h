/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the session share, and the seam by which tests bring their own clock. */
#ifndef PM_NET_SESSION_H
#define PM_NET_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include <pm/direct.h>
#include <pm/session.h>

#include "base/secret.h"
#include "net/coordinator.h"

/* After a renewal that did not reach the worker, while the old secret serves: seconds. */
#define PM_SESSION_RETRY 30

#define PM_SESSION_REASON_SIZE 256

struct pm_session_key {
	atomic_uint users;
	char id[PM_DIRECT_ID_SIZE];
	struct pm_secret secret;
	struct pm_exchange_key *exchange;
	const struct pm_appraised *appraised;
	struct pm_deployment *deployment; /* of a mesh: it owns what was appraised; or NULL */
	int64_t made_ms;		  /* of the session's clock */
};

struct pm_session {
	const struct pm_manifest *manifest;
	struct pm_ask_server server; /* whose texts it owns: the worker, or the secret service */
	char *url, *role, *model, *memory_file, *ca_file;
	int64_t max_age;
	struct pm_coordinator *coordinator; /* of a mesh; NULL in direct mode */
	struct pm_net_clock clock;	    /* ticks go on while the machine sleeps */
	struct pm_snp_cache *snp_cache;
	struct pm_gpu_cache *gpu_cache;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool is_renewing;
	uint64_t renewals;   /* that ended */
	int last;	     /* result of the last one */
	int64_t no_retry_ms; /* until then an old secret is not renewed */
	char reason[PM_SESSION_REASON_SIZE];
	struct pm_session_key *key; /* or NULL */
};

PM_OWNER(pm_session, pm_session_free);
PM_OWNER(pm_session_key, pm_session_key_free);

static inline void pm_cleanup_pm_appraised_const(const struct pm_appraised **p)
{
	pm_appraised_free(*p);
}

void pm_session_set_clock(struct pm_session *session, const struct pm_net_clock *clock);

/* May this manifest be used, after what is remembered? With write it is remembered. */
int pm_session_remember(
	const struct pm_session *session, bool write, struct pm_report *report) PM_MUST_USE;

/* A key that is being made: its id and secret are not set yet. PM_E_NOMEM. */
int pm_session_key_new(struct pm_session_key **ret_key) PM_MUST_USE;

/* The coordinator's evidence, and all that it proves. */
int pm_session_attest_mesh(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_deployment **ret_deployment) PM_MUST_USE;

/* An agreement with the secret service of the mesh that was proved. */
int pm_session_agree_mesh(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session_key *key) PM_MUST_USE;

/* Evidence, and an agreement with whom it proves. Errors as pm_session_renew(). */
int pm_session_agree(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session_key **ret_key) PM_MUST_USE;

#endif
