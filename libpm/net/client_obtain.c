/* SPDX-License-Identifier: Apache-2.0 */
/* The cache before the servers, those before an old copy; and one request for many threads. */
#include "net/client.h"

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
	enum pm_net_age age;
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

/* By so much the clock of a file server may be ahead. */
#define SKEW_SECONDS 300

/* Stored in the future: no younger than what is old, since the clock was wrong once. */
enum pm_net_age pm_net_age_by_time(int64_t stored, int64_t wall, int64_t seconds)
{
	bool fresh = stored <= wall + SKEW_SECONDS && stored >= wall - seconds;

	return fresh ? PM_NET_FRESH : PM_NET_OLD;
}

static void look_up(
	const struct pm_net_client *net, const struct pm_net_item *item, struct copy *ret)
{
	pm_cleanup(copy) struct copy copy = {0};
	struct pm_view bytes;
	int64_t stored;

	if (!net->cache || item->not_cached || net->mode == PM_NET_REFRESH)
		return;
	if (pm_disk_cache_read(
		    net->cache, item->name, item->kind->max, &copy.bytes, &copy.len, &stored) < 0)
		return;
	bytes = pm_view(copy.bytes, copy.len);
	if (item->kind->check_bytes(item, bytes, NULL) < 0)
		return;
	copy.age = item->kind->age(item, bytes, stored, net->clock.wall(net->clock.arg));
	*ret = copy;
	copy.bytes = NULL;
}

static void store(
	const struct pm_net_client *net, const struct pm_net_item *item, struct pm_view bytes)
{
	if (!net->cache || item->not_cached)
		return;
	if (pm_disk_cache_write(net->cache, item->name, bytes) < 0)
		pm_net_log(net, "can't write to the cache %s: %s", net->cache, strerror(errno));
}

static int obtain(const struct pm_net_client *net, const struct pm_net_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len)
{
	pm_cleanup(copy) struct copy copy = {0};
	int r;

	look_up(net, item, &copy);
	if (copy.bytes && (copy.age == PM_NET_FRESH || net->mode == PM_NET_OFFLINE))
		return hand_out(&copy, ret, ret_len);
	if (net->mode == PM_NET_OFFLINE)
		return pm_fail(report, PM_E_MISSING, item->kind->check, "in the cache",
			"not there, and offline");
	r = pm_net_download(net, item, report, ret, ret_len);
	if (r == PM_OK) {
		store(net, item, pm_view(*ret, *ret_len));
		return PM_OK;
	}
	if (!copy.bytes || copy.age == PM_NET_USELESS || r == PM_E_NOMEM)
		return r;
	pm_net_log(net, "using an old copy of %s: %s", item->name, pm_strerror(r));
	return hand_out(&copy, ret, ret_len);
}

/* --- one request for many threads ------------------------------------------------------------ */

/* A fetch under way. The thread that began it writes the outcome; the others wait for it. */
struct pm_net_flight {
	struct pm_net_flight *next;
	const struct pm_net_item *item; /* of the thread that began */
	struct pm_report *report;
	size_t users;
	bool landed;
	int result;
	uint8_t *bytes;
	size_t len;
};

static void flight_free(struct pm_net_flight *flight)
{
	if (!flight)
		return;
	pm_report_free(flight->report);
	free(flight->bytes);
	free(flight);
}

PM_OWNER(pm_net_flight, flight_free);

static struct pm_net_flight *flight_new(const struct pm_net_item *item)
{
	pm_cleanup(pm_net_flight) struct pm_net_flight *flight = pm_alloc(sizeof(*flight));

	if (!flight)
		return NULL;
	flight->item = item;
	flight->report = pm_report_new();
	return flight->report ? pm_steal(flight) : NULL;
}

static bool same_item(const struct pm_net_item *a, const struct pm_net_item *b)
{
	return a->kind == b->kind && a->now == b->now && !strcmp(a->name, b->name);
}

/* The flight of the item, with one user more; *ret_began when it is ours. NULL without memory. */
static struct pm_net_flight *join(
	struct pm_net_client *net, const struct pm_net_item *item, bool *ret_began)
{
	struct pm_net_flight *flight;

	pthread_mutex_lock(&net->lock);
	for (flight = net->flights; flight; flight = flight->next) {
		if (same_item(flight->item, item))
			break;
	}
	*ret_began = !flight;
	if (!flight) {
		flight = flight_new(item);
		if (flight) {
			flight->next = net->flights;
			net->flights = flight;
		}
	}
	if (flight)
		flight->users++;
	pthread_mutex_unlock(&net->lock);
	return flight;
}

/* Off the list: who comes now begins anew. The waiting threads hold it still. */
static void land(struct pm_net_client *net, struct pm_net_flight *flight)
{
	struct pm_net_flight **at = &net->flights;

	pthread_mutex_lock(&net->lock);
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->landed = true;
	pthread_cond_broadcast(&net->landed);
	pthread_mutex_unlock(&net->lock);
}

static void wait_for(struct pm_net_client *net, struct pm_net_flight *flight)
{
	pthread_mutex_lock(&net->lock);
	while (!flight->landed)
		pthread_cond_wait(&net->landed, &net->lock);
	pthread_mutex_unlock(&net->lock);
}

static void leave(struct pm_net_client *net, struct pm_net_flight *flight)
{
	bool last;

	pthread_mutex_lock(&net->lock);
	last = --flight->users == 0;
	pthread_mutex_unlock(&net->lock);
	if (last)
		flight_free(flight);
}

/* What the flight brought, for one of its users. */
static int unload(const struct pm_net_flight *flight, struct pm_report *report, uint8_t **ret,
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

int pm_net_obtain(struct pm_net_client *net, const struct pm_net_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len)
{
	bool began;
	struct pm_net_flight *flight = join(net, item, &began);
	int r;

	if (!flight)
		return PM_E_NOMEM;
	if (began) {
		flight->result = obtain(net, item, flight->report, &flight->bytes, &flight->len);
		land(net, flight);
	} else {
		pm_net_log(net, "waiting for another thread that asks for %s", item->name);
		wait_for(net, flight);
	}
	r = unload(flight, report, ret, ret_len);
	leave(net, flight);
	return r;
}
