/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/nonces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROOM_MIN 256

static const uint8_t zero[PM_FIELD_NONCE_SIZE];

/* Where it is, or would be. A client chooses its nonces, so where they fall must be a surprise. */
static uint8_t *find(const struct nonces *nonces, const uint8_t *nonce)
{
	uint64_t hash;
	size_t at;

	memcpy(&hash, nonce, sizeof(hash));
	hash = (hash ^ nonces->seed[0]) * (nonces->seed[1] | 1);
	at = (size_t)(hash >> 32);
	for (;; at++) {
		uint8_t *slot = nonces->slots[at & (nonces->room - 1)];

		if (!memcmp(slot, zero, sizeof(zero)) || !memcmp(slot, nonce, sizeof(zero)))
			return slot;
	}
}

/* Half of the slots stay empty. */
static bool grow(struct nonces *nonces)
{
	struct nonces larger = *nonces;

	if (!nonces->room && getrandom(larger.seed, sizeof(larger.seed), 0) < 0)
		return false;
	larger.room = nonces->room ? 2 * nonces->room : ROOM_MIN;
	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < nonces->room; i++)
		if (memcmp(nonces->slots[i], zero, sizeof(zero)) != 0)
			memcpy(find(&larger, nonces->slots[i]), nonces->slots[i], sizeof(zero));
	free(nonces->slots);
	*nonces = larger;
	return true;
}

enum nonces_answer nonces_admit(struct nonces *nonces, const uint8_t nonce[PM_FIELD_NONCE_SIZE])
{
	bool is_zero = !memcmp(nonce, zero, sizeof(zero));
	uint8_t *slot;

	if (is_zero && nonces->has_zero)
		return NONCES_SEEN;
	if (is_zero) {
		nonces->has_zero = true;
		return NONCES_NEW;
	}
	if (2 * (nonces->count + 1) > nonces->room &&
		(nonces->count >= NONCES_MAX || !grow(nonces)))
		return NONCES_FULL;
	slot = find(nonces, nonce);
	if (memcmp(slot, zero, sizeof(zero)) != 0)
		return NONCES_SEEN;
	memcpy(slot, nonce, sizeof(zero));
	nonces->count++;
	return NONCES_NEW;
}

void nonces_free(struct nonces *nonces)
{
	free(nonces->slots);
	*nonces = (struct nonces){0};
}
