/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/ocsp.h"

#include <stdio.h>

#include "base/report.h"
#include "base/time.h"
#include "evidence/gpu_policy.h"
#include "evidence/ocsp_set.h"
#include "evidence/ocsp_signature.h"

/* One certificate, and all that is asked about it. */
struct question {
	const struct pm_ocsp_set *set;
	const struct pm_cert *issuer;
	const struct pm_pubkey *issuer_key;
	const struct pm_gpu_policy *policy;
	int64_t now;
	const char *name;
	struct pm_report *report;
	struct pm_ocsp_own_id id;
};

/* From the first to the last second of an answer. */
struct window {
	int64_t from, to;
};

/* What was found so far. */
struct verdict {
	bool any, good;
	bool late;
	struct window stale;			  /* the last one that was out of its time */
	const struct pm_ocsp_response *false_one; /* whose signature does not verify */
	int64_t until;				  /* of the good answer that lasts longest */
};

static const char *reason_text(int reason)
{
	static const char *const texts[] = {"unspecified", "keyCompromise", "cACompromise",
		"affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", "7",
		"removeFromCRL", "privilegeWithdrawn", "aACompromise"};

	return reason < 0 ? "no reason told" : texts[reason];
}

/* Of the answer, and of the certificate that it is signed with. */
static struct window window_of(const struct pm_ocsp_response *response,
	const struct pm_ocsp_single *single, const struct pm_ocsp_signer *signer)
{
	int64_t from = single->this_update, next = single->this_update + PM_OCSP_NO_NEXT_UPDATE;
	struct window w;

	if (response->produced_at > from)
		from = response->produced_at;
	if (single->has_next_update)
		next = single->next_update;
	w.from = from - PM_OCSP_CLOCK_SKEW;
	w.to = next - 1;
	if (signer->not_before > w.from)
		w.from = signer->not_before;
	if (signer->not_after < w.to)
		w.to = signer->not_after;
	return w;
}

static int refuse_revoked(const struct question *q, const struct pm_ocsp_single *single)
{
	return pm_fail(q->report, PM_E_REJECTED, q->name, "good", "revoked at %s, %s",
		pm_time(single->revoked_at).s, reason_text(single->reason));
}

static int judge_hold(const struct question *q, const struct pm_ocsp_single *single)
{
	if (!pm_gpu_policy_permits_hold(q->policy, single->revoked_at, q->now))
		return refuse_revoked(q, single);
	pm_skip(q->report, q->name, "on hold since %s, which the policy permits",
		pm_time(single->revoked_at).s);
	return PM_OK;
}

static int judge(
	const struct question *q, const struct pm_ocsp_single *single, const struct window *w)
{
	if (single->status == PM_OCSP_REVOKED)
		return judge_hold(q, single);
	if (single->status == PM_OCSP_UNKNOWN) {
		if (!(q->policy->permissions & PM_GPU_PERMIT_OCSP_UNKNOWN))
			return pm_fail(q->report, PM_E_REJECTED, q->name, "good", "unknown");
		pm_skip(q->report, q->name, "unknown, which the policy permits");
		return PM_OK;
	}
	if (single->status != PM_OCSP_GOOD)
		return PM_E_REJECTED;
	if (q->report)
		pm_pass(q->report, q->name, "good until %s", pm_time(w->to).s);
	return PM_OK;
}

/* One answer for the certificate. PM_E_STALE is not noted: another may be in time. */
static int check_single(const struct question *q, const struct pm_ocsp_response *response,
	const struct pm_ocsp_single *single, const struct pm_ocsp_signer *signer,
	struct window *ret)
{
	struct window w;

	/* No later answer takes a revocation back, but for a hold. */
	if (single->status == PM_OCSP_REVOKED && single->reason != PM_OCSP_REASON_HOLD)
		return refuse_revoked(q, single);
	w = window_of(response, single, signer);
	*ret = w;
	if (q->now < w.from || q->now > w.to)
		return PM_E_STALE;
	return judge(q, single, &w);
}

static int take_single(const struct question *q, const struct pm_ocsp_response *response,
	const struct pm_ocsp_single *single, const struct pm_ocsp_signer *signer, struct verdict *v)
{
	struct window w = {0};
	int r = check_single(q, response, single, signer, &w);

	if (r == PM_E_STALE) {
		v->late = true;
		v->stale = w;
		return PM_OK;
	}
	if (r < 0)
		return r;
	if (!v->good || w.to > v->until)
		v->until = w.to;
	v->good = true;
	return PM_OK;
}

static bool speaks_of(const struct pm_ocsp_response *response, const struct pm_ocsp_own_id *id)
{
	for (size_t i = 0; i < response->single_count; i++) {
		if (pm_ocsp_id_equal(id, &response->singles[i].id))
			return true;
	}
	return false;
}

static int check_signature(const struct question *q, const struct pm_ocsp_response *response,
	struct pm_report *report, struct pm_ocsp_signer *ret)
{
	return pm_ocsp_check_signature(
		response, q->issuer, q->issuer_key, q->set->verified, report, ret);
}

/* What nobody of the issuer's signed says nothing, good or bad. */
static int check_response(
	const struct question *q, const struct pm_ocsp_response *response, struct verdict *v)
{
	struct pm_ocsp_signer signer;
	int r;

	if (!speaks_of(response, &q->id))
		return PM_OK;
	v->any = true;
	r = check_signature(q, response, NULL, &signer);
	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r < 0) {
		v->false_one = response;
		return PM_OK;
	}
	for (size_t i = 0; r == PM_OK && i < response->single_count; i++) {
		if (pm_ocsp_id_equal(&q->id, &response->singles[i].id))
			r = take_single(q, response, &response->singles[i], &signer, v);
	}
	return r;
}

static int refuse_stale(const struct question *q, const struct window *w)
{
	char text[64];

	snprintf(text, sizeof(text), "%s to %s", pm_time(w->from).s, pm_time(w->to).s);
	return pm_fail(q->report, PM_E_STALE, q->name, text, "%s", pm_time(q->now).s);
}

/* Why none of the answers is good. */
static int refuse(const struct question *q, const struct verdict *v)
{
	struct pm_ocsp_signer signer;
	int r = PM_E_REJECTED;

	if (v->late)
		return refuse_stale(q, &v->stale);
	if (v->false_one)
		r = check_signature(q, v->false_one, q->report, &signer);
	return r < 0 ? r : PM_E_REJECTED;
}

int pm_ocsp_check(const struct pm_ocsp_set *set, const struct pm_cert *cert,
	const struct pm_cert *issuer, const struct pm_pubkey *issuer_key,
	const struct pm_gpu_policy *policy, int64_t now, const char *name, struct pm_report *report,
	int64_t *until)
{
	struct question q = {set, issuer, issuer_key, policy, now, name, report, {.serial = {0}}};
	struct verdict v = {0};
	int r = pm_ocsp_id_of(cert, issuer, &q.id);

	if (r < 0)
		return r;
	for (size_t i = 0; set && i < set->count; i++) {
		r = check_response(&q, set->responses[i], &v);
		if (r < 0)
			return r;
	}
	if (!v.any)
		return PM_E_MISSING;
	if (!v.good)
		return refuse(&q, &v);
	if (v.until < *until)
		*until = v.until;
	return PM_OK;
}

int pm_ocsp_demand(const struct pm_ocsp_set *set, const struct pm_cert *cert,
	const struct pm_cert *issuer, const struct pm_pubkey *issuer_key,
	const struct pm_gpu_policy *policy, int64_t now, const char *name, struct pm_report *report,
	int64_t *until, bool *checked)
{
	int r = pm_ocsp_check(set, cert, issuer, issuer_key, policy, now, name, report, until);

	if (r != PM_E_MISSING)
		return r;
	if (!(policy->waivers & PM_GPU_WAIVE_OCSP))
		return pm_fail(report, r, name, "a response", "none");
	pm_skip(report, name, "no response, which the policy waives");
	*checked = false;
	return PM_OK;
}
