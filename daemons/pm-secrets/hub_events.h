/* SPDX-License-Identifier: Apache-2.0 */
/* Events of one watch that wait to be taken, in their order. */
#ifndef SECRETS_HUB_EVENTS_H
#define SECRETS_HUB_EVENTS_H

#include "pm-secrets/hub.h"

struct hub_events_one;

/* Begin with zeros. */
struct hub_events {
	struct hub_events_one *first, *last;
	size_t count;
	bool is_lost; /* there were too many, or no memory: what waits tells not all */
};

/* id: of a note. */
void hub_events_put(struct hub_events *events, const char *id, enum hub_event event);

/* The first; false: there is none, or they are lost. */
bool hub_events_take(
	struct hub_events *events, char ret_id[PM_COMMAND_ID_MAX + 1], enum hub_event *ret_event);

void hub_events_clear(struct hub_events *events);

#endif
