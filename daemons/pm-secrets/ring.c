/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/ring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_LABEL "libpm secrets value v1"
#define STATE_LABEL "libpm secrets state v1"
#define AUDIT_LABEL "libpm secrets audit key v1"

struct epoch_key {
	struct epoch_key *next;
	uint32_t epoch;
	struct pm_seal_key *key;
};

struct ring {
	pthread_mutex_t lock;
	uint8_t secret[RING_SECRET_SIZE];
	_Atomic(uint32_t) epoch;
	atomic_bool is_rotating;
	size_t count;
	struct epoch_key *keys;
	struct pm_seal_key *state;
	struct pm_sign_key *audit;
};

int ring_new(const uint8_t secret[RING_SECRET_SIZE], struct ring **ret_ring)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int r;

	if (!ring)
		return PM_E_NOMEM;
	pthread_mutex_init(&ring->lock, NULL);
	memcpy(ring->secret, secret, sizeof(ring->secret));
	atomic_store(&ring->epoch, RING_FIRST);
	r = pm_seal_key_new(secret, STATE_LABEL, RING_FIRST, &ring->state);
	if (r == PM_OK)
		r = pm_sign_key_derive(secret, AUDIT_LABEL, &ring->audit);
	if (r < 0) {
		ring_free(ring);
		return r;
	}
	*ret_ring = ring;
	return PM_OK;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	while (ring->keys) {
		struct epoch_key *key = ring->keys;

		ring->keys = key->next;
		pm_seal_key_free(key->key);
		free(key);
	}
	pm_seal_key_free(ring->state);
	pm_sign_key_free(ring->audit);
	pthread_mutex_destroy(&ring->lock);
	explicit_bzero(ring, sizeof(*ring));
	free(ring);
}

bool ring_is_of(const struct ring *ring, const uint8_t secret[RING_SECRET_SIZE])
{
	unsigned int difference = 0;

	for (size_t i = 0; i < RING_SECRET_SIZE; i++)
		difference |= (unsigned int)(ring->secret[i] ^ secret[i]);
	return difference == 0;
}

uint32_t ring_epoch(const struct ring *ring)
{
	return atomic_load(&ring->epoch);
}

void ring_set_epoch(struct ring *ring, uint32_t epoch, bool is_rotating)
{
	if (epoch < ring_epoch(ring))
		return;
	/* In this order: who reads in between lets in more, not less. */
	if (is_rotating)
		atomic_store(&ring->is_rotating, true);
	atomic_store(&ring->epoch, epoch);
	atomic_store(&ring->is_rotating, is_rotating);
}

bool ring_accepts(const struct ring *ring, uint32_t epoch)
{
	int64_t back = atomic_load(&ring->is_rotating) ? 2 : 1, now = ring_epoch(ring);

	return epoch >= RING_FIRST && epoch >= now - back && epoch <= now + 1;
}

/* With the lock held. */
static int add_key(struct ring *ring, uint32_t epoch, struct epoch_key **ret)
{
	struct epoch_key *key;
	int r;

	if (ring->count >= RING_EPOCHS_MAX)
		return PM_E_LIMIT;
	key = calloc(1, sizeof(*key));
	if (!key)
		return PM_E_NOMEM;
	r = pm_seal_key_new(ring->secret, VALUE_LABEL, epoch, &key->key);
	if (r < 0) {
		free(key);
		return r;
	}
	key->epoch = epoch;
	key->next = ring->keys;
	ring->keys = key;
	ring->count++;
	*ret = key;
	return PM_OK;
}

int ring_key(struct ring *ring, uint32_t epoch, const struct pm_seal_key **ret_key)
{
	struct epoch_key *key;
	int r = PM_OK;

	pthread_mutex_lock(&ring->lock);
	key = ring->keys;
	while (key && key->epoch != epoch)
		key = key->next;
	if (!key)
		r = add_key(ring, epoch, &key);
	if (r == PM_OK)
		*ret_key = key->key;
	pthread_mutex_unlock(&ring->lock);
	return r;
}

const struct pm_seal_key *ring_state_key(const struct ring *ring)
{
	return ring->state;
}

const struct pm_sign_key *ring_audit_key(const struct ring *ring)
{
	return ring->audit;
}
