/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-ctl demands of the logs of the secret service: that they have what was seen of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pm/text.h>

#include "common/file.h"
#include "pm-ctl/secrets_log_seen.h"
#include "testing.h"

/* 2026-03-01, and so many days later. */
#define NOW INT64_C(1772323200)
#define DAY 86400

#define ENTRIES 16

static struct pm_sign_key *key, *other_key;

/* A log as it is written. */
struct pen {
	struct pm_audit *audit;
	char *text[ENTRIES]; /* a line each */
	struct pm_audit_head heads[ENTRIES];
	size_t count;
};

static struct pen a, b, c;

static void begin(struct pen *pen, const char *name, const struct pm_sign_key *by)
{
	*pen = (struct pen){0};
	ck_pm(pm_audit_new(by, name, &pen->audit), PM_OK);
}

static void note(struct pen *pen, int64_t time, const char *event,
	const struct pm_audit_field *fields, size_t count)
{
	const char *line;
	size_t len;

	ck_assert_uint_lt(pen->count, ENTRIES);
	ck_pm(pm_audit_append(pen->audit, time, event, fields, count, &line, &len), PM_OK);
	pm_audit_head(pen->audit, &pen->heads[pen->count]);
	pen->text[pen->count++] = strdup(line);
}

static void note_plain(struct pen *pen, int64_t time)
{
	const struct pm_audit_field field = {"id", "weights"};

	note(pen, time, "secret.released", &field, 1);
}

static void note_seen(struct pen *pen, const char *event, const char *seen,
	const struct pm_audit_head *head, const char *name, const char *value)
{
	char hash[2 * PM_AUDIT_HASH_SIZE + 1], entries[24];
	const struct pm_audit_field fields[] = {
		{"seen", seen}, {"entries", entries}, {"hash", hash}, {name, value}};

	snprintf(entries, sizeof(entries), "%llu", (unsigned long long)head->entries);
	pm_hex_encode(head->hash, sizeof(head->hash), hash);
	note(pen, NOW, event, fields, 4);
}

static void saw(struct pen *pen, const char *seen, const struct pm_audit_head *head, int64_t until)
{
	char text[PM_TIME_TEXT_SIZE];

	pm_time_format(until, text);
	note_seen(pen, "log.seen", seen, head, "until", text);
}

static void end(struct pen *pen)
{
	for (size_t i = 0; i < pen->count; i++)
		free(pen->text[i]);
	pm_audit_free(pen->audit);
	*pen = (struct pen){0};
}

/* a has 5 entries; b saw 2 and 4 of them, c saw 5 and what b has. */
static void setup(void)
{
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &key), PM_OK);
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &other_key), PM_OK);
	begin(&a, "secrets.a.0", key);
	begin(&b, "secrets.b.0", key);
	begin(&c, "secrets.c.0", key);
	for (int i = 0; i < 5; i++)
		note_plain(&a, NOW - 5 * DAY + i * DAY);
	note_plain(&b, NOW);
	saw(&b, "secrets.a.0", &a.heads[1], NOW + DAY);
	saw(&b, "secrets.a.0", &a.heads[3], NOW + DAY);
	saw(&c, "secrets.a.0", &a.heads[4], NOW + DAY);
	saw(&c, "secrets.b.0", &b.heads[2], NOW + DAY);
}

static void teardown(void)
{
	end(&a);
	end(&b);
	end(&c);
	pm_sign_key_free(key);
	pm_sign_key_free(other_key);
}

/* --- what is fetched ------------------------------------------------------------------------- */

struct text {
	char *bytes;
	size_t len, room;
};

static void add_text(struct text *text, const char *bytes)
{
	size_t len = strlen(bytes);

	if (text->len + len + 1 > text->room) {
		text->room = 2 * (text->len + len + 1);
		text->bytes = realloc(text->bytes, text->room);
	}
	ck_assert_ptr_nonnull(text->bytes);
	memcpy(text->bytes + text->len, bytes, len + 1);
	text->len += len;
}

static struct text fetched(const char *head)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);
	char base64[(PM_SIGN_SPKI_MAX + 2) / 3 * 4 + 1];
	struct text text = {0};

	ck_pm(pm_text_base64_encode(public->spki, public->spki_size, base64, sizeof(base64)),
		PM_OK);
	add_text(&text, head);
	add_text(&text, base64);
	add_text(&text, "\"}\n");
	return text;
}

#define HEAD		"{\"days\":30,\"key\":\""
#define HEAD_DAYS(days) "{\"days\":" #days ",\"key\":\""
#define HEAD_OLD	"{\"key\":\""

static void add_lines(struct text *text, const struct pen *pen, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		add_text(text, pen->text[i]);
}

static void add_log(struct text *text, const struct pen *pen)
{
	add_lines(text, pen, 0, pen->count);
}

/* --- what is said of it ---------------------------------------------------------------------- */

static char said[8192];
static int saved = -1;
static FILE *ear;

static void listen(void)
{
	ear = tmpfile();
	ck_assert_ptr_nonnull(ear);
	fflush(stderr);
	saved = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fileno(ear), STDERR_FILENO), 0);
}

static void hear(void)
{
	size_t n;

	fflush(stderr);
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	close(saved);
	rewind(ear);
	n = fread(said, 1, sizeof(said) - 1, ear);
	said[n] = '\0';
	fclose(ear);
}

static size_t lines_said(void)
{
	size_t n = 0;

	for (const char *at = said; *at; at++)
		n += *at == '\n';
	return n;
}

/* The exit status of a fetch at this time; takes the text. */
static int judge(struct text text, int64_t now)
{
	struct secrets_log_set set;
	int r, s;

	listen();
	r = secrets_log_read("service", text.bytes, text.len, &set);
	s = secrets_log_check(&set, now);
	hear();
	secrets_log_clear(&set);
	free(text.bytes);
	return r == TOOL_OK ? s : r;
}

static int judge_since(struct text text, struct text earlier, int64_t now)
{
	struct secrets_log_set set, before;
	int r;

	listen();
	ck_assert_int_eq(secrets_log_read("service", text.bytes, text.len, &set), TOOL_OK);
	r = secrets_log_read("earlier", earlier.bytes, earlier.len, &before);
	if (r == TOOL_OK)
		r = secrets_log_check_since(&set, &before, now);
	hear();
	secrets_log_clear(&set);
	secrets_log_clear(&before);
	free(text.bytes);
	free(earlier.bytes);
	return r;
}

/* Refused with these words, in one line. */
#define ck_refused(call, words)                                                                    \
	do {                                                                                       \
		ck_assert_int_eq(call, TOOL_REJECTED);                                             \
		ck_assert_msg(strstr(said, words) != NULL, "said: %s", said);                      \
		ck_assert_msg(lines_said() == 1, "said: %s", said);                                \
	} while (0)

#define ck_accepted(call)                                                                          \
	do {                                                                                       \
		ck_assert_msg((call) == TOOL_OK, "said: %s", said);                                \
		ck_assert_str_eq(said, "");                                                        \
	} while (0)

/* Entries of a from and to, and the others. */
static struct text with_part(size_t from, size_t to)
{
	struct text text = fetched(HEAD);

	add_lines(&text, &a, from, to);
	add_log(&text, &b);
	add_log(&text, &c);
	return text;
}

/* --- logs by themselves ---------------------------------------------------------------------- */

START_TEST(logs_are_read)
{
	struct text text = with_part(0, 5);
	struct secrets_log_set set;

	ck_assert_int_eq(secrets_log_read("service", text.bytes, text.len, &set), TOOL_OK);
	ck_assert_uint_eq(set.count, 3);
	ck_assert_int_eq(set.days, 30);
	ck_assert_uint_eq(set.claims.count, 4);
	ck_assert_uint_eq(set.logs[0]->head.entries, 5);
	ck_assert(!memcmp(&set.logs[0]->head, &a.heads[4], sizeof(a.heads[4])));
	ck_assert_ptr_eq(secrets_log_find(&set, "secrets.b.0"), set.logs[1]);
	ck_assert_ptr_null(secrets_log_find(&set, "secrets.d.0"));
	secrets_log_clear(&set);
	free(text.bytes);
	ck_accepted(judge(fetched(HEAD), NOW));
}
END_TEST

START_TEST(what_is_no_answer)
{
	static const char *const heads[] = {"{\"days\":-1,\"key\":\"", "{\"days\":36501,\"key\":\"",
		"{\"days\":30,\"KEY\":\"", "x{\"key\":\"", "{\"key\":\"x"};
	struct text text;

	for (size_t i = 0; i < PM_ARRAY_LEN(heads); i++)
		ck_refused(judge(fetched(heads[i]), NOW), "service: ");
	ck_refused(judge((struct text){0}, NOW), "service: ");
	text = with_part(0, 5);
	text.len--; /* the last line is not whole */
	ck_refused(judge(text, NOW), "service: ");
	text = with_part(0, 5);
	add_text(&text, "{}\n");
	ck_refused(judge(text, NOW), "service: ");
	text = with_part(0, 5);
	add_log(&text, &a);
	ck_assert_int_eq(judge(text, NOW), TOOL_REJECTED);
	ck_assert_ptr_nonnull(strstr(said, "log secrets.a.0 comes twice"));
}
END_TEST

/* Also where its beginning is gone each line is signed, and none is lacking between. */
START_TEST(logs_are_verified)
{
	struct text text = fetched(HEAD);

	add_lines(&text, &a, 2, 5);
	ck_accepted(judge(text, NOW));
	text = fetched(HEAD);
	add_lines(&text, &a, 2, 5);
	memcpy(strstr(text.bytes, "weights"), "WEIGHTS", 7);
	ck_refused(judge(text, NOW), "secrets.a.0: ");
	text = fetched(HEAD);
	add_lines(&text, &a, 2, 3);
	add_lines(&text, &a, 4, 5);
	ck_refused(judge(text, NOW), "secrets.a.0: ");
	text = fetched(HEAD);
	add_lines(&text, &a, 0, 2);
	add_lines(&text, &a, 1, 5);
	ck_refused(judge(text, NOW), "secrets.a.0: ");
	end(&a);
	begin(&a, "secrets.a.0", other_key);
	note_plain(&a, NOW);
	text = fetched(HEAD);
	add_log(&text, &a);
	ck_refused(judge(text, NOW), "secrets.a.0: ");
}
END_TEST

#define MANY 4000

/* More than one piece, and lines that come again where two pieces meet. */
START_TEST(long_logs_are_verified)
{
	struct text text = fetched(HEAD), again;
	size_t head = text.len, cut, lines = 0;
	struct pm_audit *audit;
	const char *line;
	size_t len;

	ck_pm(pm_audit_new(key, "secrets.l.0", &audit), PM_OK);
	for (int i = 0; i < MANY; i++) {
		ck_pm(pm_audit_append(audit, NOW, "secret.released", NULL, 0, &line, &len), PM_OK);
		add_text(&text, line);
	}
	pm_audit_free(audit);
	ck_assert_uint_gt(text.len - head, SECRETS_LOG_PIECE);
	for (cut = head + SECRETS_LOG_PIECE; text.bytes[cut - 1] != '\n'; cut--)
		continue;
	for (len = cut - 1; lines < 3; lines += text.bytes[len - 1] == '\n')
		len--;
	again = (struct text){strndup(text.bytes, cut), cut, cut + 1};
	add_text(&again, text.bytes + len);
	ck_refused(judge(again, NOW), "secrets.l.0: ");
	ck_accepted(judge(text, NOW));
}
END_TEST

/* --- what they saw of each other ------------------------------------------------------------- */

START_TEST(what_was_seen_is_there)
{
	ck_accepted(judge(with_part(0, 5), NOW));
	ck_accepted(judge(with_part(1, 5), NOW));
	ck_accepted(judge(with_part(0, 5), NOW + 100 * DAY));
}
END_TEST

START_TEST(ends_that_are_lacking)
{
	ck_refused(judge(with_part(0, 4), NOW),
		"secrets.a.0 is cut: it ends at entry 4, secrets.c.0 saw 5");
	ck_refused(judge(with_part(0, 1), NOW),
		"secrets.a.0 is cut: it ends at entry 1, secrets.c.0 saw 5");
}
END_TEST

START_TEST(logs_that_are_lacking)
{
	struct text text = fetched(HEAD);

	add_log(&text, &c);
	ck_assert_int_eq(judge(text, NOW), TOOL_REJECTED);
	ck_assert_ptr_nonnull(strstr(said, "secrets.a.0 is missing: secrets.c.0 saw entry 5"));
	ck_assert_ptr_nonnull(strstr(said, "secrets.b.0 is missing: secrets.c.0 saw entry 3"));
	ck_assert_uint_eq(lines_said(), 2);
	/* Nobody is left who saw it. */
	text = fetched(HEAD);
	add_log(&text, &a);
	ck_accepted(judge(text, NOW));
}
END_TEST

START_TEST(beginnings_that_are_lacking)
{
	ck_refused(judge(with_part(2, 5), NOW),
		"secrets.a.0 is cut: it begins at entry 3, secrets.b.0 saw 2");
}
END_TEST

/* The same key may sign two entries of one number: that is a fork, whatever the time. */
START_TEST(entries_that_are_others)
{
	struct text text;

	end(&a);
	begin(&a, "secrets.a.0", key);
	for (int i = 0; i < 6; i++)
		note_plain(&a, NOW);
	ck_refused(judge(with_part(0, 6), NOW),
		"secrets.a.0 is another: its entry 5 is not the one that secrets.c.0 saw");
	ck_refused(judge(with_part(0, 5), NOW + 100 * DAY),
		"secrets.a.0 is another: its entry 5 is not the one that secrets.c.0 saw");
	text = fetched(HEAD);
	add_log(&text, &a);
	add_log(&text, &b);
	ck_refused(judge(text, NOW),
		"secrets.a.0 is another: its entry 4 is not the one that secrets.b.0 saw");
}
END_TEST

START_TEST(what_may_be_forgotten)
{
	const int64_t late = NOW + DAY - SECRETS_LOG_SLACK;
	struct text text = fetched(HEAD);

	ck_accepted(judge(with_part(2, 5), late));
	ck_accepted(judge(with_part(0, 4), late));
	ck_assert_int_eq(judge(with_part(2, 5), late - 1), TOOL_REJECTED);
	ck_assert_int_eq(judge(with_part(0, 4), late - 1), TOOL_REJECTED);
	add_log(&text, &b);
	ck_accepted(judge(text, late));
	text = fetched(HEAD);
	add_log(&text, &b);
	ck_assert_int_eq(judge(text, late - 1), TOOL_REJECTED);
}
END_TEST

/* What a witness saw itself stands, although the store shows the log again. */
START_TEST(cuts_that_were_seen)
{
	static const struct pm_audit_head nothing;

	note_seen(&c, "log.cut", "secrets.a.0", &a.heads[2], "was", "4");
	ck_refused(judge(with_part(0, 5), NOW + 100 * DAY),
		"secrets.a.0 was cut: secrets.c.0 saw it end at entry 3, after 4");
	end(&c);
	begin(&c, "secrets.c.0", key);
	note_seen(&c, "log.cut", "secrets.a.0", &nothing, "was", "4");
	ck_refused(judge(with_part(0, 5), NOW),
		"secrets.a.0 was cut: secrets.c.0 saw it end at entry 0, after 4");
}
END_TEST

/* Whoever has not the key makes no log of others suspect, and none good. */
START_TEST(words_of_others)
{
	struct text text;

	end(&c);
	begin(&c, "secrets.c.0", other_key);
	saw(&c, "secrets.d.0", &a.heads[4], NOW + DAY);
	ck_refused(judge(with_part(0, 5), NOW), "secrets.c.0: ");
	/* That of b, which comes before, still counts. */
	text = with_part(0, 3);
	ck_assert_int_eq(judge(text, NOW), TOOL_REJECTED);
	ck_assert_ptr_nonnull(strstr(said, "it ends at entry 3, secrets.b.0 saw 4"));
	/* Of a log that is not authentic all is said. */
	text = with_part(0, 5);
	memcpy(strstr(text.bytes, "weights"), "WEIGHTS", 7);
	ck_assert_int_eq(judge(text, NOW), TOOL_REJECTED);
	ck_assert_ptr_nonnull(strstr(said, "secrets.a.0: "));
	ck_assert_ptr_null(strstr(said, "secrets.a.0 is"));
}
END_TEST

#define ZEROS64 "0000000000000000000000000000000000000000000000000000000000000000"

START_TEST(words_without_sense)
{
	static const char until[] = "2026-03-01T00:00:00Z";
	static const struct {
		const char *event;
		struct pm_audit_field fields[4];
	} rows[] = {
		{"log.seen", {{"seen", "s"}, {"entries", "1"}, {"hash", ZEROS64}, {"UNTIL", ""}}},
		{"log.seen",
			{{"seen", "s"}, {"entries", "0"}, {"hash", ZEROS64}, {"until", until}}},
		{"log.seen",
			{{"seen", "s"}, {"entries", "1x"}, {"hash", ZEROS64}, {"until", until}}},
		{"log.seen", {{"seen", "s"}, {"entries", "9007199254740992"}, {"hash", ZEROS64},
				     {"until", until}}},
		{"log.seen", {{"seen", "s"}, {"entries", "1"}, {"hash", "00"}, {"until", until}}},
		{"log.seen", {{"seen", "s"}, {"entries", "1"}, {"hash", ZEROS64}, {"until", "1"}}},
		{"log.seen", {{"seen", ZEROS64 "0"}, {"entries", "1"}, {"hash", ZEROS64},
				     {"until", until}}},
		{"log.seen", {{"saw", "s"}, {"entries", "1"}, {"hash", ZEROS64}, {"until", until}}},
		{"log.cut", {{"seen", "s"}, {"entries", "1"}, {"hash", ZEROS64}, {"was", "0"}}},
		{"log.cut", {{"seen", "s"}, {"entries", "1"}, {"hash", ZEROS64}, {"were", "2"}}},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct text text = fetched(HEAD);
		struct pm_audit_field fields[4];

		memcpy(fields, rows[i].fields, sizeof(fields));
		if (!strcmp(fields[3].name, "UNTIL"))
			fields[3].name = "untold";
		end(&b);
		begin(&b, "secrets.b.0", key);
		note(&b, NOW, rows[i].event, fields, 4);
		add_log(&text, &b);
		ck_refused(judge(text, NOW), "service: ");
	}
}
END_TEST

/* --- an earlier fetch ------------------------------------------------------------------------ */

/* Of a alone. */
static struct text part(const char *head, size_t from, size_t to)
{
	struct text text = fetched(head);

	add_lines(&text, &a, from, to);
	return text;
}

START_TEST(since_all_is_there)
{
	ck_accepted(judge_since(part(HEAD, 0, 5), part(HEAD, 0, 5), NOW));
	ck_accepted(judge_since(part(HEAD, 0, 5), part(HEAD, 0, 2), NOW));
	ck_accepted(judge_since(part(HEAD, 0, 5), fetched(HEAD), NOW));
	ck_accepted(judge_since(part(HEAD, 0, 5), part(HEAD, 3, 5), NOW));
}
END_TEST

START_TEST(since_something_is_lacking)
{
	ck_refused(judge_since(part(HEAD, 0, 4), part(HEAD, 0, 5), NOW),
		"secrets.a.0 is cut: it ends at entry 4, earlier saw 5");
	ck_refused(judge_since(fetched(HEAD), part(HEAD, 0, 5), NOW),
		"secrets.a.0 is missing: earlier saw entry 5");
	ck_refused(judge_since(part(HEAD, 1, 5), part(HEAD, 0, 5), NOW),
		"secrets.a.0 is cut: it begins at entry 2, earlier saw 1");
}
END_TEST

START_TEST(since_it_is_another)
{
	struct text text = part(HEAD, 0, 5);

	end(&a);
	begin(&a, "secrets.a.0", key);
	for (int i = 0; i < 5; i++)
		note_plain(&a, NOW);
	ck_refused(judge_since(text, part(HEAD, 0, 5), NOW), "its entry 5 is not the one that");
	end(&a);
	begin(&a, "secrets.a.0", other_key);
	note_plain(&a, NOW);
	ck_refused(judge_since(fetched(HEAD), part(HEAD, 0, 1), NOW), "secrets.a.0: ");
}
END_TEST

START_TEST(since_the_key_is_another)
{
	struct text text = fetched(HEAD);
	struct pm_sign_key *before = key;

	key = other_key;
	ck_refused(judge_since(text, fetched(HEAD), NOW), "signed by another key");
	key = before;
}
END_TEST

/* Entries of a are from five days before NOW on, one a day. */
START_TEST(since_some_may_be_forgotten)
{
	const int64_t first = NOW - 5 * DAY + 30 * DAY - SECRETS_LOG_SLACK;

	ck_accepted(judge_since(part(HEAD, 1, 5), part(HEAD, 0, 5), first));
	ck_refused(judge_since(part(HEAD, 1, 5), part(HEAD, 0, 5), first - 1), "begins at entry 2");
	ck_refused(judge_since(part(HEAD, 2, 5), part(HEAD, 0, 5), first), "begins at entry 3");
	ck_accepted(judge_since(fetched(HEAD), part(HEAD, 0, 5), first + 4 * DAY));
	ck_refused(judge_since(fetched(HEAD), part(HEAD, 0, 5), first + 4 * DAY - 1), "missing");
}
END_TEST

/* As the log itself says; else the earlier fetch; else this one; else for ever. */
START_TEST(since_how_long_lines_are_kept)
{
	const struct pm_audit_field days = {"days", "10"};
	const int64_t last = NOW - DAY - SECRETS_LOG_SLACK;

	ck_accepted(
		judge_since(fetched(HEAD_DAYS(90)), part(HEAD_DAYS(20), 0, 5), last + 20 * DAY));
	ck_refused(
		judge_since(fetched(HEAD_DAYS(10)), part(HEAD_DAYS(20), 0, 5), last + 20 * DAY - 1),
		"missing");
	ck_accepted(judge_since(fetched(HEAD_DAYS(20)), part(HEAD_OLD, 0, 5), last + 20 * DAY));
	ck_refused(judge_since(fetched(HEAD_DAYS(20)), part(HEAD_OLD, 0, 5), last + 20 * DAY - 1),
		"missing");
	ck_refused(judge_since(fetched(HEAD_OLD), part(HEAD_OLD, 0, 5), NOW + 36500LL * DAY),
		"missing");
	end(&a);
	begin(&a, "secrets.a.0", key);
	note(&a, NOW - DAY, "instance.began", &days, 1);
	ck_accepted(judge_since(fetched(HEAD), part(HEAD, 0, 1), last + 10 * DAY));
	ck_refused(judge_since(fetched(HEAD), part(HEAD, 0, 1), last + 10 * DAY - 1), "missing");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("secrets_log");
	TCase *tc = tcase_create("secrets_log");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, logs_are_read);
	tcase_add_test(tc, what_is_no_answer);
	tcase_add_test(tc, logs_are_verified);
	tcase_add_test(tc, long_logs_are_verified);
	tcase_add_test(tc, what_was_seen_is_there);
	tcase_add_test(tc, ends_that_are_lacking);
	tcase_add_test(tc, logs_that_are_lacking);
	tcase_add_test(tc, beginnings_that_are_lacking);
	tcase_add_test(tc, entries_that_are_others);
	tcase_add_test(tc, what_may_be_forgotten);
	tcase_add_test(tc, cuts_that_were_seen);
	tcase_add_test(tc, words_of_others);
	tcase_add_test(tc, words_without_sense);
	tcase_add_test(tc, since_all_is_there);
	tcase_add_test(tc, since_something_is_lacking);
	tcase_add_test(tc, since_it_is_another);
	tcase_add_test(tc, since_the_key_is_another);
	tcase_add_test(tc, since_some_may_be_forgotten);
	tcase_add_test(tc, since_how_long_lines_are_kept);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return test_main(make_suite());
}
