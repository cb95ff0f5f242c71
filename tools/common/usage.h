/* SPDX-License-Identifier: Apache-2.0 */
/* What tools say of their options. */
#ifndef TOOL_COMMON_USAGE_H
#define TOOL_COMMON_USAGE_H

#include <stdbool.h>

/* Prints "PROGRAM: --OPTION: found 'VALUE', expected EXPECTED". Always TOOL_USAGE. */
int tool_bad_option(const char *option, const char *value, const char *expected);

/* Prints what an error of the library means. TOOL_USAGE, or TOOL_OK for PM_OK. */
int tool_failed(int error);

/*
 * Is --help the one argument of a verb? It stands alone where status 0 means verified: a file of
 * that name must not get it.
 */
bool tool_asks_for_help(int argc, char **argv);

#endif
