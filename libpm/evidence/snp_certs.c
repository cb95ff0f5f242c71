/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/snp_certs.h"

#include "base/report.h"
#include "evidence/snp_vek.h"

int pm_snp_certs_parse(const struct pm_snp_evidence *ev, struct pm_snp_certs *ret)
{
	*ret = (struct pm_snp_certs){0};
	for (size_t i = 0; i < ev->cert_count; i++) {
		int r = pm_cert_parse(ev->certs[i], &ret->list[ret->count]);

		if (r == PM_E_NOMEM)
			return r;
		if (r == PM_OK) {
			ret->count++;
		} else if (!ret->bad) {
			ret->bad = r;
			ret->bad_length = ev->certs[i].len;
		}
	}
	return PM_OK;
}

void pm_snp_certs_free(struct pm_snp_certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		pm_cert_free(certs->list[i]);
	certs->count = 0;
}

static bool is_issuer(const struct pm_cert *cert, const struct pm_cert *child)
{
	return pm_view_equal(pm_cert_subject(cert), pm_cert_issuer(child));
}

bool pm_snp_links_pair(const struct pm_snp_links *l)
{
	return l->root != l->intermediate && is_issuer(l->root, l->intermediate) &&
	       is_issuer(l->root, l->root);
}

bool pm_snp_links_fit(const struct pm_snp_links *l, enum pm_snp_signer signer)
{
	return l->vek != l->intermediate && l->vek != l->root &&
	       pm_cert_is_named(l->vek, pm_snp_vek_name(signer)) &&
	       is_issuer(l->intermediate, l->vek);
}

/* How far the names lead: the number of VEKs, of pairs of VEK and issuer, of chains. */
struct counts {
	size_t veks, pairs, chains;
};

static void count_roots(
	const struct pm_snp_certs *certs, struct pm_snp_links links, struct counts *counts)
{
	for (size_t i = 0; i < certs->count; i++) {
		links.root = certs->list[i];
		counts->chains += links.root != links.vek && pm_snp_links_pair(&links);
	}
}

static struct counts count(const struct pm_snp_certs *certs, enum pm_snp_signer signer)
{
	struct pm_snp_links links = {0};
	struct counts counts = {0};

	for (size_t v = 0; v < certs->count; v++) {
		links.vek = certs->list[v];
		counts.veks += pm_cert_is_named(links.vek, pm_snp_vek_name(signer));
		for (size_t i = 0; i < certs->count; i++) {
			links.intermediate = certs->list[i];
			if (!pm_snp_links_fit(&links, signer))
				continue;
			counts.pairs++;
			count_roots(certs, links, &counts);
		}
	}
	return counts;
}

size_t pm_snp_certs_count(const struct pm_snp_certs *certs, enum pm_snp_signer signer)
{
	return count(certs, signer).chains;
}

int pm_snp_certs_refuse(
	const struct pm_snp_certs *certs, enum pm_snp_signer signer, struct pm_report *report)
{
	const struct counts counts = count(certs, signer);
	bool vlek = signer == PM_SNP_VLEK;

	if (certs->bad)
		return pm_fail(report, certs->bad, "certificate",
			"a DER certificate, nothing behind it, no unknown critical extension",
			"%zu bytes that are not one", certs->bad_length);
	if (!counts.veks)
		return pm_fail(report, PM_E_MISSING, "VEK", pm_snp_vek_name(signer), "none");
	if (!counts.pairs)
		return pm_fail(report, PM_E_MISSING, "intermediate",
			vlek ? "the ASVK that signed the VLEK" : "the ASK that signed the VCEK",
			"none");
	return pm_fail(
		report, PM_E_MISSING, "root", "the ARK that signed the intermediate", "none");
}

struct pm_cert *pm_snp_certs_take(struct pm_snp_certs *certs, const struct pm_cert *cert)
{
	struct pm_cert *taken;

	for (size_t i = 0; i < certs->count; i++) {
		if (certs->list[i] != cert)
			continue;
		taken = certs->list[i];
		certs->list[i] = NULL;
		return taken;
	}
	return NULL;
}
