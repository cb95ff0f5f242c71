/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks an operation through every failure of memory: the first allocation fails, then the second,
 * and so on, until the operation runs to its end. Programs that use this are linked with
 * ALLOC_WRAPS of meson.build, which put alloc.c before malloc, calloc, realloc, free, mmap and
 * munmap in all objects and static libraries of the program, mbedTLS's and libsodium's among them.
 * Shared libraries are not touched. So GMP's allocations (under nettle) never fail here, which is
 * as well: GMP aborts then, by its own design.
 */
#ifndef PM_TEST_ALLOC_H
#define PM_TEST_ALLOC_H

#include <stddef.h>

/* What an operation returns when it succeeded and its result is not right. */
#define ALLOC_WRONG 1

/* How sure the reason of a failure is. */
enum alloc_reason {
	/* PM_E_NOMEM and nothing else. */
	ALLOC_NOMEM,
	/*
	 * mbedTLS loses the reason on the way: PSA makes other errors of it (PM_E_CRYPTO), and its
	 * parsers of RSA keys and of PSS parameters call them malformed (PM_E_FORMAT). An answer
	 * (PM_E_REJECTED, PM_E_STALE) it must never be.
	 */
	ALLOC_LOSSY,
};

/*
 * Runs once with its memory granted, which must return 0, and then with the nth allocation failing,
 * for n from 1. Fails the test unless each of these runs returns an error as reason says, or 0 (it
 * did without), and frees what it allocated. The operation must not assert anything, as Check
 * allocates, and frees all that it made. Returns how many allocations failed.
 */
unsigned int alloc_walk(const char *name, int (*operation)(void), enum alloc_reason reason);

/*
 * malloc() that does not fail, for libraries that may be told to use it and do not bear failures:
 * jansson 2.14 drops bytes of what it reads then, and writes beyond its memory. What it gives is
 * counted.
 */
void *alloc_sure(size_t size);

#endif
