/* SPDX-License-Identifier: Apache-2.0 */
/* A workload that joins, and answers that are not for it, or not from whom they should be. */
#include <stdio.h>
#include <stdlib.h>

#include "mesh_world.h"
#include "base/report.h"
#include "net/join.h"
#include "policy/verdict.h"
#include "testing.h"

static struct mesh_world world, stranger;
static struct pm_join_options options;
static struct pm_verdict *verdict;
static struct pm_report *report;
static struct pm_membership *membership;
static uint8_t hash[PM_MANIFEST_HASH_SIZE];

static void set_up(void)
{
	world_init(&world);
	options = (struct pm_join_options){
		.size = sizeof(options),
		.role = "worker",
		.purpose = PM_MESH_TLS,
		.collect = world_collect,
		.arg = &world,
	};
	pm_manifest_hash(world.manifest, hash);
	verdict = pm_verdict_new();
	report = pm_report_new();
	membership = NULL;
}

static void tear_down(void)
{
	pm_membership_free(membership);
	pm_verdict_free(verdict);
	pm_report_free(report);
	world_free(&world);
}

static int join(void)
{
	const struct pm_net_clock clock = world_clock(&world);

	pm_membership_free(membership);
	membership = NULL;
	pm_report_reset(report);
	return pm_join_by_clock(
		peer_server_url(world.server), &options, &clock, verdict, report, &membership);
}

static void refused(int error, const char *part)
{
	const char *text;

	ck_pm(join(), error);
	ck_assert_ptr_null(membership);
	text = pm_report_reason(report);
	ck_assert_msg(strstr(text, part) != NULL, "'%s' lacks '%s'", text, part);
}

/* --- what is right --------------------------------------------------------------------------- */

static void check_certificate(void)
{
	struct pm_mesh_identity who;
	uint8_t der[PM_MESH_CERT_SIZE_MAX];
	size_t len, ca_len, der_len;
	const uint8_t *leaf;
	const char *pem = pm_membership_certificate(membership, &len);
	const uint8_t *ca = pm_membership_mesh_ca(membership, &ca_len);

	ck_assert_uint_eq(len, strlen(pem));
	ck_pm(pm_mesh_verify(pem, len, ca, ca_len, WORLD_NOW, report, &who), PM_OK);
	ck_assert_str_eq(who.role, "worker");
	ck_pm(pm_mesh_leaf(pem, len, der, &der_len), PM_OK);
	leaf = pm_membership_leaf(membership, &len);
	ck_assert(pm_view_equal(pm_view(leaf, len), pm_view(der, der_len)));
	ck_assert_int_eq(pm_membership_expires(membership), who.not_after);
	ck_assert_str_eq(pm_membership_identity(membership)->replica, who.replica);
	ck_assert_mem_eq(pm_mesh_key_spki(pm_membership_key(membership), NULL), world.spki,
		sizeof(world.spki));
}

START_TEST(joins)
{
	size_t len;
	const uint8_t *bytes;

	ck_pm(join(), PM_OK);
	check_certificate();
	ck_assert_int_eq(pm_membership_identity(membership)->purpose, PM_MESH_TLS);
	ck_assert_mem_eq(pm_membership_secret(membership), world.workload_secret, 32);
	ck_assert_ptr_null(pm_membership_seed(membership));
	ck_assert_ptr_null(pm_membership_mesh_key(membership, &len));
	ck_assert_ptr_null(pm_membership_deployment(membership));
	bytes = pm_membership_manifest_bytes(membership, &len);
	ck_assert_uint_eq(len, strlen(world.manifest_text));
	ck_assert_mem_eq(bytes, world.manifest_text, len);
	ck_assert_ptr_nonnull(pm_membership_manifest(membership));
	ck_assert_ptr_nonnull(pm_membership_root_ca(membership, &len));
	ck_assert_uint_eq(world.attested, 0);
}
END_TEST

START_TEST(joins_for_signing)
{
	options.purpose = PM_MESH_SIGN;
	ck_pm(join(), PM_OK);
	check_certificate();
	ck_assert_int_eq(pm_membership_identity(membership)->purpose, PM_MESH_SIGN);
}
END_TEST

START_TEST(joins_whom_it_attested)
{
	options.manifest_hash = hash;
	ck_pm(join(), PM_OK);
	check_certificate();
	ck_assert_uint_eq(world.attested, 1);
	ck_assert(pm_verdict_is_accepted(verdict));
	ck_assert_ptr_nonnull(pm_membership_deployment(membership));
	options.manifest_hash = NULL;
	options.manifest = world.manifest;
	ck_pm(join(), PM_OK);
	ck_assert_uint_eq(world.attested, 2);
}
END_TEST

static void claim_coordinator(struct mesh_world *w, struct pm_claims *claims)
{
	(void)w;
	snprintf(claims->role, sizeof(claims->role), "coordinator");
}

static int collect_as_coordinator(void *arg, const struct pm_join_request *request,
	struct pm_report *r, uint8_t **ret_bundle, size_t *ret_len)
{
	struct mesh_world *w = arg;

	w->change_claims = claim_coordinator;
	return world_collect(arg, request, r, ret_bundle, ret_len);
}

/* --- a key of the caller's ------------------------------------------------------------------- */

/* Whose key is in the membership, and is it whole? */
static void check_key(const uint8_t *spki, const char *pem)
{
	char text[PM_MESH_KEY_PEM_SIZE];

	check_certificate();
	ck_assert_mem_eq(
		pm_mesh_key_spki(pm_membership_key(membership), NULL), spki, PM_MESH_SPKI_SIZE);
	ck_pm(pm_mesh_key_pem(pm_membership_key(membership), text), PM_OK);
	ck_assert_str_eq(text, pem);
}

START_TEST(joins_with_a_given_key)
{
	char pem[PM_MESH_KEY_PEM_SIZE];
	uint8_t spki[PM_MESH_SPKI_SIZE];
	struct pm_mesh_key *key = NULL;

	ck_pm(pm_mesh_key_new(&key), PM_OK);
	ck_pm(pm_mesh_key_pem(key, pem), PM_OK);
	memcpy(spki, pm_mesh_key_spki(key, NULL), sizeof(spki));
	options.key = key;
	for (int i = 0; i < 2; i++) {
		ck_pm(join(), PM_OK);
		check_key(spki, pem);
		ck_assert_ptr_ne(pm_membership_key(membership), key);
	}
	/* The membership has one of its own. */
	pm_mesh_key_free(key);
	check_key(spki, pem);
	options.key = NULL;
	ck_pm(join(), PM_OK);
	check_certificate();
	ck_assert_mem_ne(world.spki, spki, sizeof(spki));
}
END_TEST

START_TEST(a_given_key_is_for_tls)
{
	struct pm_mesh_key *key = NULL;

	ck_pm(pm_mesh_key_new(&key), PM_OK);
	options.key = key;
	options.purpose = PM_MESH_SIGN;
	ck_pm(join(), PM_E_ARG);
	options.role = "coordinator";
	ck_pm(join(), PM_E_ARG);
	ck_assert_uint_eq(world.asked, 0);
	ck_assert(pm_is_zero(world.spki, sizeof(world.spki))); /* nobody asked to join */
	pm_mesh_key_free(key);
}
END_TEST

/* As it was compiled before there was a key: what stands behind is not looked at. */
START_TEST(joins_with_the_options_of_before)
{
	options.size = offsetof(struct pm_join_options, key);
	options.key = (const struct pm_mesh_key *)(uintptr_t)1;
	ck_pm(join(), PM_OK);
	check_certificate();
	options.purpose = PM_MESH_SIGN;
	ck_pm(join(), PM_OK);
	options.size--;
	ck_pm(join(), PM_E_ARG);
}
END_TEST

/* --- coordinators ---------------------------------------------------------------------------- */

START_TEST(two_coordinators_meet)
{
	size_t len;

	options.role = "coordinator";
	options.purpose = PM_MESH_SIGN;
	options.collect = collect_as_coordinator;
	ck_pm(join(), PM_OK);
	ck_assert_mem_eq(pm_membership_seed(membership), pm_seed_bytes(world.seed), 32);
	ck_assert_mem_eq(pm_membership_mesh_key(membership, &len),
		pm_authority_mesh_key(world.authority), PM_AUTHORITY_MESH_KEY_SIZE);
	ck_assert_uint_eq(len, PM_AUTHORITY_MESH_KEY_SIZE);
	ck_assert_ptr_null(pm_membership_certificate(membership, &len));
	ck_assert_ptr_null(pm_membership_leaf(membership, &len));
	ck_assert_ptr_null(pm_membership_identity(membership));
	ck_assert_ptr_null(pm_membership_secret(membership));
	ck_assert_int_eq(pm_membership_expires(membership), 0);
}
END_TEST

START_TEST(wrong_arguments)
{
	struct pm_join_options o = options;

	ck_pm(pm_join(NULL, &o, NULL, NULL, &membership), PM_E_ARG);
	ck_pm(pm_join("http://h", NULL, NULL, NULL, &membership), PM_E_ARG);
	o.size--;
	ck_pm(pm_join("http://h", &o, NULL, NULL, &membership), PM_E_ARG);
	o = options;
	o.role = NULL;
	ck_pm(pm_join("http://h", &o, NULL, NULL, &membership), PM_E_ARG);
	o = options;
	o.collect = NULL;
	ck_pm(pm_join("http://h", &o, NULL, NULL, &membership), PM_E_ARG);
	o = options;
	o.purpose = 0;
	ck_pm(pm_join("http://h", &o, NULL, NULL, &membership), PM_E_ARG);
	o = options;
	o.manifest = world.manifest;
	o.manifest_hash = hash;
	ck_pm(pm_join("http://h", &o, NULL, NULL, &membership), PM_E_ARG);
	o = options;
	o.memory_file = "/nonexistent/memory"; /* of whom? nobody is attested */
	ck_pm(pm_join("http://h", &o, NULL, NULL, &membership), PM_E_ARG);
	ck_pm(pm_join("ftp://h", &options, NULL, NULL, &membership), PM_E_FORMAT);
}
END_TEST

/* --- evidence -------------------------------------------------------------------------------- */

static int collect_nothing(void *arg, const struct pm_join_request *request, struct pm_report *r,
	uint8_t **ret_bundle, size_t *ret_len)
{
	(void)arg;
	(void)request;
	(void)ret_bundle;
	(void)ret_len;
	return pm_fail(r, PM_E_SYS, "evidence", "a report", "no device");
}

static int collect_empty(void *arg, const struct pm_join_request *request, struct pm_report *r,
	uint8_t **ret_bundle, size_t *ret_len)
{
	(void)arg;
	(void)request;
	(void)r;
	*ret_bundle = NULL;
	*ret_len = 0;
	return PM_OK;
}

START_TEST(without_evidence)
{
	options.collect = collect_nothing;
	refused(PM_E_SYS, "no device");
	options.collect = collect_empty;
	refused(PM_E_LIMIT, "0 bytes");
}
END_TEST

#define HASH_66 "666666666666666666666666666666666666666666666666"
#define HASH_77 "777777777777777777777777777777777777777777777777"

static const char no_text[] =
	"{\"error\":{\"code\":\"rejected\",\"message\":\"processor, MEASUREMENT: found " HASH_66
		HASH_66 ", expected " HASH_77 HASH_77 "\"}}";

/* Who, why and what would do: whole, as long as measurements are. */
START_TEST(is_refused)
{
	char words[512];

	world.path = "/pm/v1/join";
	world.reply = (struct peer_reply){
		.status = 403, .type = "application/json", .body = VIEW(no_text)};
	snprintf(words, sizeof(words),
		"coordinator: found a refusal by %s: processor, MEASUREMENT: found " HASH_66 HASH_66
		", expected " HASH_77 HASH_77,
		peer_server_url(world.server));
	refused(PM_E_REJECTED, words);
	ck_assert_str_eq(pm_report_reason(report), words);
	world.reply.status = 429;
	refused(PM_E_NET, "status 429");
	world.reply.status = 503;
	refused(PM_E_NET, "status 503");
	world.path = "/pm/v1/challenge";
	snprintf(words, sizeof(words), "coordinator: found status 503 of %s: processor",
		peer_server_url(world.server));
	refused(PM_E_NET, words);
}
END_TEST

/* What has no room keeps its beginning, and is seen to be cut. */
START_TEST(is_refused_at_length)
{
	char text[1024], long_text[401];

	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	snprintf(text, sizeof(text),
		"{\"error\":{\"code\":\"refused\",\"message\":\"model: found 123%s, expected "
		"456%s\"}}",
		long_text, long_text);
	world.path = "/pm/v1/join";
	world.reply = (struct peer_reply){
		.status = 403, .type = "application/json", .body = pm_view(text, strlen(text))};
	refused(PM_E_REJECTED, ": model: found 123aaaa");
	refused(PM_E_REJECTED, "aaaa..., expected 456aaaa");
	ck_assert_str_eq(pm_report_reason(report) + strlen(pm_report_reason(report)) - 5, "aa...");
	world.reply.body = pm_view("", 0);
	refused(PM_E_REJECTED, "found status 403 of");
	refused(PM_E_REJECTED, "no reason given, expected an answer");
}
END_TEST

/* --- who answers ----------------------------------------------------------------------------- */

/* What differs is small, so that each row fails at the check that it is for. */
START_TEST(another_signer)
{
	snprintf(world.signer.role, sizeof(world.signer.role), "worker");
	refused(PM_E_REJECTED, "join.signer.role: found worker, expected coordinator");
	snprintf(world.signer.role, sizeof(world.signer.role), "secrets");
	refused(PM_E_REJECTED, "join.signer.role: found secrets, expected coordinator");
	snprintf(world.signer.role, sizeof(world.signer.role), "coordinator");
	world.signer.purpose = PM_MESH_TLS;
	refused(PM_E_REJECTED, "join.signer.purpose: found for TLS, expected for signing");
	world.signer.purpose = PM_MESH_SIGN;
	world.signature_label = "other";
	refused(PM_E_REJECTED, "signature");
	world.signature_label = "join";
	world.signer_lifetime = 10;
	world.now += 50;
	refused(PM_E_STALE, "mesh.validity");
	world.now -= 50;
	ck_pm(join(), PM_OK);
}
END_TEST

START_TEST(a_signer_of_another_ca)
{
	world_init(&stranger);
	world.signer_authority = stranger.authority;
	refused(PM_E_REJECTED, "mesh.issuer");
	world_free(&stranger);
}
END_TEST

/* The answer was changed on the way, and is still well formed. */
static void change_signed(struct mesh_world *w, json_t *reply)
{
	struct pm_view text;
	char *place;

	(void)w;
	if (!json_object_get(reply, "Answer"))
		return;
	text = world_bytes(reply, "Answer");
	place = strstr((char *)text.ptr, "\"expires\":1");
	ck_assert_ptr_nonnull(place);
	place[10] = '2';
	json_object_set_new(reply, "Answer", world_base64(text.ptr, text.len));
	test_free(text);
}

START_TEST(a_changed_answer)
{
	world.change_reply = change_signed;
	refused(PM_E_REJECTED, "signature");
}
END_TEST

/* --- another answer -------------------------------------------------------------------------- */

static void other_nonce(struct mesh_world *w, json_t *answer)
{
	uint8_t nonce[32] = {0};

	(void)w;
	json_object_set_new(answer, "nonce", world_base64(nonce, sizeof(nonce)));
}

static json_t *ca_json(
	const uint8_t *(*get)(const struct pm_authority *, size_t *), const struct pm_authority *a)
{
	size_t len;
	const uint8_t *der = get(a, &len);

	return world_base64(der, len);
}

static void other_root(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "root_ca", ca_json(pm_authority_root_ca, stranger.authority));
}

static void intermediate_as_root(struct mesh_world *w, json_t *answer)
{
	json_object_set_new(answer, "root_ca", ca_json(pm_authority_intermediate, w->authority));
}

static void other_mesh_ca(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "mesh_ca", ca_json(pm_authority_mesh_ca, stranger.authority));
}

static void other_manifest(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "manifest",
		world_base64(stranger.manifest_text, strlen(stranger.manifest_text)));
}

static void no_certificate(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "certificate", json_null());
}

/* The leaf alone. */
static void no_intermediate(struct mesh_world *w, json_t *answer)
{
	char *text = strdup(json_string_value(json_object_get(answer, "certificate")));
	char *second = strstr(text + 1, "-----BEGIN");

	(void)w;
	*second = '\0';
	json_object_set_new(answer, "certificate", json_string(text));
	free(text);
}

static void other_expiry(struct mesh_world *w, json_t *answer)
{
	json_object_set_new(answer, "expires", json_integer((json_int_t)w->now + 99999));
}

static void no_box(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "box", json_null());
}

static void changed_box(struct mesh_world *w, json_t *answer)
{
	struct pm_view box = world_bytes(answer, "box");

	(void)w;
	((uint8_t *)box.ptr)[box.len - 1] ^= 1;
	json_object_set_new(answer, "box", world_base64(box.ptr, box.len));
	test_free(box);
}

static void short_box(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "box", json_string("AAAA"));
}

static void extra_member(struct mesh_world *w, json_t *answer)
{
	(void)w;
	json_object_set_new(answer, "more", json_null());
}

static const struct {
	void (*change)(struct mesh_world *w, json_t *answer);
	int error;
	const char *part;
} rows[] = {
	{other_nonce, PM_E_REJECTED, "join.nonce"},
	{other_root, PM_E_REJECTED, "join.intermediate: found by another"},
	{intermediate_as_root, PM_E_REJECTED, "join.root_ca: found another"},
	{other_mesh_ca, PM_E_REJECTED, "mesh.issuer"},
	{other_manifest, PM_E_REJECTED, "join.manifest"},
	{no_certificate, PM_E_REJECTED, "join.certificate: found null"},
	{no_intermediate, PM_E_MISSING, "join.intermediate: found none"},
	{other_expiry, PM_E_REJECTED, "join.expires"},
	{no_box, PM_E_REJECTED, "join.workload_secret: found none"},
	{changed_box, PM_E_REJECTED, "join.box: found another"},
	{short_box, PM_E_LIMIT, "join.box"},
	{extra_member, PM_E_FORMAT, "$.more"},
};

START_TEST(other_answers)
{
	world_init(&stranger);
	world_next_manifest(&stranger);
	world.change_answer = rows[_i].change;
	refused(rows[_i].error, rows[_i].part);
	world_free(&stranger);
}
END_TEST

/* A box for the key of another joiner. */
static void box_of_another(struct mesh_world *w, json_t *answer)
{
	struct pm_box_key *other = NULL;
	static const char plain[] = "{\"workload_secret\":null}";
	uint8_t box[sizeof(plain) - 1 + PM_BOX_OVERHEAD];

	ck_pm(pm_box_key_new(&other), PM_OK);
	ck_pm(pm_box_seal(pm_box_key_public(other), "join", w->nonce, sizeof(w->nonce), plain,
		      sizeof(plain) - 1, box),
		PM_OK);
	json_object_set_new(answer, "box", world_base64(box, sizeof(box)));
	pm_box_key_free(other);
}

/*
 * One for this very key and nonce, by another coordinator, to whom the evidence was passed on: with
 * it, a workload without a pin would use the secret of that deployment in a mesh of who answers.
 */
static void box_of_another_mesh(struct mesh_world *w, json_t *answer)
{
	static const char plain[] = "{\"workload_secret\":null}";
	uint8_t box[sizeof(plain) - 1 + PM_BOX_OVERHEAD];

	memcpy(stranger.nonce, w->nonce, sizeof(w->nonce));
	memcpy(stranger.box_key, w->box_key, sizeof(w->box_key));
	world_box(&stranger, "join", pm_view(plain, sizeof(plain) - 1), box);
	json_object_set_new(answer, "box", world_base64(box, sizeof(box)));
}

START_TEST(a_box_for_another)
{
	world_init(&stranger);
	world.change_answer = box_of_another_mesh;
	refused(PM_E_REJECTED, "join.box: found another");
	world_free(&stranger);
	world.change_answer = box_of_another;
	refused(PM_E_REJECTED, "join.box: found another");
	world.change_answer = NULL;
	world.label = "recover";
	refused(PM_E_REJECTED, "join.box: found another");
}
END_TEST

/* --- what is in the box ---------------------------------------------------------------------- */

#define SECRET "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M="

static const struct {
	const char *plain;
	int error;
} plains[] = {
	{" { \"workload_secret\" : \"" SECRET "\" } \n", PM_OK},
	{"{\"workload_secret\":null}", PM_E_REJECTED}, /* the manifest gives it one */
	{"{\"workload_secret\":\"" SECRET "\",\"more\":null}", PM_E_FORMAT},
	{"{\"workload_secret\":\"" SECRET "\"}x", PM_E_FORMAT},
	{"{\"workload_secret\":\"c3Nz\"}", PM_E_FORMAT},
	{"{\"workload_secret\":\"" SECRET "c3Nz\"}", PM_E_FORMAT},
	{"{\"workload_secret\":1}", PM_E_FORMAT},
	{"{\"secret\":\"" SECRET "\"}", PM_E_FORMAT},
	{"{\"workload_secret\":\"" SECRET "\"", PM_E_FORMAT},
	{"{}", PM_E_FORMAT},
	{"", PM_E_FORMAT},
	{"{\"seed\":\"" SECRET "\",\"mesh_key\":\"" SECRET "\"}", PM_E_FORMAT},
};

static size_t plain_index;

static void set_plain(struct mesh_world *w, json_t *answer)
{
	const char *plain = plains[plain_index].plain;
	uint8_t box[256 + PM_BOX_OVERHEAD];

	world_box(w, "join", pm_view(plain, strlen(plain)), box);
	json_object_set_new(answer, "box", world_base64(box, strlen(plain) + PM_BOX_OVERHEAD));
}

START_TEST(boxes_of_all_kinds)
{
	plain_index = (size_t)_i;
	world.change_answer = set_plain;
	ck_pm(join(), plains[_i].error);
	if (!_i)
		ck_assert_mem_eq(pm_membership_secret(membership), world.workload_secret, 32);
}
END_TEST

/* --- the certificate ------------------------------------------------------------------------- */

static void other_key(struct mesh_world *w, struct pm_mesh_identity *who)
{
	(void)who;
	memcpy(w->spki, pm_mesh_key_spki(w->signer_key, NULL), sizeof(w->spki));
}

static void other_role(struct mesh_world *w, struct pm_mesh_identity *who)
{
	(void)w;
	snprintf(who->role, sizeof(who->role), "secrets");
}

static void other_purpose(struct mesh_world *w, struct pm_mesh_identity *who)
{
	(void)w;
	who->purpose = PM_MESH_SIGN;
}

START_TEST(another_certificate)
{
	struct pm_mesh_key *key = NULL;

	world.change_identity = other_key;
	refused(PM_E_REJECTED, "join.certificate.key");
	ck_pm(pm_mesh_key_new(&key), PM_OK);
	options.key = key;
	refused(PM_E_REJECTED, "join.certificate.key");
	pm_mesh_key_free(key);
	options.key = NULL;
	world.change_identity = other_role;
	refused(PM_E_REJECTED, "join.certificate.role: found secrets, expected worker");
	world.change_identity = other_purpose;
	refused(PM_E_REJECTED, "join.certificate.purpose: found for signing, expected for TLS");
}
END_TEST

/* A secret for a role that gets none. */
static void claim_other_role(struct mesh_world *w, struct pm_claims *claims)
{
	(void)w;
	snprintf(claims->role, sizeof(claims->role), "secrets");
}

START_TEST(a_secret_that_is_not_due)
{
	world.change_claims = claim_other_role;
	options.role = "secrets";
	refused(PM_E_REJECTED, "join.workload_secret: found a secret");
	world.no_secret = true;
	ck_pm(join(), PM_OK);
	ck_assert_ptr_null(pm_membership_secret(membership));
}
END_TEST

/* --- the pin --------------------------------------------------------------------------------- */

START_TEST(a_pin_of_another_manifest)
{
	hash[0] ^= 1;
	options.manifest_hash = hash;
	ck_pm(join(), PM_E_REJECTED);
	ck_assert_ptr_nonnull(strstr(pm_verdict_reason(verdict), "document.manifest"));
	ck_assert_uint_eq(world.attested, 1);
	ck_assert(pm_is_zero(world.spki, sizeof(world.spki))); /* nobody asked to join */
}
END_TEST

/* Right in itself, and of another mesh CA than the one that was attested. */
static void renew_authority(struct mesh_world *w, json_t *reply)
{
	if (!json_object_get(reply, "Nonce"))
		return;
	pm_authority_free(w->authority);
	ck_pm(pm_authority_new(w->seed, w->manifest, NULL, NULL, 0, WORLD_NOW, NULL, &w->authority),
		PM_OK);
	w->signer_authority = w->authority;
}

START_TEST(an_answer_of_another_mesh_ca)
{
	world.change_reply = renew_authority;
	ck_pm(join(), PM_OK);
	options.manifest_hash = hash;
	refused(PM_E_REJECTED, "join.mesh_ca: found another, expected that of the attested");
}
END_TEST

/* The very mesh CA, and another root. */
START_TEST(an_answer_of_another_root)
{
	world_init(&stranger);
	world.change_answer = other_root;
	options.manifest_hash = hash;
	refused(PM_E_REJECTED, "join.root_ca: found another, expected that of the attested");
	world_free(&stranger);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("join");
	TCase *t = tcase_create("join");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, joins);
	tcase_add_test(t, joins_for_signing);
	tcase_add_test(t, joins_whom_it_attested);
	tcase_add_test(t, joins_with_a_given_key);
	tcase_add_test(t, a_given_key_is_for_tls);
	tcase_add_test(t, joins_with_the_options_of_before);
	tcase_add_test(t, two_coordinators_meet);
	tcase_add_test(t, wrong_arguments);
	tcase_add_test(t, without_evidence);
	tcase_add_test(t, is_refused);
	tcase_add_test(t, is_refused_at_length);
	tcase_add_test(t, another_signer);
	tcase_add_test(t, a_signer_of_another_ca);
	tcase_add_test(t, a_changed_answer);
	tcase_add_loop_test(t, other_answers, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, a_box_for_another);
	tcase_add_loop_test(t, boxes_of_all_kinds, 0, PM_ARRAY_LEN(plains));
	tcase_add_test(t, another_certificate);
	tcase_add_test(t, a_secret_that_is_not_due);
	tcase_add_test(t, a_pin_of_another_manifest);
	tcase_add_test(t, an_answer_of_another_mesh_ca);
	tcase_add_test(t, an_answer_of_another_root);
	suite_add_tcase(s, t);
	return test_main(s);
}
