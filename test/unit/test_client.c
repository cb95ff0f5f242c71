/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-client does with bodies and files before anything is sent. */
#include <pm/rules.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/address.h"
#include "common/browser.h"
#include "pm-client/body.h"
#include "pm-client/client.h"
#include "pm-client/passed.h"
#include "testing.h"

#define SALT "0123456789abcdef0123456789abcdef"

static struct buffer buffer_of(const char *text)
{
	struct buffer buffer = {0};

	ck_assert(buffer_add(&buffer, text, strlen(text), SIZE_MAX));
	return buffer;
}

START_TEST(salt_goes_in_front)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{"{}", "{\"cache_salt\":\"" SALT "\"}"},
		{" \r\n\t{ \n}", " \r\n\t{\"cache_salt\":\"" SALT "\" \n}"},
		{"{\"a\":1}", "{\"cache_salt\":\"" SALT "\",\"a\":1}"},
		{"{ \"a\":{}} ", "{\"cache_salt\":\"" SALT "\", \"a\":{}} "},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer body = buffer_of(rows[i].before);

		ck_pm(add_salt(&body, SALT), PM_OK);
		ck_assert_uint_eq(body.len, strlen(rows[i].after));
		ck_assert_mem_eq(body.bytes, rows[i].after, body.len);
		buffer_free(&body);
	}
}
END_TEST

START_TEST(salt_needs_an_object)
{
	static const char *const rows[] = {"[]", " ", "1", "\"{\""};
	struct buffer none = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer body = buffer_of(rows[i]);

		ck_pm(add_salt(&body, SALT), PM_E_FORMAT);
		ck_assert_uint_eq(body.len, strlen(rows[i]));
		buffer_free(&body);
	}
	ck_pm(add_salt(&none, SALT), PM_E_FORMAT);
}
END_TEST

/* One that is there already is seen: two keys are refused, however the first is written. */
START_TEST(salt_never_hides_another)
{
	static const char *const rows[] = {"{\"cache_salt\":\"\"}", "{\"a\":1,\"cache_salt\":null}",
		"{\"cache\\u005fsalt\":\"\"}"};
	struct pm_request_facts facts = {.size = sizeof(facts)};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer body = buffer_of(rows[i]);

		ck_pm(add_salt(&body, SALT), PM_OK);
		ck_pm(pm_request_read(body.bytes, body.len, &facts, NULL), PM_E_FORMAT);
		buffer_free(&body);
	}
}
END_TEST

/* --- browsers -------------------------------------------------------------------------------- */

static void check_host(const char *from, const char *host, bool good)
{
	static const char *const own[] = {"worker", "Worker.example"};
	const struct browser_names names = {own, 2};
	struct address address;

	ck_pm(address_parse(from, &address), PM_OK);
	ck_assert_msg(browser_host_is_good(&address.socket, host, &names) == good, "%s %s", from,
		host ? host : "");
}

START_TEST(hosts_of_browsers)
{
	static const char *const locals[] = {"127.0.0.1:1", "[::1]:1"};

	for (size_t i = 0; i < 2; i++) {
		check_host(locals[i], NULL, true);
		check_host(locals[i], "localhost:8080", true);
		check_host(locals[i], "attacker.example", false);
		check_host(locals[i], "unix:1", false);
		check_host(locals[i], "", false);
		check_host(locals[i], "worker", true);
		check_host(locals[i], "WORKER.example:9100", true);
		check_host(locals[i], "worker.attacker.example", false);
		check_host(locals[i], "work", false);
	}
	check_host("unix:/s", "attacker.example", true);
	check_host("192.0.2.1:1", "gateway.example", true);
}
END_TEST

/* --- heads ----------------------------------------------------------------------------------- */

static const char *value_in(const struct pm_sealed_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(fields[i].name, name))
			return fields[i].value;
	return NULL;
}

/* Both forms of a key: of two, the worker would choose one. */
START_TEST(our_key_takes_the_place_of_theirs)
{
	struct http_request request = {
		.fields = {{"authorization", "Bearer theirs"}, {"x-api-key", "theirs"},
			{"accept", "text/plain"}, {"cookie", "crumbs"}, {"openai-project", ""}},
		.field_count = 5};
	struct pm_sealed_field fields[PASSED_MAX];
	size_t count = passed_fields(&request, NULL, fields);

	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(value_in(fields, count, "authorization"), "Bearer theirs");
	ck_assert_str_eq(value_in(fields, count, "x-api-key"), "theirs");
	ck_assert_str_eq(value_in(fields, count, "accept"), "text/plain");
	count = passed_fields(&request, "Bearer ours", fields);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(value_in(fields, count, "authorization"), "Bearer ours");
	ck_assert_str_eq(value_in(fields, count, "accept"), "text/plain");
	ck_assert_str_eq(passed_value(&request, "Bearer ours", "authorization"), "Bearer ours");
	ck_assert_ptr_null(passed_value(&request, "Bearer ours", "x-api-key"));
}
END_TEST

/* --- files ----------------------------------------------------------------------------------- */

static int read_file(const char *text, size_t len, mode_t mode, char **ret)
{
	char path[] = "/tmp/pm-test-client-XXXXXX";
	int fd = mkstemp(path), r;

	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	r = read_secret_line(path, ret);
	unlink(path);
	return r;
}

/* Whoever may write the folder could point to a secret of another program. */
static int read_by_link(char **ret)
{
	char folder[] = "/tmp/pm-test-client-XXXXXX", path[64], target[64];
	int fd, r;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(target, sizeof(target), "%s/target", folder);
	snprintf(path, sizeof(path), "%s/link", folder);
	fd = open(target, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "key", 3), 3);
	close(fd);
	ck_assert_int_eq(symlink(target, path), 0);
	r = read_secret_line(path, ret);
	unlink(path);
	unlink(target);
	rmdir(folder);
	return r;
}

START_TEST(secrets_of_files)
{
	static char longer[CLIENT_TEXT_MAX + 2];
	char *text = NULL;

	memset(longer, 'k', sizeof(longer));
	ck_assert_int_eq(read_file("key\nmore", 8, 0600, &text), 0);
	ck_assert_str_eq(text, "key");
	free(text);
	text = NULL;
	ck_assert_int_eq(read_file("key\r\n", 5, 0400, &text), 0);
	ck_assert_str_eq(text, "key");
	free(text);
	text = NULL;
	ck_assert_int_eq(read_file("key", 3, 0640, &text), 2);
	ck_assert_int_eq(read_file("key", 3, 0602, &text), 2);
	ck_assert_int_eq(read_file("", 0, 0600, &text), 2);
	ck_assert_int_eq(read_file("\nkey", 4, 0600, &text), 2);
	ck_assert_int_eq(read_file("a key", 5, 0600, &text), 2);
	ck_assert_int_eq(read_file("k\xc3\xa9y", 4, 0600, &text), 2);
	ck_assert_int_eq(read_file(longer, CLIENT_TEXT_MAX + 1, 0600, &text), 2);
	ck_assert_int_eq(read_secret_line("/nonexistent/key", &text), 2);
	ck_assert_int_eq(read_by_link(&text), 2);
	ck_assert_ptr_null(text);
	ck_assert_int_eq(read_file(longer, CLIENT_TEXT_MAX, 0600, &text), 0);
	ck_assert_uint_eq(strlen(text), CLIENT_TEXT_MAX);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("client");
	TCase *t = tcase_create("client");

	tcase_add_test(t, salt_goes_in_front);
	tcase_add_test(t, salt_needs_an_object);
	tcase_add_test(t, salt_never_hides_another);
	tcase_add_test(t, hosts_of_browsers);
	tcase_add_test(t, our_key_takes_the_place_of_theirs);
	tcase_add_test(t, secrets_of_files);
	suite_add_tcase(s, t);
	return test_main(s);
}
