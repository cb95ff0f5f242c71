/* SPDX-License-Identifier: Apache-2.0 */
#include "common/limit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pm/error.h>
#include <pm/table.h>

#include "common/http_server.h"

/* Places that one client may have: the table is an array of sets of so many. */
#define WAYS 8u
#define SETS (LIMIT_CLIENTS / WAYS)

/* A token, in the unit of buckets: so that a rate a second is a number a millisecond. */
#define TOKEN 1000

struct bucket {
	int64_t tokens; /* in thousandths */
	int64_t at;	/* when that was so */
};

struct client {
	struct bucket bucket;
	size_t len; /* 0: nobody */
	uint8_t key[LIMIT_KEY_MAX];
};

struct limit {
	pthread_mutex_t lock;
	struct limit_rules rules;
	uint8_t seed[PM_TABLE_SEED_SIZE];
	struct bucket all;
	struct client clients[SETS][WAYS];
};

/* A burst is what comes in so many seconds. */
struct limit_rules limit_rules(uint32_t one, uint32_t all)
{
	return (struct limit_rules){one, one * LIMIT_BURST_SECONDS, all, all * LIMIT_BURST_SECONDS};
}

struct limit *limit_new(const struct limit_rules *rules)
{
	struct limit *limit = calloc(1, sizeof(*limit));

	if (!limit)
		return NULL;
	if (pm_table_seed(limit->seed) < 0) {
		free(limit);
		return NULL;
	}
	pthread_mutex_init(&limit->lock, NULL);
	limit->rules = *rules;
	limit->all.tokens = (int64_t)rules->all_burst * TOKEN;
	return limit;
}

void limit_free(struct limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_destroy(&limit->lock);
	free(limit);
}

static void fill(struct bucket *bucket, uint32_t rate, uint32_t burst, int64_t now)
{
	int64_t most = (int64_t)burst * TOKEN, passed = now - bucket->at;

	if (passed <= 0)
		return;
	/* Who was away for longer than it takes to fill has a full one: so nothing overflows. */
	if (passed >= most / rate + 1)
		bucket->tokens = most;
	else
		bucket->tokens += passed * rate;
	if (bucket->tokens > most)
		bucket->tokens = most;
	bucket->at = now;
}

static size_t set_of(const struct limit *limit, const uint8_t *key, size_t len)
{
	return pm_table_hash(limit->seed, key, len) % SETS;
}

/* The client's own place; NULL: it has none. */
static struct client *find(struct limit *limit, const uint8_t *key, size_t len)
{
	struct client *set = limit->clients[set_of(limit, key, len)];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].len == len && !memcmp(set[i].key, key, len))
			return &set[i];
	return NULL;
}

/* A place for a client that has none: an empty one, or that of who was quiet longest. */
static struct client *settle(struct limit *limit, const uint8_t *key, size_t len, int64_t now)
{
	struct client *set = limit->clients[set_of(limit, key, len)], *oldest = set;

	for (size_t i = 0; i < WAYS; i++)
		if (!set[i].len || (oldest->len && set[i].bucket.at < oldest->bucket.at))
			oldest = &set[i];
	oldest->len = len;
	memcpy(oldest->key, key, len);
	oldest->bucket = (struct bucket){(int64_t)limit->rules.burst * TOKEN, now};
	return oldest;
}

static bool take(struct limit *limit, const uint8_t *key, size_t len, int64_t now)
{
	struct client *client = find(limit, key, len);

	if (!client)
		client = settle(limit, key, len, now);
	fill(&client->bucket, limit->rules.rate, limit->rules.burst, now);
	fill(&limit->all, limit->rules.all_rate, limit->rules.all_burst, now);
	if (client->bucket.tokens < TOKEN || limit->all.tokens < TOKEN)
		return false;
	client->bucket.tokens -= TOKEN;
	limit->all.tokens -= TOKEN;
	return true;
}

bool limit_take(struct limit *limit, const void *key, size_t len, int64_t now)
{
	bool ok;

	if (!len || len > LIMIT_KEY_MAX)
		return false;
	pthread_mutex_lock(&limit->lock);
	ok = take(limit, key, len, now);
	pthread_mutex_unlock(&limit->lock);
	return ok;
}

static void give(struct bucket *bucket, uint32_t burst)
{
	bucket->tokens += TOKEN;
	if (bucket->tokens > (int64_t)burst * TOKEN)
		bucket->tokens = (int64_t)burst * TOKEN;
}

void limit_give(struct limit *limit, const void *key, size_t len)
{
	struct client *client;

	pthread_mutex_lock(&limit->lock);
	client = find(limit, key, len);
	if (client)
		give(&client->bucket, limit->rules.burst);
	give(&limit->all, limit->rules.all_burst);
	pthread_mutex_unlock(&limit->lock);
}

size_t limit_key_of_address(const struct sockaddr *address, uint8_t ret[LIMIT_KEY_MAX])
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	ret[0] = (uint8_t)address->sa_family;
	if (address->sa_family == AF_INET) {
		memcpy(ret + 1, &v4->sin_addr, 4);
		return 5;
	}
	if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		ret[0] = AF_INET;
		memcpy(ret + 1, v6->sin6_addr.s6_addr + 12, 4);
		return 5;
	}
	if (address->sa_family == AF_INET6) {
		memcpy(ret + 1, &v6->sin6_addr, 8);
		return 9;
	}
	return 1;
}

/* NULL unless it is there once: of two, one may be what the client sent past the gateway. */
static const char *only_value(const struct http_request *request, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < request->field_count; i++) {
		if (strcmp(request->fields[i].name, name) != 0)
			continue;
		if (value)
			return NULL;
		value = request->fields[i].value;
	}
	return value;
}

size_t limit_key_of_client(
	const struct http_exchange *x, const char *field, uint8_t ret[LIMIT_KEY_MAX])
{
	const char *value = field ? only_value(http_request(x), field) : NULL;
	struct sockaddr_storage address = {0};
	size_t len;

	if (value) {
		len = strnlen(value, LIMIT_KEY_MAX - 1);
		ret[0] = 0;
		memcpy(ret + 1, value, len);
		return len + 1;
	}
	http_client_address(x, &address);
	return limit_key_of_address((const struct sockaddr *)&address, ret);
}
