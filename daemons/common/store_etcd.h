/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in etcd (version 3.4 or later) by its JSON gateway. An entry's value there is a record:
 * when it expires (8 bytes, the greatest value for never, most significant first), the record's
 * version (one byte, 1), and the value. So the cluster itself can compare the time in a
 * transaction; leases only clean up.
 */
#ifndef COMMON_STORE_ETCD_H
#define COMMON_STORE_ETCD_H

#include <jansson.h>

#include "common/store_backend.h"
#include "common/upstream.h"

#define ETCD_ENDPOINTS_MAX 16
#define ETCD_URL_SIZE	   256
/* Of one endpoint: from a request to the end of its answer, or to a watch's first. */
#define ETCD_CALL_MILLISECONDS 5000
#define ETCD_REPLY_MAX	       (16 << 20)
/* Requests of one handle at a time, watches not counted; further ones wait, so long at most. */
#define ETCD_CALLS_MAX	       64
#define ETCD_WAIT_MILLISECONDS 10000
/* One answer of a watch: the cluster splits what is longer than a request may be. */
#define ETCD_LINE_MAX (8 << 20)

struct etcd_endpoint {
	struct upstream_pool *pool;
	char url[ETCD_URL_SIZE];
};

struct etcd_call;
TAILQ_HEAD(etcd_calls, etcd_call);

struct etcd {
	struct loop *loop;
	size_t endpoint_count, current; /* the one that answered last */
	struct etcd_endpoint endpoints[ETCD_ENDPOINTS_MAX];
	size_t running;
	struct etcd_calls waiting;
};

/* --- one request and its answer -------------------------------------------------------------- */

/*
 * The last call: error is 0 and reply an object, borrowed; or
 *   PM_E_LIMIT  the cluster is full, or the answer is longer than ETCD_REPLY_MAX
 *   PM_E_NET    no endpoint answered as it should; nobody knows whether it was done
 *   PM_E_NOMEM
 * with the reason, which names the endpoint.
 */
typedef void etcd_reply(void *arg, int error, const char *reason, json_t *reply);

/*
 * POSTs body, which becomes the call's also on failure (NULL is: no memory), to one endpoint after
 * the other until one answers. once: it is a write: only to the first one that gets to see it.
 * done() is not called from here. NULL: no memory.
 */
struct etcd_call *etcd_call(
	struct etcd *etcd, const char *path, json_t *body, bool once, etcd_reply *done, void *arg);
void etcd_call_cancel(struct etcd_call *call);

/* --- JSON ------------------------------------------------------------------------------------ */

/* Each a new object, or NULL: no memory. */
json_t *etcd_range(const char *from, size_t from_len, const char *prefix, size_t limit);
json_t *etcd_get(const char *key);
json_t *etcd_grant(int64_t seconds);
json_t *etcd_put_if(const struct store_op *op, const char *lease, int64_t now);
json_t *etcd_delete_if(const struct store_op *op, int64_t now);
json_t *etcd_watch_request(const char *prefix, uint64_t from_revision);

/* A number, which is text of digits there, 0 where there is none. False: it is not one. */
bool etcd_number(const json_t *object, const char *name, uint64_t *ret);
/* header.revision, which is not 0. */
bool etcd_revision(const json_t *reply, uint64_t *ret);
/* Did the transaction do it, or the one in its `failure`? */
bool etcd_succeeded(const json_t *reply);
bool etcd_succeeded_within(const json_t *reply);

/* One of kvs, with its own memory for key and value. */
struct etcd_entry {
	struct store_entry entry;
	size_t key_len;
	char *key;
	uint8_t *record;
};

/* gone: of a deletion, which has no value. 0; PM_E_FORMAT, PM_E_NOMEM. */
int etcd_entry_parse(const json_t *kv, bool gone, struct etcd_entry *ret);
void etcd_entry_free(struct etcd_entry *entry);

/* --- watches --------------------------------------------------------------------------------- */

/* A STORE_CHANGES: as store_backend's functions. */
void etcd_watch_start(struct etcd *etcd, struct store_op *op);
void etcd_watch_cancel(struct store_op *op);
void etcd_watch_end(struct store_watch *watch);

#endif
