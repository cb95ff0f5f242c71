/* SPDX-License-Identifier: Apache-2.0 */
/* The decisions of a client that remembers: is this where the deployment has come to? */
#include <stdio.h>

#include "policy/history.h"

static int check_link(const struct pm_history_link *link, const struct pm_sign_public *key,
	struct pm_report *report)
{
	uint8_t body[PM_HISTORY_BODY_SIZE];
	int r;

	pm_history_body(PM_HISTORY_SIGN_LABEL, link, body);
	r = pm_sign_verify(
		key, pm_view(body, sizeof(body)), pm_view(link->signature, link->signature_size));
	if (r == PM_E_REJECTED)
		return pm_fail(report, r, "history.signature", "one of the coordinator",
			"another under serial %llu", (unsigned long long)link->serial);
	return r;
}

static int check_signatures(const struct pm_history *history, const struct pm_sign_public *key,
	struct pm_report *report)
{
	for (size_t i = 0; i < history->count; i++) {
		int r = check_link(&history->links[i], key, report);

		if (r < 0)
			return r;
	}
	if (history->count)
		pm_pass(report, "history.signature", "%zu links", history->count);
	return PM_OK;
}

/* What the manifest before the last is known to be, or NULL. */
static const uint8_t *before_last(const struct pm_history *history, const struct pm_memory *memory)
{
	if (history->count > 1)
		return history->links[history->count - 2].manifest;
	if (memory && memory->serial + 1 == history->links[0].serial)
		return memory->manifest;
	return NULL;
}

/*
 * The manifest is that of the last link, in the place that its owners signed: under a new link an
 * old manifest would be a rollback.
 */
static int check_end(const struct pm_history *history, const struct pm_manifest *manifest,
	const struct pm_memory *memory, struct pm_report *report)
{
	const struct pm_history_link *last = &history->links[history->count - 1];
	const uint8_t *before = before_last(history, memory);
	char expected[32];
	int r = pm_check_bytes(
		report, "history.manifest", last->manifest, manifest->hash, sizeof(last->manifest));

	if (r < 0)
		return r;
	snprintf(expected, sizeof(expected), "%llu", (unsigned long long)last->serial);
	if (manifest->serial != last->serial)
		return pm_fail(report, PM_E_REJECTED, "manifest.serial", expected, "%llu",
			(unsigned long long)manifest->serial);
	if (!before)
		return PM_OK;
	return pm_check_bytes(
		report, "manifest.previous", before, manifest->previous, PM_MANIFEST_HASH_SIZE);
}

/* --- what is remembered ---------------------------------------------------------------------- */

static int check_rollback(uint64_t serial, const struct pm_memory *memory, struct pm_report *report)
{
	char expected[48];

	snprintf(expected, sizeof(expected), "%llu or more", (unsigned long long)memory->serial);
	if (serial < memory->serial)
		return pm_fail(report, PM_E_REJECTED, "memory.rollback", expected, "serial %llu",
			(unsigned long long)serial);
	pm_pass(report, "memory.rollback", "serial %llu, %llu was seen", (unsigned long long)serial,
		(unsigned long long)memory->serial);
	return PM_OK;
}

static int check_fork(const uint8_t *remembered, const uint8_t *found, struct pm_report *report)
{
	return pm_check_bytes(report, "memory.fork", remembered, found, PM_MANIFEST_HASH_SIZE);
}

static int missing(const struct pm_memory *memory, struct pm_report *report)
{
	char expected[48];

	snprintf(expected, sizeof(expected), "what followed serial %llu",
		(unsigned long long)memory->serial);
	return pm_fail(report, PM_E_MISSING, "memory", expected, "a later beginning");
}

/* The history has the link that is remembered, or begins right behind it. */
static int check_memory(
	const struct pm_history *history, const struct pm_memory *memory, struct pm_report *report)
{
	const struct pm_history_link *first = &history->links[0];
	const struct pm_history_link *last = &history->links[history->count - 1], *same;
	int r = check_rollback(last->serial, memory, report);

	if (r < 0)
		return r;
	if (memory->has_link && first->serial == memory->serial + 1)
		return check_fork(memory->link, first->previous, report);
	if (first->serial > memory->serial)
		return missing(memory, report);
	same = &history->links[memory->serial - first->serial];
	r = check_fork(memory->manifest, same->manifest, report);
	if (r == PM_OK && memory->has_link)
		r = check_fork(memory->link, same->hash, report);
	return r;
}

static int check_begin(const struct pm_history *history, struct pm_report *report)
{
	if (history->links[0].serial != 1)
		return pm_fail(report, PM_E_MISSING, "history.begin", "serial 1", "serial %llu",
			(unsigned long long)history->links[0].serial);
	pm_skip(report, "memory", "nothing is remembered");
	return PM_OK;
}

int pm_history_compare(const struct pm_history *history, const struct pm_manifest *manifest,
	const struct pm_memory *memory, struct pm_report *report, struct pm_memory *ret_memory)
{
	const struct pm_history_link *last;
	int r;

	if (!history->count)
		return pm_fail(report, PM_E_REJECTED, "history", "a link at least", "none");
	last = &history->links[history->count - 1];
	r = check_end(history, manifest, memory, report);
	if (r == PM_OK)
		r = memory ? check_memory(history, memory, report) : check_begin(history, report);
	if (r < 0)
		return r;
	*ret_memory = (struct pm_memory){.serial = last->serial, .has_link = true};
	pm_copy(ret_memory->manifest, last->manifest, sizeof(last->manifest));
	pm_copy(ret_memory->link, last->hash, sizeof(last->hash));
	return PM_OK;
}

int pm_history_verify(const struct pm_history *history, const struct pm_sign_public *key,
	const struct pm_manifest *manifest, const struct pm_memory *memory,
	struct pm_report *report, struct pm_memory *ret_memory)
{
	int r = check_signatures(history, key, report);

	return r < 0 ? r : pm_history_compare(history, manifest, memory, report, ret_memory);
}

static int check_successor(const struct pm_memory *memory, const struct pm_manifest *manifest,
	struct pm_report *report)
{
	int r = check_rollback(manifest->serial, memory, report);

	if (r < 0)
		return r;
	if (manifest->serial == memory->serial)
		return check_fork(memory->manifest, manifest->hash, report);
	if (manifest->serial == memory->serial + 1)
		return check_fork(memory->manifest, manifest->previous, report);
	return missing(memory, report);
}

int pm_memory_check(const struct pm_memory *memory, const struct pm_manifest *manifest,
	struct pm_report *report, struct pm_memory *ret_memory)
{
	struct pm_memory next = {.serial = manifest->serial};
	int r = memory ? check_successor(memory, manifest, report) : PM_OK;

	if (r < 0)
		return r;
	if (!memory)
		pm_skip(report, "memory", "nothing is remembered");
	if (memory && memory->serial == manifest->serial)
		next = *memory; /* with its link */
	pm_manifest_hash(manifest, next.manifest);
	*ret_memory = next;
	return PM_OK;
}
