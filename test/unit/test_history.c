/* SPDX-License-Identifier: Apache-2.0 */
/* The history of manifests, and the memory of clients: what follows what, rollback, fork. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pm/memory_file.h>
#include <pm/text.h>

#include "base/report.h"
#include "base/wr.h"
#include "manifest_doc.h"
#include "policy/history.h"
#include "testing.h"

#define NOW	  1780000000
#define MANIFESTS 5

/* A deployment: manifests that follow each other, and the history of all of them. */
struct scene {
	struct pm_sign_key *key;
	struct pm_manifest *m[MANIFESTS];
	struct pm_history *history;
};

static struct pm_manifest *parse_doc(json_t *doc)
{
	struct pm_view text = doc_text(doc, 0);
	struct pm_manifest *m = NULL;

	ck_pm(pm_manifest_parse(text.ptr, text.len, NULL, &m), PM_OK);
	test_free(text);
	return m;
}

/* The manifest of that serial number behind the one before; branch makes it another one. */
static struct pm_manifest *make(uint64_t serial, const struct pm_manifest *before, int branch)
{
	json_t *table = doc_table(), *base = json_object_get(table, "base");
	char text[2 * PM_MANIFEST_HASH_SIZE + 1];
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	struct pm_manifest *m;

	doc_set(base, "serial", json_integer((json_int_t)serial));
	doc_set(base, "previous", json_null());
	doc_set(base, "models tiny data_blocks", json_integer(1 + branch));
	if (before) {
		pm_manifest_hash(before, hash);
		pm_hex_encode(hash, sizeof(hash), text);
		doc_set(base, "previous", json_string(text));
	}
	m = parse_doc(base);
	json_decref(table);
	return m;
}

/* From manifest number from on it is another branch. */
static struct scene scene_new(size_t from)
{
	struct scene s = {0};

	ck_pm(pm_sign_key_new(PM_SIGN_P384, &s.key), PM_OK);
	ck_pm(pm_history_new(&s.history), PM_OK);
	for (size_t i = 0; i < MANIFESTS; i++) {
		s.m[i] = make(i + 1, i ? s.m[i - 1] : NULL, i >= from);
		ck_pm(pm_history_append(s.history, s.m[i], s.key, NOW + (int64_t)i, NULL), PM_OK);
	}
	return s;
}

static void scene_free(struct scene *s)
{
	for (size_t i = 0; i < MANIFESTS; i++)
		pm_manifest_free(s->m[i]);
	pm_history_free(s->history);
	pm_sign_key_free(s->key);
}

/* The links behind one serial number up to another, as a file goes. */
static struct pm_history *part(const struct scene *s, uint64_t after, size_t until)
{
	struct pm_history *cut = NULL;
	size_t len = 0, count = s->history->count;
	char *text = NULL;

	s->history->count = until;
	ck_pm(pm_history_text(s->history, after, &text, &len), PM_OK);
	s->history->count = count;
	ck_assert_uint_eq(len, strlen(text));
	ck_pm(pm_history_parse(text, len, NULL, &cut), PM_OK);
	pm_history_text_free(text);
	return cut;
}

/* Is that part of the history, with the manifest at its end, accepted by who remembers? */
static int verify(const struct scene *s, uint64_t after, size_t until,
	const struct pm_memory *memory, struct pm_memory *ret)
{
	struct pm_history *cut = part(s, after, until);
	int r = pm_history_verify(
		cut, pm_sign_key_public(s->key), s->m[until - 1], memory, NULL, ret);

	pm_history_free(cut);
	return r;
}

static struct pm_memory remember(const struct scene *s, size_t until)
{
	struct pm_memory memory = {0};

	ck_pm(verify(s, 0, until, NULL, &memory), PM_OK);
	return memory;
}

/* --- links ----------------------------------------------------------------------------------- */

/* The bytes that are signed and hashed, spelt out. */
START_TEST(test_link_form)
{
	struct scene s = scene_new(MANIFESTS);
	const struct pm_history_link *link = pm_history_at(s.history, 1);
	uint8_t body[102], hash[32];
	struct pm_wr wr = pm_wr(body, sizeof(body));

	pm_wr_bytes(&wr, pm_view("libpm history hash v1", 22));
	pm_wr_be64(&wr, 2);
	pm_wr_bytes(&wr, pm_view(s.m[1]->hash, 32));
	pm_wr_bytes(&wr, pm_view(pm_history_at(s.history, 0)->hash, 32));
	pm_wr_be64(&wr, NOW + 1);
	ck_assert(pm_wr_done(&wr, NULL) && wr.len == sizeof(body));
	ck_pm(pm_hash(PM_SHA256, pm_view(body, sizeof(body)), hash), PM_OK);
	ck_assert_mem_eq(hash, link->hash, 32);
	memcpy(body, "libpm history link v1", 22);
	ck_pm(pm_sign_verify(pm_sign_key_public(s.key), pm_view(body, sizeof(body)),
		      pm_view(link->signature, link->signature_size)),
		PM_OK);
	ck_assert_uint_eq(pm_history_count(s.history), MANIFESTS);
	ck_assert_ptr_null(pm_history_at(s.history, MANIFESTS));
	scene_free(&s);
}
END_TEST

START_TEST(test_append)
{
	struct scene s = scene_new(MANIFESTS), other = scene_new(3);
	struct pm_history *h = NULL;

	ck_pm(pm_history_new(&h), PM_OK);
	ck_pm(pm_history_append(h, s.m[1], s.key, NOW, NULL), PM_E_REJECTED); /* not the first */
	ck_pm(pm_history_append(h, s.m[0], s.key, NOW, NULL), PM_OK);
	ck_pm(pm_history_append(h, s.m[0], s.key, NOW, NULL), PM_E_REJECTED);	  /* again */
	ck_pm(pm_history_append(h, s.m[2], s.key, NOW, NULL), PM_E_REJECTED);	  /* a gap */
	ck_pm(pm_history_append(h, s.m[1], s.key, NOW - 1, NULL), PM_E_REJECTED); /* time */
	ck_pm(pm_history_append(h, s.m[1], s.key, NOW, NULL), PM_OK);
	ck_pm(pm_history_append(h, s.m[2], s.key, NOW, NULL), PM_OK);
	ck_pm(pm_history_append(h, other.m[4], s.key, NOW, NULL), PM_E_REJECTED);
	ck_pm(pm_history_append(h, other.m[3], s.key, NOW, NULL), PM_OK); /* other.m[2] is s.m[2] */
	ck_pm(pm_history_append(h, s.m[4], s.key, NOW, NULL), PM_E_REJECTED); /* of s.m[3] */
	ck_assert_uint_eq(pm_history_count(h), 4);
	pm_history_free(h);
	scene_free(&other);
	scene_free(&s);
}
END_TEST

START_TEST(test_limit)
{
	struct pm_history *h = NULL;
	struct pm_history_link link = {.serial = 2, .time = NOW};

	ck_pm(pm_history_new(&h), PM_OK);
	memset(link.previous, 1, sizeof(link.previous));
	for (size_t i = 0; i < PM_HISTORY_LINKS_MAX; i++) {
		ck_pm(pm_history_hash(&link), PM_OK);
		ck_pm(pm_history_add(h, &link, NULL), PM_OK);
		link.serial++;
		memcpy(link.previous, link.hash, sizeof(link.previous));
	}
	ck_pm(pm_history_add(h, &link, NULL), PM_E_LIMIT);
	pm_history_free(h);
}
END_TEST

/* --- the file -------------------------------------------------------------------------------- */

START_TEST(test_text)
{
	struct scene s = scene_new(MANIFESTS);
	struct pm_history *all = part(&s, 0, MANIFESTS), *none = part(&s, 5, MANIFESTS);
	struct pm_history *tail = part(&s, 3, MANIFESTS);

	ck_assert_uint_eq(pm_history_count(all), MANIFESTS);
	ck_assert_uint_eq(pm_history_count(none), 0);
	ck_assert_uint_eq(pm_history_count(tail), 2);
	ck_assert_mem_eq(all->links, s.history->links, MANIFESTS * sizeof(all->links[0]));
	ck_assert_mem_eq(tail->links, s.history->links + 3, 2 * sizeof(all->links[0]));
	pm_history_free(all);
	pm_history_free(none);
	pm_history_free(tail);
	scene_free(&s);
}
END_TEST

/* One change to a file of two links, by path; refused where it stands. */
START_TEST(test_file_bad)
{
	static const struct {
		const char *path, *value, *says;
	} rows[] = {
		{"version", "2", "$.version"},
		{"x", "1", "$.x"},
		{"links", "{}", "$.links"},
		{"links 0", "[]", "$.links[0]"},
		{"links 0 serial", "0", "$.links[0].serial"},
		{"links 0 serial", "9007199254740992", "$.links[0].serial"},
		{"links 1 serial", "1", "history.previous"},
		{"links 1 serial", "3", "history.serial"},
		{"links 0 time", "\"yesterday\"", "$.links[0].time"},
		{"links 1 time", "\"2020-01-01T00:00:00Z\"", "history.time"},
		{"links 0 time", "\"2020-01-01T00:00:00Z\"", "history.previous"},
		{"links 0 manifest", "\"00\"", "$.links[0].manifest"},
		{"links 0 manifest",
			"\"" /* another hash */
			"0000000000000000000000000000000000000000000000000000000000000000"
			"\"",
			"history.previous"},
		{"links 0 previous", "null", "$.links[0].previous"},
		{"links 0 previous",
			"\"1111111111111111111111111111111111111111111111111111111111111111\"",
			"history.previous"},
		{"links 0 signature", "\"\"", "$.links[0].signature"},
		{"links 0 signature", "\"A\"", "$.links[0].signature"},
		{"links 0 x", "1", "$.links[0].x"},
	};
	struct scene s = scene_new(MANIFESTS);

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct pm_report *report = pm_report_new();
		struct pm_history *h = NULL;
		char *text = NULL;
		struct pm_view changed;
		json_t *doc;
		size_t len;

		s.history->count = 2;
		ck_pm(pm_history_text(s.history, 0, &text, &len), PM_OK);
		doc = json_loads(text, 0, NULL);
		doc_set(doc, rows[i].path, json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
		changed = doc_text(doc, 0);
		ck_pm(pm_history_parse(changed.ptr, changed.len, report, &h), PM_E_FORMAT);
		ck_assert_msg(strstr(pm_report_reason(report), rows[i].says), "%s: %s",
			rows[i].path, pm_report_reason(report));
		test_free(changed);
		json_decref(doc);
		pm_history_text_free(text);
		pm_report_free(report);
	}
	scene_free(&s);
}
END_TEST

/* --- verification ---------------------------------------------------------------------------- */

START_TEST(test_verify)
{
	struct scene s = scene_new(MANIFESTS);
	struct pm_memory memory = remember(&s, 2), next;

	ck_assert_uint_eq(memory.serial, 2);
	ck_assert_mem_eq(memory.manifest, s.m[1]->hash, 32);
	ck_assert(memory.has_link);
	ck_assert_mem_eq(memory.link, s.history->links[1].hash, 32);
	ck_pm(verify(&s, 0, 5, &memory, &next), PM_OK);
	ck_assert_uint_eq(next.serial, 5);
	ck_pm(verify(&s, 0, 2, &memory, &next), PM_OK); /* nothing new */
	ck_pm(verify(&s, 1, 5, &memory, &next), PM_OK); /* from the link that is known */
	ck_pm(verify(&s, 2, 5, &memory, &next), PM_OK); /* from right behind it */
	ck_pm(verify(&s, 3, 5, &memory, &next), PM_E_MISSING);
	ck_pm(verify(&s, 1, 5, NULL, &next), PM_E_MISSING);
	scene_free(&s);
}
END_TEST

START_TEST(test_rollback)
{
	struct scene s = scene_new(MANIFESTS);
	struct pm_memory memory = remember(&s, 4), next = {0};

	for (size_t until = 1; until < 4; until++)
		ck_pm(verify(&s, 0, until, &memory, &next), PM_E_REJECTED);
	ck_pm(verify(&s, 2, 3, &memory, &next), PM_E_REJECTED);
	ck_assert_uint_eq(next.serial, 0);
	ck_pm(verify(&s, 0, 4, &memory, &next), PM_OK);
	scene_free(&s);
}
END_TEST

/* The same key signed another branch: whoever remembers sees it, also behind the memory. */
START_TEST(test_fork)
{
	struct scene s = scene_new(MANIFESTS), other = scene_new(2);
	struct pm_memory memory = remember(&s, 3), next;

	pm_sign_key_free(other.key);
	other.key = s.key;
	pm_history_free(other.history);
	ck_pm(pm_history_new(&other.history), PM_OK);
	for (size_t i = 0; i < MANIFESTS; i++)
		ck_pm(pm_history_append(other.history, other.m[i], s.key, NOW + (int64_t)i, NULL),
			PM_OK);
	ck_pm(verify(&other, 0, 5, NULL, &next), PM_OK);
	ck_pm(verify(&other, 0, 5, &memory, &next), PM_E_REJECTED);
	ck_pm(verify(&other, 0, 3, &memory, &next), PM_E_REJECTED);
	ck_pm(verify(&other, 3, 5, &memory, &next), PM_E_REJECTED);
	memory.has_link = false; /* then the manifest's hash tells */
	ck_pm(verify(&other, 0, 5, &memory, &next), PM_E_REJECTED);
	ck_pm(verify(&s, 0, 5, &memory, &next), PM_OK);
	ck_pm(verify(&s, 3, 5, &memory, &next), PM_E_MISSING);
	memory = remember(&s, 2); /* before the fork both may be true */
	ck_pm(verify(&other, 0, 5, &memory, &next), PM_OK);
	other.key = NULL;
	scene_free(&other);
	scene_free(&s);
}
END_TEST

/* The same manifests in other links (made at other times) are a fork of the history too. */
START_TEST(test_fork_of_links)
{
	struct scene s = scene_new(MANIFESTS);
	struct pm_memory memory = remember(&s, 3), next;

	pm_history_free(s.history);
	ck_pm(pm_history_new(&s.history), PM_OK);
	for (size_t i = 0; i < MANIFESTS; i++)
		ck_pm(pm_history_append(s.history, s.m[i], s.key, NOW + 100, NULL), PM_OK);
	ck_pm(verify(&s, 0, 5, &memory, &next), PM_E_REJECTED);
	ck_pm(verify(&s, 3, 5, &memory, &next), PM_E_REJECTED);
	scene_free(&s);
}
END_TEST

START_TEST(test_signatures)
{
	struct scene s = scene_new(MANIFESTS), other = scene_new(MANIFESTS);
	const struct pm_sign_public *key = pm_sign_key_public(s.key);
	struct pm_memory next;

	ck_pm(pm_history_verify(
		      s.history, pm_sign_key_public(other.key), s.m[4], NULL, NULL, &next),
		PM_E_REJECTED);
	for (size_t i = 0; i < MANIFESTS; i++) {
		struct pm_history_link *link = &s.history->links[i];

		link->signature[link->signature_size - 1] ^= 1;
		ck_pm(pm_history_verify(s.history, key, s.m[4], NULL, NULL, &next), PM_E_REJECTED);
		link->signature[link->signature_size - 1] ^= 1;
	}
	/* The last link, made with another key. */
	s.history->count = 4;
	ck_pm(pm_history_append(s.history, s.m[4], other.key, NOW + 9, NULL), PM_OK);
	ck_pm(pm_history_verify(s.history, key, s.m[4], NULL, NULL, &next), PM_E_REJECTED);
	scene_free(&s);
	scene_free(&other);
}
END_TEST

START_TEST(test_end)
{
	struct scene s = scene_new(MANIFESTS), other = scene_new(4);
	const struct pm_sign_public *key = pm_sign_key_public(s.key);
	struct pm_history *empty = NULL;
	struct pm_memory next;

	ck_pm(pm_history_verify(s.history, key, s.m[3], NULL, NULL, &next), PM_E_REJECTED);
	ck_pm(pm_history_verify(s.history, key, other.m[4], NULL, NULL, &next), PM_E_REJECTED);
	ck_pm(pm_history_verify(s.history, key, s.m[4], NULL, NULL, &next), PM_OK);
	ck_pm(pm_history_new(&empty), PM_OK);
	ck_pm(pm_history_verify(empty, key, s.m[4], NULL, NULL, &next), PM_E_REJECTED);
	pm_history_free(empty);
	scene_free(&s);
	scene_free(&other);
}
END_TEST

/* A link as the coordinator's key can make it, whatever the manifest says. */
static void add_link(struct scene *s, uint64_t serial, const struct pm_manifest *m)
{
	const struct pm_history_link *last = pm_history_at(s->history, MANIFESTS - 1);
	struct pm_history_link link = {.serial = serial, .time = NOW + MANIFESTS};
	uint8_t body[PM_HISTORY_BODY_SIZE];

	pm_manifest_hash(m, link.manifest);
	if (last)
		memcpy(link.previous, last->hash, sizeof(link.previous));
	ck_pm(pm_history_hash(&link), PM_OK);
	pm_history_body(PM_HISTORY_SIGN_LABEL, &link, body);
	ck_pm(pm_sign(s->key, pm_view(body, sizeof(body)), link.signature, &link.signature_size),
		PM_OK);
	ck_pm(pm_history_add(s->history, &link, NULL), PM_OK);
}

/* An old manifest under a new link would be a rollback; so would one that follows an older one. */
START_TEST(test_end_is_the_links_own)
{
	struct pm_memory memory, next;

	for (int kind = 0; kind < 3; kind++) {
		struct scene s = scene_new(MANIFESTS);
		const struct pm_sign_public *key = pm_sign_key_public(s.key);
		struct pm_manifest *m = kind == 2   ? make(6, s.m[4], 0)
					: kind == 1 ? make(6, s.m[3], 0)
						    : make(3, s.m[1], 0);

		ck_pm(pm_history_verify(s.history, key, s.m[4], NULL, NULL, &memory), PM_OK);
		add_link(&s, 6, m);
		ck_pm(pm_history_verify(s.history, key, m, &memory, NULL, &next),
			kind == 2 ? PM_OK : PM_E_REJECTED);
		ck_pm(pm_history_verify(s.history, key, m, NULL, NULL, &next),
			kind == 2 ? PM_OK : PM_E_REJECTED);
		s.history->links[0] = s.history->links[MANIFESTS]; /* the new link alone */
		s.history->count = 1;
		ck_pm(pm_history_verify(s.history, key, m, &memory, NULL, &next),
			kind == 2 ? PM_OK : PM_E_REJECTED);
		s.history->count = 0;
		add_link(&s, 1, s.m[2]);
		ck_pm(pm_history_verify(s.history, key, s.m[2], NULL, NULL, &next), PM_E_REJECTED);
		pm_manifest_free(m);
		scene_free(&s);
	}
}
END_TEST

/* --- memory without a history ---------------------------------------------------------------- */

START_TEST(test_memory_check)
{
	struct scene s = scene_new(MANIFESTS), other = scene_new(2);
	struct pm_memory memory, next = {0};

	ck_pm(pm_memory_check(NULL, s.m[1], NULL, &memory), PM_OK);
	ck_assert_uint_eq(memory.serial, 2);
	ck_assert(!memory.has_link);
	ck_pm(pm_memory_check(&memory, s.m[0], NULL, &next), PM_E_REJECTED);
	ck_pm(pm_memory_check(&memory, s.m[3], NULL, &next), PM_E_MISSING);
	ck_assert_uint_eq(next.serial, 0);
	ck_pm(pm_memory_check(&memory, s.m[1], NULL, &next), PM_OK);
	ck_pm(pm_memory_check(&memory, s.m[2], NULL, &next), PM_OK);
	ck_assert_mem_eq(next.manifest, s.m[2]->hash, 32);
	ck_pm(pm_memory_check(&next, other.m[2], NULL, &memory), PM_E_REJECTED); /* same serial */
	ck_pm(pm_memory_check(&next, other.m[3], NULL, &memory), PM_E_REJECTED); /* its successor */
	ck_pm(pm_memory_check(&next, s.m[3], NULL, &memory), PM_OK);
	scene_free(&s);
	scene_free(&other);
}
END_TEST

/* The link is kept with the manifest that it is of, and no longer. */
START_TEST(test_memory_keeps_link)
{
	struct scene s = scene_new(MANIFESTS);
	struct pm_memory memory = remember(&s, 3), next;

	ck_pm(pm_memory_check(&memory, s.m[2], NULL, &next), PM_OK);
	ck_assert(next.has_link);
	ck_assert_mem_eq(next.link, memory.link, 32);
	ck_pm(pm_memory_check(&memory, s.m[3], NULL, &next), PM_OK);
	ck_assert(!next.has_link);
	scene_free(&s);
}
END_TEST

START_TEST(test_memory_text)
{
	struct pm_memory memory = {.serial = 7, .has_link = true}, again;
	char text[PM_MEMORY_SIZE_MAX], changed[PM_MEMORY_SIZE_MAX + 1];
	size_t len = 0;

	memset(memory.manifest, 1, 32);
	memset(memory.link, 2, 32);
	for (int turn = 0; turn < 2; turn++) {
		ck_pm(pm_memory_text(&memory, text, &len), PM_OK);
		ck_pm(pm_memory_parse(text, len, NULL, &again), PM_OK);
		ck_assert_uint_eq(again.serial, 7);
		ck_assert_int_eq(again.has_link, memory.has_link);
		ck_assert_mem_eq(again.manifest, memory.manifest, 32);
		/* No change of a digit passes, and no cut. */
		for (size_t i = 0; i < len; i++) {
			memcpy(changed, text, len);
			if (changed[i] >= '0' && changed[i] <= '9') {
				changed[i] = changed[i] == '9' ? '8' : (char)(changed[i] + 1);
				ck_pm(pm_memory_parse(changed, len, NULL, &again), PM_E_FORMAT);
			}
			if (i < len - 1)
				ck_pm(pm_memory_parse(text, i, NULL, &again), PM_E_FORMAT);
		}
		memory.has_link = false;
	}
	memset(changed, ' ', sizeof(changed));
	ck_pm(pm_memory_parse(changed, sizeof(changed), NULL, &again), PM_E_LIMIT);
}
END_TEST

/* --- the file of a memory -------------------------------------------------------------------- */

static char folder[] = "/tmp/pm-test-history-XXXXXX";
static char path[64];

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/memory", folder);
}

static void remove_folder(void)
{
	char lock[80];

	snprintf(lock, sizeof(lock), "%s.lock", path);
	(void)unlink(lock);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left there */
	snprintf(folder + strlen(folder) - 6, 7, "XXXXXX");
}

static struct pm_memory_file *open_file(void)
{
	struct pm_memory_file *file = NULL;

	ck_pm(pm_memory_file_open(path, NULL, &file), PM_OK);
	return file;
}

START_TEST(test_memory_file)
{
	struct pm_memory_file *file = open_file();
	struct pm_memory memory = {.serial = 3};
	struct stat st;

	ck_assert_ptr_null(pm_memory_file_get(file));
	ck_pm(pm_memory_file_put(file, &memory, NULL), PM_OK);
	ck_assert_uint_eq(pm_memory_file_get(file)->serial, 3);
	memory.serial = 2;
	ck_pm(pm_memory_file_put(file, &memory, NULL), PM_E_ARG);
	pm_memory_file_close(file);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	file = open_file();
	ck_assert_uint_eq(pm_memory_file_get(file)->serial, 3);
	memory.serial = 4;
	ck_pm(pm_memory_file_put(file, &memory, NULL), PM_OK);
	pm_memory_file_close(file);
	file = open_file();
	ck_assert_uint_eq(pm_memory_file_get(file)->serial, 4);
	pm_memory_file_close(file);
}
END_TEST

START_TEST(test_memory_file_bad)
{
	struct pm_report *report = pm_report_new();
	struct pm_memory_file *file = NULL;
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fclose(f); /* empty: damaged, not new */
	ck_pm(pm_memory_file_open(path, NULL, &file), PM_E_FORMAT);
	ck_pm(pm_memory_file_open("/nonexistent/memory", report, &file), PM_E_SYS);
	ck_assert_ptr_nonnull(strstr(pm_report_reason(report), "/nonexistent/memory.lock"));
	ck_assert_ptr_null(file);
	pm_report_free(report);
}
END_TEST

/* Processes that each count up by one: none of the steps is lost. */
START_TEST(test_memory_file_lock)
{
	enum { PROCESSES = 4, STEPS = 25 };
	struct pm_memory_file *file;
	int status;

	for (int i = 0; i < PROCESSES; i++) {
		if (fork())
			continue;
		for (int k = 0; k < STEPS; k++) {
			const struct pm_memory *old;
			struct pm_memory memory = {.serial = 1};

			if (pm_memory_file_open(path, NULL, &file) < 0)
				_exit(1);
			old = pm_memory_file_get(file);
			if (old)
				memory.serial = old->serial + 1;
			if (pm_memory_file_put(file, &memory, NULL) < 0)
				_exit(1);
			pm_memory_file_close(file);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	file = open_file();
	ck_assert_uint_eq(pm_memory_file_get(file)->serial, PROCESSES * STEPS);
	pm_memory_file_close(file);
}
END_TEST

static TCase *history_case(void)
{
	TCase *tcase = tcase_create("history");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_link_form);
	tcase_add_test(tcase, test_append);
	tcase_add_test(tcase, test_limit);
	tcase_add_test(tcase, test_text);
	tcase_add_test(tcase, test_file_bad);
	tcase_add_test(tcase, test_verify);
	tcase_add_test(tcase, test_rollback);
	tcase_add_test(tcase, test_fork);
	tcase_add_test(tcase, test_fork_of_links);
	tcase_add_test(tcase, test_signatures);
	tcase_add_test(tcase, test_end);
	tcase_add_test(tcase, test_end_is_the_links_own);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("history");
	TCase *memory = tcase_create("memory"), *file = tcase_create("memory file");

	tcase_add_test(memory, test_memory_check);
	tcase_add_test(memory, test_memory_keeps_link);
	tcase_add_test(memory, test_memory_text);
	tcase_set_timeout(file, 60);
	tcase_add_checked_fixture(file, make_folder, remove_folder);
	tcase_add_test(file, test_memory_file);
	tcase_add_test(file, test_memory_file_bad);
	tcase_add_test(file, test_memory_file_lock);
	suite_add_tcase(suite, history_case());
	suite_add_tcase(suite, memory);
	suite_add_tcase(suite, file);
	return test_main(suite);
}
