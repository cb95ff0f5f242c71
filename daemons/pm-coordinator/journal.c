/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"

#define LOG_NAME	   "coordinator"
#define RETRY_MILLISECONDS 500

struct line {
	struct line *next;
	char *event;
	struct pm_audit_field fields[PM_AUDIT_FIELDS_MAX];
	size_t count;
	journal_done *done;
	void *arg;
};

/* What the one operation under way is for. */
enum step {
	STEP_NONE,
	STEP_FIND,    /* how many lines there are: by doubling, then by halves */
	STEP_RESUME,  /* the last of them */
	STEP_PUT,     /* ours, behind it */
	STEP_COMPARE, /* somebody's in its place: perhaps it is ours */
};

struct journal {
	struct loop *loop;
	struct store *store;
	const struct pm_sign_key *key; /* NULL: none yet */
	struct pm_audit *audit;
	struct event *retry;
	enum step step;
	bool is_busy;	 /* asks the store, waits to ask again, or looks at its answer */
	bool is_found;	 /* the end is known */
	bool has_looked; /* for it, once: again when there is a line to write */
	struct line *first, **last;
	size_t waiting;
	/* STEP_FIND: entry low is there, entry high is not (0: not known yet). */
	uint64_t low, high, at;
	/* The line that is written, and the last one that was. */
	char *ours, *newest;
	struct pm_audit_head end; /* behind newest */
};

static void go_on(struct journal *j);

void journal_key_of(uint64_t sequence, char ret[JOURNAL_KEY_SIZE])
{
	snprintf(ret, JOURNAL_KEY_SIZE, JOURNAL_PREFIX "%016" PRIu64, sequence);
}

/* --- lines that wait ------------------------------------------------------------------------- */

static void free_line(struct line *line)
{
	for (size_t i = 0; i < line->count; i++) {
		free((void *)(uintptr_t)line->fields[i].name);
		free((void *)(uintptr_t)line->fields[i].value);
	}
	free(line->event);
	free(line);
}

static struct line *copy_line(const char *event, const struct pm_audit_field *fields, size_t count)
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->event = strdup(event);
	for (size_t i = 0; i < count && i < PM_AUDIT_FIELDS_MAX; i++) {
		const char *value = fields[i].value ? fields[i].value : "";

		line->fields[i].name = strdup(fields[i].name);
		line->fields[i].value = strndup(value, PM_AUDIT_VALUE_MAX);
		line->count++;
		if (!line->fields[i].name || !line->fields[i].value)
			count = 0;
	}
	if (line->event && (count || !line->count))
		return line;
	free_line(line);
	return NULL;
}

/* The first that waits is done with. */
static void finish(struct journal *j, int error)
{
	struct line *line = j->first;

	j->first = line->next;
	if (!j->first)
		j->last = &j->first;
	j->waiting--;
	if (line->done)
		line->done(line->arg, error);
	free_line(line);
}

static void fail_all(struct journal *j, int error)
{
	j->step = STEP_NONE;
	while (j->first)
		finish(j, error);
}

/* --- the store ------------------------------------------------------------------------------- */

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct journal *j = arg;

	(void)fd;
	(void)what;
	j->is_busy = false;
	go_on(j);
}

/* Nobody knows what came of it: the same again. */
static void later(struct journal *j, const char *reason)
{
	struct timeval time = loop_time(RETRY_MILLISECONDS);

	log_event(LOG_LEVEL_WARN, "journal", "reason", reason, NULL);
	evtimer_add(j->retry, &time);
	j->is_busy = true;
}

/* The log as it is behind the newest line. */
static int rewind_audit(struct journal *j)
{
	struct pm_audit *fresh = NULL;
	int r = pm_audit_new(j->key, LOG_NAME, &fresh);

	if (r == PM_OK && j->newest)
		r = pm_audit_resume(fresh, j->newest, strlen(j->newest), NULL);
	if (r < 0) {
		pm_audit_free(fresh);
		return r;
	}
	pm_audit_free(j->audit);
	j->audit = fresh;
	return PM_OK;
}

/* Is it the line of that number, and does it follow what we know? */
static int check(const struct journal *j, const struct store_entry *entry, uint64_t want,
	struct pm_audit_head *ret)
{
	struct pm_audit *audit = NULL;
	int r;

	if (want == j->end.entries + 1) {
		r = pm_audit_verify(entry->value, entry->len, pm_sign_key_public(j->key), LOG_NAME,
			j->end.entries ? &j->end : NULL, NULL, ret);
	} else {
		r = pm_audit_new(j->key, LOG_NAME, &audit);
		if (r == PM_OK)
			r = pm_audit_resume(audit, entry->value, entry->len, NULL);
		if (r == PM_OK)
			pm_audit_head(audit, ret);
		pm_audit_free(audit);
	}
	return r == PM_OK && ret->entries != want ? PM_E_REJECTED : r;
}

/* A line of another coordinator is the newest now; or one of nobody, which ends all that waits. */
static void take_other(struct journal *j, const struct store_entry *entry, uint64_t want)
{
	struct pm_audit_head head;
	char *copy = strndup((const char *)entry->value, entry->len);
	int r = copy ? check(j, entry, want, &head) : PM_E_NOMEM;

	if (r == PM_OK) {
		free(j->newest);
		j->newest = copy;
		j->end = head;
		j->is_found = true;
		return;
	}
	free(copy);
	log_event(LOG_LEVEL_ERROR, "journal", "key", entry->key, "reason",
		"the line is not of this log, or does not follow", NULL);
	j->is_found = false;
	fail_all(j, PM_E_REJECTED);
}

static void on_found(struct journal *j, bool is_there)
{
	if (is_there)
		j->low = j->at;
	else
		j->high = j->at;
	if (j->high && j->high == j->low + 1)
		j->step = j->low ? STEP_RESUME : STEP_NONE;
	if (j->step == STEP_NONE)
		j->is_found = true;
}

static void on_put(struct journal *j, int error)
{
	if (error == PM_E_STATE) {
		j->step = STEP_COMPARE;
		return;
	}
	j->step = STEP_NONE;
	if (error == PM_OK) {
		free(j->newest);
		j->newest = j->ours;
		j->ours = NULL;
		pm_audit_head(j->audit, &j->end);
	}
	if (j->first)
		finish(j, error);
}

static void on_compared(struct journal *j, const struct store_entry *entry)
{
	uint64_t sequence = j->end.entries + 1;

	j->step = STEP_NONE;
	if (j->ours && entry->len == strlen(j->ours) &&
		memcmp(entry->value, j->ours, entry->len) == 0) {
		on_put(j, PM_OK);
		return;
	}
	take_other(j, entry, sequence);
}

static bool is_unsure(int error)
{
	return error == PM_E_NET || error == PM_E_SYS || error == PM_E_NOMEM;
}

static void on_store(void *arg, const struct store_result *result)
{
	struct journal *j = arg;
	bool is_there = result->error == PM_OK && result->count == 1;
	enum step step = j->step;

	if (is_unsure(result->error)) {
		later(j, result->reason);
		return;
	}
	if (step == STEP_FIND) {
		on_found(j, is_there);
	} else if (step == STEP_PUT) {
		on_put(j, result->error);
	} else if (!is_there) {
		j->is_found = false;
		fail_all(j, PM_E_MISSING);
	} else if (step == STEP_RESUME) {
		j->step = STEP_NONE;
		j->is_found = true;
		take_other(j, &result->entries[0], j->low);
	} else {
		on_compared(j, &result->entries[0]);
	}
	j->is_busy = false;
	go_on(j);
}

static bool read_line(struct journal *j, uint64_t sequence)
{
	char key[JOURNAL_KEY_SIZE];

	journal_key_of(sequence, key);
	return store_get(j->store, key, on_store, j) != NULL;
}

static bool find(struct journal *j)
{
	j->at = j->high ? j->low + (j->high - j->low) / 2 : j->low ? 2 * j->low : 1;
	return read_line(j, j->at);
}

/* The line is made anew when another one came before it. */
static bool put(struct journal *j)
{
	struct line *line = j->first;
	const char *text = NULL;
	char key[JOURNAL_KEY_SIZE];
	size_t len = 0;
	int r;

	if (j->step != STEP_PUT) {
		r = rewind_audit(j);
		if (r == PM_OK)
			r = pm_audit_append(j->audit, (int64_t)time(NULL), line->event,
				line->fields, line->count, &text, &len);
		free(j->ours);
		j->ours = r == PM_OK ? strndup(text, len) : NULL;
		if (!j->ours)
			return false;
		j->step = STEP_PUT;
	}
	journal_key_of(j->end.entries + 1, key);
	return store_put(j->store, key, j->ours, strlen(j->ours), 0, 0, on_store, j) != NULL;
}

static void go_on(struct journal *j)
{
	bool begun = true;

	if (!j->key || j->is_busy)
		return;
	j->is_busy = true;
	if (j->step == STEP_NONE && !j->is_found && (j->first || !j->has_looked)) {
		j->has_looked = true;
		j->step = STEP_FIND;
		j->low = j->end.entries;
		j->high = 0;
	}
	if (j->step == STEP_FIND)
		begun = find(j);
	else if (j->step == STEP_RESUME)
		begun = read_line(j, j->low);
	else if (j->step == STEP_COMPARE)
		begun = read_line(j, j->end.entries + 1);
	else if (j->first && j->is_found)
		begun = put(j);
	else
		j->is_busy = false;
	if (!begun)
		later(j, "out of memory");
}

/* --- the whole ------------------------------------------------------------------------------- */

struct journal *journal_new(struct loop *loop, struct store *store)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->loop = loop;
	j->store = store;
	j->last = &j->first;
	j->retry = evtimer_new(loop->base, on_retry, j);
	if (j->retry)
		return j;
	free(j);
	return NULL;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	fail_all(journal, PM_E_STATE);
	event_free(journal->retry);
	pm_audit_free(journal->audit);
	free(journal->ours);
	free(journal->newest);
	free(journal);
}

bool journal_set_key(struct journal *journal, const struct pm_sign_key *key)
{
	journal->key = key;
	if (rewind_audit(journal) < 0)
		return false;
	go_on(journal);
	return true;
}

bool journal_add(struct journal *journal, const char *event, const struct pm_audit_field *fields,
	size_t count, journal_done *done, void *arg)
{
	struct journal *j = journal;
	struct line *line;

	if (!j->key || j->waiting >= JOURNAL_WAIT_MAX)
		return false;
	line = copy_line(event, fields, count);
	if (!line)
		return false;
	line->done = done;
	line->arg = arg;
	*j->last = line;
	j->last = &line->next;
	j->waiting++;
	go_on(j);
	return true;
}

void journal_look(struct journal *journal)
{
	if (journal->is_found)
		return;
	journal->has_looked = false;
	go_on(journal);
}

bool journal_head(const struct journal *journal, struct pm_audit_head *ret_head)
{
	if (!journal->is_found)
		return false;
	*ret_head = journal->end;
	return true;
}
