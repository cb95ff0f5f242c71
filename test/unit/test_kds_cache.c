/* SPDX-License-Identifier: Apache-2.0 */
/* What the KDS client keeps, for how long, and what its threads share. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kds_fixture.h"
#include "net/disk_cache.h"

/* --- the cache ------------------------------------------------------------------------------- */

#define VCEK_NAME "vcek-Milan-" MILAN_ID "-bl3-tee0-snp20-ucode209"

static const char *entry(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", cache, name);
	return path;
}

static unsigned int count_files(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2; /* . and .. */
}

START_TEST(cache_saves_requests)
{
	struct http_answer answers[] = {{200, cert}, {200, chain}, {200, crl}};
	struct stat st;

	umask(022);
	serve(answers, 3);
	use_cache();
	for (int i = 0; i < 3; i++) {
		ck_pm(get_vcek(cert), PM_OK);
		ck_pm(get_chain(chain), PM_OK);
		ck_pm(get_crl(crl), PM_OK);
		pm_kds_free(kds); /* the cache outlives the handle */
		kds = new_client();
		use_cache();
	}
	ck_assert_uint_eq(requests(), 3);
	ck_assert_uint_eq(count_files(cache), 3); /* no temporary file stays */
	ck_assert_int_eq(stat(cache, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(entry(VCEK_NAME), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(stat(entry("chain-vcek-Genoa"), &st), 0);
	ck_assert_int_eq(stat(entry("crl-vlek-Milan"), &st), 0);
}
END_TEST

START_TEST(each_tcb_and_chip_has_its_entry)
{
	struct http_answer answer = {200, cert};
	struct pm_snp_tcb t = tcb;
	uint8_t id[64] = {0x7f}, *b;
	size_t n;

	serve(&answer, 1);
	use_cache();
	for (unsigned int i = 0; i < 8; i++) {
		const uint8_t *of = i < 4 ? chip : id;
		enum pm_snp_product product = i == 7 ? PM_SNP_GENOA : PM_SNP_MILAN;

		t = (struct pm_snp_tcb){
			0, i == 0 ? 9 : 1, i == 1 ? 9 : 1, i == 2 ? 9 : 1, i == 3 ? 9 : (uint8_t)i};
		ck_pm(pm_kds_vcek(kds, product, of, 64, &t, report, &b, &n), PM_OK);
		free(b);
		ck_assert_uint_eq(requests(), i + 1);
	}
	t.fmc = 5; /* means nothing for Genoa */
	ck_pm(pm_kds_vcek(kds, PM_SNP_GENOA, id, 64, &t, report, &b, &n), PM_OK);
	free(b);
	ck_assert_uint_eq(requests(), 8);
	for (t.fmc = 1; t.fmc < 3; t.fmc++) {
		ck_pm(pm_kds_vcek(kds, PM_SNP_TURIN, id, 8, &t, report, &b, &n), PM_OK);
		free(b);
	}
	ck_assert_uint_eq(requests(), 10);
}
END_TEST

/* Ways to spoil the entry of the VCEK, whose whole content is given. */
static void spoil(int way, struct pm_view whole)
{
	const char *path = entry(VCEK_NAME);
	char target[128];
	FILE *f;

	snprintf(target, sizeof(target), "%s/target", folder);
	ck_assert_int_eq(unlink(path), 0);
	if (way == 6)
		ck_assert_int_eq(mkfifo(path, 0600), 0);
	if (way == 7)
		ck_assert_int_eq(symlink(target, path), 0);
	if (way == 8)
		ck_assert_int_eq(mkdir(path, 0700), 0);
	if (way == 6 || way == 8)
		return;
	f = fopen(way == 7 ? target : path, "w");
	if (way == 0)
		whole.len /= 2;
	if (way == 1)
		((uint8_t *)whole.ptr)[whole.len / 2] ^= 1;
	if (way == 2)
		((uint8_t *)whole.ptr)[whole.len - 1] ^= 0x80;
	if (way == 3)
		whole.len = 0;
	if (way == 4)
		whole.len = 32;
	ck_assert_uint_eq(fwrite(whole.ptr, 1, whole.len, f), whole.len);
	for (int i = 0; way == 5 && i < 2 * PM_KDS_VCEK_MAX; i++)
		putc(0, f);
	fclose(f);
}

START_TEST(spoilt_entries_are_replaced)
{
	struct http_answer answers[] = {{200, cert}, {200, other_cert}};
	struct pm_view whole;

	serve(answers, 2);
	use_cache();
	ck_pm(get_vcek(cert), PM_OK);
	whole = test_read(entry(VCEK_NAME));
	spoil(_i, whole);
	ck_pm(get_vcek(other_cert), PM_OK);
	ck_assert_uint_eq(requests(), 2);
	ck_pm(get_vcek(other_cert), PM_OK);
	if (_i == 8) { /* a folder can't be replaced by a file: no cache for this one */
		ck_assert_uint_eq(requests(), 3);
		ck_assert_ptr_nonnull(strstr(logged, "can't write to the cache"));
		ck_assert_uint_eq(count_files(cache), 1);
	} else {
		ck_assert_uint_eq(requests(), 2);
	}
	test_free(whole);
}
END_TEST

START_TEST(entry_of_another_name_is_not_taken)
{
	static const struct pm_snp_tcb other = {0, 4, 0, 20, 209};
	struct http_answer answers[] = {{200, cert}, {200, other_cert}};
	char from[512], to[512];
	uint8_t *b;
	size_t n;

	serve(answers, 2);
	use_cache();
	ck_pm(get_vcek(cert), PM_OK);
	snprintf(from, sizeof(from), "%s", entry(VCEK_NAME));
	snprintf(to, sizeof(to), "%s", entry("vcek-Milan-" MILAN_ID "-bl4-tee0-snp20-ucode209"));
	ck_assert_int_eq(rename(from, to), 0);
	ck_pm(pm_kds_vcek(kds, PM_SNP_MILAN, chip, 64, &other, report, &b, &n), PM_OK);
	ck_assert(pm_view_equal(pm_view(b, n), other_cert));
	free(b);
	ck_assert_uint_eq(requests(), 2);
}
END_TEST

START_TEST(cache_names_are_plain)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "../a", "a.b", "a\n", "a b", "\xc3\xa4"};
	char longest[PM_DISK_CACHE_NAME_MAX + 2];
	uint8_t *b;
	int64_t t;
	size_t n;

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++) {
		ck_pm(pm_disk_cache_write(folder, bad[i], VIEW("x")), PM_E_ARG);
		ck_pm(pm_disk_cache_read(folder, bad[i], 1, &b, &n, &t), PM_E_ARG);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_pm(pm_disk_cache_write(folder, longest, VIEW("x")), PM_E_ARG);
	ck_pm(pm_disk_cache_write(folder, longest + 1, VIEW("x")), PM_OK);
	ck_pm(pm_disk_cache_read(folder, longest + 1, 1, &b, &n, &t), PM_OK);
	free(b);
	ck_pm(pm_disk_cache_write(folder, "Az09-", VIEW("xy")), PM_OK);
	ck_pm(pm_disk_cache_read(folder, "Az09-", 1, &b, &n, &t), PM_E_MISSING); /* above max */
	ck_pm(pm_disk_cache_read(folder, "none", 1, &b, &n, &t), PM_E_MISSING);
}
END_TEST

START_TEST(cache_that_cannot_be_written)
{
	char path[128];

	SERVE({200, cert});
	snprintf(path, sizeof(path), "%s/file", folder);
	fclose(fopen(path, "w"));
	snprintf(path, sizeof(path), "%s/file/cache", folder);
	ck_pm(pm_kds_set_cache(kds, path), PM_OK);
	ck_pm(get_vcek(cert), PM_OK);
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_uint_eq(requests(), 2);
	ck_assert_ptr_nonnull(strstr(logged, "can't write to the cache"));
	ck_assert_str_eq(pm_report_reason(report), "");
}
END_TEST

START_TEST(full_disk_costs_the_cache_only)
{
	SERVE({200, cert});
	ck_pm(pm_kds_set_cache(kds, "/dev/full"), PM_OK); /* no folder at all */
	ck_pm(get_vcek(cert), PM_OK);
	ck_pm(pm_kds_set_cache(kds, "/proc/self"), PM_OK); /* a folder that takes no files */
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_uint_eq(requests(), 2);
}
END_TEST

/* --- ages ------------------------------------------------------------------------------------ */

START_TEST(chain_is_fetched_again_when_old)
{
	struct http_answer answers[] = {{200, chain}, {200, chain}, {404, html}, {200, chain}};

	serve(answers, 4);
	use_cache();
	ck_pm(get_chain(chain), PM_OK);
	wall_added = PM_KDS_CHAIN_FRESH - 100;
	ck_pm(get_chain(chain), PM_OK);
	ck_assert_uint_eq(requests(), 1);
	wall_added = PM_KDS_CHAIN_FRESH + 100;
	ck_pm(get_chain(chain), PM_OK);
	ck_assert_uint_eq(requests(), 2);
	ck_pm(get_chain(chain), PM_OK); /* stored now, by the real clock: old again */
	ck_assert_uint_eq(requests(), 3);
	ck_assert_ptr_nonnull(
		strstr(logged, "using an old copy of chain-vcek-Genoa: something needed"));
	ck_assert_str_eq(pm_report_reason(report), "");
	wall_added = -1000; /* stored in the future: the clock was wrong once */
	ck_pm(get_chain(chain), PM_OK);
	ck_assert_uint_eq(requests(), 4);
}
END_TEST

START_TEST(expired_vcek_is_fetched_again)
{
	struct pm_view expired = make_cert("SEV-VCEK", now - DAY);
	struct http_answer answers[] = {{200, expired}, {500, html}, {200, cert}};

	serve(answers, 3);
	use_cache();
	ck_pm(pm_kds_set_attempts(kds, 1), PM_OK);
	ck_pm(get_vcek(expired), PM_OK); /* not for us to judge */
	ck_pm(get_vcek(expired), PM_OK);
	ck_assert_uint_eq(requests(), 2);
	ck_pm(get_vcek(cert), PM_OK);
	ck_pm(get_vcek(cert), PM_OK);
	ck_assert_uint_eq(requests(), 3);
	test_free(expired);
}
END_TEST

START_TEST(crl_is_fetched_again_when_old)
{
	struct pm_view newer = make_crl(now - 1 * DAY, now + 20 * DAY);
	struct http_answer answers[] = {{200, crl}, {404, html}, {200, newer}, {404, html}};

	serve(answers, 4);
	use_cache();
	ck_pm(get_crl(crl), PM_OK);
	wall_added = PM_KDS_CRL_FRESH - 100;
	ck_pm(get_crl(crl), PM_OK);
	ck_assert_uint_eq(requests(), 1);
	wall_added = PM_KDS_CRL_FRESH + 100;
	ck_pm(get_crl(crl), PM_OK); /* an outage: the old one is still current */
	ck_assert_uint_eq(requests(), 2);
	ck_pm(get_crl(newer), PM_OK);
	ck_assert_uint_eq(requests(), 3);
	test_free(newer);
}
END_TEST

START_TEST(crl_is_never_used_past_its_end)
{
	struct pm_view newer = make_crl(now + 4 * DAY, now + 20 * DAY);
	struct http_answer answers[] = {
		{200, crl}, {404, html}, {200, crl}, {200, newer}, {404, html}};

	serve(answers, 5);
	use_cache();
	ck_pm(get_crl(crl), PM_OK);
	ck_pm(get_crl_at(now + 5 * DAY, crl), PM_OK); /* its last second */
	ck_assert_uint_eq(requests(), 1);
	ck_pm(get_crl_at(now + 5 * DAY + 1, crl), PM_E_MISSING);
	ck_assert_uint_eq(requests(), 2);
	ck_pm(get_crl_at(now + 5 * DAY + 1, crl), PM_E_STALE); /* the server has but the old one */
	ck_assert_uint_eq(requests(), 3);
	ck_pm(get_crl_at(now + 5 * DAY + 1, newer), PM_OK);
	ck_pm(get_crl_at(now + 5 * DAY + 1, newer), PM_OK);
	ck_assert_uint_eq(requests(), 4);
	ck_pm(get_crl_at(now + 4 * DAY - 1, newer), PM_E_MISSING); /* not begun then */
	ck_assert_uint_eq(requests(), 5);
	test_free(newer);
}
END_TEST

START_TEST(crl_of_the_wrong_time_is_refused)
{
	struct pm_view rows[] = {make_crl(now - 9 * DAY, now - 1), make_crl(now + 10, now + DAY),
		make_crl(now - DAY, 0)};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct http_answer answer = {200, rows[i]};

		serve(&answer, 1);
		use_cache();
		ck_pm(get_crl_at(now, crl), PM_E_STALE);
		ck_assert_int_ne(access(cache, F_OK), 0);
		http_server_stop(server);
		server = NULL;
		test_free(rows[i]);
	}
	ck_assert_msg(reason_has("kds.crl: found a list that ended at 20"), "%s",
		pm_report_reason(report));
}
END_TEST

START_TEST(offline_uses_the_cache_alone)
{
	struct http_answer answer = {200, chain};

	serve(&answer, 1);
	use_cache();
	ck_pm(pm_kds_set_mode(kds, PM_KDS_OFFLINE), PM_OK);
	ck_pm(get_chain(chain), PM_E_MISSING);
	ck_assert(reason_has("not there, and offline"));
	ck_pm(pm_kds_set_mode(kds, PM_KDS_CACHE_FIRST), PM_OK);
	ck_pm(get_chain(chain), PM_OK);
	ck_pm(pm_kds_set_mode(kds, PM_KDS_OFFLINE), PM_OK);
	wall_added = 2 * PM_KDS_CHAIN_FRESH;
	ck_pm(get_chain(chain), PM_OK);
	ck_assert_uint_eq(requests(), 1);
	ck_pm(pm_kds_set_cache(kds, NULL), PM_OK);
	ck_pm(get_chain(chain), PM_E_MISSING);
}
END_TEST

START_TEST(refresh_replaces_the_entry)
{
	struct http_answer answers[] = {{200, cert}, {200, other_cert}, {404, html}};

	serve(answers, 3);
	use_cache();
	ck_pm(get_vcek(cert), PM_OK);
	ck_pm(pm_kds_set_mode(kds, PM_KDS_REFRESH), PM_OK);
	ck_pm(get_vcek(other_cert), PM_OK);
	ck_pm(get_vcek(cert), PM_E_MISSING); /* and no old copy instead */
	ck_pm(pm_kds_set_mode(kds, PM_KDS_CACHE_FIRST), PM_OK);
	ck_pm(get_vcek(other_cert), PM_OK);
	ck_assert_uint_eq(requests(), 3);
}
END_TEST

/* --- threads --------------------------------------------------------------------------------- */

struct asker {
	pthread_t thread;
	struct pm_report *report;
	uint8_t *bytes;
	size_t len;
	int r;
};

static void *run_asker(void *arg)
{
	struct asker *a = arg;

	a->r = pm_kds_vcek(kds, PM_SNP_MILAN, chip, 64, &tcb, a->report, &a->bytes, &a->len);
	return NULL;
}

/* Two threads; the server answers the first once the second is known to wait. */
static void ask_twice(struct asker *two)
{
	open_gate_on_wait = true;
	for (int i = 0; i < 2; i++) {
		two[i].report = pm_report_new();
		ck_assert_int_eq(pthread_create(&two[i].thread, NULL, run_asker, &two[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(two[i].thread, NULL);
}

START_TEST(two_threads_make_one_request)
{
	struct http_answer answer = {200, cert, NULL, HTTP_GATE};
	struct asker two[2] = {0};

	serve(&answer, 1);
	ask_twice(two);
	for (int i = 0; i < 2; i++) {
		ck_pm(two[i].r, PM_OK);
		ck_assert(pm_view_equal(pm_view(two[i].bytes, two[i].len), cert));
		free(two[i].bytes);
		pm_report_free(two[i].report);
	}
	ck_assert_ptr_ne(two[0].bytes, two[1].bytes);
	ck_assert_uint_eq(requests(), 1);
	ck_assert_ptr_null(kds->net.flights);
}
END_TEST

START_TEST(two_threads_share_a_failure)
{
	struct http_answer answer = {404, html, NULL, HTTP_GATE};
	struct asker two[2] = {0};

	serve(&answer, 1);
	ask_twice(two);
	for (int i = 0; i < 2; i++) {
		ck_pm(two[i].r, PM_E_MISSING);
		ck_assert_ptr_nonnull(
			strstr(pm_report_reason(two[i].report), "HTTP 404 from http://"));
		pm_report_free(two[i].report);
	}
	ck_assert_uint_eq(requests(), 1);
}
END_TEST

static void *write_often(void *arg)
{
	struct pm_view bytes = pm_view(arg, strlen(arg));

	for (int i = 0; i < 50; i++)
		ck_pm(pm_disk_cache_write(cache, "entry", bytes), PM_OK);
	return NULL;
}

START_TEST(readers_see_whole_entries)
{
	static char texts[][8] = {"a", "bb", "ccc"};
	pthread_t threads[3];
	uint8_t *b;
	int64_t t;
	size_t n;

	ck_pm(pm_disk_cache_write(cache, "entry", VIEW("a")), PM_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_often, texts[i]), 0);
	for (int i = 0; i < 200; i++) {
		ck_pm(pm_disk_cache_read(cache, "entry", 8, &b, &n, &t), PM_OK);
		ck_assert(pm_view_equal(pm_view(b, n), pm_view(texts[n - 1], n)));
		free(b);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(count_files(cache), 1);
}
END_TEST

/* --- the list -------------------------------------------------------------------------------- */

static void add_tests(TCase *t)
{
	tcase_add_test(t, cache_saves_requests);
	tcase_add_test(t, each_tcb_and_chip_has_its_entry);
	tcase_add_loop_test(t, spoilt_entries_are_replaced, 0, 9);
	tcase_add_test(t, entry_of_another_name_is_not_taken);
	tcase_add_test(t, cache_names_are_plain);
	tcase_add_test(t, cache_that_cannot_be_written);
	tcase_add_test(t, full_disk_costs_the_cache_only);
	tcase_add_test(t, chain_is_fetched_again_when_old);
	tcase_add_test(t, expired_vcek_is_fetched_again);
	tcase_add_test(t, crl_is_fetched_again_when_old);
	tcase_add_test(t, crl_is_never_used_past_its_end);
	tcase_add_test(t, crl_of_the_wrong_time_is_refused);
	tcase_add_test(t, offline_uses_the_cache_alone);
	tcase_add_test(t, refresh_replaces_the_entry);
	tcase_add_test(t, two_threads_make_one_request);
	tcase_add_test(t, two_threads_share_a_failure);
	tcase_add_test(t, readers_see_whole_entries);
}

int main(void)
{
	Suite *s = suite_create("kds cache");
	TCase *t = tcase_create("kds cache");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	add_tests(t);
	suite_add_tcase(s, t);
	return test_main(s);
}
