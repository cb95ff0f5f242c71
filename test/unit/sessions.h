/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session and what it is made of: options that a test fills in, a clock that it sets, a folder
 * for a memory. Each program has one such session.
 */
#ifndef PM_TEST_SESSIONS_H
#define PM_TEST_SESSIONS_H

#include <stdatomic.h>

#include "net/session.h"

PM_OWNER(pm_exchange_key, pm_exchange_key_free);
PM_OWNER(pm_exchange_client, pm_exchange_client_free);
PM_OWNER(pm_exchange_worker, pm_exchange_worker_free);

extern struct pm_session *session;
extern struct pm_session_options options;
extern struct pm_verdict *verdict;
extern struct pm_report *report;
extern atomic_int_fast64_t wall_now, ticks_now; /* of fake_clock */
extern const struct pm_net_clock fake_clock;
extern char memory[96]; /* a file that is not there yet */

/* Begins without a session. */
void sessions_set_up(int64_t wall);
void sessions_tear_down(void);

/* Another session in the place of that which was, with the options as they now are. */
void make_session(const char *url, const struct pm_manifest *manifest);

/* pm_session_get(), of which the key is let go; the report tells of this call alone. */
int get(void);

/* What the client seals, the server's secret opens. */
void check_key(const struct pm_session_key *key, const char *id, const uint8_t *secret);

void pass_seconds(int64_t seconds);

#endif
