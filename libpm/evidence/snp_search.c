/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_search.h"

#include "base/report.h"

/* How far a chain came: building it is less than what the judge looks at. */
#define AUTHORITY 1
#define CHAIN	  2

struct search {
	const struct pm_snp_policy *policy;
	enum pm_snp_signer signer;
	struct pm_snp_certs *certs;
	pm_snp_judge_fn judge;
	void *arg;
	bool alone; /* there is no choice */
	/* Of the refused chain that came furthest; error is 0 before the first. */
	int error;
	size_t furthest;
	struct pm_report *best;
	struct pm_report *now; /* of the chain at hand */
	struct pm_snp_chain *found;
};

/* Neither is a matter of this chain. */
static bool is_fatal(int error)
{
	return error == PM_E_NOMEM || error == PM_E_CRYPTO;
}

/* Remembers why this chain was refused, when it came further than those before. */
static void note_refusal(struct search *s, int error, size_t passed)
{
	struct pm_report *other = s->best;

	if (!s->error || passed > s->furthest) {
		s->error = error;
		s->furthest = passed;
		s->best = s->now;
		s->now = other;
	}
	if (s->now && !s->alone)
		pm_report_reset(s->now);
}

/* One VEK under an authority. PM_E_MISSING: go on. */
static int try_vek(
	struct search *s, const struct pm_snp_authority *authority, const struct pm_cert *vek)
{
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *chain = NULL;
	size_t passed = 0;
	int r = pm_snp_chain_build(authority, vek, s->signer, s->now, &chain);

	if (r < 0 && is_fatal(r))
		return r;
	if (r < 0) {
		note_refusal(s, r, AUTHORITY);
		return PM_E_MISSING;
	}
	/* Without memory a genuine certificate may have been taken for none. */
	chain->alone = s->alone && !s->certs->bad;
	r = s->judge(chain, s->arg, s->now, &passed);
	if (r < 0 && !is_fatal(r))
		note_refusal(s, r, CHAIN + passed);
	if (r == PM_OK || s->alone)
		s->found = pm_steal(chain);
	return r < 0 && !is_fatal(r) ? PM_E_MISSING : r;
}

static int try_veks(
	struct search *s, const struct pm_snp_authority *authority, struct pm_snp_links links)
{
	int r = PM_E_MISSING;

	for (size_t i = 0; r == PM_E_MISSING && i < s->certs->count; i++) {
		links.vek = s->certs->list[i];
		if (pm_snp_links_fit(&links, s->signer))
			r = try_vek(s, authority, links.vek);
	}
	return r;
}

static bool has_vek(const struct search *s, struct pm_snp_links links)
{
	for (size_t i = 0; i < s->certs->count; i++) {
		links.vek = s->certs->list[i];
		if (pm_snp_links_fit(&links, s->signer))
			return true;
	}
	return false;
}

/* One intermediate under one root. */
static int try_pair(struct search *s, const struct pm_snp_links *links)
{
	__attribute__((cleanup(pm_cleanup_snp_authority))) struct pm_snp_authority authority = {0};
	int r;

	if (!pm_snp_links_pair(links) || !has_vek(s, *links))
		return PM_E_MISSING;
	r = pm_snp_authority_open(links, s->signer, s->policy, s->now, &authority);
	if (r == PM_OK)
		return try_veks(s, &authority, *links);
	if (is_fatal(r))
		return r;
	note_refusal(s, r, 0);
	return PM_E_MISSING;
}

static int try_all(struct search *s)
{
	struct pm_snp_links links = {0};
	int r = PM_E_MISSING;

	for (size_t i = 0; r == PM_E_MISSING && i < s->certs->count; i++) {
		links.intermediate = s->certs->list[i];
		for (size_t k = 0; r == PM_E_MISSING && k < s->certs->count; k++) {
			links.root = s->certs->list[k];
			r = try_pair(s, &links);
		}
	}
	return r;
}

/* With a choice, notes of each chain stand apart, and those of one are shown in the end. */
static int choose(struct search *s, struct pm_report *report)
{
	pm_cleanup(pm_report) struct pm_report *a = NULL, *b = NULL;
	int r;

	if (report) {
		a = s->now = pm_report_new();
		b = s->best = pm_report_new();
		if (!a || !b)
			return PM_E_NOMEM;
	}
	r = try_all(s);
	pm_report_append(report, r == PM_OK ? s->now : s->best);
	return r;
}

/* There is nothing to choose: all is noted at once. */
static int take_only(struct search *s, struct pm_report *report)
{
	s->alone = true;
	s->now = report;
	return try_all(s);
}

static int search(struct search *s, struct pm_report *report)
{
	size_t count = pm_snp_certs_count(s->certs, s->signer);
	int r;

	if (!count)
		return pm_snp_certs_refuse(s->certs, s->signer, report);
	r = count == 1 ? take_only(s, report) : choose(s, report);
	if (r == PM_OK)
		return s->found ? PM_OK : PM_E_STATE;
	return r == PM_E_MISSING && s->error ? s->error : r;
}

int pm_snp_search(const struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	pm_snp_judge_fn judge, void *arg, struct pm_report *report, struct pm_snp_chain **ret)
{
	__attribute__((cleanup(pm_cleanup_snp_certs))) struct pm_snp_certs certs = {0};
	struct search s = {
		.policy = policy,
		.signer = evidence->fields.signing_key,
		.certs = &certs,
		.judge = judge,
		.arg = arg,
	};
	int r = pm_snp_certs_parse(evidence, &certs);

	*ret = NULL;
	if (r == PM_OK)
		r = search(&s, report);
	if (s.found)
		pm_snp_chain_keep(s.found, &certs);
	*ret = s.found;
	return r;
}
