/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a round: the status file, standard output, the figures. */
#ifndef PM_AGENT_STATUS_H
#define PM_AGENT_STATUS_H

#include <jansson.h>
#include <stdbool.h>

#include "pm-agent/options.h"

/* Of a round that came to nothing: it hung or crashed. ready: -1 when that is not known. */
json_t *status_failed(const char *why, int ready);

/* Takes the status file away: it tells of a round that no longer counts. */
void status_forget(const struct agent_options *o);

/* Writes the status file, where one is wanted; else none stays. An exit status. */
int status_write(const struct agent_options *o, const json_t *status);

/* For people, or as JSON, as the options say. */
void status_print(const struct agent_options *o, const json_t *status);

/* One line of the log. */
void status_log(const json_t *status);

/* The exit status that the verdict stands for. */
int status_exit(const json_t *status);

#endif
