/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of one process: for tests, and for a daemon that runs alone and may forget. All tables
 * have one lock, which is held for moments.
 */
#include <pm/error.h>
#include <stdlib.h>
#include <string.h>

#include "common/store_backend.h"

/* Entries of one table. */
#define ENTRIES_MAX 1048576

struct table {
	struct table *next;
	char *name;
	size_t references;
	uint64_t revision;
	/* Sorted by keys; a key and its value are one block. */
	struct store_entry *entries;
	size_t count, space;
	/* The key of each of the last changes, by its revision. */
	char *history[STORE_HISTORY];
	uint64_t oldest; /* revision in it */
	struct store_ops waiting;
	int64_t next_expiry; /* of no entry earlier */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table *tables;

/* --- entries --------------------------------------------------------------------------------- */

/* The index of the first entry whose key is not less. */
static size_t find(const struct table *table, const char *key)
{
	size_t from = 0, to = table->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(table->entries[middle].key, key) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Of this key, expired or not; or NULL. */
static struct store_entry *entry_of(const struct table *table, const char *key)
{
	size_t i = find(table, key);

	return i < table->count && !strcmp(table->entries[i].key, key) ? &table->entries[i] : NULL;
}

/* As the operations see it. */
static struct store_entry *live_entry_of(const struct table *table, const char *key)
{
	struct store_entry *entry = entry_of(table, key);

	return entry && !store_is_expired(entry->expires, store_time()) ? entry : NULL;
}

static bool make_room(struct table *table)
{
	size_t space = table->space ? 2 * table->space : 64;
	struct store_entry *more;

	if (table->count < table->space)
		return true;
	more = realloc(table->entries, space * sizeof(*more));
	if (!more)
		return false;
	table->entries = more;
	table->space = space;
	return true;
}

static void insert(struct table *table, size_t at)
{
	memmove(&table->entries[at + 1], &table->entries[at],
		(table->count - at) * sizeof(*table->entries));
	table->count++;
}

static void remove_at(struct table *table, size_t at)
{
	free((char *)table->entries[at].key);
	table->count--;
	memmove(&table->entries[at], &table->entries[at + 1],
		(table->count - at) * sizeof(*table->entries));
}

/* --- changes --------------------------------------------------------------------------------- */

/* The next revision is one of this key, which becomes the history's. */
static void note_change(struct table *table, char *key)
{
	uint64_t revision = ++table->revision;
	char **place = &table->history[revision % STORE_HISTORY];

	if (*place)
		table->oldest++;
	free(*place);
	*place = key;
}

/* Of several changes of a key the last one counts: that of the entry's revision. */
static bool add_change(struct store_op *op, const struct table *table, uint64_t revision)
{
	const char *key = table->history[revision % STORE_HISTORY];
	const struct store_entry *entry = entry_of(table, key);
	const struct store_entry gone = {.key = key, .revision = revision};

	if (!store_has_prefix(op, key, strlen(key)) || (entry && entry->revision != revision))
		return true;
	if (store_op_is_full(op, STORE_CHANGES_MAX, entry ? entry->len : 0))
		return false;
	return store_op_add(op, key, strlen(key), entry ? entry : &gone);
}

/* What there is to tell; false: it waits. */
static bool find_changes(struct store_op *op, const struct table *table)
{
	uint64_t revision = op->after_revision;

	if (revision > table->revision || revision + 1 < table->oldest) {
		store_op_fail(
			op, PM_E_STALE, "memory: the changes since then are not known any more");
		return true;
	}
	while (revision < table->revision && add_change(op, table, revision + 1))
		revision++;
	op->after_revision = op->revision = revision;
	return op->error != PM_OK || op->count != 0;
}

static void tell_waiting(struct table *table)
{
	struct store_op *next;

	for (struct store_op *op = TAILQ_FIRST(&table->waiting); op; op = next) {
		next = TAILQ_NEXT(op, queue);
		if (!find_changes(op, table))
			continue;
		TAILQ_REMOVE(&table->waiting, op, queue);
		op->backend = NULL;
		store_op_mail(op);
	}
}

static void wait_for_changes(struct store_op *op, struct table *table)
{
	if (op->after_revision == 0)
		op->after_revision = table->revision;
	if (find_changes(op, table)) {
		store_op_mail(op);
		return;
	}
	op->backend = table;
	TAILQ_INSERT_TAIL(&table->waiting, op, queue);
}

/* --- operations ------------------------------------------------------------------------------ */

static void get(struct store_op *op, const struct table *table)
{
	const struct store_entry *entry = live_entry_of(table, op->key);

	op->revision = table->revision;
	if (entry)
		store_op_add(op, op->key, op->key_len, entry);
	else
		store_op_fail(op, PM_E_MISSING, "memory: no such entry");
}

static void list(struct store_op *op, const struct table *table)
{
	bool is_after = strcmp(op->after, op->key) >= 0;
	int64_t now = store_time();

	op->revision = table->revision;
	for (size_t i = find(table, is_after ? op->after : op->key); i < table->count; i++) {
		const struct store_entry *entry = &table->entries[i];
		size_t len = strlen(entry->key);

		if (!store_has_prefix(op, entry->key, len))
			return;
		if (store_is_expired(entry->expires, now) || strcmp(entry->key, op->after) <= 0)
			continue;
		if (store_op_is_full(op, op->limit, entry->len) ||
			!store_op_add(op, entry->key, len, entry))
			return;
	}
}

static char *new_block(const struct store_op *op)
{
	char *block = malloc(op->key_len + 1 + op->len + 1);

	if (!block)
		return NULL;
	memcpy(block, op->key, op->key_len + 1);
	if (op->len)
		memcpy(block + op->key_len + 1, op->value, op->len);
	return block;
}

/* Takes the operation's copies, or changes nothing. */
static bool write_entry(struct store_op *op, struct table *table)
{
	size_t at = find(table, op->key);
	bool is_new = at == table->count || strcmp(table->entries[at].key, op->key) != 0;
	char *block = new_block(op), *key = strdup(op->key);

	if (!block || !key || !make_room(table)) {
		free(block);
		free(key);
		return false;
	}
	if (is_new)
		insert(table, at);
	else
		free((char *)table->entries[at].key);
	note_change(table, key);
	table->entries[at] = (struct store_entry){
		.key = block,
		.value = (uint8_t *)block + op->key_len + 1,
		.len = op->len,
		.revision = table->revision,
		.expires = op->expires,
	};
	if (op->expires && op->expires < table->next_expiry)
		table->next_expiry = op->expires;
	return true;
}

static void put(struct store_op *op, struct table *table)
{
	const struct store_entry *entry = live_entry_of(table, op->key);

	if (op->if_revision != STORE_ANY && op->if_revision != (entry ? entry->revision : 0)) {
		store_op_fail(op, PM_E_STATE, "memory: the entry has changed");
		return;
	}
	if (!entry && table->count >= ENTRIES_MAX) {
		store_op_fail(op, PM_E_LIMIT, "memory: the store has %d entries", ENTRIES_MAX);
		return;
	}
	if (!write_entry(op, table))
		store_op_fail(op, PM_E_NOMEM, "out of memory");
	op->revision = table->revision;
}

static bool delete_at(struct table *table, size_t at)
{
	char *key = strdup(table->entries[at].key);

	if (!key)
		return false;
	note_change(table, key);
	remove_at(table, at);
	return true;
}

static void erase(struct store_op *op, struct table *table)
{
	const struct store_entry *entry = live_entry_of(table, op->key);

	if (!entry)
		store_op_fail(op, PM_E_MISSING, "memory: no such entry");
	else if (op->if_revision != STORE_ANY && op->if_revision != entry->revision)
		store_op_fail(op, PM_E_STATE, "memory: the entry has changed");
	else if (!delete_at(table, (size_t)(entry - table->entries)))
		store_op_fail(op, PM_E_NOMEM, "out of memory");
	op->revision = table->revision;
}

static void sweep(struct table *table)
{
	int64_t now = store_time(), next = INT64_MAX;

	if (table->next_expiry > now)
		return;
	for (size_t i = table->count; i-- > 0;) {
		int64_t expires = table->entries[i].expires;

		if (store_is_expired(expires, now) && delete_at(table, i))
			continue;
		if (expires && expires < next)
			next = expires;
	}
	table->next_expiry = next;
}

static void run(struct store_op *op, struct table *table)
{
	switch (op->kind) {
	case STORE_GET:
		get(op, table);
		return;
	case STORE_LIST:
		list(op, table);
		return;
	case STORE_PUT:
		put(op, table);
		return;
	case STORE_DELETE:
		erase(op, table);
		return;
	case STORE_SWEEP:
		sweep(table);
		return;
	case STORE_CHANGES:
		break;
	}
}

static void start(struct store_op *op)
{
	struct table *table = op->store->self;
	uint64_t revision;

	pthread_mutex_lock(&lock);
	revision = table->revision;
	if (op->kind == STORE_CHANGES) {
		wait_for_changes(op, table);
	} else {
		run(op, table);
		store_op_mail(op);
	}
	if (table->revision != revision)
		tell_waiting(table);
	pthread_mutex_unlock(&lock);
}

static bool cancel(struct store_op *op)
{
	struct table *table;

	pthread_mutex_lock(&lock);
	table = op->backend;
	if (table)
		TAILQ_REMOVE(&table->waiting, op, queue);
	pthread_mutex_unlock(&lock);
	return table != NULL;
}

/* --- tables ---------------------------------------------------------------------------------- */

static struct table *new_table(const char *name)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->name = strdup(name);
	if (!table->name) {
		free(table);
		return NULL;
	}
	table->revision = 1; /* so that 0 is never where a watch begins */
	table->oldest = 2;
	table->next_expiry = INT64_MAX;
	TAILQ_INIT(&table->waiting);
	table->next = tables;
	tables = table;
	return table;
}

static int open_table(struct store *store, const char *place, const struct store_tls *tls,
	char reason[STORE_REASON_SIZE])
{
	struct table *table;

	(void)tls;
	(void)reason; /* it says that there is no memory */
	pthread_mutex_lock(&lock);
	for (table = tables; table && strcmp(table->name, place) != 0; table = table->next)
		;
	if (!table)
		table = new_table(place);
	if (table)
		table->references++;
	pthread_mutex_unlock(&lock);
	store->self = table;
	return table ? PM_OK : PM_E_NOMEM;
}

static void free_table(struct table *table)
{
	struct table **at = &tables;

	while (*at != table)
		at = &(*at)->next;
	*at = table->next;
	for (size_t i = 0; i < table->count; i++)
		free((char *)table->entries[i].key);
	for (size_t i = 0; i < STORE_HISTORY; i++)
		free(table->history[i]);
	free(table->entries);
	free(table->name);
	free(table);
}

static void close_table(struct store *store)
{
	struct table *table = store->self;

	pthread_mutex_lock(&lock);
	if (--table->references == 0)
		free_table(table);
	pthread_mutex_unlock(&lock);
}

const struct store_backend store_memory = {
	.open = open_table,
	.close = close_table,
	.start = start,
	.cancel = cancel,
	.needs_sweep = true,
};
