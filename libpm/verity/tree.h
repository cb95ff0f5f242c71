/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of digests, written level by level. */
#ifndef PM_VERITY_TREE_H
#define PM_VERITY_TREE_H

#include "verity/disk.h"

/* Writes all levels. As pm_verity_format(). */
int pm_tree_write(const struct pm_disk *disk, const struct pm_disk_workers *workers) PM_MUST_USE;

/* The digest of the top block, or of the only block of data. As pm_verity_root(). */
int pm_tree_root(
	const struct pm_disk *disk, struct pm_disk_worker *worker, uint8_t *ret_root) PM_MUST_USE;

#endif
