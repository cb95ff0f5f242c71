/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/state_note.h"

#include <string.h>

#define VERSION 1

static const char context[] = "secrets/state";

int state_note_seal(
	const struct ring *ring, const struct state_note *note, uint8_t ret[STATE_NOTE_SIZE])
{
	const uint8_t plain[STATE_NOTE_PLAIN] = {VERSION, (uint8_t)(note->epoch >> 24),
		(uint8_t)(note->epoch >> 16), (uint8_t)(note->epoch >> 8), (uint8_t)note->epoch,
		note->is_rotating};

	return pm_seal(ring_state_key(ring), context, strlen(context), plain, sizeof(plain), ret);
}

int state_note_open(
	const struct ring *ring, const uint8_t *bytes, size_t len, struct state_note *ret)
{
	uint8_t plain[STATE_NOTE_PLAIN];
	struct state_note note = {0};
	int r;

	if (len != STATE_NOTE_SIZE)
		return PM_E_FORMAT;
	r = pm_seal_open(ring_state_key(ring), context, strlen(context), bytes, len, plain);
	if (r < 0)
		return r;
	if (plain[0] != VERSION)
		return PM_E_UNSUPPORTED;
	for (size_t i = 1; i < 5; i++)
		note.epoch = note.epoch << 8 | plain[i];
	note.is_rotating = plain[5] == 1;
	if (note.epoch < RING_FIRST || plain[5] > 1)
		return PM_E_FORMAT;
	*ret = note;
	return PM_OK;
}

int state_note_rotate(const struct state_note *now, struct state_note *ret)
{
	if (now->is_rotating)
		return PM_E_STATE;
	if (now->epoch == UINT32_MAX)
		return PM_E_LIMIT;
	*ret = (struct state_note){now->epoch + 1, true};
	return PM_OK;
}
