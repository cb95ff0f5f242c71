/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pm/error.h>

/* More than any operation needs: an operation that retries for ever must not hang the test. */
#define FAILURES_MAX 100000

static unsigned int fail_at; /* 0: never */
static unsigned int calls;
static long live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
void *__real_mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *p, size_t size);

static bool fails(void)
{
	calls++;
	if (calls != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *alloc_sure(size_t size)
{
	return counted(__real_malloc(size));
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	void *moved;

	if (fails())
		return NULL;
	moved = __real_realloc(p, size);
	live += !p && moved;
	return moved;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *p;

	if (fails())
		return MAP_FAILED;
	p = __real_mmap(at, size, prot, flags, fd, offset);
	live += p != MAP_FAILED;
	return p;
}

/* What mmap() is called in programs with offsets of 64 bits. */
void *__wrap_mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *p;

	if (fails())
		return MAP_FAILED;
	p = __real_mmap64(at, size, prot, flags, fd, offset);
	live += p != MAP_FAILED;
	return p;
}

int __wrap_munmap(void *p, size_t size)
{
	live--;
	return __real_munmap(p, size);
}

/* One run with the nth allocation failing; true when it came to that. */
static bool run(int (*operation)(void), unsigned int n, int *ret_result, long *ret_leaked)
{
	long before = live;

	calls = 0;
	fail_at = n;
	*ret_result = operation();
	fail_at = 0;
	*ret_leaked = live - before;
	return n && calls >= n;
}

static bool is_expected(int result, enum alloc_reason reason)
{
	if (result == PM_OK || result == PM_E_NOMEM)
		return true;
	return reason == ALLOC_LOSSY && (result == PM_E_CRYPTO || result == PM_E_FORMAT);
}

unsigned int alloc_walk(const char *name, int (*operation)(void), enum alloc_reason reason)
{
	long leaked;
	int r;

	run(operation, 0, &r, &leaked);
	ck_assert_msg(r == PM_OK, "%s with memory: %d (%s)", name, r, pm_strerror(r));
	for (unsigned int n = 1; n < FAILURES_MAX; n++) {
		bool failed = run(operation, n, &r, &leaked);

		ck_assert_msg(leaked == 0, "%s, failure %u: %ld pieces not freed", name, n, leaked);
		ck_assert_msg(r != ALLOC_WRONG, "%s, failure %u: a wrong result", name, n);
		ck_assert_msg(failed || r == PM_OK, "%s, failure %u: %d without one", name, n, r);
		ck_assert_msg(is_expected(r, reason), "%s, failure %u: %d (%s)", name, n, r,
			pm_strerror(r));
		if (!failed)
			return n - 1;
	}
	ck_abort_msg("%s allocates for ever", name);
	return 0;
}

/* libc's own would not fail, and not be counted. */
char *__wrap_strndup(const char *text, size_t most);
char *__wrap_strdup(const char *text);

char *__wrap_strndup(const char *text, size_t most)
{
	size_t len = strnlen(text, most);
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

char *__wrap_strdup(const char *text)
{
	return __wrap_strndup(text, strlen(text));
}
