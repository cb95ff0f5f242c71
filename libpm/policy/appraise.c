/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/appraise.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"
#include "policy/manifest.h"
#include "policy/verdict.h"

void pm_appraise_note(struct pm_appraise_run *run, const char *source, ...)
{
	char text[PM_SOURCE_SIZE];
	va_list args;

	va_start(args, source);
	vsnprintf(text, sizeof(text), source, args);
	va_end(args);
	pm_verdict_take(run->verdict, run->report, text);
}

void pm_appraise_until(struct pm_appraise_run *run, int64_t until)
{
	if (until < run->held->facts.valid_until)
		run->held->facts.valid_until = until;
}

/* --- the manifest and the role ---------------------------------------------------------------- */

static void note_roots(struct pm_appraise_run *run)
{
	if (pm_manifest_test_root(run->ask->manifest))
		pm_skip(run->report, "roots",
			"TEST ROOTS beside the makers': nothing is proved about real hardware");
	else
		pm_pass(run->report, "roots", "the makers' own");
}

static int check_role(struct pm_appraise_run *run)
{
	const char *claimed = run->bundle->claims.role, *asked = run->ask->role;
	const struct pm_manifest_role *role = pm_manifest_role(run->ask->manifest, claimed);

	if (asked && strcmp(asked, claimed))
		return pm_fail(run->report, PM_E_REJECTED, "role", asked, "%s", claimed);
	if (!role)
		return pm_fail(run->report, PM_E_REJECTED, "role", "a role of the manifest", "%s",
			claimed);
	pm_pass(run->report, "role", "%s", claimed);
	run->role = role;
	return PM_OK;
}

static int check_time(struct pm_appraise_run *run)
{
	const struct pm_manifest *m = run->ask->manifest;
	int64_t end = pm_manifest_not_after(m);

	if (!run->ask->allow_ended || run->ask->now <= end)
		return pm_manifest_check_time(m, run->ask->now, run->report);
	pm_skip(run->report, "manifest.validity", "ended at %s, which may be", pm_time(end).s);
	return PM_OK;
}

static int appraise_manifest(struct pm_appraise_run *run)
{
	const struct pm_manifest *m = run->ask->manifest;
	struct pm_appraised *facts = &run->held->facts;
	int r, role;

	facts->manifest_serial = pm_manifest_serial(m);
	pm_manifest_hash(m, facts->manifest_hash);
	pm_pass(run->report, "manifest", "serial %" PRIu64 ", hash %s", facts->manifest_serial,
		pm_hex(facts->manifest_hash, sizeof(facts->manifest_hash)).s);
	facts->valid_until = pm_manifest_not_after(m);
	facts->test_root = pm_manifest_test_root(m);
	note_roots(run);
	r = check_time(run);
	pm_appraise_note(run, "manifest, serial %" PRIu64, facts->manifest_serial);
	role = check_role(run);
	pm_appraise_note(run, "claims, key 5; manifest, $.roles");
	return r < 0 ? r : role;
}

/* --- the claims themselves -------------------------------------------------------------------- */

static int check_nonce(struct pm_appraise_run *run)
{
	const struct pm_bundle_nonce *n = &run->bundle->content.nonce;
	int r = pm_check_bytes(run->report, "nonce", run->ask->nonce, n->nonce, sizeof(n->nonce));

	if (r == PM_OK && n->in_tree)
		pm_pass(run->report, "nonce tree", "leaf %" PRIu32 ", depth %" PRIu32, n->index,
			n->depth);
	return r;
}

static int check_issued_at(struct pm_appraise_run *run)
{
	int64_t max_age = run->ask->max_age ? run->ask->max_age : PM_APPRAISE_AGE_DEFAULT;
	int64_t issued = run->bundle->claims.issued_at, now = run->ask->now;

	if (issued - now > PM_APPRAISE_SKEW)
		return pm_fail(run->report, PM_E_STALE, "issued at", "a time that has come", "%s",
			pm_time(issued).s);
	if (now - issued > max_age)
		return pm_fail(run->report, PM_E_STALE, "issued at", "not so long ago", "%s",
			pm_time(issued).s);
	pm_pass(run->report, "issued at", "%s", pm_time(issued).s);
	if (max_age <= PM_BUNDLE_TIME_MAX)
		pm_appraise_until(run, issued + max_age);
	return PM_OK;
}

static void note_key(struct pm_appraise_run *run)
{
	const struct pm_claims *c = &run->bundle->claims;
	uint8_t digest[PM_SHA256_SIZE];

	if (!run->report || pm_hash(PM_SHA256, pm_view(c->key, c->key_len), digest) < 0)
		return;
	pm_skip(run->report, c->key_kind == PM_CLAIMS_XWING ? "X-Wing key" : "mesh key",
		"SHA-256 %s", pm_hex(digest, sizeof(digest)).s);
	if (c->has_tls)
		pm_skip(run->report, "TLS key", "SHA-256 %s",
			pm_hex(c->tls_spki_sha256, sizeof(c->tls_spki_sha256)).s);
}

static int check_document(struct pm_appraise_run *run)
{
	const struct pm_claims *c = &run->bundle->claims;
	uint8_t digest[PM_SHA256_SIZE];
	int r;

	if (!run->ask->document) {
		if (c->has_document)
			pm_skip(run->report, "document", "not given");
		return PM_OK;
	}
	if (!c->has_document)
		return pm_fail(run->report, PM_E_REJECTED, "document", "one that the claims name",
			"none in the claims");
	r = pm_hash(PM_SHA256, pm_view(run->ask->document, run->ask->document_len), digest);
	if (r < 0)
		return r;
	return pm_check_bytes(run->report, "document", c->document_sha256, digest, sizeof(digest));
}

static int appraise_claims(struct pm_appraise_run *run)
{
	int nonce = check_nonce(run), issued, document;

	pm_appraise_note(run, "bundle, key 2");
	issued = check_issued_at(run);
	pm_appraise_note(run, "claims, key 6");
	note_key(run);
	pm_appraise_note(run, "claims, keys 1 and 2");
	document = check_document(run);
	pm_appraise_note(run, "claims, key 9");
	if (nonce < 0)
		return nonce;
	return issued < 0 ? issued : document;
}

/* --- the processor ---------------------------------------------------------------------------- */

/* Of the verifier's own nonce: what the bundle says about it is only the way from there. */
static int demand_report_data(const struct pm_appraise_run *run, struct pm_snp_policy *policy)
{
	const struct pm_bundle_content *c = &run->bundle->content;
	uint8_t challenge[PM_BUNDLE_NONCE_SIZE], report_data[PM_BUNDLE_REPORT_DATA_SIZE];
	struct pm_bundle_nonce n = c->nonce;
	int r;

	pm_copy(n.nonce, run->ask->nonce, sizeof(n.nonce));
	r = pm_bundle_challenge(&n, challenge);
	if (r < 0)
		return r;
	r = pm_bundle_report_data(challenge, c->claims.ptr, c->claims.len, report_data);
	if (r < 0)
		return r;
	return pm_snp_policy_expect_report_data(policy, report_data);
}

static int read_snp(const struct pm_appraise_run *run, struct pm_snp_evidence **ret)
{
	const struct pm_bundle_content *c = &run->bundle->content;
	int r = pm_snp_evidence_parse(c->snp_report.ptr, c->snp_report.len, run->report, ret);

	for (size_t i = 0; r == PM_OK && i < c->cert_count; i++)
		r = pm_snp_evidence_add_certs(*ret, c->certs[i].ptr, c->certs[i].len, run->report);
	for (size_t i = 0; r == PM_OK && i < c->crl_count; i++)
		r = pm_snp_evidence_add_crl(*ret, c->crls[i].ptr, c->crls[i].len, run->report);
	return r;
}

static int verify_snp(struct pm_appraise_run *run, const struct pm_snp_policy *policy)
{
	struct pm_appraised_held *held = run->held;
	int r = read_snp(run, &held->snp);

	if (r < 0)
		return r;
	r = pm_snp_verify(held->snp, policy, run->ask->snp_cache, run->ask->now, run->report,
		&held->facts.snp);
	if (r < 0)
		return r;
	pm_appraise_until(run, held->facts.snp->valid_until);
	held->facts.test_root |= held->facts.snp->test_root;
	return PM_OK;
}

int pm_appraise_snp(struct pm_appraise_run *run)
{
	pm_cleanup(pm_snp_policy) struct pm_snp_policy *policy = NULL;
	int r = pm_manifest_role_snp_policy(run->ask->manifest, run->role, &policy);

	if (r < 0)
		return r;
	r = demand_report_data(run, policy);
	if (r == PM_OK)
		r = verify_snp(run, policy);
	pm_appraise_note(run, "SEV-SNP report, bundle, key 4; manifest, $.roles.%s.snp",
		pm_manifest_role_name(run->role));
	return r;
}

/* --- the models ------------------------------------------------------------------------------- */

static int check_model(struct pm_appraise_run *run, const struct pm_claims_model *model)
{
	const struct pm_manifest_model *m = pm_manifest_model(run->ask->manifest, model->name);

	if (!m || !pm_manifest_role_has_model(run->role, model->name))
		return pm_fail(run->report, PM_E_REJECTED, "model", "one that the role serves",
			"%s", model->name);
	pm_pass(run->report, "model", "%s", model->name);
	return pm_check_bytes(
		run->report, "root hash", m->root_hash, model->root_hash, sizeof(m->root_hash));
}

static int check_model_asked(struct pm_appraise_run *run)
{
	const struct pm_claims *c = &run->bundle->claims;

	for (size_t i = 0; i < c->model_count; i++) {
		if (!strcmp(c->models[i].name, run->ask->model)) {
			pm_pass(run->report, "model asked for", "%s", run->ask->model);
			return PM_OK;
		}
	}
	return pm_fail(run->report, PM_E_REJECTED, "model asked for", run->ask->model,
		"none of the %zu models of the claims", c->model_count);
}

int pm_appraise_models(struct pm_appraise_run *run)
{
	const struct pm_claims *c = &run->bundle->claims;
	int first = PM_OK;

	for (size_t i = 0; i < c->model_count; i++) {
		int r = check_model(run, &c->models[i]);

		pm_appraise_note(run, "claims, key 3; manifest, $.models[%s]", c->models[i].name);
		first = first < 0 ? first : r;
	}
	if (!c->model_count)
		pm_skip(run->report, "models", "none");
	if (run->ask->model) {
		int r = check_model_asked(run);

		first = first < 0 ? first : r;
	}
	pm_appraise_note(run, "claims, key 3");
	return first;
}

/* --- the decision ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*appraise)(struct pm_appraise_run *run);
} parts[] = {
	{"manifest", appraise_manifest},
	{"claims", appraise_claims},
	{"processor", pm_appraise_snp},
	{"models", pm_appraise_models},
	{"GPUs", pm_appraise_gpus},
};

/* All parts, so that a verdict names every reason; without a role nothing can be demanded. */
static int appraise(struct pm_appraise_run *run)
{
	int first = PM_OK;

	for (size_t i = 0; i < PM_ARRAY_LEN(parts) && (!i || run->role); i++) {
		int r;

		pm_verdict_begin(run->verdict, parts[i].name, "");
		r = parts[i].appraise(run);
		pm_verdict_end(run->verdict);
		first = first < 0 ? first : r;
	}
	return first;
}

static void free_held(struct pm_appraised_held *held)
{
	if (!held)
		return;
	pm_snp_evidence_free(held->snp);
	for (size_t i = 0; i < PM_BUNDLE_GPUS_MAX; i++)
		pm_gpu_evidence_free(held->gpus[i]);
	free(held);
}

static void pm_cleanup_held(struct pm_appraised_held **held)
{
	free_held(*held);
}

static int run_with_report(struct pm_appraise_run *run)
{
	pm_cleanup(pm_report) struct pm_report *report = run->verdict ? pm_report_new() : NULL;

	if (run->verdict && !report)
		return PM_E_NOMEM;
	run->report = report;
	return appraise(run);
}

int pm_appraise(const struct pm_bundle *bundle, const struct pm_appraisal *ask,
	struct pm_verdict *verdict, const struct pm_appraised **ret_appraised)
{
	pm_cleanup(held) struct pm_appraised_held *held = NULL;
	struct pm_appraise_run run = {.bundle = bundle, .ask = ask, .verdict = verdict};
	int r = pm_crypto_init();

	if (verdict)
		pm_verdict_reset(verdict);
	if (r < 0)
		return r;
	if (!ask->manifest || !ask->nonce || ask->max_age < 0)
		return PM_E_ARG;
	if (!ask->document && ask->document_len)
		return PM_E_ARG;
	held = pm_alloc(sizeof(*held));
	if (!held)
		return PM_E_NOMEM;
	run.held = held;
	r = run_with_report(&run);
	if (r < 0)
		return r;
	held->facts.claims = bundle->claims;
	pm_verdict_accept(verdict);
	*ret_appraised = &pm_steal(held)->facts;
	return PM_OK;
}

void pm_appraised_free(const struct pm_appraised *appraised)
{
	free_held((struct pm_appraised_held *)appraised);
}
