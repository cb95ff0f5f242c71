/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/machine.h"

#include <string.h>

static bool is_hash(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, MACHINE_HASH_SIZE) == 0;
}

/* But for the store's revision, which a head has only once it is written. */
static bool is_same(const struct machine_head *a, const struct machine_head *b)
{
	return a->seq == b->seq && a->serial == b->serial && is_hash(a->link, b->link) &&
	       is_hash(a->mesh, b->mesh);
}

/* Could b have come after a? */
static bool may_follow(const struct machine_head *a, const struct machine_head *b)
{
	if (b->seq < a->seq || b->serial < a->serial)
		return false;
	if (b->seq == a->seq)
		return is_same(a, b);
	return b->serial > a->serial || is_hash(a->link, b->link);
}

enum machine_state machine_state(const struct machine *machine, int64_t now)
{
	const struct machine *m = machine;

	if (!m->has_seed && m->has_seen)
		return MACHINE_SEALED;
	if (!m->has_seed)
		return m->was_read ? MACHINE_EMPTY : MACHINE_STALE;
	if (!m->holds || !is_same(&m->own, &m->head) || now - m->confirmed > MACHINE_FRESH)
		return MACHINE_STALE;
	return MACHINE_READY;
}

enum machine_next machine_saw(
	struct machine *machine, const struct machine_head *head, bool leads_on, int64_t asked)
{
	struct machine *m = machine;

	if (m->is_writing)
		return MACHINE_NOTHING; /* it may be of before or after: machine_settled() tells */
	m->was_read = true;
	if (!head)
		return m->has_seen ? MACHINE_REFUSE : MACHINE_NOTHING;
	if (m->has_seen && (!leads_on || !may_follow(&m->head, head)))
		return MACHINE_REFUSE;
	m->has_seen = true;
	m->head = *head;
	if (m->holds && is_same(&m->own, head)) {
		if (asked > m->confirmed)
			m->confirmed = asked;
		return MACHINE_NOTHING;
	}
	return m->has_seed ? MACHINE_FOLLOW : MACHINE_NOTHING;
}

static bool may_write(const struct machine *m, enum machine_write why,
	const struct machine_head *proposed, int64_t now)
{
	enum machine_state state = machine_state(m, now);

	if (m->is_writing || proposed->seq != (m->has_seen ? m->head.seq : 0) + 1)
		return false;
	switch (why) {
	case MACHINE_FIRST:
		return state == MACHINE_EMPTY && proposed->serial == 1;
	case MACHINE_UPDATE:
		return state == MACHINE_READY && proposed->serial == m->own.serial + 1 &&
		       !is_hash(proposed->mesh, m->own.mesh);
	case MACHINE_RENEW:
		return m->has_seed && m->has_seen && proposed->serial == m->head.serial &&
		       is_hash(proposed->link, m->head.link) &&
		       !is_hash(proposed->mesh, m->head.mesh);
	default:
		return false;
	}
}

bool machine_propose(struct machine *machine, enum machine_write why,
	const struct machine_head *proposed, int64_t now, uint64_t *ret_if_revision)
{
	if (!may_write(machine, why, proposed, now))
		return false;
	machine->is_writing = true;
	machine->proposed = *proposed;
	*ret_if_revision = machine->has_seen ? machine->head.revision : 0;
	return true;
}

void machine_wrote(struct machine *machine, uint64_t revision, int64_t asked)
{
	struct machine *m = machine;

	if (!m->is_writing)
		return;
	m->proposed.revision = revision;
	m->head = m->own = m->proposed;
	m->confirmed = asked;
	m->has_seen = m->has_seed = m->holds = true;
	m->is_writing = false;
}

bool machine_settled(struct machine *machine, const struct machine_head *head, int64_t asked)
{
	bool ours = machine->is_writing && head && is_same(head, &machine->proposed);

	if (ours)
		machine_wrote(machine, head->revision, asked);
	machine->is_writing = false;
	return ours;
}

bool machine_recover(struct machine *machine, const uint8_t link[MACHINE_HASH_SIZE])
{
	if (machine->has_seed || !machine->has_seen || machine->is_writing ||
		!is_hash(link, machine->head.link))
		return false;
	machine->has_seed = true;
	return true;
}

/* It is not confirmed by that: the next look at the store does it. */
bool machine_took(struct machine *machine, const struct machine_head *head)
{
	if (!machine->has_seen || machine->is_writing || !is_same(head, &machine->head))
		return false;
	machine->own = machine->head;
	machine->holds = machine->has_seed = true;
	machine->confirmed = INT64_MIN / 2;
	return true;
}

bool machine_may_issue(
	const struct machine *machine, const struct machine_ticket *ticket, int64_t now)
{
	return ticket->nonce_taken && ticket->accepted &&
	       machine_state(machine, now) == MACHINE_READY && !machine->is_writing &&
	       is_hash(ticket->link, machine->own.link) && is_hash(ticket->mesh, machine->own.mesh);
}
