/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, read as a whole: exactly as long as they may be, and never a byte more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pm/error.h>

#include "common/whole_file.h"
#include "testing.h"

/* A file in memory, at its beginning. */
static int file_of(const char *text)
{
	int fd = memfd_create("whole", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int read_of(const char *text, size_t max, char **ret, size_t *ret_len)
{
	int fd = file_of(text), r = whole_file_read_fd(fd, max, ret, ret_len);

	close(fd);
	return r;
}

static int read_named(const char *text, size_t max, char **ret, size_t *ret_len)
{
	int fd = file_of(text), r;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = whole_file_read(path, max, ret, ret_len);
	close(fd);
	return r;
}

START_TEST(reads_to_the_end)
{
	char *text = NULL;
	size_t len = 0;

	ck_assert_int_eq(read_of("12345", 5, &text, &len), PM_OK);
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(text, "12345");
	free(text);
	ck_assert_int_eq(read_of("", 5, &text, &len), PM_OK);
	ck_assert_uint_eq(len, 0);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(refuses_what_is_longer)
{
	char *text = NULL;
	size_t len = 77;

	ck_assert_int_eq(read_of("123456", 5, &text, &len), PM_E_LIMIT);
	ck_assert_ptr_null(text);
	ck_assert_uint_eq(len, 77);
}
END_TEST

START_TEST(says_what_the_system_said)
{
	char *text = NULL;
	size_t len = 0;

	errno = 0;
	ck_assert_int_eq(whole_file_read_fd(-1, 5, &text, &len), PM_E_SYS);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(reads_a_named_file)
{
	char *text = NULL;
	size_t len = 0;

	ck_assert_int_eq(read_named("12345", 5, &text, &len), 0);
	ck_assert_uint_eq(len, 5);
	ck_assert_str_eq(text, "12345");
	free(text);
}
END_TEST

START_TEST(refuses_named_files)
{
	char *text = NULL;
	size_t len = 0;

	ck_assert_int_eq(read_named("", 5, &text, &len), 2);
	ck_assert_int_eq(read_named("123456", 5, &text, &len), 2);
	ck_assert_int_eq(whole_file_read("/proc/self/no-such-file", 5, &text, &len), 2);
	ck_assert_int_eq(whole_file_read("/proc/self", 5, &text, &len), 2); /* a folder */
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(takes_no_name_for_no_file)
{
	char *text = NULL;
	size_t len = 0;

	ck_assert_int_eq(whole_file_read(NULL, 5, &text, &len), 0);
	ck_assert_ptr_null(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("whole_file");
	TCase *tcase = tcase_create("whole_file");

	tcase_add_test(tcase, reads_to_the_end);
	tcase_add_test(tcase, refuses_what_is_longer);
	tcase_add_test(tcase, says_what_the_system_said);
	tcase_add_test(tcase, reads_a_named_file);
	tcase_add_test(tcase, refuses_named_files);
	tcase_add_test(tcase, takes_no_name_for_no_file);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
