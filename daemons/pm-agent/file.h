/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders, whole or not at all. */
#ifndef PM_AGENT_FILE_H
#define PM_AGENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pm-agent/note.h"

/* A file of at most max bytes, freed by the caller. PM_E_SYS, PM_E_LIMIT, PM_E_NOMEM; noted. */
int file_read(const char *path, size_t max, struct note *note, uint8_t **ret, size_t *ret_len);

/* In the place of an older one, by rename. PM_E_SYS, PM_E_NOMEM; noted. */
int file_write(const char *path, const void *bytes, size_t len, struct note *note);

/* A new folder beside path, where a later folder_put() puts it. PM_E_SYS, PM_E_NOMEM; noted. */
int folder_begin(const char *path, struct note *note, char **ret_temporary);

/* The temporary folder gets its name; what had it is removed. PM_E_SYS; noted. */
int folder_put(const char *temporary, const char *path, struct note *note);

/* Is it not there, or empty, or a folder with this file in it? Another's is never touched. */
bool folder_is_ours(const char *path, const char *marker);

/* With the plain files in it; nothing happens when it is not there. */
void folder_remove(const char *path);

#endif
