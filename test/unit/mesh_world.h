/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A coordinator and a secret service that say what coordinators and secret services say, right in
 * everything. A test changes one thing, and lets a client judge. scene_make_keys() comes first.
 */
#ifndef PM_TEST_MESH_WORLD_H
#define PM_TEST_MESH_WORLD_H

#include <jansson.h>
#include <pm/authority.h>
#include <pm/box.h>
#include <pm/join.h>

#include "net/client.h"
#include "peer_server.h"
#include "stage.h"

#define WORLD_NOW STAGE_NOW

struct mesh_world {
	struct stage stage; /* whose manifest has the roles of a mesh */
	char *manifest_text;
	struct pm_manifest *manifest;
	struct pm_seed *seed;
	struct pm_authority *authority;
	struct pm_history *history;
	struct pm_box_key *process_key;
	const char *state; /* "ready" */
	/* Whose certificates sign: of answers to joins, and of the key exchange. */
	struct pm_mesh_identity signer, secrets;
	const struct pm_authority *signer_authority; /* that certifies them */
	struct pm_mesh_key *signer_key;
	int64_t now;
	int64_t signer_lifetime; /* of their certificates, seconds */

	/* Changes, each NULL for none: the document before it is bound, and after; */
	void (*change_document)(struct mesh_world *w, json_t *document);
	void (*change_shown)(struct mesh_world *w, json_t *document);
	void (*change_claims)(struct mesh_world *w, struct pm_claims *claims);
	/* what is granted to a join, before it is signed; */
	void (*change_identity)(struct mesh_world *w, struct pm_mesh_identity *who);
	void (*change_answer)(struct mesh_world *w, json_t *answer);
	/* and any whole reply in JSON. */
	void (*change_reply)(struct mesh_world *w, json_t *reply);
	/* Of the answer to one path; path NULL: of none. */
	const char *path;
	struct peer_reply reply; /* its body is a text that lives as long as the test */

	uint8_t box_key[PM_BOX_PUBLIC_SIZE]; /* of the last join */
	uint8_t spki[PM_MESH_SPKI_SIZE];     /* of a join: which key is certified */
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE]; /* of the last challenge */
	const char *label;		     /* of the box of a join */
	const char *signature_label;
	bool no_secret; /* the box of a join has null */
	uint8_t workload_secret[32];
	char secret_id[64]; /* of the last key exchange */
	uint8_t secret[32];
	uint8_t recovered[512]; /* plaintext of the last box of a recovery */
	size_t recovered_len;
	unsigned int asked, attested, agreed; /* requests so far */
	struct peer_server *server;
};

void world_init(struct mesh_world *w);
void world_free(struct mesh_world *w);

/* The stage's manifest, as it was changed, is the first: nothing was before. */
void world_again(struct mesh_world *w);

/* The next manifest, which takes the place of the one that holds. */
void world_next_manifest(struct mesh_world *w);

/* The document as it is bound; and the answer to a join with these claims, w->nonce, w->box_key. */
json_t *world_document(struct mesh_world *w);
json_t *world_join(struct mesh_world *w, const struct pm_claims *claims);

/* A box of an answer of this world, for w->box_key and w->nonce. */
void world_box(struct mesh_world *w, const char *label, struct pm_view plain, uint8_t *ret_box);

/* The clock of clients: w->now. */
struct pm_net_clock world_clock(struct mesh_world *w);

/* Evidence for a join, right in everything: a pm_join_collect_fn whose arg is the world. */
int world_collect(void *arg, const struct pm_join_request *request, struct pm_report *report,
	uint8_t **ret_bundle, size_t *ret_len);

/* Bytes in base64, and base64 of a member; the latter freed with test_free(). */
json_t *world_base64(const void *bytes, size_t n);
struct pm_view world_bytes(const json_t *object, const char *key);

#endif
