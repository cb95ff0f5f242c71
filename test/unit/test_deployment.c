/* SPDX-License-Identifier: Apache-2.0 */
/* A client of a coordinator that says what it should, and of those that do not. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asking.h"
#include "policy/verdict.h"
#include "testing.h"

/* --- what is right --------------------------------------------------------------------------- */

static void check_same(const uint8_t *found, size_t len,
	const uint8_t *(*get)(const struct pm_authority *, size_t *))
{
	size_t wanted;
	const uint8_t *bytes = get(world.authority, &wanted);

	ck_assert_uint_eq(len, wanted);
	ck_assert_mem_eq(found, bytes, len);
}

static void check_deployment(void)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE], nonce[32] = {0};
	const uint8_t *bytes;
	uint64_t entries = 0;
	size_t len;

	ck_assert_int_eq(pm_deployment_state(deployment), PM_COORDINATOR_READY);
	ck_assert_str_eq(pm_deployment_appraised(deployment)->claims.role, "coordinator");
	pm_manifest_hash(pm_deployment_manifest(deployment), hash);
	ck_assert_mem_eq(pm_deployment_appraised(deployment)->manifest_hash, hash, sizeof(hash));
	bytes = pm_deployment_manifest_bytes(deployment, &len);
	ck_assert_uint_eq(len, strlen(world.manifest_text));
	ck_assert_mem_eq(bytes, world.manifest_text, len);
	ck_assert_uint_eq(pm_history_count(pm_deployment_history(deployment)), 1);
	ck_assert_int_eq(pm_deployment_history_key(deployment)->type, PM_SIGN_P384);
	bytes = pm_deployment_root_ca(deployment, &len);
	check_same(bytes, len, pm_authority_root_ca);
	bytes = pm_deployment_mesh_ca(deployment, &len);
	check_same(bytes, len, pm_authority_mesh_ca);
	ck_assert_mem_eq(pm_deployment_log(deployment, &entries),
		pm_deployment_commitment(deployment), 32); /* as this one has it */
	ck_assert_uint_eq(entries, 3);
	ck_assert_ptr_nonnull(pm_deployment_document(deployment, &len));
	ck_assert_ptr_nonnull(pm_deployment_bundle(deployment, &len, nonce));
	ck_assert(!pm_is_zero(nonce, sizeof(nonce)));
}

START_TEST(proves_a_deployment)
{
	ck_pm(attest(), PM_OK);
	ck_assert(pm_verdict_is_accepted(verdict));
	ck_assert_str_eq(reason(), "");
	check_deployment();
}
END_TEST

START_TEST(by_the_hash_alone)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(world.manifest, hash);
	trust.manifest = NULL;
	trust.manifest_hash = hash;
	ck_pm(attest(), PM_OK);
	check_deployment();
	hash[0] ^= 1;
	refused(PM_E_REJECTED, "document.manifest");
}
END_TEST

/* The same without a verdict. */
START_TEST(without_a_verdict)
{
	ck_pm(pm_coordinator_attest(coordinator, &trust, NULL, NULL, &deployment), PM_OK);
	check_deployment();
	pm_deployment_free(deployment);
	deployment = NULL;
	world.state = "stale";
	ck_pm(pm_coordinator_attest(coordinator, &trust, NULL, report, &deployment), PM_E_STATE);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "found stale"));
}
END_TEST

START_TEST(a_trust_of_nobody)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE] = {0};

	trust.manifest_hash = hash;
	ck_pm(attest(), PM_E_ARG);
	trust.manifest = NULL;
	trust.manifest_hash = NULL;
	ck_pm(attest(), PM_E_ARG);
	trust.manifest = world.manifest;
	trust.size--;
	ck_pm(attest(), PM_E_ARG);
	ck_pm(pm_coordinator_attest(coordinator, NULL, verdict, report, &deployment), PM_E_ARG);
	ck_assert_uint_eq(world.attested, 0);
}
END_TEST

START_TEST(wrong_arguments)
{
	struct pm_coordinator *c = NULL;

	ck_pm(pm_coordinator_new(NULL, NULL, NULL, &c), PM_E_ARG);
	ck_pm(pm_coordinator_new("ftp://h/", NULL, NULL, &c), PM_E_FORMAT);
	options.size--;
	ck_pm(pm_coordinator_new("http://h", &options, NULL, &c), PM_E_ARG);
	options.size++;
	options.max_age = -1;
	ck_pm(pm_coordinator_new("http://h", &options, NULL, &c), PM_E_ARG);
	options.max_age = 0;
	options.total_ms = PM_COORDINATOR_TIMEOUT_MAX_MS + 1;
	ck_pm(pm_coordinator_new("http://h", &options, NULL, &c), PM_E_ARG);
	ck_assert_ptr_null(c);
	ck_assert_str_eq(pm_coordinator_state_name(PM_COORDINATOR_SEALED), "sealed");
	ck_assert_str_eq(pm_coordinator_state_name(0), "unknown");
	ck_assert_str_eq(pm_coordinator_state_name(5), "unknown");
}
END_TEST

/* --- another document ------------------------------------------------------------------------ */

/* Shown is another than the claims bind, though right in itself. */
static void show_other_log(struct mesh_world *w, json_t *document)
{
	(void)w;
	json_object_set_new(json_object_get(document, "log"), "entries", json_integer(4));
}

START_TEST(a_document_that_nothing_binds)
{
	world.change_shown = show_other_log;
	refused(PM_E_REJECTED, "document");
}
END_TEST

static void drop_document(struct mesh_world *w, struct pm_claims *claims)
{
	(void)w;
	claims->has_document = false;
}

START_TEST(claims_without_a_document)
{
	world.change_claims = drop_document;
	refused(PM_E_REJECTED, "document");
}
END_TEST

static void other_role(struct mesh_world *w, struct pm_claims *claims)
{
	(void)w;
	snprintf(claims->role, sizeof(claims->role), "secrets");
}

START_TEST(another_role)
{
	world.change_claims = other_role;
	refused(PM_E_REJECTED, "found secrets, expected coordinator");
}
END_TEST

static void other_kind_of_key(struct mesh_world *w, struct pm_claims *claims)
{
	memset(claims->key, 0, sizeof(claims->key));
	memcpy(claims->key, pm_mesh_key_spki(w->signer_key, &claims->key_len), PM_MESH_SPKI_SIZE);
	claims->key_kind = PM_CLAIMS_SPKI;
}

START_TEST(a_key_that_nothing_can_be_sealed_to)
{
	world.change_claims = other_kind_of_key;
	refused(PM_E_REJECTED, "process key: found a key of another kind");
}
END_TEST

/* The coordinator has another manifest than the client: an older one, or a newer. */
START_TEST(another_manifest)
{
	struct pm_manifest *old = NULL;

	ck_pm(pm_manifest_parse(world.manifest_text, strlen(world.manifest_text), NULL, &old),
		PM_OK);
	trust.manifest = old;
	world_next_manifest(&world);
	refused(PM_E_REJECTED, "document.manifest");
	trust.manifest = world.manifest;
	ck_pm(attest(), PM_OK);
	pm_manifest_free(old);
}
END_TEST

/* A replayed answer is for another nonce. */
static char *first_reply;

static void keep_first(struct mesh_world *w, json_t *reply)
{
	json_t *old;

	(void)w;
	if (!first_reply) {
		first_reply = json_dumps(reply, 0);
		return;
	}
	old = json_loads(first_reply, 0, NULL);
	json_object_update(reply, old);
	json_decref(old);
}

START_TEST(a_replay)
{
	world.change_reply = keep_first;
	ck_pm(attest(), PM_OK);
	refused(PM_E_REJECTED, "nonce");
	free(first_reply);
	first_reply = NULL;
}
END_TEST

START_TEST(another_measurement)
{
	world.stage.snp.report[0x090] ^= 1;
	refused(PM_E_REJECTED, "MEASUREMENT");
}
END_TEST

/* A sealed coordinator is given shares then, as it must be there to take the next manifest. */
START_TEST(a_manifest_that_has_ended)
{
	json_object_set_new(world.stage.manifest, "not_after", json_string("2026-01-01T00:01:40Z"));
	world_again(&world);
	trust.manifest = world.manifest;
	world.now = WORLD_NOW + 100;
	ck_pm(attest(), PM_OK);
	world.now = WORLD_NOW + 101;
	refused(PM_E_STALE, "manifest.validity");
	trust.allow_sealed = true;
	refused(PM_E_STALE, "manifest.validity");
	world.state = "sealed";
	ck_pm(attest(), PM_OK);
	trust.allow_sealed = false;
	refused(PM_E_STATE, "found sealed");
}
END_TEST

/* --- another state --------------------------------------------------------------------------- */

START_TEST(other_states)
{
	static const char *const states[] = {"empty", "sealed", "stale"};
	char wanted[64];

	for (size_t i = 0; i < PM_ARRAY_LEN(states); i++) {
		world.state = states[i];
		snprintf(wanted, sizeof(wanted), "found %s, expected ready", states[i]);
		refused(PM_E_STATE, wanted);
	}
	trust.allow_sealed = true;
	refused(PM_E_STATE, "found stale, expected ready or sealed");
	world.state = "elsewhere";
	refused(PM_E_FORMAT, "$.state");
}
END_TEST

static const char *dropped;

static void drop_member(struct mesh_world *w, json_t *document)
{
	(void)w;
	json_object_set_new(document, dropped, json_null());
}

START_TEST(a_ready_coordinator_knows_all)
{
	static const char *const members[] = {
		"manifest", "history", "history_key", "root_ca", "mesh_ca", "log", "commitment"};

	world.change_document = drop_member;
	for (size_t i = 0; i < PM_ARRAY_LEN(members); i++) {
		dropped = members[i];
		refused(PM_E_FORMAT, "null for one");
	}
}
END_TEST

START_TEST(a_sealed_one_may_do)
{
	size_t len = 1;
	uint64_t entries;

	world.state = "sealed";
	trust.allow_sealed = true;
	ck_pm(attest(), PM_OK);
	ck_assert_int_eq(pm_deployment_state(deployment), PM_COORDINATOR_SEALED);
	ck_assert_ptr_null(pm_deployment_mesh_ca(deployment, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_ptr_null(pm_deployment_root_ca(deployment, &len));
	ck_assert_ptr_null(pm_deployment_history_key(deployment));
	ck_assert_ptr_null(pm_deployment_log(deployment, &entries));
	world.change_document = drop_member;
	dropped = "commitment";
	refused(PM_E_FORMAT, "null for one");
	dropped = "history";
	refused(PM_E_FORMAT, "null for one");
	dropped = "manifest";
	refused(PM_E_FORMAT, "null for one");
}
END_TEST

/* --- another form ---------------------------------------------------------------------------- */

static struct {
	const char *key, *text; /* JSON of its value; NULL: the key is left out */
	int error;
	const char *part;
} bad_members[] = {
	{"version", "2", PM_E_FORMAT, "$.version"},
	{"version", NULL, PM_E_FORMAT, "$.version"},
	{"more", "1", PM_E_FORMAT, "$.more"},
	{"manifest", "\"e30=\"", PM_E_FORMAT, "$"},
	{"manifest", "\"e30\"", PM_E_FORMAT, "$.manifest"},
	{"history", "{\"version\": 1, \"links\": []}", PM_E_REJECTED, "a link at least"},
	{"history", "[]", PM_E_FORMAT, "$.history"},
	{"history", "{}", PM_E_FORMAT, "$"},
	{"history_key", "\"MCowBQYDK2VwAyEA/U9ElPlmAXSvRzMEwQ5KorXaGDLqvziWCKmk26lnZwU=\"",
		PM_E_UNSUPPORTED, "a P-384 key"},
	{"history_key", "\"MCow\"", PM_E_UNSUPPORTED, "key"},
	{"audit_key", "\"MCow\"", PM_E_UNSUPPORTED, "key"},
	{"root_ca", "\"MCow\"", PM_E_FORMAT, "root CA"},
	{"mesh_ca", "\"MCow\"", PM_E_FORMAT, "mesh CA"},
	{"mesh_ca", "\"\"", PM_E_FORMAT, "$.mesh_ca"},
	{"log", "{\"entries\": -1, \"head\": \"00\"}", PM_E_FORMAT, "$.log.entries"},
	{"log", "{\"entries\": 1, \"head\": \"00\"}", PM_E_FORMAT, "$.log.head"},
	{"commitment", "\"AB\"", PM_E_FORMAT, "$.commitment"},
};

static size_t bad_member;

static void set_bad_member(struct mesh_world *w, json_t *document)
{
	const char *text = bad_members[bad_member].text;

	(void)w;
	if (text)
		json_object_set_new(document, bad_members[bad_member].key,
			json_loads(text, JSON_DECODE_ANY, NULL));
	else
		json_object_del(document, bad_members[bad_member].key);
}

START_TEST(malformed_documents)
{
	bad_member = (size_t)_i;
	world.change_document = set_bad_member;
	refused(bad_members[_i].error, bad_members[_i].part);
}
END_TEST

static void name_audit_key(struct mesh_world *w, json_t *document)
{
	const struct pm_sign_public *key = pm_sign_key_public(pm_authority_audit_key(w->authority));

	json_object_set_new(document, "audit_key", world_base64(key->spki, key->spki_size));
}

START_TEST(an_audit_key)
{
	ck_pm(attest(), PM_OK);
	ck_assert_ptr_null(pm_deployment_audit_key(deployment));
	world.change_document = name_audit_key;
	ck_pm(attest(), PM_OK);
	ck_assert_int_eq(pm_deployment_audit_key(deployment)->type, PM_SIGN_ED25519);
}
END_TEST

/* --- history --------------------------------------------------------------------------------- */

static struct pm_sign_key *other_key;

/* The same links, signed by somebody else. */
static void sign_anew(struct mesh_world *w, json_t *document)
{
	struct pm_history *history = NULL;
	char *text = NULL;
	size_t len;

	ck_pm(pm_history_new(&history), PM_OK);
	ck_pm(pm_history_append(history, w->manifest, other_key, WORLD_NOW, NULL), PM_OK);
	ck_pm(pm_history_text(history, 0, &text, &len), PM_OK);
	json_object_set_new(document, "history", json_loadb(text, len, 0, NULL));
	pm_history_text_free(text);
	pm_history_free(history);
}

START_TEST(a_history_of_another_key)
{
	ck_pm(pm_sign_key_new(PM_SIGN_P384, &other_key), PM_OK);
	world.change_document = sign_anew;
	refused(PM_E_REJECTED, "history.signature");
	pm_sign_key_free(other_key);
}
END_TEST

static char *old_history;

static void show_old_history(struct mesh_world *w, json_t *document)
{
	(void)w;
	json_object_set_new(document, "history", json_loads(old_history, 0, NULL));
}

/* The history ends before the manifest that is said to hold. */
START_TEST(a_history_of_another_manifest)
{
	size_t len;

	ck_pm(pm_history_text(world.history, 0, &old_history, &len), PM_OK);
	world_next_manifest(&world);
	trust.manifest = world.manifest;
	world.change_document = show_old_history;
	refused(PM_E_REJECTED, "history.manifest");
	pm_history_text_free(old_history);
}
END_TEST

START_TEST(remembers)
{
	struct stat st;

	options.memory_file = memory;
	new_coordinator();
	world.stage.snp.report[0x090] ^= 1;
	refused(PM_E_REJECTED, "MEASUREMENT");
	ck_assert_int_ne(stat(memory, &st), 0); /* nothing was proved yet */
	world.stage.snp.report[0x090] ^= 1;
	ck_pm(attest(), PM_OK);
	ck_assert_int_eq(stat(memory, &st), 0);
	/* Three manifests later the history bridges what this client did not see. */
	for (int i = 0; i < 3; i++)
		world_next_manifest(&world);
	trust.manifest = world.manifest;
	ck_pm(attest(), PM_OK);
	ck_assert_uint_eq(pm_history_count(pm_deployment_history(deployment)), 4);
}
END_TEST

/* All that was right once: the old manifest, the old history, both signed. */
START_TEST(a_rollback)
{
	struct mesh_world old;
	const struct pm_net_clock clock = world_clock(&world);

	world_init(&old);
	options.memory_file = memory;
	new_coordinator();
	world_next_manifest(&world);
	trust.manifest = world.manifest;
	ck_pm(attest(), PM_OK);
	pm_coordinator_free(coordinator);
	coordinator = NULL;
	ck_pm(pm_coordinator_new(peer_server_url(old.server), &options, report, &coordinator),
		PM_OK);
	pm_coordinator_set_clock(coordinator, &clock);
	trust.manifest = old.manifest;
	refused(PM_E_REJECTED, "memory.rollback");
	world_free(&old);
}
END_TEST

/* Of the same number, and another: another seed signs its links. */
START_TEST(a_fork)
{
	struct mesh_world other;
	const struct pm_net_clock clock = world_clock(&world);

	options.memory_file = memory;
	new_coordinator();
	ck_pm(attest(), PM_OK);
	world_init(&other);
	json_object_set_new(other.stage.manifest, "not_after", json_string("2026-12-30T00:00:00Z"));
	world_again(&other);
	pm_coordinator_free(coordinator);
	coordinator = NULL;
	ck_pm(pm_coordinator_new(peer_server_url(other.server), &options, report, &coordinator),
		PM_OK);
	pm_coordinator_set_clock(coordinator, &clock);
	trust.manifest = other.manifest;
	refused(PM_E_REJECTED, "memory.fork");
	world_free(&other);
}
END_TEST

/* The same manifest, and another link: of another time. */
static void other_link(struct mesh_world *w, json_t *document)
{
	struct pm_history *history = NULL;
	char *text = NULL;
	size_t len;

	ck_pm(pm_history_new(&history), PM_OK);
	ck_pm(pm_history_append(history, w->manifest, pm_authority_history_key(w->authority),
		      WORLD_NOW + 1, NULL),
		PM_OK);
	ck_pm(pm_history_text(history, 0, &text, &len), PM_OK);
	json_object_set_new(document, "history", json_loadb(text, len, 0, NULL));
	pm_history_text_free(text);
	pm_history_free(history);
}

/* A sealed coordinator can't prove its history, but it must be the one that is remembered. */
START_TEST(a_fork_while_sealed)
{
	options.memory_file = memory;
	new_coordinator();
	ck_pm(attest(), PM_OK);
	world.state = "sealed";
	trust.allow_sealed = true;
	ck_pm(attest(), PM_OK);
	world.change_document = other_link;
	refused(PM_E_REJECTED, "memory.fork");
}
END_TEST

START_TEST(a_damaged_memory)
{
	FILE *f = fopen(memory, "w");

	ck_assert_ptr_nonnull(f);
	fputs("{}", f);
	fclose(f);
	options.memory_file = memory;
	new_coordinator();
	refused(PM_E_FORMAT, "memory");
}
END_TEST

/* --- certificate authorities ------------------------------------------------------------------ */

static struct mesh_world stranger;

static json_t *ca_json(
	const uint8_t *(*get)(const struct pm_authority *, size_t *), const struct pm_authority *a)
{
	size_t len;
	const uint8_t *der = get(a, &len);

	return world_base64(der, len);
}

static void intermediate_as_mesh_ca(struct mesh_world *w, json_t *document)
{
	json_object_set_new(document, "mesh_ca", ca_json(pm_authority_intermediate, w->authority));
}

static void root_as_mesh_ca(struct mesh_world *w, json_t *document)
{
	json_object_set_new(document, "mesh_ca", ca_json(pm_authority_root_ca, w->authority));
}

static void mesh_ca_of_another_manifest(struct mesh_world *w, json_t *document)
{
	(void)w;
	json_object_set_new(document, "mesh_ca", ca_json(pm_authority_mesh_ca, stranger.authority));
}

static void leaf_as_root(struct mesh_world *w, json_t *document)
{
	json_object_set_new(document, "root_ca", ca_json(pm_authority_intermediate, w->authority));
}

START_TEST(other_authorities)
{
	static const struct {
		void (*change)(struct mesh_world *w, json_t *document);
		const char *part;
	} rows[] = {
		{intermediate_as_mesh_ca, "mesh CA: found another, expected a CA that certifies"},
		{root_as_mesh_ca, "mesh CA: found the root CA's"},
		{mesh_ca_of_another_manifest, "mesh CA: found another, expected the name"},
		{leaf_as_root, "root CA: found another"},
	};

	world_init(&stranger);
	world_next_manifest(&stranger);
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		world.change_document = rows[i].change;
		refused(PM_E_REJECTED, rows[i].part);
	}
	world_free(&stranger);
}
END_TEST

/* A root of the test's own: right in all but one thing. */
static struct mint_cert root_spec;

static void minted_root(struct mesh_world *w, json_t *document)
{
	struct pm_view der = mint_cert(&root_spec);

	(void)w;
	json_object_set_new(document, "root_ca", world_base64(der.ptr, der.len));
	test_free(der);
}

START_TEST(roots_of_other_kinds)
{
	root_spec = (struct mint_cert){
		.signer = {.key = scene_keys.ec, .name = "root"},
		.key = scene_keys.ec,
		.name = "root",
		.serial = 7,
		.not_before = WORLD_NOW - 100,
		.not_after = WORLD_NOW + 100,
		.constraints = "critical,CA:TRUE",
		.usage = "critical,keyCertSign",
	};
	world.change_document = minted_root;
	ck_pm(attest(), PM_OK);
	root_spec.not_after = WORLD_NOW - 1;
	refused(PM_E_STALE, "root CA");
	root_spec.not_after = WORLD_NOW + 100;
	root_spec.not_before = WORLD_NOW + 1;
	refused(PM_E_STALE, "root CA");
	root_spec.not_before = WORLD_NOW - 100;
	root_spec.constraints = "critical,CA:FALSE";
	refused(PM_E_REJECTED, "root CA: found another, expected a CA that certifies itself");
	root_spec.constraints = "critical,CA:TRUE";
	root_spec.signer.key = root_spec.key = scene_keys.p256;
	root_spec.signer.hash = "SHA256";
	refused(PM_E_UNSUPPORTED, "root CA: found another, expected a P-384 key");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deployment");
	TCase *t = tcase_create("deployment");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_checked_fixture(t, asking_set_up, asking_tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, proves_a_deployment);
	tcase_add_test(t, by_the_hash_alone);
	tcase_add_test(t, without_a_verdict);
	tcase_add_test(t, a_trust_of_nobody);
	tcase_add_test(t, wrong_arguments);
	tcase_add_test(t, a_document_that_nothing_binds);
	tcase_add_test(t, claims_without_a_document);
	tcase_add_test(t, another_role);
	tcase_add_test(t, a_key_that_nothing_can_be_sealed_to);
	tcase_add_test(t, another_manifest);
	tcase_add_test(t, a_replay);
	tcase_add_test(t, another_measurement);
	tcase_add_test(t, other_states);
	tcase_add_test(t, a_ready_coordinator_knows_all);
	tcase_add_test(t, a_sealed_one_may_do);
	tcase_add_test(t, a_manifest_that_has_ended);
	tcase_add_loop_test(t, malformed_documents, 0, PM_ARRAY_LEN(bad_members));
	tcase_add_test(t, an_audit_key);
	tcase_add_test(t, a_history_of_another_key);
	tcase_add_test(t, a_history_of_another_manifest);
	tcase_add_test(t, remembers);
	tcase_add_test(t, a_rollback);
	tcase_add_test(t, a_fork);
	tcase_add_test(t, a_fork_while_sealed);
	tcase_add_test(t, a_damaged_memory);
	tcase_add_test(t, other_authorities);
	tcase_add_test(t, roots_of_other_kinds);
	suite_add_tcase(s, t);
	return test_main(s);
}
