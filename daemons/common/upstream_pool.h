/* SPDX-License-Identifier: Apache-2.0 */
/* What requests of one loop to one server share: upstream.c has the requests. */
#ifndef COMMON_UPSTREAM_POOL_H
#define COMMON_UPSTREAM_POOL_H

#include <curl/curl.h>

#include "common/upstream.h"

#define UPSTREAM_BASE_SIZE 272

struct upstream_pool {
	struct loop *loop;
	CURLM *multi;
	struct event *timer;
	char base[UPSTREAM_BASE_SIZE];
	bool is_tls;
	char *ca_file;
	struct upstream_mesh *mesh; /* NULL: not of the mesh */
	const char *unix_path;
	struct address address;
	int in_callback;
	struct upstream *cancelled; /* from within libcurl's functions */
	char *cert, *key, *ca;	    /* texts of PEM */
};

/* Ends what is done or cancelled: after each call of libcurl's that may have called us. */
void upstream_collect(struct upstream_pool *pool);

#endif
