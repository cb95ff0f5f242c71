/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must hear that a secret has ended: each worker, of those that it fetched here or named. A
 * worker is known by role and replica, whatever connections it has.
 *
 * What ended while a worker did not watch waits for it until the secret's time would have come. All
 * is bounded: who fetches more than may be remembered gets no more, for he could not be told. Where
 * there is no room, workers go of whom nothing was heard for HUB_GONE seconds: who does not watch
 * may use nothing that he has until he has fetched it anew.
 */
#ifndef SECRETS_HUB_H
#define SECRETS_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/command.h>

#include "pm-secrets/record.h"

/* Longest "ROLE/REPLICA". */
#define HUB_WORKER_MAX 128
/* Workers at a time; secrets of one of them, and of all. */
#define HUB_WORKERS_MAX 1024
#define HUB_IDS_MAX	65536
#define HUB_NOTES_MAX	262144
/* From when on a worker without a watch makes room for others. */
#define HUB_GONE 60
/* Connections of one worker that watch. */
#define HUB_WATCHES_MAX 8
/* Events that wait to be taken; who has more is cut off, and begins anew. */
#define HUB_EVENTS_MAX 4096

enum hub_event { HUB_REVOKED = 1, HUB_EXPIRED = 2 };

/* Thread safe. */
struct hub;
struct hub_watch;

/* NULL without memory. */
struct hub *hub_new(void);
/* Without watches. */
void hub_free(struct hub *hub);

/*
 * A worker has this secret. version: the record's owner, which is another when the value is
 * replaced. seen: the store's revision that the answer is of. 0; PM_E_STALE: something has changed
 * since, or may have, of which this worker would not be told: the store is to be asked anew;
 * PM_E_LIMIT, PM_E_NOMEM.
 */
int hub_note(struct hub *hub, const char *worker, const char *id,
	const uint8_t version[RECORD_OWNER_SIZE], int64_t expires, uint64_t seen);

/* Does this worker have it still, of that version? Not when it has ended since it was noted. */
bool hub_has(struct hub *hub, const char *worker, const char *id,
	const uint8_t version[RECORD_OWNER_SIZE]);

/* Changes up to this revision of the store may have been missed. */
void hub_missed(struct hub *hub, uint64_t revision);

/*
 * The secret was revoked; or another version took its place (NULL: none is left), at that revision
 * of the store. Who has seen a later one knows of it already. An expiry is not told by this.
 */
void hub_changed(
	struct hub *hub, const char *id, const uint8_t *version, uint64_t revision, int64_t now);

/*
 * The secret was revoked by this process, whatever the store says of it: all who have it hear of
 * it. What they get from now on is another, or nothing.
 */
void hub_ended(struct hub *hub, const char *id, int64_t now);

/* Those whose time has come. It is the hub's clock as well, so call it again and again. */
void hub_sweep(struct hub *hub, int64_t now);

/*
 * Up to most identifiers that are noted and have not ended, from a place on that is 0 in the
 * beginning; how many. *ret_next is the place to go on, or 0: that was all. For who has lost track
 * of changes.
 */
size_t hub_ids(struct hub *hub, size_t from, size_t most, char (*ret_ids)[PM_COMMAND_ID_MAX + 1],
	size_t *ret_next);

/*
 * Begins to watch: wake(arg) is called, with the hub locked and from any thread, when there is
 * something to take; also at once. NULL when there are too many, or without memory.
 */
struct hub_watch *hub_watch(
	struct hub *hub, const char *worker, void (*wake)(void *arg), void *arg);

/* Ends it; no call comes afterwards. */
void hub_unwatch(struct hub *hub, struct hub_watch *watch);

/*
 * The next event: false when there is none. *ret_lost: some were thrown away, so the watch is of no
 * use any more.
 */
bool hub_take(struct hub *hub, struct hub_watch *watch, char ret_id[PM_COMMAND_ID_MAX + 1],
	enum hub_event *ret_event, bool *ret_lost);

/* Secrets that are noted. */
size_t hub_count(struct hub *hub);

#endif
