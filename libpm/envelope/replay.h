/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker has seen of one secret: the headers of requests, until they are too old to be
 * accepted anyway. Bounded; when it is full it refuses, and never forgets early. Thread safe.
 */
#ifndef PM_ENVELOPE_REPLAY_H
#define PM_ENVELOPE_REPLAY_H

#include <pm/error.h>
#include <pm/report.h>

#include "base/mem.h"

#define PM_REPLAY_KEY_SIZE 32

struct pm_replay;

/*
 * window: seconds that a request may be old; requests issued up to start are refused.
 * PM_E_ARG for numbers out of range (pm/exchange.h), PM_E_NOMEM.
 */
int pm_replay_new(
	size_t entries, uint32_t window, int64_t start, struct pm_replay **ret) PM_MUST_USE;
void pm_replay_free(struct pm_replay *replay);
PM_OWNER(pm_replay, pm_replay_free);

/*
 * Admits a request once. PM_E_STALE when it was issued too long ago, in the future, or before what
 * was forgotten; PM_E_REJECTED when it is known; PM_E_LIMIT when there is no room.
 */
int pm_replay_admit(struct pm_replay *replay, const uint8_t *header, int64_t issued_at, int64_t now,
	struct pm_report *report) PM_MUST_USE;

#endif
