/* SPDX-License-Identifier: Apache-2.0 */
/* What all requests of the service share. */
#ifndef SECRETS_SECRETS_H
#define SECRETS_SECRETS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/mesh.h"
#include "common/store.h"
#include "pm-secrets/follow.h"
#include "pm-secrets/hub.h"
#include "common/limit.h"
#include "pm-secrets/options.h"
#include "pm-secrets/past.h"
#include "pm-secrets/ring.h"
#include "pm-secrets/state.h"
#include "pm-secrets/trail.h"
#include "pm-secrets/witness.h"

/* Counts, for metrics. */
struct secrets_counts {
	atomic_uint_fast64_t agreed, released, not_released, opened, commands, commands_refused,
		limited, unavailable;
};

struct secrets {
	const struct secrets_options *options;
	struct mesh *mesh;
	struct hub *hub;
	struct past *past;
	struct limit *exchanges, *fetches;
	struct secrets_counts counts;
	char instance[17]; /* of this process: hexadecimal, random */
	struct store_files store_files;

	/* Made once, when the first identity came. */
	pthread_mutex_t lock;
	_Atomic(struct ring *) ring;
	_Atomic(struct state *) state;	 /* of the first loop */
	_Atomic(struct follow *) follow; /* likewise */
	atomic_bool is_foreign;		 /* an identity came with another secret than the first */
	atomic_int medium_jobs, large_jobs;
};

/* The identifier of what is opened where there is nothing: in no store. */
#define SECRETS_DECOY "decoy"

/* What one loop has. The later ones are there when the ring is. */
struct secrets_loop {
	struct secrets *secrets;
	struct loop *loop;
	struct store *store;
	struct trail *trail;
	struct follow *follow; /* of the first loop, as are the next three */
	struct state *state;
	struct witness *witness;
	struct event *tick;
	LIST_HEAD(, watching) watches;
	bool is_draining;
	uint8_t *decoy; /* sealed under SECRETS_DECOY */
	size_t decoy_len;
	/* Refusals that this second's log has, and those that it has not. */
	int64_t refusals_second;
	uint64_t refusals, refusals_missed;
};

/* Can requests be served, that need the store and a certificate? */
bool secrets_is_ready(const struct secrets *secrets);

/*
 * Do we hear what other instances change? Who does not for SECRETS_DEAF milliseconds tells no
 * worker any more that all is well: each stops using what it has.
 */
#define SECRETS_DEAF 10000
bool secrets_hears(const struct secrets *secrets);

#endif
