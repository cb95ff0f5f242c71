/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a folder, and whether it may become an image that anybody can make again. */
#ifndef PM_DISK_WALK_H
#define PM_DISK_WALK_H

#include <sys/stat.h>

#include "pm-disk/options.h"

struct walk_item {
	char *path; /* relative to the folder; "" is the folder itself */
	struct stat st;
	bool kept;
};

struct walk {
	const struct disk_options *options;
	int root;
	struct walk_item *items; /* in the order of their names, a folder before what is in it */
	size_t count, room;
};

/*
 * Goes through the folder. Refuses what can't be made again: links out of it, devices, pipes and
 * sockets, hard links, and modes that a copy would not have. TOOL_OK, TOOL_REJECTED, TOOL_USAGE,
 * having said why.
 */
int walk_folder(const struct disk_options *o, struct walk *ret) __attribute__((warn_unused_result));
void walk_free(struct walk *w);

/* Is everything as it was, to the nanosecond? TOOL_OK; TOOL_REJECTED, naming what changed. */
int walk_compare(const struct walk *before, const struct walk *after)
	__attribute__((warn_unused_result));

#endif
