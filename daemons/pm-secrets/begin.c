/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/begin.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "pm-secrets/job.h"

/* Between two looks for secrets whose time has come, in milliseconds. */
#define TICK 500
/* The size of what is opened where there is nothing: that of clients' secrets. */
#define DECOY_SIZE 32

bool secrets_is_ready(const struct secrets *secrets)
{
	const struct state *state = atomic_load(&secrets->state);

	return state && state_is_known(state) && !atomic_load(&secrets->is_foreign) &&
	       mesh_is_ready(secrets->mesh);
}

bool secrets_hears(const struct secrets *secrets)
{
	const struct state *state = atomic_load(&secrets->state);
	const struct follow *follow = atomic_load(&secrets->follow);

	return state && follow && state_has_heard(state, SECRETS_DEAF) &&
	       !follow_is_lost(follow, SECRETS_DEAF);
}

/* --- when the first identity comes ----------------------------------------------------------- */

/* The same secret for all loops, and for as long as the process lives. */
static struct ring *get_ring(struct secrets *s, const uint8_t *secret)
{
	struct ring *ring;

	pthread_mutex_lock(&s->lock);
	ring = atomic_load(&s->ring);
	if (!ring && ring_new(secret, &ring) == PM_OK)
		atomic_store(&s->ring, ring);
	pthread_mutex_unlock(&s->lock);
	return ring;
}

static int make_decoy(struct secrets_loop *own, struct ring *ring)
{
	uint8_t zeros[DECOY_SIZE] = {0};
	const struct record_value value = {zeros, sizeof(zeros)};
	const struct record record = {.kind = RECORD_CLIENT, .rule_len = RECORD_NO_RULE};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = record_seal(ring, SECRETS_DECOY, &record, &value, &bytes, &len);

	if (r < 0)
		return r;
	free(own->decoy);
	own->decoy = bytes;
	own->decoy_len = len;
	return PM_OK;
}

static int make_trail(struct secrets_loop *own, struct ring *ring)
{
	const struct secrets *s = own->secrets;
	char name[PM_AUDIT_NAME_MAX];
	const struct trail_options options = {
		.name = name,
		.key = ring_audit_key(ring),
		.keep_seconds = (int64_t)s->options->log_days * 86400,
	};
	int r;

	snprintf(name, sizeof(name), "secrets.%s.%d", s->instance, own->loop->index);
	r = trail_new(own->loop, own->store, &options, &own->trail);
	if (r < 0 || own->loop->index != 0)
		return r;
	own->witness = witness_new(own->loop, own->store, &options, own->trail);
	return own->witness ? PM_OK : PM_E_NOMEM;
}

/* Of the first loop. */
static int make_watchers(struct secrets_loop *own, struct ring *ring)
{
	struct secrets *s = own->secrets;
	const struct state_options options = {ring, s->past, s->options->rotation_time};
	int r;

	if (own->loop->index != 0)
		return PM_OK;
	own->follow = follow_new(own->loop, own->store, s->hub);
	if (!own->follow)
		return PM_E_NOMEM;
	atomic_store(&s->follow, own->follow);
	r = state_new(own->loop, own->store, &options, &own->state);
	if (r == PM_OK)
		atomic_store(&s->state, own->state);
	return r;
}

/* Who verifies the log, and who watches it, must know how long the store keeps it. */
static void note_begin(struct secrets_loop *own, const struct mesh_identity *identity)
{
	char serial[24], days[16];
	const struct pm_audit_field fields[] = {
		{"replica", identity->who->replica},
		{"serial", serial},
		{"days", days},
	};

	snprintf(
		serial, sizeof(serial), "%llu", (unsigned long long)identity->who->manifest_serial);
	snprintf(days, sizeof(days), "%u", (unsigned int)own->secrets->options->log_days);
	(void)trail_note(own->trail, "instance.began", fields, 3, NULL, NULL, NULL);
}

static int become(struct secrets_loop *own, const struct mesh_identity *identity)
{
	struct ring *ring = get_ring(own->secrets, identity->secret);
	int r = ring ? PM_OK : PM_E_NOMEM;

	if (r == PM_OK && !ring_is_of(ring, identity->secret)) {
		atomic_store(&own->secrets->is_foreign, true);
		return PM_E_REJECTED;
	}
	atomic_store(&own->secrets->is_foreign, false);
	if (r < 0 || own->trail)
		return r;
	r = make_decoy(own, ring);
	if (r == PM_OK)
		r = make_watchers(own, ring);
	if (r == PM_OK)
		r = make_trail(own, ring);
	if (r == PM_OK)
		note_begin(own, identity);
	return r;
}

static void on_identity(void *arg, const struct mesh_identity *identity)
{
	struct secrets_loop *own = arg;
	int r;

	if (!identity)
		return;
	if (!identity->secret) {
		log_event(LOG_LEVEL_ERROR, "no workload secret", "role", identity->who->role, NULL);
		return;
	}
	r = become(own, identity);
	if (r == PM_E_REJECTED)
		log_event(LOG_LEVEL_ERROR, "another workload secret", NULL);
	else if (r < 0)
		log_event(LOG_LEVEL_ERROR, "failed", "reason", pm_strerror(r), NULL);
}

/* --- loops ----------------------------------------------------------------------------------- */

/* Values of the decoy's epoch shall be opened as others are. */
static void renew_decoy(struct secrets_loop *own)
{
	struct ring *ring = atomic_load(&own->secrets->ring);
	uint32_t epoch = 0;

	if (ring && own->decoy &&
		(record_epoch(own->decoy, own->decoy_len, &epoch) < 0 ||
			epoch != ring_epoch(ring)) &&
		make_decoy(own, ring) < 0)
		log_event(LOG_LEVEL_WARN, "no decoy", NULL);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct secrets_loop *own = arg;

	(void)fd;
	(void)what;
	renew_decoy(own);
	if (own->loop->index == 0)
		hub_sweep(own->secrets->hub, clock_seconds());
}

static int start_tick(struct secrets_loop *own)
{
	struct timeval period = loop_time(TICK);

	own->tick = event_new(own->loop->base, -1, EV_PERSIST, on_tick, own);
	return own->tick && !event_add(own->tick, &period) ? PM_OK : PM_E_NOMEM;
}

int secrets_open_loop(struct loop *loop, void *arg)
{
	struct secrets_loop *own = calloc(1, sizeof(*own));
	struct secrets *secrets = arg;
	int r;

	if (!own)
		return PM_E_NOMEM;
	own->secrets = secrets;
	own->loop = loop;
	loop->user = own;
	r = store_open_by_options(
		loop, &secrets->options->store, &secrets->store_files, &own->store);
	if (r == PM_OK)
		r = start_tick(own);
	if (r == PM_OK)
		r = mesh_watch(secrets->mesh, loop, on_identity, own);
	if (r < 0)
		secrets_close_loop(loop, arg);
	return r;
}

void secrets_close_loop(struct loop *loop, void *arg)
{
	struct secrets_loop *own = loop->user;
	struct secrets *s = arg;

	if (!own)
		return;
	if (own->state)
		atomic_store(&s->state, NULL);
	if (own->follow)
		atomic_store(&s->follow, NULL);
	witness_free(own->witness);
	trail_free(own->trail);
	follow_free(own->follow);
	state_free(own->state);
	if (own->tick)
		event_free(own->tick);
	if (own->store)
		store_close(own->store);
	free(own->decoy);
	free(own);
	loop->user = NULL;
}

void secrets_drain(struct loop *loop, void *arg)
{
	(void)arg;
	job_end_watches(loop->user);
}

int secrets_begin(struct service *service, void *arg)
{
	struct secrets *s = arg;

	return mesh_begin(s->mesh, service);
}

void secrets_end(void *arg)
{
	struct secrets *s = arg;

	mesh_end(s->mesh);
}
