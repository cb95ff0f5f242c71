/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded cache of shared objects, thread safe; the one used longest ago gives way. Keys are
 * digests, so their first bytes spread evenly.
 */
#ifndef PM_BASE_LRU_H
#define PM_BASE_LRU_H

#include <stdatomic.h>

#include <pm/error.h>
#include "base/mem.h"

#define PM_LRU_KEY_SIZE	   32
#define PM_LRU_ENTRIES_MAX 65536

/* First member of what a cache holds. It never changes once it is shared. */
struct pm_shared {
	atomic_uint refs;
	void (*destroy)(struct pm_shared *shared);
};

/* One reference, the caller's. */
void pm_shared_init(struct pm_shared *shared, void (*destroy)(struct pm_shared *shared));
void pm_shared_ref(struct pm_shared *shared);

/* Gives up one reference; the last one destroys. Fine with NULL. */
void pm_shared_unref(struct pm_shared *shared);
PM_OWNER(pm_shared, pm_shared_unref);

struct pm_lru;

/* entries: 1 to PM_LRU_ENTRIES_MAX, else PM_E_ARG. PM_E_NOMEM. */
int pm_lru_new(size_t entries, struct pm_lru **ret) PM_MUST_USE;
void pm_lru_free(struct pm_lru *lru);
PM_OWNER(pm_lru, pm_lru_free);

/* The object of that key with a new reference, or NULL. */
struct pm_shared *pm_lru_get(struct pm_lru *lru, const uint8_t *key);

/* Keeps the object, with a reference of its own; replaces another one of that key. */
void pm_lru_put(struct pm_lru *lru, const uint8_t *key, struct pm_shared *shared);

#endif
