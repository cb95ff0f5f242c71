/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nonces of field messages that were seen of one secret, as long as the secret lives: the
 * format has no time by which one could be forgotten.
 */
#ifndef PROXY_NONCES_H
#define PROXY_NONCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pm/field.h>

/* Most of one secret: after so many requests its owner agrees on a new one. */
#define NONCES_MAX 524288

struct nonces {
	uint8_t (*slots)[PM_FIELD_NONCE_SIZE]; /* zeros: empty */
	size_t room;			       /* a power of two */
	size_t count;
	bool has_zero;
	uint64_t seed[2];
};

enum nonces_answer {
	NONCES_NEW = 0,
	NONCES_SEEN,
	NONCES_FULL, /* or no memory */
};

/* Begin with zeros. Notes the nonce when it is new. Not thread safe. */
enum nonces_answer nonces_admit(struct nonces *nonces, const uint8_t nonce[PM_FIELD_NONCE_SIZE]);

void nonces_free(struct nonces *nonces);

#endif
