/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of disks as text and as JSON, and read back from it. */
#ifndef PM_DISK_OUTPUT_H
#define PM_DISK_OUTPUT_H

#include <jansson.h>

#include "pm-disk/options.h"

#define OUTPUT_UUID_SIZE 37

void output_uuid(const uint8_t *uuid, char *ret_text);

/* "NAME:   value" lines of the parameters and of where the parts lie. */
void output_params(const struct pm_verity_params *params, const uint8_t *uuid);

void output_hash(const char *name, const uint8_t *hash);

/* The entry of a disk in a manifest; NULL without memory. */
json_t *output_entry(const struct pm_verity_params *params, const uint8_t *root);

/* Adds UUID, sizes and places. */
void output_add_layout(json_t *object, const struct pm_verity_params *params, const uint8_t *uuid);

/* Prints the object, indented, and frees it. TOOL_OK, TOOL_USAGE. */
int output_json(json_t *object) __attribute__((warn_unused_result));

/* The reverse of output_entry(), strict. TOOL_OK, TOOL_REJECTED, TOOL_USAGE, having said why. */
int output_read_entry(const char *path, struct pm_verity_params *ret_params, uint8_t *ret_root)
	__attribute__((warn_unused_result));

#endif
