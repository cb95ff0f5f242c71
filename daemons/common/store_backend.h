/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind store.h: an operation is an object that goes from the store to its backend,
 * perhaps to a thread there, and comes back by the store's box. A watch is one operation after the
 * other that waits for changes after a revision.
 */
#ifndef COMMON_STORE_BACKEND_H
#define COMMON_STORE_BACKEND_H

#include <pthread.h>
#include <sys/queue.h>

#include "common/store.h"

#define STORE_REASON_SIZE 512
/* Changes that a backend of ours remembers for watches, and tells of in one operation. */
#define STORE_HISTORY	  16384
#define STORE_CHANGES_MAX 64

enum store_kind {
	STORE_GET,
	STORE_LIST,
	STORE_PUT,
	STORE_DELETE,
	/* Deletes what expired. */
	STORE_SWEEP,
	/*
	 * Waits until there are changes after `after_revision` (0: from now on) at keys that begin
	 * with key; then entries are what is there now at the changed keys, and revision says up to
	 * where they tell. An error ends the watch.
	 */
	STORE_CHANGES,
};

struct store_op {
	/* What is asked for: set before the backend gets it. */
	enum store_kind kind;
	char *key; /* or prefix */
	size_t key_len;
	char *after;
	size_t limit;
	uint8_t *value;
	size_t len;
	int64_t expires;
	uint64_t if_revision;
	uint64_t after_revision;
	struct store_watch *watch;

	/* What came of it: of whoever has the operation. */
	int error;
	char reason[STORE_REASON_SIZE];
	struct store_entry *entries;
	size_t count, space;
	size_t bytes; /* of values */
	bool more;
	uint64_t revision;

	/* The backend's. */
	TAILQ_ENTRY(store_op) queue;
	void *backend;
	bool is_unwanted;
	size_t chunk;

	/* The store's. */
	struct store *store; /* NULL once that was closed; of the loop's thread */
	struct store_box *box;
	bool is_started, is_cancelled;
	store_done *done;
	void *arg;
	TAILQ_ENTRY(store_op) all;
};

TAILQ_HEAD(store_ops, store_op);

struct store_backend {
	/* Sets store->self; what comes behind the colon of the URL. reason is for failures. */
	int (*open)(struct store *store, const char *place, const struct store_tls *tls,
		char reason[STORE_REASON_SIZE]);
	/* Every operation was cancelled. */
	void (*close)(struct store *store);
	/* The operation is the backend's until it mails it back, which it does once. */
	void (*start)(struct store_op *op);
	/* True: it is the caller's again. False: it comes, or came, by the box nevertheless. */
	bool (*cancel)(struct store_op *op);
	/* What it keeps with a watch goes; NULL: nothing. */
	void (*end_watch)(struct store_watch *watch);
	/* It gets STORE_SWEEP now and then. */
	bool needs_sweep;
};

extern const struct store_backend store_memory, store_sqlite, store_etcd;

struct store {
	struct loop *loop;
	const struct store_backend *backend;
	void *self; /* of the backend */
	struct store_box *box;
	struct event *wakeup, *sweep_timer;
	struct store_ops ops;
	size_t op_count, watch_count;
	bool is_sweeping;
	TAILQ_HEAD(, store_watch) watches;
};

struct store_watch {
	struct store *store;
	struct store_op *op;
	char *prefix;
	uint64_t seen;
	store_event *event;
	store_lost *lost;
	void *arg;
	bool is_telling, is_ended;
	void *backend;
	TAILQ_ENTRY(store_watch) all;
};

/* Seconds since 1970, by clock.h. */
int64_t store_time(void);

/* Is an entry with this time not there any more? */
bool store_is_expired(int64_t expires, int64_t now);

/* Printable ASCII without space and not too long? Empty is fine: a prefix. */
bool store_is_key(const char *key, size_t len);

/* Hands the operation back; from any thread; it is gone then. */
void store_op_mail(struct store_op *op);

/* A failure, instead of what the operation found so far. */
void store_op_fail(struct store_op *op, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Is it a key that was asked for? Those of a list grow. */
bool store_op_wants(const struct store_op *op, const char *key, size_t len);

/*
 * One more entry of the result; copied; value NULL: gone. False: no memory, or none that was asked
 * for, as who has the store may show anything; and op says so.
 */
bool store_op_add(
	struct store_op *op, const char *key, size_t key_len, const struct store_entry *e);

/* Is there no room in the result for a value of this length? Then `more` is set. */
bool store_op_is_full(struct store_op *op, size_t limit, size_t len);

/* Throws away what the operation found. */
void store_op_clear(struct store_op *op);

bool store_has_prefix(const struct store_op *op, const char *key, size_t len);

#endif
