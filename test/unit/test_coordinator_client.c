/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of coordinators, good and bad, and what owners ask of them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pm/memory_file.h>
#include <pm/recover.h>
#include <pm/shares.h>
#include <pm/text.h>

#include "asking.h"
#include "policy/verdict.h"
#include "testing.h"

/* --- answers --------------------------------------------------------------------------------- */

#define TEXT(literal)                                                                              \
	{                                                                                          \
		(const uint8_t *)(literal), sizeof(literal) - 1                                    \
	}
#define JSON .type = "application/json"

static const struct {
	struct peer_reply reply;
	int error;
	const char *part;
} bad_replies[] = {
	{{.status = 503, JSON}, PM_E_NET, "status 503"},
	{{.status = 503,
		 JSON,
		 .body = TEXT(
			 "{\"error\":{\"code\":\"empty\",\"message\":\"no \\\"manifest\\\"\"}}")},
		PM_E_NET, ": no \"manifest\", expected an answer"},
	{{.status = 403, JSON, .body = TEXT("{\"error\":{\"code\":1,\"message\":\"x\"}}")},
		PM_E_NET, "status 403"},
	{{.status = 200, .type = "text/html", .body = TEXT("{}")}, PM_E_FORMAT, "found text/html"},
	{{.status = 200, .type = "application/jsonl", .body = TEXT("{}")}, PM_E_FORMAT,
		"found application/jsonl"},
	{{.status = 200, .body = TEXT("{}")}, PM_E_FORMAT, "found none"},
	{{.status = 200, JSON, .body = TEXT("{}")}, PM_E_FORMAT, "$.Evidence"},
	{{.status = 200, .type = "application/json; charset=utf-8", .body = TEXT("[]")},
		PM_E_FORMAT, "an object"},
	{{.status = 307, JSON, .header = "Location: /pm/v1/elsewhere\r\n"}, PM_E_NET,
		"redirect of a POST"},
	{{.status = 302, .header = "Location: http://127.0.0.1:1/\r\n"}, PM_E_NET,
		"redirect of a POST"},
	{{.status = 0}, PM_E_NET, "an answer"},
};

START_TEST(bad_answers)
{
	world.path = "/pm/v1/attest";
	world.reply = bad_replies[_i].reply;
	refused(bad_replies[_i].error, bad_replies[_i].part);
}
END_TEST

static void much(struct mesh_world *w, json_t *reply)
{
	size_t n = PM_COORDINATOR_DOCUMENT_MAX + 1;
	uint8_t *bytes = calloc(1, n);

	(void)w;
	json_object_set_new(reply, "Document", world_base64(bytes, n));
	free(bytes);
}

static void too_much(struct mesh_world *w, json_t *reply)
{
	size_t n = (size_t)2 * PM_COORDINATOR_DOCUMENT_MAX;
	uint8_t *bytes = calloc(1, n);

	(void)w;
	json_object_set_new(reply, "Document", world_base64(bytes, n));
	free(bytes);
}

START_TEST(oversize)
{
	world.change_reply = much;
	refused(PM_E_LIMIT, "$.Document");
	world.change_reply = too_much;
	refused(PM_E_LIMIT, "too long");
}
END_TEST

/* --- status ---------------------------------------------------------------------------------- */

START_TEST(status)
{
	struct pm_coordinator_status s;
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	ck_pm(pm_coordinator_status(coordinator, report, &s), PM_OK);
	pm_manifest_hash(world.manifest, hash);
	ck_assert_int_eq(s.state, PM_COORDINATOR_READY);
	ck_assert(s.has_manifest);
	ck_assert_uint_eq(s.serial, 1);
	ck_assert_mem_eq(s.manifest, hash, sizeof(hash));
	ck_assert_uint_eq(s.replicas, 1);
	ck_assert(!s.has_shares);
}
END_TEST

static const struct {
	const char *text;
	int error;
} statuses[] = {
	{"{\"State\":\"empty\",\"Serial\":null,\"Manifest\":null,\"Replicas\":1,\"Shares\":null}",
		PM_OK},
	{"{\"State\":\"sealed\",\"Serial\":null,\"Manifest\":null,\"Replicas\":1,"
	 "\"Shares\":{\"Have\":1,\"Need\":2}}",
		PM_OK},
	{"{\"State\":\"empty\",\"Serial\":null,\"Manifest\":null,\"MeshCA\":null,\"Replicas\":1,"
	 "\"Shares\":null}",
		PM_OK},
	{"{\"State\":\"empty\",\"Serial\":null,\"Manifest\":null,\"MeshCA\":"
	 "\"1111111111111111111111111111111111111111111111111111111111111111\",\"Replicas\":1,"
	 "\"Shares\":null}",
		PM_OK},
	{"{\"State\":\"empty\",\"Serial\":null,\"Manifest\":null,\"MeshCA\":\"00\",\"Replicas\":1,"
	 "\"Shares\":null}",
		PM_E_FORMAT},
	{"{\"State\":\"odd\",\"Serial\":null,\"Manifest\":null,\"Replicas\":1,\"Shares\":null}",
		PM_E_FORMAT},
	{"{\"State\":\"ready\",\"Serial\":1,\"Manifest\":null,\"Replicas\":1,\"Shares\":null}",
		PM_E_FORMAT},
	{"{\"State\":\"ready\",\"Serial\":0,\"Manifest\":null,\"Replicas\":1,\"Shares\":null}",
		PM_E_FORMAT},
	{"{\"State\":\"empty\",\"Serial\":null,\"Manifest\":null,\"Replicas\":-1,\"Shares\":null}",
		PM_E_FORMAT},
	{"{\"State\":\"empty\",\"Serial\":null,\"Manifest\":null,\"Replicas\":1}", PM_E_FORMAT},
	{"{\"State\":\"empty\",\"State\":\"ready\",\"Serial\":null,\"Manifest\":null,"
	 "\"Replicas\":1,\"Shares\":null}",
		PM_E_FORMAT},
};

START_TEST(statuses_of_all_kinds)
{
	const char *text = statuses[_i].text;
	struct pm_coordinator_status s = {0};

	world.path = "/pm/v1/status";
	world.reply = (struct peer_reply){
		.status = 200, .type = "application/json", .body = pm_view(text, strlen(text))};
	ck_pm(pm_coordinator_status(coordinator, report, &s), statuses[_i].error);
	ck_assert_uint_eq(s.has_shares, _i == 1);
	ck_assert_uint_eq(s.has_mesh_ca, _i == 3);
	ck_assert_uint_eq(s.mesh_ca[31], _i == 3 ? 0x11 : 0);
}
END_TEST

/* --- recovery -------------------------------------------------------------------------------- */

static void check_recovered(const uint8_t *share, const struct pm_sign_key *owner)
{
	json_t *plain = json_loadb(
		(const char *)world.recovered, world.recovered_len, JSON_REJECT_DUPLICATES, NULL);
	const struct pm_history_link *link = pm_history_at(world.history, 0);
	const struct pm_recover_consent consent = {
		.process_key = pm_box_key_public(world.process_key),
		.head = link->hash,
		.share = share,
	};
	struct pm_view signature = world_bytes(plain, "signature"),
		       found = world_bytes(plain, "share");
	char id[2 * PM_SIGN_ID_SIZE + 1];

	pm_hex_encode(pm_sign_key_public(owner)->id, PM_SIGN_ID_SIZE, id);
	ck_assert_uint_eq(found.len, PM_SHARE_SIZE);
	ck_assert_mem_eq(found.ptr, share, PM_SHARE_SIZE);
	ck_assert_str_eq(json_string_value(json_object_get(plain, "key_id")), id);
	ck_pm(pm_recover_verify(
		      &consent, pm_sign_key_public(owner), signature.ptr, signature.len, report),
		PM_OK);
	test_free(signature);
	test_free(found);
	json_decref(plain);
}

/* The owner of the world's manifest. */
static struct pm_sign_key *become_owner(void)
{
	struct pm_sign_key *owner = NULL;
	const struct pm_sign_public *public;
	json_t *keys = json_object_get(json_object_get(world.stage.manifest, "owners"), "keys");

	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &owner), PM_OK);
	public = pm_sign_key_public(owner);
	json_object_set_new(
		json_array_get(keys, 0), "key", world_base64(public->spki, public->spki_size));
	world_again(&world);
	trust.manifest = world.manifest;
	return owner;
}

START_TEST(gives_a_share)
{
	struct pm_sign_key *owner = become_owner(), *other = NULL;
	struct pm_coordinator_status s = {0};
	uint8_t share[PM_SHARE_SIZE] = {1, 2, 3};

	ck_pm(attest(), PM_OK);
	ck_pm(pm_coordinator_recover(coordinator, deployment, share, owner, report, &s),
		PM_E_STATE);
	world.state = "sealed";
	trust.allow_sealed = true;
	ck_pm(attest(), PM_OK);
	ck_pm(pm_coordinator_recover(coordinator, deployment, share, owner, report, &s), PM_OK);
	ck_assert_int_eq(s.state, PM_COORDINATOR_SEALED);
	ck_assert_uint_eq(s.shares_have, 1);
	ck_assert_uint_eq(s.shares_need, 2);
	check_recovered(share, owner);
	/* A key of nobody among the owners is not worth a share. */
	world.recovered_len = 0;
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &other), PM_OK);
	ck_pm(pm_coordinator_recover(coordinator, deployment, share, other, report, &s),
		PM_E_REJECTED);
	ck_assert_uint_eq(world.recovered_len, 0);
	pm_sign_key_free(other);
	pm_sign_key_free(owner);
}
END_TEST

START_TEST(refuses_a_share)
{
	static const char text[] =
		"{\"error\":{\"code\":\"rejected\",\"message\":\"commitment: another\"}}";
	struct pm_sign_key *owner = become_owner();
	struct pm_coordinator_status s = {0};
	uint8_t share[PM_SHARE_SIZE] = {1};

	world.state = "sealed";
	trust.allow_sealed = true;
	ck_pm(attest(), PM_OK);
	world.path = "/pm/v1/recover";
	world.reply =
		(struct peer_reply){.status = 403, .type = "application/json", .body = VIEW(text)};
	ck_pm(pm_coordinator_recover(coordinator, deployment, share, owner, report, &s),
		PM_E_REJECTED);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "commitment: another"));
	pm_sign_key_free(owner);
}
END_TEST

/* A consent is for one process, history and share. */
START_TEST(consent_is_for_one_thing)
{
	uint8_t process[PM_BOX_PUBLIC_SIZE] = {1}, head[32] = {2}, share[PM_SHARE_SIZE] = {3};
	const struct pm_recover_consent consent = {process, head, share};
	uint8_t signature[PM_RECOVER_SIGNATURE_MAX];
	struct pm_sign_key *owner = NULL;
	const struct pm_sign_public *public;
	uint8_t *places[] = {process, head, share, signature};
	size_t len = 0;

	ck_pm(pm_sign_key_new(_i ? PM_SIGN_P384 : PM_SIGN_ED25519, &owner), PM_OK);
	public = pm_sign_key_public(owner);
	ck_pm(pm_recover_sign(&consent, owner, signature, &len), PM_OK);
	ck_pm(pm_recover_verify(&consent, public, signature, len, NULL), PM_OK);
	for (size_t i = 0; i < PM_ARRAY_LEN(places); i++) {
		places[i][9] ^= 1;
		ck_pm(pm_recover_verify(&consent, public, signature, len, report), PM_E_REJECTED);
		places[i][9] ^= 1;
	}
	ck_pm(pm_recover_verify(&consent, public, signature, len - 1, NULL), PM_E_REJECTED);
	pm_sign_key_free(owner);
}
END_TEST

/* --- a manifest ------------------------------------------------------------------------------ */

static struct pm_box_key *share_key;
static const char *share_name;
static size_t share_count;

/* The first manifest gets a share owner. */
static void add_share_owner(void)
{
	ck_pm(pm_box_key_new(&share_key), PM_OK);
	json_object_set_new(world.stage.manifest, "seed_share_owners",
		json_pack("{s:i, s:[{s:s, s:o}]}", "threshold", 1, "keys", "name", "bob", "key",
			world_base64(pm_box_key_public(share_key), PM_BOX_PUBLIC_SIZE)));
	world_again(&world);
}

static char change_text[8192];

/* What a coordinator says when it took the world's manifest, with shares. */
static void set_change(int64_t serial, uint8_t flip)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE], box[PM_SHARE_SIZE + PM_BOX_OVERHEAD] = {0};
	char text[2 * sizeof(hash) + 1];
	json_t *shares = json_array(), *reply;

	pm_manifest_hash(world.manifest, hash);
	hash[5] ^= flip;
	pm_hex_encode(hash, sizeof(hash), text);
	for (size_t i = 0; i < share_count; i++) {
		box[0] = (uint8_t)i;
		json_array_append_new(shares, json_pack("{s:s, s:o}", "Name", share_name, "Box",
						      world_base64(box, sizeof(box))));
	}
	reply = json_pack("{s:I, s:s, s:o}", "Serial", (json_int_t)serial, "Manifest", text,
		"Shares", shares);
	change_text[json_dumpb(reply, change_text, sizeof(change_text) - 1, 0)] = '\0';
	json_decref(reply);
	world.path = "/pm/v1/manifest";
	world.reply = (struct peer_reply){.status = 200,
		.type = "application/json",
		.body = pm_view(change_text, strlen(change_text))};
}

static int set_manifest(struct pm_coordinator_change *change)
{
	struct pm_signatures *signatures = NULL;
	char text[PM_SIGNATURES_SIZE_MAX];
	size_t len;

	ck_pm(pm_signatures_new(world.manifest, &signatures), PM_OK);
	ck_pm(pm_signatures_text(signatures, text, &len), PM_OK);
	pm_signatures_free(signatures);
	pm_report_reset(report);
	return pm_coordinator_set_manifest(coordinator, world.manifest_text,
		strlen(world.manifest_text), text, len, report, change);
}

static void not_set(int error, const char *part)
{
	static struct pm_coordinator_change change;

	ck_pm(set_manifest(&change), error);
	ck_assert_msg(strstr(pm_report_reason(report), part) != NULL, "'%s' lacks '%s'",
		pm_report_reason(report), part);
}

START_TEST(sets_a_manifest)
{
	static struct pm_coordinator_change change;

	add_share_owner();
	share_name = "bob";
	share_count = 1;
	set_change(1, 0);
	ck_pm(set_manifest(&change), PM_OK);
	ck_assert_uint_eq(change.serial, 1);
	ck_assert_uint_eq(change.share_count, 1);
	ck_assert_str_eq(change.shares[0].name, "bob");
	ck_assert_uint_eq(change.shares[0].box_len, PM_SHARE_SIZE + PM_BOX_OVERHEAD);
	/* The next one brings shares of all its holders, or none. */
	world_next_manifest(&world);
	set_change(2, 0);
	ck_pm(set_manifest(&change), PM_OK);
	ck_assert_uint_eq(change.share_count, 1);
	share_name = "carol";
	set_change(2, 0);
	not_set(PM_E_REJECTED, "shares: found none for bob");
	share_name = "bob";
	share_count = 2;
	set_change(2, 0);
	not_set(PM_E_REJECTED, "shares: found 2, expected 1");
	share_count = 0;
	set_change(2, 0);
	ck_pm(set_manifest(&change), PM_OK);
	ck_assert_uint_eq(change.share_count, 0);
	pm_box_key_free(share_key);
}
END_TEST

START_TEST(answers_that_set_another)
{
	add_share_owner();
	share_name = "bob";
	share_count = 1;
	set_change(1, 1);
	not_set(PM_E_REJECTED, "manifest that holds");
	set_change(2, 0);
	not_set(PM_E_REJECTED, "serial: found 2, expected 1");
	share_count = 0;
	set_change(1, 0);
	not_set(PM_E_REJECTED, "shares: found none for bob");
	share_count = 2;
	set_change(1, 0);
	not_set(PM_E_REJECTED, "shares: found 2, expected 1");
	share_count = 1;
	share_name = "carol";
	set_change(1, 0);
	not_set(PM_E_REJECTED, "shares: found none for bob");
	share_name = "../bob"; /* it will be the name of a file */
	set_change(1, 0);
	not_set(PM_E_FORMAT, "$.Shares[0].Name");
	pm_box_key_free(share_key);
}
END_TEST

START_TEST(malformed_manifests_are_not_sent)
{
	static struct pm_coordinator_change change;

	set_change(1, 0);
	ck_pm(pm_coordinator_set_manifest(coordinator, "{}", 2, "{}", 2, report, &change),
		PM_E_FORMAT);
	ck_pm(pm_coordinator_set_manifest(coordinator, world.manifest_text,
		      strlen(world.manifest_text), "{}", 2, report, &change),
		PM_E_FORMAT);
	ck_assert_uint_eq(world.asked, 0);
}
END_TEST

/* --- the log --------------------------------------------------------------------------------- */

static void set_log(const char *text, size_t len, const char *type)
{
	world.path = "/pm/v1/log?after=7 ";
	world.reply = (struct peer_reply){.status = 200, .type = type, .body = pm_view(text, len)};
}

START_TEST(fetches_a_log)
{
	char *text = NULL;
	size_t len = 9;

	set_log("{}\n{}\n", 6, "text/plain; charset=utf-8");
	ck_pm(pm_coordinator_log(coordinator, 7, report, &text, &len), PM_OK);
	ck_assert_str_eq(text, "{}\n{}\n");
	ck_assert_uint_eq(len, 6);
	pm_coordinator_text_free(text);
	set_log("", 0, "text/plain");
	ck_pm(pm_coordinator_log(coordinator, 7, report, &text, &len), PM_OK);
	ck_assert_uint_eq(len, 0);
	pm_coordinator_text_free(text);
	set_log("{}\n{}", 5, "text/plain");
	ck_pm(pm_coordinator_log(coordinator, 7, report, &text, &len), PM_E_FORMAT);
	set_log("{\0}\n", 4, "text/plain");
	ck_pm(pm_coordinator_log(coordinator, 7, report, &text, &len), PM_E_FORMAT);
	set_log("{}\n", 3, "text/html");
	ck_pm(pm_coordinator_log(coordinator, 7, report, &text, &len), PM_E_FORMAT);
}
END_TEST

/* --- workers --------------------------------------------------------------------------------- */

static char *workers_text;

/* A worker with good evidence for a nonce of the coordinator's. */
static json_t *worker_json(void)
{
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE] = {7};
	struct pm_join_request request = {.nonce = nonce, .is_tls = true};
	uint8_t *bundle = NULL;
	size_t len;
	json_t *worker = json_pack("{s:s, s:s, s:[], s:I, s:I}", "Role", "worker", "Replica", "r1",
		"Models", "Joined", (json_int_t)WORLD_NOW - 10, "Expires",
		(json_int_t)WORLD_NOW + 10);

	request.key = pm_mesh_key_spki(world.signer_key, &request.key_len);
	request.document = pm_box_key_public(world.process_key);
	request.document_len = PM_BOX_PUBLIC_SIZE;
	ck_pm(world_collect(&world, &request, NULL, &bundle, &len), PM_OK);
	json_object_set_new(worker, "Nonce", world_base64(nonce, sizeof(nonce)));
	json_object_set_new(worker, "Evidence", world_base64(bundle, len));
	free(bundle);
	return worker;
}

static void set_workers(json_t *worker)
{
	json_t *reply = json_pack("{s:[]}", "Workers");

	if (worker)
		json_array_append_new(json_object_get(reply, "Workers"), worker);
	free(workers_text);
	workers_text = json_dumps(reply, 0);
	json_decref(reply);
	world.path = "/pm/v1/workers";
	world.reply = (struct peer_reply){.status = 200,
		.type = "application/json",
		.body = pm_view(workers_text, strlen(workers_text))};
}

/* The first of the list, judged. */
static int judge_worker(const struct pm_appraised **ret)
{
	struct pm_coordinator_workers *workers = NULL;
	int r;

	ck_pm(pm_coordinator_workers(coordinator, report, &workers), PM_OK);
	ck_assert_ptr_null(pm_coordinator_worker_at(workers, 1));
	r = pm_coordinator_check_worker(coordinator, deployment,
		pm_coordinator_worker_at(workers, 0), verdict, report, ret);
	pm_coordinator_workers_free(workers);
	ck_assert_int_eq(pm_verdict_is_accepted(verdict), r == PM_OK);
	return r;
}

static void bad_worker(json_t *worker, int error, const char *part)
{
	const struct pm_appraised *appraised = NULL;

	set_workers(worker);
	ck_pm(judge_worker(&appraised), error);
	ck_assert_ptr_null(appraised);
	ck_assert_msg(strstr(reason(), part) != NULL, "'%s' lacks '%s'", reason(), part);
}

START_TEST(workers_are_checked)
{
	const struct pm_appraised *appraised = NULL;
	json_t *worker = worker_json();

	ck_pm(attest(), PM_OK);
	set_workers(json_deep_copy(worker));
	ck_pm(judge_worker(&appraised), PM_OK);
	ck_assert_str_eq(appraised->claims.role, "worker");
	pm_appraised_free(appraised);
	json_object_set_new(worker, "Role", json_string("secrets"));
	bad_worker(json_deep_copy(worker), PM_E_REJECTED, "role");
	json_object_set_new(worker, "Role", json_string("worker"));
	json_object_set_new(worker, "Models", json_pack("[s]", "tiny"));
	bad_worker(json_deep_copy(worker), PM_E_REJECTED, "models: found 1 in the list");
	json_object_set_new(worker, "Models", json_array());
	json_object_set_new(worker, "Expires", json_integer((json_int_t)WORLD_NOW - 1));
	bad_worker(json_deep_copy(worker), PM_E_STALE, "certificate: found ended");
	json_object_set_new(worker, "Expires", json_integer((json_int_t)WORLD_NOW + 1));
	json_object_set_new(
		worker, "Nonce", world_base64(pm_box_key_public(world.process_key), 32));
	bad_worker(json_deep_copy(worker), PM_E_REJECTED, "nonce");
	json_decref(worker);
	world.stage.snp.report[0x090] ^= 1;
	bad_worker(worker_json(), PM_E_REJECTED, "MEASUREMENT");
	free(workers_text);
	workers_text = NULL;
}
END_TEST

static void claim_model(struct mesh_world *w, struct pm_claims *claims)
{
	(void)w;
	claims->model_count = 1;
	snprintf(claims->models[0].name, sizeof(claims->models[0].name), "tiny");
	memset(claims->models[0].root_hash, 0x33, sizeof(claims->models[0].root_hash));
}

START_TEST(models_of_workers)
{
	const struct pm_appraised *appraised = NULL;
	json_t *worker;

	ck_pm(attest(), PM_OK);
	world.change_claims = claim_model;
	worker = worker_json();
	json_object_set_new(worker, "Models", json_pack("[s]", "tiny"));
	set_workers(json_deep_copy(worker));
	ck_pm(judge_worker(&appraised), PM_OK);
	pm_appraised_free(appraised);
	json_object_set_new(worker, "Models", json_pack("[s]", "other"));
	bad_worker(worker, PM_E_REJECTED, "models: found other, expected tiny");
	free(workers_text);
	workers_text = NULL;
}
END_TEST

START_TEST(lists_of_workers)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"Role", "1"},
		{"Role", "\"\""},
		{"Replica", "null"},
		{"Models", "{}"},
		{"Models", "[\"a\", \"a\"]"},
		{"Joined", "-1"},
		{"Expires", "\"1\""},
		{"Nonce", "\"AAAA\""},
		{"Evidence", "\"\""},
		{"More", "1"},
	};
	struct pm_coordinator_workers *workers = NULL;

	set_workers(NULL);
	ck_pm(pm_coordinator_workers(coordinator, report, &workers), PM_OK);
	ck_assert_ptr_null(pm_coordinator_worker_at(workers, 0));
	pm_coordinator_workers_free(workers);
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		json_t *worker = worker_json();

		json_object_set_new(
			worker, rows[i].key, json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
		set_workers(worker);
		ck_pm(pm_coordinator_workers(coordinator, report, &workers), PM_E_FORMAT);
	}
	free(workers_text);
	workers_text = NULL;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("coordinator_client");
	TCase *t = tcase_create("coordinator_client");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_checked_fixture(t, asking_set_up, asking_tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, bad_answers, 0, PM_ARRAY_LEN(bad_replies));
	tcase_add_test(t, oversize);
	tcase_add_test(t, status);
	tcase_add_loop_test(t, statuses_of_all_kinds, 0, PM_ARRAY_LEN(statuses));
	tcase_add_test(t, gives_a_share);
	tcase_add_test(t, refuses_a_share);
	tcase_add_loop_test(t, consent_is_for_one_thing, 0, 2);
	tcase_add_test(t, sets_a_manifest);
	tcase_add_test(t, answers_that_set_another);
	tcase_add_test(t, malformed_manifests_are_not_sent);
	tcase_add_test(t, fetches_a_log);
	tcase_add_test(t, workers_are_checked);
	tcase_add_test(t, models_of_workers);
	tcase_add_test(t, lists_of_workers);
	suite_add_tcase(s, t);
	return test_main(s);
}
