/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-mount tells of an active disk. */
#ifndef PM_MOUNT_STATUS_H
#define PM_MOUNT_STATUS_H

#include "pm-mount/options.h"

/*
 * Writes the status as JSON, whole or not at all, where the options name a file. filesystem is NULL
 * when the disk was not mounted just now. TOOL_OK, or TOOL_USAGE having said why.
 */
int status_write(const struct options *o, const struct pm_verity_status *status,
	const char *filesystem) __attribute__((warn_unused_result));

#endif
