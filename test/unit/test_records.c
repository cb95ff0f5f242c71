/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-secrets keeps in its store and in backups. */
#include <stdlib.h>
#include <string.h>

#include "pm-secrets/backup.h"
#include "pm-secrets/record.h"
#include "pm-secrets/state_note.h"
#include "testing.h"

static const uint8_t secret[RING_SECRET_SIZE] = {7};

/* --- records --------------------------------------------------------------------------------- */

static struct ring *new_ring(uint8_t first)
{
	uint8_t bytes[RING_SECRET_SIZE] = {first};
	struct ring *ring;

	ck_pm(ring_new(bytes, &ring), PM_OK);
	return ring;
}

static struct record new_record(void)
{
	return (struct record){.kind = RECORD_OWNERS,
		.rule_len = RECORD_NO_RULE,
		.created = 50,
		.expires = 100,
		.owner = {9}};
}

struct sealed {
	uint8_t *bytes;
	size_t len;
};

static struct sealed seal(struct ring *ring, const char *id, const struct record *record)
{
	uint8_t canary[] = "CANARY-of-a-secret";
	struct record_value value = {canary, sizeof(canary)};
	struct sealed s;

	ck_pm(record_seal(ring, id, record, &value, &s.bytes, &s.len), PM_OK);
	return s;
}

static int open_it(struct ring *ring, const char *id, struct sealed s)
{
	struct record_value value = {0};
	struct record record;
	int r = record_open(ring, id, s.bytes, s.len, &record, &value);

	if (r == PM_OK)
		ck_assert_str_eq((const char *)value.bytes, "CANARY-of-a-secret");
	else
		ck_assert_ptr_null(value.bytes);
	record_value_free(&value);
	return r;
}

START_TEST(records_are_sealed)
{
	struct ring *ring = new_ring(7), *again = new_ring(7), *other = new_ring(8);
	struct record record = new_record(), found;
	struct sealed s = seal(ring, "a", &record);
	struct record_value value = {0};

	ck_assert_ptr_null(memmem(s.bytes, s.len, "CANARY", 6));
	ck_pm(open_it(ring, "a", s), PM_OK);
	ck_pm(open_it(again, "a", s), PM_OK); /* of an instance that comes later */
	ck_pm(open_it(other, "a", s), PM_E_REJECTED);
	ck_pm(open_it(ring, "b", s), PM_E_REJECTED);
	ck_pm(open_it(ring, "", s), PM_E_FORMAT);
	ck_pm(record_open(ring, "a", s.bytes, s.len, &found, &value), PM_OK);
	ck_assert_int_eq(found.kind, RECORD_OWNERS);
	ck_assert_int_eq(found.created, 50);
	ck_assert_int_eq(found.expires, 100);
	ck_assert_mem_eq(found.owner, record.owner, sizeof(found.owner));
	record_value_free(&value);
	free(s.bytes);
	ring_free(ring);
	ring_free(again);
	ring_free(other);
}
END_TEST

/* Each byte counts: times, owner and rule as much as the value; and each length. */
START_TEST(records_are_whole)
{
	static const char *const names[] = {"worker"};
	const struct pm_command_statement statement = {.roles = names, .role_count = 1};
	struct ring *ring = new_ring(7);
	struct record record = new_record();
	struct sealed s;

	ck_pm(record_set_rule(&record, &statement), PM_OK);
	s = seal(ring, "a", &record);
	for (size_t i = 0; i < s.len; i++) {
		s.bytes[i] ^= 1;
		ck_assert_int_ne(open_it(ring, "a", s), PM_OK);
		s.bytes[i] ^= 1;
	}
	for (size_t len = 0; len < s.len; len++)
		ck_assert_int_ne(open_it(ring, "a", (struct sealed){s.bytes, len}), PM_OK);
	ck_pm(open_it(ring, "a", s), PM_OK);
	free(s.bytes);
	ring_free(ring);
}
END_TEST

START_TEST(records_have_limits)
{
	struct ring *ring = new_ring(7);
	struct record record = new_record();
	struct record_value value = {calloc(1, RECORD_VALUE_MAX + 1), RECORD_VALUE_MAX};
	uint8_t *bytes;
	size_t len;

	ck_assert_ptr_nonnull(value.bytes);
	ck_pm(record_seal(ring, "a", &record, &value, &bytes, &len), PM_OK);
	free(bytes);
	value.len++;
	ck_pm(record_seal(ring, "a", &record, &value, &bytes, &len), PM_E_LIMIT);
	value.len = 1;
	ck_pm(record_seal(ring, "a b", &record, &value, &bytes, &len), PM_E_LIMIT);
	record_value_free(&value);
	ring_free(ring);
}
END_TEST

static int set_rule(struct record *record, size_t roles, size_t models)
{
	static const char *names[64];
	struct pm_command_statement s = {.roles = names, .role_count = roles, .models = names};

	for (size_t i = 0; i < 64; i++)
		names[i] = i % 2 ? "one" : "another-role-with-a-name-of-some-length-that-fills";
	s.model_count = models;
	return record_set_rule(record, &s);
}

START_TEST(rules_narrow)
{
	static const char *const roles[] = {"worker", "other"}, *const models[] = {"tiny"};
	struct pm_command_statement s = {.roles = roles, .role_count = 2};
	struct record record = new_record();

	ck_pm(record_set_rule(&record, &s), PM_OK);
	ck_assert(record_allows(&record, "worker", NULL));
	ck_assert(record_allows(&record, "other", "large"));
	ck_assert(!record_allows(&record, "work", NULL));
	ck_assert(!record_allows(&record, "workers", NULL));
	s.models = models;
	s.model_count = 1;
	ck_pm(record_set_rule(&record, &s), PM_OK);
	ck_assert(record_allows(&record, "worker", "tiny"));
	ck_assert(!record_allows(&record, "worker", NULL));
	ck_assert(!record_allows(&record, "worker", "large"));
	ck_assert(!record_allows(&record, "third", "tiny"));
	record.rule_len--; /* what can't be read lets nobody in */
	ck_assert(!record_allows(&record, "worker", "tiny"));
	record.rule_len = 0;
	ck_assert(!record_allows(&record, "worker", "tiny"));
	ck_pm(set_rule(&record, 40, 30), PM_OK);
	ck_pm(set_rule(&record, 64, 64), PM_E_LIMIT);
}
END_TEST

/* --- epochs ---------------------------------------------------------------------------------- */

START_TEST(epochs_go_on)
{
	struct ring *ring = new_ring(7);
	struct record record = new_record();
	struct sealed first = seal(ring, "a", &record), second;
	uint32_t epoch;

	ring_set_epoch(ring, 2, true);
	second = seal(ring, "a", &record);
	ck_pm(record_epoch(first.bytes, first.len, &epoch), PM_OK);
	ck_assert_uint_eq(epoch, 1);
	ck_pm(record_epoch(second.bytes, second.len, &epoch), PM_OK);
	ck_assert_uint_eq(epoch, 2);
	ck_pm(open_it(ring, "a", first), PM_OK);
	ring_set_epoch(ring, 2, false);
	ck_pm(open_it(ring, "a", first), PM_OK); /* it may have come late */
	ring_set_epoch(ring, 3, true);
	ck_pm(open_it(ring, "a", first), PM_OK); /* and is sealed anew now */
	ring_set_epoch(ring, 3, false);
	ck_pm(open_it(ring, "a", first), PM_E_REJECTED);
	ck_pm(open_it(ring, "a", second), PM_OK);
	ring_set_epoch(ring, 2, false); /* an earlier one is passed over */
	ck_assert_uint_eq(ring_epoch(ring), 3);
	ck_assert(ring_accepts(ring, 4)); /* of another, who heard first */
	ck_assert(!ring_accepts(ring, 5));
	ck_assert(!ring_accepts(ring, 0));
	free(first.bytes);
	free(second.bytes);
	ring_free(ring);
}
END_TEST

START_TEST(notes_of_epochs)
{
	struct ring *ring = new_ring(7), *other = new_ring(8);
	struct state_note note = {5, false}, next, found;
	uint8_t bytes[STATE_NOTE_SIZE];

	ck_pm(state_note_rotate(&note, &next), PM_OK);
	ck_assert_uint_eq(next.epoch, 6);
	ck_assert(next.is_rotating);
	ck_pm(state_note_rotate(&next, &found), PM_E_STATE);
	ck_pm(state_note_seal(ring, &next, bytes), PM_OK);
	ck_pm(state_note_open(ring, bytes, sizeof(bytes), &found), PM_OK);
	ck_assert_uint_eq(found.epoch, 6);
	ck_assert(found.is_rotating);
	ck_pm(state_note_open(other, bytes, sizeof(bytes), &found), PM_E_REJECTED);
	ck_pm(state_note_open(ring, bytes, sizeof(bytes) - 1, &found), PM_E_FORMAT);
	bytes[sizeof(bytes) - 1] ^= 1;
	ck_pm(state_note_open(ring, bytes, sizeof(bytes), &found), PM_E_REJECTED);
	ring_free(ring);
	ring_free(other);
}
END_TEST

START_TEST(rings_know_their_secret)
{
	struct ring *ring = new_ring(7), *again = new_ring(7), *other = new_ring(8);
	uint8_t wrong[RING_SECRET_SIZE] = {7, 1};
	const struct pm_sign_public *a = pm_sign_key_public(ring_audit_key(ring));

	ck_assert(ring_is_of(ring, secret));
	ck_assert(!ring_is_of(ring, wrong));
	ck_assert_mem_eq(a->id, pm_sign_key_public(ring_audit_key(again))->id, sizeof(a->id));
	ck_assert_mem_ne(a->id, pm_sign_key_public(ring_audit_key(other))->id, sizeof(a->id));
	ring_free(ring);
	ring_free(again);
	ring_free(other);
}
END_TEST

/* --- backups --------------------------------------------------------------------------------- */

struct tape {
	struct backup backup;
	struct buffer text;
	uint8_t key[BACKUP_KEY_SIZE];
	char *lines[8];
	size_t count;
};

static void split(struct tape *t)
{
	char *at = t->text.bytes, *end;

	t->count = 0;
	while ((end = memchr(at, '\n', t->text.len - (size_t)(at - t->text.bytes)))) {
		*end = '\0';
		t->lines[t->count++] = at;
		at = end + 1;
	}
}

/* The first line is for the holders of shares; the key is as if one of them had opened his box. */
static void record_tape(struct tape *t)
{
	uint8_t canary[] = "CANARY-of-a-secret";
	struct record_value value = {canary, sizeof(canary)};
	struct record record = new_record();

	*t = (struct tape){.key = {3}};
	ck_pm(backup_open(&t->backup, t->key), PM_OK);
	ck_assert(buffer_add(&t->text, "{}\n", 3, SIZE_MAX));
	ck_pm(backup_add(&t->backup, "a", &record, &value, &t->text), PM_OK);
	ck_pm(backup_add(&t->backup, "b", &record, &value, &t->text), PM_OK);
	ck_pm(backup_end(&t->backup, &t->text), PM_OK);
	backup_free(&t->backup);
	ck_assert_ptr_null(memmem(t->text.bytes, t->text.len, "CANARY", 6));
	split(t);
	ck_assert_uint_eq(t->count, 4);
}

static int play(struct tape *t, size_t line, char ret_id[PM_COMMAND_ID_MAX + 1])
{
	struct record_value value = {0};
	struct record record;
	int r = backup_read(
		&t->backup, t->lines[line], strlen(t->lines[line]), ret_id, &record, &value);

	if (r == PM_OK && !t->backup.is_whole) {
		ck_assert_str_eq((const char *)value.bytes, "CANARY-of-a-secret");
		ck_assert_int_eq(record.expires, 100);
	}
	record_value_free(&value);
	return r;
}

START_TEST(backups_come_back)
{
	char id[PM_COMMAND_ID_MAX + 1];
	struct tape t;

	record_tape(&t);
	ck_pm(backup_open(&t.backup, t.key), PM_OK);
	ck_pm(play(&t, 2, id), PM_E_REJECTED); /* moved */
	ck_pm(play(&t, 1, id), PM_OK);
	ck_assert_str_eq(id, "a");
	ck_pm(play(&t, 1, id), PM_E_REJECTED); /* twice */
	ck_pm(play(&t, 3, id), PM_E_REJECTED); /* one is missing */
	ck_pm(play(&t, 2, id), PM_OK);
	ck_assert_str_eq(id, "b");
	ck_assert(!t.backup.is_whole);
	ck_pm(play(&t, 3, id), PM_OK);
	ck_assert(t.backup.is_whole);
	ck_pm(play(&t, 3, id), PM_E_REJECTED);
	backup_free(&t.backup);
	t.key[0] ^= 1;
	ck_pm(backup_open(&t.backup, t.key), PM_OK);
	ck_pm(play(&t, 1, id), PM_E_REJECTED);
	backup_free(&t.backup);
	buffer_free(&t.text);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("records");
	TCase *tc = tcase_create("records");

	tcase_add_test(tc, records_are_sealed);
	tcase_add_test(tc, records_are_whole);
	tcase_add_test(tc, records_have_limits);
	tcase_add_test(tc, rules_narrow);
	tcase_add_test(tc, epochs_go_on);
	tcase_add_test(tc, notes_of_epochs);
	tcase_add_test(tc, rings_know_their_secret);
	tcase_add_test(tc, backups_come_back);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	return test_main(make_suite());
}
