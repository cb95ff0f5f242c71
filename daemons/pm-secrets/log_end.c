/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/log_end.h"

#include <stdio.h>
#include <string.h>

static void on_asked(void *arg, const struct store_result *result);

/* Lines of no batch of ours are nobody's, and need not be kept. */
static int keep(struct log_end *end, uint64_t number, const struct store_entry *entry)
{
	end->low = number;
	buffer_clear(&end->lines);
	if (entry->len > TRAIL_BATCH_MAX)
		return PM_OK;
	return buffer_add(&end->lines, entry->value, entry->len, TRAIL_BATCH_MAX) ? PM_OK
										  : PM_E_NOMEM;
}

/* Is there a batch behind which number? */
static uint64_t choose(const struct log_end *end)
{
	uint64_t next = end->low + end->step - 1;

	if (end->hint)
		return end->hint - 1;
	if (end->high)
		return end->low + (end->high - end->low) / 2;
	return next < TRAIL_NUMBER_MAX ? next : TRAIL_NUMBER_MAX;
}

static int ask(struct log_end *end)
{
	char prefix[TRAIL_KEY_SIZE], after[TRAIL_KEY_SIZE];

	end->asked = choose(end);
	snprintf(prefix, sizeof(prefix), TRAIL_PREFIX "%s/", end->name);
	trail_key(end->name, end->asked, after);
	end->op = store_list(end->store, prefix, after, 1, on_asked, end);
	return end->op ? PM_OK : PM_E_NOMEM;
}

static int take(struct log_end *end, const struct store_entry *entry)
{
	char name[PM_AUDIT_NAME_MAX + 1];
	uint64_t number;

	if (!trail_key_read(entry->key, name, &number) || strcmp(name, end->name) != 0 ||
		number <= end->asked)
		return PM_E_FORMAT;
	if (end->hint)
		end->step = 1;
	else
		end->step *= 2;
	if (end->high && number > end->high)
		end->high = number; /* it grows as we look: this is near enough to its end */
	return keep(end, number, entry);
}

static void on_asked(void *arg, const struct store_result *result)
{
	struct log_end *end = arg;
	int r = result->error;

	end->op = NULL;
	if (r == PM_OK && result->count)
		r = take(end, &result->entries[0]);
	else if (r == PM_OK)
		end->high = end->asked;
	end->hint = 0;
	if (r == PM_OK && end->low != end->high) {
		r = ask(end);
		if (r == PM_OK)
			return;
	}
	end->done(end->arg, r, result->error < 0 ? result->reason : pm_strerror(r));
}

int log_end_find(struct log_end *end, const char *name, uint64_t number,
	const struct store_entry *first, uint64_t hint)
{
	int r = keep(end, number, first);

	if (r < 0)
		return r;
	snprintf(end->name, sizeof(end->name), "%s", name);
	end->high = 0;
	end->step = 1;
	end->hint = hint > number ? hint : 0;
	return ask(end);
}

void log_end_clear(struct log_end *end)
{
	if (end->op)
		store_cancel(end->op);
	buffer_free(&end->lines);
	*end = (struct log_end){0};
}
