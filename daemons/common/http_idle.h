/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections on which nothing is under way, in the order in which they became so: who waits for
 * longest is found without a look at the others, however many there are.
 */
#ifndef COMMON_HTTP_IDLE_H
#define COMMON_HTTP_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct http_exchange;

TAILQ_HEAD(http_idle_list, http_exchange);

/* Who has just come is about to ask something, so he is left alone for a while. */
struct http_idle {
	struct http_idle_list asked; /* something before */
	struct http_idle_list fresh; /* nothing yet */
};

void http_idle_init(struct http_idle *idle);

/* now: in milliseconds, never before that of an earlier call. The connection is in no list yet. */
void http_idle_join(struct http_idle *idle, struct http_exchange *x, int64_t now);

/* Fine when it is in none. */
void http_idle_leave(struct http_idle *idle, struct http_exchange *x);

/*
 * Who waits for longest, and stays in his list; NULL: nobody. Unless is_full, who has only just
 * come does not count.
 */
struct http_exchange *http_idle_oldest(const struct http_idle *idle, int64_t now, bool is_full);

#endif
