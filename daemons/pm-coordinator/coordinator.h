/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of the coordinator share. One loop has it all: there are no locks. */
#ifndef COORDINATOR_COORDINATOR_H
#define COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/appraise.h>
#include <pm/box.h>
#include <pm/mesh.h>
#include <pm/signatures.h>

#include "common/evidence.h"
#include "common/options.h"
#include "common/store_options.h"
#include "pm-coordinator/journal.h"
#include "pm-coordinator/machine.h"
#include "pm-coordinator/tenure.h"
#include "pm-coordinator/visitors.h"

#define COORDINATOR_PEERS_MAX 16
#define COORDINATOR_ID_SIZE   33
/* Most seconds since the claims of a workload were made: they answer a nonce of a minute. */
#define COORDINATOR_MAX_AGE 300

struct coordinator_options {
	struct common_options common;
	struct evidence_options evidence;
	const char *owners;
	struct store_options store;
	const char *peers[COORDINATOR_PEERS_MAX];
	size_t peer_count;
	const char *peer_ca;
	int64_t lifetime; /* of certificates, in seconds */
	unsigned int rate;
};

struct job;
struct consents;
struct peers;
struct commit;

struct coordinator {
	const struct coordinator_options *options;
	char id[COORDINATOR_ID_SIZE]; /* of this process, of its key */
	struct loop *loop;
	struct store *store;
	struct event *tick;
	struct visitors *visitors;
	struct pm_manifest_owners *owners; /* NULL: no first manifest is taken */
	struct pm_box_key *box;		   /* what its evidence binds */
	struct pm_mesh_key *key;	   /* signs answers; asks peers */
	struct evidence *evidence, *peer_evidence;
	struct pm_snp_cache *snp_cache;
	struct pm_gpu_cache *gpu_cache;
	struct journal *journal;
	struct peers *peers;

	struct machine machine;
	struct pm_seed *seed; /* NULL: empty or sealed */
	struct tenure *own;   /* whose keys are here, or NULL */
	struct tenure *seen;  /* what the store has, where that is another one, or NULL */
	struct pm_seal_key *state_key;
	struct consents *consents; /* with shares, that came, or NULL */
	struct commit *commit;	   /* the write that is under way, or NULL */
	void *change;		   /* the manifest that is being set, or NULL */

	/* Looks at the store: see look.c. */
	bool is_looking, is_fetching, is_asking_peers, is_counting;
	int64_t look_asked, ask_peers_at, count_at;
	int64_t renew_wait; /* before another mesh CA is made where no peer answers */
	int64_t renew_at;   /* 0: not decided */
	unsigned int replicas;

	/* The document that evidence is bound to now. */
	bool is_document_old;
	enum machine_state document_state;
	uint64_t document_entries; /* of the log */

	size_t buffered;      /* bytes of requests' bodies */
	struct job *incoming; /* requests whose bodies are not whole yet, the oldest first */
	uint64_t joins, refusals, manifests, limited;
	uint64_t omitted; /* refusals since the last one that stands in the log */
};

/* What the store has: our own, or another one; NULL: nothing, or nothing is known. */
const struct tenure *coordinator_newest(const struct coordinator *c);

enum machine_state coordinator_state(const struct coordinator *c);
/* "ready" and so on. */
const char *coordinator_state_name(enum machine_state state);

/* The keys of this tenure are here from now on; takes it. False without memory: nothing is. */
bool coordinator_install(struct coordinator *c, struct tenure *tenure);

/* Takes the seed. */
void coordinator_set_seed(struct coordinator *c, struct pm_seed *seed);

/* --- document.c --- */

/* Binds evidence to what holds now, where that is not so yet. 0 or a negative enum pm_error. */
int document_refresh(struct coordinator *c);

/* --- look.c --- */

/* Begins to look at the store, and goes on. 0; PM_E_NOMEM. */
int look_start(struct coordinator *c);
/* Now, not with the next tick. */
void look_now(struct coordinator *c);

/* --- commit.c --- */

/* taken: it holds. */
typedef void commit_done(void *arg, bool taken);

/*
 * Has the tenure take force by compare and swap; takes it, and the seed where one is given. False:
 * it may not be now, and both are freed.
 */
bool commit_start(struct coordinator *c, enum machine_write why, struct tenure *tenure,
	struct pm_seed *seed, commit_done *done, void *arg);
void commit_free(struct commit *commit);

#endif
