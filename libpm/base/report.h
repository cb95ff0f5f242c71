/* SPDX-License-Identifier: Apache-2.0 */
/* How the library writes into a report. All calls accept a NULL report and then do nothing. */
#ifndef PM_BASE_REPORT_H
#define PM_BASE_REPORT_H

#include <stdarg.h>

#include <pm/error.h>
#include <pm/report.h>
#include "base/mem.h"

PM_OWNER(pm_report, pm_report_free);

/* The check passed; the value found, as printf. */
void pm_pass(struct pm_report *report, const char *name, const char *found, ...)
	__attribute__((format(printf, 3, 4)));

/* The check was waived, or nothing was demanded; the value found, as printf. */
void pm_skip(struct pm_report *report, const char *name, const char *found, ...)
	__attribute__((format(printf, 3, 4)));

/* The check failed. Returns error, so that a function can end with it: return pm_fail(...). */
int pm_fail(struct pm_report *report, int error, const char *name, const char *expected,
	const char *found, ...) __attribute__((format(printf, 5, 6)));

/* Any outcome, for callers that take their arguments as printf does too. */
void pm_vnote(struct pm_report *report, enum pm_outcome outcome, const char *name,
	const char *expected, const char *found, va_list args);

/* Notes in to what from holds; nothing when one of them is NULL. Names are not copied. */
void pm_report_append(struct pm_report *to, const struct pm_report *from);

/*
 * Compare digests of n bytes in constant time and note the result under name.
 * PM_E_REJECTED when they differ.
 */
int pm_check_bytes(struct pm_report *report, const char *name, const uint8_t *expected,
	const uint8_t *found, size_t n) PM_MUST_USE;

#endif
