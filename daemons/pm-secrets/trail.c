/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"

/* Before a batch is tried again, and how often until nobody waits for it any more. */
#define AGAIN_MILLISECONDS 200
#define TRIES_MAX	   10

struct trail_wait {
	struct trail_wait *next;
	trail_done *done; /* NULL: nobody waits */
	void *arg;
};

/* Lines, and who waits for them. */
struct batch {
	struct buffer lines;
	uint64_t count;
	struct trail_wait *first, **last;
};

struct trail {
	struct loop *loop;
	struct store *store;
	struct store_op *op;
	struct event *again;
	struct pm_audit *audit;
	int64_t keep_seconds;
	uint64_t number, kept;
	unsigned int tries;
	bool is_busy; /* a batch is under way, or waits to be tried again */
	struct batch now, next;
	char name[PM_AUDIT_NAME_MAX + 1];
};

static void on_stored(void *arg, const struct store_result *result);

static void batch_init(struct batch *batch)
{
	*batch = (struct batch){0};
	batch->last = &batch->first;
}

static void batch_free(struct batch *batch)
{
	while (batch->first) {
		struct trail_wait *wait = batch->first;

		batch->first = wait->next;
		free(wait);
	}
	buffer_free(&batch->lines);
}

/* --- keys ------------------------------------------------------------------------------------ */

#define DIGITS	      "0123456789"
#define NUMBER_DIGITS 12

void trail_key(const char *name, uint64_t number, char ret_key[TRAIL_KEY_SIZE])
{
	snprintf(ret_key, TRAIL_KEY_SIZE, TRAIL_PREFIX "%s/%012llu", name,
		(unsigned long long)number);
}

bool trail_key_read(const char *key, char ret_name[PM_AUDIT_NAME_MAX + 1], uint64_t *ret_number)
{
	const char *name = key + strlen(TRAIL_PREFIX), *digits;
	size_t len;

	if (strncmp(key, TRAIL_PREFIX, strlen(TRAIL_PREFIX)) != 0)
		return false;
	len = strspn(name, "abcdefghijklmnopqrstuvwxyz" DIGITS "._-");
	digits = name + len + 1;
	if (!len || len > PM_AUDIT_NAME_MAX || name[len] != '/' ||
		strspn(digits, DIGITS) != NUMBER_DIGITS || digits[NUMBER_DIGITS])
		return false;
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
	*ret_number = strtoull(digits, NULL, 10);
	return *ret_number != 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool write_batch(struct trail *trail)
{
	int64_t expires = clock_seconds() + trail->keep_seconds;
	char key[TRAIL_KEY_SIZE];

	trail_key(trail->name, trail->number, key);
	trail->op = store_put(trail->store, key, trail->now.lines.bytes, trail->now.lines.len,
		expires, 0, on_stored, trail);
	return trail->op != NULL;
}

static void write_later(struct trail *trail)
{
	struct timeval time = loop_time(AGAIN_MILLISECONDS);

	evtimer_add(trail->again, &time);
}

static void begin_batch(struct trail *trail)
{
	if (trail->is_busy || !trail->next.count)
		return;
	trail->is_busy = true;
	trail->now = trail->next;
	if (trail->now.last == &trail->next.first)
		trail->now.last = &trail->now.first;
	batch_init(&trail->next);
	trail->tries = 0;
	trail->number++;
	if (!write_batch(trail))
		write_later(trail);
}

/* Callers may write more lines, or forget other waits. */
static void answer(struct batch *batch, bool kept)
{
	struct trail_wait *list = batch->first, *wait;

	batch->first = NULL;
	batch->last = &batch->first;
	while ((wait = list)) {
		list = wait->next;
		if (wait->done)
			wait->done(wait->arg, kept);
		free(wait);
	}
}

static void end_batch(struct trail *trail)
{
	struct batch done = trail->now;

	if (done.last == &trail->now.first)
		done.last = &done.first;
	batch_init(&trail->now);
	trail->is_busy = false;
	trail->kept += done.count;
	buffer_free(&done.lines);
	begin_batch(trail);
	answer(&done, true);
}

/*
 * The name of the log is this process's own, so what lies there already are these very lines, of a
 * try whose answer was lost. A batch is never given up: others are chained to it. Those who wait
 * for it are.
 */
static void on_stored(void *arg, const struct store_result *result)
{
	struct trail *trail = arg;

	trail->op = NULL;
	if (result->error == PM_OK || result->error == PM_E_STATE) {
		end_batch(trail);
		return;
	}
	log_event(LOG_LEVEL_WARN, "log not kept", "reason", result->reason, NULL);
	write_later(trail);
	if (++trail->tries < TRIES_MAX)
		return;
	answer(&trail->now, false);
	answer(&trail->next, false);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct trail *trail = arg;

	(void)fd;
	(void)what;
	if (!trail->is_busy) {
		begin_batch(trail);
		return;
	}
	if (!trail->op && !write_batch(trail))
		write_later(trail);
}

/* --- the doors ------------------------------------------------------------------------------- */

int trail_new(struct loop *loop, struct store *store, const struct trail_options *options,
	struct trail **ret_trail)
{
	struct trail *trail = calloc(1, sizeof(*trail));
	int r;

	if (!trail)
		return PM_E_NOMEM;
	trail->loop = loop;
	trail->store = store;
	trail->keep_seconds = options->keep_seconds;
	snprintf(trail->name, sizeof(trail->name), "%s", options->name);
	batch_init(&trail->now);
	batch_init(&trail->next);
	trail->again = evtimer_new(loop->base, on_again, trail);
	r = trail->again ? pm_audit_new(options->key, trail->name, &trail->audit) : PM_E_NOMEM;
	if (r < 0) {
		trail_free(trail);
		return r;
	}
	*ret_trail = trail;
	return PM_OK;
}

void trail_free(struct trail *trail)
{
	if (!trail)
		return;
	if (trail->op)
		store_cancel(trail->op);
	if (trail->again)
		event_free(trail->again);
	batch_free(&trail->now);
	batch_free(&trail->next);
	pm_audit_free(trail->audit);
	free(trail);
}

static struct trail_wait *add_wait(struct batch *batch, trail_done *done, void *arg)
{
	struct trail_wait *wait = calloc(1, sizeof(*wait));

	if (!wait)
		return NULL;
	wait->done = done;
	wait->arg = arg;
	*batch->last = wait;
	batch->last = &wait->next;
	return wait;
}

/* A line that can't wait is lost to the chain: so room is made sure of first. */
static int add_line(
	struct trail *trail, const char *event, const struct pm_audit_field *fields, size_t count)
{
	const char *line;
	size_t len = 0;
	int r;

	if (trail->next.lines.len + PM_AUDIT_LINE_MAX > TRAIL_BATCH_MAX)
		return PM_E_LIMIT;
	if (!buffer_reserve(&trail->next.lines, PM_AUDIT_LINE_MAX, TRAIL_BATCH_MAX))
		return PM_E_NOMEM;
	r = pm_audit_append(trail->audit, clock_seconds(), event, fields, count, &line, &len);
	if (r < 0)
		return r;
	if (!buffer_add(&trail->next.lines, line, len, TRAIL_BATCH_MAX))
		return PM_E_NOMEM;
	trail->next.count++;
	return PM_OK;
}

int trail_note(struct trail *trail, const char *event, const struct pm_audit_field *fields,
	size_t count, trail_done *done, void *arg, struct trail_wait **ret_wait)
{
	struct trail_wait *wait;
	int r = add_line(trail, event, fields, count);

	if (r < 0)
		return r;
	wait = add_wait(&trail->next, done, arg);
	if (!wait)
		return PM_E_NOMEM;
	if (ret_wait)
		*ret_wait = wait;
	/* From the loop, not from here: what comes in the same turn goes into the same batch. */
	if (!trail->is_busy)
		event_active(trail->again, 0, 0);
	return PM_OK;
}

void trail_forget(struct trail_wait *wait)
{
	if (wait)
		wait->done = NULL;
}

uint64_t trail_kept(const struct trail *trail)
{
	return trail->kept;
}
