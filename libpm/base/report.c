/* SPDX-License-Identifier: Apache-2.0 */
#include "base/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"

/* Long enough for 64 bytes in hexadecimal and a few words, and for the URL of a VCEK. */
#define TEXT_SIZE 256

struct entry {
	struct pm_check check;
	char expected[TEXT_SIZE];
	char found[TEXT_SIZE];
};

struct pm_report {
	size_t count;
	size_t failure; /* index of the first failure + 1, or 0 */
	char reason[2 * TEXT_SIZE + 96];
	struct entry entries[PM_REPORT_CHECKS_MAX];
};

struct pm_report *pm_report_new(void)
{
	return pm_alloc(sizeof(struct pm_report));
}

void pm_report_free(struct pm_report *report)
{
	free(report);
}

void pm_report_reset(struct pm_report *report)
{
	report->count = 0;
	report->failure = 0;
	report->reason[0] = '\0';
}

size_t pm_report_count(const struct pm_report *report)
{
	return report->count;
}

const struct pm_check *pm_report_at(const struct pm_report *report, size_t index)
{
	return index < report->count ? &report->entries[index].check : NULL;
}

const struct pm_check *pm_report_failure(const struct pm_report *report)
{
	return report->failure ? &report->entries[report->failure - 1].check : NULL;
}

const char *pm_report_reason(const struct pm_report *report)
{
	return report->reason;
}

/* A free entry. When all are taken the last one gives way, unless it holds the first failure. */
static struct entry *next_entry(struct pm_report *report)
{
	if (report->count < PM_REPORT_CHECKS_MAX)
		return &report->entries[report->count++];
	if (report->failure == PM_REPORT_CHECKS_MAX)
		return NULL;
	return &report->entries[PM_REPORT_CHECKS_MAX - 1];
}

/* Whoever makes evidence chooses its texts: none shall steer a terminal or forge a log line. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void note_first_failure(struct pm_report *report, const struct entry *e)
{
	const char *sep = e->expected[0] ? ", expected " : "";

	if (report->failure)
		return;
	report->failure = (size_t)(e - report->entries) + 1;
	snprintf(report->reason, sizeof(report->reason), "%s: found %s%s%s", e->check.name,
		e->found, sep, e->expected);
}

void pm_vnote(struct pm_report *report, enum pm_outcome outcome, const char *name,
	const char *expected, const char *found, va_list args)
{
	struct entry *e = report ? next_entry(report) : NULL;

	if (!e)
		return;
	snprintf(e->expected, sizeof(e->expected), "%s", expected);
	vsnprintf(e->found, sizeof(e->found), found, args);
	make_printable(e->expected);
	make_printable(e->found);
	e->check = (struct pm_check){outcome, name, e->expected, e->found};
	if (outcome == PM_FAILED)
		note_first_failure(report, e);
}

__attribute__((format(printf, 5, 6))) static void note(struct pm_report *report,
	enum pm_outcome outcome, const char *name, const char *expected, const char *found, ...)
{
	va_list args;

	va_start(args, found);
	pm_vnote(report, outcome, name, expected, found, args);
	va_end(args);
}

void pm_report_append(struct pm_report *to, const struct pm_report *from)
{
	for (size_t i = 0; to && from && i < from->count; i++) {
		const struct pm_check *c = &from->entries[i].check;

		note(to, c->outcome, c->name, c->expected, "%s", c->found);
	}
}

void pm_pass(struct pm_report *report, const char *name, const char *found, ...)
{
	va_list args;

	va_start(args, found);
	pm_vnote(report, PM_PASSED, name, "", found, args);
	va_end(args);
}

void pm_skip(struct pm_report *report, const char *name, const char *found, ...)
{
	va_list args;

	va_start(args, found);
	pm_vnote(report, PM_NOT_CHECKED, name, "", found, args);
	va_end(args);
}

int pm_fail(struct pm_report *report, int error, const char *name, const char *expected,
	const char *found, ...)
{
	va_list args;

	va_start(args, found);
	pm_vnote(report, PM_FAILED, name, expected, found, args);
	va_end(args);
	return error;
}

int pm_check_bytes(struct pm_report *report, const char *name, const uint8_t *expected,
	const uint8_t *found, size_t n)
{
	if (!pm_ct_equal(expected, found, n))
		return pm_fail(report, PM_E_REJECTED, name, pm_hex(expected, n).s, "%s",
			pm_hex(found, n).s);
	if (report)
		pm_pass(report, name, "%s", pm_hex(found, n).s);
	return PM_OK;
}
