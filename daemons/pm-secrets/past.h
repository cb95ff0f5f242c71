/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process itself did and a store could make undone: which commands it obeyed, and which
 * secrets it ended. A store that forgets a command, or puts a secret back, finds that it is
 * remembered here, for as long as the process lives; other instances don't know of it.
 *
 * Times are seconds: what was made in the second of its end is over, too. Of ends that have no room
 * any more only the time is kept, at one of many places, which others share: something older whose
 * place is the same is then over as well, though nobody ended it. That costs its owners a new put,
 * where to forget would give out what they ended.
 */
#ifndef SECRETS_PAST_H
#define SECRETS_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include <pm/command.h>

/* Commands of the last hour, and ended secrets that are known by name. */
#define PAST_COMMANDS_MAX 4096
#define PAST_ENDED_MAX	  16384

/* Thread safe. */
struct past;

/* NULL without memory. */
struct past *past_new(void);
void past_free(struct past *past);

/*
 * A command is to be obeyed, which is remembered until then. 0; PM_E_STATE when it was before;
 * PM_E_LIMIT when too many are remembered, PM_E_NOMEM. Times in seconds since 1970.
 */
int past_obey(struct past *past, const uint8_t digest[PM_COMMAND_DIGEST_SIZE], int64_t until,
	int64_t now);

/* A secret was ended: what is not of a later second is over. PM_E_NOMEM. */
int past_end(struct past *past, const char *id, int64_t now);

/* Is a secret of that identifier, made then, over? */
bool past_is_over(struct past *past, const char *id, int64_t created);

#endif
