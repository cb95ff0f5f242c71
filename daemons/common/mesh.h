/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This process in the mesh (pm/mesh.h). A thread joins with evidence that is made for it, and again
 * with fresh evidence when two thirds of the certificate's life are over, when the coordinator
 * speaks of another manifest, or when somebody found that the identity is not accepted any more.
 * While joining fails it tries again, ever more seldom; the identity serves until its certificate
 * ends, and then there is none: the listeners of the mesh take nobody, requests within it do not
 * begin, and mesh_is_ready() is false.
 *
 * With GPUs (evidence_options.gpu_folder) it waits, before each join, until there is evidence of
 * them for its key, which is then one for all joins (mesh_gpus.h).
 *
 * Without a pinned manifest whoever answers at the coordinator's address says what the mesh is:
 * enough for who gives secrets to nobody, for clients encrypt to nothing of another mesh.
 */
#ifndef COMMON_MESH_H
#define COMMON_MESH_H

#include <event2/buffer.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/join.h>
#include <pm/manifest.h>
#include <pm/mesh.h>

#include "common/daemon.h"
#include "common/evidence.h"
#include "common/http_server.h"

/* Loops that may want to know of identities. */
#define MESH_WATCHERS_MAX OPTIONS_THREADS_MAX

/* --- options --------------------------------------------------------------------------------- */

struct mesh_options {
	const char *coordinator; /* NULL: no mesh */
	const char *ca_file;	 /* for https; NULL: the system's */
	bool has_hash;
	uint8_t manifest_hash[PM_MANIFEST_HASH_SIZE]; /* that is pinned */
	/* By the program: a certificate for signing beside that for TLS; not with GPUs. */
	bool with_signing;
	const char *public_key; /* with GPUs: where pm-agent(8) is told the key */
	const char *files;	/* a folder for each identity; or NULL: see mesh_files.h */
};

enum {
	MESH_OPTION_COORDINATOR = 1150,
	MESH_OPTION_CA,
	MESH_OPTION_HASH,
	MESH_OPTION_FILES,
};

/* Rows of the program's own table. */
/* clang-format off */
#define MESH_OPTION_ROWS                                                                           \
	{"coordinator", required_argument, NULL, MESH_OPTION_COORDINATOR},                         \
	{"coordinator-ca", required_argument, NULL, MESH_OPTION_CA},                               \
	{"manifest-hash", required_argument, NULL, MESH_OPTION_HASH},                              \
	{"mesh-files", required_argument, NULL, MESH_OPTION_FILES}
/* clang-format on */

#define MESH_OPTION_HELP                                                                           \
	"  --coordinator URL      join the mesh of this coordinator\n"                             \
	"  --coordinator-ca FILE  its certificate authorities, for https (default: the "           \
	"system's)\n"                                                                              \
	"  --manifest-hash HEX    join under the manifest of this hash only, and attest the\n"     \
	"                         coordinator first\n"                                             \
	"  --mesh-files DIR       keep certificate, key and CA of the mesh there, for others\n"

bool mesh_is_option(int id);
/* 0, or 2 when it said what is wrong. */
int mesh_option(struct mesh_options *o, int id, const char *value);

/* --- identities ------------------------------------------------------------------------------ */

/* Does not change; whoever holds one gives it back. The key lives in it and is wiped with it. */
struct mesh_identity {
	const char *cert; /* for TLS: PEM, the leaf first */
	const char *key;  /* PEM */
	const char *ca;	  /* PEM */
	const uint8_t *ca_der;
	size_t ca_len;
	const struct pm_manifest *manifest;
	const struct pm_mesh_identity *who;
	const uint8_t *secret;		     /* of the role, PM_JOIN_SECRET_SIZE bytes; or NULL */
	const struct pm_membership *signing; /* with_signing: who signs; else NULL */
	const struct pm_membership *tls;
	uint64_t generation; /* another for each */
	int64_t expires;     /* seconds since 1970 */
};

struct mesh;

/* In the loop: the identity from now on, or NULL. It is given back after the call. */
typedef void mesh_changed(void *arg, const struct mesh_identity *identity);

/*
 * Texts of both kinds of options must live as long as the process. Reads the files, and with GPUs
 * writes that of the public key. 0, or 2 when it said what is wrong.
 */
int mesh_new(const struct mesh_options *options, const struct evidence_options *evidence,
	struct mesh **ret_mesh);

/* Tells a loop of each identity, from its beginning on. Before mesh_begin(). 0; PM_E_LIMIT. */
int mesh_watch(struct mesh *mesh, struct loop *loop, mesh_changed *changed, void *arg);

/* The thread begins; service's listeners of the mesh follow the identity. 0; PM_E_SYS. */
int mesh_begin(struct mesh *mesh, struct service *service);

/*
 * It ends; loops are still there, but do not run. When it is just talking to the coordinator it is
 * left behind: it touches nothing but the mesh then, which mesh_free() leaves to it.
 */
void mesh_end(struct mesh *mesh);
void mesh_free(struct mesh *mesh);

/* The identity that holds, to be given back; NULL when there is none. From any thread. */
const struct mesh_identity *mesh_hold(struct mesh *mesh);
void mesh_drop(const struct mesh_identity *identity);
bool mesh_is_ready(struct mesh *mesh);

/* The identity was not accepted: join again soon, unless that was just done. From any thread. */
void mesh_doubt(struct mesh *mesh);

/*
 * Who asks? By the mesh CA and the manifest of now: the certificate must be one for TLS, and the
 * manifest must let its role call ours. Looks anew when the identity is another than at the
 * connection's last request. *ret_who lives until the connection's next such call. Takes the
 * connection's note. 0; PM_E_REJECTED; PM_E_STATE without an identity; PM_E_NOMEM. In x's loop.
 */
int mesh_check_peer(
	struct mesh *mesh, struct http_exchange *x, const struct pm_mesh_identity **ret_who);

/* Figures: whether there is an identity, when it ends, how often joining went well and failed. */
void mesh_metrics(struct mesh *mesh, struct evbuffer *out, const char *prefix);

#endif
