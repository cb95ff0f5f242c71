/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate of the mesh names a role, not a machine: the request is for https://ROLE, and
 * CURLOPT_CONNECT_TO says where that is. libcurl uses a connection again for the same name,
 * certificate and CA only, so connections of an identity before are not used under the next.
 */
#include "common/upstream_mesh.h"

#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TO_SIZE 300
#define SCHEME		"https://"

struct mesh_papers {
	unsigned int count;
	char *cert, *key, *ca;
};

struct upstream_mesh {
	struct curl_slist *connect_to;
	struct mesh_papers *papers; /* NULL: none yet, or none any more */
};

/* --- papers ---------------------------------------------------------------------------------- */

static void free_key(char *key)
{
	if (key)
		explicit_bzero(key, strlen(key));
	free(key);
}

void mesh_papers_unref(struct mesh_papers *papers)
{
	if (!papers || --papers->count)
		return;
	free(papers->cert);
	free_key(papers->key);
	free(papers->ca);
	free(papers);
}

struct mesh_papers *upstream_mesh_papers(struct upstream_mesh *mesh)
{
	if (mesh->papers)
		mesh->papers->count++;
	return mesh->papers;
}

int upstream_mesh_set(struct upstream_mesh *mesh, const struct upstream_identity *identity)
{
	struct mesh_papers *papers = NULL;

	if (identity) {
		papers = calloc(1, sizeof(*papers));
		if (!papers)
			return PM_E_NOMEM;
		papers->count = 1;
		papers->cert = strdup(identity->cert);
		papers->key = strdup(identity->key);
		papers->ca = strdup(identity->ca);
		if (!papers->cert || !papers->key || !papers->ca) {
			mesh_papers_unref(papers);
			return PM_E_NOMEM;
		}
	}
	mesh_papers_unref(mesh->papers);
	mesh->papers = papers;
	return PM_OK;
}

/* --- requests -------------------------------------------------------------------------------- */

static struct curl_blob blob_of(char *text)
{
	return (struct curl_blob){.data = text, .len = strlen(text), .flags = CURL_BLOB_NOCOPY};
}

/* Without a folder of CAs: libcurl would accept those of the system beside the mesh CA. */
bool upstream_mesh_apply(
	const struct upstream_mesh *mesh, const struct mesh_papers *papers, CURL *easy)
{
	struct curl_blob cert = blob_of(papers->cert), key = blob_of(papers->key),
			 ca = blob_of(papers->ca);

	return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") &&
	       !curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") &&
	       !curl_easy_setopt(easy, CURLOPT_CONNECT_TO, mesh->connect_to) &&
	       !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
	       !curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) &&
	       !curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) &&
	       !curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) &&
	       !curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca) &&
	       !curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM") &&
	       !curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &cert) &&
	       !curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM") &&
	       !curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
}

/* --- the address ----------------------------------------------------------------------------- */

static const char *port_of(const char *host, size_t len)
{
	for (size_t i = len; i > 0 && host[i - 1] != ']'; i--)
		if (host[i - 1] == ':')
			return host + i;
	return NULL;
}

/* The name takes the host's place, and the host and its port are where that is. */
static int place(
	struct upstream_mesh *mesh, const char *url, const char *name, char *ret_base, size_t size)
{
	const char *host = url + sizeof(SCHEME) - 1;
	size_t len = strcspn(host, "/");
	const char *port = port_of(host, len), *path = host + len;
	size_t path_len = strlen(path);
	char to[CONNECT_TO_SIZE];
	int n;

	if (path_len && path[path_len - 1] == '/')
		path_len--;
	n = snprintf(to, sizeof(to), "::%.*s%s", (int)len, host, port ? "" : ":443");
	if (n < 0 || (size_t)n >= sizeof(to))
		return PM_E_ARG;
	n = snprintf(ret_base, size, SCHEME "%s%.*s", name, (int)path_len, path);
	if (n < 0 || (size_t)n >= size)
		return PM_E_ARG;
	mesh->connect_to = curl_slist_append(NULL, to);
	return mesh->connect_to ? PM_OK : PM_E_NOMEM;
}

int upstream_mesh_new(const char *url, const char *name, char *ret_base, size_t size,
	struct upstream_mesh **ret_mesh)
{
	struct upstream_mesh *mesh = calloc(1, sizeof(*mesh));
	int r;

	if (!mesh)
		return PM_E_NOMEM;
	r = strncmp(url, SCHEME, sizeof(SCHEME) - 1) == 0 ? place(mesh, url, name, ret_base, size)
							  : PM_E_ARG;
	if (r < 0) {
		upstream_mesh_free(mesh);
		return r;
	}
	*ret_mesh = mesh;
	return PM_OK;
}

void upstream_mesh_free(struct upstream_mesh *mesh)
{
	if (!mesh)
		return;
	curl_slist_free_all(mesh->connect_to);
	mesh_papers_unref(mesh->papers);
	free(mesh);
}
