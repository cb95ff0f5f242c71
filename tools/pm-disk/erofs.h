/* SPDX-License-Identifier: Apache-2.0 */
/* mkfs.erofs, called so that the same files give the same image. */
#ifndef PM_DISK_EROFS_H
#define PM_DISK_EROFS_H

#include "pm-disk/walk.h"

#define EROFS_VERSION_SIZE 64

/*
 * Makes an image of what the walk keeps. ret_version receives what mkfs.erofs says of itself.
 * TOOL_OK; TOOL_USAGE, having said why.
 */
int erofs_make(const struct walk *w, const char *image, char *ret_version)
	__attribute__((warn_unused_result));

#endif
