/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A witness of the other logs: what it saw of their ends goes into the log of its own process, so
 * that a store can't drop or cut one without dropping all that saw it.
 *
 * At its beginning, and then once a minute, it finds the last line of each other log in the store.
 * When that is authentic, and another than the one that it told of last, it writes
 *
 *   log.seen   seen: the log's name; entries, hash: its head; until: from when on the store
 *              may have forgotten that entry
 *
 * A log that grows from look to look is told of when it came to rest, or after ten minutes: who
 * dies is at rest. One that since then only told of others is told of again after an hour: two that
 * watch each other would else never be quiet. A head that went back (fewer entries, or another hash
 * of the last) before `until` is an error, and is written once as
 *
 *   log.cut    seen, entries, hash: what is there now; was: how many entries there were
 *
 * One call of the store, or one line of the log, is under way at a time, so that requests come
 * first. A store can make it see nothing; it can't make it write: lines tell of authentic heads.
 */
#ifndef SECRETS_WITNESS_H
#define SECRETS_WITNESS_H

#include "pm-secrets/trail.h"

/*
 * Between two rounds, in milliseconds; before what grows is told of again, and before what only
 * echoes is.
 */
#define WITNESS_PERIOD 60000
#define WITNESS_BUSY   600000
#define WITNESS_ECHO   3600000
/* Logs of one round: the next one goes on behind them. Also those that are remembered. */
#define WITNESS_LOGS_MAX 4096
/* Logs with lines that are not authentic, of which it is remembered that this was said. */
#define WITNESS_DOUBTS_MAX 64

struct witness;

/* The trail's own options; and the trail. Both live longer. */
struct witness *witness_new(struct loop *loop, struct store *store,
	const struct trail_options *options, struct trail *trail);
/* Before its trail and its store. */
void witness_free(struct witness *witness);

#endif
