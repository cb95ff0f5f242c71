/* SPDX-License-Identifier: Apache-2.0 */
/* Powers that pm-mount does without. */
#ifndef PM_MOUNT_CAPABILITIES_H
#define PM_MOUNT_CAPABILITIES_H

/*
 * Gives up, for good, each capability but CAP_SYS_ADMIN (device mapper and mounts) and CAP_MKNOD
 * (the device's node where no udev makes it). TOOL_OK, or TOOL_USAGE having said why.
 */
int capabilities_drop(void) __attribute__((warn_unused_result));

#endif
