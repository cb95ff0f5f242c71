/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of a coordinator that has no seed: owners of the manifest consent, each to one share for
 * this process and this head, until there are enough shares and enough owners. Who signed what no
 * owner of the stored manifest is gets nowhere; whether the manifest is the deployment's own, the
 * seed tells, for only with the right one the history verifies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/recover.h>
#include <pm/text.h>

#include "common/log.h"
#include "pm-coordinator/consents.h"
#include "pm-coordinator/job.h"
#include "pm-coordinator/message.h"

#define PLAIN_MAX 1024
#define BOX_MAX	  (PLAIN_MAX + PM_BOX_OVERHEAD)

/* What one owner sent. */
struct consent {
	uint8_t share[PM_SHARE_SIZE];
	uint8_t signature[PM_RECOVER_SIGNATURE_MAX];
	size_t signature_len;
	uint8_t key_id[PM_SIGN_ID_SIZE];
};

/* --- what came ------------------------------------------------------------------------------- */

static void forget(struct coordinator *c)
{
	consents_free(c->consents);
	c->consents = NULL;
}

static size_t shares_needed(const struct tenure *t)
{
	return pm_manifest_share_owners_threshold(pm_manifest_seed_share_owners(t->manifest));
}

static size_t owners_needed(const struct tenure *t)
{
	return pm_manifest_owners_threshold(pm_manifest_owners(t->manifest));
}

/* Those for the newest head; what came for another is dropped. */
static struct consents *consents_of(struct coordinator *c)
{
	const struct tenure *t = c->seen;

	if (c->consents && !consents_are_of(c->consents, t->head->at.link))
		forget(c);
	if (!c->consents)
		c->consents = consents_new(t->head->at.link, shares_needed(t), owners_needed(t));
	return c->consents;
}

bool recovery_count(const struct coordinator *c, unsigned int *ret_have, unsigned int *ret_need)
{
	const struct tenure *t = c->seen;
	size_t have = 0, need;

	if (c->seed || !t || !t->manifest || !pm_manifest_seed_share_owners(t->manifest))
		return false;
	need = shares_needed(t) > owners_needed(t) ? shares_needed(t) : owners_needed(t);
	if (c->consents && consents_are_of(c->consents, t->head->at.link))
		consents_count(c->consents, &have, &need);
	*ret_have = (unsigned int)have;
	*ret_need = (unsigned int)need;
	return true;
}

/* --- the end --------------------------------------------------------------------------------- */

static void reply(struct job *job, unsigned int have, unsigned int need)
{
	job_reply(job, 200,
		json_pack("{s:i,s:i,s:s}", "Have", (int)have, "Need", (int)need, "State",
			coordinator_state_name(coordinator_state(job->c))));
}

/* The last one who gave a share waits for what comes of it. */
struct last {
	struct coordinator *c;
	struct job *job; /* NULL: he has gone */
	unsigned int need;
};

static void leave(void *flow)
{
	struct last *last = flow;

	last->job = NULL;
}

static void on_logged(void *arg, int error)
{
	struct last *last = arg;

	if (last->job && error == PM_OK)
		reply(last->job, last->need, last->need);
	else if (last->job)
		job_fail(last->job, 503, "no_log", "the log can't be written");
	free(last);
}

static void on_taken(void *arg, bool taken)
{
	struct last *last = arg;
	char link[2 * MACHINE_HASH_SIZE + 1];
	const struct pm_audit_field field = {"link", link};

	if (!taken) {
		if (last->job)
			job_fail(last->job, 409, "conflict",
				"another coordinator was recovered meanwhile: it gives the keys");
		free(last);
		return;
	}
	pm_hex_encode(last->c->machine.own.link, MACHINE_HASH_SIZE, link);
	log_event(LOG_LEVEL_INFO, "recovered", "link", link, NULL);
	if (!journal_add(last->c->journal, "coordinator.recovered", &field, 1, on_logged, last))
		on_logged(last, PM_E_NOMEM);
}

/* With another mesh CA: the old one's key is lost, and was known to a process that is gone. */
static int start(struct coordinator *c, struct pm_seed *seed, struct pm_report *report,
	struct tenure **ret_tenure)
{
	struct tenure *tenure = tenure_copy(c->seen);
	int r = tenure ? tenure_take(tenure, seed, NULL, NULL, (int64_t)time(NULL), report)
		       : PM_E_NOMEM;

	if (r == PM_OK && !machine_recover(&c->machine, c->seen->head->at.link))
		r = PM_E_STATE;
	if (r < 0) {
		tenure_free(tenure);
		return r;
	}
	coordinator_set_seed(c, seed);
	*ret_tenure = tenure;
	return PM_OK;
}

static void fail(struct job *job, int error, const char *reason)
{
	log_event(LOG_LEVEL_WARN, "recover", "result", "refused", "reason", reason, NULL);
	job_fail(job, error == PM_E_NOMEM || error == PM_E_CRYPTO ? 503 : 403, "refused", "%s",
		reason);
}

static void commit(struct job *job, struct tenure *tenure, unsigned int need)
{
	struct coordinator *c = job->c;
	struct last *last = calloc(1, sizeof(*last));

	if (!last) {
		tenure_free(tenure);
		job_fail(job, 503, "busy", "out of memory");
		return;
	}
	*last = (struct last){c, job, need};
	job->flow = last;
	job->leave = leave;
	if (!commit_start(c, MACHINE_RENEW, tenure, NULL, on_taken, last))
		on_taken(last, false);
}

/* Takes the seed. */
static void finish(struct job *job, struct pm_seed *seed, unsigned int need)
{
	struct coordinator *c = job->c;
	struct pm_report *report = pm_report_new();
	struct tenure *tenure = NULL;
	int r = report ? start(c, seed, report, &tenure) : PM_E_NOMEM;

	forget(c);
	if (r == PM_OK) {
		commit(job, tenure, need);
	} else {
		pm_seed_free(seed);
		fail(job, r,
			report && *pm_report_reason(report) ? pm_report_reason(report)
							    : "the stored history is another's");
	}
	pm_report_free(report);
}

/* --- one share ------------------------------------------------------------------------------- */

static bool read_plain(const uint8_t *plain, size_t len, struct consent *ret)
{
	static const char *const names[] = {"share", "signature", "key_id"};
	json_t *root = message_parse(plain, len, names, 3);
	uint8_t *signature = NULL;
	bool good = root &&
		    message_fixed(json_object_get(root, "share"), ret->share, sizeof(ret->share)) &&
		    message_bytes(json_object_get(root, "signature"), sizeof(ret->signature),
			    &signature, &ret->signature_len) &&
		    message_hex(json_object_get(root, "key_id"), ret->key_id, sizeof(ret->key_id));

	if (good)
		memcpy(ret->signature, signature, ret->signature_len);
	free(signature);
	json_decref(root); /* main() has what JSON frees wiped */
	return good;
}

static bool open_box(const struct job *job, struct consent *ret)
{
	static const char *const names[] = {"Box"};
	const struct coordinator *c = job->c;
	json_t *root = message_parse(job->in.bytes, job->in.len, names, 1);
	uint8_t *box = NULL, plain[PLAIN_MAX];
	size_t len = 0;
	bool good = root && message_bytes(json_object_get(root, "Box"), BOX_MAX, &box, &len) &&
		    len > PM_BOX_OVERHEAD &&
		    pm_box_open(c->box, "recover", c->seen->head->commitment,
			    PM_SEED_COMMITMENT_SIZE, box, len, plain) == PM_OK &&
		    read_plain(plain, len - PM_BOX_OVERHEAD, ret);

	explicit_bzero(plain, sizeof(plain));
	free(box);
	json_decref(root);
	return good;
}

static const struct pm_manifest_owner *find_owner(
	const struct pm_manifest *manifest, const uint8_t *key_id)
{
	const struct pm_manifest_owners *owners = pm_manifest_owners(manifest);
	const struct pm_manifest_owner *owner;

	for (size_t i = 0; (owner = pm_manifest_owner_at(owners, i)); i++)
		if (memcmp(owner->key.id, key_id, PM_SIGN_ID_SIZE) == 0)
			return owner;
	return NULL;
}

static bool is_consent(const struct coordinator *c, const struct consent *consent)
{
	const struct pm_manifest_owner *owner = find_owner(c->seen->manifest, consent->key_id);
	const struct pm_recover_consent what = {
		.process_key = pm_box_key_public(c->box),
		.head = c->seen->head->at.link,
		.share = consent->share,
	};

	return owner && pm_recover_verify(&what, &owner->key, consent->signature,
				consent->signature_len, NULL) == PM_OK;
}

/* Whose share is wrong, owners can find out only together. */
static void note(const struct coordinator *c, const struct consent *consent)
{
	const struct pm_manifest_owner *owner = find_owner(c->seen->manifest, consent->key_id);
	char number[4];

	snprintf(number, sizeof(number), "%u", consent->share[0]);
	log_event(LOG_LEVEL_INFO, "recover", "result", "taken", "owner", owner->name, "share",
		number, NULL);
}

static void take(struct job *job, const struct consent *consent)
{
	struct coordinator *c = job->c;
	struct consents *consents = consents_of(c);
	unsigned int have = 0, need = 0;
	struct pm_seed *seed = NULL;
	int r;

	if (!consents) {
		job_fail(job, 503, "busy", "out of memory");
		return;
	}
	if (!consents_add(consents, consent->key_id, consent->share)) {
		fail(job, PM_E_REJECTED, "share: found number 0, expected 1 to 255");
		return;
	}
	note(c, consent);
	r = consents_combine(consents, c->seen->head->commitment, &seed);
	(void)recovery_count(c, &have, &need);
	if (r == PM_OK)
		finish(job, seed, need);
	else if (r == PM_E_MISSING)
		reply(job, have, need);
	else
		fail(job, r,
			"shares: found ones of another seed, expected those of the commitment: all "
			"are kept, and others are needed");
}

void recover_run(struct job *job)
{
	struct coordinator *c = job->c;
	struct consent consent;
	unsigned int have, need;

	if (!recovery_count(c, &have, &need) || c->commit) {
		job_fail(job, 409, "not_sealed", "no shares are waited for: this coordinator is %s",
			coordinator_state_name(coordinator_state(c)));
		return;
	}
	if (!open_box(job, &consent))
		job_fail(job, 403, "refused",
			"box: found another, expected a share and a consent for this process");
	else if (!is_consent(c, &consent))
		fail(job, PM_E_REJECTED,
			"consent: found another, expected an owner's signature for this process, "
			"this history and this share");
	else
		take(job, &consent);
	explicit_bzero(&consent, sizeof(consent));
}
