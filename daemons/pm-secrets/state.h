/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which epoch values are sealed under, as all instances on one store know it: a note in the store,
 * sealed. Belongs to the first loop, which asks for it again and again: whoever has not heard of it
 * for a while writes nothing, so nobody seals under a key that is over.
 *
 * A rotation begins with a new epoch in the note. From then on each instance seals under it. Once
 * each must have heard of it, one of them seals anew what lies there under older ones, and says in
 * the note that the rotation is over. Only then may the next begin. A value that came late, sealed
 * under the epoch before, can be read on, and is sealed anew by the next rotation.
 */
#ifndef SECRETS_STATE_H
#define SECRETS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store.h"
#include "pm-secrets/past.h"
#include "pm-secrets/ring.h"

#define STATE_KEY "secrets/state"

/* Between two looks at the note, in milliseconds. */
#define STATE_LOOK 1000

struct state;

struct state_options {
	struct ring *ring; /* whose epoch is set */
	struct past *past;
	/* Milliseconds after which each instance has heard of a note, or writes nothing. */
	int64_t time;
};

/* 0; PM_E_NOMEM. */
int state_new(struct loop *loop, struct store *store, const struct state_options *options,
	struct state **ret_state);
/* Before its store. */
void state_free(struct state *state);

/* Do we know? From any thread. */
bool state_is_known(const struct state *state);

/* Has the store answered within so many milliseconds? From any thread. */
bool state_has_heard(const struct state *state, int64_t milliseconds);

/* Is a rotation under way? From any thread. */
bool state_is_rotating(const struct state *state);

/* Values sealed anew by this process. From any thread. */
uint64_t state_resealed(const struct state *state);

#endif
