/* SPDX-License-Identifier: Apache-2.0 */
#include "net/kds.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "net/http.h"

PM_OWNER(pm_kds, pm_kds_free);

/* --- clock and log --------------------------------------------------------------------------- */

static int64_t system_wall(void *arg)
{
	(void)arg;
	return time(NULL);
}

static int64_t system_ticks_ms(void *arg)
{
	struct timespec now = {0};

	(void)arg;
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void system_sleep_ms(void *arg, int64_t ms)
{
	struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

	(void)arg;
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static const struct pm_kds_clock system_clock = {
	.wall = system_wall,
	.ticks_ms = system_ticks_ms,
	.sleep_ms = system_sleep_ms,
};

void pm_kds_log(const struct pm_kds *kds, const char *format, ...)
{
	char text[PM_KDS_URL_MAX + PM_KDS_PATH_SIZE + 64];
	va_list args;

	if (!kds->log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kds->log(kds->log_arg, text);
}

/* --- the handle ------------------------------------------------------------------------------ */

/* Replaces a text of the handle by a copy; NULL clears it. */
static int set_text(char **text, const char *value, size_t len)
{
	char *copy = value ? strndup(value, len) : NULL;

	if (value && !copy)
		return PM_E_NOMEM;
	free(*text);
	*text = copy;
	return PM_OK;
}

int pm_kds_new(struct pm_kds **ret_kds)
{
	pm_cleanup(pm_kds) struct pm_kds *kds = NULL;
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	kds = pm_alloc(sizeof(*kds));
	if (!kds)
		return PM_E_NOMEM;
	/* With default attributes neither call can fail on Linux. */
	(void)pthread_mutex_init(&kds->lock, NULL);
	(void)pthread_cond_init(&kds->landed, NULL);
	kds->connect_ms = PM_KDS_CONNECT_MS;
	kds->total_ms = PM_KDS_TOTAL_MS;
	kds->attempts = PM_KDS_ATTEMPTS;
	kds->clock = system_clock;
	r = set_text(&kds->base_url, PM_KDS_URL, strlen(PM_KDS_URL));
	if (r < 0)
		return r;
	*ret_kds = pm_steal(kds);
	return PM_OK;
}

void pm_kds_free(struct pm_kds *kds)
{
	if (!kds)
		return;
	(void)pthread_cond_destroy(&kds->landed);
	(void)pthread_mutex_destroy(&kds->lock);
	free(kds->base_url);
	free(kds->cache);
	free(kds->ca_file);
	free(kds);
}

int pm_kds_set_base_url(struct pm_kds *kds, const char *url, struct pm_report *report)
{
	size_t len = strlen(url);
	int r;

	if (len > PM_KDS_URL_MAX)
		return pm_fail(report, PM_E_LIMIT, "url", "at most 255 bytes", "%zu", len);
	r = pm_http_check_base(url, report);
	if (r < 0)
		return r;
	while (len && url[len - 1] == '/')
		len--;
	return set_text(&kds->base_url, url, len);
}

int pm_kds_set_cache(struct pm_kds *kds, const char *path)
{
	bool none = !path || !path[0];

	return set_text(&kds->cache, none ? NULL : path, none ? 0 : strlen(path));
}

int pm_kds_set_mode(struct pm_kds *kds, enum pm_kds_mode mode)
{
	if (mode != PM_KDS_CACHE_FIRST && mode != PM_KDS_REFRESH && mode != PM_KDS_OFFLINE)
		return PM_E_ARG;
	kds->mode = mode;
	return PM_OK;
}

int pm_kds_set_ca_file(struct pm_kds *kds, const char *path)
{
	return set_text(&kds->ca_file, path, path ? strlen(path) : 0);
}

int pm_kds_set_timeouts(struct pm_kds *kds, uint32_t connect_ms, uint32_t total_ms)
{
	if (!connect_ms || connect_ms > PM_KDS_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	if (!total_ms || total_ms > PM_KDS_TIMEOUT_MAX_MS)
		return PM_E_ARG;
	kds->connect_ms = connect_ms;
	kds->total_ms = total_ms;
	return PM_OK;
}

int pm_kds_set_attempts(struct pm_kds *kds, unsigned int attempts)
{
	if (!attempts || attempts > PM_KDS_ATTEMPTS_MAX)
		return PM_E_ARG;
	kds->attempts = attempts;
	return PM_OK;
}

void pm_kds_set_log(struct pm_kds *kds, void (*log)(void *arg, const char *text), void *arg)
{
	kds->log = log;
	kds->log_arg = arg;
}

void pm_kds_set_clock(struct pm_kds *kds, const struct pm_kds_clock *clock)
{
	kds->clock = *clock;
}

/* --- the fetches ----------------------------------------------------------------------------- */

int pm_kds_vcek(struct pm_kds *kds, enum pm_snp_product product, const uint8_t *hwid,
	size_t hwid_len, const struct pm_snp_tcb *tcb, struct pm_report *report, uint8_t **ret_der,
	size_t *ret_len)
{
	struct pm_kds_item item;
	int r = pm_kds_item_vcek(product, pm_view(hwid, hwid_len), tcb, report, &item);

	return r < 0 ? r : pm_kds_share(kds, &item, report, ret_der, ret_len);
}

int pm_kds_chain(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	struct pm_report *report, uint8_t **ret_pem, size_t *ret_len)
{
	struct pm_kds_item item;
	int r = pm_kds_item_chain(product, signer, &item);

	return r < 0 ? r : pm_kds_share(kds, &item, report, ret_pem, ret_len);
}

int pm_kds_crl(struct pm_kds *kds, enum pm_snp_product product, enum pm_snp_signer signer,
	int64_t now, struct pm_report *report, uint8_t **ret_der, size_t *ret_len)
{
	struct pm_kds_item item;
	int r = pm_kds_item_crl(product, signer, now, &item);

	return r < 0 ? r : pm_kds_share(kds, &item, report, ret_der, ret_len);
}
