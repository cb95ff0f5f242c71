/* SPDX-License-Identifier: Apache-2.0 */
#include "store_scene.h"

#include <check.h>
#include <err.h>
#include <pm/error.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_tls.h"

#define GUARD_SECONDS 60

int64_t __real_store_time(void);
int64_t __wrap_store_time(void);

static const char *url;
static struct store_tls tls;
static int64_t moved;
static atomic_uint count;

int64_t __wrap_store_time(void)
{
	return __real_store_time() + moved;
}

void scene_move_time(int64_t seconds)
{
	moved += seconds;
}

void scene_init(int argc, char **argv)
{
	if (argc != 2 && argc != 5)
		errx(2, "usage: URL [CERT KEY CA]");
	url = argv[1];
	if (argc == 5)
		tls = store_tls_read(argv + 2);
}

const char *scene_url(void)
{
	return url;
}

/* --- the scene ------------------------------------------------------------------------------- */

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ck_abort_msg("no answer in %d seconds", GUARD_SECONDS);
}

struct store *scene_open_store(struct loop *loop)
{
	const char *reason = "";
	struct store *store = NULL;
	int r = store_open(loop, url, tls.cert ? &tls : NULL, &reason, &store);

	ck_assert_msg(r == PM_OK, "%s: %s", url, reason);
	return store;
}

void scene_open(struct scene *scene)
{
	const struct timeval guard = {GUARD_SECONDS, 0};

	memset(scene, 0, sizeof(*scene));
	ck_assert_int_eq(loop_new(0, &scene->loop), PM_OK);
	scene->guard = evtimer_new(scene->loop->base, on_guard, NULL);
	ck_assert(scene->guard && !event_add(scene->guard, &guard));
	scene->store = scene_open_store(scene->loop);
	scene->other = scene_open_store(scene->loop);
	snprintf(scene->prefix, sizeof(scene->prefix), "t%d-%u/", (int)getpid(), count++);
}

void scene_close(struct scene *scene)
{
	store_close(scene->store);
	store_close(scene->other);
	event_free(scene->guard);
	loop_free(scene->loop);
}

const char *scene_key(const struct scene *scene, const char *name)
{
	static _Thread_local char keys[8][2 * STORE_KEY_MAX];
	static _Thread_local unsigned int next;
	char *key = keys[next++ % 8];

	snprintf(key, sizeof(keys[0]), "%s%s", scene->prefix, name);
	return key;
}

void scene_wait(struct scene *scene, const bool *flag)
{
	while (!*flag)
		ck_assert_int_ge(event_base_loop(scene->loop->base, EVLOOP_ONCE), 0);
}

void scene_wait_heard(struct scene *scene, const struct heard *heard, size_t wanted)
{
	while (heard->count < wanted && !heard->is_lost)
		ck_assert_int_ge(event_base_loop(scene->loop->base, EVLOOP_ONCE), 0);
}

void scene_settle(struct scene *scene)
{
	ck_assert_int_ge(event_base_loop(scene->loop->base, EVLOOP_NONBLOCK), 0);
}

/* --- calls ----------------------------------------------------------------------------------- */

static void copy_entry(struct store_entry *to, const struct store_entry *from)
{
	*to = *from;
	to->key = strdup(from->key);
	to->value = NULL;
	if (from->value) {
		uint8_t *bytes = calloc(1, from->len + 1);

		ck_assert(bytes);
		memcpy(bytes, from->value, from->len);
		to->value = bytes;
	}
}

static void free_entry(struct store_entry *e)
{
	free((char *)e->key);
	free((uint8_t *)e->value);
	memset(e, 0, sizeof(*e));
}

void scene_done(void *arg, const struct store_result *result)
{
	struct answer *a = arg;

	ck_assert_msg(!a->is_done, "done twice");
	ck_assert(result->reason && (result->error == PM_OK) == (result->reason[0] == '\0'));
	ck_assert(result->error == PM_OK || (result->count == 0 && !result->more));
	a->is_done = true;
	a->error = result->error;
	a->more = result->more;
	a->revision = result->revision;
	a->count = result->count;
	snprintf(a->reason, sizeof(a->reason), "%s", result->reason);
	a->entries = calloc(result->count + 1, sizeof(*a->entries));
	ck_assert(a->entries);
	for (size_t i = 0; i < result->count; i++)
		copy_entry(&a->entries[i], &result->entries[i]);
}

void answer_free(struct answer *a)
{
	for (size_t i = 0; i < a->count; i++)
		free_entry(&a->entries[i]);
	free(a->entries);
	memset(a, 0, sizeof(*a));
}

void scene_event(void *arg, const struct store_entry *entry)
{
	struct heard *heard = arg;
	struct store_entry *place = &heard->entries[heard->count % HEARD_MAX];

	ck_assert(!heard->is_lost);
	free_entry(place);
	copy_entry(place, entry);
	heard->count++;
}

void scene_lost(void *arg, const char *reason)
{
	struct heard *heard = arg;

	ck_assert(!heard->is_lost && reason[0]);
	heard->is_lost = true;
	snprintf(heard->reason, sizeof(heard->reason), "%s", reason);
}

void scene_forget(struct heard *heard)
{
	for (size_t i = 0; i < HEARD_MAX; i++)
		free_entry(&heard->entries[i]);
	memset(heard, 0, sizeof(*heard));
}

/* --- operations that wait -------------------------------------------------------------------- */

int scene_put(struct scene *scene, struct store *store, const char *name, const char *value,
	int64_t expires, uint64_t if_revision, uint64_t *ret_revision)
{
	struct answer a = {0};
	int error;

	ck_assert(store_put(store, scene_key(scene, name), value, strlen(value), expires,
		if_revision, scene_done, &a));
	ck_assert_msg(!a.is_done, "done from within the call");
	scene_wait(scene, &a.is_done);
	error = a.error;
	if (ret_revision && error == PM_OK)
		*ret_revision = a.revision;
	answer_free(&a);
	return error;
}

int scene_put_bytes(struct scene *scene, const char *name, const uint8_t *bytes, size_t len)
{
	struct answer a = {0};
	int error;

	ck_assert(store_put(
		scene->store, scene_key(scene, name), bytes, len, 0, STORE_ANY, scene_done, &a));
	scene_wait(scene, &a.is_done);
	error = a.error;
	answer_free(&a);
	return error;
}

int scene_delete(struct scene *scene, struct store *store, const char *name, uint64_t if_revision)
{
	struct answer a = {0};
	int error;

	ck_assert(store_delete(store, scene_key(scene, name), if_revision, scene_done, &a));
	ck_assert_msg(!a.is_done, "done from within the call");
	scene_wait(scene, &a.is_done);
	error = a.error;
	answer_free(&a);
	return error;
}

void scene_get(struct scene *scene, struct store *store, const char *name, struct answer *ret)
{
	memset(ret, 0, sizeof(*ret));
	ck_assert(store_get(store, scene_key(scene, name), scene_done, ret));
	ck_assert_msg(!ret->is_done, "done from within the call");
	scene_wait(scene, &ret->is_done);
}

void scene_list(struct scene *scene, struct store *store, const char *name, const char *after,
	size_t limit, struct answer *ret)
{
	memset(ret, 0, sizeof(*ret));
	ck_assert(store_list(store, scene_key(scene, name), after, limit, scene_done, ret));
	ck_assert_msg(!ret->is_done, "done from within the call");
	scene_wait(scene, &ret->is_done);
}

void scene_expect(struct scene *scene, struct store *store, const char *name, const char *value)
{
	struct answer a;

	scene_get(scene, store, name, &a);
	ck_assert_int_eq(a.error, value ? PM_OK : PM_E_MISSING);
	if (value) {
		ck_assert_uint_eq(a.count, 1);
		ck_assert_str_eq(a.entries[0].key, scene_key(scene, name));
		ck_assert_uint_eq(a.entries[0].len, strlen(value));
		ck_assert_str_eq((const char *)a.entries[0].value, value);
	}
	answer_free(&a);
}
