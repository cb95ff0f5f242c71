/* SPDX-License-Identifier: Apache-2.0 */
/* What owners do with one secret, and with the epoch. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/clock.h"
#include "pm-secrets/admin.h"
#include "pm-secrets/state_note.h"

/* Takes the reference. */
static void reply(struct job *job, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (text)
		admin_reply(job, 200, text, strlen(text));
	else
		admin_fail(job, 503, "busy", "Out of memory.");
	free(text);
}

/* False, and the answer is given, when the store has no such secret, or failed. */
static bool was_there(struct job *job, const struct store_result *result)
{
	job->op = NULL;
	if (result->error == PM_E_MISSING)
		admin_fail(job, 404, "not_found", "There is no such secret.");
	else if (result->error < 0)
		admin_fail_store(job, result);
	return result->error == PM_OK;
}

/* --- put ------------------------------------------------------------------------------------- */

static void on_put(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	const struct pm_command_statement *s = pm_command_statement(job->admin->command);

	job->op = NULL;
	if (result->error < 0)
		admin_fail_store(job, result);
	else
		reply(job, json_pack("{s:s, s:I}", "Id", s->id, "Expires", (json_int_t)s->expires));
}

static int put(struct job *job, const struct record *record)
{
	struct admin *a = job->admin;
	char key[RECORD_KEY_SIZE];
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = record_seal(job->ring, a->id, record, &a->value, &bytes, &len);

	if (r < 0)
		return r;
	record_key(a->id, key);
	job->op = store_put(
		job->loop->store, key, bytes, len, record->expires, STORE_ANY, on_put, job);
	free(bytes);
	return job->op ? PM_OK : PM_E_NOMEM;
}

void admin_put(struct job *job)
{
	const struct pm_command_statement *s = pm_command_statement(job->admin->command);
	struct record record = {
		.kind = RECORD_OWNERS, .created = clock_seconds(), .expires = s->expires};
	int r = record_set_rule(&record, s);

	memcpy(record.owner, job->admin->digest, sizeof(record.owner));
	if (r == PM_OK)
		r = put(job, &record);
	if (r == PM_E_LIMIT)
		admin_fail(job, 413, "too_large", "The secret, or its rule, is too large.");
	else if (r < 0)
		admin_fail_store(job, NULL);
}

/* --- revoke ---------------------------------------------------------------------------------- */

/* Between two looks whether the second is over. */
#define SECOND_LOOK 20

static void tell_revoked(struct job *job)
{
	if (job->admin->was_there)
		reply(job, json_pack("{s:s}", "Id", job->admin->id));
	else
		admin_fail(job, 404, "not_found", "There is no such secret.");
}

/*
 * What is put in the second of an end is over, too, by the clock of whatever instance puts it: so
 * who waits for our answer puts it later.
 */
static void wait_for_second(struct job *job)
{
	struct timeval time = loop_time(SECOND_LOOK);

	if (clock_seconds() > job->admin->ended)
		tell_revoked(job);
	else if (evtimer_add(job->admin->timer, &time) < 0)
		admin_fail_store(job, NULL);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	wait_for_second(arg);
}

static void on_revoked(void *arg, const struct store_result *result)
{
	struct job *job = arg;

	job->op = NULL;
	job->admin->was_there = result->error == PM_OK;
	if (result->error < 0 && result->error != PM_E_MISSING)
		admin_fail_store(job, result);
	else
		wait_for_second(job);
}

void admin_revoke(struct job *job)
{
	struct admin *a = job->admin;
	char key[RECORD_KEY_SIZE];

	a->ended = clock_seconds();
	a->timer = evtimer_new(job->loop->loop->base, on_second, job);
	/* First: whatever the store says then, what was there is over. */
	if (!a->timer || past_end(job->secrets->past, a->id, a->ended) < 0) {
		admin_fail(job, 503, "busy", "Out of memory.");
		return;
	}
	hub_ended(job->secrets->hub, a->id, a->ended);
	record_key(a->id, key);
	job->op = store_delete(job->loop->store, key, STORE_ANY, on_revoked, job);
	if (!job->op)
		admin_fail_store(job, NULL);
}

/* --- show ------------------------------------------------------------------------------------ */

static const char *kind_name(enum record_kind kind)
{
	switch (kind) {
	case RECORD_CLIENT:
		return "client";
	case RECORD_OPERATOR:
		return "operator";
	default:
		return "owners";
	}
}

static void show(struct job *job, const struct store_entry *e)
{
	char owner[2 * RECORD_OWNER_SIZE + 1];
	struct record_value value = {0};
	struct record record;
	uint32_t epoch = 0;
	int r = record_open(job->ring, job->admin->id, e->value, e->len, &record, &value);

	if (r == PM_OK)
		r = record_epoch(e->value, e->len, &epoch);
	if (r < 0 || record.expires <= job->now ||
		past_is_over(job->secrets->past, job->admin->id, record.created)) {
		admin_fail(job, 404, "not_found", "There is no such secret.");
	} else {
		pm_hex_encode(record.owner, sizeof(record.owner), owner);
		reply(job,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:o}", "Id", job->admin->id,
				"Kind", kind_name(record.kind), "Created",
				(json_int_t)record.created, "Expires", (json_int_t)record.expires,
				"Size", (json_int_t)value.len, "Epoch", (json_int_t)epoch, "Owner",
				owner, "Rule", record_rule_json(&record)));
	}
	record_value_free(&value);
}

static void on_shown(void *arg, const struct store_result *result)
{
	struct job *job = arg;

	if (was_there(job, result))
		show(job, &result->entries[0]);
}

void admin_show(struct job *job)
{
	char key[RECORD_KEY_SIZE];

	record_key(job->admin->id, key);
	job->op = store_get(job->loop->store, key, on_shown, job);
	if (!job->op)
		admin_fail_store(job, NULL);
}

/* --- rotate ---------------------------------------------------------------------------------- */

static void on_rotating(void *arg, const struct store_result *result)
{
	struct job *job = arg;

	job->op = NULL;
	if (result->error == PM_E_STATE)
		admin_fail(job, 409, "rotating", "A rotation was begun at the same time.");
	else if (result->error < 0)
		admin_fail_store(job, result);
	else
		reply(job, json_pack("{s:b}", "Rotating", 1));
}

static int rotate(struct job *job, const struct store_entry *e)
{
	struct state_note now, next;
	uint8_t bytes[STATE_NOTE_SIZE];
	int r = state_note_open(job->ring, e->value, e->len, &now);

	/* An earlier one that a store has put back. */
	if (r == PM_OK && now.epoch < ring_epoch(job->ring))
		r = PM_E_REJECTED;
	if (r == PM_OK)
		r = state_note_rotate(&now, &next);
	if (r == PM_OK)
		r = state_note_seal(job->ring, &next, bytes);
	if (r < 0)
		return r;
	job->op = store_put(job->loop->store, STATE_KEY, bytes, sizeof(bytes), 0, e->revision,
		on_rotating, job);
	return job->op ? PM_OK : PM_E_NOMEM;
}

static void on_state(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	int r = result->error;

	job->op = NULL;
	if (r == PM_OK)
		r = rotate(job, &result->entries[0]);
	else
		r = PM_E_NET;
	if (r == PM_E_STATE)
		admin_fail(job, 409, "rotating", "A rotation is under way.");
	else if (r < 0)
		admin_fail_store(job, result->error < 0 ? result : NULL);
}

void admin_rotate(struct job *job)
{
	job->op = store_get(job->loop->store, STATE_KEY, on_state, job);
	if (!job->op)
		admin_fail_store(job, NULL);
}
