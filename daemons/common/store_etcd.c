/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store_etcd.h"

#include <pm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The cluster keeps what expired this much longer: its clock may be ahead of ours. */
#define LEASE_SLACK_SECONDS 2
#define LEASE_MAX_SECONDS   1000000000
/* Entries of one request of a list, in the beginning and at most. */
#define CHUNK_BEGIN 64
#define CHUNK_BYTES (1 << 20)

static void hand_back(struct store_op *op)
{
	op->backend = NULL;
	store_op_mail(op);
}

static void fail_format(struct store_op *op)
{
	store_op_fail(op, PM_E_NET, "etcd: the answer is not what it should be");
}

/* Asks for the operation's next answer, or ends it. */
static void ask(struct store_op *op, const char *path, json_t *body, bool once, etcd_reply *done)
{
	op->backend = etcd_call(op->store->self, path, body, once, done, op);
	if (op->backend)
		return;
	store_op_fail(op, PM_E_NOMEM, "out of memory");
	hand_back(op);
}

/* Did the call fail? Then the operation has. */
static bool has_failed(struct store_op *op, int error, const char *reason)
{
	op->backend = NULL;
	if (error == PM_OK)
		return false;
	store_op_fail(op, error, "%s", reason);
	hand_back(op);
	return true;
}

/* --- reading --------------------------------------------------------------------------------- */

/* False: that was enough, or not what it should be. */
static bool add_entry(struct store_op *op, const struct etcd_entry *e)
{
	if (store_is_expired(e->entry.expires, store_time()))
		return true;
	if (op->kind == STORE_LIST && store_op_is_full(op, op->limit, e->entry.len))
		return false;
	return store_op_add(op, e->key, e->key_len, &e->entry);
}

/* The next request goes on behind this key. */
static bool move_on(struct store_op *op, const struct etcd_entry *e)
{
	char *after = strndup(e->key, e->key_len);

	if (!after) {
		store_op_fail(op, PM_E_NOMEM, "out of memory");
		return false;
	}
	free(op->after);
	op->after = after;
	return true;
}

static bool take_entry(struct store_op *op, const json_t *kv)
{
	struct etcd_entry e;
	int r = etcd_entry_parse(kv, false, &e);
	bool ok = false;

	if (r == PM_E_NOMEM)
		store_op_fail(op, r, "out of memory");
	else if (r < 0)
		fail_format(op);
	else if (!store_op_wants(op, e.key, e.key_len))
		fail_format(op);
	else
		ok = add_entry(op, &e) && move_on(op, &e);
	if (r == PM_OK)
		etcd_entry_free(&e);
	return ok;
}

/* The revision of the first answer; entries until the operation is full. */
static bool take_entries(struct store_op *op, const json_t *reply)
{
	const json_t *kvs = json_object_get(reply, "kvs");
	uint64_t revision;

	if (!etcd_revision(reply, &revision) || (kvs && !json_is_array(kvs))) {
		fail_format(op);
		return false;
	}
	op->revision = op->revision ? op->revision : revision;
	for (size_t i = 0; i < json_array_size(kvs); i++)
		if (!take_entry(op, json_array_get(kvs, i)))
			return false;
	return true;
}

static void on_get(void *arg, int error, const char *reason, json_t *reply)
{
	struct store_op *op = arg;

	if (has_failed(op, error, reason))
		return;
	take_entries(op, reply);
	if (op->error == PM_OK && !op->count)
		store_op_fail(op, PM_E_MISSING, "etcd: no such entry");
	hand_back(op);
}

static void list_on(struct store_op *op);

static void on_list(void *arg, int error, const char *reason, json_t *reply)
{
	struct store_op *op = arg;
	bool more;

	/* Values are too large for so many: fewer of them. */
	if (error == PM_E_LIMIT && op->chunk > 1) {
		op->chunk /= 4;
		op->chunk += op->chunk == 0;
		list_on(op);
		return;
	}
	if (has_failed(op, error, reason))
		return;
	more = json_is_true(json_object_get(reply, "more"));
	if (more && json_array_size(json_object_get(reply, "kvs")) == 0) {
		fail_format(op);
		hand_back(op);
		return;
	}
	if (!take_entries(op, reply) || !more) {
		hand_back(op);
		return;
	}
	if (op->bytes < CHUNK_BYTES && op->chunk < STORE_LIST_MAX)
		op->chunk *= 2;
	op->more = op->count >= op->limit;
	if (op->more)
		hand_back(op);
	else
		list_on(op);
}

/* From the prefix, or right behind the key that was last. */
static void list_on(struct store_op *op)
{
	bool is_after = strcmp(op->after, op->key) >= 0;
	const char *from = is_after ? op->after : op->key;
	size_t left = op->limit - op->count;

	/* The NUL behind the key makes it the next one. */
	ask(op, "/v3/kv/range",
		etcd_range(from, strlen(from) + (is_after && *from ? 1 : 0), op->key,
			op->chunk < left ? op->chunk : left),
		false, on_list);
}

/* --- writing --------------------------------------------------------------------------------- */

static void on_put(void *arg, int error, const char *reason, json_t *reply)
{
	struct store_op *op = arg;

	if (has_failed(op, error, reason))
		return;
	if (!etcd_revision(reply, &op->revision))
		fail_format(op);
	else if (!etcd_succeeded(reply) && !(op->if_revision == 0 && etcd_succeeded_within(reply)))
		store_op_fail(op, PM_E_STATE, "etcd: the entry has changed");
	hand_back(op);
}

static void on_delete(void *arg, int error, const char *reason, json_t *reply)
{
	struct store_op *op = arg;

	if (has_failed(op, error, reason))
		return;
	if (!etcd_revision(reply, &op->revision))
		fail_format(op);
	else if (!etcd_succeeded(reply) && etcd_succeeded_within(reply))
		store_op_fail(op, PM_E_STATE, "etcd: the entry has changed");
	else if (!etcd_succeeded(reply))
		store_op_fail(op, PM_E_MISSING, "etcd: no such entry");
	hand_back(op);
}

static void on_lease(void *arg, int error, const char *reason, json_t *reply)
{
	struct store_op *op = arg;
	const char *lease;
	uint64_t id;

	if (has_failed(op, error, reason))
		return;
	lease = json_string_value(json_object_get(reply, "ID"));
	if (!lease || !etcd_number(reply, "ID", &id) || !id) {
		fail_format(op);
		hand_back(op);
		return;
	}
	ask(op, "/v3/kv/txn", etcd_put_if(op, lease, store_time()), true, on_put);
}

/* A lease that nobody uses costs the cluster little, and runs out. */
static void put(struct store_op *op)
{
	int64_t now = store_time(), seconds = op->expires - now + LEASE_SLACK_SECONDS;

	if (!op->expires)
		ask(op, "/v3/kv/txn", etcd_put_if(op, NULL, now), true, on_put);
	else
		ask(op, "/v3/lease/grant",
			etcd_grant(seconds < LEASE_MAX_SECONDS ? seconds : LEASE_MAX_SECONDS),
			false, on_lease);
}

static void start(struct store_op *op)
{
	switch (op->kind) {
	case STORE_GET:
		ask(op, "/v3/kv/range", etcd_get(op->key), false, on_get);
		return;
	case STORE_LIST:
		op->chunk = CHUNK_BEGIN;
		list_on(op);
		return;
	case STORE_PUT:
		put(op);
		return;
	case STORE_DELETE:
		ask(op, "/v3/kv/txn", etcd_delete_if(op, store_time()), true, on_delete);
		return;
	case STORE_CHANGES:
		etcd_watch_start(op->store->self, op);
		return;
	case STORE_SWEEP:
		hand_back(op);
	}
}

static bool cancel(struct store_op *op)
{
	if (!op->backend)
		return false;
	if (op->kind == STORE_CHANGES)
		etcd_watch_cancel(op);
	else
		etcd_call_cancel(op->backend);
	op->backend = NULL;
	return true;
}

/* --- the cluster ----------------------------------------------------------------------------- */

static void close_store(struct store *store)
{
	struct etcd *etcd = store->self;

	for (size_t i = 0; i < etcd->endpoint_count; i++)
		upstream_pool_free(etcd->endpoints[i].pool);
	free(etcd);
}

/* "https://HOST[:PORT]", or http, and nothing behind it. */
static bool is_url(const char *url)
{
	const char *host = !strncmp(url, "https://", 8)	 ? url + 8
			   : !strncmp(url, "http://", 7) ? url + 7
							 : "";

	return *host && *host != ':' &&
	       strspn(host,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]") ==
		       strlen(host);
}

static int add_endpoint(struct etcd *etcd, const char *url, size_t len, const struct store_tls *tls)
{
	struct etcd_endpoint *e = &etcd->endpoints[etcd->endpoint_count];
	int r;

	if (etcd->endpoint_count >= ETCD_ENDPOINTS_MAX || len >= sizeof(e->url))
		return PM_E_ARG;
	memcpy(e->url, url, len);
	e->url[len] = '\0';
	if (!is_url(e->url))
		return PM_E_ARG;
	r = upstream_pool_new_url(etcd->loop, e->url, NULL, &e->pool);
	if (r < 0)
		return r;
	etcd->endpoint_count++;
	if (!tls || strncmp(e->url, "https:", 6) != 0)
		return PM_OK;
	return upstream_pool_set_tls(e->pool, tls->cert, tls->key, tls->ca);
}

static int add_endpoints(struct etcd *etcd, const char *place, const struct store_tls *tls)
{
	if (tls && !tls->cert != !tls->key)
		return PM_E_ARG;
	for (;;) {
		size_t len = strcspn(place, ",");
		int r = add_endpoint(etcd, place, len, tls);

		if (r < 0)
			return r;
		if (!place[len])
			return PM_OK;
		place += len + 1;
	}
}

static int open_store(struct store *store, const char *place, const struct store_tls *tls,
	char reason[STORE_REASON_SIZE])
{
	struct etcd *etcd = calloc(1, sizeof(*etcd));
	int r;

	if (!etcd)
		return PM_E_NOMEM;
	store->self = etcd;
	etcd->loop = store->loop;
	TAILQ_INIT(&etcd->waiting);
	r = add_endpoints(etcd, place, tls);
	if (r == PM_E_ARG)
		snprintf(reason, STORE_REASON_SIZE,
			"'etcd:' needs 1 to %d URLs https://HOST[:PORT] with commas between, and a "
			"certificate with its key or none",
			ETCD_ENDPOINTS_MAX);
	return r;
}

const struct store_backend store_etcd = {
	.open = open_store,
	.close = close_store,
	.start = start,
	.cancel = cancel,
	.end_watch = etcd_watch_end,
};
