/* SPDX-License-Identifier: Apache-2.0 */
/* Values of JSON that every tool writes in the same way. */
#ifndef TOOL_COMMON_JSON_H
#define TOOL_COMMON_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Hexadecimal digits, lower case; NULL without memory. */
json_t *tool_hex_json(const uint8_t *bytes, size_t size);

/* A time as "2026-03-01T00:00:00Z"; NULL without memory. */
json_t *tool_time_json(int64_t time);

#endif
