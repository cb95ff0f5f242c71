/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write of the head: compare and swap, again and again until it is certain whether it was done.
 * Until then the keys are kept: a write whose answer was lost may have taken force.
 */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "pm-coordinator/coordinator.h"

#define RETRY_MILLISECONDS 500

struct commit {
	struct coordinator *c;
	struct tenure *tenure;
	struct pm_seed *seed; /* NULL: that of the coordinator stays */
	char *text;
	uint64_t if_revision;
	int64_t asked;
	bool is_reading; /* what stands there, after it was refused */
	struct event *retry;
	commit_done *done;
	void *arg;
};

static void go_on(struct commit *commit);

void commit_free(struct commit *commit)
{
	if (!commit)
		return;
	tenure_free(commit->tenure);
	pm_seed_free(commit->seed);
	if (commit->retry)
		event_free(commit->retry);
	free(commit->text);
	free(commit);
}

static void finish(struct commit *commit, bool taken)
{
	struct coordinator *c = commit->c;
	commit_done *done = commit->done;
	void *arg = commit->arg;

	c->commit = NULL;
	if (taken) {
		if (commit->seed)
			coordinator_set_seed(c, commit->seed);
		commit->seed = NULL;
		commit->tenure->head->at = c->machine.own;
		/* Without memory the keys are lost, and it is sealed: as after a crash. */
		if (coordinator_install(c, commit->tenure))
			commit->tenure = NULL;
		else
			abort();
	}
	commit_free(commit);
	if (!taken)
		look_now(c);
	if (done)
		done(arg, taken);
}

static void later(struct commit *commit, const char *reason)
{
	struct timeval time = loop_time(RETRY_MILLISECONDS);

	log_event(LOG_LEVEL_WARN, "store", "what", "head", "reason", reason, NULL);
	evtimer_add(commit->retry, &time);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

/* Somebody's head stands there: perhaps it is ours. */
static void on_read(struct commit *commit, const struct store_result *result)
{
	struct machine *m = &commit->c->machine;
	const struct store_entry *e = result->entries;
	struct head *head = NULL;
	bool ours;

	if (result->error != PM_OK && result->error != PM_E_MISSING) {
		later(commit, result->reason);
		return;
	}
	if (result->error == PM_OK)
		head = head_parse(e->value, e->len, e->revision);
	ours = machine_settled(m, head ? &head->at : NULL, commit->asked);
	head_free(head);
	finish(commit, ours);
}

static void on_store(void *arg, const struct store_result *result)
{
	struct commit *commit = arg;
	struct machine *m = &commit->c->machine;

	if (commit->is_reading) {
		on_read(commit, result);
	} else if (result->error == PM_OK) {
		machine_wrote(m, result->revision, commit->asked);
		finish(commit, true);
	} else if (result->error == PM_E_STATE) {
		commit->is_reading = true;
		go_on(commit);
	} else if (result->error == PM_E_LIMIT || result->error == PM_E_ARG) {
		log_event(LOG_LEVEL_ERROR, "store", "what", "head", "reason", result->reason, NULL);
		(void)machine_settled(m, NULL, commit->asked);
		finish(commit, false);
	} else {
		later(commit, result->reason);
	}
}

static void go_on(struct commit *commit)
{
	struct store *store = commit->c->store;
	struct store_op *op;

	commit->asked = loop_now();
	if (commit->is_reading)
		op = store_get(store, HEAD_KEY, on_store, commit);
	else
		op = store_put(store, HEAD_KEY, commit->text, strlen(commit->text), 0,
			commit->if_revision, on_store, commit);
	if (!op)
		later(commit, "out of memory");
}

bool commit_start(struct coordinator *c, enum machine_write why, struct tenure *tenure,
	struct pm_seed *seed, commit_done *done, void *arg)
{
	struct commit *commit = calloc(1, sizeof(*commit));

	if (commit)
		*commit = (struct commit){
			.c = c, .tenure = tenure, .seed = seed, .done = done, .arg = arg};
	if (commit) {
		commit->text = head_text(tenure->head);
		commit->retry = evtimer_new(c->loop->base, on_retry, commit);
	}
	if (!commit || !commit->text || !commit->retry ||
		tls_sha256(commit->text, strlen(commit->text), tenure->head->text) < 0 ||
		strlen(commit->text) > STORE_VALUE_MAX ||
		!machine_propose(
			&c->machine, why, &tenure->head->at, loop_now(), &commit->if_revision)) {
		if (!commit) {
			tenure_free(tenure);
			pm_seed_free(seed);
		}
		commit_free(commit);
		return false;
	}
	c->commit = commit;
	go_on(commit);
	return true;
}
