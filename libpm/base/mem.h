/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: owners that clean up after themselves, copies, and arithmetic that can't wrap. */
#ifndef PM_BASE_MEM_H
#define PM_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that belong to somebody else. */
struct pm_view {
	const uint8_t *ptr;
	size_t len;
};

static inline struct pm_view pm_view(const void *ptr, size_t len)
{
	return (struct pm_view){ptr, len};
}

/*
 * PM_OWNER(type, free): defines what pm_cleanup(type) calls at the end of the variable's scope.
 * pm_steal() moves the object out, so that each exit of a function is right by construction.
 */
#define PM_OWNER(type, free_fn)                                                                    \
	static inline void pm_cleanup_##type(struct type **p)                                      \
	{                                                                                          \
		free_fn(*p);                                                                       \
	}                                                                                          \
	struct pm_owner_##type /* swallows the semicolon */

#define pm_cleanup(type) __attribute__((cleanup(pm_cleanup_##type)))

#define pm_steal(p)                                                                                \
	({                                                                                         \
		__typeof__(p) *pm_steal_from = &(p);                                               \
		__typeof__(p) pm_stolen = *pm_steal_from;                                          \
		*pm_steal_from = NULL;                                                             \
		pm_stolen;                                                                         \
	})

/* pm_cleanup(free): for plain memory of pm_alloc(). */
void pm_cleanup_free(void *p);

/* Zeroed memory, or NULL. */
void *pm_alloc(size_t size);

/* A copy of bytes, never NULL for success even when len is 0; or NULL. */
uint8_t *pm_dup(struct pm_view bytes);

/* As memcpy, and fine with NULL when n is 0. The one place for raw copies. */
static inline void pm_copy(void *dst, const void *src, size_t n)
{
	if (n)
		memcpy(dst, src, n);
}

/* Zero memory in a way that the compiler keeps. */
void pm_wipe(void *p, size_t n);

/* Equal? The time depends on n alone: for every digest, MAC and secret. */
bool pm_ct_equal(const void *a, const void *b, size_t n);

/* All bytes zero? The time depends on n alone. */
bool pm_is_zero(const void *p, size_t n);

/* Equal? For public text and identifiers; may stop early. */
static inline bool pm_view_equal(struct pm_view a, struct pm_view b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

#define PM_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
