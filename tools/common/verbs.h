/* SPDX-License-Identifier: Apache-2.0 */
/* A program of verbs: PROGRAM VERB [OPTION]... */
#ifndef TOOL_COMMON_VERBS_H
#define TOOL_COMMON_VERBS_H

#include <stddef.h>

/* A verb gets its own name as argv[0], and returns the exit status. */
struct tool_verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

/* What a program is; its verbs end with one without a name. */
struct tool_program {
	const char *name;
	const char *summary;
	const char *yes; /* what exit status 0 means: "verified" */
	const struct tool_verb *verbs;
};

/* Runs the verb that argv names, or prints help or version. Returns the exit status. */
int tool_run(const struct tool_program *program, int argc, char **argv);

#endif
