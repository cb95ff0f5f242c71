/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of pm-mount. */
#ifndef PM_MOUNT_OPTIONS_H
#define PM_MOUNT_OPTIONS_H

#include <pm/verity_mount.h>

enum action { ACTION_MOUNT, ACTION_UMOUNT, ACTION_CHECK, ACTION_HELP, ACTION_VERSION };

struct options {
	enum action action;
	const char *manifest;
	const char *model;
	const char *device;
	const char *target;
	const char *status;
	unsigned int wait; /* seconds */
	enum pm_verity_on_corruption on_corruption;
	char name[PM_VERITY_NAME_MAX + 1]; /* of the active disk, made of model */
};

/* TOOL_OK, or TOOL_USAGE having said why. */
int options_parse(int argc, char **argv, struct options *ret) __attribute__((warn_unused_result));

/* "fail", "panic", "restart". */
const char *options_on_corruption_name(int on_corruption);

#endif
