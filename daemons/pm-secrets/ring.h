/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the service, all derived from the secret of its role: those that seal values, one an
 * epoch, and the one that signs the log. They last as long as the deployment's seed, so each
 * instance has the same, also after a restart.
 */
#ifndef SECRETS_RING_H
#define SECRETS_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/key.h>
#include <pm/seal.h>

#define RING_SECRET_SIZE 32
/* Epochs that one process may see: each rotation is one. */
#define RING_EPOCHS_MAX 4096
/* The first epoch. */
#define RING_FIRST 1

/* Thread safe. */
struct ring;

/* 0; PM_E_NOMEM, PM_E_CRYPTO. */
int ring_new(const uint8_t secret[RING_SECRET_SIZE], struct ring **ret_ring);
void ring_free(struct ring *ring);

/* The same secret as that of the ring? In a time that says nothing of where they differ. */
bool ring_is_of(const struct ring *ring, const uint8_t secret[RING_SECRET_SIZE]);

/* The epoch under which values are sealed. */
uint32_t ring_epoch(const struct ring *ring);

/*
 * It is this epoch, or a later one: what a store says of an earlier one is passed over. While
 * values are sealed anew, those of two epochs before may be there, else of one: some may have been
 * written by who had not heard of the last rotation.
 */
void ring_set_epoch(struct ring *ring, uint32_t epoch, bool is_rotating);

/*
 * May values of that epoch be there? Also of the next, of which another instance may know already.
 * What is older was sealed anew, and is a thing of the past that a store has put back.
 */
bool ring_accepts(const struct ring *ring, uint32_t epoch);

/* The key of an epoch, which lives as long as the ring. 0; PM_E_LIMIT, PM_E_NOMEM, PM_E_CRYPTO. */
int ring_key(struct ring *ring, uint32_t epoch, const struct pm_seal_key **ret_key);

/* The key of the note that says which epoch it is. */
const struct pm_seal_key *ring_state_key(const struct ring *ring);

/* The key that signs the log. */
const struct pm_sign_key *ring_audit_key(const struct ring *ring);

#endif
