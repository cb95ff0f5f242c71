/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of small files that several processes share. An entry is its bytes and then the SHA-256
 * of its name, a NUL and the bytes: against damage and mix-ups, not against somebody who may write
 * there; whoever reads an entry trusts it no more than what comes from the network.
 */
#ifndef PM_NET_DISK_CACHE_H
#define PM_NET_DISK_CACHE_H

#include <pm/error.h>
#include "base/mem.h"

/* Longest name of an entry: less than the 255 bytes of most file systems. */
#define PM_DISK_CACHE_NAME_MAX 240

/*
 * The bytes of an entry, at most max, freed with free(), and when it was stored (seconds since
 * 1970). PM_E_MISSING when there is none that is whole: also for a damaged one, a longer one, a
 * symbolic link and what is no plain file. PM_E_ARG for a name with other characters than letters,
 * digits and "-". PM_E_NOMEM, PM_E_CRYPTO.
 */
int pm_disk_cache_read(const char *folder, const char *name, size_t max, uint8_t **ret,
	size_t *ret_len, int64_t *ret_stored) PM_MUST_USE;

/*
 * Stores an entry in the place of an older one, whole or not at all, also after a crash; makes the
 * folder and its parents where they are missing. PM_E_SYS with errno set; PM_E_ARG, PM_E_CRYPTO.
 */
int pm_disk_cache_write(const char *folder, const char *name, struct pm_view bytes) PM_MUST_USE;

#endif
