/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>

#include <pm/text.h>

#include "base/report.h"
#include "mesh/audit.h"
#include "testing.h"

/* 2026-03-01. */
#define NOW INT64_C(1772323200)

#define LOG "coordinator"

#define LINES 5

/* Two entries of the key of the seed 00 .. 1f, by Python's json, hashlib and cryptography. */
static const char vector[] =
	"{\"event\":\"log.started\",\"fields\":{},\"log\":\"coordinator\",\"previous"
	"\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"se"
	"quence\":1,\"signature\":\"U3shWlHvQ0pEtCT1aolA20XAD83JpejGjfOPpldlnXR+g5jqh"
	"pJu08GB4AIhiTh9OEWOslmybRClzr+eh0vwCw==\",\"time\":\"2026-03-01T00:00:00Z\","
	"\"version\":1}\n"
	"{\"event\":\"worker.joined\",\"fields\":{\"replica\":\"a1\",\"role\":\"worke"
	"r\"},\"log\":\"coordinator\",\"previous\":\"7ce9a5e909c14a5faea537af0a241f5f"
	"491091bd0b7d74ab6574ee79eaff109c\",\"sequence\":2,\"signature\":\"secymSr/TN"
	"KPzOtEucef77WxsvnsoV6YUpM54QpowLhrCPmNmWDLjd4WBE+hZHEiK/iwHMs3XRJ54l0NnBAuBg"
	"==\",\"time\":\"2026-03-01T00:00:01Z\",\"version\":1}\n";

static const char vector_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
	"-----END PRIVATE KEY-----\n";

static struct pm_sign_key *key, *other_key;
static struct pm_report *report;

/* A log of LINES entries, each a text of its own. */
static char *lines[LINES];
static struct pm_audit_head heads[LINES];

static void write_log(struct pm_audit *audit, size_t from, int64_t time)
{
	for (size_t i = from; i < LINES; i++) {
		const struct pm_audit_field field = {"role", "worker"};
		const char *line;
		size_t len;

		ck_pm(pm_audit_append(
			      audit, time + (int64_t)i, "worker.joined", &field, 1, &line, &len),
			PM_OK);
		ck_assert_uint_eq(len, strlen(line));
		free(lines[i]);
		lines[i] = strdup(line);
		pm_audit_head(audit, &heads[i]);
	}
}

static void make_log(void)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;

	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &key), PM_OK);
	ck_pm(pm_sign_key_new(PM_SIGN_ED25519, &other_key), PM_OK);
	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	write_log(audit, 0, NOW);
	report = pm_report_new();
}

static void free_log(void)
{
	for (size_t i = 0; i < LINES; i++)
		free(lines[i]);
	memset(lines, 0, sizeof(lines));
	pm_sign_key_free(key);
	pm_sign_key_free(other_key);
	pm_report_free(report);
}

/* Some lines as one text, freed by free(). */
static char *join(const size_t *which, size_t count)
{
	size_t len = 1;
	char *text;

	for (size_t i = 0; i < count; i++)
		len += strlen(lines[which[i]]);
	text = calloc(1, len);
	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < count; i++)
		strcat(text, lines[which[i]]);
	return text;
}

static char *join_from(size_t first, size_t end)
{
	size_t which[LINES], count = 0;

	for (size_t i = first; i < end; i++)
		which[count++] = i;
	return join(which, count);
}

/* From memory of its very size, so that a sanitizer sees a read beyond it. */
static int verify_as(const char *text, size_t len, const struct pm_sign_key *by, const char *name,
	const struct pm_audit_head *seen, struct pm_audit_head *ret)
{
	pm_cleanup(free) char *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	pm_report_reset(report);
	return pm_audit_verify(copy, len, pm_sign_key_public(by), name, seen, report, ret);
}

static void accepts(const char *text, const struct pm_audit_head *seen, size_t last)
{
	struct pm_audit_head head = {0};

	ck_pm(verify_as(text, strlen(text), key, LOG, seen, &head), PM_OK);
	ck_assert_uint_eq(head.entries, heads[last].entries);
	ck_assert(!memcmp(head.hash, heads[last].hash, sizeof(head.hash)));
	ck_assert_int_eq(head.time, heads[last].time);
	ck_assert_str_eq(pm_report_reason(report), "");
}

static void refuses(
	const char *text, const struct pm_audit_head *seen, int want, const char *reason)
{
	struct pm_audit_head head = {.entries = 77};

	ck_pm(verify_as(text, strlen(text), key, LOG, seen, &head), want);
	ck_assert_str_eq(pm_report_reason(report), reason);
	ck_assert_uint_eq(head.entries, 77);
}

static void refuses_lines(const size_t *which, size_t count, const struct pm_audit_head *seen,
	int want, const char *reason)
{
	pm_cleanup(free) char *text = join(which, count);

	refuses(text, seen, want, reason);
}

/* --- a log as it was written ----------------------------------------------------------------- */

START_TEST(accepts_what_was_written)
{
	pm_cleanup(free) char *all = join_from(0, LINES);

	accepts(all, NULL, LINES - 1);
	accepts(lines[0], NULL, 0);
	ck_assert_uint_eq(heads[LINES - 1].entries, LINES);
	ck_assert_int_eq(heads[LINES - 1].time, NOW + LINES - 1);
}
END_TEST

START_TEST(writes_as_others_do)
{
	const struct pm_audit_field fields[] = {{"role", "worker"}, {"replica", "a1"}};
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	pm_cleanup(pm_sign_key) struct pm_sign_key *seed = NULL;
	struct pm_audit_head head, verified;
	const char *line, *second = strchr(vector, '\n') + 1;
	size_t len;

	ck_pm(pm_sign_key_parse(vector_key, sizeof(vector_key) - 1, NULL, &seed), PM_OK);
	ck_pm(pm_audit_new(seed, LOG, &audit), PM_OK);
	ck_pm(pm_audit_append(audit, NOW, "log.started", NULL, 0, &line, &len), PM_OK);
	ck_assert_uint_eq(len, (size_t)(second - vector));
	ck_assert(!strncmp(line, vector, len));
	ck_pm(pm_audit_append(audit, NOW + 1, "worker.joined", fields, 2, &line, &len), PM_OK);
	ck_assert_str_eq(line, second);
	pm_audit_head(audit, &head);
	ck_pm(verify_as(vector, sizeof(vector) - 1, seed, LOG, &head, &verified), PM_OK);
	ck_assert(!memcmp(verified.hash, head.hash, sizeof(head.hash)));
}
END_TEST

START_TEST(p384_signs_too)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	pm_cleanup(pm_sign_key) struct pm_sign_key *p384 = NULL;
	struct pm_audit_head head;
	const char *line;
	size_t len;

	ck_pm(pm_sign_key_new(PM_SIGN_P384, &p384), PM_OK);
	ck_pm(pm_audit_new(p384, LOG, &audit), PM_OK);
	ck_pm(pm_audit_append(audit, NOW, "event", NULL, 0, &line, &len), PM_OK);
	ck_pm(verify_as(line, len, p384, LOG, NULL, &head), PM_OK);
	ck_pm(verify_as(line, len, key, LOG, NULL, &head), PM_E_REJECTED);
}
END_TEST

START_TEST(a_new_log_has_no_head)
{
	static const struct pm_audit_head none;
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	struct pm_audit_head head;

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	pm_audit_head(audit, &head);
	ck_assert_uint_eq(head.entries, 0);
	ck_assert(pm_is_zero(head.hash, sizeof(head.hash)));
	accepts(lines[0], &none, 0);
	refuses(lines[1], &none, PM_E_MISSING,
		"line 1: found entry 2, expected entry 1 or one before");
}
END_TEST

/* Clocks go back; what came after what is the chain's to say. */
START_TEST(times_are_said_not_proven)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	pm_cleanup(free) char *all = NULL;
	bool noted = false;

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	ck_pm(pm_audit_resume(audit, lines[1], strlen(lines[1]), NULL), PM_OK);
	write_log(audit, 2, NOW - 10);
	all = join_from(0, LINES);
	accepts(all, NULL, LINES - 1);
	for (size_t i = 0; i < pm_report_count(report); i++)
		noted |= !strcmp(pm_report_at(report, i)->found,
			"1 entries are earlier than the one before");
	ck_assert(noted);
}
END_TEST

/* --- a log that was changed ------------------------------------------------------------------ */

START_TEST(each_byte_counts)
{
	pm_cleanup(free) char *text = join_from(0, 2);
	struct pm_audit_head head = {.entries = 77};
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		text[i] ^= 1;
		ck_assert_int_lt(verify_as(text, len, key, LOG, NULL, &head), 0);
		ck_assert_ptr_nonnull(pm_report_failure(report));
		text[i] ^= 1;
	}
	ck_assert_uint_eq(head.entries, 77);
	ck_pm(verify_as(text, len, key, LOG, NULL, &head), PM_OK);
}
END_TEST

START_TEST(refuses_text_that_was_cut)
{
	pm_cleanup(free) char *text = join_from(0, 2);
	size_t first = strlen(lines[0]), len = strlen(text);
	struct pm_audit_head head;

	for (size_t i = 0; i < len; i++)
		ck_pm(verify_as(text, i, key, LOG, NULL, &head), i == first ? PM_OK : PM_E_FORMAT);
	text[len - 1] = 0;
	refuses(text, NULL, PM_E_FORMAT, "line 2: found none, expected a newline at its end");
	refuses("", NULL, PM_E_FORMAT, "audit: found none, expected a line at least");
	refuses("\n", NULL, PM_E_FORMAT,
		"line 1: found '[' or '{' expected near end of file at line 1, column 0, "
		"expected JSON without doubled keys");
}
END_TEST

START_TEST(refuses_an_entry_that_was_changed)
{
	pm_cleanup(free) char *text = join_from(0, LINES);

	memcpy(strstr(text + strlen(lines[0]), "worker\""), "walker", 6);
	refuses(text, NULL, PM_E_REJECTED,
		"line 2: found another, expected a signature of the log's key");
}
END_TEST

START_TEST(refuses_lines_dropped_moved_and_doubled)
{
	refuses_lines((const size_t[]){0, 1, 3, 4}, 4, NULL, PM_E_REJECTED,
		"line 3: found entry 4, expected entry 3");
	refuses_lines((const size_t[]){0, 2, 1, 3}, 4, NULL, PM_E_REJECTED,
		"line 2: found entry 3, expected entry 2");
	refuses_lines((const size_t[]){0, 1, 1, 2}, 4, NULL, PM_E_REJECTED,
		"line 3: found entry 2, expected entry 3");
	refuses_lines((const size_t[]){1, 2, 3}, 3, NULL, PM_E_MISSING,
		"line 1: found entry 2, expected entry 1 or one before");
}
END_TEST

/* Entries of another log of the same name and key, in places that are theirs by number. */
START_TEST(refuses_entries_of_another_history)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	pm_cleanup(free) char *first = strdup(lines[0]), *second = strdup(lines[1]), *text = NULL;

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	write_log(audit, 0, NOW + 100);
	free(lines[0]);
	lines[0] = pm_steal(first);
	text = join_from(0, LINES);
	refuses(text, NULL, PM_E_REJECTED,
		"line 2: found another, expected the hash of the entry before");
	free(lines[2]);
	lines[2] = lines[1];
	lines[1] = pm_steal(second);
	refuses_lines((const size_t[]){0, 1, 2}, 3, NULL, PM_E_REJECTED,
		"line 3: found entry 2, expected entry 3");
}
END_TEST

START_TEST(refuses_another_name_and_key)
{
	struct pm_audit_head head;

	ck_pm(verify_as(lines[0], strlen(lines[0]), key, "secrets", NULL, &head), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_reason(report),
		"line 1: found log coordinator, expected an entry of this log");
	ck_pm(verify_as(lines[0], strlen(lines[0]), other_key, LOG, NULL, &head), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_reason(report),
		"line 1: found another, expected a signature of the log's key");
}
END_TEST

/* --- what the reader knows ------------------------------------------------------------------- */

START_TEST(passes_through_what_was_seen)
{
	pm_cleanup(free) char *all = join_from(0, LINES), *middle = join_from(2, LINES),
			      *after = join_from(3, LINES);

	for (size_t i = 0; i < LINES; i++)
		accepts(all, &heads[i], LINES - 1);
	accepts(middle, &heads[2], LINES - 1);
	accepts(middle, &heads[1], LINES - 1);
	accepts(middle, &heads[LINES - 1], LINES - 1);
	accepts(after, &heads[2], LINES - 1);
	refuses(after, &heads[1], PM_E_MISSING,
		"line 1: found entry 4, expected entry 3 or one before");
}
END_TEST

START_TEST(refuses_a_rollback)
{
	pm_cleanup(free) char *text = join_from(0, LINES - 1);

	refuses(text, &heads[LINES - 1], PM_E_REJECTED,
		"audit.rollback: found 4, expected 5 entries or more");
}
END_TEST

static void refuses_fork(const char *text, const struct pm_audit_head *seen)
{
	struct pm_audit_head head;

	ck_pm(verify_as(text, strlen(text), key, LOG, seen, &head), PM_E_REJECTED);
	ck_assert_str_eq(pm_report_failure(report)->name, "audit.fork");
}

/* Both branches are signed and whole: only what was seen tells them apart. */
START_TEST(refuses_a_fork)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	pm_cleanup(free) char *all = NULL, *after = NULL;
	struct pm_audit_head seen = heads[2];

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	ck_pm(pm_audit_resume(audit, lines[1], strlen(lines[1]), NULL), PM_OK);
	write_log(audit, 2, NOW + 100);
	all = join_from(0, LINES);
	after = join_from(3, LINES);
	accepts(all, NULL, LINES - 1);
	accepts(all, &heads[1], LINES - 1);
	refuses_fork(all, &seen);
	refuses_fork(after, &seen);
	refuses_fork(lines[2], &seen);
}
END_TEST

/* The first entry has nothing before it, whatever its writer signed. */
START_TEST(the_first_has_nothing_before_it)
{
	pm_cleanup(json) json_t *json = json_loads(lines[0], 0, NULL);
	uint8_t hash[PM_AUDIT_HASH_SIZE], message[PM_AUDIT_MESSAGE_SIZE];
	uint8_t signature[PM_SIGN_SIGNATURE_MAX];
	pm_cleanup(free) char *text = NULL;
	char base64[256], previous[65], line[1024];
	size_t len = 0;

	memset(previous, 'a', 64);
	previous[64] = 0;
	json_object_del(json, "signature");
	json_object_set_new(json, "previous", json_string(previous));
	ck_pm(pm_audit_hash(json, hash), PM_OK);
	pm_audit_message(hash, message);
	ck_pm(pm_sign(key, pm_view(message, sizeof(message)), signature, &len), PM_OK);
	ck_pm(pm_text_base64_encode(signature, len, base64, sizeof(base64)), PM_OK);
	json_object_set_new(json, "signature", json_string(base64));
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	snprintf(line, sizeof(line), "%s\n", text);
	refuses(line, NULL, PM_E_REJECTED,
		"line 1: found a hash, expected zeros before the first entry");
}
END_TEST

/* --- entries that are none ------------------------------------------------------------------- */

/* The first line with one piece of it replaced; without a reason, any. */
static void refuses_entry(const char *from, const char *to, int want, const char *reason)
{
	pm_cleanup(free) char *text = calloc(1, strlen(lines[0]) + strlen(to) + 1);
	const char *at = strstr(lines[0], from);
	struct pm_audit_entry entry;

	ck_assert(text && at);
	memcpy(text, lines[0], (size_t)(at - lines[0]));
	strcat(text, to);
	strcat(text, at + strlen(from));
	pm_report_reset(report);
	ck_pm(pm_audit_entry_read("x", pm_view(text, strlen(text)), report, &entry), want);
	ck_assert_ptr_nonnull(pm_report_failure(report));
	if (reason)
		ck_assert_str_eq(pm_report_reason(report), reason);
}

#define NAMES "a name of at most 64 characters a-z 0-9 . _ - that begins with one of the first"

START_TEST(refuses_members_that_are_not_so)
{
	refuses_entry("\"version\":1", "\"version\":2", PM_E_UNSUPPORTED,
		"x: found 2 at $.version, expected 1");
	refuses_entry("\"version\":1", "\"version\":\"1\"", PM_E_FORMAT,
		"x: found \"1\" at $.version, expected 1");
	refuses_entry("\"worker.joined\"", "\"Worker\"", PM_E_FORMAT,
		"x: found \"Worker\" at $.event, expected " NAMES);
	refuses_entry(
		"\"worker.joined\"", "1", PM_E_FORMAT, "x: found 1 at $.event, expected a name");
	refuses_entry("\"" LOG "\"", "\"a/b\"", PM_E_FORMAT,
		"x: found \"a/b\" at $.log, expected " NAMES);
	refuses_entry("\"sequence\":1", "\"sequence\":0", PM_E_FORMAT,
		"x: found 0 at $.sequence, expected an integer from 1 to 9007199254740991");
	refuses_entry("\"sequence\":1", "\"sequence\":9007199254740992", PM_E_FORMAT,
		"x: found 9007199254740992 at $.sequence, expected an integer from 1 to "
		"9007199254740991");
	refuses_entry("\"previous\":\"0", "\"previous\":\"A", PM_E_FORMAT,
		"x: found \"A000000000000000000000000000000000000000000000000000000000000000\" at "
		"$.previous, expected 64 lower-case hexadecimal digits");
	refuses_entry("\"signature\":\"", "\"signature\":\"?", PM_E_FORMAT, NULL);
	refuses_entry("00Z\"", "00+00:00\"", PM_E_FORMAT,
		"x: found \"2026-03-01T00:00:00+00:00\" at $.time, expected a time as "
		"2026-03-01T00:00:00Z");
}
END_TEST

START_TEST(refuses_fields_that_are_none)
{
	char many[2048] = "\"fields\":{\"role\":\"worker\"", value[2048];

	for (int i = 0; i < PM_AUDIT_FIELDS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ",\"z%02d\":\"\"", i);
	refuses_entry("\"fields\":{\"role\":\"worker\"", many, PM_E_FORMAT,
		"x: found an object at $.fields, expected an object of at most 32 members");
	refuses_entry("{\"role\":\"worker\"}", "[]", PM_E_FORMAT,
		"x: found an empty array at $.fields, expected an object of at most 32 members");
	refuses_entry("\"role\"", "\"Role\"", PM_E_FORMAT,
		"x: found \"worker\" at $.fields.Role, expected " NAMES);
	refuses_entry("\"worker\"", "7", PM_E_FORMAT,
		"x: found 7 at $.fields.role, expected a text of at most 1024 characters");
	snprintf(value, sizeof(value), "\"%01025d\"", 0);
	refuses_entry("\"worker\"", value, PM_E_FORMAT,
		"x: found \"0000000000000000000000000000000000000000000000000000000000000000000000"
		"\" at $.fields.role, expected a text of at most 1024 characters");
}
END_TEST

START_TEST(refuses_other_shapes)
{
	refuses_entry(",\"version\":1", "", PM_E_FORMAT,
		"x: found nothing at $.version, expected this key, which must be there");
	refuses_entry("\"version\":1", "\"version\":1,\"w\":1", PM_E_FORMAT,
		"x: found 1 at $.w, expected no such key");
	refuses_entry("\"version\":1", "\"version\":1,\"version\":1", PM_E_FORMAT,
		"x: found duplicate object key near '\"version\"' at line 1, column 317, expected "
		"JSON without doubled keys");
	refuses_entry("\"version\":1", "\"version\": 1", PM_E_FORMAT,
		"x: found another spelling, expected sorted keys and no white space");
	refuses_entry("worker\"", "w\\u006frker\"", PM_E_FORMAT,
		"x: found another spelling, expected sorted keys and no white space");
	refuses_entry("worker\"", "wo\\\\rker\"", PM_E_FORMAT,
		"x: found \"wo\\rker\" at $.fields.role, expected a string of printable ASCII "
		"without quote or backslash");
	refuses_entry("{\"event\":\"worker.joined\",", "{", PM_E_FORMAT,
		"x: found nothing at $.event, expected this key, which must be there");
}
END_TEST

START_TEST(lengths_have_a_limit)
{
	pm_cleanup(free) char *line = malloc(PM_AUDIT_LINE_MAX + 2);
	struct pm_audit_head head;

	ck_assert_ptr_nonnull(line);
	memset(line, ' ', PM_AUDIT_LINE_MAX + 1);
	line[PM_AUDIT_LINE_MAX] = '\n';
	line[PM_AUDIT_LINE_MAX + 1] = 0;
	refuses(line, NULL, PM_E_LIMIT, "line 1: found 65537, expected at most 65536 bytes");
	pm_report_reset(report);
	ck_pm(pm_audit_verify(line, (size_t)PM_AUDIT_SIZE_MAX + 1, pm_sign_key_public(key), LOG,
		      NULL, report, &head),
		PM_E_LIMIT);
	ck_assert_str_eq(
		pm_report_reason(report), "audit: found 67108865 bytes, expected at most 64 MiB");
}
END_TEST

/* --- writing --------------------------------------------------------------------------------- */

static void refuses_to_append(
	int64_t now, const char *event, const struct pm_audit_field *fields, size_t count, int want)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	struct pm_audit_head head;
	const char *line = "untouched";
	size_t len = 77;

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	ck_pm(pm_audit_resume(audit, lines[1], strlen(lines[1]), NULL), PM_OK);
	ck_pm(pm_audit_append(audit, now, event, fields, count, &line, &len), want);
	pm_audit_head(audit, &head);
	ck_assert_uint_eq(head.entries, 2);
	ck_assert(!memcmp(head.hash, heads[1].hash, sizeof(head.hash)));
	ck_assert_str_eq(line, "untouched");
	ck_assert_uint_eq(len, 77);
}

START_TEST(refuses_to_write_what_is_no_entry)
{
	struct pm_audit_field twice[] = {{"a", "1"}, {"a", "2"}}, none = {"a", NULL},
			      name = {"A", "1"}, no_name = {NULL, "1"}, big = {"a", NULL};
	struct pm_audit_field many[PM_AUDIT_FIELDS_MAX + 1];
	char value[PM_AUDIT_VALUE_MAX + 2];

	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = 0;
	big.value = value;
	refuses_to_append(NOW, "", NULL, 0, PM_E_ARG);
	refuses_to_append(NOW, NULL, NULL, 0, PM_E_ARG);
	refuses_to_append(NOW, "Event", NULL, 0, PM_E_ARG);
	refuses_to_append(NOW, "event", twice, 2, PM_E_ARG);
	refuses_to_append(NOW, "event", &none, 1, PM_E_ARG);
	refuses_to_append(NOW, "event", &name, 1, PM_E_ARG);
	refuses_to_append(NOW, "event", &no_name, 1, PM_E_ARG);
	refuses_to_append(NOW, "event", &big, 1, PM_E_LIMIT);
	refuses_to_append(NOW, "event", many, PM_AUDIT_FIELDS_MAX + 1, PM_E_LIMIT);
	refuses_to_append(INT64_MAX, "event", NULL, 0, PM_E_ARG);
	refuses_to_append(INT64_MIN, "event", NULL, 0, PM_E_ARG);
}
END_TEST

START_TEST(a_log_has_a_name)
{
	struct pm_audit *audit = NULL;

	ck_pm(pm_audit_new(key, "", &audit), PM_E_ARG);
	ck_pm(pm_audit_new(key, NULL, &audit), PM_E_ARG);
	ck_pm(pm_audit_new(key, "a b", &audit), PM_E_ARG);
	ck_assert_ptr_null(audit);
}
END_TEST

START_TEST(writes_the_largest_entry)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	struct pm_audit_field fields[PM_AUDIT_FIELDS_MAX];
	static char names[PM_AUDIT_FIELDS_MAX][PM_AUDIT_NAME_MAX + 1];
	static char value[PM_AUDIT_VALUE_MAX + 1];
	struct pm_audit_head head;
	const char *line;
	size_t len;

	memset(value, 'v', sizeof(value) - 1);
	for (size_t i = 0; i < PM_AUDIT_FIELDS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%064zu", i);
		fields[i] = (struct pm_audit_field){names[i], value};
	}
	ck_pm(pm_audit_new(key, names[0], &audit), PM_OK);
	ck_pm(pm_audit_append(audit, NOW, names[0], fields, PM_AUDIT_FIELDS_MAX, &line, &len),
		PM_OK);
	ck_assert_uint_gt(len, PM_AUDIT_FIELDS_MAX * (PM_AUDIT_NAME_MAX + PM_AUDIT_VALUE_MAX));
	ck_pm(verify_as(line, len, key, names[0], NULL, &head), PM_OK);
}
END_TEST

/* Whoever asks to join chooses what stands there; no newline or quote of his makes an entry. */
START_TEST(makes_values_plain)
{
	const struct pm_audit_field field = {"reason", "a\"b\\c\nd\x7f\xc3\xa4 ~"};
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	struct pm_audit_head head;
	const char *line;
	size_t len;

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	ck_pm(pm_audit_append(audit, NOW, "worker.refused", &field, 1, &line, &len), PM_OK);
	ck_assert_ptr_nonnull(strstr(line, "\"reason\":\"a?b?c?d??? ~\""));
	ck_pm(verify_as(line, len, key, LOG, NULL, &head), PM_OK);
}
END_TEST

START_TEST(goes_on_behind_a_line)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	pm_cleanup(free) char *all = NULL;
	struct pm_audit_head head;

	ck_pm(pm_audit_new(key, LOG, &audit), PM_OK);
	ck_pm(pm_audit_resume(audit, lines[2], strlen(lines[2]), report), PM_OK);
	pm_audit_head(audit, &head);
	ck_assert_uint_eq(head.entries, 3);
	ck_assert_int_eq(head.time, NOW + 2);
	write_log(audit, 3, NOW + 50);
	all = join_from(0, LINES);
	accepts(all, NULL, LINES - 1);
}
END_TEST

static void refuses_to_resume(
	const struct pm_sign_key *by, const char *name, const char *line, size_t len, int want)
{
	pm_cleanup(pm_audit) struct pm_audit *audit = NULL;
	struct pm_audit_head head;

	ck_pm(pm_audit_new(by, name, &audit), PM_OK);
	ck_pm(pm_audit_resume(audit, line, len, report), want);
	pm_audit_head(audit, &head);
	ck_assert_uint_eq(head.entries, 0);
}

START_TEST(refuses_to_go_on_behind_others)
{
	pm_cleanup(free) char *two = join_from(0, 2);
	size_t len = strlen(lines[2]);

	refuses_to_resume(other_key, LOG, lines[2], len, PM_E_REJECTED);
	refuses_to_resume(key, "secrets", lines[2], len, PM_E_REJECTED);
	refuses_to_resume(key, LOG, lines[2], len - 1, PM_E_FORMAT);
	refuses_to_resume(key, LOG, two, strlen(two), PM_E_FORMAT);
	refuses_to_resume(key, LOG, "", 0, PM_E_FORMAT);
}
END_TEST

static void add_reading(Suite *s)
{
	TCase *t = tcase_create("reading");

	tcase_add_checked_fixture(t, make_log, free_log);
	tcase_add_test(t, accepts_what_was_written);
	tcase_add_test(t, writes_as_others_do);
	tcase_add_test(t, p384_signs_too);
	tcase_add_test(t, a_new_log_has_no_head);
	tcase_add_test(t, times_are_said_not_proven);
	tcase_add_test(t, each_byte_counts);
	tcase_add_test(t, refuses_text_that_was_cut);
	tcase_add_test(t, refuses_an_entry_that_was_changed);
	tcase_add_test(t, refuses_lines_dropped_moved_and_doubled);
	tcase_add_test(t, refuses_entries_of_another_history);
	tcase_add_test(t, refuses_another_name_and_key);
	tcase_add_test(t, passes_through_what_was_seen);
	tcase_add_test(t, refuses_a_rollback);
	tcase_add_test(t, refuses_a_fork);
	tcase_add_test(t, the_first_has_nothing_before_it);
	tcase_add_test(t, refuses_members_that_are_not_so);
	tcase_add_test(t, refuses_fields_that_are_none);
	tcase_add_test(t, refuses_other_shapes);
	tcase_add_test(t, lengths_have_a_limit);
	suite_add_tcase(s, t);
}

static void add_writing(Suite *s)
{
	TCase *t = tcase_create("writing");

	tcase_add_checked_fixture(t, make_log, free_log);
	tcase_add_test(t, refuses_to_write_what_is_no_entry);
	tcase_add_test(t, a_log_has_a_name);
	tcase_add_test(t, writes_the_largest_entry);
	tcase_add_test(t, makes_values_plain);
	tcase_add_test(t, goes_on_behind_a_line);
	tcase_add_test(t, refuses_to_go_on_behind_others);
	suite_add_tcase(s, t);
}

int main(void)
{
	Suite *s = suite_create("audit");

	add_reading(s);
	add_writing(s);
	return test_main(s);
}
