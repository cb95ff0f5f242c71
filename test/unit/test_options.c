/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of daemons: what is taken, what ends the program, and what is refused. */
#include <string.h>

#include "common/options.h"
#include "common/store_options.h"
#include "testing.h"

/* What the line's callbacks saw, and what they answer. */
struct seen {
	char text[64];
	size_t checks;
	int set, check;
};

static int on_option(void *arg, int id, const char *value)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%d=%s;", id, value ? value : "");
	return seen->set;
}

static int on_check(void *arg)
{
	struct seen *seen = arg;

	seen->checks++;
	return seen->check;
}

/* Up to three words behind the program's name. */
static int walk(struct seen *seen, const char *a, const char *b, const char *c)
{
	static const struct option rows[] = {
		{"one", required_argument, NULL, 1}, COMMON_OPTION_ROWS, {0}};
	static const struct options_line line = {"name", "help\n", rows, on_option, on_check};
	char *argv[] = {(char *)"name", (char *)a, (char *)b, (char *)c, NULL};
	int argc = 1;

	while (argv[argc])
		argc++;
	optind = 0; /* getopt_long() begins anew */
	return options_walk(argc, argv, &line, seen);
}

START_TEST(takes_options_in_their_order)
{
	struct seen seen = {0};
	char want[32];

	snprintf(want, sizeof(want), "1=x;%d=y;", OPTION_USER);
	ck_assert_int_eq(walk(&seen, "--one=x", "--user", "y"), OPTIONS_RUN);
	ck_assert_str_eq(seen.text, want);
	ck_assert_uint_eq(seen.checks, 1);
}
END_TEST

START_TEST(help_and_version_end_the_program)
{
	struct seen seen = {0};

	ck_assert_int_eq(walk(&seen, "--help", "--one=x", NULL), 0);
	ck_assert_int_eq(walk(&seen, "-h", "--one=x", NULL), 0);
	ck_assert_int_eq(walk(&seen, "--version", "--one=x", NULL), 0);
	ck_assert_str_eq(seen.text, "");
	ck_assert_uint_eq(seen.checks, 0);
}
END_TEST

START_TEST(refuses_what_it_does_not_know)
{
	struct seen seen = {0};

	ck_assert_int_eq(walk(&seen, "--two", NULL, NULL), 2);
	ck_assert_int_eq(walk(&seen, "--one", NULL, NULL), 2); /* without its value */
	ck_assert_int_eq(walk(&seen, "word", NULL, NULL), 2);
	ck_assert_int_eq(walk(&seen, "--one=x", "word", NULL), 2);
	ck_assert_uint_eq(seen.checks, 0);
}
END_TEST

START_TEST(refuses_what_the_program_refuses)
{
	struct seen seen = {.set = 2};

	ck_assert_int_eq(walk(&seen, "--one=x", "--one=y", NULL), 2);
	ck_assert_str_eq(seen.text, "1=x;");
	ck_assert_uint_eq(seen.checks, 0);
	seen = (struct seen){.check = 2};
	ck_assert_int_eq(walk(&seen, NULL, NULL, NULL), 2);
	ck_assert_uint_eq(seen.checks, 1);
}
END_TEST

START_TEST(lists_have_an_end)
{
	const char *list[2];
	size_t count = 0;

	ck_assert_int_eq(option_add("--one", "a", list, &count, 2), 0);
	ck_assert_int_eq(option_add("--one", "b", list, &count, 2), 0);
	ck_assert_int_eq(option_add("--one", "c", list, &count, 2), 2);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(list[0], "a");
	ck_assert_str_eq(list[1], "b");
}
END_TEST

START_TEST(padding_is_a_power_of_two)
{
	static const char *const bad[] = {"", "1", "100", "300", "-256", "256k", "1099511627776"};
	uint32_t pad = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(option_pad(bad[i], &pad), 2);
	ck_assert_uint_eq(pad, 7);
	ck_assert_int_eq(option_pad("0", &pad), 0);
	ck_assert_uint_eq(pad, 0);
	ck_assert_int_eq(option_pad("256", &pad), 0);
	ck_assert_uint_eq(pad, 256);
}
END_TEST

START_TEST(a_store_has_both_or_none)
{
	struct store_options o = {0};

	ck_assert_int_eq(store_options_check(&o), 0);
	ck_assert(store_is_option(STORE_OPTION_CERT) && !store_is_option(OPTION_LISTEN));
	ck_assert_int_eq(store_option(&o, STORE_OPTION_CERT, "cert"), 0);
	ck_assert_int_eq(store_options_check(&o), 2);
	ck_assert_int_eq(store_option(&o, STORE_OPTION_KEY, "key"), 0);
	ck_assert_int_eq(store_options_check(&o), 0);
	o.cert = NULL;
	ck_assert_int_eq(store_options_check(&o), 2);
}
END_TEST

START_TEST(files_of_a_store_must_be_there)
{
	const struct store_options bad[] = {
		{.cert = "/no/such/file"}, {.key = "/no/such/file"}, {.ca = "/no/such/file"}};
	struct store_options o = {.ca = "/proc/self/comm"};
	struct store_files files;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(store_files_read(&bad[i], &files), 2);
		store_files_clear(&files);
	}
	ck_assert_int_eq(store_files_read(&o, &files), 0);
	ck_assert_ptr_null(files.cert);
	ck_assert_ptr_null(files.key);
	ck_assert(files.ca && files.ca[0]);
	store_files_clear(&files);
	ck_assert_ptr_null(files.ca);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");

	tcase_add_test(tcase, takes_options_in_their_order);
	tcase_add_test(tcase, help_and_version_end_the_program);
	tcase_add_test(tcase, refuses_what_it_does_not_know);
	tcase_add_test(tcase, refuses_what_the_program_refuses);
	tcase_add_test(tcase, lists_have_an_end);
	tcase_add_test(tcase, padding_is_a_power_of_two);
	tcase_add_test(tcase, a_store_has_both_or_none);
	tcase_add_test(tcase, files_of_a_store_must_be_there);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
