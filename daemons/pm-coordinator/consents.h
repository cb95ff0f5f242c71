/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shares of a seed that came with consents of owners, until some of them give the seed. A share
 * does not show whether it is right. So that an owner who sends wrong ones keeps nobody from
 * recovering it, each owner has room of his own, and all choices of enough shares are tried.
 */
#ifndef COORDINATOR_CONSENTS_H
#define COORDINATOR_CONSENTS_H

#include <stdbool.h>

#include <pm/authority.h>
#include <pm/shares.h>
#include <pm/signatures.h>

#include "pm-coordinator/machine.h"

/* Most choices that are tried at a time. */
#define CONSENTS_TRIES 10000

struct consents;

/*
 * link: that all of them mean. So many shares give the seed, and so many owners must consent, each
 * at least 1. In memory that is locked, where the system lets us, and in no core dump. NULL without
 * memory.
 */
struct consents *consents_new(const uint8_t link[MACHINE_HASH_SIZE], size_t shares, size_t owners);
void consents_free(struct consents *consents);

bool consents_are_of(const struct consents *consents, const uint8_t link[MACHINE_HASH_SIZE]);

/*
 * Keeps a share, of an owner whose consent was verified: as many of each owner as give the seed;
 * one of the same number, or his oldest, makes room. False for a share of number 0, or of more
 * owners than there are.
 */
bool consents_add(struct consents *consents, const uint8_t owner[PM_SIGN_ID_SIZE],
	const uint8_t share[PM_SHARE_SIZE]);

/* What is needed of that which lacks more, and what came of it: less, until the seed is there. */
void consents_count(const struct consents *consents, size_t *ret_have, size_t *ret_need);

/*
 * The seed of the commitment. PM_E_MISSING: owners or shares are lacking; PM_E_REJECTED: no choice
 * of them gives it; PM_E_NOMEM, PM_E_CRYPTO, PM_E_UNSUPPORTED.
 */
int consents_combine(const struct consents *consents,
	const uint8_t commitment[PM_SEED_COMMITMENT_SIZE], struct pm_seed **ret_seed);

#endif
