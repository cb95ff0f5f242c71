/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of all other files of this folder where libcurl is missing: the same symbols. */
#include <pm/kds.h>

#include <stdlib.h>

#include "base/report.h"

/* Without a connection a handle has no settings worth keeping. */
struct pm_kds {
	char unused;
};

static int refuse(struct pm_report *report)
{
	return pm_fail(report, PM_E_UNSUPPORTED, "kds", "a library with libcurl", "built without");
}

int pm_kds_new(struct pm_kds **ret_kds)
{
	struct pm_kds *kds = pm_alloc(sizeof(*kds));

	if (!kds)
		return PM_E_NOMEM;
	*ret_kds = kds;
	return PM_OK;
}

void pm_kds_free(struct pm_kds *kds)
{
	free(kds);
}

int pm_kds_set_base_url(struct pm_kds *kds, const char *url, struct pm_report *report)
{
	(void)kds;
	(void)url;
	return refuse(report);
}

int pm_kds_set_cache(struct pm_kds *kds, const char *path)
{
	(void)kds;
	(void)path;
	return PM_OK;
}

int pm_kds_set_mode(struct pm_kds *kds, enum pm_kds_mode mode)
{
	(void)kds;
	if (mode != PM_KDS_CACHE_FIRST && mode != PM_KDS_REFRESH && mode != PM_KDS_OFFLINE)
		return PM_E_ARG;
	return PM_OK;
}

int pm_kds_set_ca_file(struct pm_kds *kds, const char *path)
{
	(void)kds;
	(void)path;
	return PM_OK;
}

int pm_kds_set_timeouts(struct pm_kds *kds, uint32_t connect_ms, uint32_t total_ms)
{
	(void)kds;
	if (!connect_ms || connect_ms > PM_KDS_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	return total_ms && total_ms <= PM_KDS_TIMEOUT_MAX_MS ? PM_OK : PM_E_ARG;
}

int pm_kds_set_attempts(struct pm_kds *kds, unsigned int attempts)
{
	(void)kds;
	return attempts && attempts <= PM_KDS_ATTEMPTS_MAX ? PM_OK : PM_E_ARG;
}

void pm_kds_set_log(struct pm_kds *kds, void (*log)(void *arg, const char *text), void *arg)
{
	(void)kds;
	(void)log;
	(void)arg;
}

int pm_kds_vcek(struct pm_kds *kds, enum pm_snp_product product, const uint8_t *hwid,
	size_t hwid_len, const struct pm_snp_tcb *tcb, struct pm_report *report, uint8_t **ret_der,
	size_t *ret_len)
{
	(void)kds;
	(void)product;
	(void)hwid;
	(void)hwid_len;
	(void)tcb;
	(void)ret_der;
	(void)ret_len;
	return refuse(report);
}

int pm_kds_chain(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	struct pm_report *report, uint8_t **ret_pem, size_t *ret_len)
{
	(void)kds;
	(void)product;
	(void)signer;
	(void)ret_pem;
	(void)ret_len;
	return refuse(report);
}

int pm_kds_crl(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	int64_t now, struct pm_report *report, uint8_t **ret_der, size_t *ret_len)
{
	(void)kds;
	(void)product;
	(void)signer;
	(void)now;
	(void)ret_der;
	(void)ret_len;
	return refuse(report);
}
