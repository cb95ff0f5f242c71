/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker is an entry, and its bundle lies beside it in pieces, as it may be larger than a value.
 * Each is sealed for its place. A list is sent as it is read, one worker after the other.
 */
#include "pm-coordinator/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/seal.h>

#include "common/clock.h"
#include "common/log.h"
#include "pm-coordinator/job.h"
#include "pm-coordinator/message.h"

#define WORKER_PREFIX "coordinator/worker/"
#define PIECE_SIZE    524288
#define LIST_MAX      1024	 /* workers of one answer */
#define LIST_SIZE_MAX (48 << 20) /* bytes of it */
#define PAGE	      32

static void piece_key(char ret[STORE_KEY_MAX], const char *name, unsigned int index)
{
	snprintf(ret, STORE_KEY_MAX, "coordinator/evidence/%s/%u", name, index);
}

/* --- keeping --------------------------------------------------------------------------------- */

struct keep {
	struct coordinator *c;
	char name[STORE_KEY_MAX / 2]; /* ROLE/REPLICA */
	char *entry;		      /* JSON */
	uint8_t *bundle;
	size_t len;
	int64_t expires;
	unsigned int index; /* of the piece that is next */
	workers_done *done;
	void *arg;
};

static void keep_next(struct keep *keep);

static void finish_keep(struct keep *keep, int error)
{
	keep->done(keep->arg, error);
	free(keep->entry);
	free(keep->bundle);
	free(keep);
}

static bool put_sealed(
	struct keep *keep, const char *key, const void *plain, size_t len, store_done *done)
{
	uint8_t *sealed = malloc(len + PM_SEAL_OVERHEAD);
	bool good = sealed &&
		    pm_seal(keep->c->state_key, key, strlen(key), plain, len, sealed) == PM_OK &&
		    store_put(keep->c->store, key, sealed, len + PM_SEAL_OVERHEAD, keep->expires,
			    STORE_ANY, done, keep);

	free(sealed);
	return good;
}

static void on_kept(void *arg, const struct store_result *result)
{
	finish_keep(arg, result->error);
}

static void on_piece_kept(void *arg, const struct store_result *result)
{
	struct keep *keep = arg;

	if (result->error != PM_OK) {
		finish_keep(keep, result->error);
		return;
	}
	keep->index++;
	keep_next(keep);
}

static void keep_next(struct keep *keep)
{
	size_t at = (size_t)keep->index * PIECE_SIZE, left = keep->len - at;
	char key[STORE_KEY_MAX];
	bool good;

	if (at < keep->len) {
		piece_key(key, keep->name, keep->index);
		good = put_sealed(keep, key, keep->bundle + at,
			left < PIECE_SIZE ? left : PIECE_SIZE, on_piece_kept);
	} else {
		snprintf(key, sizeof(key), WORKER_PREFIX "%s", keep->name);
		good = put_sealed(keep, key, keep->entry, strlen(keep->entry), on_kept);
	}
	if (!good)
		finish_keep(keep, PM_E_NOMEM);
}

static char *entry_of(const struct worker *worker, const struct pm_mesh_identity *who)
{
	json_t *models = json_array(), *root;
	char *text;

	for (size_t i = 0; models && i < who->model_count; i++)
		(void)json_array_append_new(models, json_string(who->models[i]));
	root = json_pack("{s:s,s:s,s:o,s:I,s:I,s:o}", "Role", who->role, "Replica", who->replica,
		"Models", models, "Joined", (json_int_t)worker->joined, "Expires",
		(json_int_t)worker->expires, "Nonce",
		message_new_base64(worker->nonce, PM_BUNDLE_NONCE_SIZE));
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	return text;
}

bool workers_put(struct coordinator *c, const struct worker *worker, workers_done *done, void *arg)
{
	struct keep *keep = calloc(1, sizeof(*keep));

	if (!keep)
		return false;
	keep->c = c;
	/* By the store's time, which follows a clock that is set slowly. */
	keep->expires = clock_seconds() + (worker->expires - worker->joined) + 1;
	keep->done = done;
	keep->arg = arg;
	snprintf(keep->name, sizeof(keep->name), "%s/%s", worker->who->role, worker->who->replica);
	keep->entry = entry_of(worker, worker->who);
	keep->bundle = malloc(worker->len);
	if (!keep->entry || !keep->bundle) {
		free(keep->entry);
		free(keep->bundle);
		free(keep);
		return false;
	}
	memcpy(keep->bundle, worker->bundle, worker->len);
	keep->len = worker->len;
	keep_next(keep);
	return true;
}

/* --- the list -------------------------------------------------------------------------------- */

struct item {
	char key[STORE_KEY_MAX + 1];
	json_t *entry;
};

struct list {
	struct job *job;
	struct coordinator *c;
	struct store_op *op; /* NULL: it waits for room to send */
	struct item items[PAGE];
	size_t count, at;
	char after[STORE_KEY_MAX + 1]; /* the last key that was read, ours or not */
	bool more, has_begun;
	unsigned int sent, index;
	uint8_t *bundle;
	size_t len, size;
};

static void list_next(struct list *list);

static void free_list(struct list *list)
{
	if (list->op)
		store_cancel(list->op);
	for (size_t i = 0; i < list->count; i++)
		json_decref(list->items[i].entry);
	free(list->bundle);
	free(list);
}

static void leave_list(void *flow)
{
	free_list(flow);
}

static void fail_list(struct list *list, const char *message)
{
	struct job *job = list->job;

	job->flow = NULL;
	free_list(list);
	if (!job->is_over) {
		job_fail(job, 503, "no_store", "%s", message);
		return;
	}
	http_abort(job->exchange);
}

static void send_text(struct list *list, const char *text)
{
	list->size += strlen(text);
	http_send(list->job->exchange, text, strlen(text));
}

static void begin_answer(struct list *list)
{
	struct job *job = list->job;

	if (list->has_begun)
		return;
	list->has_begun = true;
	job->is_over = true;
	http_respond(job->exchange, 200, "application/json", NULL, 0, -1);
	send_text(list, "{\"Workers\":[");
}

static void end_answer(struct list *list)
{
	struct job *job = list->job;

	begin_answer(list);
	send_text(list, "]}");
	http_finish(job->exchange);
	job->flow = NULL;
	free_list(list);
}

/* What was sealed there, to be freed, or NULL. */
static uint8_t *open_entry(
	const struct coordinator *c, const struct store_entry *entry, size_t *ret_len)
{
	uint8_t *plain = malloc(entry->len + 1);

	if (!plain || entry->len < PM_SEAL_OVERHEAD ||
		pm_seal_open(c->state_key, entry->key, strlen(entry->key), entry->value, entry->len,
			plain) < 0) {
		free(plain);
		return NULL;
	}
	*ret_len = entry->len - PM_SEAL_OVERHEAD;
	return plain;
}

/* The worker whose pieces are all here. */
static bool send_worker(struct list *list)
{
	struct item *item = &list->items[list->at];
	json_t *evidence = message_new_base64(list->bundle, list->len);
	char *text = NULL;

	if (evidence && json_object_set_new(item->entry, "Evidence", evidence) == 0)
		text = json_dumps(item->entry, JSON_COMPACT);
	if (!text)
		return false;
	begin_answer(list);
	if (list->sent++)
		send_text(list, ",");
	send_text(list, text);
	free(text);
	return true;
}

static void drop_item(struct list *list)
{
	json_decref(list->items[list->at].entry);
	list->items[list->at].entry = NULL;
	list->at++;
	list->index = 0;
	list->len = 0;
}

/* The first piece that is not there is behind the last one; a bundle without end is refused. */
static void on_piece(void *arg, const struct store_result *result)
{
	struct list *list = arg;
	uint8_t *plain = NULL, *grown;
	size_t len = 0;

	list->op = NULL;
	if (result->error == PM_E_MISSING) {
		if (list->len && !send_worker(list)) {
			fail_list(list, "out of memory");
			return;
		}
		drop_item(list);
		list_next(list);
		return;
	}
	if (result->error == PM_OK)
		plain = open_entry(list->c, result->entries, &len);
	grown = plain && list->len + len <= PM_BUNDLE_SIZE_MAX
			? realloc(list->bundle, list->len + len + 1)
			: NULL;
	if (grown) {
		list->bundle = grown;
		memcpy(list->bundle + list->len, plain, len);
		list->len += len;
		list->index++;
	}
	free(plain);
	if (!grown)
		fail_list(list, "the store can't be read, or holds what is not ours");
	else
		list_next(list);
}

static void take_page(struct list *list, const struct store_result *result)
{
	list->count = list->at = 0;
	list->more = result->more;
	for (size_t i = 0; i < result->count && list->count < PAGE; i++) {
		const struct store_entry *e = &result->entries[i];
		struct item *item = &list->items[list->count];
		size_t len = 0;
		uint8_t *plain = open_entry(list->c, e, &len);

		item->entry = plain ? json_loadb((const char *)plain, len, 0, NULL) : NULL;
		free(plain);
		strcpy(item->key, e->key); /* the store's keys are no longer */
		strcpy(list->after, e->key);
		if (item->entry)
			list->count++;
		else
			log_event(LOG_LEVEL_WARN, "store", "key", e->key, "reason",
				"it is not ours", NULL);
	}
}

static void on_page(void *arg, const struct store_result *result)
{
	struct list *list = arg;

	list->op = NULL;
	if (result->error != PM_OK) {
		fail_list(list, "the store can't be read");
		return;
	}
	take_page(list, result);
	list_next(list);
}

static bool read_piece(struct list *list)
{
	char key[STORE_KEY_MAX];

	piece_key(key, list->items[list->at].key + strlen(WORKER_PREFIX), list->index);
	list->op = store_get(list->c->store, key, on_piece, list);
	return list->op != NULL;
}

static void list_next(struct list *list)
{
	if (list->has_begun && !list->index && http_is_full(list->job->exchange))
		return; /* drained() goes on */
	if (list->sent >= LIST_MAX || list->size >= LIST_SIZE_MAX ||
		(list->at == list->count && !list->more)) {
		end_answer(list);
		return;
	}
	if (list->at < list->count) {
		if (!read_piece(list))
			fail_list(list, "out of memory");
		return;
	}
	list->op = store_list(list->c->store, WORKER_PREFIX, list->after, PAGE, on_page, list);
	if (!list->op)
		fail_list(list, "out of memory");
}

static void list_drained(void *flow)
{
	struct list *list = flow;

	if (!list->op)
		list_next(list);
}

void workers_run(struct job *job)
{
	struct list *list;

	if (!job->c->state_key) {
		job_fail(job, 503, "not_ready", "this coordinator is not ready");
		return;
	}
	list = calloc(1, sizeof(*list));
	if (!list) {
		job_fail(job, 503, "busy", "out of memory");
		return;
	}
	list->job = job;
	list->c = job->c;
	list->more = true;
	job->flow = list;
	job->leave = leave_list;
	job->drained = list_drained;
	list_next(list);
}
