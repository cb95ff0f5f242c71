/* SPDX-License-Identifier: Apache-2.0 */
/** @file report.h
 * What a call checked, and why it refused: a list of checks for people and logs. A decision never
 * depends on it: the return value of the call decides. The text holds field names and values of
 * the evidence, never a secret.
 *
 * A report has a fixed size and does not allocate after pm_report_new(). It is not thread safe: one
 * report serves one call at a time.
 */
#ifndef PM_REPORT_H
#define PM_REPORT_H

#include <stddef.h>
#include <pm/api.h>

PM_BEGIN_DECLS

/** Most checks that a report keeps; further ones are counted, and a failure is never lost. */
#define PM_REPORT_CHECKS_MAX 96

/** Outcome of one check. */
enum pm_outcome {
	/** The check was made, and it passed. */
	PM_PASSED = 1,
	/** The check was made, and it failed. */
	PM_FAILED = 2,
	/** The check was not made, because the caller waived it or demanded nothing. */
	PM_NOT_CHECKED = 3
};

/** One check. The texts belong to the report; they live until it is reset or freed. */
struct pm_check {
	/** Outcome. */
	enum pm_outcome outcome;
	/** What was checked: a stable name such as "POLICY.DEBUG" or "vek.hwid". */
	const char *name;
	/** The value wanted, or "". */
	const char *expected;
	/** The value found, or "". */
	const char *found;
};

/** Opaque list of checks. */
struct pm_report;

/**
 * pm_report_new - make an empty report
 *
 * Return: the report, to be freed with pm_report_free(), or NULL without memory.
 */
PM_API struct pm_report *pm_report_new(void) PM_MUST_USE;

/**
 * pm_report_free - free a report
 * @report: the report, or NULL
 */
PM_API void pm_report_free(struct pm_report *report);

/**
 * pm_report_reset - forget all checks
 * @report: the report
 */
PM_API void pm_report_reset(struct pm_report *report);

/**
 * pm_report_count - number of checks kept
 * @report: the report
 *
 * Return: at most PM_REPORT_CHECKS_MAX.
 */
PM_API size_t pm_report_count(const struct pm_report *report);

/**
 * pm_report_at - one check, in the order in which they were made
 * @report: the report
 * @index: from 0
 *
 * Return: the check, owned by the report, or NULL when index is past the end.
 */
PM_API const struct pm_check *pm_report_at(const struct pm_report *report, size_t index);

/**
 * pm_report_failure - the first check that failed
 * @report: the report
 *
 * Return: the check, owned by the report, or NULL when none failed.
 */
PM_API const struct pm_check *pm_report_failure(const struct pm_report *report);

/**
 * pm_report_reason - the first failure as one line
 * @report: the report
 *
 * Return: "NAME: found FOUND, expected EXPECTED", owned by the report, or "" when none failed.
 */
PM_API const char *pm_report_reason(const struct pm_report *report);

PM_END_DECLS

#endif
