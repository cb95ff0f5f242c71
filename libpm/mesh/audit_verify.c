/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of an audit log: is each entry where it was written, and is none lacking? */
#include <stdio.h>

#include "mesh/audit.h"

#define LINE_NAME_SIZE 32

/* What the lines so far say, and what they must come to. */
struct walk {
	const struct pm_sign_public *key;
	const char *log;
	const struct pm_audit_head *seen; /* NULL or of an entry */
	struct pm_report *report;
	size_t lines;
	size_t earlier; /* times before that of the entry before */
	struct pm_audit_head head;
};

/* Where the first line may stand: it continues what the caller knows. */
static int check_first(const struct walk *w, const char *name, const struct pm_audit_entry *entry)
{
	static const uint8_t zeros[PM_AUDIT_HASH_SIZE];
	uint64_t known = w->seen ? w->seen->entries : 0;
	char expected[48];

	snprintf(expected, sizeof(expected), "entry %llu or one before",
		(unsigned long long)known + 1);
	if (entry->sequence > known + 1)
		return pm_fail(w->report, PM_E_MISSING, name, expected, "entry %llu",
			(unsigned long long)entry->sequence);
	if (entry->sequence == 1 && !pm_ct_equal(entry->previous, zeros, sizeof(zeros)))
		return pm_fail(
			w->report, PM_E_REJECTED, name, "zeros before the first entry", "a hash");
	if (w->seen && entry->sequence == known + 1)
		return pm_check_bytes(w->report, "audit.fork", w->seen->hash, entry->previous,
			sizeof(entry->previous));
	return PM_OK;
}

static int check_next(const struct walk *w, const char *name, const struct pm_audit_entry *entry)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "entry %llu", (unsigned long long)w->head.entries + 1);
	if (entry->sequence != w->head.entries + 1)
		return pm_fail(w->report, PM_E_REJECTED, name, expected, "entry %llu",
			(unsigned long long)entry->sequence);
	if (!pm_ct_equal(entry->previous, w->head.hash, sizeof(entry->previous)))
		return pm_fail(
			w->report, PM_E_REJECTED, name, "the hash of the entry before", "another");
	return PM_OK;
}

static int check_line(struct walk *w, struct pm_view line)
{
	char name[LINE_NAME_SIZE];
	struct pm_audit_entry entry;
	int r;

	snprintf(name, sizeof(name), "line %zu", w->lines + 1);
	r = pm_audit_entry_read(name, line, w->report, &entry);
	if (r == PM_OK)
		r = pm_audit_entry_check(name, &entry, w->log, w->key, w->report);
	if (r == PM_OK)
		r = w->lines ? check_next(w, name, &entry) : check_first(w, name, &entry);
	if (r == PM_OK && w->seen && entry.sequence == w->seen->entries)
		r = pm_check_bytes(
			w->report, "audit.fork", w->seen->hash, entry.hash, sizeof(entry.hash));
	if (r < 0)
		return r;
	w->earlier += w->lines && entry.time < w->head.time;
	w->lines++;
	w->head = (struct pm_audit_head){.entries = entry.sequence, .time = entry.time};
	pm_copy(w->head.hash, entry.hash, sizeof(entry.hash));
	return PM_OK;
}

static int check_end(const struct walk *w)
{
	char expected[48];

	if (!w->lines)
		return pm_fail(w->report, PM_E_FORMAT, "audit", "a line at least", "none");
	if (w->seen && w->head.entries < w->seen->entries) {
		snprintf(expected, sizeof(expected), "%llu entries or more",
			(unsigned long long)w->seen->entries);
		return pm_fail(w->report, PM_E_REJECTED, "audit.rollback", expected, "%llu",
			(unsigned long long)w->head.entries);
	}
	pm_pass(w->report, "audit", "%zu entries up to %llu", w->lines,
		(unsigned long long)w->head.entries);
	if (w->earlier)
		pm_skip(w->report, "audit.time", "%zu entries are earlier than the one before",
			w->earlier);
	return PM_OK;
}

static struct pm_view take_line(struct pm_view *text)
{
	const uint8_t *newline = memchr(text->ptr, '\n', text->len);
	size_t len = newline ? (size_t)(newline - text->ptr) + 1 : text->len;
	struct pm_view line = pm_view(text->ptr, len);

	*text = pm_view(text->ptr + len, text->len - len);
	return line;
}

int pm_audit_verify(const void *bytes, size_t size, const struct pm_sign_public *key,
	const char *name, const struct pm_audit_head *seen, struct pm_report *report,
	struct pm_audit_head *ret_head)
{
	struct walk w = {.key = key, .log = name, .report = report};
	struct pm_view text = pm_view(bytes, size);
	int r = PM_OK;

	if (seen && seen->entries)
		w.seen = seen;
	if (size > PM_AUDIT_SIZE_MAX)
		return pm_fail(report, PM_E_LIMIT, "audit", "at most 64 MiB", "%zu bytes", size);
	while (r == PM_OK && text.len)
		r = check_line(&w, take_line(&text));
	if (r == PM_OK)
		r = check_end(&w);
	if (r < 0)
		return r;
	*ret_head = w.head;
	return PM_OK;
}
