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

	if (!pm_view_equal(pm_crl_issuer(crl), pm_cert_subject(chain->root)))
		return pm_fail(
			report, PM_E_REJECTED, "CRL, issuer", "the root of the chain", "another");
	if (!pm_crl_signed_with(crl, PM_SHA384))
		return pm_fail(report, PM_E_UNSUPPORTED, "CRL, signature",
			"RSASSA-PSS with SHA-384", "another algorithm");
	r = pm_crl_check_issuer(crl, chain->root, chain->root_key);
	if (r < 0)
		return pm_fail(report, r, "CRL, signature", "by the root of the chain",
			"one that does not verify");
	return PM_OK;
}

/* Parse and verify one list. */
static int open_list(struct pm_view der, const struct pm_snp_chain *chain, struct pm_report *report,
	struct pm_shared **ret)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;
	struct pm_snp_list_entry *e;
	int r = pm_crl_parse(der, &crl);

	if (r < 0)
		return pm_fail(report, r, "CRL", "a DER CRL, nothing behind it",
			"%zu bytes that are not one", der.len);
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

static int check_window(const struct pm_crl *crl, const struct pm_snp_policy *policy, int64_t now,
	struct pm_report *report, int64_t *until)
{
	int64_t from = pm_crl_this_update(crl), to = pm_crl_next_update(crl);
	char window[64];

	snprintf(window, sizeof(window), "%s to %s", pm_time(from).s,
		to == INT64_MIN ? "(no nextUpdate)" : pm_time(to).s);
	if (now < from || now > to)
		return pm_fail(report, PM_E_STALE, "CRL, validity", window, "%s", pm_time(now).s);
	if (policy->max_crl_age && now - from > policy->max_crl_age) {
		snprintf(window, sizeof(window), "at most %" PRId64 " s", policy->max_crl_age);
		return pm_fail(report, PM_E_STALE, "CRL, age", window, "%" PRId64 " s", now - from);
	}
	if (to < *until)
		*until = to;
	pm_pass(report, "CRL, validity", "%s", window);
	return PM_OK;
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

static int check_list(struct pm_view der, const struct pm_snp_chain *chain,
	const struct pm_snp_policy *policy, struct pm_lru *verified, int64_t now,
	struct pm_report *report, int64_t *until)
{
	pm_cleanup(pm_shared) struct pm_shared *shared = NULL;
	const struct pm_crl *crl;
	int r = get_list(der, chain, verified, report, &shared);

	if (r < 0)
		return r;
	crl = ((struct pm_snp_list_entry *)shared)->crl;
	r = check_window(crl, policy, now, report, until);
	if (r < 0)
		return r;
	r = check_not_listed(crl, chain->intermediate, "intermediate, revocation", report);
	if (r < 0)
		return r;
	return check_not_listed(crl, chain->root, "root, revocation", report);
}

int pm_snp_crl_check(const struct pm_snp_evidence *evidence, const struct pm_snp_chain *chain,
	const struct pm_snp_policy *policy, struct pm_lru *verified, int64_t now,
	struct pm_report *report, int64_t *until, bool *ret_checked)
{
	if (!evidence->crl_count && policy->requirements & PM_SNP_REQUIRE_CRL)
		return pm_fail(report, PM_E_MISSING, "CRL", "given", "none");
	if (!evidence->crl_count)
		pm_skip(report, "CRL", "none given");
	for (size_t i = 0; i < evidence->crl_count; i++) {
		int r = check_list(evidence->crls[i], chain, policy, verified, now, report, until);

		if (r < 0)
			return r;
	}
	*ret_checked = evidence->crl_count > 0;
	return PM_OK;
}
