/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer must look like to be handed out and kept, so that no error page, whatever its
 * status, is taken for a certificate. Not one signature is looked at: that is the verifier's work.
 */
#include "net/kds.h"

#include "base/report.h"
#include "base/time.h"
#include "crypto/x509.h"

static int check_vcek(struct pm_view bytes)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	return pm_cert_parse(bytes, &cert);
}

static int count_cert(struct pm_view der, void *arg)
{
	int r = check_vcek(der);

	if (r == PM_OK)
		++*(int *)arg;
	return r;
}

/* ASK or ASVK, and ARK. */
static int check_chain(struct pm_view bytes)
{
	int count = 0, r = pm_pem_each(bytes, "CERTIFICATE", count_cert, &count);

	if (r < 0)
		return r;
	return count == 2 ? PM_OK : PM_E_FORMAT;
}

static int check_crl(const struct pm_kds_item *item, struct pm_view bytes, struct pm_report *report)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;
	int r = pm_crl_parse(bytes, &crl);

	if (r < 0)
		return r;
	if (item->now < pm_crl_this_update(crl))
		return pm_fail(report, PM_E_STALE, item->check, pm_time(item->now).s,
			"a list issued only at %s", pm_time(pm_crl_this_update(crl)).s);
	if (item->now > pm_crl_next_update(crl))
		return pm_fail(report, PM_E_STALE, item->check, pm_time(item->now).s,
			"a list that ended at %s", pm_time(pm_crl_next_update(crl)).s);
	return PM_OK;
}

static int check_shape(
	const struct pm_kds_item *item, struct pm_view bytes, struct pm_report *report)
{
	switch (item->kind) {
	case PM_KDS_VCEK:
		return check_vcek(bytes);
	case PM_KDS_CHAIN:
		return check_chain(bytes);
	case PM_KDS_CRL:
		return check_crl(item, bytes, report);
	}
	return PM_E_ARG;
}

static const char *shape_name(enum pm_kds_kind kind)
{
	if (kind == PM_KDS_VCEK)
		return "a certificate in DER";
	return kind == PM_KDS_CHAIN ? "two certificates in PEM" : "a revocation list in DER";
}

int pm_kds_check(const struct pm_kds_item *item, struct pm_view bytes, struct pm_report *report)
{
	int r = check_shape(item, bytes, report);

	if (r == PM_E_NOMEM || r == PM_E_STALE || r == PM_OK)
		return r;
	return pm_fail(report, PM_E_FORMAT, item->check, shape_name(item->kind),
		"%zu bytes of something else", bytes.len);
}

static bool is_unexpired(struct pm_view der, int64_t wall)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	return pm_cert_parse(der, &cert) == PM_OK && wall <= pm_cert_not_after(cert);
}

/* By so much the clock of a file server may be ahead. */
#define SKEW_SECONDS 300

/* Stored in the future: no younger than what is old, since the clock was wrong once. */
static bool is_younger(int64_t stored, int64_t wall, int64_t seconds)
{
	return stored <= wall + SKEW_SECONDS && stored >= wall - seconds;
}

bool pm_kds_is_fresh(
	const struct pm_kds_item *item, struct pm_view bytes, int64_t stored, int64_t wall)
{
	switch (item->kind) {
	case PM_KDS_VCEK:
		return is_unexpired(bytes, wall);
	case PM_KDS_CHAIN:
		return is_younger(stored, wall, PM_KDS_CHAIN_FRESH);
	case PM_KDS_CRL:
		return is_younger(stored, wall, PM_KDS_CRL_FRESH);
	}
	return false;
}
