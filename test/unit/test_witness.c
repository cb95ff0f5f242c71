/* SPDX-License-Identifier: Apache-2.0 */
/* The witness of pm-secrets, over a store in memory that forgets, lies and fails. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"
#include "pm-secrets/log_lines.h"
#include "pm-secrets/witness.h"
#include "testing.h"

#define OWN	"secrets.m.0"
#define DAY	86400
#define SECONDS 60
/* Calls of a search for an end: as log_end.h says, and the name's. */
#define CALLS_MAX 91

static struct {
	struct loop *loop;
	struct store *store;
	struct pm_sign_key *key, *other_key;
	struct trail *trail;
	struct witness *witness;
	struct event *guard;
} s;

/* --- the doors that are watched -------------------------------------------------------------- */

/* What is under way: one. And what is done to its result. */
static struct {
	store_done *done;
	void *arg;
	void (*twist)(struct store_result *result);
	size_t calls;
} listing;

static size_t rounds, errors, warnings;
static int64_t passed;	       /* milliseconds that are added to the clock */
static void (*at_round)(void); /* called when one ends, or NULL */

struct store_op *__real_store_list(struct store *store, const char *prefix, const char *after,
	size_t limit, store_done *done, void *arg);
struct store_op *__wrap_store_list(struct store *store, const char *prefix, const char *after,
	size_t limit, store_done *done, void *arg);
struct timeval __real_loop_time(int64_t milliseconds);
struct timeval __wrap_loop_time(int64_t milliseconds);
int64_t __real_loop_now(void);
int64_t __wrap_loop_now(void);
void __wrap_log_event(enum log_level level, const char *event, ...);

static void on_listed(void *arg, const struct store_result *result)
{
	struct store_result twisted = *result;
	store_done *done = listing.done;

	(void)arg;
	listing.done = NULL;
	if (listing.twist)
		listing.twist(&twisted);
	done(listing.arg, &twisted);
}

struct store_op *__wrap_store_list(struct store *store, const char *prefix, const char *after,
	size_t limit, store_done *done, void *arg)
{
	ck_assert_msg(!listing.done, "two calls at a time");
	ck_assert_uint_eq(limit, 1);
	listing.done = done;
	listing.arg = arg;
	listing.calls++;
	return __real_store_list(store, prefix, after, limit, on_listed, NULL);
}

struct timeval __wrap_loop_time(int64_t milliseconds)
{
	if (milliseconds != WITNESS_PERIOD)
		return __real_loop_time(milliseconds);
	rounds++;
	if (at_round)
		at_round();
	return __real_loop_time(1);
}

int64_t __wrap_loop_now(void)
{
	return __real_loop_now() + passed;
}

void __wrap_log_event(enum log_level level, const char *event, ...)
{
	(void)event;
	errors += level == LOG_LEVEL_ERROR;
	warnings += level == LOG_LEVEL_WARN;
}

/* --- a scene --------------------------------------------------------------------------------- */

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	ck_abort_msg("nothing came of it in %d seconds", SECONDS);
}

static struct trail *new_trail(const char *name, const struct pm_sign_key *key)
{
	const struct trail_options options = {name, key, 30 * DAY};
	struct trail *trail = NULL;

	ck_pm(trail_new(s.loop, s.store, &options, &trail), PM_OK);
	return trail;
}

static void setup(void)
{
	const struct timeval guard = {SECONDS, 0};
	const char *reason;

	memset(&listing, 0, sizeof(listing));
	rounds = errors = warnings = 0;
	passed = 0;
	at_round = NULL;
	s.witness = NULL;
	ck_pm(loop_new(0, &s.loop), PM_OK);
	s.guard = evtimer_new(s.loop->base, on_guard, NULL);
	ck_assert(s.guard && !event_add(s.guard, &guard));
	ck_pm(store_open(s.loop, "memory:witness", NULL, &reason, &s.store), PM_OK);
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &s.key), PM_OK);
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &s.other_key), PM_OK);
	s.trail = new_trail(OWN, s.key);
}

static void teardown(void)
{
	witness_free(s.witness);
	trail_free(s.trail);
	store_close(s.store);
	event_free(s.guard);
	loop_free(s.loop);
	pm_sign_key_free(s.key);
	pm_sign_key_free(s.other_key);
}

static void step(void)
{
	ck_assert_int_ge(event_base_loop(s.loop->base, EVLOOP_ONCE), 0);
}

/* Rounds that began after this was called; it is begun where it was not. */
static void watch(size_t count)
{
	const struct trail_options options = {OWN, s.key, 30 * DAY};
	size_t end = rounds + count + (s.witness != NULL);

	if (!s.witness)
		s.witness = witness_new(s.loop, s.store, &options, s.trail);
	ck_assert_ptr_nonnull(s.witness);
	while (rounds < end)
		step();
}

/* --- the store ------------------------------------------------------------------------------- */

struct answer {
	bool is_done;
	int error;
	struct buffer text;
	char last[STORE_KEY_MAX + 1];
	size_t count;
};

static void on_answer(void *arg, const struct store_result *result)
{
	struct answer *a = arg;

	a->is_done = true;
	a->error = result->error;
	a->count = result->count;
	for (size_t i = 0; i < result->count; i++) {
		ck_assert(buffer_add(
			&a->text, result->entries[i].value, result->entries[i].len, SIZE_MAX));
		strcpy(a->last, result->entries[i].key);
	}
}

static void wait_for(const struct answer *a)
{
	while (!a->is_done)
		step();
	ck_pm(a->error, PM_OK);
}

static void put(const char *name, uint64_t number, const void *bytes, size_t len)
{
	struct answer a = {0};
	char key[TRAIL_KEY_SIZE];

	trail_key(name, number, key);
	ck_assert(store_put(s.store, key, bytes, len, 0, STORE_ANY, on_answer, &a));
	wait_for(&a);
}

static void drop(const char *name, uint64_t number)
{
	struct answer a = {0};
	char key[TRAIL_KEY_SIZE];

	trail_key(name, number, key);
	ck_assert(store_delete(s.store, key, STORE_ANY, on_answer, &a));
	wait_for(&a);
}

/* All lines of a log that are kept; freed by the caller. */
static struct buffer lines_of(const char *name)
{
	char prefix[TRAIL_KEY_SIZE];
	struct buffer text = {0};
	struct answer a = {0};

	snprintf(prefix, sizeof(prefix), TRAIL_PREFIX "%s/", name);
	do {
		a.is_done = false;
		ck_assert(__real_store_list(s.store, prefix, a.last, 0, on_answer, &a));
		wait_for(&a);
	} while (a.count);
	text = a.text;
	ck_assert(buffer_add(&text, "", 1, SIZE_MAX));
	text.len--;
	return text;
}

/* Our own log is whole; how often is this in it? */
static size_t told(const char *words)
{
	struct buffer text = lines_of(OWN);
	struct pm_audit_head head;
	size_t n = 0;

	if (text.len)
		ck_pm(pm_audit_verify(text.bytes, text.len, pm_sign_key_public(s.key), OWN, NULL,
			      NULL, &head),
			PM_OK);
	for (const char *at = text.bytes; (at = strstr(at, words)); at++)
		n++;
	buffer_free(&text);
	return n;
}

/* --- other logs ------------------------------------------------------------------------------ */

/* Its lines, each a batch of its own, unless it is told otherwise. */
struct pen {
	struct pm_audit *audit;
	const char *name;
	uint64_t batch;
	struct pm_audit_head head;
};

static struct pen new_pen(const char *name, const struct pm_sign_key *key)
{
	struct pen pen = {.name = name};

	ck_pm(pm_audit_new(key, name, &pen.audit), PM_OK);
	return pen;
}

static void append(struct pen *pen, int64_t time, const char *event, const char *field,
	const char *value, struct buffer *text)
{
	const struct pm_audit_field fields[] = {{field, value}};
	const char *line;
	size_t len;

	ck_pm(pm_audit_append(pen->audit, time, event, fields, 1, &line, &len), PM_OK);
	pm_audit_head(pen->audit, &pen->head);
	ck_assert(buffer_add(text, line, len, SIZE_MAX));
}

static void write_lines(struct pen *pen, struct buffer *text)
{
	put(pen->name, ++pen->batch, text->bytes, text->len);
	buffer_free(text);
}

static void write_at(struct pen *pen, int64_t time, const char *event)
{
	struct buffer text = {0};

	append(pen, time, event, "id", "x", &text);
	write_lines(pen, &text);
}

static void write_line(struct pen *pen)
{
	write_at(pen, clock_seconds(), "secret.released");
}

/* The words of our log that tell of it: "entries":"N","hash":... */
static const char *head_words(const struct pm_audit_head *head)
{
	static char text[160];
	char hash[2 * PM_AUDIT_HASH_SIZE + 1];

	pm_hex_encode(head->hash, sizeof(head->hash), hash);
	snprintf(text, sizeof(text), "\"entries\":\"%llu\",\"hash\":\"%s\"",
		(unsigned long long)head->entries, hash);
	return text;
}

static const char *until_words(int64_t until)
{
	static char text[64];
	char time[PM_TIME_TEXT_SIZE];

	pm_time_format(until, time);
	snprintf(text, sizeof(text), "\"until\":\"%s\"", time);
	return text;
}

#define SEEN "\"event\":\"log.seen\""
#define CUT  "\"event\":\"log.cut\""

/* --- tests ----------------------------------------------------------------------------------- */

START_TEST(keys_of_batches)
{
	static const char long_name[] =
		"secrets/log/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"
		"000000000001";
	static const char *const bad[] = {long_name, "secrets/log/a", "secrets/log/a/1",
		"secrets/log/a/0000000000001", "secrets/log/a/00000000000x",
		"secrets/log/A/000000000001", "secrets/log//000000000001",
		"secrets/log/a/b/000000000001", "secrets/value/000000000001",
		"secrets/log/a/000000000000", ""};
	char key[TRAIL_KEY_SIZE], name[PM_AUDIT_NAME_MAX + 1];
	uint64_t number;

	trail_key("secrets.a-b_0.1", 7, key);
	ck_assert_str_eq(key, "secrets/log/secrets.a-b_0.1/000000000007");
	ck_assert(trail_key_read(key, name, &number));
	ck_assert_str_eq(name, "secrets.a-b_0.1");
	ck_assert_uint_eq(number, 7);
	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++)
		ck_assert_msg(!trail_key_read(bad[i], name, &number), "%s", bad[i]);
}
END_TEST

START_TEST(heads_are_told_once)
{
	struct pen a = new_pen("secrets.a.0", s.key), z = new_pen("secrets.z.11", s.key);

	for (int i = 0; i < 3; i++)
		write_line(&a);
	write_line(&z);
	watch(1);
	ck_assert_uint_eq(told(SEEN), 2);
	ck_assert_uint_eq(told("\"seen\":\"secrets.a.0\""), 1);
	ck_assert_uint_eq(told(head_words(&a.head)), 1);
	ck_assert_uint_eq(told(head_words(&z.head)), 1);
	ck_assert_uint_eq(told(until_words(a.head.time + 30 * DAY)), 2);
	watch(3);
	ck_assert_uint_eq(told(SEEN), 2);
	write_line(&z);
	watch(2);
	ck_assert_uint_eq(told(SEEN), 3);
	ck_assert_uint_eq(told(head_words(&z.head)), 1);
	ck_assert_uint_eq(errors + warnings, 0);
	pm_audit_free(a.audit);
	pm_audit_free(z.audit);
}
END_TEST

static struct pen growing;
static struct answer grown;

/* Before the next round looks, and without waiting for it. */
static void grow(void)
{
	struct buffer text = {0};
	char key[TRAIL_KEY_SIZE];

	append(&growing, clock_seconds(), "secret.released", "id", "x", &text);
	trail_key(growing.name, ++growing.batch, key);
	grown = (struct answer){0};
	ck_assert(store_put(s.store, key, text.bytes, text.len, 0, STORE_ANY, on_answer, &grown));
	buffer_free(&text);
}

/* Else each busy instance would write a line a minute of each other one. */
START_TEST(what_grows_is_told_of_at_rest)
{
	growing = new_pen("secrets.a.0", s.key);
	write_line(&growing);
	watch(1);
	ck_assert_uint_eq(told(SEEN), 1);
	at_round = grow;
	watch(4);
	ck_assert_uint_eq(told(SEEN), 1);
	passed += WITNESS_BUSY;
	watch(4);
	ck_assert_uint_eq(told(SEEN), 2);
	at_round = NULL;
	watch(2);
	ck_assert_uint_eq(told(SEEN), 3);
	ck_assert_uint_eq(told(head_words(&growing.head)), 1);
	ck_assert_uint_eq(errors + warnings, 0);
	pm_audit_free(growing.audit);
}
END_TEST

/* Whatever the number of batches, and however many are gone; and as the log grows. */
START_TEST(ends_are_found)
{
	struct pen a = new_pen("secrets.a.0", s.key);
	size_t calls, end;
	uint64_t gone = 0;

	while (a.batch < 140) {
		size_t before = listing.calls;

		for (uint64_t more = a.batch < 20 ? 1 : 40; more; more--)
			write_line(&a);
		if (a.batch > 20 && a.batch % 3)
			drop(a.name, ++gone);
		watch(1);
		ck_assert_uint_eq(told(head_words(&a.head)), 1);
		ck_assert_uint_le(listing.calls - before, 2 * CALLS_MAX);
		/* And by who begins anew. */
		witness_free(s.witness);
		s.witness = NULL;
		listing.done = NULL;
		watch(1);
		ck_assert_uint_eq(told(head_words(&a.head)), 2);
	}
	ck_assert_uint_gt(gone, 0);
	/* Where nothing is new: two names, the end of names, the last batch, and that it is. */
	calls = listing.calls;
	end = rounds;
	watch(1);
	ck_assert_uint_le(listing.calls - calls, 5 * (rounds - end));
	ck_assert_uint_eq(errors + warnings, 0);
	pm_audit_free(a.audit);
}
END_TEST

/* A batch has several lines: the last one counts. */
START_TEST(batches_of_lines)
{
	struct pen a = new_pen("secrets.a.0", s.key);
	struct buffer text = {0};

	for (int i = 0; i < 5; i++)
		append(&a, clock_seconds(), "secret.released", "id", "x", &text);
	write_lines(&a, &text);
	watch(1);
	ck_assert_uint_eq(told(head_words(&a.head)), 1);
	ck_assert_uint_eq(told("\"entries\":\"5\""), 1);
	pm_audit_free(a.audit);
}
END_TEST

/* As the log's own first line says; else as long as ours. */
START_TEST(logs_are_kept_as_long_as_they_say)
{
	static const struct {
		const char *event, *field, *value;
		int64_t days;
	} rows[] = {
		{"instance.began", "days", "7", 7},
		{"instance.began", "days", "36500", 36500},
		{"instance.began", "days", "36501", 30},
		{"instance.began", "days", "0", 30},
		{"instance.began", "days", "-1", 30},
		{"instance.began", "days", "x", 30},
		{"instance.began", "DAYS", "7", 30},
		{"secret.released", "days", "7", 30},
	};
	char name[] = "secrets.a.0";
	int64_t now = clock_seconds();

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pen a;
		struct buffer text = {0};
		const char *field = strcmp(rows[i].field, "DAYS") ? rows[i].field : "dais";

		name[8] = (char)('a' + i);
		a = new_pen(name, s.key);
		append(&a, now - (int64_t)i, rows[i].event, field, rows[i].value, &text);
		write_lines(&a, &text);
		watch(1);
		ck_assert_uint_eq(told(head_words(&a.head)), 1);
		ck_assert_uint_eq(told(until_words(now - (int64_t)i + rows[i].days * DAY)), 1);
		pm_audit_free(a.audit);
	}
}
END_TEST

/* Said once, and not in the chain; those that come after are told. */
START_TEST(lines_that_are_not_authentic)
{
	struct pen a = new_pen("secrets.a.0", s.key), b = new_pen("secrets.b.0", s.other_key);
	struct pen moved = new_pen("secrets.x.0", s.key), z = new_pen("secrets.z.0", s.key);
	struct buffer text = {0};

	write_line(&a);
	append(&a, clock_seconds(), "secret.released", "id", "weights", &text);
	memcpy(strstr(text.bytes, "weights"), "WEIGHTS", 7);
	write_lines(&a, &text);
	write_line(&b);
	append(&moved, clock_seconds(), "secret.released", "id", "x", &text);
	put("secrets.c.0", 1, text.bytes, text.len);
	put("secrets.d.0", 1, "", 0);
	put("secrets.e.0", 1, text.bytes, text.len - 1);
	buffer_free(&text);
	write_line(&z);
	watch(3);
	ck_assert_uint_eq(told(SEEN), 1);
	ck_assert_uint_eq(told(head_words(&z.head)), 1);
	ck_assert_uint_eq(errors, 5);
	ck_assert_uint_eq(warnings, 0);
	/* When it is authentic again it is told. */
	write_line(&a);
	watch(1);
	ck_assert_uint_eq(told(head_words(&a.head)), 1);
	ck_assert_uint_eq(errors, 5);
	pm_audit_free(a.audit);
	pm_audit_free(b.audit);
	pm_audit_free(moved.audit);
	pm_audit_free(z.audit);
}
END_TEST

/* More than a batch of ours is. */
START_TEST(batches_that_are_too_large)
{
	struct pen a = new_pen("secrets.a.0", s.key);
	struct buffer text = {0};
	char *much = calloc(1, TRAIL_BATCH_MAX);

	ck_assert_ptr_nonnull(much);
	memset(much, '\n', TRAIL_BATCH_MAX);
	ck_assert(buffer_add(&text, much, TRAIL_BATCH_MAX, SIZE_MAX));
	append(&a, clock_seconds(), "secret.released", "id", "x", &text);
	write_lines(&a, &text);
	free(much);
	watch(1);
	ck_assert_uint_eq(told(SEEN), 0);
	ck_assert_uint_eq(errors, 1);
	pm_audit_free(a.audit);
}
END_TEST

/* --- what went back -------------------------------------------------------------------------- */

START_TEST(ends_that_are_cut)
{
	struct pen a = new_pen("secrets.a.0", s.key);
	struct pm_audit_head before;

	write_line(&a);
	write_line(&a);
	before = a.head;
	write_line(&a);
	watch(1);
	drop(a.name, 3);
	watch(3);
	ck_assert_uint_eq(told(CUT), 1);
	ck_assert_uint_eq(told(head_words(&before)), 1);
	ck_assert_uint_eq(told("\"was\":\"3\""), 1);
	ck_assert_uint_eq(told(SEEN), 1);
	ck_assert_uint_eq(errors, 1);
	pm_audit_free(a.audit);
}
END_TEST

START_TEST(logs_that_are_gone)
{
	struct pen a = new_pen("secrets.a.0", s.key);

	write_line(&a);
	write_line(&a);
	watch(1);
	drop(a.name, 1);
	drop(a.name, 2);
	watch(3);
	ck_assert_uint_eq(told(CUT), 1);
	ck_assert_uint_eq(told("\"entries\":\"0\""), 1);
	ck_assert_uint_eq(told("\"was\":\"2\""), 1);
	ck_assert_uint_eq(errors, 1);
	pm_audit_free(a.audit);
}
END_TEST

/* Signed by the same key, of the same number. */
START_TEST(ends_that_are_others)
{
	struct pen a = new_pen("secrets.a.0", s.key), fork = new_pen("secrets.a.0", s.key);

	write_line(&a);
	watch(1);
	write_at(&fork, a.head.time, "secret.agreed");
	watch(3);
	ck_assert_uint_eq(told(CUT), 1);
	ck_assert_uint_eq(told(head_words(&fork.head)), 1);
	ck_assert_uint_eq(told("\"was\":\"1\""), 1);
	ck_assert_uint_eq(errors, 1);
	pm_audit_free(a.audit);
	pm_audit_free(fork.audit);
}
END_TEST

/* The store keeps to what it was told: those are no cuts. */
START_TEST(what_was_to_be_forgotten)
{
	struct pen a = new_pen("secrets.a.0", s.key), b = new_pen("secrets.b.0", s.key);
	int64_t time = clock_seconds() - 30 * DAY;

	write_at(&a, time, "secret.released");
	write_at(&b, time, "secret.released");
	write_at(&b, time, "secret.released");
	watch(1);
	ck_assert_uint_eq(told(SEEN), 2);
	drop(a.name, 1);
	drop(b.name, 2);
	watch(2);
	ck_assert_uint_eq(told(CUT), 0);
	ck_assert_uint_eq(errors, 0);
	pm_audit_free(a.audit);
	pm_audit_free(b.audit);
}
END_TEST

/* What was never authentic is no log that was cut. */
START_TEST(doubtful_logs_that_are_gone)
{
	struct pen a = new_pen("secrets.a.0", s.key);
	struct buffer text = {0};

	append(&a, clock_seconds(), "instance.began", "days", "36500", &text);
	write_lines(&a, &text);
	put(a.name, 2, "x\n", 2);
	watch(1);
	ck_assert_uint_eq(errors, 1);
	drop(a.name, 1);
	drop(a.name, 2);
	watch(2);
	ck_assert_uint_eq(told(CUT), 0);
	ck_assert_uint_eq(errors, 1);
	pm_audit_free(a.audit);
}
END_TEST

/* --- echoes ---------------------------------------------------------------------------------- */

/* Two that watch each other come to rest; after an hour they tell once more. */
START_TEST(two_witnesses_are_quiet)
{
	const struct trail_options options = {"secrets.o.0", s.key, 30 * DAY};
	struct trail *trail = new_trail("secrets.o.0", s.key);
	struct witness *other;
	size_t before;

	ck_pm(trail_note(s.trail, "instance.began", NULL, 0, NULL, NULL, NULL), PM_OK);
	ck_pm(trail_note(trail, "instance.began", NULL, 0, NULL, NULL, NULL), PM_OK);
	while (trail_kept(s.trail) < 1 || trail_kept(trail) < 1)
		step();
	watch(1);
	witness_free(s.witness);
	s.witness = NULL;
	/* The other sees us; and we, anew, see it: that is an echo of what it saw of us. */
	other = witness_new(s.loop, s.store, &options, trail);
	while (trail_kept(trail) < 2)
		step();
	witness_free(other);
	listing.done = NULL;
	watch(1);
	before = trail_kept(s.trail);
	ck_pm(trail_note(trail, "log.seen", NULL, 0, NULL, NULL, NULL), PM_OK);
	while (trail_kept(trail) < 3)
		step();
	watch(3);
	ck_assert_uint_eq(trail_kept(s.trail), before);
	passed += WITNESS_ECHO;
	watch(3);
	ck_assert_uint_eq(trail_kept(s.trail), before + 1);
	/* What is more than an echo is told at once, also when echoes follow it. */
	ck_pm(trail_note(trail, "log.seen", NULL, 0, NULL, NULL, NULL), PM_OK);
	ck_pm(trail_note(trail, "log.cut", NULL, 0, NULL, NULL, NULL), PM_OK);
	ck_pm(trail_note(trail, "log.seen", NULL, 0, NULL, NULL, NULL), PM_OK);
	while (trail_kept(trail) < 6)
		step();
	watch(2);
	ck_assert_uint_eq(trail_kept(s.trail), before + 2);
	ck_assert_uint_eq(errors + warnings, 0);
	trail_free(trail);
}
END_TEST

/* What nobody told of yet is told, also where it only tells of others. */
START_TEST(the_first_sight_is_no_echo)
{
	struct pen a = new_pen("secrets.a.0", s.key);

	passed = -__real_loop_now(); /* nor where the machine has just begun */
	write_at(&a, clock_seconds(), "log.seen");
	watch(1);
	ck_assert_uint_eq(told(SEEN), 1);
	pm_audit_free(a.audit);
}
END_TEST

static bool is_echo(const struct buffer *text, const struct pm_audit_head *head)
{
	const struct log_lines lines = {s.key, "secrets.a.0", text->bytes, text->len};

	return log_lines_are_echo(&lines, head);
}

START_TEST(echoes_are_authentic)
{
	struct pen a = new_pen("secrets.a.0", s.key), fork = new_pen("secrets.a.0", s.key);
	struct pm_audit_head first, none = {0};
	struct buffer text = {0}, other = {0};
	char *place;

	append(&a, clock_seconds(), "secret.released", "id", "x", &text);
	first = a.head;
	ck_assert(!is_echo(&text, &none));
	for (int i = 0; i < 3; i++)
		append(&a, clock_seconds(), "log.seen", "id", "weights", &text);
	ck_assert(is_echo(&text, &first));
	ck_assert(!is_echo(&text, &none));
	append(&fork, clock_seconds(), "secret.agreed", "id", "y", &other);
	buffer_free(&other);
	ck_assert(!is_echo(&text, &fork.head)); /* it does not go on from there */
	place = strstr(text.bytes, "weights");
	memcpy(place, "WEIGHTS", 7);
	ck_assert(!is_echo(&text, &first));
	memcpy(place, "weights", 7);
	for (int i = 3; i < LOG_LINES_ECHO; i++)
		append(&a, clock_seconds(), "log.seen", "id", "x", &text);
	ck_assert(is_echo(&text, &first));
	append(&a, clock_seconds(), "log.seen", "id", "x", &text);
	ck_assert(!is_echo(&text, &first));
	buffer_free(&text);
	/* What lies between is in another batch. */
	append(&a, clock_seconds(), "log.seen", "id", "x", &text);
	ck_assert(!is_echo(&text, &first));
	buffer_free(&text);
	pm_audit_free(a.audit);
	pm_audit_free(fork.audit);
}
END_TEST

/* --- a store that fails, or lies ------------------------------------------------------------- */

static void twist_error(struct store_result *result)
{
	*result = (struct store_result){.error = PM_E_NET, .reason = "it is away"};
}

static void twist_key(struct store_result *result, const char *key)
{
	static struct store_entry entry;

	if (!result->count)
		return;
	entry = result->entries[0];
	entry.key = key;
	result->entries = &entry;
}

static void twist_other(struct store_result *result)
{
	twist_key(result, "secrets/log/secrets.a.0/000000000001");
}

/* Of what is found behind the first batch. */
static void twist_later(struct store_result *result, const char *key)
{
	static const char first[] = TRAIL_PREFIX "secrets.a.0/000000000001";

	if (result->count && strcmp(result->entries[0].key, first) > 0 &&
		strcmp(result->entries[0].key, TRAIL_PREFIX "secrets.a.0/~") < 0)
		twist_key(result, key);
}

static void twist_name(struct store_result *result)
{
	twist_later(result, TRAIL_PREFIX "secrets.b.0/000000000900");
}

static void twist_form(struct store_result *result)
{
	twist_later(result, TRAIL_PREFIX "secrets.a.0/3");
}

/* The round ends, and the next one does all that is to be done. */
START_TEST(stores_that_fail)
{
	static void (*const twists[])(struct store_result *) = {
		twist_error, twist_other, twist_name, twist_form};
	struct pen a = new_pen("secrets.a.0", s.key);
	size_t before = 0, calls;

	for (size_t i = 0; i < PM_ARRAY_LEN(twists); i++) {
		write_line(&a);
		write_line(&a);
		listing.twist = twists[i];
		calls = listing.calls;
		watch(3);
		ck_assert_uint_lt(listing.calls - calls, 100);
		ck_assert_uint_gt(warnings, before);
		ck_assert_uint_eq(told(head_words(&a.head)), 0);
		listing.twist = NULL;
		watch(4);
		before = warnings;
		ck_assert_uint_eq(told(head_words(&a.head)), 1);
	}
	ck_assert_uint_eq(told(CUT), 0);
	ck_assert_uint_eq(errors, 0);
	pm_audit_free(a.audit);
}
END_TEST

static void twist_again(struct store_result *result)
{
	if (result->count &&
		!strncmp(result->entries[0].key, TRAIL_PREFIX OWN, strlen(TRAIL_PREFIX OWN)))
		twist_key(result, TRAIL_PREFIX "secrets.a.0/000000000001");
}

/* A walk over names goes forward. */
START_TEST(stores_that_repeat_themselves)
{
	struct pen a = new_pen("secrets.a.0", s.key);
	size_t calls;

	write_line(&a);
	watch(1);
	listing.twist = twist_again;
	calls = listing.calls;
	watch(3);
	ck_assert_uint_lt(listing.calls - calls, 100);
	ck_assert_uint_gt(warnings, 0);
	pm_audit_free(a.audit);
}
END_TEST

/* Keys that are none of batches are passed over. */
START_TEST(keys_of_others)
{
	struct pen z = new_pen("secrets.z.0", s.key);
	struct answer a = {0};

	ck_assert(store_put(s.store, TRAIL_PREFIX "A", "x", 1, 0, STORE_ANY, on_answer, &a));
	wait_for(&a);
	a = (struct answer){0};
	ck_assert(store_put(s.store, "secrets/lot/a", "x", 1, 0, STORE_ANY, on_answer, &a));
	wait_for(&a);
	write_line(&z);
	watch(1);
	ck_assert_uint_eq(told(SEEN), 1);
	ck_assert_uint_eq(errors + warnings, 0);
	pm_audit_free(z.audit);
}
END_TEST

/* A store invents as many names as it likes: we write nothing, say little, and go on behind. */
START_TEST(names_that_are_invented)
{
	struct pen z = new_pen("secrets.z.0", s.key);
	char name[32];

	for (int i = 0; i < WITNESS_LOGS_MAX + 100; i++) {
		snprintf(name, sizeof(name), "secrets.%05d.0", i);
		put(name, 1, "x\n", 2);
	}
	write_line(&z);
	watch(1);
	ck_assert_uint_eq(told(SEEN), 0);
	ck_assert_uint_eq(warnings, 1);
	ck_assert_uint_le(listing.calls, 2 * WITNESS_LOGS_MAX);
	watch(1);
	ck_assert_uint_eq(told(SEEN), 1);
	ck_assert_uint_eq(errors, WITNESS_DOUBTS_MAX);
	ck_assert_uint_eq(told(CUT), 0);
	pm_audit_free(z.audit);
}
END_TEST

/* Of more logs than are remembered none is told of again and again. */
START_TEST(too_many_logs)
{
	char name[32];

	for (int i = 0; i < WITNESS_LOGS_MAX + 3; i++) {
		struct pen a;

		snprintf(name, sizeof(name), "secrets.%05d.0", i);
		a = new_pen(name, s.key);
		write_line(&a);
		pm_audit_free(a.audit);
	}
	watch(4);
	ck_assert_uint_eq(told(SEEN), WITNESS_LOGS_MAX);
	ck_assert_uint_gt(warnings, 0);
	ck_assert_uint_le(warnings, 2 * rounds);
	ck_assert_uint_eq(errors, 0);
}
END_TEST

/* --- our own log ----------------------------------------------------------------------------- */

/* It is freed while something is under way. */
START_TEST(it_ends_at_any_time)
{
	struct pen a = new_pen("secrets.a.0", s.key);

	write_line(&a);
	for (int steps = 0; steps < 12; steps++) {
		const struct trail_options options = {OWN, s.key, 30 * DAY};
		struct witness *witness = witness_new(s.loop, s.store, &options, s.trail);

		for (int i = 0; i < steps; i++)
			step();
		witness_free(witness);
		listing.done = NULL;
	}
	pm_audit_free(a.audit);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("witness");
	TCase *tc = tcase_create("witness");

	tcase_set_timeout(tc, 2 * SECONDS);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, keys_of_batches);
	tcase_add_test(tc, heads_are_told_once);
	tcase_add_test(tc, what_grows_is_told_of_at_rest);
	tcase_add_test(tc, ends_are_found);
	tcase_add_test(tc, batches_of_lines);
	tcase_add_test(tc, logs_are_kept_as_long_as_they_say);
	tcase_add_test(tc, lines_that_are_not_authentic);
	tcase_add_test(tc, batches_that_are_too_large);
	tcase_add_test(tc, ends_that_are_cut);
	tcase_add_test(tc, logs_that_are_gone);
	tcase_add_test(tc, ends_that_are_others);
	tcase_add_test(tc, what_was_to_be_forgotten);
	tcase_add_test(tc, two_witnesses_are_quiet);
	tcase_add_test(tc, echoes_are_authentic);
	tcase_add_test(tc, stores_that_fail);
	tcase_add_test(tc, stores_that_repeat_themselves);
	tcase_add_test(tc, keys_of_others);
	tcase_add_test(tc, names_that_are_invented);
	tcase_add_test(tc, doubtful_logs_that_are_gone);
	tcase_add_test(tc, the_first_sight_is_no_echo);
	tcase_add_test(tc, too_many_logs);
	tcase_add_test(tc, it_ends_at_any_time);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return test_main(make_suite());
}
