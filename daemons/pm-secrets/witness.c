/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <pm/text.h>

#include "common/clock.h"
#include "common/log.h"
#include "pm-secrets/log_end.h"
#include "pm-secrets/log_lines.h"

/* A log that was seen. */
struct seen {
	TAILQ_ENTRY(seen) link;
	char name[PM_AUDIT_NAME_MAX + 1];
	struct pm_audit_head head; /* the furthest. Zeros: its lines were never authentic */
	struct pm_audit_head told; /* that our log tells of */
	int64_t told_at;	   /* by loop_now() */
	int64_t keep_seconds;
	uint64_t batch; /* that has the head */
	uint64_t walk;	/* that met it last */
	bool is_cut, is_doubtful;
};

TAILQ_HEAD(seen_list, seen);

struct witness {
	struct store *store;
	struct trail *trail;
	struct trail_options options;
	char own[PM_AUDIT_NAME_MAX + 1];
	struct event *round;
	/* What is under way: one of them. */
	struct store_op *op;
	struct log_end end;
	struct trail_wait *wait;
	/* A walk over the names of all logs takes one round, or more. */
	uint64_t walk;
	size_t visited; /* in this round */
	char after[STORE_KEY_MAX + 1];
	bool is_at_end; /* all were met, but for those that are gone */
	bool is_full;	/* in this round one was passed over that we can't remember */
	struct seen_list logs;
	size_t count, doubts;
	struct seen *log; /* whose end is looked for, NULL: a new one, which is kept so long: */
	int64_t keep_seconds;
};

static void next_log(struct witness *w);
static void tell_gone(struct witness *w);

/* --- rounds ---------------------------------------------------------------------------------- */

static void end_round(struct witness *w)
{
	struct timeval time = loop_time(WITNESS_PERIOD);

	w->visited = 0;
	w->is_at_end = w->is_full = false;
	evtimer_add(w->round, &time);
}

static void fail(struct witness *w, const char *reason)
{
	log_event(LOG_LEVEL_WARN, "logs not watched", "reason", reason, NULL);
	end_round(w);
}

static void go_on(struct witness *w)
{
	if (w->is_at_end)
		tell_gone(w);
	else
		next_log(w);
}

/* --- what was seen --------------------------------------------------------------------------- */

static struct seen *find(struct witness *w, const char *name)
{
	struct seen *log;

	TAILQ_FOREACH(log, &w->logs, link)
	{
		if (!strcmp(log->name, name))
			return log;
	}
	return NULL;
}

static void forget(struct witness *w, struct seen *log)
{
	TAILQ_REMOVE(&w->logs, log, link);
	w->count--;
	w->doubts -= !log->head.entries;
	free(log);
}

static struct seen *add(struct witness *w, const char *name)
{
	struct seen *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	snprintf(log->name, sizeof(log->name), "%s", name);
	log->walk = w->walk;
	log->keep_seconds = w->keep_seconds;
	TAILQ_INSERT_TAIL(&w->logs, log, link);
	w->count++;
	w->doubts++; /* until it has a head */
	return log;
}

static int64_t until(const struct seen *log, const struct pm_audit_head *head)
{
	return head->time + log->keep_seconds;
}

/* --- writing --------------------------------------------------------------------------------- */

static void on_told(void *arg, bool kept)
{
	struct witness *w = arg;

	w->wait = NULL;
	if (kept)
		go_on(w);
	else
		fail(w, "our own log is not kept");
}

/* seen, entries, hash and one more. */
static int tell(struct witness *w, const char *event, const char *name,
	const struct pm_audit_head *head, const struct pm_audit_field *more)
{
	char hash[2 * PM_AUDIT_HASH_SIZE + 1], entries[24];
	const struct pm_audit_field fields[] = {
		{"seen", name},
		{"entries", entries},
		{"hash", hash},
		*more,
	};

	snprintf(entries, sizeof(entries), "%llu", (unsigned long long)head->entries);
	pm_hex_encode(head->hash, sizeof(head->hash), hash);
	return trail_note(w->trail, event, fields, 4, on_told, w, &w->wait);
}

static void tell_seen(struct witness *w, struct seen *log)
{
	char text[PM_TIME_TEXT_SIZE];
	const struct pm_audit_field more = {"until", text};
	int r;

	pm_time_format(until(log, &log->head), text);
	r = tell(w, "log.seen", log->name, &log->head, &more);
	if (r < 0) {
		fail(w, pm_strerror(r));
		return;
	}
	log->told = log->head;
	log->told_at = loop_now();
}

static void tell_cut(struct witness *w, struct seen *log, const struct pm_audit_head *head)
{
	char was[24];
	const struct pm_audit_field more = {"was", was};
	int r;

	snprintf(was, sizeof(was), "%llu", (unsigned long long)log->head.entries);
	log_event(LOG_LEVEL_ERROR, "log cut", "seen", log->name, "was", was, NULL);
	r = tell(w, "log.cut", log->name, head, &more);
	if (r < 0)
		fail(w, pm_strerror(r));
	else
		log->is_cut = true;
}

/* --- what is there now ----------------------------------------------------------------------- */

static bool went_back(const struct seen *log, const struct pm_audit_head *head)
{
	return head->entries < log->head.entries ||
	       (head->entries == log->head.entries &&
		       memcmp(head->hash, log->head.hash, sizeof(head->hash)) != 0);
}

/* Once: what the store may have forgotten is no cut, and is not told. */
static void take_back(struct witness *w, struct seen *log, const struct pm_audit_head *head)
{
	if (log->is_cut || until(log, &log->head) <= clock_seconds())
		go_on(w);
	else
		tell_cut(w, log, head);
}

static bool is_news(const struct witness *w, const struct seen *log, bool grew)
{
	const struct log_lines lines = {
		w->options.key, log->name, w->end.lines.bytes, w->end.lines.len};
	int64_t since = loop_now() - log->told_at;

	if (log->head.entries == log->told.entries)
		return false;
	if (!log->told.entries || since >= WITNESS_ECHO)
		return true;
	return (!grew || since >= WITNESS_BUSY) && !log_lines_are_echo(&lines, &log->told);
}

static void take_head(struct witness *w, struct seen *log, const struct pm_audit_head *head)
{
	bool grew = head->entries > log->head.entries;

	if (went_back(log, head)) {
		take_back(w, log, head);
		return;
	}
	w->doubts -= !log->head.entries;
	log->head = *head;
	log->batch = w->end.low;
	if (is_news(w, log, grew))
		tell_seen(w, log);
	else
		go_on(w);
}

static void doubt(struct witness *w, struct seen *log)
{
	if (!log && w->count < WITNESS_LOGS_MAX && w->doubts < WITNESS_DOUBTS_MAX)
		log = add(w, w->end.name);
	if (log && !log->is_doubtful) {
		log->is_doubtful = true;
		log_event(LOG_LEVEL_ERROR, "log not authentic", "seen", log->name, NULL);
	}
	go_on(w);
}

static void pass_over(struct witness *w)
{
	if (!w->is_full)
		log_event(LOG_LEVEL_WARN, "too many logs to watch", NULL);
	w->is_full = true;
	go_on(w);
}

static void on_end(void *arg, int error, const char *reason)
{
	struct witness *w = arg;
	const struct log_lines lines = {
		w->options.key, w->end.name, w->end.lines.bytes, w->end.lines.len};
	struct pm_audit_head head;
	struct seen *log = w->log;
	int r = error == PM_OK ? log_lines_head(&lines, &head) : error;

	if (error < 0 || r == PM_E_NOMEM) {
		fail(w, error < 0 ? reason : pm_strerror(r));
		return;
	}
	if (r < 0) {
		doubt(w, log);
		return;
	}
	if (!log && w->count < WITNESS_LOGS_MAX)
		log = add(w, w->end.name);
	if (log)
		take_head(w, log, &head);
	else
		pass_over(w);
}

/* --- names ----------------------------------------------------------------------------------- */

/* The entries of another log are not looked at: the next name is the first behind them all. */
static void look_at(
	struct witness *w, const char *name, uint64_t number, const struct store_entry *first)
{
	const struct log_lines lines = {
		w->options.key, name, (const char *)first->value, first->len};
	int r = PM_OK;

	w->log = find(w, name);
	w->keep_seconds = w->options.keep_seconds;
	if (w->log)
		w->log->walk = w->walk;
	else if (number == 1)
		r = log_lines_keep(&lines, w->options.keep_seconds, &w->keep_seconds);
	if (r == PM_OK)
		r = log_end_find(&w->end, name, number, first, w->log ? w->log->batch : 0);
	if (r < 0)
		fail(w, pm_strerror(r));
}

static void take_name(struct witness *w, const struct store_entry *first)
{
	char name[PM_AUDIT_NAME_MAX + 1];
	uint64_t number;

	if (strcmp(first->key, w->after) <= 0) {
		fail(w, "the store repeats itself");
		return;
	}
	w->visited++;
	if (!trail_key_read(first->key, name, &number)) {
		strcpy(w->after, first->key); /* the store's keys are no longer */
		next_log(w);
		return;
	}
	snprintf(w->after, sizeof(w->after), TRAIL_PREFIX "%s/~", name);
	if (strcmp(name, w->own) != 0)
		look_at(w, name, number, first);
	else
		next_log(w);
}

static void on_name(void *arg, const struct store_result *result)
{
	struct witness *w = arg;

	w->op = NULL;
	if (result->error < 0) {
		fail(w, result->reason);
		return;
	}
	if (result->count) {
		take_name(w, &result->entries[0]);
		return;
	}
	w->after[0] = '\0';
	w->is_at_end = true;
	tell_gone(w);
}

static void next_log(struct witness *w)
{
	if (w->visited >= WITNESS_LOGS_MAX) {
		fail(w, "there are too many logs");
		return;
	}
	w->op = store_list(w->store, TRAIL_PREFIX, w->after, 1, on_name, w);
	if (!w->op)
		fail(w, pm_strerror(PM_E_NOMEM));
}

/* --- logs that are gone ---------------------------------------------------------------------- */

static void tell_gone(struct witness *w)
{
	static const struct pm_audit_head nothing;
	struct seen *log = TAILQ_FIRST(&w->logs), *next;

	for (; log; log = next) {
		next = TAILQ_NEXT(log, link);
		if (log->walk == w->walk)
			continue;
		if (!log->head.entries || until(log, &log->head) <= clock_seconds()) {
			forget(w, log);
		} else if (!log->is_cut) {
			tell_cut(w, log, &nothing);
			return;
		}
	}
	w->walk++;
	end_round(w);
}

/* --- the doors ------------------------------------------------------------------------------- */

static void on_round(evutil_socket_t fd, short what, void *arg)
{
	struct witness *w = arg;

	(void)fd;
	(void)what;
	next_log(w);
}

struct witness *witness_new(struct loop *loop, struct store *store,
	const struct trail_options *options, struct trail *trail)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	TAILQ_INIT(&w->logs);
	w->store = store;
	w->trail = trail;
	w->options = *options;
	snprintf(w->own, sizeof(w->own), "%s", options->name);
	w->options.name = w->own;
	w->end = (struct log_end){.store = store, .done = on_end, .arg = w};
	w->round = evtimer_new(loop->base, on_round, w);
	if (!w->round) {
		free(w);
		return NULL;
	}
	event_active(w->round, 0, 0);
	return w;
}

void witness_free(struct witness *w)
{
	struct seen *log;

	if (!w)
		return;
	if (w->op)
		store_cancel(w->op);
	trail_forget(w->wait);
	log_end_clear(&w->end);
	while ((log = TAILQ_FIRST(&w->logs)))
		forget(w, log);
	event_free(w->round);
	free(w);
}
