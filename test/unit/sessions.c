/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/verdict.h"
#include "testing.h"

struct pm_session *session;
struct pm_session_options options;
struct pm_verdict *verdict;
struct pm_report *report;
atomic_int_fast64_t wall_now, ticks_now;
char memory[96];
static char folder[64];

static int64_t fake_wall(void *arg)
{
	(void)arg;
	return wall_now;
}

static int64_t fake_ticks(void *arg)
{
	(void)arg;
	return ticks_now;
}

const struct pm_net_clock fake_clock = {.wall = fake_wall, .ticks_ms = fake_ticks};

void sessions_set_up(int64_t wall)
{
	wall_now = wall;
	ticks_now = 1000000;
	snprintf(folder, sizeof(folder), "/tmp/pm-test-session-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(memory, sizeof(memory), "%s/memory", folder);
	options = (struct pm_session_options){.size = sizeof(options)};
	verdict = pm_verdict_new();
	report = pm_report_new();
}

void sessions_tear_down(void)
{
	char lock[128];

	pm_session_free(session);
	session = NULL;
	pm_verdict_free(verdict);
	pm_report_free(report);
	snprintf(lock, sizeof(lock), "%s.lock", memory);
	unlink(memory);
	unlink(lock);
	rmdir(folder);
}

void make_session(const char *url, const struct pm_manifest *manifest)
{
	pm_session_free(session);
	session = NULL;
	ck_pm(pm_session_new(url, manifest, &options, report, &session), PM_OK);
	pm_session_set_clock(session, &fake_clock);
}

int get(void)
{
	pm_cleanup(pm_session_key) struct pm_session_key *key = NULL;

	pm_report_reset(report);
	return pm_session_get(session, report, &key);
}

void check_key(const struct pm_session_key *key, const char *id, const uint8_t *secret)
{
	const struct pm_sealed_request head = {
		.method = "POST", .path = "/x", .content_type = "", .issued_at = wall_now};
	pm_cleanup(pm_exchange_key) struct pm_exchange_key *other = NULL;
	pm_cleanup(pm_exchange_client) struct pm_exchange_client *client = NULL;
	pm_cleanup(pm_exchange_worker) struct pm_exchange_worker *worker = NULL;
	struct pm_exchange_event event;
	const uint8_t *bytes;
	size_t len, used;

	ck_assert_str_eq(pm_session_key_id(key), id);
	ck_pm(pm_exchange_key_new(id, secret, &other), PM_OK);
	ck_pm(pm_exchange_key_serve(other, 8, 60, wall_now - 10), PM_OK);
	ck_pm(pm_exchange_client_new(pm_session_key_exchange(key), "m", "", 0, &client), PM_OK);
	ck_pm(pm_exchange_client_send_head(client, &head, 1, NULL, &bytes, &len), PM_OK);
	ck_pm(pm_exchange_worker_new(other, "m", "", 0, &worker), PM_OK);
	ck_pm(pm_exchange_worker_receive(worker, bytes, len, wall_now, NULL, &used, &event), PM_OK);
	ck_assert_int_eq(event.type, PM_EXCHANGE_HEAD);
}

void pass_seconds(int64_t seconds)
{
	ticks_now += seconds * 1000;
}
