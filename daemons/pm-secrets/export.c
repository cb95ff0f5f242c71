/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that walk over the store, page by page, as fast as they are read: a backup, and the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/log.h"
#include "pm-secrets/admin.h"
#include "pm-secrets/backup.h"

#define PAGE 64

struct export
{
	const char *prefix;
	/* Writes what one entry gives to out. 0 or a negative enum pm_error. */
	int (*entry)(struct job * job, const struct store_entry *e);
	/* Writes what comes last. NULL: nothing. Likewise. */
	int (*last)(struct job * job);
	struct backup backup;
	struct buffer out;
	bool more, waits;  /* waits: until the client has read */
	uint64_t revision; /* of the store as the first page shows it */
	char after[STORE_KEY_MAX + 1];
};

void admin_export_free(struct export *export)
{
	if (!export)
		return;
	backup_free(&export->backup);
	buffer_free(&export->out);
	free(export);
}

/* A part of the answer went out: what is missing must not be taken for an end. */
static void cut(struct job *job, int error)
{
	log_event(LOG_LEVEL_WARN, "answer cut", "id", http_id(job->exchange), "reason",
		pm_strerror(error), NULL);
	job->is_over = true;
	http_abort(job->exchange);
}

static void on_page(void *arg, const struct store_result *result);

static void next_page(struct job *job)
{
	struct export *e = job->admin->export;

	job->op = store_list(job->loop->store, e->prefix, e->after, PAGE, on_page, job);
	if (!job->op)
		cut(job, PM_E_NOMEM);
}

static bool send_out(struct job *job)
{
	struct export *e = job->admin->export;
	bool good = !e->out.len || admin_piece(job, e->out.bytes, e->out.len);

	buffer_clear(&e->out);
	return good;
}

static void finish(struct job *job)
{
	struct export *e = job->admin->export;
	int r = e->last ? e->last(job) : PM_OK;

	if (r < 0)
		cut(job, r);
	else if (send_out(job))
		admin_end(job);
}

static int take_page(struct job *job, const struct store_result *result)
{
	struct export *e = job->admin->export;
	int r = result->error;

	e->more = result->more;
	if (!e->revision)
		e->revision = result->revision;
	for (size_t i = 0; r == PM_OK && i < result->count; i++) {
		r = e->entry(job, &result->entries[i]);
		strcpy(e->after, result->entries[i].key); /* the store's keys are no longer */
	}
	return r;
}

static void on_page(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	struct export *e = job->admin->export;
	int r = take_page(job, result);

	job->op = NULL;
	if (r < 0) {
		cut(job, r);
		return;
	}
	if (!send_out(job))
		return;
	if (!e->more)
		finish(job);
	else if (http_is_full(job->exchange))
		e->waits = true;
	else
		next_page(job);
}

void admin_export_drained(struct job *job)
{
	struct export *e = job->admin ? job->admin->export : NULL;

	if (!e || !e->waits)
		return;
	e->waits = false;
	next_page(job);
}

static struct export *begin(struct job *job, const char *prefix)
{
	struct export *e = calloc(1, sizeof(*e));

	if (!e) {
		admin_fail(job, 503, "busy", "Out of memory.");
		return NULL;
	}
	e->prefix = prefix;
	job->admin->export = e;
	return e;
}

/* --- backup ---------------------------------------------------------------------------------- */

/* Clients' secrets are theirs, and short-lived. */
static int back_up(struct job *job, const struct store_entry *entry)
{
	const char *id = entry->key + strlen(RECORD_PREFIX);
	struct export *e = job->admin->export;
	struct record_value value = {0};
	struct record record;
	int r = record_open(job->ring, id, entry->value, entry->len, &record, &value);

	if (r == PM_OK && record.kind == RECORD_OWNERS && record.expires > job->now &&
		!past_is_over(job->secrets->past, id, record.created))
		r = backup_add(&e->backup, id, &record, &value, &e->out);
	else if (r == PM_E_REJECTED || r == PM_E_FORMAT)
		r = PM_OK; /* nobody can open it, so it is no secret of ours */
	record_value_free(&value);
	return r;
}

static int end_backup(struct job *job)
{
	struct export *e = job->admin->export;

	return backup_end(&e->backup, &e->out);
}

void admin_backup(struct job *job)
{
	struct export *e = begin(job, RECORD_PREFIX);
	int r;

	if (!e)
		return;
	e->entry = back_up;
	e->last = end_backup;
	r = backup_begin(&e->backup, job->identity->manifest, job->now, &e->out);
	if (r == PM_E_MISSING) {
		admin_fail(job, 409, "no_owners", "The manifest names no seed share owners.");
		return;
	}
	if (r == PM_E_UNSUPPORTED) {
		admin_fail(job, 501, "unsupported", "This build can't share a key.");
		return;
	}
	if (r < 0) {
		admin_fail(job, 503, "busy", "Out of memory.");
		return;
	}
	if (admin_begin(job, "application/x-ndjson") && send_out(job))
		next_page(job);
}

/* --- the log --------------------------------------------------------------------------------- */

/*
 * Lines of one process after those of another: each line names its log. All logs end where they
 * ended when the walk began: else a later page could tell of lines that an earlier one has not.
 */
static int add_lines(struct job *job, const struct store_entry *entry)
{
	struct export *e = job->admin->export;

	if (entry->revision > e->revision)
		return PM_OK;
	return buffer_add(&e->out, entry->value, entry->len, SIZE_MAX) ? PM_OK : PM_E_NOMEM;
}

/* {"days": how long lines are kept, "key": who signs them}. */
static bool begin_log(struct job *job)
{
	const struct pm_sign_public *key = pm_sign_key_public(ring_audit_key(job->ring));
	char text[(PM_SIGN_SPKI_MAX + 2) / 3 * 4 + 1], line[sizeof(text) + 40];
	int n;

	if (pm_text_base64_encode(key->spki, key->spki_size, text, sizeof(text)) < 0)
		return false;
	n = snprintf(line, sizeof(line), "{\"days\":%u,\"key\":\"%s\"}\n",
		(unsigned int)job->secrets->options->log_days, text);
	return admin_begin(job, "application/x-ndjson") && admin_piece(job, line, (size_t)n);
}

void admin_log(struct job *job)
{
	struct export *e = begin(job, TRAIL_PREFIX);

	if (!e)
		return;
	e->entry = add_lines;
	if (begin_log(job))
		next_page(job);
}
