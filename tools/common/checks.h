/* SPDX-License-Identifier: Apache-2.0 */
/* A report of libpm, for people and for programs. */
#ifndef TOOL_COMMON_CHECKS_H
#define TOOL_COMMON_CHECKS_H

#include <jansson.h>
#include <pm/report.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "✓", "✗" or "–"; and "passed", "failed" or "not checked". */
const char *tool_outcome_sign(enum pm_outcome outcome);
const char *tool_outcome_name(enum pm_outcome outcome);

/* One line a check: a sign, the name, the value, and for a failure the value wanted. */
void tool_print_checks(const struct pm_report *report);

/* [{"name", "outcome": "passed"|"failed"|"not checked", "expected", "found"}...], or NULL. */
json_t *tool_checks_json(const struct pm_report *report);

/* The exit status that an error code of libpm stands for. */
int tool_exit_status(int error);

/*
 * "accepted", "rejected" or "error": without an answer (no network, no memory) nothing was
 * rejected, and nothing verified either.
 */
const char *tool_verdict_name(int error);

/*
 * Prints "REJECTED: SUBJECT: error: reason", or NOT VERIFIED where there was no answer. The error
 * PM_E_REJECTED is not named where there is a reason.
 */
void tool_print_refusal(const char *subject, int error, const char *reason);

/* The members "error" and "reason" of a verdict that is no acceptance. */
void tool_set_refusal(json_t *verdict, int error, const char *reason);

/* One object {"verdict", "error", "reason"}, and "file" unless that is NULL. */
void tool_print_object(const char *file, int error, const char *reason);

/*
 * Prints "PROGRAM: SUBJECT: reason" for an error, with the report's reason where there is one; and
 * an object, where wrong.h has one.
 */
void tool_print_error(const char *subject, int error, const struct pm_report *report);

/*
 * What came before any check was refused: told on standard error, and where JSON is wanted by an
 * object {"verdict": "rejected" or "error", "file", "error", "reason"} too. reason: "" for none.
 */
void tool_refuse_input(bool json, const char *file, int error, const char *reason);

/* tool_read_file(), of which a failure (too long, or not to be read) is told as above. */
int tool_read_evidence(const char *path, size_t max, bool json, uint8_t **ret, size_t *ret_len);

#endif
