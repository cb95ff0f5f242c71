/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_crl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/report.h"
#include "base/time.h"

/* A list whose signature was verified with the root that is part of its key in the cache. */
struct pm_snp_list_entry {
	struct pm_shared shared;
	struct pm_crl *crl;
};

static void destroy(struct pm_shared *shared)
{
	struct pm_snp_list_entry *e = (struct pm_snp_list_entry *)shared; /* its first member */

	pm_crl_free(e->crl);
	free(e);
}

static int check_signature(
	const struct pm_crl *crl, const struct pm_snp_chain *chain, struct pm_report *report)
{
	int r;

	if (!pm_crl_signed_with(crl, PM_SHA384))
		return pm_fail(report, PM_E_UNSUPPORTED, "CRL, signature",
			"RSASSA-PSS with SHA-384", "another algorithm");
	r = pm_crl_check_issuer(crl, chain->root, chain->root_key);
	if (r < 0)
		return pm_fail(report, r, "CRL, signature", "by the root of the chain",
			"one that does not verify");
	return PM_OK;
}

/* Whose list is it? PM_E_MISSING: another root's. */
static int check_issuer(
	const struct pm_crl *crl, const struct pm_snp_chain *chain, struct pm_report *report)
{
	struct pm_view issuer = pm_crl_issuer(crl);

	if (pm_view_equal(issuer, pm_cert_subject(chain->root)))
		return PM_OK;
	if (pm_view_equal(issuer, pm_cert_subject(chain->intermediate))) /* who may not */
		return pm_fail(report, PM_E_REJECTED, "CRL, issuer", "the root of the chain",
			"the intermediate");
	return PM_E_MISSING;
}

/* Parse and verify one list. PM_E_MISSING: as above. */
static int open_list(struct pm_view der, const struct pm_snp_chain *chain, struct pm_report *report,
	struct pm_shared **ret)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;
	struct pm_snp_list_entry *e;
	int r = pm_crl_parse(der, &crl);

	if (r < 0)
		return pm_fail(report, r, "CRL", "a DER CRL, nothing behind it",
			"%zu bytes that are not one", der.len);
	r = check_issuer(crl, chain, report);
	if (r < 0)
		return r;
	r = check_signature(crl, chain, report);
	if (r < 0)
		return r;
	e = pm_alloc(sizeof(*e));
	if (!e)
		return PM_E_NOMEM;
	pm_shared_init(&e->shared, destroy);
	e->crl = pm_steal(crl);
	*ret = &e->shared;
	return PM_OK;
}

/* The same, with the cache's help. */
static int get_list(struct pm_view der, const struct pm_snp_chain *chain, struct pm_lru *verified,
	struct pm_report *report, struct pm_shared **ret)
{
	const struct pm_view parts[] = {pm_view(chain->root_sha256, PM_SHA256_SIZE), der};
	uint8_t key[PM_SHA256_SIZE];
	int r;

	if (!verified)
		return open_list(der, chain, report, ret);
	r = pm_hash_parts(PM_SHA256, parts, 2, key);
	if (r < 0)
		return r;
	*ret = pm_lru_get(verified, key);
	if (*ret)
		return PM_OK;
	r = open_list(der, chain, report, ret);
	if (r == PM_OK)
		pm_lru_put(verified, key, *ret);
	return r;
}

/* What the lists are looked at with, and what was found so far. */
struct looking {
	const struct pm_snp_chain *chain;
	const struct pm_snp_policy *policy;
	struct pm_lru *verified;
	int64_t now;
	struct pm_report *report;
	bool own;      /* somebody gave lists beside those that the host put in the table */
	int64_t until; /* the first end of those that are valid now */
	bool valid;    /* there is one of the root's that is */
	bool foreign;  /* there is one of another root */
	struct pm_shared *stale; /* the last of the root's that is not; one's own */
};

static bool is_young(const struct looking *l, const struct pm_crl *crl)
{
	int64_t max = l->policy->max_crl_age;

	return !max || l->now - pm_crl_this_update(crl) <= max;
}

static bool is_valid(const struct looking *l, const struct pm_crl *crl)
{
	return l->now >= pm_crl_this_update(crl) && l->now <= pm_crl_next_update(crl);
}

struct window {
	char s[64];
};

static struct window window_of(const struct pm_crl *crl)
{
	int64_t to = pm_crl_next_update(crl);
	struct window w;

	snprintf(w.s, sizeof(w.s), "%s to %s", pm_time(pm_crl_this_update(crl)).s,
		to == INT64_MIN ? "(no nextUpdate)" : pm_time(to).s);
	return w;
}

static int refuse_stale(const struct looking *l, const struct pm_crl *crl)
{
	char limit[64];

	if (!is_valid(l, crl))
		return pm_fail(l->report, PM_E_STALE, "CRL, validity", window_of(crl).s, "%s",
			pm_time(l->now).s);
	snprintf(limit, sizeof(limit), "at most %" PRId64 " s", l->policy->max_crl_age);
	return pm_fail(l->report, PM_E_STALE, "CRL, age", limit, "%" PRId64 " s",
		l->now - pm_crl_this_update(crl));
}

static int check_not_listed(const struct pm_crl *crl, const struct pm_cert *cert, const char *name,
	struct pm_report *report)
{
	struct pm_view serial = pm_cert_serial(cert);

	if (pm_crl_lists(crl, cert))
		return pm_fail(report, PM_E_REJECTED, name, "not revoked",
			"serial number %s is revoked", pm_hex(serial.ptr, serial.len).s);
	pm_pass(report, name, "serial number %s is not revoked", pm_hex(serial.ptr, serial.len).s);
	return PM_OK;
}

/* The list's time; what it lists is revoked whenever it was said. */
static void take_time(struct looking *l, struct pm_shared *shared)
{
	const struct pm_crl *crl = ((struct pm_snp_list_entry *)shared)->crl;

	if (!is_valid(l, crl) || !is_young(l, crl)) {
		pm_shared_unref(l->stale);
		pm_shared_ref(shared);
		l->stale = shared;
		return;
	}
	l->valid = true;
	if (pm_crl_next_update(crl) < l->until)
		l->until = pm_crl_next_update(crl);
	pm_pass(l->report, "CRL, validity", "%s", window_of(crl).s);
}

/*
 * AMD's lists of a product, for VCEKs and for VLEKs, bear no mark. So a list that the host chose
 * does not stand in for one of ours: it counts only for what it revokes.
 */
static int look_at(struct looking *l, struct pm_view der, bool decides)
{
	pm_cleanup(pm_shared) struct pm_shared *shared = NULL;
	const struct pm_crl *crl;
	int r = get_list(der, l->chain, l->verified, decides ? l->report : NULL, &shared);

	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r == PM_E_MISSING || (r < 0 && !decides)) {
		l->foreign = true;
		return PM_OK;
	}
	if (r < 0)
		return r;
	if (decides)
		take_time(l, shared);
	crl = ((struct pm_snp_list_entry *)shared)->crl;
	r = check_not_listed(crl, l->chain->intermediate, "intermediate, revocation", l->report);
	if (r < 0)
		return r;
	return check_not_listed(crl, l->chain->root, "root, revocation", l->report);
}

/* Others may be for other processors; but an old one of this root's may be the one that matters. */
static int conclude(const struct looking *l)
{
	if (l->stale)
		return refuse_stale(l, ((struct pm_snp_list_entry *)l->stale)->crl);
	if (!l->valid)
		return pm_fail(l->report, PM_E_REJECTED, "CRL, issuer", "the root of the chain",
			"another");
	if (l->foreign)
		pm_skip(l->report, "CRL, issuer", "another list is not of this root");
	return PM_OK;
}

static int look_at_all(struct looking *l, const struct pm_snp_evidence *evidence)
{
	for (size_t i = 0; i < evidence->crl_count; i++)
		l->own |= !evidence->crl_of_table[i];
	for (size_t i = 0; i < evidence->crl_count; i++) {
		bool decides = !l->own || !evidence->crl_of_table[i];
		int r = look_at(l, evidence->crls[i], decides);

		if (r < 0)
			return r;
	}
	return conclude(l);
}

int pm_snp_crl_check(const struct pm_snp_evidence *evidence, const struct pm_snp_chain *chain,
	const struct pm_snp_policy *policy, struct pm_lru *verified, int64_t now,
	struct pm_report *report, int64_t *until, bool *ret_checked)
{
	struct looking l = {
		.chain = chain,
		.policy = policy,
		.verified = verified,
		.now = now,
		.report = report,
		.until = *until,
	};
	int r;

	if (!evidence->crl_count && policy->requirements & PM_SNP_REQUIRE_CRL)
		return pm_fail(report, PM_E_MISSING, "CRL", "given", "none");
	if (!evidence->crl_count) {
		pm_skip(report, "CRL", "none given");
		*ret_checked = false;
		return PM_OK;
	}
	r = look_at_all(&l, evidence);
	pm_shared_unref(l.stale);
	if (r < 0)
		return r;
	*until = l.until;
	*ret_checked = true;
	return PM_OK;
}
