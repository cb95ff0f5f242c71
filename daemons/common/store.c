/* SPDX-License-Identifier: Apache-2.0 */
#include "common/store.h"

#include <pm/error.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/store_watch.h"

#define SWEEP_MILLISECONDS 5000

/* Where operations come back to the loop, without an allocation; it outlives a closed store. */
struct store_box {
	atomic_size_t references; /* the store's, and each operation's */
	pthread_mutex_t lock;
	struct store_ops done;
	bool is_closed;
	int fd;
};

/* --- the box --------------------------------------------------------------------------------- */

static struct store_box *new_box(void)
{
	struct store_box *box = calloc(1, sizeof(*box));

	if (!box)
		return NULL;
	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd < 0) {
		free(box);
		return NULL;
	}
	atomic_init(&box->references, 1);
	pthread_mutex_init(&box->lock, NULL);
	TAILQ_INIT(&box->done);
	return box;
}

static void release_box(struct store_box *box)
{
	if (atomic_fetch_sub(&box->references, 1) != 1)
		return;
	close(box->fd);
	pthread_mutex_destroy(&box->lock);
	free(box);
}

/* --- operations ------------------------------------------------------------------------------ */

static void free_op(struct store_op *op)
{
	store_op_clear(op);
	release_box(op->box);
	free(op->key);
	free(op->after);
	free(op->value);
	free(op);
}

void store_op_mail(struct store_op *op)
{
	const uint64_t one = 1;
	struct store_box *box = op->box;
	bool is_closed, was_empty;

	pthread_mutex_lock(&box->lock);
	is_closed = box->is_closed;
	was_empty = TAILQ_EMPTY(&box->done);
	if (!is_closed)
		TAILQ_INSERT_TAIL(&box->done, op, queue);
	/* Under the lock: the box may be gone behind it. Only a full counter makes it fail. */
	if (!is_closed && was_empty && write(box->fd, &one, sizeof(one)) < 0)
		is_closed = false;
	pthread_mutex_unlock(&box->lock);
	if (is_closed)
		free_op(op);
}

/* The operation is not in the loop's hands any more, or is in its box. */
static void forget(struct store_op *op)
{
	struct store *store = op->store;

	TAILQ_REMOVE(&store->ops, op, all);
	if (op->kind == STORE_SWEEP)
		store->is_sweeping = false;
	else if (!op->watch)
		store->op_count--;
}

static bool set_text(char **ret, size_t *ret_len, const char *text)
{
	*ret = strdup(text ? text : "");
	if (*ret && ret_len)
		*ret_len = strlen(*ret);
	return *ret != NULL;
}

static struct store_op *new_op(struct store *store, enum store_kind kind, const char *key)
{
	struct store_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	atomic_fetch_add(&store->box->references, 1);
	op->box = store->box;
	op->kind = kind;
	if (!set_text(&op->key, &op->key_len, key)) {
		free_op(op);
		return NULL;
	}
	return op;
}

/* Is it something that may be asked? Else the operation says why not. */
static bool check(struct store_op *op)
{
	bool is_prefix = op->kind == STORE_LIST || op->kind == STORE_CHANGES;

	if (!store_is_key(op->key, op->key_len) ||
		(!is_prefix && !op->key_len && op->kind != STORE_SWEEP) ||
		(op->after && !store_is_key(op->after, strlen(op->after))))
		store_op_fail(op, PM_E_ARG, "not a key of a store");
	else if (op->kind == STORE_PUT && op->len > STORE_VALUE_MAX)
		store_op_fail(op, PM_E_ARG, "the value has more than %d bytes", STORE_VALUE_MAX);
	else if (op->kind == STORE_PUT &&
		 (op->expires < 0 || store_is_expired(op->expires, store_time())))
		store_op_fail(op, PM_E_ARG, "the value would have expired");
	else if (op->kind == STORE_DELETE && op->if_revision == 0)
		store_op_fail(op, PM_E_ARG, "a deletion of no revision");
	else if (!op->watch && op->kind != STORE_SWEEP && op->store->op_count > STORE_OPS_MAX)
		store_op_fail(op, PM_E_LIMIT, "more than %d operations at once", STORE_OPS_MAX);
	return op->error == PM_OK;
}

static struct store_op *start(struct store *store, struct store_op *op, store_done *done, void *arg)
{
	op->store = store;
	op->done = done;
	op->arg = arg;
	TAILQ_INSERT_TAIL(&store->ops, op, all);
	if (!op->watch && op->kind != STORE_SWEEP)
		store->op_count++;
	op->is_started = check(op);
	if (op->is_started)
		store->backend->start(op);
	else
		store_op_mail(op);
	return op;
}

struct store_op *store_get(struct store *store, const char *key, store_done *done, void *arg)
{
	struct store_op *op = new_op(store, STORE_GET, key);

	return op ? start(store, op, done, arg) : NULL;
}

struct store_op *store_list(struct store *store, const char *prefix, const char *after,
	size_t limit, store_done *done, void *arg)
{
	struct store_op *op = new_op(store, STORE_LIST, prefix);

	if (op && !set_text(&op->after, NULL, after)) {
		free_op(op);
		return NULL;
	}
	if (!op)
		return NULL;
	op->limit = limit && limit < STORE_LIST_MAX ? limit : STORE_LIST_MAX;
	return start(store, op, done, arg);
}

struct store_op *store_put(struct store *store, const char *key, const void *value, size_t len,
	int64_t expires, uint64_t if_revision, store_done *done, void *arg)
{
	struct store_op *op = new_op(store, STORE_PUT, key);
	/* What is too long is not copied: it will be refused. */
	size_t copied = len <= STORE_VALUE_MAX ? len : 0;

	if (!op)
		return NULL;
	op->value = malloc(copied + 1);
	if (!op->value) {
		free_op(op);
		return NULL;
	}
	if (copied)
		memcpy(op->value, value, copied);
	op->len = len;
	op->expires = expires;
	op->if_revision = if_revision;
	return start(store, op, done, arg);
}

struct store_op *store_delete(
	struct store *store, const char *key, uint64_t if_revision, store_done *done, void *arg)
{
	struct store_op *op = new_op(store, STORE_DELETE, key);

	if (!op)
		return NULL;
	op->if_revision = if_revision;
	return start(store, op, done, arg);
}

void store_cancel(struct store_op *op)
{
	struct store *store = op->store;

	if (op->is_started && store->backend->cancel(op)) {
		forget(op);
		free_op(op);
		return;
	}
	op->is_cancelled = true;
}

/* --- watches --------------------------------------------------------------------------------- */

bool store_watch_wait(struct store_watch *watch)
{
	struct store_op *op = new_op(watch->store, STORE_CHANGES, watch->prefix);

	if (!op)
		return false;
	op->after_revision = watch->seen;
	op->watch = watch;
	watch->op = start(watch->store, op, NULL, NULL);
	return true;
}

/* --- what comes back ------------------------------------------------------------------------- */

static void tell_done(struct store_op *op)
{
	const struct store_result result = {
		.error = op->error,
		.reason = op->reason,
		.entries = op->entries,
		.count = op->count,
		.more = op->more,
		.revision = op->revision,
	};

	op->done(op->arg, &result);
}

static void finish(struct store_op *op)
{
	struct store_watch *watch = op->watch;

	forget(op);
	if (watch)
		store_watch_tell(op);
	else if (!op->is_cancelled && op->done)
		tell_done(op);
	free_op(op);
}

static void take_all(struct store_box *box, bool is_last, struct store_ops *ret_done)
{
	TAILQ_INIT(ret_done);
	pthread_mutex_lock(&box->lock);
	TAILQ_CONCAT(ret_done, &box->done, queue);
	box->is_closed = is_last;
	pthread_mutex_unlock(&box->lock);
}

/* Only as many as there are now: what they start waits its turn. */
static void on_wakeup(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	struct store_ops done;
	struct store_op *op;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	take_all(store->box, false, &done);
	while ((op = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, op, queue);
		finish(op);
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	struct store_op *op;

	(void)fd;
	(void)what;
	if (store->is_sweeping)
		return;
	op = new_op(store, STORE_SWEEP, "");
	if (!op)
		return;
	store->is_sweeping = true;
	start(store, op, NULL, NULL);
}

/* --- the store ------------------------------------------------------------------------------- */

static const struct kind {
	const char *scheme;
	const struct store_backend *backend;
} kinds[] = {
	{"memory:", &store_memory},
	{"sqlite:", &store_sqlite},
	{"etcd:", &store_etcd},
};

static const struct kind *kind_of(const char *url)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(url, kinds[i].scheme, strlen(kinds[i].scheme)))
			return &kinds[i];
	return NULL;
}

static int open_events(struct store *store)
{
	struct timeval period = loop_time(SWEEP_MILLISECONDS);

	store->wakeup = event_new(
		store->loop->base, store->box->fd, EV_READ | EV_PERSIST, on_wakeup, store);
	if (!store->wakeup || event_add(store->wakeup, NULL))
		return PM_E_NOMEM;
	if (!store->backend->needs_sweep)
		return PM_OK;
	store->sweep_timer = event_new(store->loop->base, -1, EV_PERSIST, on_sweep, store);
	return store->sweep_timer && !event_add(store->sweep_timer, &period) ? PM_OK : PM_E_NOMEM;
}

static struct store *new_store(struct loop *loop, const struct kind *kind)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	TAILQ_INIT(&store->ops);
	TAILQ_INIT(&store->watches);
	store->loop = loop;
	store->backend = kind->backend;
	store->box = new_box();
	if (store->box && open_events(store) == PM_OK)
		return store;
	store_close(store);
	return NULL;
}

int store_open(struct loop *loop, const char *url, const struct store_tls *tls,
	const char **ret_reason, struct store **ret_store)
{
	static _Thread_local char reason[STORE_REASON_SIZE];
	const struct kind *kind = kind_of(url);
	struct store *store;
	int r;

	*ret_reason = reason;
	snprintf(reason, sizeof(reason),
		"not a store: 'memory:NAME', 'sqlite:PATH' or 'etcd:URL' is wanted");
	if (!kind || !url[strlen(kind->scheme)])
		return PM_E_ARG;
	store = new_store(loop, kind);
	snprintf(reason, sizeof(reason), "out of memory");
	if (!store)
		return PM_E_NOMEM;
	r = store->backend->open(store, url + strlen(kind->scheme), tls, reason);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret_store = store;
	return PM_OK;
}

static void close_box(struct store_box *box)
{
	struct store_ops done;
	struct store_op *op;

	take_all(box, true, &done);
	while ((op = TAILQ_FIRST(&done))) {
		TAILQ_REMOVE(&done, op, queue);
		free_op(op);
	}
	release_box(box);
}

/* What is in a backend's hands still comes to the closed box, which frees it. */
static void give_up(struct store *store)
{
	struct store_op *op;

	while ((op = TAILQ_FIRST(&store->ops))) {
		TAILQ_REMOVE(&store->ops, op, all);
		if (op->is_started && store->backend->cancel(op))
			free_op(op);
	}
}

void store_close(struct store *store)
{
	struct store_watch *watch;

	if (!store)
		return;
	give_up(store);
	while ((watch = TAILQ_FIRST(&store->watches)))
		store_watch_free(watch);
	if (store->self)
		store->backend->close(store);
	if (store->wakeup)
		event_free(store->wakeup);
	if (store->sweep_timer)
		event_free(store->sweep_timer);
	if (store->box)
		close_box(store->box);
	free(store);
}
