/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of a deployment's manifests: links, and what makes one follow another. */
#include "policy/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wr.h"

#define HASH_LABEL "libpm history hash v1"

_Static_assert(sizeof(HASH_LABEL) == sizeof(PM_HISTORY_SIGN_LABEL), "labels of one length");
_Static_assert(PM_HISTORY_BODY_SIZE == sizeof(HASH_LABEL) + 8 + 32 + 32 + 8, "the body's fields");

void pm_history_body(const char *label, const struct pm_history_link *link, uint8_t *ret_body)
{
	struct pm_wr wr = pm_wr(ret_body, PM_HISTORY_BODY_SIZE);

	pm_wr_bytes(&wr, pm_view(label, sizeof(HASH_LABEL)));
	pm_wr_be64(&wr, link->serial);
	pm_wr_bytes(&wr, pm_view(link->manifest, sizeof(link->manifest)));
	pm_wr_bytes(&wr, pm_view(link->previous, sizeof(link->previous)));
	pm_wr_be64(&wr, (uint64_t)link->time);
}

int pm_history_hash(struct pm_history_link *link)
{
	uint8_t body[PM_HISTORY_BODY_SIZE];

	pm_history_body(HASH_LABEL, link, body);
	return pm_hash(PM_SHA256, pm_view(body, sizeof(body)), link->hash);
}

int pm_history_new(struct pm_history **ret_history)
{
	struct pm_history *history = pm_alloc(sizeof(*history));

	if (!history)
		return PM_E_NOMEM;
	*ret_history = history;
	return PM_OK;
}

void pm_history_free(struct pm_history *history)
{
	if (history)
		free(history->links);
	free(history);
}

size_t pm_history_count(const struct pm_history *history)
{
	return history->count;
}

const struct pm_history_link *pm_history_at(const struct pm_history *history, size_t index)
{
	return index < history->count ? &history->links[index] : NULL;
}

/* --- growing --------------------------------------------------------------------------------- */

static int make_room(struct pm_history *history, struct pm_report *report)
{
	size_t room = history->room ? 2 * history->room : 16;
	struct pm_history_link *grown;

	if (history->count == PM_HISTORY_LINKS_MAX)
		return pm_fail(report, PM_E_LIMIT, "history", "at most 4096 links", "more");
	if (history->count < history->room)
		return PM_OK;
	grown = realloc(history->links, room * sizeof(*grown));
	if (!grown)
		return PM_E_NOMEM;
	history->links = grown;
	history->room = room;
	return PM_OK;
}

static int check_serial(uint64_t found, uint64_t expected, struct pm_report *report)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)expected);
	if (found != expected)
		return pm_fail(report, PM_E_REJECTED, "history.serial", text, "%llu",
			(unsigned long long)found);
	return PM_OK;
}

static int check_follows(const struct pm_history_link *last, const struct pm_history_link *link,
	struct pm_report *report)
{
	int r = check_serial(link->serial, last->serial + 1, report);

	if (r < 0)
		return r;
	if (!pm_ct_equal(link->previous, last->hash, sizeof(last->hash)))
		return pm_fail(report, PM_E_REJECTED, "history.previous",
			"the hash of the link before", "another");
	if (link->time < last->time)
		return pm_fail(report, PM_E_REJECTED, "history.time",
			"none before that of the link before", "an earlier one");
	return PM_OK;
}

/* The first link has nothing before it, and no other link has that. */
static int check_first(const struct pm_history_link *link, struct pm_report *report)
{
	bool zero = pm_is_zero(link->previous, sizeof(link->previous));

	if (zero != (link->serial == 1))
		return pm_fail(report, PM_E_REJECTED, "history.previous",
			"zeros for serial 1, else the hash of the link before", "%s",
			zero ? "zeros" : "a hash");
	return PM_OK;
}

int pm_history_add(
	struct pm_history *history, const struct pm_history_link *link, struct pm_report *report)
{
	int r = check_first(link, report);

	if (r == PM_OK && history->count)
		r = check_follows(&history->links[history->count - 1], link, report);
	if (r == PM_OK)
		r = make_room(history, report);
	if (r < 0)
		return r;
	history->links[history->count++] = *link;
	return PM_OK;
}

/* --- appending ------------------------------------------------------------------------------- */

/* The manifest names the one of the last link, as its owners saw it. */
static int check_manifest(const struct pm_history_link *last, const struct pm_manifest *manifest,
	struct pm_report *report)
{
	int r = check_serial(manifest->serial, last ? last->serial + 1 : 1, report);

	if (r < 0 || !last)
		return r;
	return pm_check_bytes(report, "manifest.previous", last->manifest, manifest->previous,
		sizeof(last->manifest));
}

static int sign_link(const struct pm_sign_key *key, struct pm_history_link *link)
{
	uint8_t body[PM_HISTORY_BODY_SIZE];

	pm_history_body(PM_HISTORY_SIGN_LABEL, link, body);
	return pm_sign(key, pm_view(body, sizeof(body)), link->signature, &link->signature_size);
}

int pm_history_append(struct pm_history *history, const struct pm_manifest *manifest,
	const struct pm_sign_key *key, int64_t now, struct pm_report *report)
{
	const struct pm_history_link *last =
		history->count ? &history->links[history->count - 1] : NULL;
	struct pm_history_link link = {.serial = manifest->serial, .time = now};
	int r = check_manifest(last, manifest, report);

	if (r < 0)
		return r;
	pm_manifest_hash(manifest, link.manifest);
	if (last)
		pm_copy(link.previous, last->hash, sizeof(link.previous));
	r = pm_history_hash(&link);
	if (r == PM_OK)
		r = sign_link(key, &link);
	return r < 0 ? r : pm_history_add(history, &link, report);
}
