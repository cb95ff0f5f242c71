/* SPDX-License-Identifier: Apache-2.0 */
/* How the connections to others of the mesh are made: for upstream.c. */
#ifndef COMMON_UPSTREAM_MESH_H
#define COMMON_UPSTREAM_MESH_H

#include <curl/curl.h>

#include "common/upstream.h"

struct upstream_mesh;
/* An identity that requests hold on to while it is replaced. Of one loop: not thread safe. */
struct mesh_papers;

/* base: room for size bytes: the address that requests are for. 0; PM_E_NOMEM; PM_E_ARG. */
int upstream_mesh_new(const char *url, const char *name, char *ret_base, size_t size,
	struct upstream_mesh **ret_mesh);
void upstream_mesh_free(struct upstream_mesh *mesh);
int upstream_mesh_set(struct upstream_mesh *mesh, const struct upstream_identity *identity);

/* A reference to the papers of today, or NULL when there are none. */
struct mesh_papers *upstream_mesh_papers(struct upstream_mesh *mesh);
void mesh_papers_unref(struct mesh_papers *papers);

/* The papers stay until the request is gone. */
bool upstream_mesh_apply(
	const struct upstream_mesh *mesh, const struct mesh_papers *papers, CURL *easy);

#endif
