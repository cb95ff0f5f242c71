/* SPDX-License-Identifier: Apache-2.0 */
/* What is read in lines of other logs that the store shows. */
#ifndef SECRETS_LOG_LINES_H
#define SECRETS_LOG_LINES_H

#include <stdbool.h>

#include "pm-secrets/trail.h"

/* Lines at the end of a batch that are looked at; more are no echo. */
#define LOG_LINES_ECHO 64

/* Whose log it is. */
struct log_lines {
	const struct pm_sign_key *key;
	const char *name;
	const char *text;
	size_t len;
};

/* The log's head by the last line. 0; PM_E_NOMEM; another error: the line is not authentic. */
int log_lines_head(const struct log_lines *lines, struct pm_audit_head *ret_head);

/*
 * How many seconds the store keeps the log, as the first of these lines says, which must be that
 * with which the instance began, and authentic; else this many. 0; PM_E_NOMEM.
 */
int log_lines_keep(const struct log_lines *lines, int64_t otherwise, int64_t *ret_keep);

/*
 * Has the log, since it ended at `told`, nothing but what it saw of others ("log.seen")? Also false
 * when that can't be told by these lines.
 */
bool log_lines_are_echo(const struct log_lines *lines, const struct pm_audit_head *told);

#endif
