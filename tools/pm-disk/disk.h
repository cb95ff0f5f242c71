/* SPDX-License-Identifier: Apache-2.0 */
/* Images and their hash files: opened, read, written, and searched for a superblock. */
#ifndef PM_DISK_DISK_H
#define PM_DISK_DISK_H

#include <stdatomic.h>

#include "pm-disk/options.h"

struct disk_file {
	const char *path;
	int fd; /* -1 when not open */
	bool created;
	uint64_t size; /* when it was opened */
	struct pm_verity_io io;
	atomic_int error; /* errno of the first failure */
};

/* An image with the file that its tree is in: hash points to image, or to separate. */
struct disk {
	struct disk_file image, separate;
	struct disk_file *hash;
	char reason[256]; /* the last that disk_find() or disk_failed() said */
};

/* Opens both. write: the hash file is written, and made where missing. TOOL_OK, TOOL_USAGE. */
int disk_open(const struct disk_options *o, bool write, struct disk *ret)
	__attribute__((warn_unused_result));
void disk_close(struct disk *d);

/*
 * Reads the superblock: where --hash-offset says, at the start of a hash file of its own, or else
 * behind the data of a file that ends with its tree. TOOL_OK, TOOL_REJECTED, TOOL_USAGE; found is
 * false, and nothing is said, when there is none and quiet is set.
 */
int disk_find(const struct disk_options *o, struct disk *d, bool quiet,
	struct pm_verity_params *ret_params, uint8_t *ret_uuid, bool *ret_found)
	__attribute__((warn_unused_result));

/* Says why an operation of libpm failed, and the system's reason. Returns the exit status. */
int disk_failed(struct disk *d, int error, const struct pm_report *report);

#endif
