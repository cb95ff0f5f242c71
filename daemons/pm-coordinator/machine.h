/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a coordinator may do, and when: decisions alone, without I/O, cryptography and a clock, so
 * that a test can walk through all orders of events.
 *
 * The store holds one head: the last link of the history and the mesh CA that goes with it. It is
 * changed by compare and swap alone, which is the point at which a manifest takes force. A process
 * holds keys for one head; it is ready while what it holds is what the store has, seen not long
 * ago. The store is not trusted: what it shows must lie on the way on from what was seen before.
 */
#ifndef COORDINATOR_MACHINE_H
#define COORDINATOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_HASH_SIZE 32
/* How long a look at the store holds, in milliseconds. */
#define MACHINE_FRESH 5000

struct machine_head {
	uint64_t revision;		 /* the store's, for compare and swap */
	uint64_t seq;			 /* grows by one with each write */
	uint64_t serial;		 /* of the manifest */
	uint8_t link[MACHINE_HASH_SIZE]; /* hash of the history's last link */
	uint8_t mesh[MACHINE_HASH_SIZE]; /* hash of the mesh CA's certificate */
};

enum machine_state {
	MACHINE_EMPTY = 1, /* the store has no head, and there is no seed */
	MACHINE_SEALED,	   /* there is a head, and no seed */
	MACHINE_READY,	   /* all is here, and fresh */
	MACHINE_STALE,	   /* a seed, but not the keys of the head, or no fresh look at it */
};

/* What to do about a head that the store showed. */
enum machine_next {
	MACHINE_NOTHING = 1,
	MACHINE_FOLLOW, /* get the keys of this head: from a peer, or by a new mesh CA */
	MACHINE_REFUSE, /* the store went back, or shows another history */
};

/* Why to write. */
enum machine_write {
	MACHINE_FIRST = 1, /* the first manifest */
	MACHINE_UPDATE,	   /* the next one */
	MACHINE_RENEW,	   /* another mesh CA under the same manifest */
};

/* Begin with zeros. */
struct machine {
	bool was_read, has_seen, has_seed, holds, is_writing;
	struct machine_head head;     /* the newest that was seen */
	struct machine_head own;      /* whose keys are here */
	struct machine_head proposed; /* while is_writing */
	int64_t confirmed;	      /* when the look that found own was begun */
};

/* What a certificate needs. */
struct machine_ticket {
	bool nonce_taken; /* it was one of this process, and is spent by this */
	bool accepted;	  /* the evidence for that nonce was appraised, and the answer was yes */
	uint8_t link[MACHINE_HASH_SIZE]; /* by the manifest of this link */
	uint8_t mesh[MACHINE_HASH_SIZE]; /* what it gets is of this mesh CA */
};

enum machine_state machine_state(const struct machine *machine, int64_t now);

/*
 * The store was asked at that time, and showed this head, or none (NULL). leads_on: its history
 * holds the link that was seen last (or none was).
 */
enum machine_next machine_saw(
	struct machine *machine, const struct machine_head *head, bool leads_on, int64_t asked);

/*
 * May this head be written? Then *ret_if_revision is what the store must have until then (0:
 * nothing), and nothing else is written until machine_wrote() or machine_settled().
 */
bool machine_propose(struct machine *machine, enum machine_write why,
	const struct machine_head *proposed, int64_t now, uint64_t *ret_if_revision);

/* The store took it, asked at that time. */
void machine_wrote(struct machine *machine, uint64_t revision, int64_t asked);

/*
 * It did not, or it had another one; this is what it has now (NULL: nothing is known). True when
 * that is what was proposed, by a write whose answer was lost. What to do about it otherwise is
 * machine_saw()'s to say.
 */
bool machine_settled(struct machine *machine, const struct machine_head *head, int64_t asked);

/*
 * A seed was put together by owners who signed this link as the newest that they know. False: it is
 * not the one that the store shows, or a seed is not wanted.
 */
bool machine_recover(struct machine *machine, const uint8_t link[MACHINE_HASH_SIZE]);

/* A peer gave the keys of this head. False: it is not the newest that was seen. */
bool machine_took(struct machine *machine, const struct machine_head *head);

/* May the certificate go out? */
bool machine_may_issue(
	const struct machine *machine, const struct machine_ticket *ticket, int64_t now);

#endif
