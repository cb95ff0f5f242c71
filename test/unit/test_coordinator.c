/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coordinator's decisions, walked through in all orders: three processes and one store that
 * keeps each of its states, shows an old one when it pleases, and loses answers. What evidence is
 * worth is told by the walk; nonces are real ones.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "pm-coordinator/machine.h"
#include "pm-coordinator/visitors.h"
#include "testing.h"

#define PROCESSES  3
#define STATES_MAX 64
#define NONCES_MAX 32
#define DEPTH	   3
#define LIVES	   24 /* of a process, until a table of visitors is made that nobody had before */

/* As ck_assert(), which tells a pipe of each success: of millions it would tell for a minute. */
#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			ck_abort_msg("%s", #x);                                                    \
	} while (0)

/* --- the world ------------------------------------------------------------------------------- */

/* What the store was, from the first write on. */
struct past {
	struct machine_head head;
	uint8_t previous[MACHINE_HASH_SIZE]; /* the link before, as the signed history has it */
};

struct nonce {
	uint8_t bytes[PM_BUNDLE_NONCE_SIZE];
	int owner; /* which process gave it, in which of its lives */
	unsigned int life;
	int64_t made;
	bool spent;
};

struct process {
	struct machine machine;
	int index;
	unsigned int life;
	/* A write whose answer did not come yet. */
	bool in_flight;
	uint64_t if_revision;
	uint64_t highest; /* serial that this life held */
};

struct world {
	int64_t now;
	size_t count, nonce_count;
	unsigned int issued, manifests, recoveries, refusals;
	struct process all[PROCESSES];
	struct past past[STATES_MAX];
	struct nonce nonces[NONCES_MAX];
};

static const struct past *newest(const struct world *w)
{
	return w->count ? &w->past[w->count - 1] : NULL;
}

static void new_hash(uint8_t ret[MACHINE_HASH_SIZE])
{
	static uint32_t number;

	number++;
	memset(ret, 0, MACHINE_HASH_SIZE);
	pm_copy(ret, &number, sizeof(number));
}

static void start(struct process *p)
{
	*p = (struct process){.index = p->index, .life = p->life + 1};
}

/*
 * Of this life of the process. Tables are large, and making them would be most of the work: those
 * of the walks before are used again, a long time after, when no nonce in them is good any more.
 */
static struct visitors *visitors_of(const struct process *p)
{
	static struct visitors *all[PROCESSES][LIVES];
	struct visitors **v = &all[p->index][p->life % LIVES];

	HOLDS(p->life < LIVES);
	if (!*v)
		*v = visitors_new(1);
	HOLDS(*v);
	return *v;
}

/* What a walk needs of time, and then some. */
#define LONG_TIME (INT64_C(1000) * VISITORS_LIFETIME)

static void world_begin(struct world *w)
{
	static int64_t now;

	now += LONG_TIME;
	/* States that were not written yet are not looked at. */
	memset(w, 0, offsetof(struct world, past));
	w->now = now;
	for (int i = 0; i < PROCESSES; i++) {
		w->all[i] = (struct process){.index = i};
		start(&w->all[i]);
	}
}

/* Does the history of a state hold this link? Each state's history is that of those before it. */
static bool leads_on(const struct world *w, size_t state, const struct machine *m)
{
	if (!m->has_seen)
		return true;
	for (size_t i = 0; i <= state; i++)
		if (memcmp(w->past[i].head.link, m->head.link, MACHINE_HASH_SIZE) == 0)
			return true;
	return false;
}

/* The links that took force are one chain, and their numbers have no gap. */
static void check_history(const struct world *w)
{
	static const uint8_t none[MACHINE_HASH_SIZE];

	for (size_t i = 0; i < w->count; i++) {
		const struct machine_head *h = &w->past[i].head;
		const struct machine_head *before = i ? &w->past[i - 1].head : NULL;

		HOLDS(h->seq == i + 1);
		if (!before) {
			HOLDS(h->serial == 1);
			HOLDS(memcmp(w->past[i].previous, none, sizeof(none)) == 0);
		} else if (h->serial == before->serial) {
			HOLDS(memcmp(h->link, before->link, MACHINE_HASH_SIZE) == 0);
		} else {
			HOLDS(h->serial == before->serial + 1);
			HOLDS(memcmp(w->past[i].previous, before->link, MACHINE_HASH_SIZE) == 0);
		}
	}
}

static void check_process(const struct world *w, struct process *p)
{
	const struct machine *m = &p->machine;

	if (m->holds) {
		HOLDS(m->own.serial >= p->highest);
		p->highest = m->own.serial;
	}
	if (machine_state(m, w->now) == MACHINE_READY) {
		HOLDS(m->has_seed && m->holds);
		HOLDS(m->own.serial >= m->head.serial);
	}
}

/* --- events ---------------------------------------------------------------------------------- */

/* The manifest's serial, and the link that the process would sign for it. */
static void propose(struct world *w, struct process *p, enum machine_write why, uint64_t serial)
{
	const struct machine *m = &p->machine;
	struct machine_head head = {.seq = (m->has_seen ? m->head.seq : 0) + 1, .serial = serial};

	if (w->count == STATES_MAX || p->in_flight)
		return;
	new_hash(head.mesh);
	if (why == MACHINE_RENEW)
		pm_copy(head.link, m->head.link, MACHINE_HASH_SIZE);
	else
		new_hash(head.link);
	if (machine_propose(&p->machine, why, &head, w->now, &p->if_revision))
		p->in_flight = true;
}

/* What the process signed follows what it held. */
static void set_previous(const struct process *p, struct past *ret)
{
	const struct machine *m = &p->machine;

	if (m->proposed.serial == 1)
		return;
	pm_copy(ret->previous, m->head.link, MACHINE_HASH_SIZE);
}

enum answer { COMES, IS_LOST };

/* Compare and swap at the store, and its answer. */
static void land(struct world *w, struct process *p, enum answer answer)
{
	const struct past *now = newest(w);
	uint64_t revision = now ? now->head.revision : 0;
	struct past *fresh = &w->past[w->count];

	if (!p->in_flight || w->count == STATES_MAX)
		return;
	if (revision == p->if_revision) {
		*fresh = (struct past){.head = p->machine.proposed};
		fresh->head.revision = revision + 1;
		set_previous(p, fresh);
		w->count++;
		if (answer == IS_LOST)
			return; /* it is tried again, and meets what it wrote */
		machine_wrote(&p->machine, fresh->head.revision, w->now);
		w->manifests++;
	} else if (answer == COMES) {
		(void)machine_settled(&p->machine, now ? &now->head : NULL, w->now);
	} else {
		return;
	}
	p->in_flight = false;
}

/* Keys of the head: from a peer that is ready with it, or a new mesh CA. */
static void follow(struct world *w, struct process *p, bool ask_peers)
{
	for (int i = 0; ask_peers && i < PROCESSES; i++) {
		struct process *peer = &w->all[i];

		if (peer == p || machine_state(&peer->machine, w->now) != MACHINE_READY)
			continue;
		if (machine_took(&p->machine, &peer->machine.own))
			return;
	}
	if (p->machine.has_seed)
		propose(w, p, MACHINE_RENEW, p->machine.head.serial);
}

/* back: how many states ago. */
static void look(struct world *w, struct process *p, size_t back, bool ask_peers)
{
	size_t state = back < w->count ? w->count - 1 - back : 0;
	const struct past *shown = w->count > back ? &w->past[state] : NULL;
	uint64_t before = p->machine.head.serial;
	enum machine_next next = machine_saw(&p->machine, shown ? &shown->head : NULL,
		!shown || leads_on(w, state, &p->machine), w->now);

	HOLDS(p->machine.head.serial >= before);
	if (next == MACHINE_REFUSE)
		w->refusals++;
	if (next == MACHINE_FOLLOW)
		follow(w, p, ask_peers);
}

/* The owners sign the newest link that took force: they know it, whatever the store shows. */
static void recover(struct world *w, struct process *p)
{
	if (!w->count || !machine_recover(&p->machine, newest(w)->head.link))
		return;
	HOLDS(p->machine.head.serial == newest(w)->head.serial);
	w->recoveries++;
	follow(w, p, false);
}

static void challenge(struct world *w, int index)
{
	struct nonce *n = &w->nonces[w->nonce_count % NONCES_MAX];
	struct process *p = &w->all[index];

	*n = (struct nonce){.owner = index, .life = p->life, .made = w->now};
	HOLDS(visitors_nonce(visitors_of(p), NULL, w->now, n->bytes) == PM_OK);
	w->nonce_count++;
}

/* Evidence for the newest-but-back nonce, good or not; the link may change before the answer. */
static void join(struct world *w, int index, size_t back, bool good)
{
	struct process *p = &w->all[index];
	struct nonce *n = NULL;
	uint8_t foreign[PM_BUNDLE_NONCE_SIZE] = {0};
	struct machine_ticket ticket = {.accepted = good};
	bool fresh;

	if (back < w->nonce_count && back < NONCES_MAX)
		n = &w->nonces[(w->nonce_count - 1 - back) % NONCES_MAX];
	fresh = n && n->owner == index && n->life == p->life && !n->spent &&
		w->now - n->made <= VISITORS_LIFETIME;
	ticket.nonce_taken = visitors_take(visitors_of(p), n ? n->bytes : foreign, w->now);
	HOLDS(!ticket.nonce_taken || fresh); /* ours, fresh and unused */
	if (n && n->owner == index && n->life == p->life)
		n->spent = true;
	pm_copy(ticket.link, p->machine.own.link, MACHINE_HASH_SIZE);
	pm_copy(ticket.mesh, p->machine.own.mesh, MACHINE_HASH_SIZE);
	if (!machine_may_issue(&p->machine, &ticket, w->now))
		return;
	HOLDS(fresh && good); /* by fresh valid evidence */
	HOLDS(machine_state(&p->machine, w->now) == MACHINE_READY);
	w->issued++;
}

enum {
	EVENT_LOOK,
	EVENT_LOOK_PEER,
	EVENT_LOOK_OLD,
	EVENT_FIRST,
	EVENT_NEXT,
	EVENT_SKIP,
	EVENT_LAND,
	EVENT_LOSE,
	EVENT_CRASH,
	EVENT_RECOVER,
	EVENT_CHALLENGE,
	EVENT_JOIN,
	EVENT_JOIN_BAD,
	EVENT_JOIN_OTHER,
	EVENT_WAIT,
	EVENT_WAIT_LONG,
	EVENTS,
};

static void step(struct world *w, int index, int event)
{
	struct process *p = &w->all[index];

	switch (event) {
	case EVENT_LOOK:
	case EVENT_LOOK_PEER:
		look(w, p, 0, event == EVENT_LOOK_PEER);
		break;
	case EVENT_LOOK_OLD:
		look(w, p, 1, false);
		break;
	case EVENT_FIRST:
		propose(w, p, MACHINE_FIRST, 1);
		break;
	case EVENT_NEXT:
	case EVENT_SKIP:
		propose(w, p, MACHINE_UPDATE, p->machine.own.serial + 1 + (event == EVENT_SKIP));
		break;
	case EVENT_LAND:
	case EVENT_LOSE:
		land(w, p, event == EVENT_LAND ? COMES : IS_LOST);
		break;
	case EVENT_CRASH:
		start(p);
		break;
	case EVENT_RECOVER:
		recover(w, p);
		break;
	case EVENT_CHALLENGE:
		challenge(w, index);
		break;
	case EVENT_JOIN:
	case EVENT_JOIN_BAD:
		join(w, index, 0, event == EVENT_JOIN);
		break;
	case EVENT_JOIN_OTHER:
		join(w, index, 1, true);
		break;
	case EVENT_WAIT:
		w->now += 2000;
		break;
	default:
		w->now += VISITORS_LIFETIME + 1;
		break;
	}
	check_history(w);
	check_process(w, p);
}

/* --- walks ----------------------------------------------------------------------------------- */

/* How far it went before all orders of some events begin. */
static void prepare(struct world *w, int how)
{
	static const int steps[][9] = {
		{-1},
		/* A manifest is set, and another process has seen it. */
		{EVENT_LOOK, EVENT_FIRST, EVENT_LAND, EVENTS + EVENT_LOOK, -1},
		/* It was set twice, and then all began anew. */
		{EVENT_LOOK, EVENT_FIRST, EVENT_LAND, EVENT_NEXT, EVENT_LAND, EVENT_CRASH, -1},
		/* The next one is under way while the other process has the keys. */
		{EVENT_LOOK, EVENT_FIRST, EVENT_LAND, EVENTS + EVENT_LOOK, EVENTS + EVENT_RECOVER,
			EVENTS + EVENT_LAND, EVENT_LOOK_PEER, EVENT_NEXT, -1},
		/* It is, and its answer was lost; somebody waits with a nonce. */
		{EVENT_LOOK, EVENT_FIRST, EVENT_LAND, EVENT_CHALLENGE, EVENT_NEXT, EVENT_LOSE, -1},
	};

	world_begin(w);
	for (const int *at = steps[how]; *at >= 0; at++)
		step(w, *at / EVENTS, *at % EVENTS);
}

static void walk_all(int how)
{
	const int choices = 2 * EVENTS;
	struct world w;
	int path[DEPTH] = {0}, last;

	do {
		prepare(&w, how);
		for (int i = 0; i < DEPTH; i++)
			step(&w, path[i] / EVENTS, path[i] % EVENTS);
		for (last = DEPTH - 1; last >= 0 && ++path[last] == choices; last--)
			path[last] = 0;
	} while (last >= 0);
}

/* All orders of so many events of two processes. */
START_TEST(all_orders_of_few_events)
{
	walk_all(_i);
}
END_TEST

/* Long orders at random, from numbers that are the same each time. */
START_TEST(many_long_orders)
{
	static const int often[] = {EVENT_LAND, EVENT_LAND, EVENT_LOOK, EVENT_LOOK, EVENT_LOOK_PEER,
		EVENT_CHALLENGE, EVENT_JOIN, EVENT_JOIN};
	unsigned int issued = 0, manifests = 0, recoveries = 0, refusals = 0;
	unsigned int seed = 1;
	struct world w;

	for (int walk = 0; walk < 6000; walk++) {
		world_begin(&w);
		for (int i = 0; i < 120; i++) {
			int event = rand_r(&seed) % (EVENTS + 8), index = rand_r(&seed) % PROCESSES;

			/* What leads on comes more often. */
			step(&w, index, event < EVENTS ? event : often[event - EVENTS]);
		}
		issued += w.issued;
		manifests += w.manifests;
		recoveries += w.recoveries;
		refusals += w.refusals;
	}
	/* The walk reaches what it is to judge. */
	ck_assert_uint_gt(issued, 1000);
	ck_assert_uint_gt(manifests, 6000);
	ck_assert_uint_gt(recoveries, 500);
	ck_assert_uint_gt(refusals, 500);
}
END_TEST

/* --- the machine, case by case --------------------------------------------------------------- */

static struct machine_head head_of(uint64_t seq, uint64_t serial, uint8_t link, uint8_t mesh)
{
	return (struct machine_head){
		.revision = seq, .seq = seq, .serial = serial, .link = {link}, .mesh = {mesh}};
}

static struct machine ready_machine(const struct machine_head *head, int64_t now)
{
	struct machine m = {0};
	uint64_t if_revision;

	ck_assert_int_eq(machine_saw(&m, NULL, true, now), MACHINE_NOTHING);
	ck_assert_int_eq(machine_state(&m, now), MACHINE_EMPTY);
	ck_assert(machine_propose(&m, MACHINE_FIRST, head, now, &if_revision));
	ck_assert_uint_eq(if_revision, 0);
	machine_wrote(&m, head->revision, now);
	ck_assert_int_eq(machine_state(&m, now), MACHINE_READY);
	return m;
}

START_TEST(a_look_holds_five_seconds)
{
	struct machine_head one = head_of(1, 1, 1, 1), other = head_of(2, 1, 1, 2);
	struct machine m = ready_machine(&one, 0);
	struct machine_ticket ticket = {true, true, {1}, {1}};

	ck_assert(machine_may_issue(&m, &ticket, MACHINE_FRESH));
	ck_assert(!machine_may_issue(&m, &ticket, MACHINE_FRESH + 1));
	ck_assert_int_eq(machine_state(&m, MACHINE_FRESH + 1), MACHINE_STALE);
	/* What counts is when the question was asked, not when the answer came. */
	ck_assert_int_eq(machine_saw(&m, &one, true, 1000), MACHINE_NOTHING);
	ck_assert(!machine_may_issue(&m, &ticket, 1000 + MACHINE_FRESH + 1));
	ck_assert_int_eq(machine_saw(&m, &one, true, 6000), MACHINE_NOTHING);
	ck_assert(machine_may_issue(&m, &ticket, 6000));
	/* By another manifest, without a nonce, or without a yes there is none. */
	ck_assert(!machine_may_issue(&m, &(struct machine_ticket){true, true, {2}, {1}}, 6000));
	ck_assert(!machine_may_issue(&m, &(struct machine_ticket){false, true, {1}, {1}}, 6000));
	ck_assert(!machine_may_issue(&m, &(struct machine_ticket){true, false, {1}, {1}}, 6000));
	/* Another mesh CA. */
	ck_assert_int_eq(machine_saw(&m, &other, true, 6000), MACHINE_FOLLOW);
	ck_assert(!machine_may_issue(&m, &ticket, 6000));
	ck_assert(machine_took(&m, &other));
	ck_assert_int_eq(machine_state(&m, 6000), MACHINE_STALE);
	ck_assert_int_eq(machine_saw(&m, &other, true, 6001), MACHINE_NOTHING);
	ck_assert_msg(!machine_may_issue(&m, &ticket, 6001), "of a mesh CA that was");
	ticket.mesh[0] = 2;
	ck_assert(machine_may_issue(&m, &ticket, 6001));
}
END_TEST

START_TEST(the_store_can_not_go_back)
{
	struct machine_head two = head_of(5, 2, 2, 2);
	const struct machine_head bad[] = {
		head_of(4, 2, 2, 1), /* an older mesh CA */
		head_of(4, 1, 1, 1), /* an older manifest */
		head_of(6, 1, 1, 1), /* the same, as if written later */
		head_of(6, 2, 3, 3), /* another link in its place */
		head_of(5, 2, 2, 3), /* two of one number */
	};
	struct machine m = {0};

	ck_assert_int_eq(machine_saw(&m, &two, true, 1), MACHINE_NOTHING);
	ck_assert_int_eq(machine_state(&m, 1), MACHINE_SEALED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(machine_saw(&m, &bad[i], true, 2), MACHINE_REFUSE);
	ck_assert_int_eq(machine_saw(&m, NULL, true, 2), MACHINE_REFUSE);
	ck_assert_int_eq(machine_state(&m, 2), MACHINE_SEALED);
	two = head_of(6, 3, 3, 3);
	ck_assert_int_eq(machine_saw(&m, &two, false, 2), MACHINE_REFUSE);
	ck_assert_int_eq(machine_saw(&m, &two, true, 2), MACHINE_NOTHING);
	ck_assert_uint_eq(m.head.serial, 3);
}
END_TEST

START_TEST(owners_name_the_head_that_they_mean)
{
	const uint8_t newer[MACHINE_HASH_SIZE] = {2}, shown[MACHINE_HASH_SIZE] = {1};
	struct machine_head old = head_of(1, 1, 1, 1), mesh = head_of(2, 1, 1, 2);
	struct machine m = {0};
	uint64_t if_revision;

	ck_assert(!machine_recover(&m, shown));
	(void)machine_saw(&m, &old, true, 1);
	ck_assert(!machine_propose(&m, MACHINE_RENEW, &mesh, 1, &if_revision));
	ck_assert(!machine_recover(&m, newer));
	ck_assert_int_eq(machine_state(&m, 1), MACHINE_SEALED);
	ck_assert(machine_recover(&m, shown));
	ck_assert(!machine_recover(&m, shown));
	ck_assert_int_eq(machine_state(&m, 1), MACHINE_STALE);
	/* A first manifest, or a next one, is not for now; another mesh CA is. */
	ck_assert(!machine_propose(&m, MACHINE_FIRST, &old, 1, &if_revision));
	ck_assert(!machine_propose(&m, MACHINE_UPDATE,
		&(struct machine_head){.seq = 2, .serial = 2}, 1, &if_revision));
	ck_assert(machine_propose(&m, MACHINE_RENEW, &mesh, 1, &if_revision));
	ck_assert_uint_eq(if_revision, 1);
	machine_wrote(&m, 2, 1);
	ck_assert_int_eq(machine_state(&m, 1), MACHINE_READY);
}
END_TEST

START_TEST(one_write_at_a_time)
{
	struct machine_head one = head_of(1, 1, 1, 1), two = head_of(2, 2, 2, 2);
	struct machine_head theirs = head_of(2, 2, 3, 3);
	struct machine m = ready_machine(&one, 0);
	uint64_t if_revision;

	/* Under the mesh CA of the manifest before, it would be the same trust. */
	two.mesh[0] = 1;
	ck_assert(!machine_propose(&m, MACHINE_UPDATE, &two, 0, &if_revision));
	two.mesh[0] = 2;
	ck_assert(machine_propose(&m, MACHINE_UPDATE, &two, 0, &if_revision));
	ck_assert_uint_eq(if_revision, 1);
	ck_assert(!machine_propose(&m, MACHINE_UPDATE, &two, 0, &if_revision));
	/* What is seen meanwhile says nothing. */
	ck_assert_int_eq(machine_saw(&m, &theirs, true, 1), MACHINE_NOTHING);
	ck_assert(!machine_settled(&m, &theirs, 1));
	ck_assert_int_eq(machine_saw(&m, &theirs, true, 1), MACHINE_FOLLOW);
	ck_assert_int_eq(machine_state(&m, 1), MACHINE_STALE);
	/* An answer that was lost, of a write that was not. */
	m = ready_machine(&one, 0);
	ck_assert(machine_propose(&m, MACHINE_UPDATE, &two, 0, &if_revision));
	ck_assert(machine_settled(&m, &two, 1));
	ck_assert_int_eq(machine_state(&m, 1), MACHINE_READY);
	ck_assert_uint_eq(m.own.serial, 2);
}
END_TEST

/* --- visitors -------------------------------------------------------------------------------- */

static struct sockaddr_in v4_of(uint32_t number)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {number}};
}

START_TEST(a_nonce_is_good_once_for_a_minute)
{
	struct visitors *here = visitors_new(1), *there = visitors_new(1);
	struct sockaddr_in who = v4_of(1);
	const struct sockaddr *a = (const struct sockaddr *)&who;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE], zeros[PM_BUNDLE_NONCE_SIZE] = {0}, far[32];

	ck_assert(!visitors_take(here, zeros, 0));
	memset(far, 255, sizeof(far));
	ck_assert(!visitors_take(here, far, 0));
	ck_pm(visitors_nonce(here, a, 0, nonce), PM_OK);
	ck_assert_msg(!visitors_take(there, nonce, 0), "of another process");
	nonce[31] ^= 1;
	ck_assert(!visitors_take(here, nonce, 0));
	nonce[31] ^= 1;
	ck_assert(visitors_take(here, nonce, VISITORS_LIFETIME));
	ck_assert_msg(!visitors_take(here, nonce, VISITORS_LIFETIME), "twice");
	ck_pm(visitors_nonce(here, a, 0, nonce), PM_OK);
	ck_assert(!visitors_take(here, nonce, VISITORS_LIFETIME + 1));
	visitors_free(here);
	visitors_free(there);
}
END_TEST

START_TEST(who_asks_much_harms_himself)
{
	struct visitors *v = visitors_new(1);
	struct sockaddr_in much = v4_of(1), little = v4_of(2);
	uint8_t first[32], nonce[32];

	ck_pm(visitors_nonce(v, (const struct sockaddr *)&much, 0, first), PM_OK);
	ck_pm(visitors_nonce(v, (const struct sockaddr *)&little, 0, nonce), PM_OK);
	for (int i = 0; i < 10 * VISITORS_NONCES; i++) {
		uint8_t more[32];

		ck_pm(visitors_nonce(v, (const struct sockaddr *)&much, 1, more), PM_OK);
	}
	ck_assert(!visitors_take(v, first, 1));
	ck_assert(visitors_take(v, nonce, 1));
	/* The one who was here longest ago makes room. */
	ck_pm(visitors_nonce(v, (const struct sockaddr *)&little, 2, nonce), PM_OK);
	for (uint32_t i = 0; i < VISITORS_MAX - 1; i++) {
		struct sockaddr_in other = v4_of(100 + i);

		ck_assert(visitors_admit(v, (const struct sockaddr *)&other, 3));
	}
	ck_assert(visitors_take(v, nonce, 3));
	ck_pm(visitors_nonce(v, (const struct sockaddr *)&little, 4, nonce), PM_OK);
	for (uint32_t i = 0; i < VISITORS_MAX; i++) {
		struct sockaddr_in other = v4_of(10000 + i);

		ck_assert(visitors_admit(v, (const struct sockaddr *)&other, 5));
	}
	ck_assert(!visitors_take(v, nonce, 5));
	visitors_free(v);
}
END_TEST

START_TEST(refusals_fill_no_store)
{
	struct visitors *v = visitors_new(1);
	int64_t now = 5000;
	int noted;

	for (int i = 0; i < 2; i++) {
		for (noted = 0; visitors_note(v, now); noted++)
			;
		ck_assert_int_eq(noted, VISITORS_NOTES);
		now += VISITORS_NOTE_TIME - 1;
		ck_assert(!visitors_note(v, now));
		ck_assert(visitors_note(v, now + 1));
		ck_assert(!visitors_note(v, now + 1));
		now += INT64_C(1000) * VISITORS_NOTE_TIME;
	}
	visitors_free(v);
}
END_TEST

START_TEST(questions_have_a_rate)
{
	struct visitors *v = visitors_new(2);
	struct sockaddr_in who = v4_of(1), other = v4_of(2);
	const struct sockaddr *a = (const struct sockaddr *)&who;
	struct sockaddr_in6 net = {.sin6_family = AF_INET6, .sin6_addr = {{{0x20, 1}}}};
	int admitted = 0;

	while (visitors_admit(v, a, 1000))
		admitted++;
	ck_assert_int_eq(admitted, 2 * VISITORS_BURST);
	ck_assert(visitors_admit(v, (const struct sockaddr *)&other, 1000));
	ck_assert(!visitors_admit(v, a, 1499));
	ck_assert(visitors_admit(v, a, 1500));
	ck_assert(!visitors_admit(v, a, 1500));
	/* A clock that stands still, or years, earn no more than there is room for. */
	for (admitted = 0; visitors_admit(v, a, INT64_MAX / 4); admitted++)
		;
	ck_assert_int_eq(admitted, 2 * VISITORS_BURST);
	/* All of one network, all without an address, and an address in its other form, are one. */
	for (admitted = 0; visitors_admit(v, (const struct sockaddr *)&net, 0); admitted++)
		net.sin6_addr.s6_addr[15]++;
	ck_assert_int_eq(admitted, 2 * VISITORS_BURST);
	net.sin6_addr.s6_addr[7]++;
	ck_assert(visitors_admit(v, (const struct sockaddr *)&net, 0));
	net.sin6_addr = (struct in6_addr){{{[10] = 255, [11] = 255, [12] = 1}}};
	ck_assert(!visitors_admit(v, (const struct sockaddr *)&net, INT64_MAX / 4));
	for (admitted = 0; visitors_admit(v, NULL, 0); admitted++)
		;
	ck_assert_int_eq(admitted, 2 * VISITORS_BURST);
	visitors_free(v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coordinator");
	TCase *tcase = tcase_create("coordinator");

	/* Each table of visitors would be a huge page, to be cleared for a few nonces. */
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	tcase_set_timeout(tcase, 280);
	tcase_add_loop_test(tcase, all_orders_of_few_events, 0, 5);
	tcase_add_test(tcase, many_long_orders);
	tcase_add_test(tcase, a_look_holds_five_seconds);
	tcase_add_test(tcase, the_store_can_not_go_back);
	tcase_add_test(tcase, owners_name_the_head_that_they_mean);
	tcase_add_test(tcase, one_write_at_a_time);
	tcase_add_test(tcase, a_nonce_is_good_once_for_a_minute);
	tcase_add_test(tcase, who_asks_much_harms_himself);
	tcase_add_test(tcase, refusals_fill_no_store);
	tcase_add_test(tcase, questions_have_a_rate);
	suite_add_tcase(suite, tcase);
	return test_main(suite);
}
