/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other instances change in the store reaches those who watch here. When the store can't say
 * any more what changed, each secret that somebody has is looked at anew.
 */
#ifndef SECRETS_FOLLOW_H
#define SECRETS_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store.h"
#include "pm-secrets/hub.h"

struct follow;

/* Belongs to one loop. NULL without memory. */
struct follow *follow_new(struct loop *loop, struct store *store, struct hub *hub);
/* Has it lost track of changes for so many milliseconds? From any thread. */
bool follow_is_lost(const struct follow *follow, int64_t milliseconds);
/* Before its store. */
void follow_free(struct follow *follow);

#endif
