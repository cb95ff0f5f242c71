/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker asks for a secret by its identifier. Whether there is none, or it may not have it: the
 * answer is the same, and so is the work before it, as something is opened in any case.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/clock.h"
#include "common/log.h"
#include "pm-secrets/access.h"
#include "pm-secrets/refusal.h"
#include "pm-secrets/worker.h"

/* How often the store is asked, when what it answered has changed already. */
#define TRIES_MAX 8

struct fetch {
	struct pm_mesh_identity who;
	char worker[HUB_WORKER_MAX + 1];
	char id[PM_COMMAND_ID_MAX + 1];
	struct record_value value;
	uint8_t version[RECORD_OWNER_SIZE];
	int64_t created, expires;
	uint64_t seen; /* revision of the store that the answer is of */
	unsigned int tries;
};

static bool check(struct job *job)
{
	const struct pm_mesh_identity *who = worker_check(job);

	if (!who)
		return false;
	job->fetch = calloc(1, sizeof(*job->fetch));
	if (!job->fetch) {
		job_fail(job, 503, "busy", "Out of memory.");
		return false;
	}
	job->fetch->who = *who;
	worker_name(who, job->fetch->worker);
	return true;
}

/* --- the answer ------------------------------------------------------------------------------ */

/* {"Secret": base64, "Expires": seconds, "Instance": who tells when it ends} */
static void answer(struct job *job)
{
	const struct fetch *f = job->fetch;
	size_t text_room = (f->value.len + 2) / 3 * 4 + 1, room = text_room + 128;
	char *text = malloc(text_room), *json = malloc(room);
	int n = -1;

	if (text && json &&
		pm_text_base64_encode(f->value.bytes, f->value.len, text, text_room) == PM_OK)
		n = snprintf(json, room,
			"{\"Secret\":\"%s\",\"Expires\":%lld,\"Instance\":\"%s\"}\n", text,
			(long long)f->expires, job->secrets->instance);
	if (n > 0) {
		atomic_fetch_add(&job->secrets->counts.released, 1);
		job_reply(job, 200, json, (size_t)n);
	} else {
		job_fail(job, 503, "busy", "Out of memory.");
	}
	if (text)
		explicit_bzero(text, text_room);
	if (json)
		explicit_bzero(json, room);
	free(text);
	free(json);
}

static void ask(struct job *job);

/* What was found is not the newest any more: another look. */
static void ask_again(struct job *job)
{
	struct fetch *f = job->fetch;

	record_value_free(&f->value);
	if (++f->tries < TRIES_MAX)
		ask(job);
	else
		job_fail(job, 503, "busy", "The secret changes too often.");
}

/*
 * While the line was written, the time may have come; or it was revoked, or replaced, and the
 * worker told so: what there is now, if anything, the store says. Who revoked it here when it was
 * opened and not yet noted told nobody, and this process knows of it.
 */
static void release(struct job *job)
{
	const struct fetch *f = job->fetch;

	if (f->expires <= clock_seconds())
		job_fail(job, 404, "not_found", "There is no such secret.");
	else if (!hub_has(job->secrets->hub, f->worker, f->id, f->version) ||
		 past_is_over(job->secrets->past, f->id, f->created))
		ask_again(job);
	else
		answer(job);
}

static void note_release(struct job *job)
{
	const struct fetch *f = job->fetch;
	const struct pm_audit_field fields[] = {
		{"id", f->id},
		{"role", f->who.role},
		{"replica", f->who.replica},
		{"request", http_id(job->exchange)},
	};

	job_note(job, "secret.released", fields, 4, release);
}

static void note_refusal(struct job *job)
{
	const struct fetch *f = job->fetch;
	const struct pm_audit_field fields[] = {
		{"id", f->id},
		{"role", f->who.role},
		{"replica", f->who.replica},
	};

	atomic_fetch_add(&job->secrets->counts.not_released, 1);
	refusal_note(job, "secret.refused", fields, 3);
}

/* --- the decision ---------------------------------------------------------------------------- */

static const struct store_entry *entry_of(const struct store_result *result)
{
	return result->error == PM_OK && result->count == 1 ? &result->entries[0] : NULL;
}

/* Opens what was found, or something as good that nobody gets. Begins and ends with a refusal. */
static bool decide(struct job *job, const struct store_entry *entry)
{
	struct fetch *f = job->fetch;
	struct record record = {0};
	bool allowed, opened;
	int r;

	if (entry)
		r = record_open(job->ring, f->id, entry->value, entry->len, &record, &f->value);
	else
		r = record_open(job->ring, SECRETS_DECOY, job->loop->decoy, job->loop->decoy_len,
			&record, &f->value);
	atomic_fetch_add(&job->secrets->counts.opened, 1);
	if (entry && r < 0)
		log_event(LOG_LEVEL_WARN, "value not authentic", "id", f->id, NULL);
	opened = entry && r == PM_OK && !past_is_over(job->secrets->past, f->id, record.created);
	allowed =
		access_may_have(job->identity->manifest, &f->who, f->id, &record, clock_seconds());
	f->created = record.created;
	f->expires = record.expires;
	memcpy(f->version, record.owner, sizeof(f->version));
	return opened && allowed;
}

/* First: what is revoked from here on is told. What was revoked while the answer came is not. */
static void remember(struct job *job)
{
	struct fetch *f = job->fetch;
	int r = hub_note(job->secrets->hub, f->worker, f->id, f->version, f->expires, f->seen);

	if (r == PM_OK)
		note_release(job);
	else if (r == PM_E_STALE)
		ask_again(job);
	else
		job_fail(job, 503, "busy", "This worker has too many secrets.");
}

static void on_found(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	const struct store_entry *entry = entry_of(result);
	struct fetch *f = job->fetch;

	job->op = NULL;
	if (result->error < 0 && result->error != PM_E_MISSING) {
		job_fail_store(job, result);
		return;
	}
	if (!decide(job, entry)) {
		record_value_free(&f->value);
		note_refusal(job);
		job_fail(job, 404, "not_found", "There is no such secret.");
		return;
	}
	/* What came between the answer's revision and its reading is in it as well. */
	f->seen = result->revision > entry->revision ? result->revision : entry->revision;
	remember(job);
}

static void ask(struct job *job)
{
	struct fetch *f = job->fetch;
	char key[RECORD_KEY_SIZE];

	record_key(f->id, key);
	job->op = store_get(job->loop->store, key, on_found, job);
	if (!job->op)
		job_fail_store(job, NULL);
}

/* --- the request ----------------------------------------------------------------------------- */

/* {"Id": text} */
static bool read_id(const struct job *job, char ret[PM_COMMAND_ID_MAX + 1])
{
	const char *json = job->in.bytes ? job->in.bytes : "";
	json_t *root = json_loadb(json, job->in.len, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(root, "Id"));
	bool good = id && json_object_size(root) == 1 && record_is_id(id);

	if (good)
		strcpy(ret, id); /* record_is_id() bounds it */
	json_decref(root);
	return good;
}

static void run(struct job *job)
{
	if (!read_id(job, job->fetch->id))
		job_fail(job, 400, "bad_request", "Expected the Id of one secret.");
	else
		ask(job);
}

static void end(struct job *job)
{
	if (job->fetch)
		record_value_free(&job->fetch->value);
	free(job->fetch);
}

const struct job_kind job_fetch = {
	JOB_FETCH_PATH, JOB_WORKER_BODY_MAX, check, run, end, NULL, NULL};
