/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/error.h>
#include <pm/text.h>

static const char *vectors(void)
{
	const char *dir = getenv("PM_VECTORS");

	return dir ? dir : PM_SOURCE_ROOT "/../shared/vectors";
}

bool test_has_vectors(void)
{
	return access(vectors(), R_OK | X_OK) == 0;
}

struct pm_view test_hex(const char *text)
{
	size_t n = strlen(text) / 2;
	uint8_t *bytes = pm_alloc(n);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(pm_hex_decode(text, bytes, n), PM_OK);
	return pm_view(bytes, n);
}

struct pm_view test_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes;
	long size;

	ck_assert_msg(f != NULL, "can't open %s", path);
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	rewind(f);
	bytes = pm_alloc((size_t)size);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(fread(bytes, 1, (size_t)size, f), (size_t)size);
	fclose(f);
	return pm_view(bytes, (size_t)size);
}

struct pm_view test_vector(const char *path)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", vectors(), path);
	return test_read(full);
}

DIR *test_open_vectors(const char *path, const char *folder)
{
	char full[4096];
	DIR *dir;

	snprintf(full, sizeof(full), "%s/%s/%s", vectors(), path, folder);
	dir = opendir(full);
	ck_assert_msg(dir != NULL, "can't open %s", full);
	return dir;
}

void test_free(struct pm_view bytes)
{
	free((void *)bytes.ptr);
}

int test_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!test_has_vectors())
		printf("skipped: tests of real evidence, no folder %s\n", vectors());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
