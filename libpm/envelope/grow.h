/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that grows and is used again: one piece of work after another costs no allocation once it
 * has grown. It may hold plaintext, so it is wiped whenever it is given back.
 */
#ifndef PM_ENVELOPE_GROW_H
#define PM_ENVELOPE_GROW_H

#include <pm/error.h>
#include "base/mem.h"

struct pm_grow {
	uint8_t *ptr;
	size_t len;
	size_t cap;
};

/* Room for n further bytes after len; what was there may move. PM_E_NOMEM. */
int pm_grow_room(struct pm_grow *grow, size_t n) PM_MUST_USE;

/* Appends a copy, which must not lie in the same memory. PM_E_NOMEM. */
PM_MUST_USE static inline int pm_grow_add(struct pm_grow *grow, struct pm_view bytes)
{
	if (bytes.len > grow->cap - grow->len || !grow->ptr) {
		int r = pm_grow_room(grow, bytes.len);

		if (r < 0)
			return r;
	}
	pm_copy(grow->ptr + grow->len, bytes.ptr, bytes.len);
	grow->len += bytes.len;
	return PM_OK;
}

/* Forgets and wipes the bytes, keeps the room. */
void pm_grow_wipe(struct pm_grow *grow);

/* Wipes and frees. */
void pm_grow_free(struct pm_grow *grow);

static inline struct pm_view pm_grow_view(const struct pm_grow *grow)
{
	return pm_view(grow->ptr, grow->len);
}

#endif
