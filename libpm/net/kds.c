/* SPDX-License-Identifier: Apache-2.0 */
#include "net/kds.h"

#include <stdlib.h>

_Static_assert(PM_KDS_URL_MAX == PM_NET_URL_MAX && PM_KDS_CONNECT_MS == PM_NET_CONNECT_MS &&
		       PM_KDS_TOTAL_MS == PM_NET_TOTAL_MS &&
		       PM_KDS_TIMEOUT_MAX_MS == PM_NET_TIMEOUT_MAX_MS &&
		       PM_KDS_ATTEMPTS == PM_NET_ATTEMPTS &&
		       PM_KDS_ATTEMPTS_MAX == PM_NET_ATTEMPTS_MAX,
	"the header promises what the client does");
_Static_assert((int)PM_KDS_CACHE_FIRST == (int)PM_NET_CACHE_FIRST &&
		       (int)PM_KDS_REFRESH == (int)PM_NET_REFRESH &&
		       (int)PM_KDS_OFFLINE == (int)PM_NET_OFFLINE,
	"the header promises what the client does");

PM_OWNER(pm_kds, pm_kds_free);

int pm_kds_new(struct pm_kds **ret_kds)
{
	pm_cleanup(pm_kds) struct pm_kds *kds = pm_alloc(sizeof(*kds));
	int r;

	if (!kds)
		return PM_E_NOMEM;
	kds->service.name = "KDS";
	r = pm_net_init(&kds->net);
	if (r == PM_OK)
		r = pm_net_service_add(&kds->service, PM_KDS_URL, NULL, NULL);
	if (r == PM_OK)
		*ret_kds = pm_steal(kds);
	return r;
}

void pm_kds_free(struct pm_kds *kds)
{
	if (!kds)
		return;
	pm_net_clear(&kds->net);
	pm_net_service_clear(&kds->service);
	free(kds);
}

int pm_kds_set_base_url(struct pm_kds *kds, const char *url, struct pm_report *report)
{
	return pm_net_service_set(&kds->service, url, NULL, report);
}

int pm_kds_set_cache(struct pm_kds *kds, const char *path)
{
	return pm_net_set_cache(&kds->net, path);
}

int pm_kds_set_mode(struct pm_kds *kds, enum pm_kds_mode mode)
{
	return pm_net_set_mode(&kds->net, (int)mode);
}

int pm_kds_set_ca_file(struct pm_kds *kds, const char *path)
{
	return pm_net_set_ca_file(&kds->net, path);
}

int pm_kds_set_timeouts(struct pm_kds *kds, uint32_t connect_ms, uint32_t total_ms)
{
	return pm_net_set_timeouts(&kds->net, connect_ms, total_ms);
}

int pm_kds_set_attempts(struct pm_kds *kds, unsigned int attempts)
{
	return pm_net_set_attempts(&kds->net, attempts);
}

void pm_kds_set_log(struct pm_kds *kds, void (*log)(void *arg, const char *text), void *arg)
{
	kds->net.log = log;
	kds->net.log_arg = arg;
}

void pm_kds_set_clock(struct pm_kds *kds, const struct pm_net_clock *clock)
{
	kds->net.clock = *clock;
}

/* --- the fetches ----------------------------------------------------------------------------- */

int pm_kds_vcek(struct pm_kds *kds, enum pm_snp_product product, const uint8_t *hwid,
	size_t hwid_len, const struct pm_snp_tcb *tcb, struct pm_report *report, uint8_t **ret_der,
	size_t *ret_len)
{
	struct pm_net_item item = {.service = &kds->service};
	int r = pm_kds_item_vcek(product, pm_view(hwid, hwid_len), tcb, report, &item);

	return r < 0 ? r : pm_net_obtain(&kds->net, &item, report, ret_der, ret_len);
}

int pm_kds_chain(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	struct pm_report *report, uint8_t **ret_pem, size_t *ret_len)
{
	struct pm_net_item item = {.service = &kds->service};
	int r = pm_kds_item_chain(product, signer, &item);

	return r < 0 ? r : pm_net_obtain(&kds->net, &item, report, ret_pem, ret_len);
}

int pm_kds_crl(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	int64_t now, struct pm_report *report, uint8_t **ret_der, size_t *ret_len)
{
	struct pm_net_item item = {.service = &kds->service};
	int r = pm_kds_item_crl(product, signer, now, &item);

	return r < 0 ? r : pm_net_obtain(&kds->net, &item, report, ret_der, ret_len);
}
