/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/past.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <pm/table.h>
#include <pm/text.h>

#define PLACES 65536u

/* A command by its digest in hexadecimal, or a secret by its identifier. */
struct fact {
	TAILQ_ENTRY(fact) age; /* the oldest first */
	struct fact *next;     /* of its place */
	int64_t at, until;
	char name[PM_COMMAND_ID_MAX + 1];
};

struct facts {
	TAILQ_HEAD(, fact) all;
	size_t count;
	uint8_t seed[PM_TABLE_SEED_SIZE];
	struct fact *places[PLACES];
};

struct past {
	pthread_mutex_t lock;
	struct facts commands, ended;
	int64_t forgotten[PLACES]; /* the last end of those of a place that are not known by name */
};

struct past *past_new(void)
{
	struct past *past = calloc(1, sizeof(*past));

	if (!past)
		return NULL;
	if (pm_table_seed(past->commands.seed) < 0 || pm_table_seed(past->ended.seed) < 0) {
		free(past);
		return NULL;
	}
	pthread_mutex_init(&past->lock, NULL);
	TAILQ_INIT(&past->commands.all);
	TAILQ_INIT(&past->ended.all);
	return past;
}

/* --- with the lock held ---------------------------------------------------------------------- */

static size_t number_of(const struct facts *facts, const char *name)
{
	return pm_table_hash(facts->seed, name, strlen(name)) % PLACES;
}

static struct fact **place_of(struct facts *facts, const char *name)
{
	return &facts->places[number_of(facts, name)];
}

static struct fact *find(struct facts *facts, const char *name)
{
	struct fact *fact = *place_of(facts, name);

	while (fact && strcmp(fact->name, name) != 0)
		fact = fact->next;
	return fact;
}

static void drop(struct facts *facts, struct fact *fact)
{
	struct fact **link = place_of(facts, fact->name);

	while (*link != fact)
		link = &(*link)->next;
	*link = fact->next;
	TAILQ_REMOVE(&facts->all, fact, age);
	facts->count--;
	free(fact);
}

static void drop_old(struct facts *facts, int64_t now)
{
	struct fact *fact, *next;

	for (fact = TAILQ_FIRST(&facts->all); fact; fact = next) {
		next = TAILQ_NEXT(fact, age);
		if (fact->until <= now)
			drop(facts, fact);
	}
}

static int add(struct facts *facts, const char *name, int64_t at, int64_t until)
{
	struct fact *fact = calloc(1, sizeof(*fact)), **place = place_of(facts, name);

	if (!fact)
		return PM_E_NOMEM;
	fact->at = at;
	fact->until = until;
	strncpy(fact->name, name, PM_COMMAND_ID_MAX);
	fact->next = *place;
	*place = fact;
	TAILQ_INSERT_TAIL(&facts->all, fact, age);
	facts->count++;
	return PM_OK;
}

static int obey(struct facts *commands, const char *name, int64_t until, int64_t now)
{
	if (find(commands, name))
		return PM_E_STATE;
	if (commands->count >= PAST_COMMANDS_MAX)
		drop_old(commands, now);
	if (commands->count >= PAST_COMMANDS_MAX)
		return PM_E_LIMIT;
	return add(commands, name, now, until);
}

/* The oldest one makes room. Of what has outlived all that it ended nothing need be kept. */
static void make_room(struct past *past, int64_t now)
{
	struct fact *oldest = TAILQ_FIRST(&past->ended.all);
	int64_t *place = &past->forgotten[number_of(&past->ended, oldest->name)];

	if (oldest->until > now && *place < oldest->at)
		*place = oldest->at;
	drop(&past->ended, oldest);
}

static int end(struct past *past, const char *id, int64_t now)
{
	struct fact *before = find(&past->ended, id);
	int r;

	if (!before && past->ended.count >= PAST_ENDED_MAX)
		make_room(past, now);
	r = add(&past->ended, id, now, now + PM_COMMAND_TTL_MAX);
	if (r == PM_OK && before)
		drop(&past->ended, before);
	return r;
}

static bool is_over(struct past *past, const char *id, int64_t created)
{
	const struct fact *fact = find(&past->ended, id);
	int64_t at = past->forgotten[number_of(&past->ended, id)];

	if (fact && fact->at > at)
		at = fact->at;
	return created <= at;
}

/* --- the doors ------------------------------------------------------------------------------- */

int past_obey(
	struct past *past, const uint8_t digest[PM_COMMAND_DIGEST_SIZE], int64_t until, int64_t now)
{
	char name[2 * PM_COMMAND_DIGEST_SIZE + 1];
	int r;

	pm_hex_encode(digest, PM_COMMAND_DIGEST_SIZE, name);
	pthread_mutex_lock(&past->lock);
	r = obey(&past->commands, name, until, now);
	pthread_mutex_unlock(&past->lock);
	return r;
}

int past_end(struct past *past, const char *id, int64_t now)
{
	int r;

	pthread_mutex_lock(&past->lock);
	r = end(past, id, now);
	pthread_mutex_unlock(&past->lock);
	return r;
}

bool past_is_over(struct past *past, const char *id, int64_t created)
{
	bool over;

	pthread_mutex_lock(&past->lock);
	over = is_over(past, id, created);
	pthread_mutex_unlock(&past->lock);
	return over;
}

static void clear(struct facts *facts)
{
	while (!TAILQ_EMPTY(&facts->all))
		drop(facts, TAILQ_FIRST(&facts->all));
}

void past_free(struct past *past)
{
	if (!past)
		return;
	clear(&past->commands);
	clear(&past->ended);
	pthread_mutex_destroy(&past->lock);
	free(past);
}
