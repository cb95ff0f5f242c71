/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/round.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/log.h"
#include "pm-agent/demands.h"
#include "pm-agent/file.h"

/* Longest key of claims: more than any that there is. */
#define KEY_MAX 65536

/* A failure of a call about the host as a whole. */
static int judged(struct round *r, int error)
{
	return error < 0 ? note_report(&r->note, error, "", r->report) : PM_OK;
}

/* --- before any evidence --------------------------------------------------------------------- */

static int open_host(struct round *r)
{
	int error = pm_gpu_host_open(r->o->nvml, r->report, &r->host);

	if (error == PM_E_MISSING) /* this machine's lack, not the evidence's fault */
		return note_report(&r->note, PM_E_SYS, "", r->report);
	return judged(r, error);
}

static int read_state(struct round *r)
{
	int error = pm_gpu_host_state(r->host, r->report, &r->state);

	if (error < 0)
		return judged(r, error);
	r->has_state = true;
	r->ready = r->state.ready;
	return PM_OK;
}

static int check_mode(struct round *r)
{
	return judged(r, pm_gpu_host_check_mode(&r->state, r->report));
}

static int load_demands(struct round *r)
{
	return demands_load(r->o, r->now, &r->note, &r->policy, &r->min_count);
}

static int check_count(struct round *r)
{
	size_t count = pm_gpu_host_count(r->host);

	if (r->o->count && count != r->o->count)
		return note_fail(
			&r->note, PM_E_REJECTED, "", "%zu GPUs, expected %zu", count, r->o->count);
	if (count < r->min_count)
		return note_fail(&r->note, PM_E_REJECTED, "", "%zu GPUs, expected at least %zu",
			count, r->min_count);
	return PM_OK;
}

/* --- nonces ---------------------------------------------------------------------------------- */

static int draw(struct round *r, uint8_t *ret)
{
	ssize_t n = getrandom(ret, PM_GPU_NONCE_SIZE, 0);

	if (n == PM_GPU_NONCE_SIZE)
		return PM_OK;
	return note_fail(&r->note, PM_E_SYS, "", "getrandom: %s", strerror(errno));
}

/* With a key all devices get the one nonce that binds them to it; else each its own. */
static int nonce_of_key(struct round *r, uint8_t *ret)
{
	uint8_t *key = NULL;
	size_t size;
	int error = file_read(r->o->key, KEY_MAX, &r->note, &key, &size);

	if (error == PM_OK && !size)
		error = note_fail(&r->note, PM_E_FORMAT, "", "%s: empty", r->o->key);
	if (error == PM_OK)
		error = pm_bundle_gpu_nonce(r->epoch_nonce, key, size, ret);
	free(key);
	return error;
}

static int draw_epoch(struct round *r)
{
	if (!r->o->has_epoch_nonce)
		return draw(r, r->epoch_nonce);
	memcpy(r->epoch_nonce, r->o->epoch_nonce, sizeof(r->epoch_nonce));
	return PM_OK;
}

/* --- evidence -------------------------------------------------------------------------------- */

struct device *round_add_device(struct round *r, const char *name)
{
	struct device *d = &r->devices[r->count];

	if (r->count == PM_GPU_SET_MAX) {
		note_fail(&r->note, PM_E_LIMIT, "", "more than %d devices", PM_GPU_SET_MAX);
		return NULL;
	}
	d->report = pm_report_new();
	if (!d->report) {
		note_fail(&r->note, PM_E_NOMEM, "", "out of memory");
		return NULL;
	}
	snprintf(d->name, sizeof(d->name), "%s", name);
	r->count++;
	return d;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

int device_take(struct round *r, struct device *d, const uint8_t *report_bytes, size_t report_size,
	const uint8_t *certs, size_t certs_size)
{
	int error;

	d->report_bytes = copy_of(report_bytes, report_size);
	d->certs = copy_of(certs, certs_size);
	d->report_size = report_size;
	d->certs_size = certs_size;
	if (!d->report_bytes || !d->certs)
		return note_fail(&r->note, PM_E_NOMEM, d->name, "out of memory");
	error = pm_gpu_evidence_parse(report_bytes, report_size, 0, d->report, &d->evidence);
	if (error == PM_OK)
		error = pm_gpu_evidence_add_certs(d->evidence, certs, certs_size, d->report);
	d->error = error;
	return error < 0 ? note_report(&r->note, error, d->name, d->report) : PM_OK;
}

static int collect_gpu(struct round *r, size_t index, struct device *d)
{
	struct pm_gpu_collected *c = NULL;
	const uint8_t *bytes, *certs;
	size_t size, certs_size;
	int error = pm_gpu_host_collect(r->host, index, d->nonce, d->report, &c);

	if (error < 0) {
		d->error = error;
		return note_report(&r->note, error, d->name, d->report);
	}
	bytes = pm_gpu_collected_report(c, &size);
	certs = pm_gpu_collected_certs(c, &certs_size);
	error = device_take(r, d, bytes, size, certs, certs_size);
	pm_gpu_collected_free(c);
	return error;
}

static int add_gpu(struct round *r, size_t index)
{
	const struct pm_gpu_device *gpu = pm_gpu_host_device(r->host, index);
	char name[160];
	struct device *d;
	int error;

	snprintf(name, sizeof(name), "GPU %zu (%s)", index, gpu->uuid);
	d = round_add_device(r, name);
	if (!d)
		return r->note.error;
	d->gpu = gpu;
	r->gpu_count++;
	error = r->o->key ? nonce_of_key(r, d->nonce) : draw(r, d->nonce);
	return error < 0 ? error : collect_gpu(r, index, d);
}

/* All are asked, also when one has failed: its reason is the first, the others are told too. */
static int collect_gpus(struct round *r)
{
	int first = draw_epoch(r);

	for (size_t i = 0; i < pm_gpu_host_count(r->host); i++) {
		int error = add_gpu(r, i);

		if (first == PM_OK)
			first = error;
	}
	return first < 0 ? note_fail(&r->note, first, "", "%s", pm_strerror(first)) : PM_OK;
}

/* --- the verdict ----------------------------------------------------------------------------- */

static int check_set(struct round *r)
{
	const struct pm_gpu_facts *facts[PM_GPU_SET_MAX];
	int error;

	for (size_t i = 0; i < r->count; i++)
		facts[i] = r->devices[i].facts;
	error = pm_gpu_verify_set(facts, r->count, r->gpu_count, r->o->set_flags, r->report);
	if (error < 0)
		return judged(r, error);
	r->valid_until = INT64_MAX;
	for (size_t i = 0; i < r->count; i++) {
		r->test_root = r->test_root || facts[i]->test_root;
		if (facts[i]->valid_until < r->valid_until)
			r->valid_until = facts[i]->valid_until;
	}
	return PM_OK;
}

static int check_same(struct round *r)
{
	return judged(r, pm_gpu_host_check_same(r->host, r->report));
}

static int set_ready(struct round *r, int ready)
{
	int error = pm_gpu_host_set_ready(r->host, ready, r->report);

	r->ready = error == PM_OK ? ready : -1;
	return judged(r, error);
}

/* CUDA answers only once the GPUs are ready: then it is asked at once, and a no takes that back. */
static int make_ready(struct round *r)
{
	int error = cuda_check(r);

	if (error < 0 && error != PM_E_STATE)
		return error;
	if (r->o->no_ready)
		return PM_OK;
	if (!r->ready || error == PM_E_STATE) {
		int set = set_ready(r, 1);

		if (set < 0)
			return set;
	}
	if (error != PM_E_STATE)
		return PM_OK;
	error = cuda_check(r);
	return error < 0 ? note_fail(&r->note, error, "", "CUDA does not answer") : PM_OK;
}

/* Without the host: when the GPUs could not be listed, they must not be used all the more. */
static int clear(struct round *r)
{
	int error = pm_gpu_host_clear_ready(r->o->nvml, r->report);

	r->ready = error == PM_OK ? 0 : -1;
	if (error == PM_E_MISSING) /* as above */
		error = PM_E_SYS;
	return judged(r, error);
}

/* Fail safe: nobody uses a GPU that did not pass, whatever the state was before. */
static void make_unready(struct round *r)
{
	pm_report_reset(r->report);
	if (r->o->no_ready)
		return;
	if (clear(r) < 0)
		log_event(LOG_LEVEL_ERROR, "not-cleared", "reason", pm_report_reason(r->report),
			NULL);
}

/* Each step notes why it fails. Only the last one lets the GPUs accept work. */
static int (*const steps[])(struct round *r) = {
	open_host,
	read_state,
	load_demands,
	check_mode,
	check_count,
	collect_gpus,
	switches_collect,
	judge_devices,
	check_set,
	check_same,
	evidence_write,
	make_ready,
};

static bool begin(struct agent_options *o, struct round *r)
{
	*r = (struct round){.o = o, .now = time(NULL), .ready = -1};
	r->report = pm_report_new();
	if (!r->report)
		note_fail(&r->note, PM_E_NOMEM, "", "out of memory");
	return r->report != NULL;
}

void round_run(struct agent_options *o, struct round *r)
{
	int error = PM_OK;

	if (!begin(o, r))
		return;
	for (size_t i = 0; error == PM_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		error = steps[i](r);
	if (error == PM_OK)
		return;
	note_fail(&r->note, error, "", "%s", pm_strerror(error));
	make_unready(r);
	evidence_remove(o);
}

void round_clear(struct agent_options *o, struct round *r)
{
	if (!begin(o, r))
		return;
	r->cleared = clear(r) == PM_OK;
	evidence_remove(o);
}

void round_free(struct round *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->devices[i].report_bytes);
		free(r->devices[i].certs);
		pm_gpu_evidence_free(r->devices[i].evidence);
		pm_report_free(r->devices[i].report);
	}
	pm_gpu_collateral_free(r->collateral);
	pm_gpu_policy_free(r->policy);
	pm_gpu_host_close(r->host);
	pm_report_free(r->report);
}
