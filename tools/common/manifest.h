/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest in a file, for the tools that judge by it. */
#ifndef TOOL_COMMON_MANIFEST_H
#define TOOL_COMMON_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/manifest.h>

/*
 * Reads it; hash: that it must have, or NULL. TOOL_OK; else TOOL_REJECTED or TOOL_USAGE, told as by
 * tool_refuse_input().
 */
int tool_read_manifest(const char *path, const uint8_t *hash, bool json, struct pm_manifest **ret);

#endif
