/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/state.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "pm-secrets/state_note.h"
#include "pm-secrets/walk.h"

struct state {
	struct loop *loop;
	struct store *store;
	struct state_options options;
	struct event *look;
	struct store_op *op;
	struct walk *walk;
	int64_t asked;		/* when the note that comes was asked for */
	_Atomic(int64_t) known; /* when that of the last one was; 0: never */
	int64_t rotating_since; /* as this process saw it */
	int64_t wait;		/* until it walks */
	struct state_note note; /* as it is in the store */
	uint64_t revision;
	atomic_bool is_rotating;
	atomic_uint_fast64_t resealed;
};

static void look_later(struct state *state)
{
	struct timeval time = loop_time(STATE_LOOK);

	evtimer_add(state->look, &time);
}

/* --- the note -------------------------------------------------------------------------------- */

static void on_written(void *arg, const struct store_result *result)
{
	struct state *state = arg;

	/* Who came first, or whether it was done: the next look tells. */
	state->op = NULL;
	if (result->error < 0 && result->error != PM_E_STATE)
		log_event(LOG_LEVEL_WARN, "epoch not written", "reason", result->reason, NULL);
	if (result->error == PM_OK || result->error == PM_E_STATE)
		event_active(state->look, 0, 0);
	else
		look_later(state);
}

static void write_note(struct state *state, const struct state_note *note, uint64_t if_revision)
{
	uint8_t bytes[STATE_NOTE_SIZE];

	if (state_note_seal(state->options.ring, note, bytes) == PM_OK)
		state->op = store_put(state->store, STATE_KEY, bytes, sizeof(bytes), 0, if_revision,
			on_written, state);
	if (!state->op)
		look_later(state);
}

/* --- rotation -------------------------------------------------------------------------------- */

static void on_walked(void *arg, bool whole, uint64_t resealed)
{
	struct state_note settled;
	struct state *state = arg;

	walk_free(state->walk);
	state->walk = NULL;
	atomic_fetch_add(&state->resealed, resealed);
	if (!whole)
		return; /* it is tried again */
	log_event(LOG_LEVEL_INFO, "rotated", NULL);
	settled = (struct state_note){state->note.epoch, false};
	/* A look may be under way: it then sees the rotation go on, and walks once more. */
	if (!state->op)
		write_note(state, &settled, state->revision);
}

static void walk_when_due(struct state *state)
{
	int64_t now = loop_now();

	if (!state->note.is_rotating) {
		state->rotating_since = 0;
		return;
	}
	if (!state->rotating_since) {
		state->rotating_since = now;
		/* Not all instances at once: those that come later find little to do. */
		state->wait = state->options.time + (int64_t)(state->loop->id_base % 1000);
	}
	if (state->walk || now - state->rotating_since < state->wait)
		return;
	state->walk =
		walk_new(state->store, state->options.ring, state->options.past, on_walked, state);
}

/* --- looking --------------------------------------------------------------------------------- */

static void take_note(struct state *state, const struct state_note *note, uint64_t revision)
{
	if (note->epoch < ring_epoch(state->options.ring)) {
		log_event(LOG_LEVEL_ERROR, "store shows an earlier epoch", NULL);
		return;
	}
	state->note = *note;
	state->revision = revision;
	ring_set_epoch(state->options.ring, note->epoch, note->is_rotating);
	atomic_store(&state->is_rotating, note->is_rotating);
	atomic_store(&state->known, state->asked);
	walk_when_due(state);
}

/* There is none: it is the first epoch, or the store has lost what we know, and gets it again. */
static void write_lost_note(struct state *state)
{
	static const struct state_note first = {RING_FIRST, false};
	bool was_known = atomic_load(&state->known) != 0;

	if (was_known)
		log_event(LOG_LEVEL_ERROR, "store has lost the epoch", NULL);
	write_note(state, was_known ? &state->note : &first, 0);
}

static void on_note(void *arg, const struct store_result *result)
{
	const struct store_entry *e = result->entries;
	struct state *state = arg;
	struct state_note note;

	state->op = NULL;
	if (result->error == PM_E_MISSING) {
		write_lost_note(state);
		return;
	}
	if (result->error < 0)
		log_event(LOG_LEVEL_WARN, "epoch not known", "reason", result->reason, NULL);
	else if (state_note_open(state->options.ring, e->value, e->len, &note) < 0)
		log_event(LOG_LEVEL_ERROR, "epoch not authentic", NULL);
	else
		take_note(state, &note, e->revision);
	if (!state->op)
		look_later(state);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct state *state = arg;

	(void)fd;
	(void)what;
	if (state->op)
		return;
	state->asked = loop_now();
	state->op = store_get(state->store, STATE_KEY, on_note, state);
	if (!state->op)
		look_later(state);
}

/* --- the doors ------------------------------------------------------------------------------- */

int state_new(struct loop *loop, struct store *store, const struct state_options *options,
	struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return PM_E_NOMEM;
	state->loop = loop;
	state->store = store;
	state->options = *options;
	state->look = evtimer_new(loop->base, on_look, state);
	if (!state->look) {
		free(state);
		return PM_E_NOMEM;
	}
	event_active(state->look, 0, 0);
	*ret_state = state;
	return PM_OK;
}

void state_free(struct state *state)
{
	if (!state)
		return;
	if (state->op)
		store_cancel(state->op);
	walk_free(state->walk);
	event_free(state->look);
	free(state);
}

bool state_has_heard(const struct state *state, int64_t milliseconds)
{
	int64_t known = atomic_load(&state->known);

	return known && loop_now() - known < milliseconds;
}

bool state_is_known(const struct state *state)
{
	return state_has_heard(state, state->options.time);
}

bool state_is_rotating(const struct state *state)
{
	return atomic_load(&state->is_rotating);
}

uint64_t state_resealed(const struct state *state)
{
	return atomic_load(&state->resealed);
}
