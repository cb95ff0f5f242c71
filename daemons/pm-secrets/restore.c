/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners give back what a backup holds. All of it is read first: a backup that is not whole changes
 * nothing. What is there already stays as it is, and what has expired stays gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "pm-secrets/admin.h"
#include "pm-secrets/backup.h"

struct restore {
	struct backup backup;
	const char *at; /* of the next line, in the backup's text */
	size_t left;
	uint64_t restored, kept, expired;
};

void admin_restore_free(struct restore *restore)
{
	if (!restore)
		return;
	backup_free(&restore->backup);
	free(restore);
}

static bool next_line(struct restore *restore, const char **ret_line, size_t *ret_len)
{
	const char *end = restore->left ? memchr(restore->at, '\n', restore->left) : NULL;

	if (!end)
		return false;
	*ret_line = restore->at;
	*ret_len = (size_t)(end - restore->at);
	restore->left -= *ret_len + 1;
	restore->at = end + 1;
	return true;
}

/* From its first line on: that was for whom has a private key. */
static int rewind_to_first(struct job *job)
{
	struct restore *restore = job->admin->restore;
	const char *line;
	size_t len;

	backup_free(&restore->backup);
	restore->at = (const char *)job->admin->value.bytes;
	restore->left = job->admin->value.len;
	if (!next_line(restore, &line, &len))
		return PM_E_FORMAT;
	return backup_open(&restore->backup, job->admin->backup_key);
}

static int check_whole(struct job *job)
{
	struct restore *restore = job->admin->restore;
	int r = rewind_to_first(job);
	const char *line;
	size_t len;

	while (r == PM_OK && next_line(restore, &line, &len)) {
		char id[PM_COMMAND_ID_MAX + 1];
		struct record_value value = {0};
		struct record record;

		r = backup_read(&restore->backup, line, len, id, &record, &value);
		record_value_free(&value);
	}
	if (r == PM_OK && (!restore->backup.is_whole || restore->left))
		r = PM_E_FORMAT;
	return r == PM_OK ? rewind_to_first(job) : r;
}

/* --- one after the other --------------------------------------------------------------------- */

static void step(struct job *job);

static void on_put(void *arg, const struct store_result *result)
{
	struct job *job = arg;
	struct restore *restore = job->admin->restore;

	job->op = NULL;
	if (result->error == PM_OK)
		restore->restored++;
	else if (result->error == PM_E_STATE)
		restore->kept++;
	else if (result->error == PM_E_ARG)
		restore->expired++; /* just now */
	if (result->error == PM_OK || result->error == PM_E_STATE || result->error == PM_E_ARG)
		step(job);
	else
		admin_fail_store(job, result);
}

static int put(struct job *job, const char *id, const struct record *record,
	const struct record_value *value)
{
	char key[RECORD_KEY_SIZE];
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = record_seal(job->ring, id, record, value, &bytes, &len);

	if (r < 0)
		return r;
	record_key(id, key);
	job->op = store_put(job->loop->store, key, bytes, len, record->expires, 0, on_put, job);
	free(bytes);
	return job->op ? PM_OK : PM_E_NOMEM;
}

/* A backup says what it will: the bounds are those of each put. */
static bool is_alive(const struct job *job, const char *id, const struct record *record)
{
	return record->kind == RECORD_OWNERS && record->expires > job->now &&
	       record->expires <= job->now + PM_COMMAND_TTL_MAX &&
	       strncmp(id, PM_COMMAND_CLIENTS, strlen(PM_COMMAND_CLIENTS)) != 0 &&
	       strncmp(id, PM_COMMAND_OPERATORS, strlen(PM_COMMAND_OPERATORS)) != 0;
}

/* Reads on until one is to be written: then *ret_is_writing. */
static int read_on(struct job *job, bool *ret_is_writing)
{
	struct restore *restore = job->admin->restore;
	const char *line;
	size_t len;
	int r = PM_OK;

	*ret_is_writing = false;
	while (r == PM_OK && !*ret_is_writing && next_line(restore, &line, &len)) {
		char id[PM_COMMAND_ID_MAX + 1];
		struct record_value value = {0};
		struct record record;

		r = backup_read(&restore->backup, line, len, id, &record, &value);
		if (r < 0 || restore->backup.is_whole)
			break;
		*ret_is_writing = is_alive(job, id, &record);
		record.created = clock_seconds(); /* what was ended before is not this one */
		if (*ret_is_writing)
			r = put(job, id, &record, &value);
		else
			restore->expired++;
		record_value_free(&value);
	}
	return r;
}

static void step(struct job *job)
{
	const struct restore *restore = job->admin->restore;
	bool is_writing;
	char json[128];
	int n, r = read_on(job, &is_writing);

	if (r < 0) {
		admin_fail_store(job, NULL);
		return;
	}
	if (is_writing)
		return;
	n = snprintf(json, sizeof(json), "{\"Restored\":%llu,\"Kept\":%llu,\"Expired\":%llu}\n",
		(unsigned long long)restore->restored, (unsigned long long)restore->kept,
		(unsigned long long)restore->expired);
	admin_reply(job, 200, json, (size_t)n);
}

void admin_restore(struct job *job)
{
	int r;

	job->admin->restore = calloc(1, sizeof(*job->admin->restore));
	r = job->admin->restore ? check_whole(job) : PM_E_NOMEM;
	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		admin_fail(job, 503, "busy", "Out of memory.");
	else if (r < 0)
		admin_fail(job, 400, "bad_backup", "The backup is not whole, or of another key.");
	else
		step(job);
}
