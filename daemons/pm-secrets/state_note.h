/* SPDX-License-Identifier: Apache-2.0 */
/* The note that says which epoch it is: version 1 (1 byte), epoch (4), rotating (1), sealed. */
#ifndef SECRETS_STATE_NOTE_H
#define SECRETS_STATE_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pm-secrets/ring.h"

struct state_note {
	uint32_t epoch;
	bool is_rotating;
};

#define STATE_NOTE_PLAIN 6
#define STATE_NOTE_SIZE	 (STATE_NOTE_PLAIN + PM_SEAL_OVERHEAD)

/* 0; PM_E_NOMEM, PM_E_CRYPTO. */
int state_note_seal(
	const struct ring *ring, const struct state_note *note, uint8_t ret[STATE_NOTE_SIZE]);

/* 0; PM_E_FORMAT, PM_E_UNSUPPORTED, PM_E_REJECTED; PM_E_NOMEM, PM_E_CRYPTO. */
int state_note_open(
	const struct ring *ring, const uint8_t *bytes, size_t len, struct state_note *ret);

/*
 * What follows the note of a rotation that is asked for: PM_E_STATE while one is under way,
 * PM_E_LIMIT after the last epoch.
 */
int state_note_rotate(const struct state_note *now, struct state_note *ret);

#endif
