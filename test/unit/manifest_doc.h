/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests for tests: the table that test/manifest/cases.py makes, and changes to documents. */
#ifndef PM_TEST_MANIFEST_DOC_H
#define PM_TEST_MANIFEST_DOC_H

#include <jansson.h>

#include "base/mem.h"

/* The table: "base" and "cases"; freed by json_decref(). */
json_t *doc_table(void);

/* A copy of the base with the "delete" and "set" of a case; freed by json_decref(). */
json_t *doc_change(json_t *base, json_t *change);

/* Sets a place, named by words with spaces between them; takes the reference to value. */
void doc_set(json_t *doc, const char *path, json_t *value);

/* Its text; freed by test_free(). */
struct pm_view doc_text(json_t *doc, size_t flags);

#endif
