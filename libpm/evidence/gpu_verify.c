/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things: chain, report against certificate, signature, revocation, golden, policy. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "evidence/gpu_appraise.h"
#include "evidence/gpu_cache.h"
#include "evidence/gpu_golden.h"

/* The serial number of a boot ROM's certificate: what kind of device, and its PDI. */
#define PDI_SERIAL_SIZE	  (1 + PM_GPU_PDI_SIZE)
#define PDI_SERIAL_GPU	  0x41
#define PDI_SERIAL_SWITCH 0x50

/* All that one verification needs. */
struct verifying {
	struct pm_gpu_evidence *ev;
	const struct pm_gpu_policy *policy;
	const struct pm_gpu_rims *rims;
	const struct pm_ocsp_set *ocsp;
	struct pm_gpu_cache *cache;
	int64_t now;
	struct pm_report *report;
	struct pm_gpu_facts *facts;
};

static void note_chain(const struct pm_gpu_chain *c, bool test_root, struct pm_report *report)
{
	struct pm_view root = pm_cert_common_name(c->issuers->root);
	struct pm_view ica = pm_cert_common_name(c->issuers->ica);

	if (!report)
		return;
	pm_pass(report, "root", "%s%.*s, SHA-256 %s", test_root ? "TEST ROOT " : "", (int)root.len,
		(const char *)root.ptr, pm_hex(c->issuers->root_sha256, PM_SHA256_SIZE).s);
	pm_pass(report, "certificate chain", "5 certificates, %s under %.*s, serial number %s",
		c->facts.chip, (int)ica.len, (const char *)ica.ptr, c->facts.ueid);
}

/* GPUs do not tell their own PDI in the report; the certificate of the burnt-in key does. */
static void copy_pdi(const struct pm_gpu_chain *c, struct pm_gpu_facts *facts)
{
	struct pm_view serial = pm_cert_serial(c->brom);
	struct pm_rd rd = pm_rd(serial);
	uint8_t kind = pm_rd_u8(&rd), wanted = PDI_SERIAL_GPU;

	if (c->facts.arch == PM_GPU_LS10)
		wanted = PDI_SERIAL_SWITCH;
	facts->has_pdi = serial.len == PDI_SERIAL_SIZE && kind == wanted;
	if (facts->has_pdi)
		pm_rd_copy(&rd, facts->pdi, sizeof(facts->pdi));
}

static void copy_chain_facts(const struct pm_gpu_chain *c, struct pm_gpu_facts *facts)
{
	struct pm_view model = pm_cert_common_name(c->brom);

	facts->arch = c->facts.arch;
	pm_copy(facts->chip, c->facts.chip, sizeof(facts->chip));
	pm_copy(facts->ueid, c->facts.ueid, sizeof(facts->ueid));
	snprintf(facts->hwmodel, sizeof(facts->hwmodel), "%.*s", (int)model.len,
		(const char *)model.ptr);
	pm_copy(facts->device_key_sha256, c->device_key_sha256, sizeof(facts->device_key_sha256));
	pm_copy(facts->root_sha256, c->issuers->root_sha256, sizeof(facts->root_sha256));
	copy_pdi(c, facts);
}

/* Who signed: a chain that is trusted at this time. */
static int verify_chain(const struct verifying *v, const struct pm_gpu_chain *c)
{
	int r = pm_gpu_issuers_check_root(c->issuers, v->policy, v->report, &v->facts->test_root);

	if (r < 0)
		return r;
	note_chain(c, v->facts->test_root, v->report);
	copy_chain_facts(c, v->facts);
	return pm_gpu_chain_check_times(c, v->now, v->report, &v->facts->valid_until);
}

/* A switch's chain has the authorities of Hopper: only the device's certificate tells which. */
static int check_kind(const struct verifying *v, const struct pm_gpu_chain *c)
{
	int claimed = pm_gpu_arch_told(&v->ev->fields);
	bool is_switch = pm_gpu_is_switch(&v->ev->fields);

	if ((c->facts.arch == PM_GPU_LS10) != is_switch ||
		(claimed && claimed != (int)c->facts.arch))
		return pm_fail(v->report, PM_E_REJECTED, "kind of device, certificate",
			pm_gpu_arch_text(claimed), "%s, %s", pm_gpu_arch_text((int)c->facts.arch),
			c->facts.chip);
	pm_pass(v->report, "kind of device, certificate", "%s, %s",
		pm_gpu_arch_text((int)c->facts.arch), c->facts.chip);
	return PM_OK;
}

static int check_signature(const struct verifying *v, const struct pm_gpu_chain *c)
{
	const struct pm_gpu_signed *s = &v->ev->parts;
	int r = pm_ecdsa_verify(c->leaf_key, PM_SHA384, s->body, s->signature);

	if (r == PM_E_NOMEM || r == PM_E_CRYPTO)
		return r;
	if (r < 0)
		return pm_fail(v->report, r, "signature",
			"by the device, over request and response", "one that does not verify");
	pm_pass(v->report, "signature", "ECDSA P-384 with SHA-384");
	return PM_OK;
}

/* Old firmware and switches do not tell. It can't be cut off: the report is signed. */
static int check_fwid_absent(const struct verifying *v)
{
	v->facts->fwid = PM_GPU_FWID_ABSENT;
	if (!pm_gpu_is_switch(&v->ev->fields) && v->policy->requirements & PM_GPU_REQUIRE_FWID)
		return pm_fail(v->report, PM_E_REJECTED, "FWID", "as in the device certificate",
			"none in the report");
	pm_skip(v->report, "FWID", "none in the report");
	return PM_OK;
}

static int check_fwid(const struct verifying *v, const struct pm_gpu_chain *c)
{
	const struct pm_gpu_fields *f = &v->ev->fields;

	if (!f->has_fwid)
		return check_fwid_absent(v);
	if (!c->facts.has_fwid)
		return pm_fail(v->report, PM_E_REJECTED, "FWID", "as in the report",
			"none in the device certificate");
	v->facts->fwid = PM_GPU_FWID_MATCHED;
	return pm_check_bytes(v->report, "FWID", c->facts.fwid, f->fwid, sizeof(f->fwid));
}

/* What was signed: a report of this kind of device, by its key. */
static int verify_report(const struct verifying *v, const struct pm_gpu_chain *c)
{
	int r = check_kind(v, c);

	if (r < 0)
		return r;
	r = check_signature(v, c);
	if (r < 0)
		return r;
	v->facts->fields = v->ev->fields;
	v->facts->mode = pm_gpu_is_switch(&v->ev->fields) ? 0 : pm_gpu_mode_of(&v->ev->fields);
	return check_fwid(v, c);
}

static int verify_golden(const struct verifying *v)
{
	struct pm_gpu_facts *facts = v->facts;
	struct pm_gpu_compared c;
	int r = pm_gpu_golden_compare(
		&facts->fields, facts->arch, v->rims, v->policy, v->now, v->report, &c);

	pm_copy(v->ev->golden, c.golden, sizeof(c.golden));
	if (r < 0)
		return r;
	pm_copy(facts->golden, c.golden, sizeof(c.golden));
	facts->golden_count = c.count;
	facts->golden_matched = c.matched;
	facts->rim_checked = c.complete;
	facts->test_root |= c.test_root;
	facts->ocsp_checked &= c.ocsp_checked;
	if (c.until < facts->valid_until)
		facts->valid_until = c.until;
	return PM_OK;
}

static int verify(const struct verifying *v)
{
	pm_cleanup(pm_gpu_chain) struct pm_gpu_chain *chain = NULL;
	int r = pm_gpu_cache_chain(v->cache, v->ev, v->policy, v->report, &chain);

	if (r < 0)
		return r;
	r = verify_chain(v, chain);
	if (r < 0)
		return r;
	r = verify_report(v, chain);
	if (r < 0)
		return r;
	r = pm_gpu_chain_check_revocation(chain, v->policy, v->ocsp, v->now, v->report,
		&v->facts->valid_until, &v->facts->ocsp_checked);
	if (r < 0)
		return r;
	r = verify_golden(v);
	if (r < 0)
		return r;
	return pm_gpu_appraise(v->facts, v->policy, v->report);
}

int pm_gpu_verify(struct pm_gpu_evidence *evidence, const struct pm_gpu_policy *policy,
	const struct pm_rim *const *rims, size_t rim_count, const struct pm_ocsp_set *ocsp,
	struct pm_gpu_cache *cache, int64_t now, struct pm_report *report,
	const struct pm_gpu_facts **ret_facts)
{
	struct pm_gpu_facts facts = {.valid_until = INT64_MAX, .ocsp_checked = true};
	const struct pm_gpu_rims given = {rims, rim_count};
	const struct verifying v = {evidence, policy, &given, ocsp, cache, now, report, &facts};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	/* What was handed out before is no longer proved. */
	evidence->facts = (struct pm_gpu_facts){0};
	memset(evidence->golden, 0, sizeof(evidence->golden));
	r = pm_gpu_policy_check_complete(policy, report);
	if (r < 0)
		return r;
	r = verify(&v);
	if (r < 0)
		return r;
	evidence->facts = facts;
	*ret_facts = &evidence->facts;
	return PM_OK;
}
