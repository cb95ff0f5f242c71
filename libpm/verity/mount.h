/* SPDX-License-Identifier: Apache-2.0 */
/* What mounting and activation share. */
#ifndef PM_VERITY_MOUNT_PRIVATE_H
#define PM_VERITY_MOUNT_PRIVATE_H

#include <errno.h>
#include <unistd.h>

#include <pm/verity_mount.h>
#include "base/report.h"

/* Where the kernel shows the device of an active disk. */
#define PM_VERITY_NODES	    "/dev/mapper/"
#define PM_VERITY_NODE_SIZE (sizeof(PM_VERITY_NODES) + PM_VERITY_NAME_MAX)

struct pm_verity_node {
	char path[PM_VERITY_NODE_SIZE];
};

/* PM_E_ARG, noted, when the name is none: see pm_verity_open(). */
int pm_verity_check_name(
	struct pm_report *report, const char *name, struct pm_verity_node *ret_node) PM_MUST_USE;

/* What an image holds, from its first bytes; 0 for none of the known ones. */
enum pm_filesystem pm_filesystem_of(struct pm_view first);

/* Bytes that pm_filesystem_of() wants. */
#define PM_FILESYSTEM_HEAD 2048

/* A short text for an errno value; static. */
const char *pm_verity_errno(int error);

/* pm_cleanup(fd): keeps errno, which belongs to the call that failed before. */
static inline void pm_cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

#endif
