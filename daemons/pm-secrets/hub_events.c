/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/hub_events.h"

#include <stdlib.h>
#include <string.h>

struct hub_events_one {
	struct hub_events_one *next;
	enum hub_event event;
	char id[PM_COMMAND_ID_MAX + 1];
};

void hub_events_put(struct hub_events *events, const char *id, enum hub_event event)
{
	struct hub_events_one *one =
		events->count < HUB_EVENTS_MAX ? calloc(1, sizeof(*one)) : NULL;

	if (!one) {
		events->is_lost = true;
		return;
	}
	strcpy(one->id, id); /* a note's is no longer */
	one->event = event;
	if (events->last)
		events->last->next = one;
	else
		events->first = one;
	events->last = one;
	events->count++;
}

static void drop_first(struct hub_events *events)
{
	struct hub_events_one *one = events->first;

	events->first = one->next;
	if (!events->first)
		events->last = NULL;
	events->count--;
	free(one);
}

bool hub_events_take(
	struct hub_events *events, char ret_id[PM_COMMAND_ID_MAX + 1], enum hub_event *ret_event)
{
	if (events->is_lost || !events->first)
		return false;
	strcpy(ret_id, events->first->id);
	*ret_event = events->first->event;
	drop_first(events);
	return true;
}

void hub_events_clear(struct hub_events *events)
{
	while (events->first)
		drop_first(events);
}
