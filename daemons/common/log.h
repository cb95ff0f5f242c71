/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line an event on standard error, as text or as JSON, written in one call so that
 * threads do not mix. Never a prompt, key, token, or what a client wrote but for names that the
 * caller has bounded: the caller names each value that goes in.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Before threads begin. */
void log_setup(bool json, enum log_level most);

/* The level of a name such as "info"; -1 for another. */
int log_level_of(const char *name);

/* Is this level written? Saves the work of preparing values. */
bool log_is_on(enum log_level level);

/* An event and its values: name, text, name, text..., NULL. A text may be NULL: left out. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

#endif
