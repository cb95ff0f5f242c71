/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store of a daemon is, by options, and what they name. */
#ifndef COMMON_STORE_OPTIONS_H
#define COMMON_STORE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "common/store.h"

struct store_options {
	const char *url;	     /* as for store_open() */
	const char *cert, *key, *ca; /* files for etcd, or NULL */
};

enum {
	STORE_OPTION_URL = 1200,
	STORE_OPTION_CERT,
	STORE_OPTION_KEY,
	STORE_OPTION_CA,
};

/* clang-format off */
#define STORE_OPTION_ROWS                                                                          \
	{"store", required_argument, NULL, STORE_OPTION_URL},                                      \
	{"store-cert", required_argument, NULL, STORE_OPTION_CERT},                                \
	{"store-key", required_argument, NULL, STORE_OPTION_KEY},                                  \
	{"store-ca", required_argument, NULL, STORE_OPTION_CA}
/* clang-format on */

bool store_is_option(int id);
int store_option(struct store_options *o, int id, const char *value);

/* What must be given together: 0, or 2 when it said what is missing. The URL is the caller's. */
int store_options_check(const struct store_options *o);

/* Texts of PEM; NULL: not given. */
struct store_files {
	char *cert, *key, *ca;
};

/* 0, or 2 when it said what is wrong; to be cleared in each case, which wipes the key. */
int store_files_read(const struct store_options *o, struct store_files *ret);
void store_files_clear(struct store_files *files);

/* store_open(), of which a failure is logged. */
int store_open_by_options(struct loop *loop, const struct store_options *o,
	const struct store_files *files, struct store **ret_store);

#endif
