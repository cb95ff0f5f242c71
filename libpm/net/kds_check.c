/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer must look like to be handed out and kept, so that no error page, whatever its
 * status, is taken for a certificate. Not one signature is looked at: that is the verifier's work.
 */
#include "net/kds.h"

#include "base/report.h"
#include "base/time.h"
#include "crypto/x509.h"

/* Says what the bytes should have been, unless they are such a thing and merely too old. */
static int conclude(const struct pm_net_item *item, int r, const char *shape, struct pm_view bytes,
	struct pm_report *report)
{
	if (r == PM_E_NOMEM || r == PM_E_STALE || r == PM_OK)
		return r;
	return pm_fail(report, PM_E_FORMAT, item->kind->check, shape, "%zu bytes of something else",
		bytes.len);
}

static int parse_cert(struct pm_view bytes)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	return pm_cert_parse(bytes, &cert);
}

static int check_vcek(
	const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report)
{
	return conclude(item, parse_cert(bytes), "a certificate in DER", bytes, report);
}

static int count_cert(struct pm_view der, void *arg)
{
	int r = parse_cert(der);

	if (r == PM_OK)
		++*(int *)arg;
	return r;
}

/* ASK or ASVK, and ARK. */
static int check_chain(
	const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report)
{
	int count = 0, r = pm_pem_each(bytes, "CERTIFICATE", count_cert, &count);

	if (r == PM_OK && count != 2)
		r = PM_E_FORMAT;
	return conclude(item, r, "two certificates in PEM", bytes, report);
}

static int parse_crl(const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;
	const char *check = item->kind->check;
	int r = pm_crl_parse(bytes, &crl);

	if (r < 0)
		return r;
	if (item->now < pm_crl_this_update(crl))
		return pm_fail(report, PM_E_STALE, check, pm_time(item->now).s,
			"a list issued only at %s", pm_time(pm_crl_this_update(crl)).s);
	if (item->now > pm_crl_next_update(crl))
		return pm_fail(report, PM_E_STALE, check, pm_time(item->now).s,
			"a list that ended at %s", pm_time(pm_crl_next_update(crl)).s);
	return PM_OK;
}

static int check_crl(const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report)
{
	return conclude(
		item, parse_crl(item, bytes, report), "a revocation list in DER", bytes, report);
}

/* --- ages ------------------------------------------------------------------------------------ */

static enum pm_net_age age_of_vcek(
	const struct pm_net_item *item, struct pm_view der, int64_t stored, int64_t wall)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	(void)item;
	(void)stored;
	if (pm_cert_parse(der, &cert) < 0 || wall > pm_cert_not_after(cert))
		return PM_NET_OLD;
	return PM_NET_FRESH;
}

static enum pm_net_age age_of_chain(
	const struct pm_net_item *item, struct pm_view bytes, int64_t stored, int64_t wall)
{
	(void)item;
	(void)bytes;
	return pm_net_age_by_time(stored, wall, PM_KDS_CHAIN_FRESH);
}

static enum pm_net_age age_of_crl(
	const struct pm_net_item *item, struct pm_view bytes, int64_t stored, int64_t wall)
{
	(void)item;
	(void)bytes;
	return pm_net_age_by_time(stored, wall, PM_KDS_CRL_FRESH);
}

const struct pm_net_kind pm_kds_kind_vcek = {.check = "kds.vcek",
	.body_max = PM_KDS_VCEK_MAX,
	.max = PM_KDS_VCEK_MAX,
	.check_bytes = check_vcek,
	.age = age_of_vcek};

const struct pm_net_kind pm_kds_kind_chain = {.check = "kds.chain",
	.body_max = PM_KDS_CHAIN_MAX,
	.max = PM_KDS_CHAIN_MAX,
	.check_bytes = check_chain,
	.age = age_of_chain};

const struct pm_net_kind pm_kds_kind_crl = {.check = "kds.crl",
	.body_max = PM_KDS_CRL_MAX,
	.max = PM_KDS_CRL_MAX,
	.check_bytes = check_crl,
	.age = age_of_crl};
