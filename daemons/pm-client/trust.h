/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is trusted at the moment: a manifest, and the session that holds a worker to it. A reload
 * brings another one; whoever uses the one before goes on with it until he is done.
 */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include <pthread.h>
#include <stdatomic.h>

#include <pm/manifest.h>
#include <pm/session.h>

struct client_options;

struct trust {
	atomic_uint users;
	struct pm_manifest *manifest;
	struct pm_session *session;
};

/* Where it stands, for all threads. */
struct trust_slot {
	pthread_mutex_t lock;
	struct trust *now; /* or NULL */
};

/*
 * Reads the manifest of the options, and makes the session. Whatever stands in the slot must not be
 * newer, nor another one of the same number. Says what is wrong: 0, else 1 when it was refused, or
 * 2; then all stays as it was.
 */
int trust_read(const struct client_options *o, struct trust_slot *slot);

/* For trust_unref(); NULL before the first trust_read(). */
struct trust *trust_get(struct trust_slot *slot);
void trust_unref(struct trust *trust);

void trust_init(struct trust_slot *slot);
void trust_done(struct trust_slot *slot);

#endif
