/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-secrets keeps in its store and in backups, without memory: see alloc.h. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "alloc.h"
#include "base/mem.h"
#include "manifest_doc.h"
#include "pm-secrets/backup.h"
#include "pm-secrets/record.h"
#include "testing.h"

#define CANARY "CANARY-of-a-secret"

static const uint8_t secret[RING_SECRET_SIZE] = {7}, key[BACKUP_KEY_SIZE] = {3};
static struct record record;
static struct record_value value;
static uint8_t *sealed;
static size_t sealed_len;
static struct buffer lines; /* of a backup, without the first */
static size_t first_len;    /* of the first of them, without its newline */
static struct pm_manifest *manifest;

/* --- records --------------------------------------------------------------------------------- */

static int make_ring(void)
{
	struct ring *ring = NULL;
	int r = ring_new(secret, &ring);

	if (r == PM_OK && !ring_is_of(ring, secret))
		r = ALLOC_WRONG;
	ring_free(ring);
	return r;
}

static int seal_record(void)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	struct ring *ring;
	int r = ring_new(secret, &ring);

	if (r < 0)
		return r;
	r = record_seal(ring, "a", &record, &value, &bytes, &len);
	if (r == PM_OK && len != sealed_len)
		r = ALLOC_WRONG;
	free(bytes);
	ring_free(ring);
	return r;
}

static bool is_value(const struct record_value *found)
{
	return found->len == sizeof(CANARY) && !strcmp((const char *)found->bytes, CANARY);
}

static int open_record(void)
{
	struct record_value found = {0};
	struct record head;
	struct ring *ring;
	int r = ring_new(secret, &ring);

	if (r < 0)
		return r;
	r = record_open(ring, "a", sealed, sealed_len, &head, &found);
	if ((r == PM_OK) != is_value(&found))
		r = ALLOC_WRONG;
	record_value_free(&found);
	ring_free(ring);
	return r;
}

/* A rule of which a part is missing would be a wider one. */
static int show_rule(void)
{
	json_t *rule = record_rule_json(&record);
	int r = rule ? PM_OK : PM_E_NOMEM;

	if (rule && (json_array_size(json_object_get(rule, "roles")) != 2 ||
			    json_array_size(json_object_get(rule, "models")) != 1))
		r = ALLOC_WRONG;
	json_decref(rule);
	return r;
}

/* --- backups --------------------------------------------------------------------------------- */

static int write_lines(struct buffer *out)
{
	struct backup backup;
	int r = backup_open(&backup, key);

	if (r == PM_OK)
		r = backup_add(&backup, "a", &record, &value, out);
	if (r == PM_OK)
		r = backup_end(&backup, out);
	backup_free(&backup);
	return r;
}

static int write_backup(void)
{
	struct buffer out = {0};
	int r = write_lines(&out);

	if (r == PM_OK && out.len != lines.len)
		r = ALLOC_WRONG;
	buffer_free(&out);
	return r;
}

static int begin_backup(void)
{
	struct buffer out = {0};
	struct backup backup;
	int r = backup_begin(&backup, manifest, 1, &out);

	if (r == PM_OK && (!out.len || out.bytes[out.len - 1] != '\n'))
		r = ALLOC_WRONG;
	backup_free(&backup);
	buffer_free(&out);
	return r;
}

/* A line that was not read is not counted either: the same may be tried again. */
static int read_line(struct backup *backup, const char *line, size_t len)
{
	struct record_value found = {0};
	struct record head;
	char id[PM_COMMAND_ID_MAX + 1] = "";
	uint64_t before = backup->line;
	int r = backup_read(backup, line, len, id, &head, &found);

	if (r < 0 ? backup->line != before || backup->is_whole || found.bytes
		  : !backup->is_whole && (strcmp(id, "a") != 0 || !is_value(&found)))
		r = ALLOC_WRONG;
	record_value_free(&found);
	return r;
}

static int read_backup(void)
{
	struct backup backup;
	int r = backup_open(&backup, key);

	if (r == PM_OK)
		r = read_line(&backup, lines.bytes, first_len);
	if (r == PM_OK)
		r = read_line(&backup, lines.bytes + first_len + 1, lines.len - first_len - 2);
	if (r == PM_OK && !backup.is_whole)
		r = ALLOC_WRONG;
	backup_free(&backup);
	return r;
}

/* --- all of them ----------------------------------------------------------------------------- */

static void set_up(void)
{
	static const char *const roles[] = {"worker", "other"}, *const models[] = {"tiny"};
	const struct pm_command_statement statement = {
		.roles = roles, .role_count = 2, .models = models, .model_count = 1};
	json_t *table = doc_table();
	struct pm_view text = doc_text(json_object_get(table, "base"), 0);
	struct ring *ring;

	record = (struct record){.kind = RECORD_OWNERS, .created = 50, .expires = 100};
	ck_pm(record_set_rule(&record, &statement), PM_OK);
	value = (struct record_value){(uint8_t *)strdup(CANARY), sizeof(CANARY)};
	ck_pm(ring_new(secret, &ring), PM_OK);
	ck_pm(record_seal(ring, "a", &record, &value, &sealed, &sealed_len), PM_OK);
	ring_free(ring);
	ck_pm(write_lines(&lines), PM_OK);
	first_len = (size_t)((char *)memchr(lines.bytes, '\n', lines.len) - lines.bytes);
	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &manifest), PM_OK);
	ck_assert_ptr_nonnull(pm_manifest_seed_share_owners(manifest));
	json_decref(table);
	test_free(text);
}

static void clean_up(void)
{
	pm_manifest_free(manifest);
	buffer_free(&lines);
	free(sealed);
	record_value_free(&value);
}

START_TEST(records_without_memory)
{
	ck_assert_uint_ge(alloc_walk("ring_new", make_ring, ALLOC_LOSSY), 3);
	ck_assert_uint_ge(alloc_walk("record_seal", seal_record, ALLOC_LOSSY), 5);
	ck_assert_uint_ge(alloc_walk("record_open", open_record, ALLOC_LOSSY), 5);
	ck_assert_uint_ge(alloc_walk("record_rule_json", show_rule, ALLOC_LOSSY), 6);
}
END_TEST

START_TEST(backups_without_memory)
{
	ck_assert_uint_ge(alloc_walk("backup_add", write_backup, ALLOC_LOSSY), 5);
	ck_assert_uint_ge(alloc_walk("backup_read", read_backup, ALLOC_LOSSY), 5);
	if (begin_backup() != PM_E_UNSUPPORTED)
		ck_assert_uint_ge(alloc_walk("backup_begin", begin_backup, ALLOC_LOSSY), 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("records_alloc");
	TCase *t = tcase_create("records_alloc");

	json_set_alloc_funcs(malloc, free); /* of alloc.c: only what writes is walked through */
	tcase_add_unchecked_fixture(t, set_up, clean_up);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, records_without_memory);
	tcase_add_test(t, backups_without_memory);
	suite_add_tcase(s, t);
	return test_main(s);
}
