/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place in a file of JSON, and values that are read there. TOOL_OK, or TOOL_USAGE when it said
 * what is wrong.
 */
#ifndef PM_VERIFY_PLACE_H
#define PM_VERIFY_PLACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in the file we are. */
struct place {
	const char *file;
	char path[128];
};

int place_complain(const struct place *at, const char *expected);

struct place place_below(const struct place *at, const char *key);
struct place place_element(const struct place *at, size_t index);

/* From 0 to max. */
int place_read_integer(const struct place *at, json_t *value, json_int_t max, json_int_t *ret);
int place_read_bits(const struct place *at, json_t *value, uint64_t *ret);
int place_read_hex(const struct place *at, json_t *value, uint8_t *ret, size_t size);
int place_read_bool(const struct place *at, json_t *value, bool *ret);

/* count numbers of a byte each, with dots between. */
int place_read_dotted(const struct place *at, json_t *value, uint8_t *ret, size_t count);

#endif
