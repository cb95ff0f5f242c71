/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The witness of pm-secrets without memory: see alloc.h. What it could not look at it looks at once
 * more; its log stays whole, and says nothing that is not so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <pm/text.h>

#include "alloc.h"
#include "base/mem.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"
#include "pm-secrets/log_lines.h"
#include "pm-secrets/witness.h"
#include "testing.h"

#define OWN	   "secrets.m.0"
#define LONG	   "secrets.a.0"
#define SHORT	   "secrets.b.0"
#define DAY	   86400
#define BATCHES	   5
#define ROUNDS_MAX 4
#define TURNS_MAX  10000

static struct pm_sign_key *key;
static int64_t began;
/* One line a batch. The first says for how long the log is kept. */
static struct {
	struct buffer text[BATCHES];
	struct pm_audit_head head[BATCHES];
} long_log;
static struct buffer short_log;
static size_t rounds, errors;

/* --- doors that are watched ------------------------------------------------------------------ */

struct timeval __real_loop_time(int64_t milliseconds);
struct timeval __wrap_loop_time(int64_t milliseconds);
void __wrap_log_event(enum log_level level, const char *event, ...);

struct timeval __wrap_loop_time(int64_t milliseconds)
{
	rounds += milliseconds == WITNESS_PERIOD;
	return __real_loop_time(1);
}

void __wrap_log_event(enum log_level level, const char *event, ...)
{
	(void)event;
	errors += level == LOG_LEVEL_ERROR;
}

/* --- lines ----------------------------------------------------------------------------------- */

static struct log_lines lines_of(const char *name, const struct buffer *text)
{
	return (struct log_lines){key, name, text->bytes, text->len};
}

static int read_head(void)
{
	const struct log_lines lines = lines_of(LONG, &long_log.text[2]);
	struct pm_audit_head head;
	int r = log_lines_head(&lines, &head);

	return r == PM_OK && head.entries != 3 ? ALLOC_WRONG : r;
}

static int read_keep(void)
{
	const struct log_lines lines = lines_of(LONG, &long_log.text[0]);
	int64_t keep = 0;
	int r = log_lines_keep(&lines, 30 * DAY, &keep);

	return r == PM_OK && keep != 7 * DAY ? ALLOC_WRONG : r;
}

static bool is_echo(void)
{
	const struct log_lines lines = lines_of(LONG, &long_log.text[BATCHES - 1]);

	return log_lines_are_echo(&lines, &long_log.head[BATCHES - 2]);
}

/* Where it can't be told it is none, which costs a line. */
static int read_echo(void)
{
	return is_echo() ? PM_OK : PM_E_NOMEM;
}

/* --- a scene --------------------------------------------------------------------------------- */

struct scene {
	struct loop *loop;
	struct store *store;
	struct trail *trail;
	struct witness *witness;
	size_t puts;
	bool has_failed;
};

static void turn(const struct scene *s)
{
	event_base_loop(s->loop->base, EVLOOP_ONCE);
}

static void on_put(void *arg, const struct store_result *result)
{
	struct scene *s = arg;

	s->puts--;
	s->has_failed |= result->error < 0;
}

static int put(struct scene *s, const char *name, uint64_t number, const struct buffer *text)
{
	char place[TRAIL_KEY_SIZE];

	trail_key(name, number, place);
	if (!store_put(s->store, place, text->bytes, text->len, 0, STORE_ANY, on_put, s))
		return PM_E_NOMEM;
	s->puts++;
	while (s->puts)
		turn(s);
	return s->has_failed ? PM_E_NOMEM : PM_OK;
}

static int set_scene(struct scene *s)
{
	const struct trail_options options = {OWN, key, 30 * DAY};
	const char *reason;
	int r = loop_new(0, &s->loop);

	if (r == PM_OK)
		r = store_open(s->loop, "memory:witness", NULL, &reason, &s->store);
	for (uint64_t i = 0; r == PM_OK && i < BATCHES; i++)
		r = put(s, LONG, i + 1, &long_log.text[i]);
	if (r == PM_OK)
		r = put(s, SHORT, 1, &short_log);
	if (r == PM_OK)
		r = trail_new(s->loop, s->store, &options, &s->trail);
	if (r < 0)
		return r;
	s->witness = witness_new(s->loop, s->store, &options, s->trail);
	return s->witness ? PM_OK : PM_E_NOMEM;
}

static void clear_scene(struct scene *s)
{
	witness_free(s->witness);
	trail_free(s->trail);
	store_close(s->store);
	loop_free(s->loop);
}

/* --- what it wrote --------------------------------------------------------------------------- */

struct own_log {
	bool is_done;
	int error;
	size_t len;
	char text[65536];
};

static void on_listed(void *arg, const struct store_result *result)
{
	struct own_log *own = arg;

	own->is_done = true;
	own->error = result->error;
	for (size_t i = 0; i < result->count; i++) {
		size_t len = result->entries[i].len;

		if (len >= sizeof(own->text) - own->len)
			return;
		pm_copy(own->text + own->len, result->entries[i].value, len);
		own->len += len;
	}
	own->text[own->len] = '\0';
}

/* That it tells of this one, and until when. */
static bool tells(const char *text, const char *name, uint64_t entries, int64_t until)
{
	char words[160], time[PM_TIME_TEXT_SIZE];
	const char *line = text, *end;

	pm_time_format(until, time);
	snprintf(words, sizeof(words), "\"until\":\"%s\"", time);
	for (; (end = strchr(line, '\n')); line = end + 1) {
		char seen[64], number[32];
		size_t len = (size_t)(end - line);

		snprintf(seen, sizeof(seen), "\"seen\":\"%s\"", name);
		snprintf(number, sizeof(number), "\"entries\":\"%llu\"",
			(unsigned long long)entries);
		if (memmem(line, len, seen, strlen(seen)))
			return memmem(line, len, number, strlen(number)) &&
			       memmem(line, len, words, strlen(words));
	}
	return false;
}

static int check_log(struct scene *s)
{
	static struct own_log own;
	struct pm_audit_head head;
	int r;

	own = (struct own_log){0};
	if (!store_list(s->store, TRAIL_PREFIX OWN "/", NULL, 0, on_listed, &own))
		return PM_E_NOMEM;
	while (!own.is_done)
		turn(s);
	if (own.error < 0)
		return own.error;
	r = pm_audit_verify(own.text, own.len, pm_sign_key_public(key), OWN, NULL, NULL, &head);
	if (r == PM_E_NOMEM)
		return r;
	return r == PM_OK && !strstr(own.text, "log.cut") &&
			       tells(own.text, LONG, BATCHES, began + 7 * DAY) &&
			       tells(own.text, SHORT, 1, began + 30 * DAY) && !errors
		       ? PM_OK
		       : ALLOC_WRONG;
}

/* One failure spoils a round at most: two more have told of everything. */
static int witness(void)
{
	struct scene s = {0};
	int r = set_scene(&s);

	rounds = errors = 0;
	for (int i = 0; r == PM_OK && rounds < ROUNDS_MAX && i < TURNS_MAX; i++)
		turn(&s);
	if (r == PM_OK)
		r = rounds < ROUNDS_MAX ? ALLOC_WRONG : check_log(&s);
	clear_scene(&s);
	return r;
}

/* --- all of it ------------------------------------------------------------------------------- */

static void append(struct pm_audit *audit, const char *event, const char *name, const char *value,
	struct buffer *text, struct pm_audit_head *ret_head)
{
	const struct pm_audit_field fields[] = {{name, value}};
	const char *line;
	size_t len;

	ck_pm(pm_audit_append(audit, began, event, fields, 1, &line, &len), PM_OK);
	pm_audit_head(audit, ret_head);
	ck_assert(buffer_add(text, line, len, SIZE_MAX));
}

static void set_up(void)
{
	struct pm_audit_head head;
	struct pm_audit *audit;

	began = clock_seconds();
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &key), PM_OK);
	ck_pm(pm_audit_new(key, LONG, &audit), PM_OK);
	append(audit, "instance.began", "days", "7", &long_log.text[0], &long_log.head[0]);
	for (size_t i = 1; i < BATCHES; i++)
		append(audit, i < BATCHES - 1 ? "secret.released" : "log.seen", "id", "x",
			&long_log.text[i], &long_log.head[i]);
	pm_audit_free(audit);
	ck_pm(pm_audit_new(key, SHORT, &audit), PM_OK);
	append(audit, "secret.released", "id", "x", &short_log, &head);
	pm_audit_free(audit);
}

static void clean_up(void)
{
	for (size_t i = 0; i < BATCHES; i++)
		buffer_free(&long_log.text[i]);
	buffer_free(&short_log);
	pm_sign_key_free(key);
}

START_TEST(lines_without_memory)
{
	ck_assert(is_echo());
	ck_assert_uint_ge(alloc_walk("log_lines_head", read_head, ALLOC_NOMEM), 2);
	ck_assert_uint_ge(alloc_walk("log_lines_keep", read_keep, ALLOC_NOMEM), 2);
	ck_assert_uint_ge(alloc_walk("log_lines_are_echo", read_echo, ALLOC_NOMEM), 2);
}
END_TEST

START_TEST(rounds_without_memory)
{
	ck_assert_uint_ge(alloc_walk("witness", witness, ALLOC_NOMEM), 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("witness_alloc");
	TCase *t = tcase_create("witness_alloc");

	json_set_alloc_funcs(alloc_sure, free); /* of alloc.c */
	tcase_add_unchecked_fixture(t, set_up, clean_up);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, lines_without_memory);
	tcase_add_test(t, rounds_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
