/* SPDX-License-Identifier: Apache-2.0 */
/* The one decision: one thing is wrong, and the verdict names it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "manifest_doc.h"
#include "policy/verdict.h"
#include "stage.h"
#include "testing.h"

PM_OWNER(pm_nonce_tree, pm_nonce_tree_free);

static void at(struct stage *s, const char *path, json_t *value)
{
	doc_set(s->manifest, path, value);
}

/* --- before the processor signs --------------------------------------------------------------- */

static void nothing(struct stage *s)
{
	(void)s;
}

static void other_nonce(struct stage *s)
{
	s->question_nonce[31] ^= 1;
}

static void other_role_asked(struct stage *s)
{
	s->question.role = "stranger";
}

static void role_asked(struct stage *s)
{
	s->question.role = "worker";
}

static void no_such_role(struct stage *s)
{
	strcpy(s->claims.role, "king");
}

/* A role of the manifest, but not this software's. */
static void other_role_claimed(struct stage *s)
{
	strcpy(s->claims.role, "stranger");
	s->claims.model_count = 0;
}

static void from_the_future(struct stage *s)
{
	s->claims.issued_at = STAGE_NOW + PM_APPRAISE_SKEW + 1;
}

static void a_little_ahead(struct stage *s)
{
	s->claims.issued_at = STAGE_NOW + PM_APPRAISE_SKEW;
}

static void old_claims(struct stage *s)
{
	s->claims.issued_at = STAGE_NOW - PM_APPRAISE_AGE_DEFAULT - 1;
}

static void claims_of_that_age(struct stage *s)
{
	s->claims.issued_at = STAGE_NOW - PM_APPRAISE_AGE_DEFAULT;
}

static void older_than_asked(struct stage *s)
{
	s->question.max_age = 9;
}

static void as_old_as_asked(struct stage *s)
{
	s->question.max_age = 10;
}

static void manifest_expired(struct stage *s)
{
	at(s, "not_after", json_string("2025-12-31T23:59:59Z"));
}

static void manifest_to_come(struct stage *s)
{
	at(s, "not_before", json_string("2026-01-01T00:00:01Z"));
}

static void ended_may_be(struct stage *s)
{
	manifest_expired(s);
	s->question.allow_ended = true;
}

static void to_come_may_not(struct stage *s)
{
	manifest_to_come(s);
	s->question.allow_ended = true;
}

static void other_measurement(struct stage *s)
{
	s->snp.report[0x090] ^= 1;
}

static void debug(struct stage *s)
{
	s->snp.report[0x00a] |= 0x08;
}

static void strangers_signature(struct stage *s)
{
	s->snp.report_key = scene_keys.ec;
}

static void unknown_root(struct stage *s)
{
	at(s, "extra_roots", NULL);
}

static void higher_tcb(struct stage *s)
{
	at(s, "roles worker snp min_tcb Genoa microcode", json_integer(1));
}

static void expired_certificates(struct stage *s)
{
	s->question.now = SCENE_TO + 1;
}

static void other_root_hash(struct stage *s)
{
	s->claims.models[0].root_hash[7] ^= 1;
}

static void unknown_model(struct stage *s)
{
	strcpy(s->claims.models[0].name, "mine");
}

/* It stands in the manifest, for another role. */
static void model_of_another_role(struct stage *s)
{
	strcpy(s->claims.models[0].name, "other");
	memset(s->claims.models[0].root_hash, 0x44, 32);
}

static void second_model_is_bad(struct stage *s)
{
	s->claims.models[1] = s->claims.models[0];
	strcpy(s->claims.models[1].name, "tiny2");
	s->claims.model_count = 2;
}

static void first_model_is_bad(struct stage *s)
{
	second_model_is_bad(s);
	strcpy(s->claims.models[0].name, "tine");
	strcpy(s->claims.models[1].name, "tiny");
}

static void model_asked(struct stage *s)
{
	s->question.model = "tiny";
}

static void other_model_asked(struct stage *s)
{
	s->question.model = "other";
}

static void no_model(struct stage *s)
{
	s->claims.model_count = 0;
}

static void no_model_but_asked(struct stage *s)
{
	s->claims.model_count = 0;
	s->question.model = "tiny";
}

static void no_tls(struct stage *s)
{
	s->claims.has_tls = false;
	memset(s->claims.tls_spki_sha256, 0, 32);
}

static void gpu_without_demands(struct stage *s)
{
	static const uint8_t one = 1;

	s->gpus[0] = (struct pm_bundle_gpu){{&one, 1}, {&one, 1}, 1};
	s->gpu_count = 1;
}

static void gpu_claimed_without_demands(struct stage *s)
{
	s->claims.gpu_count = 1;
}

static void in_tree(struct stage *s)
{
	uint8_t nonces[5][PM_BUNDLE_NONCE_SIZE] = {{0}};
	pm_cleanup(pm_nonce_tree) struct pm_nonce_tree *tree = NULL;

	memcpy(nonces[3], s->question_nonce, sizeof(nonces[3]));
	ck_pm(pm_nonce_tree_new(nonces[0], 5, &tree), PM_OK);
	ck_pm(pm_nonce_tree_path(tree, 3, &s->nonce), PM_OK);
}

static void in_tree_of_others(struct stage *s)
{
	in_tree(s);
	s->question_nonce[0] ^= 1;
}

static const char document[] = "a document";

static void document_named(struct stage *s)
{
	s->claims.has_document = true;
	ck_pm(pm_hash(PM_SHA256, VIEW(document), s->claims.document_sha256), PM_OK);
}

static void document_given(struct stage *s)
{
	s->question.document = document;
	s->question.document_len = sizeof(document) - 1;
}

static void document_named_and_given(struct stage *s)
{
	document_named(s);
	document_given(s);
}

static void document_cut(struct stage *s)
{
	document_named_and_given(s);
	s->question.document_len--;
}

/* There, and empty. */
static void document_empty(struct stage *s)
{
	document_named_and_given(s);
	s->question.document_len = 0;
}

/* --- behind the processor's back -------------------------------------------------------------- */

static void swap_key(struct stage *s, struct pm_bundle_content *c)
{
	s->claims.key[0] ^= 1;
	stage_replace_claims(s, c);
}

static void swap_tls(struct stage *s, struct pm_bundle_content *c)
{
	s->claims.tls_spki_sha256[0] ^= 1;
	stage_replace_claims(s, c);
}

static void drop_tls(struct stage *s, struct pm_bundle_content *c)
{
	no_tls(s);
	stage_replace_claims(s, c);
}

static void swap_document(struct stage *s, struct pm_bundle_content *c)
{
	document_named(s);
	s->claims.document_sha256[0] ^= 1;
	stage_replace_claims(s, c);
}

static void name_document(struct stage *s, struct pm_bundle_content *c)
{
	document_named(s);
	stage_replace_claims(s, c);
}

static void drop_document(struct stage *s, struct pm_bundle_content *c)
{
	s->claims.has_document = false;
	stage_replace_claims(s, c);
}

static void younger_claims(struct stage *s, struct pm_bundle_content *c)
{
	s->claims.issued_at++;
	stage_replace_claims(s, c);
}

static void add_model(struct stage *s, struct pm_bundle_content *c)
{
	second_model_is_bad(s);
	strcpy(s->claims.models[0].name, "other");
	strcpy(s->claims.models[1].name, "tiny");
	stage_replace_claims(s, c);
}

/* Replayed to another verifier: the nonce is his, the report is not. */
static void replay(struct stage *s, struct pm_bundle_content *c)
{
	s->question_nonce[0] ^= 1;
	c->nonce.nonce[0] ^= 1;
}

static void change_path(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->nonce.path[1][0] ^= 1;
}

static void change_index(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->nonce.index ^= 1;
}

static void cut_path(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->nonce.depth--;
}

static void leave_tree(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->nonce = (struct pm_bundle_nonce){.in_tree = false};
	memcpy(c->nonce.nonce, s->question_nonce, sizeof(c->nonce.nonce));
}

static void enter_tree(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->nonce.in_tree = true;
}

static void no_vek(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->certs++;
	c->cert_count--;
}

static void no_certs(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->cert_count = 0;
}

static void no_crl(struct stage *s, struct pm_bundle_content *c)
{
	(void)s;
	c->crl_count = 0;
}

static void bad_crl(struct stage *s, struct pm_bundle_content *c)
{
	s->crls[0].len--;
	(void)c;
}

static void bad_cert(struct stage *s, struct pm_bundle_content *c)
{
	s->certs[1].len--;
	(void)c;
}

/* A stranger's certificate of the same name before the right ones. */
static void put_first(struct stage *s, struct pm_bundle_content *c, struct mint_cert other)
{
	other.key = other.signer.key = scene_keys.rsa;
	scene_add(&s->snp, mint_cert(&other));
	ck_assert_uint_lt(c->cert_count, PM_BUNDLE_CERTS_MAX);
	for (size_t i = c->cert_count++; i > 0; i--)
		s->certs[i] = s->certs[i - 1];
	s->certs[0] = (struct pm_bytes){s->snp.more[0].ptr, s->snp.more[0].len};
}

static void strange_vek(struct stage *s, struct pm_bundle_content *c)
{
	put_first(s, c, s->snp.vek);
}

static void strange_ask(struct stage *s, struct pm_bundle_content *c)
{
	put_first(s, c, s->snp.ask);
}

static void strange_ark(struct stage *s, struct pm_bundle_content *c)
{
	put_first(s, c, s->snp.ark);
}

static const struct {
	const char *name;
	void (*set)(struct stage *s);
	void (*change)(struct stage *s, struct pm_bundle_content *c);
	const char *check; /* that fails; NULL when nothing does */
	int error;
} rows[] = {
	{"good", nothing, NULL, NULL, 0},
	{"the role asked for", role_asked, NULL, NULL, 0},
	{"the model asked for", model_asked, NULL, NULL, 0},
	{"no model", no_model, NULL, NULL, 0},
	{"no TLS key", no_tls, NULL, NULL, 0},
	{"a clock a little ahead", a_little_ahead, NULL, NULL, 0},
	{"claims of a day", claims_of_that_age, NULL, NULL, 0},
	{"as old as asked", as_old_as_asked, NULL, NULL, 0},
	{"manifest expired, which may be", ended_may_be, NULL, NULL, 0},
	{"in a tree", in_tree, NULL, NULL, 0},
	{"a document", document_named_and_given, NULL, NULL, 0},
	{"a document, not given", document_named, NULL, NULL, 0},
	{"a document nobody named", document_given, NULL, "document", PM_E_REJECTED},
	{"a document cut short", document_cut, NULL, "document", PM_E_REJECTED},
	{"a document without a byte", document_empty, NULL, "document", PM_E_REJECTED},
	{"another document", document_named, swap_document, "REPORT_DATA", PM_E_REJECTED},
	{"a document named later", document_given, name_document, "REPORT_DATA", PM_E_REJECTED},
	{"document dropped", document_named, drop_document, "REPORT_DATA", PM_E_REJECTED},
	{"a stranger's VEK first", nothing, strange_vek, NULL, 0},
	{"a stranger's ASK first", nothing, strange_ask, NULL, 0},
	{"a stranger's ARK first", nothing, strange_ark, NULL, 0},
	{"another nonce", other_nonce, NULL, "nonce", PM_E_REJECTED},
	{"replayed", nothing, replay, "REPORT_DATA", PM_E_REJECTED},
	{"another role asked for", other_role_asked, NULL, "role", PM_E_REJECTED},
	{"a role that is none", no_such_role, NULL, "role", PM_E_REJECTED},
	{"the role of other software", other_role_claimed, NULL, "MEASUREMENT", PM_E_REJECTED},
	{"claims from the future", from_the_future, NULL, "issued at", PM_E_STALE},
	{"old claims", old_claims, NULL, "issued at", PM_E_STALE},
	{"claims older than asked", older_than_asked, NULL, "issued at", PM_E_STALE},
	{"manifest expired", manifest_expired, NULL, "manifest.validity", PM_E_STALE},
	{"manifest not yet valid", manifest_to_come, NULL, "manifest.validity", PM_E_STALE},
	{"manifest not yet valid, but may be expired", to_come_may_not, NULL, "manifest.validity",
		PM_E_STALE},
	{"another measurement", other_measurement, NULL, "MEASUREMENT", PM_E_REJECTED},
	{"debugging", debug, NULL, "POLICY.DEBUG", PM_E_REJECTED},
	{"a stranger's signature", strangers_signature, NULL, "SIGNATURE", PM_E_REJECTED},
	{"a root of nobody's", unknown_root, NULL, "root", PM_E_REJECTED},
	{"low TCB", higher_tcb, NULL, "REPORTED_TCB", PM_E_REJECTED},
	{"certificates expired", expired_certificates, NULL, "root, validity", PM_E_STALE},
	{"another disk", other_root_hash, NULL, "root hash", PM_E_REJECTED},
	{"a model that is none", unknown_model, NULL, "model", PM_E_REJECTED},
	{"a model of another role", model_of_another_role, NULL, "model", PM_E_REJECTED},
	{"the first of two models", first_model_is_bad, NULL, "model", PM_E_REJECTED},
	{"the second of two models", second_model_is_bad, NULL, "model", PM_E_REJECTED},
	{"another model asked for", other_model_asked, NULL, "model asked for", PM_E_REJECTED},
	{"no model, but asked for", no_model_but_asked, NULL, "model asked for", PM_E_REJECTED},
	{"a GPU nobody asked for", gpu_without_demands, NULL, "GPU count", PM_E_REJECTED},
	{"a GPU claimed only", gpu_claimed_without_demands, NULL, "GPU count", PM_E_REJECTED},
	{"another nonce, in a tree", in_tree_of_others, NULL, "nonce", PM_E_REJECTED},
	{"another path", in_tree, change_path, "REPORT_DATA", PM_E_REJECTED},
	{"another index", in_tree, change_index, "REPORT_DATA", PM_E_REJECTED},
	{"a shorter path", in_tree, cut_path, "REPORT_DATA", PM_E_REJECTED},
	{"out of the tree", in_tree, leave_tree, "REPORT_DATA", PM_E_REJECTED},
	{"into a tree", nothing, enter_tree, "REPORT_DATA", PM_E_REJECTED},
	{"another key", nothing, swap_key, "REPORT_DATA", PM_E_REJECTED},
	{"another TLS key", nothing, swap_tls, "REPORT_DATA", PM_E_REJECTED},
	{"TLS key dropped", nothing, drop_tls, "REPORT_DATA", PM_E_REJECTED},
	{"claims made younger", nothing, younger_claims, "REPORT_DATA", PM_E_REJECTED},
	{"a model more", nothing, add_model, "REPORT_DATA", PM_E_REJECTED},
	{"no VEK", nothing, no_vek, "VEK", PM_E_MISSING},
	{"no certificates", nothing, no_certs, "VEK", PM_E_MISSING},
	{"no CRL", nothing, no_crl, "CRL", PM_E_MISSING},
	{"CRL cut short", nothing, bad_crl, "CRL", PM_E_FORMAT},
	{"certificate cut short", nothing, bad_cert, "certificate", PM_E_FORMAT},
};

static void is_named(const struct pm_verdict *v, const char *name, const char *check)
{
	const struct pm_verdict_node *failure = pm_verdict_failure(v);

	ck_assert(!pm_verdict_is_accepted(v));
	ck_assert_msg(
		failure && !strcmp(failure->name, check), "%s: %s", name, pm_verdict_reason(v));
	ck_assert(failure->outcome == PM_FAILED && !failure->is_group);
}

START_TEST(each_thing_that_is_wrong)
{
	pm_cleanup(pm_verdict) struct pm_verdict *v = pm_verdict_new();
	const struct pm_appraised *facts = NULL;
	static struct stage s;
	struct pm_view bundle;
	int r;

	stage_init(&s);
	rows[_i].set(&s);
	s.change = rows[_i].change;
	bundle = stage_bundle(&s);
	r = stage_judge(&s, bundle, v, &facts);
	ck_assert_msg(
		r == rows[_i].error, "%s: got %d: %s", rows[_i].name, r, pm_verdict_reason(v));
	if (rows[_i].check)
		is_named(v, rows[_i].name, rows[_i].check);
	ck_assert((r == PM_OK) == (facts != NULL));
	ck_assert(pm_verdict_is_accepted(v) == (r == PM_OK));
	pm_appraised_free(facts);
	facts = NULL;
	ck_pm(stage_judge(&s, bundle, NULL, &facts), r); /* the verdict decides nothing */
	pm_appraised_free(facts);
	test_free(bundle);
	stage_free(&s);
}
END_TEST

/* --- what a yes hands out --------------------------------------------------------------------- */

START_TEST(facts_are_what_was_claimed)
{
	const struct pm_appraised *facts = NULL;
	static struct stage s;
	struct pm_view bundle;
	uint8_t digest[PM_SHA256_SIZE];

	stage_init(&s);
	bundle = stage_bundle(&s);
	ck_pm(stage_judge(&s, bundle, NULL, &facts), PM_OK);
	ck_assert_mem_eq(&facts->claims, &s.claims, sizeof(s.claims));
	ck_assert_mem_eq(facts->snp->fields.report_data, s.report + 0x50, 64);
	ck_pm(pm_hash(PM_SHA256, s.ark, digest), PM_OK);
	ck_assert_mem_eq(facts->snp->root_sha256, digest, sizeof(digest));
	ck_assert(facts->test_root);
	ck_assert_uint_eq(facts->gpu_count, 0);
	ck_assert_uint_eq(facts->manifest_serial, 1);
	ck_assert(!pm_is_zero(facts->manifest_hash, sizeof(facts->manifest_hash)));
	ck_assert_int_eq(facts->valid_until, SCENE_TO); /* of the certificates */
	pm_appraised_free(facts);
	at(&s, "not_after", json_string("2026-01-01T00:00:05Z"));
	ck_pm(stage_judge(&s, bundle, NULL, &facts), PM_OK);
	ck_assert_int_eq(facts->valid_until, STAGE_NOW + 5); /* of the manifest */
	pm_appraised_free(facts);
	s.question.max_age = 12;
	ck_pm(stage_judge(&s, bundle, NULL, &facts), PM_OK);
	ck_assert_int_eq(facts->valid_until, STAGE_NOW + 2); /* of the claims, ten seconds old */
	pm_appraised_free(facts);
	s.question.max_age = INT64_MAX;
	ck_pm(stage_judge(&s, bundle, NULL, &facts), PM_OK);
	ck_assert_int_eq(facts->valid_until, STAGE_NOW + 5);
	pm_appraised_free(facts);
	test_free(bundle);
	stage_free(&s);
}
END_TEST

/* REPORT_DATA is compared with what the verifier asked, not with what the bundle says he did. */
START_TEST(the_nonce_is_the_verifiers)
{
	pm_cleanup(pm_verdict) struct pm_verdict *v = pm_verdict_new();
	const struct pm_appraised *facts = NULL;
	static struct stage s;
	struct pm_view bundle;
	int failed = 0;

	stage_init(&s);
	s.question_nonce[0] ^= 1;
	bundle = stage_bundle(&s);
	ck_pm(stage_judge(&s, bundle, v, &facts), PM_E_REJECTED);
	for (size_t i = 0; i < pm_verdict_count(v); i++)
		failed += pm_verdict_at(v, i)->outcome == PM_FAILED &&
			  !strcmp(pm_verdict_at(v, i)->name, "REPORT_DATA");
	ck_assert_int_eq(failed, 1);
	test_free(bundle);
	stage_free(&s);
}
END_TEST

START_TEST(a_question_has_manifest_and_nonce)
{
	const struct pm_appraised *facts = NULL;
	static const uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	pm_cleanup(pm_verdict) struct pm_verdict *v = pm_verdict_new();
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	struct pm_appraisal question = {.nonce = nonce, .now = STAGE_NOW};
	static struct stage s;
	struct pm_view bundle;

	stage_init(&s);
	bundle = stage_bundle(&s);
	ck_pm(pm_bundle_parse(bundle.ptr, bundle.len, NULL, &b), PM_OK);
	ck_pm(pm_appraise(b, &question, v, &facts), PM_E_ARG);
	ck_assert(!pm_verdict_is_accepted(v));
	s.question.max_age = -1;
	ck_pm(stage_judge(&s, bundle, NULL, &facts), PM_E_ARG);
	s.question.max_age = 0;
	s.question.document_len = 1;
	ck_pm(stage_judge(&s, bundle, NULL, &facts), PM_E_ARG);
	ck_assert_ptr_null(facts);
	test_free(bundle);
	stage_free(&s);
}
END_TEST

/* --- any byte --------------------------------------------------------------------------------- */

static bool is_within(const uint8_t *at_byte, struct pm_bytes part)
{
	return at_byte >= part.ptr && at_byte < part.ptr + part.len;
}

/*
 * Certificates and revocation lists lie outside of what the processor signs. Most of their bytes
 * are signed by somebody; a change of the others is harmless: it proves the same.
 */
static bool is_unbound(const struct pm_bundle *b, size_t offset)
{
	const struct pm_bundle_content *c = &b->content;
	bool found = false;

	for (size_t i = 0; i < c->cert_count; i++)
		found |= is_within(b->bytes + offset, c->certs[i]);
	for (size_t i = 0; i < c->crl_count; i++)
		found |= is_within(b->bytes + offset, c->crls[i]);
	return found;
}

static void change_is_refused(struct stage *s, struct pm_view bundle, const struct pm_bundle *b,
	const struct pm_appraised *good, size_t offset)
{
	const struct pm_appraised *facts = NULL;
	uint8_t *byte = (uint8_t *)bundle.ptr + offset;

	*byte ^= (uint8_t)(1 << offset % 8);
	if (stage_judge(s, bundle, NULL, &facts) == PM_OK) {
		ck_assert_msg(is_unbound(b, offset), "byte %zu", offset);
		ck_assert_mem_eq(&facts->claims, &good->claims, sizeof(good->claims));
		ck_assert_mem_eq(
			&facts->snp->fields, &good->snp->fields, sizeof(good->snp->fields));
		ck_assert_mem_eq(facts->snp->root_sha256, good->snp->root_sha256, 32);
		ck_assert_int_eq(facts->valid_until, good->valid_until);
	}
	pm_appraised_free(facts);
	*byte ^= (uint8_t)(1 << offset % 8);
}

/* A bit of each byte of the bundle, in turns; of each seventh of one in a tree. */
START_TEST(no_byte_can_be_changed)
{
	const struct pm_appraised *good = NULL;
	pm_cleanup(pm_bundle) struct pm_bundle *b = NULL;
	static struct stage s;
	struct pm_view bundle;

	stage_init(&s);
	if (_i)
		in_tree(&s);
	ck_pm(pm_snp_cache_new(4, &s.question.snp_cache), PM_OK);
	bundle = stage_bundle(&s);
	ck_pm(pm_bundle_parse(bundle.ptr, bundle.len, NULL, &b), PM_OK);
	ck_pm(stage_judge(&s, bundle, NULL, &good), PM_OK);
	for (size_t i = 0; i < bundle.len; i += _i ? 7 : 1)
		change_is_refused(&s, bundle, b, good, i);
	pm_appraised_free(good);
	pm_snp_cache_free(s.question.snp_cache);
	test_free(bundle);
	stage_free(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("appraise");
	TCase *t = tcase_create("appraise");

	tcase_add_unchecked_fixture(t, scene_make_keys, scene_free_keys);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, each_thing_that_is_wrong, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, facts_are_what_was_claimed);
	tcase_add_test(t, the_nonce_is_the_verifiers);
	tcase_add_test(t, a_question_has_manifest_and_nonce);
	tcase_add_loop_test(t, no_byte_can_be_changed, 0, 2);
	suite_add_tcase(suite, t);
	return test_main(suite);
}
