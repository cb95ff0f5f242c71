/* SPDX-License-Identifier: Apache-2.0 */
/* Files, for tools. Each function prints its own error as "PROGRAM: FILE: reason". */
#ifndef TOOL_COMMON_FILE_H
#define TOOL_COMMON_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The command line contract of every program. */
enum tool_exit {
	TOOL_OK = 0,	   /* verified, or done */
	TOOL_REJECTED = 1, /* evidence or data rejected; malformed counts as rejected */
	TOOL_USAGE = 2,	   /* usage, or input and output */
};

/*
 * A whole file of at most max bytes, or standard input for "-". Freed by the caller.
 * TOOL_OK; TOOL_USAGE when it can't be read; TOOL_REJECTED when it is longer.
 */
int tool_read_file(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
	__attribute__((warn_unused_result));

/*
 * Writes a file as a whole or not at all: temporary file beside it, fsync, rename. A device or pipe
 * is written to as it is; "-" is standard output. mode as for chmod. TOOL_OK, TOOL_USAGE.
 */
int tool_write_file(const char *path, const void *bytes, size_t len, unsigned int mode)
	__attribute__((warn_unused_result));

#endif
