/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of one model in a manifest. */
#ifndef PM_MOUNT_MANIFEST_H
#define PM_MOUNT_MANIFEST_H

#include <pm/verity.h>

struct entry {
	struct pm_verity_params params;
	uint8_t root_hash[PM_VERITY_DIGEST_SIZE];
};

/*
 * Strict: each key of the entry exactly once, none besides, numbers as numbers. Other parts of the
 * manifest are for other programs. TOOL_OK, or having said why TOOL_REJECTED for what is malformed
 * or does not name the model, TOOL_USAGE for a file that can't be read.
 */
int manifest_read(const char *path, const char *model, struct entry *ret)
	__attribute__((warn_unused_result));

#endif
