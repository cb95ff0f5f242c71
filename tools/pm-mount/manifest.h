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
 * Reads the whole manifest, strictly. Signatures and validity are not looked at: whoever starts the
 * machine vouches for the file. TOOL_OK, or having said why TOOL_REJECTED for what is malformed or
 * does not name the model, TOOL_USAGE for a file that can't be read.
 */
int manifest_read(const char *path, const char *model, struct entry *ret)
	__attribute__((warn_unused_result));

#endif
