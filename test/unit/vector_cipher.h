/* SPDX-License-Identifier: Apache-2.0 */
/* Ciphers of the real vectors: one seals by looking up what the reference wrote, one opens. */
#ifndef PM_TEST_VECTOR_CIPHER_H
#define PM_TEST_VECTOR_CIPHER_H

#include <pm/body.h>

#include "jsonl.h"

#define VECTOR_MESSAGES_MAX 64

struct vector_cipher {
	/* The row's id, key and nonce. */
	const char *id;
	struct pm_field_key *key;
	struct pm_view nonce;
	/* Number of the next message to open. */
	uint32_t seq;
	/* The messages to hand out when sealing, in order; a plain text of NULL is not compared. */
	const char *messages[VECTOR_MESSAGES_MAX], *plain[VECTOR_MESSAGES_MAX];
	size_t count, used;
};

void vector_cipher_new(struct vector_cipher *ret, const json_t *row);
void vector_cipher_free(struct vector_cipher *v);
struct pm_body_cipher vector_cipher(struct vector_cipher *v, enum pm_body_way way);

/* The endpoint and side whose plain fields are those of the row. */
void vector_endpoint(
	const json_t *row, enum pm_endpoint *ret_endpoint, enum pm_body_side *ret_side);

#endif
