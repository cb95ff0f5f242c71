/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a command line, told on standard error; and, where the command line has --json
 * and the program said so, as an object on standard output as well, of the shape that a refused
 * file has: {"verdict": "error", "error", "reason"}, and "file" where it is a file's fault.
 */
#ifndef TOOL_COMMON_WRONG_H
#define TOOL_COMMON_WRONG_H

#include <getopt.h>
#include <stdbool.h>

/* For programs whose verbs print one object with --json: notes whether that is among arguments. */
void tool_wrong_json(int argc, char **argv);

/* Is an object wanted? False unless tool_wrong_json() said so. */
bool tool_wants_json(void);

/* "PROGRAM: message", as printf. Always TOOL_USAGE. */
int tool_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "PROGRAM: FILE: message", likewise. */
int tool_wrong_file(const char *file, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* getopt_long() of long options; of what it does not take it says so here, and returns '?'. */
int tool_getopt(int argc, char **argv, const struct option *options);

#endif
