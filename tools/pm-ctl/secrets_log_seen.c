/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/secrets_log_seen.h"

#include <err.h>
#include <pm/error.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"

static bool may_be_gone(int64_t until, int64_t now)
{
	return until <= now + SECRETS_LOG_SLACK;
}

/* --- one claim ------------------------------------------------------------------------------- */

/* The hash of an entry that is there: the next one names it. */
static const uint8_t *hash_of(const struct secrets_log_one *log, uint64_t entry)
{
	uint64_t next = entry - log->first + 1;

	return next < log->count ? log->entries[next].previous : log->head.hash;
}

static bool is_there(const struct secrets_log_one *log, uint64_t entry)
{
	return log && entry >= log->first && entry <= log->head.entries;
}

/* Its time says nothing of an entry that is there, and is another one. */
static bool is_met(
	const struct secrets_log_claim *claim, const struct secrets_log_one *log, int64_t now)
{
	if (!is_there(log, claim->entries))
		return may_be_gone(claim->until, now);
	return !memcmp(hash_of(log, claim->entries), claim->hash, sizeof(claim->hash));
}

static void complain(const struct secrets_log_claim *claim, const struct secrets_log_one *log)
{
	unsigned long long entries = claim->entries;

	if (!log)
		warnx("%s is missing: %s saw entry %llu", claim->seen, claim->by, entries);
	else if (entries > log->head.entries)
		warnx("%s is cut: it ends at entry %llu, %s saw %llu", claim->seen,
			(unsigned long long)log->head.entries, claim->by, entries);
	else if (entries < log->first)
		warnx("%s is cut: it begins at entry %llu, %s saw %llu", claim->seen,
			(unsigned long long)log->first, claim->by, entries);
	else
		warnx("%s is another: its entry %llu is not the one that %s saw", claim->seen,
			entries, claim->by);
}

static void complain_of_cut(const struct secrets_log_claim *claim)
{
	warnx("%s was cut: %s saw it end at entry %llu, after %llu", claim->seen, claim->by,
		(unsigned long long)claim->entries, (unsigned long long)claim->was);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* By the log that was seen, the furthest entry first. */
static int compare(const void *x, const void *y)
{
	const struct secrets_log_claim *a = x, *b = y;
	int r = strcmp(a->seen, b->seen);

	if (r)
		return r;
	return a->entries < b->entries ? 1 : a->entries > b->entries ? -1 : 0;
}

static int check(const struct secrets_log_set *set, struct secrets_log_claims *claims, int64_t now)
{
	const struct secrets_log_claim *told = NULL;
	const struct secrets_log_one *log = NULL;
	int r = TOOL_OK;

	if (claims->count)
		qsort(claims->list, claims->count, sizeof(*claims->list), compare);
	for (size_t i = 0; i < claims->count; i++) {
		const struct secrets_log_claim *claim = &claims->list[i];

		if (claim->was) {
			complain_of_cut(claim);
			r = TOOL_REJECTED;
			continue;
		}
		if (!log || strcmp(log->name, claim->seen) != 0)
			log = secrets_log_find(set, claim->seen);
		/* Of a log that is not authentic that was said. */
		if ((log && !log->is_authentic) || is_met(claim, log, now))
			continue;
		r = TOOL_REJECTED;
		if (told && !strcmp(told->seen, claim->seen))
			continue;
		complain(claim, log);
		told = claim;
	}
	return r;
}

int secrets_log_check(const struct secrets_log_set *set, int64_t now)
{
	struct secrets_log_claims claims = set->claims; /* its order does not matter */

	return check(set, &claims, now);
}

/* --- an earlier fetch ------------------------------------------------------------------------ */

/* Who does not know how long lines are kept forgives none that is lacking. */
static int64_t until(const struct secrets_log_set *set, const struct secrets_log_set *earlier,
	const struct secrets_log_one *log, int64_t time)
{
	int64_t days = log->days;

	if (!days)
		days = earlier->days ? earlier->days : set->days;
	return days ? time + days * 86400 : INT64_MAX / 2;
}

static bool claim_entry(struct secrets_log_claims *claims, const struct secrets_log_set *earlier,
	const struct secrets_log_one *log, uint64_t entry, int64_t until)
{
	struct secrets_log_claim claim = {.by = earlier->source, .entries = entry, .until = until};

	strcpy(claim.seen, log->name);
	memcpy(claim.hash, hash_of(log, entry), sizeof(claim.hash));
	return secrets_log_add_claim(claims, &claim);
}

/* The first entry that can't be forgotten yet, and the last one: the chain says what is between. */
static bool claim_log(struct secrets_log_claims *claims, const struct secrets_log_set *set,
	const struct secrets_log_set *earlier, const struct secrets_log_one *log, int64_t now)
{
	int64_t last = until(set, earlier, log, log->head.time);

	for (size_t i = 0; i < log->count; i++) {
		int64_t end = until(set, earlier, log, log->entries[i].time);

		if (may_be_gone(end, now))
			continue;
		if (!claim_entry(claims, earlier, log, log->first + i, end))
			return false;
		break;
	}
	return claim_entry(claims, earlier, log, log->head.entries, last);
}

int secrets_log_check_since(
	const struct secrets_log_set *set, const struct secrets_log_set *earlier, int64_t now)
{
	struct secrets_log_claims claims = {0};
	bool good = true;
	int r = TOOL_USAGE;

	if (set->key.spki_size != earlier->key.spki_size ||
		memcmp(set->key.spki, earlier->key.spki, set->key.spki_size) != 0) {
		warnx("%s: it is signed by another key", earlier->source);
		return TOOL_REJECTED;
	}
	for (size_t i = 0; good && i < earlier->count; i++)
		good = claim_log(&claims, set, earlier, earlier->logs[i], now);
	if (good)
		r = check(set, &claims, now);
	else
		warnx("%s", pm_strerror(PM_E_NOMEM));
	free(claims.list);
	return r;
}
