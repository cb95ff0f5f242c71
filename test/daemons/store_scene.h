/* SPDX-License-Identifier: Apache-2.0 */
/* A loop with handles of a store, and operations that wait; a failure ends the test. */
#ifndef PM_TEST_STORE_SCENE_H
#define PM_TEST_STORE_SCENE_H

#include "common/store.h"

struct scene {
	struct loop *loop;
	struct store *store, *other; /* two handles of the same store */
	char prefix[64];	     /* of this test's keys, with a slash at the end */
	struct event *guard;
};

struct answer {
	bool is_done;
	int error;
	char reason[512];
	struct store_entry *entries; /* copies */
	size_t count;
	bool more;
	uint64_t revision;
};

/* What a watch told. */
#define HEARD_MAX 64
struct heard {
	struct store_entry entries[HEARD_MAX]; /* copies; the last ones */
	size_t count;
	bool is_lost;
	char reason[512];
};

/* Of the test that runs. */
extern struct scene s;

struct TCase;
void scene_add_list_tests(struct TCase *group);
void scene_add_watch_tests(struct TCase *group);

/* From the command line: URL [CERT KEY CA]. */
void scene_init(int argc, char **argv);
const char *scene_url(void);

/* Moves what the store takes for the time. */
void scene_move_time(int64_t seconds);

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
struct store *scene_open_store(struct loop *loop);

/* A key of this test; static, of the thread's last 8 calls. */
const char *scene_key(const struct scene *scene, const char *name);

/* Runs the loop until the flag is true. */
void scene_wait(struct scene *scene, const bool *flag);
/* Until a watch has heard of as many events, or is lost. */
void scene_wait_heard(struct scene *scene, const struct heard *heard, size_t count);
/* Until all that is due was done, without waiting. */
void scene_settle(struct scene *scene);

/* For operations: arg is a struct answer. */
store_done scene_done;
/* For watches: arg is a struct heard. */
store_event scene_event;
store_lost scene_lost;
void scene_forget(struct heard *heard);
void answer_free(struct answer *a);

int scene_put(struct scene *scene, struct store *store, const char *name, const char *value,
	int64_t expires, uint64_t if_revision, uint64_t *ret_revision);
/* Whatever was there. */
int scene_put_bytes(struct scene *scene, const char *name, const uint8_t *bytes, size_t len);
int scene_delete(struct scene *scene, struct store *store, const char *name, uint64_t if_revision);
void scene_get(struct scene *scene, struct store *store, const char *name, struct answer *ret);
void scene_list(struct scene *scene, struct store *store, const char *name, const char *after,
	size_t limit, struct answer *ret);
/* Is this what is there? NULL: nothing. */
void scene_expect(struct scene *scene, struct store *store, const char *name, const char *value);

#endif
