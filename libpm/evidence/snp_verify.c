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

/* Notes what a verified chain is, new or out of the cache. */
static void note_chain(const struct pm_snp_chain *c, bool test_root, struct pm_report *report)
{
	struct pm_view mid = pm_cert_common_name(c->intermediate);
	struct pm_view root = pm_cert_common_name(c->root);

	if (!report)
		return;
	pm_pass(report, "root", "%s%.*s, SHA-256 %s", test_root ? "TEST ROOT " : "AMD ",
		(int)root.len, (const char *)root.ptr, pm_hex(c->root_sha256, PM_SHA256_SIZE).s);
	pm_pass(report, "certificate chain", "%.*s, %.*s, %s", (int)root.len,
		(const char *)root.ptr, (int)mid.len, (const char *)mid.ptr,
		pm_snp_vek_name(c->facts.signer));
}

/* From version 3 on the report names its processor; before, only the certificates do. */
static int check_processor(
	const struct pm_snp_fields *f, enum pm_snp_product product, struct pm_report *report)
{
	int claimed = pm_snp_product_by_cpuid(f->cpuid_family, f->cpuid_model);

	if (f->version < 3) {
		pm_pass(report, "processor", "%s, by its certificate",
			pm_snp_product_name(product));
		return PM_OK;
	}
	if (claimed != (int)product)
		return pm_fail(report, PM_E_REJECTED, "processor", pm_snp_product_name(product),
			"%s (family 0x%02x, model 0x%02x)", pm_snp_product_name(claimed),
			f->cpuid_family, f->cpuid_model);
	pm_pass(report, "processor", "%s (family 0x%02x, model 0x%02x, stepping %u)",
		pm_snp_product_name(product), f->cpuid_family, f->cpuid_model, f->cpuid_stepping);
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

static int decode_tcbs(
	const struct pm_snp_fields *f, struct pm_snp_facts *facts, struct pm_report *report)
{
	const struct {
		const uint8_t *raw;
		const char *name;
		struct pm_snp_tcb *ret;
	} rows[] = {
		{f->reported_tcb, "REPORTED_TCB", &facts->reported_tcb},
		{f->current_tcb, "CURRENT_TCB", &facts->current_tcb},
		{f->committed_tcb, "COMMITTED_TCB", &facts->committed_tcb},
		{f->launch_tcb, "LAUNCH_TCB", &facts->launch_tcb},
	};
	int r = PM_OK;

	for (size_t i = 0; r == PM_OK && i < PM_ARRAY_LEN(rows); i++)
		r = decode_tcb(facts->product, rows[i].raw, rows[i].name, report, rows[i].ret);
	return r;
}

/* The certificate is for the version of which the key was derived: REPORTED_TCB, no other. */
static int check_tcb(
	const struct pm_snp_chain *c, const struct pm_snp_facts *facts, struct pm_report *report)
{
	enum pm_snp_product product = c->facts.product;

	if (!pm_snp_tcb_equal(&c->facts.tcb, &facts->reported_tcb))
		return pm_fail(report, PM_E_REJECTED, "VEK TCB",
			pm_snp_tcb_text(product, &facts->reported_tcb).s, "%s",
			pm_snp_tcb_text(product, &c->facts.tcb).s);
	if (report)
		pm_pass(report, "VEK TCB", "%s", pm_snp_tcb_text(product, &c->facts.tcb).s);
	return PM_OK;
}

/* A VCEK is of one chip. A VLEK is not, and its reports may mask CHIP_ID. */
static int check_chip(const struct pm_snp_chain *c, const struct pm_snp_fields *f,
	const struct pm_snp_policy *policy, struct pm_report *report)
{
	bool masked = pm_is_zero(f->chip_id, sizeof(f->chip_id));

	if (c->facts.signer == PM_SNP_VLEK)
		return PM_OK;
	if (!masked)
		return pm_check_bytes(
			report, "VEK hwID, CHIP_ID", c->facts.hwid, f->chip_id, sizeof(f->chip_id));
	if (!(policy->permissions & PM_SNP_PERMIT_MASKED_CHIP_ID))
		return pm_fail(report, PM_E_REJECTED, "VEK hwID, CHIP_ID",
			pm_hex(c->facts.hwid, sizeof(c->facts.hwid)).s, "masked (all zero)");
	pm_skip(report, "VEK hwID, CHIP_ID", "masked (all zero)");
	return PM_OK;
}

/* Least significant byte first in the report, most significant first for the verifier. */
static void reverse(const uint8_t *from, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = from[n - 1 - i];
}

static int check_signature(
	const struct pm_snp_evidence *ev, const struct pm_snp_chain *c, struct pm_report *report)
{
	uint8_t signature[2 * PM_SNP_SCALAR_SIZE];
	int r;

	reverse(ev->fields.signature_r, signature, PM_SNP_SCALAR_SIZE);
	reverse(ev->fields.signature_s, signature + PM_SNP_SCALAR_SIZE, PM_SNP_SCALAR_SIZE);
	r = pm_ecdsa_verify(c->vek_key, PM_SHA384, pm_view(ev->signed_bytes, PM_SNP_SIGNED_SIZE),
		pm_view(signature, sizeof(signature)));
	if (r == PM_E_REJECTED && ev->fields.mask_chip_key &&
		pm_is_zero(signature, sizeof(signature)))
		return pm_fail(report, r, "SIGNATURE", "by the VEK",
			"none (MASK_CHIP_KEY is set: the host made the firmware leave it out)");
	if (r < 0)
		return pm_fail(report, r, "SIGNATURE", "by the VEK, over bytes 0x000 to 0x29f",
			"one that does not verify");
	pm_pass(report, "SIGNATURE", "ECDSA P-384 with SHA-384, by the %s",
		pm_snp_vek_name(c->facts.signer));
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

/* Who signed: a chain that is trusted at this time. */
static int verify_chain(const struct pm_snp_chain *c, const struct pm_snp_policy *policy,
	int64_t now, struct pm_report *report, struct pm_snp_facts *facts)
{
	int r = pm_snp_chain_check_root(c, policy, report, &facts->test_root);

	if (r < 0)
		return r;
	note_chain(c, facts->test_root, report);
	copy_chain_facts(c, facts);
	return pm_snp_chain_check_times(c, now, report, &facts->valid_until);
}

/* What was signed: a report that fits the certificate, by its key. */
static int verify_report(const struct pm_snp_evidence *ev, const struct pm_snp_chain *c,
	const struct pm_snp_policy *policy, struct pm_report *report, struct pm_snp_facts *facts)
{
	int r = check_processor(&ev->fields, c->facts.product, report);

	if (r < 0)
		return r;
	r = decode_tcbs(&ev->fields, facts, report);
	if (r < 0)
		return r;
	r = check_tcb(c, facts, report);
	if (r < 0)
		return r;
	r = check_chip(c, &ev->fields, policy, report);
	if (r < 0)
		return r;
	r = check_signature(ev, c, report);
	if (r < 0)
		return r;
	facts->fields = ev->fields;
	return PM_OK;
}

static int verify(struct pm_snp_evidence *ev, const struct pm_snp_policy *policy,
	struct pm_snp_cache *cache, int64_t now, struct pm_report *report,
	struct pm_snp_facts *facts)
{
	pm_cleanup(pm_snp_chain) struct pm_snp_chain *chain = NULL;
	int r = pm_snp_cache_chain(cache, ev, policy, report, &chain);

	if (r < 0)
		return r;
	r = verify_chain(chain, policy, now, report, facts);
	if (r < 0)
		return r;
	r = verify_report(ev, chain, policy, report, facts);
	if (r < 0)
		return r;
	r = pm_snp_crl_check(ev, chain, policy, cache ? cache->crls : NULL, now, report,
		&facts->valid_until, &facts->crl_checked);
	if (r < 0)
		return r;
	r = check_runtime_data(ev, facts, report);
	if (r < 0)
		return r;
	return pm_snp_appraise(ev, facts, policy, report);
}

int pm_snp_verify(struct pm_snp_evidence *evidence, const struct pm_snp_policy *policy,
	struct pm_snp_cache *cache, int64_t now, struct pm_report *report,
	const struct pm_snp_facts **ret_facts)
{
	struct pm_snp_facts facts = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	evidence->facts = facts; /* what was handed out before is no longer proved */
	r = pm_snp_policy_check_complete(policy, report);
	if (r < 0)
		return r;
	r = verify(evidence, policy, cache, now, report, &facts);
	if (r < 0)
		return r;
	evidence->facts = facts;
	*ret_facts = &evidence->facts;
	return PM_OK;
}
