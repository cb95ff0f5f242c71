/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over all values of the store that seals anew those of older epochs, but what was ended. */
#ifndef SECRETS_WALK_H
#define SECRETS_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store.h"
#include "pm-secrets/past.h"
#include "pm-secrets/record.h"

/* Values at a time. */
#define WALK_PAGE 64

struct walk;

/* whole: none of an older epoch is left, but for those that nobody can open. */
typedef void walk_done(void *arg, bool whole, uint64_t resealed);

/* done is called from the loop, not from here, and may free the walk. NULL without memory. */
struct walk *walk_new(
	struct store *store, struct ring *ring, struct past *past, walk_done *done, void *arg);
/* Ends it; no call comes. */
void walk_free(struct walk *walk);

#endif
