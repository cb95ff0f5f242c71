/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/trust.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "pm-client/client.h"

void trust_init(struct trust_slot *slot)
{
	pthread_mutex_init(&slot->lock, NULL);
	slot->now = NULL;
}

void trust_unref(struct trust *trust)
{
	if (!trust || atomic_fetch_sub(&trust->users, 1) != 1)
		return;
	pm_session_free(trust->session);
	pm_manifest_free(trust->manifest);
	free(trust);
}

void trust_done(struct trust_slot *slot)
{
	trust_unref(slot->now);
	pthread_mutex_destroy(&slot->lock);
}

struct trust *trust_get(struct trust_slot *slot)
{
	struct trust *trust;

	pthread_mutex_lock(&slot->lock);
	trust = slot->now;
	if (trust)
		atomic_fetch_add(&trust->users, 1);
	pthread_mutex_unlock(&slot->lock);
	return trust;
}

/* The slot's reference moves to the new one. */
static void put(struct trust_slot *slot, struct trust *trust)
{
	struct trust *before;

	pthread_mutex_lock(&slot->lock);
	before = slot->now;
	slot->now = trust;
	pthread_mutex_unlock(&slot->lock);
	trust_unref(before);
}

/* Whoever has no memory file is shown no older manifest either, while this process lives. */
static int follows(const char *path, const struct pm_manifest *next, const struct trust *before)
{
	uint8_t a[PM_MANIFEST_HASH_SIZE], b[PM_MANIFEST_HASH_SIZE];
	uint64_t old, new;

	if (!before)
		return 0;
	old = pm_manifest_serial(before->manifest);
	new = pm_manifest_serial(next);
	pm_manifest_hash(before->manifest, a);
	pm_manifest_hash(next, b);
	if (new > old || (new == old && !memcmp(a, b, sizeof(a))))
		return 0;
	warnx("%s: its number is %llu, which does not follow %llu", path, (unsigned long long)new,
		(unsigned long long)old);
	return 1;
}

static int make_session(const struct client_options *o, struct trust *trust)
{
	struct pm_report *report = pm_report_new();
	int r = report ? pm_session_new(
				 o->worker, trust->manifest, &o->session, report, &trust->session)
		       : PM_E_NOMEM;

	if (r < 0)
		warnx("%s: %s: %s", o->manifest, pm_strerror(r),
			report ? pm_report_reason(report) : "");
	pm_report_free(report);
	return r < 0 ? 2 : 0;
}

int trust_read(const struct client_options *o, struct trust_slot *slot)
{
	struct trust *trust = calloc(1, sizeof(*trust)), *before = trust_get(slot);
	int r = 2;

	if (trust) {
		atomic_init(&trust->users, 1);
		r = read_manifest(o, &trust->manifest);
	}
	if (r == 0)
		r = follows(o->manifest, trust->manifest, before);
	if (r == 0)
		r = make_session(o, trust);
	trust_unref(before);
	if (r == 0)
		put(slot, trust);
	else
		trust_unref(trust);
	return r;
}
