/* SPDX-License-Identifier: Apache-2.0 */
/* A session against a worker in a thread of the test, who answers well and badly. */
#include <pm/session.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <pm/history.h>
#include <pm/text.h>

#include "evidence/bundle.h"
#include "peer_server.h"
#include "policy/manifest.h"
#include "policy/verdict.h"
#include "sessions.h"
#include "stage.h"
#include "testing.h"

#define EVIDENCE "POST /base" PM_SESSION_EVIDENCE_PATH " "

enum manner {
	WELL,
	BUSY,	     /* status 503 */
	GARBAGE,     /* no bundle */
	TOO_LONG,    /* more than any bundle has */
	REPLAY,	     /* the first bundle again and again */
	OTHER_ID,    /* speaks of another secret */
	EXTRA_FIELD, /* in the answer to the agreement */
	CLOSED,	     /* hangs up */
};

/* --- the worker ------------------------------------------------------------------------------ */

static struct stage stage;
static struct pm_direct_key *worker_key;
static struct pm_view first_bundle;
static _Atomic(enum manner) manner;
static atomic_uint attested, agreed;
static char last_id[PM_DIRECT_ID_SIZE];
static uint8_t last_secret[PM_DIRECT_SECRET_SIZE];
static struct peer_server *server;
static char url[64];

static struct pm_view make_bundle(const char *body)
{
	const char *text = strstr(body, "\"Nonce\":\"");
	size_t len = 0;

	ck_assert_ptr_nonnull(text);
	ck_pm(pm_text_base64_decode(text + 9, 44, stage.nonce.nonce, 32, &len), PM_OK);
	return stage_bundle(&stage);
}

/* That the server frees. */
static struct peer_reply give(const void *bytes, size_t len)
{
	return (struct peer_reply){
		.status = 200, .body = pm_view(pm_dup(pm_view(bytes, len)), len)};
}

static struct peer_reply answer_evidence(const char *body)
{
	struct pm_view bundle;
	static uint8_t much[PM_BUNDLE_SIZE_MAX + 1];

	attested++;
	if (manner == TOO_LONG)
		return give(much, sizeof(much));
	if (manner == REPLAY && first_bundle.len)
		return give(first_bundle.ptr, first_bundle.len);
	bundle = make_bundle(body);
	if (!first_bundle.len)
		first_bundle = pm_view(pm_dup(bundle), bundle.len);
	return (struct peer_reply){.status = 200, .body = bundle};
}

static struct peer_reply answer_secret(const char *body)
{
	char text[160];

	agreed++;
	ck_pm(pm_direct_accept(worker_key, body, strlen(body), last_id, last_secret, NULL), PM_OK);
	snprintf(text, sizeof(text), "{\"SecretId\":\"%s%s\"%s}", manner == OTHER_ID ? "x" : "",
		last_id, manner == EXTRA_FIELD ? ",\"More\":1" : "");
	return give(text, strlen(text));
}

static struct peer_reply answer(void *arg, const char *request, struct pm_view body)
{
	const char *text = (const char *)body.ptr; /* the request ends with a NUL */

	(void)arg;
	if (manner == CLOSED)
		return (struct peer_reply){0};
	if (manner == BUSY)
		return (struct peer_reply){.status = 503};
	if (manner == GARBAGE)
		return give("\xa1garbage", 8);
	if (!strncmp(request, EVIDENCE, sizeof(EVIDENCE) - 1))
		return answer_evidence(text);
	return answer_secret(text);
}

/* --- what each test has ---------------------------------------------------------------------- */

static struct pm_manifest *manifest;

static struct pm_manifest *parse(json_t *json)
{
	char *text = json_dumps(json, 0);
	struct pm_manifest *m = NULL;

	ck_pm(pm_manifest_parse(text, strlen(text), NULL, &m), PM_OK);
	free(text);
	return m;
}

static void new_session(void)
{
	make_session(url, manifest);
}

static void set_up(void)
{
	stage_init(&stage);
	ck_pm(pm_direct_key_new(&worker_key), PM_OK);
	memcpy(stage.claims.key, pm_direct_key_public(worker_key), PM_DIRECT_PUBLIC_SIZE);
	manifest = parse(stage.manifest);
	manner = WELL;
	attested = agreed = 0;
	first_bundle = (struct pm_view){0};
	server = peer_server_start(answer, NULL);
	snprintf(url, sizeof(url), "%s/base/", peer_server_url(server));
	sessions_set_up(STAGE_NOW);
	options.role = "worker";
	new_session();
}

static void tear_down(void)
{
	sessions_tear_down();
	peer_server_stop(server);
	pm_manifest_free(manifest);
	pm_direct_key_free(worker_key);
	test_free(first_bundle);
	stage_free(&stage);
}

/* --- agreement ------------------------------------------------------------------------------- */

START_TEST(agrees_with_the_worker_that_was_proved)
{
	pm_cleanup(pm_session_key) struct pm_session_key *key = NULL;
	struct pm_ocsp_policy policy = {.allow_good = true}, read;
	char header[PM_OCSP_HEADER_SIZE], mac[PM_OCSP_MAC_SIZE];

	ck_assert_ptr_null(pm_session_peek(session));
	ck_pm(pm_session_renew(session, verdict, report), PM_OK);
	ck_assert(pm_verdict_is_accepted(verdict));
	ck_pm(pm_session_get(session, report, &key), PM_OK);
	check_key(key, last_id, last_secret);
	ck_assert_str_eq(pm_session_key_appraised(key)->claims.role, "worker");
	ck_assert(pm_session_key_appraised(key)->test_root);
	ck_pm(pm_session_key_ocsp(key, &policy, header, mac), PM_OK);
	ck_pm(pm_ocsp_policy_read(header, mac, last_secret, &read, NULL), PM_OK);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 1);
	ck_assert_uint_eq(agreed, 1);
}
END_TEST

/* A key outlives its session. */
START_TEST(keys_stay)
{
	pm_cleanup(pm_session_key) struct pm_session_key *key = NULL;

	ck_pm(pm_session_get(session, report, &key), PM_OK);
	pm_session_free(session);
	session = NULL;
	check_key(key, last_id, last_secret);
}
END_TEST

START_TEST(open_is_both)
{
	struct pm_session *s = NULL;

	/* By the true clock the evidence is not of now: nothing is handed out. */
	ck_pm(pm_session_open(url, manifest, &options, verdict, report, &s), PM_E_STALE);
	ck_assert_ptr_null(s);
	ck_assert(!pm_verdict_is_accepted(verdict));
	ck_assert_uint_eq(agreed, 0);
}
END_TEST

/* --- refusals -------------------------------------------------------------------------------- */

static void refused(enum manner how, int error, unsigned int agreements)
{
	manner = how;
	ck_pm(pm_session_renew(session, NULL, report), error);
	ck_assert_uint_eq(agreed, agreements);
	ck_assert_ptr_null(pm_session_peek(session));
	ck_assert_str_ne(pm_report_reason(report), "");
}

START_TEST(bad_answers)
{
	static const struct {
		enum manner manner;
		int error;
		unsigned int agreements;
	} rows[] = {
		{BUSY, PM_E_NET, 0},
		{CLOSED, PM_E_NET, 0},
		{GARBAGE, PM_E_FORMAT, 0},
		{TOO_LONG, PM_E_LIMIT, 0},
		{OTHER_ID, PM_E_REJECTED, 1},
		{EXTRA_FIELD, PM_E_FORMAT, 1},
	};

	refused(rows[_i].manner, rows[_i].error, rows[_i].agreements);
}
END_TEST

START_TEST(a_key_that_is_not_for_agreements)
{
	EVP_PKEY *key = mint_ec("P-256");
	struct pm_view spki = mint_spki(key);

	memset(stage.claims.key, 0, sizeof(stage.claims.key));
	memcpy(stage.claims.key, spki.ptr, spki.len);
	stage.claims.key_len = spki.len;
	stage.claims.key_kind = PM_CLAIMS_SPKI;
	test_free(spki);
	EVP_PKEY_free(key);
	refused(WELL, PM_E_REJECTED, 0);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "another kind"));
}
END_TEST

/* Evidence that was good for another nonce; before it, a good secret, which goes. */
START_TEST(replayed_evidence)
{
	ck_pm(get(), PM_OK);
	manner = REPLAY;
	pm_verdict_reset(verdict);
	ck_pm(pm_session_renew(session, verdict, report), PM_E_REJECTED);
	ck_assert_ptr_nonnull(strstr(pm_verdict_reason(verdict), "nonce"));
	ck_assert_uint_eq(agreed, 1);
	ck_assert_ptr_null(pm_session_peek(session));
}
END_TEST

START_TEST(wrong_measurement)
{
	stage.snp.report[0x090] ^= 1;
	ck_pm(get(), PM_E_REJECTED);
	ck_assert_msg(strstr(pm_report_reason(report), "MEASUREMENT") != NULL, "%s",
		pm_report_reason(report));
	ck_assert_uint_eq(agreed, 0);
}
END_TEST

START_TEST(another_role_or_model)
{
	options.role = "stranger";
	new_session();
	ck_pm(pm_session_renew(session, NULL, report), PM_E_REJECTED);
	options.role = NULL;
	options.model = "other";
	new_session();
	ck_pm(pm_session_renew(session, NULL, report), PM_E_REJECTED);
	options.model = "tiny";
	new_session();
	ck_pm(pm_session_renew(session, NULL, report), PM_OK);
}
END_TEST

START_TEST(wrong_arguments)
{
	static const struct {
		const char *url;
		int error;
	} rows[] = {
		{"", PM_E_FORMAT},
		{"ftp://h/", PM_E_FORMAT},
		{"http://u:p@h/", PM_E_FORMAT},
		{"http://h/?q", PM_E_FORMAT},
		{"https://h/#f", PM_E_FORMAT},
	};
	char longer[PM_SESSION_URL_MAX + 2] = "http://";
	struct pm_session *s = NULL;

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++)
		ck_pm(pm_session_new(rows[i].url, manifest, NULL, NULL, &s), rows[i].error);
	memset(longer + 7, 'h', sizeof(longer) - 8);
	ck_pm(pm_session_new(longer, manifest, NULL, NULL, &s), PM_E_LIMIT);
	ck_pm(pm_session_new(NULL, manifest, NULL, NULL, &s), PM_E_ARG);
	ck_pm(pm_session_new(url, NULL, NULL, NULL, &s), PM_E_ARG);
	options.size--;
	ck_pm(pm_session_new(url, manifest, &options, NULL, &s), PM_E_ARG);
	options.size++;
	options.max_age = -1;
	ck_pm(pm_session_new(url, manifest, &options, NULL, &s), PM_E_ARG);
	options.max_age = 0;
	options.total_ms = PM_SESSION_TIMEOUT_MAX_MS + 1;
	ck_pm(pm_session_new(url, manifest, &options, NULL, &s), PM_E_ARG);
	ck_assert_ptr_null(s);
	/* The evidence binds the key: the address may be anybody's, in plain HTTP too. */
	ck_pm(pm_session_new("http://worker.example", manifest, NULL, NULL, &s), PM_OK);
	pm_session_free(s);
}
END_TEST

/* --- renewal --------------------------------------------------------------------------------- */

START_TEST(renews_before_the_end)
{
	ck_pm(get(), PM_OK);
	pass_seconds(PM_SESSION_RENEW - 1);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 1);
	pass_seconds(1);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 2);
	ck_assert_uint_eq(agreed, 2);
}
END_TEST

/* Out of reach, the old one serves, and not every request tries again; until its end. */
START_TEST(serves_on_while_out_of_reach)
{
	ck_pm(get(), PM_OK);
	manner = CLOSED;
	pass_seconds(PM_SESSION_RENEW);
	ck_pm(get(), PM_OK);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 1);
	manner = WELL;
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 1);
	pass_seconds(PM_SESSION_RETRY);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 2);
	manner = CLOSED;
	pass_seconds(PM_SESSION_END - 1);
	ck_pm(get(), PM_OK);
	pass_seconds(1); /* it is not yet time for another try, but it is the end */
	ck_assert_ptr_null(pm_session_peek(session));
	ck_pm(get(), PM_E_NET);
	ck_assert_ptr_null(session->key);
}
END_TEST

/* Evidence that is refused at the renewal ends the secret at once. */
START_TEST(ends_when_refused)
{
	ck_pm(get(), PM_OK);
	stage.snp.report[0x090] ^= 1;
	pass_seconds(PM_SESSION_RENEW);
	ck_pm(get(), PM_E_REJECTED);
	ck_assert_ptr_null(pm_session_peek(session));
}
END_TEST

/* What was proved has run out: the manifest ends in 2026. */
START_TEST(ends_with_what_was_proved)
{
	ck_pm(get(), PM_OK);
	wall_now = INT64_C(1830000000);
	ck_assert_ptr_null(pm_session_peek(session));
	ck_pm(get(), PM_E_STALE);
}
END_TEST

START_TEST(distrusts_the_secret_once)
{
	pm_cleanup(pm_session_key) struct pm_session_key *old = NULL, *key = NULL;

	ck_pm(pm_session_get(session, report, &old), PM_OK);
	pm_session_distrust(session, old);
	ck_assert_ptr_null(pm_session_peek(session));
	ck_pm(pm_session_get(session, report, &key), PM_OK);
	ck_assert_str_ne(pm_session_key_id(old), pm_session_key_id(key));
	pm_session_distrust(session, old);
	ck_pm(get(), PM_OK);
	ck_assert_uint_eq(attested, 2);
}
END_TEST

static void *get_in_thread(void *arg)
{
	pm_cleanup(pm_session_key) struct pm_session_key *key = NULL;

	*(int *)arg = pm_session_get(session, NULL, &key);
	return NULL;
}

START_TEST(threads_share_a_renewal)
{
	pthread_t threads[8];
	int results[8];

	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, get_in_thread, &results[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		ck_pm(results[i], PM_OK);
	}
	ck_assert_uint_eq(attested, 1);
	ck_assert_uint_eq(agreed, 1);
}
END_TEST

/* --- the memory ------------------------------------------------------------------------------ */

/* The manifest of another number, which follows the stage's own when it is the next. */
static void use_serial(int serial)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char text[2 * sizeof(hash) + 1];

	pm_manifest_hash(manifest, hash);
	pm_hex_encode(hash, sizeof(hash), text);
	json_object_set_new(stage.manifest, "serial", json_integer(serial));
	json_object_set_new(stage.manifest, "previous", json_string(text));
	pm_manifest_free(manifest);
	manifest = parse(stage.manifest);
}

START_TEST(refuses_a_rollback)
{
	struct pm_session *s = NULL;
	struct pm_manifest *old = parse(stage.manifest);
	struct stat st;

	options.memory_file = memory;
	new_session();
	ck_assert_int_ne(stat(memory, &st), 0); /* nothing was accepted yet */
	ck_pm(get(), PM_OK);
	ck_assert_int_eq(stat(memory, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	pm_session_free(session);
	session = NULL;
	use_serial(2);
	new_session();
	ck_pm(get(), PM_OK);
	ck_pm(pm_session_new(url, old, &options, report, &s), PM_E_REJECTED);
	ck_assert_ptr_null(s);
	pm_manifest_free(old);
}
END_TEST

/* Another process used the next manifest: the session with the old one ends at its renewal. */
START_TEST(sees_at_the_renewal_that_it_is_outdated)
{
	struct pm_manifest *old = parse(stage.manifest);
	struct pm_session *s = NULL;

	options.memory_file = memory;
	ck_pm(pm_session_new(url, old, &options, report, &s), PM_OK);
	pm_session_set_clock(s, &fake_clock);
	ck_pm(pm_session_renew(s, NULL, report), PM_OK);
	pm_session_free(session);
	session = NULL;
	use_serial(2);
	new_session();
	ck_pm(get(), PM_OK);
	ck_pm(pm_session_renew(s, NULL, report), PM_E_REJECTED);
	ck_assert_ptr_null(pm_session_peek(s));
	pm_session_free(s);
	pm_manifest_free(old);
}
END_TEST

START_TEST(refuses_a_damaged_memory)
{
	FILE *f = fopen(memory, "w");
	struct pm_session *s = NULL;

	ck_assert_ptr_nonnull(f);
	fputs("{}", f);
	fclose(f);
	options.memory_file = memory;
	ck_pm(pm_session_new(url, manifest, &options, report, &s), PM_E_FORMAT);
	ck_assert_ptr_null(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("session");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, agrees_with_the_worker_that_was_proved);
	tcase_add_test(t, keys_stay);
	tcase_add_test(t, open_is_both);
	tcase_add_loop_test(t, bad_answers, 0, 6);
	tcase_add_test(t, a_key_that_is_not_for_agreements);
	tcase_add_test(t, replayed_evidence);
	tcase_add_test(t, wrong_measurement);
	tcase_add_test(t, another_role_or_model);
	tcase_add_test(t, wrong_arguments);
	tcase_add_test(t, renews_before_the_end);
	tcase_add_test(t, serves_on_while_out_of_reach);
	tcase_add_test(t, ends_when_refused);
	tcase_add_test(t, ends_with_what_was_proved);
	tcase_add_test(t, distrusts_the_secret_once);
	tcase_add_test(t, threads_share_a_renewal);
	tcase_add_test(t, refuses_a_rollback);
	tcase_add_test(t, sees_at_the_renewal_that_it_is_outdated);
	tcase_add_test(t, refuses_a_damaged_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
