/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the coordinator of this manifest, and what does it vouch for? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/memory_file.h>

#include "base/hex.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "evidence/bundle.h"
#include "mesh/mesh.h"
#include "net/coordinator.h"
#include "policy/verdict.h"

/* Both in base64, and what stands around. */
#define ANSWER_MAX ((PM_BUNDLE_SIZE_MAX + PM_COORDINATOR_DOCUMENT_MAX) / 3 * 4 + 256)

/* One attestation under way. */
struct run {
	struct pm_coordinator *coordinator;
	const struct pm_coordinator_trust *trust;
	uint8_t wanted[PM_MANIFEST_HASH_SIZE]; /* hash of the manifest */
	int64_t now;
	struct pm_deployment *deployment;
	struct pm_verdict *verdict;    /* or NULL */
	struct pm_report *report;      /* of the checks of one group */
	struct pm_report *outer;       /* the caller's, or NULL */
	struct pm_memory_file *memory; /* open all the while, or NULL */
	struct pm_memory next;	       /* what to remember */
};

/* --- asking ---------------------------------------------------------------------------------- */

static int read_answer(
	const struct pm_http_response *response, struct pm_report *report, struct pm_deployment *d)
{
	static const struct pm_json_rule rules[] = {
		{.key = "Evidence",
			.read = pm_ask_read_blob,
			.max = PM_BUNDLE_SIZE_MAX,
			.offset = offsetof(struct pm_deployment, bundle)},
		{.key = "Document",
			.read = pm_ask_read_blob,
			.max = PM_COORDINATOR_DOCUMENT_MAX,
			.offset = offsetof(struct pm_deployment, text)},
	};
	struct pm_json_at root = pm_json_root("attestation", report);
	pm_cleanup(json) json_t *json = NULL;
	int r = pm_json_parse(
		"attestation", pm_view(response->body, response->len), ANSWER_MAX, report, &json);

	return r < 0 ? r : pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), d);
}

static int ask(const struct run *run)
{
	struct pm_deployment *d = run->deployment;
	const struct pm_ask_member nonce = {"Nonce", pm_view(d->nonce, sizeof(d->nonce))};
	pm_cleanup(http_response) struct pm_http_response response = {0};
	struct pm_ask ask = {
		.path = PM_COORDINATOR_ATTEST_PATH, .type = PM_ASK_JSON, .max = ANSWER_MAX};
	pm_cleanup(free) char *json = NULL;
	int r;

	pm_random(d->nonce, sizeof(d->nonce));
	r = pm_ask_json(&nonce, 1, &json, &ask.json.len);
	if (r < 0)
		return r;
	ask.json.ptr = (const uint8_t *)json;
	r = pm_ask(&run->coordinator->server, &ask, run->outer, &response);
	if (r == PM_OK)
		r = read_answer(&response, run->outer, d);
	return r < 0 ? r : pm_document_parse(pm_blob_view(&d->text), run->outer, &d->document);
}

/* --- the document ---------------------------------------------------------------------------- */

static bool has_all_for_ready(const struct pm_document *doc)
{
	return doc->manifest && doc->history && doc->has_history_key && doc->root_ca.ptr &&
	       doc->mesh_ca.ptr && doc->has_log && doc->has_commitment;
}

static int check_state(const struct run *run)
{
	const struct pm_document *doc = &run->deployment->document;
	bool sealed = doc->state == PM_COORDINATOR_SEALED && run->trust->allow_sealed;
	const char *name = pm_coordinator_state_name((int)doc->state);

	if (doc->state != PM_COORDINATOR_READY && !sealed)
		return pm_fail(run->report, PM_E_STATE, "state",
			run->trust->allow_sealed ? "ready or sealed" : "ready", "%s", name);
	if (sealed ? !doc->manifest || !doc->history || !doc->has_commitment
		   : !has_all_for_ready(doc))
		return pm_fail(run->report, PM_E_FORMAT, "members",
			"each that a coordinator of this state knows", "null for one");
	pm_pass(run->report, "state", "%s", name);
	return PM_OK;
}

static int check_manifest(const struct run *run)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(run->deployment->document.manifest, hash);
	return pm_check_bytes(run->report, "document.manifest", run->wanted, hash, sizeof(hash));
}

/* What is said of the claims besides: whose document it is, and a key to seal to. */
static int check_claims(const struct run *run)
{
	const struct pm_claims *claims = &run->deployment->appraised->claims;

	if (claims->key_kind != PM_CLAIMS_XWING || claims->key_len != PM_BOX_PUBLIC_SIZE)
		return pm_fail(run->report, PM_E_REJECTED, "process key", "an X-Wing key",
			"a key of another kind");
	pm_pass(run->report, "process key", "an X-Wing key");
	return PM_OK;
}

static int appraise_document(struct run *run)
{
	int r = check_claims(run);

	if (r == PM_OK)
		r = check_state(run);
	return r < 0 ? r : check_manifest(run);
}

/* --- the history ----------------------------------------------------------------------------- */

static const struct pm_memory *remembered(const struct run *run)
{
	return run->memory ? pm_memory_file_get(run->memory) : NULL;
}

/* A sealed coordinator does not know its key: nothing of it proves more than that it goes on. */
static int compare_history(struct run *run)
{
	const struct pm_document *doc = &run->deployment->document;
	int r = pm_history_compare(
		doc->history, doc->manifest, remembered(run), run->report, &run->next);

	if (r == PM_OK)
		pm_skip(run->report, "history.signature", "not known while it is sealed");
	return r;
}

static int appraise_history(struct run *run)
{
	const struct pm_document *doc = &run->deployment->document;
	int r;

	if (doc->state == PM_COORDINATOR_SEALED)
		return compare_history(run);
	r = pm_history_verify(doc->history, &doc->history_key, doc->manifest, remembered(run),
		run->report, &run->next);
	if (r == PM_OK)
		pm_pass(run->report, "history key", "SHA-256 %s",
			pm_hex(doc->history_key.id, sizeof(doc->history_key.id)).s);
	return r;
}

/* --- certificate authorities ------------------------------------------------------------------ */

static int check_signed_by_itself(
	const char *name, const struct pm_cert *ca, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_cert_pubkey(ca, &key);

	if (r == PM_OK && pm_pubkey_type(key) != PM_KEY_P384)
		r = PM_E_UNSUPPORTED;
	if (r < 0)
		return pm_fail(report, r, name, "a P-384 key", "another");
	r = pm_cert_check_issuer(ca, ca, key, 0);
	if (r < 0)
		return pm_fail(report, r, name, "a CA that certifies itself", "another");
	return PM_OK;
}

int pm_coordinator_check_ca(
	const char *name, const struct pm_cert *ca, int64_t now, struct pm_report *report)
{
	uint8_t digest[PM_SHA256_SIZE];
	int r = check_signed_by_itself(name, ca, report);

	if (r < 0)
		return r;
	r = pm_cert_check_time(ca, now);
	if (r < 0)
		return pm_fail(report, r, name, pm_time(now).s, "%s to %s",
			pm_time(pm_cert_not_before(ca)).s, pm_time(pm_cert_not_after(ca)).s);
	r = pm_hash(PM_SHA256, pm_cert_der(ca), digest);
	if (r == PM_OK)
		pm_pass(report, name, "SHA-256 %s", pm_hex(digest, sizeof(digest)).s);
	return r;
}

static int read_ca(
	const char *name, const struct pm_blob *der, struct pm_report *report, struct pm_cert **ret)
{
	int r = pm_cert_parse(pm_blob_view(der), ret);

	if (r < 0)
		return pm_fail(report, r, name, "a certificate", "%s", pm_strerror(r));
	return PM_OK;
}

/* The mesh CA's name says of which manifest it is, and its key lasts no longer than that. */
static int check_mesh_ca(
	const struct run *run, const struct pm_cert *root, const struct pm_cert *mesh)
{
	uint8_t name[PM_MESH_NAME_MAX];
	struct pm_wr wr = pm_wr(name, sizeof(name));

	if (pm_view_equal(pm_cert_spki(root), pm_cert_spki(mesh)))
		return pm_fail(
			run->report, PM_E_REJECTED, "mesh CA", "a key of its own", "the root CA's");
	pm_mesh_put_ca_name(&wr, run->wanted);
	if (!pm_view_equal(pm_cert_subject(mesh), pm_view(name, wr.len)))
		return pm_fail(run->report, PM_E_REJECTED, "mesh CA",
			"the name that the manifest's has", "another");
	return PM_OK;
}

static int appraise_certificates(struct run *run)
{
	const struct pm_document *doc = &run->deployment->document;
	pm_cleanup(pm_cert) struct pm_cert *root = NULL, *mesh = NULL;
	int r = read_ca("root CA", &doc->root_ca, run->report, &root);

	if (r == PM_OK)
		r = read_ca("mesh CA", &doc->mesh_ca, run->report, &mesh);
	if (r == PM_OK)
		r = pm_coordinator_check_ca("root CA", root, run->now, run->report);
	if (r == PM_OK)
		r = pm_coordinator_check_ca("mesh CA", mesh, run->now, run->report);
	return r < 0 ? r : check_mesh_ca(run, root, mesh);
}

static int appraise_authorities(struct run *run)
{
	if (run->deployment->document.state == PM_COORDINATOR_READY)
		return appraise_certificates(run);
	pm_skip(run->report, "mesh CA", "none while the coordinator is sealed");
	return PM_OK;
}

/* --- the decision ---------------------------------------------------------------------------- */

static const struct part {
	const char *name, *source;
	int (*appraise)(struct run *run);
} parts[] = {
	{"document", "document, which the claims bind", appraise_document},
	{"history", "document, $.history", appraise_history},
	{"authorities", "document, $.root_ca and $.mesh_ca", appraise_authorities},
};

/* One group of the verdict, by a report of its own. */
static int appraise_part(struct run *run, const struct part *part)
{
	int r;

	pm_verdict_begin(run->verdict, part->name, "");
	r = part->appraise(run);
	pm_verdict_take(run->verdict, run->report, part->source);
	pm_verdict_end(run->verdict);
	return r;
}

/*
 * The evidence by the wanted manifest. With its hash alone that is the document's, so the hash is
 * looked at before. So is the state: a sealed one, where it may be, gets shares and no trust, and
 * its manifest may have ended while it was down.
 */
static int appraise_evidence(struct run *run)
{
	struct pm_deployment *d = run->deployment;
	pm_cleanup(pm_bundle) struct pm_bundle *bundle = NULL;
	const struct pm_appraisal question = {
		.manifest = run->trust->manifest ? run->trust->manifest : d->document.manifest,
		.nonce = d->nonce,
		.role = PM_COORDINATOR_ROLE,
		.document = d->text.ptr,
		.document_len = d->text.len,
		.allow_ended = d->document.state == PM_COORDINATOR_SEALED,
		.now = run->now,
		.max_age = run->coordinator->max_age,
		.snp_cache = run->coordinator->snp_cache,
		.gpu_cache = run->coordinator->gpu_cache,
	};
	int r = pm_bundle_parse(d->bundle.ptr, d->bundle.len, run->outer, &bundle);

	return r < 0 ? r : pm_appraise(bundle, &question, run->verdict, &d->appraised);
}

static int look_before(struct run *run)
{
	int r = check_state(run);

	return r < 0 ? r : check_manifest(run);
}

static int appraise(struct run *run)
{
	const struct part before = {"document", "document", look_before};
	int r = appraise_part(run, &before);

	if (r < 0)
		return r;
	r = appraise_evidence(run);
	if (r < 0)
		return r;
	pm_verdict_go_on(run->verdict);
	for (size_t i = 0; r == PM_OK && i < PM_ARRAY_LEN(parts); i++)
		r = appraise_part(run, &parts[i]);
	return r;
}

/* --- the memory ------------------------------------------------------------------------------ */

/* Open from the comparison to the new memory, so that two that attest can't set each other back. */
static int open_memory(struct run *run)
{
	const char *path = run->coordinator->memory_file;

	return path ? pm_memory_file_open(path, run->outer, &run->memory) : PM_OK;
}

static int remember(struct run *run)
{
	if (!run->memory || run->deployment->document.state != PM_COORDINATOR_READY)
		return PM_OK;
	return pm_memory_file_put(run->memory, &run->next, run->outer);
}

static int judge_with_memory(struct run *run)
{
	int r = open_memory(run);

	if (r == PM_OK)
		r = appraise(run);
	if (r == PM_OK)
		r = remember(run);
	pm_memory_file_close(run->memory);
	run->memory = NULL;
	return r;
}

static int judge(struct run *run)
{
	pm_cleanup(pm_report) struct pm_report *own = NULL;
	int r;

	run->report = run->outer;
	if (run->verdict) {
		own = pm_report_new();
		if (!own)
			return PM_E_NOMEM;
		run->report = own;
	}
	r = judge_with_memory(run);
	if (r < 0)
		return r;
	pm_verdict_accept(run->verdict);
	return PM_OK;
}

static int check_trust(const struct pm_coordinator_trust *trust, struct run *run)
{
	if (!trust || trust->size != sizeof(*trust) || !trust->manifest == !trust->manifest_hash)
		return PM_E_ARG;
	run->trust = trust;
	if (trust->manifest)
		pm_manifest_hash(trust->manifest, run->wanted);
	else
		pm_copy(run->wanted, trust->manifest_hash, sizeof(run->wanted));
	return PM_OK;
}

int pm_coordinator_attest(struct pm_coordinator *coordinator,
	const struct pm_coordinator_trust *trust, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_deployment **ret_deployment)
{
	pm_cleanup(pm_deployment) struct pm_deployment *deployment = NULL;
	struct run run = {.coordinator = coordinator, .verdict = verdict, .outer = report};
	int r = check_trust(trust, &run);

	if (verdict)
		pm_verdict_reset(verdict);
	if (r < 0)
		return r;
	deployment = pm_alloc(sizeof(*deployment));
	if (!deployment)
		return PM_E_NOMEM;
	run.deployment = deployment;
	r = ask(&run);
	if (r < 0)
		return r;
	run.now = coordinator->clock.wall(coordinator->clock.arg);
	r = judge(&run);
	if (r == PM_OK)
		*ret_deployment = pm_steal(deployment);
	return r;
}
