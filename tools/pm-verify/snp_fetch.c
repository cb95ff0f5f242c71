/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads from AMD's Key Distribution Service what the command line did not give. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/kds.h>

#include "pm-verify/snp.h"

/* What a download needs to know of the evidence, which nobody has verified yet. */
struct fetch {
	struct pm_kds *kds;
	const struct pm_snp_fields *fields;
	enum pm_snp_product product;
	int64_t now;
};

/* What came with the report: hosts give all certificates, the VCEK alone, or an empty table. */
struct present {
	bool vek, intermediate, root;
};

static void log_progress(void *arg, const char *text)
{
	(void)arg;
	warnx("%s", text);
}

static int open_kds(const struct snp_options *o, struct pm_report *report, struct pm_kds **ret)
{
	int r = pm_kds_new(ret);

	if (r < 0)
		return r;
	if (isatty(STDERR_FILENO))
		pm_kds_set_log(*ret, log_progress, NULL);
	if (o->kds && pm_kds_set_base_url(*ret, o->kds, report) < 0)
		r = PM_E_ARG; /* the command line's fault, not the evidence's */
	if (r == PM_OK && o->cache)
		r = pm_kds_set_cache(*ret, o->cache);
	return r;
}

static int fetch_vcek(const struct fetch *f, struct pm_snp_evidence *ev, struct pm_report *report)
{
	struct pm_snp_tcb tcb;
	uint8_t *der = NULL;
	size_t len = 0;
	int r = pm_snp_tcb_decode(f->product, f->fields->reported_tcb, &tcb);

	if (r < 0)
		return r;
	r = pm_kds_vcek(f->kds, f->product, f->fields->chip_id,
		f->product == PM_SNP_TURIN ? 8 : PM_SNP_CHIP_ID_SIZE, &tcb, report, &der, &len);
	if (r == PM_OK)
		r = pm_snp_evidence_add_certs(ev, der, len, report);
	free(der);
	return r;
}

static int fetch_chain(const struct fetch *f, struct pm_snp_evidence *ev, struct pm_report *report)
{
	uint8_t *pem = NULL;
	size_t len = 0;
	int r = pm_kds_chain(f->kds, f->product, f->fields->signing_key, report, &pem, &len);

	if (r == PM_OK)
		r = pm_snp_evidence_add_certs(ev, pem, len, report);
	free(pem);
	return r;
}

static int fetch_crl(const struct fetch *f, struct pm_snp_evidence *ev, struct pm_report *report)
{
	uint8_t *der = NULL;
	size_t len = 0;
	int r = pm_kds_crl(f->kds, f->product, f->fields->signing_key, f->now, report, &der, &len);

	if (r == PM_OK)
		r = pm_snp_evidence_add_crl(ev, der, len, report);
	free(der);
	return r;
}

static bool has_name(const uint8_t *der, size_t len, const char *name)
{
	return memmem(der, len, name, strlen(name));
}

/* Which certificates are there, by the names in them? This tells only what to download. */
static struct present look(const struct pm_snp_evidence *ev)
{
	bool vlek = pm_snp_evidence_untrusted(ev)->signing_key == PM_SNP_VLEK;
	struct present p = {0};
	const uint8_t *der;
	size_t len = 0;

	for (size_t i = 0; (der = pm_snp_evidence_untrusted_cert(ev, i, &len)); i++) {
		bool root = has_name(der, len, "ARK-"); /* it, or what it signed */

		p.vek |= has_name(der, len, vlek ? "SEV-VLEK" : "SEV-VCEK") && !root;
		p.root |= root && !has_name(der, len, "SEV-");
		p.intermediate |= root && has_name(der, len, "SEV-") &&
				  has_name(der, len, "SEV-VLEK-") == vlek;
	}
	return p;
}

/* A VLEK can't be fetched: only the provider has it. */
static int fetch_missing(const struct snp_options *o, const struct fetch *f,
	struct pm_snp_evidence *ev, struct pm_report *report)
{
	struct present p = look(ev);
	int r = PM_OK;

	if (!p.vek && f->fields->signing_key == PM_SNP_VCEK)
		r = fetch_vcek(f, ev, report);
	if (r == PM_OK && (!p.intermediate || !p.root))
		r = fetch_chain(f, ev, report);
	if (r == PM_OK && !o->crls.count)
		r = fetch_crl(f, ev, report);
	return r;
}

bool snp_can_fetch(const struct snp_options *o, const struct pm_snp_evidence *ev)
{
	return o->product || pm_snp_evidence_product(ev);
}

/* Opens the service and has fn fetch from it. */
static int fetch_with(const struct snp_options *o, struct pm_snp_evidence *ev,
	struct pm_report *report,
	int (*fn)(const struct snp_options *o, const struct fetch *f, struct pm_snp_evidence *ev,
		struct pm_report *report))
{
	int product = o->product ? o->product : pm_snp_evidence_product(ev), r;
	struct fetch f = {
		.fields = pm_snp_evidence_untrusted(ev),
		.product = (enum pm_snp_product)product,
		.now = o->now,
	};

	if (!product)
		return PM_E_ARG;
	r = open_kds(o, report, &f.kds);
	if (r == PM_OK)
		r = fn(o, &f, ev, report);
	pm_kds_free(f.kds);
	return r;
}

int snp_fetch(const struct snp_options *o, struct pm_snp_evidence *ev, struct pm_report *report)
{
	return fetch_with(o, ev, report, fetch_missing);
}

static int fetch_own(const struct snp_options *o, const struct fetch *f, struct pm_snp_evidence *ev,
	struct pm_report *report)
{
	(void)o;
	return fetch_vcek(f, ev, report);
}

/* Is it the VEK that failed, and not what it signed? */
static bool blames_vek(const struct pm_report *report)
{
	const struct pm_check *c = pm_report_failure(report);

	return c && (!strncmp(c->name, "VEK", 3) || !strcmp(c->name, "SIGNATURE"));
}

bool snp_fetch_again(
	const struct snp_options *o, struct pm_snp_evidence *ev, const struct pm_report *refused)
{
	struct pm_report *report;
	int r;

	if (pm_snp_evidence_untrusted(ev)->signing_key != PM_SNP_VCEK || !blames_vek(refused))
		return false;
	report = pm_report_new();
	r = report ? fetch_with(o, ev, report, fetch_own) : PM_E_NOMEM;
	pm_report_free(report);
	return r == PM_OK;
}
