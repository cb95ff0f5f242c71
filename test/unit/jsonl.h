/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors that are one JSON object a line. */
#ifndef PM_TEST_JSONL_H
#define PM_TEST_JSONL_H

#include <jansson.h>

#include "testing.h"

/* Calls fn for each row of a file of the folder with real vectors; fails when there is none. */
void jsonl_each(const char *path, void (*fn)(const json_t *row));

/* A member's text, owned by the row, or NULL when there is no such member. */
const char *jsonl_text(const json_t *row, const char *name);

/* A member's bytes, written in hexadecimal; freed with test_free(). */
struct pm_view jsonl_hex(const json_t *row, const char *name);

#endif
