/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of many messages of one length. A processor that hashes several messages side by side
 * does it some times faster than one after the other, and the blocks of a disk are such messages.
 */
#ifndef PM_VERITY_SHA256_LANES_H
#define PM_VERITY_SHA256_LANES_H

#include <pm/error.h>
#include "crypto/crypto.h"

/* Messages lie stride bytes apart, each len long. */
struct pm_lanes_input {
	const uint8_t *messages;
	size_t stride;
	size_t len;
	size_t count;
};

/* A way to hash. The state that make() yields serves one thread at a time. */
struct pm_lanes_backend {
	const char *name;
	/* PM_E_NOMEM; PM_E_UNSUPPORTED when this processor lacks what it needs. */
	int (*make)(void **ret_state);
	void (*free)(void *state);
	/* ret: PM_SHA256_SIZE bytes a message, in their order. PM_E_CRYPTO. */
	int (*hash)(void *state, const struct pm_lanes_input *input, uint8_t *ret);
};

extern const struct pm_lanes_backend pm_lanes_ipsec;
extern const struct pm_lanes_backend pm_lanes_plain;

/* The backends of this build, the preferred one first, NULL at the end. */
extern const struct pm_lanes_backend *const pm_lanes_backends[];

#endif
