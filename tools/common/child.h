/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs, for tools. */
#ifndef TOOL_COMMON_CHILD_H
#define TOOL_COMMON_CHILD_H

#include <sys/types.h>

/* Waits for the end of a child. TOOL_OK; TOOL_USAGE when it said that the program failed. */
int tool_wait_for(pid_t child, const char *program);

#endif
