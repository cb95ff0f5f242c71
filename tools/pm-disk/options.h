/* SPDX-License-Identifier: Apache-2.0 */
/* The options of all verbs; each verb takes some of them. */
#ifndef PM_DISK_OPTIONS_H
#define PM_DISK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/verity.h>

enum disk_verb {
	VERB_BUILD = 1 << 0,
	VERB_FORMAT = 1 << 1,
	VERB_VERIFY = 1 << 2,
	VERB_INFO = 1 << 3,
	VERB_ENTRY = 1 << 4,
};

#define DISK_GLOBS_MAX 256

struct disk_globs {
	const char *patterns[DISK_GLOBS_MAX];
	size_t count;
};

struct disk_options {
	const char *image; /* the one argument: a folder for build */
	const char *output;
	const char *metadata;
	const char *hash_device;
	const char *entry;
	const char *name;
	const char *mkfs;
	struct disk_globs include, exclude;
	/* What was given; the rest of it is for the verb to fill in. */
	struct pm_verity_params params;
	bool has_salt, has_hash_offset, has_data_blocks, has_data_block_size, has_hash_block_size;
	uint8_t uuid[PM_VERITY_UUID_SIZE];
	bool has_uuid;
	uint8_t root[PM_VERITY_DIGEST_SIZE];
	bool has_root;
	uint32_t threads;
	bool keep_modes, json, quiet, help;
};

/* TOOL_OK or TOOL_USAGE, having said why. */
int disk_options_parse(int argc, char **argv, enum disk_verb verb, struct disk_options *ret)
	__attribute__((warn_unused_result));

/* Puts the parameters that were given in place of those of another source. */
void disk_options_apply(const struct disk_options *o, struct pm_verity_params *params);

#endif
