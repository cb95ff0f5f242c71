/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two ends of a sealed exchange share: the key, the receiving of one direction and the
 * sending of the other. exchange_client.c and exchange_worker.c say what is special to each.
 */
#ifndef PM_ENVELOPE_EXCHANGE_H
#define PM_ENVELOPE_EXCHANGE_H

#include <pm/exchange.h>

#include "base/lru.h"
#include "envelope/replay.h"
#include "envelope/sealed_frame.h"
#include "envelope/sealed_head.h"

struct pm_exchange_key {
	struct pm_shared shared; /* the caller's reference, and one an exchange */
	struct pm_secret secret;
	uint8_t *id;
	size_t id_len;
	struct pm_nonces *nonces;
	struct pm_replay *replay; /* a worker's, or NULL */
};

struct pm_exchange;

/* What one end does with what came. */
struct pm_exchange_role {
	/* The 32 bytes before the frames. */
	int (*take_header)(struct pm_exchange *x, const uint8_t *header);
	/* The first message: reads x->head and fills the event in. */
	int (*take_head)(struct pm_exchange *x, struct pm_view content, struct pm_report *report,
		struct pm_exchange_event *ret);
};

struct pm_exchange {
	const struct pm_exchange_role *role;
	struct pm_exchange_key *key;
	uint8_t *secret; /* of the exchange, in oae's memory; wiped when its streams are made */
	struct pm_oae oae;
	uint8_t header[PM_OAE_HEADER_SIZE]; /* of the request */
	uint32_t bucket;

	struct pm_oae_stream *from; /* the other end's direction */
	struct pm_frames frames;
	struct pm_sealed_head head; /* received */
	int64_t now;
	bool has_head;
	bool end_due; /* the final message was opened, its end not yet told */
	int error;    /* of receiving; stays */

	struct pm_oae_stream *to; /* this end's direction */
	struct pm_buffer out;
	bool sent_head;
};

/* Takes a reference of the key. Errors as pm_exchange_client_new(). */
int pm_exchange_begin(struct pm_exchange *x, const struct pm_exchange_role *role,
	struct pm_exchange_key *key, const char *model, const char *shard_key,
	uint32_t bucket) PM_MUST_USE;
void pm_exchange_end(struct pm_exchange *x);

int pm_exchange_receive(struct pm_exchange *x, struct pm_view bytes, struct pm_report *report,
	size_t *ret_used, struct pm_exchange_event *ret_event) PM_MUST_USE;
int pm_exchange_finish(const struct pm_exchange *x, struct pm_report *report) PM_MUST_USE;

/* header, or NULL when it went out before, and the frames of a content. */
int pm_exchange_send(struct pm_exchange *x, const uint8_t *header, struct pm_view content,
	bool final, const uint8_t **ret_bytes, size_t *ret_len) PM_MUST_USE;

#endif
