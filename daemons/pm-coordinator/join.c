/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody wants to take part: his evidence, for a nonce of ours that is spent by this, is judged
 * by the manifest. What comes of it stands in the log before he hears of it. Another coordinator
 * gets the seed and the mesh CA's key, all others a certificate; what is secret goes into a box to
 * the key that the evidence binds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/join.h>
#include <pm/text.h>

#include "common/log.h"
#include "common/tls_digest.h"
#include "pm-coordinator/job.h"
#include "pm-coordinator/message.h"
#include "pm-coordinator/workers.h"

#define LABEL	      "join"
#define REPLICA_BYTES 16
#define PLAIN_MAX     256 /* of a box: two secrets in base64 */
#define REASON_SIZE   700

struct join {
	struct coordinator *c;
	struct job *job; /* NULL: the client has gone */
	uint8_t *bundle;
	size_t len;
	uint8_t document[PM_CLAIMS_XWING_SIZE];
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	struct machine_ticket ticket;
	struct pm_mesh_identity who;
	char *pem; /* NULL for another coordinator */
	int64_t now, ends;
	uint8_t box[PLAIN_MAX + PM_BOX_OVERHEAD];
	size_t box_len;
	char reason[REASON_SIZE]; /* of a refusal */
};

static void free_join(struct join *join)
{
	pm_authority_pem_free(join->pem);
	free(join->bundle);
	free(join);
}

static void leave(void *flow)
{
	struct join *join = flow;

	join->job = NULL;
}

static void fail(struct join *join, int status, const char *code, const char *message)
{
	if (join->job)
		job_fail(join->job, status, code, "%s", message);
	free_join(join);
}

/* --- the log --------------------------------------------------------------------------------- */

static bool add_line(struct join *join, const char *event, const char *reason, journal_done *done)
{
	char nonce[65], evidence[65] = "", link[65], ends[PM_TIME_TEXT_SIZE] = "", omitted[24];
	uint8_t digest[TLS_DIGEST_SIZE];
	const struct pm_audit_field fields[] = {
		{"role", join->who.role},
		{"nonce", nonce},
		{"evidence", evidence},
		{"link", link},
		reason ? (struct pm_audit_field){"reason", reason}
		       : (struct pm_audit_field){"replica", join->who.replica},
		reason ? (struct pm_audit_field){"omitted", omitted}
		       : (struct pm_audit_field){"purpose",
				 join->who.purpose == PM_MESH_TLS ? "tls" : "sign"},
		{"expires", ends},
	};

	snprintf(omitted, sizeof(omitted), "%" PRIu64, join->c->omitted);
	pm_hex_encode(join->nonce, sizeof(join->nonce), nonce);
	pm_hex_encode(join->ticket.link, sizeof(join->ticket.link), link);
	if (tls_sha256(join->bundle, join->len, digest) == PM_OK)
		pm_hex_encode(digest, sizeof(digest), evidence);
	if (join->ends)
		pm_time_format(join->ends, ends);
	return journal_add(
		join->c->journal, event, fields, reason || !join->ends ? 6 : 7, done, join);
}

static void on_refusal_logged(void *arg, int error)
{
	struct join *join = arg;

	if (error < 0)
		fail(join, 503, "no_log", "the log can't be written");
	else
		fail(join, 403, "refused", join->reason);
}

/*
 * The reason is of field names and values of the evidence: never a secret. Anybody can cause
 * refusals, so that not all of them are kept for ever.
 */
static void refuse(struct join *join, const char *reason)
{
	struct coordinator *c = join->c;

	snprintf(join->reason, sizeof(join->reason), "%s", reason);
	c->refusals++;
	log_event(LOG_LEVEL_WARN, "join", "result", "refused", "role", join->who.role, "reason",
		join->reason, NULL);
	if (!visitors_note(c->visitors, loop_now())) {
		c->omitted++;
		on_refusal_logged(join, PM_OK);
	} else if (add_line(join, "worker.refused", join->reason, on_refusal_logged)) {
		c->omitted = 0;
	} else {
		fail(join, 503, "no_log", "the log can't be written");
	}
}

/* --- the answer ------------------------------------------------------------------------------ */

static char *answer_text(const struct join *join)
{
	const struct tenure *own = join->c->own;
	size_t mesh_len, root_len;
	const uint8_t *mesh = pm_authority_mesh_ca(own->authority, &mesh_len);
	const uint8_t *root = pm_authority_root_ca(own->authority, &root_len);
	json_t *json = json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "version", 1, "nonce",
		message_new_base64(join->nonce, sizeof(join->nonce)), "certificate",
		join->pem ? json_string(join->pem) : json_null(), "mesh_ca",
		message_new_base64(mesh, mesh_len), "root_ca", message_new_base64(root, root_len),
		"manifest", message_new_base64(own->bytes, own->len), "expires",
		(json_int_t)join->ends, "box", message_new_base64(join->box, join->box_len));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static void identity_of(struct coordinator *c, struct pm_mesh_identity *ret)
{
	*ret = (struct pm_mesh_identity){.purpose = PM_MESH_SIGN};
	strcpy(ret->role, PM_MESH_ROLE_COORDINATOR);
	snprintf(ret->replica, sizeof(ret->replica), "%s", c->id);
}

/* Our own certificate, renewed at half its time. */
static int refresh_signer(struct coordinator *c, int64_t now)
{
	struct tenure *t = c->own;
	struct pm_mesh_identity who;
	char *pem = NULL;
	size_t spki_len;
	const uint8_t *spki = pm_mesh_key_spki(c->key, &spki_len);
	int r;

	if (t->signer_ends && now < t->signer_ends - c->options->lifetime / 2)
		return PM_OK;
	identity_of(c, &who);
	r = pm_authority_issue(t->authority, spki, spki_len, &who, now, c->options->lifetime, NULL,
		&pem, &t->signer_ends);
	if (r == PM_OK)
		r = pm_mesh_leaf(pem, strlen(pem), t->signer, &t->signer_len);
	pm_authority_pem_free(pem);
	return r;
}

static json_t *sign(struct join *join)
{
	struct coordinator *c = join->c;
	char *text = answer_text(join);
	uint8_t signature[PM_MESH_SIGNATURE_MAX];
	size_t len = 0;
	json_t *json = NULL;

	if (text && refresh_signer(c, join->now) == PM_OK &&
		pm_mesh_sign(c->key, LABEL, text, strlen(text), signature, &len) == PM_OK)
		json = json_pack("{s:o,s:o,s:o}", "Answer", message_new_base64(text, strlen(text)),
			"Signature", message_new_base64(signature, len), "Signer",
			message_new_base64(c->own->signer, c->own->signer_len));
	free(text);
	return json;
}

/* The log has it; much may have happened meanwhile. */
static void send_answer(struct join *join)
{
	struct coordinator *c = join->c;

	if (!machine_may_issue(&c->machine, &join->ticket, loop_now())) {
		fail(join, 503, "not_ready", "this coordinator is not ready any more");
		return;
	}
	c->joins++;
	log_event(LOG_LEVEL_INFO, "join", "result", "accepted", "role", join->who.role, "replica",
		join->who.replica, NULL);
	if (join->job)
		job_reply(join->job, 200, sign(join));
	free_join(join);
}

static void on_kept(void *arg, int error)
{
	struct join *join = arg;

	if (error < 0)
		fail(join, 503, "no_store", "the store can't be written");
	else
		send_answer(join);
}

static void on_logged(void *arg, int error)
{
	struct join *join = arg;
	const struct worker worker = {
		&join->who, join->now, join->ends, join->nonce, join->bundle, join->len};

	if (error < 0)
		fail(join, 503, "no_log", "the log can't be written");
	else if (!join->pem)
		send_answer(join);
	else if (!workers_put(join->c, &worker, on_kept, join))
		fail(join, 503, "busy", "out of memory");
}

/* --- secrets --------------------------------------------------------------------------------- */

/* One of the members of a box, or null. */
static void put_secret(char *text, const char *name, const uint8_t *secret, size_t len)
{
	size_t at = strlen(text);

	snprintf(text + at, PLAIN_MAX - at, "%s\"%s\":", at > 1 ? "," : "", name);
	at = strlen(text);
	if (!secret) {
		snprintf(text + at, PLAIN_MAX - at, "null");
		return;
	}
	text[at++] = '"';
	if (pm_text_base64_encode(secret, len, text + at, PLAIN_MAX - at) < 0)
		text[at] = 0;
	at = strlen(text);
	snprintf(text + at, PLAIN_MAX - at, "\"");
}

static int seal_secrets(struct join *join, char *text)
{
	size_t len = strlen(text), mesh_len;
	const uint8_t *mesh = pm_authority_mesh_ca(join->c->own->authority, &mesh_len);
	uint8_t aad[PM_JOIN_BOX_AAD_SIZE];
	int r = pm_join_box_aad(join->nonce, mesh, mesh_len, aad);

	if (r < 0)
		return r;
	text[len++] = '}';
	join->box_len = len + PM_BOX_OVERHEAD;
	return pm_box_seal(join->document, LABEL, aad, sizeof(aad), text, len, join->box);
}

static int box_for_workload(struct join *join)
{
	const struct tenure *own = join->c->own;
	const struct pm_manifest_role *role = pm_manifest_role(own->manifest, join->who.role);
	uint8_t secret[PM_AUTHORITY_SECRET_SIZE];
	bool wanted = pm_manifest_role_workload_secret(role);
	char text[PLAIN_MAX + 1] = "{";
	int r = wanted ? pm_authority_workload_secret(own->authority, join->who.role, secret)
		       : PM_OK;

	if (r == PM_OK) {
		put_secret(text, "workload_secret", wanted ? secret : NULL, sizeof(secret));
		r = seal_secrets(join, text);
	}
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(text, sizeof(text));
	return r;
}

static int box_for_peer(struct join *join)
{
	const struct coordinator *c = join->c;
	char text[PLAIN_MAX + 1] = "{";
	int r;

	put_secret(text, "seed", pm_seed_bytes(c->seed), PM_SEED_SIZE);
	put_secret(text, "mesh_key", pm_authority_mesh_key(c->own->authority),
		PM_AUTHORITY_MESH_KEY_SIZE);
	r = seal_secrets(join, text);
	explicit_bzero(text, sizeof(text));
	return r;
}

/* --- the decision ---------------------------------------------------------------------------- */

static int name_replica(struct join *join, const struct pm_claims *claims)
{
	uint8_t digest[TLS_DIGEST_SIZE];
	int r = tls_sha256(claims->key, claims->key_len, digest);

	if (r == PM_OK)
		pm_hex_encode(digest, REPLICA_BYTES, join->who.replica);
	return r;
}

static int issue(struct join *join, const struct pm_claims *claims, struct pm_report *report)
{
	struct coordinator *c = join->c;

	join->who.model_count = claims->model_count;
	for (size_t i = 0; i < claims->model_count; i++)
		strcpy(join->who.models[i], claims->models[i].name);
	return pm_authority_issue(c->own->authority, claims->key, claims->key_len, &join->who,
		join->now, c->options->lifetime, report, &join->pem, &join->ends);
}

/* The evidence was accepted: what does he get? */
static int grant(struct join *join, const struct pm_appraised *appraised, struct pm_report *report)
{
	const struct pm_claims *claims = &appraised->claims;
	int r = claims->key_kind == PM_CLAIMS_SPKI ? PM_OK : PM_E_UNSUPPORTED;

	if (r == PM_OK)
		r = pm_mesh_claims_purpose(claims, &join->who.purpose);
	if (r == PM_OK)
		r = name_replica(join, claims);
	if (r == PM_OK && !strcmp(join->who.role, PM_MESH_ROLE_COORDINATOR))
		return box_for_peer(join);
	if (r == PM_OK)
		r = issue(join, claims, report);
	return r == PM_OK ? box_for_workload(join) : r;
}

static bool is_ours(int error)
{
	return error == PM_E_NOMEM || error == PM_E_CRYPTO || error == PM_E_SYS;
}

static void decide(struct join *join, const struct pm_bundle *bundle, struct pm_verdict *verdict,
	struct pm_report *report)
{
	const struct coordinator *c = join->c;
	const struct pm_appraisal ask = {.manifest = c->own->manifest,
		.nonce = join->nonce,
		.now = join->now,
		.max_age = COORDINATOR_MAX_AGE,
		.document = join->document,
		.document_len = sizeof(join->document),
		.snp_cache = c->snp_cache,
		.gpu_cache = c->gpu_cache};
	const struct pm_appraised *appraised = NULL;
	const char *reason = "";
	int r = pm_appraise(bundle, &ask, verdict, &appraised);

	join->ticket.accepted = r == PM_OK;
	if (r < 0) {
		reason = pm_verdict_reason(verdict);
	} else {
		r = grant(join, appraised, report);
		reason = r == PM_E_UNSUPPORTED
				 ? "claims.key: found another, expected a key on P-256"
			 : *pm_report_reason(report)
				 ? pm_report_reason(report)
				 : "document: found another, expected an X-Wing public key";
	}
	pm_appraised_free(appraised);
	if (is_ours(r))
		fail(join, 503, "busy", "out of memory, or no random bytes");
	else if (r < 0)
		refuse(join, *reason ? reason : pm_strerror(r));
	else if (!add_line(
			 join, join->pem ? "worker.joined" : "coordinator.joined", NULL, on_logged))
		fail(join, 503, "no_log", "the log can't be written");
}

/* --- the request ----------------------------------------------------------------------------- */

static void judge(struct join *join, const struct pm_bundle *bundle)
{
	const struct pm_bundle_content *content = pm_bundle_untrusted(bundle);
	struct coordinator *c = join->c;
	struct pm_verdict *verdict;
	struct pm_report *report;

	memcpy(join->nonce, content->nonce.nonce, sizeof(join->nonce));
	join->ticket.nonce_taken = visitors_take(c->visitors, join->nonce, loop_now());
	if (!join->ticket.nonce_taken) {
		c->refusals++;
		fail(join, 403, "refused",
			"nonce: found one that is not ours, used or too old, expected one of a "
			"challenge");
		return;
	}
	memcpy(join->ticket.link, c->machine.own.link, sizeof(join->ticket.link));
	memcpy(join->ticket.mesh, c->machine.own.mesh, sizeof(join->ticket.mesh));
	strcpy(join->who.role, pm_bundle_untrusted_claims(bundle)->role);
	verdict = pm_verdict_new();
	report = pm_report_new();
	if (verdict && report)
		decide(join, bundle, verdict, report);
	else
		fail(join, 503, "busy", "out of memory");
	pm_verdict_free(verdict);
	pm_report_free(report);
}

static bool read_request(struct join *join, const struct job *job)
{
	static const char *const names[] = {"Evidence", "Document"};
	json_t *root = message_parse(job->in.bytes, job->in.len, names, 2);
	bool good = root &&
		    message_fixed(json_object_get(root, "Document"), join->document,
			    sizeof(join->document)) &&
		    message_bytes(json_object_get(root, "Evidence"), PM_BUNDLE_SIZE_MAX,
			    &join->bundle, &join->len);

	json_decref(root);
	return good;
}

static void parse_bundle(struct join *join)
{
	struct pm_report *report = pm_report_new();
	struct pm_bundle *bundle = NULL;
	int r = report ? pm_bundle_parse(join->bundle, join->len, report, &bundle) : PM_E_NOMEM;

	if (r == PM_OK)
		judge(join, bundle);
	else if (is_ours(r))
		fail(join, 503, "busy", "out of memory");
	else
		fail(join, 400, "bad_request", pm_report_reason(report));
	pm_bundle_free(bundle);
	pm_report_free(report);
}

/* Nobody is judged by what does not hold: no nonce is spent, and no line written. */
static bool is_open(struct job *job)
{
	const struct coordinator *c = job->c;
	struct pm_report *report;
	int r;

	if (coordinator_state(c) != MACHINE_READY) {
		job_fail(job, 503, "not_ready", "this coordinator is %s",
			coordinator_state_name(coordinator_state(c)));
		return false;
	}
	report = pm_report_new();
	r = pm_manifest_check_time(c->own->manifest, (int64_t)time(NULL), report);
	if (r < 0)
		job_fail(job, 503, "not_ready", "%s",
			report ? pm_report_reason(report) : pm_strerror(r));
	pm_report_free(report);
	return r == PM_OK;
}

void join_run(struct job *job)
{
	struct join *join;

	if (!is_open(job))
		return;
	join = calloc(1, sizeof(*join));
	if (!join) {
		job_fail(job, 503, "busy", "out of memory");
		return;
	}
	join->c = job->c;
	join->job = job;
	join->now = (int64_t)time(NULL);
	job->flow = join;
	job->leave = leave;
	if (read_request(join, job))
		parse_bundle(join);
	else
		fail(join, 400, "bad_request",
			"expected Evidence, and a Document of 1216 bytes, in base64");
}
