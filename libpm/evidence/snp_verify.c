/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things: chain, certificate against report, signature, revocation, policy. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/report.h"
#include "base/time.h"
#include "evidence/snp_cache.h"
#include "evidence/snp_crl.h"
#include "evidence/snp_fields.h"
#include "evidence/snp_hcl.h"
#include "evidence/snp_search.h"

/* One chain, and what it is judged by. */
struct attempt {
	const struct pm_snp_evidence *ev;
	const struct pm_snp_chain *c;
	const struct pm_snp_policy *policy;
	struct pm_snp_cache *cache;
	int64_t now;
	struct pm_report *report;
	struct pm_snp_facts *facts;
};

/* Notes what a verified chain is, new or out of the cache. */
static void note_chain(const struct attempt *a)
{
	const struct pm_snp_chain *c = a->c;
	struct pm_view mid = pm_cert_common_name(c->intermediate);
	struct pm_view root = pm_cert_common_name(c->root);

	if (!a->report)
		return;
	pm_pass(a->report, "root", "%s%.*s, SHA-256 %s",
		a->facts->test_root ? "TEST ROOT " : "AMD ", (int)root.len, (const char *)root.ptr,
		pm_hex(c->root_sha256, PM_SHA256_SIZE).s);
	pm_pass(a->report, "certificate chain", "%.*s, %.*s, %s", (int)root.len,
		(const char *)root.ptr, (int)mid.len, (const char *)mid.ptr,
		pm_snp_vek_name(c->facts.signer));
}

/* From version 3 on the report names its processor; before, only the certificates do. */
static int check_processor(const struct attempt *a)
{
	const struct pm_snp_fields *f = &a->ev->fields;
	const char *name = pm_snp_product_name(a->c->facts.product);
	int claimed = pm_snp_product_by_cpuid(f->cpuid_family, f->cpuid_model);

	if (f->version < 3) {
		pm_pass(a->report, "processor", "%s, by its certificate", name);
		return PM_OK;
	}
	if (claimed != (int)a->c->facts.product)
		return pm_fail(a->report, PM_E_REJECTED, "processor", name,
			"%s (family 0x%02x, model 0x%02x)", pm_snp_product_name(claimed),
			f->cpuid_family, f->cpuid_model);
	pm_pass(a->report, "processor", "%s (family 0x%02x, model 0x%02x, stepping %u)", name,
		f->cpuid_family, f->cpuid_model, f->cpuid_stepping);
	return PM_OK;
}

static int decode_tcb(enum pm_snp_product product, const uint8_t *raw, const char *name,
	struct pm_report *report, struct pm_snp_tcb *ret)
{
	if (pm_snp_tcb_decode(product, raw, ret) < 0)
		return pm_fail(
			report, PM_E_FORMAT, name, "reserved bytes zero", "%s", pm_hex(raw, 8).s);
	return PM_OK;
}

static int decode_tcbs(const struct attempt *a)
{
	const struct pm_snp_fields *f = &a->ev->fields;
	const struct {
		const uint8_t *raw;
		const char *name;
		struct pm_snp_tcb *ret;
	} rows[] = {
		{f->reported_tcb, "REPORTED_TCB", &a->facts->reported_tcb},
		{f->current_tcb, "CURRENT_TCB", &a->facts->current_tcb},
		{f->committed_tcb, "COMMITTED_TCB", &a->facts->committed_tcb},
		{f->launch_tcb, "LAUNCH_TCB", &a->facts->launch_tcb},
	};
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < PM_ARRAY_LEN(rows); i++)
		r = decode_tcb(
			a->facts->product, rows[i].raw, rows[i].name, a->report, rows[i].ret);
	return r;
}

/* The certificate is for the version of which the key was derived: REPORTED_TCB, no other. */
static int check_tcb(const struct attempt *a)
{
	const struct pm_snp_vek *vek = &a->c->facts;

	if (!pm_snp_tcb_equal(&vek->tcb, &a->facts->reported_tcb))
		return pm_fail(a->report, PM_E_REJECTED, "VEK TCB",
			pm_snp_tcb_text(vek->product, &a->facts->reported_tcb).s, "%s",
			pm_snp_tcb_text(vek->product, &vek->tcb).s);
	if (a->report)
		pm_pass(a->report, "VEK TCB", "%s", pm_snp_tcb_text(vek->product, &vek->tcb).s);
	return PM_OK;
}

/* A VCEK is of one chip. A VLEK is not, and its reports may mask CHIP_ID. */
static int check_chip(const struct attempt *a)
{
	const struct pm_snp_fields *f = &a->ev->fields;
	const struct pm_snp_vek *vek = &a->c->facts;

	if (vek->signer == PM_SNP_VLEK)
		return PM_OK;
	if (!pm_is_zero(f->chip_id, sizeof(f->chip_id)))
		return pm_check_bytes(
			a->report, "VEK hwID, CHIP_ID", vek->hwid, f->chip_id, sizeof(f->chip_id));
	if (!(a->policy->permissions & PM_SNP_PERMIT_MASKED_CHIP_ID))
		return pm_fail(a->report, PM_E_REJECTED, "VEK hwID, CHIP_ID",
			pm_hex(vek->hwid, sizeof(vek->hwid)).s, "masked (all zero)");
	pm_skip(a->report, "VEK hwID, CHIP_ID", "masked (all zero)");
	return PM_OK;
}

/* Least significant byte first in the report, most significant first for the verifier. */
static void reverse(const uint8_t *from, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = from[n - 1 - i];
}

static int check_signature(const struct attempt *a)
{
	const struct pm_snp_evidence *ev = a->ev;
	uint8_t signature[2 * PM_SNP_SCALAR_SIZE];
	int r;

	reverse(ev->fields.signature_r, signature, PM_SNP_SCALAR_SIZE);
	reverse(ev->fields.signature_s, signature + PM_SNP_SCALAR_SIZE, PM_SNP_SCALAR_SIZE);
	r = pm_ecdsa_verify(a->c->vek_key, PM_SHA384, pm_view(ev->signed_bytes, PM_SNP_SIGNED_SIZE),
		pm_view(signature, sizeof(signature)));
	if (r == PM_E_REJECTED && ev->fields.mask_chip_key &&
		pm_is_zero(signature, sizeof(signature)))
		return pm_fail(a->report, r, "SIGNATURE", "by the VEK",
			"none (MASK_CHIP_KEY is set: the host made the firmware leave it out)");
	if (r < 0)
		return pm_fail(a->report, r, "SIGNATURE", "by the VEK, over bytes 0x000 to 0x29f",
			"one that does not verify");
	pm_pass(a->report, "SIGNATURE", "ECDSA P-384 with SHA-384, by the %s",
		pm_snp_vek_name(a->c->facts.signer));
	return PM_OK;
}

static int check_runtime_data(
	const struct pm_snp_evidence *ev, struct pm_snp_facts *facts, struct pm_report *report)
{
	int r;

	if (!ev->runtime_data.len)
		return PM_OK;
	r = pm_snp_hcl_check(ev->runtime_data, ev->fields.report_data, report);
	if (r < 0)
		return r;
	facts->runtime_data = ev->runtime_data.ptr;
	facts->runtime_data_size = ev->runtime_data.len;
	return PM_OK;
}

static void copy_chain_facts(const struct pm_snp_chain *c, struct pm_snp_facts *facts)
{
	facts->product = c->facts.product;
	facts->signer = c->facts.signer;
	pm_copy(facts->csp_id, c->facts.csp_id, sizeof(facts->csp_id));
	pm_copy(facts->root_sha256, c->root_sha256, sizeof(facts->root_sha256));
}

/* Who signed: a chain that is trusted... */
static int check_root(const struct attempt *a)
{
	int r = pm_snp_chain_check_root(a->c, a->policy, a->report, &a->facts->test_root);

	if (r < 0)
		return r;
	note_chain(a);
	copy_chain_facts(a->c, a->facts);
	return PM_OK;
}

/* ...at this time... */
static int check_times(const struct attempt *a)
{
	return pm_snp_chain_check_times(a->c, a->now, a->report, &a->facts->valid_until);
}

/* ...and was not revoked. */
static int check_revocation(const struct attempt *a)
{
	return pm_snp_crl_check(a->ev, a->c, a->policy, a->cache ? a->cache->crls : NULL, a->now,
		a->report, &a->facts->valid_until, &a->facts->crl_checked);
}

/* Is the chain good, and the report of the processor that it names, by its key? */
static int judge(const struct attempt *a, size_t *ret_passed)
{
	static int (*const steps[])(const struct attempt *) = {check_root, check_times,
		check_processor, decode_tcbs, check_tcb, check_chip, check_signature,
		check_revocation};

	for (size_t i = 0; i < PM_ARRAY_LEN(steps); i++) {
		int r = steps[i](a);

		*ret_passed = i;
		if (r < 0)
			return r;
	}
	a->facts->fields = a->ev->fields;
	return PM_OK;
}

/* What is the same for each chain; the facts are those of the last one. */
static int judge_one(
	const struct pm_snp_chain *chain, void *arg, struct pm_report *report, size_t *ret_passed)
{
	struct attempt a = *(const struct attempt *)arg;

	a.c = chain;
	a.report = report;
	*a.facts = (struct pm_snp_facts){0};
	return judge(&a, ret_passed);
}

/* Of several chains the one that was kept may be another report's, so its refusal is no answer. */
static int judge_kept(struct attempt *a, const struct pm_snp_chain *kept)
{
	pm_cleanup(pm_report) struct pm_report *own = NULL;
	size_t passed;
	int r;

	if (kept->alone)
		return judge_one(kept, a, a->report, &passed);
	own = a->report ? pm_report_new() : NULL;
	if (a->report && !own)
		return PM_E_NOMEM;
	r = judge_one(kept, a, own, &passed);
	if (r == PM_OK)
		pm_report_append(a->report, own);
	return r;
}

/* Finds the chain under which the report verifies. */
static int verify_chain(struct attempt *a)
{
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *kept = pm_snp_cache_get(a->cache, a->ev);
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *found = NULL;
	int r;

	if (kept) {
		r = judge_kept(a, kept);
		if (r == PM_OK || kept->alone)
			return r;
	}
	r = pm_snp_search(a->ev, a->policy, judge_one, a, a->report, &found);
	if (found)
		pm_snp_cache_put(a->cache, a->ev, found);
	return r;
}

static int verify(struct attempt *a)
{
	int r = verify_chain(a);

	if (r < 0)
		return r;
	r = check_runtime_data(a->ev, a->facts, a->report);
	if (r < 0)
		return r;
	return pm_snp_appraise(a->ev, a->facts, a->policy, a->report);
}

int pm_snp_verify(struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	struct pm_snp_cache *cache, int64_t now, struct pm_report *report,
	const struct pm_snp_facts **ret_facts)
{
	struct pm_snp_facts facts = {0};
	struct attempt a = {evidence, NULL, policy, cache, now, report, &facts};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	evidence->facts = facts; /* what was handed out before is no longer proved */
	r = pm_snp_policy_check_complete(policy, report);
	if (r < 0)
		return r;
	r = verify(&a);
	if (r < 0)
		return r;
	evidence->facts = facts;
	*ret_facts = &evidence->facts;
	return PM_OK;
}
