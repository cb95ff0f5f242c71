/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failure or a signal must take back: a file that was begun is removed, one that grew gets
 * its old size again. So nothing half-written is ever taken for the whole.
 */
#ifndef PM_DISK_UNDO_H
#define PM_DISK_UNDO_H

#include <stdint.h>

/* Remove path. It must live until undo_forget(). */
void undo_remove(const char *path);

/* Give the file behind fd that size. */
void undo_shrink(int fd, uint64_t size);

/* It is whole: nothing is to be taken back any more. */
void undo_forget(void);

/* Take back, now. */
void undo_run(void);

#endif
