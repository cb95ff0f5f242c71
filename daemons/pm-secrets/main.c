/* SPDX-License-Identifier: Apache-2.0 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/metrics.h"
#include "pm-secrets/begin.h"
#include "pm-secrets/job.h"

#define PREFIX "pm_secrets"

/* --- metrics --------------------------------------------------------------------------------- */

static void write_epoch(struct evbuffer *out, const struct secrets *s)
{
	const struct state *state = atomic_load(&s->state);
	const struct ring *ring = atomic_load(&s->ring);

	if (!state || !ring)
		return;
	metrics_single(out, PREFIX "_epoch", "gauge", "Epoch of the keys that seal values.",
		ring_epoch(ring));
	metrics_single(out, PREFIX "_rotating", "gauge", "1 while values are sealed anew.",
		state_is_rotating(state));
	metrics_single(out, PREFIX "_resealed_total", "counter",
		"Values that this process has sealed anew.", (int64_t)state_resealed(state));
}

static void write_metrics(struct evbuffer *out, void *arg)
{
	struct secrets *s = arg;
	struct secrets_counts *c = &s->counts;
	const struct {
		const char *name, *help;
		atomic_uint_fast64_t *count;
	} rows[] = {
		{PREFIX "_agreed_total", "Secrets agreed on with clients.", &c->agreed},
		{PREFIX "_released_total", "Secrets released to workers.", &c->released},
		{PREFIX "_not_released_total", "Requests of workers that got none.",
			&c->not_released},
		{PREFIX "_opened_total", "Values opened to decide on a request of a worker.",
			&c->opened},
		{PREFIX "_commands_total", "Commands of owners that were obeyed.", &c->commands},
		{PREFIX "_commands_refused_total", "Commands that were refused.",
			&c->commands_refused},
		{PREFIX "_limited_total", "Requests above a rate.", &c->limited},
		{PREFIX "_unavailable_total", "Requests without a store or certificate.",
			&c->unavailable},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		metrics_single(out, rows[i].name, "counter", rows[i].help,
			(int64_t)atomic_load(rows[i].count));
	metrics_single(out, PREFIX "_noted", "gauge", "Secrets that workers here may hold.",
		(int64_t)hub_count(s->hub));
	write_epoch(out, s);
	mesh_metrics(s->mesh, out, PREFIX);
}

static bool is_ready(void *arg)
{
	return secrets_is_ready(arg);
}

/* --- the whole ------------------------------------------------------------------------------- */

static int set_up(struct secrets *s)
{
	const struct secrets_options *o = s->options;
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		warn("getrandom");
		return 2;
	}
	snprintf(s->instance, sizeof(s->instance), "%016llx", (unsigned long long)random);
	s->hub = hub_new();
	s->past = past_new();
	s->exchanges = limit_new(&o->exchanges);
	s->fetches = limit_new(&o->fetches);
	if (!s->hub || !s->past || !s->exchanges || !s->fetches) {
		warnx("out of memory");
		return 2;
	}
	hub_sweep(s->hub, clock_seconds()); /* it knows the time by that */
	if (store_files_read(&o->store, &s->store_files) != 0)
		return 2;
	return mesh_new(&o->mesh, &o->evidence, &s->mesh);
}

static int run(struct secrets *s)
{
	struct http_handler public = job_public_handler, mesh = job_mesh_handler;
	const struct daemon_program program = {
		.name = "pm-secrets",
		.metrics_prefix = PREFIX,
		.handler = &public,
		.mesh_handler = &mesh,
		.open_loop = secrets_open_loop,
		.close_loop = secrets_close_loop,
		.drain = secrets_drain,
		.begin = secrets_begin,
		.end = secrets_end,
		.is_ready = is_ready,
		.metrics = write_metrics,
		.arg = s,
	};

	public.arg = s;
	mesh.arg = s;
	return daemon_run(&s->options->common, &program);
}

int main(int argc, char **argv)
{
	struct secrets_options options;
	struct secrets secrets = {.options = &options, .lock = PTHREAD_MUTEX_INITIALIZER};
	int r = options_parse(argc, argv, &options);

	if (r != OPTIONS_RUN)
		return r;
	memory_wipe_freed();
	r = set_up(&secrets);
	if (r == 0)
		r = run(&secrets);
	mesh_free(secrets.mesh);
	hub_free(secrets.hub);
	past_free(secrets.past);
	limit_free(secrets.exchanges);
	limit_free(secrets.fetches);
	ring_free(atomic_load(&secrets.ring));
	store_files_clear(&secrets.store_files);
	return r;
}
