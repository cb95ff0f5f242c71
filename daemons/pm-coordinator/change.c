/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manifest takes force: its owners agree, this coordinator itself is what it demands of one, its
 * bytes are stored, and then the head is changed by one compare and swap. Whoever asks again for
 * the manifest that holds already gets the same answer: so an answer that was lost is no harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <pm/text.h>

#include "common/log.h"
#include "pm-coordinator/job.h"
#include "pm-coordinator/message.h"

struct change {
	struct coordinator *c;
	struct job *job; /* NULL: the client has gone, and the rest is done without him */
	uint8_t *bytes, *signatures;
	size_t len, signatures_len;
	struct pm_manifest *manifest;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	struct pm_report *report;
};

static void free_change(struct change *change)
{
	if (change->c->change == change)
		change->c->change = NULL;
	pm_manifest_free(change->manifest);
	pm_report_free(change->report);
	free(change->bytes);
	free(change->signatures);
	free(change);
}

static void leave(void *flow)
{
	struct change *change = flow;

	change->job = NULL;
}

static void fail(struct change *change, int status, const char *code, const char *message)
{
	log_event(LOG_LEVEL_WARN, "manifest", "result", "refused", "reason", message, NULL);
	if (change->job)
		job_fail(change->job, status, code, "%s", message);
	free_change(change);
}

/* What the report says, or else what the error means. */
static void refuse(struct change *change, const char *what, int error)
{
	const char *reason = pm_report_reason(change->report);
	bool is_ours = error == PM_E_NOMEM || error == PM_E_CRYPTO || error == PM_E_SYS;
	char text[512];

	snprintf(text, sizeof(text), "%s%s%s", what, *what ? ": " : "",
		*reason ? reason : pm_strerror(error));
	fail(change,
		is_ours		       ? 503
		: error == PM_E_FORMAT ? 400
				       : 403,
		is_ours		       ? "busy"
		: error == PM_E_FORMAT ? "bad_request"
				       : "refused",
		text);
}

/* --- the answer ------------------------------------------------------------------------------ */

/* Were shares dealt with this manifest? */
static bool has_dealt(const struct head *head)
{
	return head->dealt == head->at.serial && head->share_count;
}

/* Shares that were dealt with this manifest, also when it is asked for once more. */
static void reply(struct job *job, const struct head *head)
{
	job_reply(job, 200,
		json_pack("{s:I,s:o,s:o}", "Serial", (json_int_t)head->at.serial, "Manifest",
			message_new_hex(head->manifest, sizeof(head->manifest)), "Shares",
			has_dealt(head) ? head_shares(head, "Name", "Box") : json_array()));
}

static void on_logged(void *arg, int error)
{
	struct change *change = arg;
	const struct tenure *t = change->c->own;

	if (error < 0)
		log_event(LOG_LEVEL_ERROR, "journal", "what", "manifest.set", "reason",
			pm_strerror(error), NULL);
	if (change->job && t)
		reply(change->job, t->head);
	free_change(change);
}

static void on_taken(void *arg, bool taken)
{
	struct change *change = arg;
	struct coordinator *c = change->c;
	char serial[24], hex[65], link[65];
	const struct pm_audit_field fields[] = {
		{"serial", serial}, {"manifest", hex}, {"link", link}, {"shares", "dealt"}};

	if (!taken) {
		fail(change, 409, "conflict",
			"another manifest took force meanwhile, or the store is full");
		return;
	}
	c->manifests++;
	snprintf(serial, sizeof(serial), "%llu", (unsigned long long)c->own->head->at.serial);
	pm_hex_encode(c->own->head->manifest, 32, hex);
	pm_hex_encode(c->own->head->at.link, 32, link);
	log_event(LOG_LEVEL_INFO, "manifest", "result", "set", "serial", serial, "hash", hex, NULL);
	if (!journal_add(c->journal, "manifest.set", fields, has_dealt(c->own->head) ? 4 : 3,
		    on_logged, change))
		on_logged(change, PM_E_NOMEM);
}

/* --- the steps before ------------------------------------------------------------------------ */

static int commit(struct change *change)
{
	struct coordinator *c = change->c;
	struct tenure *tenure = NULL;
	struct pm_seed *seed = NULL;
	struct tenure_plan plan = {.before = c->own,
		.seed = c->seed,
		.bytes = change->bytes,
		.len = change->len,
		.now = (int64_t)time(NULL)};
	int r = PM_OK;

	if (!c->own) {
		r = pm_seed_new(&seed);
		plan.seed = seed;
	}
	if (r == PM_OK)
		r = tenure_plan(&plan, change->report, &tenure);
	if (r < 0) {
		pm_seed_free(seed);
		return r;
	}
	return commit_start(
		       c, c->own ? MACHINE_UPDATE : MACHINE_FIRST, tenure, seed, on_taken, change)
		       ? PM_OK
		       : PM_E_STATE;
}

/* It can't be shortened: clients that remember demand that it leads on. */
static void fail_full(struct change *change)
{
	const struct tenure *own = change->c->own;
	char text[128];

	snprintf(text, sizeof(text),
		"history: found %zu manifests, which leave no room for one more in a record of %d "
		"bytes",
		own ? pm_history_count(own->head->history) : 0, HEAD_TEXT_MAX);
	fail(change, 409, "full", text);
}

static void on_stored(void *arg, const struct store_result *result)
{
	struct change *change = arg;
	int r;

	if (result->error != PM_OK) {
		fail(change, 503, "no_store", "the store can't be written");
		return;
	}
	r = commit(change);
	if (r == PM_E_STATE)
		fail(change, 409, "conflict", "the state has changed meanwhile");
	else if (r == PM_E_LIMIT)
		fail_full(change);
	else if (r < 0)
		refuse(change, "manifest", r);
}

static void store_bytes(struct change *change)
{
	char key[STORE_KEY_MAX], hex[2 * PM_MANIFEST_HASH_SIZE + 1];
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(change->manifest, hash);
	pm_hex_encode(hash, sizeof(hash), hex);
	snprintf(key, sizeof(key), "coordinator/manifest/%s", hex);
	if (!store_put(change->c->store, key, change->bytes, change->len, 0, STORE_ANY, on_stored,
		    change))
		fail(change, 503, "busy", "out of memory");
}

/* Would clients accept this coordinator under the new manifest? */
static int appraise_self(
	struct change *change, const struct evidence_answer *answer, struct pm_verdict *verdict)
{
	const struct pm_appraisal ask = {.manifest = change->manifest,
		.nonce = change->nonce,
		.role = PM_MESH_ROLE_COORDINATOR,
		.now = (int64_t)time(NULL),
		.document = answer->document,
		.document_len = answer->document_len,
		.snp_cache = change->c->snp_cache,
		.gpu_cache = change->c->gpu_cache};
	const struct pm_appraised *appraised = NULL;
	struct pm_bundle *bundle = NULL;
	int r = answer->error;

	if (r == PM_OK)
		r = pm_bundle_parse(answer->bundle, answer->len, change->report, &bundle);
	if (r == PM_OK)
		r = pm_appraise(bundle, &ask, verdict, &appraised);
	pm_appraised_free(appraised);
	pm_bundle_free(bundle);
	return r;
}

static void on_evidence(void *arg, const struct evidence_answer *answer)
{
	struct change *change = arg;
	struct pm_verdict *verdict = pm_verdict_new();
	char text[512];
	int r = verdict ? appraise_self(change, answer, verdict) : PM_E_NOMEM;

	if (r == PM_OK) {
		store_bytes(change);
	} else {
		snprintf(text, sizeof(text), "this coordinator's own evidence: %s",
			verdict && *pm_verdict_reason(verdict) ? pm_verdict_reason(verdict)
							       : pm_strerror(r));
		fail(change, answer->error < 0 ? 503 : 403,
			answer->error < 0 ? "no_evidence" : "refused", text);
	}
	pm_verdict_free(verdict);
}

static void ask_evidence(struct change *change)
{
	struct coordinator *c = change->c;

	if (getentropy(change->nonce, sizeof(change->nonce)) != 0 || document_refresh(c) < 0 ||
		!evidence_ask(c->evidence, c->loop, change->nonce, on_evidence, change))
		fail(change, 503, "busy", "no evidence can be asked for");
}

static int verify(struct change *change)
{
	struct coordinator *c = change->c;
	struct pm_signatures *signatures = NULL;
	int64_t now = (int64_t)time(NULL);
	int r = pm_signatures_parse(
		change->signatures, change->signatures_len, change->report, &signatures);

	if (r == PM_OK)
		r = c->own ? pm_manifest_verify_update(change->manifest, c->own->manifest,
				     signatures, now, change->report)
			   : pm_manifest_verify(
				     change->manifest, signatures, c->owners, now, change->report);
	pm_signatures_free(signatures);
	return r;
}

/* A deployment that nobody can start anew is lost with its last process. */
static bool loses_shares(const struct change *change)
{
	const struct tenure *own = change->c->own;

	return own && pm_manifest_seed_share_owners(own->manifest) &&
	       !pm_manifest_seed_share_owners(change->manifest);
}

static void check(struct change *change)
{
	const struct coordinator *c = change->c;
	int r = verify(change);

	if (r < 0)
		refuse(change, "", r);
	else if (!c->own && pm_manifest_serial(change->manifest) != 1)
		fail(change, 403, "refused", "serial: found another one, expected 1");
	else if (!pm_manifest_role(change->manifest, PM_MESH_ROLE_COORDINATOR))
		fail(change, 403, "refused", "roles: found none, expected a role coordinator");
	else if (loses_shares(change))
		fail(change, 403, "refused",
			"seed_share_owners: found none, expected some, as before");
	else
		ask_evidence(change);
}

/* --- the request ----------------------------------------------------------------------------- */

static bool read_request(struct change *change, const struct job *job)
{
	static const char *const names[] = {"Manifest", "Signatures"};
	json_t *root = message_parse(job->in.bytes, job->in.len, names, 2);
	bool good = root &&
		    message_bytes(json_object_get(root, "Manifest"), PM_MANIFEST_SIZE_MAX,
			    &change->bytes, &change->len) &&
		    message_bytes(json_object_get(root, "Signatures"), PM_SIGNATURES_SIZE_MAX,
			    &change->signatures, &change->signatures_len);

	json_decref(root);
	return good;
}

static bool holds_already(const struct change *change)
{
	const struct tenure *t = coordinator_newest(change->c);
	uint8_t hash[PM_MANIFEST_HASH_SIZE];

	pm_manifest_hash(change->manifest, hash);
	return t && memcmp(hash, t->head->manifest, sizeof(hash)) == 0;
}

static void decide(struct change *change)
{
	struct coordinator *c = change->c;
	enum machine_state state = coordinator_state(c);

	if (holds_already(change)) {
		reply(change->job, coordinator_newest(c)->head);
		free_change(change);
	} else if (c->change || c->commit) {
		fail(change, 409, "conflict", "another manifest is being set");
	} else if (state != MACHINE_READY && state != MACHINE_EMPTY) {
		fail(change, 503, "not_ready", "this coordinator is not ready");
	} else if (state == MACHINE_EMPTY && !c->owners) {
		fail(change, 403, "refused", "owners: found none, expected --owners FILE");
	} else {
		c->change = change;
		check(change);
	}
}

void change_run(struct job *job)
{
	struct change *change = calloc(1, sizeof(*change));
	int r;

	if (change)
		change->report = pm_report_new();
	if (!change || !change->report) {
		free(change);
		job_fail(job, 503, "busy", "out of memory");
		return;
	}
	change->c = job->c;
	change->job = job;
	job->flow = change;
	job->leave = leave;
	if (!read_request(change, job)) {
		fail(change, 400, "bad_request", "expected Manifest and Signatures in base64");
		return;
	}
	r = pm_manifest_parse(change->bytes, change->len, change->report, &change->manifest);
	if (r < 0)
		refuse(change, "manifest", r);
	else
		decide(change);
}
