/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manifest that is being made of options. Each function changes the document by one of them: an
 * exit status, TOOL_OK or when it said what is wrong.
 */
#ifndef PM_CTL_MANIFEST_DRAFT_H
#define PM_CTL_MANIFEST_DRAFT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The document as it grows, and what the options said so far. */
struct draft {
	json_t *doc;
	json_t *role; /* borrowed: the one that options are about, or NULL */
	const char *role_name;
	const char *output;
	int64_t not_before;
	long days;
	int product;
	bool allow_debug, updates, help;
};

/* Of the first manifest; NULL without memory. */
json_t *draft_first_document(void);

/* Goes on from the manifest of this file. */
int draft_begin_with(struct draft *d, const char *path);
int draft_set_time(struct draft *d, const char *text);

/* What follows is of this role, which is made when it is not there. */
int draft_set_role(struct draft *d, const char *name);
int draft_add_evidence(struct draft *d, const char *path);
int draft_set_product(struct draft *d, const char *name);
int draft_set_gpu(struct draft *d, const char *text);
int draft_add_call(struct draft *d, const char *name);
int draft_set_no_crl(struct draft *d);
int draft_set_workload_secret(struct draft *d);
int draft_add_secret(struct draft *d, const char *id);

int draft_add_models(struct draft *d, const char *path);

/* NAME=KEY, the file of a key. */
int draft_add_owner(struct draft *d, const char *text);
int draft_add_share_owner(struct draft *d, const char *text);

/* group: of the document; option: of its name, for messages. */
int draft_set_threshold(struct draft *d, const char *group, const char *option, const char *text);
int draft_add_test_root(struct draft *d, const char *maker, const char *text);

/* 1 to max. */
int draft_read_number(const char *option, const char *text, long max, long *ret);

/* Times and thresholds, when all options were read. */
void draft_finish(struct draft *d);

/* To the file that was named, if it is a manifest. */
int draft_write(const struct draft *d);

#endif
