/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/consents.h"

#include <string.h>
#include <sys/mman.h>

#define OWNERS PM_MANIFEST_OWNERS_MAX

struct gift {
	uint64_t time; /* grows with each; 0: none */
	uint8_t share[PM_SHARE_SIZE];
};

struct giver {
	uint8_t owner[PM_SIGN_ID_SIZE];
	struct gift gifts[PM_SHARES_MAX];
};

struct consents {
	uint8_t link[MACHINE_HASH_SIZE];
	size_t shares, owners; /* that are needed */
	size_t giver_count;
	uint64_t time;
	struct giver givers[OWNERS];
};

struct consents *consents_new(const uint8_t link[MACHINE_HASH_SIZE], size_t shares, size_t owners)
{
	struct consents *c;
	void *memory;

	if (!shares || shares > PM_SHARES_MAX || !owners || owners > OWNERS)
		return NULL;
	memory = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, sizeof(*c), MADV_DONTDUMP);
	(void)mlock(memory, sizeof(*c));
	c = memory;
	memcpy(c->link, link, MACHINE_HASH_SIZE);
	c->shares = shares;
	c->owners = owners;
	return c;
}

void consents_free(struct consents *consents)
{
	if (!consents)
		return;
	explicit_bzero(consents, sizeof(*consents));
	munmap(consents, sizeof(*consents));
}

bool consents_are_of(const struct consents *consents, const uint8_t link[MACHINE_HASH_SIZE])
{
	return memcmp(consents->link, link, MACHINE_HASH_SIZE) == 0;
}

/* --- keeping --------------------------------------------------------------------------------- */

static struct giver *giver_of(struct consents *c, const uint8_t *owner)
{
	struct giver *giver;

	for (size_t i = 0; i < c->giver_count; i++)
		if (memcmp(c->givers[i].owner, owner, PM_SIGN_ID_SIZE) == 0)
			return &c->givers[i];
	if (c->giver_count == OWNERS)
		return NULL;
	giver = &c->givers[c->giver_count++];
	memcpy(giver->owner, owner, PM_SIGN_ID_SIZE);
	return giver;
}

bool consents_add(struct consents *consents, const uint8_t owner[PM_SIGN_ID_SIZE],
	const uint8_t share[PM_SHARE_SIZE])
{
	struct giver *giver = share[0] ? giver_of(consents, owner) : NULL;
	struct gift *place;

	if (!giver)
		return false;
	place = &giver->gifts[0];
	for (size_t i = 0; i < consents->shares; i++) {
		struct gift *gift = &giver->gifts[i];

		if (gift->time && gift->share[0] == share[0]) {
			place = gift;
			break;
		}
		if (gift->time < place->time)
			place = gift;
	}
	place->time = ++consents->time;
	memcpy(place->share, share, PM_SHARE_SIZE);
	return true;
}

/* --- all of them ----------------------------------------------------------------------------- */

/* All shares that came, each once, one behind the other in order of their numbers. */
struct pool {
	const uint8_t *shares[OWNERS * PM_SHARES_MAX];
	size_t count, numbers; /* how many, and of how many numbers */
};

static void insert(struct pool *pool, const uint8_t *share)
{
	size_t at = 0;

	for (; at < pool->count; at++) {
		int order = memcmp(pool->shares[at], share, PM_SHARE_SIZE);

		if (order == 0)
			return;
		if (order > 0)
			break;
	}
	memmove(&pool->shares[at + 1], &pool->shares[at],
		(pool->count - at) * sizeof(pool->shares[0]));
	pool->shares[at] = share;
	pool->count++;
}

static void fill(struct pool *pool, const struct consents *c)
{
	pool->count = pool->numbers = 0;
	for (size_t i = 0; i < c->giver_count; i++)
		for (size_t j = 0; j < c->shares; j++)
			if (c->givers[i].gifts[j].time)
				insert(pool, c->givers[i].gifts[j].share);
	for (size_t i = 0; i < pool->count; i++)
		pool->numbers += !i || pool->shares[i][0] != pool->shares[i - 1][0];
}

static size_t lacking(size_t have, size_t need)
{
	return have < need ? need - have : 0;
}

void consents_count(const struct consents *consents, size_t *ret_have, size_t *ret_need)
{
	size_t shares, owners, lack;
	struct pool pool;

	fill(&pool, consents);
	shares = lacking(pool.numbers, consents->shares);
	owners = lacking(consents->giver_count, consents->owners);
	lack = shares > owners ? shares : owners;
	*ret_need = consents->shares > consents->owners ? consents->shares : consents->owners;
	/* With all there, and no seed: one of them is wrong. */
	*ret_have = *ret_need - (lack ? lack : 1);
}

/* --- the seed -------------------------------------------------------------------------------- */

static int try(const struct pool *pool, const size_t *chosen, size_t count,
	const uint8_t *commitment, struct pm_seed **ret_seed)
{
	uint8_t shares[PM_SHARES_MAX * PM_SHARE_SIZE], bytes[PM_SHARES_SECRET_SIZE];
	uint8_t found[PM_SEED_COMMITMENT_SIZE];
	struct pm_seed *seed = NULL;
	int r;

	for (size_t i = 0; i < count; i++)
		memcpy(shares + i * PM_SHARE_SIZE, pool->shares[chosen[i]], PM_SHARE_SIZE);
	r = pm_shares_combine(shares, count, bytes);
	if (r == PM_OK)
		r = pm_seed_from(bytes, &seed);
	explicit_bzero(shares, sizeof(shares));
	explicit_bzero(bytes, sizeof(bytes));
	if (r == PM_OK)
		r = pm_seed_commitment(seed, found);
	if (r == PM_OK && memcmp(found, commitment, sizeof(found)) != 0)
		r = PM_E_REJECTED;
	if (r < 0)
		pm_seed_free(seed);
	else
		*ret_seed = seed;
	return r;
}

/* Of each number one at most. */
static bool is_choice(const struct pool *pool, const size_t *chosen, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (pool->shares[chosen[i]][0] == pool->shares[chosen[i - 1]][0])
			return false;
	return true;
}

/* The next choice of count places, each behind the one before. False: it was the last. */
static bool next(size_t *chosen, size_t count, size_t of)
{
	size_t i = count;

	while (i > 0 && chosen[i - 1] == of - count + i - 1)
		i--;
	if (!i)
		return false;
	chosen[i - 1]++;
	for (; i < count; i++)
		chosen[i] = chosen[i - 1] + 1;
	return true;
}

static int search(
	const struct pool *pool, size_t need, const uint8_t *commitment, struct pm_seed **ret_seed)
{
	size_t chosen[PM_SHARES_MAX];
	int r = PM_E_REJECTED, tries = 0;

	for (size_t i = 0; i < need; i++)
		chosen[i] = i;
	do {
		if (is_choice(pool, chosen, need))
			r = try(pool, chosen, need, commitment, ret_seed);
	} while (r == PM_E_REJECTED && ++tries < CONSENTS_TRIES && next(chosen, need, pool->count));
	return r;
}

int consents_combine(const struct consents *consents,
	const uint8_t commitment[PM_SEED_COMMITMENT_SIZE], struct pm_seed **ret_seed)
{
	struct pool pool;

	fill(&pool, consents);
	if (pool.numbers < consents->shares || consents->giver_count < consents->owners)
		return PM_E_MISSING;
	return search(&pool, consents->shares, commitment, ret_seed);
}
