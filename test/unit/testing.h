/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests share: files, the folder of real vectors, and a main function. */
#ifndef PM_TEST_TESTING_H
#define PM_TEST_TESTING_H

#include <check.h>
#include <dirent.h>

#include "base/mem.h"

/* Asserts that an error code of libpm is the one wanted, and names both when not. */
#define ck_pm(call, want)                                                                          \
	do {                                                                                       \
		int ck_got = (call), ck_want = (want);                                             \
		ck_assert_msg(ck_got == ck_want, "%s: got %d (%s), want %d (%s)", #call, ck_got,   \
			pm_strerror(ck_got), ck_want, pm_strerror(ck_want));                       \
	} while (0)

/* Bytes of a text or array literal. */
#define VIEW(literal) pm_view(literal, sizeof(literal) - 1)

/* Bytes written in hexadecimal; freed with test_free(). Fails the test when malformed. */
struct pm_view test_hex(const char *text);

/* A whole file, freed with test_free(); fails the test when it can't be read. */
struct pm_view test_read(const char *path);

/* A file of the folder with real vectors ("snp/..."). */
struct pm_view test_vector(const char *path);

/* A folder of it ("nvgpu/rim", "driver"), for readdir() and closedir(). */
DIR *test_open_vectors(const char *path, const char *folder);

void test_free(struct pm_view bytes);

/*
 * Is the folder with real vectors here? It lies beside the source tree (../shared/vectors), or
 * where PM_VECTORS says. It is not part of the project: without it the tests of real evidence
 * are skipped, and each program says so.
 */
bool test_has_vectors(void);

/* Runs the case's tests; returns the exit status of main. */
int test_main(Suite *suite);

#endif
