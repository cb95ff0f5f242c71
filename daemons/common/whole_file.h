/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, read as a whole. */
#ifndef COMMON_WHOLE_FILE_H
#define COMMON_WHOLE_FILE_H

#include <stddef.h>

/*
 * What fd has up to its end, at most max bytes, and a NUL behind them; freed by the caller. No copy
 * is left elsewhere in memory. 0; PM_E_SYS, and errno says why; PM_E_LIMIT; PM_E_NOMEM.
 */
int whole_file_read_fd(int fd, size_t max, char **ret, size_t *ret_len);

/*
 * Likewise a file that must not be empty. 0, also for the path NULL, of which nothing is returned;
 * or 2 when it said what is wrong.
 */
int whole_file_read(const char *path, size_t max, char **ret, size_t *ret_len);

#endif
