/* SPDX-License-Identifier: Apache-2.0 */
#include "kds_fixture.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/report.h"

/* --- what each test has ---------------------------------------------------------------------- */

EVP_PKEY *key;
struct pm_view cert, other_cert, chain, crl;
const struct pm_view html = {(const uint8_t *)"<!DOCTYPE html><title>Sign in</title>", 37};
struct pm_kds *kds;
struct pm_report *report;
struct http_server *server;
char folder[64], cache[80];

/* The clock: real time, moved on by each sleep. */
int64_t slept[32];
size_t sleeps;
int64_t ticks_added, wall_added, now;

/* The log. */
char logged[16384];
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
bool open_gate_on_wait;

static int64_t fake_wall(void *arg)
{
	(void)arg;
	return now + wall_added;
}

static int64_t fake_ticks(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ticks_added;
}

static void fake_sleep(void *arg, int64_t ms)
{
	(void)arg;
	ck_assert_uint_lt(sleeps, PM_ARRAY_LEN(slept));
	slept[sleeps++] = ms;
	ticks_added += ms;
}

static void take_log(void *arg, const char *text)
{
	size_t len;

	(void)arg;
	pthread_mutex_lock(&log_lock);
	len = strlen(logged);
	snprintf(logged + len, sizeof(logged) - len, "%s\n", text);
	pthread_mutex_unlock(&log_lock);
	if (open_gate_on_wait && strstr(text, "waiting for another thread"))
		http_server_open(server);
}

static const struct pm_net_clock fake_clock = {
	.wall = fake_wall, .ticks_ms = fake_ticks, .sleep_ms = fake_sleep};

struct pm_kds *new_client(void)
{
	struct pm_kds *client;

	ck_pm(pm_kds_new(&client), PM_OK);
	pm_kds_set_clock(client, &fake_clock);
	pm_kds_set_log(client, take_log, NULL);
	if (server)
		ck_pm(pm_kds_set_base_url(client, http_server_url(server), NULL), PM_OK);
	return client;
}

struct pm_view make_cert(const char *name, int64_t not_after)
{
	return mint_cert(&(struct mint_cert){
		.signer = {.key = key, .name = "issuer"},
		.key = key,
		.name = name,
		.serial = 1,
		.not_before = now - 10 * DAY,
		.not_after = not_after,
	});
}

struct pm_view make_crl(int64_t from, int64_t to)
{
	return mint_crl(&(struct mint_crl){
		.signer = {.key = key, .name = "issuer"},
		.this_update = from,
		.next_update = to,
	});
}

struct pm_view make_chain(int count)
{
	struct pm_view pem = mint_pem("CERTIFICATE", cert), all = mint_join(pem, VIEW(""));

	while (--count > 0) {
		struct pm_view longer = mint_join(all, pem);

		test_free(all);
		all = longer;
	}
	test_free(pem);
	return all;
}

void set_up(void)
{
	now = time(NULL);
	key = mint_ec("P-384");
	cert = make_cert("SEV-VCEK", now + 1000 * DAY);
	other_cert = make_cert("another", now + 1000 * DAY);
	chain = make_chain(2);
	crl = make_crl(now - 5 * DAY, now + 5 * DAY);
	snprintf(folder, sizeof(folder), "/tmp/pm-test-kds-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(cache, sizeof(cache), "%s/a/cache", folder);
	report = pm_report_new();
	server = NULL;
	kds = new_client();
}

static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char inner[PATH_MAX];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		if (unlink(inner))
			remove_folder(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

void tear_down(void)
{
	if (server)
		http_server_stop(server);
	pm_kds_free(kds);
	pm_report_free(report);
	remove_folder(folder);
	test_free(cert);
	test_free(other_cert);
	test_free(chain);
	test_free(crl);
	EVP_PKEY_free(key);
}

/* --- asking ---------------------------------------------------------------------------------- */

void serve(const struct http_answer *answers, size_t count)
{
	server = http_server_start(answers, count, (struct pm_view){0}, NULL);
	ck_pm(pm_kds_set_base_url(kds, http_server_url(server), report), PM_OK);
}

const struct pm_snp_tcb tcb = {0, 3, 0, 20, 209};
const uint8_t chip[64] = {0xAB, 0xCD, [63] = 0x01};

/* Asks; on success the bytes are the wanted ones. */
static int check_bytes(int r, uint8_t *bytes, size_t len, struct pm_view want)
{
	if (r < 0)
		return r;
	ck_assert(pm_view_equal(pm_view(bytes, len), want));
	free(bytes);
	return r;
}

int get_vcek(struct pm_view want)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = pm_kds_vcek(kds, PM_SNP_MILAN, chip, sizeof(chip), &tcb, report, &bytes, &len);

	return check_bytes(r, bytes, len, want);
}

int get_chain(struct pm_view want)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = pm_kds_chain(kds, PM_SNP_GENOA, PM_SNP_VCEK, report, &bytes, &len);

	return check_bytes(r, bytes, len, want);
}

int get_crl_at(int64_t when, struct pm_view want)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int r = pm_kds_crl(kds, PM_SNP_MILAN, PM_SNP_VLEK, when, report, &bytes, &len);

	return check_bytes(r, bytes, len, want);
}

int get_crl(struct pm_view want)
{
	return get_crl_at(now + wall_added, want);
}

unsigned int requests(void)
{
	return http_server_count(server);
}

void use_cache(void)
{
	ck_pm(pm_kds_set_cache(kds, cache), PM_OK);
}

bool reason_has(const char *text)
{
	return strstr(pm_report_reason(report), text) != NULL;
}
