/* SPDX-License-Identifier: Apache-2.0 */
/** @file memory_file.h
 * The file in which a client remembers the newest manifest of one deployment. Between opening and
 * closing, no other process or thread has it open: so two that start at once can't set each other
 * back. The file PATH.lock beside it serves for that, and stays.
 */
#ifndef PM_MEMORY_FILE_H
#define PM_MEMORY_FILE_H

#include <pm/history.h>

PM_BEGIN_DECLS

/** The file, open and locked. */
struct pm_memory_file;

/**
 * pm_memory_file_open - lock the file, and read it
 * @path: where it is; it need not be there yet, its folder must
 * @report: receives the reason of a failure, or NULL
 * @ret_file: receives it, to be closed with pm_memory_file_close()
 *
 * Waits until nobody else has it open. A damaged file is refused, never taken for an empty one.
 *
 * Return: 0; PM_E_SYS; PM_E_FORMAT and PM_E_LIMIT for a damaged file; PM_E_NOMEM; PM_E_CRYPTO.
 */
PM_API int pm_memory_file_open(
	const char *path, struct pm_report *report, struct pm_memory_file **ret_file) PM_MUST_USE;

/**
 * pm_memory_file_get - what is remembered
 * @file: the file
 *
 * Return: the memory, owned by the file; NULL when nothing was remembered yet.
 */
PM_API const struct pm_memory *pm_memory_file_get(const struct pm_memory_file *file);

/**
 * pm_memory_file_put - remember
 * @file: the file
 * @memory: from pm_history_verify() or pm_memory_check() with what pm_memory_file_get() gave
 * @report: receives the reason of a failure, or NULL
 *
 * The file, readable by its owner only, is replaced as a whole or not at all, and is on the disk
 * when the call returns. When nothing changed, nothing is written.
 *
 * Return: 0; PM_E_ARG when the serial number would go back; PM_E_SYS; PM_E_CRYPTO.
 */
PM_API int pm_memory_file_put(struct pm_memory_file *file, const struct pm_memory *memory,
	struct pm_report *report) PM_MUST_USE;

/**
 * pm_memory_file_close - let go of the file
 * @file: the file, or NULL
 */
PM_API void pm_memory_file_close(struct pm_memory_file *file);

PM_END_DECLS

#endif
