/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in guarded memory: locked where the system allows it, kept out of core dumps, between
 * guard pages, wiped when freed. A secret is wiped by its type, so no error path can forget it.
 */
#ifndef PM_BASE_SECRET_H
#define PM_BASE_SECRET_H

#include <pm/error.h>
#include "base/mem.h"

struct pm_secret {
	uint8_t *ptr;
	size_t len;
};

/* Longest secret: more would exhaust what a process may lock. */
#define PM_SECRET_MAX 65536

/* Room for len bytes, filled with zeros. PM_E_LIMIT, PM_E_NOMEM. */
int pm_secret_new(struct pm_secret *ret, size_t len) PM_MUST_USE;

/* Takes a copy of bytes; the caller wipes its own. PM_E_LIMIT, PM_E_NOMEM. */
int pm_secret_copy(struct pm_secret *ret, struct pm_view bytes) PM_MUST_USE;

/* Wipes and frees; fine with an empty one. */
void pm_secret_free(struct pm_secret *secret);

/* Same length and bytes, in time that depends on the length alone. */
bool pm_secret_equal(const struct pm_secret *a, const struct pm_secret *b);

/*
 * A secret for the length of one call, on the stack and wiped by its type too: guarded memory costs
 * ten system calls. What outlives the call is a struct pm_secret.
 */
struct pm_brief {
	uint8_t bytes[64];
};

/* pm_cleanup(brief) struct pm_brief b = {0}; */
static inline void pm_cleanup_brief(struct pm_brief *b)
{
	pm_wipe(b->bytes, sizeof(b->bytes));
}

/* pm_cleanup(secret) struct pm_secret s = {0}; */
static inline void pm_cleanup_secret(struct pm_secret *s)
{
	pm_secret_free(s);
}

#endif
