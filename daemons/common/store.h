/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of named values that daemons share and that outlives them. Nobody trusts it: what must be
 * kept secret or whole is sealed before it goes in, and who must notice that an old state came back
 * binds a counter or a hash to something the store does not hold.
 *
 * Three kinds, one behaviour, one test suite:
 *
 *   memory:NAME               of this process; all who open the same NAME share it, and it goes
 *                             with the last of them
 *   sqlite:PATH               a file of this machine, shared by processes (not over a network file
 *                             system); an acknowledged write outlives a crash of the machine
 *   etcd:URL[,URL...]         a cluster by its JSON gateway, https://HOST[:PORT] or http; endpoints
 *                             are tried in turn. All keys of the cluster are the store's
 *
 * Keys are 1 to STORE_KEY_MAX printable ASCII characters without space and sorted by their bytes;
 * values are bytes, at most STORE_VALUE_MAX. Each write gives its entry a new revision: a number
 * greater than that of any write before, of any key, and than 1.
 *
 * An entry that expired is not there, to every function, from the second `expires` on by the clock
 * of the machine that asks: it is not found, a write that demands its revision fails, and one that
 * demands that there be no entry succeeds. The backend deletes it some time after; that is when
 * watches tell of it, STORE_SWEEP_SECONDS later at most (etcd: as soon as its leases run out).
 * Revisions are never used again, also for a key that was deleted.
 *
 * A store belongs to one loop, and all functions and calls are of that loop's thread. done(),
 * event() and lost() are called in the loop, never from within a call of this header; they may call
 * any function of this header but store_close(). What results and events point to is valid during
 * the call. Values are not secret to the store's machinery: they are not wiped.
 */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"

#define STORE_KEY_MAX	512
#define STORE_VALUE_MAX (1 << 20)
/* Entries of one list; limit 0 means this. */
#define STORE_LIST_MAX 1000
/* Bytes of values after which a list ends early, with `more`; a single value always fits. */
#define STORE_LIST_BYTES_MAX (8 << 20)
#define STORE_SWEEP_SECONDS  30
/* Operations under way of one store; further ones fail with PM_E_LIMIT. */
#define STORE_OPS_MAX 4096

/* if_revision: whatever is there, or not. 0: there must be no entry. Else: exactly this one. */
#define STORE_ANY UINT64_MAX

struct store;
struct store_op;
struct store_watch;

/* Text of PEM, copied. ca NULL: the system's. cert and key NULL: no client certificate. */
struct store_tls {
	const char *cert, *key, *ca;
};

struct store_entry {
	const char *key;
	const uint8_t *value; /* in an event NULL: the entry is gone. Else never NULL */
	size_t len;
	uint64_t revision; /* of the write that made it, or took it away */
	int64_t expires;   /* seconds since 1970; 0: never */
};

struct store_result {
	/*
	 * 0: done. What is known not to have been done:
	 *   PM_E_MISSING  get, and delete with STORE_ANY or a revision: there is no such entry
	 *   PM_E_STATE    put: the entry is not of if_revision; delete: it is of another one
	 *   PM_E_LIMIT    the store is full, or too much was asked of it at once
	 *   PM_E_ARG      the key, the value or the time is not one that may be stored
	 * What may have been done or not, so read again before you say either:
	 *   PM_E_NET      no endpoint answered, or not in time, or not what it should
	 *   PM_E_SYS      the file could not be read or written, another process held it for 5
	 *                 seconds, it holds what no store writes, or another one has its name now
	 *   PM_E_NOMEM
	 */
	int error;
	const char *reason; /* names the store, its file or endpoint; "" when error is 0 */
	/* get: one; list: those found, sorted. Else none. */
	const struct store_entry *entries;
	size_t count;
	/* list: there may be more: ask again with `after` the last key. Then count is not 0. */
	bool more;
	/*
	 * put: of the entry now. delete: of the deletion. get and list: of the whole store, such
	 * that a watch after it misses nothing that the result does not show. Of a list in several
	 * pieces take that of the first one.
	 */
	uint64_t revision;
};

/* The last call of an operation. */
typedef void store_done(void *arg, const struct store_result *result);

/*
 * Opens url; tls serves etcd alone and may be NULL. memory and sqlite are ready then (sqlite makes
 * its file, mode 600, where there is none); whether etcd can be reached shows with the first
 * operation. ret_reason is set on failure: static text, or valid until the thread's next call. 0;
 * PM_E_ARG: not a URL of a store; PM_E_UNSUPPORTED: not built in, or a file of a later version;
 * PM_E_FORMAT: not a file of ours; PM_E_SYS, PM_E_LIMIT, PM_E_NOMEM.
 */
int store_open(struct loop *loop, const char *url, const struct store_tls *tls,
	const char **ret_reason, struct store **ret_store);

/*
 * Gives up all operations and watches of this handle: no further call comes. Writes under way may
 * yet be done. Not from within done(), event() or lost().
 */
void store_close(struct store *store);

/*
 * The operations. Keys and values are copied. NULL: no memory, nothing is done, done() is not
 * called. The pointer is good until done() or store_cancel(). Operations under way at the same
 * time may be done in any order: who needs one waits for done().
 */
struct store_op *store_get(struct store *store, const char *key, store_done *done, void *arg);

/*
 * Entries whose keys begin with prefix ("": all), sorted, at most limit, from the first one greater
 * than after ("" or NULL: from the first).
 */
struct store_op *store_list(struct store *store, const char *prefix, const char *after,
	size_t limit, store_done *done, void *arg);

/* expires: seconds since 1970, in the future, or 0: never. PM_E_ARG otherwise. */
struct store_op *store_put(struct store *store, const char *key, const void *value, size_t len,
	int64_t expires, uint64_t if_revision, store_done *done, void *arg);

/* if_revision: STORE_ANY, or a revision; 0 is PM_E_ARG. */
struct store_op *store_delete(
	struct store *store, const char *key, uint64_t if_revision, store_done *done, void *arg);

/* No call comes. A write may be done or not. */
void store_cancel(struct store_op *op);

/*
 * What changes at keys that begin with prefix, after a revision, or from now on (0). Events come in
 * the order of revisions; of several changes of one key in a row only the last may be told. That an
 * entry is gone may be told twice, and of one that was never told.
 *
 * lost() is the watch's last call: what changed is not known any more (the history was thrown away,
 * the server can't be reached, no memory). The caller lists again and watches anew. With etcd that
 * happens now and then as the cluster compacts its history. Not before event() or done() of others.
 */
typedef void store_event(void *arg, const struct store_entry *entry);
typedef void store_lost(void *arg, const char *reason);

/* NULL: no memory, or more watches than STORE_WATCHES_MAX of this handle. */
#define STORE_WATCHES_MAX 64
struct store_watch *store_watch(struct store *store, const char *prefix, uint64_t after_revision,
	store_event *event, store_lost *lost, void *arg);

/* No further call comes. From any place. */
void store_unwatch(struct store_watch *watch);

#endif
