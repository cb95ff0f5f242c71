/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each level of the tree lies. Level 0 holds the digests of the data; on disk the top level
 * comes first (Linux, Documentation/admin-guide/device-mapper/verity.rst, "Hash Tree").
 */
#ifndef PM_VERITY_LAYOUT_H
#define PM_VERITY_LAYOUT_H

#include <pm/error.h>
#include <pm/verity.h>
#include "base/mem.h"
#include "base/report.h"

/* Blocks of 512 bytes hold 16 digests, and there are below 2^54 of them: 14 levels. */
#define PM_VERITY_LEVELS_MAX 16

struct pm_verity_level {
	uint64_t offset; /* in the hash file, in bytes */
	uint64_t blocks;
};

struct pm_verity_tree {
	struct pm_verity_layout layout;
	uint32_t fanout; /* digests in a block of the tree */
	struct pm_verity_level levels[PM_VERITY_LEVELS_MAX];
};

/* As pm_verity_layout_of(). */
int pm_verity_tree_of(const struct pm_verity_params *params, struct pm_report *report,
	struct pm_verity_tree *ret) PM_MUST_USE;

#endif
