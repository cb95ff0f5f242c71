/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of pm_verity_open() that need no kernel. */
#ifndef PM_VERITY_ACTIVATE_H
#define PM_VERITY_ACTIVATE_H

#include <pm/verity_mount.h>
#include "base/report.h"

/*
 * Is the disk behind fd the one that the caller names, as far as superblock, length and the top of
 * the tree tell? As pm_verity_open().
 */
int pm_verity_check_disk(int fd, const struct pm_verity_params *params, const uint8_t *root_hash,
	struct pm_report *report) PM_MUST_USE;

#endif
