/* SPDX-License-Identifier: Apache-2.0 */
/* The cache before the service, that before an old copy; and one request for many threads. */
#include "net/kds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "net/disk_cache.h"

/* --- cache and service ----------------------------------------------------------------------- */

/* What the cache has. No bytes: nothing that could be handed out. */
struct copy {
	uint8_t *bytes;
	size_t len;
	bool fresh;
};

static inline void pm_cleanup_copy(struct copy *copy)
{
	free(copy->bytes);
}

static int hand_out(struct copy *copy, uint8_t **ret, size_t *ret_len)
{
	*ret = pm_steal(copy->bytes);
	*ret_len = copy->len;
	return PM_OK;
}

static void look_up(const struct pm_kds *kds, const struct pm_kds_item *item, struct copy *ret)
{
	pm_cleanup(copy) struct copy copy = {0};
	struct pm_view bytes;
	int64_t stored;

	if (!kds->cache || kds->mode == PM_KDS_REFRESH)
		return;
	if (pm_disk_cache_read(kds->cache, item->name, item->max, &copy.bytes, &copy.len, &stored) <
		0)
		return;
	bytes = pm_view(copy.bytes, copy.len);
	if (pm_kds_check(item, bytes, NULL) < 0)
		return;
	copy.fresh = pm_kds_is_fresh(item, bytes, stored, kds->clock.wall(kds->clock.arg));
	*ret = copy;
	copy.bytes = NULL;
}

static void store(const struct pm_kds *kds, const struct pm_kds_item *item, struct pm_view bytes)
{
	if (!kds->cache)
		return;
	if (pm_disk_cache_write(kds->cache, item->name, bytes) < 0)
		pm_kds_log(kds, "can't write to the cache %s: %s", kds->cache, strerror(errno));
}

int pm_kds_obtain(const struct pm_kds *kds, const struct pm_kds_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len)
{
	pm_cleanup(copy) struct copy copy = {0};
	int r;

	look_up(kds, item, &copy);
	if (copy.bytes && (copy.fresh || kds->mode == PM_KDS_OFFLINE))
		return hand_out(&copy, ret, ret_len);
	if (kds->mode == PM_KDS_OFFLINE)
		return pm_fail(report, PM_E_MISSING, item->check, "in the cache",
			"not there, and offline");
	r = pm_kds_download(kds, item, report, ret, ret_len);
	if (r == PM_OK) {
		store(kds, item, pm_view(*ret, *ret_len));
		return PM_OK;
	}
	if (!copy.bytes || r == PM_E_NOMEM)
		return r;
	pm_kds_log(kds, "using an old copy of %s: %s", item->name, pm_strerror(r));
	return hand_out(&copy, ret, ret_len);
}

/* --- one request for many threads ------------------------------------------------------------ */

/* A fetch under way. The thread that began it writes the outcome; the others wait for it. */
struct pm_kds_flight {
	struct pm_kds_flight *next;
	const struct pm_kds_item *item; /* of the thread that began */
	struct pm_report *report;
	size_t users;
	bool landed;
	int result;
	uint8_t *bytes;
	size_t len;
};

static void flight_free(struct pm_kds_flight *flight)
{
	if (!flight)
		return;
	pm_report_free(flight->report);
	free(flight->bytes);
	free(flight);
}

PM_OWNER(pm_kds_flight, flight_free);

static struct pm_kds_flight *flight_new(const struct pm_kds_item *item)
{
	pm_cleanup(pm_kds_flight) struct pm_kds_flight *flight = pm_alloc(sizeof(*flight));

	if (!flight)
		return NULL;
	flight->item = item;
	flight->report = pm_report_new();
	return flight->report ? pm_steal(flight) : NULL;
}

static bool same_item(const struct pm_kds_item *a, const struct pm_kds_item *b)
{
	return a->kind == b->kind && a->now == b->now && !strcmp(a->name, b->name);
}

/* The flight of the item, with one user more; *ret_began when it is ours. NULL without memory. */
static struct pm_kds_flight *join(
	struct pm_kds *kds, const struct pm_kds_item *item, bool *ret_began)
{
	struct pm_kds_flight *flight;

	pthread_mutex_lock(&kds->lock);
	for (flight = kds->flights; flight; flight = flight->next) {
		if (same_item(flight->item, item))
			break;
	}
	*ret_began = !flight;
	if (!flight) {
		flight = flight_new(item);
		if (flight) {
			flight->next = kds->flights;
			kds->flights = flight;
		}
	}
	if (flight)
		flight->users++;
	pthread_mutex_unlock(&kds->lock);
	return flight;
}

/* Off the list: who comes now begins anew. The waiting threads hold it still. */
static void land(struct pm_kds *kds, struct pm_kds_flight *flight)
{
	struct pm_kds_flight **at = &kds->flights;

	pthread_mutex_lock(&kds->lock);
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->landed = true;
	pthread_cond_broadcast(&kds->landed);
	pthread_mutex_unlock(&kds->lock);
}

static void wait_for(struct pm_kds *kds, struct pm_kds_flight *flight)
{
	pthread_mutex_lock(&kds->lock);
	while (!flight->landed)
		pthread_cond_wait(&kds->landed, &kds->lock);
	pthread_mutex_unlock(&kds->lock);
}

static void leave(struct pm_kds *kds, struct pm_kds_flight *flight)
{
	bool last;

	pthread_mutex_lock(&kds->lock);
	last = --flight->users == 0;
	pthread_mutex_unlock(&kds->lock);
	if (last)
		flight_free(flight);
}

/* What the flight brought, for one of its users. */
static int unload(const struct pm_kds_flight *flight, struct pm_report *report, uint8_t **ret,
	size_t *ret_len)
{
	const struct pm_check *why = pm_report_failure(flight->report);
	uint8_t *bytes;

	if (flight->result < 0 && why)
		return pm_fail(report, flight->result, why->name, why->expected, "%s", why->found);
	if (flight->result < 0)
		return flight->result;
	bytes = pm_dup(pm_view(flight->bytes, flight->len));
	if (!bytes)
		return PM_E_NOMEM;
	*ret = bytes;
	*ret_len = flight->len;
	return PM_OK;
}

int pm_kds_share(struct pm_kds *kds, const struct pm_kds_item *item, struct pm_report *report,
	uint8_t **ret, size_t *ret_len)
{
	bool began;
	struct pm_kds_flight *flight = join(kds, item, &began);
	int r;

	if (!flight)
		return PM_E_NOMEM;
	if (began) {
		flight->result =
			pm_kds_obtain(kds, item, flight->report, &flight->bytes, &flight->len);
		land(kds, flight);
	} else {
		pm_kds_log(kds, "waiting for another thread that asks for %s", item->name);
		wait_for(kds, flight);
	}
	r = unload(flight, report, ret, ret_len);
	leave(kds, flight);
	return r;
}
