/* SPDX-License-Identifier: Apache-2.0 */
/* What one manifest allows that another does not, in words. */
#ifndef PM_CTL_MANIFEST_CHANGES_H
#define PM_CTL_MANIFEST_CHANGES_H

#include <jansson.h>

/* Three arrays of sentences. */
struct changes {
	json_t *allows;	 /* allowed now, and not before */
	json_t *forbids; /* allowed before, and not now */
	json_t *other;	 /* different, and neither */
};

enum direction { ALLOWS, FORBIDS, OTHER };

/* Adds a sentence, as printf. */
void changes_add(struct changes *c, enum direction d, const char *text, ...)
	__attribute__((format(printf, 3, 4)));

/* Compares the demands of a role on its evidence; about is "role NAME". */
void changes_of_snp(struct changes *c, const char *about, json_t *before, json_t *after);
void changes_of_gpu(struct changes *c, const char *about, json_t *before, json_t *after);

/*
 * Compares lists of what is allowed. none_is_any: a list that is missing, or null, allows all.
 * Sentences are "ABOUT: WHAT VALUE".
 */
void changes_of_list(struct changes *c, const char *about, const char *what, json_t *before,
	json_t *after, int none_is_any);

#endif
