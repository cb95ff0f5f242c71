/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http_idle.h"

#include "common/http_conn.h"

/* Who came that long ago and asked nothing yet is idle. */
#define NEW_MILLISECONDS 1000

void http_idle_init(struct http_idle *idle)
{
	TAILQ_INIT(&idle->asked);
	TAILQ_INIT(&idle->fresh);
}

/* Only a request gives the connection an id, and with a request under way it is in no list. */
static struct http_idle_list *list_of(struct http_idle *idle, const struct http_exchange *x)
{
	return x->id[0] ? &idle->asked : &idle->fresh;
}

void http_idle_join(struct http_idle *idle, struct http_exchange *x, int64_t now)
{
	x->idle_since = now;
	x->is_idle = true;
	TAILQ_INSERT_TAIL(list_of(idle, x), x, idle);
}

void http_idle_leave(struct http_idle *idle, struct http_exchange *x)
{
	if (!x->is_idle)
		return;
	x->is_idle = false;
	TAILQ_REMOVE(list_of(idle, x), x, idle);
}

struct http_exchange *http_idle_oldest(const struct http_idle *idle, int64_t now, bool is_full)
{
	struct http_exchange *asked = TAILQ_FIRST(&idle->asked), *fresh = TAILQ_FIRST(&idle->fresh);

	if (fresh && !is_full && now - fresh->idle_since < NEW_MILLISECONDS)
		fresh = NULL;
	if (!asked || (fresh && fresh->idle_since < asked->idle_since))
		return fresh;
	return asked;
}
